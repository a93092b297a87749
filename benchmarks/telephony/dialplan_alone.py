"""The engine is killed: what each debtor hears from then on, and when each is released, by the dialplan alone.

    python -m benchmarks.telephony.dialplan_alone [--waiting 20] [--talking 10] [--json]

An engine in a process of its own puts `--talking` debtors through to agents and lets `--waiting` more be answered, with
nobody free for them. Then it is killed (SIGKILL: the connection breaks, nobody says a word to the switch). After that a
part of the debtors who talk hang up, a part of the agents' telephones fall, and the rest goes on talking. Each party is
known by its tone: agent 1000 Hz, message 1400 Hz, music 550 Hz, ring-back 425 Hz.

Bounds, from the plan's waits: who waits hears the message when the wait is over, and is released at its end; who talks
goes on talking, both ways; whose agent falls hears music at once, then the message, and is released; an agent whose
debtor leaves is idle again, on the line. Nobody hears silence for longer than the wait, nobody is left over.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from benchmarks.telephony.stage import (
    ROOT,
    Bound,
    always_ready,
    bypass_pacing,
    claim,
    dial,
    make_bench,
    quiet,
    report,
    until_ready,
)
from cadencia.dialer.servers import MAIN, Server
from cadencia.domain.dialing import CampaignSettings, Mode
from cadencia.telephony.ami.connect import tcp
from cadencia.telephony.asterisk import Lab, Waits, config_hash
from cadencia.telephony.asterisk.labfiles import MESSAGE_S
from cadencia.telephony.call import Phase
from cadencia.testing.sip import HUMAN, Call, Carrier, Phones

STAYS = HUMAN.but(ring_s=0.2, leaves_after_voice_s=None)

#: Seconds an answered person waits for an agent, and one whose agent fell: short, and unlike each other.
WAIT_S, REOFFER_S = 4, 3

#: Seconds that scheduling, detection of tones and a packet may add to a time of the plan's.
SLACK_S = 0.6


# -- the process that is killed ----------------------------------------------------------------------------------------


async def engine_process(port: int, user: str, secret: str, config: str, names: list[str], waiting: int) -> None:
    """Puts one debtor through to each agent, has `waiting` more answered, says who talks to whom, and works on until it
    is killed."""
    server = Server(MAIN, tcp("127.0.0.1", port), user, secret, config)
    settings = CampaignSettings(
        mode=Mode.PROGRESSIVE, ring_s=10, min_ring_s=0, wait_s=WAIT_S, message="cadencia/identify", trunk="trunk"
    )
    bench = await make_bench(server, names, len(names) + waiting + 10, settings)
    engine = bench.engine
    await engine.start()
    bypass_pacing(engine)
    await engine.ready_to_dial(10)
    desks = [asyncio.create_task(always_ready(engine, name)) for name in names]
    await until_ready(engine, len(names))

    async def reached(phase: Phase, number: int) -> None:
        async with asyncio.timeout(15):
            while sum(live.call.phase is phase for live in engine.calls.live.values()) < number:
                await asyncio.sleep(0.01)

    dial(engine, await claim(engine, len(names)))
    await reached(Phase.TALKING, len(names))
    await asyncio.sleep(1.0)
    dial(engine, await claim(engine, waiting))
    await reached(Phase.WAITING, waiting)
    with_whom = {
        live.phone.e164.lstrip("+"): live.seat.agent.id for live in engine.calls.live.values() if live.seat is not None
    }
    print(json.dumps(with_whom), flush=True)
    await asyncio.gather(*desks)


# -- what is heard -----------------------------------------------------------------------------------------------------


@dataclass
class Heard:
    """One debtor's way after the engine was killed. Seconds after the kill (`answered_s`: before), None if never.

    Attributes:
        fate: `waited`, `talks on`, `leaves` or `agent falls`.
        seconds: name of a tone -> how long it was heard after the kill.
        released_s: when the switch let go; `after_s`: so long after the answer (waited) or the fall (agent falls).
        wrong: what was not as the plan says.
    """

    fate: str
    answered_s: float
    seconds: dict[str, float]
    message_from_s: float | None
    released_s: float | None
    after_s: float | None
    ended_by: str
    wrong: list[str] = field(default_factory=list)


@dataclass
class Result:
    debtors: list[Heard]
    agents_idle: int
    agents_expected: int
    left: int

    @property
    def wrong(self) -> list[str]:
        return [f"{one.fate}: {fault}" for one in self.debtors for fault in one.wrong]


def _seconds(call: Call, since: float) -> dict[str, float]:
    """How long each tone was heard since then."""
    heard = {
        name: sum(max(0.0, end - max(begin, since)) for begin, end in spans)
        for name, spans in call.ear.intervals.items()
    }
    return {name: round(seconds, 2) for name, seconds in heard.items() if seconds > 0.0}


def _judge(call: Call, fate: str, killed: float, changed: float) -> Heard:
    """Compare what a debtor heard with the plan's waits; `changed`: when somebody hung up."""
    assert call.t_answered is not None
    begins = [begin for begin, _ in call.ear.intervals["message"] if begin >= killed - 0.1]
    began = call.t_answered if fate == "waited" else changed
    one = Heard(
        fate,
        round(killed - call.t_answered, 2),
        _seconds(call, killed),
        round(begins[0] - killed, 2) if begins else None,
        None if call.t_end is None else round(call.t_end - killed, 2),
        None if call.t_end is None else round(call.t_end - began, 2),
        call.ended_by,
    )
    allowed = {
        "waited": {"ring", "message"}, "talks on": {"agent"}, "leaves": {"agent"},
        "agent falls": {"agent", "music", "message"},
    }[fate]  # fmt: skip
    for name, seconds in one.seconds.items():
        if name not in allowed and seconds > 0.1:
            one.wrong.append(f"heard {name} for {seconds} s")
    if fate == "talks on":
        if one.ended_by or one.seconds.get("agent", 0.0) < 1.0:
            one.wrong.append(f"the conversation did not go on: {one.seconds}, {one.ended_by or 'not ended'}")
    elif fate != "leaves":
        limit_s = (WAIT_S if fate == "waited" else REOFFER_S) + MESSAGE_S
        if one.ended_by != "switch":
            one.wrong.append(f"ended by {one.ended_by or 'nobody'}")
        elif one.after_s is not None and abs(one.after_s - limit_s) > SLACK_S:
            one.wrong.append(f"released after {one.after_s} s, not {limit_s} s")
        if abs(one.seconds.get("message", 0.0) - MESSAGE_S) > SLACK_S:
            one.wrong.append(f"heard the message for {one.seconds.get('message', 0.0)} s")
        if fate == "agent falls" and abs(one.seconds.get("music", 0.0) - REOFFER_S) > SLACK_S:
            one.wrong.append(f"heard music for {one.seconds.get('music', 0.0)} s")
    return one


