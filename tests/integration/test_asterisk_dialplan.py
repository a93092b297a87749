"""What the engine is built on, proved again on a real switch: the generated dialplan, the least-rights account."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count
from typing import Any

import pytest

from cadencia.telephony.ami.codec import Message
from cadencia.telephony.ami.connect import tcp
from cadencia.telephony.ami.session import AmiSession
from cadencia.telephony.asterisk import Lab
from cadencia.testing.sip import GREETING, GREETING_LOOPS_FROM, HUMAN, Behaviour, Carrier, Phones

pytestmark = pytest.mark.asterisk

_ids = count(1)
STAYS = HUMAN.but(leaves_after_voice_s=None)


def attempt() -> str:
    return f"att-{next(_ids):04d}"


async def until(true: Callable[[], object], timeout_s: float = 3.0) -> None:
    async with asyncio.timeout(timeout_s):
        while not true():
            await asyncio.sleep(0.01)


@contextmanager
def answering(carrier: Carrier, how: Any) -> Iterator[None]:
    before = carrier.behaviour
    carrier.behaviour = lambda number: how
    yield
    carrier.behaviour = before


async def talk(ami: Any, carrier: Carrier, phones: Phones, agent: str = "a1001") -> tuple[str, str, Any, Any]:
    """Nails an agent up, calls a debtor who stays, connects them; returns both legs' ids and both peers' calls."""
    leg, call_id = attempt(), attempt()
    await ami.nail(agent, leg)
    with answering(carrier, STAYS):
        await ami.dial("3001112233", call_id)
        await ami.event("CadReady", Uniqueid=call_id)
    assert (await ami.connect(call_id, leg, agent))["Response"] == "Success"
    debtor, phone = carrier.calls[-1], phones.leg(agent)
    await until(lambda: debtor.heard("agent", 0.2) and phone and phone.heard("debtor", 0.2))
    return leg, call_id, debtor, phone


async def test_debtor_without_an_order_hears_ring_and_message_and_is_released(
    asterisk_ami: Any, sip_carrier: Carrier
) -> None:
    call_id = attempt()
    with answering(sip_carrier, STAYS):
        await asterisk_ami.dial("3001112233", call_id, CAD_MAY_PLAY="1")
        ready = await asterisk_ami.event("CadReady", Uniqueid=call_id)
        orphan = await asterisk_ami.event("CadOrphan", Uniqueid=call_id)
        released = await asterisk_ami.event("CadReleased", Uniqueid=call_id)
        await asterisk_ami.event("Hangup", Uniqueid=call_id)
    debtor = sip_carrier.calls[-1]
    assert ready["Attempt"] == orphan["Attempt"] == released["Attempt"] == call_id
    assert orphan.at - ready.at == pytest.approx(1.0, abs=0.3)
    assert (orphan["Message"], released["Played"]) == ("1", "SUCCESS")
    assert debtor.heard("ring", 0.5)
    assert debtor.ear.heard_s("message") == pytest.approx(2.0, abs=0.4)
    assert not debtor.heard("agent")
    assert debtor.ended_by == "switch"


async def test_without_consent_the_message_is_not_played(asterisk_ami: Any, sip_carrier: Carrier) -> None:
    call_id = attempt()
    with answering(sip_carrier, STAYS):
        await asterisk_ami.dial("3001112233", call_id)
        await asterisk_ami.event("CadReleased", Uniqueid=call_id)
    assert not sip_carrier.calls[-1].heard("message")


async def test_bridge_brings_sound_both_ways(asterisk_ami: Any, sip_carrier: Carrier, sip_phones: Phones) -> None:
    leg, call_id, debtor, phone = await talk(asterisk_ami, sip_carrier, sip_phones)
    entered = [m for m in asterisk_ami.events("BridgeEnter") if m["Uniqueid"] in (leg, call_id)]
    assert len({m["BridgeUniqueid"] for m in entered[-2:]}) == 1
    assert debtor.caller == "6015550100"
    assert len(phone.voice_intervals) == 1
    assert not debtor.heard("message")
    sip_carrier.hang_up(debtor)
    idle = await asterisk_ami.event("CadAgentIdle", Uniqueid=leg, After=call_id)
    hangup = await asterisk_ami.event("Hangup", Uniqueid=call_id)
    assert (hangup["Cause"], hangup["TechCause"]) == ("16", "")
    assert idle["Agent"] == "a1001"
    assert phone.is_up


async def test_agent_talks_to_one_debtor_after_another(
    asterisk_ami: Any, sip_carrier: Carrier, sip_phones: Phones
) -> None:
    leg, _, first, phone = await talk(asterisk_ami, sip_carrier, sip_phones)
    sip_carrier.hang_up(first)
    await asyncio.sleep(0.5)
    call_id = attempt()
    with answering(sip_carrier, HUMAN.but(leaves_after_voice_s=0.4)):
        await asterisk_ami.dial("3001112244", call_id)
        await asterisk_ami.event("CadReady", Uniqueid=call_id)
        await asterisk_ami.connect(call_id, leg)
        await asterisk_ami.event("Hangup", Uniqueid=call_id)
    second = sip_carrier.calls[-1]
    assert len(phone.voice_intervals) == 2
    assert second.heard("agent", 0.2)
    assert second.t_end - second.t_first_voice == pytest.approx(0.4, abs=0.2)


async def test_debtor_whose_agent_dropped_is_offered_again(
    asterisk_ami: Any, sip_carrier: Carrier, sip_phones: Phones
) -> None:
    _, call_id, debtor, _ = await talk(asterisk_ami, sip_carrier, sip_phones)
    other = attempt()
    await asterisk_ami.nail("a1002", other)
    sip_phones.drop("a1001")
    offer = await asterisk_ami.event("CadReoffer", Uniqueid=call_id)
    assert (offer["Attempt"], offer["Lost"], offer["Count"]) == (call_id, "a1001", "1")
    await until(lambda: debtor.heard("music", 0.2))
    await asterisk_ami.connect(call_id, other, "a1002")
    phone = sip_phones.leg("a1002")
    await until(lambda: phone and phone.heard("debtor", 0.2) and len(debtor.voice_intervals) == 2)
    sip_phones.drop("a1002")
    await asterisk_ami.event("CadReoffer", Uniqueid=call_id, Count="2")
    await asterisk_ami.event("CadReleased", Uniqueid=call_id)  # nobody took him


async def test_engine_ends_a_conversation_by_the_debtors_leg(
    asterisk_ami: Any, sip_carrier: Carrier, sip_phones: Phones
) -> None:
    leg, call_id, debtor, phone = await talk(asterisk_ami, sip_carrier, sip_phones)
    await asterisk_ami.action("Hangup", Channel=call_id, Cause=16)
    await asterisk_ami.event("CadAgentIdle", Uniqueid=leg, After=call_id)
    await debtor.ended.wait()
    assert debtor.ended_by == "switch"
    assert phone.is_up


async def test_idle_agent_reports_and_is_released_after_his_loops(asterisk_ami: Any, sip_phones: Phones) -> None:
    leg = attempt()
    await asterisk_ami.nail("a1003", leg)
    await asterisk_ami.event("CadAgentIdle", Uniqueid=leg, Loop="2")
    phone = sip_phones.leg("a1003")
    assert phone is not None and phone.is_up
    await asterisk_ami.event("CadAgentReleased", timeout_s=8.0, Uniqueid=leg)
    await phone.ended.wait()


async def test_agent_who_dials_in_is_known_by_his_endpoint(asterisk_ami: Any, sip_phones: Phones) -> None:
    leg = await sip_phones.dial("a1004")
    idle = await asterisk_ami.event("CadAgentIdle", Agent="a1004")
    sip_phones.hang_up(leg)
    await asterisk_ami.event("Hangup", Uniqueid=idle["Uniqueid"])


async def test_debtor_who_calls_back(
    asterisk_ami: Any, asterisk_lab: Any, sip_carrier: Carrier, sip_phones: Phones
) -> None:
    leg = attempt()
    await asterisk_ami.nail("a1005", leg)
    caller = await sip_carrier.call_in("+573001112233", "6015550100", asterisk_lab.sip_port)
    inbound = await asterisk_ami.event("CadInbound")
    assert (inbound["From"], inbound["To"]) == ("573001112233", "6015550100")
    await asterisk_ami.connect(inbound["Uniqueid"], leg)
    await until(lambda: caller.heard("agent", 0.2))
    sip_carrier.hang_up(caller)
    await asterisk_ami.event("CadAgentIdle", Uniqueid=leg, After=inbound["Uniqueid"])


async def test_detection_takes_a_greeting_for_a_person_and_a_steady_voice_for_a_machine(
    asterisk_ami: Any, sip_carrier: Carrier
) -> None:
    async def heard(voice: Behaviour, number: str) -> tuple[str, str]:
        call_id = attempt()
        with answering(sip_carrier, voice):
            await asterisk_ami.dial(number, call_id, CAD_AMD="1")
            verdict = await asterisk_ami.event("CadDetected", Uniqueid=call_id)
        return call_id, verdict["Status"]

    async def until_heard(voice: Behaviour, number: str, wanted: str) -> str:
        # The detector listens to the rhythm of packets, which a busy machine breaks. What is tested is the dialplan's
        # way after its verdict, not the verdict.
        for _ in range(4):
            call_id, status = await heard(voice, number)
            if status == wanted:
                return call_id
        raise AssertionError(f"the detector never said {wanted}")

    greeting = STAYS.but(voice=GREETING, loop_from=GREETING_LOOPS_FROM)
    person = await until_heard(greeting, "3001112233", "HUMAN")
    await asterisk_ami.event("CadReady", Uniqueid=person, Amd="HUMAN")
    machine = await until_heard(STAYS, "3001112244", "MACHINE")
    await asterisk_ami.event("CadMachine", Uniqueid=machine)


async def test_detection_takes_its_settings_from_the_order(asterisk_lab: Lab, sip_carrier: Carrier) -> None:
    """By the engine's own session, which quotes the commas of CAD_AMD_ARGS; unquoted they would be dropped silently."""
    account = asterisk_lab.plan.account
    verdicts: asyncio.Queue[Message] = asyncio.Queue()

    def on_event(message: Message) -> None:
        if message.get("UserEvent") in ("CadDetected", "CadReady"):
            verdicts.put_nowait(message)

    port = asterisk_lab.ami_port
    session = await AmiSession.connect(tcp("127.0.0.1", port), account.user, account.secret, on_event)
    # By amd.conf a steady voice is a machine after 1.5 s; with 0.7 s in all and a greeting of any length it is nothing.
    orders = {"CAD_AMD": "1", "CAD_AMD_ARGS": "2500,60000,800,700,100,50,3,256,60000"}
    call_id = attempt()
    where = {"Channel": "PJSIP/3001112233@trunk", "ChannelId": call_id, "Context": "cad-debtor", "Exten": "s"}
    with answering(sip_carrier, STAYS):
        await session.action("Originate", {**where, "Priority": 1, "Async": "true", "Timeout": 20000}, orders)
        async with asyncio.timeout(8):
            detected, ready = await verdicts.get(), await verdicts.get()
    session.close()
    await session.lost
    assert (detected["Status"], detected["Cause"][:8]) == ("NOTSURE", "TOOLONG-")
    assert (ready["UserEvent"], ready["Amd"]) == ("CadReady", "NOTSURE"), "who is not sure to be a machine is a person"


