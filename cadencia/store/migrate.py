"""Bring a database to the program's version, or say clearly why not."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from cadencia.errors import StoreError, Words

# Two programs that start at once must not both migrate. Held until the transaction ends.
_ONE_AT_A_TIME = text("SELECT pg_advisory_xact_lock(723800)")


def upgrade(connection: Connection) -> None:
    """Run the missing migrations in the connection's transaction.

    Raises:
        StoreError: the database is newer than this program.
    """
    connection.execute(_ONE_AT_A_TIME)
    if _missing(revision(connection)):
        config = _config()
        config.attributes["connection"] = connection
        command.upgrade(config, "head")


async def upgrade_async(engine: AsyncEngine) -> None:
    """The same, through an asynchronous engine."""
    async with engine.begin() as connection:
        await connection.run_sync(upgrade)


async def check(connection: AsyncConnection) -> None:
    """Raise StoreError unless the database is of this program's version."""
    found = await connection.run_sync(revision)
    if _missing(found):
        raise StoreError(
            Words(
                f"The database is at migration {found or 'none'}, this program needs {newest()}.",
                f"La base de datos está en la migración {found or 'ninguna'}; este programa necesita {newest()}.",
            ),
            Words("Run: cadencia db upgrade", "Ejecute: cadencia db upgrade"),
        )


def revision(connection: Connection) -> str | None:
    """The database's migration, None if it is empty."""
    return MigrationContext.configure(connection).get_current_revision()


@lru_cache
def newest() -> str:
    """The program's newest migration."""
    return ScriptDirectory.from_config(_config()).get_current_head() or ""


def verify(found: str | None) -> None:
    """Raise StoreError if this program does not know the migration."""
    if found is not None and found not in _known():
        raise StoreError(
            Words(
                f"The database is at migration {found}, which this program (up to {newest()}) does not know.",
                f"La base de datos está en la migración {found}, que este programa (hasta {newest()}) no conoce.",
            ),
            Words(
                "Install the newer version of Cadencia that wrote it, or restore a backup into an empty database.",
                "Instale la versión más nueva de Cadencia que la escribió, o restaure un respaldo en una base vacía.",
            ),
        )


def _missing(found: str | None) -> bool:
    verify(found)
    return found != newest()


@lru_cache
def _known() -> frozenset[str]:
    return frozenset(s.revision for s in ScriptDirectory.from_config(_config()).walk_revisions())


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations").replace("%", "%%"))
    return config
