"""Simulated populations of debtors: what becomes of a call, drawn from published shapes.

Ring times follow the UNICOM Intelligence logs (500,000 calls: most answers after 6 to 10 s or 18 to 22 s of ringing,
busy 3 to 6 %, a stable distribution); talk times match the 41,188 calls of a Portuguese bank's telephone campaign (2008
to 2010: mean 258 s, squared coefficient of variation 1.01) for right parties. The rest are assumptions, named here so
that they can be argued with. All times are seconds.
"""

from __future__ import annotations

import math
import zlib
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import lru_cache
from typing import Final

import numpy as np

from cadencia.pacing.kernel import Floats


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
class Detector:
    """Answering-machine detection.

    Attributes:
        false_positive: share of people taken for machines, and hung up on.
        false_negative: share of machines taken for people.
        delay_s: from the answer until it says which.
    """

    false_positive: float = 0.0
    false_negative: float = 0.0
    delay_s: float = 0.0


@dataclass(frozen=True)
class Shift:
    """When agents are there.

    Attributes:
        login_spread_s: they sign in one after another over this time.
        break_every_s: mean time at work between two breaks (exponential); 0 for none.
        break_s: mean length of a break (exponential).
    """

    login_spread_s: float = 0.0
    break_every_s: float = 0.0
    break_s: float = 0.0


