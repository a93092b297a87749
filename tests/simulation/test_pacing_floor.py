"""The controller in the engine, on a floor under the virtual clock: what it is told, shown, and asked to keep."""

from __future__ import annotations

import asyncio
import itertools
import random
import re
from collections import Counter, defaultdict
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest

from cadencia.dialer.campaign import CampaignRunner
from cadencia.dialer.counts import day_starts
from cadencia.domain.agents import AT_WORK, AgentState
from cadencia.domain.codes import Outcome
from cadencia.domain.dialing import Campaign, CampaignSettings, CampaignState, Mode
from cadencia.pacing import Count, PacingEvent, PacingEventKind
from cadencia.store.memory import MemoryStore
from cadencia.testing.checker import RecordingStore
from cadencia.testing.floor import Floor, agent_ids, make_floor, people
from cadencia.testing.virtual import VirtualLoop, run_virtual

#: A whole story of one attempt, a letter an event.
STORY = re.compile(r"L(A(CEJ?|B)|M|U|F|X)")
LETTERS = {
    PacingEventKind.LAUNCHED: "L",
    PacingEventKind.ANSWERED: "A",
    PacingEventKind.MACHINE: "M",
    PacingEventKind.UNANSWERED: "U",
    PacingEventKind.FAILED: "F",
    PacingEventKind.CANCELLED: "X",
    PacingEventKind.CONNECTED: "C",
    PacingEventKind.ENDED: "E",
    PacingEventKind.ABANDONED: "B",
    PacingEventKind.JUDGED: "J",
}

#: Tuesday, 08:00 in Bogotá.
MORNING = datetime(2026, 11, 24, 13, 0, tzinfo=UTC)


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> list[tuple[CampaignRunner, PacingEvent]]:
    """All that any controller is told, with whose it is."""
    heard: list[tuple[CampaignRunner, PacingEvent]] = []
    tell = CampaignRunner.tell

    def listen(runner: CampaignRunner, event: PacingEvent) -> None:
        heard.append((runner, event))
        tell(runner, event)

    monkeypatch.setattr(CampaignRunner, "tell", listen)
    return heard


def stories_of(events: list[PacingEvent]) -> dict[str, str]:
    """Each attempt's story, in letters."""
    stories: dict[str, str] = defaultdict(str)
    for event in events:
        if event.kind is not PacingEventKind.AGENT:
            stories[event.ref] += LETTERS[event.kind]
    return stories


async def opened(agents: int, contacts: int, **more: Any) -> Floor:
    loop = asyncio.get_running_loop()
    assert isinstance(loop, VirtualLoop)
    floor = await make_floor(loop.clock(MORNING), agents=agents, contacts=contacts, **more)
    await floor.engine.start()
    await floor.engine.ready_to_dial(5)
    floor.start_agents(agent_ids(floor))
    return floor


async def skip(seconds: float) -> None:
    """Let that much time pass at once, and a minute of it slowly."""
    loop = asyncio.get_running_loop()
    assert isinstance(loop, VirtualLoop)
    loop.jump(seconds - 60.0)
    await asyncio.sleep(60.0)


async def close(floor: Floor) -> None:
    await floor.engine.stop(drain_s=120, hang_up=True)
    await floor.stop_agents()


