"""The nightly re-check: once a night, after two, again where the store failed, and loud about what it finds."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from types import SimpleNamespace
from typing import Any, cast

import structlog

from cadencia.dialer.nightly import Nightly, nights, span
from cadencia.domain.events import Event
from cadencia.errors import StoreError, Words
from tests.support.law_vectors import VECTORS, Vector
from tests.support.law_worlds import dossier, of_vector


def case(name: str) -> Vector:
    return next(v for v in VECTORS if v.name == name)


LAWFUL, UNLAWFUL = case("co monday last second without a ring"), case("co monday at closing")


class Night:
    """What the walk stands on: a clock, a store with dossiers, a log and an observer."""

    def __init__(self, *vectors: Vector) -> None:
        self.at = datetime(2026, 3, 3, 6, 59, tzinfo=UTC)
        self.pages, self.fails = [(n + 1, dossier(of_vector(v))) for n, v in enumerate(vectors)], False
        self.asked: list[tuple[datetime, datetime]] = []
        self.log: list[Event] = []
        self.seen: list[tuple[date, int]] = []

    def now(self) -> datetime:
        return self.at

    def append(self, event: Event) -> None:
        self.log.append(event)

    def rechecked(self, day: date, violations: int) -> None:
        self.seen.append((day, violations))

    async def events(self, after: int, kinds: Any) -> list[Event]:
        return [] if after else [Event(e.kind, e.at, body=e.body, seq=n + 1) for n, e in enumerate(self.log)]

    async def dossiers(self, since: datetime, until: datetime, after: int, limit: int) -> Any:
        if self.fails:
            raise StoreError(Words("gone", "no está"))
        self.asked.append((since, until))
        return [page for page in self.pages if page[0] > after]

    async def attempt_events(self, attempt_id: str) -> list[Event]:
        return [Event("attempt.leased", self.at, "c1", 5, attempt_id)]

    def nightly(self) -> Nightly:
        return Nightly(cast(Any, SimpleNamespace(clock=self, store=self, ledger=self, observer=self)))


async def test_it_walks_yesterday_once_after_two() -> None:
    night = Night(LAWFUL)
    nightly = night.nightly()
    await nightly.look()
    assert night.asked == []
    night.at += timedelta(minutes=1)  # 02:00 in Bogotá
    await nightly.look()
    await nightly.look()
    assert [e.kind for e in night.log] == ["law.recheck"]
    assert night.log[0].body == {
        "day": "2026-03-02",
        "persons": 1,
        "contacts": 1,
        "violations": 0,
        "by_rule": {},
        "first": [],
    }
    assert night.asked[0] == (datetime(2026, 3, 2, 5, tzinfo=UTC), datetime(2026, 3, 3, 5, tzinfo=UTC))
    await night.nightly().look()  # an engine that starts later the same day knows from the log
    assert len(night.log) == 1
    night.at += timedelta(days=1)
    await nightly.look()
    assert [e.body["day"] for e in night.log] == ["2026-03-02", "2026-03-03"]


async def test_a_violation_is_told_loudly() -> None:
    night = Night(LAWFUL, UNLAWFUL)
    night.at += timedelta(hours=1)
    with structlog.testing.capture_logs() as lines:
        await night.nightly().look()
    assert night.seen == [(date(2026, 3, 2), 1)]
    assert (night.log[0].body["violations"], night.log[0].body["by_rule"]) == (1, {"CO-3": 1})
    (found,) = night.log[0].body["first"]
    assert (found["rule"], found["profile"], found["campaign"], found["contact_id"]) == ("CO-3", "co-ley2300", "c1", 5)
    assert found["attempt"] and found["at"].startswith("2026-03-03T00:00") and found["es"] != found["en"]
    told = [(line["event"], line["log_level"]) for line in lines]
    assert told == [("law.violation", "error"), ("law.rechecked", "error")]


async def test_the_newest_nights_come_first_and_no_more_than_asked_for() -> None:
    night = Night()
    for n in range(20):
        night.append(Event("law.recheck", night.at, body={"day": f"2026-03-{n + 1:02}"}))
    days = [event.body["day"] for event in await nights(cast(Any, night))]
    assert (len(days), days[0], days[-1]) == (14, "2026-03-20", "2026-03-07")


async def test_a_store_that_fails_is_asked_again() -> None:
    night = Night(LAWFUL)
    night.at += timedelta(hours=1)
    night.fails = True
    nightly = night.nightly()
    for _ in range(2):
        try:
            await nightly.look()
        except StoreError:
            night.fails = False
    assert len(night.log) == 1


def test_a_day_begins_at_midnight_where_the_law_is() -> None:
    assert span(date(2026, 11, 23))[0] == datetime(2026, 11, 23, 5, tzinfo=UTC)
