"""The weekly hours that a person asked for, as somebody types them: "lu-vi 18:00-20:00; sa 9:00-12:00". Pure."""

from __future__ import annotations

import re

from cadencia.domain.law import Intervals
from cadencia.errors import ConfigError, Words
from cadencia.portfolio.cities import plain

Weekly = tuple[Intervals, Intervals, Intervals, Intervals, Intervals, Intervals, Intervals]

#: Monday to Sunday, Spanish and English, whole and short.
_DAYS: dict[str, int] = {
    name: number
    for number, names in enumerate(
        (
            "lu lun lunes mo mon monday",
            "ma mar martes tu tue tues tuesday",
            "mi mie miercoles we wed wednesday",
            "ju jue jueves th thu thurs thursday",
            "vi vie viernes fr fri friday",
            "sa sab sabado sat saturday",
            "do dom domingo su sun sunday",
        )
    )
    for name in names.split()
}

# Days, then hours: the first digit parts them.
_PART = re.compile(r"(?P<days>\D+?)\s*(?P<hours>\d.*)")
_SPAN = re.compile(r"(\d{1,2}):([0-5]\d)\s*-\s*(\d{1,2}):([0-5]\d)", re.ASCII)
_MIDNIGHT = 24 * 60

_HOW = Words(
    'Write days and hours, parts by semicolons: "mo-fr 18:00-20:00; sa 9:00-12:00".',
    'Escriba días y horas, partes con punto y coma: "lu-vi 18:00-20:00; sa 9:00-12:00".',
)


def parse_weekly(told: str) -> Weekly:
    """Weekly hours, Monday to Sunday, in minutes after local midnight; a day that is not named is closed.

    A part is days ("lu", "lu-vi", "lu, mi, vi") and then hours ("18:00-20:00", several by commas, up to 24:00).

    Raises:
        ConfigError: it names the part that cannot be read.
    """
    week: list[list[tuple[int, int]]] = [[] for _ in range(7)]
    parts = [part.strip() for part in told.split(";") if part.strip()]
    if not parts:
        raise ConfigError(Words("There are no weekly hours.", "No hay horario semanal."), _HOW)
    for part in parts:
        found = _PART.fullmatch(part)
        if found is None:
            raise _unread(part, part)
        spans = [_span(one, part) for one in found["hours"].split(",")]
        for day in _days(found["days"], part):
            week[day] += spans
    mon, tue, wed, thu, fri, sat, sun = (_joined(day) for day in week)
    return mon, tue, wed, thu, fri, sat, sun


def _days(told: str, part: str) -> list[int]:
    days: list[int] = []
    for one in told.split(","):
        names = [plain(name).rstrip(".") for name in one.split("-")]
        if len(names) > 2 or any(name not in _DAYS for name in names):
            raise _unread(one.strip(), part)
        first, last = _DAYS[names[0]], _DAYS[names[-1]]
        days += [(first + n) % 7 for n in range((last - first) % 7 + 1)]
    return days


def _span(told: str, part: str) -> tuple[int, int]:
    found = _SPAN.fullmatch(told.strip())
    if found is None:
        raise _unread(told.strip(), part)
    start, end = int(found[1]) * 60 + int(found[2]), int(found[3]) * 60 + int(found[4])
    if not start < end <= _MIDNIGHT:
        raise _unread(told.strip(), part)
    return start, end


def _joined(spans: list[tuple[int, int]]) -> Intervals:
    """Sorted, and what touches or overlaps as one."""
    joined: list[tuple[int, int]] = []
    for start, end in sorted(spans):
        if joined and start <= joined[-1][1]:
            joined[-1] = joined[-1][0], max(end, joined[-1][1])
        else:
            joined.append((start, end))
    return tuple(joined)


def _unread(what: str, part: str) -> ConfigError:
    where = "" if what == part else f' ("{part}")'
    return ConfigError(
        Words(f'"{what}"{where} is no part of a week.', f'"{what}"{where} no es parte de una semana.'), _HOW
    )
