"""The simulated switch: channels, bridges, the generated dialplan's steps, and debtors and telephones behind it.

It does what a real Asterisk 22 with the generated dialplan was seen to do (tests/transcripts), no more. Time flows by
the clock port; chance comes from one seeded generator, so the same seed and the same orders give the same events.
"""

from __future__ import annotations

import asyncio
import itertools
import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from cadencia.clock import Clock, call_later
from cadencia.pacing.worlds import Fate, Nature, World, fate
from cadencia.telephony.simulator.channels import CAUSE_TEXT, Bridge, Channel, Headers

Emit = Callable[[str, str, Headers], None]


class Population(Protocol):
    """Who is behind the trunk."""

    def fate(self, number: str, attempt_id: str) -> Fate:
        """What becomes of a call to this number."""
        ...


@dataclass(frozen=True)
class WorldPopulation:
    """Debtors of one of the pacing worlds."""

    world: World
    seed: int

    def fate(self, number: str, attempt_id: str) -> Fate:
        return fate(self.world, self.seed, number, attempt_id)


@dataclass
class Faults:
    """What goes wrong, each a probability; all 0 unless a test asks."""

    lose_answer: float = 0.0  # an action is carried out and never answered
    refuse_bridge: float = 0.0
    lose_event: float = 0.0  # an event never comes


@dataclass(frozen=True)
class Waits:
    """The generated dialplan's globals, in whole seconds."""

    wait_s: int = 2
    idle_s: int = 60
    idle_loops: int = 60
    reoffer_s: int = 8
    reoffer_max: int = 2
    hold_s: int = 120
    message_s: float = 4.0


#: (Cause, TechCause, DialStatus) of what never answers.
_FAILURES: dict[Nature, tuple[int, int, str]] = {
    Nature.BUSY: (17, 486, "BUSY"),
    Nature.INVALID: (1, 404, "NOANSWER"),
    Nature.CONGESTION: (34, 503, "CONGESTION"),
    Nature.OFF: (19, 480, "NOANSWER"),
}


