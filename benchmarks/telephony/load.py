"""A minute of a hundred originates a second through the engine and a private Asterisk, held against the carrier's log.

    python -m benchmarks.telephony.load [--rate 100] [--seconds 60] [--agents 10] [--mix answer=60,busy=15,...] [--json]

The pacing is bypassed: leases are claimed and launched at the rate, and from there everything is real: commit,
Originate, events, an agent for whoever is answered while one is free, settlement. Answered calls last 1 to 3 s. The
carrier is a process of its own that speaks SIP without sound and keeps a log.

Bounds: the rate is kept; every attempt is sent once, reaches the carrier once and ends once, with the outcome the
carrier's line says; nothing is left on the switch; half of all ends are known within 50 ms, 99 % within 250 ms.

With `--bad-network` one answer in twenty is lost on its way to the engine, one message in twenty doubled, one in ten
swapped with a later one, and events are 20 to 70 ms late: the same must be written down, later.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import os
import sys
import tempfile
from collections import Counter
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from benchmarks.telephony.stage import (
    Bench,
    Bound,
    always_ready,
    bypass_pacing,
    claim,
    cpu_s,
    dial,
    make_bench,
    quiet,
    report,
    session_of,
    spread,
    until_ready,
)
from cadencia.dialer.tally import percentile
from cadencia.domain.codes import Outcome
from cadencia.domain.dialing import CampaignSettings, Mode, Settlement
from cadencia.telephony.ami.connect import tcp
from cadencia.telephony.asterisk import Lab
from cadencia.testing.floor import lab_server
from cadencia.testing.proxy import FaultProxy, Faults
from cadencia.testing.sip import Phones
from cadencia.testing.sip.load_process import LoadProcess, read_log

MIX = "answer=60,busy=15,noanswer=10,invalid=10,congestion=5"

BAD_NETWORK = Faults(lose_answer=0.05, duplicate=0.05, reorder=0.1, delay_s=0.02, jitter_s=0.05)

_ANSWERED = {Outcome.CONNECTED, Outcome.ABANDONED, Outcome.ABANDONED_MESSAGE}

#: What we may write down of what the carrier did.
EXPECTED: dict[str, set[Outcome]] = {
    "answer": _ANSWERED,
    "gone": {Outcome.HUNG_UP},
    "noanswer": {Outcome.NO_ANSWER},
    "busy": {Outcome.BUSY},
    "invalid": {Outcome.NOT_IN_SERVICE},
    "congestion": {Outcome.CONGESTION},
    "temporary": {Outcome.NO_ANSWER},
}


@dataclass
class Result:
    """What a run came to.

    Attributes:
        disagreements: attempts on which store and carrier differ, in words.
        end_ms: from the carrier's end of a call to the engine's knowledge of it.
        left: channels and calls in progress at the end, which should be none.
    """

    attempts: int
    rate_per_s: float
    disagreements: list[str]
    end_ms: list[float]
    outcomes: dict[str, int]
    left: int
    figures: dict[str, Any]


class _Mute(Phones):
    """Telephones that neither speak nor listen: what is measured is signalling."""

    def new_call(self, call_id: str, *, incoming: bool, number: str, caller: str) -> Any:
        call = super().new_call(call_id, incoming=incoming, number=number, caller=caller)
        asyncio.get_running_loop().remove_reader(call._socket)
        call.play = lambda *_: None  # type: ignore[method-assign]
        return call


async def feed(bench: Bench, rate: float, seconds: float) -> tuple[int, float]:
    """Launch at the rate; attempts, and over how many seconds."""
    engine, loop = bench.engine, asyncio.get_running_loop()
    total, launched = round(rate * seconds), 0
    hand = await claim(engine, min(200, total))
    began = loop.time()
    while launched < total:
        due = min(total, int((loop.time() - began) * rate) + 1) - launched
        if due > 0:
            group, hand = hand[:due], hand[due:]
            dial(engine, group)
            launched += len(group)
        if len(hand) < 100 and launched + len(hand) < total:
            more = await claim(engine, min(100, total - launched - len(hand)))
            if not more and not hand:
                break
            hand += more
        await asyncio.sleep(0.005)
    return launched, loop.time() - began


def compare(bench: Bench, calls: list[dict[str, Any]]) -> tuple[list[str], list[float]]:
    """The carrier's log and the store, call by call; disagreements, and how late each end was known, milliseconds."""
    store, anchor = bench.store, bench.clock.anchor
    found: list[str] = [f"{one}: settled again" for one in store.again]
    found += [f"{one}: committed {times} times" for one, times in store.sending.items() if times != 1]
    found += [f"{one}: sent and never ended" for one in set(store.sending) - set(store.settled)]
    by_number: dict[str, list[dict[str, Any]]] = {}
    for call in calls:
        by_number.setdefault(call["number"], []).append(call)
    end_ms = []
    ours = {store.leases[one].phone.e164.lstrip("+"): one for one in store.sending}
    found += [f"{number}: the carrier was called, we know nothing of it" for number in set(by_number) - set(ours)]
    for number, attempt in ours.items():
        theirs, settled = by_number.get(number, []), store.settled.get(attempt)
        if len(theirs) != 1:
            found.append(f"{attempt}: {len(theirs)} calls at the carrier")
        elif settled is not None:
            call = theirs[0]
            if settled.outcome not in EXPECTED[call["kind"]] and not left_as_the_agent_came(settled):
                found.append(f"{attempt}: carrier {call['kind']} {call['code']} {call['ended_by']}, {settled.outcome}")
            if (settled.answered_at is not None) is not (call["t_answered"] is not None):
                found.append(f"{attempt}: answered at the one and not at the other")
            ended_s = anchor.mono_s + (settled.ended_at - anchor.epoch).total_seconds()
            end_ms.append((ended_s - call["t_end"]) * 1000.0)
    return found, end_ms


