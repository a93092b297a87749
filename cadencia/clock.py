"""The clock port. Nothing else in the program reads a clock.

Two readings belong together: `now()`, the wall-clock instant in UTC that is written down and judged by the law, and
`monotonic()`, the same flow of time in seconds that never jumps, by which intervals are measured. Under a simulated
clock both run `speed` times as fast as real time. Names that end in `_s` are in the clock's seconds, names in `_ms` are
wall milliseconds measured with `wall()`.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Protocol


class Clock(Protocol):
    """Time as the engine, the store's statements and the simulated switch see it."""

    @property
    def speed(self) -> float:
        """Clock seconds per real second."""
        ...

    @property
    def simulated(self) -> bool:
        """True if the pages must say that this is not the real time."""
        ...

    def now(self) -> datetime:
        """The instant, timezone-aware, in UTC."""
        ...

    def monotonic(self) -> float:
        """Clock seconds since an arbitrary origin; never goes back."""
        ...

    def wall(self) -> float:
        """Real seconds since an arbitrary origin, for latencies; never goes back."""
        ...


class SystemClock:
    """The real time."""

    speed = 1.0
    simulated = False

    def now(self) -> datetime:
        return datetime.now(UTC)  # noqa: TID251

    def monotonic(self) -> float:
        return time.monotonic()

    def wall(self) -> float:
        return time.monotonic()


@dataclass(frozen=True)
class Anchor:
    """Ties simulated time to the machine's monotonic clock, which all processes of one machine share (Linux).

    Attributes:
        epoch: the simulated instant at `mono_s`, UTC.
        mono_s: the machine's monotonic reading at that instant, seconds.
        speed: simulated seconds per real second.
    """

    epoch: datetime
    mono_s: float
    speed: float


class SimulatedClock:
    """Simulated time that flows `speed` times as fast as the given real time.

    Args:
        anchor: where it starts and how fast it flows.
        source: real seconds; the machine's monotonic clock, or a virtual event loop's in tests.
    """

    simulated = True

    def __init__(self, anchor: Anchor, source: Callable[[], float] = time.monotonic) -> None:
        self.anchor = anchor
        self.speed = anchor.speed
        self._source = source

    def now(self) -> datetime:
        return self.anchor.epoch + timedelta(seconds=self.monotonic())

    def monotonic(self) -> float:
        return (self._source() - self.anchor.mono_s) * self.speed

    def wall(self) -> float:
        return self._source()


async def sleep(clock: Clock, seconds: float) -> None:
    """Sleep for that many of the clock's seconds."""
    await asyncio.sleep(max(0.0, seconds) / clock.speed)


def call_later(clock: Clock, seconds: float, callback: Callable[[], None]) -> asyncio.TimerHandle:
    """Call back after that many of the clock's seconds."""
    return asyncio.get_running_loop().call_later(max(0.0, seconds) / clock.speed, callback)
