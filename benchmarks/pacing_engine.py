"""Whether anything of the pacing is lost between the mathematics and the wire.

    python benchmarks/pacing_engine.py [--agents 30] [--hours 2] [--seeds 5] [--tcp] [--speed 20] [--postgres] [--json]

The whole engine, against the simulated switch and simulated agents, and the pure floor simulator run the same floor:
the same controller, contacts in the same order, talk and wrap-up to the same second (`cadencia/testing/twin.py`), no
detector, so that agents meet machines. For each seed it prints both utilisations and abandonments after the warm-up,
then the mean difference of the utilisations in points, with its 95 % interval over the seeds.

As it stands the engine runs on a connection in memory and in virtual time, so that two hours take some seconds. With
`--tcp` it talks to the switch over a TCP loopback, `--speed` times as fast as real time; the figure then holds what a
busy machine adds: at 20, a millisecond there is 20 ms of the floor. With `--postgres` (implies `--tcp`) the store is an
embedded PostgreSQL with fsync on, in a temporary folder, instead of the one in memory.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import math
import random
import sys
import time
from contextlib import asynccontextmanager
from dataclasses import asdict
from pathlib import Path
from statistics import fmean, stdev
from typing import TYPE_CHECKING, Any

import structlog

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.engine_throughput import opened_store
from cadencia.clock import Anchor, SimulatedClock
from cadencia.dialer.context import Options
from cadencia.dialer.engine import Engine
from cadencia.dialer.tally import Tally
from cadencia.domain.agents import Agent
from cadencia.domain.dialing import Campaign, CampaignState
from cadencia.metrics.prometheus import Metrics
from cadencia.pacing.worlds import NO_DETECTOR
from cadencia.store.memory import MemoryStore
from cadencia.telephony.ami.connect import Connector, tcp
from cadencia.telephony.simulator import SimulatedSwitch, SwitchServer
from cadencia.testing.agents import DeskPort
from cadencia.testing.floor import people, unlimited
from cadencia.testing.twin import SETTINGS, Lineup, Outcome, pure, put_to_work, watched
from cadencia.testing.virtual import TUESDAY_0900_BOGOTA, VirtualLoop, run_virtual
from cadencia.testing.wire import memory_connector

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from cadencia.clock import Clock
    from cadencia.store.port import Store

structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(40))

#: Quantiles 0.975 of Student's distribution for 1 to 9 degrees of freedom.
STUDENT = (12.71, 4.30, 3.18, 2.78, 2.57, 2.45, 2.36, 2.31, 2.26)


async def build(store: Store, clock: Clock, connector: Connector, args: argparse.Namespace, seed: int) -> Engine:
    for n in range(args.agents):
        await store.save_agent(Agent(f"ag{n + 1:04d}", f"Agente {n + 1}", f"a{1001 + n}"))
    await store.create_campaign(Campaign("c1", "Twin", CampaignState.RUNNING, SETTINGS, clock.now()), "bench")
    contacts = int(args.agents * (args.hours + args.warm_up / 3600.0) * 250.0)
    for first in range(0, contacts, 1000):
        await store.import_people("c1", people(min(1000, contacts - first), first=first), clock.now())
    tally, options = Tally(Metrics()), Options(holder="bench")
    return Engine(store, clock, [unlimited(connector)], options, tally, rng=random.Random(seed))


@asynccontextmanager
async def wire(server: SwitchServer, *, over_tcp: bool) -> AsyncIterator[Connector]:
    if not over_tcp:
        yield memory_connector(server.connection)
        return
    listener = await asyncio.get_running_loop().create_server(server.connection, "127.0.0.1", 0)
    async with listener:
        yield tcp("127.0.0.1", listener.sockets[0].getsockname()[1])


async def whole(args: argparse.Namespace, seed: int) -> Outcome:
    """The engine's floor."""
    loop = asyncio.get_running_loop()
    if isinstance(loop, VirtualLoop):
        clock = loop.clock()
    else:
        clock = SimulatedClock(Anchor(TUESDAY_0900_BOGOTA, time.monotonic(), args.speed))
    lineup = Lineup(NO_DETECTOR, seed)
    switch = SimulatedSwitch(clock, lineup, tuple(f"a{1001 + n}" for n in range(args.agents)), seed)
    server = SwitchServer(switch, "cadencia", "s")
    stored = opened_store(args.postgres) if args.postgres else in_memory()
    async with wire(server, over_tcp=args.tcp) as connector, stored as store:
        engine = await build(store, clock, connector, args, seed)
        await engine.start()
        await engine.ready_to_dial(20)
        ports = {name: DeskPort(engine, name) for name in engine.staff.seats}
        tasks = put_to_work(engine, clock, lineup, ports)
        try:
            return await watched(engine, clock, lineup, hours=args.hours, warmup_s=args.warm_up)
        finally:
            await engine.stop(hang_up=True)
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)


@asynccontextmanager
async def in_memory() -> AsyncIterator[Store]:
    yield MemoryStore(keep_events=0)


def shown(outcome: Outcome) -> str:
    return f"{100 * outcome.utilisation:6.2f} %  {100 * outcome.abandonment:5.2f} %  {outcome.dials:6d}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--agents", type=int, default=30)
    parser.add_argument("--hours", type=float, default=2.0)
    parser.add_argument("--warm-up", type=float, default=600.0, help="seconds of the clock before it counts")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--first-seed", type=int, default=1)
    parser.add_argument("--tcp", action="store_true", help="over a TCP loopback, in accelerated time")
    parser.add_argument("--speed", type=float, default=20.0, help="how many times as fast as real time, with --tcp")
    parser.add_argument("--postgres", action="store_true")
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()
    args.tcp = args.tcp or args.postgres
    rows: list[dict[str, Any]] = []
    if not args.json:
        print("seed            engine: util   aband.   dials    simulator: util   aband.   dials   difference")
    for seed in range(args.first_seed, args.first_seed + args.seeds):
        main_coroutine = whole(args, seed)
        engine = asyncio.run(main_coroutine) if args.tcp else run_virtual(main_coroutine)
        bare = pure(NO_DETECTOR, seed, args.agents, hours=args.hours, warmup_s=args.warm_up)
        points = 100.0 * (engine.utilisation - bare.utilisation)
        rows.append({"seed": seed, "engine": asdict(engine), "simulator": asdict(bare), "points": points})
        if not args.json:
            print(f"{seed:4d}          {shown(engine)}          {shown(bare)}      {points:+.2f}", flush=True)
    found = [row["points"] for row in rows]
    half = STUDENT[len(found) - 2] * stdev(found) / math.sqrt(len(found)) if 1 < len(found) <= 10 else math.nan
    if args.json:
        print(json.dumps({"difference": fmean(found), "half": half, "runs": rows}))
    else:
        print(f"utilisation of the engine less the simulator's: {fmean(found):+.2f} points ± {half:.2f}")


if __name__ == "__main__":
    main()
