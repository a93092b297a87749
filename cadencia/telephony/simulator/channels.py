"""Channels and bridges of the simulated switch, and the words Asterisk has for them in its events."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

Headers = list[tuple[str, str]]

#: What Asterisk shows for a number, a name or a bridge that has none.
UNKNOWN = "<unknown>"

_STATE = {0: "Down", 4: "Ring", 5: "Ringing", 6: "Up"}

#: Cause-txt of Hangup.
CAUSE_TEXT = {
    0: "Unknown",
    1: "Unallocated (unassigned) number",
    16: "Normal Clearing",
    17: "User busy",
    18: "No user responding",
    19: "User alerting, no answer",
    21: "Call Rejected",
    22: "Number changed",
    26: "Answered elsewhere",
    27: "Destination out of order",
    28: "Invalid number format",
    34: "Circuit/channel congestion",
    38: "Network out of order",
    44: "Requested channel not available",
    58: "Bearer capability not available",
    102: "Recover on timer expiry",
    127: "Interworking, unspecified",
}


@dataclass(eq=False, slots=True)
class Bridge:
    """A waiting room (`holding`) of one leg, or a conversation of two."""

    id: str
    name: str
    holding: bool
    members: list[Channel] = field(default_factory=list)
    technology: str = "simple_bridge"

    def headers(self) -> Headers:
        return [
            ("BridgeUniqueid", self.id),
            ("BridgeType", "base" if self.holding else "basic"),
            ("BridgeTechnology", "holding_bridge" if self.holding else self.technology),
            ("BridgeCreator", "BridgeWait" if self.holding else UNKNOWN),
            ("BridgeName", self.name if self.holding else UNKNOWN),
            ("BridgeNumChannels", str(len(self.members))),
            ("BridgeVideoSourceMode", "none"),
        ]


@dataclass(eq=False, slots=True)
class Channel:
    """One leg. `next_step` is where its dialplan goes on when a wait or a bridge ends."""

    name: str
    uniqueid: str
    number: str
    caller_name: str
    context: str
    exten: str
    endpoint: str
    born_s: float
    linkedid: str = ""
    state: int = 0
    priority: int = 1
    application: str = "AppDial2"
    data: str = "(Outgoing Line)"
    connected_number: str = UNKNOWN
    connected_name: str = UNKNOWN
    variables: dict[str, str] = field(default_factory=dict)
    bridge: Bridge | None = None
    next_step: Callable[[Channel], None] | None = None
    wait: asyncio.TimerHandle | None = None  # the bounded wait of the dialplan
    timers: list[asyncio.TimerHandle] = field(default_factory=list)  # what the far end will do
    originate: dict[str, str] | None = None  # the action that made it, until it is answered for
    talk_s: float | None = None  # how long the debtor will talk, once bridged
    machine: bool = False  # what detection will say
    cause: int = 0  # of the last conversation's end
    gone: bool = False

    def at(self, context: str, exten: str, priority: int) -> None:
        """The dialplan is here now."""
        self.context, self.exten, self.priority = context, exten, priority

    def headers(self, prefix: str = "") -> Headers:
        """The channel's block of headers, as every event about it carries."""
        return [
            (f"{prefix}Channel", self.name),
            (f"{prefix}ChannelState", str(self.state)),
            (f"{prefix}ChannelStateDesc", _STATE[self.state]),
            (f"{prefix}CallerIDNum", self.number),
            (f"{prefix}CallerIDName", self.caller_name),
            (f"{prefix}ConnectedLineNum", self.connected_number),
            (f"{prefix}ConnectedLineName", self.connected_name),
            (f"{prefix}Language", "es"),
            (f"{prefix}AccountCode", ""),
            (f"{prefix}Context", self.context),
            (f"{prefix}Exten", self.exten),
            (f"{prefix}Priority", str(self.priority)),
            (f"{prefix}Uniqueid", self.uniqueid),
            (f"{prefix}Linkedid", self.linkedid or self.uniqueid),
        ]

    def variable(self, name: str, default: str = "") -> str:
        return self.variables.get(name, default)


def caller_id(text: str) -> tuple[str, str]:
    """Number and name of a CallerID such as `"Cobros" <6015550100>`."""
    name, bracket, number = text.rpartition(" <")
    if not bracket:
        return text or UNKNOWN, UNKNOWN
    return number.rstrip(">") or UNKNOWN, name.strip('"') or UNKNOWN
