"""A bad network between an engine and a manager interface: answers get lost, doubled, swapped and late, links break.

    async with FaultProxy(lab.ami_port, seed=7) as proxy:
        connector = tcp("127.0.0.1", proxy.port)
        proxy.faults = Faults(lose_answer=0.05, delay_s=0.02, jitter_s=0.05)
        ...
        proxy.cut()

What goes to the server goes unharmed (but not while it is stalled); what comes back is taken apart into messages.
"""

from __future__ import annotations

import asyncio
import random
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Self

_END = b"\r\n\r\n"

#: Seconds after which a message that was held back to be swapped goes on, if nothing followed it.
_HELD_S = 0.05


@dataclass(frozen=True)
class Faults:
    """What happens to messages on their way back; shares of 1.

    Attributes:
        lose_answer: of answers that never arrive. That to the log-in always does, and unharmed.
        lose_event: of events that never arrive, rows of lists among them.
        duplicate: of messages that arrive twice.
        reorder: of messages that come after one or more that were sent later.
        window: after how many at most.
        delay_s, jitter_s: events come so much later, and up to so much more; in order among themselves, but after
            answers that were sent later.
    """

    lose_answer: float = 0.0
    lose_event: float = 0.0
    duplicate: float = 0.0
    reorder: float = 0.0
    window: int = 3
    delay_s: float = 0.0
    jitter_s: float = 0.0


class FaultProxy:
    """Listens on 127.0.0.1 and passes each connection on to a server.

    Args:
        upstream_port, host: of the server.
        seed: of all that chance decides.
        port: where to listen, 0 for any.

    Attributes:
        port: where it listens.
        faults: in force from the next message on.
        connections: accepted so far.
        lost, duplicated, reordered, delayed: messages so far.
    """

    def __init__(self, upstream_port: int, *, seed: int = 0, host: str = "127.0.0.1", port: int = 0) -> None:
        self._upstream = host, upstream_port
        self._seed = seed
        self.port = port
        self.faults = Faults()
        self.connections = 0
        self.lost = self.duplicated = self.reordered = self.delayed = 0
        self.stalled = False
        self._pairs: set[_Pair] = set()
        self._server: asyncio.Server | None = None
        self._again: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        await self.allow()
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._again is not None:
            self._again.cancel()
            await asyncio.gather(self._again, return_exceptions=True)
        self.refuse()
        self.cut()
        await asyncio.gather(*(pair.over.wait() for pair in self._pairs))
        await asyncio.sleep(0)  # lets the last tasks and sockets end

    # -- what a test does to it ----------------------------------------------------------------------------------------

    def cut(self) -> None:
        """Break every connection, both ways, without a word."""
        for pair in list(self._pairs):
            pair.cut()

    def refuse(self) -> None:
        """Nobody listens any more; connections that stand go on."""
        if self._server is not None:
            self._server.close()
            self._server = None

    async def allow(self) -> None:
        """Listen (again), on the same port."""
        if self._server is None:
            loop = asyncio.get_running_loop()
            self._server = await loop.create_server(lambda: _Pair(self, self._rng()).client, "127.0.0.1", self.port)
            self.port = self._server.sockets[0].getsockname()[1]

    def refuse_for(self, seconds: float) -> None:
        """Nobody listens for so many seconds of the loop's clock."""

        async def later() -> None:
            await asyncio.sleep(seconds)
            await self.allow()

        self.refuse()
        if self._again is not None:
            self._again.cancel()
        self._again = asyncio.get_running_loop().create_task(later())

    def stall(self) -> None:
        """Go on accepting, and forward nothing, either way. What comes meanwhile waits, as in a network's buffers."""
        self.stalled = True
        for pair in self._pairs:
            pair.hold_reading()

    def resume(self) -> None:
        """End a stall: what waited arrives."""
        self.stalled = False
        for pair in list(self._pairs):
            pair.go_on()

    # -- for the connections -------------------------------------------------------------------------------------------

    def _rng(self) -> random.Random:
        self.connections += 1
        return random.Random(f"{self._seed}/{self.connections}")

    def add(self, pair: _Pair) -> None:
        self._pairs.add(pair)

    def remove(self, pair: _Pair) -> None:
        self._pairs.discard(pair)

    async def connect(self, factory: Callable[[], asyncio.Protocol]) -> None:
        """A connection to the server."""
        await asyncio.get_running_loop().create_connection(factory, *self._upstream)


class _End(asyncio.Protocol):
    """One end of a pair: hands everything to it."""

    def __init__(self, pair: _Pair, take: Callable[[bytes], None]) -> None:
        self._pair, self._take = pair, take
        self.transport: asyncio.Transport | None = None
        self.other: _End | None = None
        self.lost = False
        self._full = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)  # noqa: S101
        self.transport = transport
        self._pair.made(self)

    def data_received(self, data: bytes) -> None:
        self._take(data)

    def pause_writing(self) -> None:
        # Whoever does not read must be felt at the far end, not fill our memory.
        self._full = True
        if self.other is not None:
            self.other.read(False)

    def resume_writing(self) -> None:
        self._full = False
        self._pair.go_on()

    def connection_lost(self, exc: Exception | None) -> None:
        self.lost = True
        self._pair.ended(self)

    @property
    def takes(self) -> bool:
        return self.transport is not None and not self._full

    def read(self, on: bool) -> None:
        if self.transport is None or self.transport.is_closing():
            return
        if on and not self.transport.is_reading():
            self.transport.resume_reading()
        elif not on and self.transport.is_reading():
            self.transport.pause_reading()

    def write(self, data: bytes) -> None:
        if self.transport is not None and not self.transport.is_closing():
            self.transport.write(data)


