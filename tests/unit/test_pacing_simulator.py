"""The floor simulator: nothing is lost, the same seed gives the same day, and no floor is too strange for it."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import lru_cache, partial

import pytest

from cadencia.domain.agents import AgentState
from cadencia.pacing import Controller, Decision, Mode, PacingEvent, PacingEventKind, Policy, Snapshot, make_controller
from cadencia.pacing.simulator import Floor, Result, simulate
from cadencia.pacing.worlds import (
    CLASSES,
    DETECTOR,
    EXPONENTIAL,
    HOSTILE,
    MOVING,
    NO_DETECTOR,
    REALISTIC,
    Contacts,
    Detector,
    Party,
    Shift,
    Talk,
    World,
    contacts,
)

Kind = PacingEventKind
POLICIES = (Policy(Mode.PREVIEW), Policy(Mode.PROGRESSIVE), Policy(Mode.RATIO, ratio=2.0), Policy(Mode.PREDICTIVE))
EVERY_MODE = pytest.mark.parametrize("policy", POLICIES, ids=lambda policy: str(policy.mode))
PROGRESSIVE, PREDICTIVE = POLICIES[1], POLICIES[3]

#: How a call may go on after each event.
GRAMMAR = {
    None: {Kind.LAUNCHED},
    Kind.LAUNCHED: {Kind.ANSWERED, Kind.MACHINE, Kind.UNANSWERED, Kind.FAILED, Kind.CANCELLED},
    Kind.ANSWERED: {Kind.CONNECTED, Kind.ABANDONED},
    Kind.CONNECTED: {Kind.ENDED},
    Kind.ENDED: {Kind.JUDGED},
}


@dataclass
class Recorder:
    """Hands everything on to a controller, and remembers it."""

    inner: Controller
    events: list[PacingEvent] = field(default_factory=list)
    asked: list[tuple[Snapshot, Decision]] = field(default_factory=list)

    def tell(self, event: PacingEvent) -> None:
        self.events.append(event)
        self.inner.tell(event)

    def decide(self, snapshot: Snapshot) -> Decision:
        decision = self.inner.decide(snapshot)
        self.asked.append((snapshot, decision))
        return decision

    def calls(self) -> dict[str, list[PacingEvent]]:
        """The events of each call."""
        found: dict[str, list[PacingEvent]] = {}
        for event in self.events:
            if event.kind is not Kind.AGENT:
                found.setdefault(event.ref, []).append(event)
        return found

    def number(self, kind: PacingEventKind, *, since_s: float = 0.0) -> int:
        return sum(event.kind is kind and event.at_s >= since_s for event in self.events)


@dataclass
class Launches:
    """A controller that wants as much as it is told to, whatever the snapshot says."""

    want: Callable[[Snapshot], Decision]

    def tell(self, event: PacingEvent) -> None:
        pass

    def decide(self, snapshot: Snapshot) -> Decision:
        return self.want(snapshot)


def run(
    world: World, floor: Floor, policy: Policy, *, hours: float = 0.5, seed: int = 1, warmup_s: float = 0.0
) -> tuple[Result, Recorder]:
    recorder = Recorder(make_controller(policy))
    return simulate(world, floor, recorder, hours=hours, seed=seed, warmup_s=warmup_s), recorder


# -- bookkeeping -------------------------------------------------------------------------------------------------------
WORLDS = {
    "realistic": REALISTIC,
    "exponential": EXPONENTIAL,
    "moving": MOVING,
    "classes": CLASSES,
    "detector": DETECTOR,
    "no-detector": NO_DETECTOR,
    "hostile": HOSTILE,
}


@pytest.mark.parametrize("world", WORLDS.values(), ids=list(WORLDS))
def test_every_call_is_told_as_one_whole_story_and_counted_once(world: World) -> None:
    result, recorder = run(world, Floor(12), PREDICTIVE)
    open_calls = unjudged = 0
    for events in recorder.calls().values():
        before = None
        for event in events:
            assert event.kind in GRAMMAR[before]
            before = event.kind
        assert [event.at_s for event in events] == sorted(event.at_s for event in events)
        open_calls += before is Kind.LAUNCHED
        unjudged += before in (Kind.CONNECTED, Kind.ENDED)
    number = recorder.number
    endings = [Kind.ANSWERED, Kind.MACHINE, Kind.UNANSWERED, Kind.FAILED, Kind.CANCELLED]
    assert result.dials == number(Kind.LAUNCHED) == sum(map(number, endings)) + open_calls
    assert result.cancelled == number(Kind.CANCELLED)
    assert result.contacts == number(Kind.CONNECTED) == number(Kind.JUDGED) + unjudged
    assert result.abandoned == number(Kind.ABANDONED)
    wrong = sum(event.kind is Kind.JUDGED and not event.live for event in recorder.events)
    assert result.answers == number(Kind.ANSWERED) - wrong
    assert result.day.machines == wrong
    assert (result.day.answers, result.day.abandoned) == (result.answers, result.abandoned)
    assert (world.detector is None or world.detector.false_negative > 0.0) == (wrong > 0)
    assert 0.0 < result.utilisation <= 1.0
    assert 0.0 <= result.wait_mean_s <= result.wait_p95_s
    assert len(result.series) == 30
    before_the_last_tick = sum(e.kind is Kind.LAUNCHED and e.at_s < 1800.0 for e in recorder.events)
    assert sum(row[4] for row in result.series) == before_the_last_tick
    times = [event.at_s for event in recorder.events]
    assert times == sorted(times)


def test_the_same_seed_gives_the_same_day() -> None:
    first, again, other = (run(MOVING, Floor(8), PREDICTIVE, seed=seed)[0] for seed in (4, 4, 5))
    assert first == again
    assert first != other


def test_policies_are_compared_on_the_same_debtors() -> None:
    fates: list[dict[str, tuple[object, ...]]] = []
    for policy in (PROGRESSIVE, PREDICTIVE):
        _, recorder = run(REALISTIC, Floor(10), policy)
        fates.append(
            {
                ref: (events[1].kind, round(events[1].at_s - events[0].at_s, 6))
                for ref, events in recorder.calls().items()
                if len(events) > 1 and events[1].kind is not Kind.CANCELLED
            }
        )
    both = fates[0].keys() & fates[1].keys()
    assert len(both) > 200
    assert all(fates[0][ref] == fates[1][ref] for ref in both)


def test_the_warm_up_is_left_out_of_the_figures_and_not_of_the_day() -> None:
    result, recorder = run(REALISTIC, Floor(10), PREDICTIVE, hours=0.5, warmup_s=1800.0)
    assert len(result.series) == 60
    total = recorder.number(Kind.LAUNCHED)
    assert sum(row[4] for row in result.series[30:]) <= result.dials < total
    assert result.day.answers == recorder.number(Kind.ANSWERED) > result.answers
    assert result.first_half_hour.answers == result.day.answers - result.answers
    assert result.day.abandoned == recorder.number(Kind.ABANDONED)
    cold, _ = run(REALISTIC, Floor(10), PREDICTIVE, hours=0.5)
    assert cold.first_half_hour == cold.day


def test_a_call_is_abandoned_after_the_wait_and_a_patient_agent_comes_first() -> None:
    impatient = replace(REALISTIC, patience_s=0.5)
    for world, wait_s in ((REALISTIC, 2.0), (REALISTIC, 8.0), (impatient, 8.0)):
        _, recorder = run(world, Floor(6, wait_s=wait_s), Policy(Mode.RATIO, ratio=6.0))
        waits = [
            events[-1].at_s - events[1].at_s
            for events in recorder.calls().values()
            if events[-1].kind is Kind.ABANDONED
        ]
        assert waits
        assert max(waits) <= wait_s + 1e-6
        if world is REALISTIC:
            assert min(waits) >= wait_s - 1e-6


# -- trunk, list, hours ------------------------------------------------------------------------------------------------
def all_it_may(snapshot: Snapshot) -> Decision:
    supply = sum(snapshot.supply) if snapshot.supply is not None else 1_000_000
    return Decision(min(snapshot.channels, snapshot.rate, supply))


def test_channels_rate_and_list_are_kept() -> None:
    floor = Floor(4, channels=17, rate_per_s=3.0, list_size=400)
    recorder = Recorder(Launches(all_it_may))
    result = simulate(REALISTIC, floor, recorder, hours=0.5, seed=1)
    assert result.dials == 400
    assert recorder.asked[-1][0].supply == (0, 0)
    started = Counter(int(event.at_s) for event in recorder.events if event.kind is Kind.LAUNCHED)
    assert max(started.values()) <= 6  # three at once when the bucket is full, and three more within the second
    assert max(started[n] + started[n + 1] + started[n + 2] for n in range(1000)) <= 12
    busy = most = 0
    for event in recorder.events:
        busy += (event.kind is Kind.LAUNCHED) - (event.kind in (Kind.UNANSWERED, Kind.FAILED, Kind.MACHINE))
        busy -= event.kind in (Kind.ENDED, Kind.ABANDONED)
        most = max(most, busy)
    assert most == 17


@pytest.mark.parametrize(
    ("floor", "world", "decision", "told"),
    [
        (Floor(2, channels=5), REALISTIC, Decision(6), "6 calls.*5 channels"),
        (Floor(2, rate_per_s=3.0), REALISTIC, Decision(4), "4 calls.*3 .*rate"),
        (Floor(2, list_size=2), REALISTIC, Decision(3), "3 calls.*2 contacts"),
        (Floor(2, buffer=8), CLASSES, Decision(9), "9 calls.*8 contacts"),
        (Floor(2, buffer=8), CLASSES, Decision(8, propensities=(0, 8)), "8 calls of propensity class 1"),
        (Floor(2), REALISTIC, Decision(2, propensities=(1, 0)), "2 calls.*propensities"),
        (Floor(2), REALISTIC, Decision(-1), "-1 calls"),
    ],
)
def test_a_controller_that_oversteps_is_told(floor: Floor, world: World, decision: Decision, told: str) -> None:
    with pytest.raises(ValueError, match=told):
        simulate(world, floor, Launches(lambda _: decision), hours=0.1, seed=1)


def test_agents_come_and_go_as_their_presence_says() -> None:
    floor = Floor(2, presence=((0.0, 600.0), (300.0, 900.0), (300.0, 300.0)))
    _, recorder = run(REALISTIC, floor, PREDICTIVE)
    moves = {
        name: [(e.at_s, e.agent_state) for e in recorder.events if e.kind is Kind.AGENT and e.ref == name]
        for name in ("a0", "a1", "a2")
    }
    assert moves["a0"][0] == (0.0, AgentState.READY)
    assert moves["a1"][0] == (300.0, AgentState.READY)
    assert [state for _, state in moves["a2"]] == [AgentState.READY, AgentState.PAUSED]
    for name, end_s in (("a0", 600.0), ("a1", 900.0)):
        assert moves[name][-1][1] is AgentState.PAUSED
        assert moves[name][-1][0] >= end_s  # whoever is talking then finishes
    over_s = max(moves["a0"][-1][0], moves["a1"][-1][0])
    assert recorder.number(Kind.LAUNCHED, since_s=over_s + 0.001) == 0


def test_agents_sign_in_one_after_another_and_take_breaks() -> None:
    world = replace(REALISTIC, shift=Shift(login_spread_s=600.0, break_every_s=900.0, break_s=120.0))
    _, recorder = run(world, Floor(6), PREDICTIVE, hours=1.0)
    first = [next(e.at_s for e in recorder.events if e.ref == f"a{n}" and e.kind is Kind.AGENT) for n in range(6)]
    assert first == [100.0 * n for n in range(6)]
    assert sum(event.agent_state is AgentState.PAUSED for event in recorder.events) >= 6


@pytest.mark.parametrize("delay_s", [0.0, 2.1])
def test_detectors_err_as_they_are_told_to(delay_s: float) -> None:
    deaf, _ = run(replace(REALISTIC, detector=Detector(1.0, 0.0, delay_s)), Floor(5), PROGRESSIVE)
    assert deaf.answers == 0
    assert deaf.false_positives > 30
    gullible, _ = run(replace(REALISTIC, detector=Detector(0.0, 1.0, delay_s)), Floor(5), PROGRESSIVE)
    assert gullible.day.machines > 30
    assert gullible.false_positives == 0
    perfect, recorder = run(replace(REALISTIC, detector=Detector(0.0, 0.0, delay_s)), Floor(5), PROGRESSIVE)
    assert perfect.day.machines == perfect.false_positives == 0
    assert recorder.number(Kind.MACHINE) > 30
    assert all(event.live for event in recorder.events if event.kind is Kind.JUDGED)


# -- degenerate floors -------------------------------------------------------------------------------------------------
def talking(mean_s: float, cv: float = 0.1) -> World:
    return replace(REALISTIC, talks=(Talk(Party.RIGHT, 1.0, mean_s, cv, 5.0),))


def never_wraps_up(world: World, seed: int, block: int, size: int) -> Contacts:
    drawn = contacts(world, seed, block, size)
    return replace(drawn, wrapup_s=[math.inf] * size)


DEGENERATE: dict[str, tuple[World, Floor]] = {
    "no agents": (REALISTIC, Floor(0)),
    "one agent": (REALISTIC, Floor(1)),
    "all paused": (REALISTIC, Floor(6, presence=())),
    "gone at once": (REALISTIC, Floor(2, presence=((0.0, 0.0), (5.0, 6.0)))),
    "nobody answers": (replace(REALISTIC, live=0.0), Floor(6)),
    "everybody answers": (replace(REALISTIC, live=1.0), Floor(6)),
    "everything fails": (
        replace(REALISTIC, live=0.0, machine=0.0, no_answer=0.0, busy=0.0, invalid_lines=0.0),
        Floor(6),
    ),
    "two-second talks": (talking(2.0), Floor(6)),
    "hour-long talks": (talking(3600.0), Floor(6)),
    "no list": (REALISTIC, Floor(6, list_size=0)),
    "one line": (REALISTIC, Floor(6, channels=1)),
    "no lines": (REALISTIC, Floor(6, channels=0)),
    "nobody waits": (replace(REALISTIC, patience_s=0.0), Floor(6, wait_s=0.0)),
    "no cap": (REALISTIC, Floor(6, cap=0.0)),
}


@EVERY_MODE
@pytest.mark.parametrize("case", DEGENERATE)
def test_no_floor_is_too_strange(policy: Policy, case: str) -> None:
    world, floor = DEGENERATE[case]
    result, recorder = run(world, floor, policy, hours=0.4)
    assert 0.0 <= result.utilisation <= 1.0
    assert result.dials == recorder.number(Kind.LAUNCHED)
    if case in ("no agents", "all paused", "no list", "no lines"):
        assert result.dials == 0
    else:
        assert result.dials > 0
    if case in ("nobody answers", "everything fails"):
        assert result.answers == result.contacts == 0
    if case == "everything fails":
        assert result.dials <= 24.0 * 60.0 / 5.0 + 30  # a probe each five seconds, after the twenty that told
    if case == "everybody answers":
        assert result.utilisation > 0.7
    if case == "hour-long talks":
        assert result.contacts == 6 or policy.mode is Mode.RATIO
        assert result.utilisation > 0.9
    if policy.mode is not Mode.RATIO:
        assert result.day.abandoned <= 0.03 * result.day.answers + (policy.mode is not Mode.PREDICTIVE)


@EVERY_MODE
def test_agents_who_never_wrap_up_get_one_call_each(policy: Policy) -> None:
    recorder = Recorder(make_controller(policy))
    source = partial(never_wraps_up, REALISTIC, 1)
    result = simulate(REALISTIC, Floor(6), recorder, hours=0.4, seed=1, source=source)
    assert result.contacts == 6
    assert 0.5 < result.utilisation <= 1.0
    assert recorder.number(Kind.JUDGED) == 0
    assert recorder.asked[-1][1].launch == 0


# -- the law, reduced --------------------------------------------------------------------------------------------------
@lru_cache(maxsize=32)
def day(agents: int, seed: int, mode: Mode = Mode.PREDICTIVE, hours: float = 4.0) -> Result:
    return simulate(REALISTIC, Floor(agents), make_controller(Policy(mode)), hours=hours, seed=seed)


@pytest.mark.parametrize(
    ("agents", "seed", "hours"),
    [*((agents, seed, 4.0) for agents in (5, 10, 20) for seed in (901, 902, 903)), (50, 904, 1.0)],
)
def test_the_bound_holds_from_the_first_call_of_the_day(agents: int, seed: int, hours: float) -> None:
    result = day(agents, seed, hours=hours)
    assert result.day.answers > 100
    assert result.day.abandoned <= 0.03 * result.day.answers


def test_looking_ahead_is_worth_fifteen_points_of_utilisation() -> None:
    predictive, progressive = day(20, 901), day(20, 901, Mode.PROGRESSIVE)
    assert predictive.utilisation >= progressive.utilisation + 0.15
    assert progressive.abandoned == 0


def test_a_trunk_that_fails_burns_few_contacts() -> None:
    world = replace(REALISTIC, outages=((0.5, 300.0),))
    result, recorder = run(world, Floor(20), PREDICTIVE, hours=1.0, seed=901)
    minutes = Counter(
        int((event.at_s - 1800.0) // 60.0)
        for event in recorder.events
        if event.kind is Kind.LAUNCHED and 1800.0 <= event.at_s < 2100.0
    )
    assert set(minutes) == {0, 1, 2, 3, 4}
    assert max(minutes.values()) <= 30
    # And work goes on as soon as a probe gets through.
    after = [row[1] for row in result.series[40:]]
    assert sum(after) / len(after) > 0.7
