"""The laws, each as the few rules that one contact can break; written from the articles, not from the profiles.

A law is a tuple of rules. A rule looks at one contact with all that was known and all contacts before it, and yields
what it finds; nothing found is lawful. Where a law can be read in two ways, the reading is named beside the rule.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

from cadencia.errors import Words
from cadencia.recheck.dossier import Contact, Debt, Dossier, Preference
from cadencia.recheck.festivities import is_holiday

_DAY = timedelta(days=1)
_WEEK = timedelta(hours=168)

VOICE, VISIT = "voice", "visit"
TWO_WAY, CONNECTED, RANG = 3, 2, 1


@dataclass(frozen=True, slots=True)
class Finding:
    """What a rule found against a contact: its id, the words, and the facts it rests on."""

    rule: str
    what: Words
    facts: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Case:
    """One contact to judge.

    Attributes:
        earlier: the person's contacts before it, oldest first, inbound ones too.
        known: what was recorded up to here could stop the contact.
    """

    dossier: Dossier
    contact: Contact
    earlier: tuple[Contact, ...]
    known: datetime

    @property
    def at(self) -> datetime:
        return self.contact.at

    @property
    def debts(self) -> tuple[Debt, ...]:
        """The debts the contact is about; all of the person's if none is named."""
        about = self.contact.debts
        return tuple(debt for debt in self.dossier.debts if not about or debt.id in about)

    def shares_debt(self, other: Contact) -> bool:
        """Whether an earlier contact was about one of the same debts; one without debts was about all."""
        return not self.contact.debts or not other.debts or bool(self.contact.debts & other.debts)

    def within(self, span: timedelta) -> Iterator[Contact]:
        """Earlier contacts less than `span` ago, the newest first."""
        for other in reversed(self.earlier):
            if self.at - other.at >= span:
                return
            yield other


Rule = Callable[[Case], Iterator[Finding]]


# -- time where the person lives ---------------------------------------------------------------------------------------


@lru_cache(maxsize=512)
def zone_of(name: str) -> ZoneInfo | None:
    """The zone of an IANA name; None if there is none."""
    try:
        return ZoneInfo(name)
    except (KeyError, OSError, ValueError):
        return None


def local(at: datetime, zone: str) -> datetime:
    """Wall time in a zone; a zone that does not exist is UTC (and a finding of its own)."""
    return at.astimezone(zone_of(zone) or UTC)


def dates_apart(case: Case, other: Contact, more: tuple[str, ...] = ()) -> int:
    """How many local dates lie between two contacts, in the zone where they are fewest."""
    zones = {*case.dossier.zones, *more} or {"UTC"}
    return min((local(case.at, zone).date() - local(other.at, zone).date()).days for zone in zones)


def monday_of(at: datetime, zone: str) -> date:
    """The Monday of the calendar week."""
    day = local(at, zone).date()
    return day - timedelta(days=day.weekday())


def same_week(case: Case, other: Contact) -> bool:
    """In one calendar week in any zone the person may be in."""
    zones = case.dossier.zones or ("UTC",)
    return any(monday_of(case.at, zone) == monday_of(other.at, zone) for zone in zones)


def _hm(hour: int, minute: int = 0) -> int:
    return 60 * hour + minute


#: Of each weekday the open times in minutes, Monday first.
Week = tuple[tuple[tuple[int, int], ...], ...]


def week(weekday: tuple[int, int], saturday: tuple[int, int] | None, sunday: tuple[int, int] | None) -> Week:
    """Opening hours, in whole hours."""
    days = [weekday] * 5 + [saturday, sunday]
    return tuple(((_hm(day[0]), _hm(day[1])),) if day else () for day in days)


