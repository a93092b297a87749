"""The look-ahead's arithmetic, against brute force and against itself."""

import itertools
import json
import math
import os
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cadencia.pacing import kernel
from cadencia.pacing.kernel import EXACT_TERMS, LAGS, RING_S, add_term, answer_tables, below, edgeworth

chances = st.lists(st.floats(0.0, 1.0), min_size=0, max_size=9)


def brute_force(probabilities: list[float]) -> list[float]:
    """Distribution of a sum of Bernoulli variables, by listing every outcome."""
    found = [0.0] * (len(probabilities) + 1)
    for outcome in itertools.product((0, 1), repeat=len(probabilities)):
        found[sum(outcome)] += math.prod(p if hit else 1.0 - p for p, hit in zip(probabilities, outcome, strict=True))
    return found


def exact(probabilities: list[float]) -> np.ndarray:
    pmf = np.zeros((len(probabilities) + 2, 1))
    pmf[0] = 1.0
    for number, p in enumerate(probabilities, 1):
        add_term(pmf, number, np.array([p]))
    return pmf[: len(probabilities) + 1, 0]


@given(chances)
@settings(max_examples=60, deadline=None)
def test_sum_of_terms_is_exact(probabilities: list[float]) -> None:
    assert exact(probabilities) == pytest.approx(brute_force(probabilities), abs=1e-12)


@given(chances, st.integers(0, 9))
@settings(max_examples=40, deadline=None)
def test_truncated_sum_is_right_up_to_its_top(probabilities: list[float], top: int) -> None:
    pmf = np.zeros((top + 2, 1))
    pmf[0] = 1.0
    for number, p in enumerate(probabilities, 1):
        add_term(pmf, min(top, number), np.array([p]))
    whole = [*brute_force(probabilities), *([0.0] * 10)]
    assert pmf[: top + 1, 0] == pytest.approx(whole[: top + 1], abs=1e-12)


def test_below_adds_up_to_and_including() -> None:
    pmf = np.array([[0.1, 0.5], [0.2, 0.5], [0.7, 0.0]])
    out = np.empty(2)
    below(pmf, 1, out)
    assert out == pytest.approx([0.3, 1.0])
    below(pmf, -1, out)
    assert out == pytest.approx([0.0, 0.0])


@pytest.mark.parametrize("seed", range(6))
def test_normal_agrees_with_exact_where_they_meet(seed: int) -> None:
    rng = np.random.default_rng(seed)
    probabilities = rng.beta(0.6, 2.0, EXACT_TERMS)
    cdf = np.cumsum(exact(list(probabilities)))
    spread = probabilities * (1.0 - probabilities)
    moments = probabilities.sum(), spread.sum(), (spread * (1.0 - 2.0 * probabilities)).sum()
    for value, wanted in enumerate(cdf):
        assert normal(value, *moments) == pytest.approx(wanted, abs=0.003)


def normal(value: float, mean: float, variance: float, third: float) -> float:
    out = np.empty(1)
    edgeworth(float(value), np.array([mean]), np.array([variance]), np.array([third]), out)
    return float(out[0])


def test_normal_of_a_certain_sum_is_a_step() -> None:
    assert normal(3.0, 4.0, 0.0, 0.0) == pytest.approx(0.0, abs=1e-12)
    assert normal(4.0, 4.0, 0.0, 0.0) == pytest.approx(1.0, abs=1e-12)


def test_answer_table_is_the_conditional_probability() -> None:
    answered = np.clip(np.arange(RING_S + 1) / 20.0, 0.0, 1.0)  # uniform over 20 s
    ended = np.clip(np.arange(RING_S + 1) / 40.0, 0.0, 1.0)
    out = np.empty((2 * (RING_S + 1), LAGS))
    answer_tables(np.array([0.25, 0.5]), answered, ended, out)
    # A new dial: what is answered within 4 s of all that are.
    assert out[0, 1] == pytest.approx(0.25 * 4 / 20)
    # Age 10.5 s (row 11): half answered, a quarter of the others gone.
    alive = 1.0 - 0.5 * 10.5 / 20 - 0.5 * 10.5 / 40
    assert out[(RING_S + 1) + 11, 0] == pytest.approx(0.5 * 2 / 20 / alive)
    assert (np.diff(out, axis=1) >= -1e-12).all()


SCRIPT = """
import json, sys
from cadencia.pacing import Policy, kernel, make_controller, worlds
from cadencia.pacing.simulator import Floor, simulate
class Seen:
    def __init__(self, inner): self.inner, self.decisions = inner, []
    def tell(self, event): self.inner.tell(event)
    def decide(self, snapshot):
        found = self.inner.decide(snapshot)
        self.decisions.append((found.launch, len(found.cancel), found.reason))
        return found
out = []
for agents, world in ((6, worlds.CLASSES), (45, worlds.REALISTIC)):
    seen = Seen(make_controller(Policy()))
    simulate(world, Floor(agents), seen, hours=0.2, seed=3)
    out.append(seen.decisions)
print(json.dumps([kernel.COMPILED, out]))
"""


def decisions(kernel_name: str) -> tuple[bool, list[list[list[object]]]]:
    env = {**os.environ, "CADENCIA_KERNEL": kernel_name}
    done = subprocess.run([sys.executable, "-c", SCRIPT], env=env, capture_output=True, text=True, check=True)
    compiled, found = json.loads(done.stdout)
    return compiled, found


@pytest.mark.skipif(not kernel.COMPILED, reason="numba is not installed")
def test_both_kernels_take_the_same_decisions() -> None:
    compiled, plain = decisions("compiled"), decisions("plain")
    assert (compiled[0], plain[0]) == (True, False)
    assert compiled[1] == plain[1]
    assert all(sum(launch for launch, _, _ in floor) > 30 for floor in plain[1])
