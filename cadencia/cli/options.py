"""Options that several verbs share, and the two ways of telling a result."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer

# readable=False: what cannot be read is told by us, with the way out.
Config = Annotated[Path | None, typer.Option("-c", "--config", readable=False, help="Settings file.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def tell_json(told: Any) -> None:
    """Print a result as JSON."""
    typer.echo(json.dumps(told, default=str, indent=2, ensure_ascii=False))
