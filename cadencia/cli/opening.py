"""Opening the store that the settings name."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from cadencia.config import Settings, load
from cadencia.store.embedded import EmbeddedPostgres
from cadencia.store.postgres import PostgresStore


async def database_url(settings: Settings) -> str:
    """The address of the database: the one that is set, or our own server's, started if need be. Raises StoreError."""
    if settings.database.url is not None:
        return settings.database.url.get_secret_value()
    return await asyncio.to_thread(EmbeddedPostgres().start)


@asynccontextmanager
async def opened_store(config: Path | None) -> AsyncIterator[PostgresStore]:
    """The store of a configuration file, closed at the end."""
    settings = load(config)
    store = await PostgresStore.open(await database_url(settings), connections=settings.database.connections)
    try:
        yield store
    finally:
        await store.close()
