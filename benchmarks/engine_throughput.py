"""How many calls the engine carries on one core, in real time, against a simulated switch in a process of its own.

    python benchmarks/engine_throughput.py [--scenario ring|floor] [--agents 1000] [--seconds 60] [--postgres] [--json]

ring    nobody ever answers: every agent stays free, so the engine dials as fast as it may. 1,200 agents at ratio 5 keep
        6,000 calls in progress and place 240 a second, which is also what the trunk takes. (The defaults.)
floor   debtors of the standard world, agents who talk, wrap up and choose dispositions, simulated in the engine's own
        process; what they cost is in the figures.

The store is the one in memory, or with `--postgres` an embedded PostgreSQL with fsync on, in a temporary folder. After
a warm-up it measures for `--seconds`: durable originates, calls in progress, CPU time of the engine's process, how late
the event loop is (a task that wants to wake every 5 ms), and resident memory. `--profile FILE` writes a profile.
"""

from __future__ import annotations

import argparse
import asyncio
import cProfile
import gc
import json
import os
import random
import resource
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import structlog

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from cadencia.clock import Anchor, SimulatedClock
from cadencia.dialer.context import Options
from cadencia.dialer.engine import Engine
from cadencia.dialer.tally import Tally
from cadencia.domain.agents import Agent
from cadencia.domain.dialing import Campaign, CampaignSettings, CampaignState, Mode
from cadencia.metrics.prometheus import Metrics
from cadencia.pacing.worlds import World
from cadencia.store.memory import MemoryStore
from cadencia.telephony.ami.connect import tcp
from cadencia.telephony.simulator import SimulatedSwitch, SwitchServer, WorldPopulation
from cadencia.testing.agents import DeskPort, SimulatedAgent
from cadencia.testing.floor import people, unlimited

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from cadencia.store.port import Store

structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(40))

#: A lawful Tuesday in Bogotá, 09:00 local time: the gate lets everybody through for the length of a run.
EPOCH = datetime(2026, 11, 24, 14, 0, tzinfo=UTC)
SEED = 1
WORLDS = {
    "floor": World(),
    "ring": World(live=0.0, machine=0.0, no_answer=1.0, busy=0.0, off=0.0, congestion=0.0, invalid_lines=0.0),
}
AGENTS = {"floor": 1000, "ring": 1200}
RATIO = {"floor": 2.5, "ring": 5.0}
RATE = {"floor": 1000.0, "ring": 240.0}


# -- the switch's process ----------------------------------------------------------------------------------------------


async def serve_switch(port: int, mono_s: float, agents: int, scenario: str) -> None:
    clock = SimulatedClock(Anchor(EPOCH, mono_s, 1.0))
    endpoints = tuple(f"a{1001 + n}" for n in range(agents))
    switch = SimulatedSwitch(clock, WorldPopulation(WORLDS[scenario], SEED), endpoints, SEED)
    server = SwitchServer(switch, "cadencia", "s")
    listener = await asyncio.get_running_loop().create_server(server.connection, "127.0.0.1", port)
    async with listener:
        await listener.serve_forever()


# -- measuring ---------------------------------------------------------------------------------------------------------


def resident_mib() -> float:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGESIZE") / 2**20


class Lateness:
    """Milliseconds that a task woke later than it asked for."""

    def __init__(self) -> None:
        self.late_ms: list[float] = []

    async def run(self) -> None:
        while True:
            began = time.perf_counter()
            await asyncio.sleep(0.005)
            self.late_ms.append((time.perf_counter() - began - 0.005) * 1000.0)


class Pauses:
    """Milliseconds that the garbage collector stood in the way, by generation."""

    def __init__(self) -> None:
        self.ms: dict[int, list[float]] = {0: [], 1: [], 2: []}
        self._began = 0.0

    def __call__(self, phase: str, info: dict[str, int]) -> None:
        if phase == "start":
            self._began = time.perf_counter()
        else:
            self.ms[info["generation"]].append((time.perf_counter() - self._began) * 1000.0)

    def summary(self) -> dict[str, str]:
        return {f"gen{n}": f"{len(ms)} times, longest {max(ms):.1f} ms" for n, ms in self.ms.items() if ms}


def percentiles(values: list[float]) -> dict[str, float]:
    ordered = sorted(values)
    shares = {"p50": 0.5, "p99": 0.99, "p999": 0.999, "max": 1.0}
    return {name: round(ordered[min(len(ordered) - 1, int(share * len(ordered)))], 2) for name, share in shares.items()}


@asynccontextmanager
async def opened_store(postgres: bool) -> AsyncIterator[Store]:
    if not postgres:
        yield MemoryStore(keep_events=0)
        return
    from cadencia.store.embedded import EmbeddedPostgres
    from cadencia.store.postgres import PostgresStore

    folder = Path(tempfile.mkdtemp(prefix="cadencia-bench-"))
    folder.chmod(0o711)
    server = EmbeddedPostgres(folder / "pg")
    try:
        store = await PostgresStore.open(await asyncio.to_thread(server.start))
        yield store
        await store.close()
    finally:
        server.stop()
        shutil.rmtree(folder)


