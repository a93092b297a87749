"""On which dates nobody is to be contacted, country by country.

Colombia's are computed here, because a law of 2026 added one and no library is to be trusted with that alone; the
other countries' come from the `holidays` package.
"""

from __future__ import annotations

from datetime import date, timedelta
from functools import lru_cache

import holidays

#: Ley 51 of 1983, art. 1, and Ley 2578 of 2026, art. 6: (month, day, first year).
_ON_THE_DAY = ((1, 1), (5, 1), (7, 20), (8, 7), (12, 8), (12, 25))
_ON_A_MONDAY = ((1, 6), (3, 19), (6, 29), (8, 15), (10, 12), (11, 1), (11, 11))
_ON_A_MONDAY_SINCE_2026 = (7, 9)
_FROM_EASTER = (-3, -2, 43, 64, 71)


def easter(year: int) -> date:
    """Easter Sunday by Gauss's rule, 1900 to 2099."""
    moon = (19 * (year % 19) + 24) % 30
    sunday = (2 * (year % 4) + 4 * (year % 7) + 6 * moon + 5) % 7
    days = moon + sunday
    if days == 35 or (days == 34 and moon == 28 and year % 19 > 10):
        days -= 7
    return date(year, 3, 22) + timedelta(days=days)


@lru_cache(maxsize=64)
def of_colombia(year: int) -> frozenset[date]:
    """The national holidays of a year."""
    moved = [*_ON_A_MONDAY, *([_ON_A_MONDAY_SINCE_2026] if year >= 2026 else [])]
    days = {date(year, month, day) for month, day in _ON_THE_DAY}
    for month, day in moved:
        named = date(year, month, day)
        days.add(named + timedelta(days=-named.weekday() % 7))
    sunday = easter(year)
    return frozenset(days | {sunday + timedelta(days=offset) for offset in _FROM_EASTER})


@lru_cache(maxsize=256)
def _of_library(country: str, year: int) -> frozenset[date]:
    return frozenset(holidays.country_holidays(country, years=year))


def is_holiday(country: str, day: date) -> bool:
    """Whether a date is a national holiday of the country ("CO", "MX" and so on); False of "" (no holidays known)."""
    if not country:
        return False
    return day in (of_colombia(day.year) if country == "CO" else _of_library(country, day.year))
