"""A database to a file and back.

A backup is what pg_dump writes in its own format: consistent while the engine runs, compressed, readable by newer
versions of PostgreSQL. It is restored beside the database that is there; only a backup that could be read to its end,
of a version this program knows, takes the old one's place.
"""

from __future__ import annotations

import asyncio
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import URL, make_url, text
from sqlalchemy.exc import ArgumentError
from sqlalchemy.ext.asyncio import create_async_engine

from cadencia.config.system import reason
from cadencia.errors import ConfigError, Refused, StoreError, Words
from cadencia.store import migrate
from cadencia.store.postgres.errors import UNREADABLE_URL, telling
from cadencia.store.programs import call, wheel

_TIMEOUT_S = 6 * 3600.0
_MAINTENANCE = "--maintenance-db=postgres"
_NAME_ONE = Words("Name a file that a backup wrote.", "Nombre un archivo que haya escrito un respaldo.")

# Is there such a database? In the catalogue.
_EXISTS = text("SELECT 1 FROM pg_database WHERE datname = :name")

# Does the database hold anything? In the catalogue.
_TABLES = text("SELECT 1 FROM pg_tables WHERE schemaname = 'public' LIMIT 1")

# Give a database another name. psql, not we, puts the values into it, quoted.
_RENAME = 'ALTER DATABASE :"old" RENAME TO :"new";'


async def backup(url: str, path: Path | str, *, overwrite: bool = False) -> Path:
    """Write a database to a file that only its owner may read; the engine may go on meanwhile.

    Raises:
        Refused: there is such a file already, and `overwrite` is not set.
        StoreError: it failed; no file was written and an older one is as it was.
    """
    with _part_of(Path(path), overwrite=overwrite) as (part, target):
        await _client("pg_dump", _url(url), "--format=custom", "--no-owner", "--no-privileges", f"--file={part}")
        os.replace(part, target)  # noqa: PTH105  # one call of the kernel
    return target


async def restore(url: str, path: Path | str, *, overwrite: bool = False) -> str:
    """Put a backup in a database's place and bring it to this program's version; return the version it was of.

    Raises:
        Refused: the database holds something, and `overwrite` is not set; or there is no such file.
        StoreError: the backup is damaged or newer than this program, or somebody uses the database. The database is
            as it was.
    """
    there, source = _url(url), _source(Path(path))
    if not overwrite and await _holds_something(there):
        raise Refused(
            Words(f"The database {there.database} is not empty.", f"La base de datos {there.database} no está vacía."),
            Words("Say that it may be overwritten (--overwrite).", "Diga que se puede reemplazar (--overwrite)."),
        )
    fresh = there.set(database=f"{there.database}_restoring")
    await _drop(fresh)
    await _client("createdb", fresh, _MAINTENANCE, "--template=template0", str(fresh.database), connect=False)
    try:
        await _client("pg_restore", fresh, "--exit-on-error", "--no-owner", "--no-privileges", str(source))
        version = await _bring_up(fresh)
        await _take_place(there, fresh)
    finally:
        await _drop(fresh)
    return version


@contextmanager
def _part_of(path: Path, *, overwrite: bool) -> Iterator[tuple[Path, Path]]:
    """A file beside the wanted one, to be moved into its place when it is whole."""
    target = path.expanduser().absolute()
    if target.exists() and not overwrite:
        raise Refused(
            Words(f"{target} exists already.", f"{target} ya existe."),
            Words(
                "Name another file, or say that it may be overwritten (--overwrite).",
                "Nombre otro archivo, o diga que se puede reemplazar (--overwrite).",
            ),
        )
    try:
        handle, name = tempfile.mkstemp(dir=target.parent, prefix=target.name, suffix=".part")
    except OSError as error:
        why = reason(error)
        raise StoreError(
            Words(f"{target.parent} cannot be written: {why}.", f"No se puede escribir en {target.parent}: {why.es}."),
            Words("Choose another folder.", "Elija otra carpeta."),
        ) from None
    os.close(handle)
    try:
        yield Path(name), target
    finally:
        Path(name).unlink(missing_ok=True)


def _source(path: Path) -> Path:
    source = path.expanduser().absolute()
    if not source.is_file():
        raise Refused(Words(f"{source} does not exist.", f"{source} no existe."), _NAME_ONE)
    return source


async def _take_place(there: URL, fresh: URL) -> None:
    old = there.set(database=f"{there.database}_before_restore")
    await _drop(old)
    known = await _exists(there)
    if known:
        try:
            await _rename(there, old)
        except StoreError as error:
            raise StoreError(
                Words(f"The database is in use: {error.message}", f"La base de datos está en uso: {error.message}"),
                Words("Stop Cadencia first.", "Detenga primero Cadencia."),
            ) from None
    await _rename(fresh, there)
    if known:
        await _drop(old)


async def _rename(old: URL, new: URL) -> None:
    variables = ("-v", f"old={old.database}", "-v", f"new={new.database}", "-v", "ON_ERROR_STOP=1")
    await _client("psql", old.set(database="postgres"), "-X", "-q", *variables, told=_RENAME)


async def _drop(database: URL) -> None:
    await _client("dropdb", database, "--if-exists", _MAINTENANCE, str(database.database), connect=False)


async def _exists(there: URL) -> bool:
    engine = create_async_engine(there.set(database="postgres"))
    try:
        with telling():
            async with engine.connect() as connection:
                return (await connection.execute(_EXISTS, {"name": there.database})).first() is not None
    finally:
        await engine.dispose()


async def _holds_something(there: URL) -> bool:
    if not await _exists(there):
        return False
    engine = create_async_engine(there)
    try:
        with telling():
            async with engine.connect() as connection:
                return (await connection.execute(_TABLES)).first() is not None
    finally:
        await engine.dispose()


async def _bring_up(fresh: URL) -> str:
    """Migrate what was restored; the version it was of."""
    engine = create_async_engine(fresh, hide_parameters=True)
    try:
        with telling():
            async with engine.connect() as connection:
                version = await connection.run_sync(migrate.revision)
            if version is None:
                raise StoreError(
                    Words("This is not a backup of Cadencia.", "Este no es un respaldo de Cadencia."), _NAME_ONE
                )
            await migrate.upgrade_async(engine)
    finally:
        await engine.dispose()
    return version


async def _client(program: str, url: URL, *args: str, connect: bool = True, told: str = "") -> None:
    """Run a client program on a database. The password goes through the environment, which others cannot see."""
    host = url.host or url.query.get("host") or ""
    where = {
        "--host": host,
        "--port": url.port,
        "--username": url.username,
        "--dbname": url.database if connect else "",
    }
    given = [f"{name}={value}" for name, value in where.items() if value]
    env = {"PGPASSWORD": url.password} if url.password else {}
    command = [str(wheel() / "bin" / program), "--no-password", *given, *args]
    await asyncio.to_thread(call, command, env=env, told=told, timeout=_TIMEOUT_S)


def _url(url: str) -> URL:
    try:
        found = make_url(url)
    except ArgumentError:
        raise ConfigError(*UNREADABLE_URL) from None
    return found.set(drivername="postgresql+asyncpg")
