"""Claims: candidates locked, judged, and leased or denied in one transaction."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from cadencia.domain.codes import Denial
from cadencia.domain.dialing import Claimed, ContactFacts, Deny, Dial, Lease, Verdict
from cadencia.domain.people import Obligation
from cadencia.store.batch import LocalDates
from cadencia.store.port import Claim
from cadencia.store.postgres.base import Log, PostgresBase
from cadencia.store.postgres.files import file_from, history_of, obligations_of, phones_of

# The next due items of a campaign in the order of the queue, after a given place in it; what another claim holds is
# skipped. Walks list_items_queue and stops after :limit.
_CANDIDATES = text(
    """
    SELECT id, person_id, rank, due_at, attempts, last_phone_id
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
    SELECT id, doc_type, doc_number, name, city, language, timezone, voice_consent_at, blocked
    FROM persons WHERE id = ANY(CAST(:ids AS bigint[]))
    FOR UPDATE SKIP LOCKED
    """
)

# Who is in an open attempt, and the attempts charged on each person's local date and in the seven dates that end with
# it. Read after the lock, so that what a claim before us committed is seen. By attempts_open and person_days_pkey.
_USED = text(
    """
    SELECT u.person_id,
           EXISTS (SELECT FROM attempts a WHERE a.person_id = u.person_id AND a.state <> 'settled') AS in_flight,
           coalesce(d.today, 0) AS today,
           coalesce(d.week, 0) AS week
    FROM unnest(CAST(:ids AS bigint[]), CAST(:dates AS date[])) AS u(person_id, today)
    LEFT JOIN LATERAL (
        SELECT sum(d.attempts) FILTER (WHERE d.local_date = u.today) AS today, sum(d.attempts) AS week
        FROM person_days d
        WHERE d.person_id = u.person_id AND d.local_date BETWEEN u.today - 6 AND u.today
    ) AS d ON true
    """
)

# Write the leases, take their items off the queue, and reserve one attempt on each person's local date. attempts_open
# refuses a second open attempt on a person. By primary keys.
_LEASE = text(
    """
    WITH lease AS (
        SELECT * FROM unnest(
            CAST(:ids AS text[]), CAST(:contacts AS bigint[]), CAST(:persons AS bigint[]), CAST(:phones AS bigint[]),
            CAST(:dates AS date[]), CAST(:priors AS integer[])
        ) AS l(id, contact_id, person_id, phone_id, local_date, prior)
    ), items AS (
        UPDATE list_items i SET state = 'out' FROM lease l WHERE i.id = l.contact_id
    ), days AS (
        INSERT INTO person_days (person_id, local_date, attempts)
        SELECT person_id, local_date, 1 FROM lease
        ON CONFLICT (person_id, local_date) DO UPDATE SET attempts = person_days.attempts + 1
    )
    INSERT INTO attempts (id, campaign_id, contact_id, person_id, phone_id, state, local_date, prior, leased_at)
    SELECT l.id, :campaign, l.contact_id, l.person_id, l.phone_id, 'leased', l.local_date, l.prior, :now
    FROM lease l
    """
)

# Put the denied items off, or close them. By primary key.
_DENY = text(
    """
    UPDATE list_items i
    SET state = CASE WHEN d.retry_at IS NULL THEN 'denied' ELSE 'due' END, due_at = coalesce(d.retry_at, i.due_at)
    FROM unnest(CAST(:ids AS bigint[]), CAST(:retries AS timestamptz[])) AS d(id, retry_at)
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
    today: date


@dataclass
class _Judged:
    """What the judge said so far, in the order of the queue."""

    wanted: int
    verdicts: list[tuple[_Candidate, Verdict]] = field(default_factory=list)

    def ask(self, claim: Claim, candidate: _Candidate) -> None:
        verdict = claim.judge(candidate.facts)
        if isinstance(verdict, Dial):
            if candidate.facts.in_flight:
                return  # never two open attempts on one person, whatever the judge says
            self.wanted -= 1
        self.verdicts.append((candidate, verdict))


class PostgresLeasing(PostgresBase):
    """The claim of the port."""

    async def claim(self, claim: Claim) -> Claimed:
        return await self._transaction(lambda connection: _claim(connection, claim), token=claim.token)


