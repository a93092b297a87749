"""Sixteen years of holidays of every country whose profiles ship, against a table of the laws, in both directions.

The table (tests/data/holidays.csv) owes nothing to the package that our calendars take dates from; its header tells
where it comes from and who agrees. Where a calendar of ours closes what the law does not, the reason stands here.
"""

from __future__ import annotations

import csv
from datetime import date, timedelta
from pathlib import Path

import pytest

from cadencia.compliance.calendar import closed_dates
from cadencia.config.calendars import builtin_calendars
from cadencia.config.profiles import builtin
from cadencia.recheck.festivities import is_holiday, of_colombia

YEARS = range(2020, 2036)
CALENDARS = builtin_calendars()

_lines = (Path(__file__).parents[1] / "data/holidays.csv").read_text("utf-8").splitlines()
ROWS = list(csv.DictReader(line for line in _lines if not line.startswith("#")))
LAW = {id_: {date.fromisoformat(r["date"]) for r in ROWS if r["country"] == id_.upper()} for id_ in CALENDARS}


def from_easter(days: int) -> set[date]:
    """A date of each year, counted from Easter Sunday, which the table's Good Fridays tell."""
    fridays = [r["date"] for r in ROWS if (r["country"], r["name"]) == ("CO", "Viernes Santo")]
    return {date.fromisoformat(day) + timedelta(days=2 + days) for day in fridays}


#: Calendar -> what it closes beyond the law, and why that is no fault.
MORE: dict[str, list[tuple[set[date], str]]] = {
    "pe": [(from_easter(0), "Easter Sunday, which the package lists: a Sunday, the hours of `pe` are closed")],
    "ar": [
        (from_easter(-3), "Maundy Thursday: no holiday but a `día no laborable` (Ley 27.399, art. 3); closed as one"),
        (
            {date(2025, 5, 2), date(2025, 8, 15), date(2025, 11, 21)},
            "`días no laborables con fines turísticos` (Ley 27.399, art. 7; Resolución 1027/2024); closed as holidays",
        ),
        ({date(2026, 3, 23), date(2026, 7, 10), date(2026, 12, 7)}, "the same of 2026"),
        ({date(2025, 10, 12)}, "moved to Friday 10; the package keeps the Sunday"),
        ({date(2026, 11, 9)}, "the Pope's visit; only the package lists it. No law asks for a closed day too many"),
    ],
}


def test_the_table_is_whole() -> None:
    assert {r["country"].lower() for r in ROWS} == set(CALENDARS)
    assert len(ROWS) == sum(len(dates) for dates in LAW.values()) == 1666
    assert all(r["law"] and r["agree"] in ("", "d", "w", "dw") for r in ROWS)
    # What stands on the law alone, without a witness, is little.
    alone = {(r["country"], r["date"]) for r in ROWS if not r["agree"]}
    assert alone == {("MX", "2024-10-01"), ("MX", "2030-10-01"), ("AR", "2025-10-10")}


def test_every_calendar_of_a_profile_is_in_the_table() -> None:
    used = {h.calendar.id for p in builtin().values() for h in p.hours if h.calendar is not None}
    assert used <= set(LAW)


@pytest.mark.parametrize("id_", CALENDARS)
def test_no_holiday_is_missing_and_none_is_too_many(id_: str) -> None:
    ours = {day for year in YEARS for day in closed_dates(CALENDARS[id_], year)}
    assert sorted(LAW[id_] - ours) == []
    allowed = set().union(*(days for days, _ in MORE.get(id_, [])))
    assert sorted(ours - LAW[id_]) == sorted(allowed - LAW[id_])


@pytest.mark.parametrize("country", ["CO", "PE", "CL", "MX"])
def test_the_recheck_keeps_the_same_holidays(country: str) -> None:
    """Its own reckoning of Colombia is the whole table's; of the others it knows every date."""
    for day in LAW[country.lower()]:
        assert is_holiday(country, day), day
    if country == "CO":
        assert {day for year in YEARS for day in of_colombia(year)} == LAW["co"]