async def _until(true: Any, timeout_s: float) -> bool:
    until = asyncio.get_running_loop().time() + timeout_s
    while not true():
        if asyncio.get_running_loop().time() > until:
            return False
        await asyncio.sleep(0.02)
    return True


async def run(waiting: int, talking: int) -> Result:
    """The whole of it; of those who talk a third lose their agent, a third leave, a third go on."""
    waits = Waits(wait_s=WAIT_S, reoffer_s=REOFFER_S, idle_s=60)
    async with Lab(agents=talking, waits=waits) as lab:
        secrets = {phone.name: phone.secret for phone in lab.plan.agents}
        async with (
            Carrier(lab.trunk_ports[0], lambda number: STAYS) as carrier,
            Phones(lab.sip_port, secrets) as phones,
        ):
            await phones.register()
            account = lab.plan.account
            given = [lab.ami_port, account.user, account.secret, config_hash(lab.plan), list(secrets), waiting]
            words = [sys.executable, "-m", "benchmarks.telephony.dialplan_alone", "--engine", json.dumps(given)]
            engine = await asyncio.create_subprocess_exec(*words, cwd=ROOT, stdout=asyncio.subprocess.PIPE)
            assert engine.stdout is not None
            try:
                with_whom: dict[str, str] = json.loads(await asyncio.wait_for(engine.stdout.readline(), 40))
            finally:
                engine.kill()
                await engine.wait()
            killed = asyncio.get_running_loop().time()
            talks = [call for call in carrier.calls if call.number in with_whom]
            waiters = [call for call in carrier.calls if call.number not in with_whom]
            fell, leaves = talks[0::3], talks[1::3]
            await asyncio.sleep(1.0)
            changed = asyncio.get_running_loop().time()
            for call in leaves:
                carrier.hang_up(call)
            for call in fell:
                phones.drop(with_whom[call.number])
            released = [*waiters, *fell]
            await _until(lambda: all(call.ended.is_set() for call in released), WAIT_S + REOFFER_S + 10)
            await asyncio.sleep(0.5)
            debtors = [_judge(call, "waited", killed, changed) for call in waiters]
            for call in talks:
                fate = "agent falls" if call in fell else "leaves" if call in leaves else "talks on"
                debtors.append(_judge(call, fate, killed, changed))
            up = sum(phones.leg(name) is not None for name in secrets)
            expected = talking - len(fell)
            channels = int((await asyncio.to_thread(lab.cli, "core show channels count")).split()[0])
            still = sum(one.fate == "talks on" for one in debtors)
    return Result(debtors, up, expected, channels - up - still)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--waiting", type=int, default=20)
    parser.add_argument("--talking", type=int, default=10)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--engine", help=argparse.SUPPRESS)
    args = parser.parse_args()
    quiet()
    if args.engine:
        asyncio.run(engine_process(*json.loads(args.engine)))
        return
    began = time.monotonic()
    result = asyncio.run(run(args.waiting, args.talking))
    if not args.json:
        print(f"{'fate':12} {'answered':>9} {'message':>8} {'released':>9} {'after':>6}  heard since the kill, s")
        for one in result.debtors:
            times = [one.message_from_s, one.released_s, one.after_s]
            shown = ["-" if at is None else f"{at:.2f}" for at in times]
            heard = ", ".join(f"{name} {seconds:.1f}" for name, seconds in one.seconds.items()) or "silence"
            print(f"{one.fate:12} {-one.answered_s:9.2f} {shown[0]:>8} {shown[1]:>9} {shown[2]:>6}  {heard}")
    figures = {
        "debtors": len(result.debtors),
        "agents on the line": f"{result.agents_idle} of {result.agents_expected}",
        "seconds": round(time.monotonic() - began, 1),
        "wrong": result.wrong[:10],
    }
    if args.json:
        figures["each"] = [asdict(one) for one in result.debtors]
    bounds = [
        Bound("debtors whose way was not the plan's", float(len({id(o) for o in result.debtors if o.wrong})), 0.0, ""),
        Bound("agents lost", float(result.agents_expected - result.agents_idle), 0.0, ""),
        Bound("channels left over", float(result.left), 0.0, ""),
    ]
    sys.exit(report("The dialplan alone, after the engine was killed", figures, bounds, as_json=args.json))


if __name__ == "__main__":
    main()
