"""`cadencia call`: what happened to one call, from the decision that launched it to the disposition."""

from __future__ import annotations

import asyncio
from typing import Annotated

import msgspec
import typer

from cadencia.cli.opening import opened_store
from cadencia.cli.options import AsJson, Config, tell_json
from cadencia.cli.text import language, say
from cadencia.dialer.present import call_view
from cadencia.dialer.timeline import Timeline, timeline_of
from cadencia.domain.codes import label
from cadencia.errors import Refused, Words, spoken

_SOURCES = {
    "pacing": ("ritmo", "pacing"),
    "engine": ("motor", "engine"),
    "switch": ("conmutador", "switch"),
    "agent": ("agente", "agent"),
}


def call(
    attempt_id: Annotated[str, typer.Argument(metavar="ID", help="The attempt's id, as lists and logs show it.")],
    config: Config = None,
    as_json: AsJson = False,
) -> None:
    """Everything that is written down of one call, in the order of time; no name and no number is in it.

    Example: cadencia call a19ab4c2f10-00012f3c5d7e9a0b1 --json
    """

    async def work() -> Timeline | None:
        async with opened_store(config) as store:
            return await timeline_of(store, attempt_id)

    found = asyncio.run(work())
    if found is None:
        raise Refused(
            Words(f"Nobody knows a call {attempt_id!r}.", f"No se conoce la llamada {attempt_id!r}."),
            Words(
                "Check the id: the page on telephony, the list of calls and the logs show it (attempt_id).",
                "Revise el identificador: está en la página de telefonía, la lista de llamadas y los registros.",
            ),
        )
    if as_json:
        tell_json(msgspec.to_builtins(call_view(found)))
    else:
        _print(found)
    if found.live:
        going = say(
            "La llamada sigue en curso: el motor sabe más; véala en la página de telefonía.",
            "The call is still going on: the engine knows more; see it on the page on telephony.",
        )
        typer.echo(going, err=True)


def _print(found: Timeline) -> None:
    tongue = language()
    outcome = f"{found.outcome} {label(found.outcome, tongue)}" if found.outcome else "-"
    typer.echo(f"{found.attempt_id}  {found.campaign_id}  {outcome}")
    for row in found.rows:
        source = _SOURCES.get(row.source, (row.source, row.source))[tongue != "es"]
        ms = "" if row.ms is None else f"{row.ms:+} ms"
        detail = f"  [{row.detail}]" if row.detail else ""
        at = row.at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
        typer.echo(f"{at} {ms:>12} {source:10} {spoken(row.words, tongue)}{detail}")
    if found.dropped:
        typer.echo(say(f"… y {found.dropped} entradas más", f"… and {found.dropped} more entries"))
    if not found.traced and not found.live:
        said = say("Sin traza: solo lo que quedó en el registro.", "Without a trace: only what the log holds.")
        typer.echo(said, err=True)
