"""What the floor simulator is given and what it gives, and the limits that it holds a controller to."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from cadencia.pacing.budget import Count
from cadencia.pacing.port import Decision, Snapshot


@dataclass(frozen=True)
class Floor:
    """What is simulated around the world.

    Attributes:
        lines_per_agent: channels of the trunk for each agent.
        channels: channels of the trunk altogether, instead.
        rate_per_s: call starts per second that the trunk takes.
        cap, target: of the abandonment budget.
        wait_s: an answered caller who has waited so long counts as abandoned.
        ring_s: a dial is given up after so long, from its launch.
        list_size: contacts on the list; None for as many as it takes.
        month: what the campaign's earlier days left in the 30-day account, and the day itself until now.
        day: what the day brought before the simulation begins.
        presence: when each seat is taken, (begin, end) in seconds from the day's start; otherwise `agents` are there
            by the world's shift.
        buffer: contacts at hand from which the class may be chosen; None for three for each agent, at least 50.
    """

    agents: int
    lines_per_agent: float = 6.0
    channels: int | None = None
    rate_per_s: float = math.inf
    cap: float = 0.03
    target: float | None = None
    wait_s: float = 2.0
    ring_s: float = 25.0
    min_ring_s: float = 15.0
    list_size: int | None = None
    month: Count = field(default_factory=Count)
    day: Count = field(default_factory=Count)
    presence: tuple[tuple[float, float], ...] | None = None
    buffer: int | None = None

    @property
    def lines(self) -> int:
        """Channels of the trunk."""
        return self.channels if self.channels is not None else max(1, round(self.agents * self.lines_per_agent))


@dataclass(frozen=True)
class Result:
    """What a simulated day came to. Everything but the counts of `day` and `first_half_hour` is after the warm-up.

    Attributes:
        utilisation: (talk + wrap-up) / (talk + wrap-up + waiting) of the agents who are not on a break, 0 to 1.
        wait_mean_s, wait_p95_s: an agent's wait for a conversation, seconds.
        answers, abandoned: strict, as `cadencia.pacing.budget.Count` has them.
        abandonment: the strict rate, 0 to 1.
        false_positives: people whom the detector took for machines.
        dials, contacts: calls started; answered calls that reached an agent.
        cancelled: dials taken back.
        day: the whole day, the warm-up included.
        first_half_hour: of the cold start.
        series: one row a minute: time, utilisation, answers, abandoned, dials of that minute.
    """

    utilisation: float
    wait_mean_s: float
    wait_p95_s: float
    answers: int
    abandoned: int
    false_positives: int
    dials: int
    contacts: int
    cancelled: int
    day: Count
    first_half_hour: Count
    series: tuple[tuple[float, float, int, int, int], ...] = ()

    @property
    def abandonment(self) -> float:
        return self.abandoned / self.answers if self.answers else 0.0

    @property
    def days(self) -> tuple[Count, ...]:
        return (self.day,)


def check(snapshot: Snapshot, decision: Decision) -> None:
    """A controller is trusted to keep its limits; whoever writes one hears of it if it does not.

    Raises ValueError: which limit, and when.
    """
    wanted, by_class, supply = decision.launch, decision.propensities, snapshot.supply
    channels, rate = snapshot.channels, snapshot.rate
    broken = ""
    if wanted < 0:
        broken = "which is no number of calls"
    elif wanted > channels:
        broken = f"with {channels} channels free"
    elif wanted > rate:
        broken = f"where {rate} may start by the trunk's rate"
    elif supply is not None and wanted > sum(supply):
        broken = f"with {sum(supply)} contacts at hand"
    elif by_class and sum(by_class) != wanted:
        broken = f"but its propensities {by_class} do not add up to that"
    if broken:
        raise ValueError(f"at {snapshot.now_s:.3f} s the controller launched {wanted} calls, {broken}")
    for kind, number in enumerate(by_class):
        held = supply[kind] if supply is not None and kind < len(supply) else 0
        if supply is not None and number > held:
            told = f"launched {number} calls of propensity class {kind}, with {held} contacts of it at hand"
            raise ValueError(f"at {snapshot.now_s:.3f} s the controller {told}")
