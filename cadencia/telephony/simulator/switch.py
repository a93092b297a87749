"""The simulated switch: channels, bridges, the generated dialplan's steps, and debtors and telephones behind it.

It does what a real Asterisk 22 with the generated dialplan was seen to do (tests/transcripts), and where the threads of
the real one tell things in any order, so does it. Time flows by the clock port; chance comes from one seeded generator,
so the same seed and the same orders give the same events. Left out: DeviceStateChange, ContactStatus and
ChannelTalking events, which nothing here reads.
"""

from __future__ import annotations

import asyncio
import itertools
import random
from bisect import bisect_left, insort
from collections.abc import Callable
from dataclasses import dataclass
from math import isfinite

from cadencia.clock import Clock, call_later
from cadencia.pacing.worlds import Fate, Nature
from cadencia.telephony.simulator.channels import CAUSE_TEXT, UNKNOWN, Bridge, Channel, Headers, caller_id
from cadencia.telephony.simulator.dialplan import STARTS, Dialplan, Waits
from cadencia.telephony.simulator.population import Population, Refusal

Emit = Callable[[str, str, Headers], None]


@dataclass
class Faults:
    """What goes wrong, each a probability; all 0 unless a test asks."""

    lose_answer: float = 0.0  # an action is carried out and never answered
    refuse_bridge: float = 0.0
    lose_event: float = 0.0  # an event never comes
    lose_hangup: float = 0.0  # the other end is gone, and the leg stays until no sound was heard for long


#: (Cause, TechCause) of what never answers.
_FAILURES: dict[Nature, tuple[int, int]] = {
    Nature.BUSY: (17, 486),
    Nature.INVALID: (1, 404),
    Nature.CONGESTION: (34, 503),
    Nature.OFF: (19, 480),
}

#: DialStatus by cause; all others are NOANSWER.
_DIAL_STATUS = {3: "CHANUNAVAIL", 17: "BUSY", 20: "CHANUNAVAIL", 34: "CONGESTION"}


#: Without a packet for so long a leg counts as dead (rtp_timeout).
_SILENCE_S = 15.0

#: What a simulated switch answers for the hash of its configuration.
SIMULATED_CONFIG = "simulated"


