"""`cadencia simulate`: what would this floor do under another policy."""

from __future__ import annotations

import asyncio
import json
import math
import re
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from cadencia.cli.opening import opened_store
from cadencia.cli.options import AsJson, Config, tell_json
from cadencia.cli.text import say
from cadencia.compliance.hours import BOGOTA
from cadencia.domain.dialing import CampaignSettings, Mode
from cadencia.errors import ConfigError, Words
from cadencia.pacing import worlds
from cadencia.pacing.controllers import Policy
from cadencia.pacing.learned import RATE_PRIOR, Learned
from cadencia.pacing.replay import KINDS, Day, Reader
from cadencia.pacing.simulator import Floor
from cadencia.pacing.whatif import Figure, Outlook, Scenario, outlook
from cadencia.store.port import Store
from cadencia.store.refusals import no_campaign

_WORLDS = {
    "realistic": worlds.REALISTIC,
    "moving": worlds.MOVING,
    "classes": worlds.CLASSES,
    "no-detector": worlds.NO_DETECTOR,
    "hostile": worlds.HOSTILE,
    "exponential": worlds.EXPONENTIAL,
}

_NUMBER = r"[0-9]+(?:\.[0-9]+)?"
_VARIANT = re.compile(rf"(progressive|ratio|predictive)(?:=({_NUMBER}))?(?:@({_NUMBER}))?")

#: Days whose events may tell of the one that is replayed: calls and wrap-ups that went on past midnight.
_AFTERMATH = timedelta(days=1)


@dataclass(frozen=True)
class Variant:
    """One column of the table: a policy and the share of live answers it may abandon (None: the cap)."""

    name: str
    policy: Policy
    target: float | None


def simulate(
    agents: Annotated[int, typer.Option(min=1, max=2000, help="Agents at work.")] = 20,
    answer_rate: Annotated[float, typer.Option(min=0.0, max=100.0, help="Percent of dials a person answers.")] = 25.0,
    mode: Annotated[
        str, typer.Option(metavar="MODE[=RATIO][@TARGET]", help="Policy to ask about (predictive, or the campaign's).")
    ] = "",
    compare: Annotated[list[str] | None, typer.Option(help="Policies beside it; may be repeated.")] = None,
    cap: Annotated[
        float | None, typer.Option(min=0.0, max=20.0, help="Abandonment cap, percent (3, or the campaign's).")
    ] = None,
    channels: Annotated[int, typer.Option(min=0, help="Channels of the trunk; 0 for six an agent.")] = 0,
    rate: Annotated[float, typer.Option(min=0.0, help="Call starts a second; 0 for no limit.")] = 0.0,
    cancel_late: Annotated[
        bool | None, typer.Option(help="Take late ringing calls back while nobody is free (yes, or the campaign's).")
    ] = None,
    wait_s: Annotated[
        float | None, typer.Option(min=1.0, max=10.0, help="Answered and without an agent so long: abandoned (2).")
    ] = None,
    ring_s: Annotated[float | None, typer.Option(min=10.0, max=60.0, help="A call may ring so long (25).")] = None,
    min_ring_s: Annotated[
        float | None, typer.Option(min=0.0, max=30.0, help="And is not taken back before this (15).")
    ] = None,
    world: Annotated[str, typer.Option(help=f"Who is called: {', '.join(_WORLDS)}.")] = "realistic",
    campaign: Annotated[str, typer.Option(help="What this campaign has learnt, and its settings.")] = "",
    replay: Annotated[str, typer.Option(metavar="YYYY-MM-DD", help="A day of that campaign's log.")] = "",
    learned: Annotated[
        str, typer.Option(metavar="FILE", help="What was learnt, as JSON; - reads standard input.")
    ] = "",
    hours: Annotated[float, typer.Option(min=0.1, max=24.0, help="Of each day.")] = 8.0,
    days: Annotated[int, typer.Option(min=1, max=60, help="Simulated, one after another.")] = 5,
    seed: Annotated[int, typer.Option(min=0, help="The same seed, the same debtors.")] = 1,
    plot: Annotated[Path | None, typer.Option(metavar="FILE", help="Draw it (.svg, .png, .pdf).")] = None,
    config: Config = None,
    as_json: AsJson = False,
) -> None:
    """What would this floor do? Utilisation, waits and abandonment by policy, on the same debtors.

    Example: cadencia simulate --agents 12 --answer-rate 20 --mode predictive@2 --compare predictive --compare ratio=1.5
    """
    if plot is not None:
        from cadencia.cli.picture import drawable

        drawable(plot)
    scenario = Scenario(
        Floor(agents, channels=channels or None, rate_per_s=rate or float("inf")),
        _world(world, answer_rate),
        learned=_learned(learned) if learned else None,
        hours=hours,
        days=days,
        seed=seed,
    )
    settings = CampaignSettings()
    if campaign:
        scenario, settings = asyncio.run(_of_campaign(scenario, campaign, replay, config))
    elif replay:
        raise ConfigError(
            Words("A day is replayed for one campaign.", "Se repite el día de una campaña."),
            Words("Name it with --campaign.", "Indíquela con --campaign."),
        )
    floor = replace(
        scenario.floor,
        cap=settings.abandonment_cap if cap is None else cap / 100.0,
        wait_s=float(settings.wait_s) if wait_s is None else wait_s,
        ring_s=float(settings.ring_s) if ring_s is None else ring_s,
        min_ring_s=float(settings.min_ring_s) if min_ring_s is None else min_ring_s,
    )
    asked = [mode or _policy_text(settings), *(compare or ["progressive"])]
    takes_back = settings.cancel_late if cancel_late is None else cancel_late
    variants = [_variant(text, floor.cap, takes_back) for text in asked]
    found = [
        (variant, outlook(replace(scenario, floor=replace(floor, target=variant.target)), variant.policy))
        for variant in variants
    ]
    if plot is not None:
        from cadencia.cli.picture import draw

        draw([(variant.name, one) for variant, one in found], plot)
    if as_json:
        tell_json([{"policy": variant.name, **_plain(one)} for variant, one in found])
    else:
        Console().print(_table(found))


