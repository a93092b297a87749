"""Debtors' texts on a real server: they arrive whole or not at all, and a canary lives on whatever they say."""

from __future__ import annotations

import asyncio
import itertools
import random
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from cadencia.errors import LocalProtocolError
from cadencia.telephony.ami.codec import MAX_LINE_BYTES, Message
from cadencia.telephony.ami.connect import tcp
from cadencia.telephony.ami.session import Action, AmiSession
from cadencia.telephony.asterisk import Lab
from cadencia.testing.sip import HUMAN, Carrier

pytestmark = pytest.mark.asterisk

CANARY, ALIVE = "CANARY", "alive"
KILL = f"Action: Setvar\r\nVariable: {CANARY}\r\nValue: dead"

#: Every way that was ever found from a value into the switch.
EVIL = [
    f"x\r\n\r\n{KILL}",
    f"x\n\n{KILL}".replace("\r\n", "\n"),
    f"x\r\r\n\r\r\n{KILL}",
    f"x\r\nVariable: GLOBAL({CANARY})=dead",
    f"x\0\r\n\r\n{KILL}",
    f"x,GLOBAL({CANARY})=dead",
    f'x",GLOBAL({CANARY})=dead,Y="z',
    f'x\\",GLOBAL({CANARY})=dead',
    f"x\\,GLOBAL({CANARY})=dead",
    f"x)),GLOBAL({CANARY})=dead",
    f"${{SET(GLOBAL({CANARY})=dead)}}",
    f"${{GLOBAL({CANARY})}}",
    "${SHELL(touch /nowhere/canary)}",
    "${EVAL(${SHELL(id)})}",
    "$[1+1]",
    f"x\u2028\u2028{KILL.splitlines()[0]}",
    f"x\x85\x85{KILL.splitlines()[0]}",
    f"x\x0b\x0c\x1c\x1d\x1e{KILL.splitlines()[0]}",
    "\ud800\r\n",
    "José Ñandú ¿quién? 𝄞",
    '"', '""', "\\", "a\\", ",", "(", "[a,b", "a]b", "a;b|c&d", "'", "%s%n%s", "(null)", "{", "~^`",
]  # fmt: skip
LETTERS = "aZ0 ,\"'\\()[]{}$;|&=:<>%~^`\t\r\n\0\x1b\x7f\x85ñÑ\u2028\u202e𝄞"


def texts(number: int, seed: int) -> list[str]:
    """The known ones, and any."""
    rng = random.Random(seed)
    found = list(EVIL)
    while len(found) < number:
        length = rng.choice((1, 3, 10, 40))
        found.append("".join(rng.choice(LETTERS) for _ in range(length)))
        found.append(rng.choice(EVIL)[: rng.randrange(40)] + rng.choice(EVIL))
        found.append(rng.choice(LETTERS[:20]) * rng.randrange(1, 1400))
    return found[:number]


@pytest_asyncio.fixture
async def told() -> list[Message]:
    return []


@pytest_asyncio.fixture
async def session(asterisk_lab: Lab, told: list[Message]) -> AsyncIterator[AmiSession]:
    account = asterisk_lab.plan.account
    made = await AmiSession.connect(tcp("127.0.0.1", asterisk_lab.ami_port), account.user, account.secret, told.append)
    await made.action("Setvar", {"Variable": CANARY, "Value": ALIVE})
    yield made
    made.close()
    await made.lost


async def canary(session: AmiSession) -> str:
    return (await session.action("Getvar", {"Variable": CANARY}))["Value"]


async def ready(told: list[Message], call_id: str) -> None:
    async with asyncio.timeout(5):
        while not any(m.get("UserEvent") == "CadReady" and m["Uniqueid"] == call_id for m in told):
            await asyncio.sleep(0.01)


async def value(session: AmiSession, channel: str, name: str) -> str:
    return (await session.action("Getvar", {"Channel": channel, "Variable": name}))["Value"]


