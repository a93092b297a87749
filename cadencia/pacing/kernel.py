"""The look-ahead itself, on arrays: how many more calls may be started now.

One source, two ways to run it: compiled where numba is installed (the extra `fast`), plain numpy where it is not, or
where CADENCIA_KERNEL=plain asks for it. Both take the same decisions. Only what costs most has a body for each.

For each lag t, X(t) = free agents - waiting callers + agents freed by t - answers of dials in flight by t. The
last two are sums of independent Bernoulli variables with different probabilities. With Y = (agents freed) + (dials not
answered), X(t) = Y(t) - need, where need = dials + waiting - free; Y is Poisson-binomial, taken exactly up to
`EXACT_TERMS` terms and by a normal approximation with one Edgeworth term for the skewness beyond (Feller 1971, XVI.4).
"""

from __future__ import annotations

import math
import os
from collections.abc import Callable
from typing import Any, Final, TypeVar, cast

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
_F = TypeVar("_F", bound=Callable[..., Any])

#: Grid of the forecast: lags of LAG_S, 2 LAG_S, ... seconds.
LAG_S: Final = 2.0
LAGS: Final = 16

#: Ages of dials, and lengths of ringing, are counted in whole seconds up to this.
RING_S: Final = 64

#: Up to so many uncertain terms the distribution is exact.
EXACT_TERMS: Final = 70

#: Where each number stands in the answer of `plan`.
RISK, CAUSE, FREE_5S, FREE_10S, FREE_30S, ANSWERS, ANSWERS_SD = range(7)
EXPECTED_DROPS, HIGH, LOW, PLAIN, THRESHOLD, WANTED, NUMBERS = range(7, 14)

#: With an empty list it goes on counting what it would start, up to so many more.
LOOK_FURTHER: Final = 50

#: Why `plan` stopped.
BY_LIMIT, BY_RISK, BY_BUDGET, BY_LIST = range(4)

try:
    if os.environ.get("CADENCIA_KERNEL") == "plain":
        raise ImportError
    import numba

    COMPILED = True

    def _compiled(function: _F) -> _F:
        compiled: Any = numba.njit(cache=True, error_model="numpy")(function)
        return cast(_F, compiled)

except ImportError:
    COMPILED = False

    def _compiled(function: _F) -> _F:
        return function


# -- what costs most, with a body for each way -------------------------------------------------------------------------
if COMPILED:

    @_compiled
    def add_term(pmf: Floats, top: int, chance: Floats) -> None:
        """Add one Bernoulli variable, with a chance for each lag, to the sums whose distributions are `pmf`.

        pmf: (values, LAGS), right up to value `top` before and after.
        """
        for value in range(top, 0, -1):
            for lag in range(chance.shape[0]):
                pmf[value, lag] += chance[lag] * (pmf[value - 1, lag] - pmf[value, lag])
        for lag in range(chance.shape[0]):
            pmf[0, lag] -= chance[lag] * pmf[0, lag]

    @_compiled
    def below(pmf: Floats, top: int, out: Floats) -> None:
        """out: (LAGS,) = P(sum <= top)."""
        out[:] = 0.0
        for value in range(top + 1):
            for lag in range(out.shape[0]):
                out[lag] += pmf[value, lag]

    @_compiled
    def answer_tables(rates: Floats, answered: Floats, ended: Floats, out: Floats) -> None:
        """Probability that a dial of some age is answered within some lag.

        Args:
            rates: (classes,) answer rate of each propensity class.
            answered, ended: (RING_S + 1,) distribution functions of the time to an answer, and to any other ending, at
                whole seconds.
            out: (classes x (RING_S + 1), LAGS); the age of row 0 is zero, of row k the middle of second k.
        """
        last = answered.shape[0] - 1
        for age in range(last + 1):
            before = max(0, age - 1)
            by_now, gone = 0.5 * (answered[before] + answered[age]), 0.5 * (ended[before] + ended[age])
            for lag in range(out.shape[1]):
                step = int(LAG_S) * (lag + 1)
                by_then = 0.5 * (answered[min(last, before + step)] + answered[min(last, age + step)])
                for kind in range(rates.shape[0]):
                    alive = max(1e-9, 1.0 - rates[kind] * by_now - (1.0 - rates[kind]) * gone)
                    chance = rates[kind] * (by_then - by_now) / alive
                    out[kind * (last + 1) + age, lag] = min(1.0, max(0.0, chance))

    @_compiled
    def edgeworth(value: float, mean: Floats, variance: Floats, third: Floats, out: Floats) -> None:
        """P(S <= value) of integer sums with these first three central moments, continuity-corrected.

        mean, variance, third, out: (LAGS,)
        """
        for lag in range(out.shape[0]):
            sd = math.sqrt(max(1e-12, variance[lag]))
            z = min(8.0, max(-8.0, (value + 0.5 - mean[lag]) / sd))
            density = math.exp(-0.5 * z * z) * 0.3989422804014327
            skew = third[lag] / (6.0 * sd * sd * sd) if sd > 1e-4 else 0.0
            chance = 0.5 * math.erfc(-z * 0.7071067811865476) - skew * (z * z - 1.0) * density
            out[lag] = min(1.0, max(0.0, chance))