async def test_outcome_of_each_refusal_is_in_the_hangup(asterisk_ami: Any, sip_carrier: Carrier) -> None:
    expected = {"4": ("17", "486"), "5": ("1", "404"), "6": ("34", "503"), "7": ("19", "480"), "9": ("19", "480")}
    ids = {digit: attempt() for digit in expected}
    for digit, call_id in ids.items():
        await asterisk_ami.dial(f"{digit}0012345", call_id)
    for digit, call_id in ids.items():
        hangup = await asterisk_ami.event("Hangup", Uniqueid=call_id)
        assert (hangup["Cause"], hangup["TechCause"]) == expected[digit], digit
        response = await asterisk_ami.event("OriginateResponse", Uniqueid=call_id)
        assert (response["Response"], response["Reason"]) == ("Failure", "0")


async def test_ringing_call_is_cancelled_by_hangup_and_by_timeout(asterisk_ami: Any, sip_carrier: Carrier) -> None:
    ordered, timed_out = attempt(), attempt()
    await asterisk_ami.dial("30012345", ordered)
    await asterisk_ami.dial("30012346", timed_out, timeout_ms=600)
    await asterisk_ami.event("Newstate", Uniqueid=ordered, ChannelStateDesc="Ringing")
    assert (await asterisk_ami.action("Hangup", Channel=ordered, Cause=16))["Response"] == "Success"
    await asterisk_ami.event("Hangup", Uniqueid=ordered)
    response = await asterisk_ami.event("OriginateResponse", Uniqueid=timed_out)
    assert (response["Response"], response["Reason"]) == ("Failure", "3")
    await asyncio.gather(*(c.ended.wait() for c in sip_carrier.calls))
    assert {c.ended_by for c in sip_carrier.calls} == {"cancel"}


