"""Prometheus metrics, in a registry of their own.

No label ever holds personal data, and the number of label values is bounded: each label takes at most `MAX_VALUES`
different ones, whatever else comes is counted as "other".
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping
from datetime import date

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from cadencia.clock import Clock
from cadencia.domain.agents import AgentState

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
MAX_VALUES = 100

_FIT = re.compile(r"^[A-Za-z0-9_.\-]{1,48}$")
_LONG_NUMBER = re.compile(r"\d{7}")
_MS = (5, 10, 25, 50, 100, 150, 200, 300, 500, 1000, 2000, 5000)
_FAST_S = (0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0)
_STORE_S = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0)


class _Bound:
    """Keeps a label's values few and clean."""

    def __init__(self, limit: int = MAX_VALUES) -> None:
        self._seen: set[str] = set()
        self._limit = limit

    def __call__(self, value: str) -> str:
        if value in self._seen:
            return value
        if len(self._seen) >= self._limit or not _FIT.match(value) or _LONG_NUMBER.search(value):
            return "other"
        self._seen.add(value)
        return value


class Metrics:
    """All metrics of one engine; make one and hand it on. Every method is cheap and never raises for odd values."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._bounds: dict[str, _Bound] = {}
        self._make_calls()
        self._make_engine()

    def _make_calls(self) -> None:
        r = self.registry
        self._calls = Counter("cadencia_calls", "Settled attempts", ["campaign", "outcome"], registry=r)
        self._unknown = Counter(
            "cadencia_unknown_causes", "Calls whose codes no rule of the table of outcomes knows",
            ["server", "trunk", "sip", "q850"], registry=r,
        )  # fmt: skip
        self._denied = Counter("cadencia_denied", "Contacts not dialled", ["campaign", "code"], registry=r)
        self._agents = Gauge("cadencia_agents", "Agents by state", ["state"], registry=r)
        self._abandonment = Gauge(
            "cadencia_abandonment_ratio", "Abandoned live answers / live answers", ["campaign"], registry=r
        )
        self._in_flight = Gauge("cadencia_calls_in_flight", "Calls by stage", ["campaign", "stage"], registry=r)
        self._bridge = Histogram(
            "cadencia_answer_to_bridge_milliseconds", "From the answer to both parties hearing each other",
            buckets=_MS, registry=r,
        )  # fmt: skip
        self._pop = Histogram(
            "cadencia_screen_pop_milliseconds", "From the answer to the screen-pop leaving for the page",
            buckets=_MS, registry=r,
        )  # fmt: skip

    def _make_engine(self) -> None:
        r = self.registry
        self._decision = Histogram(
            "cadencia_decision_seconds", "Time of one pacing decision", buckets=_FAST_S, registry=r
        )
        self._ami_events = Counter("cadencia_ami_events", "AMI events by name", ["event"], registry=r)
        self._ami_up = Gauge("cadencia_ami_up", "1 while the AMI link to a server is up", ["server"], registry=r)
        self._round_trip = Gauge(
            "cadencia_ami_round_trip_seconds", "From an order to its answer, newest first", ["server"], registry=r
        )
        self._trunk_up = Gauge(
            "cadencia_trunk_up", "1 while a trunk can be dialled on", ["server", "trunk"], registry=r
        )
        self._lag = Histogram(
            "cadencia_loop_lag_seconds", "How late the event loop turns", buckets=_STORE_S, registry=r
        )
        self._lag_now = Gauge("cadencia_loop_lag_last_seconds", "The last sample of the loop's lag", registry=r)
        self._store = Histogram(
            "cadencia_store_seconds", "Time of store calls", ["operation"], buckets=_STORE_S, registry=r
        )
        self._sealed = Counter("cadencia_evidence_rows", "Rows of evidence sealed", registry=r)
        self._unsealed = Gauge("cadencia_evidence_lag_events", "Events of the log not looked at yet", registry=r)
        self._sealed_lag = Gauge("cadencia_evidence_lag_seconds", "Age of the oldest event not sealed", registry=r)
        self._violations = Gauge(
            "cadencia_violations", "Unlawful contacts that the last night's re-check found", registry=r
        )
        self._recheck_day = Gauge(
            "cadencia_recheck_day", "Midnight UTC of the date that was re-checked last, Unix time", registry=r
        )
        self._streams = Gauge("cadencia_event_streams", "Open event streams of pages", registry=r)

    def _bound(self, label: str, value: str) -> str:
        return self._bounds.setdefault(label, _Bound())(value)

    # -- calls --------------------------------------------------------------------------------------------------------
    def observe_call(self, campaign_id: str, outcome: str) -> None:
        """An attempt was settled."""
        self._calls.labels(self._bound("campaign", campaign_id), self._bound("outcome", outcome)).inc()

    def observe_unknown_cause(self, server: str, trunk: str, sip: int | None, q850: int | None) -> None:
        """A call ended with codes that the table of outcomes does not know; None where the switch told none."""
        values = {"server": server, "trunk": trunk, "sip": str(sip or "none")}
        values["q850"] = "none" if q850 is None else str(q850)
        self._unknown.labels(**{label: self._bound(label, value) for label, value in values.items()}).inc()

    def observe_denied(self, campaign_id: str, code: str, count: int = 1) -> None:
        """The gate did not let contacts be dialled."""
        self._denied.labels(self._bound("campaign", campaign_id), self._bound("denial", code)).inc(count)

    def set_agents(self, by_state: Mapping[str, int]) -> None:
        """How many agents are in each state; states left out have none."""
        for state in AgentState:
            self._agents.labels(state.value).set(by_state.get(state.value, 0))

    def set_abandonment(self, campaign_id: str, ratio: float) -> None:
        """Abandoned live answers by live answers, 0 to 1."""
        self._abandonment.labels(self._bound("campaign", campaign_id)).set(ratio)

    def set_in_flight(self, campaign_id: str, *, dialling: int, waiting: int, talking: int) -> None:
        """Calls of a campaign by stage."""
        campaign = self._bound("campaign", campaign_id)
        for stage, count in (("dialling", dialling), ("waiting", waiting), ("talking", talking)):
            self._in_flight.labels(campaign, stage).set(count)

    def observe_answer_to_bridge(self, milliseconds: float) -> None:
        """From the answer to the bridge, wall milliseconds."""
        self._bridge.observe(milliseconds)

    def observe_screen_pop(self, milliseconds: float) -> None:
        """From the answer to the screen-pop's publication, wall milliseconds."""
        self._pop.observe(milliseconds)

    # -- the engine ---------------------------------------------------------------------------------------------------
    def observe_recheck(self, day: date, violations: int) -> None:
        """A day's contacts were judged again."""
        self._violations.set(violations)
        self._recheck_day.set((day - date(1970, 1, 1)).days * 86_400)

    def observe_sealed(self, rows: int, behind: int, lag_s: float) -> None:
        """Rows of evidence were sealed, and how far the sealing is behind."""
        self._sealed.inc(rows)
        self._unsealed.set(behind)
        self._sealed_lag.set(lag_s)

    def observe_decision(self, seconds: float) -> None:
        """Time of one pacing decision."""
        self._decision.observe(seconds)

    def observe_ami_event(self, name: str) -> None:
        """An event came from the switch."""
        self._ami_events.labels(self._bound("event", name)).inc()

    def set_ami_link(self, server: str, up: bool, round_trip_ms: float | None = None) -> None:
        """Whether the AMI link to a server stands, and how long it takes to answer."""
        label = self._bound("server", server)
        self._ami_up.labels(label).set(1 if up else 0)
        if round_trip_ms is not None:
            self._round_trip.labels(label).set(round_trip_ms / 1000.0)

    def set_trunk(self, server: str, trunk: str, *, up: bool) -> None:
        """Whether a trunk of a server can be dialled on."""
        self._trunk_up.labels(self._bound("server", server), self._bound("trunk", trunk)).set(1 if up else 0)

    def observe_loop_lag(self, seconds: float) -> None:
        """A sample of how late the event loop turned."""
        self._lag.observe(seconds)
        self._lag_now.set(seconds)

    def observe_store(self, operation: str, seconds: float) -> None:
        """A call of the store, by the port's method name."""
        self._store.labels(self._bound("operation", operation)).observe(seconds)

    def set_streams(self, count: int) -> None:
        """Open event streams."""
        self._streams.set(count)

    def render(self) -> bytes:
        """All of it in the text format, as GET /metrics gives it."""
        return generate_latest(self.registry)


async def watch_loop_lag(metrics: Metrics, clock: Clock, every_s: float = 0.25) -> None:
    """Sample the event loop's lag until cancelled: how much later than asked it wakes this coroutine."""
    while True:
        before = clock.wall()
        await asyncio.sleep(every_s)
        metrics.observe_loop_lag(max(0.0, clock.wall() - before - every_s))
