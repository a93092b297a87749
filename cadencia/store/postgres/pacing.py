"""What pacing asks of the past: a campaign's answers by day, and what its controller learnt."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from cadencia.domain.codes import ABANDONED, DISPOSITIONS, NOT_DISPOSED
from cadencia.domain.dialing import DayCount, Prior
from cadencia.store.postgres.base import PostgresBase, verify_campaign

# A campaign's answers by day. Walks attempts_answered from the first day's start.
_DAYS = text(
    """
    SELECT width_bucket(answered_at, CAST(:starts AS timestamptz[])) AS day,
           count(*) FILTER (
               WHERE outcome IS DISTINCT FROM 'AMD'
                 AND (disposition IS NULL OR disposition <> ALL(CAST(:machines AS text[])))
           ) AS answers,
           count(*) FILTER (WHERE outcome = ANY(CAST(:abandoned AS text[]))) AS abandoned,
           count(*) FILTER (WHERE disposition = ANY(CAST(:machines AS text[]))) AS machines,
           count(*) FILTER (
               WHERE connected_at IS NOT NULL AND (outcome IS NULL OR outcome IN ('CON', 'ERR'))
                 AND (disposition IS NULL OR disposition = :none)
           ) AS unjudged
    FROM attempts
    WHERE campaign_id = :id AND answered_at >= :first
    GROUP BY 1
    """
)

# By primary key.
_SAVE = text(
    """
    INSERT INTO pacing_priors (campaign_id, contact_list, hour, body, saved_at)
    VALUES (:id, :list, :hour, CAST(CAST(:body AS text) AS jsonb), :at)
    ON CONFLICT (campaign_id, contact_list, hour) DO UPDATE SET body = excluded.body, saved_at = excluded.saved_at
    """
)

# At most 24 rows, by primary key.
_LOAD = text(
    """
    SELECT hour, body::text AS body, saved_at FROM pacing_priors
    WHERE campaign_id = :id AND contact_list = :list ORDER BY hour
    """
)

_MACHINES = [d.code for d in DISPOSITIONS.values() if d.machine]
_ABANDONED = [str(o) for o in sorted(ABANDONED)]


class PostgresPacing(PostgresBase):
    """Days and priors."""

    async def days(self, campaign_id: str, starts: Sequence[datetime]) -> tuple[DayCount, ...]:
        async def work(connection: AsyncConnection) -> dict[int, Any]:
            await verify_campaign(connection, campaign_id)
            asked = {
                "id": campaign_id,
                "first": starts[0],
                "starts": list(starts),
                "machines": _MACHINES,
                "abandoned": _ABANDONED,
                "none": NOT_DISPOSED,
            }
            return {r.day: r for r in await connection.execute(_DAYS, asked)}

        rows = await self._snapshot(work) if starts else {}
        return tuple(
            DayCount(start.date(), r.answers, r.abandoned, r.machines, r.unjudged)
            if (r := rows.get(n)) is not None
            else DayCount(start.date())
            for n, start in enumerate(starts, 1)
        )

    async def save_prior(self, prior: Prior) -> None:
        async def work(connection: AsyncConnection) -> None:
            await verify_campaign(connection, prior.campaign_id)
            row = {
                "id": prior.campaign_id,
                "list": prior.contact_list,
                "hour": prior.hour,
                "body": msgspec.json.encode(prior.body).decode(),
                "at": prior.saved_at,
            }
            await connection.execute(_SAVE, row)

        await self._transaction(work)

    async def load_priors(self, campaign_id: str, contact_list: str) -> tuple[Prior, ...]:
        async def work(connection: AsyncConnection) -> tuple[Prior, ...]:
            return tuple(
                Prior(campaign_id, contact_list, r.hour, msgspec.json.decode(r.body), r.saved_at)
                for r in await connection.execute(_LOAD, {"id": campaign_id, "list": contact_list})
            )

        return await self._transaction(work)