else:
    from scipy.special import erfc

    def add_term(pmf: Floats, top: int, chance: Floats) -> None:
        """Add one Bernoulli variable, with a chance for each lag, to the sums whose distributions are `pmf`.

        pmf: (values, LAGS), right up to value `top` before and after.
        """
        moved = pmf[: top + 1] * chance
        pmf[: top + 1] -= moved
        pmf[1 : top + 1] += moved[:top]

    def below(pmf: Floats, top: int, out: Floats) -> None:
        """out: (LAGS,) = P(sum <= top)."""
        if top >= 0:
            pmf[: top + 1].sum(axis=0, out=out)
        else:
            out[:] = 0.0

    def answer_tables(rates: Floats, answered: Floats, ended: Floats, out: Floats) -> None:
        """Probability that a dial of some age is answered within some lag.

        Args:
            rates: (classes,) answer rate of each propensity class.
            answered, ended: (RING_S + 1,) distribution functions of the time to an answer, and to any other ending, at
                whole seconds.
            out: (classes x (RING_S + 1), LAGS); the age of row 0 is zero, of row k the middle of second k.
        """
        last = answered.shape[0] - 1
        ages = np.arange(last + 1)
        before = np.maximum(0, ages - 1)
        steps = int(LAG_S) * np.arange(1, out.shape[1] + 1)
        by_now, gone = 0.5 * (answered[before] + answered), 0.5 * (ended[before] + ended)
        by_then = 0.5 * (
            answered[np.minimum(last, before[:, None] + steps)] + answered[np.minimum(last, ages[:, None] + steps)]
        )
        for kind, rate in enumerate(rates):
            alive = np.maximum(1e-9, 1.0 - rate * by_now - (1.0 - rate) * gone)
            chance = rate * (by_then - by_now[:, None]) / alive[:, None]
            out[kind * (last + 1) : (kind + 1) * (last + 1)] = np.minimum(1.0, np.maximum(0.0, chance))

    def edgeworth(value: float, mean: Floats, variance: Floats, third: Floats, out: Floats) -> None:
        """P(S <= value) of integer sums with these first three central moments, continuity-corrected.

        mean, variance, third, out: (LAGS,)
        """
        sd = np.sqrt(np.maximum(1e-12, variance))
        z = np.minimum(8.0, np.maximum(-8.0, (value + 0.5 - mean) / sd))
        density = np.exp(-0.5 * z * z) * 0.3989422804014327
        skew = np.where(sd > 1e-4, third / (6.0 * sd * sd * sd), 0.0)
        chance = 0.5 * erfc(-z * 0.7071067811865476) - skew * (z * z - 1.0) * density
        out[:] = np.minimum(1.0, np.maximum(0.0, chance))


