"""Holidays: Colombia's against a table written out, the others at dates everybody knows, and terms in business days."""

from __future__ import annotations

from datetime import date, timedelta

import holidays
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cadencia.compliance.calendar import add_business_days, business_days, closed_dates, easter, is_closed
from cadencia.config.calendars import builtin_calendars, load_calendar, load_dates
from cadencia.config.tables import FileFaults
from cadencia.domain.law import Calendar, DateRule, HolidayRule

CALENDARS = builtin_calendars()
CO = CALENDARS["co"]

#: 9 July is one from 2026 on (Ley 2578 of 2026, article 6). In 2025 two fall on 30 June.
COLOMBIA = {
    2020: "0101 0106 0323 0409 0410 0501 0525 0615 0622 0629 0720 0807 0817 1012 1102 1116 1208 1225",
    2021: "0101 0111 0322 0401 0402 0501 0517 0607 0614 0705 0720 0807 0816 1018 1101 1115 1208 1225",
    2022: "0101 0110 0321 0414 0415 0501 0530 0620 0627 0704 0720 0807 0815 1017 1107 1114 1208 1225",
    2023: "0101 0109 0320 0406 0407 0501 0522 0612 0619 0703 0720 0807 0821 1016 1106 1113 1208 1225",
    2024: "0101 0108 0325 0328 0329 0501 0513 0603 0610 0701 0720 0807 0819 1014 1104 1111 1208 1225",
    2025: "0101 0106 0324 0417 0418 0501 0602 0623 0630 0720 0807 0818 1013 1103 1117 1208 1225",
    2026: "0101 0112 0323 0402 0403 0501 0518 0608 0615 0629 0713 0720 0807 0817 1012 1102 1116 1208 1225",
    2027: "0101 0111 0322 0325 0326 0501 0510 0531 0607 0705 0712 0720 0807 0816 1018 1101 1115 1208 1225",
    2028: "0101 0110 0320 0413 0414 0501 0529 0619 0626 0703 0710 0720 0807 0821 1016 1106 1113 1208 1225",
    2029: "0101 0108 0319 0329 0330 0501 0514 0604 0611 0702 0709 0720 0807 0820 1015 1105 1112 1208 1225",
    2030: "0101 0107 0325 0418 0419 0501 0603 0624 0701 0715 0720 0807 0819 1014 1104 1111 1208 1225",
    2031: "0101 0106 0324 0410 0411 0501 0526 0616 0623 0630 0714 0720 0807 0818 1013 1103 1117 1208 1225",
    2032: "0101 0112 0322 0325 0326 0501 0510 0531 0607 0705 0712 0720 0807 0816 1018 1101 1115 1208 1225",
    2033: "0101 0110 0321 0414 0415 0501 0530 0620 0627 0704 0711 0720 0807 0815 1017 1107 1114 1208 1225",
    2034: "0101 0109 0320 0406 0407 0501 0522 0612 0619 0703 0710 0720 0807 0821 1016 1106 1113 1208 1225",
    2035: "0101 0108 0319 0322 0323 0501 0507 0528 0604 0702 0709 0720 0807 0820 1015 1105 1112 1208 1225",
}  # fmt: skip

#: https://www.census.gov/data/software/x13as/genhol/easter-dates.html
EASTER = {
    1961: "04-02", 1990: "04-15", 2000: "04-23", 2008: "03-23", 2011: "04-24", 2018: "04-01", 2019: "04-21",
    2020: "04-12", 2021: "04-04", 2022: "04-17", 2023: "04-09", 2024: "03-31", 2025: "04-20", 2026: "04-05",
    2027: "03-28", 2028: "04-16", 2029: "04-01", 2030: "04-21", 2031: "04-13", 2032: "03-28", 2033: "04-17",
    2034: "04-09", 2035: "03-25", 2038: "04-25", 2049: "04-18", 2076: "04-19", 2099: "04-12", 2285: "03-22",
}  # fmt: skip

#: Calendar -> dates that are holidays, and dates that are none.
KNOWN = {
    "mx": ("2020-02-03 2024-10-01 2025-03-17 2026-09-16 2030-12-25 2035-01-01", "2026-05-05 2026-12-12 2021-10-01"),
    "pe": ("2020-07-28 2020-07-29 2024-08-06 2025-12-09 2026-04-02 2035-10-08", "2021-08-06 2026-02-14"),
    "cl": ("2020-09-18 2021-06-21 2022-09-19 2026-05-21 2026-04-04 2035-12-25", "2020-06-21 2026-09-21"),
    "ar": ("2020-03-24 2022-05-25 2026-07-09 2026-06-20 2035-05-01", "2026-07-13 2026-01-06"),
    "es": ("2020-01-06 2022-10-12 2026-04-03 2030-12-25 2035-08-15", "2026-03-19 2026-07-25"),
    "us": ("2020-07-03 2021-06-18 2022-06-20 2026-11-26 2030-01-21 2035-09-03", "2020-06-19 2026-12-24"),
    "gb": ("2020-05-08 2022-06-03 2022-09-19 2023-05-08 2026-12-28 2035-12-26", "2026-08-31 2026-04-06"),
}


