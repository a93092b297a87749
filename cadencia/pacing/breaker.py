"""The trunk's circuit breaker: when call after call fails at once, only probes go out.

The state of one trunk as one campaign sees it. A failure here is the network's doing (congestion, no route, the trunk
down), never a debtor's; calls launched before the failures began say nothing about the trunk of now.
"""

from __future__ import annotations

import math
from typing import Final

from cadencia.pacing.port import DialView

#: Failures in a row that open it, and that first slow it down.
OPENS_AT: Final = 20
SLOWS_AT: Final = 8

#: A dial that lives so long was carried by the trunk: fast failures come sooner.
CARRIED_S: Final = 5.0

#: Seconds between probes while it is open.
PROBE_S: Final = 5.0


class Breaker:
    def __init__(self) -> None:
        self.failures = 0
        self._since_s = math.inf  # launch of the first failed call of the row
        self._probed_s = -math.inf

    @property
    def open(self) -> bool:
        """Only probes go out."""
        return self.failures >= OPENS_AT

    def failed(self, launched_s: float) -> None:
        """A call failed for the trunk's own reasons."""
        self._since_s = min(self._since_s, launched_s) if self.failures else launched_s
        self.failures += 1

    def carried(self, launched_s: float) -> None:
        """A call got through to the debtor's side, whatever became of it there."""
        if launched_s >= self._since_s:
            self.failures, self._since_s = 0, math.inf

    def allows(self, now_s: float, dials: tuple[DialView, ...]) -> int:
        """How many calls may be started now, given those in flight."""
        if self.failures < SLOWS_AT:
            return 1_000_000
        young = 0
        for dial in dials:
            if dial.launched_s >= self._since_s:
                if now_s - dial.launched_s >= CARRIED_S:
                    self.carried(dial.launched_s)
                    return 1_000_000
                young += 1
        if not self.open:
            return max(0, OPENS_AT - self.failures - young)
        return int(young == 0 and now_s - self._probed_s >= PROBE_S)

    def probed(self, now_s: float) -> None:
        """A call goes out while the breaker is open."""
        self._probed_s = now_s
