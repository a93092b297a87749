#!/usr/bin/env python3
"""Records what a real Asterisk tells the engine, one file per outcome, into tests/transcripts/cad/.

The generated dialplan, the engine's own account and its event filter: nothing is here that the engine would not see.
The simulated switch is held against these files. Run it again after a change of dialplan, filter or Asterisk version:

    python scripts/record_transcripts.py [NAME ...]
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path

HERE = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(HERE), str(HERE / "tests/integration")]

from ami_raw import RawAmi, Received  # noqa: E402

from cadencia.telephony.asterisk import Lab, Waits, ensure_asterisk  # noqa: E402
from cadencia.testing.sip import (  # noqa: E402
    BY_DIGIT,
    EARLY_MEDIA,
    GREETING,
    GREETING_LOOPS_FROM,
    HUMAN,
    INVALID,
    Behaviour,
    Carrier,
    Phones,
)

OUT = HERE / "tests/transcripts/cad"
#: Ids of one length: Asterisk takes an id that another live id begins with for one in use.
ATTEMPT, LEG, OTHER_LEG = "7d0c1c2e-att1", "7d0c1c2e-leg1", "7d0c1c2e-leg2"
STAYS = HUMAN.but(ring_s=0.4, leaves_after_voice_s=None)


class Stage:
    """A server, its carrier and telephones, a connection that keeps what comes, and the orders that were sent."""

    def __init__(self, ami: RawAmi, carrier: Carrier, phones: Phones, lab: Lab) -> None:
        self.ami, self.carrier, self.phones, self.lab = ami, carrier, phones, lab
        self.orders: list[tuple[float, str]] = []

    async def order(self, action: str, variables: dict[str, str] | None = None, **headers: object) -> Received:
        words = [f"{k}: {v}" for k, v in headers.items()] + [f"Variable: {k}={v}" for k, v in (variables or {}).items()]
        self.orders.append((asyncio.get_running_loop().time(), f"{action} {', '.join(words)}"))
        return await self.ami.action(action, variables, **headers)

    async def dial(self, number: str, how: Behaviour | None = None, *, timeout_ms: int = 20_000, **extra: str) -> None:
        self.carrier.behaviour = lambda called: how or BY_DIGIT[called[0]]
        await self.order(
            "Originate", extra, Channel=f"PJSIP/{number}@trunk", ChannelId=ATTEMPT, Context="cad-debtor", Exten="s",
            Priority=1, Async="true", Timeout=timeout_ms, CallerID='"Cobros" <6015550100>',
        )  # fmt: skip

    async def nail(self, agent: str = "a1001", leg: str = LEG) -> None:
        await self.order(
            "Originate", {"CAD_AGENT": agent}, Channel=f"PJSIP/{agent}", ChannelId=leg, Context="cad-agent", Exten="s",
            Priority=1, Async="true", Timeout=5000,
        )  # fmt: skip

    async def connect(self, agent: str = "a1001", leg: str = LEG, debtor: str = ATTEMPT) -> None:
        await self.order("Setvar", Channel=debtor, Variable="CAD_WITH", Value=agent)
        await self.order("Setvar", Channel=leg, Variable="CAD_WITH", Value=debtor)
        await self.order("Bridge", Channel1=debtor, Channel2=leg, Tone="no")

    async def event(self, name: str, **headers: str) -> Received:
        return await self.ami.event(name, 8.0, **headers)

    async def talk(self) -> None:
        """An idle agent (recorded elsewhere), a debtor who answers and stays, the two of them connected."""
        await self.idle_agent()
        await self.dial("3001112233", STAYS)
        await self.event("CadReady")
        await self.connect()
        await asyncio.sleep(0.4)

    async def idle_agent(self, agent: str = "a1001", leg: str = LEG) -> None:
        await self.nail(agent, leg)
        await self.event("CadAgentIdle", Uniqueid=leg)
        await self.event("BridgeEnter", Uniqueid=leg)
        self.ami.log.clear()
        self.orders.clear()


# -- the cases; the docstring of each is the first line of its file ----------------------------------------------------


async def login(s: Stage) -> None:
    """Log-in, ListCommands, device states: responses too."""
    await s.order("ListCommands")
    await s.ami.listing("DeviceStateList", "DeviceStateListComplete")


async def agent_nail_up(s: Stage) -> None:
    """The engine nails an agent up; he idles; the engine hangs him up."""
    await s.nail()
    await s.event("CadAgentIdle", Loop="2")
    await s.order("Hangup", Channel=LEG, Cause=16)
    await s.event("Hangup")


async def agent_nails_himself_up(s: Stage) -> None:
    """An agent's telephone calls the idle extension and hangs up."""
    leg = await s.phones.dial("a1001")
    await s.event("CadAgentIdle")
    s.phones.hang_up(leg)
    await s.event("Hangup")


