"""`cadencia evidence`: what was decided and done, taken out, verified, held, erased, and ended with its time."""

from __future__ import annotations

import asyncio
import dataclasses
import getpass
import os
import sys
import tempfile
from collections.abc import Collection, Iterator
from contextlib import contextmanager, suppress
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import IO, Annotated, Any
from zoneinfo import ZoneInfo

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

from cadencia.cli.faults import refused
from cadencia.cli.opening import opened_store
from cadencia.cli.options import AsJson, Config, local_date, tell_json
from cadencia.cli.text import language, say
from cadencia.cli.writing import verify_writable
from cadencia.clock import SystemClock
from cadencia.compliance.evidence import ZONE_NAME
from cadencia.compliance.evidence_check import Fault, Trust
from cadencia.compliance.evidence_file import EvidenceWriter, FileVerifier
from cadencia.compliance.signing import key_id
from cadencia.config.profiles import load_site
from cadencia.config.system import reason
from cadencia.domain.law import Profile
from cadencia.errors import ConfigError, Refused, Words, spoken
from cadencia.store.evidence_export import StoreReport, export_days, export_person, verify_store
from cadencia.store.evidence_port import KeptChain
from cadencia.store.keys import PUBLIC, key_folder, load, load_or_make, rotate, trusted
from cadencia.store.port import Store
from cadencia.store.refusals import no_such_person

app = typer.Typer(help="Evidence: export, verify, hold, erase.", no_args_is_help=True)

Person = Annotated[str, typer.Argument(metavar="PERSON", help='Surrogate, internal id, or document: "CC 12345".')]
By = Annotated[str, typer.Option(help="Who asks; the user of this machine unless told.")]
Keys = Annotated[Path | None, typer.Option("--keys", readable=False, help="File of the public keys to trust.")]

#: So many faults are told one by one, and so many are kept: where all is altered the first ones tell enough.
_SHOWN = 20
_KEPT = 10_000


# -- export ------------------------------------------------------------------------------------------------------------
@app.command()
def export(
    person: Annotated[str, typer.Argument(metavar="[PERSON]", help="Surrogate, internal id, or document.")] = "",
    day: Annotated[str, typer.Option("--day", metavar="YYYY-MM-DD", help="The whole chain of a day.")] = "",
    first: Annotated[str, typer.Option("--from", metavar="YYYY-MM-DD", help="Whole chains from this day.")] = "",
    last: Annotated[str, typer.Option("--to", metavar="YYYY-MM-DD", help="To this day.")] = "",
    output: Annotated[Path | None, typer.Option("-o", "--output", help="File to write.")] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace a file that is there.")] = False,
    by: By = "",
    config: Config = None,
    as_json: AsJson = False,
) -> None:
    """Write a person's evidence, or whole days, to a file that verifies offline. The reading is written down.

    Example: cadencia evidence export "CC 12345" -o expediente.jsonl
    """
    if bool(person) == bool(day or first or last) or (day and (first or last)) or bool(first) != bool(last):
        raise ConfigError(
            Words("Name a person, or --day, or --from and --to.", "Nombre una persona, o --day, o --from y --to."),
            Words(
                "Example: cadencia evidence export --day 2026-11-24",
                "Ejemplo: cadencia evidence export --day 2026-11-24",
            ),
        )
    days = (local_date(day or first), local_date(day or last)) if not person else None
    signer = load(key_folder())
    who, now = by or getpass.getuser(), SystemClock().now()

    async def work() -> tuple[Path, int]:
        async with opened_store(config) as store:
            if days is not None:
                path = output or Path(f"evidence-{days[0]}-{days[1]}.jsonl")
                with _new_file(path, overwrite) as file, _bar(say("Filas", "Rows")) as bar:
                    rows = await export_days(store, EvidenceWriter(file.write, signer), *days, who, now, bar)
                return path, rows
            found = await _person(store, person)
            path = output or Path(f"evidence-{(await store.surrogate(found) or str(found))[:8]}.jsonl")
            with _new_file(path, overwrite) as file, _bar(say("Filas", "Rows")) as bar:
                rows = await export_person(store, EvidenceWriter(file.write, signer), found, who, now, bar)
            return path, rows

    path, rows = asyncio.run(work())
    if as_json:
        tell_json({"file": path, "rows": rows, "key": key_id(signer.public)})
    else:
        typer.echo(f"{path}  ({rows} {say('filas', 'rows')})")


