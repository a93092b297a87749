"""A virtual event loop: hours of waiting pass in seconds, and the same seed gives the same order of events.

The loop never sleeps. When nothing is ready it jumps to the next timer. It refuses to run with real sockets, because
the answer of a real peer would come at a time that has no meaning here.
"""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Coroutine
from datetime import UTC, datetime
from typing import Any, TypeVar

from cadencia.clock import Anchor, SimulatedClock

T = TypeVar("T")

#: A lawful Tuesday in Bogotá, 09:00 local time.
TUESDAY_0900_BOGOTA = datetime(2026, 11, 24, 14, 0, tzinfo=UTC)


class _JumpingSelector(selectors.DefaultSelector):
    """Where a real selector would sleep until the next timer, this one lets the loop's time jump there."""

    def __init__(self, loop: VirtualLoop) -> None:
        super().__init__()
        self._loop = loop

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout is None:
            raise RuntimeError("the virtual loop has nothing left to wait for: a task waits for what never comes")
        self._loop.jump(timeout)
        return super().select(0)


class VirtualLoop(asyncio.SelectorEventLoop):
    """An event loop whose `time()` is virtual seconds since it was made."""

    def __init__(self) -> None:
        self._virtual_s = 0.0
        super().__init__(_JumpingSelector(self))

    def time(self) -> float:
        return self._virtual_s

    def jump(self, seconds: float) -> None:
        """Advance the virtual time."""
        self._virtual_s += max(0.0, seconds)

    def clock(self, epoch: datetime = TUESDAY_0900_BOGOTA) -> SimulatedClock:
        """A clock that starts at `epoch` now and flows with this loop."""
        return SimulatedClock(Anchor(epoch, self.time(), 1.0), self.time)


def run_virtual(main: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine on a fresh virtual loop and return its result."""
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        return runner.run(main)
