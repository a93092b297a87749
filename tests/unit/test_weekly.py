"""Weekly hours as somebody types them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cadencia.errors import ConfigError, spoken
from cadencia.portfolio.weekly import parse_weekly

EVENING, MORNING = ((18 * 60, 20 * 60),), ((9 * 60, 12 * 60),)


@pytest.mark.parametrize(
    "told",
    [
        "lu-vi 18:00-20:00; sa 9:00-12:00",
        "Lunes - Viernes 18:00 - 20:00;sábado 09:00-12:00;",
        "mo-fr 18:00-20:00; sat 9:00-12:00",
        "lun, mar, mié, jue., vie 18:00-19:00,19:00-20:00; sab 9:00-11:00; sa 10:00-12:00",
        "lu-vi18:00-20:00; sa9:00-12:00",
    ],
)
def test_the_same_week_in_many_ways(told: str) -> None:
    assert parse_weekly(told) == (EVENING,) * 5 + (MORNING, ())


def test_days_go_round_and_hours_to_midnight() -> None:
    assert parse_weekly("sa-lu 0:00-24:00") == (((0, 1440),), (), (), (), (), ((0, 1440),), ((0, 1440),))


@pytest.mark.parametrize(
    ("told", "named"),
    [
        ("", "no weekly hours"),
        (" ; ", "no weekly hours"),
        ("lu-vi", '"lu-vi" is no'),
        ("18:00-20:00", '"18:00-20:00" is no'),
        ("lu-xx 18:00-20:00; sa 9:00-12:00", '"lu-xx" ("lu-xx 18:00-20:00")'),
        ("lu-mi-vi 18:00-20:00", '"lu-mi-vi"'),
        ("lu 18:00-20:00; sa 9-12", '"9-12" ("sa 9-12")'),
        ("lu 20:00-18:00", '"20:00-18:00"'),
        ("lu 18:00-18:00", '"18:00-18:00"'),
        ("lu 18:00-24:01", '"18:00-24:01"'),
        ("lu 18:60-20:00", '"18:60-20:00"'),
        ("lu 18:00-20:00 noche", '"18:00-20:00 noche"'),
    ],
)
def test_what_is_wrong_is_named(told: str, named: str) -> None:
    with pytest.raises(ConfigError) as error:
        parse_weekly(told)
    assert named in error.value.message
    assert "semana" in spoken(error.value.message, "es")
    assert "lu-vi" in spoken(error.value.hint, "es")


@given(st.lists(st.tuples(st.integers(0, 6), st.integers(0, 1439), st.integers(1, 1440)), min_size=1, max_size=12))
def test_a_minute_is_open_if_and_only_if_a_part_names_it(given: list[tuple[int, int, int]]) -> None:
    names = ("lu", "ma", "mi", "ju", "vi", "sa", "do")
    parts = [(day, start, end) for day, start, end in given if start < end]
    if not parts:
        return
    told = "; ".join(f"{names[d]} {s // 60}:{s % 60:02}-{e // 60}:{e % 60:02}" for d, s, e in parts)
    week = parse_weekly(told)
    for day in range(7):
        open_ = {m for start, end in week[day] for m in range(start, end)}
        assert open_ == {m for d, start, end in parts if d == day for m in range(start, end)}
        assert all(one[1] < two[0] for one, two in zip(week[day], week[day][1:], strict=False))
