"""One call as a test peer sees it: its sound and its times."""

from __future__ import annotations

import asyncio
import random
import socket
from typing import Any

from cadencia.testing.sip.audio import Ear, Mouth
from cadencia.testing.sip.message import Message, rtp_address, sdp


class Call:
    """One leg between a peer and the switch. Times are seconds of the event loop's clock, None if it did not happen.

    Attributes:
        number: the number that was called (or, of a call the peer made, that it called).
        caller: user part of From.
        incoming: true if the switch called the peer.
        outcome: name of the behaviour.
        state: `new`, `ringing`, `answered` (200 sent, no ACK yet), `up`, `refused`, `ended`.
        t_invite, t_ringing, t_answered, t_end: times of INVITE, 180, 200 and of the end.
        ended_by: `peer`, `switch` (BYE), `cancel` (by the switch), `refused` (by the peer), `closed` (end of the test).
        reason: Reason header of the switch's BYE or CANCEL.
        code: final SIP code, 0 while there is none.
        packets_out: RTP packets sent.
        ear: what was heard; see `Ear`.
    """

    def __init__(self, call_id: str, *, incoming: bool, number: str, caller: str, ear: Ear, voice: str) -> None:
        loop = asyncio.get_running_loop()
        self._loop = loop
        self.call_id = call_id
        self.incoming = incoming
        self.number = number
        self.caller = caller
        self.ear = ear
        self.outcome = ""
        self.state = "new"
        self.t_invite: float = loop.time()
        self.t_ringing: float | None = None
        self.t_answered: float | None = None
        self.t_end: float | None = None
        self.ended_by = ""
        self.reason = ""
        self.code = 0
        self.packets_out = 0
        self.ended = asyncio.Event()
        self._voice = voice
        self._mouth: Mouth | None = None
        self._remote: tuple[str, int] | None = None
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 0))
        self._socket.setblocking(False)
        self.sdp = sdp(self._socket.getsockname()[1])
        loop.add_reader(self._socket, self._readable)
        # dialog, kept by the endpoint
        self.invite: Message | None = None
        self.last_response = b""
        self.address = ("127.0.0.1", 0)
        self.local = self.remote = self.target = ""
        self.cseq = 1
        self.tasks: list[asyncio.Task[None]] = []

    # -- times -------------------------------------------------------------------------------------------------------

    @property
    def t_first_voice(self) -> float | None:
        """When the other party (the agent, for a debtor; the debtor, for an agent) was first heard."""
        return self.ear.first(self._voice)

    @property
    def t_first_loud(self) -> float | None:
        """When anything was first heard, ring-back and announcements included."""
        return self.ear.first_loud

    @property
    def voice_intervals(self) -> list[tuple[float, float]]:
        """The intervals in which the other party was heard, in order."""
        return self.ear.intervals[self._voice]

    @property
    def is_up(self) -> bool:
        """Whether the call was answered and is not over."""
        return self.state in ("answered", "up")

    def heard(self, name: str = "", at_least_s: float = 0.0) -> bool:
        """Whether that tone was heard; by default the other party's."""
        return self.ear.heard(name or self._voice, at_least_s)

    def record(self) -> dict[str, Any]:
        """The call's line in a log, JSON-able."""
        return {
            "number": self.number,
            "caller": self.caller,
            "outcome": self.outcome,
            "t_invite": self.t_invite,
            "t_ringing": self.t_ringing,
            "t_200": self.t_answered,
            "t_first_loud": self.t_first_loud,
            "t_first_voice": self.t_first_voice,
            "t_end": self.t_end,
            "packets_in": self.ear.packets,
            "packets_out": self.packets_out,
            "loud_packets_in": self.ear.loud_packets,
            "ended_by": self.ended_by,
            "reason": self.reason,
            "code": self.code,
            "intervals": {name: list(found) for name, found in self.ear.intervals.items()},
        }

    # -- sound -------------------------------------------------------------------------------------------------------

    def learn(self, body: str) -> None:
        """Takes the switch's RTP address from its SDP."""
        self._remote = rtp_address(body) or self._remote

    def play(self, clip: bytes, loop_from: int | None = 0) -> None:
        """Speaks from the next tick on; see `Mouth`."""
        self._mouth = Mouth(clip, loop_from, random.getrandbits(32))

    def mute(self, on: bool = True) -> None:
        """Goes on sending packets, but silent ones."""
        if self._mouth:
            self._mouth.muted = on

    def freeze(self) -> None:
        """Sends no packets any more, as a line that died."""
        self._mouth = None

    def tick(self) -> None:
        """Sends one packet, if there is something to send."""
        if self._mouth is None or self._remote is None:
            return
        try:
            self._socket.sendto(self._mouth.packet(), self._remote)
            self.packets_out += 1
        except OSError:
            return  # the kernel's buffer is full, or the switch has closed its port: a lost packet

    def _readable(self) -> None:
        now = self._loop.time()
        for _ in range(8):  # a peer that was late drains what waits, but not for ever
            try:
                data = self._socket.recv(2048)
            except OSError:
                return
            if len(data) > 12 and not data[1] & 0x7F:  # payload type 0; events and comfort noise are not sound
                self.ear.feed(data[12:], now)

    def close(self, ended_by: str) -> None:
        """Ends it on this side: times, tasks, socket. The SIP part is the endpoint's."""
        if self.ended.is_set():
            return
        self.state, self.ended_by, self.t_end = "ended", ended_by, self._loop.time()
        self.ended.set()
        self._mouth = None
        self._loop.remove_reader(self._socket)
        self._socket.close()
        current = asyncio.current_task()
        for task in self.tasks:
            if task is not current:
                task.cancel()
