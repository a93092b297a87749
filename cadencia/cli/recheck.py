"""`cadencia recheck`: was every contact of a day or of an exported file lawful, judged apart from the gate."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, Any

import typer

from cadencia.cli.opening import opened_store
from cadencia.cli.options import AsJson, Config, instant, local_date, tell_json
from cadencia.cli.text import language, say
from cadencia.clock import SystemClock
from cadencia.compliance.hours import BOGOTA
from cadencia.dialer.nightly import span, walk
from cadencia.errors import ConfigError, Words, spoken
from cadencia.recheck import Report, recheck_all

_EVER = (datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC))


def recheck(
    file: Annotated[
        Path | None,
        typer.Argument(metavar="[FILE]", readable=False, help="Dossiers, one JSON object a line; else the database."),
    ] = None,
    day: Annotated[
        str, typer.Option("--day", metavar="YYYY-MM-DD", help="Of the database: this local day; else yesterday.")
    ] = "",
    since: Annotated[str | None, typer.Option("--since", help="From this instant or date (UTC) on.")] = None,
    until: Annotated[str | None, typer.Option("--until", help="Up to this instant or date (UTC), without it.")] = None,
    config: Config = None,
    as_json: AsJson = False,
) -> None:
    """Judge every contact of a day, or of a file, again, by rules that share nothing with those that let it pass.

    Ends with 0 if all were lawful, with 1 if one was not.

    Example: cadencia recheck --day 2026-11-23
    """
    if file is None:
        report = _of_database(config, day, since, until)
    elif day:
        raise ConfigError(
            Words(
                "--day is of the database, and a file was given.", "--day es de la base de datos, y se dio un archivo."
            ),
            Words("Use --since and --until with a file.", "Use --since y --until con un archivo."),
        )
    else:
        report = _of_file(file, since, until)
    if as_json:
        tell_json(_view(report))
    else:
        _print(report)
    if report.violations:
        raise typer.Exit(1)


def _of_database(config: Path | None, day: str, since: str | None, until: str | None) -> Report:
    if since is not None or until is not None:
        raise ConfigError(
            Words("--since and --until are of a file.", "--since y --until son de un archivo."),
            Words("Use --day with the database.", "Use --day con la base de datos."),
        )
    wanted = local_date(day) if day else SystemClock().now().astimezone(BOGOTA).date() - timedelta(days=1)

    async def work() -> Report:
        async with opened_store(config) as store:
            return await walk(store, *span(wanted))

    return asyncio.run(work())


def _of_file(file: Path, since: str | None, until: str | None) -> Report:
    start, end = _instant(since, _EVER[0]), _instant(until, _EVER[1])
    if start >= end:
        raise ConfigError(
            Words("--until is not after --since.", "--until no es posterior a --since."),
            Words("Give a later --until, or leave it out.", "Dé un --until posterior, u omítalo."),
        )
    line = [0]
    try:
        return recheck_all(_lines(file, line), start, end)
    except ConfigError as error:
        told = (f"{file}:{line[0]}: {spoken(error.message, tongue)}" for tongue in ("en", "es"))
        raise ConfigError(Words(*told), error.hint) from None
    except OSError as error:
        raise ConfigError(
            Words(f"{file} cannot be read: {error.strerror}.", f"No se puede leer {file}: {error.strerror}."),
            Words("Check the path.", "Revise la ruta."),
        ) from None


def _instant(given: str | None, otherwise: datetime) -> datetime:
    if given is None:
        return otherwise
    found = instant(given)
    return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)


def _lines(file: Path, place: list[int]) -> Iterator[dict[str, Any]]:
    """The dossiers of a file; `place[0]` is the line of the last one. Raises ConfigError.

    Of a person's file as `cadencia evidence export` writes it, what its dossier holds under `law`.
    """
    exported = found = False
    with file.open("rb") as lines:
        for place[0], line in enumerate(lines, 1):
            if not line.strip():
                continue
            try:
                given = json.loads(line)
            except ValueError:
                given = None
            if not isinstance(given, dict):
                raise ConfigError(
                    Words("The line is no JSON object.", "La línea no es un objeto JSON."),
                    Words("Each line holds one person's dossier.", "Cada línea tiene el expediente de una persona."),
                )
            exported = exported or "is" in given
            if exported:
                kept = given.get("dossier")
                given = kept.get("law") if isinstance(kept, dict) else None
                if not isinstance(given, dict):
                    continue
            found = True
            yield given
    if exported and not found:
        raise ConfigError(
            Words("The file holds nobody's dossier.", "El archivo no tiene el expediente de nadie."),
            Words(
                "Export a person: cadencia evidence export PERSON. For whole days: cadencia recheck --day.",
                "Exporte una persona: cadencia evidence export PERSONA. Para días completos: cadencia recheck --day.",
            ),
        )


def _view(report: Report) -> dict[str, Any]:
    tongue = language()
    return {
        "persons": report.persons,
        "contacts": report.contacts,
        "violations": report.violations,
        "raced": report.raced,
        "by_rule": dict(sorted(report.by_rule.items())),
        "first": [
            {
                "contact": found.contact,
                "person": found.person,
                "rule": found.rule,
                "profile": found.profile,
                "at": found.at.isoformat(),
                "what": spoken(found.what, tongue),
                "facts": dict(found.facts),
            }
            for found in report.first
        ],
    }


def _print(report: Report) -> None:
    tongue = language()
    walked = (report.persons, report.contacts, report.violations, report.raced)
    typer.echo(
        say(
            "Personas: {}  Contactos: {}  Violaciones: {}  En carrera: {}",
            "Persons: {}  Contacts: {}  Violations: {}  Raced: {}",
        ).format(*walked)
    )
    for rule, count in sorted(report.by_rule.items()):
        typer.echo(f"  {rule:14} {count}")
    for found in report.first:
        at = found.at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
        profile = f" {found.profile}" if found.profile else ""
        typer.echo(f"{at} {found.contact} [{found.rule}{profile}] {spoken(found.what, tongue)}")
    if report.violations > len(report.first):
        more = report.violations - len(report.first)
        typer.echo(say(f"… y {more} más", f"… and {more} more"))
