"""The gate where clocks change, in all zones of the world, against wall clocks read minute by minute.

The slow way here knows no openings and no closings: it asks of each minute what the clock on the wall shows. Where an
opening or closing time itself exists twice or not at all, the gate may be narrower than the wall clock, never wider.
"""

from __future__ import annotations

import random
import zoneinfo
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from zoneinfo import ZoneInfo

import pytest

from cadencia.compliance.gate import decide
from cadencia.compliance.stack import Stack, stack
from cadencia.domain.codes import Denial
from cadencia.domain.law import (
    Allow,
    Calendar,
    Channel,
    Deny,
    Facts,
    Hours,
    Intervals,
    Limit,
    Period,
    Person,
    Purpose,
    Reach,
    Scope,
    Touch,
)
from cadencia.domain.people import LineType, Phone, PhoneStatus, Role
from tests.support.law_vectors import profile

PHONE = Phone(1, "+573001112233", LineType.MOBILE, 0, PhoneStatus.NEW)
ZONES = sorted(zoneinfo.available_timezones())
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)

#: Clocks that do something odd: half an hour, at midnight, twice in Ramadan, a quarter off, a whole day left out.
ODD = (
    ("Australia/Lord_Howe", datetime(2026, 4, 4, 15, tzinfo=UTC)),
    ("Australia/Lord_Howe", datetime(2026, 10, 3, 15, 30, tzinfo=UTC)),
    ("America/Santiago", datetime(2026, 4, 5, 3, tzinfo=UTC)),
    ("America/Santiago", datetime(2026, 9, 6, 4, tzinfo=UTC)),
    ("America/Asuncion", datetime(2024, 3, 24, 3, tzinfo=UTC)),
    ("America/Asuncion", datetime(2024, 10, 6, 4, tzinfo=UTC)),
    ("Africa/Cairo", datetime(2026, 4, 23, 22, tzinfo=UTC)),
    ("Africa/Cairo", datetime(2026, 10, 29, 21, tzinfo=UTC)),
    ("America/Havana", datetime(2026, 11, 1, 5, tzinfo=UTC)),
    ("Asia/Beirut", datetime(2026, 3, 28, 22, tzinfo=UTC)),
    ("Africa/Casablanca", datetime(2026, 2, 15, 2, tzinfo=UTC)),
    ("Pacific/Chatham", datetime(2026, 9, 26, 14, tzinfo=UTC)),
    ("America/Nuuk", datetime(2026, 3, 29, 1, tzinfo=UTC)),
    ("Asia/Kathmandu", datetime(2026, 5, 5, 12, tzinfo=UTC)),
    ("Pacific/Apia", datetime(2011, 12, 30, 10, tzinfo=UTC)),
    ("Pacific/Kiritimati", datetime(2026, 1, 1, tzinfo=UTC)),
)


@cache
def changes(name: str) -> tuple[datetime, ...]:
    """The instants from 2024 to 2035 at which the zone's clocks are set, to the minute."""
    where, found = ZoneInfo(name), []
    week = datetime(2024, 1, 1, tzinfo=UTC)
    while week.year < 2036:
        low, high = week, week + 7 * DAY
        before = low.astimezone(where).utcoffset()
        if high.astimezone(where).utcoffset() != before:
            while high - low > MINUTE:
                middle = low + (high - low) // 2 // MINUTE * MINUTE
                low, high = (middle, high) if middle.astimezone(where).utcoffset() == before else (low, middle)
            found.append(high)
        week += 7 * DAY
    return tuple(found)


def places(dice: random.Random, n: int) -> Iterator[tuple[str, datetime]]:
    """Zones with an instant worth looking at: where the clock is set, if it ever is."""
    yield from ODD
    for name in dice.sample(ZONES, n):
        yield name, dice.choice(changes(name) or (datetime(2026, 6, 1, tzinfo=UTC),))


def weekly(dice: random.Random) -> tuple[Intervals, ...]:
    """Seven days, often with an edge between midnight and three."""
    edges = (0, 30, 60, 90, 120, 150, 180, 480, 780, 1140, 1320, 1380, 1410, 1440)
    days: list[Intervals] = []
    for _ in range(7):
        a, b, c, d = sorted(dice.sample(edges, 4))
        days.append(dice.choice((((a, b), (c, d)), ((a, d),), ((0, 1440),), ((0, b), (c, 1440)), ())))
    return tuple(days)


def on_the_wall(hours: Hours, where: ZoneInfo, at: datetime) -> bool:
    """Whether it is open at this instant, by the clock on the wall."""
    there = at.astimezone(where)
    if hours.calendar is not None and there.date() in hours.calendar.added:
        return False
    minute = there.hour * 60 + there.minute
    return any(a <= minute < b for a, b in hours.weekly[there.weekday()])


def is_odd(hours: Hours, where: ZoneInfo, at: datetime) -> bool:
    """Whether an opening or closing time of the dates around exists twice or never."""
    for n in (-1, 0, 1):
        day = at.astimezone(where).date() + n * DAY
        for minute in {0, *(edge for interval in hours.weekly[day.weekday()] for edge in interval)}:
            wall = datetime.combine(day, time(), where) + timedelta(minutes=minute)
            if wall.replace(fold=0).utcoffset() != wall.replace(fold=1).utcoffset():
                return True
    return False


