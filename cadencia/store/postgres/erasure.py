"""Holds on a person's data, who the person is erased, and chains whose time is over."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from cadencia.compliance.evidence_events import KINDS
from cadencia.store.evidence_port import Hold, KeptChain
from cadencia.store.postgres.base import Log, PostgresBase
from cadencia.store.postgres.evidence import POSITION, SURROGATE
from cadencia.store.refusals import (
    already_erased,
    held_already,
    held_rows,
    no_person,
    not_held,
    not_sealed_yet,
    not_the_oldest,
    still_open,
    under_hold,
)
from cadencia.store.sealing import verify_reason

# -- holds ------------------------------------------------------------------------------------------------------------

# The person, locked. By primary key.
_PERSON = text("SELECT id, name, doc_number, erased_at FROM persons WHERE id = :id FOR UPDATE")

# The hold that stands. By legal_holds_standing.
_HELD = text("SELECT placed_at, placed_by, reason FROM legal_holds WHERE person_id = :id AND lifted_at IS NULL")

# A new hold; legal_holds_standing refuses a second one.
_HOLD = text("INSERT INTO legal_holds (person_id, placed_at, placed_by, reason) VALUES (:id, :now, :by, :reason)")

# The end of a hold. By legal_holds_standing.
_LIFT = text(
    """
    UPDATE legal_holds SET lifted_at = :now, lifted_by = :by WHERE person_id = :id AND lifted_at IS NULL
    RETURNING id
    """
)

# -- erasure ----------------------------------------------------------------------------------------------------------

# Is a call under way, or does one wait for its disposition? By attempts_open and list_items_person.
_OPEN_ON = text(
    """
    SELECT EXISTS (SELECT FROM attempts WHERE person_id = :id AND state <> 'settled')
        OR EXISTS (SELECT FROM list_items WHERE person_id = :id AND state = 'awaiting')
    """
)

# Does something about the person wait to be sealed? Walks the log's primary key from where the last sealing ended.
_UNSEALED = text(
    """
    SELECT EXISTS (
        SELECT FROM events e
        WHERE e.seq > :after AND e.kind = ANY(CAST(:kinds AS text[]))
          AND (e.contact_id IN (SELECT id FROM list_items WHERE person_id = :id)
               OR e.body->>'person_id' = CAST(CAST(:id AS bigint) AS text))
    )
    """
)

# Who the person was. By primary key.
_BLANK_PERSON = text(
    """
    UPDATE persons
    SET name = '', doc_number = 'erased-' || gen_random_uuid(), city = '', other_zones = '{}',
        contract_signed_at = NULL, standing = standing + 1, erased_at = :now
    WHERE id = :id
    """
)

# Where the person was reached; rows stay, attempts point at them. By phones_person_id_e164_key.
_BLANK_PHONES = text(
    "UPDATE phones SET e164 = 'erased-' || gen_random_uuid(), status = 'excluido' WHERE person_id = :id"
)

# What agents wrote of the person. By attempts_history.
_BLANK_NOTES = text("UPDATE attempts SET note = '' WHERE person_id = :id AND state = 'settled' AND note <> ''")

# Why the person's data were held. By legal_holds_person.
_BLANK_HOLDS = text("UPDATE legal_holds SET reason = '' WHERE person_id = :id")

# Nobody is to be dialled for the person. By list_items_person.
_CLOSE_ITEMS = text("UPDATE list_items SET state = 'closed' WHERE person_id = :id")

# What was written beside consents, preferences and exclusions. By consents_person, preferences_person and
# exclusions_person.
_BLANK_CONSENTS = text("UPDATE consents SET evidence = '', how = '' WHERE person_id = :id")
_BLANK_PREFERENCES = text("UPDATE preferences SET evidence = '', how = '' WHERE person_id = :id")
_BLANK_EXCLUSIONS = text("UPDATE exclusions SET source = '' WHERE person_id = :id AND source <> ''")

# Nobody is to contact whoever it was. By nothing: an insert.
_EXCLUDE = text(
    """
    INSERT INTO exclusions (register, person_id, channels, purposes, at, source, recorded_at, recorded_by)
    VALUES ('erased', :id, '{}', '{}', :now, '', :now, :by)
    """
)

# Obligations that nobody else has a part in: their number leads to the person. By parts_pkey.
_OWN_OBLIGATIONS = text(
    """
    SELECT p.obligation_id AS id FROM parts p
    WHERE p.person_id = :id
      AND NOT EXISTS (SELECT FROM parts o WHERE o.obligation_id = p.obligation_id AND o.person_id <> :id)
    """
)

# By primary key.
_BLANK_OBLIGATIONS = text(
    "UPDATE obligations SET number = 'erased-' || gen_random_uuid() WHERE id = ANY(CAST(:ids AS bigint[]))"
)

# What was paid on them, under which reference. By payments_obligation_id_reference_key.
_BLANK_PAYMENTS = text(
    """
    UPDATE payments SET reference = 'erased-' || gen_random_uuid()
    WHERE obligation_id = ANY(CAST(:ids AS bigint[]))
    """
)

# What stood for the person and what was the person's. By surrogates_pkey.
_FORGET = text(
    """
    DELETE FROM surrogates
    WHERE (kind = 'person' AND ref = :id)
       OR (kind = 'contact' AND ref IN (SELECT id FROM list_items WHERE person_id = :id))
       OR (kind = 'phone' AND ref IN (SELECT id FROM phones WHERE person_id = :id))
       OR (kind = 'obligation' AND ref = ANY(CAST(:obligations AS bigint[])))
    """
)

# -- the end of time --------------------------------------------------------------------------------------------------

# May this chain's rows go? It is closed, has rows, and no older one has. By evidence_chains_engine_number_key.
_MAY_GO = text(
    """
    SELECT c.id FROM evidence_chains c
    WHERE c.engine = :engine AND c.number = :number AND c.closed AND c.dropped_at IS NULL
      AND NOT EXISTS (SELECT FROM evidence_chains o
                      WHERE o.engine = c.engine AND o.number < c.number AND o.dropped_at IS NULL)
    FOR UPDATE
    """
)

# Is a row about somebody under hold? By evidence_person, for the few who are.
_HELD_ROWS = text(
    """
    SELECT EXISTS (
        SELECT FROM legal_holds h
        JOIN surrogates s ON s.kind = 'person' AND s.ref = h.person_id
        JOIN evidence e ON e.person = s.surrogate AND e.chain_id = :chain
        WHERE h.lifted_at IS NULL
    )
    """
)

# The trigger lets go what this is set for, until the transaction ends.
_LET_GO = text("SELECT set_config('cadencia.retention', 'on', true)")

# By evidence_pkey.
_DROP = text("DELETE FROM evidence WHERE chain_id = :chain")

# By primary key.
_DROPPED = text("UPDATE evidence_chains SET dropped_at = :now WHERE id = :chain")

#: What an erasure does besides, each of it for the person of that id.
_BLANK = (
    _BLANK_PHONES,
    _BLANK_NOTES,
    _BLANK_HOLDS,
    _BLANK_CONSENTS,
    _BLANK_PREFERENCES,
    _BLANK_EXCLUSIONS,
    _CLOSE_ITEMS,
)


class PostgresErasure(PostgresBase):
    """The part of the port about what is kept, and no longer."""

    # -- holds --------------------------------------------------------------------------------------------------------
    async def hold(self, person_id: int, by: str, reason: str, now: datetime) -> None:
        async def work(connection: AsyncConnection) -> None:
            await _lock_person(connection, person_id)
            if (await connection.execute(_HELD, {"id": person_id})).first() is not None:
                raise held_already()
            await connection.execute(_HOLD, {"id": person_id, "now": now, "by": by, "reason": reason})
            await _tell(connection, "person.hold", now, {"person_id": person_id, "by": by, "held": True})

        await self._transaction(work)

    async def lift_hold(self, person_id: int, by: str, now: datetime) -> None:
        async def work(connection: AsyncConnection) -> None:
            if (await connection.execute(_LIFT, {"id": person_id, "now": now, "by": by})).first() is None:
                raise not_held()
            await _tell(connection, "person.hold", now, {"person_id": person_id, "by": by, "held": False})

        await self._transaction(work)

    async def held(self, person_id: int) -> Hold | None:
        async def work(connection: AsyncConnection) -> Hold | None:
            found = (await connection.execute(_HELD, {"id": person_id})).first()
            return Hold(found.placed_at, found.placed_by, found.reason) if found is not None else None

        return await self._transaction(work)

    # -- erasure ------------------------------------------------------------------------------------------------------
    async def erase(self, person_id: int, by: str, reason: str, now: datetime) -> None:
        await self._transaction(lambda connection: _erase(connection, person_id, by, reason, now))

    async def drop_chain(self, chain: KeptChain, now: datetime) -> int:
        async def work(connection: AsyncConnection) -> int:
            place = {"engine": chain.header.engine, "number": chain.header.number}
            found = (await connection.execute(_MAY_GO, place)).scalar_one_or_none()
            if found is None:
                raise not_the_oldest()
            if (await connection.execute(_HELD_ROWS, {"chain": found})).scalar_one():
                raise held_rows()
            await connection.execute(_LET_GO)
            gone = await connection.execute(_DROP, {"chain": found})
            await connection.execute(_DROPPED, {"chain": found, "now": now})
            return gone.rowcount

        return await self._transaction(work)


async def _lock_person(connection: AsyncConnection, person_id: int) -> Any:
    found = (await connection.execute(_PERSON, {"id": person_id})).first()
    if found is None:
        raise no_person(person_id)
    if found.erased_at is not None:
        raise already_erased()
    return found


async def _erase(connection: AsyncConnection, person_id: int, by: str, reason: str, now: datetime) -> None:
    through = int((await connection.execute(POSITION)).scalar_one())
    person = await _lock_person(connection, person_id)
    verify_reason(reason, person.name, person.doc_number)
    about = {"id": person_id}
    if (await connection.execute(_HELD, about)).first() is not None:
        raise under_hold()
    if (await connection.execute(_OPEN_ON, about)).scalar_one():
        raise still_open()
    if (await connection.execute(_UNSEALED, about | {"after": through, "kinds": sorted(KINDS)})).scalar_one():
        raise not_sealed_yet()
    surrogate = (await connection.execute(SURROGATE, about)).scalar_one_or_none()
    own = [r.id for r in await connection.execute(_OWN_OBLIGATIONS, about)]
    await connection.execute(_FORGET, about | {"obligations": own})
    await connection.execute(_BLANK_OBLIGATIONS, {"ids": own})
    await connection.execute(_BLANK_PAYMENTS, {"ids": own})
    await connection.execute(_BLANK_PERSON, about | {"now": now})
    for statement in _BLANK:
        await connection.execute(statement, about)
    await connection.execute(_EXCLUDE, about | {"now": now, "by": by})
    body = {"surrogate": surrogate, "by": by, "reason": reason}
    await _tell(connection, "person.erased", now, body)


async def _tell(connection: AsyncConnection, kind: str, now: datetime, body: dict[str, Any]) -> None:
    log = Log()
    log.add(kind, now, body=body)
    await log.write(connection)
