"""Is the abandonment bound held: day by day from a cold start, and over 30 days, where a small team carries over.

    python -m benchmarks.pacing bound [--agents 5,10,20] [--worlds realistic] [--rates 0.25] [--seeds 1-100]
                                      [--months 3,4,5] [--month-seeds 1-10] [--policy NAME] [--out FOLDER]

A day is 8 hours, the cold start in it, of a campaign that knows nothing yet. A month is 30 such days in a row: what was
learnt and the 30-day account go from day to day. Rows are kept in FOLDER/days.jsonl and FOLDER/months.jsonl, and what
is there is not simulated again.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Sequence
from itertools import product
from pathlib import Path

from benchmarks.pacing import scenarios
from benchmarks.pacing.results import Cell, Row, Store, Summary, summaries
from benchmarks.pacing.runner import spread
from cadencia.pacing.budget import Count
from cadencia.pacing.controllers import make_controller
from cadencia.pacing.learned import Learned
from cadencia.pacing.simulator import Result

DAY_HOURS = 8.0
MONTH_DAYS = 30

#: Larger floors have their law of large numbers; they cost more, too.
SEEDS_AT_MOST = {50: 20, 100: 20, 300: 5}


def day(policy: str, cell: Cell, seed: int) -> Row:
    """One fresh day."""
    begin = time.process_time()
    result = scenarios.play(policy, cell, seed, DAY_HOURS, 0.0, scenarios.controller(policy, cell))
    return _row(policy, cell, seed, [result], begin)


def month(policy: str, cell: Cell, seed: int) -> Row:
    """Thirty days in a row; utilisation and waits are those of all of them together."""
    begin = time.process_time()
    results: list[Result] = []
    account, learned = Count(), Learned()
    for number in range(MONTH_DAYS):
        controller = make_controller(scenarios.OWN[policy], learned)
        result = scenarios.play(policy, cell, 1000 * seed + number, DAY_HOURS, 0.0, controller, account)
        account += result.day
        learned = Learned(learned.export())
        results.append(result)
    return _row(policy, cell, seed, results, begin)


def _row(policy: str, cell: Cell, seed: int, results: Sequence[Result], begin: float) -> Row:
    days = len(results)
    return Row(
        policy=policy,
        cell=cell,
        seed=seed,
        hours=DAY_HOURS * days,
        version=scenarios.version(policy),
        utilisation=sum(result.utilisation for result in results) / days,
        wait_mean_s=sum(result.wait_mean_s for result in results) / days,
        wait_p95_s=sum(result.wait_p95_s for result in results) / days,
        answers=sum(result.answers for result in results),
        abandoned=sum(result.abandoned for result in results),
        dials=sum(result.dials for result in results),
        contacts=sum(result.contacts for result in results),
        first_half_hour=(results[0].first_half_hour.answers, results[0].first_half_hour.abandoned),
        days=tuple((result.day.answers, result.day.abandoned) for result in results),
        took_s=round(time.process_time() - begin, 3),
    )


def markdown(days: Sequence[Row], months: Sequence[Row]) -> str:
    """Both tables."""
    lines = [
        "# The bound of 3.00 %",
        "",
        "Fresh days of 8 hours, cold start included",
        "",
        "| cell | policy | days | over 3.00 % | worst % | mean % | first 30 min, together / worst % | utilisation % |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for found, rows in _groups(days):
        first = max((b / a for a, b in (row.first_half_hour for row in rows) if a), default=0.0)
        lines.append(
            f"| {found.cell} | {found.policy} | {found.days} | {found.days_over} | {100 * found.worst_day:.2f} "
            f"| {100 * found.abandonment.mean:.2f} | {100 * found.first_half_hour:.2f} / {100 * first:.2f} "
            f"| {100 * found.utilisation.mean:.1f} |"
        )
    lines += [
        "",
        f"Months of {MONTH_DAYS} days with carry-over",
        "",
        "| cell | policy | months | over 3.00 % | worst % | mean % | worst single day % | utilisation % |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for found, rows in _groups(months):
        shares = [row.abandoned / row.answers for row in rows if row.answers]
        lines.append(
            f"| {found.cell} | {found.policy} | {len(rows)} | {sum(share > 0.03 + 1e-12 for share in shares)} "
            f"| {100 * max(shares):.2f} | {100 * found.abandonment.mean:.2f} | {100 * found.worst_day:.2f} "
            f"| {100 * found.utilisation.mean:.1f} |"
        )
    return "\n".join(lines) + "\n"


def _groups(rows: Sequence[Row]) -> list[tuple[Summary, list[Row]]]:
    found = [one for column in summaries(rows).values() for one in column.values()]
    return [(one, [row for row in rows if (row.cell, row.policy) == (one.cell, one.policy)]) for one in found]


def _numbers(words: str) -> list[int]:
    return [int(word) for word in words.split(",") if word]


def main(words: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.pacing bound",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--agents", default="5,10,20,50,100,300")
    parser.add_argument("--months", default="3,4,5", help="team sizes of the months [3,4,5]; empty for none")
    parser.add_argument("--worlds", default="realistic,moving")
    parser.add_argument("--rates", default="0.25")
    parser.add_argument("--seeds", default="1-100", help="of the days; at most 20 from 50 agents on, 5 at 300")
    parser.add_argument("--month-seeds", default="1-10")
    parser.add_argument("--policy", default=scenarios.OURS[0])
    parser.add_argument("--out", type=Path, default=Path("out-pacing"))
    parser.add_argument("--workers", type=int, default=2)
    arguments = parser.parse_args(words)
    places = list(product(arguments.worlds.split(","), (float(word) for word in arguments.rates.split(","))))
    stores = {}
    for work, name, hours, teams, seeds in (
        (day, "days", DAY_HOURS, _numbers(arguments.agents), arguments.seeds),
        (month, "months", DAY_HOURS * MONTH_DAYS, _numbers(arguments.months), arguments.month_seeds),
    ):
        store = stores[name] = Store(arguments.out / f"{name}.jsonl")
        version = scenarios.version(arguments.policy)
        jobs = [
            (arguments.policy, cell, seed)
            for (world, rate), agents in product(places, teams)
            for cell in (Cell(world, rate, agents),)
            for seed in scenarios.seeds(seeds)[: SEEDS_AT_MOST.get(agents)]
            if (arguments.policy, cell, seed, hours, version) not in store.rows
        ]
        spread(work, sorted(jobs, key=lambda job: -job[1].agents), store.add, arguments.workers)
    report = markdown(*(stores[name].latest(scenarios.version) for name in ("days", "months")))
    (arguments.out / "bound.md").parent.mkdir(parents=True, exist_ok=True)
    (arguments.out / "bound.md").write_text(report)
    print(report)
