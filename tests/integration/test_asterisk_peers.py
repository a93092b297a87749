"""The SIP peers themselves: what they hear is what was said, and a whole floor of them costs a part of one core."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import pytest

from cadencia.testing.sip import (
    AGENT_HZ,
    DEBTOR_HZ,
    HUMAN,
    Carrier,
    Ear,
    Phones,
    SipRefused,
    by_prefix,
    is_loud,
    silence,
    tone,
)
from cadencia.testing.sip.audio import FRAME
from cadencia.testing.sip.message import Message, build, rtp_address, sdp, user_of

TONES = {"agent": AGENT_HZ, "debtor": DEBTOR_HZ, "ring": 425}


def frames(clip: bytes) -> list[bytes]:
    return [clip[n : n + FRAME] for n in range(0, len(clip), FRAME)]


@pytest.mark.parametrize("name", TONES)
@pytest.mark.parametrize("cut", [0, 37, 111])
def test_ear_names_a_tone_and_no_other_at_any_phase(name: str, cut: int) -> None:
    clip = tone(TONES[name], 0.1)[cut:]
    assert all(Ear(TONES).tones_in(frame) == [name] for frame in frames(clip)[:3])


def test_silence_and_whispers_are_not_loud() -> None:
    assert is_loud(tone(AGENT_HZ, 0.02))
    assert not is_loud(silence(0.02))
    assert not is_loud(tone(AGENT_HZ, 0.02, level=100))


def test_ear_keeps_the_intervals_in_order() -> None:
    ear = Ear(TONES, first="debtor")
    at = 100.0
    for part in (tone(425, 0.3), tone(DEBTOR_HZ, 1.0), silence(1.0), tone(DEBTOR_HZ, 0.5)):
        for frame in frames(part):
            ear.feed(frame, at)
            at += 0.02
    assert ear.first("ring") == ear.first_loud == 100.0
    assert ear.first("debtor") == pytest.approx(100.3)
    assert [round(end - begin, 1) for begin, end in ear.intervals["debtor"]] == [1.0, 0.5]
    assert (ear.packets, ear.loud_packets) == (140, 90)
    assert ear.heard("debtor", 1.3) and not ear.heard("agent")


def test_first_time_is_exact_although_packets_are_sampled() -> None:
    heard: list[int] = []
    ear = Ear(TONES, first="agent", every=50, on_first=lambda: heard.append(1))
    for n, frame in enumerate(frames(tone(425, 0.5) + tone(AGENT_HZ, 0.5))):
        ear.feed(frame, n * 0.02)
    assert ear.first("agent") == pytest.approx(0.5)
    assert heard == [1]


def test_messages_survive_the_wire() -> None:
    data = build("INVITE sip:3001112233@h SIP/2.0", [("f", '"X" <sip:601@h>;tag=1'), ("CSeq", "1 INVITE")], sdp(4000))
    message = Message(data)
    assert (message.method, user_of(message.uri), user_of(message.get("from"))) == ("INVITE", "3001112233", "601")
    assert rtp_address(message.body) == ("127.0.0.1", 4000)
    assert message.get("content-length") == str(len(message.body))


def test_longest_prefix_decides() -> None:
    table = {"3": HUMAN, "300": HUMAN.but(outcome="x")}
    assert [by_prefix(table)(n).outcome for n in ("3001", "3101", "9")] == ["x", "human", "human"]


@pytest.mark.asterisk
async def test_wrong_password_is_refused(asterisk_lab: Any) -> None:
    async with Phones(asterisk_lab.sip_port, {"a1001": "not-the-secret"}) as phones:
        with pytest.raises(SipRefused, match="401"):
            await phones.register()


@pytest.mark.asterisk
async def test_telephone_that_is_busy_says_so(asterisk_ami: Any, sip_phones: Phones) -> None:
    await asterisk_ami.nail("a1007", "bus-leg1")
    await asterisk_ami.action(
        "Originate", Channel="PJSIP/a1007", ChannelId="bus-leg2", Context="cad-agent", Exten="s", Priority=1,
        Async="true",
    )  # fmt: skip
    assert (await asterisk_ami.event("Hangup", Uniqueid="bus-leg2"))["TechCause"] == "486"
    leg = sip_phones.leg("a1007")
    assert leg is not None and leg.is_up


@pytest.mark.asterisk
async def test_twelve_agents_and_thirty_debtors_speak_in_time(
    asterisk_ami: Any, sip_carrier: Carrier, sip_phones: Phones
) -> None:
    sip_carrier.behaviour = lambda number: HUMAN.but(leaves_after_voice_s=None)
    agents = [f"a{1001 + n}" for n in range(12)]
    await asyncio.gather(*(asterisk_ami.nail(agent, f"flo-{agent}") for agent in agents))
    ids = [f"flo-d{n:02d}" for n in range(30)]
    for n, call_id in enumerate(ids):
        await asterisk_ami.dial(f"3{n:09d}", call_id, CAD_WAIT_S="20")
    for call_id in ids:
        await asterisk_ami.event("CadReady", Uniqueid=call_id)
    for call_id, agent in zip(ids, agents, strict=False):
        await asterisk_ami.connect(call_id, f"flo-{agent}", agent)
    cpu, wall = time.process_time(), time.monotonic()
    sent = sum(c.packets_out for c in sip_carrier.calls)
    await asyncio.sleep(2.0)
    wall = time.monotonic() - wall
    cost = (time.process_time() - cpu) / wall
    rate = (sum(c.packets_out for c in sip_carrier.calls) - sent) / wall / len(ids)
    print(f"42 legs: {cost:.0%} of a core, {rate:.1f} packets a second and leg")
    assert rate == pytest.approx(50, abs=5)
    talking = [c for c in sip_carrier.calls if c.heard("agent", 1.0)]
    assert len(talking) == 12
    for agent in agents:
        leg = sip_phones.leg(agent)
        assert leg is not None and len(leg.voice_intervals) == 1 and leg.heard("debtor", 1.0)
    waiting = [c for c in sip_carrier.calls if c not in talking]
    assert not any(c.heard("agent") for c in waiting)
    for call in list(sip_carrier.calls):
        sip_carrier.hang_up(call)
    for call_id in ids:
        await asterisk_ami.event("Hangup", Uniqueid=call_id)
