"""On which dates a calendar is closed, and days counted in business days.

Sundays are no holidays here: the hours of a profile close them.
"""

from __future__ import annotations

from datetime import date, timedelta
from functools import lru_cache

import holidays

from cadencia.domain.law import Calendar, DateRule, HolidayRule

_SATURDAY = 5


@lru_cache(maxsize=512)
def closed_dates(calendar: Calendar, year: int) -> frozenset[date]:
    """The dates of a year on which the calendar is closed.

    Raises:
        ValueError: the `holidays` package knows no such country, or not this part of it.
    """
    found = set(calendar.added)
    for of in (year - 1, year):  # the last days of a year may be moved into the next one
        found |= {_date(rule, of) for rule in calendar.rules if rule.from_year <= of <= rule.until_year}
    if calendar.country:
        found |= _package(calendar.country, year)
    return frozenset(day for day in found - calendar.removed if day.year == year)


def is_closed(calendar: Calendar, day: date) -> bool:
    """Whether the calendar is closed on that date."""
    return day in closed_dates(calendar, day.year)


def add_business_days(start: date, n: int, calendar: Calendar) -> date:
    """The n-th business day after a date, as terms of law are counted: the day itself is none of them.

    Business days are Monday to Friday without the calendar's dates. With n = 0 it is the date itself if that is one,
    else the next one.

    Raises:
        ValueError: n is negative.
    """
    if n < 0:
        raise ValueError("a term cannot be negative")
    day = start
    while n == 0 and not _is_business(day, calendar):
        day += timedelta(days=1)
    for _ in range(n):
        day += timedelta(days=1)
        while not _is_business(day, calendar):
            day += timedelta(days=1)
    return day


def business_days(start: date, end: date, calendar: Calendar) -> int:
    """Business days after a date up to another one, which counts; negative where that one lies before."""
    if end < start:
        return -business_days(end, start, calendar)
    days = (start + timedelta(days=n + 1) for n in range((end - start).days))
    return sum(_is_business(day, calendar) for day in days)


@lru_cache(maxsize=512)
def easter(year: int) -> date:
    """Easter Sunday of the Gregorian calendar.

    The rule without exceptions of an anonymous correspondent of Nature (20 April 1876) and of Butcher's Ecclesiastical
    Calendar (1876), as J. Meeus gives it: Astronomical Algorithms, 2nd ed. (1998), chapter 8.
    """
    a, (b, c) = year % 19, divmod(year, 100)
    d, e = divmod(b, 4)
    g = (8 * b + 13) // 25
    h = (19 * a + b - d - g + 15) % 30
    i, k = divmod(c, 4)
    l = (32 + 2 * e + 2 * i - h - k) % 7  # noqa: E741 - the letters are Meeus'
    m = (a + 11 * h + 22 * l) // 451
    month, day = divmod(h + l - 7 * m + 114, 31)
    return date(year, month, day + 1)


def _date(rule: HolidayRule, year: int) -> date:
    if rule.rule is DateRule.EASTER:
        return easter(year) + timedelta(days=rule.offset)
    day = date(year, rule.month, rule.day)
    # Colombia: Ley 51 of 1983, article 1. "Moved to the Monday after, unless it is one."
    return day + timedelta(days=-day.weekday() % 7) if rule.rule is DateRule.MONDAY else day


def _package(code: str, year: int) -> frozenset[date]:
    country, _, part = code.partition("-")
    try:
        return frozenset(holidays.country_holidays(country, subdiv=part or None, years=year))
    except NotImplementedError as error:
        raise ValueError(f"no holidays are known of {code}") from error


def _is_business(day: date, calendar: Calendar) -> bool:
    return day.weekday() < _SATURDAY and not is_closed(calendar, day)
