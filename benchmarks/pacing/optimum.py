"""The best that any pacing policy can do, in a world simple enough to solve: an average-reward dynamic programme.

    python -m benchmarks.pacing.optimum [--agents 3,5,10] [--rates 0.25] [--policy]

The world has exponential phases: a dial ends after a mean of 12 s, with probability p as an answer; a conversation with
its wrap-up takes a mean of 123 s; an answered person whom nobody takes leaves after a mean of 2 s and counts as
abandoned. The state is (callers with an agent or waiting for one, dials in flight); the control is to dial up to a
level at once, in every state, at most 6 lines an agent. It maximises busy agents subject to 3.0 % of the answers
abandoned.

The constraint becomes a price per abandoned call (Altman, Constrained Markov Decision Processes, 1999): for each price,
policy iteration on the sparse chain. Every policy is a point (abandonment over the cap, utilisation), and the best
points are the corners of a concave curve, so the next price to try is the slope between the two corners around the
cap. When no policy lies above that segment, the optimum is its point at the cap: a randomisation between two policies
that differ in next to nothing. It is exact but for the states left out (`window`), which are never visited in practice.
"""

from __future__ import annotations

import argparse
import time
from dataclasses import dataclass

import numpy as np
from scipy.sparse import csc_matrix
from scipy.sparse.linalg import splu

from benchmarks.pacing.peers import launch
from cadencia.domain.agents import AT_WORK, AgentState
from cadencia.pacing.port import Decision, PacingEvent, Snapshot

#: Utilisation in % at 3.0 % abandonment: the table to reproduce, by answer rate and agents. It was computed by another
#: programme than this one, so agreement to the rounding is a check of both.
PUBLISHED: dict[float, dict[int, float]] = {
    0.10: {3: 68.1, 5: 74.5, 10: 82.4, 20: 88.5, 50: 93.9, 100: 96.4},
    0.25: {3: 77.4, 5: 80.0, 10: 84.7, 20: 89.4, 50: 94.2, 100: 96.5, 300: 98.6},
    0.45: {3: 84.1, 5: 84.9, 10: 87.3, 20: 90.6, 50: 94.6, 100: 96.7, 300: 98.6},
}
TEAMS = (3, 5, 10, 20, 50, 100, 300)

#: A policy closer to the segment than this is on it (utilisation, 0 to 1): far below what the table shows.
ON_SEGMENT = 1e-9


@dataclass(frozen=True, slots=True)
class Problem:
    """A floor in the world of exponential phases.

    Attributes:
        agents: N.
        answer_rate: p, the probability that a dial ends as an answer.
        ring_s, handle_s, patience_s: means of the three phases, seconds.
        lines_per_agent: dials in flight are at most this many times N.
        cap: abandoned calls over answers.
    """

    agents: int
    answer_rate: float
    ring_s: float = 12.0
    handle_s: float = 123.0
    patience_s: float = 2.0
    lines_per_agent: float = 6.0
    cap: float = 0.03


@dataclass(frozen=True, slots=True)
class Window:
    """The states that are kept: `low` to `high` callers, none to `dials` dials in flight."""

    low: int
    high: int
    dials: int


@dataclass(frozen=True, slots=True)
class Policy:
    """A deterministic policy and what it comes to in the long run.

    Attributes:
        level: for each number of callers from `window.low` on, and each number of dials in flight, how many are in
            flight after dialling.
        utilisation: busy agents over agents, 0 to 1.
        abandonment: abandoned calls over answers, 0 to 1.
    """

    window: Window
    level: np.ndarray
    utilisation: float
    abandonment: float


@dataclass(frozen=True, slots=True)
class Optimum:
    """The optimum at the cap: `share` of the time `eager`, else `calm`.

    Attributes:
        utilisation: busy agents over agents, 0 to 1, at exactly the cap.
    """

    problem: Problem
    utilisation: float
    eager: Policy
    calm: Policy
    share: float

    def level(self, callers: int, dials: int, *, eager: bool) -> int:
        """Dials in flight after dialling, by `callers` who talk (wrap-up included) or wait, and `dials` in flight."""
        policy = self.eager if eager else self.calm
        window = policy.window
        if dials > window.dials:
            return dials
        return int(policy.level[min(max(callers, window.low), window.high) - window.low, dials])


def window(problem: Problem, wider: float = 1.0) -> Window:
    """The states worth keeping: a large floor never has more than a few standard deviations idle, nor of dials.

    Args:
        wider: scales both margins; the optimum must not move when it grows.
    """
    agents = problem.agents
    idle = min(agents, int(wider * (12.0 + 3.5 * agents**0.5)))
    waiting = int(wider * (10.0 + agents / 15.0))
    flowing = agents / problem.handle_s * problem.ring_s / problem.answer_rate
    dials = int(flowing + wider * (30.0 + 0.35 * idle / problem.answer_rate))
    return Window(agents - idle, agents + waiting, min(int(problem.lines_per_agent * agents), dials))


