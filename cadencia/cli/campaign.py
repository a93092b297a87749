"""`cadencia campaign`: look at campaigns and create them. (A running engine takes a new one up within seconds.)"""

from __future__ import annotations

import asyncio
import dataclasses
import json
from pathlib import Path
from typing import Annotated

import typer

from cadencia.cli.opening import opened_store
from cadencia.clock import SystemClock
from cadencia.domain.dialing import Campaign, CampaignSettings, CampaignState
from cadencia.errors import Refused

app = typer.Typer(help="Campaigns.", no_args_is_help=True)

Config = Annotated[Path | None, typer.Option("-c", "--config", help="Settings file.")]
Id = Annotated[str, typer.Argument(metavar="ID", help="The campaign's id.")]


@app.command()
def create(
    campaign_id: Id, name: Annotated[str, typer.Option(help="Name on the pages.")] = "", config: Config = None
) -> None:
    """Create a stopped campaign with the default settings; a supervisor starts it on the page.

    Example: cadencia campaign create mora30 --name "Mora 1 a 30"
    """

    async def work() -> None:
        async with opened_store(config) as store:
            campaign = Campaign(
                campaign_id, name or campaign_id, CampaignState.STOPPED, CampaignSettings(), SystemClock().now()
            )
            await store.create_campaign(campaign, "cli")

    asyncio.run(work())


@app.command("list")
def list_(config: Config = None, as_json: Annotated[bool, typer.Option("--json", help="JSON.")] = False) -> None:
    """All campaigns with their state.

    Example: cadencia campaign list --json
    """

    async def work() -> None:
        async with opened_store(config) as store:
            campaigns = await store.campaigns()
            if as_json:
                typer.echo(json.dumps([dataclasses.asdict(c) for c in campaigns], default=str, indent=2))
            else:
                for c in campaigns:
                    typer.echo(f"{c.id:20} {c.state:8} {c.settings.mode:12} {c.settings.ratio:4.2f}  {c.name}")

    asyncio.run(work())


@app.command()
def show(campaign_id: Id, config: Config = None) -> None:
    """Settings and numbers of one campaign, as JSON.

    Example: cadencia campaign show mora30
    """

    async def work() -> None:
        async with opened_store(config) as store:
            found = next((c for c in await store.campaigns() if c.id == campaign_id), None)
            if found is None:
                raise Refused(f"There is no campaign {campaign_id!r}.", "See: cadencia campaign list.")
            told = dataclasses.asdict(found) | {"counts": dataclasses.asdict(await store.counts(campaign_id))}
            typer.echo(json.dumps(told, default=str, indent=2))

    asyncio.run(work())