def left_as_the_agent_came(settled: Settlement) -> bool:
    """The debtor had enough of waiting in the instant in which an agent was there: nobody spoke."""
    return settled.outcome is Outcome.HUNG_UP and settled.agent_id is not None


async def run(
    rate: float, seconds: float, *, agents: int = 10, mix: str = MIX, seed: int = 1, faults: Faults | None = None
) -> Result:
    """The whole measurement.

    Args:
        faults: of the network between engine and switch, in force once the agents are there.
    """
    with tempfile.TemporaryDirectory(prefix="cadencia-load-") as folder:
        log = Path(folder) / "calls.jsonl"
        async with Lab(agents=agents) as lab:
            secrets = {phone.name: phone.secret for phone in lab.plan.agents}
            words = ("--seed", str(seed), "--mix", mix, "--ring", "0.2:1", "--talk", "1:3")
            async with (
                LoadProcess(lab.trunk_ports[0], log, *words) as carrier,
                _Mute(lab.sip_port, secrets) as phones,
                FaultProxy(lab.ami_port, seed=seed) if faults else contextlib.nullcontext() as proxy,
            ):
                await phones.register()
                settings = CampaignSettings(
                    mode=Mode.PROGRESSIVE, ring_s=4, min_ring_s=0, wait_s=4, retry_minutes=600,
                    trunk=lab.plan.trunks[0].name,
                )  # fmt: skip
                contacts = round(rate * seconds) + 200
                server = lab_server(lab, rate_per_s=1000.0)
                if proxy is not None:
                    server = replace(server, connector=tcp("127.0.0.1", proxy.port))
                bench = await make_bench(server, secrets, contacts, settings)
                engine = bench.engine
                await engine.start()
                bypass_pacing(engine)
                await engine.ready_to_dial(10)
                desks = [asyncio.create_task(always_ready(engine, name)) for name in secrets]
                await until_ready(engine, agents)
                if proxy is not None and faults is not None:
                    proxy.faults = faults
                late = asyncio.create_task(_lateness(late_ms := []))
                most = asyncio.create_task(_most(engine, peak := [0]))
                pids = {"engine and telephones": os.getpid(), "Asterisk": lab.pid, "carrier": carrier.pid}
                before = {name: cpu_s(pid) for name, pid in pids.items()}
                attempts, wall_s = await feed(bench, rate, seconds)
                cores = {name: round((cpu_s(pid) - before[name]) / wall_s, 2) for name, pid in pids.items()}
                late.cancel()
                most.cancel()
                session = session_of(engine)
                figures = {
                    "share of a core": cores,
                    "most calls at once": peak[0],
                    "event loop late, ms": spread(late_ms),
                    "AMI round trip, ms": round(session.round_trip_ms or 0.0, 2) if session else None,
                    "AMI events a second": round(session.events / wall_s) if session else None,
                }
                await _drained(bench, attempts)
                left = len(engine.calls.live) + await _channels(lab, agents)
                if session is not None:
                    figures["answers late, stray"] = (session.late_answers, session.stray_answers)
                if proxy is not None:
                    figures["lost, doubled, swapped, late"] = (
                        proxy.lost, proxy.duplicated, proxy.reordered, proxy.delayed,
                    )  # fmt: skip
                settled = bench.store.settled.values()
                figures["left as the agent came"] = sum(left_as_the_agent_came(one) for one in settled)
                await engine.stop()
                for desk in desks:
                    desk.cancel()
                await asyncio.gather(*desks, return_exceptions=True)
        calls = read_log(log)
    disagreements, end_ms = compare(bench, calls)
    outcomes = Counter(str(one.outcome) for one in bench.store.settled.values())
    return Result(attempts, attempts / wall_s, disagreements, end_ms, dict(outcomes.most_common()), left, figures)


