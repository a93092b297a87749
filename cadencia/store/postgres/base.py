"""What the parts of the PostgreSQL adapter share: transactions, the fencing token, the log.

Statements are constants with a name, what they are for, and the index they stand on. Many rows travel in one statement
as arrays (`unnest`), so that a batch costs one round trip, whatever its size.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeVar

import msgspec
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from cadencia.domain.events import KINDS, Event
from cadencia.store.postgres.errors import again, telling
from cadencia.store.refusals import another_leads, lead_lost, no_campaign

T = TypeVar("T")

#: A transaction that met another one head-on is tried this often.
_TRIES = 4

# Is the database there?
_PING = text("SELECT 1")

# Become the one engine; held by the session. In memory, no index.
_TRY_LEAD = text("SELECT pg_try_advisory_lock(723801)")

# Who leads. One row.
_LEADER = text("SELECT holder FROM leadership WHERE id = 1")

# A new fencing token; waits for the writes of the old leader that are on their way. One row.
_NEW_TOKEN = text(
    "UPDATE leadership SET token = token + 1, holder = :holder, since = :now WHERE id = 1 RETURNING token"
)

# The newest token, and no newer one until this transaction ends. One row.
_TOKEN = text("SELECT token FROM leadership WHERE id = 1 FOR SHARE")

# Is there such a campaign? By primary key.
_CAMPAIGN = text("SELECT 1 FROM campaigns WHERE id = :id")

# Append to the log. The shared lock is taken before the first number is drawn: a reader who wants to know up to which
# number everything is committed takes it alone for an instant (see _LAST_SEQ). Always a transaction's last statement,
# so that nobody who holds it waits for a row.
_LOG = text(
    """
    WITH writing AS MATERIALIZED (SELECT pg_advisory_xact_lock_shared(723802))
    INSERT INTO events (kind, version, at, campaign_id, contact_id, attempt_id, agent_id, body)
    SELECT e.kind, e.version, e.at, e.campaign_id, e.contact_id, e.attempt_id, e.agent_id, e.body::jsonb
    FROM writing, unnest(
        CAST(:kinds AS text[]), CAST(:versions AS smallint[]), CAST(:ats AS timestamptz[]),
        CAST(:campaigns AS text[]), CAST(:contacts AS bigint[]), CAST(:attempts AS text[]),
        CAST(:agents AS text[]), CAST(:bodies AS text[])
    ) WITH ORDINALITY AS e(kind, version, at, campaign_id, contact_id, attempt_id, agent_id, body, ord)
    ORDER BY e.ord
    """
)

# Wait until every number drawn so far is committed or given up. In memory.
_ALL_WRITTEN = text("SELECT pg_advisory_xact_lock(723802)")

# The newest number. Walks the primary key's end.
_LAST_SEQ = text("SELECT coalesce(max(seq), 0) FROM events")

# A page of the log. By primary key, or by events_kind if kinds are named.
_EVENTS = text(
    """
    SELECT seq, kind, version, at, campaign_id, contact_id, attempt_id, agent_id, body::text AS body
    FROM events
    WHERE seq > :after AND seq <= :last AND (CAST(:any_kind AS boolean) OR kind = ANY(CAST(:kinds AS text[])))
    ORDER BY seq LIMIT :limit
    """
)

# What happened to one attempt. By events_attempt.
_OF_ATTEMPT = text(
    """
    SELECT seq, kind, version, at, campaign_id, contact_id, attempt_id, agent_id, body::text AS body
    FROM events WHERE attempt_id = :attempt_id ORDER BY seq
    """
)


@dataclass
class Log:
    """Events of one transaction, written together at its end."""

    rows: list[tuple[str, int, datetime, str | None, int | None, str | None, str | None, str]] = field(
        default_factory=list
    )

    def add(
        self,
        kind: str,
        at: datetime,
        *,
        campaign_id: str | None = None,
        contact_id: int | None = None,
        attempt_id: str | None = None,
        agent_id: str | None = None,
        body: dict[str, Any] | None = None,
        version: int | None = None,
    ) -> None:
        told = msgspec.json.encode(body).decode() if body else "{}"
        known = KINDS.get(kind, 1) if version is None else version
        self.rows.append((kind, known, at, campaign_id, contact_id, attempt_id, agent_id, told))

    async def write(self, connection: AsyncConnection) -> None:
        """Write what was added; the last statement of a transaction."""
        if not self.rows:
            return
        names = ("kinds", "versions", "ats", "campaigns", "contacts", "attempts", "agents", "bodies")
        columns = zip(*self.rows, strict=True)
        await connection.execute(_LOG, {n: list(c) for n, c in zip(names, columns, strict=True)})


class PostgresBase:
    """Engine, leadership and log."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine
        self._leading: AsyncConnection | None = None

    # -- life ---------------------------------------------------------------------------------------------------------
    async def ping(self) -> None:
        with telling():
            async with self._engine.connect() as connection:
                await connection.execute(_PING)

    async def close(self) -> None:
        await self._stop_leading()
        with telling():
            await self._engine.dispose()

    async def lead(self, holder: str, now: datetime) -> int:
        with telling():
            await self._take_lead()

        async def work(connection: AsyncConnection) -> int:
            token = int((await connection.execute(_NEW_TOKEN, {"holder": holder, "now": now})).scalar_one())
            log = Log()
            log.add("engine.led", now, body={"token": token, "holder": holder})
            await log.write(connection)
            return token

        return await self._transaction(work)

    async def _take_lead(self) -> None:
        """Hold the lock of the one engine, in a session of its own."""
        if self._leading is not None:
            try:
                await self._leading.execute(_PING)
            except Exception:  # the session is gone and the lock with it, whatever it died of
                await self._stop_leading()
            else:
                return
        connection = await self._engine.connect()
        try:
            await connection.execution_options(isolation_level="AUTOCOMMIT")
            got = (await connection.execute(_TRY_LEAD)).scalar_one()
            holder = "" if got else (await connection.execute(_LEADER)).scalar_one()
        except BaseException:
            await connection.close()
            raise
        if not got:
            await connection.close()
            raise another_leads(holder)
        self._leading = connection

    async def _stop_leading(self) -> None:
        """End the session that holds the lock; in the pool it would keep it."""
        leading, self._leading = self._leading, None
        if leading is not None:
            with suppress(Exception):
                await leading.invalidate()
            with suppress(Exception):
                await leading.close()

    # -- transactions -------------------------------------------------------------------------------------------------
    async def _transaction(self, work: Callable[[AsyncConnection], Awaitable[T]], *, token: int | None = None) -> T:
        """Run the work in one transaction; with a token, refuse if it is not the newest one."""
        tries = _TRIES
        while True:
            tries -= 1
            with telling():
                try:
                    async with self._engine.begin() as connection:
                        if token is not None:
                            await _check_token(connection, token)
                        return await work(connection)
                except Exception as error:
                    if tries <= 0 or not again(error):
                        raise

    async def _snapshot(self, work: Callable[[AsyncConnection], Awaitable[T]]) -> T:
        """Run reads that must fit together."""
        with telling():
            async with self._engine.connect() as connection:
                await connection.execution_options(isolation_level="REPEATABLE READ")
                return await work(connection)

    # -- the log ------------------------------------------------------------------------------------------------------
    async def append(self, events: Sequence[Event]) -> None:
        async def work(connection: AsyncConnection) -> None:
            log = Log()
            for e in events:
                log.add(
                    e.kind,
                    e.at,
                    campaign_id=e.campaign_id,
                    contact_id=e.contact_id,
                    attempt_id=e.attempt_id,
                    agent_id=e.agent_id,
                    body=e.body,
                    version=e.version,
                )
            await log.write(connection)

        await self._transaction(work)

    async def events(self, after: int = 0, limit: int = 1000, kinds: Collection[str] = ()) -> tuple[Event, ...]:
        last = await self._transaction(newest_number)
        if last <= after:
            return ()

        async def page(connection: AsyncConnection) -> tuple[Event, ...]:
            asked = {"after": after, "last": last, "any_kind": not kinds, "kinds": list(kinds), "limit": limit}
            return read_events(await connection.execute(_EVENTS, asked))

        return await self._transaction(page)

    async def attempt_events(self, attempt_id: str) -> tuple[Event, ...]:
        async def work(connection: AsyncConnection) -> tuple[Event, ...]:
            return read_events(await connection.execute(_OF_ATTEMPT, {"attempt_id": attempt_id}))

        return await self._transaction(work)


async def newest_number(connection: AsyncConnection) -> int:
    """The number up to which the log is committed and complete."""
    await connection.execute(_ALL_WRITTEN)
    return int((await connection.execute(_LAST_SEQ)).scalar_one())


def read_events(rows: Iterable[Any]) -> tuple[Event, ...]:
    """Rows of the log as events."""
    return tuple(
        Event(
            r.kind,
            r.at,
            r.campaign_id,
            r.contact_id,
            r.attempt_id,
            r.agent_id,
            msgspec.json.decode(r.body),
            r.version,
            r.seq,
        )
        for r in rows
    )


async def _check_token(connection: AsyncConnection, token: int) -> None:
    newest = (await connection.execute(_TOKEN)).scalar_one()
    if token != newest or token <= 0:
        raise lead_lost()


async def verify_campaign(connection: AsyncConnection, campaign_id: str) -> None:
    """Raise Refused if there is no such campaign."""
    if (await connection.execute(_CAMPAIGN, {"id": campaign_id})).first() is None:
        raise no_campaign(campaign_id)