def _instant_of(day: date, minute: int, zone: str) -> datetime:
    days, rest = divmod(minute, 1440)
    wall = datetime(day.year, day.month, day.day, rest // 60, rest % 60, tzinfo=zone_of(zone) or UTC)
    return wall + timedelta(days=days)


def shut(hours: Week, at: datetime, zone: str, ring_s: float) -> str:
    """Why the hours are not kept in a zone: "closed", "ring" (it rang past the end); empty if they are."""
    there = local(at, zone)
    for start, end in hours[there.weekday()]:
        if _instant_of(there.date(), start, zone) <= at < _instant_of(there.date(), end, zone):
            over = at + timedelta(seconds=ring_s) > _instant_of(there.date(), end, zone)
            return "ring" if over else ""
    return "closed"


# -- kinds of rules ----------------------------------------------------------------------------------------------------

_SHUT = {
    "closed": ("outside the hours", "fuera del horario"),
    "ring": ("rang past the end of the hours", "timbró más allá del cierre del horario"),
    "holiday": ("on a holiday", "en un festivo"),
}


def preference(case: Case, after_contract: bool) -> Preference | None:
    """The newest preference for the channel; of those before the contract none counts where a law says so."""
    signed = case.dossier.contract_signed_at
    found = [
        wish
        for wish in case.dossier.preferences
        if wish.recorded_at <= case.known
        and wish.at <= case.at
        and (not wish.channels or case.contact.channel in wish.channels)
        and not (after_contract and (signed is None or wish.at <= signed))
    ]
    return max(found, key=lambda wish: (wish.at, wish.recorded_at), default=None)


def hours(
    rule: str,
    cite: str,
    open_hours: Week,
    country: str = "",
    fixed: tuple[str, ...] = (),
    exempt: Collection[str] = (),
    extends: str = "",
) -> Rule:
    """Opening hours in every zone the person may be in and in the fixed ones.

    Args:
        country: whose holidays are closed; empty: none.
        extends: the rule by which a person's preference, given after the contract, takes the place of the hours.
    """

    def check(case: Case) -> Iterator[Finding]:
        if _exempt(case, exempt):
            return
        wish = preference(case, after_contract=True) if extends else None
        kept, name = (open_hours, rule) if wish is None else (wish.weekly, extends)
        for zone in dict.fromkeys((*case.dossier.zones, *fixed)):
            there = local(case.at, zone)
            why = "holiday" if is_holiday(country, there.date()) else ""
            if not why and (wish is None or zone in case.dossier.zones):
                why = shut(kept, case.at, zone, case.contact.ring_s)
            if why:
                en, es = _SHUT[why]
                yield Finding(
                    rule if why == "holiday" else name,
                    Words(f"It was {en} in {zone} ({cite}).", f"Fue {es} en {zone} ({cite})."),
                    {"local": there.isoformat(), "zone": zone, "ring_s": case.contact.ring_s, "why": why},
                )
                return

    return check


def wishes(case: Case) -> Iterator[Finding]:
    """A person's preference narrows the hours, unless the person asked for this very contact."""
    wish = preference(case, after_contract=False)
    if wish is None or case.contact.requested:
        return
    for zone in case.dossier.zones:
        if shut(wish.weekly, case.at, zone, case.contact.ring_s):
            yield Finding(
                "PREFERENCE",
                Words(
                    f"It was outside the hours that the person asked for, in {zone}.",
                    f"Fue fuera del horario que la persona pidió, en {zone}.",
                ),
                {"local": local(case.at, zone).isoformat(), "zone": zone, "asked_at": wish.at.isoformat()},
            )
            return


def consent(rule: str, cite: str, opt_in: bool, purposes: Collection[str] = ()) -> Rule:
    """A channel needs a grant that stands (opt-in), or no revocation that stands (opt-out).

    A grant stands from when it was given and recorded until it ends, or until a revocation for the channel and purpose.
    """

    def check(case: Case) -> Iterator[Finding]:
        contact = case.contact
        if purposes and contact.purpose not in purposes:
            return
        lines = [
            line
            for line in case.dossier.consents
            if line.at <= case.at
            and line.recorded_at <= (case.at if line.granted else case.known)
            and line.channel in (None, contact.channel)
            and line.purpose in (None, contact.purpose)
        ]
        revoked = max((line.at for line in lines if not line.granted), default=None)
        standing = [
            line
            for line in lines
            if line.granted and (line.until is None or case.at < line.until) and (revoked is None or revoked < line.at)
        ]
        if standing or (not opt_in and revoked is None):
            return
        en, es = ("no authorisation", "sin autorización") if revoked is None else ("a revocation", "con revocación")
        yield Finding(
            rule,
            Words(
                f"There was {en} for {contact.channel} and {contact.purpose} ({cite}).",
                f"Se contactó {es} para {contact.channel} y {contact.purpose} ({cite}).",
            ),
            {"revoked_at": None if revoked is None else revoked.isoformat()},
        )

    return check


def references(rule: str, cite: str) -> Rule:
    """Neither a telephone of a personal reference nor a person who is only that in the debt."""

    def check(case: Case) -> Iterator[Finding]:
        roles = {debt.role for debt in case.debts}
        if case.contact.phone_role == "referencia" or "referencia" in roles:
            yield Finding(
                rule,
                Words(f"A personal reference was contacted ({cite}).", f"Se contactó a una referencia ({cite})."),
                {"phone_role": case.contact.phone_role, "roles": sorted(roles)},
            )

    return check


def _exempt(case: Case, purposes: Collection[str]) -> bool:
    """Whether the contact is for an exempt purpose; what was asked for needs somebody who asked."""
    contact = case.contact
    return contact.purpose in purposes and (contact.purpose != "requested_info" or contact.requested)


def _after(rule: str, en: str, es: str, other: Contact, **facts: Any) -> Finding:
    return Finding(rule, Words(en, es), {"earlier": other.id, "earlier_at": other.at.isoformat(), **facts})


# -- Colombia ----------------------------------------------------------------------------------------------------------

_BOGOTA = "America/Bogota"
_CO_HOURS = week((7, 19), (8, 15), None)
#: Confirming an operation, information that was asked for, fraud: the exceptions reported of Ley 2300.
_CO_EXEMPT = frozenset({"requested_info", "operation", "fraud_alert"})


def co_channels(case: Case) -> Iterator[Finding]:
    """CO-4, Ley 2300/2023 art. 3: after direct contact no other channel for a week, read as any 168 hours."""
    if _exempt(case, _CO_EXEMPT):
        return
    for other in case.within(_WEEK):
        if other.reach >= TWO_WAY and other.purpose not in _CO_EXEMPT and other.channel != case.contact.channel:
            en = f"Another channel than {other.channel} in the week after direct contact (Ley 2300/2023 art. 3)."
            es = f"Otro canal que {other.channel} en la semana tras el contacto directo (Ley 2300/2023 art. 3)."
            yield _after("CO-4", en, es, other, channel=other.channel)
            return


def co_days(case: Case) -> Iterator[Finding]:
    """CO-5, Ley 2300/2023 art. 3: not again on the day of direct contact; the day here or where the person lives."""
    if _exempt(case, _CO_EXEMPT):
        return
    for other in case.within(3 * _DAY):
        spoke = other.reach >= TWO_WAY and other.purpose not in _CO_EXEMPT
        if spoke and dates_apart(case, other, (_BOGOTA,)) == 0:
            en = "Again on the day of direct contact (Ley 2300/2023 art. 3)."
            yield _after("CO-5", en, "Otra vez el día del contacto directo (Ley 2300/2023 art. 3).", other)
            return


def co_strict(case: Case) -> Iterator[Finding]:
    """CO-6, the strict reading: one two-way contact in any 168 hours, and any attempt of ours is a contact."""
    if _exempt(case, _CO_EXEMPT):
        return
    for other in case.within(_WEEK):
        if other.purpose in _CO_EXEMPT:
            continue
        ours = not other.inbound and other.charged
        again = ours and (other.channel != case.contact.channel or dates_apart(case, other, (_BOGOTA,)) == 0)
        if other.reach >= TWO_WAY or again:
            en = "Again too soon after a contact, in the strict reading (Ley 2300/2023 art. 3)."
            es = "Otra vez demasiado pronto tras un contacto, en la lectura estricta (Ley 2300/2023 art. 3)."
            yield _after("CO-6", en, es, other, reach=other.reach)
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
    for other in case.within(_WEEK):
        spoken = other.channel == VISIT or (other.channel == VOICE and other.reach >= CONNECTED)
        if spoken and not other.inbound and same_week(case, other):
            en = "A second call or visit in a week (Ley 19.496 art. 37)."
            yield _after("CL-CALLS", en, "Segunda llamada o visita en la semana (Ley 19.496 art. 37).", other)
            return


def cl_messages(case: Case) -> Iterator[Finding]:
    """Ley 19.496 art. 37: over other channels two a week, two days (48 h) between them; read as delivered."""
    if case.contact.channel in (VOICE, VISIT):
        return
    sent = [
        other
        for other in case.within(_WEEK)
        if other.channel not in (VOICE, VISIT) and other.reach >= RANG and not other.inbound
    ]
    if sent and case.at - sent[0].at < 2 * _DAY:
        en = "Less than two days after the last message (Ley 19.496 art. 37)."
        es = "Menos de dos días tras el último mensaje (Ley 19.496 art. 37)."
        yield _after("CL-GAP", en, es, sent[0])
    in_week = [other for other in sent if same_week(case, other)]
    if len(in_week) >= 2:
        en = "A third message in a week (Ley 19.496 art. 37)."
        yield _after("CL-MESSAGES", en, "Tercer mensaje en la semana (Ley 19.496 art. 37).", in_week[0])


#: Not connected to the dialled number: 12 CFR 1006.14(b)(3)(iii).
_US_NOT_PLACED = frozenset({"OCU", "FDS"})


def us_seven(case: Case) -> Iterator[Finding]:
    """12 CFR 1006.14(b)(2)(i)(A): seven calls in seven consecutive days per debt, today being the seventh."""
    if case.contact.channel != VOICE or case.contact.requested:
        return
    placed = [
        other
        for other in case.within(9 * _DAY)
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
            yield _after("US-REGF-FREQ", en, es, calls[0], debt=debt, before=len(calls))
            return


def us_conversation(case: Case) -> Iterator[Finding]:
    """12 CFR 1006.14(b)(2)(i)(B): no call for seven days after a conversation about the debt, its day the first."""
    if case.contact.channel != VOICE or case.contact.requested:
        return
    for other in case.within(9 * _DAY):
        spoke = other.channel == VOICE and other.reach >= TWO_WAY
        if spoke and case.shares_debt(other) and dates_apart(case, other) <= 6:
            en = "Within seven days of a conversation about the debt (12 CFR 1006.14(b)(2))."
            es = "Dentro de los siete días de una conversación sobre la deuda (12 CFR 1006.14(b)(2))."
            yield _after("US-REGF-TALK", en, es, other)
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
                yield _after(rule, en, f"Se remarcó el número demasiado pronto sin agente asegurado ({cite}).", other)
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
            yield _after("OVERLAP", en, "Otro contacto con la persona estaba en curso.", other)
            return


def _caps(case: Case) -> Iterator[Finding]:
    """The house's caps over one and over seven local dates, per person and channel; what was not charged is none."""
    contact = case.contact
    tried = [
        other
        for other in case.within(9 * _DAY)
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
