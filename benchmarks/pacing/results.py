"""Rows of results: one per policy, cell and seed; kept as JSON lines, so that an interrupted run loses nothing."""

from __future__ import annotations

import json
import math
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import fmean, stdev

from scipy.stats import t as student

from benchmarks.pacing.hindsight import Point


@dataclass(frozen=True, slots=True, order=True)
class Cell:
    """One floor in one world.

    Attributes:
        answer_rate: of all dials, by persons, 0 to 1.
    """

    world: str
    answer_rate: float
    agents: int

    def __str__(self) -> str:
        return f"{self.world}:{self.answer_rate:g}:{self.agents}"


@dataclass(frozen=True, slots=True)
class Row:
    """What one simulated floor came to.

    Attributes:
        version: of everything that the figures depend on.
        hours: measured, after the warm-up.
        utilisation: 0 to 1, after the warm-up; so are waits and counts.
        wait_mean_s, wait_p95_s: an agent's wait from one conversation's wrap-up to the next conversation.
        contacts: answered calls that reached an agent.
        first_half_hour, days: (answers, abandoned) from the cold start on.
        took_s: computing time.
    """

    policy: str
    cell: Cell
    seed: int
    hours: float
    version: str
    utilisation: float
    wait_mean_s: float
    wait_p95_s: float
    answers: int
    abandoned: int
    dials: int
    contacts: int
    first_half_hour: tuple[int, int]
    days: tuple[tuple[int, int], ...]
    took_s: float

    @property
    def key(self) -> tuple[str, Cell, int, float, str]:
        return self.policy, self.cell, self.seed, self.hours, self.version


class Store:
    """The file of rows."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.rows: dict[tuple[str, Cell, int, float, str], Row] = {}
        text = path.read_text() if path.exists() else ""
        self._torn = bool(text) and not text.endswith("\n")
        for line in text.splitlines():
            row = _row(line)
            if row is not None:
                self.rows[row.key] = row

    def add(self, row: Row) -> None:
        """Keep a row, in the file at once."""
        self.rows[row.key] = row
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with self.path.open("a") as file:
            file.write("\n" * self._torn + json.dumps(asdict(row)) + "\n")
        self._torn = False

    def latest(self, version: Callable[[str], str] | None = None) -> list[Row]:
        """The rows, of each (policy, cell, seed) one: of the policy's current `version`, else the one written last."""
        rows = list(self.rows.values())
        if version is not None:
            rows.sort(key=lambda row: row.version == version(row.policy))
        return list({(row.policy, row.cell, row.seed): row for row in rows}.values())


def _row(line: str) -> Row | None:
    try:
        fields = json.loads(line)
    except ValueError:  # the last line of a run that was killed while it wrote
        return None
    fields["cell"] = Cell(**fields["cell"])
    fields["first_half_hour"] = tuple(fields["first_half_hour"])
    fields["days"] = tuple(tuple(day) for day in fields["days"])
    return Row(**fields)


@dataclass(frozen=True, slots=True)
class Interval:
    """An estimate with half the width of its 95 % interval over seeds (NaN with a single seed)."""

    mean: float
    half: float


def interval(values: Sequence[float]) -> Interval:
    """Mean of independent seeds, by Student's t."""
    if len(values) < 2:
        return Interval(fmean(values) if values else math.nan, math.nan)
    half = student.ppf(0.975, len(values) - 1) * stdev(values) / math.sqrt(len(values))
    return Interval(fmean(values), float(half))


def ratio(over: Sequence[float], under: Sequence[float]) -> Interval:
    """Sum over sum with the interval of a ratio estimator (Cochran, Sampling Techniques, 6.4), seeds independent."""
    total = sum(under)
    if total <= 0:
        return Interval(0.0, math.nan)
    share, n = sum(over) / total, len(over)
    if n < 2:
        return Interval(share, math.nan)
    spread = sum((a - share * b) ** 2 for a, b in zip(over, under, strict=True)) * n / (n - 1)
    return Interval(share, float(student.ppf(0.975, n - 1)) * math.sqrt(spread) / total)


@dataclass(frozen=True, slots=True)
class Summary:
    """A policy in a cell, over its seeds; shares are 0 to 1, waits seconds."""

    policy: str
    cell: Cell
    seeds: tuple[int, ...]
    utilisation: Interval
    wait_mean: Interval
    wait_p95: Interval
    abandonment: Interval
    worst_day: float
    days_over: int  # over the cap of 3.0 %
    days: int
    first_half_hour: float
    dials_per_contact: float

    @property
    def point(self) -> Point:
        return Point(0.0, self.utilisation.mean, self.abandonment.mean)


def summary(rows: Sequence[Row], cap: float = 0.03) -> Summary:
    """What the rows of one policy in one cell say together."""
    days = [abandoned / answers for row in rows for answers, abandoned in row.days if answers > 0]
    first = [sum(row.first_half_hour[i] for row in rows) for i in (0, 1)]
    return Summary(
        rows[0].policy,
        rows[0].cell,
        tuple(sorted(row.seed for row in rows)),
        interval([row.utilisation for row in rows]),
        interval([row.wait_mean_s for row in rows]),
        interval([row.wait_p95_s for row in rows]),
        ratio([row.abandoned for row in rows], [row.answers for row in rows]),
        max(days, default=0.0),
        sum(day > cap + 1e-12 for day in days),
        len(days),
        first[1] / first[0] if first[0] else 0.0,
        sum(row.dials for row in rows) / max(1, sum(row.contacts for row in rows)),
    )


def summaries(rows: Iterable[Row]) -> dict[Cell, dict[str, Summary]]:
    """By cell and policy."""
    groups: dict[tuple[Cell, str], list[Row]] = defaultdict(list)
    for row in rows:
        groups[row.cell, row.policy].append(row)
    found: dict[Cell, dict[str, Summary]] = defaultdict(dict)
    for (cell, policy), group in sorted(groups.items(), key=lambda item: item[0]):
        found[cell][policy] = summary(group)
    return dict(found)
