"""`cadencia explain`: why somebody is dialled or not, and a whole list of them, now or on a day to come."""

from __future__ import annotations

import asyncio
import getpass
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Annotated

import typer

from cadencia.cli.law import bench
from cadencia.cli.options import AsJson, Config, document, instant, local_date, tell_json
from cadencia.cli.text import language, say
from cadencia.clock import SystemClock
from cadencia.compliance.explain import Census, Explained, Rehearsal, needed
from cadencia.compliance.hours import BOGOTA
from cadencia.compliance.judge import Judge
from cadencia.dialer.people import People, census_told, explained, rehearsal_told
from cadencia.domain.codes import Denial, label
from cadencia.domain.law import Allow
from cadencia.domain.people import Phone
from cadencia.errors import ConfigError, Refused, Words, spoken


def explain_(
    contact: Annotated[
        str, typer.Argument(metavar="[CONTACT]", help="A contact's id, or a document: CC-1020304050.")
    ] = "",
    campaign: Annotated[str, typer.Option(help="The campaign; without a contact its whole list is explained.")] = "",
    at: Annotated[str, typer.Option(help="Instead of now: an instant, 2026-11-24T17:30-05:00.")] = "",
    day: Annotated[
        str, typer.Option(help="Rehearse the list on a day, YYYY-MM-DD or tomorrow, if nothing else happens.")
    ] = "",
    config: Config = None,
    as_json: AsJson = False,
) -> None:
    """Why somebody may be dialled or not, and the next lawful instant; the engine asks the very same gate.

    Example: cadencia explain --campaign mora30 --day tomorrow
    """
    now = SystemClock().now()
    asked = _instant(at) if at else now
    if not contact and not campaign:
        raise ConfigError(
            Words("Whom shall I explain?", "¿A quién explico?"),
            Words(
                "Name a contact, or --campaign for a whole list.", "Dé un contacto, o --campaign para toda la lista."
            ),
        )
    if day and (contact or at):
        raise ConfigError(
            Words("--day rehearses a whole list.", "--day ensaya una lista completa."),
            Words(
                "With a contact, or for an instant, use --at without --day.",
                "Con un contacto, o para un instante, use --at sin --day.",
            ),
        )
    if contact:
        told = asyncio.run(_one(config, contact, campaign, asked))
        for found in told:
            tell_json(explained(found, language())) if as_json else _print(found)
        return
    if day:
        rehearsal = asyncio.run(_rehearsed(config, campaign, _day(day, now), now))
        tell_json(rehearsal_told(rehearsal)) if as_json else _print_rehearsal(rehearsal)
    else:
        counted = asyncio.run(_counted(config, campaign, asked))
        tell_json(census_told(counted, language())) if as_json else _print_census(counted)


# -- asking -----------------------------------------------------------------------------------------------------------
@asynccontextmanager
async def _people(config: Path | None) -> AsyncIterator[People]:
    """The store, and the profiles in force in it."""
    async with bench(config) as found:
        yield People(found.store, Judge(found.in_force))


async def _one(config: Path | None, contact: str, campaign: str, at: datetime) -> list[Explained]:
    who = (getpass.getuser(), SystemClock().now())
    async with _people(config) as people:
        if contact.isdecimal():  # longer than any contact's id is nobody's
            found = await people.explain(int(contact), at, *who) if len(contact) < 19 else []
        else:
            found = await people.explain_person(await people.person_id(*document(contact)), at, *who)
    found = [e for e in found if not campaign or e.contact.campaign_id == campaign]
    if not found:
        raise Refused(
            Words(f"No list holds {contact!r}.", f"Ninguna lista tiene a {contact!r}."),
            Words("Give a contact's id or TYPE-NUMBER.", "Dé el id del contacto o TIPO-NÚMERO."),
        )
    return found


async def _counted(config: Path | None, campaign: str, at: datetime) -> Census:
    async with _people(config) as people:
        return await people.census(campaign, at)