def ask(laid: Stack, zones: tuple[str, ...], at: datetime, *touches: Touch, ring_s: float = 0.0) -> Allow | Deny:
    person = Person(1, frozenset({Role.HOLDER}), zones)
    return decide(person, PHONE, Channel.VOICE, Purpose.COLLECTION, at, Facts(touches=touches, ring_s=ring_s), laid)


@pytest.mark.parametrize("seed", range(3))
def test_what_is_allowed_is_within_the_hours_on_every_wall(seed: int) -> None:
    dice = random.Random(seed)
    allowed = denied = 0
    for name, change in places(dice, 12):
        zones = (name, *dice.sample(ZONES, dice.choice((0, 0, 1))))
        free = frozenset({(change + dice.choice((-1, 0, 1)) * DAY).date()}) if dice.random() < 0.3 else frozenset()
        tables = [Hours(weekly(dice), calendar=Calendar("x", "1", added=free)) for _ in range(dice.choice((1, 1, 2)))]  # type: ignore[arg-type]
        laid = stack([profile(id=f"p{n}", hours=(each,)) for n, each in enumerate(tables)])
        walls = [(each, ZoneInfo(zone)) for each in tables for zone in zones]
        ring = dice.choice((0, 25, 90))
        at = change - 20 * HOUR
        while at < change + 20 * HOUR:
            near = abs(at - change) < 4 * HOUR
            said = ask(laid, zones, at, ring_s=ring)
            instants = [at + n * MINUTE for n in range(ring // 60 + 1)]
            instants += [at + timedelta(seconds=max(0, ring - 1))]
            open_ = all(on_the_wall(h, where, t) for h, where in walls for t in instants)
            if isinstance(said, Allow):
                assert open_, (name, zones, at, ring, tables)
            elif open_:
                assert any(is_odd(h, where, at) for h, where in walls), (name, zones, at, ring, tables)
            allowed, denied = allowed + isinstance(said, Allow), denied + isinstance(said, Deny)
            at += MINUTE if near else 17 * MINUTE
    assert min(allowed, denied) > 2000


@pytest.mark.parametrize("seed", range(2))
def test_before_the_next_lawful_instant_no_minute_is_lawful(seed: int) -> None:
    dice = random.Random(1000 + seed)
    seen = 0
    for name, change in places(dice, 12):
        limit = Limit("x", Scope.PERSON, Reach.ATTEMPT, 1, Period.LOCAL_DAYS, 1, gap_h=dice.choice((0.0, 2.5)))
        laid = stack([profile(hours=(Hours(weekly(dice)),), limits=(limit,) if dice.random() < 0.5 else ())])  # type: ignore[arg-type]
        begins = change + timedelta(minutes=dice.randrange(-1500, 300))
        past = (attempt(begins - timedelta(minutes=dice.randrange(1, 900))),) if dice.random() < 0.7 else ()
        ring = dice.choice((0.0, 25.0))
        said = ask(laid, (name,), begins, *past, ring_s=ring)
        if isinstance(said, Allow) or said.retry_at is None:
            continue
        seen += 1
        assert isinstance(ask(laid, (name,), said.retry_at, *past, ring_s=ring), Allow), (name, begins, said)
        for n in range(min(2000, (said.retry_at - begins) // MINUTE + 1)):
            at = begins + n * MINUTE
            assert at >= said.retry_at or isinstance(ask(laid, (name,), at, *past, ring_s=ring), Deny), (name, at)
    assert seen > 5


def attempt(at: datetime) -> Touch:
    return Touch(at, Channel.VOICE, Purpose.COLLECTION, Reach.RANG, "NOA", 1)


@pytest.mark.parametrize("seed", range(4))
def test_days_are_counted_by_the_date_on_the_wall_however_long_they_are(seed: int) -> None:
    dice = random.Random(2000 + seed)
    full = 0
    for name, change in places(dice, 30):
        where, n, most = ZoneInfo(name), dice.choice((1, 1, 2, 7)), dice.choice((1, 2, 3))
        limit = Limit("x", Scope.PERSON, Reach.ATTEMPT, most, Period.LOCAL_DAYS, n)
        laid = stack([profile(hours=(), limits=(limit,))])
        for _ in range(6):
            at = change + timedelta(minutes=dice.randrange(-1600, 1600))
            past = sorted(at - timedelta(minutes=dice.randrange(1, n * 1600)) for _ in range(dice.choice((1, 2, 4))))

            def counted(now: datetime, past: list[datetime] = past, where: ZoneInfo = where, n: int = n) -> int:
                """How many fell on the date on the wall, or on one of the n - 1 dates before it."""
                today: date = now.astimezone(where).date()
                return sum((today - then.astimezone(where).date()).days < n for then in past)

            said = ask(laid, (name,), at, *map(attempt, past))
            assert isinstance(said, Allow) == (counted(at) < most), (name, at, past, limit)
            if isinstance(said, Deny):
                full += 1
                assert said.code is Denial.FREQUENCY
                assert said.retry_at is not None
                assert counted(said.retry_at) < most <= counted(said.retry_at - MINUTE / 60), (name, at, said)
    assert full > 50
