"""Reading what the re-check judges by: persons who were contacted, with all that was written down of them."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import uuid4

import msgspec
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from cadencia.store.dossiers import LEASE, LOOK_BACK, Known, Made, consent, dossier_from, other, preference
from cadencia.store.postgres.base import PostgresBase
from cadencia.store.postgres.standing import weekly_of

# Who was contacted in a span of time, by id. By attempts_campaign, over the campaigns (a handful), a day's attempts;
# by touches_others what is no call of ours.
_CONTACTED = text(
    """
    SELECT person_id FROM (
        SELECT a.person_id FROM campaigns c
        JOIN attempts a ON a.campaign_id = c.id AND a.leased_at >= :leased AND a.leased_at < :until
        WHERE a.sending_at >= :since AND a.sending_at < :until
        UNION
        SELECT t.person_id FROM touches t
        WHERE (t.channel <> 'voice' OR t.id LIKE 'c-%') AND t.at >= :since AND t.at < :until AND NOT t.inbound
    ) AS contacted
    WHERE person_id > :after ORDER BY person_id LIMIT :limit
    """
)

# Who they are, and what stands for them in evidence. By persons_pkey and surrogates_pkey.
_PERSONS = text(
    """
    SELECT p.id, p.timezone, p.other_zones, p.language, p.contract_signed_at, s.surrogate::text AS surrogate
    FROM persons p LEFT JOIN surrogates s ON s.kind = 'person' AND s.ref = p.id
    WHERE p.id = ANY(CAST(:ids AS bigint[])) ORDER BY p.id
    """
)

# Their calls, also those that count as none, each with its lease. By attempts_history and attempts_open, touches_pkey,
# events_attempt.
_CALLS = text(
    """
    SELECT a.person_id, a.id, a.sending_at AS at, coalesce(t.purpose, l.body->>'purpose') AS purpose, a.phone_id,
           t.debts, t.reach, coalesce(t.code, a.outcome, '') AS code, a.ended_at, coalesce(a.charged, true) AS charged,
           l.body::text AS lease, l.previewed
    FROM attempts a
    LEFT JOIN touches t ON t.id = a.id
    CROSS JOIN LATERAL (
        SELECT (array_agg(e.body) FILTER (WHERE e.kind = 'attempt.leased'))[1] AS body,
               bool_or(e.kind = 'attempt.previewed') AS previewed
        FROM events e WHERE e.attempt_id = a.id AND e.kind IN ('attempt.leased', 'attempt.previewed')
    ) AS l
    WHERE a.person_id = ANY(CAST(:ids AS bigint[])) AND a.state <> 'leased' AND a.sending_at >= :since
      AND (a.state <> 'settled' OR a.ended_at >= :since)
    """
)

# Contacts that are no calls of ours, each with its reservation. By touches_person, then attempts_pkey and
# events_attempt.
_OTHERS = text(
    """
    SELECT t.person_id, t.id, t.at, t.channel, t.purpose, t.reach, t.code, t.phone_id, t.debts, t.inbound,
           (SELECT e.body::text FROM events e WHERE e.attempt_id = t.id AND e.kind = 'contact.reserved' LIMIT 1)
           AS lease
    FROM touches t
    WHERE t.person_id = ANY(CAST(:ids AS bigint[])) AND t.at >= :since
      AND NOT EXISTS (SELECT FROM attempts a WHERE a.id = t.id)
    """
)

# What they owe. By parts_pkey and obligations_pkey.
_DEBTS = text(
    """
    SELECT p.person_id, p.role, o.id, o.creditor, o.due_date
    FROM parts p JOIN obligations o ON o.id = p.obligation_id
    WHERE p.person_id = ANY(CAST(:ids AS bigint[])) ORDER BY o.id
    """
)

# What was paid, and whether nothing was overdue any more after it. By parts_pkey and the key of payments.
_PAYMENTS = text(
    """
    SELECT p.person_id, y.obligation_id, greatest(y.paid_at, y.recorded_at) AS at, y.clears
    FROM parts p JOIN payments y ON y.obligation_id = p.obligation_id
    WHERE p.person_id = ANY(CAST(:ids AS bigint[]))
    """
)

# Authorisations and revocations. By consents_person.
_CONSENTS = text(
    """
    SELECT person_id, granted, at, recorded_at, until, channel, purpose
    FROM consents WHERE person_id = ANY(CAST(:ids AS bigint[])) ORDER BY person_id, at, id
    """
)

# Wishes. By preferences_person.
_WISHES = text(
    """
    SELECT person_id, at, recorded_at, weekly::text AS weekly, channels
    FROM preferences WHERE person_id = ANY(CAST(:ids AS bigint[])) ORDER BY person_id, at, id
    """
)

# Lists and registers, of the person and of the numbers. By exclusions_person, and phones_person_id_e164_key with
# exclusions_number.
_EXCLUSIONS = text(
    """
    SELECT person_id, register, greatest(at, recorded_at) AS at, until, NULL::bigint AS phone_id, channels, purposes
    FROM exclusions WHERE person_id = ANY(CAST(:ids AS bigint[]))
    UNION ALL
    SELECT f.person_id, e.register, greatest(e.at, e.recorded_at), e.until, f.id, e.channels, e.purposes
    FROM phones f JOIN exclusions e ON e.e164 = f.e164 WHERE f.person_id = ANY(CAST(:ids AS bigint[]))
    ORDER BY 1, 3
    """
)


# Calls to others on their numbers. By phones_person_id_e164_key, phones_e164 and touches_person.
_SHARED = text(
    """
    SELECT own.person_id, t.at, own.id AS phone_id, t.code
    FROM phones own
    JOIN phones other ON other.e164 = own.e164 AND other.person_id <> own.person_id
    JOIN touches t ON t.person_id = other.person_id AND t.phone_id = other.id AND t.at >= :since
    WHERE own.person_id = ANY(CAST(:ids AS bigint[])) AND t.channel = 'voice' AND NOT t.inbound
    ORDER BY own.person_id, t.at, t.id
    """
)


class PostgresDossiers(PostgresBase):
    """What the re-check reads."""

    async def dossiers(
        self, since: datetime, until: datetime, after: int = 0, limit: int = 1000
    ) -> tuple[tuple[int, dict[str, Any]], ...]:
        async def work(connection: AsyncConnection) -> tuple[tuple[int, dict[str, Any]], ...]:
            asked = {"since": since, "until": until, "leased": since - LEASE, "after": after, "limit": limit}
            ids = list((await connection.execute(_CONTACTED, asked)).scalars())
            known = await _known(connection, ids, since - LOOK_BACK) if ids else {}
            if ids:
                for r in await connection.execute(_SHARED, {"ids": ids, "since": since - LOOK_BACK}):
                    known[r.person_id].shared.append((r.at, r.phone_id, r.code))
            return tuple((number, dossier_from(one)) for number, one in known.items())

        return await self._snapshot(work)

    async def dossier(self, person_id: int, since: datetime) -> dict[str, Any] | None:
        known = await self._snapshot(lambda connection: _known(connection, [person_id], since))
        return dossier_from(known[person_id]) if known else None


async def _known(connection: AsyncConnection, ids: list[int], since: datetime) -> dict[int, Known]:
    asked: dict[str, Any] = {"ids": ids}
    known: dict[int, Known] = {}
    for r in await connection.execute(_PERSONS, asked):
        zones = (r.timezone, *r.other_zones)
        known[r.id] = Known(r.surrogate or str(uuid4()), zones, r.language, r.contract_signed_at)
    for r in await connection.execute(_DEBTS, asked):
        known[r.person_id].debts.append((r.id, r.creditor, r.role, r.due_date))
    for r in await connection.execute(_PAYMENTS, asked):
        known[r.person_id].payments.append((r.at, r.obligation_id, r.clears))
    for r in await connection.execute(_CONSENTS, asked):
        line = consent(r.granted, r.at, r.recorded_at, r.until, r.channel, r.purpose)
        known[r.person_id].consents.append(line)
    for r in await connection.execute(_WISHES, asked):
        known[r.person_id].preferences.append(preference(r.at, r.recorded_at, weekly_of(r.weekly), r.channels))
    for r in await connection.execute(_EXCLUSIONS, asked):
        row = (r.register, r.at, r.until, r.phone_id, r.channels, r.purposes)
        known[r.person_id].exclusions.append(row)
    for r in await connection.execute(_CALLS, asked | {"since": since}):
        known[r.person_id].contacts.append(_call(r))
    for r in await connection.execute(_OTHERS, asked | {"since": since}):
        lease = msgspec.json.decode(r.lease) if r.lease else {}
        known[r.person_id].contacts.append(
            other(r.id, r.at, r.channel, r.purpose, r.phone_id, r.debts, r.reach, r.code, r.inbound, lease)
        )
    return known


def _call(r: Any) -> Made:
    lease = msgspec.json.decode(r.lease) if r.lease else {}
    return Made(
        id=r.id,
        at=r.at,
        channel="voice",
        purpose=r.purpose or "collection",
        phone_id=r.phone_id,
        debts=tuple(r.debts if r.debts is not None else lease.get("debts", ())),
        reach=r.reach or 0,
        code=r.code,
        ended_at=r.ended_at,
        charged=r.charged,
        lease=lease,
        previewed=bool(r.previewed),
    )
