"""What happened to one call, as it happened: the switch's events, our orders and what came back, its phases, the agent.

Kept in memory on the call, bounded, and written down once, with the settlement, as the event `attempt.traced`. It holds
codes, channels and ids, and no debtor's data: of an event only the headers named here are kept.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Sequence
from datetime import datetime
from functools import partial
from typing import Any

from cadencia.clock import Clock
from cadencia.errors import AmiRefused, AmiTimeout
from cadencia.telephony.ami.codec import Message
from cadencia.telephony.ami.session import Action
from cadencia.telephony.call import Call, Signal

#: Entries kept of one call. A plain call has about 15; one that an agent loses and another takes, 40.
MOST = 200

#: Headers kept of an event, where they are there and hold something.
HEADERS = (
    "ChannelState",
    "DialStatus",
    "Response",
    "Reason",
    "Cause",
    "TechCause",
    "UserEvent",
    "Amd",
    "Status",
    "Message",
    "Played",
    "Lost",
    "Count",
    "BridgeTechnology",
    "BridgeUniqueid",
)

#: A digit run that could be a telephone number, in a text that came from elsewhere.
_NUMBER = re.compile(r"\d{6,}")


class Trace:
    """The entries of one call: (milliseconds since its sending, code, what there is to say of it).

    Codes: `sent`, `adopted`, `event`, `order`, `reply`, `phase`, `offered`, `mended`. Instants before the sending (a
    chosen call that is not committed yet) count as 0.
    """

    __slots__ = ("_entries", "at", "dropped", "since_s")

    def __init__(self) -> None:
        self.at: datetime | None = None
        self.since_s = 0.0
        self.dropped = 0
        self._entries: list[tuple[int, str, dict[str, Any]]] = []

    def begin(self, at: datetime, since_s: float, code: str = "sent", **told: Any) -> None:
        """The sending is committed (`sent`), or the call was taken over from an engine before us (`adopted`).

        Args:
            at: UTC of the sending, or of the taking over.
            since_s: the same instant, in the clock's monotonic seconds.
        """
        self.at, self.since_s = at, since_s
        self.add(since_s, code, **told)

    def add(self, now_s: float, code: str, **told: Any) -> None:
        """One entry. Beyond `MOST` only their number is kept: the beginning of a call says more than its end."""
        if len(self._entries) >= MOST:
            self.dropped += 1
        else:
            self._entries.append((max(0, round((now_s - self.since_s) * 1000)), code, told))

    def heard(self, message: Message, now_s: float) -> None:
        """An event of the switch about this call."""
        names: tuple[str, ...] = HEADERS
        if message.name == "UserEvent" and not message.get("UserEvent").startswith("Cad"):
            names = ("UserEvent",)  # a site's own: who knows what is in it
        told = {name: value for name in names if (value := message.get(name))}
        self.add(now_s, "event", event=message.name, **told)

    def ordered(self, actions: Sequence[Action], answers: Sequence[asyncio.Future[Message]], clock: Clock) -> None:
        """Orders that were sent, and what comes back of each."""
        for action, answer in zip(actions, answers, strict=True):
            told = {"action": action.name}
            if action.name == "Setvar":
                told["variable"] = str(action.fields.get("Variable", ""))
            self.add(clock.monotonic(), "order", **told)
            answer.add_done_callback(partial(self._replied, action.name, clock))

    def moved(self, before: Call, after: Call, signal: Signal, now_s: float) -> None:
        """A signal was taken in; kept if it led to another phase."""
        if after.phase is not before.phase:
            self.add(now_s, "phase", phase=str(after.phase), sign=str(signal.sign))

    def body(self) -> dict[str, Any]:
        """Plain JSON values, as the log keeps them."""
        at = self.at.isoformat() if self.at is not None else None
        return {"at": at, "entries": [[ms, code, told] for ms, code, told in self._entries], "dropped": self.dropped}

    def _replied(self, action: str, clock: Clock, answer: asyncio.Future[Message]) -> None:
        told: dict[str, Any] = {"action": action, "reply": "ok"}
        if answer.cancelled():
            told["reply"] = "lost"
        elif (error := answer.exception()) is not None:
            told["reply"] = "timeout" if isinstance(error, AmiTimeout) else "lost"
            if isinstance(error, AmiRefused):
                told["reply"] = "refused"
                told["reason"] = _NUMBER.sub("…", str(error))
        self.add(clock.monotonic(), "reply", **told)