async def agent_unregistered(s: Stage) -> None:
    """The engine nails up an agent whose telephone is not registered."""
    await s.phones.unregister("a1001")
    await asyncio.sleep(0.1)
    s.ami.log.clear()
    await s.nail()
    await s.event("OriginateResponse")


async def agent_idle_limit(s: Stage) -> None:
    """An idle agent without calls is released at the end of his loops."""
    await s.nail()
    await s.event("CadAgentReleased")
    await s.event("Hangup")


async def human_debtor_hangs_up(s: Stage) -> None:
    """Answered, bridged to an idle agent, the debtor hangs up; the agent is idle again."""
    await s.talk()
    s.carrier.hang_up(s.carrier.calls[-1])
    await s.event("Hangup", Uniqueid=ATTEMPT)
    await s.event("CadAgentIdle", Uniqueid=LEG)


async def human_engine_hangs_up(s: Stage) -> None:
    """Answered, bridged, the engine hangs up the debtor's leg (the agent pressed finish)."""
    await s.talk()
    await s.order("Hangup", Channel=ATTEMPT, Cause=16)
    await s.event("Hangup", Uniqueid=ATTEMPT)
    await s.event("CadAgentIdle", Uniqueid=LEG)


async def agent_drops_reoffer(s: Stage) -> None:
    """The agent's telephone hangs up in a conversation; the debtor is offered again and taken by another agent."""
    await s.idle_agent("a1002", OTHER_LEG)
    await s.talk()
    s.phones.drop("a1001")
    await s.event("CadReoffer")
    await asyncio.sleep(0.2)
    await s.connect("a1002", OTHER_LEG)
    await asyncio.sleep(0.4)
    s.carrier.hang_up(s.carrier.calls[-1])
    await s.event("Hangup", Uniqueid=ATTEMPT)
    await s.event("CadAgentIdle", Uniqueid=OTHER_LEG)


async def agent_drops_nobody_takes(s: Stage) -> None:
    """The agent's telephone hangs up in a conversation; nobody takes the debtor, who hears the message."""
    await s.idle_agent()
    s.ami.log.clear()
    await s.dial("3001112233", STAYS, CAD_MAY_PLAY="1")
    await s.event("CadReady")
    await s.connect()
    await asyncio.sleep(0.4)
    s.phones.drop("a1001")
    await s.event("CadReleased")
    await s.event("Hangup", Uniqueid=ATTEMPT)


async def answered_no_agent(s: Stage) -> None:
    """Answered, no order: orphan, message, released."""
    await s.dial("3001112233", STAYS, CAD_MAY_PLAY="1")
    await s.event("CadReleased")
    await s.event("Hangup")


async def answered_no_agent_no_consent(s: Stage) -> None:
    """Answered, no order, the message may not be played."""
    await s.dial("3001112233", STAYS)
    await s.event("CadReleased")
    await s.event("Hangup")


async def answered_debtor_gives_up(s: Stage) -> None:
    """Answered, the debtor hangs up before there is an order."""
    await s.dial("3001112233", STAYS.but(leaves_after_answer_s=0.3))
    await s.event("Hangup")


