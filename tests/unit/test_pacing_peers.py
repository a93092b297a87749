"""The baselines of the pacing benchmarks follow the formulas they are named after, by hand-computed cases."""

from __future__ import annotations

import math
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from benchmarks.pacing.hindsight import Point, mixed, search
from benchmarks.pacing.peers import (
    Adapt,
    Drops,
    IdleTimesFactor,
    Issabel,
    IssabelController,
    Vicidial,
    VicidialController,
    Webitel,
    WebitelController,
    calls_to_make,
    next_level,
    over_dial,
    soon_free,
)
from cadencia.domain.agents import AgentState
from cadencia.pacing.budget import Budget, Count
from cadencia.pacing.port import AgentView, Controller, DialView, PacingEvent, PacingEventKind, Snapshot


def floor(
    now_s: float, ready: int = 0, talking: int = 0, wrapup: int = 0, dials: int = 0, waiting: int = 0, **more: object
) -> Snapshot:
    states = [AgentState.READY] * ready + [AgentState.TALKING] * talking + [AgentState.WRAPUP] * wrapup
    agents = tuple(AgentView(str(i), state, 0.0) for i, state in enumerate(states))
    flying = tuple(DialView(f"d{i}", now_s) for i in range(dials))
    return Snapshot(now_s, agents, flying, waiting, **more)  # type: ignore[arg-type]


def launches(controller: Controller, *snapshots: Snapshot) -> list[int]:
    return [controller.decide(snapshot).launch for snapshot in snapshots]


# --- VICIdial ---


@pytest.mark.parametrize(
    ("level", "ready", "talking", "dials", "waiting", "only", "calls"),
    [
        (1.5, 4, 16, 3, 0, False, 11),  # 1.5 x 20 = 30 lines, 16 talk and 3 ring
        (1.5, 0, 20, 0, 0, False, 10),  # all busy: (L - 1) x 20 still ring
        (1.5, 0, 20, 0, 0, True, 0),  # available only never dials ahead
        (3.0, 4, 16, 3, 1, True, 8),  # 12 for those who wait, less 3 ringing and 1 waiting
        (2.0, 3, 10, 30, 0, False, 0),  # never negative
        (1.04, 10, 15, 0, 0, False, 11),  # 26.0 rounds to 26
    ],
)
def test_vicidial_makes_calls_up_to_level_times_agents(
    level: float, ready: int, talking: int, dials: int, waiting: int, only: bool, calls: int
) -> None:
    assert calls_to_make(level, ready, talking, dials, waiting, available_only=only) == calls


def test_vicidial_level_follows_the_mean_of_free_agents() -> None:
    hard = Vicidial(Adapt.HARD_LIMIT)
    assert next_level(hard, 1.0, 18.0, 0.0, 20.0, Drops(), 1000) == pytest.approx(1.9)
    assert next_level(hard, 1.9, 20.0, 0.0, 20.0, Drops(), 1000) == 3.0  # clamped
    assert next_level(hard, 2.0, 1.0, 3.0, 20.0, Drops(), 1000) == pytest.approx(1.8)
    assert next_level(hard, 1.0, 0.0, 3.0, 20.0, Drops(), 1000) == 1.0
    assert next_level(hard, 2.0, 1.0, 0.0, 0.0, Drops(), 1000) == 1.0  # nobody there
    intense = Vicidial(Adapt.HARD_LIMIT, intensity=20.0)
    assert next_level(intense, 1.0, 10.0, 0.0, 20.0, Drops(), 1000) == pytest.approx(1.6)
    assert next_level(intense, 2.0, 0.0, 10.0, 20.0, Drops(), 1000) == pytest.approx(1.2)  # -0.5 x |0.2 - 1|


@pytest.mark.parametrize(
    ("method", "hhmm", "expected"),
    [
        (Adapt.HARD_LIMIT, 1000, 1.0),
        (Adapt.AVERAGE, 1000, 1.25),
        (Adapt.TAPERED, 1000, 2.5),  # more than ten "hours" left: no brake
        (Adapt.TAPERED, 1700, 1.0),  # 2.5 x 0.4, which is the floor
        (Adapt.TAPERED, 1300, 2.0),
        (Adapt.TAPERED, 2101, 1.0),
    ],
)
def test_vicidial_over_the_drop_limit(method: Adapt, hhmm: int, expected: float) -> None:
    over = Drops(calls_today=51, answers_today=100, drops_today=4)
    assert next_level(Vicidial(method), 2.5, 0.0, 0.0, 20.0, over, hhmm) == pytest.approx(expected)
    few = Drops(calls_today=50, answers_today=20, drops_today=4)
    assert next_level(Vicidial(method), 2.5, 0.0, 0.0, 20.0, few, hhmm) == 2.5