def test_every_attempt_is_told_as_one_whole_story_and_the_budget_counts_what_the_store_counts(
    told: list[tuple[CampaignRunner, PacingEvent]],
) -> None:
    async def day() -> None:
        store = RecordingStore(MemoryStore(keep_events=400_000))
        floor = await opened(12, 6_000, seed=3, store=store)
        floor.switch.faults.refuse_bridge = 0.01
        floor.switch.faults.lose_event = 0.001
        rng = random.Random(3)
        for n in range(40):
            await asyncio.sleep(120)
            changes = rng.choice(
                (
                    {"mode": "predictive"},
                    {"mode": "ratio", "ratio": 2.5},
                    {"mode": "progressive"},
                    {"abandonment_target": 0.01},
                    {"cancel_late": False},
                )
            )
            await floor.engine.set_campaign("c1", changes, "ana", "prueba")
            if n % 10 == 4:
                floor.switch.drop_telephone(rng.choice(sorted(floor.switch.endpoints)))
                floor.server.disconnect()
            msgspec.json.encode(floor.engine.floor())  # whatever the forecast is made of
        await close(floor)

        events = [event for _, event in told]
        stories = stories_of(events)
        odd = {ref: story for ref, story in stories.items() if not STORY.fullmatch(story)}
        assert odd == {}
        assert set(store.sending) <= set(stories)
        kinds = Counter("".join(stories.values()))
        assert min(kinds[letter] for letter in "LACEJBUF") > 0
        assert kinds["J"] > 0.9 * kinds["E"] > 100
        assert any(not event.live for event in events if event.kind is PacingEventKind.JUDGED)
        assert {e.ending for e in events if e.kind is PacingEventKind.UNANSWERED} >= {"NOA", "OCU", "CEL", "FDS"}
        assert {e.propensity for e in events if e.kind is PacingEventKind.LAUNCHED} <= {0, 1}

        days = await store.days("c1", day_starts(floor.clock.now()))
        budget = floor.engine.runners["c1"].budget
        assert budget.day == Count(days[-1].answers, days[-1].abandoned, days[-1].machines)
        assert budget.unjudged == days[-1].unjudged
        counts = await store.counts("c1")
        assert (counts.answered_live, counts.abandoned) == (days[-1].answers, days[-1].abandoned)

        rows = await store.events(limit=400_000, kinds=["pacing.decision"])
        assert {row.version for row in rows} == {2}
        told_of = msgspec.json.decode(msgspec.json.encode([row.body for row in rows]))
        assert any("risk" in row for row in told_of) and any("risk" not in row for row in told_of)
        assert sum(row.body["launch"] for row in rows) == kinds["L"]
        apart = [(b.at - a.at).total_seconds() for a, b in itertools.pairwise(rows)]
        assert min(apart[:-1]) >= 0.999  # the last one is what was open when the engine stopped

    run_virtual(day())


def test_an_engine_that_takes_over_tells_the_calls_on_the_line_from_their_beginning(
    told: list[tuple[CampaignRunner, PacingEvent]],
) -> None:
    async def crash() -> None:
        floor = await opened(10, 2_000, seed=15)
        await asyncio.sleep(400)
        await floor.stop_agents()
        for task in [*floor.engine._tasks, *floor.engine.context.tasks]:
            task.cancel()  # no farewell, nothing flushed
        floor.server.disconnect()
        await asyncio.sleep(1.0)
        await floor.store.close()
        told.clear()
        floor.new_engine(115)
        floor.start_agents([f"ag{n:04d}" for n in range(1, 11)])
        await floor.engine.start()
        adopted = [event for _, event in told if event.kind is not PacingEventKind.AGENT]
        assert {event.kind for event in adopted} >= {PacingEventKind.LAUNCHED, PacingEventKind.CONNECTED}
        assert [event.at_s for event in adopted] == sorted(event.at_s for event in adopted)
        await asyncio.sleep(300)
        await close(floor)
        runner = floor.engine.runners["c1"]  # timers of the one that died still run in this process
        stories = stories_of([event for whose, event in told if whose is runner])
        assert {ref: story for ref, story in stories.items() if not STORY.fullmatch(story)} == {}
        days = await floor.store.days("c1", day_starts(floor.clock.now()))
        budget = runner.budget
        assert (budget.day.answers, budget.day.abandoned) == (days[-1].answers, days[-1].abandoned)

    run_virtual(crash())