async def _claim(connection: AsyncConnection, claim: Claim) -> Claimed:
    judged = await _judge(connection, claim)
    dial = [(c, v) for c, v in judged.verdicts if isinstance(v, Dial)]
    deny = [(c, v) for c, v in judged.verdicts if isinstance(v, Deny)]
    history = await history_of(connection, [c.person.id for c, _ in dial]) if dial else {}
    leases = {
        c.item.id: Lease(
            attempt_id=claim.new_id(),
            campaign_id=claim.campaign_id,
            contact_id=c.item.id,
            phone=v.phone,
            facts=c.facts,
            file=file_from(c.person, c.owed, c.facts.phones, history[c.person.id]),
            leased_at=claim.now,
        )
        for c, v in dial
    }
    if leases:
        await _lease(connection, claim, [c for c, _ in dial], list(leases.values()))
    if deny:
        retries = {"ids": [c.item.id for c, _ in deny], "retries": [v.retry_at for _, v in deny]}
        await connection.execute(_DENY, retries)
    await _log(claim, judged, leases).write(connection)
    return Claimed(tuple(leases.values()), dict(Counter(v.code for _, v in deny)))


async def _judge(connection: AsyncConnection, claim: Claim) -> _Judged:
    """Ask about candidates, best first and a page at a time, until enough may be dialled."""
    judged = _Judged(claim.limit)
    after: dict[str, Any] = {"rank": _FIRST_RANK, "due_at": claim.now, "id": 0}
    dates = LocalDates(claim.now)
    left, page = claim.scan, claim.limit + 8  # a few may be denied: spare the second page
    while judged.wanted > 0 and left > 0:
        size = min(left, page)
        asked = {**after, "campaign": claim.campaign_id, "now": claim.now, "limit": size}
        items = (await connection.execute(_CANDIDATES, asked)).all()
        for candidate in await _read(connection, claim, items, dates) if items else ():
            if judged.wanted > 0:
                judged.ask(claim, candidate)
        if len(items) < size:
            break
        after = {"rank": items[-1].rank, "due_at": items[-1].due_at, "id": items[-1].id}
        left, page = left - size, page * 2
    return judged


async def _read(connection: AsyncConnection, claim: Claim, items: Any, dates: LocalDates) -> list[_Candidate]:
    """Lock the candidates' persons and read their facts; a person whom somebody else holds is left out."""
    locked = await connection.execute(_LOCK_PERSONS, {"ids": [i.person_id for i in items]})
    persons = {p.id: p for p in locked}
    ids = list(persons)
    today = {i: dates.of(p.timezone) for i, p in persons.items()}
    rows = await connection.execute(_USED, {"ids": ids, "dates": list(today.values())})
    used = {r.person_id: r for r in rows}
    phones, owed = await phones_of(connection, ids), await obligations_of(connection, ids)
    found = []
    for item in items:
        person = persons.get(item.person_id)
        if person is None:
            continue
        facts = ContactFacts(
            contact_id=item.id,
            campaign_id=claim.campaign_id,
            person_id=person.id,
            roles=frozenset(o.role for o in owed[person.id]),
            voice_consent_at=person.voice_consent_at,
            timezone=person.timezone,
            blocked=person.blocked,
            in_flight=used[person.id].in_flight,
            attempts_today=int(used[person.id].today),
            attempts_7d=int(used[person.id].week),
            attempts=item.attempts,
            last_phone_id=item.last_phone_id,
            phones=phones[person.id],
        )
        found.append(_Candidate(item, person, facts, owed[person.id], today[person.id]))
    return found


async def _lease(connection: AsyncConnection, claim: Claim, chosen: list[_Candidate], leases: list[Lease]) -> None:
    rows = {
        "ids": [lease.attempt_id for lease in leases],
        "contacts": [lease.contact_id for lease in leases],
        "persons": [c.person.id for c in chosen],
        "phones": [lease.phone.id for lease in leases],
        "dates": [c.today for c in chosen],
        "priors": [c.item.attempts for c in chosen],
    }
    await connection.execute(_LEASE, {**rows, "campaign": claim.campaign_id, "now": claim.now})


def _log(claim: Claim, judged: _Judged, leases: dict[int, Lease]) -> Log:
    log = Log()
    for candidate, verdict in judged.verdicts:
        contact = candidate.item.id
        about: dict[str, Any] = {"campaign_id": claim.campaign_id, "contact_id": contact}
        if isinstance(verdict, Deny):
            log.add("contact.denied", claim.now, **about, body=denial_body(verdict.code, verdict.retry_at))
        else:
            log.add("attempt.leased", claim.now, **about, attempt_id=leases[contact].attempt_id)
    return log


def denial_body(code: Denial, retry_at: datetime | None) -> dict[str, str | None]:
    """The body of contact.denied."""
    return {"code": str(code), "retry_at": retry_at.isoformat() if retry_at else None}
