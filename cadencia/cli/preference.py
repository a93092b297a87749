"""`cadencia preference`: when a person wants to be contacted."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Annotated

import typer

from cadencia.cli.opening import opened_store
from cadencia.cli.options import AsJson, Config, Document, document, tell_json
from cadencia.cli.text import say
from cadencia.clock import SystemClock
from cadencia.domain.law import Channel
from cadencia.domain.ledger import PreferenceIn
from cadencia.portfolio.weekly import Weekly, parse_weekly

app = typer.Typer(help="When persons want to be contacted.", no_args_is_help=True)


@app.command()
def add(
    person: Document,
    weekly: Annotated[str, typer.Option(help='Local hours by weekday: "lu-vi 18:00-20:00; sa 9:00-12:00".')],
    channel: Annotated[list[Channel] | None, typer.Option(help="For this channel only; may be repeated.")] = None,
    how: Annotated[str, typer.Option(help="By which way the wish came.")] = "cli",
    evidence: Annotated[str, typer.Option(help="Where the proof lies: a reference, no name and no number.")] = "",
    config: Config = None,
    as_json: AsJson = False,
) -> None:
    """Write a wish down, from now on. The newest one for a channel holds; it narrows the hours, and opens others only
    where a profile says so and the contract is older.

    Example: cadencia preference add CC-1020304050 --weekly "lu-vi 18:00-20:00; sa 9:00-12:00" --channel voice
    """
    hours = parse_weekly(weekly)
    new = asyncio.run(_add(config, document(person), hours, frozenset(channel or ()), how, evidence))
    if as_json:
        tell_json({"new": new})
    else:
        typer.echo(
            say("Anotado.", "Written down.") if new else say("Ya estaba anotado.", "It was written down before.")
        )


async def _add(
    config: Path | None, whom: tuple[str, str], hours: Weekly, channels: frozenset[Channel], how: str, evidence: str
) -> int:
    async with opened_store(config) as store:
        now = SystemClock().now()
        wish = PreferenceIn(await store.person_id(*whom), now, hours, channels, how, evidence)
        return await store.change([wish], "cli", now)
