"""The one gate: a yes, or a no with its reason and the next lawful instant. For every channel, purpose and mode.

Deny by default: what is missing or not understood is a no. It is asked when a contact is leased, in the transaction
that reserves its counters, and again at the instant of dialling. It is pure: the same question has the same answer.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from cadencia.compliance.rules import PIPELINE, Ask, Held, Rule, alone, standing_consent
from cadencia.compliance.stack import Stack
from cadencia.domain.law import Allow, Channel, Deny, Facts, Limit, Person, Purpose, Scope, Verdict
from cadencia.domain.people import Phone

#: So often the next lawful instant is looked for further on: rules that lift one another's end are few.
_STEPS = 16


def decide(
    person: Person,
    phone: Phone | None,
    channel: Channel,
    purpose: Purpose,
    instant: datetime,
    facts: Facts,
    profiles: Stack,
    pipeline: tuple[Rule, ...] = PIPELINE,
) -> Verdict:
    """May this person be contacted this way, for this purpose, at this instant?

    Args:
        phone: the number to be used; None for a channel without one.
        instant: UTC; of a call, when it is dialled.
        profiles: laid over each other by `cadencia.compliance.stack.stack`.
        pipeline: the rules; all of them, but for a test that proves each one needed.

    Returns:
        `Allow`, or `Deny` with the first rule's reason and the first instant at which no rule would say no if nothing
        else happened; None where only another fact could bring one.
    """
    ask = Ask(person, phone, channel, purpose, instant, facts, profiles, profiles.plans[channel, purpose])
    held = _first(ask, pipeline)
    if held is None:
        return Allow(phone)
    return Deny(held.code, _next(ask, held, pipeline), held.rule)


def _first(ask: Ask, pipeline: tuple[Rule, ...]) -> Held | None:
    for rule in pipeline:
        held = rule(ask)
        if held is not None:
            return held
    return None


def _next(ask: Ask, held: Held, pipeline: tuple[Rule, ...]) -> datetime | None:
    """The first instant at which no rule says no: each no names its own end, and there all rules are asked again, save
    whether something is under way: that ends when it ends."""
    rules = tuple(rule for rule in pipeline if rule is not alone)
    for _ in range(_STEPS):
        if held.until is None or held.until <= ask.at:
            return None
        ask.at, ask.opening = held.until, None
        again = _first(ask, rules)
        if again is None:
            return ask.at
        held = again
    return None


def basis(
    person: Person, channel: Channel, purpose: Purpose, instant: datetime, facts: Facts, profiles: Stack
) -> dict[str, Any]:
    """What a decision was made from, as evidence keeps it: plain JSON values, ids, no personal data.

    {"zones", "window" (the open span, UTC), "counters" (limit -> contacts that counted), "consent" (id of the line of
    the ledger), "touches" (how many were looked at), "paid_at", "ring_s", "registers"}
    """
    zones = profiles.zones(person.zones)
    span = profiles.opening(channel, purpose, zones[0]).window(instant) if zones else None
    grant = standing_consent(facts.consents, channel, purpose, instant)
    return {
        "zones": list(person.zones),
        "window": [t.isoformat() for t in span] if span else None,
        "counters": {name: _counted(limit, facts) for name, limit in profiles.counted},
        "consent": grant.id if grant is not None else None,
        "touches": len(facts.touches) + len(facts.shared),
        "paid_at": facts.paid_at.isoformat() if facts.paid_at else None,
        "ring_s": facts.ring_s,
        "registers": sorted(facts.registers),
    }


def _counted(limit: Limit, facts: Facts) -> int:
    counted = 0
    for t in (*facts.touches, *facts.shared) if limit.scope is Scope.PHONE else facts.touches:
        counted += t.reach >= limit.counts and (not limit.channels or t.channel in limit.channels)
    return counted
