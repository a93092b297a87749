"""The abandonment budget: how many live answers may still find nobody.

One count, in the variants that regulators use. The strict one steers: every answered call that was not put through in
time, over every live answer that is known to be one. Its upper 95 % bound is shown and alarmed on, and never steers:
a bound on so few events would stop a small floor for ever.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

#: A team below this size is judged over 30 days: one drop is more than a day's allowance.
SMALL_TEAM = 5


@dataclass(frozen=True, slots=True)
class Count:
    """What happened in a window.

    Attributes:
        answers: answered by a person, or by nobody knows whom yet; the abandoned included.
        abandoned: of these, not put through in time.
        machines: answered calls that were put through and turned out to be machines (not in `answers`).
    """

    answers: int = 0
    abandoned: int = 0
    machines: int = 0

    def __add__(self, other: Count) -> Count:
        return Count(self.answers + other.answers, self.abandoned + other.abandoned, self.machines + other.machines)


@dataclass(frozen=True, slots=True)
class Budget:
    """What a campaign may abandon.

    Attributes:
        cap: highest lawful share of the live answers, 0 to 1.
        target: the share aimed at, not above the cap; None aims at the cap.
        day: the campaign's local day.
        month: the last 30 local days, today included.
        unjudged: answers in `day` that were put through and have no disposition yet.
        share: the part of what may be abandoned that the asking switch may use, 0 to 1: of the campaign's agents at
            work those who are there.
        team: agents at work on all switches; 0 if the asking one has them all.
    """

    cap: float = 0.03
    target: float | None = None
    day: Count = Count()
    month: Count = Count()
    unjudged: int = 0
    share: float = 1.0
    team: int = 0

    @property
    def aim(self) -> float:
        """The share that steers."""
        return self.cap if self.target is None else min(self.cap, self.target)

    def drops(self, agents: int, machine_share: float = 0.0) -> float:
        """Calls that may still be abandoned; negative when overdrawn.

        Args:
            agents: at work now. A small team carries its budget over from day to day; a larger one starts each day
                afresh, and pays back what the month is overdrawn by.
            machine_share: of the answers put through; those that nobody judged yet earn only for the rest.
        """
        aim = self.aim
        unearned = aim * machine_share * self.unjudged
        month = aim * self.month.answers - self.month.abandoned - unearned
        if max(agents, self.team) < SMALL_TEAM:
            return self.share * month
        return self.share * min(aim * self.day.answers - self.day.abandoned - unearned, month)


class Variant(StrEnum):
    """How regulators count."""

    STRICT = "strict"  # abandoned / live answers: US 16 CFR 310.4(b)(4)(i), 47 CFR 64.1200(a)(7); what steers here
    OFCOM = "ofcom"  # (abandoned + false positives) / (the same + put through): Ofcom, persistent misuse, 2010 and 2016
    WITHOUT_MACHINES = "without-machines"  # without a detector, the estimated machines among the abandoned taken out


def rate(count: Count, variant: Variant = Variant.STRICT, *, false_positives: float = 0.0) -> float:
    """The share of abandoned calls, 0 to 1; 0 where nothing was answered.

    Args:
        false_positives: estimated number of people whom a detector took for machines and hung up on (a "reasoned
            estimate" in Ofcom's words); counted as abandoned by OFCOM.
    """
    if variant is Variant.STRICT:
        return count.abandoned / count.answers if count.answers > 0 else 0.0
    if variant is Variant.OFCOM:
        dropped = count.abandoned + false_positives
        total = count.answers + false_positives
        return dropped / total if total > 0 else 0.0
    connected = count.answers - count.abandoned
    put_through = connected + count.machines
    live_share = connected / put_through if put_through > 0 else 1.0
    dropped = count.abandoned * live_share
    total = connected + dropped
    return dropped / total if total > 0 else 0.0


def upper_bound(count: Count, confidence: float = 0.95) -> float:
    """The one-sided upper bound of the strict rate that Clopper and Pearson (1934) give; 1 where nothing was answered.

    Shown and alarmed on; it never steers.
    """
    return clopper_pearson(count.abandoned, count.answers, confidence)


def clopper_pearson(events: float, trials: float, confidence: float = 0.95) -> float:
    """The exact one-sided upper bound of a share; 1 where there were no trials."""
    if trials <= 0 or events >= trials:
        return 1.0
    from scipy.special import betaincinv  # here, because only who asks for a bound should pay for the import

    return float(betaincinv(events + 1, trials - events, confidence))
