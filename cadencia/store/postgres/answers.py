"""What the abandonment report reads: a campaign's attempts with their instants."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from cadencia.domain.codes import Outcome
from cadencia.domain.dialing import Dialled
from cadencia.store.batch import ring_s
from cadencia.store.postgres.base import PostgresBase, verify_campaign

# A page of a campaign's dialled attempts with the first sign that the telephone rang. Walks attempts_campaign in order;
# of each, events_attempt. (strict: in lax mode JSON path takes the entries, which are lists themselves, apart.)
_ANSWERS = text(
    """
    SELECT a.id, a.leased_at, a.sending_at, a.answered_at, a.connected_at, a.ended_at, a.outcome, a.disposition,
           a.server, t.at, t.ms
    FROM attempts a
    LEFT JOIN LATERAL (
        SELECT e.body ->> 'at' AS at,
               jsonb_path_query_first(
                   e.body, 'strict $.entries[*] ? (@[1] == "phase" && @[2].phase == "ringing")[0]'
               ) AS ms
        FROM events e WHERE e.attempt_id = a.id AND e.kind = 'attempt.traced'
        ORDER BY e.seq DESC LIMIT 1
    ) t ON true
    WHERE a.campaign_id = :id AND a.leased_at >= :since AND a.leased_at < :until AND a.state <> 'leased'
      AND (a.leased_at, a.id) > (:after_at, :after_id)
    ORDER BY a.leased_at, a.id
    LIMIT :limit
    """
)


class PostgresAnswers(PostgresBase):
    """Attempts, page by page."""

    async def answers(
        self,
        campaign_id: str,
        since: datetime,
        until: datetime,
        after: tuple[datetime, str] | None = None,
        limit: int = 5000,
    ) -> tuple[Dialled, ...]:
        at, last = after or (since, "")  # no id is empty: nothing of `since` itself is left out
        asked = {
            "id": campaign_id,
            "since": since,
            "until": until,
            "after_at": at,
            "after_id": last,
            "limit": limit,
        }

        async def work(connection: AsyncConnection) -> tuple[Dialled, ...]:
            await verify_campaign(connection, campaign_id)
            return tuple(_answer(row) for row in await connection.execute(_ANSWERS, asked))

        return await self._snapshot(work)


def _answer(r: Any) -> Dialled:
    rung = (r.at, int(r.ms)) if r.at is not None and r.ms is not None else None
    return Dialled(
        r.id,
        r.leased_at,
        r.sending_at,
        r.answered_at,
        r.connected_at,
        r.ended_at,
        Outcome(r.outcome) if r.outcome else None,
        r.disposition,
        ring_s(rung, r.answered_at or r.ended_at),
        r.server,
    )
