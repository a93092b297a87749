"""Somebody sets the machine's clock while calls go on: a call must be lawful at both times, and no list is lost."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

from cadencia.clock import SimulatedClock
from cadencia.dialer.steps import WallWatch
from cadencia.domain.dialing import CampaignSettings, Mode
from cadencia.testing.engine_process import SetClock
from cadencia.testing.floor import Floor, agent_ids, make_floor
from cadencia.testing.virtual import VirtualLoop, run_virtual

SETTINGS = CampaignSettings(mode=Mode.PROGRESSIVE)

#: Tuesday 18:30 in Bogotá; the window closes at 19:00.
EVENING = datetime(2026, 11, 24, 23, 30, tzinfo=UTC)


async def floor_at(at: datetime) -> tuple[Floor, SetClock]:
    loop = asyncio.get_running_loop()
    assert isinstance(loop, VirtualLoop)
    plain = loop.clock(at)
    assert isinstance(plain, SimulatedClock)
    clock = SetClock(plain.anchor, loop.time)
    floor = await make_floor(clock, agents=5, contacts=2000, settings=SETTINGS)
    await floor.engine.start()
    await floor.engine.ready_to_dial(5)
    floor.start_agents(agent_ids(floor), breaks=0.0)
    return floor, clock


async def attempts_in(floor: Floor, seconds: float) -> int:
    before = floor.engine.runners["c1"].counts.attempts
    await asyncio.sleep(seconds)
    return floor.engine.runners["c1"].counts.attempts - before


async def close(floor: Floor) -> None:
    await floor.engine.stop(drain_s=60, hang_up=True)
    await floor.stop_agents()


def test_a_clock_that_is_set_back_in_the_evening_opens_no_window() -> None:
    async def evening() -> None:
        floor, clock = await floor_at(EVENING)
        assert await attempts_in(floor, 900) > 20
        await asyncio.sleep(2700)  # 19:30
        assert await attempts_in(floor, 300) == 0
        clock.step -= timedelta(hours=1)  # it says 18:35 now
        assert await attempts_in(floor, 600) == 0
        (told,) = await floor.store.events(kinds=["engine.clock_set"])
        assert told.body["seconds"] == -3600.0
        await close(floor)

    run_virtual(evening())


def test_a_clock_that_is_set_on_into_the_evening_closes_the_window_and_back_again_opens_it() -> None:
    async def evening() -> None:
        floor, clock = await floor_at(EVENING - timedelta(minutes=30))
        assert await attempts_in(floor, 300) > 5
        clock.step += timedelta(hours=1)  # 18:05 has become 19:05
        await asyncio.sleep(1)
        assert await attempts_in(floor, 300) == 0
        clock.step -= timedelta(hours=1)
        assert await attempts_in(floor, 300) > 5
        await close(floor)

    run_virtual(evening())


def test_a_clock_that_is_slewed_is_not_set() -> None:
    async def night() -> None:
        loop = asyncio.get_running_loop()
        assert isinstance(loop, VirtualLoop)
        plain = loop.clock(EVENING)
        assert isinstance(plain, SimulatedClock)
        clock = SetClock(plain.anchor, loop.time)
        watch = WallWatch(clock)
        for _ in range(3600):
            await asyncio.sleep(1)
            clock.step += timedelta(milliseconds=0.5)  # the most that NTP slews (RFC 5905)
            assert watch.look() is None
        now, steady = watch.instants()
        assert now == steady

    run_virtual(night())
