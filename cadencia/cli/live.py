"""What `cadencia demo` shows: the ways in, the live table, the summary."""

from __future__ import annotations

import asyncio
import signal
import time
from typing import Any

from rich.console import Console, Group
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from cadencia.cli.opening import disk_told
from cadencia.cli.text import language, say
from cadencia.compliance.hours import BOGOTA
from cadencia.demo.session import Demo, DemoOptions
from cadencia.dialer.views import CampaignView, FloorView
from cadencia.domain.agents import AT_WORK
from cadencia.domain.codes import label
from cadencia.domain.dialing import CampaignState, Mode
from cadencia.metrics.logs import configure


def watch(options: DemoOptions, headless: bool) -> dict[str, Any]:
    """Run the demo to its end and print its summary, which is returned. Raises CadenciaError."""
    configure("warning" if not headless else "info")
    with disk_told():
        told = asyncio.run(_run(options, headless))
    _print_summary(told)
    return told


async def _run(options: DemoOptions, headless: bool) -> dict[str, Any]:
    console = Console()
    run = Demo(options, lambda text: console.print(text, style="dim", highlight=False))
    ended = asyncio.Event()
    for name in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(name, ended.set)
    await run.open()
    _print_ways_in(console, run, await run.sign_ins())
    until = time.monotonic() + options.minutes * 60.0 if options.minutes else None
    if headless:
        await _wait(run, ended, until)
    else:
        with Live(console=console, refresh_per_second=4, transient=False) as live:
            await _wait(run, ended, until, lambda: live.update(_table(run.engine.floor())))
    console.print(say("Terminando...", "Ending..."), style="dim")
    return await run.close()


async def _wait(run: Demo, ended: asyncio.Event, until: float | None, show: Any = None) -> None:
    while not ended.is_set() and not run.exhausted and (until is None or time.monotonic() < until):
        if show is not None:
            show()
        try:
            await asyncio.wait_for(ended.wait(), 0.25)
        except TimeoutError:
            continue


def _print_ways_in(console: Console, run: Demo, links: dict[str, str]) -> None:
    local = run.clock.now().astimezone(BOGOTA)
    console.print(
        say(
            f"Hora simulada: {local:%Y-%m-%d %H:%M:%S} en Bogotá, ×{run.clock.speed:g}",
            f"Simulated time: {local:%Y-%m-%d %H:%M:%S} in Bogotá, ×{run.clock.speed:g}",
        ),
        highlight=False,
    )
    console.print(f"{say('Cartera', 'Portfolio')}: {run.folder.portfolio}", highlight=False, soft_wrap=True)
    console.print(say("Enlaces de un solo uso:", "One-time sign-ins:"))
    for login, link in links.items():
        console.print(f"  {login:13} {link}", highlight=False, soft_wrap=True)


def _table(floor: FloorView) -> Group:
    table = Table(
        expand=True, title=f"{floor.at.astimezone(BOGOTA):%Y-%m-%d %H:%M:%S}  ×{floor.speed:g}", title_justify="left"
    )
    for es, en in (("Campaña", "Campaign"), ("Agentes", "Agents"), ("Llamadas", "Calls"), ("Abandono", "Abandonment")):
        table.add_column(say(es, en))
    table.add_column(say("Lista", "List"), ratio=1)
    at_work = sum(agent.state in AT_WORK for agent in floor.agents)
    talking = sum(agent.state == "talking" for agent in floor.agents)
    for campaign in floor.campaigns:
        table.add_row(
            f"{campaign.name}\n{_mode(campaign)} · {campaign.state}",
            say(f"{at_work} en puesto\n{talking} en llamada", f"{at_work} at work\n{talking} talking"),
            say(
                f"{campaign.dialling} marcando\n{campaign.waiting} en espera",
                f"{campaign.dialling} dialling\n{campaign.waiting} waiting",
            ),
            _abandonment(campaign),
            _progress(campaign),
        )
    return Group(table, *_reasons(floor), _outcomes(floor))


def _mode(campaign: CampaignView) -> str:
    return f"{campaign.mode} ×{campaign.ratio:g}" if campaign.mode == Mode.RATIO else campaign.mode


def _reasons(floor: FloorView) -> list[Text]:
    """Why each running campaign dials as it does."""
    return [
        Text(f"{campaign.name}: {say(campaign.why.es, campaign.why.en)}")
        for campaign in floor.campaigns
        if campaign.state == CampaignState.RUNNING and campaign.why is not None
    ]


def _abandonment(campaign: CampaignView) -> Text:
    over = campaign.abandonment_rate > campaign.abandonment_cap
    rate = f"{campaign.abandonment_rate:.2%} / {campaign.abandonment_cap:.1%}"
    return Text(f"{rate}\n{campaign.abandoned}/{campaign.answered_live}", style="bold red" if over else "green")


def _progress(campaign: CampaignView) -> Table:
    cell = Table.grid(expand=True)
    cell.add_row(ProgressBar(total=max(1, campaign.contacts), completed=campaign.contacts_touched))
    tried = say(
        f"{campaign.contacts_touched} de {campaign.contacts}", f"{campaign.contacts_touched} of {campaign.contacts}"
    )
    cell.add_row(Text(f"{tried} · {campaign.attempts} {say('intentos', 'attempts')}"))
    return cell


def _outcomes(floor: FloorView) -> Text:
    parts = [
        f"{label(code, language())} {number}"
        for campaign in floor.campaigns
        for code, number in sorted(campaign.outcomes.items(), key=lambda pair: -pair[1])
    ]
    return Text(" · ".join(parts), style="dim")


def _print_summary(told: dict[str, Any]) -> None:
    table = Table(title=say("Resumen", "Summary"), show_header=False)
    table.add_column()
    table.add_column(justify="right")
    for key, value in told.items():
        if isinstance(value, dict):
            value = ", ".join(f"{name} {number}" for name, number in value.items()) or "-"
        table.add_row(key, str(value))
    Console().print(table)
