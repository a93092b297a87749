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
        self._burst = max(1.0, rate_per_s)
        self._tokens, self._at_s = self._burst, 0.0

    def room_channels(self, in_use: int) -> int:
        """How many more calls it can carry."""
        return max(0, self.channels - in_use)

    def room_rate(self, now_s: float) -> int:
        """How many calls may be started at this instant."""
        return max(0, int(self._tokens_at(now_s)))

    def take(self, calls: int, now_s: float) -> None:
        """That many were started."""
        self._tokens, self._at_s = self._tokens_at(now_s) - calls, now_s

    def _tokens_at(self, now_s: float) -> float:
        return min(self._burst, self._tokens + max(0.0, now_s - self._at_s) * self.rate_per_s)