def test_the_budgets_day_begins_at_local_midnight_and_answers_stay_with_their_day() -> None:
    async def night() -> None:
        floor = await opened(4, 600, seed=5)
        await asyncio.sleep(1200)
        runner = floor.engine.runners["c1"]
        before = runner.budget
        assert before.day.answers > 20
        await floor.engine.stop_campaign("c1", "ana", "fin")
        await skip(17 * 3600)  # past midnight
        assert runner.budget.day == Count()
        assert runner.budget.month.answers >= before.day.answers
        assert runner.budget.unjudged == 0
        await close(floor)
        floor.new_engine(77)
        await floor.engine.start()
        assert floor.engine.runners["c1"].budget == runner.budget
        await close(floor)

    run_virtual(night())


def test_what_an_hour_taught_is_there_the_next_day(monkeypatch: pytest.MonkeyPatch) -> None:
    async def days() -> None:
        floor = await opened(6, 3_000, seed=7)
        for _ in range(3):
            await asyncio.sleep(330)
            await skip(3000)
        first = floor.engine.runners["c1"].hours.learned
        await close(floor)
        kept = {prior.hour: prior for prior in await floor.store.load_priors("c1", "")}
        assert sorted(kept) == [8, 9, 10]
        assert timedelta(0) <= kept[8].saved_at - MORNING - timedelta(hours=1) < timedelta(seconds=10)
        floor.new_engine(78)
        await floor.engine.start()
        learned = floor.engine.runners["c1"].hours.learned
        assert learned is not first
        assert learned.rate.prior[0] == kept[10].body["rate"]
        rebased: list[Any] = []
        monkeypatch.setattr(learned, "rebase", rebased.append)
        await skip(20 * 3600)  # until 06:45 of the next day: no hour that anything is known of
        assert rebased == []
        await skip(3600)
        await skip(1800)
        assert rebased == [kept[8].body]
        await close(floor)

    run_virtual(days())


def test_a_mode_that_changes_with_calls_in_flight_loses_nothing() -> None:
    async def change() -> None:
        floor = await opened(8, 2_000, seed=9)
        runner = floor.engine.runners["c1"]
        await asyncio.sleep(900)
        while not runner.dials:
            await asyncio.sleep(1.0)
        learned, dials = runner.hours.learned, dict(runner.dials)
        pool = runner.shown
        controller = pool.controller
        await floor.engine.set_campaign("c1", {"wrapup_s": 60}, "ana", "prueba")
        assert pool.controller is controller
        await floor.engine.set_campaign("c1", {"mode": "ratio"}, "ana", "prueba")
        assert pool.controller is not controller
        assert pool.controller.learned is learned  # type: ignore[attr-defined]
        assert runner.dials == dials
        await close(floor)

    run_virtual(change())


RUSH = CampaignSettings(mode=Mode.RATIO, ratio=5.0, abandonment_cap=0.2)


async def ringing(floor: Floor) -> CampaignRunner:
    """Wait until many calls ring."""
    runner = floor.engine.runners["c1"]
    for _ in range(20_000):
        await asyncio.sleep(0.1)
        if len(runner.dials) > 3 and floor.clock.monotonic() > 300:
            return runner
    raise AssertionError("nothing rings")


async def all_leave(floor: Floor) -> None:
    """Everybody pauses, conversations end and are disposed of. Returns at the instant nobody is at work any more."""
    await floor.stop_agents()
    seats = list(floor.engine.staff.seats.values())
    for _ in range(1_000):
        for seat in seats:
            if seat.state is AgentState.TALKING and seat.call is not None:
                floor.engine.calls.release(seat.call)
            if seat.state is AgentState.WRAPUP and seat.wrapping is not None:
                await floor.engine.dispose(seat.agent.id, seat.wrapping.attempt_id, "REN", "", None, None)
            if seat.next_pause is None and seat.state is not AgentState.PAUSED:
                await floor.engine.pause(seat.agent.id, "almuerzo")
        if not any(seat.state in AT_WORK for seat in seats):
            return
        await asyncio.sleep(0.05)
    raise AssertionError("somebody stayed")