def dates(year: int, table: dict[int, str]) -> set[date]:
    return {date.fromisoformat(f"{year}{day}") for day in table[year].split()}


# -- Colombia ----------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("year", COLOMBIA)
def test_colombia_is_the_table(year: int) -> None:
    assert closed_dates(CO, year) == dates(year, COLOMBIA)


@pytest.mark.parametrize("year", range(1984, 2101))
def test_colombia_is_what_the_package_says_and_9_july_only_from_2026(year: int) -> None:
    told = frozenset(holidays.country_holidays("CO", years=year))
    monday = date(year, 7, 9) + timedelta(days=-date(year, 7, 9).weekday() % 7)
    assert closed_dates(CO, year) == (told | {monday} if year >= 2026 else told)
    assert is_closed(CO, monday) is (year >= 2026)


def test_the_days_that_a_table_of_18_gets_wrong() -> None:
    assert is_closed(CO, date(2026, 7, 13))
    assert is_closed(CO, date(2027, 7, 12))
    assert is_closed(CO, date(2029, 7, 9))  # a Monday itself
    assert not is_closed(CO, date(2025, 7, 14))
    assert not is_closed(CO, date(2026, 7, 9))
    assert len(closed_dates(CO, 2025)) == 17
    assert not is_closed(CO, date(2026, 7, 12))  # a Sunday: the hours close it


@pytest.mark.parametrize("year", EASTER)
def test_easter(year: int) -> None:
    assert easter(year) == date.fromisoformat(f"{year}-{EASTER[year]}")


def test_easter_is_a_sunday_from_22_march_to_25_april() -> None:
    for year in range(1583, 4100):
        assert easter(year).weekday() == 6
        assert (3, 22) <= (easter(year).month, easter(year).day) <= (4, 25)


# -- the others --------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("id_", KNOWN)
def test_dates_everybody_knows(id_: str) -> None:
    closed, working = KNOWN[id_]
    for day in map(date.fromisoformat, closed.split()):
        assert is_closed(CALENDARS[id_], day), day
    for day in map(date.fromisoformat, working.split()):
        assert not is_closed(CALENDARS[id_], day), day


def test_every_calendar_has_holidays_of_its_year_in_every_year() -> None:
    assert set(CALENDARS) == {"co", *KNOWN}
    for calendar in CALENDARS.values():
        for year in range(2020, 2036):
            found = closed_dates(calendar, year)
            assert 5 <= len(found) <= 25, (calendar.id, year)
            assert {day.year for day in found} == {year}


def test_the_version_names_the_package_that_the_dates_come_from() -> None:
    assert CALENDARS["pe"].version.endswith(f"holidays-{holidays.__version__}")
    assert "holidays" not in CO.version


def test_a_part_of_a_country() -> None:
    madrid = load_calendar('id = "es-md"\nversion = "1"\ncountry = "ES-MD"\n', name="x.toml")
    assert is_closed(madrid, date(2025, 5, 2))
    assert not is_closed(CALENDARS["es"], date(2025, 5, 2))


def test_a_country_nobody_knows_is_no_calendar_without_holidays() -> None:
    with pytest.raises(ValueError, match="XX"):
        closed_dates(Calendar("x", "1", country="XX"), 2026)


# -- rules -------------------------------------------------------------------------------------------------------------
def test_a_rule_holds_from_its_first_year_to_its_last() -> None:
    rule = HolidayRule("x", DateRule.FIXED, month=3, day=3, from_year=2020, until_year=2022)
    calendar = Calendar("x", "1", rules=(rule,))
    assert [year for year in range(2015, 2030) if closed_dates(calendar, year)] == [2020, 2021, 2022]


def test_a_holiday_moved_over_the_end_of_the_year_belongs_to_the_next() -> None:
    calendar = Calendar("x", "1", rules=(HolidayRule("x", DateRule.MONDAY, month=12, day=30),))
    assert closed_dates(calendar, 2027) == {date(2027, 1, 4)}  # of 2026; that of 2027 is kept on 3 January 2028
    assert closed_dates(calendar, 2028) == {date(2028, 1, 3)}


