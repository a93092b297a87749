"""Writing what the lawful-contact gate judges by: consents, preferences, exclusions, payments, registers."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from cadencia.domain.codes import Denial
from cadencia.domain.dialing import ContactFacts
from cadencia.domain.law import LookBack
from cadencia.domain.ledger import Change, ConsentIn, ExclusionIn, LiftIn, PaymentIn, PreferenceIn
from cadencia.store.postgres.base import Log, PostgresBase, verify_campaign
from cadencia.store.postgres.files import obligations_of, phones_of
from cadencia.store.postgres.standing import Standing
from cadencia.store.refusals import no_document, no_obligation, no_person

# Is there such a person? Locked, so that a lease being judged and this change come one after the other. By primary key.
# In the order of ids, so that no two of these wait for each other.
_PERSONS_LOCKED = text("SELECT id FROM persons WHERE id = ANY(CAST(:ids AS bigint[])) ORDER BY id FOR UPDATE")

# Whom several changes are about, locked in the same order: by id, by what is owed, by number. By primary keys,
# obligations_creditor_number_key, parts' index on obligations, phones_e164.
_ABOUT_LOCKED = text(
    """
    SELECT id FROM persons
    WHERE id IN (
        SELECT unnest(CAST(:ids AS bigint[]))
        UNION
        SELECT p.person_id
        FROM unnest(CAST(:creditors AS text[]), CAST(:owed AS text[])) AS u(creditor, number)
        JOIN obligations o ON o.creditor = u.creditor AND o.number = u.number
        JOIN parts p ON p.obligation_id = o.id
        UNION
        SELECT person_id FROM phones WHERE e164 = ANY(CAST(:numbers AS text[]))
    )
    ORDER BY id FOR UPDATE
    """
)

# A person's id. By persons_doc_type_doc_number_key.
_PERSON_ID = text("SELECT id FROM persons WHERE doc_type = :doc_type AND doc_number = :doc_number")

# A line of the consent ledger, unless it is there already. By consents_person.
_CONSENT = text(
    """
    INSERT INTO consents
        (person_id, granted, channel, purpose, at, until, how, text_version, evidence, recorded_at, recorded_by)
    SELECT :person, :granted, CAST(:channel AS text), CAST(:purpose AS text), :at, CAST(:until AS timestamptz), :how,
           :text_version, :evidence, :now, :by
    WHERE NOT EXISTS (
        SELECT FROM consents
        WHERE person_id = :person AND at = :at AND granted = :granted
          AND channel IS NOT DISTINCT FROM CAST(:channel AS text)
          AND purpose IS NOT DISTINCT FROM CAST(:purpose AS text)
          AND until IS NOT DISTINCT FROM CAST(:until AS timestamptz)
    )
    RETURNING id
    """
)

# A wish, unless it is there already. By preferences_person.
_PREFERENCE = text(
    """
    INSERT INTO preferences (person_id, at, weekly, channels, how, evidence, recorded_at, recorded_by)
    SELECT :person, :at, CAST(CAST(:weekly AS text) AS jsonb), CAST(:channels AS text[]), :how, :evidence, :now, :by
    WHERE NOT EXISTS (
        SELECT FROM preferences WHERE person_id = :person AND at = :at AND channels = CAST(:channels AS text[])
    )
    RETURNING id
    """
)

# A person on a list, unless it is on it already. By exclusions_person.
_EXCLUDE_PERSON = text(
    """
    INSERT INTO exclusions (register, person_id, channels, purposes, at, until, source, recorded_at, recorded_by)
    SELECT :register, :person, CAST(:channels AS text[]), CAST(:purposes AS text[]), :at,
           CAST(:until AS timestamptz), :source, :now, :by
    WHERE NOT EXISTS (
        SELECT FROM exclusions
        WHERE person_id = :person AND register = :register AND (until IS NULL OR until > :now)
          AND channels = CAST(:channels AS text[]) AND purposes = CAST(:purposes AS text[])
          AND until IS NOT DISTINCT FROM CAST(:until AS timestamptz)
    )
    RETURNING id
    """
)

# Numbers on a list, unless they are on it already. By exclusions_number.
_EXCLUDE_NUMBERS = text(
    """
    INSERT INTO exclusions (register, e164, channels, purposes, at, until, source, recorded_at, recorded_by)
    SELECT :register, n.e164, CAST(:channels AS text[]), CAST(:purposes AS text[]), :at,
           CAST(:until AS timestamptz), :source, :now, :by
    FROM unnest(CAST(:numbers AS text[])) AS n(e164)
    WHERE NOT EXISTS (
        SELECT FROM exclusions x
        WHERE x.e164 = n.e164 AND x.register = :register AND (x.until IS NULL OR x.until > :now)
          AND x.channels = CAST(:channels AS text[]) AND x.purposes = CAST(:purposes AS text[])
          AND x.until IS NOT DISTINCT FROM CAST(:until AS timestamptz)
    )
    RETURNING e164
    """
)

# Off a list. By exclusions_person or exclusions_number.
_LIFT = text(
    """
    UPDATE exclusions SET until = :at
    WHERE register = :register AND (until IS NULL OR until > :at)
      AND (person_id = CAST(:person AS bigint) OR e164 = CAST(:e164 AS text))
    RETURNING id
    """
)

# What is owed, locked. By obligations_creditor_number_key.
_OBLIGATION = text("SELECT id FROM obligations WHERE creditor = :creditor AND number = :number FOR UPDATE")

# A payment, once. By payments_obligation_id_reference_key.
_PAYMENT = text(
    """
    INSERT INTO payments (obligation_id, paid_at, amount_minor, currency, reference, recorded_at, recorded_by)
    VALUES (:obligation, :paid_at, :minor, :currency, :reference, :now, :by)
    ON CONFLICT (obligation_id, reference) DO NOTHING
    RETURNING id
    """
)

# What is left to pay after it. By primary key.
_PAID = text(
    """
    UPDATE obligations
    SET balance_minor = greatest(0, balance_minor - :minor), overdue_minor = greatest(0, overdue_minor - :minor)
    WHERE id = :obligation AND balance_currency = :currency
    """
)

# Whether nothing is overdue any more after it. By primary keys.
_CLEARS = text(
    """
    UPDATE payments y SET clears = (o.overdue_minor = 0) FROM obligations o
    WHERE y.id = :payment AND o.id = y.obligation_id
    """
)

# Who answers for an obligation. By parts' index on obligations.
_DEBTORS = text("SELECT person_id FROM parts WHERE obligation_id = :obligation AND role <> 'referencia'")

# Who has one of these numbers. By phones_e164.
_OWNERS = text("SELECT DISTINCT person_id FROM phones WHERE e164 = ANY(CAST(:numbers AS text[]))")

# Nothing that was leased under the old standing is sent. By primary key.
_MOVE = text("UPDATE persons SET standing = standing + 1 WHERE id = ANY(CAST(:ids AS bigint[]))")

# What the judge closed is looked at again. By list_items_person.
_REOPEN = text(
    """
    UPDATE list_items SET state = 'due', due_at = :now
    WHERE person_id = ANY(CAST(:ids AS bigint[])) AND state = 'denied'
    """
)

# A register was loaded. By primary key.
_LOADED = text(
    """
    INSERT INTO registers (id, loaded_at, numbers) VALUES (:register, :now, :numbers)
    ON CONFLICT (id) DO UPDATE SET loaded_at = excluded.loaded_at, numbers = registers.numbers + excluded.numbers
    """
)

# A page of a list. By primary key, and list_items_campaign_id_person_id_key for the campaign's few pages.
_PAGE = text(
    """
    SELECT i.id, i.campaign_id, i.attempts, i.last_phone_id, i.denied_code, i.person_id
    FROM list_items i WHERE i.campaign_id = :campaign AND i.id > :after ORDER BY i.id LIMIT :limit
    """
)

# A person's items on all lists. By list_items_person.
_ITEMS_OF = text(
    """
    SELECT i.id, i.campaign_id, i.attempts, i.last_phone_id, i.denied_code, i.person_id
    FROM list_items i WHERE i.person_id = :person ORDER BY i.id
    """
)

# One list item. By primary key.
_ITEM = text(
    """
    SELECT i.id, i.campaign_id, i.attempts, i.last_phone_id, i.denied_code, i.person_id
    FROM list_items i WHERE i.id = :contact
    """
)

# The persons of a page. By primary key.
_PERSONS = text(
    """
    SELECT id, timezone, other_zones, contract_signed_at, standing
    FROM persons WHERE id = ANY(CAST(:ids AS bigint[]))
    """
)


class PostgresLedger(PostgresBase):
    """The ledgers, and lists as the judge sees them."""

    async def change(self, changes: Sequence[Change], by: str, now: datetime) -> int:
        async def work(connection: AsyncConnection) -> int:
            log = Log()
            if len(changes) > 1:
                await connection.execute(_ABOUT_LOCKED, _about(changes))
            new = await write_changes(connection, log, changes, by, now)
            await log.write(connection)
            return new

        return await self._transaction(work)

    async def load_register(self, register: str, numbers: Sequence[str], source: str, by: str, now: datetime) -> int:
        async def work(connection: AsyncConnection) -> int:
            log = Log()
            told = ExclusionIn(register, now, source=source)
            new = await _exclude_numbers(connection, told, sorted(set(numbers)), by, now)
            await connection.execute(_LOADED, {"register": register, "now": now, "numbers": new})
            log.add("register.loaded", now, body={"register": register, "numbers": len(set(numbers)), "new": new})
            await log.write(connection)
            return new

        return await self._transaction(work)

    async def person_id(self, doc_type: str, doc_number: str) -> int:
        async def work(connection: AsyncConnection) -> int:
            found = await connection.execute(_PERSON_ID, {"doc_type": doc_type, "doc_number": doc_number})
            number = found.scalar_one_or_none()
            if number is None:
                raise no_document()
            return int(number)

        return await self._transaction(work)

    async def contacts(
        self, campaign_id: str, now: datetime, look_back: LookBack, after: int = 0, limit: int = 1000
    ) -> tuple[ContactFacts, ...]:
        async def work(connection: AsyncConnection) -> tuple[ContactFacts, ...]:
            await verify_campaign(connection, campaign_id)
            asked = {"campaign": campaign_id, "after": after, "limit": limit}
            return await _seen(connection, (await connection.execute(_PAGE, asked)).all(), now, look_back)

        return await self._snapshot(work)

    async def contacts_of(self, person_id: int, now: datetime, look_back: LookBack) -> tuple[ContactFacts, ...]:
        async def work(connection: AsyncConnection) -> tuple[ContactFacts, ...]:
            found = (await connection.execute(_ITEMS_OF, {"person": person_id})).all()
            return await _seen(connection, found, now, look_back)

        return await self._snapshot(work)

    async def contact(self, contact_id: int, now: datetime, look_back: LookBack) -> ContactFacts | None:
        async def work(connection: AsyncConnection) -> tuple[ContactFacts, ...]:
            found = (await connection.execute(_ITEM, {"contact": contact_id})).all()
            return await _seen(connection, found, now, look_back)

        return next(iter(await self._snapshot(work)), None)


async def _seen(
    connection: AsyncConnection, items: Sequence[Any], now: datetime, look_back: LookBack
) -> tuple[ContactFacts, ...]:
    """List items as the judge would see them."""
    ids = list(dict.fromkeys(i.person_id for i in items))
    rows = {r.id: r for r in await connection.execute(_PERSONS, {"ids": ids})}
    phones, owed = await phones_of(connection, ids), await obligations_of(connection, ids)
    standing = await Standing.read(connection, ids, owed, now, look_back)
    return tuple(facts_from(i, rows[i.person_id], standing, phones[i.person_id]) for i in items)


def facts_from(item: Any, row: Any, standing: Standing, phones: Any) -> ContactFacts:
    """Put the facts of one list item together."""
    person, facts = standing.of(row)
    return ContactFacts(
        contact_id=item.id,
        campaign_id=item.campaign_id,
        person=person,
        facts=facts,
        phones=phones,
        attempts=item.attempts,
        last_phone_id=item.last_phone_id,
        standing=row.standing,
        denied=Denial(item.denied_code) if item.denied_code else None,
    )


def _about(changes: Sequence[Change]) -> dict[str, Any]:
    """Whom they are about, as the arrays of _ABOUT_LOCKED."""
    paid = [c for c in changes if isinstance(c, PaymentIn)]
    said = [c for c in changes if not isinstance(c, PaymentIn)]
    return {
        "ids": [c.person_id for c in said if c.person_id is not None],
        "creditors": [p.creditor for p in paid],
        "owed": [p.number for p in paid],
        "numbers": [c.e164 for c in said if isinstance(c, ExclusionIn | LiftIn) and c.e164 is not None],
    }


async def write_changes(
    connection: AsyncConnection, log: Log, changes: Sequence[Change], by: str, now: datetime
) -> int:
    """Write them down within a transaction; how many were new."""
    new = 0
    for change in changes:
        new += await _WRITERS[type(change)](connection, log, change, by, now)
    return new


async def _consent(connection: AsyncConnection, log: Log, c: ConsentIn, by: str, now: datetime) -> int:
    await lock_person(connection, c.person_id)
    asked = {
        "person": c.person_id,
        "granted": c.granted,
        "channel": c.channel,
        "purpose": c.purpose,
        "at": c.at,
        "until": c.until,
        "how": c.how,
        "text_version": c.text_version,
        "evidence": c.evidence,
        "now": now,
        "by": by,
    }
    number = (await connection.execute(_CONSENT, asked)).scalar_one_or_none()
    if number is None:
        return 0
    await _moved(connection, [c.person_id], now, restricts=not c.granted)
    body = {
        "person_id": c.person_id,
        "consent": number,
        "granted": c.granted,
        "channel": c.channel,
        "purpose": c.purpose,
        "effective": c.at.isoformat(),
        "how": c.how,
        "by": by,
    }
    log.add("person.consent", now, body=body)
    return 1


async def _preference(connection: AsyncConnection, log: Log, p: PreferenceIn, by: str, now: datetime) -> int:
    await lock_person(connection, p.person_id)
    weekly = msgspec.json.encode(p.weekly).decode()
    asked = {
        "person": p.person_id,
        "at": p.at,
        "weekly": weekly,
        "channels": sorted(p.channels),
        "how": p.how,
        "evidence": p.evidence,
        "now": now,
        "by": by,
    }
    number = (await connection.execute(_PREFERENCE, asked)).scalar_one_or_none()
    if number is None:
        return 0
    await _moved(connection, [p.person_id], now, restricts=True)
    body = {"person_id": p.person_id, "preference": number, "effective": p.at.isoformat(), "how": p.how, "by": by}
    log.add("person.preference", now, body=body)
    return 1


async def _exclude(connection: AsyncConnection, log: Log, e: ExclusionIn, by: str, now: datetime) -> int:
    if e.person_id is None:
        new = await _exclude_numbers(connection, e, [e.e164 or ""], by, now)
    else:
        await lock_person(connection, e.person_id)
        found = await connection.execute(_EXCLUDE_PERSON, {**_told(e, by, now), "person": e.person_id})
        new = int(found.scalar_one_or_none() is not None)
        if new:
            await _moved(connection, [e.person_id], now, restricts=True)
    if new:
        log.add("person.exclusion", now, body={"person_id": e.person_id, "register": e.register, "by": by})
    return new


async def _exclude_numbers(
    connection: AsyncConnection, e: ExclusionIn, numbers: Sequence[str], by: str, now: datetime
) -> int:
    found = await connection.execute(_EXCLUDE_NUMBERS, {**_told(e, by, now), "numbers": list(numbers)})
    new = list(found.scalars())
    if new:
        owners = list((await connection.execute(_OWNERS, {"numbers": new})).scalars())
        await _moved(connection, owners, now, restricts=True)
    return len(new)


def _told(e: ExclusionIn, by: str, now: datetime) -> dict[str, Any]:
    return {
        "register": e.register,
        "channels": sorted(e.channels),
        "purposes": sorted(e.purposes),
        "at": e.at,
        "until": e.until,
        "source": e.source,
        "now": now,
        "by": by,
    }


async def _lift(connection: AsyncConnection, log: Log, change: LiftIn, by: str, now: datetime) -> int:
    if change.person_id is not None:
        await lock_person(connection, change.person_id)
    asked = {"register": change.register, "at": change.at, "person": change.person_id, "e164": change.e164}
    lifted = len((await connection.execute(_LIFT, asked)).all())
    if lifted:
        owners = (
            [change.person_id]
            if change.person_id is not None
            else list((await connection.execute(_OWNERS, {"numbers": [change.e164]})).scalars())
        )
        await _moved(connection, owners, now, restricts=False)
        body = {"person_id": change.person_id, "register": change.register, "lifted": True, "by": by}
        log.add("person.exclusion", now, body=body)
    return lifted


async def _pay(connection: AsyncConnection, log: Log, p: PaymentIn, by: str, now: datetime) -> int:
    found = await connection.execute(_OBLIGATION, {"creditor": p.creditor, "number": p.number})
    obligation = found.scalar_one_or_none()
    if obligation is None:
        raise no_obligation()
    asked = {
        "obligation": obligation,
        "paid_at": p.paid_at,
        "minor": p.amount.minor,
        "currency": p.amount.currency,
        "reference": p.reference,
        "now": now,
        "by": by,
    }
    number = (await connection.execute(_PAYMENT, asked)).scalar_one_or_none()
    if number is None:
        return 0
    paid = {"obligation": obligation, "minor": p.amount.minor, "currency": p.amount.currency}
    await connection.execute(_PAID, paid)
    await connection.execute(_CLEARS, {"payment": number})
    debtors = list((await connection.execute(_DEBTORS, {"obligation": obligation})).scalars())
    await _moved(connection, debtors, now, restricts=True)
    for person in debtors:
        body = {"person_id": person, "payment": number, "effective": p.paid_at.isoformat(), "by": by}
        log.add("person.payment", now, body=body)
    return 1


async def lock_person(connection: AsyncConnection, person_id: int, others: Iterable[int] = ()) -> None:
    """Until the transaction ends nobody else leases or changes the person, nor the others. Raises Refused if there is
    no such person."""
    found = await connection.execute(_PERSONS_LOCKED, {"ids": sorted({person_id, *others})})
    if person_id not in set(found.scalars()):
        raise no_person(person_id)


async def move_standing(connection: AsyncConnection, persons: Sequence[int]) -> None:
    """What was leased before is not sent, and a call of it that rings is taken back."""
    await connection.execute(_MOVE, {"ids": sorted(persons)})


async def _moved(connection: AsyncConnection, persons: Sequence[int], now: datetime, *, restricts: bool) -> None:
    """Something is new about these persons."""
    if restricts:
        await move_standing(connection, persons)
    await connection.execute(_REOPEN, {"ids": sorted(persons), "now": now})


_WRITERS: dict[type, Callable[..., Any]] = {
    ConsentIn: _consent,
    PreferenceIn: _preference,
    ExclusionIn: _exclude,
    LiftIn: _lift,
    PaymentIn: _pay,
}
