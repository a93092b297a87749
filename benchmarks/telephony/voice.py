"""From a debtor's answer to the first sound of the agent, with the engine in between, on a private Asterisk.

    python -m benchmarks.telephony.voice [--calls 200] [--rate 4] [--agents 12] [--json]

Twelve agents are nailed up, the trunk takes four calls a second, every debtor answers, and leaves a while after hearing
the agent. Measured at the debtor's end of the line, on one clock: 200 OK sent -> first packet of the agent's voice. A
packet every 20 ms is 10 ms of the median and 20 ms of the tail that nobody can take away. Carrier and telephones run in
a process of their own, the engine in this one.

Bound: p50 <= 18 ms, p99 <= 40 ms.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import sys
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
    report,
    session_of,
    spread,
)
from cadencia.dialer.tally import percentile
from cadencia.domain.codes import Outcome
from cadencia.domain.dialing import CampaignSettings, Mode
from cadencia.telephony.asterisk import Lab
from cadencia.testing.floor import lab_server
from cadencia.testing.sip import HUMAN, Carrier, Phones


async def peers(trunk_port: int, sip_port: int, secrets: dict[str, str]) -> None:
    """The other process: registers the telephones, says so, and prints the calls when its input ends."""
    how = HUMAN.but(ring_s=0.3, leaves_after_voice_s=1.0)
    async with Carrier(trunk_port, lambda number: how) as carrier, Phones(sip_port, secrets) as phones:
        await phones.register()
        print("ready", flush=True)
        await asyncio.to_thread(sys.stdin.read)
        calls = [
            {
                "number": call.number,
                "voice_ms": (call.t_first_voice - call.t_answered) * 1000.0,
                "heard_s": call.ear.heard_s("agent"),
            }
            for call in carrier.calls
            if call.t_first_voice is not None and call.t_answered is not None
        ]
        print(json.dumps({"calls": calls, "invites": len(carrier.calls)}), flush=True)


async def run(calls: int, rate: float, agents: int) -> tuple[dict[str, Any], list[Bound]]:
    async with Lab(agents=agents) as lab:
        secrets = {phone.name: phone.secret for phone in lab.plan.agents}
        words = [sys.executable, "-m", "benchmarks.telephony.voice", "--peers"]
        words.append(json.dumps([lab.trunk_ports[0], lab.sip_port, secrets]))
        pipe = asyncio.subprocess.PIPE
        other = await asyncio.create_subprocess_exec(*words, cwd=ROOT, stdin=pipe, stdout=pipe, limit=1 << 26)
        assert other.stdin is not None and other.stdout is not None
        try:
            assert await asyncio.wait_for(other.stdout.readline(), 15) == b"ready\n"
            settings = CampaignSettings(mode=Mode.PROGRESSIVE, ring_s=10, min_ring_s=0, trunk=lab.plan.trunks[0].name)
            bench = await make_bench(lab_server(lab, rate_per_s=rate), secrets, calls, settings)
            engine = bench.engine
            await engine.start()
            await engine.ready_to_dial(10)
            desks = [asyncio.create_task(always_ready(engine, name)) for name in secrets]
            loop = asyncio.get_running_loop()
            before, began = (cpu_s(os.getpid()), lab.usage()[0], cpu_s(other.pid)), loop.time()
            async with asyncio.timeout(60 + 2 * calls / rate):
                while len(bench.store.settled) < calls:
                    await asyncio.sleep(0.05)
            wall_s = loop.time() - began
            after = cpu_s(os.getpid()), lab.usage()[0], cpu_s(other.pid)
            session = session_of(engine)
            round_trip_ms = session.round_trip_ms if session is not None else None
            await engine.stop()
            for desk in desks:
                desk.cancel()
            await asyncio.gather(*desks, return_exceptions=True)
            other.stdin.close()
            heard = json.loads(await asyncio.wait_for(other.stdout.readline(), 15))
        finally:
            with contextlib.suppress(ProcessLookupError):
                other.kill()
            await other.wait()
    connected = [one for one in bench.store.settled.values() if one.outcome is Outcome.CONNECTED]
    voice_ms = [call["voice_ms"] for call in heard["calls"] if call["heard_s"] > 0.3]
    figures = {
        "attempts": len(bench.store.settled),
        "connected": len(connected),
        "heard by the debtor": len(voice_ms),
        "calls a second": round(calls / wall_s, 2),
        "answer to voice, ms": spread(voice_ms),
        "answer to bridge, engine, ms": spread(bench.tally.bridged_ms),
        "answer to screen, engine, ms": spread(bench.tally.popped_ms),
        "AMI round trip, ms": None if round_trip_ms is None else round(round_trip_ms, 2),
        "share of a core": {
            name: round((b - a) / wall_s, 3)
            for name, a, b in zip(("engine", "Asterisk", "peers"), before, after, strict=True)
        },
    }
    bounds = [
        Bound("answer to voice p50", percentile(voice_ms, 0.5), 18.0),
        Bound("answer to voice p99", percentile(voice_ms, 0.99), 40.0),
        Bound("connected calls that the debtor did not hear", float(len(connected) - len(voice_ms)), 0.0, ""),
    ]
    return figures, bounds


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--calls", type=int, default=200)
    parser.add_argument("--rate", type=float, default=4.0)
    parser.add_argument("--agents", type=int, default=12)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--peers", help=argparse.SUPPRESS)
    args = parser.parse_args()
    quiet()
    if args.peers:
        asyncio.run(peers(*json.loads(args.peers)))
        return
    figures, bounds = asyncio.run(run(args.calls, args.rate, args.agents))
    sys.exit(report("Answer to voice on a private Asterisk", figures, bounds, as_json=args.json))


if __name__ == "__main__":
    main()
