"""Options that several verbs share, and the two ways of telling a result."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer

# readable=False: what cannot be read is told by us, with the way out.
Config = Annotated[Path | None, typer.Option("-c", "--config", readable=False, help="Settings file.")]
Document = Annotated[str, typer.Argument(metavar="PERSON", help="A document: CC-1020304050.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def document(told: str) -> tuple[str, str]:
    """Type and number of a document as it is typed: CC-1020304050, or with a blank. Any case."""
    kind, _, number = told.strip().replace(" ", "-").partition("-")
    return kind.upper(), number


def tell_json(told: Any) -> None:
    """Print a result as JSON."""
    typer.echo(json.dumps(told, default=str, indent=2, ensure_ascii=False))
