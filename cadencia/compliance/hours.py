"""When contacts may happen: the hours of all profiles, in all zones a person may be in, laid over each other.

Intervals are half-open: at the closing second itself nobody may be contacted. Where clocks change, an hour that exists
twice is taken as the shorter window and one that does not exist closes what depends on it. All instants are UTC.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from cadencia.compliance.calendar import is_closed
from cadencia.domain.codes import Denial
from cadencia.domain.law import Calendar, Hours, Intervals, Preference

BOGOTA = ZoneInfo("America/Bogota")

#: Stands in `Hours.zones` for wherever the person may be.
DEBTOR = "debtor"

#: How far ahead the next opening is looked for.
HORIZON_DAYS = 400

_DAY = timedelta(days=1)
_SUNDAY = 6

#: An interval of instants, [opens, closes).
Span = tuple[datetime, datetime]


@lru_cache(maxsize=1024)
def zone(name: str) -> ZoneInfo | None:
    """The zone of that IANA name, None if there is none."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return None


@lru_cache(maxsize=4096)
def day_start(day: date, where: ZoneInfo) -> datetime:
    """The first instant of a local date. A midnight that does not exist is the instant the clocks jump at."""
    return datetime.combine(day, time(), where).astimezone(UTC)


class _Table:
    """One weekly table in one zone.

    Args:
        weekly: None leaves the whole week open.
        calendar: closes whole dates.
    """

    def __init__(
        self,
        weekly: tuple[Intervals, ...] | None,
        where: ZoneInfo,
        calendar: Calendar | None,
        rule: str,
        closed_as: Denial = Denial.HOURS,
    ) -> None:
        self.weekly, self.where, self.calendar, self.rule, self._closed_as = weekly, where, calendar, rule, closed_as
        self._days: dict[date, tuple[tuple[Span, ...], Denial]] = {}

    def day(self, day: date) -> tuple[tuple[Span, ...], Denial]:
        """What is open on a local date, and why the rest of it is not."""
        known = self._days.get(day)
        if known is None:
            known = self._days[day] = self._work_out(day)
        return known

    def _work_out(self, day: date) -> tuple[tuple[Span, ...], Denial]:
        if self.calendar is not None and is_closed(self.calendar, day):
            return (), Denial.HOLIDAY
        if self.weekly is None:
            return ((day_start(day, self.where), day_start(day + _DAY, self.where)),), self._closed_as
        intervals = self.weekly[day.weekday()]
        spans = (
            (_instant(day, a, self.where, last=True), _instant(day, b, self.where, last=False)) for a, b in intervals
        )
        sunday = self._closed_as is Denial.HOURS and not intervals and day.weekday() == _SUNDAY
        return tuple(s for s in spans if s[0] < s[1]), Denial.HOLIDAY if sunday else self._closed_as

    def closed(self, at: datetime) -> Denial | None:
        """Why it is closed at an instant, None if it is open."""
        spans, why = self.day(at.astimezone(self.where).date())
        return None if any(opens <= at < closes for opens, closes in spans) else why


def _instant(day: date, minute: int, where: ZoneInfo, *, last: bool) -> datetime:
    """That minute of the local date; of the two instants an ambiguous or missing time stands for, the later or the
    earlier one."""
    midnight = datetime.combine(day, time(), where)
    wall = midnight + timedelta(minutes=minute)  # wall-clock arithmetic: the hour on the wall, whatever the offset
    both = (wall.replace(fold=0).astimezone(UTC), wall.replace(fold=1).astimezone(UTC))
    return max(both) if last else min(both)


