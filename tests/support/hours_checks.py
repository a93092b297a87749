"""What hours and calendars promise beside the gate's verdicts, each as a check for a copy of the code."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from cadencia.config.calendars import builtin_calendars
from cadencia.config.profiles import builtin
from cadencia.domain.codes import Denial
from cadencia.domain.law import Calendar, Channel, DateRule, HolidayRule, Hours, Preference, Profile, Purpose
from tests.support.gate_code import Code
from tests.support.law_vectors import every_day, hm, profile, weekdays

#: A Monday, 10:00 in Bogotá.
AT = datetime(2026, 3, 2, 15, 0, tzinfo=UTC)
BOGOTA, TOKYO = ZoneInfo("America/Bogota"), ZoneInfo("Asia/Tokyo")
NOTHING = timedelta()
SECOND = timedelta(seconds=1)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)

PROFILES = builtin()
CO = builtin_calendars()["co"]

Check = Callable[[Code], None]


def hours(code: Code, *profiles: Profile, zones: tuple[ZoneInfo, ...] = (BOGOTA,), **how: Any) -> Any:
    """The hours for a call to somebody there."""
    return code.stack.stack(profiles).opening(Channel.VOICE, Purpose.COLLECTION, zones, **how)


def built(*open_: tuple[int, int], **more: Any) -> Profile:
    """A profile that is open every day at these minutes."""
    return profile(hours=(Hours(every_day(*open_), **more),))


# -- hours -------------------------------------------------------------------------------------------------------------
def window(code: Code) -> None:
    opening = hours(code, PROFILES["co-ley2300"])
    opens, closes = datetime(2026, 3, 2, 12, tzinfo=UTC), datetime(2026, 3, 3, 0, tzinfo=UTC)
    assert opening.window(AT) == (opens, closes)
    assert opening.window(opens) == (opens, closes)
    assert opening.window(opens - SECOND) is None
    assert opening.window(closes) is None
    assert opening.window(closes - SECOND) == (opens, closes)


def left(code: Code) -> None:
    opening = hours(code, PROFILES["co-ley2300"])
    assert opening.left_s(AT) == 9 * 3600
    assert opening.left_s(datetime(2026, 3, 2, 5, tzinfo=UTC)) == 12 * 3600
    assert opening.left_s(datetime(2026, 3, 3, 0, tzinfo=UTC)) == 0
    assert opening.left_s(datetime(2026, 3, 8, 15, tzinfo=UTC)) == 0
    lunch = profile(hours=(Hours(weekdays((hm(8), hm(12)), (hm(14), hm(18)))),))
    split = hours(code, lunch)
    assert split.left_s(AT) == 6 * 3600
    assert split.left_s(AT + 3 * HOUR) == 4 * 3600


def lasts(code: Code) -> None:
    opening = hours(code, PROFILES["co-ley2300"])
    closes = datetime(2026, 3, 3, 0, tzinfo=UTC)
    ring = timedelta(seconds=30)
    assert opening.next(closes - ring, ring) == closes - ring
    assert opening.next(closes - ring + SECOND, ring) == datetime(2026, 3, 3, 12, tzinfo=UTC)
    assert opening.why_not(closes - SECOND)[0] is Denial.MARGIN
    assert opening.why_not(closes)[0] is Denial.HOURS
    assert opening.why_not(closes) == (Denial.HOURS, "co-ley2300:hours")


def never_open(code: Code) -> None:
    opening = hours(code, profile(hours=(Hours(weekdays()),)))
    assert opening.next(AT, NOTHING) is None
    assert opening.window(AT) is None


def round_the_clock(code: Code) -> None:
    """A day that ends where the next one begins is no end."""
    opening = hours(code, built((0, 1440)))
    midnight = datetime(2026, 3, 3, 5, tzinfo=UTC)
    assert opening.holds(midnight - SECOND, timedelta(seconds=30))
    assert opening.holds(midnight, NOTHING)
    assert opening.left_s(AT) == 14 * 3600
    nothing = hours(code, profile(hours=()))
    assert nothing.holds(AT, timedelta(hours=20))
    assert nothing.left_s(AT) == 14 * 3600
    # What never closes is told as the five days around, in the zone of its table.
    began = AT.replace(hour=0)
    assert nothing.window(AT) == (began - 2 * DAY, began + 3 * DAY)
    assert opening.window(AT) == (began - 2 * DAY + 5 * HOUR, began + 3 * DAY)
    assert hours(code, built((0, 1440)), zones=(TOKYO,)).window(AT) == (began - 2 * DAY, began + 3 * DAY - 9 * HOUR)


def edges(code: Code) -> None:
    """An hour that exists twice is the shorter window; a wish alone keeps its end; Saturday's closing is closed."""
    laid = hours(code, PROFILES["co-ley2300"])
    assert laid.window(datetime(2026, 3, 7, 20, tzinfo=UTC)) is None
    york = (ZoneInfo("America/New_York"),)
    after = hours(code, built((90, 600)), zones=york)
    assert not after.holds(datetime(2026, 11, 1, 5, 45, tzinfo=UTC), NOTHING)
    assert after.holds(datetime(2026, 11, 1, 6, 30, tzinfo=UTC), NOTHING)
    before = hours(code, built((0, 90)), zones=york)
    assert before.holds(datetime(2026, 11, 1, 5, 29, tzinfo=UTC), NOTHING)
    assert not before.holds(datetime(2026, 11, 1, 5, 30, tzinfo=UTC), NOTHING)
    wish = Preference(1, AT - DAY, weekdays((hm(8), hm(11))))
    only = hours(code, profile(hours=()), preference=wish)
    closes = datetime(2026, 3, 2, 16, tzinfo=UTC)
    assert only.holds(closes - 25 * SECOND, 25 * SECOND)
    assert not only.holds(closes - 25 * SECOND, 26 * SECOND)