async def build(store: Store, clock: SimulatedClock, port: int, args: argparse.Namespace) -> tuple[Engine, Tally]:
    for n in range(args.agents):
        await store.save_agent(Agent(f"ag{n + 1:04d}", f"Agente {n + 1}", f"a{1001 + n}"))
    settings = CampaignSettings(mode=Mode.RATIO, ratio=args.ratio, retry_minutes=600, abandonment_cap=0.2)
    await store.create_campaign(Campaign("c1", "Bench", CampaignState.RUNNING, settings, clock.now()), "bench")
    for first in range(0, args.contacts, 1000):
        await store.import_people("c1", people(min(1000, args.contacts - first), first=first), clock.now())
    options = Options(holder="bench")
    server = replace(unlimited(tcp("127.0.0.1", port)), rate_per_s=args.rate)
    tally = Tally(Metrics())
    return Engine(store, clock, [server], options, tally, rng=random.Random(SEED)), tally


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


async def run(args: argparse.Namespace) -> dict[str, Any]:
    clock = SimulatedClock(Anchor(EPOCH, time.monotonic(), 1.0))
    port = free_port()
    words = [sys.executable, __file__, "--switch", str(port), "--mono", repr(clock.anchor.mono_s)]
    switch = subprocess.Popen([*words, "--agents", str(args.agents), "--scenario", args.scenario])
    try:
        async with opened_store(args.postgres) as store:
            engine, tally = await build(store, clock, port, args)
            return await measured(engine, tally, clock, args)
    finally:
        switch.kill()
        switch.wait()


async def measured(engine: Engine, tally: Tally, clock: SimulatedClock, args: argparse.Namespace) -> dict[str, Any]:
    loop = asyncio.get_running_loop()
    await engine.start()
    await engine.ready_to_dial(20)
    world = WORLDS[args.scenario]
    agents = [SimulatedAgent(DeskPort(engine, name), name, clock, world, SEED, 0.0) for name in engine.staff.seats]
    tasks = [loop.create_task(agent.run()) for agent in agents]
    runner = engine.runners["c1"]
    await asyncio.sleep(args.warm_up)
    late, resident, in_progress = Lateness(), [], []
    tasks.append(loop.create_task(late.run()))
    pauses = Pauses()
    gc.callbacks.append(pauses)
    profile = cProfile.Profile() if args.profile else None
    attempts, cpu_s, wall_s = runner.counts.attempts, time.process_time(), time.perf_counter()
    if profile:
        profile.enable()
    for _ in range(args.seconds):
        await asyncio.sleep(1.0)
        resident.append(resident_mib())
        in_progress.append(len(engine.calls.live))
    if profile:
        profile.disable()
        profile.dump_stats(args.profile)
    wall_s, cpu_s = time.perf_counter() - wall_s, time.process_time() - cpu_s
    attempts = runner.counts.attempts - attempts
    in_flight = len(runner.dials)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    ended = runner.counts.outcomes
    await engine.stop()
    third = max(1, len(resident) // 3)
    bridged = tally.bridged_ms
    return {
        "scenario": args.scenario,
        "store": "postgres" if args.postgres else "memory",
        "agents": args.agents,
        "seconds": round(wall_s, 1),
        "originates_per_s": round(attempts / wall_s, 1),
        "calls_in_progress": {"mean": round(sum(in_progress) / len(in_progress)), "max": max(in_progress)},
        "unanswered_at_the_end": in_flight,
        "cpu_share": round(cpu_s / wall_s, 3),
        "cpu_ms_per_attempt": round(cpu_s / max(1, attempts) * 1000.0, 2),
        "originates_per_s_and_core": round(attempts / cpu_s, 1),
        "loop_late_ms": percentiles(late.late_ms),
        "gc_pauses": pauses.summary(),
        "answer_to_bridge_ms": percentiles(bridged) if bridged else None,
        "resident_mib": {
            "first_third": round(sum(resident[:third]) / third, 1),
            "last_third": round(sum(resident[-third:]) / third, 1),
            "peak": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, 1),
        },
        "outcomes": {str(code): number for code, number in ended.items()},
        "mended_by_audit": engine._audit.mended,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--scenario", choices=list(WORLDS), default="ring")
    parser.add_argument("--agents", type=int)
    parser.add_argument("--ratio", type=float)
    parser.add_argument("--rate", type=float, help="calls a second the trunk takes")
    parser.add_argument("--contacts", type=int, default=40_000)
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--warm-up", type=float, default=40.0)
    parser.add_argument("--postgres", action="store_true")
    parser.add_argument("--profile")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--switch", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--mono", type=float, help=argparse.SUPPRESS)
    args = parser.parse_args()
    args.agents = args.agents or AGENTS[args.scenario]
    args.ratio = args.ratio or RATIO[args.scenario]
    args.rate = args.rate or RATE[args.scenario]
    if args.switch:
        asyncio.run(serve_switch(args.switch, args.mono, args.agents, args.scenario))
        return
    result = asyncio.run(run(args))
    if args.json:
        print(json.dumps(result))
        return
    for name, value in result.items():
        print(f"{name:28} {value}")


if __name__ == "__main__":
    main()
