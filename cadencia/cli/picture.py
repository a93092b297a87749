"""The picture of a what-if: needs matplotlib (the extra `plot`)."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from statistics import fmean
from typing import Any

from cadencia.cli.text import say
from cadencia.cli.writing import verify_writable
from cadencia.errors import ConfigError, Words
from cadencia.pacing.whatif import Figure, Outlook

_FORMATS = (".svg", ".png", ".pdf")


def drawable(path: Path) -> None:
    """Whether a picture can be drawn there, before anything is simulated.

    Raises:
        ConfigError: no matplotlib, a file name that says no known format, or a file that cannot be written.
    """
    try:
        import matplotlib  # noqa: F401
    except ImportError:
        raise ConfigError(
            Words("Pictures need matplotlib.", "Para dibujar hace falta matplotlib."),
            Words("Install it: pip install 'cadencia[plot]'.", "Instálelo: pip install 'cadencia[plot]'."),
        ) from None
    if path.suffix.lower() not in _FORMATS:
        raise ConfigError(
            Words(f"{path.name} names no picture format.", f"{path.name} no indica un formato de imagen."),
            Words(f"End it in {', '.join(_FORMATS)}.", f"Termínelo en {', '.join(_FORMATS)}."),
        )
    verify_writable(path)


def draw(found: Sequence[tuple[str, Outlook]], path: Path) -> None:
    """Draw utilisation, wait and abandonment of each policy with their intervals, and the course of the first day."""
    from matplotlib.figure import Figure as Canvas

    canvas = Canvas(figsize=(11.0, 6.5), layout="constrained")
    grid = canvas.add_gridspec(2, 3)
    names = [name for name, _ in found]
    panels: tuple[tuple[str, list[Figure], float], ...] = (
        (say("utilización %", "utilisation %"), [one.utilisation for _, one in found], 100.0),
        (say("espera media del agente, s", "agents' mean wait, s"), [one.wait_mean_s for _, one in found], 1.0),
        (say("abandono %", "abandoned %"), [one.abandonment for _, one in found], 100.0),
    )
    for column, (title, figures, factor) in enumerate(panels):
        _bars(canvas.add_subplot(grid[0, column]), title, names, figures, factor)
    course = canvas.add_subplot(grid[1, :])
    for name, one in found:
        tens = [one.series[first : first + 10] for first in range(0, len(one.series), 10)]
        course.plot(
            [rows[-1][0] / 3600.0 for rows in tens],
            [100.0 * fmean(row[1] for row in rows) for rows in tens],
            label=name,
        )
    course.set_title(
        say("utilización del primer día, de diez en diez minutos, %", "utilisation of the first day by ten minutes, %")
    )
    course.set_xlabel(say("hora", "hour"))
    course.set_ylim(0, 100)
    course.legend(loc="lower right")
    course.grid(alpha=0.3)
    canvas.savefig(path)


def _bars(axes: Any, title: str, names: list[str], figures: list[Figure], factor: float) -> None:
    means = [factor * figure.mean for figure in figures]
    bands = [factor * figure.half if figure.half == figure.half else 0.0 for figure in figures]
    axes.bar(names, means, yerr=bands, capsize=4, color="#2f6f8f")
    for place, mean in enumerate(means):
        axes.annotate(f"{mean:.1f}", (place, mean), xytext=(4, 2), textcoords="offset points", ha="left")
    axes.set_title(title)
    axes.tick_params(axis="x", labelrotation=15)
