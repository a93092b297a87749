"""What agents decide, and what a stopped engine left open."""

from __future__ import annotations

from datetime import date
from typing import Any

from sqlalchemy import TextClause, text
from sqlalchemy.ext.asyncio import AsyncConnection

from cadencia.compliance.reach import reach_of
from cadencia.domain.codes import Outcome
from cadencia.domain.dialing import AttemptState, Disposed, OpenAttempt
from cadencia.errors import StoreError, Words
from cadencia.store.batch import DIALLABLE, after_disposition
from cadencia.store.postgres.base import Log, PostgresBase
from cadencia.store.postgres.files import files_of
from cadencia.store.postgres.ledger import write_changes
from cadencia.store.refusals import no_attempt, of_another_agent, reached_no_agent

# The attempt that is disposed of, locked against its settlement. By primary key.
_ATTEMPT = text(
    """
    SELECT id, campaign_id, contact_id, person_id, phone_id, state, agent_id, outcome, answered_at, connected_at
    FROM attempts WHERE id = :id FOR UPDATE
    """
)

# Write what the agent chose. By primary key.
_DISPOSE = text(
    """
    UPDATE attempts SET disposition = :code, note = :note, next_due_at = :due_at, agent_id = :agent_id
    WHERE id = :id
    """
)

# Keep the promise of the newest disposition. By primary key.
_PROMISE = text(
    """
    INSERT INTO promises (attempt_id, person_id, agent_id, amount_minor, currency, due, made_at)
    VALUES (:id, :person_id, :agent_id, :minor, :currency, :due, :at)
    ON CONFLICT (attempt_id) DO UPDATE
    SET amount_minor = excluded.amount_minor, currency = excluded.currency, due = excluded.due,
        made_at = excluded.made_at
    """
)

# The newest disposition holds no promise. By primary key.
_NO_PROMISE = text("DELETE FROM promises WHERE attempt_id = :id")

# The number is not the person's. By primary key.
_WRONG = text("UPDATE phones SET status = 'equivocado' WHERE id = :id AND status = ANY(CAST(:diallable AS text[]))")

# How far the contact got, now that somebody says who was on the line. By touches_pkey.
_REACHED = text("UPDATE touches SET reach = :reach, code = :code WHERE id = :id")

# The disposition decides over the list item, unless a newer attempt on it has begun. By primary key, attempts_open.
_FOLLOW = text(
    """
    UPDATE list_items
    SET state = CASE WHEN CAST(:due_at AS timestamptz) IS NULL THEN 'closed' ELSE 'due' END,
        due_at = coalesce(CAST(:due_at AS timestamptz), due_at)
    WHERE id = :contact_id AND last_attempt_id = :id AND state <> 'out'
      AND (SELECT a.contact_id FROM attempts a WHERE a.person_id = list_items.person_id AND a.state <> 'settled')
          IS DISTINCT FROM list_items.id
    """
)

# What is open. Walks attempts_open, which holds nothing else.
_OPEN = text(
    """
    SELECT a.* FROM attempts a
    WHERE a.state <> 'settled'
    ORDER BY a.leased_at, a.id
    """
)

# What waits for its agent. Walks list_items_awaiting, which holds nothing else.
_AWAITING = text(
    """
    SELECT a.* FROM list_items i JOIN attempts a ON a.id = i.last_attempt_id
    WHERE i.state = 'awaiting'
    ORDER BY a.leased_at, a.id
    """
)

_DIALLABLE = [str(s) for s in sorted(DIALLABLE)]


class PostgresTalk(PostgresBase):
    """Dispositions and recovery."""

    async def dispose(self, disposed: Disposed) -> None:
        await self._transaction(lambda connection: _dispose(connection, disposed))

    async def open_attempts(self) -> tuple[OpenAttempt, ...]:
        return await self._snapshot(lambda connection: _read(connection, _OPEN))

    async def awaiting_disposition(self) -> tuple[OpenAttempt, ...]:
        return await self._snapshot(lambda connection: _read(connection, _AWAITING))


async def _dispose(connection: AsyncConnection, d: Disposed) -> None:
    attempt = _may_dispose((await connection.execute(_ATTEMPT, {"id": d.attempt_id})).first(), d)
    asked = {
        "id": d.attempt_id,
        "code": d.code,
        "note": d.note,
        "due_at": d.next.due_at,
        "agent_id": d.agent_id,
        "person_id": attempt.person_id,
        "contact_id": attempt.contact_id,
    }
    await connection.execute(_DISPOSE, asked)
    await _keep_promise(connection, d, asked)
    if d.kill_phone:
        await connection.execute(_WRONG, {"id": attempt.phone_id, "diallable": _DIALLABLE})
    outcome = Outcome(attempt.outcome) if attempt.outcome else None
    reach = reach_of(outcome, d.code, attempt.answered_at, attempt.connected_at)
    await connection.execute(_REACHED, {"id": d.attempt_id, "reach": int(reach), "code": d.code})
    await connection.execute(_FOLLOW, asked)
    log = Log()
    await write_changes(connection, log, after_disposition(d, attempt.person_id), d.agent_id, d.at)
    log.add(
        "attempt.disposed",
        d.at,
        campaign_id=attempt.campaign_id,
        contact_id=attempt.contact_id,
        attempt_id=d.attempt_id,
        agent_id=d.agent_id,
        body={
            "code": d.code,
            "promise_minor": d.promise.amount.minor if d.promise else None,
            "currency": d.promise.amount.currency if d.promise else None,
            "promise_due": d.promise.due if d.promise else None,
        },
    )
    await log.write(connection)


def _may_dispose(attempt: Any, d: Disposed) -> Any:
    """Of an attempt that no agent had, only one that is still going on may be disposed of."""
    if attempt is None or attempt.state == AttemptState.LEASED:
        raise no_attempt()
    if attempt.agent_id is None and attempt.state == AttemptState.SETTLED:
        raise reached_no_agent()
    if attempt.agent_id not in (None, d.agent_id):
        raise of_another_agent()
    return attempt


async def _keep_promise(connection: AsyncConnection, d: Disposed, asked: dict[str, Any]) -> None:
    if d.promise is None:
        await connection.execute(_NO_PROMISE, asked)
        return
    promise = {
        "minor": d.promise.amount.minor,
        "currency": d.promise.amount.currency,
        "due": date.fromisoformat(d.promise.due),
        "at": d.at,
    }
    await connection.execute(_PROMISE, {**asked, **promise})


async def _read(connection: AsyncConnection, statement: TextClause) -> tuple[OpenAttempt, ...]:
    rows = (await connection.execute(statement)).all()
    files = await files_of(connection, [r.person_id for r in rows])
    return tuple(_open(r, files[r.person_id]) for r in rows)


def _open(r: Any, file: Any) -> OpenAttempt:
    phone = next((p for p in file.phones if p.id == r.phone_id), None)
    if phone is None:
        raise StoreError(
            Words(
                "An attempt's phone is missing from its person's file.",
                "El teléfono de un intento falta en los datos de su persona.",
            ),
            Words("Restore the newest backup.", "Restaure el respaldo más reciente."),
        )
    return OpenAttempt(
        attempt_id=r.id,
        campaign_id=r.campaign_id,
        contact_id=r.contact_id,
        person_id=r.person_id,
        state=AttemptState(r.state),
        phone=phone,
        agent_id=r.agent_id,
        answered_at=r.answered_at,
        connected_at=r.connected_at,
        leased_at=r.leased_at,
        attempts=r.prior,
        file=file,
        server=r.server,
    )
