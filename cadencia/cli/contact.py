"""`cadencia contact`: may something else than the dialer contact a person, what became of it, who contacted us."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Annotated, TypeVar

import typer

from cadencia.cli.law import bench
from cadencia.cli.options import AsJson, Config, Document, document, tell_json
from cadencia.cli.text import language, say
from cadencia.clock import SystemClock
from cadencia.compliance.judge import Judge
from cadencia.dialer.people import People, reserved_told
from cadencia.domain.contacts import Became, Reserved
from cadencia.domain.law import Channel, Purpose
from cadencia.errors import ConfigError, Words

app = typer.Typer(help="Contacts that another system makes: messages, letters, calls by hand.", no_args_is_help=True)

T = TypeVar("T")

Key = Annotated[str, typer.Option(help="Your own name for this contact: the same key counts once. No personal data.")]
Code = Annotated[str, typer.Option(help="A disposition's code (NOC, PPT, ...), or your sender's own.")]
OverChannel = Annotated[Channel, typer.Option(help="How the person is reached.")]


@app.command()
def reserve(
    person: Document,
    campaign: Annotated[str, typer.Option(help="The campaign whose list holds the person; its rules hold.")],
    channel: OverChannel,
    key: Key,
    purpose: Annotated[Purpose | None, typer.Option(help="What for; the campaign's own purpose without it.")] = None,
    phone: Annotated[str, typer.Option(help="The person's number to use, +57...; without it one is chosen.")] = "",
    config: Config = None,
    as_json: AsJson = False,
) -> None:
    """May this person be contacted now? A yes is counted at once; ends with 1 if not.

    Example: cadencia contact reserve CC-1020304050 --campaign mora30 --channel sms --key envio-4711
    """

    key = _key(key)

    async def work(people: People) -> Reserved:
        who = await people.person_id(*document(person))
        return await people.reserve(who, campaign, channel, purpose, phone, key, "cli", SystemClock().now())

    told = reserved_told(_done(config, work), language())
    if as_json:
        tell_json(told)
    elif told["allowed"]:
        number = told["phone"] or say("sin número", "without a number")
        typer.echo(say(f"Sí: {number}. Contacto {told['id']}.", f"Yes: {number}. Contact {told['id']}."))
    else:
        when = told["next_at"] or say("el tiempo no lo abre", "time opens nothing")
        no = f"{told['reason']} ({told['code']}, {told['rule']})"
        typer.echo(say(f"No: {no}. Próximo instante: {when}.", f"No: {no}. Next: {when}."))
    if not told["allowed"]:
        raise typer.Exit(1)


@app.command()
def outcome(
    contact: Annotated[str, typer.Argument(metavar="CONTACT", help="The id that the reservation answered.")],
    became: Annotated[
        Became, typer.Argument(metavar="OUTCOME", help="delivered, failed, replied, conversation or unsent.")
    ],
    code: Code = "",
    config: Config = None,
    as_json: AsJson = False,
) -> None:
    """What became of a contact that was allowed: a reply or a conversation is direct contact.

    Example: cadencia contact outcome c-0123456789abcdef0123456789abcdef replied --code NOC
    """

    async def work(people: People) -> None:
        await people.contact_became(contact, became, code, "cli", SystemClock().now())

    _done(config, work)
    if as_json:
        tell_json({"id": contact, "outcome": str(became)})
    else:
        typer.echo(say("Anotado.", "Written down."))


@app.command()
def inbound(
    person: Document,
    channel: OverChannel,
    key: Key,
    purpose: Annotated[Purpose, typer.Option(help="What it was about.")] = Purpose.COLLECTION,
    code: Code = "",
    config: Config = None,
    as_json: AsJson = False,
) -> None:
    """A person contacted us: from now on it is direct contact.

    Example: cadencia contact inbound CC-1020304050 --channel whatsapp --key wa-77 --code INF
    """

    key = _key(key)

    async def work(people: People) -> bool:
        who = await people.person_id(*document(person))
        return await people.contacted_us(who, channel, purpose, code, key, "cli", SystemClock().now())

    new = _done(config, work)
    if as_json:
        tell_json({"new": int(new)})
    else:
        typer.echo(
            say("Anotado.", "Written down.") if new else say("Ya estaba anotado.", "It was written down before.")
        )


def _key(told: str) -> str:
    key = told.strip()
    if not 1 <= len(key) <= 200:
        raise ConfigError(
            Words("--key is empty or longer than 200 characters.", "--key está vacía o pasa de 200 caracteres."),
            Words(
                "Name the contact as your system does: envio-4711.", "Nombre el contacto como su sistema: envio-4711."
            ),
        )
    return key


def _done(config: Path | None, work: Callable[[People], Awaitable[T]]) -> T:
    async def run() -> T:
        async with bench(config) as found:
            return await work(People(found.store, Judge(found.in_force)))

    return asyncio.run(run())
