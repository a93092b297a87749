"""Opening the store that the settings name. SQLAlchemy is loaded only when that happens: it takes its time."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

from cadencia.config import Settings, load
from cadencia.errors import StoreError, Words, spoken
from cadencia.store.embedded import EmbeddedPostgres
from cadencia.store.port import Store

#: With less than one more piece of its log (16 MiB) left on the disk, PostgreSQL stops.
_LEAST_FREE = 17 * 2**20


async def database_url(settings: Settings) -> str:
    """The address of the database: the one that is set, or our own server's, started if need be. Raises StoreError."""
    if settings.database.url is not None:
        return settings.database.url.get_secret_value()
    return await asyncio.to_thread(EmbeddedPostgres().start)


async def open_store(settings: Settings) -> Store:
    """The store that the settings name. Raises ConfigError or StoreError, which name the database."""
    from cadencia.store.postgres import PostgresStore

    url = await database_url(settings)
    try:
        return await PostgresStore.open(url, connections=settings.database.connections)
    except StoreError as error:
        where = place(url) if settings.database.url is not None else ""
        if not where:
            raise
        told = Words(f"{where}: {error.message}", f"{where}: {spoken(error.message, 'es')}")
        raise StoreError(told, error.hint) from None


@asynccontextmanager
async def opened_store(config: Path | None) -> AsyncIterator[Store]:
    """The store of a configuration file, closed at the end."""
    settings = load(config)
    with disk_told(settings):
        store = await open_store(settings)
        try:
            yield store
        finally:
            await store.close()


@contextmanager
def disk_told(settings: Settings | None = None) -> Iterator[None]:
    """Name the full disk behind a trouble of our own server, which tells of it in many ways, or not at all."""
    try:
        yield
    except StoreError as error:
        folder = EmbeddedPostgres().folder
        if settings is not None and settings.database.url is not None:
            raise
        free = _free(folder)
        if free is None or free >= _LEAST_FREE:
            raise
        from cadencia.store.postgres.errors import DISK_FULL

        left = f"{free / 2**20:.0f} MB"
        en = f"The disk of the database's folder {folder} is full ({left} left). "
        es = f"El disco de la carpeta de la base de datos {folder} está lleno (quedan {left}). "
        raise StoreError(
            Words(
                (en + error.message.removeprefix(DISK_FULL)).rstrip(),
                (es + spoken(error.message, "es").removeprefix(DISK_FULL.es)).rstrip(),
            ),
            Words(
                "Make room there, or choose another folder with CADENCIA_DATA, and run the same again.",
                "Libere espacio allí, o elija otra carpeta con CADENCIA_DATA, y ejecute lo mismo de nuevo.",
            ),
        ) from None


def _free(folder: Path) -> int | None:
    there = next((p for p in (folder, *folder.parents) if p.exists()), None)
    try:
        return shutil.disk_usage(there).free if there is not None else None
    except OSError:
        return None


def place(url: str) -> str:
    """Server and database of an address, without user and password; empty if it cannot be read."""
    from sqlalchemy import make_url
    from sqlalchemy.exc import ArgumentError

    try:
        found = make_url(url)
    except (ArgumentError, ValueError):
        return ""
    port = f":{found.port}" if found.port else ""
    return f"{found.host or found.query.get('host') or ''}{port}/{found.database or ''}"
