"""The controller port: how a pacing policy is told what happens and asked what to do.

A controller is a plain object without clock, randomness, I/O or logging. The engine and the floor simulator drive the
same object: they `tell` it every event, in order, and ask it to `decide` over a frozen snapshot, on every event and at
least once a second. All times are the clock's monotonic seconds.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from cadencia.domain.agents import AgentState


class PacingEventKind(StrEnum):
    LAUNCHED = "launched"
    ANSWERED = "answered"
    UNANSWERED = "unanswered"  # ended without an answer, for a reason on the debtor's side
    FAILED = "failed"  # congestion or trunk failure: not the debtor's doing
    CONNECTED = "connected"
    ENDED = "ended"  # a connected call ended
    ABANDONED = "abandoned"
    AGENT = "agent"  # an agent changed state


@dataclass(frozen=True)
class PacingEvent:
    """What happened. `ref` is the attempt's or the agent's id."""

    kind: PacingEventKind
    at_s: float
    ref: str
    agent_state: AgentState | None = None


@dataclass(frozen=True)
class AgentView:
    id: str
    state: AgentState
    since_s: float


@dataclass(frozen=True)
class DialView:
    """A call that is on its way and not answered yet."""

    attempt_id: str
    launched_s: float
    ringing_s: float | None = None  # since when it is known to ring


@dataclass(frozen=True)
class Snapshot:
    """The floor at one instant, for one campaign.

    Attributes:
        agents: those who are signed in and may serve this campaign.
        dials: in flight, unanswered.
        waiting: answered people whom no agent has yet.
        channels: how many more calls the trunk can carry now.
        live_answers, abandoned: of the campaign, so far.
        min_ring_s: a ringing call must not be taken back before this age.
    """

    now_s: float
    agents: tuple[AgentView, ...]
    dials: tuple[DialView, ...]
    waiting: int
    channels: int
    live_answers: int
    abandoned: int
    abandonment_cap: float
    min_ring_s: float


@dataclass(frozen=True)
class Decision:
    """How many calls to launch, which to take back, and why (a stable code that the pages put into words)."""

    launch: int
    cancel: tuple[str, ...]
    reason: str


class Controller(Protocol):
    def tell(self, event: PacingEvent) -> None:
        """Learn of an event."""

    def decide(self, snapshot: Snapshot) -> Decision:
        """What to do now."""
