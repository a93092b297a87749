"""Claims: candidates locked, judged, and leased or denied in one transaction."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from cadencia.domain.dialing import Claimed, ContactFacts, Lease
from cadencia.domain.law import Allow, Deny, Verdict
from cadencia.domain.people import Obligation
from cadencia.store.batch import denial_body, the_phone
from cadencia.store.port import Claim
from cadencia.store.postgres.base import Log, PostgresBase
from cadencia.store.postgres.files import file_from, history_of, obligations_of, phones_of
from cadencia.store.postgres.ledger import facts_from
from cadencia.store.postgres.standing import Standing

# The next due items of a campaign in the order of the queue, after a given place in it; what another claim holds is
# skipped. Walks list_items_queue and stops after :limit.
_CANDIDATES = text(
    """
    SELECT id, campaign_id, person_id, rank, due_at, attempts, last_phone_id, denied_code
    FROM list_items
    WHERE campaign_id = :campaign AND state = 'due' AND due_at <= :now
      AND (rank, due_at, id) > (:rank, CAST(:due_at AS timestamptz), :id)
    ORDER BY rank, due_at, id
    LIMIT :limit
    FOR UPDATE SKIP LOCKED
    """
)

# The candidates' persons, each locked until the end of the claim: a person may stand on several lists. By primary key.
_LOCK_PERSONS = text(
    """
    SELECT id, doc_type, doc_number, name, city, language, timezone, other_zones, contract_signed_at, standing
    FROM persons WHERE id = ANY(CAST(:ids AS bigint[]))
    FOR UPDATE SKIP LOCKED
    """
)

# Write the leases, take their items off the queue, and reserve each contact in the ledger that the counters are
# computed from. attempts_open refuses a second open attempt on a person. By primary keys.
_LEASE = text(
    """
    WITH lease AS (
        SELECT * FROM unnest(
            CAST(:ids AS text[]), CAST(:contacts AS bigint[]), CAST(:persons AS bigint[]), CAST(:phones AS bigint[]),
            CAST(:standings AS integer[]), CAST(:priors AS integer[]), CAST(:purposes AS text[]),
            CAST(:debts AS text[])
        ) AS l(id, contact_id, person_id, phone_id, standing, prior, purpose, debts)
    ), items AS (
        UPDATE list_items i SET state = 'out', denied_code = NULL FROM lease l WHERE i.id = l.contact_id
    ), contacts AS (
        INSERT INTO touches (id, person_id, at, channel, purpose, reach, code, phone_id, debts, inbound)
        SELECT id, person_id, :now, 'voice', purpose, 0, '', phone_id, CAST(debts AS bigint[]), false FROM lease
    )
    INSERT INTO attempts (id, campaign_id, contact_id, person_id, phone_id, state, standing, prior, leased_at)
    SELECT l.id, :campaign, l.contact_id, l.person_id, l.phone_id, 'leased', l.standing, l.prior, :now
    FROM lease l
    """
)

# Put the denied items off, or close them. By primary key.
_DENY = text(
    """
    UPDATE list_items i
    SET state = CASE WHEN d.retry_at IS NULL THEN 'denied' ELSE 'due' END, due_at = coalesce(d.retry_at, i.due_at),
        denied_code = d.code
    FROM unnest(CAST(:ids AS bigint[]), CAST(:retries AS timestamptz[]), CAST(:codes AS text[]))
         AS d(id, retry_at, code)
    WHERE i.id = d.id
    """
)

#: Before every rank there is.
_FIRST_RANK = -(2**31)


@dataclass
class _Candidate:
    """One list item with all that was read of it."""

    item: Any
    person: Any
    facts: ContactFacts
    owed: tuple[Obligation, ...]


@dataclass
class _Judged:
    """What the judge said so far, in the order of the queue."""

    wanted: int
    verdicts: list[tuple[_Candidate, Verdict]] = field(default_factory=list)

    def ask(self, claim: Claim, candidate: _Candidate) -> None:
        verdict = claim.judge(candidate.facts)
        if isinstance(verdict, Allow):
            if candidate.facts.facts.in_flight:
                return  # never two open attempts on one person, whatever the judge says
            self.wanted -= 1
        self.verdicts.append((candidate, verdict))


class PostgresLeasing(PostgresBase):
    """The claim of the port."""

    async def claim(self, claim: Claim) -> Claimed:
        return await self._transaction(lambda connection: _claim(connection, claim), token=claim.token)


async def _claim(connection: AsyncConnection, claim: Claim) -> Claimed:
    judged = await _judge(connection, claim)
    dial = [(c, v) for c, v in judged.verdicts if isinstance(v, Allow)]
    deny = [(c, v) for c, v in judged.verdicts if isinstance(v, Deny)]
    history = await history_of(connection, [c.person.id for c, _ in dial]) if dial else {}
    leases = {
        c.item.id: Lease(
            attempt_id=claim.new_id(),
            campaign_id=claim.campaign_id,
            contact_id=c.item.id,
            phone=the_phone(v),
            facts=c.facts,
            file=file_from(c.person, c.owed, c.facts.phones, history[c.person.id]),
            leased_at=claim.now,
        )
        for c, v in dial
    }
    if leases:
        await _lease(connection, claim, [c for c, _ in dial], list(leases.values()))
    if deny:
        retries = {
            "ids": [c.item.id for c, _ in deny],
            "retries": [v.retry_at for _, v in deny],
            "codes": [str(v.code) for _, v in deny],
        }
        await connection.execute(_DENY, retries)
    await _log(claim, judged, leases).write(connection)
    closed = sum(v.retry_at is None for _, v in deny)
    return Claimed(tuple(leases.values()), dict(Counter(v.code for _, v in deny)), closed)


async def _judge(connection: AsyncConnection, claim: Claim) -> _Judged:
    """Ask about candidates, best first and a page at a time, until enough may be dialled."""
    judged = _Judged(claim.limit)
    after: dict[str, Any] = {"rank": _FIRST_RANK, "due_at": claim.now, "id": 0}
    left, page = claim.scan, claim.limit + 8  # a few may be denied: spare the second page
    while judged.wanted > 0 and left > 0:
        size = min(left, page)
        asked = {**after, "campaign": claim.campaign_id, "now": claim.now, "limit": size}
        items = (await connection.execute(_CANDIDATES, asked)).all()
        for candidate in await _read(connection, claim, items) if items else ():
            if judged.wanted > 0:
                judged.ask(claim, candidate)
        if len(items) < size:
            break
        after = {"rank": items[-1].rank, "due_at": items[-1].due_at, "id": items[-1].id}
        left, page = left - size, page * 2
    return judged


async def _read(connection: AsyncConnection, claim: Claim, items: Any) -> list[_Candidate]:
    """Lock the candidates' persons and read their facts; a person whom somebody else holds is left out."""
    locked = await connection.execute(_LOCK_PERSONS, {"ids": [i.person_id for i in items]})
    persons = {p.id: p for p in locked}
    ids = list(persons)
    phones, owed = await phones_of(connection, ids), await obligations_of(connection, ids)
    standing = await Standing.read(connection, ids, owed, claim.now, claim.since)
    found = []
    for item in items:
        row = persons.get(item.person_id)
        if row is None:
            continue
        facts = facts_from(item, row, standing, phones[row.id])
        found.append(_Candidate(item, row, facts, owed[row.id]))
    return found


