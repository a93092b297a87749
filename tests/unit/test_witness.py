"""The witness sees what must not be: it is no use if it finds everything in order, whatever happens."""

from __future__ import annotations

import time
from datetime import UTC, datetime

from cadencia.domain.events import Event
from cadencia.telephony.ami.codec import Message
from cadencia.testing.witness import Witness, agree

NOW = datetime(2026, 11, 24, 14, tzinfo=UTC)
NUMBERS = {1: "573000000001", 2: "573000000002"}


async def nobody(factory: object) -> object:
    raise OSError("not asked")


def witness() -> Witness:
    return Witness(nobody, "u", "s", ("a1001", "a1002"))


def tell(seen: Witness, name: str, **headers: str) -> None:
    seen._event(Message("Event", name, {"Event": name, **headers}, None))


def leg(seen: Witness, ref: str, channel: str, *, up: bool = True) -> None:
    tell(seen, "Newchannel", Uniqueid=ref, Channel=channel, Exten="s")
    if up:
        tell(seen, "Newstate", Uniqueid=ref, ChannelState="6")


def enter(seen: Witness, ref: str, bridge: str) -> None:
    tell(seen, "BridgeEnter", Uniqueid=ref, BridgeUniqueid=bridge, BridgeTechnology="native_rtp")


async def test_two_debtors_in_one_bridge_are_seen() -> None:
    seen = witness()
    for ref, channel in (("d1", "PJSIP/trunk-1"), ("g1", "PJSIP/a1001-2"), ("d2", "PJSIP/trunk-3")):
        leg(seen, ref, channel)
        enter(seen, ref, "b")
    assert [v for v in seen.violations if "2 debtors and 1 agents" in v]


async def test_a_wait_beyond_the_limit_is_seen_unless_the_server_stood_still() -> None:
    seen = witness()
    leg(seen, "d1", "PJSIP/trunk-1")
    seen.legs["d1"].answered_s = time.monotonic() - 9.0
    assert seen.waits(4.0, [(time.monotonic() - 5.0, time.monotonic())]) == 1
    assert seen.violations == []
    seen.waits(4.0, [(time.monotonic() - 100.0, time.monotonic() - 50.0)])
    assert len(seen.violations) == 1


async def test_a_picture_that_stays_wrong_is_seen() -> None:
    seen = witness()
    seen.linked.set()
    leg(seen, "d1", "PJSIP/trunk-1")
    leg(seen, "g1", "PJSIP/a1001-2")
    enter(seen, "d1", "b")
    enter(seen, "g1", "b")
    seen.compare({"a1001": ("talking", "d1")})
    seen.compare({"a1001": ("ready", None)})
    seen._differs["a1001"] -= 6.0
    seen.compare({"a1001": ("ready", None)})
    assert len(seen.violations) == 1
    seen.compare({"a1001": ("talking", "d1")})
    assert not seen._differs


def sent(attempt: str, contact: int) -> Event:
    return Event("attempt.sending", NOW, contact_id=contact, attempt_id=attempt)


def settled(attempt: str, contact: int) -> Event:
    return Event("attempt.settled", NOW, contact_id=contact, attempt_id=attempt)


def call(contact: int, invite_s: float, end_s: float) -> dict[str, object]:
    return {"number": NUMBERS[contact], "t_invite": invite_s, "t_end": end_s}


def test_books_that_agree_are_in_order() -> None:
    events = [sent("x", 1), settled("x", 1), sent("y", 2), settled("y", 2)]
    assert agree([call(1, 1.0, 2.0), call(2, 1.0, 5.0)], events, NUMBERS) == []
    assert agree([call(1, 1.0, 2.0)], events, NUMBERS) == [], "an intent may never have reached the carrier"


def test_each_kind_of_disagreement_is_found() -> None:
    whole = [sent("x", 1), settled("x", 1)]
    assert "2 times, with 1 intents" in agree([call(1, 1, 2), call(1, 3, 4)], whole, NUMBERS)[0]
    assert "with 0 intents" in agree([call(2, 1, 2)], whole, NUMBERS)[0]
    twice = [*whole, sent("y", 1), settled("y", 1)]
    assert agree([call(1, 1, 4), call(1, 3, 5)], twice, NUMBERS) == ["promise 1: 573000000001 was called twice at once"]
    assert agree([], [sent("x", 1)], NUMBERS) == ["promise 2: x ended 0 times"]
    assert agree([], [*whole, settled("x", 1)], NUMBERS) == ["promise 2: x ended 2 times"]
    assert agree([], [*whole, sent("x", 1)], NUMBERS) == ["promise 2: x was committed twice"]
    assert agree([], [settled("z", 1)], NUMBERS) == ["promise 2: z ended and was never sent"]
