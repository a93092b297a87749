"""What becomes of leases: sent, given back, marked, settled."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from cadencia.compliance.reach import reach_of
from cadencia.domain.dialing import Mark, Settlement
from cadencia.store.batch import DIALLABLE
from cadencia.store.postgres.base import Log, PostgresBase

# leased -> sending, for those that may still be dialled. By attempts_pkey, then primary keys.
_SEND = text(
    """
    WITH sent AS (
        UPDATE attempts a SET state = 'sending', sending_at = :now, server = :server
        FROM persons p, phones f, campaigns c
        WHERE a.id = ANY(CAST(:ids AS text[])) AND a.state = 'leased'
          AND p.id = a.person_id AND p.standing = a.standing
          AND f.id = a.phone_id AND f.status = ANY(CAST(:diallable AS text[]))
          AND c.id = a.campaign_id AND c.state = 'running'
        RETURNING a.id, a.campaign_id, a.contact_id, a.phone_id
    ), items AS (
        UPDATE list_items i
        SET state = 'out', denied_code = NULL,
            attempts = i.attempts + 1, last_phone_id = sent.phone_id, last_attempt_id = sent.id
        FROM sent WHERE i.id = sent.contact_id
    ), contacts AS (
        UPDATE touches t SET at = :now FROM sent WHERE t.id = sent.id
    )
    SELECT id, campaign_id, contact_id FROM sent
    """
)

# Which open attempts another standing of their person has overtaken. By attempts_pkey and persons_pkey.
_OVERTAKEN = text(
    """
    SELECT a.id FROM attempts a JOIN persons p ON p.id = a.person_id
    WHERE a.id = ANY(CAST(:ids AS text[])) AND a.state <> 'settled' AND p.standing <> a.standing
    """
)

# Undo leases: the row goes, the reserved contact too, the list item is due again. By attempts_pkey, then primary keys.
_GIVE_BACK = text(
    """
    WITH gone AS (
        DELETE FROM attempts WHERE id = ANY(CAST(:ids AS text[])) AND state = 'leased'
        RETURNING id, campaign_id, contact_id
    ), items AS (
        UPDATE list_items i SET state = 'due', denied_code = NULL, due_at = :due FROM gone WHERE i.id = gone.contact_id
    ), contacts AS (
        DELETE FROM touches t USING gone WHERE t.id = gone.id
    )
    SELECT id, campaign_id, contact_id FROM gone
    """
)

# Somebody or something answered. By attempts_pkey.
_ANSWERED = text(
    """
    UPDATE attempts a SET answered_at = m.at
    FROM unnest(CAST(:ids AS text[]), CAST(:ats AS timestamptz[])) AS m(id, at)
    WHERE a.id = m.id AND a.state = 'sending' AND a.answered_at IS NULL
    RETURNING a.id, a.campaign_id, a.contact_id, a.agent_id
    """
)

# An agent and the debtor hear each other. By attempts_pkey.
_CONNECTED = text(
    """
    UPDATE attempts a SET connected_at = m.at, agent_id = coalesce(m.agent_id, a.agent_id)
    FROM unnest(CAST(:ids AS text[]), CAST(:ats AS timestamptz[]), CAST(:agents AS text[])) AS m(id, at, agent_id)
    WHERE a.id = m.id AND a.state = 'sending' AND a.connected_at IS NULL
    RETURNING a.id, a.campaign_id, a.contact_id, a.agent_id
    """
)

# sending -> settled, once, with all that follows: the list item (what the agent chose while the call still went on
# comes first), the number that is dead. By attempts_pkey, then primary keys.
_SETTLE = text(
    """
    WITH told AS (
        SELECT * FROM unnest(
            CAST(:ids AS text[]), CAST(:outcomes AS text[]), CAST(:ends AS timestamptz[]), CAST(:charges AS boolean[]),
            CAST(:kills AS boolean[]), CAST(:awaits AS boolean[]), CAST(:dues AS timestamptz[]),
            CAST(:agents AS text[]), CAST(:answers AS timestamptz[]), CAST(:connects AS timestamptz[]),
            CAST(:causes AS integer[]), CAST(:techs AS integer[]), CAST(:talks AS double precision[])
        ) AS t(id, outcome, ended_at, charged, kill, await, due_at, agent_id, answered_at, connected_at,
               cause, tech_cause, talk_s)
    ), open AS (
        SELECT a.id, a.answered_at, a.connected_at FROM attempts a JOIN told ON told.id = a.id
        WHERE a.state = 'sending'
        FOR UPDATE OF a
    ), done AS (
        UPDATE attempts a
        SET state = 'settled', outcome = t.outcome, ended_at = t.ended_at, charged = t.charged, cause = t.cause,
            tech_cause = t.tech_cause, talk_s = t.talk_s, agent_id = coalesce(t.agent_id, a.agent_id),
            answered_at = coalesce(a.answered_at, t.answered_at),
            connected_at = coalesce(a.connected_at, t.connected_at)
        FROM told t JOIN open ON open.id = t.id
        WHERE a.id = t.id AND a.state = 'sending'
        RETURNING a.id, a.campaign_id, a.contact_id, a.person_id, a.phone_id, a.agent_id,
                  a.answered_at, a.connected_at, a.disposition, a.next_due_at, t.charged, t.kill, t.await, t.due_at,
                  open.answered_at IS NULL AS new_answer, open.connected_at IS NULL AS new_connect
    ), items AS (
        UPDATE list_items i
        SET state = CASE
                WHEN d.disposition IS NOT NULL THEN CASE WHEN d.next_due_at IS NULL THEN 'closed' ELSE 'due' END
                WHEN d.await THEN 'awaiting'
                WHEN d.due_at IS NULL THEN 'closed'
                ELSE 'due'
            END,
            due_at = coalesce(CASE WHEN d.disposition IS NOT NULL THEN d.next_due_at ELSE d.due_at END, i.due_at),
            attempts = CASE WHEN d.charged THEN i.attempts ELSE greatest(0, i.attempts - 1) END
        FROM done d WHERE i.id = d.contact_id
    ), dead AS (
        UPDATE phones f SET status = 'fuera_de_servicio'
        FROM done d WHERE d.kill AND f.id = d.phone_id AND f.status = ANY(CAST(:diallable AS text[]))
    )
    SELECT id, campaign_id, contact_id, agent_id, answered_at, connected_at, disposition, new_answer, new_connect
    FROM done
    """
)

# How far the contacts got; one that counts as none goes. By touches_pkey.
_REACHED = text(
    """
    WITH told AS (
        SELECT * FROM unnest(
            CAST(:ids AS text[]), CAST(:reaches AS smallint[]), CAST(:codes AS text[]), CAST(:charges AS boolean[])
        ) AS t(id, reach, code, charged)
    ), gone AS (
        DELETE FROM touches t USING told WHERE t.id = told.id AND NOT told.charged
    )
    UPDATE touches t SET reach = told.reach, code = told.code FROM told WHERE t.id = told.id AND told.charged
    """
)

_DIALLABLE = [str(s) for s in sorted(DIALLABLE)]


class PostgresAttempts(PostgresBase):
    """Sending, giving back, marking and settling."""

    async def mark_sending(
        self, attempt_ids: Sequence[str], token: int, now: datetime, server: str = ""
    ) -> frozenset[str]:
        async def work(connection: AsyncConnection) -> frozenset[str]:
            asked = {"ids": list(attempt_ids), "now": now, "diallable": _DIALLABLE, "server": server}
            sent = {r.id: r for r in await connection.execute(_SEND, asked)}
            await _tell("attempt.sending", now, _in_order(attempt_ids, sent), {"server": server}).write(connection)
            return frozenset(sent)

        return await self._transaction(work, token=token)

    async def overtaken(self, attempt_ids: Sequence[str]) -> frozenset[str]:
        async def work(connection: AsyncConnection) -> frozenset[str]:
            return frozenset((await connection.execute(_OVERTAKEN, {"ids": list(attempt_ids)})).scalars())

        return await self._transaction(work) if attempt_ids else frozenset()

    async def give_back(
        self, attempt_ids: Sequence[str], token: int, reason: str, now: datetime, due_at: datetime | None = None
    ) -> None:
        async def work(connection: AsyncConnection) -> None:
            rows = await connection.execute(_GIVE_BACK, {"ids": list(attempt_ids), "due": due_at or now})
            gone = {r.id: r for r in rows}
            await _tell("attempt.returned", now, _in_order(attempt_ids, gone), {"reason": reason}).write(connection)

        await self._transaction(work, token=token)

    async def mark(self, marks: Sequence[Mark]) -> None:
        first: dict[tuple[str, str], Mark] = {}
        for mark in marks:
            first.setdefault((mark.milestone, mark.attempt_id), mark)

        async def work(connection: AsyncConnection) -> None:
            written = {
                **await _mark(connection, "answered", [m for (kind, _), m in first.items() if kind == "answered"]),
                **await _mark(connection, "connected", [m for (kind, _), m in first.items() if kind == "connected"]),
            }
            log = Log()
            for key, mark in first.items():
                if key in written:
                    _add(log, f"attempt.{mark.milestone}", mark.at, written[key])
            await log.write(connection)

        if first:
            await self._transaction(work)

    async def settle(self, settlements: Sequence[Settlement], token: int) -> None:
        first: dict[str, Settlement] = {}
        for settlement in settlements:
            first.setdefault(settlement.attempt_id, settlement)

        async def work(connection: AsyncConnection) -> None:
            done = {r.id: r for r in await connection.execute(_SETTLE, _columns(list(first.values())))}
            ended = [(s, done[i]) for i, s in first.items() if i in done]
            if ended:
                await connection.execute(_REACHED, _reached(ended))
            log = Log()
            for settlement, row in ended:
                _tell_end(log, settlement, row)
            await log.write(connection)

        await self._transaction(work, token=token)


def _reached(ended: Sequence[tuple[Settlement, Any]]) -> dict[str, Any]:
    """How far each contact got, as the arrays of _REACHED."""
    return {
        "ids": [s.attempt_id for s, _ in ended],
        "reaches": [int(reach_of(s.outcome, r.disposition, r.answered_at, r.connected_at)) for s, r in ended],
        "codes": [r.disposition or str(s.outcome) for s, r in ended],
        "charges": [s.charged for s, _ in ended],
    }


def _columns(told: Sequence[Settlement]) -> dict[str, Any]:
    """The settlements as the arrays of _SETTLE."""
    return {
        "ids": [s.attempt_id for s in told],
        "outcomes": [str(s.outcome) for s in told],
        "ends": [s.ended_at for s in told],
        "charges": [s.charged for s in told],
        "kills": [s.kill_phone for s in told],
        "awaits": [s.next is None for s in told],
        "dues": [s.next.due_at if s.next else None for s in told],
        "agents": [s.agent_id for s in told],
        "answers": [s.answered_at for s in told],
        "connects": [s.connected_at for s in told],
        "causes": [s.cause for s in told],
        "techs": [s.tech_cause for s in told],
        "talks": [float(s.talk_s) for s in told],
        "diallable": _DIALLABLE,
    }


def _tell_end(log: Log, s: Settlement, row: Any) -> None:
    """The settlement, after the milestones that nobody marked while the call went on."""
    if s.answered_at is not None and row.new_answer:
        _add(log, "attempt.answered", s.answered_at, row)
    if s.connected_at is not None and row.new_connect:
        _add(log, "attempt.connected", s.connected_at, row)
    body = {
        "outcome": str(s.outcome),
        "charged": s.charged,
        "cause": s.cause,
        "tech_cause": s.tech_cause,
        "talk_s": s.talk_s,
    }
    _add(log, "attempt.settled", s.ended_at, row, body)


async def _mark(connection: AsyncConnection, milestone: str, marks: Sequence[Mark]) -> dict[tuple[str, str], Any]:
    if not marks:
        return {}
    asked: dict[str, Any] = {"ids": [m.attempt_id for m in marks], "ats": [m.at for m in marks]}
    if milestone == "answered":
        rows = await connection.execute(_ANSWERED, asked)
    else:
        rows = await connection.execute(_CONNECTED, {**asked, "agents": [m.agent_id for m in marks]})
    return {(milestone, r.id): r for r in rows}


def _in_order(ids: Iterable[str], rows: dict[str, Any]) -> list[Any]:
    return [rows[i] for i in dict.fromkeys(ids) if i in rows]


def _tell(kind: str, at: datetime, rows: Iterable[Any], body: dict[str, Any] | None = None) -> Log:
    log = Log()
    for row in rows:
        log.add(kind, at, campaign_id=row.campaign_id, contact_id=row.contact_id, attempt_id=row.id, body=body)
    return log


def _add(log: Log, kind: str, at: datetime, row: Any, body: dict[str, Any] | None = None) -> None:
    log.add(
        kind,
        at,
        campaign_id=row.campaign_id,
        contact_id=row.contact_id,
        attempt_id=row.id,
        agent_id=row.agent_id,
        body=body,
    )
