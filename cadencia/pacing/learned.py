"""What a campaign's calls teach: estimators that learn on line, forget, and go from day to day.

What is still going on is never left out: a dial that has rung for 20 s and an agent who has talked for an hour are
observations too. Nothing is biased by quick endings being known first.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Final

import numpy as np

from cadencia.domain.agents import AgentState
from cadencia.pacing import kernel
from cadencia.pacing.breaker import Breaker
from cadencia.pacing.kernel import LAG_S, LAGS, RING_S, Floats
from cadencia.pacing.port import PacingEvent, PacingEventKind, Snapshot

#: Propensity classes: 0 less likely to answer (or nothing known), 1 more likely.
CLASSES: Final = 2

#: Answer rate: half-life in seconds, and the numbers of dials and of answers below which nothing is forgotten.
RATE_HALF_LIFE_S: Final = 150.0
RATE_MIN_DIALS: Final = 60.0
RATE_MIN_ANSWERS: Final = 30.0

#: Before anything is known: an answer rate that is rather too high, because too few dials cost less than too many.
RATE_PRIOR: Final = (0.35, 8.0)  # rate, worth so many dials

#: Until so many dials have told something, the answer rate is taken this many standard errors higher: at a cold start
#: one wrong rate would be wrong for hundreds of dials at once.
CAUTION: Final = 2.5
CAUTION_DIALS: Final = 60.0

#: No clock's monotonic seconds are beyond this.
ABSURD_S: Final = 1e12

#: Durations and ring times: observations at which their weight is halved.
MEMORY: Final = 4000.0

#: Seconds between two computations of durations and ring times, once a floor is in full swing.
SHAPE_EVERY_S: Final = 30.0

#: Lower ends, in seconds, of the age bins of talk and wrap-up: fine where agents are about to be free, then coarser.
EDGES: Final[Floats] = np.array([*np.arange(0.0, 24.0, 2.0), *np.geomspace(24.0, 3600.0, 28)])


#: The age bins' widths and middles.
_WIDTHS: Final[Floats] = np.append(EDGES[1:] - EDGES[:-1], np.inf)
_MIDDLES: Final[Floats] = np.concatenate([0.5 * (EDGES[:-1] + EDGES[1:]), [EDGES[-1] * 1.1]])


class RingTimes:
    """How long a dial takes to be answered, and to end otherwise, in whole seconds from the launch.

    Of a dial that was taken back, or still rings, only its age is known: it is spread over the seconds after it, as the
    distributions of until now and the present answer rate say. So neither quick
    endings nor a moving answer rate bends them.
    """

    def __init__(self) -> None:
        self.answered = 40.0 * _steps(_answer_shape)
        self.ended = 80.0 * _steps(_ending_shape)
        self.censored = np.zeros(RING_S)
        self.cdf_answered: Floats = _cdf(self.answered)
        self.cdf_ended: Floats = _cdf(self.ended)

    def refresh(self, ages_s: Floats, rate: float) -> None:
        """Recompute the distribution functions.

        Args:
            ages_s: of the dials in flight.
            rate: the present answer rate.
        """
        if self.answered.sum() + self.ended.sum() > MEMORY:
            for counts in (self.answered, self.ended, self.censored):
                counts *= 0.5
        unknown = self.censored
        if ages_s.size:
            unknown = unknown + np.bincount(np.minimum(ages_s, RING_S - 1).astype(np.int64), minlength=RING_S)
        kernel.ring_times(self.answered, self.ended, unknown, rate, self.cdf_answered, self.cdf_ended)


class AnswerRate:
    """Answers per dial, by launch cohort.

    rate = (prior answers + answers) / (prior dials + sum of weight x F(age)) over the dials of the last minutes, F
    being the distribution of the time to an answer: a dial counts for as much as it could have answered until now. So
    the estimate is unbiased while cohorts grow, and no cold start needs a rule of its own. Failures of the trunk are
    taken out; a dial taken back counts for as much as it had rung.
    """

    def __init__(self) -> None:
        self._dials = np.zeros(RING_S)  # weights of the dials, by the second of their launch
        self._frozen = np.zeros(RING_S)  # what dials taken back had counted for
        self._answers = np.zeros(RING_S)
        self._old_dials = self._old_answers = 0.0
        self._second = 0
        self._seen = 0.0  # dials of all time
        self.rate = RATE_PRIOR[0]
        self.cautious = self.rate  # what decisions use
        self.prior = RATE_PRIOR

    def advance(self, now_s: float) -> None:
        """Let whole seconds pass: the oldest cohort is complete, and older ones fade."""
        second = math.floor(now_s)
        for _ in range(min(RING_S, max(0, second - self._second))):
            self._second += 1
            slot = self._second % RING_S
            self._old_dials += float(self._dials[slot] + self._frozen[slot])
            self._seen += float(self._dials[slot])
            self._old_answers += float(self._answers[slot])
            self._dials[slot] = self._frozen[slot] = self._answers[slot] = 0.0
            fewest = max(RATE_MIN_DIALS, RATE_MIN_ANSWERS / self.rate)
            if self._old_dials > fewest:
                kept = max(2.0 ** (-1.0 / RATE_HALF_LIFE_S), fewest / self._old_dials)
                self._old_dials *= kept
                self._old_answers *= kept
        self._second = max(self._second, second)

    def launched(self, at_s: float, weight: float) -> None:
        self.advance(at_s)
        self._dials[self._second % RING_S] += weight

    def answered(self, launched_s: float) -> None:
        if self._recent(launched_s):
            self._answers[math.floor(launched_s) % RING_S] += 1.0
        else:
            self._old_answers += 1.0

    def taken_out(self, launched_s: float, weight: float, counted: float = 0.0) -> None:
        """A dial that tells nothing (any more); `counted` is what it counts for until now, 0 to 1."""
        if self._recent(launched_s):
            slot = math.floor(launched_s) % RING_S
            self._dials[slot] -= weight
            self._frozen[slot] += weight * counted

    def _recent(self, launched_s: float) -> bool:
        return self._second - RING_S < math.floor(launched_s) <= self._second

    @property
    def second(self) -> int:
        """The whole second up to which time has passed."""
        return self._second

    def refresh(self, now_s: float, cdf_answered: Floats) -> None:
        """Recompute `rate` and `cautious`."""
        self.advance(now_s)
        dials = self._old_dials + kernel.exposure(now_s, self._second, self._dials, self._frozen, cdf_answered)
        answers = self._old_answers + float(self._answers.sum())
        prior, worth = self.prior
        weight = worth + max(0.0, dials)
        self.rate = min(0.98, max(0.002, (prior * worth + answers) / weight))
        recent = max(0.0, dials - self._old_dials)
        known = 1.0 + (worth + self._seen + recent) / CAUTION_DIALS
        error = math.sqrt(self.rate * (1.0 - self.rate) / weight)
        self.cautious = min(0.98, self.rate + CAUTION / known * error)


class Durations:
    """How long agents talk, or wrap up: ends per second of exposure, by age (a piecewise exponential distribution).

    Args:
        mean_s: what is assumed before anything is known, worth 20 of them.
    """

    def __init__(self, mean_s: float) -> None:
        self.mean_s = mean_s
        self.ends = np.zeros(len(EDGES))
        self.exposure_s = np.zeros(len(EDGES))

    def observe(self, seconds: float, *, ended: bool) -> None:
        """One agent's time in the state; not `ended` if the agent left it some other way."""
        seconds = min(max(seconds, 0.0), 6.0 * 3600.0)
        self.exposure_s += np.minimum(np.maximum(seconds - EDGES, 0.0), _WIDTHS)
        if ended:
            self.ends[int(np.searchsorted(EDGES, seconds, side="right")) - 1] += 1.0
            if self.ends.sum() > MEMORY:
                self.ends *= 0.5
                self.exposure_s *= 0.5

    def hazards(self, ages_s: Floats) -> Floats:
        """(bins,) ends per second; `ages_s` are those of the agents who are in the state now."""
        exposure = self.exposure_s + _exposure(ages_s) if ages_s.size else self.exposure_s
        overall = (20.0 + self.ends.sum()) / (20.0 * self.mean_s + exposure.sum())
        return np.asarray((3.0 + self.ends) / (3.0 / overall + exposure))