@pytest.mark.parametrize("how", ["stop", "pause", "agents"])
def test_nobody_is_dialled_a_quarter_of_a_second_after_the_end(how: str) -> None:
    async def end() -> None:
        store = RecordingStore(MemoryStore())
        floor = await opened(6, 2_000, seed=11, store=store, settings=RUSH)
        runner = await ringing(floor)
        if how == "agents":
            await all_leave(floor)
        elif how == "stop":
            await floor.engine.stop_campaign("c1", "ana", "fin")
        else:
            await floor.engine.pause_campaign("c1", "ana", "fin")
        await asyncio.sleep(0.25)
        sent, on_the_way = len(store.sending), set(runner.dials)
        await asyncio.sleep(20)  # the minimum ring, a slow network, a second
        assert len(store.sending) == sent
        assert runner.in_hand == 0
        if how == "pause":  # agents are there: whoever answers is served
            ends = {store.settled[ref].outcome for ref in on_the_way if ref in store.settled}
            assert "CAN" not in ends
        else:
            assert not runner.dials
        await close(floor)

    run_virtual(end())


def test_calls_of_a_paused_campaign_are_taken_back_when_the_last_agent_goes() -> None:
    async def leave() -> None:
        floor = await opened(6, 2_000, seed=11, settings=RUSH)
        runner = await ringing(floor)
        await floor.engine.pause_campaign("c1", "ana", "fin")
        await all_leave(floor)
        await asyncio.sleep(20)
        assert not runner.dials
        assert runner.counts.outcomes.get(Outcome.CANCELLED, 0) > 0
        await close(floor)

    run_virtual(leave())


async def two_campaigns(agents: int, *settings: CampaignSettings, contacts: int = 3_000) -> Floor:
    loop = asyncio.get_running_loop()
    assert isinstance(loop, VirtualLoop)
    floor = await make_floor(loop.clock(MORNING), agents=agents, contacts=contacts, seed=13, settings=settings[0])
    second = Campaign("c2", "Dos", CampaignState.RUNNING, settings[1], floor.clock.now())
    await floor.store.create_campaign(second, "test")
    await floor.store.import_people("c2", people(contacts, first=contacts), floor.clock.now())
    await floor.engine.start()
    await floor.engine.ready_to_dial(5)
    floor.start_agents(agent_ids(floor))
    return floor


def test_two_campaigns_share_agents_by_weight_and_neither_spends_the_others_budget() -> None:
    async def share() -> None:
        one = CampaignSettings(mode=Mode.PROGRESSIVE, weight=2.0)
        floor = await two_campaigns(12, one, CampaignSettings(mode=Mode.PROGRESSIVE))
        first, second = (floor.engine.runners[c] for c in ("c1", "c2"))
        await asyncio.sleep(2 * 3600)
        a, b = first.counts, second.counts
        assert a.connected + b.connected > 500
        assert 1.6 < a.connected / b.connected < 2.5
        # One call for each free agent of its own: whoever answers finds one, unless a telephone is slow.
        assert a.abandoned <= 0.01 * a.answered_live
        assert b.abandoned <= 0.01 * b.answered_live
        await close(floor)

    run_virtual(share())


def test_a_campaign_whose_list_is_empty_leaves_the_agents_to_the_other() -> None:
    async def share() -> None:
        settings = CampaignSettings(mode=Mode.PROGRESSIVE)
        floor = await two_campaigns(6, settings, settings)
        first, second = (floor.engine.runners[c] for c in ("c1", "c2"))
        await floor.engine.pause_campaign("c2", "ana", "prueba")
        await asyncio.sleep(600)
        assert second.counts.attempts == 0
        alone = first.counts.attempts
        await floor.store.create_campaign(
            Campaign("c3", "Tres", CampaignState.RUNNING, settings, floor.clock.now()), "test"
        )
        await asyncio.sleep(600)
        assert floor.engine.runners["c3"].shown.last.reason == "list-empty"
        assert first.counts.attempts - alone > 0.55 * alone
        assert {agent.share for agent in floor.engine._serving("c1", floor.engine.switches.first)} == {1.0}
        assert {agent.share for agent in floor.engine._serving("c3", floor.engine.switches.first)} == {0.0}
        await close(floor)

    run_virtual(share())
