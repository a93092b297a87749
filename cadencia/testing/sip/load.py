"""A carrier that stands hundreds of calls a second: SIP only, no sound, a line in a log for each call.

What the switch sends as sound goes to a port that nobody reads, so a call costs its seven messages. Times in the log
are seconds of CLOCK_MONOTONIC, the same in every process of the machine.
"""

from __future__ import annotations

import asyncio
import json
import random
import socket
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from io import TextIOWrapper
from pathlib import Path
from typing import Any, Self

from cadencia.testing.sip.message import Message, build, new_branch, new_tag, sdp, uri_of, user_of

_RESEND_S = (0.5, 1.0, 2.0, 4.0)
_PHRASES = {200: "OK", 404: "Not Found", 480: "Temporarily Unavailable", 486: "Busy Here", 503: "Service Unavailable"}
_FLUSH_S = 0.25
Address = tuple[str, int]


@dataclass(frozen=True)
class Kind:
    """What becomes of a call: its final code (0: it rings until it is cancelled), and what happens before and after."""

    code: int
    rings: bool = True
    stays: bool = True  # once answered


KINDS: Mapping[str, Kind] = {
    "answer": Kind(200),
    "gone": Kind(200, stays=False),
    "noanswer": Kind(0),
    "busy": Kind(486, rings=False),
    "invalid": Kind(404, rings=False),
    "congestion": Kind(503, rings=False),
    "temporary": Kind(480),
}


def parse_mix(text: str) -> dict[str, float]:
    """Weights by kind from `answer=60,busy=20`.

    Raises:
        ValueError: no such kind, or no such weight.
    """
    mix = {name: float(weight) for name, _, weight in (part.partition("=") for part in text.split(","))}
    unknown = set(mix) - set(KINDS)
    if unknown or min(mix.values()) < 0 or not sum(mix.values()):
        raise ValueError(f"{text!r}: weights of {', '.join(KINDS)}")
    return mix


class _Dialog:
    """One call. Its times are the loop's; `record` is its line in the log."""

    __slots__ = (
        "address",
        "call_id",
        "caller",
        "code",
        "cseq",
        "ended_by",
        "invite",
        "kind",
        "last",
        "local",
        "number",
        "remote",
        "resend",
        "state",
        "t_answered",
        "t_end",
        "t_invite",
        "t_ringing",
        "target",
        "timer",
    )

    def __init__(self, message: Message, address: Address, kind: str, now: float) -> None:
        self.invite, self.address, self.kind = message, address, kind
        self.call_id = message.get("call-id")
        self.number, self.caller = user_of(message.uri), user_of(message.get("from"))
        self.local, self.remote = f"{message.get('to')};tag={new_tag()}", message.get("from")
        self.target = uri_of(message.get("contact"))
        self.state = "new"  # ignored, new, ringing, answered, up, refused, leaving
        self.t_invite = now
        self.t_ringing: float | None = None
        self.t_answered: float | None = None
        self.t_end: float | None = None
        self.code = 0
        self.cseq = 1
        self.ended_by = ""
        self.last = b""
        self.timer: asyncio.TimerHandle | None = None
        self.resend: asyncio.TimerHandle | None = None

    def record(self) -> dict[str, Any]:
        return {
            "number": self.number,
            "caller": self.caller,
            "call_id": self.call_id,
            "kind": self.kind,
            "code": self.code,
            "t_invite": self.t_invite,
            "t_ringing": self.t_ringing,
            "t_answered": self.t_answered,
            "t_end": self.t_end,
            "ended_by": self.ended_by,
        }