async def _drained(bench: Bench, attempts: int, timeout_s: float = 30.0) -> None:
    loop = asyncio.get_running_loop()
    until = loop.time() + timeout_s
    while (len(bench.store.settled) < attempts or bench.engine.calls.live) and loop.time() < until:
        await asyncio.sleep(0.05)


async def _channels(lab: Lab, legs: int) -> int:
    """Channels on the switch beside the agents' legs."""
    said = await asyncio.to_thread(lab.cli, "core show channels count")
    return int(said.split()[0]) - legs


async def _lateness(late_ms: list[float]) -> None:
    loop = asyncio.get_running_loop()
    while True:
        began = loop.time()
        await asyncio.sleep(0.005)
        late_ms.append((loop.time() - began - 0.005) * 1000.0)


async def _most(engine: Any, peak: list[int]) -> None:
    while True:
        peak[0] = max(peak[0], len(engine.calls.live))
        await asyncio.sleep(0.1)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rate", type=float, default=100.0)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--agents", type=int, default=10)
    parser.add_argument("--mix", default=MIX)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--bad-network", action="store_true")
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()
    quiet()
    faults = BAD_NETWORK if args.bad_network else None
    result = asyncio.run(run(args.rate, args.seconds, agents=args.agents, mix=args.mix, seed=args.seed, faults=faults))
    figures = {
        "attempts": result.attempts,
        "outcomes": result.outcomes,
        "end known after, ms": spread(result.end_ms),
        **result.figures,
        "disagreements": result.disagreements[:10],
    }
    bounds = [
        Bound("originates a second", result.rate_per_s, 0.99 * args.rate, "/s", least=True),
        Bound("attempts that store and carrier tell apart", float(len(result.disagreements)), 0.0, ""),
        Bound("calls left over", float(result.left), 0.0, ""),
    ]
    if faults is None:
        bounds += [
            Bound("end known p50", percentile(result.end_ms, 0.5), 50.0),
            Bound("end known p99", percentile(result.end_ms, 0.99), 250.0),
        ]
    sys.exit(report("Load through a private Asterisk", figures, bounds, as_json=args.json))


if __name__ == "__main__":
    main()
