"""The state machine of a debtor's call: a table over frozen values.

A switch's events come in any order, more than once, or not at all (Asterisk 22: OriginateResponse after the dialplan's
own UserEvent, no DialEnd after a time-out, no event at all for an endpoint that is not there). `TABLE` names, for each
phase and signal, the next phase; whatever is not in it changes nothing but the facts. The only way back is from an
agent to the wait for another one. `advance` is total, idempotent and never raises.

    SENT --> RINGING --> ANSWERED --> WAITING --> OFFERED --> TALKING --> ENDED
      FAILED (its cause follows)         ^-----------+-----------+

Back to WAITING: the bridge was refused, or the agent's telephone fell and the person is offered to another agent.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum

from cadencia.domain.codes import Outcome
from cadencia.telephony.ami.codec import Message
from cadencia.telephony.outcomes import Ending, OutcomeTable, Rule


class Phase(StrEnum):
    SENT = "sent"  # the Originate is out
    RINGING = "ringing"
    ANSWERED = "answered"  # up, the dialplan has not offered it yet (detection may run)
    WAITING = "waiting"  # answered, waits for an agent
    OFFERED = "offered"  # an agent is leased and the Bridge is ordered
    TALKING = "talking"
    FAILED = "failed"  # the switch said Failure; its Hangup with the cause may still come
    ENDED = "ended"


class Sign(StrEnum):
    """What can be learnt of a call."""

    CHANNEL = "channel"
    PROGRESS = "progress"  # something is heard before the answer: early media
    RINGING = "ringing"
    ANSWERED = "answered"
    READY = "ready"  # the dialplan offers the person to us
    OFFERED = "offered"  # we ordered the Bridge
    UNOFFERED = "unoffered"  # the Bridge was refused: the person waits again
    TALKING = "talking"  # both legs are in one bridge
    REOFFERED = "reoffered"  # the agent's leg left, the person waits with music
    ORPHANED = "orphaned"  # the wait is over, the message may play
    MACHINE = "machine"
    MESSAGE = "message"  # the identifying message was played to its end
    CANCELLED = "cancelled"  # we hung up a call that was not answered
    RELEASED = "released"  # we hung up a call that was answered
    FAILED = "failed"
    ENDED = "ended"  # the channel is gone
    GONE = "gone"  # the deadline passed, or the switch knows no such channel


_BEFORE_ANSWER = (Phase.SENT, Phase.RINGING, Phase.FAILED)
_UP = (Phase.ANSWERED, Phase.WAITING, Phase.OFFERED, Phase.TALKING)

#: (phase, sign) -> next phase. Pairs that are not here leave the phase as it is.
TABLE: dict[tuple[Phase, Sign], Phase] = {
    (Phase.SENT, Sign.RINGING): Phase.RINGING,
    **{(phase, Sign.ANSWERED): Phase.ANSWERED for phase in _BEFORE_ANSWER},
    **{(phase, Sign.READY): Phase.WAITING for phase in (*_BEFORE_ANSWER, Phase.ANSWERED)},
    **{(phase, Sign.OFFERED): Phase.OFFERED for phase in (Phase.ANSWERED, Phase.WAITING)},
    (Phase.OFFERED, Sign.UNOFFERED): Phase.WAITING,
    **{(phase, Sign.TALKING): Phase.TALKING for phase in (*_BEFORE_ANSWER, *_UP)},
    **{(phase, Sign.REOFFERED): Phase.WAITING for phase in (Phase.OFFERED, Phase.TALKING, Phase.ANSWERED)},
    **{(phase, Sign.FAILED): Phase.FAILED for phase in (Phase.SENT, Phase.RINGING)},
    **{(phase, Sign.ENDED): Phase.ENDED for phase in (*_BEFORE_ANSWER, *_UP)},
    **{(phase, Sign.GONE): Phase.ENDED for phase in (*_BEFORE_ANSWER, *_UP)},
}


@dataclass(frozen=True, slots=True)
class Signal:
    """Something learnt of one call.

    Attributes:
        ref: the channel's Uniqueid, which is the attempt's id.
        cause, tech_cause, reason: of Hangup (Q.850, SIP) and OriginateResponse, where they were told.
        state: of the channel at its Hangup: 5 it rang, 6 it was answered.
    """

    ref: str
    sign: Sign
    cause: int | None = None
    tech_cause: int | None = None
    reason: int | None = None
    state: int | None = None


@dataclass(frozen=True, slots=True)
class Call:
    """What is known of one debtor's call. Times are the clock's monotonic seconds, None while it has not happened.

    Attributes:
        timeout_s: our own ring time, in seconds from the sending; None if it is not known any more.
    """

    ref: str
    sent_s: float
    phase: Phase = Phase.SENT
    timeout_s: float | None = None
    channel_seen: bool = False
    progress_s: float | None = None
    ringing_s: float | None = None
    answered_s: float | None = None
    ready_s: float | None = None
    talking_s: float | None = None
    ended_s: float | None = None
    offered: bool = False
    orphaned: bool = False
    machine: bool = False
    message: bool = False
    cancelled: bool = False
    released: bool = False
    gone: bool = False
    ended_in: Phase | None = None  # the phase the end came upon
    cause: int | None = None
    tech_cause: int | None = None
    reason: int | None = None

    @property
    def rang(self) -> bool:
        """Whether the debtor's telephone is known to have rung."""
        return self.ringing_s is not None

    @property
    def media(self) -> bool:
        """Whether something was heard before the answer: an announcement, or the network's own ringing."""
        return self.progress_s is not None

    @property
    def live(self) -> bool:
        """Whether the call still occupies a channel, as far as we know."""
        return self.phase is not Phase.ENDED


