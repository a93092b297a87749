"""`cadencia import`: bring a portfolio in."""

from __future__ import annotations

import asyncio
import dataclasses
import json
from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from cadencia.cli.opening import opened_store
from cadencia.cli.options import AsJson, Config, tell_json
from cadencia.cli.text import language, say
from cadencia.clock import SystemClock
from cadencia.config.system import reason
from cadencia.errors import ConfigError, StoreError, Words, spoken
from cadencia.portfolio.importer import ImportReport, Portfolio, Rejected, import_file, read_portfolio
from cadencia.portfolio.ledgers import LedgerFile, LedgerReport, load_ledger, read_consents, read_payments
from cadencia.portfolio.numbers import RegisterReport, load_numbers, read_numbers
from cadencia.portfolio.reader import read_table
from cadencia.portfolio.reasons import REASONS
from cadencia.store.refusals import no_campaign

#: So many of what was not taken are shown on the screen.
_SHOWN = 10


class Kind(StrEnum):
    """What a file holds."""

    DEBTORS = "debtors"
    EXCLUSIONS = "exclusions"
    CONSENTS = "consents"
    PAYMENTS = "payments"


def import_(
    file: Annotated[Path, typer.Argument(readable=False, help="CSV file in the layout of docs/portfolio.md.")],
    campaign: Annotated[str, typer.Option(help="The campaign whose list the debtors go on.")] = "",
    creditor: Annotated[str, typer.Option(help="Whose portfolio it is, if no column says so.")] = "",
    map_file: Annotated[
        Path | None,
        typer.Option("--map", readable=False, help='JSON file: {"their column": "our column, or - to leave it out"}.'),
    ] = None,
    kind: Annotated[
        Kind, typer.Option(help="What the file holds; of exclusions telephone numbers, one a line.")
    ] = Kind.DEBTORS,
    register: Annotated[
        str, typer.Option(help="With exclusions: the list they are on, rne for the public register.")
    ] = "house",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only look: write nothing.")] = False,
    config: Config = None,
    as_json: AsJson = False,
) -> None:
    """Import debtors, numbers that may not be called, consents, or payments. What is not taken goes to a file beside
    it, with line, column, reason and value.

    Example: cadencia import cartera.csv --campaign mora30
    """
    if kind is Kind.EXCLUSIONS:
        _exclude(file, register, config, dry_run=dry_run, as_json=as_json)
        return
    mapping = _mapping(map_file)
    if kind is not Kind.DEBTORS:
        _ledger(file, kind, mapping, creditor, config, dry_run=dry_run, as_json=as_json)
        return
    if dry_run:
        portfolio = read_portfolio(file, mapping=mapping, creditor=creditor)
        if as_json:
            counts = dataclasses.asdict(portfolio.counts)
            tell_json({"people": len(portfolio.people), "rejected": len(portfolio.rejected), "counts": counts})
        else:
            _tell(file, portfolio)
        return
    if not campaign:
        raise ConfigError(
            Words("Which campaign?", "¿Cuál campaña?"),
            Words(
                "Add --campaign; create one with: cadencia campaign create.",
                "Agregue --campaign; cree una con: cadencia campaign create.",
            ),
        )
    read_table(file, mapping)  # a file that cannot be read starts nothing
    report = asyncio.run(_import(file, campaign, config, mapping, creditor))
    if as_json:
        rejected = {"rejected": len(report.portfolio.rejected), "rejects": report.rejects}
        tell_json(dataclasses.asdict(report.imported) | rejected)
        return
    _tell(file, report.portfolio)
    done = report.imported
    typer.echo(
        say(
            f"Nuevo o cambiado: {done.persons} personas, {done.obligations} obligaciones, {done.phones} teléfonos; "
            f"{done.contacts} contactos nuevos en la campaña {campaign}.",
            f"New or changed: {done.persons} persons, {done.obligations} obligations, {done.phones} telephones; "
            f"{done.contacts} new contacts in campaign {campaign}.",
        )
    )
    if report.rejects is not None:
        typer.echo(f"{say('Lo que no se tomó está en', 'What was not taken is in')} {report.rejects}")


def _exclude(file: Path, register: str, config: Path | None, *, dry_run: bool, as_json: bool) -> None:
    listed = read_numbers(file)
    new, rejects = 0, None
    if not dry_run:
        report = asyncio.run(_load(file, register, config))
        new, rejects = report.new, report.rejects
    if as_json:
        told = {"register": register, "numbers": len(listed.numbers), "new": new}
        tell_json(told | {"rejected": len(listed.rejected), "rejects": rejects})
        return
    typer.echo(
        say(
            f"{file}: {listed.lines} líneas, {len(listed.numbers)} teléfonos, {len(listed.rejected)} rechazados.",
            f"{file}: {listed.lines} lines, {len(listed.numbers)} telephones, {len(listed.rejected)} rejected.",
        )
    )
    if not dry_run:
        typer.echo(
            say(f"{new} nuevos en la lista {register}.", f"{new} are new on the list {register}."),
        )
    _tell_rejected(listed.rejected)
    if rejects is not None:
        typer.echo(f"{say('Lo que no se tomó está en', 'What was not taken is in')} {rejects}")


