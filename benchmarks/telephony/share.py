"""The engine's own share of the silence a debtor hears: from the bytes that say "answered" to the order to bridge.

    python -m benchmarks.telephony.share [--rate 50] [--agents 300] [--seconds 60] [--json]

The switch is the simulated one, over TCP, in a process of its own; everybody answers after 0.3 to 1 s and talks 3 s.
Measured in the engine's process, from the entry of `data_received` with the CadReady in it to the return of the write
that carries its Bridge: decoding, the call's table, choosing and leasing the agent, the file on the screen, encoding,
and whatever else the event loop had in hand. The pacing runs (ratio mode, as fast as the rate lets it), so do the
agents' desks and the store in memory.

Bound: p99 <= 5 ms at 50 answers a second.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import random
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from benchmarks.telephony.stage import (
    ROOT,
    Bound,
    always_ready,
    cpu_s,
    make_bench,
    quiet,
    real_clock,
    report,
    simulated,
    spread,
    until_ready,
)
from cadencia.dialer.tally import percentile
from cadencia.domain.dialing import CampaignSettings, Mode
from cadencia.pacing.worlds import Fate, Nature
from cadencia.telephony.ami.codec import Message
from cadencia.telephony.ami.session import Action, AmiSession
from cadencia.telephony.asterisk.labfiles import free_ports
from cadencia.telephony.simulator import SimulatedSwitch, SwitchServer


class Everybody:
    """Debtors who all answer."""

    def fate(self, number: str, attempt_id: str) -> Fate:
        ring_s = random.Random(number).uniform(0.3, 1.0)
        return Fate(Nature.PERSON, 0.05, ring_s, 3.0, 60.0)


async def serve(port: int, mono_s: float, agents: int) -> None:
    """The other process."""
    switch = SimulatedSwitch(real_clock(mono_s), Everybody(), tuple(names(agents)), 1)
    server = SwitchServer(switch, "cadencia", "s")
    listener = await asyncio.get_running_loop().create_server(server.connection, "127.0.0.1", port)
    async with listener:
        await listener.serve_forever()


def names(agents: int) -> list[str]:
    return [f"a{1001 + n}" for n in range(agents)]


class Stopwatch:
    """Watches sessions: for each answer that was followed by an order, its wall time and the CPU time in it."""

    def __init__(self) -> None:
        self.share_ms: list[float] = []
        self.cpu_ms: list[float] = []
        self.on = False
        self._read_s = (0.0, 0.0)
        self._ready_s: dict[str, tuple[float, float]] = {}

    @contextmanager
    def watching(self) -> Iterator[None]:
        received, event, send = AmiSession.data_received, AmiSession._event, AmiSession.send
        watch = self

        def data_received(self: AmiSession, data: bytes) -> None:
            watch._read_s = time.perf_counter(), time.thread_time()
            received(self, data)

        def take(self: AmiSession, message: Message) -> None:
            if message.get("UserEvent") == "CadReady":
                watch._ready_s[message["Channel"]] = watch._read_s
            event(self, message)

        def write(self: AmiSession, actions: Sequence[Action], **options: Any) -> Any:
            answers = send(self, actions, **options)
            for action in actions:
                ready_s = watch._ready_s.pop(str(action.fields["Channel1"]), None) if action.name == "Bridge" else None
                if ready_s is not None and watch.on:
                    watch.share_ms.append((time.perf_counter() - ready_s[0]) * 1000.0)
                    watch.cpu_ms.append((time.thread_time() - ready_s[1]) * 1000.0)
            return answers

        AmiSession.data_received, AmiSession._event, AmiSession.send = data_received, take, write  # type: ignore[method-assign]
        try:
            yield
        finally:
            AmiSession.data_received, AmiSession._event, AmiSession.send = received, event, send  # type: ignore[method-assign]


async def run(rate: float, agents: int, seconds: float) -> tuple[dict[str, Any], list[Bound]]:
    clock = real_clock()
    (port,), _ = free_ports(1, 0)
    words = [sys.executable, "-m", "benchmarks.telephony.share", "--switch", str(port), "--agents", str(agents)]
    other = await asyncio.create_subprocess_exec(*words, "--mono", repr(clock.anchor.mono_s), cwd=ROOT)
    watch = Stopwatch()
    try:
        with watch.watching():
            settings = CampaignSettings(mode=Mode.RATIO, ratio=1.0, retry_minutes=600, abandonment_cap=0.2)
            contacts = round(rate * (seconds + 30))
            bench = await make_bench(simulated(port, rate), names(agents), contacts, settings, clock=clock)
            engine = bench.engine
            await engine.start()
            await engine.ready_to_dial(20)
            desks = [asyncio.create_task(always_ready(engine, name)) for name in names(agents)]
            await until_ready(engine, agents // 2, 30)
            await asyncio.sleep(8)
            watch.on = True
            answered, wall_s, used_s = len(bench.tally.bridged_ms), time.perf_counter(), cpu_s(os.getpid())
            await asyncio.sleep(seconds)
            watch.on = False
            answered, wall_s = len(bench.tally.bridged_ms) - answered, time.perf_counter() - wall_s
            used_s = cpu_s(os.getpid()) - used_s
            await engine.stop()
            for desk in desks:
                desk.cancel()
            await asyncio.gather(*desks, return_exceptions=True)
    finally:
        other.kill()
        await other.wait()
    figures = {
        "answers measured": len(watch.share_ms),
        "bridged a second": round(answered / wall_s, 1),
        "read to written, ms": spread(watch.share_ms),
        "CPU time in it, ms": spread(watch.cpu_ms),
        "answer to bridge seen, ms": spread(bench.tally.bridged_ms[-answered:]),
        "share of a core, engine and desks": round(used_s / wall_s, 2),
    }
    bounds = [
        Bound("answers a second", len(watch.share_ms) / wall_s, 0.9 * rate, "/s", least=True),
        Bound("read to written p99", percentile(watch.share_ms, 0.99), 5.0),
    ]
    return figures, bounds


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rate", type=float, default=50.0)
    parser.add_argument("--agents", type=int, default=300)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--switch", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--mono", type=float, help=argparse.SUPPRESS)
    args = parser.parse_args()
    quiet()
    if args.switch:
        asyncio.run(serve(args.switch, args.mono, args.agents))
        return
    figures, bounds = asyncio.run(run(args.rate, args.agents, args.seconds))
    sys.exit(report("The engine's share of an answer", figures, bounds, as_json=args.json))


if __name__ == "__main__":
    main()
