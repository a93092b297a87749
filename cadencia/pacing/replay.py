"""A day of the event log, to be run again under another policy.

The list comes in the order in which it was dialled, with what became of each call; the agents come and go as they did.
What the log cannot know is drawn from what the same day shows: how long a person who was abandoned would have talked,
what would have become of a call that was taken back, and who is called when a faster policy is through with the list.
"""

from __future__ import annotations

import math
import random
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Final

from cadencia.domain.agents import AT_WORK, AgentState
from cadencia.domain.codes import ABANDONED, DISPOSITIONS, UNCHARGED, Outcome
from cadencia.domain.events import Event
from cadencia.pacing.simulator import Floor, Source
from cadencia.pacing.worlds import REALISTIC, Contacts, Nature, Party, World

#: The world in which a replayed list is run: who answered then answers now.
REPLAYED: Final[World] = replace(REALISTIC, live=0.5, detector=None)

#: Kinds of events that a replay reads.
KINDS: tuple[str, ...] = (
    "attempt.sending",
    "attempt.answered",
    "attempt.connected",
    "attempt.settled",
    "attempt.disposed",
    "agent.state",
)


@dataclass(slots=True)
class Dialled:
    """One attempt as the log tells it; seconds from the launch, or of duration."""

    launched: datetime
    answer_s: float | None = None
    end_s: float | None = None
    outcome: str = ""
    talk_s: float = 0.0
    wrapup_s: float = 0.0
    machine: bool = False


@dataclass(frozen=True)
class Day:
    """What a replay needs.

    Attributes:
        begin: of the first agent's work.
        hours: from there to the end of the last agent's.
        presence: (begin, end) of each stretch of work of an agent, seconds from `begin`.
        dialled: in the order of the launches.
    """

    begin: datetime
    hours: float
    presence: tuple[tuple[float, float], ...]
    dialled: tuple[Dialled, ...]

    @property
    def world(self) -> World:
        """Where its list is run: a machine that an agent heard costs as long as those of the day, wrap-up included."""
        heard = [dialled.talk_s + dialled.wrapup_s for dialled in self.dialled if dialled.machine]
        return replace(REPLAYED, unmask_s=sum(heard) / len(heard)) if heard else REPLAYED

    def floor(self, settings: Floor) -> Floor:
        """The day's own agents on a floor with these settings."""
        worked_s = sum(end - begin for begin, end in self.presence)
        agents = max(1, round(worked_s / max(1.0, self.hours * 3600.0)))
        return replace(settings, agents=agents, presence=self.presence)


@dataclass
class Reader:
    """Reads a campaign's day out of the log, event by event in its order.

    Args:
        campaign_id: whose attempts.
        begin, end: the day; what was dialled in it, and how that went on after its end.
    """

    campaign_id: str
    begin: datetime
    end: datetime
    _attempts: dict[str, Dialled] = field(default_factory=dict)
    _working: dict[str, datetime] = field(default_factory=dict)
    _wrapping: dict[str, tuple[datetime, str]] = field(default_factory=dict)
    _stretches: list[tuple[datetime, datetime]] = field(default_factory=list)

    def take(self, event: Event) -> None:
        """Feed the log in order."""
        if event.at < self.begin:
            return
        if event.kind == "agent.state":
            self._agent(event)
        elif event.campaign_id == self.campaign_id and event.attempt_id is not None:
            self._attempt(event, event.attempt_id)

    def _attempt(self, event: Event, attempt_id: str) -> None:
        if event.kind == "attempt.sending":
            if event.at < self.end:
                self._attempts[attempt_id] = Dialled(event.at)
            return
        dialled = self._attempts.get(attempt_id)
        if dialled is None:
            return
        age_s = (event.at - dialled.launched).total_seconds()
        if event.kind == "attempt.answered":
            dialled.answer_s = age_s
        elif event.kind == "attempt.settled":
            dialled.end_s, dialled.outcome = age_s, str(event.body.get("outcome", ""))
            dialled.talk_s = float(event.body.get("talk_s") or 0.0)
        elif event.kind == "attempt.disposed":
            leaf = DISPOSITIONS.get(str(event.body.get("code", "")))
            dialled.machine = leaf is not None and leaf.machine

    def _agent(self, event: Event) -> None:
        agent_id, state = event.agent_id or "", event.body.get("state")
        wrapping = self._wrapping.pop(agent_id, None)
        if wrapping is not None and wrapping[1] in self._attempts:
            self._attempts[wrapping[1]].wrapup_s = (event.at - wrapping[0]).total_seconds()
        if state == AgentState.WRAPUP and event.attempt_id is not None:
            self._wrapping[agent_id] = event.at, event.attempt_id
        if state in AT_WORK:
            if event.at < self.end:
                self._working.setdefault(agent_id, event.at)
        elif agent_id in self._working:
            self._stretches.append((self._working.pop(agent_id), min(event.at, self.end)))

    def day(self) -> Day:
        """What was read. A day without a stretch of work has no hours."""
        last = max((d.launched for d in self._attempts.values()), default=self.begin)
        last = max([last, *(end for _, end in self._stretches)])
        stretches = [*self._stretches, *((begin, last) for begin in self._working.values())]
        begin = min((start for start, _ in stretches), default=self.begin)
        presence = sorted(
            ((start - begin).total_seconds(), (end - begin).total_seconds()) for start, end in stretches if end > start
        )
        dialled = sorted(self._attempts.values(), key=lambda attempt: attempt.launched)
        return Day(begin, (last - begin).total_seconds() / 3600.0, tuple(presence), tuple(dialled))


