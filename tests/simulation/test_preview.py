"""Preview: an agent sees the file first and says whether to dial. Its rules one by one, and hours of a floor."""

from __future__ import annotations

import asyncio
import random
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from cadencia.dialer.views import AgentView
from cadencia.domain.agents import SKIP_REASONS
from cadencia.domain.dialing import CampaignSettings, Mode
from cadencia.errors import Refused, StoreError
from cadencia.pacing.worlds import World
from cadencia.store.memory import MemoryStore
from cadencia.testing.checker import RecordingStore
from cadencia.testing.floor import Floor, agent_ids, make_floor
from cadencia.testing.virtual import VirtualLoop, run_virtual

sys.path.insert(0, str(Path(__file__).parent))
from test_floor_day import close, mischief, watched_floor

PREVIEW = CampaignSettings(mode=Mode.PREVIEW, min_ring_s=5)

#: Everybody answers; nobody answers.
TALKERS = World(live=1.0, machine=0.0, no_answer=0.0, busy=0.0, off=0.0, congestion=0.0, invalid_lines=0.0)
NOBODY = replace(TALKERS, live=0.0, no_answer=1.0)

ANA, LUZ = "ag0001", "ag0002"


@asynccontextmanager
async def page_of(floor: Floor, agent_id: str) -> AsyncIterator[None]:
    """The agent's page is open."""

    async def listen() -> None:
        async for _ in floor.engine.hub.listen([f"agent/{agent_id}"]):
            pass

    task = asyncio.get_running_loop().create_task(listen())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def on_a_floor(
    test: Callable[[Floor], Awaitable[None]],
    *,
    agents: int = 1,
    contacts: int = 50,
    world: World = TALKERS,
    settings: CampaignSettings = PREVIEW,
    at: datetime | None = None,
    store: RecordingStore | None = None,
) -> None:
    """One agent, Ana, is ready and looks at her page."""

    async def run() -> None:
        loop = asyncio.get_running_loop()
        assert isinstance(loop, VirtualLoop)
        clock = loop.clock(at) if at else loop.clock()
        floor = await make_floor(clock, agents=agents, contacts=contacts, world=world, settings=settings, store=store)
        await floor.engine.start()
        await floor.engine.ready_to_dial(5)
        async with page_of(floor, ANA):
            await at_work(floor, ANA)
            await test(floor)
        await floor.engine.stop(drain_s=60, hang_up=True)
        left = await floor.store.counts("c1")
        assert left.unaccounted == 0
        assert await floor.store.open_attempts() == ()

    run_virtual(run())


async def at_work(floor: Floor, agent_id: str) -> None:
    await floor.engine.sign_in(agent_id)
    await until(floor, agent_id, "paused")
    await floor.engine.ready(agent_id)


async def until(floor: Floor, agent_id: str, *states: str, not_attempt: str = "") -> AgentView:
    for _ in range(6000):
        view = floor.engine.agent(agent_id)
        if view.state in states and (view.pop is None or view.pop.attempt_id != not_attempt):
            return view
        await asyncio.sleep(0.05)
    raise AssertionError(f"{agent_id} is {view.state}, not {states}")


async def file_of(floor: Floor, agent_id: str = ANA, *, after: str = "") -> str:
    """The attempt whose file lies before the agent."""
    view = await until(floor, agent_id, "preview", not_attempt=after)
    assert view.pop is not None
    return view.pop.attempt_id


async def returned(floor: Floor) -> dict[str | None, str]:
    return {e.attempt_id: e.body["reason"] for e in await floor.store.events(kinds=("attempt.returned",))}


async def dialled(floor: Floor) -> list[str | None]:
    return [e.attempt_id for e in await floor.store.events(kinds=("attempt.sending",))]


# -- the choice --------------------------------------------------------------------------------------------------------
def test_the_file_is_shown_without_amounts_and_nobody_is_dialled_before_the_choice() -> None:
    async def test(floor: Floor) -> None:
        view = await until(floor, ANA, "preview")
        assert view.pop is not None and view.preview_until is not None
        assert timedelta(0) < view.preview_until - floor.clock.now() <= timedelta(seconds=20)
        assert view.pop.answered_at is None
        assert all(o.balance_minor is None and o.overdue_minor is None for o in view.pop.obligations)
        with pytest.raises(Refused, match="put through"):
            await floor.engine.confirm(ANA, view.pop.attempt_id)
        await asyncio.sleep(10)
        assert floor.engine.agent(ANA).state == "preview"
        assert await dialled(floor) == []
        assert floor.engine.floor().agents[0].campaign_id == "c1"
        assert floor.engine.floor().campaigns[0].reason == "agent-chooses"
        (seen,) = await floor.store.events(kinds=("attempt.previewed",))
        assert (seen.attempt_id, seen.agent_id) == (view.pop.attempt_id, ANA)

    on_a_floor(test)


