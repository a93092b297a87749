"""Hours of a floor under the virtual clock, with every promise checked after every event."""

from __future__ import annotations

import asyncio
import random
from datetime import UTC, datetime, timedelta

from cadencia.domain.dialing import CampaignSettings, Mode
from cadencia.errors import StoreError
from cadencia.store.memory import MemoryStore
from cadencia.testing.checker import Checker, RecordingStore
from cadencia.testing.floor import Floor, agent_ids, make_floor
from cadencia.testing.virtual import VirtualLoop, run_virtual

RATIO = CampaignSettings(mode=Mode.RATIO, ratio=2.0)


async def watched_floor(
    agents: int,
    contacts: int,
    *,
    seed: int,
    settings: CampaignSettings = RATIO,
    at: datetime | None = None,
    preview: bool = False,
) -> tuple[Floor, Checker, RecordingStore]:
    loop = asyncio.get_running_loop()
    assert isinstance(loop, VirtualLoop)
    clock = loop.clock(at) if at else loop.clock()
    store = RecordingStore(MemoryStore())
    floor = await make_floor(clock, agents=agents, contacts=contacts, settings=settings, seed=seed, store=store)

    def seats() -> dict[str, tuple[str, str | None]]:
        return {
            name: (seat.state, seat.call.attempt_id if seat.call else None)
            for name, seat in floor.engine.staff.seats.items()
        }

    checker = Checker(
        clock,
        floor.switch,
        store,
        seats,
        cap_per_day=settings.attempts_per_day,
        min_ring_s=settings.min_ring_s,
        linked=lambda: floor.engine.health()["switch"],
        preview=preview,
    )
    await floor.engine.start()
    await floor.engine.ready_to_dial(5)
    return floor, checker, store


async def close(floor: Floor, checker: Checker) -> None:
    await floor.engine.stop(drain_s=120, hang_up=True)
    await floor.stop_agents()
    checker.finish()


async def mischief(floor: Floor, rng: random.Random) -> None:
    """What a day brings: telephones that fall, a network that blinks, bridges refused, events and answers lost."""
    floor.switch.faults.refuse_bridge = 0.01
    floor.switch.faults.lose_hangup = 0.005
    floor.switch.faults.lose_event = 0.0005
    floor.switch.faults.lose_answer = 0.0005
    while True:
        await asyncio.sleep(rng.expovariate(1 / 300.0))
        kind = rng.choice(("telephone", "telephone", "network", "server"))
        if kind == "telephone":
            floor.switch.drop_telephone(rng.choice(sorted(floor.switch.endpoints)))
        elif kind == "network":
            floor.server.disconnect()
            floor.refuse = True
            await asyncio.sleep(rng.uniform(0.1, 5.0))
            floor.refuse = False
        else:
            floor.switch.stop()
            floor.server.disconnect()


def test_eight_hours_of_thirty_agents_keep_every_promise() -> None:
    async def day() -> None:
        floor, checker, store = await watched_floor(30, 12_000, seed=11)
        floor.start_agents(agent_ids(floor))
        trouble = asyncio.get_running_loop().create_task(mischief(floor, random.Random(11)))
        await asyncio.sleep(8 * 3600)
        trouble.cancel()
        await close(floor, checker)
        assert checker.violations == []
        assert len(store.sending) > 10_000
        counts = await floor.store.counts("c1")
        assert counts.unaccounted == 0
        assert counts.attempts == len(store.sending)
        assert sum(counts.outcomes.values()) == counts.attempts
        assert counts.connected > 3_000

    run_virtual(day())


def test_the_same_seed_gives_the_same_log() -> None:
    async def log(seed: int) -> list[tuple[str, str | None]]:
        floor, checker, _ = await watched_floor(5, 600, seed=seed)
        floor.start_agents(agent_ids(floor))
        await asyncio.sleep(1200)
        await close(floor, checker)
        return [(event.kind, event.attempt_id) for event in await floor.store.events(limit=100_000)]

    first = run_virtual(log(3))
    assert len(first) > 500
    assert first == run_virtual(log(3))
    assert first != run_virtual(log(4))


