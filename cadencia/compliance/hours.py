"""When a person may be called in Colombia.

Ley 2300 of 2023, article 3: Monday to Friday 07:00 to 19:00, Saturday 08:00 to 15:00, never on Sundays and holidays.
Intervals are half-open: at the closing second itself nobody may be called. Holidays include 9 July moved to Monday from
2026 on (Ley 2578 of 2026, article 6); the `holidays` package has it since 0.109.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import holidays

BOGOTA = ZoneInfo("America/Bogota")

_WEEKDAY = (time(7), time(19))
_SATURDAY = (time(8), time(15))

#: How far ahead the next opening is looked for.
_HORIZON_DAYS = 15


@dataclass(frozen=True)
class Window:
    """One local day's calling window, in UTC; `holiday` if the day has none because it is a Sunday or a holiday."""

    opens: datetime | None
    closes: datetime | None
    holiday: bool


@lru_cache(maxsize=8)
def _holidays(year: int) -> frozenset[date]:
    return frozenset(holidays.country_holidays("CO", years=year))


@lru_cache(maxsize=512)
def window(day: date, zone: ZoneInfo) -> Window:
    """The window of a local date in a zone."""
    if day.weekday() == 6 or day in _holidays(day.year):
        return Window(None, None, holiday=True)
    opens, closes = _SATURDAY if day.weekday() == 5 else _WEEKDAY
    return Window(
        datetime.combine(day, opens, zone).astimezone(ZoneInfo("UTC")),
        datetime.combine(day, closes, zone).astimezone(ZoneInfo("UTC")),
        holiday=False,
    )


@lru_cache(maxsize=256)
def zone(name: str) -> ZoneInfo | None:
    """The zone of that IANA name, None if there is none."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        return None


def is_open(now: datetime, until: datetime, zones: Iterable[ZoneInfo]) -> bool:
    """Whether every instant from `now` to `until` lies in the window of each zone."""
    for z in zones:
        w = window(now.astimezone(z).date(), z)
        if w.opens is None or w.closes is None or not (w.opens <= now and until <= w.closes and now < w.closes):
            return False
    return True


def next_opening(now: datetime, zones: tuple[ZoneInfo, ...]) -> datetime:
    """The first instant after `now` at which all zones are open (an empty intersection: the horizon's end)."""
    candidates = sorted(
        w.opens
        for z in zones
        for n in range(_HORIZON_DAYS)
        if (w := window(now.astimezone(z).date() + timedelta(days=n), z)).opens is not None and w.opens > now
    )
    for opens in candidates:
        if is_open(opens, opens, zones):
            return opens
    return now + timedelta(days=_HORIZON_DAYS)