def listed(day: Day, seed: int) -> Source:
    """The list of a day, for `simulate(day.world, day.floor(...), ..., source=...)`, and people like its own after it.

    Args:
        seed: of what the log cannot know.
    """
    rng = random.Random(f"{seed}/replay")
    talks = [(d.talk_s, d.wrapup_s) for d in day.dialled if d.outcome == Outcome.CONNECTED and not d.machine]
    ends = [d for d in day.dialled if d.outcome and d.outcome != Outcome.CANCELLED]
    end = day.begin + timedelta(hours=day.hours)
    rows = [_row(dialled, talks, ends, end, rng) for dialled in day.dialled]

    def block(number: int, size: int) -> Contacts:
        part = rows[number * size : (number + 1) * size]
        more = random.Random(f"{seed}/replay/{number}")
        part += more.choices(rows, k=size - len(part))
        luck, answer, nature, end, talk, wrapup = (list(column) for column in zip(*part, strict=True))
        count = len(part)
        return Contacts(
            luck,
            [0.0] * count,
            answer,
            nature,
            end,
            [Party.OTHER] * count,
            talk,
            wrapup,
            [math.inf] * count,
            [0] * count,
            [0.0] * count,
        )

    return block


_Row = tuple[float, float, Nature, float, float, float]


def _row(
    dialled: Dialled, talks: list[tuple[float, float]], ends: list[Dialled], end: datetime, rng: random.Random
) -> _Row:
    seen = dialled
    if not dialled.outcome and dialled.answer_s is not None:
        # Still talking when the log ends, or at least so long.
        so_far_s = max(1.0, (end - dialled.launched).total_seconds() - dialled.answer_s)
        longer_talks = [talk for talk in talks if talk[0] >= so_far_s] or [(so_far_s, 0.0)]
        return 0.0, dialled.answer_s, Nature.NO_ANSWER, math.inf, *rng.choice(longer_talks)
    if not dialled.outcome or dialled.outcome == Outcome.CANCELLED:
        rung_s = dialled.end_s or 0.0
        longer = [other for other in ends if (other.answer_s or other.end_s or 0.0) > rung_s]
        if not longer:
            return 1.0, math.inf, Nature.NO_ANSWER, math.inf, 0.0, 0.0
        seen = rng.choice(longer)
    if seen.answer_s is not None and seen.outcome != Outcome.MACHINE:
        if seen.machine:
            return 1.0, math.inf, Nature.MACHINE, seen.answer_s, seen.talk_s, seen.wrapup_s
        talk_s, wrapup_s = seen.talk_s, seen.wrapup_s
        if (seen.outcome in ABANDONED or talk_s <= 0.0) and talks:
            talk_s, wrapup_s = rng.choice(talks)
        return 0.0, seen.answer_s, Nature.NO_ANSWER, math.inf, max(1.0, talk_s), wrapup_s
    nature = Nature.CONGESTION if seen.outcome in UNCHARGED else Nature.BUSY
    if seen.outcome == Outcome.NO_ANSWER:
        nature = Nature.NO_ANSWER
    return 1.0, math.inf, nature, math.inf if nature is Nature.NO_ANSWER else (seen.end_s or 0.0), 0.0, 0.0
