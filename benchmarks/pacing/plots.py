"""The plots of a folder of results."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from benchmarks.pacing.hindsight import mixed
from benchmarks.pacing.report import CAP, FAMILIES, factor_points, family, tuned_at
from benchmarks.pacing.results import Cell, Summary

Found = dict[Cell, dict[str, Summary]]

#: Ours in strong colours, the others in muted ones.
STRONG = ("#0b5fa5", "#d1495b", "#2e8b57", "#7b4fa3")
MUTED = ("#8a8a8a", "#b08d57", "#6b9aa8", "#a37b8f", "#94a35b", "#5b5b5b", "#c2a83e", "#7f8fbf", "#bf8f7f", "#9fbfa0")
MARKS = "osD^vP<>X*"

# The same bytes for the same data, so that a plot only changes in a commit when its data did.
matplotlib.rcParams.update({"svg.hashsalt": "cadencia", "svg.fonttype": "none", "font.size": 9})


def styles(ours: Sequence[str], policies: Sequence[str]) -> dict[str, tuple[str, str, float]]:
    """Colour, marker and width of each policy, the same in every plot."""
    style = {policy: (STRONG[i % len(STRONG)], MARKS[i % len(MARKS)], 2.0) for i, policy in enumerate(ours)}
    others = [policy for policy in policies if policy not in style]
    for i, policy in enumerate(others):
        style[policy] = MUTED[i % len(MUTED)], MARKS[i % len(MARKS)], 1.0
    return style


def write(folder: Path, found: Found, ours: Sequence[str], order: Sequence[str]) -> list[Path]:
    """All plots of the summaries, by world."""
    written = []
    singles = [policy for policy in order if family(policy) is None]
    style = styles(ours, singles)
    for world in sorted({cell.world for cell in found}):
        part = {cell: column for cell, column in found.items() if cell.world == world}
        for name, draw in (("utilisation", _utilisation), ("abandonment", _abandonment), ("wait", _wait)):
            figure = _by_rate(part, singles, style, draw)
            written.append(_save(figure, folder / f"{name}-{world}.svg"))
        for rate in sorted({cell.answer_rate for cell in part}):
            chosen = {cell: column for cell, column in part.items() if cell.answer_rate == rate}
            figure = _frontier(chosen, ours, singles, style)
            if figure is not None:
                written.append(_save(figure, folder / f"frontier-{world}-{100 * rate:.0f}.svg"))
    return written


def _save(figure: Figure, path: Path) -> Path:
    figure.savefig(path, format="svg", metadata={"Date": None})
    plt.close(figure)
    return path


def _by_rate(part: Found, policies: Sequence[str], style: dict, draw) -> Figure:
    """A panel for each answer rate, team sizes across, a line for each policy."""
    rates = sorted({cell.answer_rate for cell in part})
    figure, axes = plt.subplots(1, len(rates), figsize=(4.2 * len(rates) + 3.0, 4.4), sharey=True, squeeze=False)
    for panel, rate in zip(axes[0], rates, strict=True):
        columns = {cell.agents: column for cell, column in part.items() if cell.answer_rate == rate}
        teams = sorted(columns)
        for policy in policies:
            shown = [columns[n][policy] for n in teams if policy in columns[n]]
            if shown:
                colour, mark, width = style[policy]
                xs = [s.cell.agents for s in shown]
                draw(panel, xs, shown, {"color": colour, "marker": mark, "linewidth": width, "label": policy})
        if draw is _utilisation:
            for name, line in zip(FAMILIES, ("--", ":"), strict=True):
                points = [(n, tuned) for n in teams if (tuned := tuned_at(columns[n], name)) is not None]
                if points:
                    look = {"color": "black", "linewidth": 1.2, "label": f"{FAMILIES[name]}, tuned by hindsight"}
                    panel.plot([n for n, _ in points], [100.0 * tuned for _, tuned in points], line, **look)
        panel.set_xscale("log")
        panel.set_xticks(teams, [str(n) for n in teams])
        panel.minorticks_off()
        panel.set_xlabel("agents")
        panel.set_title(f"answer rate {rate:.0%}")
        panel.grid(alpha=0.25)
        panel.spines[["top", "right"]].set_visible(False)
    handles, labels = {}, []
    for panel in axes[0]:
        for handle, label in zip(*panel.get_legend_handles_labels(), strict=True):
            handles.setdefault(label, handle)
    labels = list(handles)
    figure.legend([handles[label] for label in labels], labels, loc="center right", frameon=False, fontsize=8)
    figure.tight_layout(rect=(0.0, 0.0, 1.0 - 2.9 / figure.get_figwidth(), 1.0))
    return figure


def _utilisation(panel: Axes, xs: Sequence[int], shown: Sequence[Summary], look: dict) -> None:
    """Hollow marks are over the cap: that utilisation cannot be had lawfully."""
    mark = look.pop("marker")
    panel.plot(xs, [100.0 * s.utilisation.mean for s in shown], **look)
    for x, s in zip(xs, shown, strict=True):
        lawful = s.abandonment.mean <= CAP * 1.005
        face = look["color"] if lawful else "white"
        panel.plot([x], [100.0 * s.utilisation.mean], mark, mfc=face, mec=look["color"], markersize=5)
    panel.set_ylabel("utilisation, % (hollow: over 3 % abandoned)")


def _abandonment(panel: Axes, xs: Sequence[int], shown: Sequence[Summary], look: dict) -> None:
    panel.plot(xs, [max(0.05, 100.0 * s.abandonment.mean) for s in shown], markersize=4, **look)
    panel.axhline(100.0 * CAP, color="black", linewidth=0.8, linestyle="--")
    panel.set_yscale("log")
    panel.set_yticks([0.1, 0.3, 1, 3, 10, 30], ["0.1", "0.3", "1", "3", "10", "30"])
    panel.set_ylabel("abandoned, % of live answers (log)")


def _wait(panel: Axes, xs: Sequence[int], shown: Sequence[Summary], look: dict) -> None:
    panel.plot(xs, [s.wait_mean.mean for s in shown], markersize=4, **look)
    panel.set_ylabel("an agent's mean wait between calls, s")
    panel.set_ylim(bottom=0.0)


def _frontier(part: Found, ours: Sequence[str], singles: Sequence[str], style: dict) -> Figure | None:
    """Utilisation over abandonment: what each factor can do, and where every policy stands."""
    cells = [cell for cell, column in sorted(part.items()) if any(factor_points(column, name) for name in FAMILIES)]
    if not cells:
        return None
    across = min(3, len(cells))
    down = -(-len(cells) // across)
    figure, axes = plt.subplots(down, across, figsize=(4.0 * across + 3.0, 3.4 * down), squeeze=False)
    handles: dict[str, object] = {}
    for panel, cell in zip(axes.flat, cells, strict=False):
        column = part[cell]
        for name, line in zip(FAMILIES, ("-", ":"), strict=True):
            points = factor_points(column, name)
            if points:
                marks = [0.001 * step for step in range(0, 121, 2)]
                curve = [(mark, mixed(points, mark)) for mark in marks if mark <= max(p.abandonment for p in points)]
                curve = [(100.0 * mark, 100.0 * tuned.utilisation) for mark, tuned in curve if tuned.under is not None]
                (handle,) = panel.plot(*zip(*curve, strict=True), line, color="#444444", linewidth=1.2)
                handles.setdefault(f"{FAMILIES[name]}, tuned by hindsight", handle)
        for policy in singles:
            if policy in column and column[policy].abandonment.mean <= 0.125:
                s = column[policy]
                colour, mark, _ = style[policy]
                size = 7 if policy in ours else 5
                (handle,) = panel.plot(
                    [100.0 * s.abandonment.mean], [100.0 * s.utilisation.mean], mark, color=colour, markersize=size
                )
                handles.setdefault(policy, handle)
        panel.axvline(100.0 * CAP, color="black", linewidth=0.8, linestyle="--")
        panel.set_title(f"{cell.agents} agents")
        panel.set_xlabel("abandoned, % of live answers")
        panel.set_ylabel("utilisation, %")
        panel.set_xlim(-0.2, 12.5)
        panel.grid(alpha=0.25)
        panel.spines[["top", "right"]].set_visible(False)
    for panel in list(axes.flat)[len(cells) :]:
        panel.set_visible(False)
    figure.legend(list(handles.values()), list(handles), loc="center right", frameon=False, fontsize=8)
    figure.tight_layout(rect=(0.0, 0.0, 1.0 - 2.9 / figure.get_figwidth(), 1.0))
    return figure