def split_days(code: Code) -> None:
    """A lunch break stays closed, midnight does not close, and what lies within another interval adds nothing."""
    lunch = built((0, hm(12)), (hm(14), 1440))
    opening = hours(code, lunch)
    midnight = datetime(2026, 3, 3, 5, tzinfo=UTC)
    assert opening.window(midnight) == (midnight - 10 * HOUR, midnight + 12 * HOUR)
    assert opening.window(midnight - 11 * HOUR) is None
    assert opening.window(midnight - 13 * HOUR) == (midnight - 34 * HOUR, midnight - 12 * HOUR)
    within = hours(code, built((hm(8), hm(18)), (hm(9), hm(10))))
    assert within.window(AT) == (AT - 2 * HOUR, AT + 8 * HOUR)
    twice = hours(code, built((hm(0), hm(7)), (hm(8), hm(18)), (hm(9), hm(10))))
    assert twice.window(AT) == (AT - 2 * HOUR, AT + 8 * HOUR)


def several(code: Code) -> None:
    """Whichever profile comes first, both hold; of the reasons the holiday is told first, then the hours."""
    whole, split = built((hm(8), hm(18))), built((hm(9), hm(12)), (hm(14), hm(17)))
    for laid in (hours(code, whole, split), hours(code, split, whole)):
        spans = [laid.window(AT + n * HOUR) for n in (-2, -1, 0, 3, 4, 6, 7)]
        morning, afternoon = (AT - HOUR, AT + 2 * HOUR), (AT + 4 * HOUR, AT + 7 * HOUR)
        assert spans == [None, morning, morning, None, afternoon, afternoon, None]
    closed = Calendar("x", "1", added=frozenset({AT.astimezone(BOGOTA).date()}))
    festive, night = replace(built((hm(8), hm(18)), calendar=closed), id="a"), replace(built((0, hm(8))), id="b")
    for laid in (hours(code, festive, night), hours(code, night, festive)):
        assert laid.why_not(AT) == (Denial.HOLIDAY, "a:hours")
    late = Preference(1, AT - DAY, every_day((hm(11), hm(12))))
    assert hours(code, night, preference=late).why_not(AT) == (Denial.HOURS, "b:hours")
    # At the very opening the hours do not stand against it, the wish does.
    assert hours(code, whole, preference=late).why_not(AT - 2 * HOUR) == (Denial.PREFERENCE, "preference")
    assert hours(code, replace(whole, id="a"), replace(split, id="b")).why_not(AT) == (Denial.MARGIN, "a:hours")
    both = hours(code, built((hm(0), 1440)), zones=(BOGOTA, TOKYO))
    assert both.left_s(AT) == 14 * 3600


def wish_only_narrows(code: Code) -> None:
    """Unless it is said that it extends."""
    law = Hours(every_day((hm(8), hm(18))), preference_extends=True)
    wish = Preference(1, AT - DAY, every_day((hm(9), hm(20))))
    opening = code.hours.Opening((("x", law),), (BOGOTA,), wish)
    assert opening.window(AT) == (AT - HOUR, AT + 8 * HOUR)
    opening = code.hours.Opening((("x", law),), (BOGOTA,), wish, extends=True)
    assert opening.window(AT) == (AT - HOUR, AT + 10 * HOUR)