async def test_unregistered_agent_fails_without_a_channel(asterisk_ami: Any, sip_phones: Phones) -> None:
    await sip_phones.unregister("a1006")
    leg = attempt()
    await asterisk_ami.action(
        "Originate", Channel="PJSIP/a1006", ChannelId=leg, Context="cad-agent", Exten="s", Priority=1, Async="true"
    )
    response = await asterisk_ami.event("OriginateResponse", Uniqueid=leg)
    assert (response["Response"], response["Reason"]) == ("Failure", "0")
    assert not asterisk_ami.events("Hangup", Uniqueid=leg)


async def test_phone_without_packets_stays(asterisk_ami: Any, sip_carrier: Carrier, sip_phones: Phones) -> None:
    """rtp_timeout is the trunk's alone: a muted agent whose telephone sends nothing must not be cut."""
    leg, call_id, debtor, phone = await talk(asterisk_ami, sip_carrier, sip_phones)
    phone.freeze()
    await asyncio.sleep(0.5)
    assert debtor.is_up and phone.is_up
    sip_carrier.hang_up(debtor)
    await asterisk_ami.event("CadAgentIdle", Uniqueid=leg, After=call_id)


async def test_debtor_whose_line_dies_is_noticed_by_its_packets(
    asterisk_installation: Any, asterisk_raw_ami: Any
) -> None:
    async with (
        Lab(asterisk_installation, agents=1, rtp_timeout_s=1) as lab,
        Carrier(lab.trunk_ports[0], lambda number: STAYS) as carrier,
        asterisk_raw_ami(lab=lab) as ami,
    ):
        call_id = attempt()
        await ami.dial("3001112233", call_id, CAD_WAIT_S="20")
        await ami.event("CadReady")
        carrier.vanish(carrier.calls[-1])
        hangup = await ami.event("Hangup", timeout_s=8.0)
        assert (hangup["Cause"], hangup["TechCause"]) == ("44", "")


async def test_ids_must_not_begin_one_another(asterisk_ami: Any, sip_carrier: Carrier) -> None:
    """Asterisk takes an id for one in use if a live id begins with it, in any case of letters; a look-up is exact."""
    long, short, other_case = "zz-0077-2", "zz-0077", "ZZ-0077-2"
    await asterisk_ami.dial("30012345", long)
    await asterisk_ami.event("DialBegin", DestUniqueid=long)
    for refused in (short, other_case):
        await asterisk_ami.dial("30012346", refused)
        response = await asterisk_ami.event("OriginateResponse", Uniqueid=refused)
        assert (response["Response"], response["Reason"]) == ("Failure", "0")
    assert (await asterisk_ami.action("Hangup", Channel=short))["Message"] == "No such channel"
    assert (await asterisk_ami.action("Hangup", Channel=long))["Response"] == "Success"
    await asterisk_ami.event("Hangup", Uniqueid=long)
