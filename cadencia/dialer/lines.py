"""The Asterisk servers and their trunks, as the engineer's page shows them."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Protocol

from cadencia.clock import Clock
from cadencia.dialer.trunkbook import End, TrunkBook, TrunkHour
from cadencia.dialer.views import (
    CauseRow,
    FailureView,
    SaidView,
    ServerView,
    TelephonyView,
    TroubleView,
    TrunkView,
)
from cadencia.domain.codes import label
from cadencia.errors import TelephonyError, spoken
from cadencia.telephony import causes
from cadencia.telephony.outcomes import Ending

#: Real seconds over which a rate of events is reckoned: at most, and at least.
_RATE_S = (10.0, 0.9)

#: Clock seconds over which starts are counted for a trunk's rate.
STARTS_S = 10.0

#: Rows of causes that are shown: the most frequent.
_CAUSES = 60

_NOTHING = TrunkHour(0, 0, None, None, None, None, None)


class TrunkLine(Protocol):
    """A trunk as its server holds it.

    `state` is "up", "down" or "unknown"; rates are call starts a second.
    """

    @property
    def state(self) -> str: ...

    @property
    def channels_used(self) -> int: ...

    @property
    def channels(self) -> int: ...

    @property
    def rate_used(self) -> float: ...

    @property
    def rate_per_s(self) -> float: ...


class ServerLine(Protocol):
    """An Asterisk server as the engine holds it.

    `since` is since when the link has been up or down, `events` how many came so far, `legs_up` how many agents'
    telephones stand ready on it.
    """

    @property
    def name(self) -> str: ...

    @property
    def up(self) -> bool: ...

    @property
    def since(self) -> datetime | None: ...

    @property
    def trouble(self) -> TelephonyError | None: ...

    @property
    def calls(self) -> int: ...

    @property
    def legs_up(self) -> int: ...

    @property
    def events(self) -> int: ...

    @property
    def round_trip_ms(self) -> float | None: ...

    @property
    def reconnects(self) -> int: ...

    @property
    def version(self) -> str: ...

    @property
    def trunks(self) -> Mapping[str, TrunkLine]: ...


class Starts:
    """Counts call starts, for the rate of the last `STARTS_S` clock seconds."""

    def __init__(self) -> None:
        self._told: deque[tuple[float, int]] = deque()

    def add(self, number: int, now_s: float) -> None:
        """That many calls were started."""
        self._told.append((now_s, number))
        self._forget(now_s)

    def rate(self, now_s: float) -> float:
        """Starts a second."""
        self._forget(now_s)
        return sum(number for _, number in self._told) / STARTS_S

    def _forget(self, now_s: float) -> None:
        while self._told and self._told[0][0] <= now_s - STARTS_S:
            self._told.popleft()


class Board:
    """Makes the view; remembers the counters of the last one, from which it reckons rates."""

    def __init__(self, clock: Clock, book: TrunkBook) -> None:
        self._clock, self._book = clock, book
        self._seen: dict[str, deque[tuple[float, int]]] = {}  # server -> (wall s, events so far), oldest first

    def view(self, servers: Iterable[ServerLine]) -> TelephonyView:
        """The engineer's present."""
        servers = list(servers)
        now_s = self._clock.monotonic()
        hours, ends = self._book.trunks(now_s), self._book.ends(now_s)
        return TelephonyView(
            at=self._clock.now(),
            simulated=self._clock.simulated,
            servers=tuple(self._server(server) for server in servers),
            trunks=_trunks(servers, hours),
            causes=tuple(_cause(end, number, self._book.newest(end)) for end, number in _shown(ends)),
            calls=sum(hour.attempts for hour in hours.values()),
            unknown=sum(number for end, number in ends if not end.known),
        )

    def _server(self, server: ServerLine) -> ServerView:
        trip_ms = server.round_trip_ms
        return ServerView(
            server.name,
            server.up,
            server.since,
            _trouble(server.trouble),
            server.calls,
            server.legs_up,
            round(self._rate(server), 1),
            None if trip_ms is None else round(trip_ms, 1),
            server.reconnects,
            server.version,
        )

    def _rate(self, server: ServerLine) -> float:
        """Events a second, since the newest look that is old enough."""
        longest_s, shortest_s = _RATE_S
        wall_s, seen = self._clock.wall(), self._seen.setdefault(server.name, deque())
        while len(seen) > 1 and wall_s - seen[1][0] >= longest_s:
            seen.popleft()
        if not seen or wall_s - seen[-1][0] >= shortest_s:
            seen.append((wall_s, server.events))
        before_s, before = seen[0]
        passed_s = wall_s - before_s
        return max(0.0, (server.events - before) / passed_s) if passed_s >= shortest_s else 0.0


def _trouble(error: TelephonyError | None) -> TroubleView | None:
    if error is None:
        return None
    said, hint = (SaidView(spoken(text, "es"), spoken(text, "en")) for text in (error.message, error.hint))
    return TroubleView(error.code, said, hint)


def _trunks(servers: list[ServerLine], hours: Mapping[tuple[str, str], TrunkHour]) -> tuple[TrunkView, ...]:
    shown = []
    for server in servers:
        for name, line in sorted(server.trunks.items()):
            hour = hours.get((server.name, name), _NOTHING)
            failed = hour.last_failure
            shown.append(
                TrunkView(
                    server.name,
                    name,
                    line.state if server.up else "unknown",
                    line.channels_used,
                    line.channels,
                    round(line.rate_used, 2),
                    line.rate_per_s,
                    hour.attempts,
                    hour.answered,
                    _share(hour.asr),
                    hour.pdd_p50_s,
                    hour.pdd_p95_s,
                    _share(hour.short),
                    None if failed is None else FailureView(failed.at, failed.outcome, failed.sip, failed.q850),
                )
            )
    return tuple(shown)


def _share(value: float | None) -> float | None:
    return None if value is None else round(value, 4)


def _shown(ends: list[tuple[End, int]]) -> list[tuple[End, int]]:
    """The most frequent, and all that nobody knows: of those the first is as interesting as the hundredth."""
    return [pair for place, pair in enumerate(ends) if place < _CAUSES or not pair[0].known]


def _cause(end: End, number: int, newest: tuple[str, ...]) -> CauseRow:
    said = causes.meaning(Ending(end.sip, end.q850, end.rang, end.media, end.timeout))
    return CauseRow(
        end.server,
        end.trunk,
        end.sip,
        end.q850,
        end.rang,
        end.media,
        end.timeout,
        end.outcome,
        SaidView(label(end.outcome, "es"), label(end.outcome, "en")),
        end.known,
        end.rule,
        number,
        SaidView(said.es, str(said)),
        newest,
    )
