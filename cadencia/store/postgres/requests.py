"""Requests of persons about their data."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from cadencia.domain.requests import DataRequest, RequestKind
from cadencia.store.postgres.base import Log, PostgresBase
from cadencia.store.refusals import no_person, no_request

# Is there such a person? By primary key.
_PERSON = text("SELECT id FROM persons WHERE id = :person")

# A new request. By primary key.
_OPEN = text(
    """
    INSERT INTO data_requests (person_id, kind, received_on, due, extended, opened_by, opened_at, outcome)
    VALUES (:person, :kind, :received_on, :due, false, :by, :now, '')
    RETURNING *
    """
)

# A longer term, told to the person; once, and while it is open. By primary key.
_EXTEND = text(
    """
    UPDATE data_requests SET due = :due, extended = true
    WHERE id = :id AND closed_at IS NULL AND NOT extended RETURNING *
    """
)

# Answered; once. By primary key.
_CLOSE = text(
    "UPDATE data_requests SET closed_at = :now, outcome = :outcome WHERE id = :id AND closed_at IS NULL RETURNING *"
)

# One request. By primary key.
_ONE = text("SELECT * FROM data_requests WHERE id = :id")

# Requests, the most urgent first; those that are open by data_requests_open.
_LIST = text(
    """
    SELECT * FROM data_requests WHERE CAST(:closed AS boolean) OR closed_at IS NULL
    ORDER BY closed_at IS NOT NULL, due, id
    """
)


class PostgresRequests(PostgresBase):
    """The requests of the port."""

    async def open_request(
        self, person_id: int, kind: RequestKind, received_on: date, due: date, by: str, now: datetime
    ) -> DataRequest:
        async def work(connection: AsyncConnection) -> DataRequest:
            if (await connection.execute(_PERSON, {"person": person_id})).first() is None:
                raise no_person(person_id)
            asked = {"person": person_id, "kind": str(kind), "received_on": received_on, "due": due}
            row = (await connection.execute(_OPEN, {**asked, "by": by, "now": now})).one()
            await _told(row, "opened", by, now).write(connection)
            return _request(row)

        return await self._transaction(work)

    async def extend_request(self, request_id: int, due: date, by: str, now: datetime) -> DataRequest:
        return await self._step(_EXTEND, {"id": request_id, "due": due}, "extended", by, now)

    async def close_request(self, request_id: int, outcome: str, by: str, now: datetime) -> DataRequest:
        return await self._step(_CLOSE, {"id": request_id, "outcome": outcome, "now": now}, "closed", by, now)

    async def _step(self, statement: Any, asked: dict[str, Any], step: str, by: str, now: datetime) -> DataRequest:
        async def work(connection: AsyncConnection) -> DataRequest:
            row = (await connection.execute(statement, asked)).first()
            if row is None:
                raise no_request(asked["id"])
            await _told(row, step, by, now).write(connection)
            return _request(row)

        return await self._transaction(work)

    async def data_request(self, request_id: int) -> DataRequest:
        async def work(connection: AsyncConnection) -> DataRequest:
            row = (await connection.execute(_ONE, {"id": request_id})).first()
            if row is None:
                raise no_request(request_id)
            return _request(row)

        return await self._transaction(work)

    async def data_requests(self, *, closed: bool = False) -> tuple[DataRequest, ...]:
        async def work(connection: AsyncConnection) -> tuple[DataRequest, ...]:
            return tuple(_request(r) for r in await connection.execute(_LIST, {"closed": closed}))

        return await self._transaction(work)


def _told(row: Any, step: str, by: str, now: datetime) -> Log:
    log = Log()
    body = {"person_id": row.person_id, "request": row.id, "kind": row.kind, "step": step, "due": row.due.isoformat()}
    log.add("person.request", now, body={**body, "by": by})
    return log


def _request(row: Any) -> DataRequest:
    return DataRequest(
        row.id,
        row.person_id,
        RequestKind(row.kind),
        row.received_on,
        row.due,
        row.extended,
        row.opened_by,
        row.closed_at,
        row.outcome,
    )
