"""Portfolios: persons, what they owe, where they are reached, and the campaign's list."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from cadencia.domain.people import DebtorFile, PersonIn
from cadencia.store.batch import merged, priority
from cadencia.store.port import Imported
from cadencia.store.postgres.base import Log, PostgresBase, verify_campaign
from cadencia.store.postgres.files import files_of
from cadencia.store.refusals import no_person

# Those of the persons who are known, locked in the order of ids, as others lock several: whatever a file's order is, no
# two wait for each other. By persons_doc_type_doc_number_key.
_LOCK = text(
    """
    SELECT p.id
    FROM unnest(CAST(:types AS text[]), CAST(:numbers AS text[])) AS u(doc_type, doc_number)
    JOIN persons p ON p.doc_type = u.doc_type AND p.doc_number = u.doc_number
    ORDER BY p.id FOR UPDATE OF p
    """
)

# Insert or update persons; returns only those that are new or different. Who may live elsewhere now is looked at again
# before a call. By persons_doc_type_doc_number_key.
_PERSONS = text(
    """
    INSERT INTO persons (doc_type, doc_number, name, city, language, timezone, other_zones, contract_signed_at)
    SELECT doc_type, doc_number, name, city, language, timezone, string_to_array(zones, '|'), signed_at
    FROM unnest(
        CAST(:types AS text[]), CAST(:numbers AS text[]), CAST(:names AS text[]), CAST(:cities AS text[]),
        CAST(:languages AS text[]), CAST(:timezones AS text[]), CAST(:zones AS text[]), CAST(:signed AS timestamptz[])
    ) WITH ORDINALITY AS p(doc_type, doc_number, name, city, language, timezone, zones, signed_at, ord)
    ORDER BY ord
    ON CONFLICT (doc_type, doc_number) DO UPDATE
    SET name = excluded.name, city = excluded.city, language = excluded.language, timezone = excluded.timezone,
        other_zones = excluded.other_zones,
        contract_signed_at = coalesce(excluded.contract_signed_at, persons.contract_signed_at),
        standing = persons.standing + CAST(
            (persons.timezone, persons.other_zones) IS DISTINCT FROM (excluded.timezone, excluded.other_zones)
            AS integer)
    WHERE (persons.name, persons.city, persons.language, persons.timezone, persons.other_zones,
           persons.contract_signed_at)
          IS DISTINCT FROM
          (excluded.name, excluded.city, excluded.language, excluded.timezone, excluded.other_zones,
           coalesce(excluded.contract_signed_at, persons.contract_signed_at))
    RETURNING id
    """
)

# What persons authorised, unless it is written down already. By consents_person.
_GRANTS = text(
    """
    INSERT INTO consents (person_id, granted, channel, at, how, text_version, evidence, recorded_at, recorded_by)
    SELECT g.person_id, true, 'voice', g.at, 'import', '', '', :now, 'import'
    FROM unnest(CAST(:persons AS bigint[]), CAST(:ats AS timestamptz[])) AS g(person_id, at)
    WHERE NOT EXISTS (
        SELECT FROM consents c
        WHERE c.person_id = g.person_id AND c.at = g.at AND c.granted AND c.channel = 'voice' AND c.purpose IS NULL
    )
    RETURNING person_id
    """
)

# Of whom the file says that nothing is authorised, and something was: it ends now. By consents_person.
_ENDS = text(
    """
    WITH ended AS (
        INSERT INTO consents (person_id, granted, channel, at, how, text_version, evidence, recorded_at, recorded_by)
        SELECT n.person_id, false, 'voice', :now, 'import', '', '', :now, 'import'
        FROM unnest(CAST(:persons AS bigint[])) AS n(person_id)
        WHERE (
            SELECT c.granted FROM consents c
            WHERE c.person_id = n.person_id AND (c.channel IS NULL OR c.channel = 'voice')
            ORDER BY c.at DESC, c.granted LIMIT 1
        )
        RETURNING person_id
    )
    UPDATE persons p SET standing = p.standing + 1 FROM ended e WHERE p.id = e.person_id
    RETURNING p.id AS person_id
    """
)

# The ids of persons. By persons_doc_type_doc_number_key.
_PERSON_IDS = text(
    """
    SELECT p.id, p.doc_type, p.doc_number
    FROM unnest(CAST(:types AS text[]), CAST(:numbers AS text[])) AS u(doc_type, doc_number)
    JOIN persons p ON p.doc_type = u.doc_type AND p.doc_number = u.doc_number
    """
)

# Insert or update obligations; returns only those that are new or different. By obligations_creditor_number_key.
_OBLIGATIONS = text(
    """
    INSERT INTO obligations (creditor, number, product, balance_minor, balance_currency, overdue_minor,
                             overdue_currency, days_past_due, due_date)
    SELECT creditor, number, product, balance_minor, balance_currency, overdue_minor, overdue_currency,
           days_past_due, due_date
    FROM unnest(
        CAST(:creditors AS text[]), CAST(:numbers AS text[]), CAST(:products AS text[]), CAST(:balances AS bigint[]),
        CAST(:balance_currencies AS text[]), CAST(:overdues AS bigint[]), CAST(:overdue_currencies AS text[]),
        CAST(:days AS integer[]), CAST(:dues AS date[])
    ) WITH ORDINALITY AS o(creditor, number, product, balance_minor, balance_currency, overdue_minor,
                           overdue_currency, days_past_due, due_date, ord)
    ORDER BY ord
    ON CONFLICT (creditor, number) DO UPDATE
    SET product = excluded.product, balance_minor = excluded.balance_minor,
        balance_currency = excluded.balance_currency, overdue_minor = excluded.overdue_minor,
        overdue_currency = excluded.overdue_currency, days_past_due = excluded.days_past_due,
        due_date = excluded.due_date
    WHERE (obligations.product, obligations.balance_minor, obligations.balance_currency, obligations.overdue_minor,
           obligations.overdue_currency, obligations.days_past_due, obligations.due_date)
          IS DISTINCT FROM
          (excluded.product, excluded.balance_minor, excluded.balance_currency, excluded.overdue_minor,
           excluded.overdue_currency, excluded.days_past_due, excluded.due_date)
    RETURNING id
    """
)

# The ids of obligations. By obligations_creditor_number_key.
_OBLIGATION_IDS = text(
    """
    SELECT o.id, o.creditor, o.number
    FROM unnest(CAST(:creditors AS text[]), CAST(:numbers AS text[])) AS u(creditor, number)
    JOIN obligations o ON o.creditor = u.creditor AND o.number = u.number
    """
)

# Who has which part in what; returns only what is new or different. By parts_pkey.
_PARTS = text(
    """
    INSERT INTO parts (person_id, obligation_id, role)
    SELECT person_id, obligation_id, role
    FROM unnest(CAST(:persons AS bigint[]), CAST(:obligations AS bigint[]), CAST(:roles AS text[]))
         AS p(person_id, obligation_id, role)
    ON CONFLICT (person_id, obligation_id) DO UPDATE SET role = excluded.role WHERE parts.role <> excluded.role
    RETURNING person_id, obligation_id
    """
)

# Insert or update phones; what is known of a number (its status) stays. By phones_person_id_e164_key.
_PHONES = text(
    """
    INSERT INTO phones (person_id, e164, line_type, position, status)
    SELECT person_id, e164, line_type, position, 'nuevo'
    FROM unnest(
        CAST(:persons AS bigint[]), CAST(:e164s AS text[]), CAST(:types AS text[]), CAST(:positions AS integer[])
    ) WITH ORDINALITY AS p(person_id, e164, line_type, position, ord)
    ORDER BY ord
    ON CONFLICT (person_id, e164) DO UPDATE
    SET line_type = excluded.line_type, position = excluded.position
    WHERE (phones.line_type, phones.position) IS DISTINCT FROM (excluded.line_type, excluded.position)
    RETURNING person_id
    """
)

# New list items, due at once. By list_items_campaign_id_person_id_key.
_ENLIST = text(
    """
    INSERT INTO list_items (campaign_id, person_id, rank, due_at, state, attempts)
    SELECT :campaign, person_id, rank, :now, 'due', 0
    FROM unnest(CAST(:persons AS bigint[]), CAST(:ranks AS integer[])) WITH ORDINALITY AS i(person_id, rank, ord)
    ORDER BY ord
    ON CONFLICT (campaign_id, person_id) DO NOTHING
    RETURNING id
    """
)

# Items that are on the list already: their new rank, and those that the judge closed are due again if something new
# is known of their person. By list_items_campaign_id_person_id_key.
_RERANK = text(
    """
    UPDATE list_items i
    SET rank = u.rank,
        state = CASE WHEN i.state = 'denied' AND u.changed THEN 'due' ELSE i.state END,
        due_at = CASE WHEN i.state = 'denied' AND u.changed THEN :now ELSE i.due_at END
    FROM unnest(CAST(:persons AS bigint[]), CAST(:ranks AS integer[]), CAST(:changes AS boolean[]))
         AS u(person_id, rank, changed)
    WHERE i.campaign_id = :campaign AND i.person_id = u.person_id
      AND (i.rank <> u.rank OR (i.state = 'denied' AND u.changed))
    """
)


class PostgresPortfolio(PostgresBase):
    """The portfolio part of the port."""

    async def import_people(self, campaign_id: str, people: Sequence[PersonIn], now: datetime) -> Imported:
        rows = merged(people)

        async def work(connection: AsyncConnection) -> Imported:
            await verify_campaign(connection, campaign_id)
            imported = await _Import(connection, campaign_id, rows, now).run() if rows else Imported(0, 0, 0, 0)
            log = Log()
            log.add("portfolio.imported", now, campaign_id=campaign_id, body=asdict(imported))
            await log.write(connection)
            return imported

        return await self._transaction(work)

    async def file(self, person_id: int) -> DebtorFile:
        found = await self._snapshot(lambda connection: files_of(connection, [person_id]))
        if person_id not in found:
            raise no_person(person_id)
        return found[person_id]


class _Import:
    """One import's statements and what they found new or different."""

    def __init__(self, connection: AsyncConnection, campaign_id: str, rows: list[PersonIn], now: datetime) -> None:
        self._connection = connection
        self._campaign_id = campaign_id
        self._rows = rows
        self._now = now
        self._changed: set[int] = set()  # persons of whom something is new

    async def run(self) -> Imported:
        persons = await self._persons()
        phones = await self._phones()
        obligations = await self._obligations()
        contacts = await self._enlist()
        return Imported(persons, obligations, phones, contacts)

    async def _all(self, statement: Any, asked: dict[str, Any]) -> Sequence[Any]:
        return (await self._connection.execute(statement, asked)).all()

    async def _persons(self) -> int:
        rows = self._rows
        key = {"types": [p.doc_type for p in rows], "numbers": [p.doc_number for p in rows]}
        told = {
            "names": [p.name for p in rows],
            "cities": [p.city for p in rows],
            "languages": [p.language for p in rows],
            "timezones": [p.timezone for p in rows],
            "zones": ["|".join(p.other_zones) for p in rows],
            "signed": [p.contract_signed_at for p in rows],
        }
        await self._all(_LOCK, key)
        changed = await self._all(_PERSONS, {**key, **told})
        self._changed.update(r.id for r in changed)
        self._ids = {(r.doc_type, r.doc_number): r.id for r in await self._all(_PERSON_IDS, key)}
        await self._consents()
        return len(self._changed)

    async def _consents(self) -> None:
        given = [(self._id(p), p.voice_consent_at) for p in self._rows if p.voice_consent_at is not None]
        asked = {"persons": [i for i, _ in given], "ats": [at for _, at in given], "now": self._now}
        self._changed.update(r.person_id for r in await self._all(_GRANTS, asked))
        ended = {"persons": [self._id(p) for p in self._rows if p.voice_consent_at is None], "now": self._now}
        self._changed.update(r.person_id for r in await self._all(_ENDS, ended))

    def _id(self, row: PersonIn) -> int:
        return int(self._ids[row.doc_type, row.doc_number])

    async def _phones(self) -> int:
        pairs = [(self._id(row), phone) for row in self._rows for phone in row.phones]
        asked = {
            "persons": [i for i, _ in pairs],
            "e164s": [p.e164 for _, p in pairs],
            "types": [str(p.line_type) for _, p in pairs],
            "positions": [p.position for _, p in pairs],
        }
        changed = await self._all(_PHONES, asked) if pairs else ()
        self._changed.update(r.person_id for r in changed)
        return len(changed)

    async def _obligations(self) -> int:
        """Obligations are shared: several persons may have a part in one; the last row tells what is owed."""
        latest = {(o.creditor, o.number): o for row in self._rows for o in row.obligations}
        if not latest:
            return 0
        owed = list(latest.values())
        key = {"creditors": [o.creditor for o in owed], "numbers": [o.number for o in owed]}
        told = {
            "products": [o.product for o in owed],
            "balances": [o.balance.minor for o in owed],
            "balance_currencies": [o.balance.currency for o in owed],
            "overdues": [o.overdue.minor for o in owed],
            "overdue_currencies": [o.overdue.currency for o in owed],
            "days": [o.days_past_due for o in owed],
            "dues": [o.due_date for o in owed],
        }
        moved = {r.id for r in await self._all(_OBLIGATIONS, {**key, **told})}
        ids = {(r.creditor, r.number): r.id for r in await self._all(_OBLIGATION_IDS, key)}
        parts = {(self._id(row), ids[o.creditor, o.number]): o.role for row in self._rows for o in row.obligations}
        asked = {
            "persons": [p for p, _ in parts],
            "obligations": [o for _, o in parts],
            "roles": [str(r) for r in parts.values()],
        }
        changed = {(r.person_id, r.obligation_id) for r in await self._all(_PARTS, asked)}
        changed |= {(p, o) for p, o in parts if o in moved}
        self._changed.update(p for p, _ in changed)
        return len(changed)

    async def _enlist(self) -> int:
        ranks = {self._id(row): -worst for row in self._rows if (worst := priority(row)) is not None}
        asked = {
            "campaign": self._campaign_id,
            "now": self._now,
            "persons": list(ranks),
            "ranks": list(ranks.values()),
            "changes": [i in self._changed for i in ranks],
        }
        await self._connection.execute(_RERANK, asked)
        return len(await self._all(_ENLIST, asked))
