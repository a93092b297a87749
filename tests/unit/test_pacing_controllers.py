"""What every controller promises, whatever the floor: no limit overstepped, monotone, repeatable, lawful on garbage."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from cadencia.domain.agents import AT_WORK
from cadencia.pacing import (
    AgentState,
    AgentView,
    Budget,
    Controller,
    Count,
    Decision,
    DialView,
    Learned,
    Mode,
    PacingEvent,
    PacingEventKind,
    Policy,
    Snapshot,
    make_controller,
)
from cadencia.pacing.budget import SMALL_TEAM
from cadencia.pacing.kernel import EXACT_TERMS
from cadencia.pacing.limits import SILENT_PDD_S
from cadencia.pacing.reasons import (
    LIMITED_BY_ABANDONMENT,
    LIMITED_BY_CHANNELS,
    LIMITED_BY_LIST,
    LIMITED_BY_RATE,
    NO_AGENTS,
    REASONS,
)

NOW_S = 1000.0
Kind = PacingEventKind

POLICIES = (
    Policy(Mode.PREVIEW),
    Policy(Mode.PROGRESSIVE),
    Policy(Mode.RATIO, ratio=2.6),
    Policy(Mode.PREDICTIVE),
    Policy(Mode.PREDICTIVE, cancel_late=False, choose=False),
)
EVERY_POLICY = pytest.mark.parametrize(
    "policy", POLICIES, ids=lambda policy: f"{policy.mode}{'' if policy.choose else '-plain'}"
)
props = settings(
    max_examples=30,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow],
)


# -- floors ------------------------------------------------------------------------------------------------------------
ages = st.floats(0.0, 120.0)
states = st.sampled_from([AgentState.READY, *AgentState])  # rather more who are ready


@st.composite
def agents(draw: st.DrawFn, most: int = 12) -> tuple[AgentView, ...]:
    drawn = draw(st.lists(st.tuples(states, ages, st.sampled_from((1.0, 1.0, 0.5, 0.0))), max_size=most))
    return tuple(
        AgentView(f"a{n}", state, NOW_S - age, (1.0 if share >= 0.5 else 0.0) if state is AgentState.READY else share)
        for n, (state, age, share) in enumerate(drawn)
    )


@st.composite
def flying(draw: st.DrawFn, most: int = 20) -> tuple[DialView, ...]:
    """Dials in flight; of some it is known since when they ring."""
    drawn = draw(
        st.lists(st.tuples(st.floats(0.0, 40.0), st.none() | st.floats(0.0, 1.0), st.integers(0, 1)), max_size=most)
    )
    return tuple(
        DialView(f"d{n}", NOW_S - age, None if rung is None else NOW_S - age * rung, likely)
        for n, (age, rung, likely) in enumerate(drawn)
    )


@st.composite
def budgets(draw: st.DrawFn) -> Budget:
    answers, abandoned = draw(st.integers(0, 2000)), draw(st.integers(0, 60))
    day = Count(answers, min(answers, abandoned))
    return Budget(day=day, month=day + Count(draw(st.integers(0, 3000)), draw(st.integers(0, 90))))


@st.composite
def floors(draw: st.DrawFn) -> Snapshot:
    room = st.sampled_from((0, 1, 3, 10, 1_000_000))
    supply = draw(st.none() | st.tuples(st.integers(0, 30), st.integers(0, 30)))
    return Snapshot(
        NOW_S,
        draw(agents()),
        draw(flying()),
        draw(st.integers(0, 4)),
        draw(room),
        draw(room),
        supply,
        draw(budgets()),
        draw(st.sampled_from((15.0, 0.0, 18.0))),
    )


def wide(snapshot: Snapshot) -> Snapshot:
    """The same floor with a trunk and a list that set no limit."""
    return replace(snapshot, channels=1_000_000, rate=1_000_000, supply=None)


# -- what was learnt before --------------------------------------------------------------------------------------------
def event(kind: PacingEventKind, at_s: float, ref: str, likely: int = 0, **more: object) -> PacingEvent:
    return PacingEvent(kind, at_s, ref, propensity=likely, **more)  # type: ignore[arg-type]


def history(dials: int, answers: int, machines: int = 0) -> list[PacingEvent]:
    """`answers` of `dials` answered, evenly spread over the quarter of an hour before now."""
    told = []
    for n in range(dials):
        at_s, ref = NOW_S - 900.0 + 850.0 * n / dials, f"h{n}"
        told.append(event(Kind.LAUNCHED, at_s, ref, n % 2))
        if (n + 1) * answers // dials == n * answers // dials:
            told.append(event(Kind.UNANSWERED, at_s + 22.0, ref, ending="no_answer"))
            continue
        told.append(event(Kind.ANSWERED, at_s + 9.0, ref))
        told.append(event(Kind.CONNECTED, at_s + 9.0, ref))
        told.append(event(Kind.AGENT, at_s + 9.0, f"a{n % 7}", agent_state=AgentState.TALKING))
        told.append(event(Kind.AGENT, at_s + 60.0, f"a{n % 7}", agent_state=AgentState.WRAPUP))
        told.append(event(Kind.ENDED, at_s + 60.0, ref))
        told.append(event(Kind.JUDGED, at_s + 70.0, ref, live=n >= machines))
    return sorted(told, key=lambda one: one.at_s)


HISTORIES: dict[str, list[PacingEvent]] = {
    "cold": [],
    "low": history(150, 15),
    "high": history(150, 68),
    "machines": history(100, 40, 60),
}
pasts = st.sampled_from(sorted(HISTORIES))


def made(policy: Policy, past: str = "cold", more: Sequence[PacingEvent] = ()) -> Controller:
    controller = make_controller(policy)
    for one in (*HISTORIES[past], *more):
        controller.tell(one)
    return controller


def learned_of(controller: Controller) -> Learned:
    learned = controller.learned  # type: ignore[attr-defined]
    assert isinstance(learned, Learned)
    return learned


def free(snapshot: Snapshot) -> int:
    return sum(agent.state is AgentState.READY and agent.share >= 0.5 for agent in snapshot.agents)


def lawful(snapshot: Snapshot, decision: Decision, policy: Policy, machine_share: float) -> None:
    """Everything that must hold of any decision while the breaker is closed."""
    assert decision.reason in REASONS
    assert 0 <= decision.launch <= max(0, min(snapshot.channels, snapshot.rate))
    assert decision.wanted >= decision.launch
    if snapshot.supply is not None:
        assert decision.launch <= sum(snapshot.supply)
    if decision.propensities:
        assert sum(decision.propensities) == decision.launch
        assert snapshot.supply is not None
        assert all(n <= held for n, held in zip(decision.propensities, snapshot.supply, strict=True))
    at_work = sum(agent.state in AT_WORK for agent in snapshot.agents)
    if snapshot.budget.drops(at_work, machine_share) <= -2.0:
        assert decision.launch <= free(snapshot)
    if not at_work:
        assert decision.launch == 0
        assert decision.reason == NO_AGENTS
    # Only what has rung for long enough is taken back, and only while nobody could take the call.
    assert len(set(decision.cancel)) == len(decision.cancel)
    flying = {dial.attempt_id: dial for dial in snapshot.dials}
    for attempt_id in decision.cancel:
        dial = flying[attempt_id]
        if dial.ringing_s is not None:
            assert snapshot.now_s - dial.ringing_s >= snapshot.min_ring_s - 1e-6
        elif snapshot.min_ring_s > 0.0:
            assert snapshot.now_s - dial.launched_s >= snapshot.min_ring_s + SILENT_PDD_S - 1e-6
    if decision.cancel and at_work:
        assert policy.cancel_late
        assert policy.mode is Mode.PREDICTIVE or not any(agent.share for agent in snapshot.agents)
        assert free(snapshot) == 0


# -- limits ------------------------------------------------------------------------------------------------------------
@EVERY_POLICY
@given(floors(), pasts)
@props
def test_no_limit_is_overstepped(policy: Policy, snapshot: Snapshot, past: str) -> None:
    controller = made(policy, past)
    # A preview controller serves whoever has a share; with all shares zero it has nobody, as without agents.
    share = learned_of(controller).machine_share
    decision = controller.decide(snapshot)
    if policy.mode is Mode.PREVIEW and decision.reason == NO_AGENTS:
        assert decision.launch == 0
        snapshot = replace(snapshot, agents=())
    lawful(snapshot, decision, policy, share)


@EVERY_POLICY
@pytest.mark.parametrize(
    ("room", "reason"),
    [
        ({"channels": 1}, LIMITED_BY_CHANNELS),
        ({"rate": 1}, LIMITED_BY_RATE),
        ({"supply": (1, 0)}, LIMITED_BY_LIST),
        ({"supply": (0, 0)}, LIMITED_BY_LIST),
        ({"channels": 0}, LIMITED_BY_CHANNELS),
        ({"channels": -3, "rate": 2}, LIMITED_BY_CHANNELS),
    ],
)
def test_the_tightest_limit_is_the_reason(policy: Policy, room: dict[str, object], reason: str) -> None:
    ready = tuple(AgentView(f"a{n}", AgentState.READY, NOW_S) for n in range(4))
    decision = made(policy, "low").decide(Snapshot(NOW_S, ready, **room))  # type: ignore[arg-type]
    assert decision.reason == reason
    assert decision.launch == max(0, min(room.get("channels", 9), room.get("rate", 9), sum(room.get("supply", (9,)))))  # type: ignore[arg-type, call-overload]
    assert decision.wanted >= decision.launch


@pytest.mark.parametrize("policy", [Policy(Mode.RATIO, ratio=3.0), Policy()], ids=["ratio", "predictive"])
def test_an_overdrawn_budget_leaves_one_call_for_each_free_agent(policy: Policy) -> None:
    ready = tuple(AgentView(f"a{n}", AgentState.READY, NOW_S) for n in range(6))
    busy = tuple(AgentView(f"b{n}", AgentState.TALKING, NOW_S - 40.0) for n in range(14))
    overdrawn = Budget(day=Count(100, 5), month=Count(100, 5))
    decision = made(policy, "low").decide(Snapshot(NOW_S, ready + busy, budget=overdrawn))
    assert decision.launch == 6
    assert decision.reason == LIMITED_BY_ABANDONMENT
    dials = tuple(DialView(f"d{n}", NOW_S) for n in range(6))
    decision = made(policy, "low").decide(Snapshot(NOW_S, ready + busy, dials, budget=overdrawn))
    assert decision.launch == 0
    assert decision.reason == LIMITED_BY_ABANDONMENT


# -- monotone ----------------------------------------------------------------------------------------------------------
def small_enough(snapshot: Snapshot, *decisions: Decision) -> bool:
    """Exact arithmetic throughout: beyond, a normal approximation takes over, and may differ at the seam."""
    terms = len(snapshot.agents) + len(snapshot.dials) + max(decision.launch for decision in decisions)
    return terms < EXACT_TERMS


@EVERY_POLICY
@given(floors(), pasts)
@props
def test_one_more_ready_agent_never_means_fewer_calls(policy: Policy, snapshot: Snapshot, past: str) -> None:
    # At SMALL_TEAM agents the day's account takes over from the month's: another budget, which another test compares.
    assume(sum(agent.state in AT_WORK for agent in snapshot.agents) != SMALL_TEAM - 1)
    more = replace(snapshot, agents=(*snapshot.agents, AgentView("more", AgentState.READY, NOW_S)))
    fewer_agents, more_agents = made(policy, past).decide(snapshot), made(policy, past).decide(more)
    assume(small_enough(more, fewer_agents, more_agents))
    if policy.choose and snapshot.supply is not None:
        # It may call likelier people instead of more of them.
        assert (more_agents.launch > 0) >= (fewer_agents.launch > 0)
    else:
        assert more_agents.launch >= fewer_agents.launch


@EVERY_POLICY
@given(floors(), pasts, st.integers(1, 3000))
@props
def test_a_larger_budget_never_means_fewer_calls(policy: Policy, snapshot: Snapshot, past: str, answers: int) -> None:
    snapshot = wide(snapshot)
    budget = snapshot.budget
    more = Count(answers, 0)
    richer = replace(snapshot, budget=replace(budget, day=budget.day + more, month=budget.month + more))
    poor, rich = made(policy, past).decide(snapshot), made(policy, past).decide(richer)
    assume(small_enough(snapshot, poor, rich))
    assert rich.launch >= poor.launch


@EVERY_POLICY
@given(floors(), pasts, st.integers(1, 3))
@props
def test_more_who_wait_never_means_more_calls(policy: Policy, snapshot: Snapshot, past: str, waiting: int) -> None:
    snapshot = wide(snapshot)
    crowded = replace(snapshot, waiting=snapshot.waiting + waiting)
    calm, risky = made(policy, past).decide(snapshot), made(policy, past).decide(crowded)
    assume(small_enough(snapshot, calm, risky))
    assert risky.launch <= calm.launch


@EVERY_POLICY
@given(floors(), pasts, st.floats(0.0, 14.0))
@props
def test_more_dials_in_flight_never_means_more_calls(policy: Policy, snapshot: Snapshot, past: str, age: float) -> None:
    snapshot = wide(snapshot)
    risky = replace(snapshot, dials=(*snapshot.dials, DialView("more", NOW_S - age)))
    before, after = made(policy, past).decide(snapshot), made(policy, past).decide(risky)
    assume(small_enough(risky, before, after))
    assert after.launch <= before.launch


@EVERY_POLICY
@given(floors(), st.sampled_from((5, 10, 20, 40)), st.sampled_from((1, 5, 20)))
@props
def test_a_higher_answer_rate_never_means_more_calls(policy: Policy, snapshot: Snapshot, few: int, more: int) -> None:
    # Without dials in flight: a higher rate also means that an old dial is likelier to have been answered long ago.
    snapshot = replace(wide(snapshot), dials=())
    decisions = []
    for answers in (few, few + more):
        controller = make_controller(policy)
        for n in range(100):
            controller.tell(event(Kind.LAUNCHED, NOW_S - 100.0, f"h{n}"))
            answered = n < answers
            controller.tell(event(Kind.ANSWERED if answered else Kind.UNANSWERED, NOW_S - 91.0, f"h{n}"))
        decisions.append(controller.decide(snapshot))
    assume(small_enough(snapshot, *decisions))
    assert decisions[1].launch <= decisions[0].launch


# -- repeatable --------------------------------------------------------------------------------------------------------
refs = st.sampled_from([f"r{n}" for n in range(6)])
any_event = st.builds(
    PacingEvent,
    st.sampled_from(list(Kind)),
    st.floats(0.0, 30.0),
    refs,
    st.sampled_from(list(AgentState)),
    st.integers(0, 1),
    st.sampled_from(("no_answer", "busy")),
    st.booleans(),
)


@EVERY_POLICY
@given(st.lists(st.tuples(any_event, floors()), max_size=8), pasts)
@settings(props, max_examples=20)
def test_same_events_same_decisions(policy: Policy, steps: list[tuple[PacingEvent, Snapshot]], past: str) -> None:
    one, other = made(policy, past), made(policy, past)
    now_s = NOW_S
    for told, snapshot in steps:
        now_s += told.at_s
        told, snapshot = replace(told, at_s=now_s), replace(snapshot, now_s=now_s)
        one.tell(told)
        other.tell(told)
        assert one.decide(snapshot) == other.decide(replace(snapshot))
    assert learned_of(one).export() == learned_of(other).export()


# -- garbage -----------------------------------------------------------------------------------------------------------
garbage = st.sampled_from(
    (math.nan, math.inf, -math.inf, -1.0, -1e9, 0.0, 1e9, 1e15, 1e300, NOW_S, NOW_S - 5.0, NOW_S + 7200.0)
)
garbled_event = st.builds(
    PacingEvent,
    st.sampled_from(list(Kind)),
    garbage,
    st.sampled_from(("r1", "r2", "nobody", "", "a0")),
    st.none() | st.sampled_from(list(AgentState)),
    st.integers(-3, 9),
    st.just("?"),
    st.booleans(),
)


@st.composite
def garbled_floors(draw: st.DrawFn) -> Snapshot:
    snapshot = draw(floors())
    return replace(
        snapshot,
        now_s=draw(garbage),
        agents=tuple(replace(agent, since_s=draw(garbage)) for agent in snapshot.agents[:4]),
        dials=tuple(
            replace(
                dial, launched_s=draw(garbage), ringing_s=draw(st.none() | garbage), propensity=draw(st.integers(-3, 9))
            )
            for dial in snapshot.dials[:4]
        ),
    )


@EVERY_POLICY
@given(st.lists(garbled_event, max_size=12), st.lists(garbled_floors(), min_size=1, max_size=3), floors())
@settings(props, max_examples=30)
def test_garbage_is_survived_lawfully(
    policy: Policy, told: list[PacingEvent], garbled: list[Snapshot], sane: Snapshot
) -> None:
    controller = made(policy, "low", told)
    for snapshot in (*garbled, sane, replace(sane, now_s=NOW_S + 1.0)):
        decision = controller.decide(snapshot)
        assert decision.reason in REASONS
        assert 0 <= decision.launch <= min(snapshot.channels, snapshot.rate)
        if snapshot.supply is not None:
            assert decision.launch <= sum(snapshot.supply)
        assert {*decision.cancel} <= {dial.attempt_id for dial in snapshot.dials}
        if not any(agent.state in AT_WORK for agent in snapshot.agents):
            assert decision.launch == 0
        if decision.forecast is not None:
            assert 0.0 <= decision.forecast.risk <= 1.0
            assert 0.0 < decision.forecast.answer_rate < 1.0
        for one in told:
            controller.tell(one)


# -- taking back -------------------------------------------------------------------------------------------------------
RINGS_LONG = DialView("long", NOW_S - 17.0, NOW_S - 15.0)
RINGS_SHORT = DialView("short", NOW_S - 30.0, NOW_S - 14.9)
SILENT_LONG = DialView("silent-long", NOW_S - 18.0)
SILENT_SHORT = DialView("silent-short", NOW_S - 17.9)
DIALS = (RINGS_LONG, RINGS_SHORT, SILENT_LONG, SILENT_SHORT)
PAUSED = AgentView("p", AgentState.PAUSED, 0.0)
TALKS = AgentView("t", AgentState.TALKING, NOW_S - 5.0)
READY = AgentView("r", AgentState.READY, NOW_S)


@EVERY_POLICY
@pytest.mark.parametrize("present", [(), (PAUSED,)], ids=["nobody", "all-paused"])
def test_with_nobody_at_work_nobody_is_dialled_and_what_may_be_is_taken_back(
    policy: Policy, present: tuple[AgentView, ...]
) -> None:
    decision = made(policy).decide(Snapshot(NOW_S, present, DIALS))
    assert (decision.launch, decision.reason) == (0, NO_AGENTS)
    assert decision.cancel == ("long", "silent-long")


def test_late_ringing_calls_are_taken_back_while_no_agent_is_free() -> None:
    busy, one_free = Snapshot(NOW_S, (TALKS,), DIALS), Snapshot(NOW_S, (TALKS, READY), DIALS)
    assert made(Policy()).decide(busy).cancel == ("long", "silent-long")
    assert made(Policy()).decide(one_free).cancel == ()
    assert made(Policy(cancel_late=False)).decide(busy).cancel == ()
    assert made(Policy()).decide(replace(busy, min_ring_s=0.0)).cancel == tuple(dial.attempt_id for dial in DIALS)


def test_preview_offers_a_file_to_each_free_agent_whom_no_call_in_flight_needs() -> None:
    ready = tuple(replace(READY, id=f"r{n}") for n in range(4))
    reserved = tuple(AgentView(f"x{n}", AgentState.RESERVED, NOW_S) for n in range(2))
    dials = tuple(DialView(f"d{n}", NOW_S) for n in range(3))
    preview = made(Policy(Mode.PREVIEW))
    assert preview.decide(Snapshot(NOW_S, ready)).launch == 4
    assert preview.decide(Snapshot(NOW_S, ready + reserved, dials[:2])).launch == 4
    assert preview.decide(Snapshot(NOW_S, ready + reserved, dials)).launch == 3
    assert preview.decide(Snapshot(NOW_S, ready, dials, waiting=1)).launch == 0


# -- another mode ------------------------------------------------------------------------------------------------------
@EVERY_POLICY
@pytest.mark.parametrize("before", POLICIES, ids=lambda policy: f"from-{policy.mode}")
def test_another_mode_in_mid_flight_loses_nothing(policy: Policy, before: Policy) -> None:
    old = made(before, "low")
    flying = tuple(DialView(f"d{n}", NOW_S - 4.0) for n in range(3))
    for dial in flying:
        old.tell(event(Kind.LAUNCHED, dial.launched_s, dial.attempt_id))
    agents = (READY, replace(READY, id="r2"), replace(READY, id="r3"), TALKS)
    old.decide(Snapshot(NOW_S, agents, flying))
    learnt = learned_of(old).export()
    new = make_controller(policy, learned=learned_of(old))
    assert learned_of(new).export() == learnt
    # The dials that the old controller launched count, and what becomes of them is learnt.
    decision = new.decide(Snapshot(NOW_S, agents, flying))
    if policy.mode in (Mode.PROGRESSIVE, Mode.PREVIEW):
        assert decision.launch == 0
    else:
        assert decision.launch < new.decide(Snapshot(NOW_S, agents)).launch
    answers = learned_of(new).rings.answered.sum()
    new.tell(event(Kind.ANSWERED, NOW_S + 1.0, "d0"))
    assert learned_of(new).rings.answered.sum() == answers + 1.0


@pytest.mark.parametrize("ratio", [0.99, 0.0, -1.0, math.nan])
def test_a_ratio_below_one_is_refused(ratio: float) -> None:
    with pytest.raises(ValueError, match="below one call"):
        Policy(Mode.RATIO, ratio=ratio)