def test_who_answers_is_put_through_to_the_agent_who_chose() -> None:
    async def test(floor: Floor) -> None:
        attempt = await file_of(floor)
        await at_work(floor, LUZ)
        other = await file_of(floor, LUZ)
        assert other != attempt
        await floor.engine.dial(ANA, attempt)
        await floor.engine.dial(ANA, attempt)  # pressed twice
        view = floor.engine.agent(ANA)
        assert (view.state, view.pop and view.pop.attempt_id) == ("reserved", attempt)
        # Luz skips one file after the other meanwhile: she has always waited longer than Ana.
        for _ in range(3):
            await floor.engine.skip(LUZ, await file_of(floor, LUZ), "otro")
        talking = await until(floor, ANA, "talking")
        assert talking.pop is not None
        assert talking.pop.attempt_id == attempt
        assert talking.pop.answered_at is not None
        assert await dialled(floor) == [attempt]

    on_a_floor(test, agents=2)


def test_an_unanswered_call_ends_with_its_outcome_and_the_next_file_comes() -> None:
    async def test(floor: Floor) -> None:
        attempt = await file_of(floor)
        await floor.engine.dial(ANA, attempt)
        following = await file_of(floor, after=attempt)
        view = floor.engine.agent(ANA)
        assert view.came_of == "NOA"
        assert following != attempt
        await floor.engine.dial(ANA, following)
        assert floor.engine.agent(ANA).came_of == ""

    on_a_floor(test, world=NOBODY)


def test_a_skipped_person_is_not_offered_again_before_the_retry() -> None:
    async def test(floor: Floor) -> None:
        with pytest.raises(Refused, match="no reason"):
            await floor.engine.skip(ANA, await file_of(floor), "porque sí")
        last = ""
        for reason in SKIP_REASONS[:3]:
            last = await file_of(floor, after=last)
            await floor.engine.skip(ANA, last, reason)
            await asyncio.sleep(1)
        events = await floor.store.events(kinds=("attempt.previewed",))
        seen = [event.contact_id for event in events]
        assert len(set(seen)) == 3 == len(seen)
        told = await returned(floor)
        assert [told[event.attempt_id] for event in events] == [f"skipped:{r}" for r in SKIP_REASONS[:3]]
        assert floor.engine.agent(ANA).state == "ready"  # nobody is left for now
        await asyncio.sleep(30 * 60 - 30)
        assert floor.engine.agent(ANA).state == "ready"
        await asyncio.sleep(40)
        assert floor.engine.agent(ANA).state == "preview"
        assert await dialled(floor) == []

    on_a_floor(test, contacts=3, settings=replace(PREVIEW, retry_minutes=30))


def test_what_is_not_on_the_screen_any_more_is_neither_dialled_nor_skipped() -> None:
    async def test(floor: Floor) -> None:
        attempt = await file_of(floor)
        await floor.engine.skip(ANA, attempt, "otro")
        for late in (floor.engine.dial(ANA, attempt), floor.engine.skip(ANA, attempt, "otro")):
            with pytest.raises(Refused, match="not on your screen"):
                await late
        assert (await file_of(floor)) != attempt

    on_a_floor(test)


# -- when the time is over ---------------------------------------------------------------------------------------------
def test_when_the_time_is_over_it_is_dialled() -> None:
    async def test(floor: Floor) -> None:
        attempt = await file_of(floor)
        await asyncio.sleep(20.1)
        assert floor.engine.agent(ANA).state in ("reserved", "talking")
        assert await dialled(floor) == [attempt]

    on_a_floor(test)


@pytest.mark.parametrize("why", ["the campaign says so", "no page is open"])
def test_or_the_agent_is_paused_and_the_contact_given_back(why: str) -> None:
    async def test(floor: Floor) -> None:
        if why == "no page is open":
            await at_work(floor, LUZ)
        who = LUZ if why == "no page is open" else ANA
        attempt = await file_of(floor, who)
        await asyncio.sleep(20.1)
        view = floor.engine.agent(who)
        assert (view.state, view.reason, view.pop) == ("paused", "previa_vencida", None)
        assert (await returned(floor))[attempt] == "not chosen"
        assert attempt not in await dialled(floor)

    settings = replace(PREVIEW, preview_auto_dial=why == "no page is open")
    on_a_floor(test, agents=2, settings=settings)


