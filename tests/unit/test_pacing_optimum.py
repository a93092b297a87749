"""The dynamic programme that the pacing benchmarks are measured against."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

pytest.importorskip("scipy")

from benchmarks.pacing import scenarios
from benchmarks.pacing.optimum import PUBLISHED, Problem, solve
from benchmarks.pacing.results import Cell, summary


@pytest.mark.parametrize(("agents", "rate"), [(3, 0.10), (3, 0.25), (3, 0.45), (10, 0.25), (20, 0.25)])
def test_the_optimum_is_the_published_one(agents: int, rate: float) -> None:
    best = solve(Problem(agents, rate))
    assert 100.0 * best.utilisation == pytest.approx(PUBLISHED[rate][agents], abs=0.051)  # the table's rounding
    assert best.calm.abandonment <= 0.03 <= best.eager.abandonment


def test_states_left_out_do_not_matter() -> None:
    problem = Problem(20, 0.25)
    assert solve(problem, wider=1.5).utilisation == pytest.approx(solve(problem).utilisation, abs=1e-9)


def test_more_free_agents_never_mean_fewer_dials() -> None:
    best = solve(Problem(10, 0.25))
    levels = [best.level(callers, 0, eager=True) for callers in range(13)]
    assert levels == sorted(levels, reverse=True)
    assert best.level(10, 7, eager=True) >= 7  # dialled is dialled


def test_the_simulator_gives_the_optimum_what_the_programme_says() -> None:
    """The programme's policy on the simulated floor: two pieces of code that share nothing agree."""
    cell = Cell("exponential", 0.25, 20)
    found = summary([scenarios.measure(scenarios.OPTIMUM, cell, seed, 5.0) for seed in (1, 2)])
    assert found.utilisation.mean == pytest.approx(solve(Problem(20, 0.25)).utilisation, abs=0.008)
    assert found.abandonment.mean == pytest.approx(0.03, abs=0.01)
