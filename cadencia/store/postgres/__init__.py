"""The store in PostgreSQL."""

from __future__ import annotations

from sqlalchemy.exc import ArgumentError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from cadencia.errors import ConfigError
from cadencia.store import migrate
from cadencia.store.postgres.access import PostgresAccess
from cadencia.store.postgres.answers import PostgresAnswers
from cadencia.store.postgres.attempts import PostgresAttempts
from cadencia.store.postgres.contacts import PostgresContacts
from cadencia.store.postgres.dossiers import PostgresDossiers
from cadencia.store.postgres.erasure import PostgresErasure
from cadencia.store.postgres.errors import UNREADABLE_URL, telling
from cadencia.store.postgres.evidence import PostgresEvidence
from cadencia.store.postgres.floor import PostgresFloor
from cadencia.store.postgres.leasing import PostgresLeasing
from cadencia.store.postgres.ledger import PostgresLedger
from cadencia.store.postgres.pacing import PostgresPacing
from cadencia.store.postgres.portfolio import PostgresPortfolio
from cadencia.store.postgres.profiles import PostgresProfiles
from cadencia.store.postgres.requests import PostgresRequests
from cadencia.store.postgres.talk import PostgresTalk

__all__ = ["PostgresStore"]


class PostgresStore(
    PostgresEvidence,
    PostgresErasure,
    PostgresLeasing,
    PostgresAnswers,
    PostgresAttempts,
    PostgresTalk,
    PostgresLedger,
    PostgresContacts,
    PostgresRequests,
    PostgresDossiers,
    PostgresFloor,
    PostgresPacing,
    PostgresPortfolio,
    PostgresProfiles,
    PostgresAccess,
):
    """A `Store` in PostgreSQL. Open it with `PostgresStore.open`; close it when done."""

    @classmethod
    async def open(cls, url: str, *, upgrade: bool = True, connections: int = 10) -> PostgresStore:
        """Connect, bring the database to this program's version, and return the store.

        Args:
            url: postgresql://user:password@host/database, or what `EmbeddedPostgres.start` returned.
            upgrade: False only looks, and refuses a database of an older version.
            connections: at most this many at a time.

        Raises:
            ConfigError: the address cannot be read.
            StoreError: the database cannot be reached, or is of a newer version.
        """
        engine = _engine(url, connections)
        try:
            with telling():
                if upgrade:
                    await migrate.upgrade_async(engine)
                else:
                    async with engine.connect() as connection:
                        await migrate.check(connection)
        except BaseException:
            await engine.dispose()
            raise
        return cls(engine)


def _engine(url: str, connections: int) -> AsyncEngine:
    for short in ("postgresql://", "postgres://"):
        if url.startswith(short):
            url = "postgresql+asyncpg://" + url[len(short) :]
    try:
        return create_async_engine(
            url,
            pool_size=connections,
            max_overflow=0,
            pool_timeout=10,
            hide_parameters=True,
            connect_args={"timeout": 10, "command_timeout": 60},
        )
    except (ArgumentError, ValueError) as error:
        raise ConfigError(*UNREADABLE_URL) from error