async def answered_late_order(s: Stage) -> None:
    """Answered, the order comes while the message is playing; the debtor hangs up later."""
    await s.idle_agent()
    await s.dial("3001112233", STAYS, CAD_MAY_PLAY="1")
    await s.event("CadOrphan")
    await asyncio.sleep(0.4)
    await s.connect()
    await asyncio.sleep(0.5)
    s.carrier.hang_up(s.carrier.calls[-1])
    await s.event("Hangup", Uniqueid=ATTEMPT)
    await s.event("CadAgentIdle", Uniqueid=LEG)


async def _refused(s: Stage, how: Behaviour | None, number: str) -> None:
    await s.dial(number, how)
    await s.event("Hangup")
    await s.event("OriginateResponse")


async def busy(s: Stage) -> None:
    """486."""
    await _refused(s, None, "40012345")


async def invalid_404(s: Stage) -> None:
    """404."""
    await _refused(s, None, "50012345")


async def congestion_503(s: Stage) -> None:
    """503."""
    await _refused(s, None, "60012345")


async def temporary_480(s: Stage) -> None:
    """180, then 480."""
    await _refused(s, None, "70012345")


async def early_media_then_480(s: Stage) -> None:
    """183 with an announcement, then 480."""
    await _refused(s, EARLY_MEDIA, "90012345")


async def declined_603(s: Stage) -> None:
    """603: the same cause as 403, told apart by TechCause only."""
    await _refused(s, INVALID.but(code=603, cause=21), "50012346")


async def noanswer_timeout(s: Stage) -> None:
    """Rings longer than the Timeout of the Originate."""
    await s.dial("30012345", None, timeout_ms=1500)
    await s.event("Hangup")
    await s.event("OriginateResponse")


async def cancelled_while_ringing(s: Stage) -> None:
    """The engine hangs up while it rings."""
    await s.dial("30012345", None)
    await s.event("Newstate")
    await asyncio.sleep(0.3)
    await s.order("Hangup", Channel=ATTEMPT, Cause=16)
    await s.event("Hangup")
    await s.event("OriginateResponse")


async def hangup_at_answer(s: Stage) -> None:
    """200 and BYE in the same millisecond."""
    await s.dial("80012345", None)
    await s.event("Hangup")
    await s.event("OriginateResponse")


async def detected_human(s: Stage) -> None:
    """Detection says person; then no order."""
    await s.dial("3001112233", STAYS.but(voice=GREETING, loop_from=GREETING_LOOPS_FROM), CAD_AMD="1")
    await s.event("CadReleased")
    await s.event("Hangup")


async def detected_machine(s: Stage) -> None:
    """Detection says machine; the dialplan hangs up."""
    await s.dial("3001112233", STAYS, CAD_AMD="1")
    await s.event("CadMachine")
    await s.event("Hangup")


async def bridge_to_a_gone_debtor(s: Stage) -> None:
    """The debtor hangs up, then the order comes: responses too."""
    await s.idle_agent()
    await s.dial("3001112233", STAYS.but(leaves_after_answer_s=0.2))
    await s.event("Hangup")
    await s.connect()


async def hold_and_retrieve(s: Stage) -> None:
    """A conversation, hold, retrieve, the debtor hangs up."""
    await s.talk()
    await s.order("Redirect", Channel=ATTEMPT, Context="cad-hold", Exten="s", Priority=1)
    await s.event("CadHeld")
    await asyncio.sleep(0.3)
    await s.connect()
    await asyncio.sleep(0.3)
    s.carrier.hang_up(s.carrier.calls[-1])
    await s.event("Hangup", Uniqueid=ATTEMPT)
    await s.event("CadAgentIdle", Uniqueid=LEG, After=ATTEMPT)


async def inbound_no_agent(s: Stage) -> None:
    """A debtor calls back; no order; released without message."""
    await s.carrier.call_in("+573001112233", "6015550100", s.lab.sip_port)
    await s.event("CadReleased")
    await s.event("Hangup")