def _policy_text(settings: CampaignSettings) -> str:
    """A campaign's own policy, as one would write it; where its agents choose, what would dial for them."""
    mode = Mode.PREDICTIVE if settings.mode is Mode.PREVIEW else settings.mode
    ratio = f"={settings.ratio:g}" if mode is Mode.RATIO else ""
    target = settings.abandonment_target
    return f"{mode}{ratio}" + ("" if target is None else f"@{100.0 * target:g}")


def _world(name: str, answer_rate: float) -> worlds.World:
    if name not in _WORLDS:
        raise ConfigError(
            Words(f"There is no world {name!r}.", f"No existe el mundo {name!r}."),
            Words(f"Choose one of {', '.join(_WORLDS)}.", f"Elija entre {', '.join(_WORLDS)}."),
        )
    return replace(_WORLDS[name], live=answer_rate / 100.0)


def _variant(text: str, cap: float, cancel_late: bool) -> Variant:
    match = _VARIANT.fullmatch(text)
    ratio = float(match[2] or 1.2) if match else 0.0
    target = float(match[3]) / 100.0 if match and match[3] else None
    if match is None or not 1.0 <= ratio <= 10.0 or (match[2] and match[1] != Mode.RATIO):
        raise ConfigError(
            Words(f"{text!r} is no policy.", f"{text!r} no es una política."),
            Words(
                "Write progressive, ratio=1.5 or predictive, with @2 for a target of 2 % abandoned. "
                "(In preview the agents set the pace.)",
                "Escriba progressive, ratio=1.5 o predictive, con @2 para una meta de 2 % de abandono. "
                "(En vista previa el ritmo lo ponen los agentes.)",
            ),
        )
    if target is not None and target > cap + 1e-9:
        raise ConfigError(
            Words(f"The target of {text!r} is above the cap.", f"La meta de {text!r} supera el tope."),
            Words("Choose a lower target, or a higher --cap.", "Elija una meta menor, o un --cap mayor."),
        )
    mode = Mode(match[1])
    return Variant(text, Policy(mode, ratio if mode is Mode.RATIO else 1.0, cancel_late), target)