async def _rehearsed(config: Path | None, campaign: str, day: date, now: datetime) -> Rehearsal:
    async with _people(config) as people:
        return await people.rehearsal(campaign, day, now)


def _instant(told: str) -> datetime:
    found = instant(told)
    if found.tzinfo is None:
        raise ConfigError(
            Words(f"{told!r} is no instant with its zone.", f"{told!r} no es un instante con su zona."),
            Words("Write it like 2026-11-24T17:30-05:00.", "Escríbalo como 2026-11-24T17:30-05:00."),
        )
    return found.astimezone(SystemClock().now().tzinfo)


def _day(told: str, now: datetime) -> date:
    if told in ("tomorrow", "mañana", "manana"):
        return now.astimezone(BOGOTA).date() + timedelta(days=1)
    return local_date(told)


# -- telling ----------------------------------------------------------------------------------------------------------
def _masked(phone: Phone | None) -> str | None:
    return None if phone is None else f"···{phone.e164[-4:]}"


def _local(at: datetime) -> str:
    return f"{at.astimezone(BOGOTA):%Y-%m-%d %H:%M}"


def _opens(at: datetime | None, code: Denial) -> str:
    return _local(at) if at is not None else spoken(needed(code), language())


def _print(found: Explained) -> None:
    contact, verdict, tongue = found.contact, found.verdict, language()
    head = say(
        f"Contacto {contact.contact_id}, campaña {contact.campaign_id}, {_local(found.at)} en Bogotá",
        f"Contact {contact.contact_id}, campaign {contact.campaign_id}, {_local(found.at)} in Bogotá",
    )
    typer.echo(head)
    if isinstance(verdict, Allow):
        typer.echo(say(f"Se puede llamar al {_masked(verdict.phone)}.", f"May be called on {_masked(verdict.phone)}."))
    else:
        typer.echo(
            say(
                f"No se puede llamar: {label(verdict.code, tongue)} ({verdict.code}, {verdict.rule}).",
                f"May not be called: {label(verdict.code, tongue)} ({verdict.code}, {verdict.rule}).",
            )
        )
        opens = _opens(verdict.retry_at, verdict.code)
        if verdict.retry_at is None:
            typer.echo(f"{opens[:1].upper()}{opens[1:]}.")
        else:
            typer.echo(say(f"Próximo instante legal: {opens}", f"Next lawful instant: {opens}"))
    for number in found.numbers:
        name = _masked(number.phone) or say("sin teléfono", "no telephone")
        typer.echo(f"  {name}:{'' if number.held else say(' nada en contra', ' nothing against it')}")
        for held in number.held:
            typer.echo(f"    {label(held.code, tongue)} ({held.rule}): {_opens(held.until, held.code)}")


def _print_census(c: Census) -> None:
    head = say(f"De {c.total}: {c.callable_now} se pueden llamar ahora", f"Of {c.total}: {c.callable_now} callable now")
    typer.echo(head)
    for code, number in c.denied.most_common():
        opens = c.opens.get(code)
        when = say(f"el primero {_local(opens)}", f"the first {_local(opens)}") if opens else _opens(None, code)
        typer.echo(f"  {number:>8}  {label(code, language())} ({when})")


def _print_rehearsal(r: Rehearsal) -> None:
    hours = f"{int(r.lawful_s // 3600)} h {int(r.lawful_s % 3600 // 60):02} min"
    head = say(
        f"{r.day}: de {r.total}, {r.callable} se podrán llamar; {hours} de horario legal",
        f"{r.day}: of {r.total}, {r.callable} may be called; {hours} of lawful time",
    )
    typer.echo(head)
    for hour, number in sorted(r.by_hour.items()):
        typer.echo(f"  {number:>8}  {say('desde las', 'from')} {hour:02}:00")
    for code, number in r.denied.most_common():
        typer.echo(f"  {number:>8}  {label(code, language())}")