def test_vicidial_emergency_brake_divides_by_all_calls() -> None:
    hard = Vicidial(Adapt.HARD_LIMIT)
    assert next_level(hard, 3.0, 0.0, 0.0, 20.0, Drops(calls_minute=30, drops_minute=16), 1000) == 1.5
    assert next_level(hard, 3.0, 0.0, 0.0, 20.0, Drops(calls_minute=30, drops_minute=15), 1000) == 3.0
    assert next_level(hard, 3.0, 0.0, 0.0, 20.0, Drops(calls_minute=20, drops_minute=20), 1000) == 3.0


def test_vicidial_keeps_its_loop_and_its_calls_take_time() -> None:
    quick = VicidialController(Vicidial(level=2.0, calls_per_s=1e9))
    assert launches(quick, *(floor(t, ready=2) for t in (0.0, 1.0, 2.4, 2.5, 4.9, 5.0))) == [4, 0, 0, 4, 0, 4]
    slow = VicidialController(Vicidial(level=2.0, calls_per_s=1.0))
    assert launches(slow, *(floor(t, ready=2) for t in (0.0, 2.5, 6.0, 6.5))) == [4, 0, 0, 4]


def test_vicidial_adapts_every_fifteen_samples_and_counts_drops_every_sixty() -> None:
    controller = VicidialController(Vicidial(Adapt.HARD_LIMIT))
    drops = Budget(day=Count(answers=100, abandoned=10))
    for i in range(60):
        controller.tell(PacingEvent(PacingEventKind.LAUNCHED, 0.0, str(i)))
    levels = []
    for second in range(60):
        controller.decide(floor(float(second), ready=10, talking=10, budget=drops))
        controller.decide(floor(second + 0.5, ready=10, talking=10, budget=drops))  # an event in between
        levels.append(controller.level)
    assert levels[13:16] == [1.0, 1.5, 1.5]
    assert levels[29] == pytest.approx(2.25)
    assert levels[44] == 3.0
    assert levels[59] == 1.0  # now it knows of the drops


def test_vicidial_counts_wrap_up_as_paused() -> None:
    controller = VicidialController(Vicidial(level=1.0))
    assert launches(controller, floor(0.0, ready=1, talking=2, wrapup=5)) == [1]


# --- the others ---


def test_idle_times_factor() -> None:
    assert launches(
        IdleTimesFactor(2.5),
        floor(0.0, ready=3, talking=5),  # 7.5
        floor(0.1, ready=3, dials=4, waiting=1),
        floor(0.2, ready=1, dials=4),
        floor(0.3, talking=5),
    ) == [7, 2, 0, 0]
    assert launches(IdleTimesFactor(1.0, period_s=5.0), *(floor(t, ready=1) for t in (0.0, 4.0, 5.0))) == [1, 0, 1]


def test_issabel_practically_never_counts_a_busy_agent() -> None:
    assert soon_free([600.0], 15.0, 180.0, 0.97) == 0  # 1 - exp(-615 / 180) = 0.967
    assert soon_free([617.0, 700.0, 0.0], 15.0, 180.0, 0.97) == 2
    assert math.isclose(3.507 * 180.0, -math.log(0.03) * 180.0, rel_tol=1e-3)


def issabel(overcommit: bool, answered: int, ended: int) -> IssabelController:
    controller = IssabelController(Issabel(overcommit=overcommit))
    for i in range(answered + ended):
        kind = PacingEventKind.ANSWERED if i < answered else PacingEventKind.UNANSWERED
        controller.tell(PacingEvent(PacingEventKind.LAUNCHED, 0.0, str(i)))
        controller.tell(PacingEvent(kind, 10.0, str(i)))
    return controller