class LoadCarrier(asyncio.DatagramProtocol):
    """Answers a switch's calls; `async with LoadCarrier(port, log=path) as carrier`.

    Args:
        port: where the switch's trunk sends its calls, 0 for any.
        log: where each call's line goes when it has ended; None for nowhere.
        seed: of fates and lengths; the n-th call of a number is always the same.
        mix: weights by kind, see `KINDS`.
        ring_s, talk_s: from and to; gone_s: how long those stay who are gone as they answer.

    Attributes:
        mode: "normal", "silent" or "503"; flapping switches it.
        ended: calls by kind, code and who ended them.
        begun: calls so far.
    """

    def __init__(
        self,
        port: int = 0,
        *,
        log: Path | None = None,
        seed: int = 1,
        mix: Mapping[str, float] | None = None,
        ring_s: tuple[float, float] = (0.2, 1.0),
        talk_s: tuple[float, float] = (1.0, 3.0),
        gone_s: tuple[float, float] = (0.0, 0.0),
    ) -> None:
        self.port = port
        self.mode = "normal"
        self.begun = 0
        self.ended: Counter[str] = Counter()
        self._path, self._seed = log, seed
        self._mix = dict(mix or {"answer": 1.0})
        self._ring_s, self._talk_s, self._gone_s = ring_s, talk_s, gone_s
        self._live: dict[str, _Dialog] = {}
        self._times: Counter[str] = Counter()
        self._log: TextIOWrapper | None = None
        self._transport: asyncio.DatagramTransport | None = None
        self._flap: asyncio.Task[None] | None = None
        self._flusher: asyncio.TimerHandle | None = None
        self._loop = asyncio.get_running_loop()
        # Bound, so that nobody answers "unreachable", and never read: the kernel drops what it has no room for.
        self._deaf = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._deaf.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
        self._deaf.bind(("127.0.0.1", 0))
        self._sdp = sdp(self._deaf.getsockname()[1])

    # -- life ----------------------------------------------------------------------------------------------------------

    async def __aenter__(self) -> Self:
        sip = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        sip.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)  # a burst waits here, it is not lost
        sip.setblocking(False)
        sip.bind(("127.0.0.1", self.port))
        self._transport, _ = await self._loop.create_datagram_endpoint(lambda: self, sock=sip)
        self.port = sip.getsockname()[1]
        if self._path is not None:
            self._log = self._path.open("a", encoding="utf-8")
            self._flush()
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._flap is not None:
            self._flap.cancel()
            await asyncio.gather(self._flap, return_exceptions=True)
        for call in list(self._live.values()):
            if call.state in ("answered", "up"):
                self._send(self._bye(call), call.address)
            self._end(call, "closed")
        if self._flusher is not None:
            self._flusher.cancel()
        if self._log is not None:
            self._log.close()
        if self._transport is not None:
            self._transport.close()
        self._deaf.close()
        await asyncio.sleep(0)

    def _flush(self) -> None:
        assert self._log is not None  # noqa: S101
        self._log.flush()
        self._flusher = self._loop.call_later(_FLUSH_S, self._flush)

    # -- modes ---------------------------------------------------------------------------------------------------------

    def switch(self, command: str) -> None:
        """See the module.

        Raises:
            ValueError: no such mode.
        """
        word, *rest = command.split() or [""]
        if word not in ("normal", "silent", "503", "flapping"):
            raise ValueError(f"{command!r} is no mode")
        period_s = float(rest[0]) if word == "flapping" and rest else 5.0
        bad = rest[1] if len(rest) > 1 else "503"
        if bad not in ("503", "silent") or period_s <= 0:
            raise ValueError(f"{command!r} is no mode")
        if self._flap is not None:
            self._flap.cancel()
            self._flap = None
        if word == "flapping":
            self._flap = self._loop.create_task(self._flapping(period_s, bad))
        else:
            self.mode = word

    async def _flapping(self, period_s: float, bad: str) -> None:
        while True:
            for mode in ("normal", bad):
                self.mode = mode
                await asyncio.sleep(period_s)

    @property
    def live(self) -> int:
        """Calls that are not over."""
        return len(self._live)

    # -- what comes in -------------------------------------------------------------------------------------------------

    def datagram_received(self, data: bytes, addr: Address) -> None:
        """One SIP message; shorter ones are keep-alives."""
        if len(data) < 16:
            return
        message = Message(data)
        if self.mode == "silent":
            if message.method == "INVITE" and not message.code and message.get("call-id") not in self._live:
                self._begin(message, addr).state = "ignored"
            return
        if message.code:
            call = self._live.get(message.get("call-id"))
            if call is not None and call.state == "leaving" and message.method == "BYE" and message.code >= 200:
                self._end(call, "peer")
            return
        call = self._live.get(message.get("call-id"))
        if message.method == "INVITE":
            self._invited(message, addr, call)
        elif message.method == "ACK":
            self._acknowledged(call)
        elif message.method == "CANCEL":
            self._send(self._response(message, 200, "OK", call), addr)
            if call is not None and call.state in ("new", "ringing", "ignored"):
                call.code = 487
                self._final(call, 487, "Request Terminated")
                call.ended_by = "cancel"
        else:
            self._send(self._response(message, 200, "OK", call), addr)
            if call is not None and message.method == "BYE":
                self._end(call, "switch")

    def _invited(self, message: Message, addr: Address, call: _Dialog | None) -> None:
        if call is not None and "tag=" in message.get("to"):  # the dialog: a session timer, or the sound moves
            self._send(self._response(message, 200, "OK", call, self._sdp), addr)
        elif call is not None and call.state != "ignored":
            if call.last:
                self._send(call.last, addr)
        elif "tag=" in message.get("to"):
            self._send(self._response(message, 481, "Call Does Not Exist", None), addr)
        else:
            call = call or self._begin(message, addr)
            call.state = "new"
            self._play(call)

    def _begin(self, message: Message, addr: Address) -> _Dialog:
        number = user_of(message.uri)
        self._times[number] += 1
        self.begun += 1
        kind = self._rng(number).choices(list(self._mix), list(self._mix.values()))[0]
        call = _Dialog(message, addr, kind, self._loop.time())
        self._live[call.call_id] = call
        # A switch that gives up without a word (or whose words we did not hear) must not fill our memory.
        call.resend = self._loop.call_later(64.0, self._forget, call)
        return call

    def _rng(self, number: str) -> random.Random:
        return random.Random(f"{self._seed}/{number}/{self._times[number]}")

    def _play(self, call: _Dialog) -> None:
        rng, kind = self._rng(call.number), KINDS[call.kind]
        rng.random()  # that one chose the kind
        if self.mode == "503":
            return self._refuse(call, 503)
        if not kind.rings:
            call.last = self._response(call.invite, 100, "Trying", None)
            self._send(call.last, call.address)
            call.timer = self._loop.call_later(0.05, self._refuse, call, kind.code)
            return None
        call.state, call.t_ringing = "ringing", self._loop.time()
        call.last = self._response(call.invite, 180, "Ringing", call)
        self._send(call.last, call.address)
        if kind.code == 200:
            talk_s = rng.uniform(*(self._talk_s if kind.stays else self._gone_s))
            call.timer = self._loop.call_later(rng.uniform(*self._ring_s), self._answer, call, talk_s)
        elif kind.code:
            call.timer = self._loop.call_later(rng.uniform(*self._ring_s), self._refuse, call, kind.code)
        return None

    def _answer(self, call: _Dialog, talk_s: float) -> None:
        call.state, call.code, call.t_answered = "answered", 200, self._loop.time()
        call.last = self._response(call.invite, 200, "OK", call, self._sdp)
        self._send(call.last, call.address)
        self._again(call, call.last)
        call.timer = self._loop.call_later(talk_s, self._leave, call)

    def _refuse(self, call: _Dialog, code: int) -> None:
        call.code, call.ended_by = code, "refused"
        self._final(call, code, _PHRASES[code])

    def _final(self, call: _Dialog, code: int, phrase: str) -> None:
        if call.timer is not None:
            call.timer.cancel()
        call.state = "refused"
        call.last = self._response(call.invite, code, phrase, call)
        self._send(call.last, call.address)
        self._again(call, call.last)

    def _acknowledged(self, call: _Dialog | None) -> None:
        if call is None:
            return
        if call.state == "answered":
            call.state = "up"
            if call.resend is not None:
                call.resend.cancel()
        elif call.state == "refused":
            self._end(call, call.ended_by)

    def _leave(self, call: _Dialog) -> None:
        """The debtor hangs up."""
        call.state = "leaving"
        call.last = self._bye(call)
        self._send(call.last, call.address)
        self._again(call, call.last)

    def _again(self, call: _Dialog, data: bytes, times: int = 0) -> None:
        """Send once more, at growing intervals, until an answer cancels it; the call is forgotten without one."""
        if call.resend is not None:
            call.resend.cancel()
        if times == len(_RESEND_S):
            return self._forget(call)
        call.resend = self._loop.call_later(_RESEND_S[times], self._resend, call, data, times)
        return None

    def _resend(self, call: _Dialog, data: bytes, times: int) -> None:
        self._send(data, call.address)
        self._again(call, data, times + 1)

    def _forget(self, call: _Dialog) -> None:
        self._end(call, "silent" if call.state == "ignored" else call.ended_by or "unanswered")

    def _end(self, call: _Dialog, by: str) -> None:
        if self._live.pop(call.call_id, None) is None:
            return
        for timer in (call.timer, call.resend):
            if timer is not None:
                timer.cancel()
        call.t_end, call.ended_by = self._loop.time(), by
        self.ended[f"{call.kind} {call.code} {by}"] += 1
        if self._log is not None:
            self._log.write(json.dumps(call.record()) + "\n")

    # -- what goes out -------------------------------------------------------------------------------------------------

    def _response(self, request: Message, code: int, phrase: str, call: _Dialog | None, body: str = "") -> bytes:
        to = request.get("to")
        if "tag=" not in to and code != 100:
            to = call.local if call else f"{to};tag={new_tag()}"
        headers = [("Via", via) for via in request.headers.get("via", [])]
        headers += [("From", request.get("from")), ("To", to), ("Call-ID", request.get("call-id"))]
        headers += [("CSeq", request.get("cseq")), ("Contact", f"<sip:peer@127.0.0.1:{self.port}>")]
        return build(f"SIP/2.0 {code} {phrase}", headers, body)

    def _bye(self, call: _Dialog) -> bytes:
        call.cseq += 1
        via = f"SIP/2.0/UDP 127.0.0.1:{self.port};branch={new_branch()};rport"
        headers = [("Via", via), ("Max-Forwards", "70"), ("From", call.local), ("To", call.remote)]
        headers += [("Call-ID", call.call_id), ("CSeq", f"{call.cseq} BYE")]
        return build(f"BYE {call.target} SIP/2.0", headers)

    def _send(self, data: bytes, addr: Address) -> None:
        if self.mode != "silent" and self._transport is not None and not self._transport.is_closing():
            self._transport.sendto(data, addr)
