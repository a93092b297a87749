"""What the telephony benchmarks share: an engine on a store in memory, its agents, and the figures they print."""

from __future__ import annotations

import asyncio
import json
import os
import random
import sys
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import structlog

from cadencia.clock import Anchor, SimulatedClock
from cadencia.dialer.context import Options
from cadencia.dialer.engine import Engine
from cadencia.dialer.servers import MAIN, Server
from cadencia.dialer.tally import Tally, percentile
from cadencia.domain.agents import Agent, AgentState
from cadencia.domain.dialing import Campaign, CampaignSettings, CampaignState, Lease
from cadencia.metrics.memory import settle_memory
from cadencia.metrics.prometheus import Metrics
from cadencia.pacing.port import Decision, PacingEvent, Snapshot
from cadencia.pacing.reasons import NO_AGENTS
from cadencia.store.memory import MemoryStore
from cadencia.store.port import Claim
from cadencia.telephony.ami.connect import tcp
from cadencia.telephony.ami.session import AmiSession
from cadencia.telephony.simulator import SIMULATED_CONFIG
from cadencia.testing.agents import DeskPort, view_of
from cadencia.testing.checker import RecordingStore
from cadencia.testing.floor import people
from cadencia.testing.virtual import TUESDAY_0900_BOGOTA

ROOT = Path(__file__).resolve().parents[2]


def quiet() -> None:
    """Only errors are logged."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(40))


def real_clock(mono_s: float | None = None) -> SimulatedClock:
    """A lawful Tuesday morning in Bogotá that passes in real time, whatever the day is.

    Args:
        mono_s: when it began, CLOCK_MONOTONIC; another process that is given the same has the same time.
    """
    return SimulatedClock(Anchor(TUESDAY_0900_BOGOTA, time.monotonic() if mono_s is None else mono_s, 1.0))


def simulated(port: int, rate_per_s: float) -> Server:
    """The simulated switch that listens there."""
    connector = tcp("127.0.0.1", port)
    return Server(MAIN, connector, "cadencia", "s", SIMULATED_CONFIG, channels=5000, rate_per_s=rate_per_s)


def make_engine(store: Any, clock: SimulatedClock, server: Server, tally: Tally) -> Engine:
    """The only place here that knows how an engine is put together."""
    return Engine(store, clock, (server,), Options("bench"), tally, rng=random.Random(1))


def session_of(engine: Engine) -> AmiSession | None:
    """The link of its only server."""
    return engine.switches.first.session


@dataclass
class Bench:
    """An engine that is not started yet, with one running campaign, "c1"."""

    engine: Engine
    store: RecordingStore
    clock: SimulatedClock
    tally: Tally


async def make_bench(
    server: Server,
    agents: Iterable[str],
    contacts: int,
    settings: CampaignSettings,
    *,
    clock: SimulatedClock | None = None,
) -> Bench:
    """Store, people, agents (each named as his telephone), campaign, engine."""
    clock = clock or real_clock()
    store = RecordingStore(MemoryStore(keep_events=0))
    for name in agents:
        await store.save_agent(Agent(name, f"Agente {name}", name))
    await store.create_campaign(Campaign("c1", "Bench", CampaignState.RUNNING, settings, clock.now()), "bench")
    for first in range(0, contacts, 1000):
        await store.import_people("c1", people(min(1000, contacts - first), first=first), clock.now())
    # The people would lie in PostgreSQL and not on our heap: the collector shall not walk through them again and again.
    settle_memory()
    tally = Tally(Metrics())
    return Bench(make_engine(store, clock, server, tally), store, clock, tally)


async def always_ready(engine: Engine, agent_id: str) -> None:
    """An agent who signs in, is ready at once, talks as long as the debtor does, and files every call in no time."""
    port, done = DeskPort(engine, agent_id), set[str]()
    async for _, _, message in engine.hub.listen([f"agent/{agent_id}"]):
        view = view_of(message)
        if view.state == AgentState.OUT:
            await port.act("sign-in", {})
        elif view.state == AgentState.PAUSED:
            await port.act("ready", {})
        elif view.state == AgentState.WRAPUP and view.pop and view.pop.attempt_id not in done:
            done.add(view.pop.attempt_id)
            filed = {"attempt_id": view.pop.attempt_id, "code": "REN", "note": "", "promise": None}
            await port.act("disposition", filed)


async def until_ready(engine: Engine, number: int, timeout_s: float = 15.0) -> None:
    """Wait until so many agents are ready, nailed up and idle."""
    async with asyncio.timeout(timeout_s):
        while sum(seat.state is AgentState.READY for seat in engine.staff.seats.values()) < number:
            await asyncio.sleep(0.02)


class _Nobody:
    """A controller that never dials."""

    def decide(self, snapshot: Snapshot) -> Decision:
        return Decision(0, (), NO_AGENTS)

    def tell(self, event: PacingEvent) -> None: ...


def bypass_pacing(engine: Engine) -> None:
    """From now on only `dial` dials."""
    for pool in engine.runners["c1"].pools.values():
        pool.controller = _Nobody()  # type: ignore[assignment]


async def claim(engine: Engine, number: int) -> list[Lease]:
    """So many leases, written down as the engine's own."""
    context, runner = engine.context, engine.runners["c1"]
    claimed = await context.store.claim(
        Claim("c1", number, context.clock.now(), context.token, runner.judge, context.ids.attempt)
    )
    return list(claimed.leases)


def dial(engine: Engine, leases: Sequence[Lease]) -> None:
    """Past the pacing, and from there the real way: commit, Originate, events, agent, settlement."""
    engine.runners["c1"]._dial([(lease, 0) for lease in leases], engine.switches.first)


# -- figures -----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Bound:
    """A figure and what it may be at most (or, with `least`, at least)."""

    name: str
    value: float | None
    bound: float
    unit: str = "ms"
    least: bool = False

    @property
    def kept(self) -> bool:
        if self.value is None:
            return False
        return self.value >= self.bound if self.least else self.value <= self.bound

    def __str__(self) -> str:
        value = "none" if self.value is None else f"{self.value:.2f}"
        sign, word = (">=" if self.least else "<="), ("kept" if self.kept else "BROKEN")
        return f"{self.name:44} {value:>10} {self.unit:3} {sign} {self.bound:g}: {word}"


def spread(samples: Sequence[float]) -> dict[str, float | None]:
    """p50, p95, p99 and the largest."""
    at = {"p50": percentile(list(samples), 0.5), "p95": percentile(list(samples), 0.95)}
    at |= {"p99": percentile(list(samples), 0.99), "max": max(samples, default=None)}
    return {name: None if value is None else round(value, 2) for name, value in at.items()}


def report(title: str, figures: dict[str, Any], bounds: Sequence[Bound], *, as_json: bool = False) -> int:
    """Print them; the exit code: 1 if a bound is broken."""
    if as_json:
        kept = {bound.name: {"value": bound.value, "bound": bound.bound, "kept": bound.kept} for bound in bounds}
        print(json.dumps({"title": title, **figures, "bounds": kept}))
    else:
        load = ", ".join(f"{one:.1f}" for one in os.getloadavg())
        print(f"{title}\nPython {sys.version.split()[0]}, {os.cpu_count()} cores, load average {load}")
        for name, value in figures.items():
            print(f"  {name:30} {value}")
        for bound in bounds:
            print(f"  {bound}")
    return int(not all(bound.kept for bound in bounds))


def cpu_s(pid: int) -> float:
    """CPU seconds of a process so far."""
    stat = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(stat[11]) + int(stat[12])) / os.sysconf("SC_CLK_TCK")
