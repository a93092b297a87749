"""Server-sent events: the caller's topic, whole states only.

The first message is the present state, made at this moment; what follows are newer whole states. So a page that comes
back after a break (with or without Last-Event-ID) is right again with the first message, and nothing is replayed.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator
from typing import Any, cast

import msgspec
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from cadencia.domain.access import UserRole
from cadencia.errors import StoreError
from cadencia.web.access import TABLE
from cadencia.web.context import Context
from cadencia.web.errors import WebError, forbidden
from cadencia.web.sessions import Caller

HEARTBEAT_S = 15.0
#: How often an open stream asks whether its session still stands (it is told at once of what ends in this process).
RECHECK_S = 5.0
#: A peer that takes nothing for this long is gone.
SEND_S = 20.0

FLOOR = "floor"
TELEPHONY = "telephony"


def topic_of(caller: Caller, asked: str = "") -> str:
    """An agent sees only itself; whoever watches sees the floor, or what is asked for and allowed.

    Raises:
        WebError: the user is no agent, or may not see that topic.
    """
    if asked == TELEPHONY:
        if caller.user.role not in TABLE["GET", "/api/telephony"].roles:
            raise forbidden()
        return TELEPHONY
    if caller.user.role is not UserRole.AGENT:
        return FLOOR
    if caller.user.agent_id is None:
        raise WebError(409, "CAD-WEB-NO-AGENT")
    return f"agent/{caller.user.agent_id}"


def present(ctx: Context, caller: Caller, topic: str) -> bytes:
    """The topic's state at this moment."""
    if topic == TELEPHONY:
        return msgspec.json.encode(ctx.desk.telephony())
    if caller.user.role is UserRole.AGENT and caller.user.agent_id is not None:
        return msgspec.json.encode(ctx.desk.agent(caller.user.agent_id))
    return msgspec.json.encode(ctx.desk.floor())


class EventStream(Response):
    """One open stream. Ends when the peer leaves, the session ends, or the server stops.

    Args:
        topic: "telephony", or "" for the caller's own.
    """

    def __init__(self, ctx: Context, caller: Caller, topic: str = "") -> None:
        super().__init__(media_type="text/event-stream", headers={"X-Accel-Buffering": "no"})
        self._ctx = ctx
        self._caller = caller
        self._topic = topic_of(caller, topic)
        self._first = present(ctx, caller, self._topic)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = [(k, v) for k, v in self.raw_headers if k != b"content-length"]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        writer = asyncio.create_task(self._write(send))
        gone = asyncio.create_task(_disconnected(receive))
        self._count(+1)
        try:
            await asyncio.wait({writer, gone}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            self._count(-1)
            for task in (writer, gone):
                task.cancel()
            results = await asyncio.gather(writer, gone, return_exceptions=True)
        for result in results:
            if isinstance(result, Exception) and not isinstance(result, OSError | TimeoutError):
                raise result

    def _count(self, step: int) -> None:
        if step > 0:
            self._ctx.streams.add(self)
        else:
            self._ctx.streams.discard(self)
        self._ctx.metrics.set_streams(len(self._ctx.streams))

    async def _write(self, send: Send) -> None:
        async with contextlib.aclosing(self._chunks()) as chunks:
            async for chunk in chunks:
                async with asyncio.timeout(SEND_S):
                    await send({"type": "http.response.body", "body": chunk, "more_body": True})
        await send({"type": "http.response.body", "body": b"", "more_body": False})

    async def _chunks(self) -> AsyncGenerator[bytes, None]:
        yield b"retry: 1000\n\n"
        # Publishing gives the present state its place in the topic's order; it comes back as this stream's first.
        self._ctx.desk.hub.publish(self._topic, self._first)
        feed = cast("AsyncGenerator[tuple[str, int, bytes], None]", self._ctx.desk.hub.listen([self._topic]))
        name = self._topic.partition("/")[0]
        with self._ctx.sessions.watch(self._caller) as over:
            async for item in _ticking(feed, (over, self._ctx.stopping)):
                if isinstance(item, tuple):
                    yield f"event: {name}\nid: {item[1]}\ndata: ".encode() + item[2] + b"\n\n"
                elif over.is_set() or await self._ended():
                    yield b'event: end\ndata: {"reason":"session"}\n\n'
                    return
                elif self._ctx.stopping.is_set():
                    yield b'event: end\ndata: {"reason":"restart"}\n\n'
                    return
                elif item == "heartbeat":
                    yield b": still here\n\n"

    async def _ended(self) -> bool:
        try:
            return await self._ctx.sessions.recheck(self._caller.kind, self._caller.digest) is None
        except StoreError:
            return False  # nobody can say; the next look will


async def _ticking(
    feed: AsyncGenerator[tuple[str, int, bytes], None], ends: tuple[asyncio.Event, ...]
) -> AsyncGenerator[tuple[str, int, bytes] | str, None]:
    """The feed's messages, "heartbeat" or "look" when it is time for one, "look" when one of the ends is set."""
    waits: list[asyncio.Future[Any]] = [asyncio.ensure_future(end.wait()) for end in ends]
    message: asyncio.Future[Any] = asyncio.ensure_future(anext(feed))
    loop = asyncio.get_running_loop()
    look, beat = loop.time() + RECHECK_S, loop.time() + HEARTBEAT_S
    try:
        while True:
            pause = max(0.0, min(look, beat) - loop.time())
            await asyncio.wait({message, *waits}, timeout=pause, return_when=asyncio.FIRST_COMPLETED)
            now = loop.time()
            if any(wait.done() for wait in waits):
                yield "look"
            elif now >= beat:
                beat = now + HEARTBEAT_S
                yield "heartbeat"
            elif now >= look:
                # Checked before messages: a busy topic must not keep an ended session alive.
                look = now + RECHECK_S
                yield "look"
            elif message.done():
                yield message.result()
                message = asyncio.ensure_future(anext(feed))
    finally:
        for task in (message, *waits):
            task.cancel()
        await asyncio.gather(message, *waits, return_exceptions=True)
        await feed.aclose()


async def _disconnected(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
