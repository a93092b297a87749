"""What rules of law are made of: a case, the time where the person lives, and the kinds of rules that laws share."""

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

DAY = timedelta(days=1)
WEEK = timedelta(hours=168)

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
        if exempted(case, exempt):
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


def exempted(case: Case, purposes: Collection[str]) -> bool:
    """Whether the contact is for an exempt purpose; what was asked for needs somebody who asked."""
    contact = case.contact
    return contact.purpose in purposes and (contact.purpose != "requested_info" or contact.requested)


def after(rule: str, en: str, es: str, other: Contact, **facts: Any) -> Finding:
    return Finding(rule, Words(en, es), {"earlier": other.id, "earlier_at": other.at.isoformat(), **facts})
