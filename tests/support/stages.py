"""The recorder's stage with the simulated switch behind it, and more cases than the recorder has.

The cases are the recorder's own functions: the same orders in the same order, whether a real Asterisk carries them out
or the simulated switch does.
"""

from __future__ import annotations

import asyncio
import importlib.util
import math
import sys
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any, Self

from cadencia.pacing.worlds import Fate, Nature
from cadencia.telephony.simulator import Refusal, SimulatedSwitch, SwitchServer, Waits
from cadencia.testing.sip import BY_DIGIT, GREETING, Behaviour
from cadencia.testing.virtual import VirtualLoop
from cadencia.testing.wire import memory_connector

ROOT = Path(__file__).resolve().parent.parent.parent


def _module(name: str, path: Path) -> ModuleType:
    if name not in sys.modules:
        spec = importlib.util.spec_from_file_location(name, path)
        assert spec is not None and spec.loader is not None
        module = sys.modules[name] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
    return sys.modules[name]


recorder = _module("cadencia_recorder", ROOT / "scripts/record_transcripts.py")
RawAmi = sys.modules["ami_raw"].RawAmi
Case = Callable[[Any], Awaitable[None]]


# -- more cases --------------------------------------------------------------------------------------------------------


async def cancelled_before_ringing(s: Any) -> None:
    """The engine hangs up before it rings, without naming a cause: responses too."""
    await s.dial("30012345", BY_DIGIT["3"].but(rings=False))
    await s.event("DialBegin")
    await asyncio.sleep(0.1)
    await s.order("Hangup", Channel=recorder.ATTEMPT)
    await s.event("Hangup")
    await s.event("OriginateResponse")


async def cancelled_without_cause(s: Any) -> None:
    """The engine hangs up while it rings, without naming a cause: responses too."""
    await s.dial("30012345", None)
    await s.event("Newstate")
    await asyncio.sleep(0.1)
    await s.order("Hangup", Channel=recorder.ATTEMPT)
    await s.event("Hangup")
    await s.event("OriginateResponse")


async def finished_without_cause(s: Any) -> None:
    """Answered, bridged, the engine hangs up the debtor's leg without naming a cause: responses too."""
    await s.talk()
    await s.order("Hangup", Channel=recorder.ATTEMPT)
    await s.event("Hangup", Uniqueid=recorder.ATTEMPT)
    await s.event("CadAgentIdle", Uniqueid=recorder.LEG)


async def timeout_without_ringing(s: Any) -> None:
    """Neither rings nor speaks until the Timeout of the Originate."""
    await s.dial("30012345", BY_DIGIT["3"].but(rings=False), timeout_ms=800)
    await s.event("Hangup")
    await s.event("OriginateResponse")


async def id_in_use(s: Any) -> None:
    """A second Originate with the ChannelId of a ringing call, and one that a live id begins with: responses too."""
    await s.dial("30012345", None)
    await s.event("Newstate")
    for channel_id in (recorder.ATTEMPT, recorder.ATTEMPT[:-1].upper()):
        await s.order(
            "Originate", Channel="PJSIP/30012346@trunk", ChannelId=channel_id, Context="cad-debtor", Exten="s",
            Priority=1, Async="true", Timeout=20000,
        )  # fmt: skip
        await s.event("OriginateResponse", Uniqueid=channel_id, Channel="PJSIP/30012346@trunk")
    await s.order("Hangup", Channel=recorder.ATTEMPT, Cause=16)
    await s.event("Hangup", Uniqueid=recorder.ATTEMPT)
    await asyncio.sleep(0.1)


async def gone_channels(s: Any) -> None:
    """Orders for channels that are not there: responses too."""
    await s.idle_agent()
    await s.order("Hangup", Channel="gone-1")
    await s.order("Setvar", Channel="gone-1", Variable="CAD_WITH", Value="x")
    await s.order("Getvar", Channel="gone-1", Variable="CAD_WITH")
    await s.order("Bridge", Channel1="gone-1", Channel2=recorder.LEG, Tone="no")
    await s.order("Bridge", Channel1=recorder.LEG, Channel2="gone-1", Tone="no")
    await s.order("Redirect", Channel="gone-1", Context="cad-hold", Exten="s", Priority=1)


