"""Contacts that something else than the dialer makes, and those that persons begin."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from cadencia.domain.contacts import LASTING, PREFIX, Became, Inbound, Reserved, reach_of_other
from cadencia.domain.dialing import ContactFacts
from cadencia.domain.law import Allow, Channel, Deny, Purpose, Reach
from cadencia.domain.people import Role
from cadencia.store.batch import after_contact, denial_body, under_way
from cadencia.store.port import Reserve
from cadencia.store.postgres.base import Log, PostgresBase, verify_campaign
from cadencia.store.postgres.files import obligations_of, phones_of
from cadencia.store.postgres.ledger import facts_from, lock_person, move_standing, write_changes
from cadencia.store.postgres.standing import Standing, sharing
from cadencia.store.refusals import key_taken, no_such_contact, not_on_list

# The person, under lock. By primary key.
_PERSON = text("SELECT id, timezone, other_zones, contract_signed_at, standing FROM persons WHERE id = :person")

# The person's place on the campaign's list, and why this very contact was denied before. By
# list_items_campaign_id_person_id_key and events_attempt.
_ITEM = text(
    """
    SELECT i.id, i.campaign_id, i.person_id, i.attempts, i.last_phone_id, (
        SELECT e.body->>'code' FROM events e
        WHERE e.attempt_id = :id AND e.kind = 'contact.refused' ORDER BY e.seq DESC LIMIT 1
    ) AS denied_code
    FROM list_items i WHERE i.campaign_id = :campaign AND i.person_id = :person
    """
)

# A contact that was written down. By touches_pkey.
_KNOWN = text(
    "SELECT person_id, at, channel, purpose, reach, code, phone_id, debts, inbound FROM touches WHERE id = :id"
)

# A contact, reserved or come in; after whatever is under way with the person, also where its clock was read before.
# By touches_person and touches_pkey.
_WRITE = text(
    """
    INSERT INTO touches (id, person_id, at, channel, purpose, reach, code, phone_id, debts, inbound)
    SELECT :id, :person, greatest(:now, max(t.at) + interval '1 microsecond'), :channel, :purpose, :reach, :code,
           CAST(:phone AS bigint), CAST(:debts AS bigint[]), :inbound
    FROM touches t WHERE t.person_id = :person AND t.at >= :now
    ON CONFLICT (id) DO NOTHING
    RETURNING at
    """
)

# How far it got. By touches_pkey.
_REACHED = text("UPDATE touches SET reach = :reach, code = :code WHERE id = :id")

# It was never sent. By touches_pkey.
_GONE = text("DELETE FROM touches WHERE id = :id")


class PostgresContacts(PostgresBase):
    """The part of the port about contacts that something else makes."""

    async def reserve(self, reserve: Reserve) -> Reserved:
        return await self._transaction(lambda connection: _reserve(connection, reserve))

    async def contact_became(self, contact_id: str, became: Became, code: str, by: str, now: datetime) -> None:
        await self._transaction(lambda connection: _became(connection, contact_id, became, code, by, now))

    async def take_inbound(self, inbound: Inbound, now: datetime) -> bool:
        return await self._transaction(lambda connection: _inbound(connection, inbound, now))


async def _reserve(connection: AsyncConnection, asked: Reserve) -> Reserved:
    await verify_campaign(connection, asked.campaign_id)
    shared = await sharing(connection, [asked.person_id]) if asked.look_back.phones else []
    await lock_person(connection, asked.person_id, [person_id for _, person_id in shared])
    known = (await connection.execute(_KNOWN, {"id": asked.contact_id})).one_or_none()
    if known is not None:
        return await _again(connection, asked, known)
    contact = await _facts(connection, asked)
    verdict = under_way(asked.judge(contact), contact)
    about: dict[str, Any] = {
        "campaign_id": asked.campaign_id,
        "contact_id": contact.contact_id,
        "attempt_id": asked.contact_id,
    }
    log = Log()
    at = asked.now
    if isinstance(verdict, Deny):
        log.add("contact.refused", at, **about, body=denial_body(verdict, contact.denied) | {"by": asked.by})
    else:
        phone_id = verdict.phone.id if verdict.phone is not None else None
        row = _row(asked.contact_id, asked.person_id, asked.channel, asked.purpose, phone_id, contact.person.debts)
        at = await _write(connection, row | {"now": at})
        log.add("contact.reserved", at, **about, body=verdict.basis | {"by": asked.by})
    await log.write(connection)
    return Reserved(asked.contact_id, at, replace(verdict, basis={}))


async def _again(connection: AsyncConnection, asked: Reserve, known: Any) -> Reserved:
    """What was answered before."""
    same = (asked.person_id, asked.channel, asked.purpose, False)
    if (known.person_id, known.channel, known.purpose, known.inbound) != same:
        raise key_taken()
    phones = (await phones_of(connection, [asked.person_id]))[asked.person_id]
    phone = next((p for p in phones if p.id == known.phone_id), None)
    return Reserved(asked.contact_id, known.at, Allow(phone), repeated=True)


async def _facts(connection: AsyncConnection, asked: Reserve) -> ContactFacts:
    told = {"campaign": asked.campaign_id, "person": asked.person_id, "id": asked.contact_id}
    item = (await connection.execute(_ITEM, told)).one_or_none()
    if item is None:
        raise not_on_list(asked.campaign_id)
    row = (await connection.execute(_PERSON, {"person": asked.person_id})).one()
    ids = [asked.person_id]
    phones, owed = await phones_of(connection, ids), await obligations_of(connection, ids)
    standing = await Standing.read(connection, ids, owed, asked.now, asked.look_back)
    return facts_from(item, row, standing, phones[asked.person_id])


async def _became(
    connection: AsyncConnection, contact_id: str, became: Became, code: str, by: str, now: datetime
) -> None:
    asked = {"id": contact_id}
    known = (await connection.execute(_KNOWN, asked)).one_or_none()
    if known is None or known.inbound or not contact_id.startswith(PREFIX):
        raise no_such_contact()
    await lock_person(connection, known.person_id)
    known = (await connection.execute(_KNOWN, asked)).one_or_none()  # as it is under lock
    if known is None:
        raise no_such_contact()
    reach, channel = Reach.ATTEMPT, Channel(known.channel)
    log = Log()
    if became is Became.UNSENT:
        if known.reach > Reach.ATTEMPT or known.code:
            return
        await connection.execute(_GONE, asked)
    else:
        reach = reach_of_other(became, code)
        if (reach, code) == (known.reach, known.code) or reach < known.reach:
            return
        await connection.execute(_REACHED, {"id": contact_id, "reach": int(reach), "code": code})
        if reach >= Reach.TWO_WAY and channel not in LASTING:
            row = _row(
                f"{contact_id}-r", known.person_id, channel, Purpose(known.purpose), known.phone_id, known.debts, code
            )
            await connection.execute(_WRITE, row | {"now": now})
        await move_standing(connection, [known.person_id])
        await write_changes(connection, log, after_contact(code, known.person_id, channel, contact_id, now), by, now)
    body = {"person_id": known.person_id, "outcome": became, "code": code, "reach": int(reach), "by": by}
    log.add("contact.outcome", now, attempt_id=contact_id, body=body)
    await log.write(connection)


async def _inbound(connection: AsyncConnection, i: Inbound, now: datetime) -> bool:
    await lock_person(connection, i.person_id)
    known = (await connection.execute(_KNOWN, {"id": i.contact_id})).one_or_none()
    if known is not None:
        if (known.person_id, known.channel, known.inbound) != (i.person_id, i.channel, True):
            raise key_taken()
        return False
    owed = (await obligations_of(connection, [i.person_id]))[i.person_id]
    debts = [o.id for o in owed if o.role is not Role.REFERENCE]
    at = await _write(
        connection, _row(i.contact_id, i.person_id, i.channel, i.purpose, None, debts, i.code) | {"now": now}
    )
    await move_standing(connection, [i.person_id])
    log = Log()
    await write_changes(connection, log, after_contact(i.code, i.person_id, i.channel, i.contact_id, at), i.by, now)
    body = {"person_id": i.person_id, "channel": i.channel, "purpose": i.purpose, "code": i.code, "by": i.by}
    log.add("contact.inbound", at, attempt_id=i.contact_id, body=body)
    await log.write(connection)
    return True


def _row(
    contact_id: str,
    person_id: int,
    channel: Channel,
    purpose: Purpose,
    phone_id: int | None,
    debts: Iterable[int],
    came: str | None = None,
) -> dict[str, Any]:
    """A line of the ledger. `came`: the person began it, or answered, and this is its code."""
    return {
        "id": contact_id,
        "person": person_id,
        "channel": channel,
        "purpose": purpose,
        "reach": int(Reach.ATTEMPT if came is None else Reach.TWO_WAY),
        "code": came or "",
        "phone": phone_id,
        "debts": sorted(debts),
        "inbound": came is not None,
    }


async def _write(connection: AsyncConnection, told: dict[str, Any]) -> datetime:
    """Its instant. Raises Refused if another person's contact took the id meanwhile."""
    at: datetime | None = (await connection.execute(_WRITE, told)).scalar_one_or_none()
    if at is None:
        raise key_taken()
    return at
