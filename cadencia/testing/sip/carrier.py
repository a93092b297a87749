"""The public network in small: a trunk peer that answers each number as its behaviour says, and keeps a log."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from cadencia.telephony.asterisk.labfiles import MESSAGE_HZ, MUSIC_HZ, RING_HZ
from cadencia.testing.sip.audio import AGENT_HZ, DEBTOR_HZ, Ear, silence, tone
from cadencia.testing.sip.call import Call
from cadencia.testing.sip.endpoint import Endpoint

_PHRASES = {
    403: "Forbidden", 404: "Not Found", 480: "Temporarily Unavailable", 484: "Address Incomplete", 486: "Busy Here",
    500: "Server Internal Error", 503: "Service Unavailable", 603: "Decline",
}  # fmt: skip

_STEADY = tone(DEBTOR_HZ)
#: "Aló?" and a pause, which machine detection takes for a person; then steady speech.
GREETING = tone(DEBTOR_HZ, 0.8) + silence(1.2) + _STEADY
GREETING_LOOPS_FROM = len(GREETING) - len(_STEADY)


@dataclass(frozen=True)
class Behaviour:
    """What a number does when it is called.

    Attributes:
        outcome: its name in the log.
        code: final SIP answer, 200 to answer, 0 never to answer.
        ring_s: seconds before it.
        rings: whether 180 is sent at the beginning of them.
        announcement: whether they are filled with early media (183) instead.
        cause: Q.850 cause of the Reason header beside an error, 0 for none.
        leaves_after_voice_s: hangs up so many seconds after first hearing an agent, None for never.
        leaves_after_answer_s: hangs up so many seconds after answering, whoever was heard, None for never.
        voice: ulaw clip spoken after the answer.
        loop_from: where the clip goes on after its end, in bytes; None: it goes on in silence.
    """

    outcome: str
    code: int = 200
    ring_s: float = 0.1
    rings: bool = True
    announcement: bool = False
    cause: int = 0
    leaves_after_voice_s: float | None = None
    leaves_after_answer_s: float | None = None
    voice: bytes = _STEADY
    loop_from: int | None = 0

    def but(self, **changes: object) -> Behaviour:
        """The same with some fields changed."""
        return replace(self, **changes)  # type: ignore[arg-type]


HUMAN = Behaviour("human", leaves_after_voice_s=3.0)
MACHINE = Behaviour("machine", leaves_after_answer_s=25.0)
NO_ANSWER = Behaviour("noanswer", code=0)
BUSY = Behaviour("busy", code=486, rings=False, cause=17)
INVALID = Behaviour("invalid", code=404, ring_s=0.05, rings=False, cause=1)
CONGESTION = Behaviour("congestion", code=503, ring_s=0.05, rings=False, cause=34)
TEMPORARY = Behaviour("temporary", code=480, cause=18)
HANGS_UP_AT_ANSWER = Behaviour("hangup_at_answer", leaves_after_answer_s=0.0)
EARLY_MEDIA = Behaviour("early_media", code=480, ring_s=0.5, rings=False, announcement=True, cause=20)

#: First digit of the number -> behaviour.
BY_DIGIT: Mapping[str, Behaviour] = {
    "1": HUMAN, "2": MACHINE, "3": NO_ANSWER, "4": BUSY, "5": INVALID, "6": CONGESTION, "7": TEMPORARY,
    "8": HANGS_UP_AT_ANSWER, "9": EARLY_MEDIA,
}  # fmt: skip

#: What a debtor's ear knows.
DEBTOR_HEARS = {"agent": AGENT_HZ, "message": MESSAGE_HZ, "music": MUSIC_HZ, "ring": RING_HZ}


def by_prefix(table: Mapping[str, Behaviour], default: Behaviour = HUMAN) -> Callable[[str], Behaviour]:
    """A behaviour for each number by its longest first digits in the table."""
    prefixes = sorted(table, key=len, reverse=True)
    return lambda number: next((table[p] for p in prefixes if number.startswith(p)), default)


class Carrier(Endpoint):
    """Answers the switch's calls; `async with Carrier(port) as carrier`.

    Args:
        port: where the switch's trunk sends its calls.
        behaviour: number -> behaviour, or a table of first digits.
        tones: what debtors' ears know, name -> hertz; `agent` must be among them.
    """

    def __init__(
        self,
        port: int = 0,
        behaviour: Callable[[str], Behaviour] | Mapping[str, Behaviour] = BY_DIGIT,
        tones: Mapping[str, int] = DEBTOR_HEARS,
    ) -> None:
        super().__init__(port)
        self.behaviour = by_prefix(behaviour) if isinstance(behaviour, Mapping) else behaviour
        self._tones = tones
        self._voices: dict[str, asyncio.Event] = {}

    def to(self, number: str) -> list[Call]:
        """All calls to a number, in order."""
        return [c for c in self.calls if c.number == number]

    async def call_in(self, caller: str, number: str, server_port: int) -> Call:
        """A debtor calls us back.

        Raises:
            SipRefused, SipTimeout: the switch did not answer.
        """
        return await self.invite(caller, number, ("127.0.0.1", server_port), _STEADY)

    def new_call(self, call_id: str, *, incoming: bool, number: str, caller: str) -> Call:
        """See `Endpoint`."""
        voice = self._voices[call_id] = asyncio.Event()
        ear = Ear(self._tones, first="agent", on_first=voice.set)
        return Call(call_id, incoming=incoming, number=number, caller=caller, ear=ear, voice="agent")

    async def on_invite(self, call: Call) -> None:
        """See `Endpoint`."""
        how = self.behaviour(call.number)
        call.outcome = how.outcome
        if how.announcement:
            self.progress(call, tone(DEBTOR_HZ, 0.5))
        elif how.rings:
            self.ring(call)
        if not how.code:
            return
        await asyncio.sleep(how.ring_s)
        if how.code != 200:
            self.refuse(call, how.code, _PHRASES.get(how.code, "Refused"), how.cause)
            return
        self.accept(call, how.voice, how.loop_from)
        await self._leave(call, how)
        self.hang_up(call)

    async def _leave(self, call: Call, how: Behaviour) -> None:
        """Returns when this debtor has had enough."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(how.leaves_after_answer_s):
                await self._voices[call.call_id].wait()
                if how.leaves_after_voice_s is None:
                    await call.ended.wait()
                else:
                    await asyncio.sleep(how.leaves_after_voice_s)