def _ledger(
    file: Path,
    kind: Kind,
    mapping: dict[str, str],
    creditor: str,
    config: Path | None,
    *,
    dry_run: bool,
    as_json: bool,
) -> None:
    """Consents or payments."""
    now = SystemClock().now()
    payments = kind is Kind.PAYMENTS
    found = read_payments(file, now, mapping, creditor) if payments else read_consents(file, mapping)
    report = LedgerReport(0, found.rejected, None)
    if not dry_run:
        report = asyncio.run(_write_down(file, found, config, now))
    if as_json:
        told = {"lines": found.lines, "read": len(found.entries), "new": report.new}
        tell_json(told | {"rejected": len(report.rejected), "rejects": report.rejects})
        return
    what = say("pagos", "payments") if payments else say("autorizaciones y revocaciones", "grants and revocations")
    typer.echo(f"{file}: {found.lines} {say('líneas', 'lines')}, {len(found.entries)} {what}")
    if not dry_run:
        typer.echo(say(f"{report.new} nuevos.", f"{report.new} are new."))
    _tell_rejected(report.rejected)
    if report.rejects is not None:
        typer.echo(f"{say('Lo que no se tomó está en', 'What was not taken is in')} {report.rejects}")


async def _write_down(file: Path, found: LedgerFile, config: Path | None, now: datetime) -> LedgerReport:
    async with opened_store(config) as store:
        return await load_ledger(store, file, found, "cli", now, language=language())


async def _load(file: Path, register: str, config: Path | None) -> RegisterReport:
    async with opened_store(config) as store:
        return await load_numbers(store, register, file, "cli", SystemClock().now(), language=language())


def _mapping(path: Path | None) -> dict[str, str]:
    if path is None:
        return {}
    try:
        told = json.loads(path.read_text("utf-8-sig"))
    except OSError as error:
        why = reason(error)
        raise ConfigError(
            Words(f"{path} cannot be read: {why}.", f"No se puede leer {path}: {why.es}."),
            Words("Check the path given with --map.", "Revise la ruta dada con --map."),
        ) from None
    except ValueError:
        told = None
    if not isinstance(told, dict) or not all(isinstance(ours, str) for ours in told.values()):
        raise ConfigError(
            Words(f"{path} is not a mapping in JSON.", f"{path} no es una correspondencia en JSON."),
            Words(
                'Write {"No. Obligación": "id_credito", "Asesor": "-"}.',
                'Escriba {"No. Obligación": "id_credito", "Asesor": "-"}.',
            ),
        )
    return told


async def _import(
    file: Path, campaign: str, config: Path | None, mapping: dict[str, str], creditor: str
) -> ImportReport:
    written = total = 0
    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    async with opened_store(config) as store:
        if all(known.id != campaign for known in await store.campaigns()):
            raise no_campaign(campaign)
        with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
            task = bar.add_task(say("Personas", "Persons"), total=None)

            def progress(done: int, of: int) -> None:
                nonlocal written, total
                written, total = done, of
                bar.update(task, completed=done, total=of)

            try:
                return await import_file(
                    store,
                    campaign,
                    file,
                    SystemClock().now(),
                    mapping=mapping,
                    creditor=creditor,
                    language=language(),
                    progress=progress,
                )
            except StoreError as error:
                raise _broken_off(error, written, total) from None


def _broken_off(error: StoreError, written: int, total: int) -> StoreError:
    if not written:
        return error
    error.message = Words(
        f"{error.message} {written} of {total} persons were written; the same import again takes up the others.",
        f"{spoken(error.message, 'es')} Se escribieron {written} de {total} personas; "
        "la misma importación toma las demás.",
    )
    return error


def _tell(file: Path, portfolio: Portfolio) -> None:
    """What the file holds, and the first of what is not taken."""
    c = portfolio.counts
    typer.echo(
        say(
            f"{file}: {c.rows} líneas: {c.accepted} sirven, {c.rejected} rechazadas, {c.references} referencias.",
            f"{file}: {c.rows} lines: {c.accepted} good, {c.rejected} rejected, {c.references} references.",
        )
    )
    typer.echo(
        say(
            f"{len(portfolio.people)} personas, {c.phones} teléfonos ({c.phones_rejected} no sirven); "
            f"sin teléfono {c.without_phone}, sin autorización {c.without_consent}.",
            f"{len(portfolio.people)} persons, {c.phones} telephones ({c.phones_rejected} not usable); "
            f"without telephone {c.without_phone}, without authorisation {c.without_consent}.",
        )
    )
    _tell_rejected(portfolio.rejected)


def _tell_rejected(rejected: Sequence[Rejected]) -> None:
    for r in rejected[:_SHOWN]:
        where = f"{say('línea', 'line')} {r.line}{', ' + r.column if r.column else ''}"
        kept = "" if r.whole_row else say(" (la línea se toma)", " (the line is taken)")
        typer.echo(f"  {where}: {REASONS[r.code][language() != 'es']}: {r.value[:60]!r}{kept}")
    more = len(rejected) - _SHOWN
    if more > 0:
        typer.echo(say(f"  y {more} más", f"  and {more} more"))
