"""How long a decision takes, and one observed event, on one core.

    python -m benchmarks.pacing speed [--agents 20,100,300] [--minutes 10] [--kernel compiled|plain] [--json]

The controller runs on simulated floors of the realistic world, as the engine would drive it: a decision after every
event and once a second. Each kernel has a process of its own; the first minutes, with compilation and a cold start, are
not counted. Microseconds of wall-clock time by `perf_counter`; run it on a quiet machine.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from dataclasses import asdict, dataclass

import numpy as np

from benchmarks.pacing import scenarios
from benchmarks.pacing.results import Cell
from cadencia.pacing.port import Controller, Decision, PacingEvent, Snapshot
from cadencia.pacing.simulator import simulate

KERNELS = ("compiled", "plain")
WARM_UP_S = 300.0


@dataclass(frozen=True, slots=True)
class Times:
    """Percentiles in microseconds."""

    count: int
    p50: float
    p99: float
    worst: float


class Timed:
    """A controller that keeps how long each call of another one took, in nanoseconds, from `after_s` on."""

    def __init__(self, controller: Controller, after_s: float) -> None:
        self.controller, self.after_s = controller, after_s
        self.decided: list[int] = []
        self.told: list[int] = []

    def tell(self, event: PacingEvent) -> None:
        begin = time.perf_counter_ns()
        self.controller.tell(event)
        took = time.perf_counter_ns() - begin
        if event.at_s >= self.after_s:
            self.told.append(took)

    def decide(self, snapshot: Snapshot) -> Decision:
        begin = time.perf_counter_ns()
        decision = self.controller.decide(snapshot)
        took = time.perf_counter_ns() - begin
        if snapshot.now_s >= self.after_s:
            self.decided.append(took)
        return decision


def times(nanoseconds: list[int]) -> Times:
    values = np.asarray(nanoseconds or [0]) / 1000.0
    p50, p99 = np.percentile(values, (50.0, 99.0))
    return Times(len(nanoseconds), float(p50), float(p99), float(values.max()))


def measure(agents: int, minutes: float, policy: str) -> dict[str, Times]:
    """Decisions and events on one floor, with the kernel of this process."""
    cell = Cell("realistic", 0.25, agents)
    timed = Timed(scenarios.controller(policy, cell), WARM_UP_S)
    hours = (WARM_UP_S / 60.0 + minutes) / 60.0
    simulate(scenarios.world_of(policy, cell), scenarios.floor_of(policy, cell), timed, hours=hours, seed=1)
    return {"decide": times(timed.decided), "tell": times(timed.told)}


def main(words: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.pacing speed", description=(__doc__ or "").split("\n")[0]
    )
    parser.add_argument("--agents", default="20,100,300")
    parser.add_argument("--minutes", type=float, default=10.0, help="simulated, measured [10]")
    parser.add_argument("--policy", default="predictive+cancel")
    parser.add_argument("--kernel", choices=KERNELS, help="only this one")
    parser.add_argument("--json", action="store_true", help="of one kernel, as JSON")
    arguments = parser.parse_args(words)
    teams = [int(word) for word in arguments.agents.split(",")]
    if arguments.json:
        print(json.dumps({n: _plain(measure(n, arguments.minutes, arguments.policy)) for n in teams}))
        return
    print(f"{arguments.policy}, microseconds\nkernel     agents  what        count      p50      p99    worst")
    for kernel in (arguments.kernel,) if arguments.kernel else KERNELS:
        for agents, found in _in_process(kernel, arguments).items():
            for what, row in found.items():
                figures = f"{row['p50']:8.1f} {row['p99']:8.1f} {row['worst']:8.0f}"
                print(f"{kernel:10s} {agents:>6s}  {what:8s} {row['count']:8d} {figures}")


def _plain(found: dict[str, Times]) -> dict[str, dict]:
    return {what: asdict(row) for what, row in found.items()}


def _in_process(kernel: str, arguments: argparse.Namespace) -> dict[str, dict]:
    """The kernel is chosen when it is imported: so each has its own process."""
    environment = {**os.environ, "CADENCIA_KERNEL": "plain"} if kernel == "plain" else dict(os.environ)
    command = [sys.executable, "-m", "benchmarks.pacing", "speed", "--json"]
    command += ["--agents", arguments.agents, "--minutes", str(arguments.minutes), "--policy", arguments.policy]
    answer = subprocess.run(command, env=environment, check=True, stdout=subprocess.PIPE, text=True)
    return json.loads(answer.stdout)