class _Pair:
    """One connection of a client's and ours to the server."""

    def __init__(self, proxy: FaultProxy, rng: random.Random) -> None:
        self._proxy, self._rng = proxy, rng
        self.client, self._server = _End(self, self._from_client), _End(self, self._from_server)
        self.client.other, self._server.other = self._server, self.client
        self.over = asyncio.Event()
        self._loop = asyncio.get_running_loop()
        self._buffer = b""
        self._greeted = self._logged_in = False
        self._held: list[tuple[int, bytes]] = []
        self._held_timer: asyncio.TimerHandle | None = None
        self._late: deque[tuple[float, bytes]] = deque()
        self._late_timer: asyncio.TimerHandle | None = None
        self._waiting: list[bytes] = []  # forwarded, but for the stall
        self._connecting: asyncio.Task[None] | None = None

    # -- life ----------------------------------------------------------------------------------------------------------

    def made(self, end: _End) -> None:
        if end is self.client:
            self._proxy.add(self)
            self.client.read(False)
            self._connecting = self._loop.create_task(self._connect())
        elif self.client.lost:
            self.cut()
        else:
            self.go_on()

    async def _connect(self) -> None:
        try:
            await self._proxy.connect(lambda: self._server)
        except OSError:
            self.cut()

    def ended(self, end: _End) -> None:
        # What the server said last still arrives; what a client said last has no one to answer to.
        if end is self._server and not self._proxy.stalled and self.client.transport is not None:
            self.client.transport.close()
        elif not self._proxy.stalled:
            self.cut()
        if self.client.lost and (self._server.lost or self._server.transport is None):
            self._done()

    def cut(self) -> None:
        for end in (self.client, self._server):
            if end.transport is not None:
                end.transport.abort()

    def _done(self) -> None:
        if self._connecting is not None:
            self._connecting.cancel()
        for timer in (self._held_timer, self._late_timer):
            if timer is not None:
                timer.cancel()
        self._proxy.remove(self)
        self.over.set()

    def hold_reading(self) -> None:
        for end in (self.client, self._server):
            end.read(False)

    def go_on(self) -> None:
        """Read wherever the other end takes what is read."""
        if self._proxy.stalled:
            return None
        if self.client.lost or self._server.lost:  # it ended in the stall
            return self.cut()
        waiting, self._waiting = self._waiting, []
        for data in waiting:
            self.client.write(data)
        self.client.read(self._server.takes)
        self._server.read(self.client.takes)
        return None

    # -- the way there -------------------------------------------------------------------------------------------------

    def _from_client(self, data: bytes) -> None:
        self._server.write(data)

    # -- the way back --------------------------------------------------------------------------------------------------

    def _from_server(self, data: bytes) -> None:
        data = self._buffer + data
        if not self._greeted:
            line, found, rest = data.partition(b"\r\n")
            if not found:
                self._buffer = data
                return
            self._greeted, data = True, rest
            self._forward(line + found)
        *whole, self._buffer = data.split(_END)
        for message in whole:
            self._message(message + _END)

    def _message(self, message: bytes) -> None:
        faults, chance, proxy = self._proxy.faults, self._rng.random, self._proxy
        answer = message.startswith(b"Response:")
        if answer and not self._logged_in:
            self._logged_in = True
            return self._forward(message)
        if chance() < (faults.lose_answer if answer else faults.lose_event):
            proxy.lost += 1
            return None
        twice = chance() < faults.duplicate
        proxy.duplicated += twice
        for _ in range(1 + twice):
            if chance() < faults.reorder:
                proxy.reordered += 1
                self._held.append((self._rng.randint(1, max(1, faults.window)), message))
                if self._held_timer is None:
                    self._held_timer = self._loop.call_later(_HELD_S, self._release)
            else:
                self._emit(message, answer)
                self._overtaken()
        return None

    def _overtaken(self) -> None:
        held = [(more - 1, message) for more, message in self._held]
        self._held = [one for one in held if one[0] > 0]
        for more, message in held:
            if more <= 0:
                self._emit(message, message.startswith(b"Response:"))

    def _release(self) -> None:
        self._held_timer = None
        held, self._held = self._held, []
        for _, message in held:
            self._emit(message, message.startswith(b"Response:"))

    def _emit(self, message: bytes, answer: bool) -> None:
        faults = self._proxy.faults
        late_s = 0.0 if answer else faults.delay_s + self._rng.uniform(0.0, faults.jitter_s)
        if late_s <= 0.0 and (answer or not self._late):
            return self._forward(message)
        self._proxy.delayed += 1
        due_s = self._loop.time() + late_s
        self._late.append((max(due_s, self._late[-1][0]) if self._late else due_s, message))
        if self._late_timer is None:
            self._late_timer = self._loop.call_at(self._late[0][0], self._arrive)
        return None

    def _arrive(self) -> None:
        self._late_timer = None
        while self._late and self._late[0][0] <= self._loop.time():
            self._forward(self._late.popleft()[1])
        if self._late:
            self._late_timer = self._loop.call_at(self._late[0][0], self._arrive)

    def _forward(self, data: bytes) -> None:
        if self._proxy.stalled:
            self._waiting.append(data)
        else:
            self.client.write(data)


__all__ = ["FaultProxy", "Faults"]
