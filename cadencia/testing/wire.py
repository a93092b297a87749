"""A connection in memory: two asyncio protocols joined without a socket, for the virtual loop."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from cadencia.telephony.ami.connect import Connector


class MemoryTransport(asyncio.Transport):
    """One end. What is written in one turn of the loop arrives at the other end in a later one, in order."""

    def __init__(self, loop: asyncio.AbstractEventLoop, owner: asyncio.Protocol) -> None:
        super().__init__()
        self._loop, self._owner = loop, owner
        self._out: list[bytes] = []
        self._closing = False
        self.peer: MemoryTransport | None = None

    def write(self, data: bytes | bytearray | memoryview) -> None:
        if self._closing:
            return
        if not self._out:
            self._loop.call_soon(self._deliver)
        self._out.append(bytes(data))

    def is_closing(self) -> bool:
        return self._closing

    def abort(self) -> None:
        self.close()

    def close(self) -> None:
        """Both ends learn of it in the next turn; what was written before still arrives."""
        for end in (self, self.peer):
            if end is not None and not end._closing:
                end._closing = True
                self._loop.call_soon(end._owner.connection_lost, None)

    def _deliver(self) -> None:
        data, self._out = b"".join(self._out), []
        if self.peer is not None and not self.peer._closing:
            self.peer._owner.data_received(data)


def memory_connector(server: Callable[[], asyncio.Protocol]) -> Connector:
    """A connector whose connections end at a protocol that `server` makes.

    `server` may raise OSError to refuse the connection, as a host that is down would.
    """

    async def connect(factory: Callable[[], asyncio.Protocol]) -> object:
        loop = asyncio.get_running_loop()
        far, near = server(), factory()
        far_end, near_end = MemoryTransport(loop, far), MemoryTransport(loop, near)
        far_end.peer, near_end.peer = near_end, far_end
        far.connection_made(far_end)
        near.connection_made(near_end)
        return near_end, near

    return connect
