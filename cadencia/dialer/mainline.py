"""The engine's one link and its trunks, as the engineer's page asks for them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime

from cadencia.clock import Clock
from cadencia.dialer.context import Context
from cadencia.dialer.lines import Starts
from cadencia.dialer.live import LiveCall, Seat
from cadencia.errors import TelephonyError


@dataclass(frozen=True, slots=True)
class Trunk:
    """A trunk's present (`cadencia.dialer.lines.TrunkLine`)."""

    channels_used: int
    channels: int
    rate_used: float
    rate_per_s: float
    state: str = "unknown"


class MainLine:
    """The only server (`cadencia.dialer.lines.ServerLine`).

    Args:
        context: where the session is.
        calls, seats, trunk_names: what is there now; the limits are shared by all trunks.
        trouble: what keeps the link down.
    """

    name = "main"
    version = ""

    def __init__(
        self,
        context: Context,
        calls: Callable[[], Iterable[LiveCall]],
        seats: Callable[[], Iterable[Seat]],
        trunk_names: Callable[[], Iterable[str]],
        trouble: Callable[[], TelephonyError | None],
    ) -> None:
        self._c, self._calls, self._seats = context, calls, seats
        self._trunk_names, self._trouble = trunk_names, trouble
        self._clock: Clock = context.clock
        self.starts: dict[str, Starts] = {}
        self.since: datetime | None = None
        self.events = 0
        self._ups = 0

    def went(self, *, up: bool) -> None:
        """The link came up, or went down."""
        self.since = self._clock.now()
        self._ups += up

    def started(self, trunk: str, number: int) -> None:
        """Calls were started over a trunk."""
        self.starts.setdefault(trunk, Starts()).add(number, self._clock.monotonic())

    @property
    def up(self) -> bool:
        return self._c.session is not None and self._c.session.up

    @property
    def trouble(self) -> TelephonyError | None:
        return self._trouble()

    @property
    def calls(self) -> int:
        return sum(1 for _ in self._calls())

    @property
    def legs_up(self) -> int:
        return sum(seat.leg_up for seat in self._seats())

    @property
    def round_trip_ms(self) -> float | None:
        return self._c.session.round_trip_ms if self._c.session is not None else None

    @property
    def reconnects(self) -> int:
        return max(0, self._ups - 1)

    @property
    def trunks(self) -> dict[str, Trunk]:
        used = [live.settings.trunk for live in self._calls()]
        now_s, options = self._clock.monotonic(), self._c.options
        nothing = Starts()
        return {
            name: Trunk(
                used.count(name),
                options.channels,
                self.starts.get(name, nothing).rate(now_s),
                options.rate_per_s,
            )
            for name in {*self._trunk_names(), *used}
        }
