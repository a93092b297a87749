"""`cadencia profile`: the rules of lawful contact, as files, and their changes, which take two persons."""

from __future__ import annotations

import asyncio
import dataclasses
from pathlib import Path
from typing import Annotated

import typer

from cadencia.cli.law import (
    Bench,
    actor,
    bench,
    progress,
    tell_changes,
    tell_version,
    tell_yesterday,
    version_data,
    yesterday_data,
)
from cadencia.cli.options import AsJson, Config, tell_json
from cadencia.cli.text import language, say
from cadencia.config.difference import as_data, told_of
from cadencia.config.profiles import Rulebook, check_file, diff, load_profile, load_site
from cadencia.config.tables import Fault, FileFaults, read_text
from cadencia.dialer.law import earlier, read_proposal, yesterday
from cadencia.domain.law import Profile
from cadencia.domain.profiles import ProfileState, ProfileText, ProfileVersion
from cadencia.errors import ConfigError, Words, spoken

app = typer.Typer(help="Rules of lawful contact: hours, limits, consent, as files.", no_args_is_help=True)

# readable=False: what cannot be read is told by us, with the way out.
Site = Annotated[Path | None, typer.Option(readable=False, help="Folder of the site's own profiles and dates.")]

Actor = Annotated[str, typer.Option("--as", metavar="LOGIN", help="Who acts: a user of role compliance or admin.")]
Id = Annotated[str, typer.Argument(metavar="ID", help="The profile's id.")]
Version = Annotated[int, typer.Argument(metavar="VERSION", min=1, help="The version's number.")]
Reason = Annotated[str, typer.Option("--reason", help="Why, in one sentence; it is kept.")]


@app.command("list")
def list_(site: Site = None, as_json: AsJson = False) -> None:
    """List the profiles that are known.

    Example: cadencia profile list
    """
    book = load_site(site)
    profiles = sorted(book.profiles.values(), key=lambda profile: profile.id)
    if as_json:
        keys = ("id", "version", "jurisdiction", "language", "confidence", "title", "valid_from", "valid_to", "sha256")
        tell_json([{key: as_data(getattr(profile, key)) for key in keys} for profile in profiles])
        return
    for p in profiles:
        typer.echo(f"{p.id:<20} {p.version:>3}  {p.jurisdiction:<6} {p.confidence.value:<14} {p.title}")


@app.command()
def show(
    id_: Annotated[str, typer.Argument(metavar="ID", help="The profile's id.")],
    site: Site = None,
    as_json: AsJson = False,
) -> None:
    """Show a profile as it is understood.

    Example: cadencia profile show co-ley2300
    """
    profile = _profile(id_, load_site(site))
    if as_json:
        tell_json(as_data(profile))
        return
    for name, value in told_of(profile):
        typer.echo(f"{name} = {value}")


@app.command()
def check(
    files: Annotated[
        list[Path], typer.Argument(metavar="FILE...", readable=False, help="Profiles, or folders of them.")
    ],
    as_json: AsJson = False,
) -> None:
    """Check files before they are used; ends with 1 if one is wrong, and says all that is.

    Example: cadencia profile check casa.toml
    """
    faults: dict[str, tuple[Fault, ...]] = {}
    for path in files:
        try:
            check_file(path)
            faults[str(path)] = ()
        except FileFaults as error:
            faults[str(path)] = error.faults
    if as_json:
        tell_json(
            [
                {
                    "file": name,
                    "ok": not found,
                    "faults": [
                        {
                            "file": fault.file,
                            "line": fault.line,
                            "key": fault.key,
                            "what": spoken(fault.what, language()),
                            "mend": spoken(fault.mend, language()),
                        }
                        for fault in found
                    ],
                }
                for name, found in faults.items()
            ]
        )
    else:
        for name, found in faults.items():
            typer.echo(f"{say('mal', 'bad') if found else 'ok':<4} {name}")
            for fault in found:
                typer.echo(f"     {spoken(fault.told, language())}")
                typer.echo(f"     {say('Qué hacer', 'What to do')}: {spoken(fault.mend, language())}")
    if any(faults.values()):
        raise typer.Exit(1)


@app.command("diff")
def diff_(
    old: Annotated[str, typer.Argument(metavar="OLD", help="An id or a file.")],
    new: Annotated[str, typer.Argument(metavar="NEW", help="An id or a file.")],
    site: Site = None,
    as_json: AsJson = False,
) -> None:
    """Tell field by field what a profile changes of another, and whether that loosens or tightens it.

    Example: cadencia profile diff co-ley2300 co-estricto
    """
    book = load_site(site)
    before, after = _profile(old, book), _profile(new, book)
    changes = diff(before, after)
    if as_json:
        tell_json(
            {
                "old": {"id": before.id, "version": before.version, "sha256": before.sha256},
                "new": {"id": after.id, "version": after.version, "sha256": after.sha256},
                "changes": [dataclasses.asdict(change) for change in changes],
            }
        )
    else:
        tell_changes(changes)


@app.command()
def propose(
    file: Annotated[Path, typer.Argument(metavar="FILE", readable=False, help="The profile's file.")],
    reason: Annotated[str, typer.Option("--reason", help="Why, in one sentence; it is kept.")] = "",
    as_: Annotated[str, typer.Option("--as", metavar="LOGIN", help="Who asks: role compliance or admin.")] = "",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only tell what it would change.")] = False,
    config: Config = None,
    as_json: AsJson = False,
) -> None:
    """Tell what a version would change, of the rules and of yesterday's calls, and propose it to a second person.

    On 100 000 calls of yesterday it takes minutes.

    Example: cadencia profile propose casa.toml --reason "Circular 12" --as ana
    """
    if not dry_run and not (reason.strip() and as_):
        raise ConfigError(
            Words("A proposal needs --reason and --as.", "Una propuesta necesita --reason y --as."),
            Words("Give both, or --dry-run to only look.", "Dé ambos, o --dry-run para solo mirar."),
        )

    async def work() -> None:
        source = read_text(file)
        async with bench(config) as b:
            by = "" if dry_run else await actor(b.store, as_)
            text, profile = read_proposal(source, str(file), b.law.book)
            await _put(b, text, profile, by, reason, as_json=as_json)

    asyncio.run(work())