async def bridge_to_a_ringing_debtor(s: Any) -> None:
    """A Bridge before the answer, then the engine hangs up: responses too."""
    await s.idle_agent()
    await s.dial("30012345", None)
    await s.event("Newstate")
    await s.order("Bridge", Channel1=recorder.ATTEMPT, Channel2=recorder.LEG, Tone="no")
    await s.order("Hangup", Channel=recorder.ATTEMPT, Cause=16)
    await s.event("Hangup", Uniqueid=recorder.ATTEMPT)
    await asyncio.sleep(0.1)


async def refused_orders(s: Any) -> None:
    """Originate without a channel, with an unknown context; unknown and forbidden actions: responses too."""
    await s.order("Originate", Context="cad-debtor", Exten="s", Priority=1, Async="true")
    await s.order("Originate", Channel="PJSIP/1@trunk", Context="nowhere", Exten="s", Priority=1, Async="true")
    await s.order("Command", Command="core show version")
    await s.order("Nonsense")
    await s.order("Ping")
    await s.order("Getvar", Variable="CADENCIA_CONFIG")
    await s.order("Getvar", Variable="NOT_SET_ANYWHERE")


AWKWARD = ("Pérez, CAD_WITH=x", 'say "no"', "back\\slash", "a'b;c&d|e ${EPOCH} $[1+1]", "  blanks ", '"quoted, whole"')


async def values_arrive_whole(s: Any) -> None:
    """Setvar of awkward values, read again with Getvar: responses too."""
    await s.idle_agent()
    for value in AWKWARD:
        await s.order("Setvar", Channel=recorder.LEG, Variable="CAD_NOTE", Value=value)
        await s.order("Getvar", Channel=recorder.LEG, Variable="CAD_NOTE")


async def second_call_to_a_busy_telephone(s: Any) -> None:
    """The telephone of an agent who is nailed up is called again: responses too."""
    await s.idle_agent()
    await s.nail("a1001", recorder.OTHER_LEG)
    await s.event("Hangup", Uniqueid=recorder.OTHER_LEG)
    await s.event("OriginateResponse", Uniqueid=recorder.OTHER_LEG)
    await asyncio.sleep(0.1)


async def agent_is_stolen(s: Any) -> None:
    """A second Bridge takes the agent out of a conversation; the first debtor is offered again: responses too."""
    await s.talk()
    await s.order(
        "Originate", Channel="PJSIP/3009998877@trunk", ChannelId="7d0c1c2e-att2", Context="cad-debtor", Exten="s",
        Priority=1, Async="true", Timeout=20000, CallerID='"Cobros" <6015550100>',
    )  # fmt: skip
    await s.event("CadReady", Uniqueid="7d0c1c2e-att2")
    await s.connect(debtor="7d0c1c2e-att2")
    await s.event("CadReoffer", Uniqueid=recorder.ATTEMPT)
    await asyncio.sleep(0.1)


async def nobody_is_called(s: Any) -> None:
    """A Local channel to an extension that cannot be, waited for; the trunk's state; a global: responses too."""
    nobody = {"Channel": "Local/nobody@cad-nowhere", "Timeout": 1000}
    await s.order("Originate", **nobody, Context="cad-agent", Exten="s", Priority=1)
    await asyncio.sleep(0.1)
    await s.order("Getvar", Variable="CADENCIA_CONFIG")
    for endpoint in ("trunk", "a1001", "nowhere"):
        await s.order("Getvar", Variable=f"PJSIP_ENDPOINT({endpoint},direct_media)")


