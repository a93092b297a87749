"""Calendars as data: those that ship with the program, and what an operator knows better."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from functools import cache
from importlib import metadata, resources

import holidays
from holidays.registry import COUNTRIES

from cadencia.config.tables import Table, open_file, spelled
from cadencia.domain.law import Calendar, DateRule, HolidayRule
from cadencia.errors import Words

#: What ids of profiles, calendars and their parts look like.
NAME = r"[a-z0-9]+([-_][a-z0-9]+)*"

#: A country (ISO 3166-1), or a part of one (ISO 3166-2).
PLACE = r"[A-Z]{2}(-[A-Z0-9]{1,3})?"

_RULES = spelled(DateRule)
_CODES = frozenset(codes[1] for _, codes in COUNTRIES.items())

#: Days that month has in every year; of rules without a month: none is asked.
_DAYS = (31, 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)

#: No calendar of ours begins earlier; the Gregorian one began in 1582.
_FIRST_YEAR, _LAST_YEAR = 1583, 9999


@cache
def builtin_calendars() -> Mapping[str, Calendar]:
    """The calendars that ship with the program, by id."""
    folder = resources.files("cadencia.config").joinpath("data/calendars")
    files = sorted((file for file in folder.iterdir() if file.name.endswith(".toml")), key=lambda file: file.name)
    read = (load_calendar(file.read_text("utf-8"), name=file.name) for file in files)
    return {calendar.id: calendar for calendar in read}


def load_calendar(text: str, *, name: str) -> Calendar:
    """Read a calendar.

    Args:
        text: the TOML.
        name: the file's, for messages.

    Raises:
        FileFaults: something in it is wrong; all faults, each with its line.
    """
    with open_file(text, name) as root:
        id_, version = root.text("id", pattern=NAME, like="co"), root.text("version")
        country, citation = root.text("country", ""), root.text("citation", "")
        if country and not _is_known(country):
            root.wrong("country", f"is no known country: {country!r}", f"no es un país conocido: {country!r}")
        rules = tuple(_rule(table) for table in root.tables("holidays"))
        if not country and not rules:
            mend = Words("Give country or [[holidays]].", "Escriba country o [[holidays]].")
            root.wrong("", "the calendar has no dates", "el calendario no tiene fechas", mend)
    if country:  # evidence names the version, and the dates come with the package
        version = f"{version}/holidays-{metadata.version('holidays')}"
    return Calendar(id=id_, version=version, country=country, rules=rules, citation=citation)


def load_dates(text: str, *, name: str, calendars: Mapping[str, Calendar]) -> dict[str, Calendar]:
    """The calendars with the dates that an operator adds and removes.

    A calendar that is changed carries the file in its version, so that evidence tells it from the one as shipped.

    Raises:
        FileFaults: something in it is wrong.
    """
    mark = hashlib.sha256(text.encode()).hexdigest()[:12]
    changed = dict(calendars)
    with open_file(text, name) as root:
        for id_, calendar in calendars.items():
            if id_ in root:
                table = root.table(id_)
                added, removed = _dates(table, "added"), _dates(table, "removed")
                for day in sorted(added & removed):
                    table.wrong("removed", f"takes away {day}, which is added", f"quita el {day}, que se agrega")
                table.close()
                changed[id_] = replace(
                    calendar,
                    added=calendar.added | added,
                    removed=calendar.removed | removed,
                    version=f"{calendar.version}+{mark}",
                )
        root.knows(*calendars)
    return changed


def _rule(table: Table) -> HolidayRule:
    rule = table.choice("rule", _RULES)
    easter = rule is DateRule.EASTER
    month = 0 if easter else table.whole("month", 1, 12)
    day = 0 if easter else table.whole("day", 1, 31)
    offset = table.whole("offset", -120, 200) if easter else 0
    if day > _DAYS[month]:
        table.wrong("day", f"not every year has a {day}-{month}", f"no todos los años tienen un {day}-{month}")
    since = table.whole("from_year", _FIRST_YEAR, _LAST_YEAR, 0)
    until = table.whole("until_year", _FIRST_YEAR, _LAST_YEAR, _LAST_YEAR)
    if until < since:
        table.wrong("until_year", "must not be before from_year", "no puede ser anterior a from_year")
    found = HolidayRule(
        name=table.text("name"),
        rule=rule,
        month=month,
        day=day,
        offset=offset,
        from_year=since,
        until_year=until,
        citation=table.text("citation", ""),
    )
    table.close()
    return found


def _dates(table: Table, key: str) -> frozenset[date]:
    days = set()
    for entry in table.tables(key):
        day = entry.day("date")
        entry.text("reason")
        entry.close()
        if day in days:
            entry.wrong("date", f"is there twice: {day}", f"está dos veces: {day}")
        if day is not None:
            days.add(day)
    return frozenset(days)


def _is_known(place: str) -> bool:
    country, _, part = place.partition("-")
    if not re.fullmatch(PLACE, place) or country not in _CODES:
        return False
    try:
        holidays.country_holidays(country, subdiv=part or None)
    except NotImplementedError:
        return False
    return True
