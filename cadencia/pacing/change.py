"""One change of a campaign's settings, before it is made: what the floor does now, and what it would do then.

Small enough to be answered while somebody waits: a few pieces of the present day instead of whole days, shorter the
larger the floor is.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from cadencia.pacing.budget import Count
from cadencia.pacing.controllers import Policy
from cadencia.pacing.kernel import COMPILED
from cadencia.pacing.learned import Learned
from cadencia.pacing.simulator import Floor, Result
from cadencia.pacing.whatif import Figure, Scenario, figure, run_days, summed_up, world_of

#: Pieces of the day that are simulated; the intervals come from what they differ by.
PIECES: Final = 4

#: Before each piece and left out of the figures: the agents begin all at once, and need so long to fall out of step.
WARMUP_S: Final = 300.0

#: Agent hours of one answer. A 20-seat floor takes 0.3 s an hour with the compiled kernel and 2 s without (one core of
#: 2024); beyond _CHEAP_AGENTS an agent's hour costs the more the larger the floor is.
_AGENT_HOURS: Final = 60.0 if COMPILED else 16.0
_CHEAP_AGENTS: Final = 60.0
_LEAST_H, _MOST_H = 0.1, 1.0


@dataclass(frozen=True)
class Terms:
    """How a campaign is run: the part of its settings that the simulator knows.

    Attributes:
        agents: at work for it; shared ones in part.
        cap, target: of the abandonment budget, shares of the live answers; no target aims at the cap.
        wait_s, ring_s, min_ring_s: as `cadencia.pacing.simulator.Floor` has them.
    """

    policy: Policy
    agents: int
    cap: float
    target: float | None
    wait_s: float
    ring_s: float
    min_ring_s: float


@dataclass(frozen=True)
class Question:
    """What would a change do.

    Attributes:
        learned: `Learned.export` of the campaign.
        channels, rate_per_s: of the trunk.
        day, month: the campaign's accounts until now, the day being part of the month.
        seed: the same seed, the same debtors.
    """

    now: Terms
    then: Terms
    learned: Mapping[str, Any]
    channels: int
    rate_per_s: float
    day: Count
    month: Count
    seed: int = 1


@dataclass(frozen=True)
class Figures:
    """Shares are 0 to 1, waits seconds."""

    utilisation: Figure
    wait_mean_s: Figure
    wait_p95_s: Figure
    abandonment: Figure
    dials_per_contact: Figure


@dataclass(frozen=True)
class Answer:
    """What the change would do.

    Attributes:
        difference: then less now, piece by piece on the same debtors: its interval is narrower than theirs.
        pieces, hours: what was simulated: so many pieces of the day of so many hours each.
        answer_rate: share of the dials that a person answers, 0 to 1.
        known: whether the campaign has learnt anything; else the debtors are those of an assumed campaign.
    """

    now: Figures
    then: Figures
    difference: Figures
    pieces: int
    hours: float
    answer_rate: float
    known: bool


def hours_for(agents: int) -> float:
    """Hours of each piece for a floor of this size."""
    dear = max(1.0, agents / _CHEAP_AGENTS)
    return round(min(_MOST_H, max(_LEAST_H, _AGENT_HOURS / (PIECES * max(1, agents) * dear))), 2)


def compare(question: Question) -> Answer:
    """Simulate a campaign under its present and its changed terms, on the same debtors."""
    hours = hours_for(max(question.now.agents, question.then.agents))
    now = _pieces(question, question.now, hours)
    same = question.then == question.now
    then = now if same else _pieces(question, question.then, hours)
    return Answer(
        _figures(now, question.now, hours),
        _figures(then, question.then, hours),
        _difference(now, then),
        PIECES,
        hours,
        world_of(Learned(question.learned), 0)[0].live,
        sum(question.learned.get("talk", [[0.0]])[0]) > 0.0,
    )


def _pieces(question: Question, terms: Terms, hours: float) -> list[Result]:
    floor = Floor(
        terms.agents,
        channels=question.channels,
        rate_per_s=question.rate_per_s,
        cap=terms.cap,
        target=terms.target,
        wait_s=terms.wait_s,
        ring_s=terms.ring_s,
        min_ring_s=terms.min_ring_s,
        month=question.month,
        day=question.day,
    )
    scenario = Scenario(
        floor,
        learned=question.learned,
        hours=hours,
        warmup_s=WARMUP_S,
        days=PIECES,
        one_day=True,
        seed=question.seed,
    )
    return run_days(scenario, terms.policy)


def _figures(pieces: Sequence[Result], terms: Terms, hours: float) -> Figures:
    one = summed_up(terms.policy, pieces, Scenario(Floor(terms.agents), hours=hours))
    return Figures(one.utilisation, one.wait_mean_s, one.wait_p95_s, one.abandonment, one.dials_per_contact)


def _difference(now: Sequence[Result], then: Sequence[Result]) -> Figures:
    pairs = list(zip(now, then, strict=True))
    return Figures(
        figure([b.utilisation - a.utilisation for a, b in pairs]),
        figure([b.wait_mean_s - a.wait_mean_s for a, b in pairs]),
        figure([b.wait_p95_s - a.wait_p95_s for a, b in pairs]),
        figure([b.abandonment - a.abandonment for a, b in pairs]),
        figure([b.dials / max(1, b.contacts) - a.dials / max(1, a.contacts) for a, b in pairs]),
    )
