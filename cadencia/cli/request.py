"""`cadencia request`: what persons ask about their data, and by when it must be answered."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import date
from pathlib import Path
from typing import Annotated, Any

import typer

from cadencia.cli.opening import opened_store
from cadencia.cli.options import AsJson, Config, Document, document, local_date, tell_json
from cadencia.cli.text import say
from cadencia.clock import SystemClock
from cadencia.compliance.hours import BOGOTA
from cadencia.compliance.judge import Judge
from cadencia.compliance.terms import TERMS
from cadencia.dialer.people import People, request_told
from cadencia.domain.requests import DataRequest, RequestKind
from cadencia.errors import ConfigError, Words
from cadencia.store.port import Store

app = typer.Typer(help="Requests of persons about their data, with their legal terms.", no_args_is_help=True)

Number = Annotated[int, typer.Argument(metavar="ID", max=2**63 - 1, help="The request's number, as the list shows it.")]


@app.command("open")
def open_(
    person: Document,
    kind: Annotated[RequestKind, typer.Option(help="consulta: which data are kept; reclamo: change or erase them.")],
    received: Annotated[str, typer.Option(help="Local date of receipt, YYYY-MM-DD; today without it.")] = "",
    config: Config = None,
    as_json: AsJson = False,
) -> None:
    """Write a request down; its term is worked out in business days of the Colombian calendar.

    Example: cadencia request open CC-1020304050 --kind reclamo
    """
    received_on = local_date(received) if received else _today()

    async def work(store: Store) -> DataRequest:
        who = await store.person_id(*document(person))
        return await People(store, Judge({})).open_request(who, kind, received_on, "cli", SystemClock().now())

    _tell(_done(config, work), as_json)


@app.command("list")
def list_(
    closed: Annotated[bool, typer.Option("--all", help="The answered ones too.")] = False,
    config: Config = None,
    as_json: AsJson = False,
) -> None:
    """What must be answered, the most urgent first; ends with 1 if a term is over.

    Example: cadencia request list
    """

    async def work(store: Store) -> tuple[DataRequest, ...]:
        return await store.data_requests(closed=closed)

    found, today = _done(config, work), _today()
    if as_json:
        tell_json([request_told(r) for r in found])
    else:
        for r in found:
            typer.echo(_line(r, today))
        if not found:
            typer.echo(say("No hay solicitudes abiertas.", "No request is open."))
    if any(r.late(today) for r in found):
        raise typer.Exit(1)


@app.command()
def extend(number: Number, config: Config = None, as_json: AsJson = False) -> None:
    """Take the law's extension, once: the person must have been told why before the term is over.

    Example: cadencia request extend 12
    """

    async def work(store: Store) -> DataRequest:
        return await People(store, Judge({})).extend_request(number, "cli", SystemClock().now())

    _tell(_done(config, work), as_json)


@app.command()
def close(
    number: Number,
    outcome: Annotated[str, typer.Option(help="How it was answered, in a word or two; no name and no number.")],
    config: Config = None,
    as_json: AsJson = False,
) -> None:
    """It is answered.

    Example: cadencia request close 12 --outcome corregido
    """

    told = outcome.strip()
    if not 1 <= len(told) <= 80:
        raise ConfigError(
            Words("--outcome is empty or longer than 80 characters.", "--outcome está vacío o pasa de 80 caracteres."),
            Words("Say it in a word or two: corregido.", "Dígalo en una o dos palabras: corregido."),
        )

    async def work(store: Store) -> DataRequest:
        return await store.close_request(number, told, "cli", SystemClock().now())

    _tell(_done(config, work), as_json)


def _done(config: Path | None, work: Callable[[Store], Awaitable[Any]]) -> Any:
    async def run() -> Any:
        async with opened_store(config) as store:
            return await work(store)

    return asyncio.run(run())


def _tell(request: DataRequest, as_json: bool) -> None:
    if as_json:
        tell_json(request_told(request))
    else:
        typer.echo(_line(request, _today()))


def _line(r: DataRequest, today: date) -> str:
    if r.closed_at is not None:
        state = say(f"respondida: {r.outcome}", f"answered: {r.outcome}")
    elif r.late(today):
        state = say("VENCIDA", "LATE")
    else:
        state = say("abierta, ampliada", "open, extended") if r.extended else say("abierta", "open")
    due = say(f"vence {r.due}", f"due {r.due}")
    received = say(f"recibida {r.received_on}", f"received {r.received_on}")
    return f"{r.id:>6}  {r.kind:9} {received}, {due}  {state}  ({TERMS[r.kind].citation})"


def _today() -> date:
    return SystemClock().now().astimezone(BOGOTA).date()
