"""Evidence: events sealed into chains, read back in pages, and who they are about."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from cadencia.compliance.evidence import Chain, Header, Row, SignedRoot
from cadencia.compliance.evidence_events import KINDS, Ref, subject
from cadencia.domain.events import Event
from cadencia.store.evidence_port import KeptChain, KeptRow, Proven, Seal, Sealed
from cadencia.store.postgres.base import PostgresBase, newest_number, read_events
from cadencia.store.sealing import document_of, following, grown, is_uuid, rows_of, wanted

# -- sealing ----------------------------------------------------------------------------------------------------------

# How far the log is sealed, locked: one sealing at a time, and no erasure beside it. One row.
POSITION = text("SELECT sealed_through FROM evidence_position WHERE id = 1 FOR UPDATE")

# It is sealed further. One row.
_MOVE = text("UPDATE evidence_position SET sealed_through = :seq WHERE id = 1")

# An engine's newest chain. Walks the end of evidence_chains_engine_number_key.
_NEWEST = text(
    """
    SELECT id, engine, number, day, previous, rows, peaks, root, signature, closed, dropped_at
    FROM evidence_chains WHERE engine = :engine ORDER BY number DESC LIMIT 1
    """
)

# A new chain. By evidence_chains_engine_number_key.
_OPEN = text(
    """
    INSERT INTO evidence_chains (engine, number, day, previous, rows, peaks, root, signature, closed)
    VALUES (:engine, :number, :day, :previous, 0, ''::bytea, :root, :signature, false)
    RETURNING id
    """
)

# How a chain stands now. By primary key.
_STANDS = text(
    """
    UPDATE evidence_chains
    SET rows = :rows, peaks = :peaks, root = :root, signature = :signature, closed = :closed, closed_at = :closed_at
    WHERE id = :id
    """
)

# Events that may be evidence, in order. Walks the log's primary key from where the last sealing ended.
_EVENTS = text(
    """
    SELECT seq, kind, version, at, campaign_id, contact_id, attempt_id, agent_id, body::text AS body
    FROM events
    WHERE seq > :after AND seq <= :last AND kind = ANY(CAST(:kinds AS text[]))
    ORDER BY seq LIMIT :limit
    """
)

# Whose list items these are. By primary key.
_PERSONS_OF = text("SELECT id, person_id FROM list_items WHERE id = ANY(CAST(:ids AS bigint[]))")

# Who of these was erased. By primary key.
_ERASED = text("SELECT id FROM persons WHERE id = ANY(CAST(:ids AS bigint[])) AND erased_at IS NOT NULL")

# Surrogates for what has none yet: random, so that nothing follows from them. By surrogates_pkey.
_NAME = text(
    """
    INSERT INTO surrogates (kind, ref, surrogate)
    SELECT kind, ref, gen_random_uuid()
    FROM unnest(CAST(:kinds AS text[]), CAST(:refs AS bigint[])) AS r(kind, ref)
    ON CONFLICT (kind, ref) DO NOTHING
    """
)

# The surrogates. By surrogates_pkey.
_NAMES = text(
    """
    SELECT s.kind, s.ref, s.surrogate::text AS surrogate
    FROM unnest(CAST(:kinds AS text[]), CAST(:refs AS bigint[])) AS r(kind, ref)
    JOIN surrogates s ON s.kind = r.kind AND s.ref = r.ref
    """
)

# New rows. By evidence_pkey.
_ROWS = text(
    """
    INSERT INTO evidence (chain_id, position, kind, person, attempt_id, body, hash)
    SELECT :chain, position, kind, CAST(person AS uuid), attempt_id, body, hash
    FROM unnest(
        CAST(:positions AS bigint[]), CAST(:kinds AS text[]), CAST(:persons AS text[]), CAST(:attempts AS text[]),
        CAST(:bodies AS text[]), CAST(:hashes AS bytea[])
    ) AS r(position, kind, person, attempt_id, body, hash)
    """
)

# -- reading ----------------------------------------------------------------------------------------------------------

# All chains: one a day. The whole table.
_CHAINS = text(
    """
    SELECT id, engine, number, day, previous, rows, peaks, root, signature, closed, dropped_at
    FROM evidence_chains ORDER BY engine, number
    """
)

# A page of a chain. By evidence_pkey.
_PAGE = text(
    """
    SELECT e.position, e.kind, e.person::text AS person, e.attempt_id, e.body, e.hash
    FROM evidence e
    WHERE e.chain_id = (SELECT id FROM evidence_chains WHERE engine = :engine AND number = :number)
      AND e.position > :after AND e.position <= :upto
    ORDER BY e.position LIMIT :limit
    """
)

# A page of a chain's hashes, one behind the other. By evidence_pkey.
_HASHES = text(
    """
    SELECT max(position) AS last, string_agg(hash, ''::bytea ORDER BY position) AS hashes
    FROM (
        SELECT e.position, e.hash FROM evidence e
        WHERE e.chain_id = (SELECT id FROM evidence_chains WHERE engine = :engine AND number = :number)
          AND e.position > :after AND e.position <= :upto
        ORDER BY e.position LIMIT :limit
    ) AS page
    """
)

# What was sealed about a person. By surrogates_pkey, then evidence_person.
_ABOUT = text(
    """
    SELECT c.engine, c.number, c.day, c.previous, e.position, e.body, e.hash
    FROM surrogates s
    JOIN evidence e ON e.person = s.surrogate
    JOIN evidence_chains c ON c.id = e.chain_id
    WHERE s.kind = 'person' AND s.ref = :id
    ORDER BY c.day, c.engine, e.position
    """
)

# A page of settled attempts with how often evidence speaks of their beginning and their end. By attempts_pkey, then
# evidence_attempt.
_PROVEN = text(
    """
    SELECT a.id, a.leased_at, s.allows, s.ends
    FROM (
        SELECT id, leased_at FROM attempts WHERE id > :after AND state = 'settled' ORDER BY id LIMIT :limit
    ) AS a
    CROSS JOIN LATERAL (
        SELECT count(*) FILTER (WHERE e.kind = 'attempt.leased') AS allows,
               count(*) FILTER (WHERE e.kind = 'attempt.settled') AS ends
        FROM evidence e WHERE e.attempt_id = a.id
    ) AS s
    ORDER BY a.id
    """
)

# Which of these attempts ended in a part of the log that is not sealed. By events_attempt.
_WAITING = text(
    """
    SELECT e.attempt_id FROM events e, evidence_position p
    WHERE e.attempt_id = ANY(CAST(:ids AS text[])) AND e.seq > p.sealed_through
      AND e.kind IN ('attempt.leased', 'attempt.settled')
    """
)

# Until when chains were closed that have no rows any more. The whole table, one row a day.
_DROPPED_UNTIL = text("SELECT max(closed_at) FROM evidence_chains WHERE dropped_at IS NOT NULL")

# What stands for a person. By surrogates_pkey.
SURROGATE = text("SELECT surrogate::text FROM surrogates WHERE kind = 'person' AND ref = :id")

# Who is meant: by surrogates_surrogate_key, persons_pkey or persons_doc_type_doc_number_key.
_BY_SURROGATE = text("SELECT ref FROM surrogates WHERE kind = 'person' AND surrogate = CAST(:surrogate AS uuid)")
_BY_ID = text("SELECT id FROM persons WHERE id = :id")
_BY_DOCUMENT = text("SELECT id FROM persons WHERE doc_type = :type AND doc_number = :number")

#: Rows of one page.
_PAGE_ROWS = 10_000

_KINDS = sorted(KINDS)


@dataclass(frozen=True)
class _Stood:
    """The newest chain as it was found."""

    id: int
    kept: KeptChain
    peaks: bytes
    closed: bool


class PostgresEvidence(PostgresBase):
    """The part of the port about evidence: sealed, and read back."""

    # -- sealing ------------------------------------------------------------------------------------------------------
    async def seal(self, seal: Seal) -> Sealed:
        last = await self._transaction(newest_number)
        return await self._transaction(lambda connection: _seal(connection, seal, last), token=seal.token)

    # -- reading ------------------------------------------------------------------------------------------------------
    async def chains(self) -> tuple[KeptChain, ...]:
        async def work(connection: AsyncConnection) -> tuple[KeptChain, ...]:
            return tuple(_stood(r).kept for r in await connection.execute(_CHAINS))

        return await self._transaction(work)

    async def chain_rows(self, chain: KeptChain, after: int = 0) -> AsyncIterator[KeptRow]:
        place = {"engine": chain.header.engine, "number": chain.header.number, "upto": chain.rows}

        async def page(connection: AsyncConnection) -> Sequence[Any]:
            return (await connection.execute(_PAGE, place | {"after": after, "limit": _PAGE_ROWS})).all()

        while rows := await self._transaction(page):
            for r in rows:
                yield KeptRow(Row(r.position, r.body.encode(), r.hash), r.kind, r.person, r.attempt_id)
            after = rows[-1].position

    async def chain_hashes(self, chain: KeptChain) -> AsyncIterator[bytes]:
        place = {"engine": chain.header.engine, "number": chain.header.number, "upto": chain.rows}
        after = 0

        async def page(connection: AsyncConnection) -> Any:
            return (await connection.execute(_HASHES, place | {"after": after, "limit": _PAGE_ROWS})).one()

        while (found := await self._transaction(page)).last is not None:
            for at in range(0, len(found.hashes), 32):
                yield found.hashes[at : at + 32]
            after = found.last

    async def person_rows(self, person_id: int) -> tuple[tuple[Header, Row], ...]:
        async def work(connection: AsyncConnection) -> tuple[tuple[Header, Row], ...]:
            return tuple(
                (Header(r.engine, r.number, r.day, r.previous), Row(r.position, r.body.encode(), r.hash))
                for r in await connection.execute(_ABOUT, {"id": person_id})
            )

        return await self._transaction(work)

    async def proven(self, after: str = "", limit: int = 20_000) -> Proven:
        async def work(connection: AsyncConnection) -> Proven:
            since = (await connection.execute(_DROPPED_UNTIL)).scalar_one() or datetime.min.replace(tzinfo=UTC)
            rows = (await connection.execute(_PROVEN, {"after": after, "limit": limit})).all()
            wrong = {r.id: r for r in rows if (r.allows, r.ends) != (1, 1) and r.leased_at >= since}
            waiting = await connection.execute(_WAITING, {"ids": list(wrong)}) if wrong else ()
            late = {r.attempt_id for r in waiting}
            told = tuple((r.id, r.allows, r.ends) for r in wrong.values() if r.id not in late)
            return Proven(len(rows), rows[-1].id if len(rows) == limit else "", told)

        return await self._snapshot(work)

    async def surrogate(self, person_id: int) -> str | None:
        async def work(connection: AsyncConnection) -> str | None:
            return (await connection.execute(SURROGATE, {"id": person_id})).scalar_one_or_none()

        return await self._transaction(work)

    async def find_person(self, told: str) -> int | None:
        statement, asked = _BY_DOCUMENT, document_of(told)
        if is_uuid(told):
            statement, asked = _BY_SURROGATE, {"surrogate": told}
        elif told.isascii() and told.isdigit() and int(told) < 2**63:
            statement, asked = _BY_ID, {"id": int(told)}

        async def work(connection: AsyncConnection) -> int | None:
            return (await connection.execute(statement, asked)).scalar_one_or_none()

        return await self._transaction(work)


async def _seal(connection: AsyncConnection, seal: Seal, last: int) -> Sealed:
    through = int((await connection.execute(POSITION)).scalar_one())
    stood = await _chain_of_today(connection, seal)
    asked = {"after": through, "last": last, "kinds": _KINDS, "limit": seal.limit}
    events = read_events(await connection.execute(_EVENTS, asked)) if last > through else ()
    more = len(events) == seal.limit
    upto = events[-1].seq if more else max(last, through)
    rows = await _write(connection, seal, stood, events) if events else []
    if upto > through:
        await connection.execute(_MOVE, {"seq": upto})
    oldest = min((e.at for e in events), default=seal.now)
    return Sealed(len(rows), more, last - upto if more else 0, max(0.0, (seal.now - oldest).total_seconds()))


async def _chain_of_today(connection: AsyncConnection, seal: Seal) -> _Stood:
    """The open chain; what is of another day is closed first."""
    found = (await connection.execute(_NEWEST, {"engine": seal.engine})).first()
    stood = _stood(found) if found is not None else None
    if stood is not None and (not stood.closed) and seal.day <= stood.kept.header.day:
        return stood
    before: KeptChain | None = None
    if stood is not None:
        before = stood.kept
        if not stood.closed:
            chain = grown(stood.kept, stood.peaks)
            root = chain.root(seal.now, seal.signer, closed=True)
            await _stand(connection, stood.id, chain, root, seal.now)
            before = KeptChain(stood.kept.header, chain.rows, root)
    header = following(before, seal.engine, seal.day)
    root = Chain(header).root(seal.now, seal.signer, closed=False)
    told = {"root": root.payload.decode(), "signature": root.signature}
    row = {"engine": header.engine, "number": header.number, "day": header.day, "previous": header.previous} | told
    number = int((await connection.execute(_OPEN, row)).scalar_one())
    return _Stood(number, KeptChain(header, 0, root), b"", False)


async def _write(connection: AsyncConnection, seal: Seal, stood: _Stood, events: Sequence[Event]) -> list[KeptRow]:
    contacts = {e.contact_id for e in events if e.contact_id is not None}
    found = await connection.execute(_PERSONS_OF, {"ids": sorted(contacts)})
    owners: dict[int, int] = {r.id: r.person_id for r in found}
    subjects = {p for e in events if (p := subject(e, owners.get)) is not None}
    erased = {r.id for r in await connection.execute(_ERASED, {"ids": sorted(subjects)})}
    names = wanted(events, owners.get, erased)
    surrogates = await _surrogates(connection, {ref for refs in names.values() for ref in refs})
    chain = grown(stood.kept, stood.peaks)
    rows = rows_of(chain, events, owners.get, names, surrogates)
    if rows:
        columns = {
            "positions": [r.row.position for r in rows],
            "kinds": [r.kind for r in rows],
            "persons": [r.person for r in rows],
            "attempts": [r.attempt for r in rows],
            "bodies": [r.row.body.decode() for r in rows],
            "hashes": [r.row.hash for r in rows],
        }
        await connection.execute(_ROWS, {"chain": stood.id} | columns)
        await _stand(connection, stood.id, chain, chain.root(seal.now, seal.signer, closed=False), None)
    return rows


async def _surrogates(connection: AsyncConnection, refs: Collection[Ref]) -> Mapping[Ref, str]:
    if not refs:
        return {}
    ordered = sorted(refs)  # so that two who name the same never wait for each other crosswise
    asked = {"kinds": [kind for kind, _ in ordered], "refs": [ref for _, ref in ordered]}
    await connection.execute(_NAME, asked)
    return {(r.kind, r.ref): r.surrogate for r in await connection.execute(_NAMES, asked)}


async def _stand(
    connection: AsyncConnection, number: int, chain: Chain, root: SignedRoot, closed_at: datetime | None
) -> None:
    told = {"id": number, "rows": chain.rows, "peaks": chain.tree.peaks, "root": root.payload.decode()}
    closing = {"signature": root.signature, "closed": closed_at is not None, "closed_at": closed_at}
    await connection.execute(_STANDS, told | closing)


def _stood(r: Any) -> _Stood:
    header = Header(r.engine, r.number, r.day, r.previous)
    kept = KeptChain(header, r.rows, SignedRoot(r.root.encode(), r.signature), r.dropped_at is not None)
    return _Stood(r.id, kept, r.peaks, r.closed)
