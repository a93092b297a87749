"""The pacing rules of open dialers, as baselines behind the controller port.

Described in our own words from their public sources, without their databases and processes: each rule sees the floor as
it is at its own loop instants and decides nothing in between, which favours it over the original, whose view is older.

VICIdial    bin/AST_VDauto_dial.pl (calls) and bin/AST_VDadapt.pl (level), as of SVN 3884, 2024-11
Issabel     call center module 4, CampaignProcess.class.php and Predictor.class.php
Webitel     call_center schema: cc_distribute_stats and cc_wrap_over_dial
idle x F    what WombatDialer (its boost) and Impact Dialing (its factor) multiply by, evaluated on every event
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from cadencia.domain.agents import AgentState
from cadencia.pacing import reasons
from cadencia.pacing.port import Decision, PacingEvent, PacingEventKind, Snapshot

NOTHING = Decision(0, (), reasons.ENOUGH_IN_FLIGHT)

#: Endings of a dial that put nobody on the line.
FRUITLESS = frozenset({PacingEventKind.UNANSWERED, PacingEventKind.FAILED, PacingEventKind.CANCELLED})


def count(snapshot: Snapshot, *states: AgentState) -> int:
    return sum(agent.state in states for agent in snapshot.agents)


def launch(snapshot: Snapshot, calls: int) -> Decision:
    """Start `calls` as far as channels, rate and list allow."""
    supply = calls if snapshot.supply is None else sum(snapshot.supply)
    most = max(0, min(calls, snapshot.channels, snapshot.rate, supply))
    return Decision(most, (), reasons.LAUNCHING, wanted=calls) if most else NOTHING


class Beat:
    """A loop instant every `period_s`, from the first time it is asked on."""

    def __init__(self, period_s: float) -> None:
        self.period_s = period_s
        self._next_s = -math.inf

    def due(self, now_s: float) -> bool:
        """Whether a loop instant has come; a late one is not made up for, and the rhythm stays."""
        if now_s < self._next_s - 1e-6:
            return False
        late = (
            max(0.0, now_s - self._next_s) % self.period_s if self._next_s > -math.inf and self.period_s > 0.0 else 0.0
        )
        self._next_s = now_s - late + self.period_s
        return True

    def delay(self, seconds: float) -> None:
        """The loop itself took that long."""
        self._next_s += seconds


# --- idle x factor ---------------------------------------------------------------------------------------------------


class IdleTimesFactor:
    """factor x idle agents, rounded down, less the dials in flight and the callers waiting.

    Args:
        period_s: seconds between two looks; 0 looks on every event, which is the best it can do.
    """

    def __init__(self, factor: float, period_s: float = 0.0) -> None:
        self.factor = factor
        self._beat = Beat(period_s)

    def tell(self, event: PacingEvent) -> None:
        """It learns nothing."""

    def decide(self, snapshot: Snapshot) -> Decision:
        if not self._beat.due(snapshot.now_s):
            return NOTHING
        lines = int(self.factor * count(snapshot, AgentState.READY) + 1e-9)
        return launch(snapshot, lines - len(snapshot.dials) - snapshot.waiting)


# --- VICIdial --------------------------------------------------------------------------------------------------------


class Adapt(StrEnum):
    """The dial methods of a VICIdial campaign."""

    RATIO = "ratio"
    HARD_LIMIT = "hard"
    AVERAGE = "average"
    TAPERED = "tapered"


@dataclass(frozen=True, slots=True)
class Vicidial:
    """A campaign's settings; the defaults are VICIdial's.

    Attributes:
        level: calls per agent at the start (RATIO: for good).
        available_only: count only waiting agents (available_only_ratio_tally), not those who talk too.
        max_level: adaptive_maximum_level.
        drop_limit: adaptive_dropped_percentage, as a share of the human answers.
        diff_target: adaptive_dl_diff_target, agents waiting (positive: callers waiting) to aim at.
        intensity: adaptive_intensity, -40 to 40.
        latest_hhmm: adaptive_latest_server_time, hours and minutes written as one number.
        opens_s: local time of day when the clock's seconds are 0.
        calls_per_s: pause between two calls of one loop, inside the loop.
    """

    method: Adapt = Adapt.RATIO
    level: float = 1.0
    available_only: bool = False
    max_level: float = 3.0
    drop_limit: float = 0.03
    diff_target: float = 0.0
    intensity: float = 0.0
    latest_hhmm: int = 2100
    opens_s: float = 9 * 3600.0
    calls_per_s: float = 5.0


def calls_to_make(level: float, ready: int, talking: int, dials: int, waiting: int, *, available_only: bool) -> int:
    """Calls of one loop: the goal less the lines that exist.

    The goal is `level` lines for each agent who waits or talks; with `available_only` for each who waits, and one more
    for each call that is talking already. Lines that exist: ringing, waiting for an agent, talking.
    """
    goal = level * ready + talking if available_only else level * (ready + talking)
    return max(0, round(goal) - (dials + waiting + talking))


@dataclass(frozen=True, slots=True)
class Drops:
    """What the level is judged by, as of the last refresh."""

    calls_today: int = 0
    answers_today: int = 0
    drops_today: int = 0
    calls_minute: int = 0
    drops_minute: int = 0


def next_level(
    settings: Vicidial, level: float, ready: float, waiting: float, agents: float, drops: Drops, hhmm: int
) -> float:
    """The level after one recalculation.

    Args:
        ready, waiting, agents: means over the last samples; `agents` are all who are logged in, paused ones included.
        hhmm: local time, hours and minutes written as one number (so 20:01 is 99 before 21:00, and 19:59 is 141).
    """
    if agents <= 0.0:
        return 1.0
    share = (ready - waiting + settings.diff_target) / agents
    intensity = settings.intensity / 100.0
    share *= 1.0 + intensity if share >= 0.0 else abs(intensity - 1.0)
    level = min(max(level * (1.0 + share), 1.0), settings.max_level)
    if drops.calls_minute > 20 and drops.drops_minute / drops.calls_minute > 0.5:
        level /= 2.0
    over = drops.answers_today > 0 and drops.drops_today / drops.answers_today > settings.drop_limit
    if drops.calls_today > 50 and over:
        if settings.method is Adapt.HARD_LIMIT:
            level = 1.0
        elif settings.method is Adapt.AVERAGE:
            level /= 2.0
        elif settings.method is Adapt.TAPERED:
            left = settings.latest_hhmm - hhmm
            level = 1.0 if left < 0 else level * min(1.0, left / 1000.0)
    return max(level, 1.0)


class VicidialController:
    """VICIdial's dialer: calls every 2.5 s; in the adaptive methods a new level every 15 s, drop counts every 60 s."""

    LOOP_S = 2.5
    SAMPLE_S = 1.0
    SAMPLES = 15  # also the loops from one level to the next
    REFRESH = 60  # loops from one count of drops to the next

    def __init__(self, settings: Vicidial) -> None:
        self.settings, self.level = settings, settings.level
        self._dialer, self._adapter = Beat(self.LOOP_S), Beat(self.SAMPLE_S)
        self._loops = 0
        self._samples: deque[tuple[int, int, int]] = deque(maxlen=self.SAMPLES)
        self._calls_today = self._answers_seen = 0
        self._launched: deque[float] = deque()
        self._dropped: deque[float] = deque()
        self._drops = Drops()

    def tell(self, event: PacingEvent) -> None:
        """Count calls, and the drops of the last minute."""
        if event.kind is PacingEventKind.LAUNCHED:
            self._calls_today += 1
            self._launched.append(event.at_s)
        elif event.kind is PacingEventKind.ABANDONED:
            self._dropped.append(event.at_s)
        for times in (self._launched, self._dropped):
            while times and times[0] < event.at_s - 60.0:
                times.popleft()

    def decide(self, snapshot: Snapshot) -> Decision:
        if self.settings.method is not Adapt.RATIO and self._adapter.due(snapshot.now_s):
            self._adapt(snapshot)
        if not self._dialer.due(snapshot.now_s):
            return NOTHING
        decision = launch(
            snapshot,
            calls_to_make(
                self.level,
                count(snapshot, AgentState.READY),
                count(snapshot, AgentState.TALKING, AgentState.RESERVED),  # who wraps up counts as paused
                len(snapshot.dials),
                snapshot.waiting,
                available_only=self.settings.available_only,
            ),
        )
        self._dialer.delay(decision.launch / self.settings.calls_per_s)
        return decision

    def _adapt(self, snapshot: Snapshot) -> None:
        self._loops += 1
        present = len(snapshot.agents) - count(snapshot, AgentState.OUT, AgentState.CONNECTING)
        self._samples.append((count(snapshot, AgentState.READY), snapshot.waiting, present))
        if self._loops % self.REFRESH == 0:
            self._drops = self._count(snapshot)
        if self._loops % self.SAMPLES == 0:
            ready, waiting, agents = (sum(column) / len(self._samples) for column in zip(*self._samples, strict=True))
            of_day = int(self.settings.opens_s + snapshot.now_s) % 86_400
            hhmm = of_day // 3600 * 100 + of_day % 3600 // 60
            self.level = next_level(self.settings, self.level, ready, waiting, agents, self._drops, hhmm)

    def _count(self, snapshot: Snapshot) -> Drops:
        day = snapshot.budget.day
        if day.answers < self._answers_seen:  # a new day
            self._calls_today = 0
        self._answers_seen = day.answers
        since = snapshot.now_s - 60.0
        calls, drops = (sum(at >= since for at in times) for times in (self._launched, self._dropped))
        return Drops(self._calls_today, day.answers, day.abandoned, calls, drops)


