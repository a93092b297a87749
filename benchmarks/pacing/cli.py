"""Which pacing keeps agents busiest within the law: ours, the peers' and the optimum, on the same simulated floors.

    python -m benchmarks.pacing run --quick           a few minutes: two sizes, two worlds, two seeds
    python -m benchmarks.pacing run --out FOLDER      everything: many hours; it goes on where it was stopped
    python -m benchmarks.pacing report --out FOLDER   the tables and plots of what is there
    python -m benchmarks.pacing bound                 days and months against the bound of 3.00 %
    python -m benchmarks.pacing speed                 how long a decision takes
    python -m benchmarks.pacing optimum               the dynamic programme's table

`--cells` takes world:answer-rate:agents with * for any, comma-separated: `realistic:0.25:*,*:*:20`.
`--policies` takes names or beginnings of names, comma-separated; `idle` and `vicidial-available` are tuned by
hindsight. `--seeds 101-110`: every policy of a cell sees the same debtors for the same seed.
"""

from __future__ import annotations

import argparse
import shlex
import sys
from fnmatch import fnmatch
from pathlib import Path

from benchmarks.pacing import bound, optimum, report, scenarios, speed
from benchmarks.pacing.results import Cell, Store
from benchmarks.pacing.runner import Plan, run

QUICK_CELLS = "realistic:0.25:5,realistic:0.25:20,exponential:0.25:20"


def cells(patterns: str) -> tuple[Cell, ...]:
    """All cells that one of the patterns fits."""
    every = [Cell(w, rate, n) for w in scenarios.WORLDS for rate in scenarios.RATES for n in scenarios.TEAMS]
    wanted = tuple(cell for cell in every if any(fnmatch(str(cell), pattern) for pattern in patterns.split(",")))
    if not wanted:
        raise SystemExit(f"no cell fits {patterns}; worlds: {', '.join(scenarios.WORLDS)}")
    return wanted


def policies(words: str | None) -> tuple[str, ...]:
    """All policies, or those whose names are given or begin like one of the words (a name in full is only itself)."""
    every = (*scenarios.ORDER, *scenarios.TUNED)
    if words is None:
        return every
    wanted: list[str] = []
    for word in words.split(","):
        found = [word] if word in every else [policy for policy in every if policy.lower().startswith(word.lower())]
        if not found:
            raise SystemExit(f"no policy is called {word}; there are: {', '.join(every)}")
        wanted += [policy for policy in found if policy not in wanted]
    return tuple(wanted)


def main(words: list[str] | None = None) -> None:
    words = sys.argv[1:] if words is None else words
    others = {"bound": bound.main, "optimum": optimum.main, "speed": speed.main}
    if words and words[0] in others:
        return others[words[0]](words[1:])
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.pacing", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("action", choices=("run", "report", *others))
    parser.add_argument("--out", type=Path, default=Path("out-pacing"), help="folder of the results [out-pacing]")
    parser.add_argument("--quick", action="store_true", help="a few minutes")
    parser.add_argument("--cells", help="[*:*:*]")
    parser.add_argument("--policies", help="[all]")
    parser.add_argument("--seeds", help="A-B [101-110]")
    parser.add_argument("--hours", type=float, help="measured [8 up to 10 agents, 4 to 100, 2 at 300]")
    parser.add_argument("--workers", type=int, default=2, help="processes [2]")
    arguments = parser.parse_args(words)
    command = shlex.join(["python", "-m", "benchmarks.pacing", *words])
    if arguments.action == "run":
        quick = arguments.quick
        plan = Plan(
            policies(arguments.policies),
            cells(arguments.cells or (QUICK_CELLS if quick else "*:*:*")),
            scenarios.seeds(arguments.seeds or ("101-102" if quick else "101-110")),
            arguments.hours or (2.0 if quick else None),
            grid_steps=7 if quick else 14,
            rounds=2 if quick else 3,
        )
        done = run(plan, Store(arguments.out / "results.jsonl"), arguments.workers)
        print(f"{done} floors simulated", file=sys.stderr)
    for path in report.write(arguments.out, scenarios.OURS, scenarios.ORDER, command):
        print(path)
    return None