class Opening:
    """The hours that hold for one kind of contact with somebody in certain zones.

    Args:
        hours: of each profile, with the name of its rule.
        zones: where the person may be.
        preference: the person's own, where one counts.
        extends: whether the preference may replace the hours that let it.
    """

    def __init__(
        self,
        hours: Iterable[tuple[str, Hours]],
        zones: tuple[ZoneInfo, ...],
        preference: Preference | None = None,
        *,
        extends: bool = False,
    ) -> None:
        self.tables: list[_Table] = []
        margin_s = 0.0
        for rule, h in hours:
            margin_s = max(margin_s, h.margin_s)
            weekly = None if preference is not None and extends and h.preference_extends else h.weekly
            for where in dict.fromkeys(w for name in h.zones for w in _expand(name, zones)):
                self.tables.append(_Table(weekly, where, h.calendar, rule))
        if preference is not None:
            own = preference.weekly
            self.tables += [_Table(own, where, None, "preference", Denial.PREFERENCE) for where in zones]
        self.margin = timedelta(seconds=margin_s)
        self._days: dict[date, tuple[tuple[datetime, ...], tuple[datetime, ...]]] = {}

    def holds(self, at: datetime, lasts: timedelta) -> bool:
        """Whether a contact that begins now and may last so long lies within the hours."""
        opens, closes = self._of(at.date())
        n = bisect_right(opens, at) - 1
        return n >= 0 and at < closes[n] and at + lasts + self.margin <= closes[n]

    def why_not(self, at: datetime) -> tuple[Denial, str]:
        """Why such a contact does not: the code, and the rule."""
        shut = [(code, table.rule) for table in self.tables if (code := table.closed(at)) is not None]
        for wanted in (Denial.HOLIDAY, Denial.HOURS, Denial.PREFERENCE):
            for code, rule in shut:
                if code is wanted:
                    return code, rule
        return Denial.MARGIN, self.tables[0].rule if self.tables else ""

    def next(self, at: datetime, lasts: timedelta) -> datetime | None:
        """The first instant from `at` on at which such a contact lies within the hours; None within no horizon."""
        lasts += self.margin
        for n in range(HORIZON_DAYS):
            for opens, closes in zip(*self._of(at.date() + n * _DAY), strict=True):
                begins = max(at, opens)
                if begins < closes and begins + lasts <= closes:
                    return begins
        return None

    def window(self, at: datetime) -> Span | None:
        """The open span an instant lies in."""
        opens, closes = self._of(at.date())
        n = bisect_right(opens, at) - 1
        return (opens[n], closes[n]) if n >= 0 and at < closes[n] else None

    def left_s(self, at: datetime) -> float:
        """Seconds of lawful time from an instant to the end of the local date, in the first zone of the hours."""
        where = self.tables[0].where if self.tables else BOGOTA
        end = day_start(at.astimezone(where).date() + _DAY, where)
        left_s, counted = 0.0, at
        for opens, closes in sorted(
            span for day in (at.date(), end.date()) for span in zip(*self._of(day), strict=True)
        ):
            since, until = max(counted, opens), min(end, closes)
            if since < until:  # what is open for days is cut otherwise on each date
                left_s += (until - since).total_seconds()
                counted = until
        return left_s

    def _of(self, day: date) -> tuple[tuple[datetime, ...], tuple[datetime, ...]]:
        """The spans that touch a UTC date, as their openings and closings."""
        known = self._days.get(day)
        if known is None:
            begins = datetime.combine(day, time(), UTC)
            spans: list[Span] = [(begins - 2 * _DAY, begins + 3 * _DAY)]
            for table in self.tables:
                spans = _both(spans, _joined(table, day))
            spans = [s for s in spans if s[1] > begins and s[0] < begins + _DAY]
            known = self._days[day] = tuple(s[0] for s in spans), tuple(s[1] for s in spans)
        return known


def _expand(name: str, zones: tuple[ZoneInfo, ...]) -> tuple[ZoneInfo, ...]:
    if name == DEBTOR:
        return zones
    fixed = zone(name)
    if fixed is None:
        raise LookupError(f"no time zone {name!r}")  # profiles are checked when they are loaded
    return (fixed,)


def _joined(table: _Table, day: date) -> list[Span]:
    """A table's spans around a UTC date; what touches is one."""
    joined: list[Span] = []
    for n in range(-2, 3):
        for opens, closes in table.day(day + n * _DAY)[0]:
            if joined and opens <= joined[-1][1]:
                joined[-1] = joined[-1][0], max(closes, joined[-1][1])
            else:
                joined.append((opens, closes))
    return joined


def _both(one: list[Span], other: list[Span]) -> list[Span]:
    """What two sorted lists of spans have in common."""
    found: list[Span] = []
    i = j = 0
    while i < len(one) and j < len(other):
        opens, closes = max(one[i][0], other[j][0]), min(one[i][1], other[j][1])
        if opens < closes:
            found.append((opens, closes))
        if one[i][1] < other[j][1]:
            i += 1
        else:
            j += 1
    return found