@_compiled
def exposure(now_s: float, second: int, dials: Floats, frozen: Floats, cdf_answered: Floats) -> float:
    """What the dials of the last RING_S seconds count for until now.

    Args:
        second: the whole second up to which cohorts were moved on.
        dials, frozen: (RING_S,) weights by the second of the launch, modulo RING_S; what dials taken back counted for.
        cdf_answered: (RING_S + 1,) distribution function of the time to an answer.
    """
    part = min(1.0, max(0.0, now_s - second))
    total = 0.0
    for slot in range(RING_S):
        if dials[slot] != 0.0 or frozen[slot] != 0.0:
            age = (second - slot) % RING_S
            counted = cdf_answered[age] + part * (cdf_answered[age + 1] - cdf_answered[age])
            total += dials[slot] * counted + frozen[slot]
    return total


@_compiled
def ring_times(
    answered: Floats, ended: Floats, unknown: Floats, rate: float, cdf_answered: Floats, cdf_ended: Floats
) -> None:
    """Three steps of expectation and maximisation (Dempster, Laird and Rubin 1977) for the ring times.

    Args:
        answered, ended: (RING_S,) dials that were answered, or ended otherwise, in each second of their age.
        unknown: (RING_S,) dials of which only the age is known: taken back, or still in flight.
        rate: the present answer rate.
        cdf_answered, cdf_ended: (RING_S + 1,) the distribution functions of either ending, changed in place.
    """
    for _ in range(3):
        by_answer = 0.5 * (cdf_answered[:-1] + cdf_answered[1:])  # at the middle of each second
        by_end = 0.5 * (cdf_ended[:-1] + cdf_ended[1:])
        weight = unknown / np.maximum(1e-3, 1.0 - rate * by_answer - (1.0 - rate) * by_end)
        before = np.cumsum(weight) - 0.5 * weight
        reached = np.cumsum(answered + rate * before * (cdf_answered[1:] - cdf_answered[:-1]))
        cdf_answered[1:] = reached / reached[-1]
        reached = np.cumsum(ended + (1.0 - rate) * before * (cdf_ended[1:] - cdf_ended[:-1]))
        cdf_ended[1:] = reached / reached[-1]


@_compiled
def cumulated(hazards: Floats, edges: Floats, ages_s: Floats) -> Floats:
    """(n,) cumulated hazard up to each of (n,) ages, of hazards that are constant between the (bins,) `edges`."""
    at_edges = np.zeros(edges.shape[0])
    at_edges[1:] = np.cumsum(hazards[:-1] * (edges[1:] - edges[:-1]))
    bins = np.searchsorted(edges, ages_s, side="right") - 1
    return at_edges[bins] + hazards[bins] * (ages_s - edges[bins])


@_compiled
def handle_tables(talk: Floats, wrapup: Floats, edges: Floats, middles: Floats, wait_s: float, out: Floats) -> None:
    """Probability that an agent who talks, or wraps up, for so long is free for a caller within each lag.

    Free for a caller at lag t means free by t + wait_s. What is left of a talk is followed by a whole wrap-up.

    Args:
        talk, wrapup: (bins,) ends per second, by age.
        edges, middles: (bins,) of the age bins, seconds.
        out: (2 x bins, LAGS): talk, then wrap-up.
    """
    bins = edges.shape[0]
    steps = LAG_S * np.arange(0, LAGS + 6)
    times = LAG_S * np.arange(1, LAGS + 1) + wait_s
    ages = (middles.reshape((bins, 1)) + steps.reshape((1, LAGS + 6))).ravel()
    reached = cumulated(talk, edges, ages).reshape((bins, LAGS + 6))
    survival = np.exp(reached[:, :1] - reached)
    ends = survival[:, :-1] - survival[:, 1:]
    left = times.reshape((1, LAGS)) - (steps[:-1] + 0.5 * LAG_S).reshape((LAGS + 5, 1))
    wrapped = 1.0 - np.exp(-cumulated(wrapup, edges, np.maximum(0.0, left).ravel()).reshape((LAGS + 5, LAGS)))
    wrapped = np.where(left >= 0.0, wrapped, 0.0)
    out[:bins] = ends @ wrapped
    ages = (middles.reshape((bins, 1)) + times.reshape((1, LAGS))).ravel()
    later = cumulated(wrapup, edges, ages).reshape((bins, LAGS))
    out[bins:] = 1.0 - np.exp(cumulated(wrapup, edges, middles).reshape((bins, 1)) - later)


