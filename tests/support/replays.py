"""Recorded conversations as the signals of one call: what the engine would have taken in, in order, with times."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from cadencia.telephony.ami.codec import Message
from cadencia.telephony.call import Bridges, Call, Sign, Signal, advance, read
from cadencia.testing.transcripts import Order, Transcript, parse_transcript, read_folder

FOLDER = Path(__file__).resolve().parent.parent / "transcripts"

#: The dialplan of the older recordings told of an answered person by another name.
_OLD_NAMES = {"CustomerReady": "CadReady"}


def older() -> list[Transcript]:
    """Recorded with a bare waiting context and an account that sees all events."""
    renamed = []
    for path in sorted((FOLDER / "asterisk22").glob("*.txt")):
        text = path.read_bytes().decode()
        for old, new in (*_OLD_NAMES.items(), ("AMD", "CadMachine" if "machine" in path.stem else "CadDetected")):
            text = text.replace(f"UserEvent: {old}\r\n", f"UserEvent: {new}\r\n")
        renamed.append(parse_transcript(path.stem, text))
    return renamed


def ours() -> list[Transcript]:
    """Recorded with the generated dialplan and the engine's own account."""
    return read_folder(FOLDER / "cad")


@dataclass(frozen=True)
class Step:
    """A signal and when it came."""

    at_s: float
    signal: Signal


def call_of(transcript: Transcript) -> str:
    """The id of the debtor's call in a recording: the one that was originated or, without orders, the first dialled."""
    for order in transcript.orders:
        if order.action == "Originate" and "@" in order.get("Channel"):
            return order.get("ChannelId")
    for heard in transcript.heard:
        if heard.get("Event") in ("DialBegin", "OriginateResponse"):
            return heard.get("DestUniqueid") if not heard.get("Uniqueid") else heard.get("Uniqueid")
    return ""


def originated(transcript: Transcript) -> bool:
    """Whether a debtor was called in it."""
    told = [heard for heard in transcript.heard if heard.get("Event") == "OriginateResponse"]
    return any(heard.get("Uniqueid") == call_of(transcript) and heard.get("Context") != "cad-agent" for heard in told)


def steps(transcript: Transcript) -> list[Step]:
    """All signals of the call, those of our own orders included, as the engine makes them."""
    ref, bridges, found = call_of(transcript), Bridges(), []
    answered = False
    for line in transcript.lines:
        signal = _ordered(line, ref, answered) if isinstance(line, Order) else _told(line.message(), ref, bridges)
        if signal is not None:
            answered = answered or signal.sign in (Sign.ANSWERED, Sign.READY)
            found.append(Step(line.at_s, signal))
    return found


def _ordered(order: Order, ref: str, answered: bool) -> Signal | None:
    if order.action == "Bridge" and order.get("Channel1") == ref:
        return Signal(ref, Sign.OFFERED)
    if order.action == "Hangup" and order.get("Channel") == ref:
        return Signal(ref, Sign.RELEASED if answered else Sign.CANCELLED)
    return None


def _told(message: Message, ref: str, bridges: Bridges) -> Signal | None:
    if message.name == "BridgeEnter":
        members = bridges.enter(message)
        return Signal(ref, Sign.TALKING) if len(members) > 1 and ref in members else None
    if message.name in ("BridgeLeave", "Hangup"):
        bridges.leave(message)
    signal = read(message)
    return signal if signal is not None and signal.ref == ref else None


def replay(played: list[Step]) -> Call:
    """The call after all of it."""
    call = Call(played[0].signal.ref if played else "", 0.0)
    for step in played:
        call = advance(call, step.signal, step.at_s)
    return call
