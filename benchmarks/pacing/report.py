"""Tables and plots of a folder of results."""

from __future__ import annotations

import json
import math
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from benchmarks.pacing import scenarios
from benchmarks.pacing.hindsight import Point, mixed
from benchmarks.pacing.optimum import Problem, solve
from benchmarks.pacing.results import Cell, Interval, Row, Store, Summary, interval, summaries

CAP = 0.03

#: Policies that are a family with a factor: `family:factor`.
FAMILIES = {"idle": "idle × F", "vicidial-available": "VICIdial available-only × L"}


def family(policy: str) -> str | None:
    """The family that a policy is one setting of, if it is."""
    name, colon, _ = policy.partition(":")
    return name if colon and name in FAMILIES else None


@dataclass(frozen=True, slots=True)
class Equal:
    """A policy of ours against a family tuned by hindsight, at the same abandonment.

    Attributes:
        abandonment: ours as realised, over all seeds; 0 to 1.
        tuned: utilisation of the family there.
        advantage: of ours, with a 95 % interval over common seeds.
    """

    cell: Cell
    policy: str
    family: str
    abandonment: float
    ours: float
    tuned: float
    factors: str
    advantage: Interval


def factor_points(cell: dict[str, Summary], name: str) -> list[Point]:
    """A family's points in a cell."""
    return sorted(
        (
            Point(float(policy.partition(":")[2]), found.utilisation.mean, found.abandonment.mean)
            for policy, found in cell.items()
            if family(policy) == name
        ),
        key=lambda point: point.factor,
    )


def at_equal_abandonment(
    rows: Sequence[Row], found: dict[Cell, dict[str, Summary]], ours: Iterable[str]
) -> list[Equal]:
    """Every policy of `ours` against every family, in every cell where both were run on common seeds."""
    by_seed: dict[tuple[Cell, str], dict[int, float]] = defaultdict(dict)
    for row in rows:
        by_seed[row.cell, row.policy][row.seed] = row.utilisation
    out = []
    wanted = list(ours)
    for cell, policies in found.items():
        for name in FAMILIES:
            points = factor_points(policies, name)
            for policy in wanted:
                if policy in policies and points:
                    equal = _equal(cell, policies[policy], name, points, by_seed)
                    if equal is not None:
                        out.append(equal)
    return out


def _equal(
    cell: Cell, ours: Summary, name: str, points: list[Point], by_seed: dict[tuple[Cell, str], dict[int, float]]
) -> Equal | None:
    tuned = mixed(points, ours.abandonment.mean)
    if tuned.under is None:
        return None
    low, high = tuned.under, tuned.over or tuned.under
    share = 0.0 if high is low else (tuned.utilisation - low.utilisation) / (high.utilisation - low.utilisation)
    lows, highs = (by_seed[cell, f"{name}:{point.factor:.4g}"] for point in (low, high))
    mine = by_seed[cell, ours.policy]
    seeds = sorted(set(mine) & set(lows) & set(highs))
    if not seeds:
        return None
    differences = [mine[seed] - (1.0 - share) * lows[seed] - share * highs[seed] for seed in seeds]
    factors = f"{low.factor:.3g}" if high is low else f"{low.factor:.3g} / {high.factor:.3g}"
    return Equal(
        cell,
        ours.policy,
        name,
        ours.abandonment.mean,
        ours.utilisation.mean,
        tuned.utilisation,
        factors,
        interval(differences),
    )


# --- tables ----------------------------------------------------------------------------------------------------------


def percent(value: Interval) -> str:
    half = "" if math.isnan(value.half) else f" ±{100.0 * value.half:.1f}"
    return f"{100.0 * value.mean:.1f}{half}"


def _grid(
    title: str,
    found: dict[Cell, dict[str, Summary]],
    text: Callable[[Summary], str],
    policies: Sequence[str],
    extra: Sequence[str] = (),
) -> list[str]:
    """One table: policies down, team sizes across; all cells of one world and answer rate."""
    teams = sorted({cell.agents for cell in found})
    lines = [f"**{title}**", "", "| |" + "".join(f" N={n} |" for n in teams), "|---|" + "---|" * len(teams)]
    by_team = {cell.agents: column for cell, column in found.items()}
    for policy in policies:
        if any(policy in column for column in by_team.values()):
            cells = [text(by_team[n][policy]) if policy in by_team[n] else "" for n in teams]
            lines.append(f"| {policy} |" + "".join(f" {cell} |" for cell in cells))
    return [*lines, *extra, ""]


def tuned_at(cell: dict[str, Summary], name: str, cap: float = CAP) -> float | None:
    """Utilisation of a family tuned by hindsight to exactly the cap, where its factors were searched."""
    points = factor_points(cell, name)
    return mixed(points, cap).utilisation if points else None


def _tuned_lines(found: dict[Cell, dict[str, Summary]]) -> list[str]:
    """Rows for the first table: what the families reach at the cap."""
    lines = []
    for name, title in FAMILIES.items():
        reached = [tuned_at(found[cell], name) for cell in sorted(found, key=lambda cell: cell.agents)]
        if any(value is not None for value in reached):
            cells = "".join(f" {100.0 * value:.1f} (3.0) |" if value is not None else " |" for value in reached)
            lines.append(f"| {title}, tuned by hindsight |{cells}")
    return lines


TABLES: tuple[tuple[str, Callable[[Summary], str]], ...] = (
    (
        "Utilisation % (abandoned % of live answers)",
        lambda s: f"{percent(s.utilisation)} ({percent(s.abandonment)})",
    ),
    (
        "An agent's wait between calls, mean / 95th percentile, s",
        lambda s: f"{s.wait_mean.mean:.1f} / {s.wait_p95.mean:.0f}",
    ),
    (
        "Days: worst abandonment % from the cold start on; days over 3.00 % of all",
        lambda s: f"{100.0 * s.worst_day:.2f}; {s.days_over} of {s.days}",
    ),
    ("First 30 minutes from a cold start: abandoned %", lambda s: f"{100.0 * s.first_half_hour:.2f}"),
    ("Dials per contact", lambda s: f"{s.dials_per_contact:.2f}"),
)


