"""Reading persons in bulk: what the judge needs and what an agent's screen shows."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from cadencia.domain.people import (
    DebtorFile,
    LineType,
    Money,
    Obligation,
    PastContact,
    Phone,
    PhoneStatus,
    Role,
)

# Persons by primary key.
_PERSONS = text(
    """
    SELECT id, doc_type, doc_number, name, city, language
    FROM persons WHERE id = ANY(CAST(:ids AS bigint[]))
    """
)

# Phones of persons, in the order of the file. By phones_person_id_e164_key.
_PHONES = text(
    """
    SELECT person_id, id, e164, line_type, position, status
    FROM phones WHERE person_id = ANY(CAST(:ids AS bigint[]))
    ORDER BY position, id
    """
)

# What persons have to do with which obligations, the worst first. By parts_pkey and obligations_pkey.
_OBLIGATIONS = text(
    """
    SELECT p.person_id, p.role, o.id, o.number, o.creditor, o.product, o.balance_minor, o.balance_currency,
           o.overdue_minor, o.overdue_currency, o.days_past_due, o.due_date
    FROM parts p JOIN obligations o ON o.id = p.obligation_id
    WHERE p.person_id = ANY(CAST(:ids AS bigint[]))
    ORDER BY o.days_past_due DESC, o.id
    """
)

# The last ten contacts of each person, newest first, one row a person: ten times as many rows cost a claim a third of
# its time. By attempts_history alone, ten entries a person; only of those whom an agent disposed of, the note.
_HISTORY = text(
    """
    SELECT person.id, h.*
    FROM unnest(CAST(:ids AS bigint[])) AS person(id)
    CROSS JOIN LATERAL (
        SELECT array_agg(n.ended_at) AS ends, array_agg(n.outcome) AS outcomes,
               array_agg(n.disposition) AS dispositions, array_agg(n.agent_id) AS agents, array_agg(n.note) AS notes
        FROM (
            SELECT a.ended_at, a.outcome, a.disposition, a.agent_id,
                   CASE WHEN a.disposition IS NULL THEN '' ELSE (SELECT t.note FROM attempts t WHERE t.id = a.id) END
                   AS note
            FROM attempts a
            WHERE a.person_id = person.id AND a.state = 'settled'
            ORDER BY a.ended_at DESC, a.id DESC
            LIMIT 10
        ) AS n
    ) AS h
    WHERE h.ends IS NOT NULL
    """
)

_LINE_TYPES = {str(t): t for t in LineType}
_STATUSES = {str(s): s for s in PhoneStatus}
_ROLES = {str(r): r for r in Role}


async def phones_of(connection: AsyncConnection, ids: Sequence[int]) -> dict[int, tuple[Phone, ...]]:
    """The phones of each person."""
    found: defaultdict[int, list[Phone]] = defaultdict(list)
    for person_id, number, e164, line_type, position, status in await connection.execute(_PHONES, {"ids": ids}):
        found[person_id].append(Phone(number, e164, _LINE_TYPES[line_type], position, _STATUSES[status]))
    return {i: tuple(found[i]) for i in ids}


async def obligations_of(connection: AsyncConnection, ids: Sequence[int]) -> dict[int, tuple[Obligation, ...]]:
    """The obligations of each person, each with the person's role in it."""
    found: defaultdict[int, list[Obligation]] = defaultdict(list)
    for row in await connection.execute(_OBLIGATIONS, {"ids": ids}):
        person_id, role, number, ref, creditor, product, minor, currency, overdue, overdue_currency, days, due = row
        balance, overdue = Money(minor, currency), Money(overdue, overdue_currency)
        found[person_id].append(Obligation(number, ref, creditor, product, balance, overdue, days, due, _ROLES[role]))
    return {i: tuple(found[i]) for i in ids}


async def history_of(connection: AsyncConnection, ids: Sequence[int]) -> dict[int, tuple[PastContact, ...]]:
    """The last contacts of each person."""
    found: dict[int, tuple[PastContact, ...]] = dict.fromkeys(ids, ())
    for number, *columns in await connection.execute(_HISTORY, {"ids": list(dict.fromkeys(ids))}):
        found[number] = tuple(map(PastContact._make, zip(*columns, strict=True)))
    return found


async def files_of(connection: AsyncConnection, person_ids: Iterable[int]) -> dict[int, DebtorFile]:
    """The files of those persons who exist."""
    ids = list(dict.fromkeys(person_ids))
    persons = (await connection.execute(_PERSONS, {"ids": ids})).all()
    phones, owed = await phones_of(connection, ids), await obligations_of(connection, ids)
    history = await history_of(connection, ids)
    return {p.id: file_from(p, owed[p.id], phones[p.id], history[p.id]) for p in persons}


def file_from(
    person: Any, owed: tuple[Obligation, ...], phones: tuple[Phone, ...], history: tuple[PastContact, ...]
) -> DebtorFile:
    """Put a file together; `person` is a row with the columns of _PERSONS."""
    return DebtorFile(
        person_id=person.id,
        name=person.name,
        doc_type=person.doc_type,
        doc_number=person.doc_number,
        city=person.city,
        language=person.language,
        obligations=owed,
        phones=phones,
        history=history,
    )
