"""The what-if: a world made of what was learnt, days one after another, and one change asked about."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import pytest

from cadencia.domain.dialing import Mode
from cadencia.pacing import whatif
from cadencia.pacing.budget import Count
from cadencia.pacing.change import Answer, Question, Terms, compare, hours_for
from cadencia.pacing.controllers import Policy, make_controller
from cadencia.pacing.learned import Learned
from cadencia.pacing.simulator import Floor, Result, simulate
from cadencia.pacing.whatif import Figure, Scenario, figure, outlook, run_days, world_of
from cadencia.pacing.worlds import NO_DETECTOR, REALISTIC, Talk, World

PREDICTIVE = Policy(Mode.PREDICTIVE)
PROGRESSIVE = Policy(Mode.PROGRESSIVE)


def taught(world: World, policy: Policy = PROGRESSIVE, hours: float = 2.0) -> tuple[dict[str, Any], Result]:
    """What a day of this world teaches, and the day itself."""
    learned = Learned()
    day = simulate(world, Floor(12), make_controller(policy, learned), hours=hours, seed=5)
    return learned.export(), day


# -- the world of what was learnt --------------------------------------------------------------------------------------
@pytest.mark.parametrize("live", [0.12, 0.4])
def test_the_world_of_what_was_learnt_is_like_the_one_that_taught_it(live: float) -> None:
    prior, day = taught(replace(REALISTIC, live=live))
    assert prior["rate"] == pytest.approx(live, abs=0.12)  # what was dialled last, without looking ahead too
    found = outlook(Scenario(Floor(12), learned=prior, hours=2.0, days=2), PROGRESSIVE)
    assert 1.0 / found.dials_per_contact.mean == pytest.approx(day.contacts / day.dials, rel=0.15)
    assert found.utilisation.mean == pytest.approx(day.utilisation, abs=0.05)
    assert found.wait_mean_s.mean == pytest.approx(day.wait_mean_s, rel=0.2)
    assert found.contacts_per_agent_hour.mean == pytest.approx(day.contacts / 24.0, rel=0.15)


def test_talk_and_wrap_up_are_those_that_were_learnt() -> None:
    slow = (Talk(REALISTIC.talks[0].party, 1.0, 300.0, 0.5, 90.0),)
    prior, _ = taught(replace(REALISTIC, live=0.4, talks=slow), hours=6.0)
    _, source = world_of(Learned(prior), 3)
    drawn = source(0, 4096)
    assert sum(drawn.talk_s) / 4096 == pytest.approx(300.0, rel=0.12)
    assert sum(drawn.wrapup_s) / 4096 == pytest.approx(90.0, rel=0.12)
    rung = [s for s in drawn.answer_s if s < math.inf]
    assert 9.0 < sum(rung) / len(rung) < 18.0


def test_machines_that_no_detector_knows_stay_among_the_answers() -> None:
    prior, day = taught(replace(NO_DETECTOR, live=0.25))
    world, _ = world_of(Learned(prior), 1)
    assert world.detector is None
    machines = day.day.machines / (day.day.machines + day.day.answers)
    share = (1.0 - world.live) * world.machine / (world.live + (1.0 - world.live) * world.machine)
    assert share == pytest.approx(machines, abs=0.1)
    found = outlook(Scenario(Floor(12), learned=prior, hours=2.0, days=2), PROGRESSIVE)
    assert found.utilisation.mean == pytest.approx(day.utilisation, abs=0.07)
    assert found.contacts_per_agent_hour.mean == pytest.approx(day.contacts / 24.0, rel=0.2)
    known, _ = world_of(Learned(taught(REALISTIC)[0]), 1)
    assert known.machine < 0.1


def test_the_same_seed_draws_the_same_debtors_block_by_block() -> None:
    prior, _ = taught(REALISTIC, hours=0.5)
    one, same, other = (world_of(Learned(prior), seed)[1] for seed in (1, 1, 2))
    assert one(3, 50) == same(3, 50)
    assert one(3, 50) != other(3, 50)
    assert one(3, 50) != one(4, 50)


# -- days --------------------------------------------------------------------------------------------------------------
def test_each_day_takes_over_what_the_days_before_it_left(monkeypatch: pytest.MonkeyPatch) -> None:
    floors: list[Floor] = []

    def spied(world: World, floor: Floor, *rest: Any, **more: Any) -> Result:
        floors.append(floor)
        return simulate(world, floor, *rest, **more)

    monkeypatch.setattr(whatif, "simulate", spied)
    before, today = Count(100, 5), Count(20, 1)
    scenario = Scenario(Floor(4, month=before, day=today), hours=0.2, days=3)
    days = run_days(scenario, Policy(Mode.RATIO, 2.0))
    assert [floor.day for floor in floors] == [today] * 3
    assert floors[2].month == before + days[0].day + days[1].day
    floors.clear()
    pieces = run_days(replace(scenario, one_day=True), Policy(Mode.RATIO, 2.0))
    assert floors[2].day == today + pieces[0].day + pieces[1].day
    assert floors[2].month == before + pieces[0].day + pieces[1].day


def test_policies_are_asked_about_on_the_same_debtors() -> None:
    scenario = Scenario(Floor(4), hours=0.3, days=2, seed=9)
    first, again = (outlook(scenario, PROGRESSIVE) for _ in range(2))
    assert first == again
    assert outlook(replace(scenario, seed=10), PROGRESSIVE) != first


def test_one_day_has_no_interval_and_more_have_students() -> None:
    assert math.isnan(figure([3.0]).half)
    assert figure([1.0, 3.0]) == Figure(2.0, pytest.approx(12.71))
    assert figure([2.0] * 30) == Figure(2.0, 0.0)
    many = figure([0.0, 1.0] * 20)
    assert many.half == pytest.approx(2.1 * 0.5064 / math.sqrt(40), rel=1e-3)


# -- one change --------------------------------------------------------------------------------------------------------
def terms(policy: Policy = PREDICTIVE, agents: int = 6, target: float | None = None) -> Terms:
    return Terms(policy, agents, 0.03, target, 2.0, 25.0, 15.0)


def asked(now: Terms, then: Terms, learned: dict[str, Any] | None = None) -> Answer:
    prior = Learned().export() if learned is None else learned
    return compare(Question(now, then, prior, 60, 50.0, Count(200, 4), Count(4000, 90)))


@pytest.fixture
def brief(monkeypatch: pytest.MonkeyPatch) -> None:
    """A question costs little."""
    monkeypatch.setattr("cadencia.pacing.change._MOST_H", 0.4)


@pytest.mark.usefixtures("brief")
def test_a_change_is_answered_with_both_sides_and_their_difference() -> None:
    prior, _ = taught(REALISTIC, PREDICTIVE)
    answer = asked(terms(), terms(PROGRESSIVE), prior)
    assert answer.hours == 0.4
    assert answer.known
    assert answer.answer_rate == pytest.approx(0.25, abs=0.05)
    assert answer.then.wait_mean_s.mean > answer.now.wait_mean_s.mean
    assert answer.difference.wait_mean_s.mean == pytest.approx(
        answer.then.wait_mean_s.mean - answer.now.wait_mean_s.mean
    )
    assert answer.then.abandonment == Figure(0.0, 0.0)
    assert answer == asked(terms(), terms(PROGRESSIVE), prior)


@pytest.mark.usefixtures("brief")
def test_no_change_makes_no_difference_and_is_simulated_once(monkeypatch: pytest.MonkeyPatch) -> None:
    runs: list[Policy] = []

    def counted(scenario: Scenario, policy: Policy) -> list[Result]:
        runs.append(policy)
        return run_days(scenario, policy)

    monkeypatch.setattr("cadencia.pacing.change.run_days", counted)
    answer = asked(terms(PROGRESSIVE), terms(PROGRESSIVE))
    assert len(runs) == 1
    assert answer.now == answer.then
    assert answer.difference.utilisation == Figure(0.0, 0.0)
    assert not answer.known


def test_a_larger_floor_is_simulated_for_less_time() -> None:
    hours = [hours_for(agents) for agents in (1, 5, 20, 50, 100, 300, 2000)]
    assert hours == sorted(hours, reverse=True)
    assert hours[0] <= 1.0 and hours[-1] == 0.1
