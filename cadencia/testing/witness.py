"""Checks the house's promises on a real Asterisk, from what the server, the carrier and the store each tell.

The witness has its own account on the server, with all events and without the proxy that the engine may stand behind.
It shares no code with the engine beyond the AMI session, and takes the engine's word for nothing.
"""

from __future__ import annotations

import asyncio
import itertools
import time
from bisect import bisect_right
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from cadencia.domain.events import Event
from cadencia.errors import TelephonyError
from cadencia.telephony.ami.codec import Message
from cadencia.telephony.ami.connect import Connector
from cadencia.telephony.ami.link import AmiLink
from cadencia.telephony.ami.session import AmiSession

#: The engine's picture of an agent may differ from the switch's for so long (promise 3).
PICTURE_S = 5.0

#: What an answered person may wait, beyond what the dialplan says: the clocks of two processes and our own looks.
SLACK_S = 0.7


@dataclass
class Leg:
    """A channel as the server told of it. Times are CLOCK_MONOTONIC seconds."""

    id: str
    agent: str  # the telephone's endpoint, "" for a debtor's leg
    number: str
    born_s: float
    answered_s: float | None = None
    ended_s: float | None = None
    talks: list[list[float]] = field(default_factory=list)  # [begin, end or inf]
    partners: list[str] = field(default_factory=list)


class Witness:
    """Sees every leg and every bridge of one server.

    Args:
        endpoints: the agents' telephones; every other channel is a debtor's.
        connector, user, secret: of an account that sees all events.

    Attributes:
        violations: what must not be, in words.
        legs: every leg of every life of the server, by id.
    """

    def __init__(self, connector: Connector, user: str, secret: str, endpoints: Iterable[str]) -> None:
        self._endpoints = frozenset(endpoints)
        self.violations: list[str] = []
        self.legs: dict[str, Leg] = {}
        self.live: dict[str, Leg] = {}
        self._bridges: dict[str, set[str]] = defaultdict(set)
        self._differs: dict[str, float] = {}
        self._blind_until_s = 0.0
        # A server that is frozen is not gone: what happened meanwhile comes when it goes on.
        self._link = AmiLink(connector, user, secret, self._event, on_up=self._up, on_down=self._down, ping_s=60.0)
        self._task: asyncio.Task[None] | None = None
        self.linked = asyncio.Event()

    async def __aenter__(self) -> Witness:
        self._task = asyncio.get_running_loop().create_task(self._link.run())
        await asyncio.wait_for(self.linked.wait(), 20.0)
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    # -- what the server says ------------------------------------------------------------------------------------------
    async def _up(self, session: AmiSession) -> None:
        self.linked.set()

    def _down(self) -> None:
        """The server died: none of its legs lives."""
        self.linked.clear()
        now_s = time.monotonic()
        for leg in list(self.live.values()):
            self._end(leg, now_s)
        self._bridges.clear()

    def _event(self, message: Message) -> None:
        name, ref, now_s = message.name, message.get("Uniqueid"), time.monotonic()
        if name == "Newchannel":
            endpoint = message.get("Channel").partition("/")[2].rpartition("-")[0]
            agent = endpoint if endpoint in self._endpoints else ""
            self.legs[ref] = self.live[ref] = Leg(ref, agent, message.get("Exten"), now_s)
        elif name == "DialBegin" and (leg := self.live.get(message.get("DestUniqueid"))):
            leg.number = message.get("DialString").partition("@")[0]
        elif name == "Newstate" and message.get("ChannelState") == "6" and (leg := self.live.get(ref)):
            leg.answered_s = leg.answered_s or now_s
        elif name == "BridgeEnter":
            self._enter(message, now_s)
        elif name == "BridgeLeave":
            self._leave(ref, message.get("BridgeUniqueid"), now_s)
        elif name == "Hangup" and (leg := self.live.get(ref)):
            self._end(leg, now_s)

    def _enter(self, message: Message, now_s: float) -> None:
        ref, bridge = message.get("Uniqueid"), message.get("BridgeUniqueid")
        leg = self.live.get(ref)
        if leg is None or message.get("BridgeTechnology") == "holding_bridge":
            return
        members = self._bridges[bridge]
        members.add(ref)
        legs = [self.live[member] for member in members if member in self.live]
        kinds = Counter(bool(each.agent) for each in legs)
        if kinds[True] > 1 or kinds[False] > 1:
            self.violations.append(f"promise 3: a bridge holds {kinds[False]} debtors and {kinds[True]} agents")
        if len(legs) == 2 and len(kinds) == 2:
            for one, other in (legs, legs[::-1]):
                one.talks.append([now_s, float("inf")])
                one.partners.append(other.agent or other.id)

    def _leave(self, ref: str, bridge: str, now_s: float) -> None:
        members = self._bridges.get(bridge)
        if not members or ref not in members:
            return
        for member in members:
            leg = self.live.get(member)
            if leg is not None and leg.talks and leg.talks[-1][1] == float("inf"):
                leg.talks[-1][1] = now_s
        members.discard(ref)
        if not members:
            del self._bridges[bridge]

    def _end(self, leg: Leg, now_s: float) -> None:
        leg.ended_s = now_s
        if leg.talks and leg.talks[-1][1] == float("inf"):
            leg.talks[-1][1] = now_s
        self.live.pop(leg.id, None)

    # -- the engine's picture ------------------------------------------------------------------------------------------
    def look_away(self, seconds: float) -> None:
        """The engine cannot see the server (we cut its link, or one of them is dead): its picture is not compared."""
        self._blind_until_s = max(self._blind_until_s, time.monotonic() + seconds)
        self._differs.clear()

    def compare(self, agents: Mapping[str, tuple[str, str | None]]) -> None:
        """The engine's picture of each telephone: (state, attempt)."""
        now_s = time.monotonic()
        if now_s < self._blind_until_s or not self.linked.is_set():
            self._differs.clear()
            return
        real = {
            leg.agent: leg.partners[-1]
            for leg in self.live.values()
            if leg.agent and leg.talks and leg.talks[-1][1] == float("inf")
        }
        for endpoint, (state, attempt) in agents.items():
            believed = attempt if state == "talking" else None
            if believed == real.get(endpoint):
                self._differs.pop(endpoint, None)
                continue
            since_s = self._differs.setdefault(endpoint, now_s)
            if now_s - since_s > PICTURE_S:
                self.violations.append(
                    f"promise 3: {endpoint}: the engine says {believed}, the server {real.get(endpoint)}"
                )
                self._differs[endpoint] = now_s

    def talking(self) -> list[Leg]:
        """Debtors who have an agent now."""
        legs = self.live.values()
        return [leg for leg in legs if not leg.agent and leg.talks and leg.talks[-1][1] == float("inf")]

    # -- at the end ----------------------------------------------------------------------------------------------------
    def waits(self, limit_s: float, excused: Iterable[tuple[float, float]] = ()) -> int:
        """Every answered debtor was spoken to or released within the limit; how many were looked at.

        Args:
            limit_s: from the answer to an agent or the end.
            excused: spans in which the server itself stood still.
        """
        spans, looked = sorted(excused), 0
        for leg in self.legs.values():
            if leg.agent or leg.answered_s is None:
                continue
            looked += 1
            until_s = min(leg.talks[0][0] if leg.talks else float("inf"), leg.ended_s or time.monotonic())
            if until_s - leg.answered_s <= limit_s + SLACK_S or _overlap(spans, leg.answered_s, until_s):
                continue
            self.violations.append(f"limit: {leg.id} waited {until_s - leg.answered_s:.2f} s")
        return looked


