"""Claims: candidates locked, judged, and leased or denied in one transaction."""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import dataclass, field, replace
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
from cadencia.store.postgres.standing import Standing, sharing

# The next due items of a campaign in the order of the queue, after a given place in it, each with its person locked
# until the end of the claim (a person may stand on several lists); whom another claim holds is skipped. An item whose
# attempt is open is not due, whatever its row says: a lease does not rewrite it, for that would rewrite its indexes
# too. (A person has one open attempt at most; NOT EXISTS is planned as a comparison of each candidate with all that are
# open.) Walks list_items_queue from rank to rank, past what is due later (as PostgreSQL 18 can; a comparison of rows
# would undo that), attempts_open and persons_pkey, and stops after :limit.
_CANDIDATES = text(
    """
    SELECT i.id AS item_id, i.rank, i.due_at, p.id, p.doc_type, p.doc_number, p.name, p.city, p.language, p.timezone,
           p.other_zones, p.contract_signed_at, p.standing
    FROM list_items i JOIN persons p ON p.id = i.person_id
    WHERE i.campaign_id = :campaign AND i.state = 'due' AND i.due_at <= :now
      AND i.rank >= :rank AND (i.rank > :rank OR (i.due_at, i.id) > (CAST(:due_at AS timestamptz), :id))
      AND (SELECT a.contact_id FROM attempts a WHERE a.person_id = i.person_id AND a.state <> 'settled')
          IS DISTINCT FROM i.id
    ORDER BY i.rank, i.due_at, i.id
    LIMIT :limit
    FOR UPDATE OF p SKIP LOCKED
    """
)

# The candidates again, now that their persons are locked: another claim may have come and gone in between. By primary
# key.
_ITEMS = text(
    """
    SELECT id, campaign_id, person_id, attempts, last_phone_id, denied_code FROM list_items
    WHERE id = ANY(CAST(:ids AS bigint[])) AND state = 'due' AND due_at <= :now
    """
)

# Those who have a number in common with a candidate, locked too: what they are called on it counts. By primary key.
_LOCK = text("SELECT id FROM persons WHERE id = ANY(CAST(:ids AS bigint[])) ORDER BY id FOR UPDATE SKIP LOCKED")

# Write the leases, and reserve each contact in the ledger that the counters are computed from. attempts_open refuses a
# second open attempt on a person.
_LEASE = text(
    """
    WITH lease AS (
        SELECT * FROM unnest(
            CAST(:ids AS text[]), CAST(:contacts AS bigint[]), CAST(:persons AS bigint[]), CAST(:phones AS bigint[]),
            CAST(:standings AS integer[]), CAST(:priors AS integer[]), CAST(:purposes AS text[]),
            CAST(:debts AS text[])
        ) AS l(id, contact_id, person_id, phone_id, standing, prior, purpose, debts)
    ), contacts AS (
        INSERT INTO touches (id, person_id, at, channel, purpose, reach, code, phone_id, debts, inbound)
        SELECT id, person_id, :now, 'voice', purpose, 0, '', phone_id, CAST(debts AS bigint[]), false FROM lease
    )
    INSERT INTO attempts (id, campaign_id, contact_id, person_id, phone_id, state, standing, prior, leased_at)
    SELECT l.id, :campaign, l.contact_id, l.person_id, l.phone_id, 'leased', l.standing, l.prior, :now
    FROM lease l
    """
)

# Put the denied items off, or close them, unless something else was decided meanwhile. By primary key.
_DENY = text(
    """
    UPDATE list_items i
    SET state = CASE WHEN d.retry_at IS NULL THEN 'denied' ELSE 'due' END, due_at = coalesce(d.retry_at, i.due_at),
        denied_code = d.code
    FROM unnest(CAST(:ids AS bigint[]), CAST(:retries AS timestamptz[]), CAST(:codes AS text[]))
         AS d(id, retry_at, code)
    WHERE i.id = d.id AND i.state = 'due'
    """
)

#: From so many leases on a claim is split.
_LARGE = 64

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
    given: set[str] = field(default_factory=set)  # numbers

    def ask(self, claim: Claim, candidate: _Candidate) -> None:
        if claim.look_back.phones and any(phone.e164 in self.given for phone in candidate.facts.phones):
            return  # what was just leased is not among these facts
        verdict = claim.judge(candidate.facts)
        if isinstance(verdict, Allow):
            if candidate.facts.facts.in_flight:
                return  # never two open attempts on one person, whatever the judge says
            self.wanted -= 1
            self.given.add(the_phone(verdict).e164)
        self.verdicts.append((candidate, verdict))


class PostgresLeasing(PostgresBase):
    """The claim of the port."""

    async def claim(self, claim: Claim) -> Claimed:
        """A large claim is two transactions side by side: the database reads for one while the other is judged.

        Not where it asks for numbers: each would hold some of those who share one, and neither could call any of them.
        What one of them leased is brought although the other failed: who asks again is told why.
        """
        asked = [claim]
        if claim.limit >= _LARGE and not claim.look_back.phones:
            half = claim.limit // 2
            asked = [replace(claim, limit=n, scan=claim.scan // 2) for n in (claim.limit - half, half)]
        done = await asyncio.gather(*map(self._claimed, asked), return_exceptions=True)
        told = [d for d in done if not isinstance(d, BaseException)]
        for failed in done:
            if isinstance(failed, BaseException) and (
                not any(c.leases for c in told) or not isinstance(failed, Exception)
            ):
                raise failed
        leases = tuple(lease for claimed in told for lease in claimed.leases)
        denied = sum((Counter(claimed.denied) for claimed in told), Counter())
        return Claimed(leases, dict(denied), sum(claimed.closed for claimed in told))

    async def _claimed(self, claim: Claim) -> Claimed:
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
        rows = (await connection.execute(_CANDIDATES, asked)).all()
        for candidate in await _read(connection, claim, rows) if rows else ():
            if judged.wanted > 0:
                judged.ask(claim, candidate)
        if len(rows) < size:
            break
        after = {"rank": rows[-1].rank, "due_at": rows[-1].due_at, "id": rows[-1].item_id}
        left, page = left - size, page * 2
    return judged


async def _read(connection: AsyncConnection, claim: Claim, rows: Any) -> list[_Candidate]:
    """Read the facts of the candidates whose persons are locked now."""
    found = await connection.execute(_ITEMS, {"ids": [r.item_id for r in rows], "now": claim.now})
    items = {i.id: i for i in found}
    ids = [r.id for r in rows]
    held = await _lock_sharing(connection, ids) if claim.look_back.phones else frozenset()
    phones, owed = await phones_of(connection, ids), await obligations_of(connection, ids)
    standing = await Standing.read(connection, ids, owed, claim.now, claim.look_back)
    return [
        _Candidate(item, r, facts_from(item, r, standing, phones[r.id]), owed[r.id])
        for r in rows
        if (item := items.get(r.item_id)) is not None and held.isdisjoint(phone.e164 for phone in phones[r.id])
    ]


async def _lock_sharing(connection: AsyncConnection, ids: list[int]) -> frozenset[str]:
    """Lock who else has one of these persons' numbers; the numbers that somebody has whom another transaction holds."""
    shared = await sharing(connection, ids)
    others = sorted({person_id for _, person_id in shared}.difference(ids))
    locked = {*ids, *((await connection.execute(_LOCK, {"ids": others})).scalars() if others else ())}
    return frozenset(e164 for e164, person_id in shared if person_id not in locked)


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