# --- Issabel ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Issabel:
    """A campaign's settings.

    Attributes:
        qos: a busy agent counts as free from this probability on.
        overcommit: divide by the share of answered calls.
        extra: added to every positive number of calls (forzar_sobrecolocar).
        period_s: its loop: 5 s in the original, 3 s in the fork that is still kept.
    """

    qos: float = 0.97
    overcommit: bool = False
    extra: int = 0
    period_s: float = 3.0


def soon_free(elapsed_s: Iterable[float], answer_s: float, talk_s: float, qos: float) -> int:
    """Busy agents who count as free by the time of the next answer.

    Args:
        elapsed_s: how long each has been in the call.
        answer_s, talk_s: means. The probability that is compared with `qos` is that of a call as long as
            elapsed + answer to be over; that it is not over yet is ignored, in the original too.
    """
    if talk_s <= 0.0:
        return 0
    return sum(1.0 - math.exp(-(elapsed + answer_s) / talk_s) >= qos for elapsed in elapsed_s)


class IssabelController:
    """Free agents and those soon free, less callers waiting and calls that were not answered yet."""

    ENOUGH = 10  # calls before a statistic counts
    WINDOW_S = 1800.0
    LOWEST_SHARE = 0.20

    def __init__(self, settings: Issabel) -> None:
        self.settings = settings
        self._beat = Beat(settings.period_s)
        self._launched: dict[str, float] = {}
        self._connected: dict[str, float] = {}
        self._talks, self._talk_sum_s = 0, 0.0
        self._answer_s: deque[float] = deque([8.0], maxlen=20)
        self._outcomes: deque[tuple[float, bool]] = deque()

    def tell(self, event: PacingEvent) -> None:
        """Times to answer (no-answer time-outs and, as 0, failures are among them), talk times, share answered."""
        kind = event.kind
        if kind is PacingEventKind.LAUNCHED:
            self._launched[event.ref] = event.at_s
        elif kind is PacingEventKind.CONNECTED:
            self._connected[event.ref] = event.at_s
        elif kind is PacingEventKind.ENDED and event.ref in self._connected:
            self._talks += 1
            self._talk_sum_s += event.at_s - self._connected.pop(event.ref)
        if kind in FRUITLESS or kind in (PacingEventKind.ANSWERED, PacingEventKind.MACHINE):
            since = self._launched.pop(event.ref, None)
            if since is not None:
                self._answer_s.append(0.0 if kind is PacingEventKind.FAILED else event.at_s - since)
                self._outcomes.append((event.at_s, kind not in FRUITLESS))

    def decide(self, snapshot: Snapshot) -> Decision:
        if not self._beat.due(snapshot.now_s):
            return NOTHING
        free = count(snapshot, AgentState.READY, AgentState.RESERVED)  # a telephone that rings counts as free
        if self._talks >= self.ENOUGH:
            elapsed = (snapshot.now_s - a.since_s for a in snapshot.agents if a.state is AgentState.TALKING)
            answer_s = sum(self._answer_s) / len(self._answer_s)
            free += soon_free(elapsed, answer_s, self._talk_sum_s / self._talks, self.settings.qos)
        calls = min(max(0, free - snapshot.waiting), snapshot.channels + len(snapshot.dials))
        if calls > 0:
            calls += self.settings.extra
        calls = max(0, calls - len(snapshot.dials))
        if self.settings.overcommit:
            calls = round(calls / max(self._share(snapshot.now_s), self.LOWEST_SHARE))
        return launch(snapshot, calls)

    def _share(self, now_s: float) -> float:
        while self._outcomes and self._outcomes[0][0] < now_s - self.WINDOW_S:
            self._outcomes.popleft()
        if len(self._outcomes) < self.ENOUGH:
            return 1.0
        return sum(answered for _, answered in self._outcomes) / len(self._outcomes)


