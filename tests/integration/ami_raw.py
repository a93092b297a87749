"""A second, independent reader of the manager interface: it keeps what came, byte for byte, with its time.

It shares no code with the engine's client, so a fault of that client cannot hide itself here.
"""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Self


@dataclass(frozen=True)
class Received:
    """One message: when, its bytes without the empty line, and its headers as pairs in order."""

    at: float
    raw: bytes
    pairs: tuple[tuple[str, str], ...]

    def __getitem__(self, name: str) -> str:
        return next((value for key, value in self.pairs if key == name), "")

    def all(self, name: str) -> list[str]:
        """Every value of a header."""
        return [value for key, value in self.pairs if key == name]


class RawAmi(asyncio.Protocol):
    """One connection; `async with RawAmi(port, user, secret) as ami`.

    Attributes:
        log: everything received since `log` was last cleared, responses included.
    """

    def __init__(self, port: int, user: str, secret: str) -> None:
        self._where = port, user, secret
        self._ids = itertools.count(1)
        self._buffer = b""
        self._changed = asyncio.Event()
        self.log: list[Received] = []

    async def __aenter__(self) -> Self:
        port, user, secret = self._where
        loop = asyncio.get_running_loop()
        self._transport, _ = await loop.create_connection(lambda: self, "127.0.0.1", port)
        answer = await self.action("Login", Username=user, Secret=secret)
        assert answer["Response"] == "Success", answer
        return self

    async def __aexit__(self, *_: object) -> None:
        self._transport.close()
        await asyncio.sleep(0)

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        while b"\r\n\r\n" in self._buffer:
            block, self._buffer = self._buffer.split(b"\r\n\r\n", 1)
            if block.startswith(b"Asterisk Call Manager"):
                block = block.partition(b"\r\n")[2]
            lines = (line.partition(":") for line in block.decode().split("\r\n"))
            pairs = tuple((name, value.strip()) for name, _, value in lines)
            self.log.append(Received(asyncio.get_running_loop().time(), block, pairs))
        self._changed.set()

    def send(self, action: str, variables: dict[str, str] | None = None, **headers: object) -> str:
        """Sends an action and returns its id."""
        action_id = f"raw-{next(self._ids)}"
        lines = [f"Action: {action}", f"ActionID: {action_id}"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        lines += [f"Variable: {name}={value}" for name, value in (variables or {}).items()]
        self._transport.write(("\r\n".join(lines) + "\r\n\r\n").encode())
        return action_id

    async def action(self, action: str, variables: dict[str, str] | None = None, **headers: object) -> Received:
        """Sends an action and returns its response, an error too."""
        action_id = self.send(action, variables, **headers)
        return await self.wait(lambda m: m["ActionID"] == action_id and m["Response"] != "" and not m["Event"])

    async def listing(self, action: str, complete: str, **headers: object) -> list[Received]:
        """Sends an action that answers with a list and returns the list's events."""
        action_id = self.send(action, **headers)
        await self.wait(lambda m: m["ActionID"] == action_id and m["Event"] == complete)
        return [m for m in self.log if m["ActionID"] == action_id and m["Event"] not in ("", complete)]

    async def wait(self, wanted: Callable[[Received], bool], timeout_s: float = 5.0, *, after: int = 0) -> Received:
        """The first message in the log, from the given place on, that is wanted, now or when it comes."""
        async with asyncio.timeout(timeout_s):
            while True:
                found = next((m for m in self.log[after:] if wanted(m)), None)
                if found:
                    return found
                self._changed.clear()
                await self._changed.wait()

    async def event(self, name: str, timeout_s: float = 5.0, *, after: int = 0, **headers: str) -> Received:
        """The first event of that name with these headers; `name` may be that of a UserEvent."""

        def wanted(message: Received) -> bool:
            named = message["UserEvent"] == name or (message["Event"] == name and name != "UserEvent")
            return named and all(message[key] == value for key, value in headers.items())

        return await self.wait(wanted, timeout_s, after=after)

    def events(self, name: str, **headers: str) -> list[Received]:
        """All events of that name with these headers that have come."""
        found = (m for m in self.log if name in (m["Event"], m["UserEvent"]))
        return [m for m in found if all(m[key] == value for key, value in headers.items())]

    # -- the orders of the engine, as short as tests want them --------------------------------------------------------

    async def dial(self, number: str, attempt: str, *, timeout_ms: int = 20_000, **variables: str) -> Received:
        """Originates to a debtor over the trunk."""
        return await self.action(
            "Originate",
            variables,
            Channel=f"PJSIP/{number}@trunk",
            ChannelId=attempt,
            Context="cad-debtor",
            Exten="s",
            Priority=1,
            Async="true",
            Timeout=timeout_ms,
            CallerID='"Cobros" <6015550100>',
        )

    async def nail(self, agent: str, leg: str) -> str:
        """Nails an agent up, waits until he is idle, and returns his channel."""
        place = len(self.log)
        await self.action(
            "Originate",
            {"CAD_AGENT": agent},
            Channel=f"PJSIP/{agent}",
            ChannelId=leg,
            Context="cad-agent",
            Exten="s",
            Priority=1,
            Async="true",
            Timeout=5000,
        )
        return (await self.event("CadAgentIdle", after=place, Uniqueid=leg))["Channel"]

    async def connect(self, debtor: str, leg: str, agent: str = "agent") -> Received:
        """Tells both legs whom they talk to, bridges them in the same write, and returns the Bridge's response."""
        self.send("Setvar", Channel=debtor, Variable="CAD_WITH", Value=agent)
        self.send("Setvar", Channel=leg, Variable="CAD_WITH", Value=debtor)
        return await self.action("Bridge", Channel1=debtor, Channel2=leg, Tone="no")
