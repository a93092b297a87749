"""How often somebody may fail to sign in."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

from cadencia.clock import Clock

WINDOW_S = 60.0
#: More keys than this are not kept: the oldest go first, so that an attacker cannot fill the memory.
MAX_KEYS = 10_000


@dataclass(frozen=True)
class Limits:
    """Failures allowed in a minute. A person is limited from one address, so that nobody can lock out somebody else
    from afar; an address is limited over all logins, so that one machine cannot try them all."""

    login_and_address: int = 5
    address: int = 30


class Failures:
    """Counts failures in a sliding minute of real time."""

    def __init__(self, clock: Clock, limits: Limits | None = None) -> None:
        self._clock = clock
        self._limits = limits or Limits()
        self._seen: dict[tuple[str, str], deque[float]] = {}

    def wait_s(self, login: str, address: str) -> int:
        """Seconds to wait before the next try; 0 if it may be made now."""
        pair = self._over((login, address), self._limits.login_and_address)
        return max(pair, self._over(("", address), self._limits.address))

    def failed(self, login: str, address: str) -> None:
        """Count one."""
        for key in ((login, address), ("", address)):
            held = self._seen.pop(key, None) or deque()
            held.append(self._clock.wall())
            self._seen[key] = held
        while len(self._seen) > MAX_KEYS:
            del self._seen[next(iter(self._seen))]

    def succeeded(self, login: str, address: str) -> None:
        """The person is in: what went wrong before is forgiven."""
        self._seen.pop((login, address), None)

    def _over(self, key: tuple[str, str], limit: int) -> int:
        held = self._seen.get(key)
        if not held:
            return 0
        now = self._clock.wall()
        while held and held[0] <= now - WINDOW_S:
            held.popleft()
        if not held:
            del self._seen[key]
            return 0
        return int(held[-limit] + WINDOW_S - now) + 1 if len(held) >= limit else 0
