"""The controller port: how a pacing policy is told what happens and asked what to do.

A controller is a plain object without clock, randomness, I/O or logging. The engine and the floor simulator drive the
same object: they `tell` it every event, in order, and ask it to `decide` over a frozen snapshot, on every event and at
least once a second. All times are the clock's monotonic seconds. Values that did not change may be passed as the same
objects again: a controller recognises them and saves the work.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

from cadencia.domain.agents import AgentState
from cadencia.pacing.budget import Budget


class PacingEventKind(StrEnum):
    LAUNCHED = "launched"  # `propensity` says to whom
    ANSWERED = "answered"  # by somebody who needs an agent now: a person, or what no detector told apart from one
    MACHINE = "machine"  # answered by a machine, and recognised: no agent is needed
    UNANSWERED = "unanswered"  # ended without an answer, for a reason on the debtor's side: `ending`
    FAILED = "failed"  # congestion or trunk failure: not the debtor's doing
    CANCELLED = "cancelled"  # we took it back
    CONNECTED = "connected"  # an agent and the answered person are together
    ENDED = "ended"  # a connected call ended
    ABANDONED = "abandoned"  # answered, and nobody came in time
    JUDGED = "judged"  # the disposition of a connected call is known: `live` says whether it was a person
    AGENT = "agent"  # an agent changed state: `agent_state`


@dataclass(frozen=True, slots=True)
class PacingEvent:
    """What happened.

    Attributes:
        ref: the attempt's id; for AGENT the agent's.
        propensity: the answer-propensity class of the debtor (LAUNCHED), 0 if all are alike.
        ending: how an unanswered call ended (an outcome code).
        live: whether a person had answered (JUDGED).
        line: the trunk of the switch that carries the call (LAUNCHED): its failures are no other's.
    """

    kind: PacingEventKind
    at_s: float
    ref: str
    agent_state: AgentState | None = None
    propensity: int = 0
    ending: str = ""
    live: bool = True
    line: str = ""


@dataclass(frozen=True, slots=True)
class AgentView:
    """An agent who may serve this campaign.

    Attributes:
        since_s: since when in this state.
        share: how much of this agent the campaign may count on, 0 to 1 (`cadencia.pacing.sharing`).
        delay_s: from the reservation to the conversation: of an agent whose telephone is rung for each call.
    """

    id: str
    state: AgentState
    since_s: float
    share: float = 1.0
    delay_s: float = 0.0


@dataclass(frozen=True, slots=True)
class DialView:
    """A call that is on its way and not answered yet."""

    attempt_id: str
    launched_s: float
    ringing_s: float | None = None  # since when it is known to ring
    propensity: int = 0


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The floor at one instant, for one campaign, or for the part of it that lives on one switch.

    Attributes:
        agents: those who are signed in and may serve this campaign.
        dials: in flight, unanswered.
        waiting: answered people whom no agent has yet.
        channels: how many more calls the trunk can carry now.
        rate: how many more calls the trunk's rate lets start at this instant.
        supply: contacts at hand, by propensity class; None if the list sets no limit.
        budget: what may be abandoned.
        min_ring_s: a ringing call must not be taken back before this age.
        wait_s: how long an answered person waits before the call counts as abandoned.
        line: the trunk of the switch that calls go out by.
    """

    now_s: float
    agents: tuple[AgentView, ...]
    dials: tuple[DialView, ...] = ()
    waiting: int = 0
    channels: int = 1_000_000
    rate: int = 1_000_000
    supply: tuple[int, ...] | None = None
    budget: Budget = field(default_factory=Budget)
    min_ring_s: float = 15.0
    wait_s: float = 2.0
    line: str = ""


@dataclass(frozen=True, slots=True)
class Forecast:
    """What a decision was made from; rates and probabilities are numbers from 0 to 1.

    Attributes:
        risk: probability that the next answer would find nobody.
        threshold: the risk up to which the controller dials.
        budget_drops: calls that may still be abandoned, negative when overdrawn.
        answer_rate: of the dials, by those who need an agent.
        free_5s, free_10s, free_30s: agents expected to be free by then if nobody were dialled any more.
        answers_10s: answers expected within 10 s from the dials in flight, with a 90 % band.
    """

    risk: float = 0.0
    threshold: float = 0.0
    budget_drops: float = 0.0
    answer_rate: float = 0.0
    free_5s: float = 0.0
    free_10s: float = 0.0
    free_30s: float = 0.0
    answers_10s: float = 0.0
    answers_10s_low: float = 0.0
    answers_10s_high: float = 0.0


@dataclass(frozen=True, slots=True)
class Decision:
    """What to do now.

    Attributes:
        launch: calls to start.
        cancel: dials to take back.
        reason: a code of `cadencia.pacing.reasons`, which the pages put into words.
        propensities: `launch` by propensity class; empty if it is all the same whom.
        wanted: calls it would start if the list had them at hand (>= launch).
        forecast: the numbers behind it; None where nothing was forecast.
    """

    launch: int
    cancel: tuple[str, ...] = ()
    reason: str = ""
    propensities: tuple[int, ...] = ()
    wanted: int = 0
    forecast: Forecast | None = None


class Controller(Protocol):
    def tell(self, event: PacingEvent) -> None:
        """Learn of an event."""

    def decide(self, snapshot: Snapshot) -> Decision:
        """What to do now."""
