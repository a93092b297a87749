"""`cadencia campaign`: look at campaigns and create them. (A running engine takes a new one up within seconds.)"""

from __future__ import annotations

import asyncio
import dataclasses
import re
from typing import Annotated

import typer

from cadencia.cli.opening import opened_store
from cadencia.cli.options import AsJson, Config, tell_json
from cadencia.cli.text import language, say
from cadencia.clock import SystemClock
from cadencia.domain.codes import label
from cadencia.domain.dialing import Campaign, CampaignCounts, CampaignSettings, CampaignState
from cadencia.errors import ConfigError, Words
from cadencia.store.refusals import no_campaign

app = typer.Typer(help="Campaigns.", no_args_is_help=True)

Id = Annotated[str, typer.Argument(metavar="ID", help="The campaign's id.")]

_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,39}", re.ASCII)


@app.command()
def create(
    campaign_id: Id,
    name: Annotated[str, typer.Option(help="Name on the pages.")] = "",
    config: Config = None,
    as_json: AsJson = False,
) -> None:
    """Create a stopped campaign with the default settings; a supervisor starts it on the page.

    Example: cadencia campaign create mora30 --name "Mora 1 a 30"
    """
    if not _ID.fullmatch(campaign_id):
        raise ConfigError(
            Words(f"{campaign_id!r} cannot be a campaign's id.", f"{campaign_id!r} no puede ser un identificador."),
            Words(
                "Use up to 40 letters, digits and . _ - (and --name for the name on the pages).",
                "Use hasta 40 letras, dígitos y . _ - (y --name para el nombre en las páginas).",
            ),
        )
    campaign = Campaign(
        campaign_id, name or campaign_id, CampaignState.STOPPED, CampaignSettings(), SystemClock().now()
    )

    async def work() -> None:
        async with opened_store(config) as store:
            await store.create_campaign(campaign, "cli")

    asyncio.run(work())
    if as_json:
        tell_json(dataclasses.asdict(campaign))
    else:
        typer.echo(
            say(
                f"La campaña {campaign_id} está creada y detenida: un supervisor la arranca en la página.",
                f"Campaign {campaign_id} is created and stopped: a supervisor starts it on the page.",
            )
        )


@app.command("list")
def list_(config: Config = None, as_json: AsJson = False) -> None:
    """All campaigns with their state.

    Example: cadencia campaign list --json
    """

    async def work() -> tuple[Campaign, ...]:
        async with opened_store(config) as store:
            return await store.campaigns()

    campaigns = asyncio.run(work())
    if as_json:
        tell_json([dataclasses.asdict(c) for c in campaigns])
        return
    for c in campaigns:
        typer.echo(f"{c.id:20} {c.state:8} {c.settings.mode:12} {c.settings.ratio:4.2f}  {c.name}")
    if not campaigns:
        hint = say("No hay campañas. Cree una con", "There are no campaigns. Create one with")
        typer.echo(f"{hint}: cadencia campaign create", err=True)


@app.command()
def show(campaign_id: Id, config: Config = None, as_json: AsJson = False) -> None:
    """Settings and numbers of one campaign.

    Example: cadencia campaign show mora30
    """

    async def work() -> tuple[Campaign, CampaignCounts]:
        async with opened_store(config) as store:
            found = next((c for c in await store.campaigns() if c.id == campaign_id), None)
            if found is None:
                raise no_campaign(campaign_id)
            return found, await store.counts(campaign_id)

    campaign, counts = asyncio.run(work())
    if as_json:
        tell_json(dataclasses.asdict(campaign) | {"counts": dataclasses.asdict(counts)})
        return
    typer.echo(f"{campaign.id}  {campaign.name}  ({campaign.state})")
    for part in (campaign.settings, counts):
        typer.echo("")
        for field in dataclasses.fields(part):
            value = getattr(part, field.name)
            if isinstance(value, dict):
                value = ", ".join(f"{label(code, language())} {number}" for code, number in value.items()) or "-"
            typer.echo(f"  {field.name:18} {value if value != '' else '-'}")