class SimulatedSwitch:
    """Carries out orders and emits events.

    Args:
        clock: all waits and ring times are in its seconds.
        population: who answers on the trunk.
        endpoints: names of the agents' telephones; they answer at once.
        seed: of everything that happens by chance here.
        config_hash: what Getvar CADENCIA_CONFIG answers.

    Attributes:
        globals: the dialplan's global variables.
        trunks: device state of each trunk by name; `set_trunk` changes one and tells of it.
    """

    def __init__(
        self,
        clock: Clock,
        population: Population,
        endpoints: tuple[str, ...],
        seed: int,
        *,
        waits: Waits | None = None,
        config_hash: str = SIMULATED_CONFIG,
    ) -> None:
        self.clock = clock
        self.population = population
        self.waits = waits or Waits()
        self.faults = Faults()
        self.rng = random.Random(seed)
        self.endpoints = set(endpoints)
        self.pickups: dict[str, float] = {}  # seconds until a telephone is picked up, where that is not at once
        self.globals = {"CADENCIA_CONFIG": config_hash}
        self.trunks = {"trunk": "NOT_INUSE"}
        self.channels: dict[str, Channel] = {}  # by uniqueid
        self._by_name: dict[str, Channel] = {}
        self._ids: list[str] = []  # of live channels, in small letters, sorted
        self._serial = itertools.count()
        self._bridge_serial = itertools.count(1)
        self._listeners: list[Emit] = []
        self._dialplan = Dialplan(self, self.waits)

    def subscribe(self, listener: Emit) -> None:
        """Where events go: listener(name, privilege, headers)."""
        self._listeners.append(listener)

    def _emit(self, name: str, headers: Headers, privilege: str = "call,all") -> None:
        for listener in self._listeners:
            listener(name, privilege, headers)

    def set_trunk(self, name: str, state: str) -> None:
        """A trunk's device state changes, as after OPTIONS that were not answered (UNAVAILABLE)."""
        if self.trunks.get(name) != state:
            self.trunks[name] = state
            self._emit("DeviceStateChange", [("Device", f"PJSIP/{name}"), ("State", state)])

    # -- orders --------------------------------------------------------------------------------------------------------
    def find(self, channel: str) -> Channel | None:
        """By name or uniqueid, as Asterisk looks channels up."""
        return self._by_name.get(channel) or self.channels.get(channel)

    def originate(self, action: dict[str, str], variables: dict[str, str]) -> str | None:
        """Place a call; the error message if it is refused at once."""
        if not action.get("Channel"):
            return "Channel not specified"
        if action.get("Context") not in STARTS:
            return "Extension does not exist."
        call_later(self.clock, 0.001, lambda: self._dial(action, variables))
        return None

    def bridge(self, first: str, second: str) -> str | None:
        """Put two channels into one conversation; the error message if it cannot be."""
        one, two = self.find(first), self.find(second)
        if one is None:
            return f"Channel1 does not exist: {first}"
        if two is None:
            return f"Channel2 does not exist: {second}"
        if self.rng.random() < self.faults.refuse_bridge:
            return "Unable to add Channel1 to bridge"
        for channel in (one, two):
            self._never_answered(channel)
        self._talk(one, two)
        return None

    def _never_answered(self, channel: Channel) -> None:
        """A Bridge takes a ringing leg away from the thread that dials, and nobody will hear of its answer."""
        action, channel.originate = channel.originate, None
        if action is not None:
            self._clear(channel.timers)
            self._originate_response(action, channel.uniqueid, "Failure", 0, action["Channel"])

    def hangup(self, channel: Channel, cause: int = 0) -> None:
        """Our order: a leg ends; one that was not answered yet fails."""
        if channel.originate is not None:
            self._fail(channel, 0, cause, None, "NOANSWER")
        else:
            self.end(channel, cause or 16)

    def redirect(self, channel: Channel, context: str) -> str | None:
        """Send a leg to another context: on hold, or on to the end of its wait."""
        steps = {"cad-hold": self._dialplan.hold, "cad-after": self._dialplan.orphan}
        if context not in steps:
            return "Extension does not exist."
        others = self._partners(channel)
        channel.at(context, "s", 1)
        self._leave(channel)
        steps[context](channel)
        for other in others:
            self._next_step(other)
        return None

    # -- what tests and simulated people do ----------------------------------------------------------------------------
    def drop_telephone(self, endpoint: str) -> None:
        """An agent's telephone hangs up."""
        for channel in [c for c in self.channels.values() if c.endpoint == endpoint]:
            self._gone(channel)

    def hang_up_far_end(self, uniqueid: str) -> None:
        """The person on this leg hangs up."""
        if uniqueid in self.channels:
            self._gone(self.channels[uniqueid])

    def call_in(self, endpoint: str, caller: str, exten: str) -> str:
        """Somebody calls us: an agent's telephone the idle extension, or a debtor over a trunk. The leg's Uniqueid."""
        agent = endpoint in self.endpoints
        channel = self._channel(endpoint, self.new_id(), (caller, UNKNOWN), (UNKNOWN, UNKNOWN), {})
        channel.state = 6
        channel.at(*(("cad-agent", "s", 1) if agent else ("cad-in", exten, 5)))
        self._emit("Newstate", channel.headers())
        (self._dialplan.agent if agent else self._dialplan.inbound)(channel)
        return channel.uniqueid

    def stop(self) -> None:
        """The server restarts: every channel is gone and nothing is told of it."""
        for channel in list(self.channels.values()):
            channel.gone = True
            self._quiet(channel)
        self.channels.clear()
        self._by_name.clear()
        self._ids.clear()

    # -- dialling ------------------------------------------------------------------------------------------------------
    def _dial(self, action: dict[str, str], variables: dict[str, str]) -> None:
        target = action["Channel"].removeprefix("PJSIP/")
        uniqueid = action.get("ChannelId") or self.new_id()
        number, _, trunk = target.partition("@")
        endpoint = trunk or number
        known = bool(trunk) or endpoint in self.endpoints
        if not known or self._taken(uniqueid):
            return self._originate_response(action, uniqueid, "Failure", 0, action["Channel"])
        caller = caller_id(action.get("CallerID", ""))
        channel = self._channel(endpoint, uniqueid, caller, caller, variables)
        channel.originate = action
        self._emit("DialBegin", [*channel.headers("Dest"), ("DialString", target)])
        if trunk:
            self._ring_debtor(channel, number, float(action.get("Timeout", "30000")) / 1000.0)
        elif sum(c.endpoint == endpoint for c in self.channels.values()) > 1:
            self._far_end(channel, 0.001, lambda c: self._fail(c, 0, 17, 486, "BUSY"))  # its line is taken
        else:
            self._rings_telephone(channel, endpoint, int(action.get("Timeout") or 30_000) / 1000.0)
        return None

    def new_id(self) -> str:
        """A Uniqueid as Asterisk makes it."""
        return f"{self.clock.now().timestamp():.0f}.{next(self._serial)}"

    def _taken(self, uniqueid: str) -> bool:
        """Asterisk takes an id for one in use if a live id begins with it, in any case of letters."""
        small = uniqueid.lower()
        place = bisect_left(self._ids, small)
        return place < len(self._ids) and self._ids[place].startswith(small)

    def _channel(
        self,
        endpoint: str,
        uniqueid: str,
        caller: tuple[str, str],
        connected: tuple[str, str],
        variables: dict[str, str],
    ) -> Channel:
        channel = Channel(
            name=f"PJSIP/{endpoint}-{next(self._serial):08x}",
            uniqueid=uniqueid,
            number=caller[0],
            caller_name=caller[1],
            context="from-agent" if endpoint in self.endpoints else "from-trunk",
            exten="s",
            endpoint=endpoint,
            born_s=self.clock.monotonic(),
            connected_number=connected[0],
            connected_name=connected[1],
            variables=dict(variables),
        )
        self.channels[uniqueid] = self._by_name[channel.name] = channel
        insort(self._ids, uniqueid.lower())
        return channel

    def _ring_debtor(self, channel: Channel, number: str, timeout_s: float) -> None:
        future = self.population.fate(number, channel.uniqueid)
        self._far_end(channel, timeout_s, lambda c: self._fail(c, 3, 19, 480, None))
        refusal = _refusal(future)
        if refusal is None or refusal.rings:
            self._far_end(channel, future.pdd_s, self._ringing)
        elif refusal.speaks:
            self._far_end(channel, future.pdd_s, self._speaking)
        if refusal is not None:
            status = _DIAL_STATUS.get(refusal.cause, "NOANSWER")
            self._far_end(
                channel, future.answer_s, lambda c: self._fail(c, 0, refusal.cause, refusal.tech_cause, status)
            )
        elif future.answer_s < timeout_s:
            self._far_end(channel, future.answer_s, lambda c: self._pick_up(c, future))

    def _rings_telephone(self, channel: Channel, endpoint: str, timeout_s: float) -> None:
        after_s = self.pickups.get(endpoint, 0.0) + self.rng.uniform(0.006, 0.012)
        if after_s >= timeout_s:
            self._far_end(channel, timeout_s, lambda c: self._fail(c, 3, 19, 480, None))
        else:
            self._far_end(channel, after_s, self._answer)

    def _ringing(self, channel: Channel) -> None:
        """Two threads tell of it: the one that dials, and the telephone's own."""
        dialler_first = self.rng.random() < 0.5
        if dialler_first:
            self._dial_state(channel, "RINGING")
        channel.state = 5
        self._emit("Newstate", channel.headers())
        if not dialler_first:
            self._dial_state(channel, "RINGING")

    def _speaking(self, channel: Channel) -> None:
        self._dial_state(channel, "PROGRESS")

    def _dial_state(self, channel: Channel, status: str) -> None:
        self._emit("DialState", [*channel.headers("Dest"), ("DialStatus", status)])

    def _dial_end(self, channel: Channel, status: str) -> None:
        self._emit("DialEnd", [*channel.headers("Dest"), ("DialStatus", status)])

    def _pick_up(self, channel: Channel, future: Fate) -> None:
        channel.talk_s, channel.machine = future.talk_s, future.nature is Nature.MACHINE
        self._answer(channel)
        self._far_end(channel, future.patience_s or future.talk_s, self._lose_patience)

    def _lose_patience(self, channel: Channel) -> None:
        if channel.bridge is None or channel.bridge.holding:
            self._gone(channel)

    def _answer(self, channel: Channel) -> None:
        action, channel.originate = channel.originate or {}, None
        self._clear(channel.timers)
        channel.state = 6
        steps: list[Callable[[], None]] = [
            lambda: self._emit("Newstate", channel.headers()),
            lambda: self._dial_end(channel, "ANSWER"),
            lambda: self._dialplan.start(channel, action.get("Context", "")),
        ]
        # The thread that placed the call tells of its success when it comes to it: before all, between, or after all.
        place = self.rng.choices(range(len(steps) + 1), (1, 3, 3, 3))[0]
        name = channel.name
        steps.insert(place, lambda: self._originate_response(action, channel.uniqueid, "Success", 4, name))
        for step in steps:
            step()

    def _fail(self, channel: Channel, reason: int, cause: int, tech: int | None, status: str | None) -> None:
        """It will not be answered; `status` None: our own time-out, after which no DialEnd comes."""
        action, channel.originate = channel.originate or {}, None
        self._quiet(channel)

        def respond() -> None:
            self._originate_response(action, channel.uniqueid, "Failure", reason, action.get("Channel", ""))

        steps: list[Callable[[], None]] = []
        if tech is not None and status is not None:
            codes = [("Cause", str(cause)), ("TechCause", str(tech))]
            self._emit("HangupRequest", [*channel.headers(), *codes])
        if status is not None:
            steps.append(lambda: self._dial_end(channel, status))
        steps.append(lambda: self.end(channel, cause, tech))
        steps.insert(self.rng.randrange(len(steps) + 1), respond)
        for step in steps:
            step()

    def _originate_response(self, action: dict[str, str], uniqueid: str, response: str, reason: int, name: str) -> None:
        number, shown = caller_id(action.get("CallerID", ""))
        headers: Headers = [("ActionID", action["ActionID"])] if "ActionID" in action else []
        headers += [
            ("Response", response),
            ("Channel", name),
            ("Context", action.get("Context", "")),
            ("Exten", action.get("Exten", "")),
            ("Reason", str(reason)),
            ("Uniqueid", uniqueid),
            ("CallerIDNum", number),
            ("CallerIDName", shown),
        ]
        self._emit("OriginateResponse", headers)

    # -- what the dialplan does ----------------------------------------------------------------------------------------
    def say(self, channel: Channel, name: str, body: Headers) -> None:
        """UserEvent."""
        self._emit("UserEvent", [*channel.headers(), ("UserEvent", name), *body], "user,all")

    def room(self, channel: Channel, name: str, seconds: float, after: Callable[[Channel], None]) -> None:
        """BridgeWait with a limit: alone in a waiting room until a Bridge, a redirect, or the limit."""
        channel.next_step = after
        self._enter(channel, Bridge(f"room-{next(self._bridge_serial)}", name, holding=True))
        channel.wait = call_later(self.clock, seconds, lambda: self._wait_over(channel))

    def _gone(self, channel: Channel) -> None:
        """The other end hangs up an answered call. A Bridge at that instant can make Asterisk 22 forget it again."""
        if channel.gone:
            return
        cause: Headers = [("Cause", str(channel.cause))] if channel.cause else []
        self._emit("HangupRequest", [*channel.headers(), *cause])
        if self.faults.lose_hangup and self.rng.random() < self.faults.lose_hangup:
            self._clear(channel.timers)
            self._far_end(channel, _SILENCE_S, lambda c: self.end(c, 44))
        else:
            self.end(channel, 16)

    def end(self, channel: Channel, cause: int, tech: int | None = None) -> None:
        """A leg is gone, for whatever reason."""
        if channel.gone:
            return
        channel.gone = True
        self._quiet(channel)
        partners = self._partners(channel)
        self._leave(channel)
        for partner in partners:
            self._leave(partner)
        del self.channels[channel.uniqueid], self._by_name[channel.name]
        del self._ids[bisect_left(self._ids, channel.uniqueid.lower())]
        headers = [*channel.headers(), ("Cause", str(cause)), ("Cause-txt", CAUSE_TEXT.get(cause, "Unknown"))]
        if tech is not None:
            headers.append(("TechCause", str(tech)))
        # Each leg has its own thread: the other's next step may be told first.
        hangup_first = self.rng.random() < 0.6
        if hangup_first:
            self._emit("Hangup", headers)
        for partner in partners:
            self._next_step(partner)
        if not hangup_first:
            self._emit("Hangup", headers)

    # -- bridges -------------------------------------------------------------------------------------------------------
    def _wait_over(self, channel: Channel) -> None:
        self._leave(channel)
        if channel.next_step is not None and not channel.gone:
            channel.next_step(channel)

    def _talk(self, one: Channel, two: Channel) -> None:
        others = [other for channel in (one, two) for other in self._partners(channel) if other not in (one, two)]
        bridge = Bridge(f"talk-{next(self._bridge_serial)}", UNKNOWN, holding=False)
        self._leave(one)
        self._enter(one, bridge)
        self._leave(two)
        one.linkedid = two.linkedid = min((one, two), key=lambda c: c.born_s).uniqueid
        self._enter(two, bridge)
        bridge.technology = "native_rtp"
        one.connected_number, two.connected_number = two.number, one.number
        one.connected_name, two.connected_name = two.caller_name, one.caller_name
        for channel in (one, two):
            if channel.talk_s is not None:
                self._clear(channel.timers)
                self._far_end(channel, channel.talk_s, self._gone)
        for left in others:
            if left.bridge is not None:
                left.bridge.technology = "simple_bridge"
            self._next_step(left)

    @staticmethod
    def _partners(channel: Channel) -> list[Channel]:
        """Who is in a conversation with this leg."""
        bridge = channel.bridge
        return [] if bridge is None or bridge.holding else [m for m in bridge.members if m is not channel]

    def _enter(self, channel: Channel, bridge: Bridge) -> None:
        bridge.members.append(channel)
        channel.bridge = bridge
        self._emit("BridgeEnter", [*bridge.headers(), *channel.headers()])

    def _leave(self, channel: Channel) -> None:
        if channel.wait is not None:
            channel.wait.cancel()
            channel.wait = None
        bridge, channel.bridge = channel.bridge, None
        if bridge is not None:
            bridge.members.remove(channel)
            if not bridge.holding:
                channel.cause = 16
            self._emit("BridgeLeave", [*bridge.headers(), *channel.headers()])

    def _next_step(self, channel: Channel) -> None:
        """The conversation is over for this leg: its dialplan goes on."""
        self._leave(channel)
        if not channel.gone and channel.next_step is not None:
            channel.next_step(channel)

    # -- time ----------------------------------------------------------------------------------------------------------
    def _far_end(self, channel: Channel, seconds: float, act: Callable[[Channel], None]) -> None:
        """What the telephone at the other end will do, unless something happens first."""
        if isfinite(seconds):
            channel.timers.append(call_later(self.clock, seconds, lambda: None if channel.gone else act(channel)))

    def _quiet(self, channel: Channel) -> None:
        self._clear(channel.timers)
        if channel.wait is not None:
            channel.wait.cancel()
            channel.wait = None

    @staticmethod
    def _clear(timers: list[asyncio.TimerHandle]) -> None:
        for timer in timers:
            timer.cancel()
        timers.clear()


def _refusal(future: Fate) -> Refusal | None:
    """The fate of a call that the network answers with an error, None for one that rings or is answered."""
    if isinstance(future, Refusal):
        return future
    if future.nature not in _FAILURES:
        return None
    cause, tech = _FAILURES[future.nature]
    speaks = future.nature is Nature.OFF
    return Refusal(future.nature, future.pdd_s, future.answer_s, cause=cause, tech_cause=tech, speaks=speaks)
