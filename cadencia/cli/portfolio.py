"""`cadencia import`: bring a portfolio in."""

from __future__ import annotations

import asyncio
import dataclasses
import json
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from cadencia.cli.opening import opened_store
from cadencia.clock import SystemClock
from cadencia.errors import ConfigError
from cadencia.portfolio.importer import import_file, read_portfolio


def import_(
    file: Annotated[Path, typer.Argument(help="CSV file in the layout of docs/portfolio.md.")],
    campaign: Annotated[str, typer.Option(help="The campaign whose list the debtors go on.")] = "",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only look: write nothing to the database.")] = False,
    config: Annotated[Path | None, typer.Option("-c", "--config", help="Settings file.")] = None,
) -> None:
    """Import debtors. Rejected rows go to a file beside it, with line, column, reason and value.

    Example: cadencia import cartera.csv --campaign mora30
    """
    if not dry_run and not campaign:
        raise ConfigError("Which campaign?", "Add --campaign; create one with: cadencia campaign create.")
    now = SystemClock().now()
    if dry_run:
        portfolio = read_portfolio(file)
        typer.echo(json.dumps({"people": len(portfolio.people), "rejected": len(portfolio.rejected)}))
        return
    typer.echo(json.dumps(asyncio.run(_import(file, campaign, config, now)), default=str, indent=2))


async def _import(file: Path, campaign: str, config: Path | None, now: datetime) -> dict[str, Any]:
    async with opened_store(config) as store:
        report = await import_file(store, campaign, file, now)
        told = dataclasses.asdict(report.imported)
        return told | {"rejected": len(report.portfolio.rejected), "rejects": report.rejects}