def test_a_file_shown_just_before_the_window_closes_is_not_dialled_after_it() -> None:
    async def test(floor: Floor) -> None:
        attempt = await file_of(floor)
        assert attempt
        await asyncio.sleep(60)
        with pytest.raises(Refused, match="Too close") as told:
            await floor.engine.dial(ANA, attempt)
        assert "No se puede llamar" in told.value.message.es  # type: ignore[union-attr]
        await asyncio.sleep(120)
        view = floor.engine.agent(ANA)
        assert (view.state, view.came_of) == ("ready", "BLQ-HORARIO-MARGEN")
        assert await dialled(floor) == []

    # Friday 18:59 in Bogotá; with 25 s of ringing nobody is dialled after 18:59:35.
    friday = datetime(2026, 11, 27, 23, 58, 40, tzinfo=UTC)
    on_a_floor(test, settings=replace(PREVIEW, preview_s=300), at=friday)


# -- what takes the file away ------------------------------------------------------------------------------------------
@pytest.mark.parametrize("what", ["pause", "sign_out", "telephone", "campaign paused", "campaign stopped"])
def test_whatever_takes_the_file_away_gives_the_contact_back_at_once(what: str) -> None:
    async def test(floor: Floor) -> None:
        engine = floor.engine
        attempt = await file_of(floor)
        if what == "pause":
            await engine.pause(ANA, "almuerzo")
            assert floor.engine.agent(ANA).reason == "almuerzo"
        elif what == "sign_out":
            await engine.sign_out(ANA)
        elif what == "telephone":
            floor.switch.drop_telephone("a1001")
            await until(floor, ANA, "connecting")
        elif what == "campaign paused":
            await engine.pause_campaign("c1", "sup", "x")
            assert engine.agent(ANA).state == "ready"
        else:
            await engine.stop_campaign("c1", "sup", "x")
            assert engine.agent(ANA).state == "ready"
        assert engine.agent(ANA).pop is None
        await asyncio.sleep(0.5)
        assert (await returned(floor))[attempt] == "not chosen"
        if what == "telephone":
            assert await file_of(floor) != attempt  # the same person, by a new attempt
        await asyncio.sleep(30)
        assert attempt not in await dialled(floor)

    on_a_floor(test, contacts=1)


def test_a_change_of_mode_leaves_the_file_to_the_agent_and_loses_no_call() -> None:
    async def test(floor: Floor) -> None:
        engine = floor.engine
        attempt = await file_of(floor)
        await engine.set_campaign("c1", {"mode": "progressive"}, "sup", "faster")
        await asyncio.sleep(2)
        assert await file_of(floor) == attempt
        await engine.dial(ANA, attempt)
        await until(floor, ANA, "talking")
        # And the other way round: a call that rings for whoever is ready is not robbed of its agent by a file.
        await at_work(floor, LUZ)
        await until(floor, LUZ, "ready")
        for _ in range(200):
            if engine.floor().campaigns[0].dialling:
                break
            await asyncio.sleep(0.05)
        assert engine.floor().campaigns[0].dialling == 1
        await engine.set_campaign("c1", {"mode": "preview"}, "sup", "slower")
        await until(floor, LUZ, "talking")
        assert engine.floor().campaigns[0].abandoned == 0

    on_a_floor(test, agents=2)


def test_the_store_fails_while_a_file_is_on_the_screen() -> None:
    store = RecordingStore(MemoryStore())

    async def test(floor: Floor) -> None:
        attempt = await file_of(floor)

        def fail() -> None:
            raise StoreError("gone", "wait")

        store.failing = fail
        await floor.engine.dial(ANA, attempt)  # nobody knows yet
        await until(floor, ANA, "ready")
        assert floor.engine.agent(ANA).came_of == "CAN"
        await asyncio.sleep(10)
        assert floor.engine.agent(ANA).state == "ready"
        store.failing = lambda: None
        following = await file_of(floor)
        assert following != attempt
        assert store.sending == {}

    on_a_floor(test, store=store)


def test_without_the_switch_the_file_stays_and_at_the_end_of_its_time_is_given_back() -> None:
    async def test(floor: Floor) -> None:
        attempt = await file_of(floor)
        floor.refuse = True
        floor.server.disconnect()
        await asyncio.sleep(1)
        with pytest.raises(Refused, match="at this moment"):
            await floor.engine.dial(ANA, attempt)
        assert await file_of(floor) == attempt
        await asyncio.sleep(30)
        assert floor.engine.agent(ANA).pop is None
        floor.refuse = False
        assert await file_of(floor) != attempt
        assert await dialled(floor) == []

    on_a_floor(test)


