"""What a run came to: latencies and waits as they happen, and the summary at the end."""

from __future__ import annotations

import statistics
from collections import Counter
from collections.abc import Iterable
from datetime import date
from typing import Any

from cadencia.dialer.live import Seat
from cadencia.dialer.servers import Switches
from cadencia.dialer.views import FloorView
from cadencia.domain.agents import AgentState
from cadencia.domain.codes import Outcome
from cadencia.domain.dialing import CampaignCounts
from cadencia.domain.events import Event
from cadencia.metrics.prometheus import Metrics

#: Samples kept of each latency: enough for a day, bounded.
_KEPT = 200_000


class Tally:
    """The engine's observer: feeds the metrics, and keeps what the summary needs."""

    def __init__(self, metrics: Metrics) -> None:
        self.metrics = metrics
        self.bridged_ms: list[float] = []
        self.popped_ms: list[float] = []
        self.waited_s: list[float] = []

    def event(self, name: str) -> None:
        self.metrics.observe_ami_event(name)

    def settled(self, campaign_id: str, outcome: Outcome) -> None:
        self.metrics.observe_call(campaign_id, outcome)

    def unknown_cause(self, server: str, trunk: str, sip: int | None, q850: int | None) -> None:
        self.metrics.observe_unknown_cause(server, trunk, sip, q850)

    def denied(self, campaign_id: str, code: str, number: int) -> None:
        self.metrics.observe_denied(campaign_id, code, number)

    def decided(self, seconds: float) -> None:
        self.metrics.observe_decision(seconds)

    def bridged(self, milliseconds: float) -> None:
        self.metrics.observe_answer_to_bridge(milliseconds)
        _keep(self.bridged_ms, milliseconds)

    def popped(self, milliseconds: float) -> None:
        self.metrics.observe_screen_pop(milliseconds)
        _keep(self.popped_ms, milliseconds)

    def waited(self, seconds: float) -> None:
        _keep(self.waited_s, seconds)

    def floor(self, view: FloorView) -> None:
        metrics = self.metrics
        metrics.set_agents(Counter(agent.state for agent in view.agents))
        for campaign in view.campaigns:
            metrics.set_abandonment(campaign.id, campaign.abandonment_rate)
            metrics.set_in_flight(
                campaign.id, dialling=campaign.dialling, waiting=campaign.waiting, talking=campaign.talking
            )

    def lines(self, switches: Switches) -> None:
        for switch in switches:
            session = switch.session
            self.metrics.set_ami_link(switch.name, switch.ready, session.round_trip_ms if session else None)
            for trunk in switch.trunks.values():
                self.metrics.set_trunk(switch.name, trunk.name, up=switch.carries(trunk.name))

    def sealed(self, rows: int, behind: int, lag_s: float) -> None:
        self.metrics.observe_sealed(rows, behind, lag_s)

    def rechecked(self, day: date, violations: int) -> None:
        self.metrics.observe_recheck(day, violations)


def _keep(samples: list[float], value: float) -> None:
    if len(samples) < _KEPT:
        samples.append(value)


def percentile(samples: list[float], share: float) -> float | None:
    """The smallest sample that at least `share` of all do not exceed (nearest rank); None without samples."""
    if not samples:
        return None
    ordered = sorted(samples)
    return ordered[max(0, min(len(ordered) - 1, -int(-len(ordered) * share // 1) - 1))]


def utilisation(seats: Iterable[Seat], now_s: float) -> float | None:
    """Busy / (busy + waiting) over all seats: talk, wrap-up and looking at a file to choose (preview) are work; pauses
    and sign-outs are no working time."""
    busy = idle = 0.0
    for seat in seats:
        spent = dict(seat.spent_s)
        spent[seat.state] = spent.get(seat.state, 0.0) + now_s - seat.since_s
        busy += sum(spent.get(state, 0.0) for state in (AgentState.TALKING, AgentState.WRAPUP, AgentState.PREVIEW))
        idle += spent.get(AgentState.READY, 0.0) + spent.get(AgentState.RESERVED, 0.0)
    return busy / (busy + idle) if busy + idle > 0.0 else None


class DoubleLeases:
    """Counts, from the event log alone, whenever one contact had two open attempts or one agent two debtors."""

    def __init__(self) -> None:
        self.count = 0
        self._contacts: dict[int, set[str]] = {}
        self._agents: dict[str, str] = {}
        self._agent_of: dict[str, str] = {}

    def take(self, event: Event) -> None:
        """Feed the log in order."""
        attempt_id = event.attempt_id
        if attempt_id is None:
            return
        if event.kind == "attempt.leased" and event.contact_id is not None:
            held = self._contacts.setdefault(event.contact_id, set())
            self.count += bool(held)
            held.add(attempt_id)
        elif event.kind == "attempt.connected" and event.agent_id is not None:
            self.count += self._agents.get(event.agent_id, attempt_id) != attempt_id
            self._agents[event.agent_id] = attempt_id
            before = self._agent_of.get(attempt_id)
            if before is not None and before != event.agent_id and self._agents.get(before) == attempt_id:
                del self._agents[before]
            self._agent_of[attempt_id] = event.agent_id
        elif event.kind in ("attempt.settled", "attempt.returned"):
            if event.contact_id is not None:
                self._contacts.get(event.contact_id, set()).discard(attempt_id)
            agent = self._agent_of.pop(attempt_id, None)
            if agent is not None and self._agents.get(agent) == attempt_id:
                del self._agents[agent]


def summary(
    counts: CampaignCounts, tally: Tally, seats: Iterable[Seat], now_s: float, *, on_the_line: int, double_leases: int
) -> dict[str, Any]:
    """The numbers of a run; keys in `_ms` are wall time, in `_s` the clock's."""
    waits = tally.waited_s
    used = utilisation(seats, now_s)
    return {
        "attempts": counts.attempts,
        "answered_live": counts.answered_live,
        "connected": counts.connected,
        "abandoned": counts.abandoned,
        "abandonment_rate": round(counts.abandoned / counts.answered_live, 5) if counts.answered_live else 0.0,
        "utilisation": None if used is None else round(used, 4),
        "agent_wait_s": {"mean": _round(statistics.fmean(waits) if waits else None), "p95": _at(waits, 0.95)},
        "answer_to_bridge_ms": {"p50": _at(tally.bridged_ms, 0.5), "p99": _at(tally.bridged_ms, 0.99)},
        "screenpop_ms": {"p50": _at(tally.popped_ms, 0.5), "p99": _at(tally.popped_ms, 0.99)},
        "outcomes": dict(sorted(counts.outcomes.items())),
        "denied": dict(sorted(counts.denied.items())),
        "unaccounted": counts.unaccounted - on_the_line,
        "double_leases": double_leases,
    }


def _at(samples: list[float], share: float) -> float | None:
    return _round(percentile(samples, share))


def _round(value: float | None) -> float | None:
    return None if value is None else round(value, 3)