@_compiled
def plan(
    now_s: float,
    free: int,
    waiting: int,
    busy_since: Floats,
    busy_kind: Ints,
    busy_share: Floats,
    dial_since: Floats,
    dial_kind: Ints,
    edges: Floats,
    handle: Floats,
    answers: Floats,
    lag_weights: Floats,
    supply: Ints,
    control: Floats,
    out: Floats,
) -> None:
    """How many calls to start.

    Args:
        busy_since: (n,) when each busy agent's state began; busy_kind: 0 talks, 1 wraps up; busy_share: see AgentView.
        dial_since: (m,) launches of the dials in flight; dial_kind: their propensity class.
        edges: lower ends of the age bins of `handle`.
        handle: (2 x bins, LAGS) probability that a busy agent is free within each lag.
        answers: ((classes + 1) x (RING_S + 1), LAGS) of `answer_tables`; the last class is "not known before the
            launch".
        lag_weights: (LAGS,) probability that the answer of a new dial falls into each lag; adds up to 1.
        supply: (classes,) contacts at hand; [-1] alone when the list decides and sets no limit.
        control: threshold at a neutral budget, gain per drop above and below the reserve, reserve, budget in drops,
            highest probability to overdraw it, most calls to start, share of the likely class, 1 to choose the class.
        out: see RISK ... WANTED.
    """
    threshold_0, gain, cut, reserve, budget = control[0], control[1], control[2], control[3], control[4]
    overdraw, most, likely_share, choose = control[5], int(control[6]), control[7], control[8] > 0.5
    busy, dials, lags = busy_since.shape[0], dial_since.shape[0], lag_weights.shape[0]
    terms = busy + dials
    need = dials + waiting - free
    unknown = answers.shape[0] // (RING_S + 1) - 1

    # The terms: each a Bernoulli variable with one chance for each lag.
    chances = np.empty((terms, lags))
    bins = np.maximum(0, np.searchsorted(edges, now_s - busy_since, side="right") - 1)
    chances[:busy] = handle[busy_kind * edges.shape[0] + bins] * busy_share.reshape((busy, 1))
    ages = np.minimum(RING_S, np.maximum(0.0, now_s - dial_since) + 1.0).astype(np.int64)
    chances[busy:] = 1.0 - answers[dial_kind * (RING_S + 1) + ages]
    spread = chances * (1.0 - chances)
    mean, variance = chances.sum(axis=0), spread.sum(axis=0)
    third = (spread * (1.0 - 2.0 * chances)).sum(axis=0)
    freed = chances[:busy].sum(axis=0)
    out[FREE_5S], out[FREE_10S], out[FREE_30S] = (
        free - waiting + freed[1],
        free - waiting + freed[4],
        free - waiting + freed[14],
    )
    out[ANSWERS] = dials - (mean[4] - freed[4])
    out[ANSWERS_SD] = math.sqrt(max(0.0, spread[busy:, 4].sum()))

    # Their sum, exactly while that is cheap; only values up to `need` and what launches may add to it matter.
    exact = terms <= EXACT_TERMS
    room = max(0, min(most, EXACT_TERMS - terms)) if exact else 0
    pmf = np.zeros((max(0, need) + room + 2, lags))
    if exact and need + room >= 0:
        pmf[0] = 1.0
        top = max(0, need) + room
        for term in range(terms):
            add_term(pmf, min(top, term + 1), chances[term])

    # Answers of the dials in flight that will find nobody, at the worst lag.
    drops = 0.0
    if need > 0:
        if exact:
            for lag in range(lags):
                expected = 0.0
                for value in range(min(need, terms + 1)):
                    expected += (need - value) * pmf[value, lag]
                drops = max(drops, expected)
        else:
            for lag in range(lags):
                sd = math.sqrt(max(1e-12, variance[lag]))
                z = (need - mean[lag]) / sd
                z = min(30.0, max(-30.0, z))
                chance = 0.5 * math.erfc(-z * 0.7071067811865476)
                drops = max(drops, sd * (z * chance + math.exp(-0.5 * z * z) * 0.3989422804014327))
    out[EXPECTED_DROPS] = drops
    margin = budget - drops - reserve
    threshold = threshold_0 * math.exp(min(20.0, max(-20.0, (gain if margin > 0.0 else cut) * margin)))
    threshold = min(0.5, threshold)
    spare = math.floor(max(0.0, budget))

    launched_high = launched_low = launched_plain = beyond = 0
    left_low = supply[0]
    left_high = supply[1] if supply.shape[0] > 1 else 0
    unlimited = left_low < 0
    lower = np.empty(lags)
    cause = BY_LIMIT
    risk = 0.0
    launched = 0
    while True:
        # The risk of the next answer: nobody free at the lag it falls into.
        if exact:
            below(pmf, min(need, pmf.shape[0] - 1), lower)
            risk = (lower * lag_weights).sum()
        else:
            edgeworth(need, mean, variance, third, lower)
            risk = (lower * lag_weights).sum()
        if risk > threshold:
            cause = BY_RISK
            break
        if launched >= most or beyond >= LOOK_FURTHER:
            break
        dry = not unlimited and left_low + left_high <= 0
        kind = unknown
        if choose and not unlimited and not dry:
            slack = 1.0 - risk / threshold
            held = left_high / (left_low + left_high)
            kind = 1 if slack > 0.3 + likely_share - held else 0
            if kind == 1 and left_high <= 0:
                kind = 0
            if kind == 0 and left_low <= 0:
                kind = 1
        chance = 1.0 - answers[kind * (RING_S + 1)]
        # With this dial in flight, more than the budget must hardly ever be dropped: P(-X > spare) is small.
        worst = 0.0
        edge = need - spare
        if exact:
            below(pmf, edge, lower)
            if edge >= 0:
                worst = (lower - chance * pmf[min(edge, pmf.shape[0] - 1)]).max()
        else:
            more = chance * (1.0 - chance)  # one more term moves the moments
            edgeworth(edge, mean + chance, variance + more, third + more * (1.0 - 2.0 * chance), lower)
            worst = lower.max()
        if worst > overdraw:
            cause = BY_BUDGET
            break
        # Launch it.
        need += 1
        launched += 1
        terms += 1
        mean += chance
        variance += chance * (1.0 - chance)
        third += chance * (1.0 - chance) * (1.0 - 2.0 * chance)
        if exact:
            if terms > EXACT_TERMS:
                exact = False
            else:
                add_term(pmf, min(pmf.shape[0] - 2, terms), chance)
        if dry:
            beyond += 1
        elif kind == unknown:
            launched_plain += 1
            left_low -= 0 if unlimited else 1
        elif kind == 1:
            launched_high += 1
            left_high -= 1
        else:
            launched_low += 1
            left_low -= 1
    out[RISK], out[CAUSE], out[WANTED] = risk, BY_LIST if beyond else cause, launched
    out[HIGH], out[LOW], out[PLAIN] = launched_high, launched_low, launched_plain
    out[THRESHOLD] = threshold
