"""Who may use which endpoint: one table, deny by default.

A route without a row here cannot be made (`GuardedRoute` refuses it when the application is created), and a row without
a route is refused too, so that the table always tells the whole truth.
"""

from __future__ import annotations

from dataclasses import dataclass

from cadencia.domain.access import UserRole

R = UserRole


@dataclass(frozen=True)
class Rule:
    """Who may pass.

    Attributes:
        roles: signed-in users of these roles.
        public: nobody needs to sign in; the endpoint gives no data away.
        loopback: a program on this very machine may read it without a sign-in.
    """

    roles: frozenset[UserRole] = frozenset()
    public: bool = False
    loopback: bool = False


_PUBLIC = Rule(public=True)
_SIGNED_IN = Rule(frozenset(R))
_AGENT = Rule(frozenset({R.AGENT}))
_WATCH = Rule(frozenset({R.SUPERVISOR, R.ENGINEER, R.DIRECTOR, R.COMPLIANCE, R.ADMIN}))
_CONTROL = Rule(frozenset({R.SUPERVISOR, R.ADMIN}))
_LINES = Rule(frozenset({R.SUPERVISOR, R.ENGINEER, R.ADMIN}))
_TRACE = Rule(frozenset({R.SUPERVISOR, R.ENGINEER, R.COMPLIANCE, R.ADMIN}))
_LAW = Rule(frozenset({R.SUPERVISOR, R.DIRECTOR, R.COMPLIANCE, R.ADMIN}))
_DECIDE = Rule(frozenset({R.COMPLIANCE, R.ADMIN}))
_PEOPLE = Rule(frozenset({R.SUPERVISOR, R.COMPLIANCE, R.ADMIN}))
_OPERATE = Rule(frozenset({R.ENGINEER, R.ADMIN}), loopback=True)

#: (method, path template) -> rule
TABLE: dict[tuple[str, str], Rule] = {
    ("GET", "/"): _PUBLIC,
    ("GET", "/entrar"): _PUBLIC,
    ("GET", "/agente"): _PUBLIC,
    ("GET", "/supervision"): _PUBLIC,
    ("GET", "/telefonia"): _PUBLIC,
    ("GET", "/cumplimiento"): _PUBLIC,
    ("GET", "/favicon.svg"): _PUBLIC,
    ("GET", "/assets/{name}"): _PUBLIC,
    ("GET", "/healthz"): _PUBLIC,
    ("GET", "/readyz"): _PUBLIC,
    ("GET", "/metrics"): _OPERATE,
    ("POST", "/api/session"): _PUBLIC,
    ("DELETE", "/api/session"): _SIGNED_IN,
    ("GET", "/api/me"): _SIGNED_IN,
    ("GET", "/api/openapi.json"): _SIGNED_IN,
    ("GET", "/api/dispositions"): _SIGNED_IN,
    ("GET", "/api/stream"): _SIGNED_IN,
    ("GET", "/api/agent"): _AGENT,
    ("GET", "/api/agent/telephone"): _AGENT,
    ("POST", "/api/agent/telephone"): _AGENT,
    ("POST", "/api/agent/sign-in"): _AGENT,
    ("POST", "/api/agent/ready"): _AGENT,
    ("POST", "/api/agent/pause"): _AGENT,
    ("POST", "/api/agent/sign-out"): _AGENT,
    ("POST", "/api/agent/dial"): _AGENT,
    ("POST", "/api/agent/skip"): _AGENT,
    ("POST", "/api/agent/finish"): _AGENT,
    ("POST", "/api/agent/confirm"): _AGENT,
    ("POST", "/api/agent/note"): _AGENT,
    ("POST", "/api/agent/disposition"): _AGENT,
    ("GET", "/api/floor"): _WATCH,
    ("GET", "/api/telephony"): _LINES,
    ("GET", "/api/calls/{attempt_id}"): _TRACE,
    ("GET", "/api/law"): _LAW,
    ("GET", "/api/law/nights"): _LAW,
    ("POST", "/api/law/proposals"): _DECIDE,
    ("POST", "/api/law/proposals/{profile_id}/{version}/approve"): _DECIDE,
    ("POST", "/api/law/proposals/{profile_id}/{version}/reject"): _DECIDE,
    ("POST", "/api/people/opt-out"): _PEOPLE,
    ("POST", "/api/people/consents"): _PEOPLE,
    ("POST", "/api/people/preferences"): _PEOPLE,
    ("POST", "/api/people/exclusions"): _PEOPLE,
    ("POST", "/api/people/payments"): _PEOPLE,
    ("GET", "/api/people/requests"): _PEOPLE,
    ("POST", "/api/people/requests"): _PEOPLE,
    ("POST", "/api/people/requests/{number}/extend"): _PEOPLE,
    ("POST", "/api/people/requests/{number}/close"): _PEOPLE,
    ("POST", "/api/contacts"): _PEOPLE,
    ("POST", "/api/contacts/inbound"): _PEOPLE,
    ("POST", "/api/contacts/{contact_id}/outcome"): _PEOPLE,
    ("POST", "/api/people/explain"): _PEOPLE,
    ("GET", "/api/contacts/{contact_id}/explain"): _PEOPLE,
    ("GET", "/api/campaigns/{campaign_id}/explain"): _WATCH,
    ("POST", "/api/campaigns/{campaign_id}/start"): _CONTROL,
    ("POST", "/api/campaigns/{campaign_id}/pause"): _CONTROL,
    ("POST", "/api/campaigns/{campaign_id}/stop"): _CONTROL,
    ("PATCH", "/api/campaigns/{campaign_id}"): _CONTROL,
    ("POST", "/api/campaigns/{campaign_id}/what-if"): _CONTROL,
}


def rule_of(method: str, path: str) -> Rule:
    """The row of an endpoint. Raises LookupError where there is none: such an endpoint must not be served."""
    try:
        return TABLE[method, path]
    except KeyError:
        raise LookupError(f"{method} {path} has no row in cadencia.web.access.TABLE") from None