# -- verify ------------------------------------------------------------------------------------------------------------
@app.command()
def verify(
    file: Annotated[Path | None, typer.Argument(readable=False, help="An exported file; none: the database.")] = None,
    keys: Keys = None,
    config: Config = None,
    as_json: AsJson = False,
) -> None:
    """Verify evidence: a file, without database and settings, or the whole database. Exit 1 if anything was altered.

    Example: cadencia evidence verify expediente.jsonl --keys evidence.pub
    """
    if file is not None:
        found, told, known = _verify_file(file, Trust(trusted(keys) if keys is not None else None))
    else:
        own = key_folder() / PUBLIC
        given = keys if keys is not None else own if own.exists() else None
        found, told, known = asyncio.run(_verify_store(Trust(trusted(given) if given is not None else None), config))
    if as_json:
        tell_json(told | {"ok": not found, "faults": [_as_json(fault) for fault in found]})
    else:
        _tell(found, told, known)
    if found:
        raise typer.Exit(1)


def _verify_file(path: Path, trust: Trust) -> tuple[list[Fault], dict[str, Any], bool | None]:
    verifier = FileVerifier(trust)
    found: list[Fault] = []
    try:
        with path.open("rb") as file, _bar(say("Bytes", "Bytes")) as bar:
            total, done = max(1, path.stat().st_size), 0
            for n, line in enumerate(file):
                faults = verifier.line(line)
                if faults and len(found) < _KEPT:
                    found += faults
                done += len(line)
                if n % 5000 == 0:
                    bar(done, total)
            bar(total, total)
    except OSError as error:  # 1 would say that it was altered
        why = reason(error)
        raise ConfigError(
            Words(f"{path} cannot be read: {why}.", f"No se puede leer {path}: {why.es}."),
            Words("Check the path.", "Revise la ruta."),
        ) from None
    found += verifier.finish()
    report = verifier.report
    told = {name: getattr(report, name) for name in ("what", "chains", "rows", "proofs", "first_day", "last_day")}
    told |= {"keys": sorted(key_id(key) for key in report.keys), "trusted": report.trusted}
    return found, told, report.trusted


async def _verify_store(trust: Trust, config: Path | None) -> tuple[list[Fault], dict[str, Any], bool | None]:
    report = StoreReport()
    async with opened_store(config) as store:
        with _bar(say("Filas", "Rows")) as bar:
            found: list[Fault] = []
            async for fault in verify_store(store, trust, report, bar):
                if len(found) < _KEPT:
                    found.append(fault)
        chains = await store.chains()
    signing = {kept.root.read().public for kept in chains if not found}
    told = dataclasses.asdict(report) | {"keys": sorted(key_id(key) for key in signing)}
    known = None if trust.keys is None else not found
    return found, told | {"trusted": known}, known


def _tell(found: list[Fault], told: dict[str, Any], known: bool | None) -> None:
    for fault in found[:_SHOWN]:
        typer.echo(spoken(fault.words, language()), err=True)
    if len(found) > _SHOWN:
        typer.echo(say(f"y {len(found) - _SHOWN} más", f"and {len(found) - _SHOWN} more"), err=True)
    days = " - ".join(dict.fromkeys(d for d in (told["first_day"], told["last_day"]) if d))
    numbers = f"{told['chains']} {say('cadenas', 'chains')}, {told['rows']} {say('filas', 'rows')}"
    if found:
        typer.echo(say(f"ALTERADA: {numbers}  {days}", f"ALTERED: {numbers}  {days}"))
        return
    typer.echo(say(f"Íntegra: {numbers}  {days}", f"Intact: {numbers}  {days}"))
    ids = ", ".join(told["keys"]) or "-"
    if known is None:
        typer.echo(
            say(
                f"Clave {ids}: no se dijo en cuál confiar. Compárela con la del operador, o use --keys.",
                f"Key {ids}: nobody said which to trust. Compare it with the operator's, or use --keys.",
            )
        )
    else:
        typer.echo(say(f"Clave {ids}: de confianza.", f"Key {ids}: trusted."))