def advance(call: Call, signal: Signal, now_s: float) -> Call:
    """The call after a signal; the same object if nothing is new."""
    if call.phase is Phase.ENDED:
        return call
    phase = TABLE.get((call.phase, signal.sign), call.phase)
    facts = _facts(call, signal, now_s)
    if phase is call.phase and not facts:
        return call
    if phase is Phase.ENDED:
        facts["ended_in"] = call.phase
    return replace(call, phase=phase, **facts)  # type: ignore[arg-type]


#: Signs that are a fact of their own, and the flag they raise.
_FLAGS: dict[Sign, str] = {
    Sign.CHANNEL: "channel_seen",
    Sign.OFFERED: "offered",
    Sign.ORPHANED: "orphaned",
    Sign.MACHINE: "machine",
    Sign.MESSAGE: "message",
    Sign.CANCELLED: "cancelled",
    Sign.RELEASED: "released",
    Sign.GONE: "gone",
}

#: Signs that have a first time, and the times they imply: a person who waits has answered.
_TIMES: dict[Sign, tuple[str, ...]] = {
    Sign.PROGRESS: ("progress_s",),
    Sign.RINGING: ("ringing_s",),
    Sign.ANSWERED: ("answered_s",),
    Sign.READY: ("answered_s", "ready_s"),
    Sign.MACHINE: ("answered_s",),
    Sign.TALKING: ("answered_s", "talking_s"),
    Sign.ENDED: ("ended_s",),
    Sign.GONE: ("ended_s",),
}


def _facts(call: Call, signal: Signal, now_s: float) -> dict[str, object]:
    facts: dict[str, object] = {}
    flag = _FLAGS.get(signal.sign)
    if flag is not None and not getattr(call, flag):
        facts[flag] = True
    for name in _TIMES.get(signal.sign, ()):
        if getattr(call, name) is None:
            facts[name] = now_s
    for name in ("cause", "tech_cause", "reason"):
        value = getattr(signal, name)
        if value is not None and getattr(call, name) != value:
            facts[name] = value
    if signal.sign is Sign.ENDED:
        facts |= _seen_at_the_end(call, signal.state)
    return facts


def _seen_at_the_end(call: Call, state: int | None) -> dict[str, object]:
    """A ring or an answer whose own events never came (the link was down), from the state the channel ended in.

    Nobody saw when it happened: it counts from the earliest instant it can have been, so that no wait looks shorter
    than it was and an abandoned person is not taken for a call that nobody picked up.
    """
    if state == 6 and call.answered_s is None:
        return {"answered_s": call.sent_s if call.ringing_s is None else call.ringing_s}
    if state == 5 and call.ringing_s is None:
        return {"ringing_s": call.sent_s}
    return {}


#: An answer that ends this soon never had anybody at the ear: the debtor's doing, not our abandonment.
ANSWER_AND_GONE_S = 0.3

#: Whoever leaves later than this while an agent is on the way was not put through in time (47 CFR 64.1200(a)(7)).
IN_TIME_S = 2.0