@dataclass(frozen=True)
class World:
    """Who is called, and what the day does to it.

    Attributes:
        live: share of dials that a person answers; the other natures share the rest by their weights.
        invalid_lines: weight of telephone numbers that do not exist, every time they are dialled.
        patience_s: mean time an answered person waits in silence before hanging up (exponential).
        machine_s: how long a voicemail records before it hangs up.
        unmask_s: how long an agent needs to notice a machine, and wrap up.
        exponential: every duration is exponential: ringing has the mean ring_s, whatever it ends in; no ring time-out
            cuts it short, and no time limit a caller's patience.
        classes: propensity classes, least likely first: share of the list, and factor of `live`.
        swing: the answer rate goes up and down by this share, once over the day.
        spells: (begin, end, factor of the answer rate), as shares of the day.
        outages: (begin as a share of the day, seconds) when the trunk fails every call at once.
        detector: None where machines are not told from people.
        shift: when agents are there.
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
    unmask_s: float = 6.0
    talks: tuple[Talk, ...] = (
        Talk(Party.RIGHT, 0.35, 240.0, 0.9, 35.0),
        Talk(Party.OTHER, 0.45, 35.0, 0.9, 14.0),
        Talk(Party.REFUSAL, 0.20, 12.0, 0.9, 8.0),
    )
    exponential: bool = False
    ring_s: float = 12.0
    classes: tuple[tuple[float, float], ...] = ()
    swing: float = 0.0
    spells: tuple[tuple[float, float, float], ...] = ()
    outages: tuple[tuple[float, float], ...] = ()
    detector: Detector | None = Detector()
    shift: Shift = Shift()

    def answer_rate(self, elapsed: float) -> float:
        """The share of dials that a person answers when this share of the day is over (0 to 1)."""
        factor = 1.0 + self.swing * math.sin(2.0 * math.pi * elapsed)
        for begin, end, spell in self.spells:
            if begin <= elapsed < end:
                factor *= spell
        return self.live * factor


#: The floor of debt collection as far as it is published: who waits is abandoned after the time the floor sets, no
#: sooner; machines are told from people.
REALISTIC: Final = World(
    machine=0.35, no_answer=0.42, busy=0.06, off=0.0, congestion=0.05, invalid_lines=0.12, patience_s=math.inf
)

#: The world in which the best possible policy is known: all phases exponential, a caller waits 2 s on average.
EXPONENTIAL: Final = World(
    machine=0.0,
    no_answer=1.0,
    busy=0.0,
    off=0.0,
    congestion=0.0,
    invalid_lines=0.0,
    patience_s=2.0,
    talks=(Talk(Party.RIGHT, 1.0, 123.0, 1.0, 0.0),),
    exponential=True,
)

#: A day on which everything moves: the answer rate, the list, the trunk, the agents.
MOVING: Final = replace(
    REALISTIC,
    swing=0.3,
    spells=((0.28, 0.43, 0.5), (0.60, 0.78, 1.7)),
    outages=((0.5, 300.0),),
    shift=Shift(login_spread_s=900.0, break_every_s=7200.0, break_s=600.0),
)

#: A list in which past answers tell who is likelier to answer.
CLASSES: Final = replace(REALISTIC, classes=((0.6, 0.3), (0.4, 2.05)))

#: A detector as good as the published ones, and none at all.
DETECTOR: Final = replace(REALISTIC, detector=Detector(0.04, 0.12, 2.1))
NO_DETECTOR: Final = replace(REALISTIC, detector=None)

#: Worse than any floor we know of: the answer rate jumps between a third and twice itself, talks are short or endless,
#: a trunk that fails again and again.
HOSTILE: Final = replace(
    REALISTIC,
    talks=(Talk(Party.RIGHT, 0.15, 700.0, 1.5, 90.0), Talk(Party.REFUSAL, 0.85, 8.0, 0.6, 5.0)),
    congestion=0.2,
    spells=tuple((k / 12.0, (k + 1) / 12.0, 0.35 if k % 2 else 1.9) for k in range(12)),
    outages=((0.2, 120.0), (0.4, 400.0), (0.7, 60.0)),
    shift=Shift(login_spread_s=600.0, break_every_s=2400.0, break_s=420.0),
)


@dataclass(frozen=True)
class Contacts:
    """Contacts of a list, in its order, with all that chance decides about each. Lists of equal length, seconds.

    Attributes:
        luck: uniform on [0, 1): a person answers if it is below the answer rate of the moment and class.
        answer_s: from the launch to a person's answer.
        nature, end_s: what it is if nobody answers, and when that ends (inf: rings until it is given up).
        likely: propensity class.
        heard: uniform, for the detector.
    """

    luck: list[float]
    pdd_s: list[float]
    answer_s: list[float]
    nature: list[Nature]
    end_s: list[float]
    party: list[Party]
    talk_s: list[float]
    wrapup_s: list[float]
    patience_s: list[float]
    likely: list[int]
    heard: list[float]


#: Natures other than a person, in the order of their weights.
OTHERS: Final = (Nature.MACHINE, Nature.NO_ANSWER, Nature.BUSY, Nature.OFF, Nature.CONGESTION, Nature.INVALID)


def contacts(world: World, seed: int, block: int, size: int = 4096) -> Contacts:
    """The contacts of one block of the list; the same for the same arguments."""
    rng = np.random.default_rng((seed, block, 0xCADE))
    luck, heard = rng.random(size), rng.random(size)
    pdd = np.maximum(0.3, rng.normal(2.6, 0.7, size))
    ring = np.where(
        rng.random(size) < 0.78, _lognormal(rng, 9.0, 0.5, size), np.maximum(1.0, rng.normal(19.0, 2.5, size))
    )
    weights = np.array([world.machine, world.no_answer, world.busy, world.off, world.congestion, world.invalid_lines])
    total = weights.sum()  # nothing, where everybody answers
    nature = rng.choice(len(OTHERS), size, p=weights / total if total > 0.0 else None)
    machine = np.where(rng.random(size) < 0.6, rng.normal(21.0, 1.5, size), rng.uniform(0.5, 4.0, size))
    off = rng.uniform(4.0, 12.0, size)
    end = np.choose(nature, [pdd + np.maximum(0.2, machine), np.full(size, np.inf), pdd, pdd + off, pdd, pdd])
    answer = pdd + ring
    parties = rng.choice(len(world.talks), size, p=[talk.share for talk in world.talks])
    talk, wrapup = np.empty(size), np.empty(size)
    for index, kind in enumerate(world.talks):
        chosen = parties == index
        talk[chosen] = np.maximum(2.0, _lognormal(rng, kind.mean_s, kind.cv, size))[chosen]
        wrapup[chosen] = np.maximum(1.0, _lognormal(rng, max(kind.wrapup_s, 1e-3), 0.5, size))[chosen]
    if world.exponential:
        pdd = np.zeros(size)
        answer, end = rng.exponential(world.ring_s, size), rng.exponential(world.ring_s, size)
        talk = rng.exponential(sum(kind.share * kind.mean_s for kind in world.talks), size)
        wrapup = np.zeros(size)
    patience = np.full(size, np.inf) if math.isinf(world.patience_s) else rng.exponential(world.patience_s, size)
    shares = [share for share, _ in world.classes] or [1.0]
    likely = rng.choice(len(shares), size, p=shares)
    return Contacts(
        luck.tolist(),
        pdd.tolist(),
        answer.tolist(),
        [OTHERS[index] for index in nature],
        end.tolist(),
        [world.talks[index].party for index in parties],
        talk.tolist(),
        wrapup.tolist(),
        patience.tolist(),
        likely.tolist(),
        heard.tolist(),
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

    So a simulated agent "hears" who is on the line by asking the same question as the simulated switch. The day's
    moves and classes have no part in it.
    """
    weights = world.machine + world.no_answer + world.busy + world.off + world.congestion + world.invalid_lines
    invalid = (1.0 - world.live) * world.invalid_lines / weights if weights > 0.0 else 0.0
    if number and _share(f"{seed}/line/{number}") < invalid:
        return Fate(Nature.INVALID, 0.4, 0.4 + _share(f"{seed}/{attempt_id}"))
    table = _table(world, seed)
    row = zlib.crc32(f"{seed}/{attempt_id}".encode()) % len(table.luck)
    # A line that exists: past those that do not, and so a little likelier to be answered.
    if table.luck[row] * (1.0 - invalid) < world.live:
        return Fate(
            Nature.PERSON,
            table.pdd_s[row],
            table.answer_s[row],
            table.talk_s[row],
            max(0.4, table.patience_s[row]),
            table.wrapup_s[row],
            table.party[row],
        )
    while table.nature[row] is Nature.INVALID and world.invalid_lines < weights:
        row = (row + 1) % len(table.luck)
    nature = table.nature[row]
    if nature is Nature.MACHINE:
        return Fate(nature, table.pdd_s[row], table.end_s[row], world.machine_s, world.machine_s, 4.0)
    return Fate(nature, table.pdd_s[row], table.end_s[row])


def voice(world: World, seed: int, attempt_id: str) -> Fate:
    """Who an agent hears on an answered call: `fate` without the question whether the line exists."""
    return fate(world, seed, "", attempt_id)


@lru_cache(maxsize=8)
def _table(world: World, seed: int) -> Contacts:
    return contacts(world, seed, 0, 8192)


def _share(text: str) -> float:
    return zlib.crc32(text.encode()) / 2**32


def _lognormal(rng: np.random.Generator, mean: float, cv: float, size: int) -> Floats:
    variance = math.log(1.0 + cv * cv)
    return rng.lognormal(math.log(mean) - variance / 2.0, math.sqrt(variance), size)