# --- Webitel ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Webitel:
    """A queue's settings; abandonment in percent, as there.

    Attributes:
        maximum: from here on there is one call per agent.
        target: aimed at; None is the maximum.
        load: load_factor.
        window_s: statistic_time.
        enough: answered calls before it dials more than one per agent (min_attempts; it has no default).
    """

    maximum: float = 3.0
    target: float | None = None
    load: float = 10.0
    window_s: float = 3600.0
    enough: int = 10


def over_dial(over: float, abandoned: float, settings: Webitel) -> float:
    """Lines per free agent.

    Args:
        over: attempts per answered call.
        abandoned: percent of the answered calls.
    """
    target = settings.maximum if settings.target is None else settings.target
    if abandoned >= settings.maximum:
        return 1.0
    below = target - abandoned
    if below == 0.0:
        below = 0.99
    if below > 0.0:
        return over * (1.0 + below * settings.load / 100.0)
    return over * (settings.maximum - abandoned) * (100.0 + settings.load) / (100.0 * settings.maximum)


class WebitelController:
    """idle x over-dial, from the attempts that ended in the last hour, counted anew every 30 s; looks every 0.4 s.

    How its compiled allocation spreads calls over agents is not public; idle x over-dial less the lines in flight is
    the natural reading.
    """

    LOOP_S = 0.4
    REFRESH_S = 30.0

    def __init__(self, settings: Webitel) -> None:
        self.settings, self.over = settings, 1.0
        self._beat, self._refresh = Beat(self.LOOP_S), Beat(self.REFRESH_S)
        self._live: set[str] = set()
        self._ended: deque[tuple[float, bool, bool]] = deque()  # when, answered by a person, abandoned
        self._answers = self._abandoned = 0

    def tell(self, event: PacingEvent) -> None:
        """Its statistics are of attempts that are over: a call that is still talking is not among them."""
        kind = event.kind
        if kind is PacingEventKind.ANSWERED:
            self._live.add(event.ref)
        elif kind in FRUITLESS or kind in (PacingEventKind.MACHINE, PacingEventKind.ENDED, PacingEventKind.ABANDONED):
            answered = event.ref in self._live
            self._live.discard(event.ref)
            dropped = kind is PacingEventKind.ABANDONED
            self._ended.append((event.at_s, answered, dropped))
            self._answers += answered
            self._abandoned += dropped

    def decide(self, snapshot: Snapshot) -> Decision:
        if self._refresh.due(snapshot.now_s):
            self._count(snapshot.now_s)
        if not self._beat.due(snapshot.now_s):
            return NOTHING
        lines = int(self.over * count(snapshot, AgentState.READY) + 1e-9)
        return launch(snapshot, lines - len(snapshot.dials) - snapshot.waiting)

    def _count(self, now_s: float) -> None:
        while self._ended and self._ended[0][0] < now_s - self.settings.window_s:
            _, answered, dropped = self._ended.popleft()
            self._answers -= answered
            self._abandoned -= dropped
        if self._answers < max(1, self.settings.enough):
            self.over = 1.0
            return
        attempts_per_answer = len(self._ended) / self._answers
        self.over = over_dial(attempts_per_answer, 100.0 * self._abandoned / self._answers, self.settings)
