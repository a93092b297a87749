"""A factor tuned by hindsight: for one cell, knowing its seeds, the best that a fixed factor can do at an abandonment.

Nobody can do this on a floor. It is the honest opponent: a ratio that an expert tuned for exactly this team, list and
hour, and that stays right all day.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Point:
    """What a factor came to, over all seeds of a cell.

    Attributes:
        utilisation: 0 to 1.
        abandonment: abandoned calls over answers, 0 to 1.
    """

    factor: float
    utilisation: float
    abandonment: float


@dataclass(frozen=True, slots=True)
class Tuned:
    """The best mixture of two factors at an abandonment.

    Attributes:
        utilisation: at the abandonment asked for (or below it, where no factor tried reaches it); 0 if all are above.
        under, over: the two factors' points; None where there is none on that side.
        plain: the best single factor that stays at or under the abandonment.
    """

    utilisation: float
    under: Point | None
    over: Point | None
    plain: Point | None


def excess(point: Point, abandonment: float) -> float:
    """Abandoned calls beyond the share, in proportion to time (calls served go with busy time in every policy)."""
    if point.abandonment >= 1.0:
        return float("inf")
    odds = point.abandonment / (1.0 - point.abandonment)
    return point.utilisation * (odds - abandonment / (1.0 - abandonment))


def mixed(points: Sequence[Point], abandonment: float) -> Tuned:
    """The highest utilisation at `abandonment` on the concave hull of the points.

    Between two factors time is shared, which is the interpolation that favours the opponent most.
    """
    under = [point for point in points if point.abandonment <= abandonment]
    over = [point for point in points if abandonment < point.abandonment < 1.0]
    plain = max(under, key=lambda point: point.utilisation, default=None)
    if plain is None:
        return Tuned(0.0, None, min(over, key=lambda point: point.abandonment, default=None), None)
    best = Tuned(plain.utilisation, plain, None, plain)
    for low in under:
        for high in over:
            below, above = excess(low, abandonment), excess(high, abandonment)
            share = -below / (above - below)
            utilisation = (1.0 - share) * low.utilisation + share * high.utilisation
            if utilisation > best.utilisation:
                best = Tuned(utilisation, low, high, plain)
    return best


def search(
    run: Callable[[float], Point], factors: Sequence[float], abandonments: Sequence[float], rounds: int = 4
) -> list[Point]:
    """Points of a grid of factors, then of bisections around each abandonment.

    Args:
        run: simulates the cell with a factor.
        factors: the grid, ascending; it ends early once a factor abandons far more than asked for.
        rounds: bisections for each of `abandonments`.
    """
    points: list[Point] = []
    for factor in factors:
        points.append(run(factor))
        if points[-1].abandonment > 3.0 * max(abandonments) + 0.02:
            break
    for abandonment in abandonments:
        for _ in range(rounds):
            points.sort(key=lambda point: point.factor)
            crossing = next((i for i, point in enumerate(points) if point.abandonment > abandonment), None)
            if crossing is None or crossing == 0:
                break
            low, high = points[crossing - 1].factor, points[crossing].factor
            if high - low < 0.01:
                break
            points.append(run(0.5 * (low + high)))
    return sorted(points, key=lambda point: point.factor)


def grid(answer_rate: float, steps: int = 14) -> list[float]:
    """Factors from one call per idle agent to four times what makes one answer each, in equal ratios."""
    top = max(2.0, 4.0 / answer_rate)
    return [top ** (step / (steps - 1)) for step in range(steps)]
