"""A manager interface that says what a test wants, over a connection in memory or over TCP."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from cadencia.telephony.ami.codec import Decoder, Message
from cadencia.telephony.ami.connect import Connector, tcp
from cadencia.testing.wire import memory_connector

#: What the switch says to an action: lines without the ActionID, several messages, or nothing.
Script = Callable[[Message], "str | list[str] | None"]


class FakeSwitch(asyncio.Protocol):
    """One connection. Log-in succeeds with the secret "s"; all else is the script's."""

    def __init__(self, owner: FakeServer) -> None:
        self._owner = owner
        self._decoder = Decoder()
        self.transport: asyncio.Transport | None = None
        self.lost = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        self._owner.connections.append(self)
        if not self._owner.mute:
            transport.write(b"Asterisk Call Manager/11.0.0\r\n")

    def connection_lost(self, exc: Exception | None) -> None:
        self.lost = True

    def data_received(self, data: bytes) -> None:
        for message in self._decoder.feed(b"client\r\n" + data if not self._decoder.banner else data):
            self._owner.heard.append(message)
            if self._owner.mute:
                continue
            said = self._login(message) if message["Action"] == "Login" else self._owner.script(message)
            for text in [said] if isinstance(said, str) else said or []:
                self.say(text, message.get("ActionID"))

    def _login(self, message: Message) -> str:
        right = message["Secret"] == "s"
        return "Response: Success" if right else "Response: Error\nMessage: Authentication failed"

    def say(self, text: str, action_id: str = "") -> None:
        """Send a message."""
        lines = [*text.split("\n"), *([f"ActionID: {action_id}"] if action_id else [])]
        assert self.transport is not None
        self.transport.write(("\r\n".join(lines) + "\r\n\r\n").encode())

    def cut(self) -> None:
        """End the connection without a word."""
        assert self.transport is not None
        self.transport.abort()


class FakeServer:
    """All connections.

    Attributes:
        heard: every action, in order.
        mute: takes everything in and says nothing.
        refuse: the host is down.
    """

    def __init__(self, script: Script = lambda message: "Response: Success") -> None:
        self.script = script
        self.heard: list[Message] = []
        self.connections: list[FakeSwitch] = []
        self.tries: list[float] = []
        self.mute = False
        self.refuse = False

    def connection(self) -> FakeSwitch:
        self.tries.append(asyncio.get_running_loop().time())
        if self.refuse:
            raise ConnectionRefusedError("the host is down")
        return FakeSwitch(self)

    @property
    def last(self) -> FakeSwitch:
        return self.connections[-1]

    def actions(self) -> list[str]:
        return [message["Action"] for message in self.heard]

    def memory(self) -> Connector:
        return memory_connector(self.connection)

    @asynccontextmanager
    async def listening(self, kind: str) -> AsyncIterator[Connector]:
        """A connector to it: "memory" or "tcp"."""
        if kind == "memory":
            yield self.memory()
            return
        server = await asyncio.get_running_loop().create_server(self.connection, "127.0.0.1", 0)
        async with server:
            yield tcp(*server.sockets[0].getsockname()[:2])
            for connection in self.connections:
                if connection.transport is not None:
                    connection.transport.abort()
