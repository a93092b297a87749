"""How many calls a trunk may carry and how fast it may be fed: pure bookkeeping."""

from __future__ import annotations


class TrunkLimits:
    """Channels and a token bucket of call starts.

    Args:
        channels: calls at once.
        rate_per_s: call starts a second; a burst of one second's worth may go at once.
    """

    def __init__(self, channels: int, rate_per_s: float) -> None:
        if channels < 1 or rate_per_s <= 0.0:
            raise ValueError("a trunk needs at least one channel and a positive rate")
        self.channels, self.rate_per_s = channels, rate_per_s
        self._tokens, self._at_s = max(1.0, rate_per_s), 0.0

    def room(self, in_use: int, now_s: float) -> int:
        """How many calls may be started now."""
        burst = max(1.0, self.rate_per_s)
        self._tokens = min(burst, self._tokens + max(0.0, now_s - self._at_s) * self.rate_per_s)
        self._at_s = now_s
        return max(0, min(self.channels - in_use, int(self._tokens)))

    def take(self, calls: int) -> None:
        """That many were started."""
        self._tokens -= calls
