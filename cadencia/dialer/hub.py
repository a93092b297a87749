"""In-process publish and subscribe: the newest message of each topic, to whoever listens.

Messages are whole states, so a slow listener never queues them up: what it has not read yet is replaced by what is
newer, and nobody can make the engine wait.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable


class Hub:
    """Topics are plain strings, such as "floor" and "agent/ana"; messages are encoded bytes."""

    def __init__(self) -> None:
        self._latest: dict[str, tuple[int, bytes]] = {}
        self._listeners: dict[str, set[_Listener]] = {}
        self._seq = 0

    def publish(self, topic: str, message: bytes) -> None:
        """Replace the topic's message and wake its listeners."""
        self._seq += 1
        self._latest[topic] = (self._seq, message)
        for listener in self._listeners.get(topic, ()):
            listener.offer(topic, self._seq, message)

    def latest(self, topic: str) -> bytes | None:
        """The newest message of a topic."""
        held = self._latest.get(topic)
        return held[1] if held else None

    def listened(self, topic: str) -> bool:
        """Whether anybody listens: what nobody reads need not be made."""
        return bool(self._listeners.get(topic))

    async def listen(self, topics: Iterable[str]) -> AsyncIterator[tuple[str, int, bytes]]:
        """Yield (topic, sequence number, message): first the present state of each topic, then what follows."""
        listener = _Listener()
        wanted = tuple(topics)
        for topic in wanted:
            self._listeners.setdefault(topic, set()).add(listener)
            if topic in self._latest:
                listener.offer(topic, *self._latest[topic])
        try:
            while True:
                yield await listener.take()
        finally:
            for topic in wanted:
                self._listeners[topic].discard(listener)


class _Listener:
    def __init__(self) -> None:
        self._pending: dict[str, tuple[int, bytes]] = {}
        self._woken = asyncio.Event()

    def offer(self, topic: str, seq: int, message: bytes) -> None:
        self._pending[topic] = (seq, message)
        self._woken.set()

    async def take(self) -> tuple[str, int, bytes]:
        while not self._pending:
            self._woken.clear()
            await self._woken.wait()
        topic = next(iter(self._pending))
        seq, message = self._pending.pop(topic)
        return topic, seq, message