def may_be_refused(text: str) -> bool:
    """The encoder has no other cause than these."""
    halves = any("\ud800" <= c <= "\udfff" for c in text)
    return halves or any(c in text for c in "\r\n\0") or len(text.encode("utf-8", "replace")) * 2 > MAX_LINE_BYTES - 50


async def test_the_canary_can_die(asterisk_ami: Any, session: AmiSession) -> None:
    """What the encoder refuses does work on the wire of a client that does not: the test can fail."""
    assert await canary(session) == ALIVE
    asterisk_ami.send("Ping", Data=EVIL[0])
    async with asyncio.timeout(3):
        while await canary(session) == ALIVE:
            await asyncio.sleep(0.02)
    assert await canary(session) == "dead"
    await session.action("Setvar", {"Variable": CANARY, "Value": ALIVE})


async def test_texts_given_with_the_originate_arrive_whole(
    session: AmiSession, told: list[Message], sip_carrier: Carrier
) -> None:
    sip_carrier.behaviour = lambda number: HUMAN.but(leaves_after_voice_s=None)
    kept: list[str] = []
    refused = 0
    serial = itertools.count(1)
    for text in texts(150, 1):
        try:
            await session.action("Ping", None, {"TEXT": text})
            kept.append(text)
        except LocalProtocolError:
            assert may_be_refused(text), text
            refused += 1
    assert refused > 10
    for group in (kept[n : n + 40] for n in range(0, len(kept), 40)):
        call_id = f"inj-{next(serial):04d}-x"
        given = {f"TEXT_{n}": text for n, text in enumerate(group)}
        fields = {"Channel": "PJSIP/3001112233@trunk", "ChannelId": call_id, "Context": "cad-debtor", "Exten": "s"}
        await session.action(
            "Originate", {**fields, "Priority": 1, "Async": "true", "Timeout": 5000}, {"CAD_WAIT_S": 20, **given}
        )
        await ready(told, call_id)
        for name, text in given.items():
            assert await value(session, call_id, name) == text
        assert await canary(session) == ALIVE
        await session.action("Hangup", {"Channel": call_id})
    assert {call.number for call in sip_carrier.calls} == {"3001112233"}
    assert len(sip_carrier.calls) == (len(kept) + 39) // 40


async def test_texts_in_any_header_change_nothing(
    session: AmiSession, told: list[Message], sip_carrier: Carrier
) -> None:
    """Setvar's value, and headers of an Originate that can fail: the canary lives, and no other call is made.

    Asterisk drops blanks and control characters before a header's value; nothing else is lost.
    """
    sip_carrier.behaviour = lambda number: HUMAN.but(leaves_after_voice_s=None)
    call_id = "inj-header-x"
    fields = {"Channel": "PJSIP/3001112233@trunk", "ChannelId": call_id, "Context": "cad-debtor", "Exten": "s"}
    await session.action("Originate", {**fields, "Priority": 1, "Async": "true", "Timeout": 5000}, {"CAD_WAIT_S": 30})
    await ready(told, call_id)
    whole = 0
    for text in texts(150, 2):
        try:
            await session.action("Setvar", {"Channel": call_id, "Variable": "TEXT", "Value": text})
        except LocalProtocolError:
            assert may_be_refused(text), text
            continue
        assert await value(session, call_id, "TEXT") == text.lstrip("".join(map(chr, range(33))))
        whole += 1
        for header in ("CallerID", "Account", "Codecs"):
            bad = {**fields, "Channel": "PJSIP/3001112234@nowhere", "ChannelId": f"inj-{header}-{whole}-y"}
            sent = session.send([Action("Originate", {**bad, "Priority": 1, "Async": "true", header: text})])
            await asyncio.gather(*sent, return_exceptions=True)
    assert whole > 80
    assert await canary(session) == ALIVE
    assert {call.number for call in sip_carrier.calls} == {"3001112233"}
    assert session.malformed == 0
    await session.action("Hangup", {"Channel": call_id})