class SimulatedSwitch:
    """Carries out orders and emits events.

    Args:
        clock: all waits and ring times are in its seconds.
        population: who answers on the trunk.
        endpoints: names of the agents' telephones; they answer at once.
        seed: of everything that happens by chance here.
        config_hash: what Getvar CADENCIA_CONFIG answers.
    """

    def __init__(
        self,
        clock: Clock,
        population: Population,
        endpoints: tuple[str, ...],
        seed: int,
        *,
        waits: Waits | None = None,
        config_hash: str = "simulated",
    ) -> None:
        self.clock = clock
        self.population = population
        self.waits = waits or Waits()
        self.faults = Faults()
        self.rng = random.Random(seed)
        self.endpoints = set(endpoints)
        self.globals = {"CADENCIA_CONFIG": config_hash}
        self.channels: dict[str, Channel] = {}  # by uniqueid
        self._by_name: dict[str, Channel] = {}
        self._serial = itertools.count()
        self._bridge_serial = itertools.count(1)
        self._listeners: list[Emit] = []

    def subscribe(self, listener: Emit) -> None:
        """Where events go: listener(name, privilege, headers)."""
        self._listeners.append(listener)

    def _emit(self, name: str, privilege: str, headers: Headers) -> None:
        for listener in self._listeners:
            listener(name, privilege, headers)

    # -- orders --------------------------------------------------------------------------------------------------------
    def find(self, channel: str) -> Channel | None:
        """By name or uniqueid, as Asterisk looks channels up."""
        return self._by_name.get(channel) or self.channels.get(channel)

    def originate(self, action: dict[str, str], variables: dict[str, str]) -> str | None:
        """Place a call; the error message if it is refused at once."""
        if not action.get("Channel"):
            return "Channel not specified"
        if action.get("Context") not in ("cad-debtor", "cad-agent", "cad-consult"):
            return "Extension does not exist."
        call_later(self.clock, 0.001, lambda: self._dial(action, variables))
        return None

    def bridge(self, first: str, second: str) -> str | None:
        """Put two channels into one conversation; the error message if it cannot be."""
        one, two = self.find(first), self.find(second)
        if one is None:
            return "Channel1 does not exist"
        if two is None:
            return "Channel2 does not exist"
        if one.state != 6 or two.state != 6 or self.rng.random() < self.faults.refuse_bridge:
            return "Unable to add Channel1 to bridge"
        self._talk(one, two)
        return None

    def hangup(self, channel: Channel, cause: int = 16) -> None:
        """Our order: a leg ends; one that was not answered yet ends as cancelled."""
        if channel.originate is not None and channel.state != 6:
            self._fail(channel, 0, cause, None, "CANCEL")
        else:
            self._end(channel, cause)

    def redirect(self, channel: Channel, context: str) -> str | None:
        """Send a leg to another context; only hold is one we use."""
        if context != "cad-hold":
            return "Extension does not exist."
        channel.variables["CAD_LOST"] = channel.variable("CAD_WITH")
        channel.variables["CAD_WITH"] = ""
        self._leave(channel)
        channel.context, channel.exten = context, "s"
        self._user(channel, "CadHeld", [("Attempt", channel.variable("CAD_ATTEMPT"))])
        self._room(channel, "h", self.waits.hold_s, self._after_hold)
        return None

    # -- what tests and simulated people do ----------------------------------------------------------------------------
    def drop_telephone(self, endpoint: str) -> None:
        """An agent's telephone hangs up."""
        for channel in [c for c in self.channels.values() if c.endpoint == endpoint]:
            self._end(channel, 16)

    def stop(self) -> None:
        """The server restarts: every channel is gone and nothing is told of it."""
        for channel in list(self.channels.values()):
            channel.gone = True
            self._quiet(channel)
        self.channels.clear()
        self._by_name.clear()

    # -- dialling ------------------------------------------------------------------------------------------------------
    def _dial(self, action: dict[str, str], variables: dict[str, str]) -> None:
        target = action["Channel"].removeprefix("PJSIP/")
        uniqueid = action.get("ChannelId") or f"{self.clock.now().timestamp():.0f}.{next(self._serial)}"
        number, _, trunk = target.partition("@")
        endpoint = trunk or number
        known = bool(trunk) or endpoint in self.endpoints
        if not known or uniqueid in self.channels:
            return self._originate_response(action, uniqueid, "Failure", 0, action["Channel"])
        channel = self._channel(action, variables, endpoint, uniqueid)
        self._emit("DialBegin", "call,all", [*channel.headers("Dest"), ("DialString", target)])
        if trunk:
            self._ring_debtor(channel, number, float(action.get("Timeout", "30000")) / 1000.0)
        elif sum(c.endpoint == endpoint for c in self.channels.values()) > 1:
            self._fail(channel, 0, 17, 486, "BUSY")  # its line is taken
        else:
            self._far_end(channel, self.rng.uniform(0.006, 0.012), self._answer)
        return None

    def _channel(self, action: dict[str, str], variables: dict[str, str], endpoint: str, uniqueid: str) -> Channel:
        caller = action.get("CallerID", "")
        name, _, rest = caller.rpartition(" <")
        channel = Channel(
            name=f"PJSIP/{endpoint}-{next(self._serial):08x}",
            uniqueid=uniqueid,
            number=rest.rstrip(">") if name else (caller or "<unknown>"),
            caller_name=name.strip('"') or "<unknown>",
            context=action["Context"],
            exten=action.get("Exten", "s"),
            endpoint=endpoint,
            born_s=self.clock.monotonic(),
            variables=dict(variables),
            originate=action,
        )
        channel.connected_number, channel.connected_name = channel.number, channel.caller_name
        self.channels[uniqueid] = self._by_name[channel.name] = channel
        return channel

    def _ring_debtor(self, channel: Channel, number: str, timeout_s: float) -> None:
        future = self.population.fate(number, channel.uniqueid)
        self._far_end(channel, timeout_s, lambda c: self._fail(c, 3, 19, 480, None))
        if future.nature in (Nature.PERSON, Nature.MACHINE, Nature.NO_ANSWER):
            self._far_end(channel, future.pdd_s, self._ringing)
        if future.nature in _FAILURES:
            cause, tech, status = _FAILURES[future.nature]
            self._far_end(channel, future.answer_s, lambda c: self._fail(c, 0, cause, tech, status))
        elif future.answer_s < timeout_s:
            self._far_end(channel, future.answer_s, lambda c: self._pick_up(c, future))

    def _ringing(self, channel: Channel) -> None:
        channel.state = 5
        self._emit("Newstate", "call,all", channel.headers())
        self._emit("DialState", "call,all", [*channel.headers("Dest"), ("DialStatus", "RINGING")])

    def _pick_up(self, channel: Channel, future: Fate) -> None:
        self._answer(channel)
        self._far_end(channel, future.patience_s or future.talk_s, self._lose_patience)
        channel.talk_s = future.talk_s

    def _lose_patience(self, channel: Channel) -> None:
        if channel.bridge is None or channel.bridge.holding:
            self._end(channel, 16)

    def _answer(self, channel: Channel) -> None:
        action, channel.originate = channel.originate, None
        self._clear(channel.timers)
        channel.state = 6
        self._emit("Newstate", "call,all", channel.headers())
        # Asterisk tells of the answer and runs the dialplan in different threads: either may come first.
        dialplan_first = self.rng.random() < 0.3
        if dialplan_first:
            self._dialplan(channel)
        self._answered(channel, action or {})
        if not dialplan_first:
            self._dialplan(channel)

    def _answered(self, channel: Channel, action: dict[str, str]) -> None:
        self._originate_response(action, channel.uniqueid, "Success", 4, channel.name)
        if not channel.gone:
            self._emit("DialEnd", "call,all", [*channel.headers("Dest"), ("DialStatus", "ANSWER")])

    def _fail(self, channel: Channel, reason: int, cause: int, tech: int | None, status: str | None) -> None:
        action, channel.originate = channel.originate or {}, None
        self._quiet(channel)
        self._originate_response(action, channel.uniqueid, "Failure", reason, action.get("Channel", ""))
        if status is not None and status != "CANCEL":
            self._emit("DialEnd", "call,all", [*channel.headers("Dest"), ("DialStatus", status)])
        self._end(channel, cause, tech)

    def _originate_response(self, action: dict[str, str], uniqueid: str, response: str, reason: int, name: str) -> None:
        caller = action.get("CallerID", "")
        shown, _, rest = caller.rpartition(" <")
        headers: Headers = [("ActionID", action["ActionID"])] if "ActionID" in action else []
        headers += [
            ("Response", response),
            ("Channel", name),
            ("Context", action.get("Context", "")),
            ("Exten", action.get("Exten", "")),
            ("Reason", str(reason)),
            ("Uniqueid", uniqueid),
            ("CallerIDNum", rest.rstrip(">") if shown else (caller or "<unknown>")),
            ("CallerIDName", shown.strip('"') or "<unknown>"),
        ]
        self._emit("OriginateResponse", "call,all", headers)

    # -- the dialplan --------------------------------------------------------------------------------------------------
    def _dialplan(self, channel: Channel) -> None:
        if channel.gone:
            return
        if channel.context == "cad-agent":
            channel.variables.setdefault("CAD_AGENT", channel.endpoint)
            channel.variables |= {"CAD_KIND": "agent", "CAD_LOOPS": "0"}
            self._idle(channel)
        elif channel.context == "cad-consult":
            channel.variables["CAD_KIND"] = "consult"
            self._user(channel, "CadConsultReady", [("Attempt", channel.uniqueid)])
            self._room(channel, "k", 60, lambda c: self._end(c, 16))
        else:
            channel.variables |= {"CAD_KIND": "debtor", "CAD_ATTEMPT": channel.uniqueid}
            self._user(channel, "CadReady", [("Attempt", channel.uniqueid), ("Amd", "")])
            self._room(channel, "d", int(channel.variable("CAD_WAIT_S", str(self.waits.wait_s))), self._after)

    def _idle(self, channel: Channel) -> None:
        loops = int(channel.variable("CAD_LOOPS", "0")) + 1 if channel.variable("CAD_WITH") == "" else 1
        channel.variables["CAD_LOOPS"] = str(loops)
        agent = channel.variable("CAD_AGENT")
        if loops > self.waits.idle_loops:
            self._user(channel, "CadAgentReleased", [("Agent", agent)])
            return self._end(channel, 16)
        self._user(
            channel,
            "CadAgentIdle",
            [("Agent", agent), ("Loop", str(loops)), ("After", channel.variable("CAD_WITH"))],
        )
        channel.variables["CAD_WITH"] = ""
        return self._room(channel, "a", self.waits.idle_s, self._idle)

    def _after(self, channel: Channel) -> None:
        """cad-after,s: whatever ended, who left, and what is owed to the debtor now."""
        if channel.variable("CAD_WITH") == "":
            self._orphan(channel)
        elif channel.variable("CAD_AFTER") == "end":
            self._end(channel, 16)
        else:
            self._reoffer(channel)

    def _after_hold(self, channel: Channel) -> None:
        if channel.variable("CAD_WITH") == "":
            channel.variables["CAD_WITH"] = channel.variable("CAD_LOST")
            self._reoffer(channel)
        else:
            self._after(channel)

    def _reoffer(self, channel: Channel) -> None:
        lost = channel.variable("CAD_WITH")
        count = int(channel.variable("CAD_REOFFERS") or "0") + 1
        channel.variables |= {"CAD_LOST": lost, "CAD_WITH": "", "CAD_REOFFERS": str(count)}
        if count > self.waits.reoffer_max:
            return self._orphan(channel)
        attempt = channel.variable("CAD_ATTEMPT")
        self._user(channel, "CadReoffer", [("Attempt", attempt), ("Lost", lost), ("Count", str(count))])
        return self._room(channel, "d", self.waits.reoffer_s, self._after)

    def _orphan(self, channel: Channel) -> None:
        attempt, may_play = channel.variable("CAD_ATTEMPT"), channel.variable("CAD_MAY_PLAY")
        self._user(channel, "CadOrphan", [("Attempt", attempt), ("Message", may_play)])
        if may_play != "1":
            return self._release(channel, "")
        channel.application, channel.data = "Playback", channel.variable("CAD_MESSAGE")
        channel.next_step = self._after
        channel.wait = call_later(self.clock, self.waits.message_s, lambda: self._release(channel, "SUCCESS"))
        return None

    def _release(self, channel: Channel, played: str) -> None:
        self._user(channel, "CadReleased", [("Attempt", channel.variable("CAD_ATTEMPT")), ("Played", played)])
        self._end(channel, 16)

    # -- bridges -------------------------------------------------------------------------------------------------------
    def _room(self, channel: Channel, kind: str, seconds: float, after: Callable[[Channel], None]) -> None:
        """BridgeWait with a limit: alone in a waiting room until a Bridge, a redirect, or the limit."""
        room = Bridge(f"room-{next(self._bridge_serial)}", f"cad-{kind}-{channel.uniqueid}", holding=True)
        channel.application, channel.data = "BridgeWait", f"{room.name},participant"
        channel.next_step = after
        self._enter(channel, room)
        channel.wait = call_later(self.clock, seconds, lambda: self._wait_over(channel))

    def _wait_over(self, channel: Channel) -> None:
        self._leave(channel)
        if channel.next_step is not None and not channel.gone:
            channel.next_step(channel)

    def _talk(self, one: Channel, two: Channel) -> None:
        others = [m for c in (one, two) if c.bridge and not c.bridge.holding for m in c.bridge.members]
        bridge = Bridge(f"talk-{next(self._bridge_serial)}", "<unknown>", holding=False)
        for channel in (one, two):
            self._leave(channel)
            self._enter(channel, bridge)
            channel.application = "BridgeWait"
        one.linkedid = two.linkedid = two.linkedid or two.uniqueid
        one.connected_number, two.connected_number = two.number, one.number
        for channel in (one, two):
            if channel.talk_s is not None:
                self._clear(channel.timers)
                self._far_end(channel, channel.talk_s, lambda c: self._end(c, 16))
        for left in others:
            if left not in (one, two):
                self._next_step(left)

    def _enter(self, channel: Channel, bridge: Bridge) -> None:
        bridge.members.append(channel)
        channel.bridge = bridge
        self._emit("BridgeEnter", "call,all", [*bridge.headers(), *channel.headers()])

    def _leave(self, channel: Channel) -> None:
        if channel.wait is not None:
            channel.wait.cancel()
            channel.wait = None
        bridge, channel.bridge = channel.bridge, None
        if bridge is not None:
            bridge.members.remove(channel)
            self._emit("BridgeLeave", "call,all", [*bridge.headers(), *channel.headers()])

    def _next_step(self, channel: Channel) -> None:
        """The conversation is over for this leg: its dialplan goes on."""
        self._leave(channel)
        if not channel.gone and channel.next_step is not None:
            channel.next_step(channel)

    def _end(self, channel: Channel, cause: int, tech: int | None = None) -> None:
        if channel.gone:
            return
        channel.gone = True
        self._quiet(channel)
        bridge = channel.bridge
        partners = [m for m in bridge.members if m is not channel] if bridge and not bridge.holding else []
        self._leave(channel)
        for partner in partners:
            self._leave(partner)
        del self.channels[channel.uniqueid], self._by_name[channel.name]
        headers = [*channel.headers(), ("Cause", str(cause)), ("Cause-txt", CAUSE_TEXT.get(cause, "Unknown"))]
        if tech is not None:
            headers.append(("TechCause", str(tech)))
        self._emit("Hangup", "call,all", headers)
        for partner in partners:
            self._next_step(partner)

    def _user(self, channel: Channel, name: str, body: Headers) -> None:
        self._emit("UserEvent", "user,all", [*channel.headers(), ("UserEvent", name), *body])

    # -- time ----------------------------------------------------------------------------------------------------------
    def _far_end(self, channel: Channel, seconds: float, act: Callable[[Channel], None]) -> None:
        """What the telephone at the other end will do, unless something happens first."""
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