def test_issabel_places_one_call_per_free_agent() -> None:
    assert launches(issabel(False, 3, 9), *(floor(t, ready=3, dials=1) for t in (20.0, 22.0, 23.0))) == [2, 0, 2]
    assert launches(issabel(False, 3, 9), floor(20.0, ready=3, waiting=1, dials=1)) == [1]


def test_issabel_overcommits_by_the_share_answered_but_not_below_a_fifth() -> None:
    assert launches(issabel(True, 3, 9), floor(20.0, ready=3, dials=1)) == [8]  # (3 - 1) / 0.25
    assert launches(issabel(True, 1, 19), floor(20.0, ready=3)) == [15]  # 3 / 0.20
    assert launches(issabel(True, 2, 7), floor(20.0, ready=3)) == [3]  # nine calls are not enough
    assert launches(issabel(True, 3, 9), floor(2000.0, ready=3)) == [3]  # and these are too old


@pytest.mark.parametrize(
    ("abandoned", "target", "expected"),
    [
        (0.0, None, 4.0 * 1.3),
        (2.0, None, 4.0 * 1.1),
        (3.0, None, 1.0),
        (3.5, None, 1.0),
        (2.0, 2.0, 4.0 * 1.099),  # a difference of 0 counts as 0.99
        (2.5, 2.0, 4.0 * 0.5 / 3.0 * 1.1),
    ],
)
def test_webitel_over_dial(abandoned: float, target: float | None, expected: float) -> None:
    assert over_dial(4.0, abandoned, Webitel(target=target)) == pytest.approx(expected)


def test_webitel_learns_from_attempts_that_are_over() -> None:
    controller = WebitelController(Webitel())
    assert launches(controller, floor(0.0, ready=2)) == [2]
    for i in range(40):
        controller.tell(PacingEvent(PacingEventKind.LAUNCHED, 1.0, str(i)))
        if i < 10:
            controller.tell(PacingEvent(PacingEventKind.ANSWERED, 5.0, str(i)))
            controller.tell(PacingEvent(PacingEventKind.ENDED, 25.0, str(i)))
        else:
            controller.tell(PacingEvent(PacingEventKind.UNANSWERED, 25.0, str(i)))
    assert launches(controller, *(floor(t, ready=2) for t in (29.7, 29.9, 30.0))) == [2, 0, 10]  # 4 x 1.3 x 2
    controller.tell(PacingEvent(PacingEventKind.ANSWERED, 40.0, "x"))
    controller.tell(PacingEvent(PacingEventKind.ABANDONED, 42.0, "x"))
    assert launches(controller, floor(60.0, ready=2)) == [2]  # 1 of 11 abandoned: one call per agent
    assert launches(controller, floor(3700.0, ready=2)) == [2]


# --- hindsight ---


def test_the_mixture_abandons_exactly_what_was_asked_for() -> None:
    low, high = Point(2.0, 0.80, 0.01), Point(3.0, 0.90, 0.05)
    tuned = mixed([low, high, Point(1.0, 0.60, 0.0)], 0.03)
    assert (tuned.under, tuned.over, tuned.plain) == (low, high, low)
    served, dropped = [(p.utilisation, p.utilisation * p.abandonment / (1.0 - p.abandonment)) for p in (low, high)]
    share = (tuned.utilisation - 0.80) / 0.10
    drops = (1.0 - share) * served[1] + share * dropped[1]
    assert drops / (drops + tuned.utilisation) == pytest.approx(0.03)


def test_without_a_point_on_one_side() -> None:
    assert mixed([Point(1.0, 0.6, 0.0)], 0.03).utilisation == 0.6
    assert mixed([Point(1.0, 0.6, 0.1)], 0.03).utilisation == 0.0


def test_the_search_closes_in_on_the_crossing() -> None:
    asked: list[float] = []

    def run(factor: float) -> Point:
        asked.append(factor)
        return Point(factor, 1.0 - 0.4 / factor, 0.01 * (factor - 1.0) ** 2)

    points = search(run, [1.0, 2.0, 4.0, 8.0, 16.0], [0.03], rounds=6)
    assert 16.0 not in asked  # far beyond
    crossing = 1.0 + math.sqrt(3.0)
    assert min(abs(point.factor - crossing) for point in points) < 0.05
    assert mixed(points, 0.03).utilisation == pytest.approx(1.0 - 0.4 / crossing, abs=2e-3)