def test_the_window_closes_and_nobody_is_called_after_it() -> None:
    async def evening() -> None:
        # Friday 18:30 in Bogotá: half an hour of dialling, then none until Saturday 08:00.
        floor, checker, store = await watched_floor(8, 3_000, seed=5, at=datetime(2026, 11, 27, 23, 30, tzinfo=UTC))
        floor.start_agents(agent_ids(floor))
        await asyncio.sleep(1800)
        at_close = len(store.sending)
        await asyncio.sleep(12 * 3600)
        assert at_close > 100
        assert len(store.sending) == at_close
        await asyncio.sleep(2 * 3600)
        assert len(store.sending) > at_close
        await close(floor, checker)
        assert checker.violations == []

    run_virtual(evening())


def test_the_last_agent_goes_and_the_dialling_stops() -> None:
    async def leave() -> None:
        floor, checker, store = await watched_floor(6, 2_000, seed=7)
        ids = agent_ids(floor)
        floor.start_agents(ids)
        await asyncio.sleep(600)
        await floor.stop_agents()
        for agent_id in ids:
            await floor.engine.pause(agent_id, "almuerzo")
        await asyncio.sleep(400)  # conversations and wrap-ups end, everybody is paused
        dialled = len(store.sending)
        assert all(state == "paused" for state in [s.state for s in floor.engine.staff.seats.values()])
        await asyncio.sleep(600)
        assert len(store.sending) == dialled
        await close(floor, checker)
        assert checker.violations == []

    run_virtual(leave())


def test_a_store_that_fails_stops_the_dialling_and_loses_nothing() -> None:
    async def outage() -> None:
        floor, checker, store = await watched_floor(6, 2_000, seed=9)
        floor.start_agents(agent_ids(floor))
        await asyncio.sleep(300)

        def fail() -> None:
            raise StoreError("the disk is full", "Free some space.")

        store.failing = fail
        before = len(store.sending)
        await asyncio.sleep(120)
        assert len(store.sending) == before
        assert not floor.engine.health()["store"]
        store.failing = lambda: None
        await asyncio.sleep(300)
        assert len(store.sending) > before
        await close(floor, checker)
        assert checker.violations == []

    run_virtual(outage())


def test_a_commit_whose_answer_is_lost_leaves_nothing_open() -> None:
    async def doubt() -> None:
        floor, checker, store = await watched_floor(6, 2_000, seed=19)
        floor.start_agents(agent_ids(floor))
        await asyncio.sleep(120)
        rng = random.Random(19)

        def sometimes() -> None:
            if rng.random() < 0.4:
                raise StoreError("the connection was lost", "It comes back.")

        store.failing_late = sometimes
        await asyncio.sleep(900)
        store.failing_late = lambda: None
        await asyncio.sleep(60)
        never_dialled = [a for a in store.sending if a not in checker.dialled]
        assert len(never_dialled) > 10
        await close(floor, checker)
        assert checker.violations == []

    run_virtual(doubt())


def test_an_engine_that_dies_is_followed_by_one_that_takes_over() -> None:
    async def crash() -> None:
        floor, checker, store = await watched_floor(10, 4_000, seed=13)
        ids = agent_ids(floor)
        floor.start_agents(ids)
        for generation in range(5):
            await asyncio.sleep(301.7)
            await floor.stop_agents()
            for task in [*floor.engine._tasks, *floor.engine.context.tasks]:
                task.cancel()  # no farewell, nothing flushed
            floor.server.disconnect()
            await asyncio.sleep(1.0)
            await store.close()
            floor.new_engine(100 + generation)
            floor.start_agents(ids)
            await floor.engine.start()
            await floor.engine.ready_to_dial(5)
            began = floor.clock.monotonic()
            while sum(seat.leg_up for seat in floor.engine.staff.seats.values()) < 10:
                await asyncio.sleep(0.1)
            assert floor.clock.monotonic() - began <= 5.0
        await close(floor, checker)
        assert checker.violations == []

    run_virtual(crash())


def test_a_clock_that_jumps_cannot_break_the_cap() -> None:
    async def jump() -> None:
        settings = CampaignSettings(mode=Mode.RATIO, ratio=3.0, retry_minutes=1, attempts_per_day=2)
        floor, checker, store = await watched_floor(6, 60, seed=17, settings=settings)
        floor.start_agents(agent_ids(floor))
        for _ in range(6):
            await asyncio.sleep(600)
            loop = asyncio.get_running_loop()
            assert isinstance(loop, VirtualLoop)
            loop.jump(timedelta(minutes=20).total_seconds())
        await close(floor, checker)
        assert checker.violations == []
        assert len(store.sending) <= 60 * 2 + sum(1 for s in store.settled.values() if not s.charged)

    run_virtual(jump())
