"""The laws, each as the few rules that one contact can break; written from the articles, not from the profiles.

A law is a tuple of rules. A rule looks at one contact with all that was known and all contacts before it, and yields
what it finds; nothing found is lawful. Where a law can be read in two ways, the reading is named beside the rule.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta

from cadencia.errors import Words
from cadencia.recheck.cases import (
    CONNECTED,
    DAY,
    RANG,
    TWO_WAY,
    VISIT,
    VOICE,
    WEEK,
    Case,
    Finding,
    Rule,
    after,
    consent,
    dates_apart,
    exempted,
    hours,
    references,
    same_week,
    week,
    wishes,
    zone_of,
)

# -- Colombia ----------------------------------------------------------------------------------------------------------

_BOGOTA = "America/Bogota"
_CO_HOURS = week((7, 19), (8, 15), None)
#: Confirming an operation, information that was asked for, fraud: the exceptions reported of Ley 2300.
_CO_EXEMPT = frozenset({"requested_info", "operation", "fraud_alert"})


def co_channels(case: Case) -> Iterator[Finding]:
    """CO-4, Ley 2300/2023 art. 3: after direct contact no other channel for a week, read as any 168 hours."""
    if exempted(case, _CO_EXEMPT):
        return
    for other in case.within(WEEK):
        if other.reach >= TWO_WAY and other.purpose not in _CO_EXEMPT and other.channel != case.contact.channel:
            en = f"Another channel than {other.channel} in the week after direct contact (Ley 2300/2023 art. 3)."
            es = f"Otro canal que {other.channel} en la semana tras el contacto directo (Ley 2300/2023 art. 3)."
            yield after("CO-4", en, es, other, channel=other.channel)
            return


def co_days(case: Case) -> Iterator[Finding]:
    """CO-5, Ley 2300/2023 art. 3: not again on the day of direct contact; the day here or where the person lives."""
    if exempted(case, _CO_EXEMPT):
        return
    for other in case.within(3 * DAY):
        spoke = other.reach >= TWO_WAY and other.purpose not in _CO_EXEMPT
        if spoke and dates_apart(case, other, (_BOGOTA,)) == 0:
            en = "Again on the day of direct contact (Ley 2300/2023 art. 3)."
            yield after("CO-5", en, "Otra vez el día del contacto directo (Ley 2300/2023 art. 3).", other)
            return


def co_strict(case: Case) -> Iterator[Finding]:
    """CO-6, the strict reading: one two-way contact in any 168 hours, and any attempt of ours is a contact."""
    if exempted(case, _CO_EXEMPT):
        return
    for other in case.within(WEEK):
        if other.purpose in _CO_EXEMPT:
            continue
        ours = not other.inbound and other.charged
        again = ours and (other.channel != case.contact.channel or dates_apart(case, other, (_BOGOTA,)) == 0)
        if other.reach >= TWO_WAY or again:
            en = "Again too soon after a contact, in the strict reading (Ley 2300/2023 art. 3)."
            es = "Otra vez demasiado pronto tras un contacto, en la lectura estricta (Ley 2300/2023 art. 3)."
            yield after("CO-6", en, es, other, reach=other.reach)
            return


def co_visits(case: Case) -> Iterator[Finding]:
    """CO-11: no visits; the exceptions reported (microcredit, no contact data) are not relied on."""
    if case.contact.channel == VISIT:
        yield Finding("CO-11", Words("A visit (Ley 2300/2023).", "Una visita (Ley 2300/2023)."), {})


def co_register(case: Case) -> Iterator[Finding]:
    """CO-13: the register of excluded numbers holds for what is commercial."""
    if case.contact.purpose == "commercial":
        for listed in excluded(case, "rne"):
            en = "A commercial contact with a number on the RNE (Ley 2300/2023 art. 5)."
            es = "Un contacto comercial a un número inscrito en el RNE (Ley 2300/2023 art. 5)."
            yield Finding("CO-13", Words(en, es), {"listed_at": listed.isoformat()})
            return


_CO_ALWAYS: tuple[Rule, ...] = (
    consent("CO-2", "Ley 2300/2023 art. 2", opt_in=True),
    hours(
        "CO-3",
        "Ley 2300/2023 art. 3",
        _CO_HOURS,
        country="CO",
        fixed=(_BOGOTA,),
        exempt=_CO_EXEMPT,
        extends="CO-8",
    ),
    references("CO-9", "Ley 2300/2023"),
    co_visits,
    co_register,
)


# -- Chile, United States, United Kingdom ------------------------------------------------------------------------------


def cl_calls(case: Case) -> Iterator[Finding]:
    """Ley 19.496 art. 37 (Ley 21.320): one telephone contact or visit a week, read as answered, in a calendar week."""
    if case.contact.channel not in (VOICE, VISIT):
        return
    for other in case.within(WEEK):
        spoken = other.channel == VISIT or (other.channel == VOICE and other.reach >= CONNECTED)
        if spoken and not other.inbound and same_week(case, other):
            en = "A second call or visit in a week (Ley 19.496 art. 37)."
            yield after("CL-CALLS", en, "Segunda llamada o visita en la semana (Ley 19.496 art. 37).", other)
            return


def cl_messages(case: Case) -> Iterator[Finding]:
    """Ley 19.496 art. 37: over other channels two a week, two days (48 h) between them; read as delivered."""
    if case.contact.channel in (VOICE, VISIT):
        return
    sent = [
        other
        for other in case.within(WEEK)
        if other.channel not in (VOICE, VISIT) and other.reach >= RANG and not other.inbound
    ]
    if sent and case.at - sent[0].at < 2 * DAY:
        en = "Less than two days after the last message (Ley 19.496 art. 37)."
        es = "Menos de dos días tras el último mensaje (Ley 19.496 art. 37)."
        yield after("CL-GAP", en, es, sent[0])
    in_week = [other for other in sent if same_week(case, other)]
    if len(in_week) >= 2:
        en = "A third message in a week (Ley 19.496 art. 37)."
        yield after("CL-MESSAGES", en, "Tercer mensaje en la semana (Ley 19.496 art. 37).", in_week[0])


#: Not connected to the dialled number: 12 CFR 1006.14(b)(3)(iii).
_US_NOT_PLACED = frozenset({"OCU", "FDS"})


def us_seven(case: Case) -> Iterator[Finding]:
    """12 CFR 1006.14(b)(2)(i)(A): seven calls in seven consecutive days per debt, today being the seventh."""
    if case.contact.channel != VOICE or case.contact.requested:
        return
    placed = [
        other
        for other in case.within(9 * DAY)
        if other.channel == VOICE
        and not other.inbound
        and not other.requested
        and other.reach >= RANG
        and other.code not in _US_NOT_PLACED
        and dates_apart(case, other) <= 6
    ]
    for debt in sorted(case.contact.debts) or [""]:
        calls = [other for other in placed if not debt or not other.debts or debt in other.debts]
        if len(calls) >= 7:
            en = "An eighth call about a debt in seven days (12 CFR 1006.14(b)(2))."
            es = "Octava llamada sobre una deuda en siete días (12 CFR 1006.14(b)(2))."
            yield after("US-REGF-FREQ", en, es, calls[0], debt=debt, before=len(calls))
            return


def us_conversation(case: Case) -> Iterator[Finding]:
    """12 CFR 1006.14(b)(2)(i)(B): no call for seven days after a conversation about the debt, its day the first."""
    if case.contact.channel != VOICE or case.contact.requested:
        return
    for other in case.within(9 * DAY):
        spoke = other.channel == VOICE and other.reach >= TWO_WAY
        if spoke and case.shares_debt(other) and dates_apart(case, other) <= 6:
            en = "Within seven days of a conversation about the debt (12 CFR 1006.14(b)(2))."
            es = "Dentro de los siete días de una conversación sobre la deuda (12 CFR 1006.14(b)(2))."
            yield after("US-REGF-TALK", en, es, other)
            return


def uk_again(rule: str, cite: str, codes: frozenset[str], span: timedelta) -> Rule:
    """A number is not dialled again for a while, for whomever, unless an agent is guaranteed."""

    def check(case: Case) -> Iterator[Finding]:
        contact = case.contact
        if contact.channel != VOICE or contact.agent_ready:
            return
        for other in case.within(span):
            if other.channel == VOICE and other.code in codes and other.phone == contact.phone and not other.inbound:
                en = f"The number was dialled again too soon without a guaranteed agent ({cite})."
                yield after(rule, en, f"Se remarcó el número demasiado pronto sin agente asegurado ({cite}).", other)
                return
        for call in case.dossier.shared:
            if call.code in codes and call.phone == contact.phone and timedelta() <= case.at - call.at < span:
                en = f"Too soon after a call to somebody else on the number, without a guaranteed agent ({cite})."
                es = f"Demasiado pronto tras una llamada a otra persona en ese número, sin agente asegurado ({cite})."
                yield Finding(rule, Words(en, es), {"earlier_at": call.at.isoformat(), "code": call.code})
                return

    return check


# -- the laws ----------------------------------------------------------------------------------------------------------


def _elsewhere(rule: str, cite: str, *rules: Rule) -> tuple[Rule, ...]:
    """What holds outside Colombia: no revoked channel, no references, the person's wishes; and the law's own."""
    return (consent("CONSENT", cite, opt_in=False), references(f"{rule}-THIRD", cite), wishes, *rules)


_MX, _PE, _CL, _ES, _US, _UK = (
    "DOF 7-10-2014",
    "Ley 29571 art. 61 y 62",
    "Ley 19.496 art. 37",
    "TRLGDCU art. 96.2",
    "12 CFR 1006",
    "Ofcom, persistent misuse, 2016",
)

#: Rules by the id of the profile that a contact was made under.
LAWS: Mapping[str, tuple[Rule, ...]] = {
    "co-ley2300": (*_CO_ALWAYS, co_channels, co_days),
    "co-estricto": (*_CO_ALWAYS, co_strict),
    "mx": _elsewhere("MX", _MX, hours("MX-HOURS", _MX, week((7, 22), (7, 22), (7, 22)))),
    "mx-estricto": _elsewhere("MX", _MX, hours("MX-HOURS", _MX, week((7, 22), None, None), country="MX")),
    "pe": _elsewhere(
        "PE",
        _PE,
        hours("PE-HOURS", _PE, week((7, 20), None, None), country="PE"),
        consent("PE-COMMERCIAL", "Ley 32323", opt_in=True, purposes={"commercial"}),
    ),
    "cl": _elsewhere(
        "CL", _CL, hours("CL-HOURS", _CL, week((8, 20), (8, 20), None), country="CL"), cl_calls, cl_messages
    ),
    "ar": _elsewhere("AR", "Ley 24.240 art. 8 bis"),
    "es": _elsewhere("ES", _ES, hours("ES-HOURS", _ES, week((9, 21), None, None), country="ES")),
    "br": _elsewhere("BR", "CDC art. 42"),
    "us-regf": _elsewhere(
        "US", _US, hours("US-REGF-TIME", _US, week((8, 21), (8, 21), (8, 21))), us_seven, us_conversation
    ),
    "us-tsr": _elsewhere("US", "16 CFR 310.4"),
    "uk": _elsewhere(
        "UK",
        _UK,
        uk_again("UK-72H", _UK, frozenset({"ABN", "ABM"}), timedelta(hours=72)),
        uk_again("UK-24H", _UK, frozenset({"AMD"}), timedelta(hours=24)),
    ),
}


# -- what holds under every law ----------------------------------------------------------------------------------------


def excluded(case: Case, register: str) -> Iterator[datetime]:
    """Since when a register shuts this contact out."""
    contact = case.contact
    for row in case.dossier.exclusions:
        if (
            row.register == register
            and row.at <= case.known
            and (row.until is None or case.at < row.until)
            and (row.phone is None or row.phone == contact.phone)
            and (not row.channels or contact.channel in row.channels)
            and (not row.purposes or contact.purpose in row.purposes)
        ):
            yield row.at


def _zones(case: Case) -> Iterator[Finding]:
    unknown = [zone for zone in case.dossier.zones if zone_of(zone) is None]
    if unknown or not case.dossier.zones:
        yield Finding(
            "ZONE",
            Words("Nobody knows the person's time zone.", "No se conoce la zona horaria de la persona."),
            {"unknown": unknown},
        )


def _blocks(case: Case) -> Iterator[Finding]:
    for block in case.dossier.blocked:
        if block.at <= case.known and (block.lifted_at is None or case.at < block.lifted_at):
            yield Finding(
                "BLOCKED",
                Words(f"The person was blocked ({block.code}).", f"La persona estaba bloqueada ({block.code})."),
                {"code": block.code, "blocked_at": block.at.isoformat()},
            )
            return


def _house_list(case: Case) -> Iterator[Finding]:
    for listed in excluded(case, "house"):
        yield Finding(
            "EXCLUDED",
            Words("On the list of those who may not be contacted.", "En la lista de excluidos."),
            {"listed_at": listed.isoformat()},
        )
        return


def _paid(case: Case) -> Iterator[Finding]:
    """Nothing was overdue on any of the debts that the contact was about."""
    debts = case.debts
    if case.contact.purpose not in ("collection", "reminder") or not debts:
        return
    cleared = []
    for debt in debts:
        paid = [
            payment.at
            for payment in case.dossier.payments
            if payment.clears
            and payment.debt == debt.id
            and payment.at <= case.known
            and not (debt.since is not None and payment.at < debt.since <= case.at)
        ]
        if not paid:
            return
        cleared.append(max(paid))
    yield Finding(
        "PAID",
        Words("All that the contact was about had been paid.", "Todo lo que trataba el contacto estaba pagado."),
        {"paid_at": max(cleared).isoformat()},
    )


def _overlap(case: Case) -> Iterator[Finding]:
    """Two conversations with one person at once; what was asked for may be sent while one goes on."""
    contact = case.contact
    if contact.requested and contact.channel not in (VOICE, VISIT):
        return
    for other in case.earlier:
        lasting = other.channel in (VOICE, VISIT)
        if (lasting and other.ended_at is None) or (other.ended_at is not None and case.at < other.ended_at):
            en = "Another contact with the person was under way."
            yield after("OVERLAP", en, "Otro contacto con la persona estaba en curso.", other)
            return


def _caps(case: Case) -> Iterator[Finding]:
    """The house's caps over one and over seven local dates, per person and channel; what was not charged is none."""
    contact = case.contact
    tried = [
        other
        for other in case.within(9 * DAY)
        if other.channel == contact.channel and not other.inbound and other.charged
    ]
    for key, rule, days in (("attempts_per_day", "HOUSE-DAY", 1), ("attempts_per_week", "HOUSE-WEEK", 7)):
        cap = contact.limits.get(key)
        if cap is None:
            continue
        before = sum(1 for other in tried if dates_apart(case, other) < days)
        if before >= cap:
            yield Finding(
                rule,
                Words(
                    f"Attempt {before + 1} over {days} local dates, where the house allows {cap}.",
                    f"Intento {before + 1} en {days} fechas locales, donde la casa permite {cap}.",
                ),
                {"before": before, "cap": cap, "days": days},
            )


def _profiles(case: Case) -> Iterator[Finding]:
    unknown = [name for name in case.contact.profiles if name not in LAWS]
    if unknown or not case.contact.profiles:
        named = ", ".join(unknown) or "-"
        yield Finding(
            "PROFILE", Words(f"Unknown profile: {named}.", f"Perfil desconocido: {named}."), {"unknown": unknown}
        )


#: Judged of every contact, whatever profiles it names.
ALWAYS: tuple[Rule, ...] = (_profiles, _zones, _blocks, _house_list, _paid, _overlap, _caps)