# -- while it rings ----------------------------------------------------------------------------------------------------
def test_a_ringing_call_is_taken_back_at_its_minimum_ring() -> None:
    async def test(floor: Floor) -> None:
        attempt = await file_of(floor)
        await floor.engine.dial(ANA, attempt)
        for _ in range(400):
            ringing = next(iter(floor.engine.runners["c1"].dials.values())).ringing_s
            if ringing is not None:
                break
            await asyncio.sleep(0.05)
        assert ringing is not None
        await floor.engine.finish(ANA, attempt)
        view = floor.engine.agent(ANA)
        assert (view.state, view.hanging_up) == ("reserved", True)
        await until(floor, ANA, "preview", "ready")
        assert 5.0 <= floor.clock.monotonic() - ringing < 8.0
        assert floor.engine.agent(ANA).came_of == "CAN"
        (settled,) = await floor.store.events(kinds=("attempt.settled",))
        assert (settled.attempt_id, settled.body["outcome"], settled.body["charged"]) == (attempt, "CAN", True)

    on_a_floor(test, world=NOBODY)


def test_an_agent_whose_telephone_falls_while_it_rings_leaves_the_person_to_somebody_else_or_to_nobody() -> None:
    async def test(floor: Floor) -> None:
        attempt = await file_of(floor)
        await floor.engine.dial(ANA, attempt)
        await asyncio.sleep(0.5)
        floor.switch.drop_telephone("a1001")
        await until(floor, ANA, "connecting")
        # The telephone is called again. Until that call has ended Ana gets no file: who answers it finds her.
        await until(floor, ANA, "ready")
        assert floor.engine.agent(ANA).pop is None
        await until(floor, ANA, "preview", "talking")
        event, *_ = await floor.store.events(kinds=("attempt.settled", "attempt.connected"))
        assert event.attempt_id == attempt
        assert event.kind == "attempt.connected" or event.body["outcome"] == "CAN"

    on_a_floor(test)


def test_a_pause_asked_for_while_it_rings_comes_after_the_call() -> None:
    async def test(floor: Floor) -> None:
        await floor.engine.dial(ANA, await file_of(floor))
        await floor.engine.pause(ANA, "almuerzo")
        assert floor.engine.agent(ANA).next_pause == "almuerzo"
        view = await until(floor, ANA, "paused")
        assert view.reason == "almuerzo"

    on_a_floor(test, world=NOBODY)


# -- days --------------------------------------------------------------------------------------------------------------
def test_four_hours_of_twenty_agents_keep_every_promise() -> None:
    async def day() -> None:
        floor, checker, store = await watched_floor(20, 4_000, seed=31, settings=PREVIEW, preview=True)
        floor.start_agents(agent_ids(floor))
        trouble = asyncio.get_running_loop().create_task(mischief(floor, random.Random(31)))
        await asyncio.sleep(4 * 3600)
        trouble.cancel()
        await close(floor, checker)
        assert checker.violations == []
        counts = await floor.store.counts("c1")
        assert counts.unaccounted == 0
        assert counts.attempts == len(store.sending) == sum(counts.outcomes.values())
        assert counts.connected > 300
        assert counts.abandoned <= 0.01 * counts.answered_live  # only where a telephone or the network fell
        assert await floor.store.open_attempts() == ()

    run_virtual(day())


def test_an_engine_that_dies_with_files_on_the_screens_is_followed_by_one_that_takes_over() -> None:
    async def crash() -> None:
        floor, checker, store = await watched_floor(10, 4_000, seed=33, settings=PREVIEW, preview=True)
        ids = agent_ids(floor)
        floor.start_agents(ids)
        looking = ringing = 0
        for generation in range(8):
            await asyncio.sleep(181.3)
            states = [seat.state for seat in floor.engine.staff.seats.values()]
            looking, ringing = looking + states.count("preview"), ringing + states.count("reserved")
            await floor.stop_agents()
            for task in [*floor.engine._tasks, *floor.engine.context.tasks]:
                task.cancel()  # no farewell, nothing flushed
            floor.engine.context.stopping = True  # a dead engine's timers do nothing
            for seat in floor.engine.staff.seats.values():
                floor.engine.staff.close_file(seat)
            floor.server.disconnect()
            await asyncio.sleep(1.0)
            await store.close()
            floor.new_engine(200 + generation)
            floor.start_agents(ids)
            await floor.engine.start()
            assert all(seat.preview is None for seat in floor.engine.staff.seats.values())
            await floor.engine.ready_to_dial(5)
        await asyncio.sleep(120)
        assert looking > 5 and ringing > 5
        await close(floor, checker)
        assert checker.violations == []
        assert await floor.store.open_attempts() == ()
        counts = await floor.store.counts("c1")
        assert counts.abandoned <= 2

    run_virtual(crash())
