"""`cadencia profile`: the rules of lawful contact, as files."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Annotated

import typer

from cadencia.cli.options import AsJson, tell_json
from cadencia.cli.text import language, say
from cadencia.config.difference import Effect, as_data, told_of
from cadencia.config.profiles import Rulebook, check_file, diff, load_profile, load_site
from cadencia.config.tables import Fault, FileFaults, read_text
from cadencia.domain.law import Profile
from cadencia.errors import ConfigError, Words, spoken

app = typer.Typer(help="Rules of lawful contact: hours, limits, consent, as files.", no_args_is_help=True)

# readable=False: what cannot be read is told by us, with the way out.
Site = Annotated[Path | None, typer.Option(readable=False, help="Folder of the site's own profiles and dates.")]

_EFFECTS = {
    Effect.LOOSENS: Words("loosens", "afloja"),
    Effect.TIGHTENS: Words("tightens", "endurece"),
    Effect.NEITHER: Words("no effect on contacts", "sin efecto en los contactos"),
    Effect.UNDECIDED: Words("loosens or tightens: look at it", "afloja o endurece: revíselo"),
}


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
    elif changes:
        for change in changes:
            typer.echo(f"{change.path}  ({spoken(_EFFECTS[change.effect], language())})")
            typer.echo(f"  - {change.old or '-'}")
            typer.echo(f"  + {change.new or '-'}")
    else:
        typer.echo(say("No cambia nada.", "Nothing changes."))


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