def horizon(code: Code) -> None:
    """An opening is found 399 dates on, and not 400."""
    began = datetime(2026, 3, 2, tzinfo=UTC)

    def opens_after(days: int) -> datetime | None:
        shut = Calendar("x", "1", added=frozenset(began.date() + n * DAY for n in range(days)))
        found: datetime | None = hours(code, built((0, 1440), calendar=shut), zones=(ZoneInfo("UTC"),)).next(AT, SECOND)
        return found

    assert opens_after(399) == began + 399 * DAY
    assert opens_after(400) is None


def refused(asked: Callable[[], object]) -> str:
    """With which words, if at all."""
    try:
        asked()
    except ValueError as error:
        return str(error)
    return ""


# -- calendar ----------------------------------------------------------------------------------------------------------
def rules(code: Code) -> None:
    """Each kind of rule, its first and its last year, and what an operator adds and removes."""
    colombia = code.calendar.closed_dates(CO, 2026)
    days = "0101 0112 0323 0402 0403 0501 0518 0608 0615 0629 0713 0720 0807 0817 1012 1102 1116 1208 1225"
    assert sorted(f"{day:%m%d}" for day in colombia) == days.split()
    sundays = (
        "1818-03-22 1886-04-25 1943-04-25 1954-04-18 1961-04-02 2000-04-23 2008-03-23 2011-04-24 "
        "2019-04-21 2024-03-31 2038-04-25 2049-04-18 2076-04-19 2106-04-18 2285-03-22 "
        "1700-04-11 3165-04-18 3902-04-06 7515-04-25"
    )
    for told in sundays.split():
        sunday = date.fromisoformat(told)
        assert code.calendar.easter(sunday.year) == sunday
    ours = Calendar(
        "x",
        "1",
        rules=(
            HolidayRule("fixed", DateRule.FIXED, month=3, day=3, from_year=2020, until_year=2022),
            HolidayRule("moved", DateRule.MONDAY, month=12, day=30),
        ),
        added=frozenset({date(2027, 5, 5)}),
        removed=frozenset({date(2022, 3, 3)}),
    )
    years = {year: sorted(code.calendar.closed_dates(ours, year)) for year in range(2019, 2029)}
    assert {year for year, days in years.items() if date(year, 3, 3) in days} == {2020, 2021}
    assert years[2026] == [date(2026, 1, 5)]
    assert years[2027] == [date(2027, 1, 4), date(2027, 5, 5)]
    assert years[2028] == [date(2028, 1, 3)]
    assert years[2019] == [date(2019, 12, 30)]  # a Monday itself
    assert code.calendar.is_closed(ours, date(2027, 5, 5))
    assert not code.calendar.is_closed(ours, date(2027, 5, 6))


def packages(code: Code) -> None:
    """A country, a part of one, and none."""
    of = code.calendar.closed_dates
    assert date(2026, 11, 26) in of(Calendar("us", "1", country="US"), 2026)
    assert date(2025, 5, 2) in of(Calendar("md", "1", country="ES-MD"), 2025)
    assert date(2025, 5, 2) not in of(Calendar("es", "1", country="ES"), 2025)
    assert refused(lambda: of(Calendar("x", "1", country="XX"), 2026)) == "no holidays are known of XX"


def terms(code: Code) -> None:
    """Business days, over weekends and holidays."""
    of = code.calendar.add_business_days
    for start, n, end in (
        ("2026-07-10", 0, "2026-07-10"),
        ("2026-07-11", 0, "2026-07-14"),
        ("2026-07-10", 1, "2026-07-14"),
        ("2026-04-01", 1, "2026-04-06"),
        ("2026-12-24", 10, "2027-01-12"),
    ):
        assert of(date.fromisoformat(start), n, CO) == date.fromisoformat(end)
    between = code.calendar.business_days
    friday, tuesday = date(2026, 7, 10), date(2026, 7, 14)
    assert between(friday, friday, CO) == 0
    assert between(friday, friday + DAY, CO) == 0
    assert between(friday, tuesday, CO) == 1
    assert between(tuesday, friday, CO) == -1
    assert between(tuesday, date(2026, 7, 17), CO) == 3
    assert refused(lambda: of(date(2026, 1, 1), -1, CO)) == "a term cannot be negative"


CALENDAR: tuple[Check, ...] = (rules, packages, terms)
HOURS: tuple[Check, ...] = (
    window,
    left,
    lasts,
    never_open,
    round_the_clock,
    edges,
    split_days,
    several,
    wish_only_narrows,
    horizon,
)