def markdown(rows: Sequence[Row], ours: Sequence[str], order: Sequence[str], command: str) -> str:
    """The whole report."""
    found = summaries(rows)
    singles = [policy for policy in order if family(policy) is None]
    seeds = sorted({row.seed for row in rows})
    versions = sorted({row.version for row in rows})
    lines = [
        "# Pacing policies compared",
        "",
        f"Written by `{command}`. Seeds {seeds[0]} to {seeds[-1]}; every policy of a cell sees the same debtors. "
        "± is half of a 95 % interval over seeds. Utilisation, waits, abandonment and dials are measured after a "
        "warm-up of 30 minutes; days and the first 30 minutes count from the cold start on.",
        "",
    ]
    if len(versions) > 2:  # ours and the peers' change apart
        lines += [f"Rows of several versions of the code are mixed: {', '.join(versions)}.", ""]
    for world, rate in sorted({(cell.world, cell.answer_rate) for cell in found}):
        part = {cell: column for cell, column in found.items() if (cell.world, cell.answer_rate) == (world, rate)}
        lines += [f"## {world}, answer rate {rate:.0%}", ""]
        for number, (title, text) in enumerate(TABLES):
            lines += _grid(title, part, text, singles, _tuned_lines(part) if number == 0 else ())
        if world == "exponential":
            lines += _against_optimum(part, ours)
    lines += _equal_table(at_equal_abandonment(rows, found, ours), CAP)
    lines += _advantages(found, ours, singles)
    return "\n".join(lines) + "\n"


def _against_optimum(found: dict[Cell, dict[str, Summary]], ours: Sequence[str]) -> list[str]:
    best = {cell: solve(Problem(cell.agents, cell.answer_rate)).utilisation for cell in found}

    def text(s: Summary) -> str:
        cell, dropped = s.cell, s.abandonment.mean
        share = f"{100.0 * s.utilisation.mean / best[cell]:.1f}"
        if not 0.001 <= dropped <= 0.2:
            return share
        there = solve(Problem(cell.agents, cell.answer_rate, cap=dropped)).utilisation
        return f"{share} ({100.0 * s.utilisation.mean / there:.1f})"

    title = "Utilisation over the optimum's at 3.0 %, in % (over the optimum's at the policy's own abandonment)"
    note = "The optimum may neither take calls back nor know classes; a policy that does can pass it."
    return [*_grid(title, found, text, ours), note, ""]


def _equal_table(equals: Sequence[Equal], cap: float) -> list[str]:
    if not equals:
        return []
    lines = [
        "## At equal abandonment, against a factor tuned by hindsight",
        "",
        "The factor is searched for this cell and these seeds; at our realised abandonment, time is shared between the "
        "two best factors around it.",
        "",
        "| cell | policy | abandoned % | utilisation % | tuned | factors | its utilisation % | advantage, points |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for equal in equals:
        lines.append(
            f"| {equal.cell} | {equal.policy} | {100.0 * equal.abandonment:.2f} | {100.0 * equal.ours:.1f} "
            f"| {FAMILIES[equal.family]} | {equal.factors} | {100.0 * equal.tuned:.1f} "
            f"| {'+' if equal.advantage.mean >= 0 else ''}{percent(equal.advantage)} |"
        )
    worst = min(equals, key=lambda equal: equal.advantage.mean)
    lines += ["", f"Least advantage: {100.0 * worst.advantage.mean:+.2f} points ({worst.policy}, {worst.cell}).", ""]
    return lines


def _advantages(
    found: dict[Cell, dict[str, Summary]], ours: Sequence[str], singles: Sequence[str], cap: float = CAP
) -> list[str]:
    """Our first policy against each peer: points of utilisation where the peer is lawful, and how often it is not."""
    base = next((policy for policy in ours if any(policy in column for column in found.values())), None)
    if base is None:
        return []
    lines = [
        f"## {base} against each other policy, all cells",
        "",
        "| policy | cells | cells over 3.0 % | advantage where it stays under, points: least / mean / most |",
        "|---|---|---|---|",
    ]
    for policy in singles:
        pairs = [(column[base], column[policy]) for column in found.values() if base in column and policy in column]
        if policy in ours or not pairs:
            continue
        lawful = [
            100.0 * (mine.utilisation.mean - its.utilisation.mean)
            for mine, its in pairs
            if its.abandonment.mean <= cap * 1.005
        ]
        span = f"{min(lawful):+.1f} / {sum(lawful) / len(lawful):+.1f} / {max(lawful):+.1f}" if lawful else "-"
        lines.append(f"| {policy} | {len(pairs)} | {len(pairs) - len(lawful)} | {span} |")
    return [*lines, ""]


def write(folder: Path, ours: Sequence[str], order: Sequence[str], command: str) -> list[Path]:
    """The report of the folder's rows: report.md, summary.json and the plots. Returns what was written."""
    from benchmarks.pacing import plots  # matplotlib is slow to import

    rows = Store(folder / "results.jsonl").latest(scenarios.version)
    if not rows:
        return []
    found = summaries(rows)
    report, data = folder / "report.md", folder / "summary.json"
    report.write_text(markdown(rows, ours, order, command))
    data.write_text(json.dumps([asdict(s) for column in found.values() for s in column.values()], indent=1) + "\n")
    return [report, data, *plots.write(folder, found, ours, order)]
