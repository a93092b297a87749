"""Simulated populations of debtors: what becomes of a call, drawn from published shapes.

Ring times follow the UNICOM Intelligence logs (500,000 calls: most answers after 6 to 10 s or 18 to 22 s of ringing,
busy 3 to 6 %, a stable distribution); talk times match the 41,188 calls of a Portuguese bank's telephone campaign (2008
to 2010: mean 258 s, squared coefficient of variation 1.01) for right parties. The rest are assumptions, named here so
that they can be argued with. All times are seconds.
"""

from __future__ import annotations

import math
import random
from dataclasses import dataclass
from enum import StrEnum


class Nature(StrEnum):
    """What is at the other end."""

    PERSON = "person"
    MACHINE = "machine"
    NO_ANSWER = "no_answer"
    BUSY = "busy"
    INVALID = "invalid"
    OFF = "off"
    CONGESTION = "congestion"


class Party(StrEnum):
    """Who speaks, when a person answers."""

    RIGHT = "right"
    OTHER = "other"
    REFUSAL = "refusal"


@dataclass(frozen=True)
class Talk:
    """A log-normal conversation: its share of live answers, mean, coefficient of variation, and mean wrap-up."""

    party: Party
    share: float
    mean_s: float
    cv: float
    wrapup_s: float


@dataclass(frozen=True)
class World:
    """Shares of natures (they add up to 1) and the shape of each.

    Attributes:
        invalid_lines: share of telephone numbers that do not exist, every time they are dialled.
        patience_s: mean time an answered person waits in silence before hanging up (exponential).
        machine_s: how long a voicemail records before it hangs up.
    """

    live: float = 0.25
    machine: float = 0.27
    no_answer: float = 0.32
    busy: float = 0.05
    off: float = 0.07
    congestion: float = 0.04
    invalid_lines: float = 0.09
    patience_s: float = 4.0
    machine_s: float = 30.0
    talks: tuple[Talk, ...] = (
        Talk(Party.RIGHT, 0.35, 240.0, 0.9, 35.0),
        Talk(Party.OTHER, 0.45, 35.0, 0.9, 14.0),
        Talk(Party.REFUSAL, 0.20, 12.0, 0.9, 8.0),
    )


@dataclass(frozen=True)
class Fate:
    """What becomes of one call if nobody interferes. Times count from the Originate, or from the answer.

    Attributes:
        pdd_s: post-dial delay, until it rings or fails.
        answer_s: from the Originate to the answer; for a failure, to the failure.
        talk_s: from the conversation's begin until the debtor hangs up.
        patience_s: from the answer until the debtor hangs up when nobody comes.
        wrapup_s: how long an agent needs afterwards.
    """

    nature: Nature
    pdd_s: float
    answer_s: float
    talk_s: float = 0.0
    patience_s: float = 0.0
    wrapup_s: float = 0.0
    party: Party | None = None


def fate(world: World, seed: int, number: str, attempt_id: str) -> Fate:
    """The fate of an attempt: the same for the same arguments, in whatever process it is asked.

    So a simulated agent "hears" who is on the line by asking the same question as the simulated switch.
    """
    if number and random.Random(f"{seed}/line/{number}").random() < world.invalid_lines:
        return Fate(Nature.INVALID, 0.4, 0.4 + random.Random(f"{seed}/{attempt_id}").random())
    return _draw(world, random.Random(f"{seed}/{attempt_id}"))


def voice(world: World, seed: int, attempt_id: str) -> Fate:
    """Who an agent hears on an answered call: `fate` without the question whether the line exists."""
    return fate(world, seed, "", attempt_id)


def _draw(world: World, rng: random.Random) -> Fate:
    pdd = max(0.3, rng.gauss(2.6, 0.7))
    kinds = (Nature.PERSON, Nature.MACHINE, Nature.NO_ANSWER, Nature.BUSY, Nature.OFF, Nature.CONGESTION)
    shares = (world.live, world.machine, world.no_answer, world.busy, world.off, world.congestion)
    nature = rng.choices(kinds, shares)[0]
    if nature is Nature.PERSON:
        return _person(world, pdd, rng)
    if nature is Nature.MACHINE:
        after = rng.gauss(21.0, 1.5) if rng.random() < 0.6 else rng.uniform(0.5, 4.0)
        return Fate(nature, pdd, pdd + max(0.2, after), world.machine_s, world.machine_s, 4.0)
    if nature is Nature.NO_ANSWER:
        return Fate(nature, pdd, math.inf)
    if nature is Nature.OFF:
        return Fate(nature, pdd, pdd + rng.uniform(4.0, 12.0))
    return Fate(nature, pdd, pdd)


def _person(world: World, pdd: float, rng: random.Random) -> Fate:
    ring = lognormal(rng, 9.0, 0.5) if rng.random() < 0.78 else max(1.0, rng.gauss(19.0, 2.5))
    talk = rng.choices(world.talks, [t.share for t in world.talks])[0]
    return Fate(
        Nature.PERSON,
        pdd,
        pdd + ring,
        talk_s=max(2.0, lognormal(rng, talk.mean_s, talk.cv)),
        patience_s=max(0.4, rng.expovariate(1.0 / world.patience_s)),
        wrapup_s=max(1.0, lognormal(rng, talk.wrapup_s, 0.5)),
        party=talk.party,
    )


def lognormal(rng: random.Random, mean: float, cv: float) -> float:
    """A log-normal draw with the given mean and coefficient of variation."""
    variance = math.log(1.0 + cv * cv)
    return rng.lognormvariate(math.log(mean) - variance / 2.0, math.sqrt(variance))
