"""The trunk's circuit breaker: when call after call fails at once, only probes go out.

The state of one trunk as one campaign sees it. A failure here is the network's doing (congestion, no route, the trunk
down), never a debtor's; calls launched before the failures began say nothing about the trunk of now.
"""

from __future__ import annotations

import bisect
import math
from typing import Final

from cadencia.pacing.port import DialView

#: Failures in a row that open it, and that first slow it down.
OPENS_AT: Final = 20
SLOWS_AT: Final = 8

#: A dial that lives so long was carried by the trunk: fast failures come sooner.
CARRIED_S: Final = 5.0

#: Seconds between probes while it is open.
PROBE_S: Final = 6.0

#: No limit of the breaker's.
UNLIMITED: Final = 1_000_000


class Breaker:
    def __init__(self) -> None:
        self._failed_s: list[float] = []  # launches of the failed calls since the last one that was carried, in order
        self._probed_s = -math.inf

    @property
    def failures(self) -> int:
        """Calls that failed, and were launched after every call that is known to have been carried."""
        return len(self._failed_s)

    @property
    def open(self) -> bool:
        """Only probes go out."""
        return self.failures >= OPENS_AT

    def failed(self, launched_s: float) -> None:
        """A call failed for the trunk's own reasons."""
        bisect.insort(self._failed_s, launched_s)
        del self._failed_s[: -2 * OPENS_AT]

    def carried(self, launched_s: float) -> None:
        """A call got through to the debtor's side, whatever became of it there."""
        if self._failed_s and launched_s >= self._failed_s[0]:
            del self._failed_s[: bisect.bisect_right(self._failed_s, launched_s)]

    def allows(self, now_s: float, dials: tuple[DialView, ...]) -> int:
        """How many calls may be started now, given those in flight."""
        if self.failures < SLOWS_AT:
            return UNLIMITED
        for dial in dials:
            if now_s - dial.launched_s >= CARRIED_S:
                self.carried(dial.launched_s)
        if self.failures < SLOWS_AT:
            return UNLIMITED
        young = sum(dial.launched_s >= self._failed_s[0] for dial in dials)
        if not self.open:
            return max(0, OPENS_AT - self.failures - young)
        return int(young == 0 and now_s - self._probed_s >= PROBE_S)

    def probed(self, now_s: float) -> None:
        """A call goes out while the breaker is open."""
        self._probed_s = now_s
