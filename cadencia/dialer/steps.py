"""The wall clock, watched by the monotonic one: somebody may set it while calls go on.

A clock that is set an hour back at 19:30 says 18:30, and the law's hours seem to be open again. Nobody here can know
which of the two times is right. So until the engine is started anew a call must be lawful at both.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from cadencia.clock import Clock

#: Seconds by which the wall clock may differ from the monotonic one between two looks: more is no slewing.
STEP_S = 2.0


class WallWatch:
    """Compares the two clocks at every look, a second or so apart."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._wall, self._mono_s = clock.now(), clock.monotonic()
        self.offset = timedelta()

    def look(self) -> timedelta | None:
        """By how much the clock was set since the last look, None if it was not."""
        now, mono_s = self._clock.now(), self._clock.monotonic()
        passed = timedelta(seconds=mono_s - self._mono_s)
        step = now - self._wall - passed
        self._wall, self._mono_s = now, mono_s
        if abs(step.total_seconds()) < STEP_S:
            return None
        self.offset += step
        return step

    def instants(self) -> tuple[datetime, datetime]:
        """What the clock says, and what it would say had nobody set it; the same while nobody did."""
        step = self.look()
        del step  # it is in the offset
        now = self._wall
        if abs(self.offset.total_seconds()) < STEP_S:
            return now, now
        return now, now - self.offset
