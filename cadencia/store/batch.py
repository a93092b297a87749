"""What both adapters work out in the same way before they touch what is kept."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from cadencia.domain.dialing import CampaignSettings
from cadencia.domain.people import PersonIn, PhoneStatus, Role

#: Only these may be dialled.
DIALLABLE: frozenset[PhoneStatus] = frozenset({PhoneStatus.NEW, PhoneStatus.VERIFIED})

#: How many past contacts a debtor's file shows.
HISTORY = 10

#: The weekly counter looks at this many local dates.
WEEK_DAYS = 7

#: Since when an agent is out of whom nothing was ever written down.
NEVER = datetime(1970, 1, 1, tzinfo=UTC)


class LocalDates:
    """The local date of one instant in any time zone; each zone is worked out once."""

    def __init__(self, now: datetime) -> None:
        self._now = now
        self._known: dict[str, date] = {}

    def of(self, timezone: str) -> date:
        """The date there. A zone nobody knows counts as UTC: the judge denies such a person for missing data."""
        known = self._known.get(timezone)
        if known is None:
            known = self._known[timezone] = self._now.astimezone(_zone(timezone)).date()
        return known


def _zone(timezone: str) -> tzinfo:
    try:
        return ZoneInfo(timezone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return UTC


def merged(people: Sequence[PersonIn]) -> list[PersonIn]:
    """One entry a person: the last row tells the name and the like, phones and obligations are gathered."""
    seen: dict[tuple[str, str], PersonIn] = {}
    for person in people:
        key = (person.doc_type, person.doc_number)
        before = seen.get(key)
        phones = {p.e164: p for p in (*(before.phones if before else ()), *person.phones)}
        owed = {(o.creditor, o.number): o for o in (*(before.obligations if before else ()), *person.obligations)}
        seen[key] = replace(person, phones=tuple(phones.values()), obligations=tuple(owed.values()))
    return list(seen.values())


def priority(person: PersonIn) -> int | None:
    """Days past due of the worst obligation the person answers for; None for one who is only a reference."""
    owed = [o.days_past_due for o in person.obligations if o.role is not Role.REFERENCE]
    if not owed and person.obligations:
        return None
    return max(owed, default=0)


def changes(old: CampaignSettings, new: CampaignSettings) -> dict[str, list[object]]:
    """What differs, as the log's campaign.setting tells it: {name: [old, new]}."""
    names: Iterable[str] = CampaignSettings.__dataclass_fields__
    return {n: [getattr(old, n), getattr(new, n)] for n in names if getattr(old, n) != getattr(new, n)}
