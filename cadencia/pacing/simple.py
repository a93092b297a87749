"""Policies that do not look ahead: preview, progressive, ratio."""

from __future__ import annotations

from cadencia.domain.agents import AT_WORK, AgentState
from cadencia.pacing import reasons
from cadencia.pacing.learned import Learned
from cadencia.pacing.limits import OVERDRAWN_DROPS, cancellable, limited
from cadencia.pacing.port import Decision, PacingEvent, Snapshot


class RatioController:
    """`ratio` calls in flight for each free agent, rounded down, at least one; a ratio of 1 is progressive pacing.

    It does not look ahead. Above one call per agent it abandons, and falls back to one when its abandonment budget is
    overdrawn by two drops or more (a hard cut at the empty budget makes a controller swing between overspending and
    idling).
    """

    def __init__(self, ratio: float, learned: Learned) -> None:
        self.ratio, self.learned = ratio, learned

    def tell(self, event: PacingEvent) -> None:
        self.learned.tell(event)

    def decide(self, snapshot: Snapshot) -> Decision:
        """Launch up to ratio x free agents, less what is on its way; with nobody at work take back what may be."""
        at_work = sum(agent.state in AT_WORK for agent in snapshot.agents)
        if not at_work:
            return Decision(0, cancellable(snapshot), reasons.NO_AGENTS)
        free = sum(agent.share for agent in snapshot.agents if agent.state is AgentState.READY)
        if free == 0:
            return Decision(0, (), reasons.NO_FREE_AGENT)
        drops = snapshot.budget.drops(at_work, self.learned.machine_share)
        overdrawn = self.ratio > 1.0 and drops <= -OVERDRAWN_DROPS
        want = int(free * (1.0 if overdrawn else self.ratio) + 1e-9) - len(snapshot.dials) - snapshot.waiting
        limit = reasons.LIMITED_BY_ABANDONMENT if overdrawn else ""
        if want <= 0:
            return Decision(0, (), limit or reasons.ENOUGH_IN_FLIGHT)
        return limited(snapshot, self.learned.breaker(snapshot.line), want, limit or reasons.LAUNCHING)


class PreviewController:
    """An agent sees the file first and chooses: one contact for each free agent who has none before the eyes."""

    def __init__(self, learned: Learned) -> None:
        self.learned = learned

    def tell(self, event: PacingEvent) -> None:
        self.learned.tell(event)

    def decide(self, snapshot: Snapshot) -> Decision:
        """`launch` contacts are offered; each is dialled when its agent says so, or when the time to choose is over.

        A call in flight that no agent is reserved for (launched in another mode, or where nobody looks at files first)
        needs one of the free agents.
        """
        states = [agent.state for agent in snapshot.agents if agent.share > 0.0]
        if not any(state in AT_WORK for state in states):
            return Decision(0, cancellable(snapshot), reasons.NO_AGENTS)
        free = states.count(AgentState.READY)
        want = free - max(0, len(snapshot.dials) + snapshot.waiting - states.count(AgentState.RESERVED))
        if want > 0:
            return limited(snapshot, self.learned.breaker(snapshot.line), want)
        if free:
            return Decision(0, (), reasons.ENOUGH_IN_FLIGHT)
        choosing = AgentState.PREVIEW in states
        return Decision(0, (), reasons.AGENT_CHOOSES if choosing else reasons.NO_FREE_AGENT)
