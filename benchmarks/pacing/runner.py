"""Runs what is missing: plain policies first, then the factors of the families that hindsight tunes."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from dataclasses import dataclass
from multiprocessing import get_context

from benchmarks.pacing import scenarios
from benchmarks.pacing.hindsight import Point, grid, search
from benchmarks.pacing.report import CAP
from benchmarks.pacing.results import Cell, Row, Store, summary


@dataclass(frozen=True, slots=True)
class Plan:
    """What to run.

    Attributes:
        policies: by name; those of `scenarios.TUNED` are searched over their factor.
        seeds: how many of them a cell takes depends on its size (`seeds_of`).
        hours: measured; None takes `scenarios.hours_for`.
        grid_steps, rounds: of the search.
    """

    policies: tuple[str, ...]
    cells: tuple[Cell, ...]
    seeds: tuple[int, ...]
    hours: float | None = None
    grid_steps: int = 14
    rounds: int = 3

    def seeds_of(self, agents: int) -> tuple[int, ...]:
        """A large floor has more calls in an hour and costs more: half the seeds from 50 on, a quarter at 300."""
        share = 1.0 if agents < 50 else 0.5 if agents < 300 else 0.25
        return self.seeds[: max(min(2, len(self.seeds)), round(share * len(self.seeds)))]

    def hours_of(self, agents: int) -> float:
        return self.hours if self.hours is not None else scenarios.hours_for(agents)


def run(plan: Plan, store: Store, workers: int) -> int:
    """Everything that is not there yet. Returns the number of floors simulated.

    Args:
        workers: processes; 1 runs everything in this one.
    """
    before = len(store.rows)
    jobs = [
        (policy, cell, seed, plan.hours_of(cell.agents))
        for cell in plan.cells
        for policy in plan.policies
        if policy not in scenarios.TUNED and scenarios.applies(policy, cell)
        for seed in plan.seeds_of(cell.agents)
    ]
    jobs = [job for job in jobs if (*job, scenarios.version(job[0])) not in store.rows]
    # The long ones first, so that the processes end together.
    spread(scenarios.measure, sorted(jobs, key=lambda job: -job[1].agents * job[3]), store.add, workers)
    rows = store.latest(scenarios.version)
    searches = [
        (
            family,
            cell,
            plan.seeds_of(cell.agents),
            plan.hours_of(cell.agents),
            _targets(cell, rows),
            plan.grid_steps,
            plan.rounds,
            _rows_of(family, cell, store),
        )
        for cell in plan.cells
        for family in plan.policies
        if family in scenarios.TUNED
    ]
    searches.sort(key=lambda job: -job[1].agents * job[3])
    spread(tune, searches, lambda found: [store.add(row) for row in found], workers)
    return len(store.rows) - before


def _targets(cell: Cell, rows: Iterable[Row]) -> tuple[float, ...]:
    """The cap, and what each of ours realised there."""
    targets = {CAP}
    for policy in scenarios.OURS:
        mine = [row for row in rows if row.cell == cell and row.policy == policy]
        if mine:
            targets.add(round(summary(mine).abandonment.mean, 4))
    return tuple(sorted(targets))


def _rows_of(family: str, cell: Cell, store: Store) -> tuple[Row, ...]:
    return tuple(
        row
        for row in store.rows.values()
        if row.cell == cell and row.policy.startswith(f"{family}:") and row.version == scenarios.version(family)
    )


def spread(work: Callable, jobs: Sequence[tuple], done: Callable, workers: int) -> None:
    """Call `work` with each job in a few processes, and `done` here with each answer; say how far it is."""
    begin = time.perf_counter()

    def tell(number: int, job: tuple) -> None:
        print(f"{time.perf_counter() - begin:7.0f} s  {number}/{len(jobs)}  {job[0]}  {job[1]}", file=sys.stderr)

    if workers <= 1 or len(jobs) <= 1:
        for number, job in enumerate(jobs, 1):
            done(work(*job))
            tell(number, job)
        return
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        waiting: dict[Future, tuple] = {}
        rest, number = iter(jobs), 0
        while True:
            # No more in the queue than keeps the processes busy: so an interruption loses little.
            while len(waiting) < 2 * workers and (job := next(rest, None)) is not None:
                waiting[pool.submit(work, *job)] = job
            if not waiting:
                return
            for future in wait(waiting, return_when=FIRST_COMPLETED).done:
                job = waiting.pop(future)
                done(future.result())
                number += 1
                tell(number, job)


def tune(
    family: str,
    cell: Cell,
    seeds: Sequence[int],
    hours: float,
    targets: Sequence[float],
    steps: int,
    rounds: int,
    known: Sequence[Row],
) -> list[Row]:
    """The rows of a search over a family's factor that are not known yet."""
    have = {(row.policy, row.seed, row.hours): row for row in known}
    new: list[Row] = []

    def run(factor: float) -> Point:
        policy = f"{family}:{factor:.4g}"
        rows = []
        for seed in seeds:
            row = have.get((policy, seed, hours))
            if row is None:
                row = scenarios.measure(policy, cell, seed, hours)
                new.append(row)
            rows.append(row)
        found = summary(rows)
        return Point(float(f"{factor:.4g}"), found.utilisation.mean, found.abandonment.mean)

    search(run, grid(cell.answer_rate, steps), targets, rounds)
    return new
