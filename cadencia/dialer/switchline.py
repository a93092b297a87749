"""A running server and its trunks, as the engineer's page asks for them (`cadencia.dialer.lines.ServerLine`)."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import datetime

from cadencia.dialer.calls import Calls
from cadencia.dialer.floor import Floor
from cadencia.dialer.servers import Switch, Trunk
from cadencia.errors import TelephonyError


@dataclass(frozen=True, slots=True)
class TrunkNow:
    """A trunk's present (`cadencia.dialer.lines.TrunkLine`)."""

    channels_used: int
    channels: int
    rate_used: float
    rate_per_s: float
    state: str


class SwitchLine:
    """A server's present."""

    version = ""  # an account of least rights is not told it

    def __init__(self, switch: Switch, calls: Calls, floor: Floor, now_s: float) -> None:
        self._now_s = now_s
        self._switch, self._calls, self._floor = switch, calls.on(switch), floor
        self.name, self.events = switch.name, switch.events
        self.since: datetime | None = switch.up_since or switch.down_since
        self.trouble: TelephonyError | None = switch.trouble
        self.reconnects = max(0, switch.links - 1)

    @property
    def up(self) -> bool:
        return self._switch.ready

    @property
    def calls(self) -> int:
        return len(self._calls)

    @property
    def legs_up(self) -> int:
        if not self._switch.ready:
            return 0  # nobody knows
        return sum(seat.leg_up and seat.switch is self._switch for seat in self._floor.seats.values())

    @property
    def round_trip_ms(self) -> float | None:
        session = self._switch.session
        return session.round_trip_ms if session is not None else None

    @property
    def trunks(self) -> dict[str, TrunkNow]:
        used = Counter(live.settings.trunk for live in self._calls)
        return {name: self._trunk(trunk, used[name]) for name, trunk in self._switch.trunks.items()}

    def _trunk(self, trunk: Trunk, used: int) -> TrunkNow:
        line, state = trunk.line, "unknown"
        if trunk.name in self._switch.missing or not trunk.usable:
            state = "down"
        elif trunk.state and self._switch.ready:
            state = "up"
        return TrunkNow(used, line.channels, trunk.starts.rate(self._now_s), line.rate_per_s, state)