def _as_json(fault: Fault) -> dict[str, Any]:
    told = dataclasses.asdict(fault)
    return told | {"what": str(fault.what), "en": str(fault.words), "es": spoken(fault.words, "es")}


# -- keys --------------------------------------------------------------------------------------------------------------
@app.command()
def key(
    new: Annotated[bool, typer.Option("--rotate", help="Make a new one; the old one is destroyed.")] = False,
    as_json: AsJson = False,
) -> None:
    """Print the public key that signs evidence; give it to whoever is to verify. Restart the engine after --rotate.

    Example: cadencia evidence key
    """
    folder = key_folder()
    signer = rotate(folder) if new else load_or_make(folder)
    if as_json:
        tell_json({"key": key_id(signer.public), "public": signer.public.hex(), "trusted": folder / PUBLIC})
    else:
        typer.echo(f"{signer.public.hex()}  ({key_id(signer.public)}, {folder / PUBLIC})")


# -- holds, erasure, retention -----------------------------------------------------------------------------------------
@app.command()
def hold(
    person: Person,
    reason: Annotated[str, typer.Option(help="Why: the court's or the authority's file.")] = "",
    lift: Annotated[bool, typer.Option("--lift", help="End the hold.")] = False,
    by: By = "",
    config: Config = None,
    as_json: AsJson = False,
) -> None:
    """Put a person under legal hold: nothing of it is erased or ends with its time until the hold is lifted.

    Example: cadencia evidence hold "CC 12345" --reason "Juzgado 12, 2026-114"
    """
    if lift == bool(reason):
        raise ConfigError(
            Words("Give --reason, or --lift.", "Dé --reason, o --lift."),
            Words("A hold needs a reason; its end needs none.", "La retención pide un motivo; levantarla, no."),
        )
    who, now = by or getpass.getuser(), SystemClock().now()

    async def work() -> None:
        async with opened_store(config) as store:
            found = await _person(store, person)
            if lift:
                await store.lift_hold(found, who, now)
            else:
                await store.hold(found, who, reason, now)

    asyncio.run(work())
    if as_json:
        tell_json({"held": not lift})
        return
    typer.echo(say("Levantada.", "Lifted.") if lift else say("Bajo retención legal.", "Under legal hold."))


@app.command()
def erase(
    person: Person,
    reason: Annotated[str, typer.Option(help="The number of the request; it is kept, so nothing personal.")],
    by: By = "",
    config: Config = None,
    as_json: AsJson = False,
) -> None:
    """Erase who a person is: name, document, numbers, notes. What was done stays, of nobody. It cannot be undone.

    Example: cadencia evidence erase "CC 12345" --reason "PQR 2026-114"
    """

    async def work() -> None:
        async with opened_store(config) as store:
            await store.erase(await _person(store, person), by or getpass.getuser(), reason, SystemClock().now())

    asyncio.run(work())
    if as_json:
        tell_json({"erased": True})
        return
    typer.echo(
        say(
            "Borrada. Los respaldos anteriores aún la tienen hasta que venzan.",
            "Erased. Backups made before still hold the person until they expire.",
        )
    )