def _overlap(spans: list[tuple[float, float]], begin_s: float, end_s: float) -> bool:
    place = bisect_right(spans, (end_s, float("inf")))
    return any(end >= begin_s for _, end in spans[:place])


def agree(carrier: Iterable[Mapping[str, Any]], events: Iterable[Event], numbers: Mapping[int, str]) -> list[str]:
    """What the carrier saw against what was written down; what does not fit, in words.

    Every call the carrier saw has an intent of its own, committed before it; every intent ended once, and no number was
    called twice at once.

    Args:
        carrier: its call log, `t_invite` and `t_end` in CLOCK_MONOTONIC seconds.
        events: the store's log, in order.
        numbers: telephone number (digits) by contact.
    """
    wrong: list[str] = []
    sent: dict[str, Event] = {}
    ended: Counter[str] = Counter()
    for event in events:
        attempt = event.attempt_id or ""
        if event.kind == "attempt.sending":
            if attempt in sent:
                wrong.append(f"promise 2: {attempt} was committed twice")
            sent[attempt] = event
        elif event.kind == "attempt.settled":
            ended[attempt] += 1
    wrong += [f"promise 2: {attempt} ended {ended[attempt]} times" for attempt in sent if ended[attempt] != 1]
    wrong += [f"promise 2: {attempt} ended and was never sent" for attempt in ended if attempt not in sent]
    intents = Counter(numbers[event.contact_id] for event in sent.values() if event.contact_id is not None)
    calls: dict[str, list[Mapping[str, Any]]] = defaultdict(list)
    for call in carrier:
        calls[call["number"]].append(call)
    for number, own in calls.items():
        own.sort(key=lambda call: call["t_invite"])
        if len(own) > intents[number]:
            wrong.append(f"promise 2: {number} was called {len(own)} times, with {intents[number]} intents")
        for before, after in itertools.pairwise(own):
            if before["t_end"] is not None and after["t_invite"] < before["t_end"]:
                wrong.append(f"promise 1: {number} was called twice at once")
    return wrong


async def until_quiet(witness: Witness, seconds: float) -> None:
    """Wait until no debtor's leg lives. Raises TelephonyError if one still does after so long."""
    deadline_s = time.monotonic() + seconds
    while any(not leg.agent for leg in witness.live.values()):
        if time.monotonic() > deadline_s:
            raise TelephonyError("a debtor's leg is left over")
        await asyncio.sleep(0.1)
