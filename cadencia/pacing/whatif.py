"""What would this floor do under another policy: the question of a supervisor before a change is made.

Each policy is simulated on the same debtors, day by day; the figures come with the 95 % interval over the days.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from statistics import fmean, stdev
from typing import Any

import numpy as np

from cadencia.pacing.controllers import Policy, make_controller
from cadencia.pacing.learned import EDGES, Durations, Learned
from cadencia.pacing.port import Snapshot
from cadencia.pacing.replay import Day, listed
from cadencia.pacing.simulator import Floor, Result, Source, simulate
from cadencia.pacing.worlds import REALISTIC, Contacts, Nature, Party, World


@dataclass(frozen=True)
class Scenario:
    """A floor and who it calls.

    Attributes:
        replay: a day of the log, instead of the world; its own agents and hours are on the floor.
        learned: what a real campaign has taught (`Learned.export`): its answer rate, ring times, talk and wrap-up take
            the place of the world's.
        hours: of each simulated day.
        warmup_s: before them and left out of the figures, so that they are those of a floor in full swing.
        days: one after another; each takes over what the one before it learnt and left in the 30-day account.
        one_day: they are pieces of one day instead, and each goes on with the day's account too.
    """

    floor: Floor
    world: World = REALISTIC
    learned: Mapping[str, Any] | None = None
    replay: Day | None = None
    hours: float = 8.0
    warmup_s: float = 0.0
    days: int = 5
    one_day: bool = False
    seed: int = 1


@dataclass(frozen=True)
class Figure:
    """A mean over days and half of its 95 % interval (NaN with one day)."""

    mean: float
    half: float


@dataclass(frozen=True)
class Outlook:
    """What a policy would bring. Shares are 0 to 1, waits seconds."""

    policy: Policy
    utilisation: Figure
    wait_mean_s: Figure
    wait_p95_s: Figure
    abandonment: Figure
    worst_day: float
    dials_per_contact: Figure
    contacts_per_agent_hour: Figure
    series: tuple[tuple[float, float, int, int, int], ...]


#: Quantiles 0.975 of Student's distribution for 1 to 10 degrees of freedom; beyond, 2.1 is close enough.
_STUDENT = (12.71, 4.30, 3.18, 2.78, 2.57, 2.45, 2.36, 2.31, 2.26, 2.23)


def outlook(scenario: Scenario, policy: Policy) -> Outlook:
    """Simulate a policy on the days of the scenario."""
    return summed_up(policy, run_days(scenario, policy), scenario)


def run_days(scenario: Scenario, policy: Policy) -> list[Result]:
    """The days of a scenario, one after another (replayed ones: the same day again, with other unknowns)."""
    results: list[Result] = []
    learned, month, today = Learned(scenario.learned), scenario.floor.month, scenario.floor.day
    for day in range(scenario.days):
        seed = scenario.seed * 1000 + day
        world, source = scenario.world, None
        if scenario.replay is not None:
            world, source = scenario.replay.world, listed(scenario.replay, seed)
        elif scenario.learned is not None:
            world, source = world_of(Learned(scenario.learned), seed)
        result = simulate(
            world,
            replace(scenario.floor, month=month, day=today),
            make_controller(policy, learned),
            hours=scenario.hours,
            seed=seed,
            warmup_s=scenario.warmup_s,
            source=source,
        )
        results.append(result)
        if scenario.replay is not None:
            learned = Learned(scenario.learned)
            continue
        learned = Learned(learned.export())
        month = sum((past.day for past in results[-29:]), scenario.floor.month)
        if scenario.one_day:
            today += result.day
    return results


def summed_up(policy: Policy, days: Sequence[Result], scenario: Scenario) -> Outlook:
    """The figures of simulated days."""
    agent_hours = max(1e-9, scenario.floor.agents * scenario.hours)
    return Outlook(
        policy,
        figure([day.utilisation for day in days]),
        figure([day.wait_mean_s for day in days]),
        figure([day.wait_p95_s for day in days]),
        figure([day.abandonment for day in days]),
        max((day.day.abandoned / day.day.answers if day.day.answers else 0.0) for day in days),
        figure([day.dials / max(1, day.contacts) for day in days]),
        figure([day.contacts / agent_hours for day in days]),
        days[0].series,
    )


def world_of(learned: Learned, seed: int) -> tuple[World, Source]:
    """The world that a campaign's estimators describe, and its list.

    Machines that no detector tells from people stay among the answers, in the share that the dispositions showed. What
    was learnt of talk and wrap-up does not tell them apart either: each takes as long as the mean of all.
    """
    learned.refresh(Snapshot(0.0, ()))
    answered, machines = learned.usual_rate, learned.machine_share if learned.judged else 0.0
    live = answered * (1.0 - machines)
    rest = max(1e-9, 1.0 - live)
    machine = min(1.0, answered * machines / rest)
    world = replace(
        REALISTIC,
        live=live,
        machine=machine,
        no_answer=1.0 - machine,
        busy=0.0,
        congestion=0.0,
        invalid_lines=0.0,
        unmask_s=_mean_s(learned.talk) + _mean_s(learned.wrapup),
        detector=None,
    )
    return world, partial(_drawn, learned, world, seed)


def _drawn(learned: Learned, world: World, seed: int, block: int, size: int) -> Contacts:
    rng = np.random.default_rng((seed, block, 0x1EA4))
    luck = rng.random(size)
    seconds = np.arange(len(learned.rings.cdf_answered), dtype=np.float64)
    answer = np.interp(rng.random(size), learned.rings.cdf_answered, seconds)
    end = np.interp(rng.random(size), learned.rings.cdf_ended, seconds)
    machine = rng.random(size) < world.machine
    nothing = np.zeros(0)
    talk = _durations(rng.exponential(1.0, size), learned.talk.hazards(nothing))
    wrapup = _durations(rng.exponential(1.0, size), learned.wrapup.hazards(nothing))
    return Contacts(
        luck.tolist(),
        [0.0] * size,
        answer.tolist(),
        [Nature.MACHINE if is_machine else Nature.NO_ANSWER for is_machine in machine],
        np.where(machine, answer, end).tolist(),
        [Party.OTHER] * size,
        talk.tolist(),
        wrapup.tolist(),
        [math.inf] * size,
        [0] * size,
        rng.random(size).tolist(),
    )


def _mean_s(durations: Durations) -> float:
    """The mean of a piecewise exponential distribution: of each bin, who reaches it, who leaves it, over its hazard."""
    hazards = durations.hazards(np.zeros(0))
    reached = np.concatenate([[0.0], np.cumsum(hazards[:-1] * np.diff(EDGES))])
    survival = np.append(np.exp(-reached), 0.0)
    return float(((survival[:-1] - survival[1:]) / hazards).sum())


def _durations(exponential: np.ndarray[Any, np.dtype[np.float64]], hazards: Any) -> Any:
    """Draws from a piecewise exponential distribution: where its cumulated hazard meets a unit exponential."""
    reached = np.concatenate([[0.0], np.cumsum(hazards[:-1] * np.diff(EDGES))])
    beyond = EDGES[-1] + (exponential - reached[-1]) / hazards[-1]
    return np.where(exponential > reached[-1], beyond, np.interp(exponential, reached, EDGES))


def figure(values: Sequence[float]) -> Figure:
    """The mean of independent values, with half of its 95 % interval by Student's distribution."""
    if len(values) < 2:
        return Figure(values[0], math.nan)
    quantile = _STUDENT[len(values) - 2] if len(values) - 2 < len(_STUDENT) else 2.1
    return Figure(fmean(values), quantile * stdev(values) / math.sqrt(len(values)))