class Learned:
    """All estimators of one campaign.

    Args:
        prior: what `export` gave another day.
    """

    def __init__(self, prior: Mapping[str, Any] | None = None) -> None:
        self.rings = RingTimes()
        self.rate = AnswerRate()
        self.talk, self.wrapup = Durations(120.0), Durations(20.0)
        self._breakers: dict[str, Breaker] = {}
        self._class_dials = [0.0] * CLASSES
        self._class_answers = [0.0] * CLASSES
        self._class_launches = [0.0] * CLASSES
        self._judged, self._machines = 4.0, 2.0
        self._dials: dict[str, tuple[float, int, float, str]] = {}  # launch, class, weight, line
        self._agents: dict[str, tuple[AgentState, float]] = {}
        self._rate_at_s = self._shape_at_s = -math.inf
        self._shape_every_s = 2.0
        self.answer_table: Floats = np.zeros(((CLASSES + 1) * (RING_S + 1), LAGS))
        self.handle_table: Floats = np.zeros((2 * len(EDGES), LAGS))
        self.lag_weights: Floats = np.full(LAGS, 1.0 / LAGS)
        if prior:
            self.rebase(prior)

    # -- learning ------------------------------------------------------------------------------------------------------
    def tell(self, event: PacingEvent) -> None:
        """Learn of an event. Times that run backwards or ids that nobody knows teach nothing."""
        kind = event.kind
        if not abs(event.at_s) <= ABSURD_S:  # also what is no number
            return
        if kind is PacingEventKind.AGENT:
            self._agent(event)
        elif kind is PacingEventKind.LAUNCHED:
            likely = min(max(event.propensity, 0), CLASSES - 1)
            weight = self.multiplier(likely)
            self._dials[event.ref] = (event.at_s, likely, weight, event.line)
            self._class_launches[likely] += 1.0
            self.rate.launched(event.at_s, weight)
        elif kind is PacingEventKind.JUDGED:
            self._judged += 1.0
            self._machines += not event.live
            if self._judged > 500.0:
                self._judged, self._machines = self._judged * 0.5, self._machines * 0.5
        else:
            dial = self._dials.pop(event.ref, None)
            if dial is not None:
                self._dial_ended(event, *dial)

    def breaker(self, line: str = "") -> Breaker:
        """The breaker of a trunk on one switch: what fails on one says nothing of another."""
        return self._breakers.setdefault(line, Breaker())

    def _dial_ended(self, event: PacingEvent, launched_s: float, likely: int, weight: float, line: str) -> None:
        age_s = max(0.0, event.at_s - launched_s)
        second = min(RING_S - 1, int(age_s))
        kind = event.kind
        if kind is PacingEventKind.FAILED:
            self.breaker(line).failed(launched_s)
            self.rate.taken_out(launched_s, weight)
            return
        if kind is PacingEventKind.CANCELLED:
            counted = float(self.rings.cdf_answered[second])
            self.rings.censored[second] += 1.0
            self.rate.taken_out(launched_s, weight, counted)
            self._class_dials[likely] += counted
            return
        self.breaker(line).carried(launched_s)
        self._class_dials[likely] += 1.0
        if kind is PacingEventKind.ANSWERED:
            self.rings.answered[second] += 1.0
            self.rate.answered(launched_s)
            self._class_answers[likely] += 1.0
        else:
            self.rings.ended[second] += 1.0
        if sum(self._class_dials) > MEMORY:
            for counts in (self._class_dials, self._class_answers, self._class_launches):
                counts[:] = [0.5 * count for count in counts]

    def _agent(self, event: PacingEvent) -> None:
        state = event.agent_state
        before = self._agents.pop(event.ref, None)
        if before is not None:
            was, since_s = before
            spent_s = event.at_s - since_s
            if was is AgentState.TALKING and spent_s >= 0.0:
                self.talk.observe(spent_s, ended=state in (AgentState.WRAPUP, AgentState.READY))
                if state is AgentState.READY:
                    self.wrapup.observe(0.0, ended=True)  # none is one of no length
            elif was is AgentState.WRAPUP and spent_s >= 0.0:
                self.wrapup.observe(spent_s, ended=state is AgentState.READY)
        if state in (AgentState.TALKING, AgentState.WRAPUP):
            self._agents[event.ref] = (state, event.at_s)

    # -- what was learnt -----------------------------------------------------------------------------------------------
    def multiplier(self, likely: int) -> float:
        """How much more likely than the average a class answers; 1 until there is something to tell it by."""
        answers, dials = sum(self._class_answers), sum(self._class_dials)
        if answers <= 0.0:
            return 1.0
        overall = answers / dials
        own = (self._class_answers[likely] + 40.0 * overall) / (self._class_dials[likely] + 40.0)
        return own / overall

    @property
    def likely_share(self) -> float:
        """Share of the likely class among the dials."""
        return (self._class_launches[1] + 4.0) / (sum(self._class_launches) + 10.0)

    @property
    def usual_rate(self) -> float:
        """Answers per dial of the last thousands: what to plan with, steadier than the present `rate` and slower."""
        prior, worth = self.rate.rate, 20.0
        return (sum(self._class_answers) + prior * worth) / (sum(self._class_dials) + worth)

    @property
    def judged(self) -> bool:
        """Whether any disposition was learnt."""
        return self._judged > 4.0

    @property
    def machine_share(self) -> float:
        """Share of machines among the answers that were put through and judged."""
        return self._machines / self._judged

    def refresh(self, snapshot: Snapshot) -> None:
        """Bring the tables that a decision reads up to date: the answer rate each second, the shapes more seldom."""
        now_s = snapshot.now_s
        if not 0.0 <= now_s - self._shape_at_s < self._shape_every_s:
            self._shape_at_s, self._rate_at_s = now_s, -math.inf
            self._shape_every_s = min(SHAPE_EVERY_S, self._shape_every_s + 1.0)
            launches = np.array([launched_s for launched_s, *_ in self._dials.values()])
            self.rings.refresh(np.clip(now_s - launches, 0.0, RING_S), self.rate.rate)
            self._refresh_handle(now_s, snapshot.wait_s)
            steps = np.minimum(RING_S, int(LAG_S) * np.arange(1, LAGS + 1))
            reached = self.rings.cdf_answered[steps]
            self.lag_weights = np.diff(reached, prepend=0.0)
            self.lag_weights[-1] += 1.0 - reached[-1]
        if not 0.0 <= now_s - self._rate_at_s < 1.0:
            self._rate_at_s = now_s
            self.rate.refresh(now_s, self.rings.cdf_answered)
            rate = self.rate.cautious
            rates = np.array([rate * self.multiplier(0), rate * self.multiplier(1), rate])
            rates = np.minimum(0.98, rates)
            kernel.answer_tables(rates, self.rings.cdf_answered, self.rings.cdf_ended, self.answer_table)

    def _refresh_handle(self, now_s: float, wait_s: float) -> None:
        ages: dict[AgentState, list[float]] = {AgentState.TALKING: [], AgentState.WRAPUP: []}
        for state, since_s in self._agents.values():
            ages[state].append(max(0.0, now_s - since_s))
        talk = self.talk.hazards(np.array(ages[AgentState.TALKING]))
        wrapup = self.wrapup.hazards(np.array(ages[AgentState.WRAPUP]))
        kernel.handle_tables(talk, wrapup, EDGES, _MIDDLES, min(max(wait_s, 0.0), 10.0), self.handle_table)

    # -- from day to day -----------------------------------------------------------------------------------------------
    def export(self) -> dict[str, Any]:
        """What was learnt, as plain JSON values, for the next day."""
        # A controller that does not look ahead never refreshes; as of the last launch.
        self.rate.refresh(float(self.rate.second), self.rings.cdf_answered)
        return {
            "version": 1,
            "rate": self.rate.rate,
            "answered": _plain(self.rings.answered),
            "ended": _plain(self.rings.ended),
            "talk": [_plain(self.talk.ends), _plain(self.talk.exposure_s)],
            "wrapup": [_plain(self.wrapup.ends), _plain(self.wrapup.exposure_s)],
            "classes": [
                _plain(np.array(counts)) for counts in (self._class_dials, self._class_answers, self._class_launches)
            ],
            "machines": [self._judged, self._machines],
        }

    def rebase(self, prior: Mapping[str, Any]) -> None:
        """Begin from what was learnt another day (or at this hour of other days).

        Its answer rate counts as much as 20 dials; its durations and ring times as much as they did, up to 400
        observations. What does not have the expected form is left out.
        """
        try:
            if prior["version"] != 1:
                return
            rate = float(prior["rate"])
            answered, ended = _floats(prior["answered"], RING_S), _floats(prior["ended"], RING_S)
            talk = [_floats(values, len(EDGES)) for values in prior["talk"]]
            wrapup = [_floats(values, len(EDGES)) for values in prior["wrapup"]]
            classes = [_floats(values, CLASSES) for values in prior["classes"]]
            judged, machines = (float(value) for value in prior["machines"])
        except (KeyError, TypeError, ValueError):
            return
        if not (0.0 < rate < 1.0 and judged > 0.0 and 0.0 <= machines <= judged and answered.sum() and ended.sum()):
            return
        self.rate.prior = (rate, 20.0)
        scale = min(1.0, 400.0 / (answered.sum() + ended.sum()))
        self.rings.answered, self.rings.ended = answered * scale, ended * scale
        self.rings.censored = np.zeros(RING_S)
        for durations, (ends, exposure_s) in ((self.talk, talk), (self.wrapup, wrapup)):
            scale = min(1.0, 400.0 / max(1.0, ends.sum()))
            durations.ends, durations.exposure_s = ends * scale, exposure_s * scale
        scale = min(1.0, 400.0 / max(1.0, classes[0].sum()))
        self._class_dials, self._class_answers, self._class_launches = ((values * scale).tolist() for values in classes)
        scale = min(1.0, 50.0 / judged)
        self._judged, self._machines = judged * scale, machines * scale
        self._shape_at_s = self._rate_at_s = -math.inf