async def _lease(connection: AsyncConnection, claim: Claim, chosen: list[_Candidate], leases: list[Lease]) -> None:
    rows = {
        "ids": [lease.attempt_id for lease in leases],
        "contacts": [lease.contact_id for lease in leases],
        "persons": [c.person.id for c in chosen],
        "phones": [lease.phone.id for lease in leases],
        "standings": [c.facts.standing for c in chosen],
        "priors": [c.item.attempts for c in chosen],
        "purposes": [str(claim.purpose)] * len(chosen),
        "debts": [f"{{{','.join(map(str, sorted(c.facts.person.debts)))}}}" for c in chosen],
    }
    await connection.execute(_LEASE, {**rows, "campaign": claim.campaign_id, "now": claim.now})


def _log(claim: Claim, judged: _Judged, leases: dict[int, Lease]) -> Log:
    log = Log()
    for candidate, verdict in judged.verdicts:
        contact = candidate.item.id
        about: dict[str, Any] = {"campaign_id": claim.campaign_id, "contact_id": contact}
        if isinstance(verdict, Deny):
            log.add("contact.denied", claim.now, **about, body=denial_body(verdict, candidate.facts.denied))
        else:
            log.add(
                "attempt.leased", claim.now, **about, attempt_id=leases[contact].attempt_id, body=verdict.basis or None
            )
    return log
