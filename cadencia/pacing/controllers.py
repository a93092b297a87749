"""The pacing policies behind the controller port, and the one place that makes them.

What is learnt (`Learned`) does not belong to a policy: it goes from one controller to the next, so that a change of
mode or of a setting while calls are in flight loses nothing.
"""

from __future__ import annotations

from dataclasses import dataclass

from cadencia.domain.agents import AT_WORK, AgentState
from cadencia.domain.dialing import Mode
from cadencia.pacing import reasons
from cadencia.pacing.learned import Learned
from cadencia.pacing.port import Controller, Decision, PacingEvent, Snapshot

#: Drops below zero at which the budget forces one call per free agent.
OVERDRAWN_DROPS = 2.0

#: Seconds from the launch until a call rings, where the trunk does not say when it does.
SILENT_PDD_S = 3.0


@dataclass(frozen=True, slots=True)
class Policy:
    """How a campaign is to be paced.

    Attributes:
        ratio: calls per free agent in ratio mode, >= 1.
        cancel_late: take late ringing calls back while no agent is free (predictive; never before the minimum ring).
        choose: choose the propensity class of each call (predictive); else the list's order decides.
    """

    mode: Mode = Mode.PREDICTIVE
    ratio: float = 1.0
    cancel_late: bool = True
    choose: bool = True

    def __post_init__(self) -> None:
        if not self.ratio >= 1.0:
            raise ValueError("a ratio below one call per free agent leaves agents without calls")


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
        overdrawn = self.ratio > 1.0 and snapshot.budget.drops(at_work) <= -OVERDRAWN_DROPS
        want = int(free * (1.0 if overdrawn else self.ratio) + 1e-9) - len(snapshot.dials) - snapshot.waiting
        limit = reasons.LIMITED_BY_ABANDONMENT if overdrawn else ""
        if want <= 0:
            return Decision(0, (), limit or reasons.ENOUGH_IN_FLIGHT)
        return limited(snapshot, want, limit or reasons.LAUNCHING)


class PreviewController:
    """An agent sees the file first and chooses: one contact for each free agent who has none before the eyes."""

    def __init__(self, learned: Learned) -> None:
        self.learned = learned

    def tell(self, event: PacingEvent) -> None:
        self.learned.tell(event)

    def decide(self, snapshot: Snapshot) -> Decision:
        """`launch` contacts are offered; each is dialled when its agent says so, or when the time to choose is over."""
        states = [agent.state for agent in snapshot.agents if agent.share > 0.0]
        if not any(state in AT_WORK for state in states):
            return Decision(0, cancellable(snapshot), reasons.NO_AGENTS)
        free = states.count(AgentState.READY)
        if free:
            return limited(snapshot, free, reasons.LAUNCHING)
        choosing = AgentState.PREVIEW in states
        return Decision(0, (), reasons.AGENT_CHOOSES if choosing else reasons.NO_FREE_AGENT)


def make_controller(policy: Policy, learned: Learned | None = None) -> Controller:
    """The controller of a policy.

    Args:
        learned: what the controller before it had learnt.
    """
    learned = Learned() if learned is None else learned
    if policy.mode is Mode.PREVIEW:
        return PreviewController(learned)
    if policy.mode is Mode.RATIO:
        return RatioController(policy.ratio, learned)
    return RatioController(1.0, learned)


def limited(snapshot: Snapshot, want: int, reason: str) -> Decision:
    """Launch `want` calls as far as channels, rate and list allow; the tightest of them becomes the reason."""
    launch = want
    for limit, name in (
        (snapshot.channels, reasons.LIMITED_BY_CHANNELS),
        (snapshot.rate, reasons.LIMITED_BY_RATE),
    ):
        if limit < launch:
            launch, reason = max(0, limit), name
    wanted = launch
    if snapshot.supply is not None and sum(snapshot.supply) < launch:
        launch, reason = sum(snapshot.supply), reasons.LIMITED_BY_LIST
    return Decision(launch, (), reason, wanted=wanted)


def cancellable(snapshot: Snapshot) -> tuple[str, ...]:
    """The calls in flight that have rung long enough to be taken back.

    Where the trunk never told that a call rings, a post-dial delay is allowed for, so that the minimum ring is kept.
    """
    rings_before = snapshot.now_s - snapshot.min_ring_s
    launched_before = rings_before - (SILENT_PDD_S if snapshot.min_ring_s > 0.0 else 0.0)
    return tuple(
        dial.attempt_id
        for dial in snapshot.dials
        if (dial.launched_s <= launched_before if dial.ringing_s is None else dial.ringing_s <= rings_before)
    )