class OptimumController:
    """The optimum behind the controller port: in the exponential world the simulator must give the programme's figures.

    The randomisation becomes time shared: `share` of every `PERIOD_S` the eager policy, the rest the calm one.
    """

    PERIOD_S = 1200.0

    def __init__(self, optimum: Optimum) -> None:
        self.optimum = optimum

    def tell(self, event: PacingEvent) -> None:
        """It knows everything already."""

    def decide(self, snapshot: Snapshot) -> Decision:
        """Dial up to the level of this state."""
        at_work = [agent.state for agent in snapshot.agents if agent.state in AT_WORK]
        callers = len(at_work) - at_work.count(AgentState.READY) + snapshot.waiting
        eager = snapshot.now_s % self.PERIOD_S < self.optimum.share * self.PERIOD_S
        dials = len(snapshot.dials)
        return launch(snapshot, self.optimum.level(callers, dials, eager=eager) - dials)


class Chain:
    """The controlled chain of one problem, restricted to a window."""

    def __init__(self, problem: Problem, window: Window) -> None:
        self.problem, self.window = problem, window
        width = window.dials + 1
        callers, dials = (
            grid.ravel()
            for grid in np.meshgrid(np.arange(window.low, window.high + 1), np.arange(width), indexing="ij")
        )
        self.shape = (window.high - window.low + 1, width)
        self.size = callers.size
        ended = dials / problem.ring_s
        busy = np.minimum(callers, problem.agents)
        leaving = np.maximum(callers - problem.agents, 0) / problem.patience_s
        served = np.where(callers > window.low, busy / problem.handle_s + leaving, 0.0)
        full = callers == window.high  # an answer beyond the window is abandoned at once
        self._answer, self._fail, self._serve = ended * problem.answer_rate, ended * (1.0 - problem.answer_rate), served
        self._total = self._answer + self._fail + served
        self._still = np.flatnonzero(self._total == 0.0)  # nobody talks and nobody is called: there one must dial
        here = np.arange(self.size)
        self._after_answer = np.where(dials > 0, np.where(full, here - 1, here + width - 1), 0)
        self._after_fail = np.where(dials > 0, here - 1, 0)
        self._after_serve = np.where(callers > window.low, here - width, 0)
        abandoned = leaving + np.where(full, self._answer, 0.0)
        self._rewards = np.stack([busy / problem.agents, abandoned], axis=1)
        self._rewards[self._still] = 0.0

    def evaluate(self, level: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The long-run averages of (utilisation, abandoned calls a second), and the relative values of the states.

        Args:
            level: a policy, as in `Policy.level`.

        Returns:
            Two averages, and two columns of values after dialling, by state; both for the two rewards.
        """
        state = (np.arange(self.shape[0])[:, None] * self.shape[1] + level).ravel()
        here, border = np.arange(self.size), self.size
        total = self._total.copy()
        total[self._still] = 1.0
        moving = np.flatnonzero(self._total)
        # One more unknown, the average, and one more equation, that values are relative to one state. (Leaving that
        # state out instead, and counting from visit to visit, is numerically hopeless where it is seldom visited.)
        origin = int((self.problem.agents - 1 - self.window.low) * self.shape[1])
        entries = (
            (here, here, total),
            (here, state[self._after_answer], -self._answer),
            (here, state[self._after_fail], -self._fail),
            (here, state[self._after_serve], -self._serve),
            (self._still, self._still + 1, np.full(self._still.size, -1.0)),
            (moving, np.full(moving.size, border), np.ones(moving.size)),
            (np.array([border]), np.array([origin]), np.ones(1)),
        )
        rows, columns, values = (np.concatenate(part) for part in zip(*entries, strict=True))
        chain = csc_matrix((values, (rows, columns)), shape=(border + 1, border + 1))
        solution = splu(chain).solve(np.vstack([self._rewards, np.zeros((1, 2))]))
        return solution[border], solution[:border]

    def improve(self, level: np.ndarray, price: float) -> Policy:
        """Policy iteration from `level` on, for utilisation less `price` times the abandonment beyond the cap."""
        problem = self.problem
        handled = problem.agents / problem.handle_s
        allowance = problem.cap / (1.0 - problem.cap) * handled  # abandoned calls a second per point of utilisation
        best = -np.inf
        for _ in range(100):
            averages, relative = self.evaluate(level)
            gain = averages[0] - price * (averages[1] - allowance * averages[0])
            if gain <= best + 1e-13:
                break
            best, kept, kept_averages = gain, level, averages
            value = (relative @ np.array([1.0 + price * allowance, -price])).reshape(self.shape)
            level = dial_up(value)
            if np.array_equal(level, kept):
                break
        utilisation, abandoned = kept_averages
        answers = abandoned + utilisation * handled
        return Policy(self.window, kept, float(utilisation), float(abandoned / answers))


def dial_up(value: np.ndarray) -> np.ndarray:
    """For each state the level to dial up to: the first of the best among this number of dials in flight and more."""
    best = np.maximum.accumulate(value[:, ::-1], axis=1)[:, ::-1]
    levels = np.where(value >= best, np.arange(value.shape[1]), value.shape[1])
    return np.minimum.accumulate(levels[:, ::-1], axis=1)[:, ::-1]


def solve(problem: Problem, wider: float = 1.0) -> Optimum:
    """The optimum of a problem.

    Raises:
        ArithmeticError: no price brings the abandonment across the cap.
    """
    chain = Chain(problem, window(problem, wider))
    eager, calm = _around_the_cap(chain)
    cap = problem.cap
    for _ in range(60):
        price = _slope(problem, eager, calm)
        found = chain.improve(calm.level, price)
        if _lagrangian(problem, found, price) <= _lagrangian(problem, calm, price) + ON_SEGMENT:
            break
        if found.abandonment > cap:
            eager = found
        else:
            calm = found
    # Time shared between the two: utilisation and abandoned calls add up by time, answers follow from both.
    over, under = _excess(problem, eager), _excess(problem, calm)
    share = under / (under - over) if under != over else 0.0
    utilisation = share * eager.utilisation + (1.0 - share) * calm.utilisation
    return Optimum(problem, utilisation, eager, calm, share)


def _around_the_cap(chain: Chain) -> tuple[Policy, Policy]:
    """Two best policies, for two prices: one above the cap, and one below."""
    problem, high = chain.problem, chain.window.dials
    low_dials = min(high, 1 + int(problem.agents * problem.ring_s / problem.handle_s / problem.answer_rate))
    level = np.maximum(np.arange(high + 1), low_dials) * np.ones((chain.shape[0], 1), dtype=int)
    eager = calm = None
    price = 60.0 / problem.agents
    for _ in range(40):
        policy = chain.improve(level, price)
        level = policy.level
        if policy.abandonment > problem.cap:
            eager, price = policy, price * 2.0
        else:
            calm, price = policy, price / 2.0
        if eager is not None and calm is not None:
            return eager, calm
    raise ArithmeticError(f"no price keeps the abandonment at {problem.cap}: {problem}")


def _excess(problem: Problem, policy: Policy) -> float:
    """Abandoned calls a second beyond the cap's share."""
    served = policy.utilisation * problem.agents / problem.handle_s
    abandoned = served * policy.abandonment / (1.0 - policy.abandonment)
    return abandoned - problem.cap / (1.0 - problem.cap) * served


def _slope(problem: Problem, eager: Policy, calm: Policy) -> float:
    over, under = _excess(problem, eager), _excess(problem, calm)
    return max(0.0, (eager.utilisation - calm.utilisation) / (over - under))


def _lagrangian(problem: Problem, policy: Policy, price: float) -> float:
    return policy.utilisation - price * _excess(problem, policy)


def table(rates: tuple[float, ...], teams: tuple[int, ...]) -> list[tuple[Problem, Optimum, float]]:
    """The optimum of every cell, with the seconds it took."""
    rows = []
    for rate in rates:
        for agents in teams:
            begin = time.perf_counter()
            problem = Problem(agents, rate)
            rows.append((problem, solve(problem), time.perf_counter() - begin))
    return rows


def main(words: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--agents", default=",".join(map(str, TEAMS)))
    parser.add_argument("--rates", default=",".join(map(str, PUBLISHED)))
    parser.add_argument("--policy", action="store_true", help="the levels to dial up to, by free agents")
    arguments = parser.parse_args(words)
    teams = tuple(int(word) for word in arguments.agents.split(","))
    rates = tuple(float(word) for word in arguments.rates.split(","))
    print("answer rate  agents  optimum %  published %  difference      s")
    for problem, best, seconds in table(rates, teams):
        known = PUBLISHED.get(problem.answer_rate, {}).get(problem.agents)
        against = f"{known:11.1f}  {100.0 * best.utilisation - known:+10.2f}" if known is not None else " " * 23
        cell = f"{problem.answer_rate:11.0%}  {problem.agents:6d}"
        print(f"{cell}  {100.0 * best.utilisation:9.2f}  {against}  {seconds:5.1f}", flush=True)
        if arguments.policy:
            levels = [
                f"{problem.agents - callers}:{best.level(callers, 0, eager=False)}"
                for callers in range(problem.agents + 3, max(-1, problem.agents - 12), -1)
            ]
            print(" " * 13 + "dial up to, by free agents: " + " ".join(levels))


if __name__ == "__main__":
    main()