@app.command()
def retain(
    apply: Annotated[bool, typer.Option("--apply", help="Delete; without it only tell.")] = False,
    days: Annotated[int, typer.Option(min=0, help="Keep at least this many days; never shortens the law's term.")] = 0,
    profile: Annotated[
        list[str] | None, typer.Option(help="Profiles that hold here besides those of the campaigns.")
    ] = None,
    site: Annotated[Path | None, typer.Option(readable=False, help="Folder of the site's own profiles.")] = None,
    config: Config = None,
    as_json: AsJson = False,
) -> None:
    """Tell which chains are older than the longest term of the campaigns' profiles, and with --apply delete their rows.

    Example: cadencia evidence retain --profile us-regf
    """
    now = SystemClock().now()

    async def work() -> tuple[int, date, list[KeptChain], int]:
        async with opened_store(config) as store:
            named = {id_ for campaign in await store.campaigns() for id_ in campaign.settings.profiles}
            term = max(term_days(_profiles(site, named | set(profile or ()))), days)
            if term == 0:
                raise Refused(
                    Words(
                        "These profiles know no term: nothing may go.", "Estos perfiles no conocen plazo: nada se va."
                    ),
                    Words("Say how long to keep: --days 1826", "Diga cuánto guardar: --days 1826"),
                )
            limit = now.astimezone(ZoneInfo(ZONE_NAME)).date() - timedelta(days=term)
            return term, limit, *await _retained(store, limit, now, apply=apply)

    term, limit, chains, rows = asyncio.run(work())
    if as_json:
        listed = [{"engine": c.header.engine, "number": c.header.number, "day": c.header.day} for c in chains]
        tell_json({"term_days": term, "before": limit, "applied": apply, "chains": listed, "rows": rows})
        return
    for chain in chains:
        typer.echo(f"{chain.header.day}  {chain.header.engine}/{chain.header.number}  {chain.rows}")
    numbers = f"{len(chains)} {say('cadenas', 'chains')}, {rows} {say('filas', 'rows')}"
    told = say("se borraron", "were deleted") if apply else say("pueden irse", "may go")
    typer.echo(f"{say('Plazo', 'Term')}: {term} d, < {limit}: {numbers} {told}.")


def term_days(profiles: list[Profile]) -> int:
    """The longest term of the profiles for what evidence holds, in days; 0 if none is known."""
    terms = (p.retention for p in profiles)
    return max((max(t.attempts, t.consents, t.decisions) for t in terms), default=0)


def _profiles(site: Path | None, wanted: Collection[str]) -> list[Profile]:
    known = load_site(site).profiles
    missing = sorted(set(wanted) - set(known))
    if missing:
        raise ConfigError(
            Words(f"There is no profile {missing[0]}.", f"No existe el perfil {missing[0]}."),
            Words("See: cadencia profile list", "Vea: cadencia profile list"),
        )
    return [known[id_] for id_ in wanted]


async def _retained(store: Store, limit: date, now: datetime, *, apply: bool) -> tuple[list[KeptChain], int]:
    """The chains whose time is over, an engine's oldest first; a hold stops at the chain it stands on."""
    gone: list[KeptChain] = []
    rows = 0
    stopped: set[str] = set()
    for chain in await store.chains():
        engine = chain.header.engine
        if chain.dropped or engine in stopped:
            continue
        if chain.header.day >= limit or not chain.root.read().closed:
            stopped.add(engine)
            continue
        if apply:
            try:
                await store.drop_chain(chain, now)
            except Refused as error:
                typer.echo(f"{chain.header.day}: {spoken(error.message, language())}", err=True)
                stopped.add(engine)
                continue
        gone.append(chain)
        rows += chain.rows
    return gone, rows


# -- shared ------------------------------------------------------------------------------------------------------------
async def _person(store: Store, told: str) -> int:
    found = await store.find_person(told)
    if found is None:
        raise no_such_person(told)
    return found


@contextmanager
def _new_file(path: Path, overwrite: bool) -> Iterator[IO[bytes]]:
    """A file that is there whole or not at all, and that only its owner may read."""
    if path.exists() and not overwrite:
        raise ConfigError(
            Words(f"{path} is there already.", f"{path} ya existe."),
            Words("Name another file, or add --overwrite.", "Nombre otro archivo, o agregue --overwrite."),
        )
    verify_writable(path)
    try:
        handle, name = tempfile.mkstemp(dir=path.resolve().parent, prefix=f".{path.name}.")
    except OSError as error:
        raise refused(error) from None
    draft = Path(name)
    try:
        with os.fdopen(handle, "wb", buffering=1 << 20) as file:
            yield file
        draft.replace(path)
    except OSError as error:
        raise refused(error) from None
    finally:
        with suppress(OSError):
            draft.unlink(missing_ok=True)


class _Shown:
    """Tells a bar how far it is."""

    def __init__(self, bar: Progress, task: Any) -> None:
        self._bar, self._task = bar, task

    def __call__(self, done: int, of: int) -> None:
        self._bar.update(self._task, completed=done, total=of)


@contextmanager
def _bar(what: str) -> Iterator[_Shown]:
    console = Console(file=sys.stderr)
    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        yield _Shown(bar, bar.add_task(what, total=None))