async def status_of_a_talking_pair(s: Stage) -> None:
    """Status with Variables: a talking pair, an idle agent and a waiting debtor: responses too."""
    await s.idle_agent("a1002", OTHER_LEG)
    await s.talk()
    await s.order(
        "Originate", Channel="PJSIP/3009998877@trunk", ChannelId="7d0c1c2e-att2", Context="cad-debtor", Exten="s",
        Priority=1, Async="true", Timeout=20000, CallerID='"Cobros" <6015550100>',
    )  # fmt: skip
    await s.event("CadReady", Uniqueid="7d0c1c2e-att2")
    s.ami.log.clear()
    s.orders.clear()
    variables = "CAD_KIND,CAD_ATTEMPT,CAD_AGENT,CAD_WITH"
    s.orders.append((asyncio.get_running_loop().time(), f"Status Variables: {variables}"))
    await s.ami.listing("Status", "StatusComplete", Variables=variables)


CASES: tuple[Callable[[Stage], Awaitable[None]], ...] = (
    login, agent_nail_up, agent_nails_himself_up, agent_unregistered, agent_idle_limit, human_debtor_hangs_up,
    human_engine_hangs_up, agent_drops_reoffer, agent_drops_nobody_takes, answered_no_agent,
    answered_no_agent_no_consent, answered_debtor_gives_up, answered_late_order, busy, invalid_404, congestion_503,
    temporary_480, early_media_then_480, declined_603, noanswer_timeout, cancelled_while_ringing, hangup_at_answer,
    detected_human, detected_machine, bridge_to_a_gone_debtor, hold_and_retrieve, inbound_no_agent,
    status_of_a_talking_pair,
)  # fmt: skip


def write(name: str, title: str, stage: Stage, began: float, version: str) -> int:
    """One file: what was sent as `# >` lines, what came as `# +seconds` lines and raw headers."""
    lines = [(at, f"# > +{max(0.0, at - began):.3f} {text}\n") for at, text in stage.orders]
    responses = "responses too" in title
    for message in stage.ami.log:
        if message["Event"] or responses:
            raw = message.raw.decode()
            lines.append((message.at, f"# +{max(0.0, message.at - began):.3f}\n{raw}\r\n\r\n"))
    lines.sort(key=lambda line: line[0])
    head = f"# Asterisk {version} AMI, the engine's account and filter, generated dialplan. {title}\n"
    (OUT / f"{name}.txt").write_text(head + "".join(text for _, text in lines), newline="")
    return len(lines) - len(stage.orders)


async def record(case: Callable[[Stage], Awaitable[None]]) -> None:
    """A server for each case, so that channel numbers and states do not depend on the others."""
    asterisk = ensure_asterisk(progress=print)
    waits = Waits(idle_s=1, idle_loops=3 if case is agent_idle_limit else 60, wait_s=2, reoffer_s=2, inbound_s=2)
    async with Lab(asterisk, agents=2, waits=waits) as lab, Carrier(lab.trunk_ports[0]) as carrier:
        account = lab.plan.account
        async with Phones(lab.sip_port, {a.name: a.secret for a in lab.plan.agents}) as phones:
            await phones.register()
            await asyncio.sleep(0.1)
            began = asyncio.get_running_loop().time()
            async with RawAmi(lab.ami_port, account.user, account.secret) as ami:
                stage = Stage(ami, carrier, phones, lab)
                if case is not login:
                    await ami.event("FullyBooted")
                    ami.log.clear()
                await case(stage)
                await asyncio.sleep(0.3)
                began = min([stage.orders[0][0] if stage.orders else began, *(m.at for m in ami.log[:1])])
                count = write(case.__name__, case.__doc__ or "", stage, began, asterisk.version)
    print(f"{case.__name__}: {count} messages", flush=True)


async def main(names: list[str]) -> None:
    OUT.mkdir(parents=True, exist_ok=True)
    for case in CASES:
        if not names or case.__name__ in names:
            await record(case)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1:]))