#: Cause and status that Asterisk makes up at our own time-out, and seconds by which its clock may run ahead of ours.
_MADE_UP = (19, 480)
_EARLY_S = 0.05

#: Q.850 causes of a conversation that broke: out of order, temporary failure, congestion, resource, channel lost.
_BROKEN = frozenset({27, 38, 41, 42, 44, 47})


class Ground(StrEnum):
    """What an outcome stands on."""

    TALKED = "talked"
    ANSWERED = "answered"
    CANCELLED = "cancelled"  # we took it back
    LOST = "lost"  # the switch knows nothing of it
    NO_CHANNEL = "no_channel"  # Failure without a channel: endpoint unknown, or not registered
    RULE = "rule"  # a rule of the table
    NO_RULE = "no_rule"  # codes, and no rule that knows them


@dataclass(frozen=True, slots=True)
class Judged:
    """The one outcome of an ended call, and why; `rule` where a rule of the table decided."""

    outcome: Outcome
    ground: Ground
    rule: Rule | None = None


def judge(call: Call, table: OutcomeTable, operator: str = "") -> Judged:
    """What became of an ended call.

    Args:
        operator: of the trunk it went out by; rules of the table may be for some operators only.
    """
    if call.talking_s is not None:
        return Judged(_talked(call, call.talking_s), Ground.TALKED)
    if call.answered_s is not None:
        return Judged(_answered(call), Ground.ANSWERED)
    if call.cancelled:
        return Judged(Outcome.CANCELLED, Ground.CANCELLED)
    end = ending(call, operator)
    if not end.timeout:
        if call.gone and call.cause is None:
            return Judged(Outcome.UNKNOWN, Ground.LOST)
        if call.cause is None and call.tech_cause is None:
            if call.channel_seen:  # and the Hangup with its codes was never told
                return Judged(Outcome.UNKNOWN, Ground.LOST)
            return Judged(Outcome.TRUNK, Ground.NO_CHANNEL)
    rule = table.find(end)
    return Judged(Outcome.UNKNOWN, Ground.NO_RULE) if rule is None else Judged(rule.outcome, Ground.RULE, rule)


def ending(call: Call, operator: str = "") -> Ending:
    """What the table is asked about. Reason 3 is our own time-out: the switch then makes up cause 19 and status 480.

    That reason may come after the Hangup, or never; then the time tells what the made-up codes are worth.
    """
    return Ending(
        call.tech_cause or None, call.cause, call.rang, call.media, call.reason == 3 or _timed_out(call), operator
    )


def _timed_out(call: Call) -> bool:
    if call.timeout_s is None or call.ended_s is None or (call.cause, call.tech_cause) != _MADE_UP:
        return False
    return call.ended_s - call.sent_s >= call.timeout_s - _EARLY_S


def outcome(call: Call, table: OutcomeTable, operator: str = "") -> Outcome:
    """The one outcome of an ended call; see `judge`."""
    return judge(call, table, operator).outcome


def _talked(call: Call, since_s: float) -> Outcome:
    talked_s = (call.ended_s or since_s) - since_s
    if talked_s < ANSWER_AND_GONE_S and not call.released:  # bridged and gone at once: nobody spoke
        return Outcome.HUNG_UP if since_s - _offered_s(call) <= IN_TIME_S else Outcome.ABANDONED
    lost_agent = call.ended_in in (Phase.WAITING, Phase.OFFERED)
    return Outcome.DROPPED if lost_agent or call.cause in _BROKEN else Outcome.CONNECTED


def _answered(call: Call) -> Outcome:
    if call.machine:
        return Outcome.MACHINE
    if call.message:
        return Outcome.ABANDONED_MESSAGE
    waited = (call.ended_s or call.answered_s or 0.0) - (call.answered_s or 0.0)
    if call.orphaned or call.released or call.cancelled:
        return Outcome.ABANDONED
    if call.ended_in is Phase.OFFERED:  # an agent was on the way
        late = (call.ended_s or 0.0) - _offered_s(call) > IN_TIME_S
    else:
        late = waited > ANSWER_AND_GONE_S
    return Outcome.ABANDONED if late else Outcome.HUNG_UP


def _offered_s(call: Call) -> float:
    """Since when an agent was wanted: a detector may have listened before."""
    return call.ready_s or call.answered_s or 0.0


