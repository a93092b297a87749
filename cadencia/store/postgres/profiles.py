"""Versions of legal profiles, and what the gate was asked on a past day."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import text as sql
from sqlalchemy.ext.asyncio import AsyncConnection

from cadencia.domain.law import LookBack
from cadencia.domain.profiles import PROGRAM, Asked, ProfileState, ProfileText, ProfileVersion
from cadencia.store.asof import Recorded, as_of
from cadencia.store.postgres.base import Log, PostgresBase, verify_campaign
from cadencia.store.postgres.files import obligations_of, phones_of
from cadencia.store.postgres.ledger import facts_from
from cadencia.store.postgres.standing import Standing
from cadencia.store.refusals import (
    no_profile_version,
    no_reason,
    profile_decided,
    profile_not_newer,
    profile_overtaken,
    profile_own_proposal,
)

# Changes of the rules come one after the other: they are few. In memory, until the transaction ends.
_ONE_AT_A_TIME = sql("SELECT pg_advisory_xact_lock(723803)")

# The newest version of each profile. A handful of rows.
_NEWEST = sql("SELECT id, max(version) AS version FROM legal_profiles GROUP BY id")

# By primary key.
_VERSION = sql("SELECT * FROM legal_profiles WHERE id = :id AND version = :version")

# A profile's versions, or all; the newest first. By primary key, or the whole small table.
_VERSIONS = sql("SELECT * FROM legal_profiles WHERE CAST(:id AS text) = '' OR id = :id ORDER BY id, version DESC")

# By legal_profiles_active.
_IN_FORCE = sql("SELECT * FROM legal_profiles WHERE state = 'active' ORDER BY id")

# Write a version down.
_ADD = sql(
    """
    INSERT INTO legal_profiles
        (id, version, sha256, source, state, proposed_by, proposed_at, reason, decided_by, decided_at)
    VALUES (:id, :version, :sha256, :source, :state, :by, :now, :reason, :decided_by, CAST(:decided_at AS timestamptz))
    RETURNING *
    """
)

# The version in force makes room. By legal_profiles_active.
_RETIRE = sql("UPDATE legal_profiles SET state = 'retired' WHERE id = :id AND state = 'active' RETURNING *")

# By primary key.
_DECIDE = sql(
    """
    UPDATE legal_profiles SET state = :state, decided_by = :by, decided_at = :now, decision = :reason
    WHERE id = :id AND version = :version RETURNING *
    """
)

# What the gate put off or closed under the rules before is due. Reads all of list_items: the rules change seldom.
_ASK_AGAIN = sql(
    """
    UPDATE list_items SET state = 'due', due_at = CASE WHEN state = 'due' THEN least(due_at, :now) ELSE :now END
    WHERE denied_code IS NOT NULL AND (state = 'denied' OR state = 'due' AND due_at > :now)
    """
)

# How often the gate was asked. Walks attempts_campaign and events_denied.
_COUNT = sql(
    """
    SELECT (
        SELECT count(*) FROM attempts WHERE campaign_id = :campaign AND leased_at >= :start AND leased_at < :end
    ) + (
        SELECT count(*) FROM events
        WHERE kind = 'contact.denied' AND campaign_id = :campaign AND at >= :start AND at < :end
          AND contact_id IS NOT NULL AND body -> 'again' IS NULL
    )
    """
)

# A page of what the gate was asked, with the list items. Walks attempts_campaign and events_denied from the page's
# start, and stops after :limit in each.
_ASKED = sql(
    """
    SELECT q.at, q.allowed, i.id, i.campaign_id, i.attempts, i.last_phone_id, i.denied_code, i.person_id
    FROM (
        (
            SELECT leased_at AS at, contact_id, true AS allowed FROM attempts
            WHERE campaign_id = :campaign AND leased_at >= :start AND leased_at < :end
              AND (leased_at, contact_id) > (CAST(:at AS timestamptz), CAST(:contact AS bigint))
            ORDER BY leased_at, contact_id LIMIT :limit
        )
        UNION ALL
        (
            SELECT at, contact_id, false FROM events
            WHERE kind = 'contact.denied' AND campaign_id = :campaign AND at >= :start AND at < :end
              AND contact_id IS NOT NULL AND body -> 'again' IS NULL
              AND (at, contact_id) > (CAST(:at AS timestamptz), CAST(:contact AS bigint))
            ORDER BY at, contact_id LIMIT :limit
        )
    ) AS q JOIN list_items i ON i.id = q.contact_id
    ORDER BY q.at, q.contact_id LIMIT :limit
    """
)

# By primary key.
_PERSONS = sql(
    """
    SELECT id, timezone, other_zones, contract_signed_at, standing
    FROM persons WHERE id = ANY(CAST(:ids AS bigint[]))
    """
)

# When lines of the ledgers were written down; what a file of debtors says counts from its own date. By consents_person,
# preferences_person, and parts_pkey with the key of payments.
_RECORDED = sql(
    """
    SELECT 'consent' AS kind, id, recorded_at, NULL::timestamptz AS paid_at
    FROM consents WHERE person_id = ANY(CAST(:ids AS bigint[])) AND how <> 'import'
    UNION ALL
    SELECT 'preference', id, recorded_at, NULL FROM preferences WHERE person_id = ANY(CAST(:ids AS bigint[]))
    UNION ALL
    SELECT 'payment', p.person_id, y.recorded_at, y.paid_at
    FROM parts p JOIN payments y ON y.obligation_id = p.obligation_id
    WHERE p.person_id = ANY(CAST(:ids AS bigint[])) AND p.role <> 'referencia'
    """
)


class PostgresProfiles(PostgresBase):
    """The part of the port about legal profiles."""

    async def adopt_profiles(self, texts: Sequence[ProfileText], now: datetime) -> int:
        async def work(connection: AsyncConnection) -> int:
            await connection.execute(_ONE_AT_A_TIME)
            newest = {r.id: r.version for r in await connection.execute(_NEWEST)}
            first, log = not newest, Log()
            new = [t for t in sorted(texts, key=lambda t: t.id) if t.version > newest.get(t.id, 0)]
            state = ProfileState.ACTIVE if first else ProfileState.PROPOSED
            for text in new:
                await _add(connection, text, state, PROGRAM, "", now)
                _tell(log, text, "shipped" if first else "proposed", PROGRAM, now)
            await log.write(connection)
            return len(new)

        return await self._transaction(work)

    async def propose_profile(self, text: ProfileText, by: str, reason: str, now: datetime) -> ProfileVersion:
        async def work(connection: AsyncConnection) -> ProfileVersion:
            await connection.execute(_ONE_AT_A_TIME)
            newest = {r.id: r.version for r in await connection.execute(_NEWEST)}.get(text.id, 0)
            if text.version <= newest:
                raise profile_not_newer(text.id, text.version, newest)
            if not reason.strip():
                raise no_reason()
            proposed = await _add(connection, text, ProfileState.PROPOSED, by, reason.strip(), now)
            log = Log()
            _tell(log, text, "proposed", by, now)
            await log.write(connection)
            return proposed

        return await self._transaction(work)

    async def decide_profile(
        self, profile_id: str, version: int, *, approve: bool, by: str, reason: str, now: datetime
    ) -> ProfileVersion:
        async def work(connection: AsyncConnection) -> ProfileVersion:
            await connection.execute(_ONE_AT_A_TIME)
            row = (await connection.execute(_VERSION, {"id": profile_id, "version": version})).first()
            if row is None:
                raise no_profile_version(profile_id, version)
            found, log = _version(row), Log()
            if found.state is not ProfileState.PROPOSED:
                raise profile_decided(profile_id, version)
            if approve:
                if found.proposed_by == by:
                    raise profile_own_proposal()
                await _retire(connection, log, found.text, by, now)
            asked = {
                "id": profile_id,
                "version": version,
                "state": str(ProfileState.ACTIVE if approve else ProfileState.REJECTED),
                "by": by,
                "reason": reason.strip(),
                "now": now,
            }
            decided = _version((await connection.execute(_DECIDE, asked)).one())
            if approve:
                await connection.execute(_ASK_AGAIN, {"now": now})
            _tell(log, found.text, "approved" if approve else "rejected", by, now)
            await log.write(connection)
            return decided

        return await self._transaction(work)

    async def profiles_in_force(self) -> tuple[ProfileVersion, ...]:
        async def work(connection: AsyncConnection) -> tuple[ProfileVersion, ...]:
            return tuple(map(_version, await connection.execute(_IN_FORCE)))

        return await self._transaction(work)

    async def profile_versions(self, profile_id: str = "") -> tuple[ProfileVersion, ...]:
        async def work(connection: AsyncConnection) -> tuple[ProfileVersion, ...]:
            return tuple(map(_version, await connection.execute(_VERSIONS, {"id": profile_id})))

        return await self._transaction(work)

    # -- what was asked on a past day ---------------------------------------------------------------------------------
    async def asked_count(self, campaign_id: str, start: datetime, end: datetime) -> int:
        async def work(connection: AsyncConnection) -> int:
            await verify_campaign(connection, campaign_id)
            asked = {"campaign": campaign_id, "start": start, "end": end}
            return int((await connection.execute(_COUNT, asked)).scalar_one())

        return await self._transaction(work)

    async def asked(
        self,
        campaign_id: str,
        start: datetime,
        end: datetime,
        look_back: LookBack,
        after: tuple[datetime, int] | None = None,
        limit: int = 200,
    ) -> tuple[Asked, ...]:
        async def work(connection: AsyncConnection) -> tuple[Asked, ...]:
            await verify_campaign(connection, campaign_id)
            at, contact = after or (start, 0)
            asked = {"campaign": campaign_id, "start": max(start, at), "end": end, "limit": limit}
            rows = (await connection.execute(_ASKED, {**asked, "at": at, "contact": contact})).all()
            if not rows:
                return ()
            ids = list(dict.fromkeys(r.person_id for r in rows))
            persons = {r.id: r for r in await connection.execute(_PERSONS, {"ids": ids})}
            phones, owed = await phones_of(connection, ids), await obligations_of(connection, ids)
            span_h = (rows[-1].at - rows[0].at) / timedelta(hours=1)
            longest = replace(look_back, hours=look_back.hours + span_h)  # from the first row's instant
            standing = await Standing.read(connection, ids, owed, rows[-1].at, longest)
            recorded = await _recorded(connection, ids)
            found = []
            for r in rows:
                contact_now = facts_from(r, persons[r.person_id], standing, phones[r.person_id])
                found.append(Asked(r.at, r.allowed, as_of(contact_now, r.at, look_back, recorded)))
            return tuple(found)

        return await self._snapshot(work)


async def _add(
    connection: AsyncConnection, text: ProfileText, state: ProfileState, by: str, reason: str, now: datetime
) -> ProfileVersion:
    decided = state is ProfileState.ACTIVE
    row = {
        "id": text.id,
        "version": text.version,
        "sha256": text.sha256,
        "source": text.source,
        "state": str(state),
        "by": by,
        "now": now,
        "reason": reason,
        "decided_by": by if decided else "",
        "decided_at": now if decided else None,
    }
    return _version((await connection.execute(_ADD, row)).one())


async def _retire(connection: AsyncConnection, log: Log, new: ProfileText, by: str, now: datetime) -> None:
    row = (await connection.execute(_RETIRE, {"id": new.id})).first()
    if row is None:
        return
    if row.version > new.version:
        raise profile_overtaken(new.id, new.version, row.version)
    _tell(log, _version(row).text, "retired", by, now)


def _tell(log: Log, text: ProfileText, step: str, by: str, now: datetime) -> None:
    body = {"id": text.id, "version": text.version, "sha256": text.sha256, "step": step, "by": by}
    log.add("law.profile", now, body=body)


async def _recorded(connection: AsyncConnection, ids: Sequence[int]) -> Recorded:
    consents: dict[int, datetime] = {}
    preferences: dict[int, datetime] = {}
    payments: defaultdict[int, list[tuple[datetime, datetime]]] = defaultdict(list)
    for r in await connection.execute(_RECORDED, {"ids": list(ids)}):
        if r.kind == "consent":
            consents[r.id] = r.recorded_at
        elif r.kind == "preference":
            preferences[r.id] = r.recorded_at
        else:
            payments[r.id].append((r.paid_at, r.recorded_at))
    return Recorded(consents, preferences, payments)


def _version(r: Any) -> ProfileVersion:
    return ProfileVersion(
        ProfileText(r.id, r.version, r.sha256, r.source),
        ProfileState(r.state),
        r.proposed_by,
        r.proposed_at,
        r.reason,
        r.decided_by,
        r.decided_at,
        r.decision,
    )