@app.command()
def rollback(
    id_: Id, version: Version, reason: Reason, as_: Actor, config: Config = None, as_json: AsJson = False
) -> None:
    """Propose an earlier version's text again, under the next number, to a second person.

    Example: cadencia profile rollback co-ley2300 1 --reason "Volver a la anterior" --as ana
    """

    async def work() -> None:
        async with bench(config) as b:
            by = await actor(b.store, as_)
            text, profile = await earlier(b.store, b.law, id_, version)
            await _put(b, text, profile, by, reason, as_json=as_json)

    asyncio.run(work())


@app.command()
def pending(config: Config = None, as_json: AsJson = False) -> None:
    """List the proposals that wait for a second person.

    Example: cadencia profile pending
    """
    _list_versions(config, "", as_json, only=ProfileState.PROPOSED)


@app.command()
def history(id_: Id, config: Config = None, as_json: AsJson = False) -> None:
    """List all versions of a profile, with who asked for each and who decided.

    Example: cadencia profile history co-ley2300
    """
    _list_versions(config, id_, as_json)


@app.command()
def approve(
    id_: Id,
    version: Version,
    as_: Actor,
    reason: Annotated[str, typer.Option("--reason", help="Why, in one sentence; it is kept.")] = "",
    config: Config = None,
    as_json: AsJson = False,
) -> None:
    """Put a proposal in force; not by whoever proposed it. A running engine takes it up within 5 seconds.

    Example: cadencia profile approve co-ley2300 2 --as eva
    """
    _decide(config, id_, version, as_, reason, approve=True, as_json=as_json)


@app.command()
def reject(
    id_: Id, version: Version, as_: Actor, reason: Reason, config: Config = None, as_json: AsJson = False
) -> None:
    """Reject a proposal; who made it may take it back this way.

    Example: cadencia profile reject co-ley2300 2 --reason "Falta la circular" --as eva
    """
    _decide(config, id_, version, as_, reason, approve=False, as_json=as_json)


async def _put(b: Bench, text: ProfileText, profile: Profile, by: str, reason: str, *, as_json: bool) -> None:
    """Tell what a version changes; propose it where somebody does."""
    before = b.in_force.get(profile.id)
    changes = diff(before, profile) if before is not None else ()
    if not as_json:
        if before is None:
            typer.echo(say(f"{profile.id} no está vigente: es nuevo.", f"{profile.id} is not in force: it is new."))
        else:
            typer.echo(f"{profile.id}: {before.version} -> {profile.version}")
            tell_changes(changes)
    with progress() as told:
        found = await yesterday(b.store, b.in_force, profile, b.now, told)
    if not as_json:
        tell_yesterday(found)
    version = await b.store.propose_profile(text, by, reason, b.now) if by else None
    if as_json:
        tell_json(
            {
                "id": profile.id,
                "version": profile.version,
                "sha256": profile.sha256,
                "in_force": before.version if before is not None else None,
                "changes": [dataclasses.asdict(change) for change in changes],
                "yesterday": yesterday_data(found),
                "proposed": version_data(version) if version is not None else None,
            }
        )
    elif version is not None:
        told_ = say(
            "Propuesta. Otra persona la aprueba con: cadencia profile approve {} {} --as LOGIN",
            "Proposed. Another person approves it with: cadencia profile approve {} {} --as LOGIN",
        )
        typer.echo(told_.format(profile.id, profile.version))


def _list_versions(config: Path | None, id_: str, as_json: bool, only: ProfileState | None = None) -> None:
    async def work() -> tuple[ProfileVersion, ...]:
        async with bench(config) as b:
            return await b.store.profile_versions(id_)

    versions = [v for v in asyncio.run(work()) if only in (None, v.state)]
    if id_ and not versions:
        raise ConfigError(
            Words(f"There is no profile {id_!r}.", f"No hay un perfil {id_!r}."),
            Words("See: cadencia profile list.", "Vea: cadencia profile list."),
        )
    if as_json:
        tell_json([version_data(v) for v in versions])
        return
    if not versions:
        typer.echo(say("No hay propuestas pendientes.", "No proposal is waiting."))
    for version in versions:
        tell_version(version)


def _decide(
    config: Path | None, id_: str, version: int, login: str, reason: str, *, approve: bool, as_json: bool
) -> None:
    async def work() -> ProfileVersion:
        async with bench(config) as b:
            by = await actor(b.store, login)
            return await b.store.decide_profile(id_, version, approve=approve, by=by, reason=reason, now=b.now)

    decided = asyncio.run(work())
    if as_json:
        tell_json(version_data(decided))
    else:
        tell_version(decided)


def _profile(name: str, book: Rulebook) -> Profile:
    """A profile by its id, or of a file."""
    if name in book.profiles:
        return book.profiles[name]
    if name.endswith(".toml") or Path(name).exists():
        return load_profile(read_text(Path(name)), name=name, calendars=book.calendars)
    known = ", ".join(sorted(book.profiles))
    raise ConfigError(
        Words(f"There is no profile {name!r}.", f"No hay un perfil {name!r}."),
        Words(f"Known are: {known}. A file ends in .toml.", f"Se conocen: {known}. Un archivo termina en .toml."),
    )