#: Seconds for a leg's Hangup to follow its HangupRequest; it takes a few milliseconds. Where a Bridge moves the leg in
#: the instant in which the other end hangs up, Asterisk 22 can forget it (seen in about one of 3,500 calls that ended
#: as they were answered, on a busy machine): the leg would stay, and whoever is bridged to it would hear nothing, until
#: `rtp_timeout`.
HANGUP_S = 0.5

#: UserEvents of the generated dialplan.
_USER_EVENTS: dict[str, Sign] = {
    "CadReady": Sign.READY,
    "CadOrphan": Sign.ORPHANED,
    "CadReoffer": Sign.REOFFERED,
    "CadMachine": Sign.MACHINE,
}

#: The events a session has to decode for calls, agents and bridges.
WANTED_EVENTS: frozenset[str] = frozenset(
    {
        "DialBegin",
        "DialState",
        "DialEnd",  # changes nothing; kept in a call's trace
        "Newstate",
        "OriginateResponse",
        "Hangup",
        "HangupRequest",  # see `HANGUP_S`
        "UserEvent",
        "ContactStatus",
        "DeviceStateChange",
        "BridgeEnter",
        "BridgeLeave",
        "FullyBooted",
        "Shutdown",
    }
)


def read(message: Message) -> Signal | None:
    """What an event says of a debtor's call, None if nothing. (BridgeEnter needs both legs: see `Bridges`.)"""
    reader = _READERS.get(message.name)
    return reader(message) if reader else None


def _newstate(message: Message) -> Signal | None:
    sign = {"5": Sign.RINGING, "6": Sign.ANSWERED}.get(message.get("ChannelState"))
    return Signal(message.get("Uniqueid"), sign) if sign else None


def _dial_state(message: Message) -> Signal | None:
    sign = {"RINGING": Sign.RINGING, "PROGRESS": Sign.PROGRESS}.get(message.get("DialStatus"))
    return Signal(message.get("DestUniqueid"), sign) if sign else None


def _originate_response(message: Message) -> Signal | None:
    sign = Sign.ANSWERED if message.get("Response") == "Success" else Sign.FAILED
    return Signal(message.get("Uniqueid"), sign, reason=message.number("Reason"))


def _hangup(message: Message) -> Signal | None:
    cause, tech_cause, state = (message.number(key) for key in ("Cause", "TechCause", "ChannelState"))
    return Signal(message.get("Uniqueid"), Sign.ENDED, cause, tech_cause, state=state)


def _user_event(message: Message) -> Signal | None:
    name = message.get("UserEvent")
    if name == "CadReleased":
        played = message.get("Played") == "SUCCESS"
        return Signal(message.get("Uniqueid"), Sign.MESSAGE) if played else None
    sign = _USER_EVENTS.get(name)
    return Signal(message.get("Uniqueid"), sign) if sign else None


_READERS = {
    "DialBegin": lambda message: Signal(message.get("DestUniqueid"), Sign.CHANNEL),
    "Newstate": _newstate,
    "DialState": _dial_state,
    "OriginateResponse": _originate_response,
    "Hangup": _hangup,
    "UserEvent": _user_event,
}


class Bridges:
    """Who shares a bridge with whom. Two legs in one bridge that is no waiting room are a conversation."""

    def __init__(self) -> None:
        self._bridge_of: dict[str, str] = {}
        self._members: dict[str, set[str]] = {}

    def enter(self, message: Message) -> frozenset[str]:
        """Take in a BridgeEnter; the legs in that bridge, empty for a waiting room."""
        leg, bridge = message.get("Uniqueid"), message.get("BridgeUniqueid")
        self._drop(leg)
        if message.get("BridgeTechnology") == "holding_bridge" or message.get("BridgeCreator") == "BridgeWait":
            return frozenset()
        self._bridge_of[leg] = bridge
        members = self._members.setdefault(bridge, set())
        members.add(leg)
        return frozenset(members)

    def leave(self, message: Message) -> None:
        """Take in a BridgeLeave (or a Hangup)."""
        leg = message.get("Uniqueid")
        if "BridgeUniqueid" not in message or self._bridge_of.get(leg) == message.get("BridgeUniqueid"):
            self._drop(leg)

    def clear(self) -> None:
        """Forget all: the link was lost."""
        self._bridge_of.clear()
        self._members.clear()

    def _drop(self, leg: str) -> None:
        bridge = self._bridge_of.pop(leg, None)
        if bridge is not None:
            self._members[bridge].discard(leg)
            if not self._members[bridge]:
                del self._members[bridge]