# -- an operator's dates -----------------------------------------------------------------------------------------------
CIVIC = """
[[co.added]]
date = 2026-08-10
reason = "Día cívico en Bogotá"

[[co.removed]]
date = 2026-08-07
reason = "prueba"
"""


def test_an_operator_adds_and_removes_dates_of_one_calendar() -> None:
    changed = load_dates(CIVIC, name="holidays.toml", calendars=CALENDARS)
    assert closed_dates(changed["co"], 2026) == closed_dates(CO, 2026) - {date(2026, 8, 7)} | {date(2026, 8, 10)}
    assert closed_dates(changed["co"], 2027) == closed_dates(CO, 2027)
    assert changed["co"].version != CO.version
    assert {id_ for id_ in CALENDARS if changed[id_] != CALENDARS[id_]} == {"co"}


@pytest.mark.parametrize(
    ("text", "line", "key"),
    [
        (CIVIC + "\n[zz]\nadded = []\n", 10, "zz"),
        (CIVIC.replace('reason = "prueba"\n', ""), 6, "co.removed[1].reason"),
        (CIVIC.replace("2026-08-07", "2026-08-10"), 6, "co.removed"),
        (CIVIC.replace("2026-08-07", '"2026-08-07"'), 7, "co.removed[1].date"),
        (CIVIC.replace("reason = ", "motivo = "), 2, "co.added[1].reason"),
    ],
)
def test_what_is_wrong_with_an_operators_dates(text: str, line: int, key: str) -> None:
    with pytest.raises(FileFaults) as caught:
        load_dates(text, name="holidays.toml", calendars=CALENDARS)
    assert (line, key) in [(fault.line, fault.key) for fault in caught.value.faults]


@pytest.mark.parametrize(
    ("text", "line", "key"),
    [
        ('id = "x"\nversion = "1"\n', 1, ""),
        ('id = "x"\nversion = "1"\ncountry = "XX"\n', 3, "country"),
        ('id = "x"\nversion = "1"\ncountry = "ES-QQ"\n', 3, "country"),
        (
            'id = "x"\nversion = "1"\n[[holidays]]\nname = "a"\nrule = "fixed"\nmonth = 2\nday = 29\n',
            7,
            "holidays[1].day",
        ),
        ('id = "x"\nversion = "1"\n[[holidays]]\nname = "a"\nrule = "moon"\n', 5, "holidays[1].rule"),
        (
            'id = "x"\nversion = "1"\n[[holidays]]\nname = "a"\nrule = "easter"\noffset = 1\nday = 3\n',
            7,
            "holidays[1].day",
        ),
    ],
)
def test_what_is_wrong_with_a_calendar(text: str, line: int, key: str) -> None:
    with pytest.raises(FileFaults) as caught:
        load_calendar(text, name="x.toml")
    assert (line, key) in [(fault.line, fault.key) for fault in caught.value.faults]


# -- business days -----------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("start", "n", "end"),
    [
        ("2026-07-10", 1, "2026-07-14"),  # over the weekend and Monday 13, a holiday
        ("2025-07-11", 1, "2025-07-14"),
        ("2026-04-01", 1, "2026-04-06"),  # over the two holy days
        ("2026-12-24", 10, "2027-01-12"),  # 25 December, 1 and 11 January
        ("2026-07-11", 0, "2026-07-14"),
        ("2026-07-10", 0, "2026-07-10"),
        ("2026-06-01", 15, "2026-06-24"),  # Corpus Christi and the Sacred Heart
    ],
)
def test_business_days(start: str, n: int, end: str) -> None:
    assert add_business_days(date.fromisoformat(start), n, CO) == date.fromisoformat(end)


def test_no_term_is_negative() -> None:
    with pytest.raises(ValueError, match="negative"):
        add_business_days(date(2026, 1, 1), -1, CO)


@given(st.dates(date(2020, 1, 1), date(2034, 1, 1)), st.integers(0, 60))
def test_a_term_holds_as_many_business_days_as_it_says(start: date, n: int) -> None:
    end = add_business_days(start, n, CO)
    days = [start + timedelta(days=k) for k in range(1, (end - start).days + 1)]
    business = [day for day in days if day.weekday() < 5 and day not in closed_dates(CO, day.year)]
    assert end.weekday() < 5
    assert not is_closed(CO, end)
    assert len(business) == n or (n == 0 and business == [end])
    assert business_days(start, end, CO) == len(business) == -business_days(end, start, CO)
