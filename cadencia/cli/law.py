"""What `cadencia profile` does about changes: who acts, how a proposal is told, and yesterday's questions."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

from cadencia.cli.opening import opened_store
from cadencia.cli.text import language, say
from cadencia.clock import SystemClock
from cadencia.config import load
from cadencia.config.difference import Change, Effect
from cadencia.config.profiles import load_site
from cadencia.dialer.law import Law, Yesterday
from cadencia.domain.access import UserRole
from cadencia.domain.codes import Denial, label
from cadencia.domain.law import Profile
from cadencia.domain.profiles import ProfileState, ProfileVersion
from cadencia.errors import Refused, Words, spoken
from cadencia.store.port import Store
from cadencia.store.refusals import no_user

#: Who may change the rules of lawful contact.
DECIDERS = frozenset({UserRole.COMPLIANCE, UserRole.ADMIN})

EFFECTS = {
    Effect.LOOSENS: Words("loosens", "afloja"),
    Effect.TIGHTENS: Words("tightens", "endurece"),
    Effect.NEITHER: Words("no effect on contacts", "sin efecto en los contactos"),
    Effect.UNDECIDED: Words("loosens or tightens: look at it", "afloja o endurece: revíselo"),
}

STATES = {
    ProfileState.PROPOSED: Words("proposed", "propuesta"),
    ProfileState.ACTIVE: Words("in force", "vigente"),
    ProfileState.RETIRED: Words("retired", "retirada"),
    ProfileState.REJECTED: Words("rejected", "rechazada"),
}


@dataclass(frozen=True)
class Bench:
    """What a verb works on.

    Attributes:
        in_force: by id.
    """

    store: Store
    law: Law
    in_force: dict[str, Profile]
    now: datetime


@asynccontextmanager
async def bench(config: Path | None) -> AsyncIterator[Bench]:
    """The store with the laws as the engine sees them."""
    folder = load(config).law.profiles_dir
    law, now = Law(load_site(Path(folder) if folder else None)), SystemClock().now()
    async with opened_store(config) as store:
        yield Bench(store, law, await law.take_up(store, now), now)


async def actor(store: Store, login: str) -> str:
    """The login of somebody who may change the rules. Raises Refused."""
    user = await store.user(login)
    if user is None:
        raise no_user(login)
    if user.role not in DECIDERS:
        raise Refused(
            Words(f"{login} may not change the law's rules.", f"{login} no puede cambiar las reglas legales."),
            Words(
                "Name with --as a user of role compliance or admin.",
                "Indique con --as un usuario de rol compliance o admin.",
            ),
        )
    return user.login


@contextmanager
def progress() -> Iterator[Callable[[int, int], None]]:
    """A bar on a terminal's standard error; nothing elsewhere."""
    console = Console(file=sys.stderr)
    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task(say("Preguntas de ayer", "Yesterday's questions"), total=None)

        def told(done: int, of: int) -> None:
            bar.update(task, completed=done, total=of)

        yield told


# -- telling -----------------------------------------------------------------------------------------------------------
def tell_changes(changes: tuple[Change, ...]) -> None:
    """Field by field, and whether each loosens or tightens."""
    if not changes:
        typer.echo(say("No cambia nada.", "Nothing changes."))
    for change in changes:
        typer.echo(f"{change.path}  ({spoken(EFFECTS[change.effect], language())})")
        typer.echo(f"  - {change.old or '-'}")
        typer.echo(f"  + {change.new or '-'}")


def tell_yesterday(found: Yesterday) -> None:
    """What a change would have changed."""
    effect = found.effect
    if not found.campaigns:
        typer.echo(say("Ninguna campaña usa este perfil.", "No campaign uses this profile."))
        return
    told = say(
        "Ayer ({}): {} preguntas a la puerta legal; las reglas vigentes permiten {}.",
        "Yesterday ({}): the gate was asked {} times; the rules in force allow {} of them.",
    )
    typer.echo(told.format(found.day, effect.asked, effect.allowed))
    denied, allowed = sum(effect.now_denied.values()), sum(effect.now_allowed.values())
    typer.echo(say(f"  Ya no se permitirían: {denied}", f"  No longer allowed: {denied}"))
    _tell_codes(effect.now_denied)
    typer.echo(say(f"  Se permitirían además: {allowed}", f"  Allowed in addition: {allowed}"))
    _tell_codes(effect.now_allowed)
    for case in effect.cases:
        at = case.at.isoformat(timespec="seconds").replace("+00:00", "Z")
        verdicts = f"{case.before or 'OK'} -> {case.after or 'OK'}"
        contact = say("contacto", "contact")
        typer.echo(f"  {at}  {case.campaign_id}  {contact} {case.contact_id}  {verdicts}  {case.rule}")


def _tell_codes(codes: dict[Denial, int]) -> None:
    for code, number in codes.items():
        typer.echo(f"    {number:>7}  {code}  {label(code, language())}")


def yesterday_data(found: Yesterday) -> dict[str, Any]:
    """The same for JSON."""
    effect = found.effect
    return {
        "day": found.day.isoformat(),
        "campaigns": list(found.campaigns),
        "asked": effect.asked,
        "allowed": effect.allowed,
        "now_denied": {str(code): number for code, number in effect.now_denied.items()},
        "now_allowed": {str(code): number for code, number in effect.now_allowed.items()},
        "cases": [
            {
                "campaign": case.campaign_id,
                "contact": case.contact_id,
                "at": case.at.isoformat(),
                "before": str(case.before) if case.before else None,
                "after": str(case.after) if case.after else None,
                "rule": case.rule,
            }
            for case in effect.cases
        ],
    }


def version_data(version: ProfileVersion) -> dict[str, Any]:
    """A version for JSON, without its text."""
    return {
        "id": version.text.id,
        "version": version.text.version,
        "sha256": version.text.sha256,
        "state": str(version.state),
        "proposed_by": version.proposed_by,
        "proposed_at": version.proposed_at.isoformat(),
        "reason": version.reason,
        "decided_by": version.decided_by,
        "decided_at": version.decided_at.isoformat() if version.decided_at else None,
        "decision": version.decision,
    }


def tell_version(version: ProfileVersion) -> None:
    """One line, and one more each for why it was proposed and how it was decided."""
    state = spoken(STATES[version.state], language())
    typer.echo(f"{version.text.id:<20} {version.text.version:>3}  {state:<10} {version.text.sha256[:12]}")
    asked = say("propuso", "proposed by")
    typer.echo(f"    {asked} {version.proposed_by}, {version.proposed_at:%Y-%m-%d %H:%MZ}  {version.reason}".rstrip())
    if version.decided_at is not None:
        decided = say("decidió", "decided by")
        line = f"    {decided} {version.decided_by}, {version.decided_at:%Y-%m-%d %H:%MZ}  {version.decision}"
        typer.echo(line.rstrip())