async def ring_once(s: Any) -> None:
    await s.order(
        "Originate", {"CAD_AGENT": "a1001", "CAD_ONCE": "1"}, Channel="PJSIP/a1001", ChannelId=recorder.LEG,
        Context="cad-agent", Exten="s", Priority=1, Async="true", Timeout=5000,
    )  # fmt: skip


async def agent_rung_for_one_call(s: Any) -> None:
    """An agent is rung for one conversation; it ends, and his leg with it."""
    await s.dial("3001112233", recorder.STAYS)
    await s.event("CadReady")
    await ring_once(s)
    await s.event("CadAgentIdle", Uniqueid=recorder.LEG)
    await s.connect()
    await asyncio.sleep(0.3)
    await s.order("Hangup", Channel=recorder.ATTEMPT, Cause=16)
    await s.event("CadAgentDone", Uniqueid=recorder.LEG)
    await s.event("Hangup", Uniqueid=recorder.LEG)


async def agent_rung_for_nothing(s: Any) -> None:
    """An agent is rung for one conversation that does not come: he is released."""
    await ring_once(s)
    await s.event("CadAgentDone", Uniqueid=recorder.LEG)
    await s.event("Hangup", Uniqueid=recorder.LEG)


async def wrong_password(s: Any) -> None:
    """A second connection with a wrong password, which is cut: responses too."""
    stranger = s.connection("not-the-secret")
    try:
        await stranger.__aenter__()
    except AssertionError:
        await asyncio.sleep(1.5)
    assert stranger._transport.is_closing(), "the switch did not cut it"
    s.ami.log += stranger.log


MORE: tuple[Case, ...] = (
    cancelled_before_ringing, cancelled_without_cause, finished_without_cause, timeout_without_ringing, id_in_use,
    gone_channels, bridge_to_a_ringing_debtor, refused_orders, values_arrive_whole, second_call_to_a_busy_telephone,
    agent_is_stolen, wrong_password, agent_rung_for_one_call, agent_rung_for_nothing,
    nobody_is_called,
)  # fmt: skip


# -- the simulated stage -----------------------------------------------------------------------------------------------


class MemoryAmi(RawAmi):  # type: ignore[misc,valid-type]
    """The recorder's own reader over a connection in memory."""

    def __init__(self, server: SwitchServer, secret: str) -> None:
        super().__init__(0, server.user, secret)
        self._connect = memory_connector(server.connection)

    async def __aenter__(self) -> Self:
        self._transport, _ = await self._connect(lambda: self)
        answer = await self.action("Login", Username=self._where[1], Secret=self._where[2])
        assert answer["Response"] == "Success", answer
        return self


@dataclass(frozen=True)
class Line:
    """A call that reached the simulated carrier."""

    attempt: str


class SimulatedCarrier:
    """The public network: each number does what its behaviour says."""

    def __init__(self) -> None:
        self.behaviour: Callable[[str], Behaviour] = lambda number: BY_DIGIT[number[0]]
        self.calls: list[Line] = []
        self.switch: SimulatedSwitch | None = None

    def fate(self, number: str, attempt_id: str) -> Fate:
        self.calls.append(Line(attempt_id))
        how = self.behaviour(number)
        if how.code == 0:
            return Fate(Nature.NO_ANSWER, 0.002 if how.rings else math.inf, math.inf)
        if how.code != 200:
            cause = {404: 1, 486: 17, 503: 34, 603: 21}.get(how.code, 19)
            return Refusal(
                Nature.OFF,
                0.002,
                how.ring_s,
                cause=cause,
                tech_cause=how.code,
                rings=how.rings,
                speaks=how.announcement,
            )
        leaves, talks = how.leaves_after_answer_s, how.leaves_after_voice_s
        return Fate(
            Nature.PERSON if how.voice is GREETING else Nature.MACHINE,
            0.002,
            how.ring_s,
            talk_s=math.inf if talks is None else talks,
            patience_s=math.inf if leaves is None else max(1e-4, leaves),
        )

    def hang_up(self, line: Line) -> None:
        assert self.switch is not None
        self.switch.hang_up_far_end(line.attempt)

    async def call_in(self, caller: str, number: str, sip_port: int) -> None:
        assert self.switch is not None
        self.switch.call_in("trunk", caller, number)