def _answer_shape(seconds: float) -> float:
    """Share of answers within so many seconds, before anything is known.

    UNICOM Intelligence's logs of 500,000 calls: most answers after 6 to 10 s or 18 to 22 s.
    """
    return 0.78 * _normal((math.log(max(seconds - 2.6, 1e-9)) - math.log(8.05)) / 0.472) + 0.22 * _normal(
        (seconds - 21.6) / 2.6
    )


def _ending_shape(seconds: float) -> float:
    """Share of the other endings: a third fail at once, the rest ring until the time is over."""
    return 0.35 * (1.0 - math.exp(-seconds / 4.0)) + 0.65 * _normal((seconds - 23.5) / 2.0)


def _normal(z: float) -> float:
    return 0.5 * math.erfc(-z / math.sqrt(2.0))


def _steps(shape: Any) -> Floats:
    reached = np.array([shape(float(second)) for second in range(RING_S + 1)])
    return np.asarray(np.diff(reached) + 1e-6)


def _cdf(mass: Floats) -> Floats:
    reached = np.concatenate([[0.0], np.cumsum(mass)])
    return np.asarray(reached / reached[-1])


def _exposure(seconds: Floats) -> Floats:
    """(bins,) seconds spent in each age bin by all together."""
    return np.asarray(np.minimum(np.maximum(seconds[:, None] - EDGES, 0.0), _WIDTHS).sum(axis=0))


def _plain(values: Floats) -> list[float]:
    return [round(float(value), 4) for value in values]


def _floats(values: Any, length: int) -> Floats:
    array = np.asarray(values, dtype=np.float64)
    if array.shape != (length,) or not np.isfinite(array).all() or (array < 0.0).any():
        raise ValueError("not an exported array")
    return array
