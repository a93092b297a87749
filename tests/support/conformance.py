"""Two recordings of one script held against each other: what must be the same, and in which order."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator

from cadencia.telephony.call import WANTED_EVENTS
from cadencia.testing.transcripts import Heard, Transcript

#: Events that are compared: those the engine takes in, DialEnd, and the rows of its list actions. Not device states:
#: the engine acts only on a trunk that does not answer, and the simulated switch tells of nothing else.
COMPARED = (WANTED_EVENTS - {"DeviceStateChange"}) | {"DialEnd", "Status", "StatusComplete", "DeviceStateListComplete"}

#: Headers whose value is another each time, or belongs to the server and not to the script.
VOLATILE = frozenset(
    {
        "Timestamp", "ActionID", "BridgeUniqueid", "BridgeID", "Seconds", "TimeToHangup", "Uptime", "LastReload",
        "Ping", "ListItems", "Items", "Writeformat", "Writetrans", "AccountCode",
    }
)  # fmt: skip

#: Values that depend on which of two threads was first, by event.
RACING: dict[str, frozenset[str]] = {
    "DialBegin": frozenset({"DestChannelState", "DestChannelStateDesc"}),
    "DialState": frozenset({"DestChannelState", "DestChannelStateDesc"}),
}

#: A conversation's party, name and linked id reach a leg a moment after the bridge does.
_PARTY = ("ConnectedLineNum", "ConnectedLineName", "Linkedid", "BridgeTechnology", "BridgeNumChannels")

_SERIAL = re.compile(r"(PJSIP/[a-z0-9]+)-[0-9a-f]{8}")
_OWN_ID = re.compile(r"\b1[0-9]{9}\.[0-9]+")

Row = tuple[str, str, tuple[tuple[str, str], ...]]


def compared(transcript: Transcript) -> list[Heard]:
    """The messages of a recording that are compared.

    Left out is what fell into a recording by chance: heartbeats of idle agents (unless they are what it is about), and
    the success of an agent's call that was placed before the recording began.
    """
    placed = {order.get("ChannelId") for order in transcript.orders}
    kept = [
        heard
        for heard in transcript.heard
        if (heard.get("Response") or heard.get("Event") in COMPARED)
        and not (heard.get("Event") == "OriginateResponse" and heard.get("Uniqueid") not in placed)
    ]
    return kept if transcript.name in ("agent_nail_up", "agent_idle_limit") else _without_heartbeats(kept)


def _without_heartbeats(heard: list[Heard]) -> list[Heard]:
    """Without each BridgeLeave of a waiting room that CadAgentIdle and BridgeEnter of the same leg follow."""
    left_out: set[int] = set()
    last: dict[str, int] = {}  # leg -> place of its newest bridge event
    beating: set[str] = set()
    for place, line in enumerate(heard):
        leg, name = line.get("Uniqueid"), line.get("Event")
        before = heard[last[leg]] if leg in last else None
        if line.get("UserEvent") == "CadAgentIdle" and before is not None and _is_room(before, "BridgeLeave"):
            left_out |= {last[leg], place}
            beating.add(leg)
        elif leg in beating and _is_room(line, "BridgeEnter"):
            left_out.add(place)
            beating.discard(leg)
        if name in ("BridgeEnter", "BridgeLeave"):
            last[leg] = place
    return [line for place, line in enumerate(heard) if place not in left_out]


def _is_room(heard: Heard, event: str) -> bool:
    return heard.get("Event") == event and heard.get("BridgeTechnology") == "holding_bridge"


def row(heard: Heard) -> Row:
    """A message as it is compared: kind, whose, and every header in order with the value that must be the same."""
    name = heard.get("Event")
    loose = VOLATILE | RACING.get(name, frozenset())
    if name == "BridgeLeave":
        loose |= frozenset(_PARTY)
    pairs = tuple((key, "*" if key in loose else _plain(value)) for key, value in heard.pairs)
    if heard.get("Variable") == "CADENCIA_CONFIG":
        pairs = tuple((key, "*" if key == "Value" else value) for key, value in pairs)
    if heard.get("Originate"):  # the rights: their names count, not the words beside
        pairs = tuple((key, "*" if "(Priv" in value or key == "SendText" else value) for key, value in pairs)
        pairs = tuple(pair for pair in pairs if pair[0] != "Attempt")
    return name or "Response", _plain(heard.get("Uniqueid") or heard.get("DestUniqueid")), pairs


def _plain(value: str) -> str:
    return _OWN_ID.sub("auto", _SERIAL.sub(r"\1", value))


def differences(expected: Transcript, found: Transcript) -> list[str]:
    """What is in one and not in the other, in words; empty if they are the same."""
    wanted, got = Counter(map(row, compared(expected))), Counter(map(row, compared(found)))
    missing, surplus = list((wanted - got).elements()), list((got - wanted).elements())
    return [
        *(f"missing {_words(line, surplus)}" for line in missing),
        *(f"surplus {_words(line, missing)}" for line in surplus),
    ]


def _words(line: Row, others: list[Row]) -> str:
    """A row, shortened to what it differs in from its likeliest counterpart."""
    alike = [other for other in others if other[:2] == line[:2]]
    if not alike:
        return f"{line[0]} {line[1]} {dict(line[2]).get('UserEvent', '')} {line[2] if line[0] == 'Response' else ''}"
    nearest = max(alike, key=lambda other: len(set(other[2]) & set(line[2])))
    if [key for key, _ in nearest[2]] != [key for key, _ in line[2]]:
        return f"{line[0]} {line[1]}: headers {[key for key, _ in line[2]]}"
    differing = [f"{key}={value!r}" for key, value in line[2] if (key, value) not in nearest[2]]
    return f"{line[0]} {line[1]} {dict(line[2]).get('UserEvent', '')}: {', '.join(differing)}"


# -- order -------------------------------------------------------------------------------------------------------------


def out_of_order(transcript: Transcript) -> list[str]:
    """Where a recording breaks an order that the real switch keeps."""
    return [*_own_thread(transcript), *_pairs(transcript), *_answers(transcript)]


#: Of one leg: the first never comes after the second. The dialling thread's OriginateResponse has no place of its own.
_BEFORE = (
    ("DialBegin", "DialEnd"),
    ("DialBegin", "Hangup"),
    ("DialState", "DialEnd"),
    ("DialState", "Hangup"),
    ("Newstate 5", "Newstate 6"),
    ("Newstate 5", "Hangup"),
    ("Newstate 6", "DialEnd"),
    ("Newstate 6", "UserEvent"),
    ("Newstate 6", "Hangup"),
    ("DialEnd", "UserEvent"),
    ("DialEnd", "BridgeEnter"),
    ("DialEnd", "Hangup"),
    ("UserEvent", "Hangup"),
    ("BridgeEnter", "Hangup"),
    ("BridgeLeave", "Hangup"),
)


def _own_thread(transcript: Transcript) -> Iterator[str]:
    places: dict[str, dict[str, list[int]]] = {}
    for place, heard in enumerate(transcript.heard):
        kind = heard.get("Event")
        if kind == "Newstate":
            kind += f" {heard.get('ChannelState')}"
        leg = heard.get("Uniqueid") or heard.get("DestUniqueid")
        places.setdefault(leg, {}).setdefault(kind, []).append(place)
    for leg, of in places.items():
        for first, second in _BEFORE:
            if first in of and second in of and of[first][-1 if second == "Hangup" else 0] > of[second][0]:
                yield f"{leg}: {second} before {first}"


def _pairs(transcript: Transcript) -> Iterator[str]:
    """A leg enters and leaves in turn and is in one bridge at a time; the debtor's leg enters a conversation first."""
    bridge_of: dict[str, str] = {}
    for heard in transcript.heard:
        leg, bridge = heard.get("Uniqueid"), heard.get("BridgeUniqueid")
        if heard.get("Event") == "BridgeEnter":
            if leg in bridge_of:
                yield f"{leg}: enters {bridge} out of {bridge_of[leg]}"
            bridge_of[leg] = bridge
        elif heard.get("Event") == "BridgeLeave" and bridge_of.pop(leg, bridge) != bridge:
            yield f"{leg}: leaves {bridge}, where it is not"


def _answers(transcript: Transcript) -> Iterator[str]:
    """Both BridgeEnter of an order come after it, and its answer before the next order's."""
    orders = [order for order in transcript.orders if order.action == "Bridge"]
    talks = [h for h in transcript.heard if h.get("Event") == "BridgeEnter" and h.get("BridgeType") == "basic"]
    for order, entered in zip(orders, zip(talks[::2], talks[1::2], strict=False), strict=False):
        if any(heard.at_s < order.at_s for heard in entered):
            yield "a conversation before its order"
        if [heard.get("Uniqueid") for heard in entered] != [order.get("Channel1"), order.get("Channel2")]:
            yield "the legs enter in another order than Channel1, Channel2"


def told_by_each_leg(transcript: Transcript) -> dict[str, list[str]]:
    """What each leg's own thread tells, in its order."""
    told: dict[str, list[str]] = {}
    for heard in compared(transcript):
        name = heard.get("Event")
        if name in ("UserEvent", "BridgeEnter", "BridgeLeave", "Hangup"):
            word = heard.get("UserEvent") or f"{name} {heard.get('BridgeType')}".strip()
            told.setdefault(_plain(heard.get("Uniqueid")), []).append(word)
    return told