def _learned(where: str) -> dict[str, Any]:
    try:
        text = sys.stdin.read() if where == "-" else Path(where).read_text()
        found = json.loads(text)
        if not isinstance(found, dict) or Learned(found).rate.prior == RATE_PRIOR:
            raise ValueError(say("no es lo que Cadencia exporta", "not what Cadencia exports"))
    except (OSError, ValueError) as error:
        raise ConfigError(
            Words(f"{where} holds nothing that was learnt: {error}.", f"{where} no contiene lo aprendido: {error}."),
            Words("Give a file that Cadencia exported.", "Indique un archivo exportado por Cadencia."),
        ) from None
    return dict(found)


async def _of_campaign(
    scenario: Scenario, campaign_id: str, replay: str, config: Path | None
) -> tuple[Scenario, CampaignSettings]:
    begin = _midnight(replay) if replay else None
    async with opened_store(config) as store:
        campaign = {one.id: one for one in await store.campaigns()}.get(campaign_id)
        if campaign is None:
            raise no_campaign(campaign_id)
        if begin is not None:
            day = await _day(store, campaign_id, begin)
            return replace(scenario, floor=day.floor(scenario.floor), replay=day, hours=day.hours), campaign.settings
        if scenario.learned is not None:
            return scenario, campaign.settings
        priors = await store.load_priors(campaign_id, "")
        if not priors:
            raise ConfigError(
                Words(
                    f"Campaign {campaign_id} has learnt nothing yet.", f"La campaña {campaign_id} aún no aprende nada."
                ),
                Words(
                    "Let it dial for ten minutes, or leave --campaign out.",
                    "Déjela marcar diez minutos, u omita --campaign.",
                ),
            )
        newest = max(priors, key=lambda prior: prior.saved_at)
        return replace(scenario, learned=newest.body), campaign.settings


def _midnight(text: str) -> datetime:
    try:
        return datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=BOGOTA)
    except ValueError:
        raise ConfigError(
            Words(f"{text!r} is no date.", f"{text!r} no es una fecha."),
            Words("Write it as 2026-03-31.", "Escríbala como 2026-03-31."),
        ) from None


async def _day(store: Store, campaign_id: str, begin: datetime) -> Day:
    end = begin + timedelta(days=1)
    reader = Reader(campaign_id, begin, end)
    after = 0
    while events := await store.events(after, 5000, KINDS):
        for event in events:
            reader.take(event)
        after = events[-1].seq
        if events[-1].at > end + _AFTERMATH:
            break
    day, text = reader.day(), begin.date().isoformat()
    if not day.dialled or day.hours <= 0.0:
        raise ConfigError(
            Words(f"On {text} campaign {campaign_id} dialled nobody.", f"El {text} la campaña {campaign_id} no marcó."),
            Words("Choose another day.", "Elija otro día."),
        )
    return day


def _plain(one: Outlook) -> dict[str, Any]:
    told = asdict(one)
    del told["policy"], told["series"]
    for figure in told.values():
        if isinstance(figure, dict) and math.isnan(figure["half"]):
            figure["half"] = None  # JSON has no NaN
    return told


def _table(found: list[tuple[Variant, Outlook]]) -> Table:
    table = Table()
    table.add_column("")
    for variant, _ in found:
        table.add_column(variant.name, justify="right")
    rows: tuple[tuple[str, Callable[[Outlook], str]], ...] = (
        (say("utilización %", "utilisation %"), lambda one: _shown(one.utilisation, 100.0)),
        (say("espera media del agente, s", "agents' mean wait, s"), lambda one: _shown(one.wait_mean_s)),
        (say("espera p95, s", "wait p95, s"), lambda one: _shown(one.wait_p95_s)),
        (say("abandono %", "abandoned %"), lambda one: _shown(one.abandonment, 100.0)),
        (say("peor día %", "worst day %"), lambda one: f"{100.0 * one.worst_day:.2f}"),
        (say("llamadas por contacto", "dials per contact"), lambda one: _shown(one.dials_per_contact)),
        (
            say("contactos por agente y hora", "contacts per agent hour"),
            lambda one: _shown(one.contacts_per_agent_hour),
        ),
    )
    for title, figure in rows:
        table.add_row(title, *(figure(one) for _, one in found))
    return table


def _shown(figure: Figure, factor: float = 1.0) -> str:
    band = f" ± {factor * figure.half:.1f}" if figure.half == figure.half else ""
    return f"{factor * figure.mean:.1f}{band}"
