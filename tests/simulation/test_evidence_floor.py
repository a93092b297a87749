"""A floor whose log becomes evidence: a second behind, whole after every trouble, and never in the way of a call."""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime

import msgspec
import pytest

from cadencia.clock import Clock
from cadencia.compliance.evidence_check import Trust
from cadencia.compliance.evidence_events import is_evidence
from cadencia.compliance.signing import Key
from cadencia.errors import StoreError
from cadencia.store.evidence_export import StoreReport, verify_store
from cadencia.store.evidence_port import KeptRow, Seal, Sealed
from cadencia.store.memory import MemoryStore
from cadencia.testing.floor import Floor, agent_ids, make_floor
from cadencia.testing.virtual import VirtualLoop, run_virtual

KEY = Key.new()

#: 09:00 and 18:30 in Bogotá, a Tuesday.
MORNING = datetime(2026, 11, 24, 14, 0, tzinfo=UTC)
EVENING = datetime(2026, 11, 24, 23, 30, tzinfo=UTC)


def clock_at(at: datetime) -> Clock:
    loop = asyncio.get_running_loop()
    assert isinstance(loop, VirtualLoop)
    return loop.clock(at)


class Troubled(MemoryStore):
    """Seals, unless it is told to fail."""

    trouble: Exception | None = None
    asked = 0

    async def seal(self, seal: Seal) -> Sealed:
        self.asked += 1
        if self.trouble is not None:
            raise self.trouble
        return await super().seal(replace(seal, limit=150))


async def sealing_floor(at: datetime, seed: int) -> tuple[Floor, Troubled]:
    store = Troubled(keep_events=200_000)
    floor = await make_floor(clock_at(at), agents=6, contacts=2_000, seed=seed, store=store)
    start(floor)
    await floor.engine.start()
    await floor.engine.ready_to_dial(10.0)
    return floor, store


def start(floor: Floor) -> None:
    floor.engine.options = replace(floor.engine.options, signer=KEY)


async def rows_of(store: MemoryStore) -> list[KeptRow]:
    found: list[KeptRow] = []
    for chain in await store.chains():
        found += [row async for row in store.chain_rows(chain)]
    return found


async def whole(store: MemoryStore) -> int:
    """Each event that is evidence is in it once, in order, and nothing is altered; how many there are."""
    faults = [f async for f in verify_store(store, Trust(frozenset({KEY.public})), StoreReport())]
    assert faults == []
    rows = [row.row.body for row in await rows_of(store)]
    wanted = [e.seq for e in await store.events(limit=200_000) if is_evidence(e)]
    assert [msgspec.json.decode(body)["event"] for body in rows] == wanted
    return len(rows)


def lag_s(floor: Floor) -> float:
    return floor.tally.metrics.registry.get_sample_value("cadencia_evidence_lag_seconds") or 0.0


@pytest.mark.parametrize("trouble", [StoreError("the disk is full"), ValueError("a fault of ours")])
def test_a_floor_is_sealed_a_second_behind_and_whole_after_any_trouble(trouble: Exception) -> None:
    async def morning() -> None:
        floor, store = await sealing_floor(MORNING, 3)
        floor.start_agents(agent_ids(floor))
        await asyncio.sleep(300)
        assert lag_s(floor) < 2.0
        calls = (await store.counts("c1")).attempts
        assert calls > 30
        store.trouble = trouble
        await asyncio.sleep(120)
        assert lag_s(floor) > 60.0
        assert floor.engine.health()["engine"] and not floor.engine.failed
        assert (await store.counts("c1")).attempts > calls + 10, "the dialling goes on"
        store.trouble = None
        await asyncio.sleep(10)
        assert lag_s(floor) < 2.0
        await floor.engine.stop(drain_s=120, hang_up=True)
        await floor.stop_agents()
        assert await whole(store) > 150
        assert (floor.tally.metrics.registry.get_sample_value("cadencia_evidence_rows_total") or 0) > 150

    run_virtual(morning())


def test_a_restart_goes_on_with_the_chain_and_a_new_day_begins_another() -> None:
    async def days() -> None:
        floor, store = await sealing_floor(EVENING, 5)
        floor.start_agents(agent_ids(floor))
        await asyncio.sleep(300)
        store.trouble = StoreError("gone")  # what the stop cannot seal, the next start does
        await floor.engine.stop(drain_s=60, hang_up=True)
        await floor.stop_agents()
        sealed = (await store.chains())[0].rows
        store.trouble = None
        floor.new_engine(6)
        start(floor)
        await floor.engine.start()
        await asyncio.sleep(3)
        (chain,) = await store.chains()
        assert chain.rows > sealed > 50
        await asyncio.sleep(6 * 3600)
        await floor.engine.stop()
        assert [c.header.day.isoformat() for c in await store.chains()] == ["2026-11-24", "2026-11-25"]
        assert [c.root.read().closed for c in await store.chains()] == [True, False]
        await whole(store)

    run_virtual(days())


def test_without_a_key_nothing_is_sealed() -> None:
    async def quiet() -> None:
        store = Troubled()
        floor = await make_floor(clock_at(MORNING), agents=2, contacts=50, store=store)
        await floor.engine.start()
        await asyncio.sleep(5)
        await floor.engine.stop()
        assert store.asked == 0 and await store.chains() == ()

    run_virtual(quiet())


def test_kinds_of_rows_on_a_floor() -> None:
    async def morning() -> None:
        floor, store = await sealing_floor(MORNING, 9)
        floor.start_agents(agent_ids(floor))
        await asyncio.sleep(600)
        await floor.engine.stop(drain_s=120, hang_up=True)
        await floor.stop_agents()
        kinds = Counter(row.kind for row in await rows_of(store))
        settled = kinds["attempt.settled"]
        assert kinds["attempt.leased"] == settled + kinds["attempt.returned"] and settled > 50
        (chain,) = await store.chains()
        tallies = chain.root.read().tallies
        assert tallies["allows"] == kinds["attempt.leased"] and sum(tallies["attempts"].values()) == settled

    run_virtual(morning())
