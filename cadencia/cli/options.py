"""Options that several verbs share, and the two ways of telling a result."""

from __future__ import annotations

import json
from datetime import date, datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from cadencia.errors import ConfigError, Words

#: Years that a date may be of: a slip of the finger is none, and no sum of days leads out of the calendar.
_YEARS = range(1990, 2101)

# readable=False: what cannot be read is told by us, with the way out.
Config = Annotated[Path | None, typer.Option("-c", "--config", readable=False, help="Settings file.")]
Document = Annotated[str, typer.Argument(metavar="PERSON", help="A document: CC-1020304050.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def document(told: str) -> tuple[str, str]:
    """Type and number of a document as it is typed: CC-1020304050, or with a blank. Any case."""
    kind, _, number = told.strip().replace(" ", "-").partition("-")
    return kind.upper(), number.lstrip("-")


def local_date(told: str) -> date:
    """A date as it is typed. Raises ConfigError."""
    try:
        found = date.fromisoformat(told)
    except ValueError:
        found = None
    if found is None or found.year not in _YEARS:
        raise ConfigError(
            Words(f"{told!r} is no date.", f"{told!r} no es una fecha."),
            Words("Write it like 2026-11-24.", "Escríbala como 2026-11-24."),
        )
    return found


def instant(told: str) -> datetime:
    """A date and time as it is typed, with or without its zone. Raises ConfigError."""
    try:
        found = datetime.fromisoformat(told)
    except ValueError:
        found = None
    if found is None or found.year not in _YEARS:
        raise ConfigError(
            Words(f"{told!r} is no instant.", f"{told!r} no es un instante."),
            Words("Write it like 2026-11-24T17:30-05:00.", "Escríbalo como 2026-11-24T17:30-05:00."),
        )
    return found


def tell_json(told: Any) -> None:
    """Print a result as JSON."""
    typer.echo(json.dumps(told, default=str, indent=2, ensure_ascii=False))