class SimulatedPhones:
    """The agents' telephones."""

    def __init__(self, switch: SimulatedSwitch) -> None:
        self._switch = switch

    async def dial(self, name: str) -> str:
        return self._switch.call_in(name, name, "100")

    async def unregister(self, name: str) -> None:
        self._switch.endpoints.discard(name)

    def hang_up(self, leg: str) -> None:
        self._switch.hang_up_far_end(leg)

    def drop(self, name: str) -> None:
        self._switch.drop_telephone(name)


class Ports:
    """What of a lab the cases ask for."""

    sip_port = 5060


def waits_of(case: Case) -> dict[str, int]:
    """The recorder's limits of the dialplan."""
    loops = 3 if case is recorder.agent_idle_limit else 60
    return {"idle_s": 1, "idle_loops": loops, "once_s": 1, "wait_s": 2, "reoffer_s": 2, "inbound_s": 2}


async def simulate(case: Case, seed: int, write_to: Path) -> None:
    """Play a case on the simulated switch and write what came, as the recorder does."""
    loop = asyncio.get_running_loop()
    assert isinstance(loop, VirtualLoop)
    carrier = SimulatedCarrier()
    waits = Waits(**waits_of(case), message_s=2.0)
    switch = carrier.switch = SimulatedSwitch(loop.clock(), carrier, ("a1001", "a1002"), seed, waits=waits)
    server = SwitchServer(switch, "cadencia", "s")
    async with MemoryAmi(server, "s") as ami:
        stage = recorder.Stage(ami, carrier, SimulatedPhones(switch), Ports())
        stage.connection = lambda secret: MemoryAmi(server, secret)
        await play(case, stage, write_to, "simulated")


async def play(case: Case, stage: Any, write_to: Path, version: str) -> None:
    """Play a case on a stage that is connected, and write what came."""
    began = asyncio.get_running_loop().time()
    ami = stage.ami
    if case is not recorder.login:
        await ami.event("FullyBooted")
        ami.log.clear()
    await case(stage)
    await asyncio.sleep(0.3)
    began = min([stage.orders[0][0] if stage.orders else began, *(m.at for m in ami.log[:1])])
    recorder.OUT = write_to
    recorder.write(case.__name__, case.__doc__ or "", stage, began, version)


async def record_afresh(case: Case, write_to: Path) -> None:
    """Play a case on a throwaway Asterisk and write what came."""
    asterisk = recorder.ensure_asterisk()
    lab_waits = recorder.Waits(**waits_of(case))
    async with (
        recorder.Lab(asterisk, agents=2, waits=lab_waits) as lab,
        recorder.Carrier(lab.trunk_ports[0]) as carrier,
    ):
        account = lab.plan.account
        async with recorder.Phones(lab.sip_port, {a.name: a.secret for a in lab.plan.agents}) as phones:
            await phones.register()
            await asyncio.sleep(0.1)
            async with RawAmi(lab.ami_port, account.user, account.secret) as ami:
                stage = recorder.Stage(ami, carrier, phones, lab)
                stage.connection = lambda secret: RawAmi(lab.ami_port, account.user, secret)
                await play(case, stage, write_to, asterisk.version)


def main(names: list[str]) -> None:
    """Record the further cases into tests/transcripts/orders: `python tests/support/stages.py [NAME ...]`."""
    out = ROOT / "tests/transcripts/orders"
    out.mkdir(exist_ok=True)
    for case in MORE:
        if not names or case.__name__ in names:
            asyncio.run(record_afresh(case, out))


if __name__ == "__main__":
    main(sys.argv[1:])
