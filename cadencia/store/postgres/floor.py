"""Campaigns, their numbers, and agents."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from cadencia.domain.agents import Agent, AgentChange, AgentSession, AgentState
from cadencia.domain.codes import ABANDONED, ANSWERED, DISPOSITIONS
from cadencia.domain.dialing import Campaign, CampaignCounts, CampaignSettings, CampaignState
from cadencia.store.batch import NEVER, changes
from cadencia.store.postgres.base import Log, PostgresBase, verify_campaign
from cadencia.store.refusals import campaign_taken, no_agent, no_campaign

# All campaigns; a handful, read whole.
_CAMPAIGNS = text(
    'SELECT id, name, state, settings::text AS settings, created_at FROM campaigns ORDER BY id COLLATE "C"'
)

# A new campaign; none if the id is taken. By primary key.
_CREATE = text(
    """
    INSERT INTO campaigns (id, name, state, settings, created_at)
    VALUES (:id, :name, :state, CAST(CAST(:settings AS text) AS jsonb), :created_at)
    ON CONFLICT (id) DO NOTHING RETURNING id
    """
)

# A campaign's settings, locked so that the log tells of every change from what to what. By primary key.
_SETTINGS = text("SELECT settings::text FROM campaigns WHERE id = :id FOR UPDATE")

# By primary key.
_SET_SETTINGS = text("UPDATE campaigns SET settings = CAST(CAST(:settings AS text) AS jsonb) WHERE id = :id")

# By primary key.
_SET_STATE = text("UPDATE campaigns SET state = :state WHERE id = :id RETURNING id")

# A campaign's attempts since an instant, by outcome. Walks attempts_campaign.
_ATTEMPTS = text(
    """
    SELECT outcome,
           count(*) FILTER (WHERE sending_at IS NOT NULL) AS attempts,
           count(*) FILTER (
               WHERE (answered_at IS NOT NULL OR outcome = ANY(CAST(:answered AS text[])))
                 AND outcome IS DISTINCT FROM 'AMD'
                 AND (disposition IS NULL OR disposition <> ALL(CAST(:machines AS text[])))
           ) AS live,
           count(*) FILTER (
               WHERE outcome IN ('CON', 'ERR') OR (state <> 'settled' AND connected_at IS NOT NULL)
           ) AS connected,
           count(*) FILTER (WHERE state = 'sending') AS sending
    FROM attempts
    WHERE campaign_id = :id AND leased_at >= :since
    GROUP BY outcome
    """
)

# List items that were dialled since an instant. Walks attempts_campaign.
_TOUCHED = text(
    """
    SELECT count(DISTINCT contact_id) FROM attempts
    WHERE campaign_id = :id AND leased_at >= :since AND sending_at IS NOT NULL
    """
)

# How much of the list is done. Both counts are read from indexes alone: list_items_campaign_id_person_id_key and
# list_items_closed.
_ITEMS = text(
    """
    SELECT (SELECT count(*) FROM list_items WHERE campaign_id = :id) AS contacts,
           (SELECT count(*) FROM list_items WHERE campaign_id = :id AND state IN ('closed', 'denied')) AS closed
    """
)

# Denials since an instant, by code. Walks events_denied.
_DENIED = text(
    """
    SELECT body->>'code' AS code, count(*) AS n FROM events
    WHERE kind = 'contact.denied' AND campaign_id = :id AND at >= :since
    GROUP BY 1
    """
)

# By primary key.
_SAVE_AGENT = text(
    """
    INSERT INTO agents (id, name, endpoint, skills, state, since, reason)
    VALUES (:id, :name, :endpoint, CAST(:skills AS text[]), 'out', :since, '')
    ON CONFLICT (id) DO UPDATE
    SET name = excluded.name, endpoint = excluded.endpoint, skills = excluded.skills
    """
)

# All agents; hundreds, read whole.
_AGENTS = text(
    """
    SELECT id, name, endpoint, skills, state, since, reason, attempt_id FROM agents ORDER BY id COLLATE "C"
    """
)

# The last state of each agent named; returns who exists. By primary key.
_SET_AGENTS = text(
    """
    UPDATE agents a SET state = c.state, since = c.at, reason = c.reason, attempt_id = c.attempt_id
    FROM unnest(
        CAST(:ids AS text[]), CAST(:states AS text[]), CAST(:ats AS timestamptz[]),
        CAST(:reasons AS text[]), CAST(:attempts AS text[])
    ) AS c(id, state, at, reason, attempt_id)
    WHERE a.id = c.id
    RETURNING a.id
    """
)

_ANSWERED = [str(o) for o in sorted(ANSWERED)]
_MACHINES = [d.code for d in DISPOSITIONS.values() if d.machine]


class PostgresFloor(PostgresBase):
    """The campaign and agent parts of the port."""

    # -- campaigns ----------------------------------------------------------------------------------------------------
    async def campaigns(self) -> tuple[Campaign, ...]:
        async def work(connection: AsyncConnection) -> tuple[Campaign, ...]:
            return tuple(
                Campaign(r.id, r.name, CampaignState(r.state), _settings(r.settings), r.created_at)
                for r in await connection.execute(_CAMPAIGNS)
            )

        return await self._transaction(work)

    async def create_campaign(self, campaign: Campaign, by: str) -> None:
        async def work(connection: AsyncConnection) -> None:
            row = {
                "id": campaign.id,
                "name": campaign.name,
                "state": str(campaign.state),
                "settings": _json(campaign.settings),
                "created_at": campaign.created_at,
            }
            if (await connection.execute(_CREATE, row)).first() is None:
                raise campaign_taken(campaign.id)
            log = Log()
            body = {"state": str(campaign.state), "by": by, "reason": "created"}
            log.add("campaign.state", campaign.created_at, campaign_id=campaign.id, body=body)
            await log.write(connection)

        await self._transaction(work)

    async def set_campaign(
        self, campaign_id: str, settings: CampaignSettings, by: str, reason: str, now: datetime
    ) -> None:
        async def work(connection: AsyncConnection) -> None:
            row = (await connection.execute(_SETTINGS, {"id": campaign_id})).scalar_one_or_none()
            if row is None:
                raise no_campaign(campaign_id)
            await connection.execute(_SET_SETTINGS, {"id": campaign_id, "settings": _json(settings)})
            log = Log()
            body = {"by": by, "reason": reason, "changes": changes(_settings(row), settings)}
            log.add("campaign.setting", now, campaign_id=campaign_id, body=body)
            await log.write(connection)

        await self._transaction(work)

    async def set_campaign_state(
        self, campaign_id: str, state: CampaignState, by: str, reason: str, now: datetime
    ) -> None:
        async def work(connection: AsyncConnection) -> None:
            if (await connection.execute(_SET_STATE, {"id": campaign_id, "state": str(state)})).first() is None:
                raise no_campaign(campaign_id)
            log = Log()
            body = {"state": str(state), "by": by, "reason": reason}
            log.add("campaign.state", now, campaign_id=campaign_id, body=body)
            await log.write(connection)

        await self._transaction(work)

    async def counts(self, campaign_id: str, since: datetime | None = None) -> CampaignCounts:
        return await self._snapshot(lambda connection: _counts(connection, campaign_id, since or NEVER))

    # -- agents -------------------------------------------------------------------------------------------------------
    async def save_agent(self, agent: Agent) -> None:
        async def work(connection: AsyncConnection) -> None:
            row = {
                "id": agent.id,
                "name": agent.name,
                "endpoint": agent.endpoint,
                "skills": sorted(agent.skills),
                "since": NEVER,
            }
            await connection.execute(_SAVE_AGENT, row)

        await self._transaction(work)

    async def agent_sessions(self) -> tuple[AgentSession, ...]:
        async def work(connection: AsyncConnection) -> tuple[AgentSession, ...]:
            return tuple(
                AgentSession(
                    Agent(r.id, r.name, r.endpoint, frozenset(r.skills)),
                    AgentState(r.state),
                    r.since,
                    r.reason,
                    r.attempt_id,
                )
                for r in await connection.execute(_AGENTS)
            )

        return await self._transaction(work)

    async def save_agent_changes(self, changes: Sequence[AgentChange]) -> None:
        last = {c.agent_id: c for c in changes}

        async def work(connection: AsyncConnection) -> None:
            rows = {
                "ids": list(last),
                "states": [str(c.state) for c in last.values()],
                "ats": [c.at for c in last.values()],
                "reasons": [c.reason for c in last.values()],
                "attempts": [c.attempt_id for c in last.values()],
            }
            known = set((await connection.execute(_SET_AGENTS, rows)).scalars())
            for agent_id in last:
                if agent_id not in known:
                    raise no_agent(agent_id)
            log = Log()
            for c in changes:
                body = {"state": str(c.state), "reason": c.reason}
                log.add("agent.state", c.at, attempt_id=c.attempt_id, agent_id=c.agent_id, body=body)
            await log.write(connection)

        if last:
            await self._transaction(work)


async def _counts(connection: AsyncConnection, campaign_id: str, since: datetime) -> CampaignCounts:
    asked: dict[str, Any] = {"id": campaign_id, "since": since}
    await verify_campaign(connection, campaign_id)
    items = (await connection.execute(_ITEMS, {"id": campaign_id})).one()
    rows = (await connection.execute(_ATTEMPTS, {**asked, "answered": _ANSWERED, "machines": _MACHINES})).all()
    touched = (await connection.execute(_TOUCHED, asked)).scalar_one()
    denied = {r.code: r.n for r in await connection.execute(_DENIED, asked)}
    total: Counter[str] = Counter()
    for r in rows:
        total.update(attempts=r.attempts, live=r.live, connected=r.connected, sending=r.sending)
    outcomes = {r.outcome: r.attempts for r in rows if r.outcome is not None}
    return CampaignCounts(
        attempts=total["attempts"],
        answered_live=total["live"],
        connected=total["connected"],
        abandoned=sum(outcomes.get(str(o), 0) for o in ABANDONED),
        contacts=items.contacts,
        contacts_touched=touched,
        contacts_closed=items.closed,
        outcomes=dict(sorted(outcomes.items())),
        denied=dict(sorted(denied.items())),
        unaccounted=total["sending"],
    )


def _json(settings: CampaignSettings) -> str:
    return msgspec.json.encode(settings).decode()


def _settings(stored: str) -> CampaignSettings:
    """Settings of an older or newer program: what is missing takes its default, what is unknown is left out."""
    return msgspec.json.decode(stored, type=CampaignSettings)
