"""Progressive and ratio pacing: so many calls for each agent who is free now.

Neither looks ahead. Progressive never abandons anybody except by the race between two answers; ratio does, and falls
back to one call per free agent when its abandonment budget is overdrawn by two drops or more (a hard cut at the empty
budget makes a controller swing between overspending and idling).
"""

from __future__ import annotations

from cadencia.domain.agents import AT_WORK, AgentState
from cadencia.pacing.port import Decision, PacingEvent, Snapshot

#: Reasons of decisions, as the pages put them into words.
NO_AGENTS = "no-agents"
NO_FREE_AGENT = "no-free-agent"
ENOUGH_IN_FLIGHT = "enough-in-flight"
LIMITED_BY_CHANNELS = "limited-by-channels"
LIMITED_BY_ABANDONMENT = "limited-by-abandonment"
LAUNCHING = "launching"

#: Drops below zero at which the budget forces one call per free agent.
OVERDRAWN_DROPS = 2.0


class RatioController:
    """`ratio` calls in flight for each free agent, rounded down, at least one.

    Args:
        ratio: calls per free agent, >= 1; 1 is progressive pacing.
    """

    def __init__(self, ratio: float = 1.0) -> None:
        if ratio < 1.0:
            raise ValueError("a ratio below one call per free agent leaves agents without calls")
        self.ratio = ratio

    def tell(self, event: PacingEvent) -> None:
        """Nothing is learnt: the snapshot holds all that is asked."""

    def decide(self, snapshot: Snapshot) -> Decision:
        """Launch up to ratio x free agents, less what is on its way; with nobody at work take back what may be."""
        if not any(agent.state in AT_WORK for agent in snapshot.agents):
            return Decision(0, cancellable(snapshot), NO_AGENTS)
        free = sum(agent.state is AgentState.READY for agent in snapshot.agents)
        if free == 0:
            return Decision(0, (), NO_FREE_AGENT)
        budget = snapshot.abandonment_cap * snapshot.live_answers - snapshot.abandoned
        overdrawn = self.ratio > 1.0 and budget <= -OVERDRAWN_DROPS
        ratio = 1.0 if overdrawn else self.ratio
        want = int(free * ratio + 1e-9) - len(snapshot.dials) - snapshot.waiting
        if want <= 0:
            return Decision(0, (), LIMITED_BY_ABANDONMENT if overdrawn else ENOUGH_IN_FLIGHT)
        if want > snapshot.channels:
            return Decision(max(0, snapshot.channels), (), LIMITED_BY_CHANNELS)
        return Decision(want, (), LIMITED_BY_ABANDONMENT if overdrawn else LAUNCHING)


def cancellable(snapshot: Snapshot) -> tuple[str, ...]:
    """The calls in flight that have rung long enough to be taken back (from the launch, if no ringing was told)."""
    latest = snapshot.now_s - snapshot.min_ring_s
    return tuple(
        dial.attempt_id
        for dial in snapshot.dials
        if (dial.launched_s if dial.ringing_s is None else dial.ringing_s) <= latest
    )
