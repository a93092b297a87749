"""The store in memory: evidence sealed, read back, and who it is about erased."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import datetime
from uuid import uuid4

from cadencia.compliance.evidence import Chain, Header, Row
from cadencia.compliance.evidence_events import CONTACT, KINDS, OBLIGATION, PERSON, PHONE, is_evidence, subject
from cadencia.domain.events import Event
from cadencia.domain.law import Exclusion
from cadencia.domain.people import PhoneStatus
from cadencia.store.evidence_port import Hold, KeptChain, KeptRow, Proven, Seal, Sealed
from cadencia.store.memory_base import MemoryBase
from cadencia.store.memory_records import ChainRecord, ItemRecord, ItemState, PersonRecord
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
from cadencia.store.sealing import document_of, following, is_uuid, rows_of, verify_reason, wanted


class MemoryEvidence(MemoryBase):
    """The evidence part of the port."""

    # -- sealing ------------------------------------------------------------------------------------------------------
    async def seal(self, seal: Seal) -> Sealed:
        self._check(seal.token)
        record = self._chain_of_today(seal)
        kept = self._data.evidence
        waiting = self._unsealed()
        events = waiting[: seal.limit]
        more = len(events) == seal.limit
        names = wanted(events, self._person_of, kept.erased)
        for ref in sorted({ref for refs in names.values() for ref in refs}):
            kept.surrogates.setdefault(ref, str(uuid4()))
        rows = rows_of(record.chain, events, self._person_of, names, kept.surrogates)
        if rows:
            record.rows += rows
            record.root = record.chain.root(seal.now, seal.signer, closed=False)
        kept.sealed_through = events[-1].seq if more else self._data.seq
        oldest = min((e.at for e in events), default=seal.now)
        lag_s = max(0.0, (seal.now - oldest).total_seconds())
        return Sealed(len(rows), more, self._data.seq - kept.sealed_through, lag_s)

    def _chain_of_today(self, seal: Seal) -> ChainRecord:
        chains = self._data.evidence.chains.setdefault(seal.engine, [])
        before = chains[-1] if chains else None
        if before is not None:
            if seal.day <= before.chain.header.day:
                return before
            before.root = before.chain.root(seal.now, seal.signer, closed=True)
            before.closed_at = seal.now
        chain = Chain(following(_kept(before) if before is not None else None, seal.engine, seal.day))
        chains.append(ChainRecord(chain, chain.root(seal.now, seal.signer, closed=False)))
        return chains[-1]

    def _unsealed(self) -> list[Event]:
        """What may be evidence and is not sealed, in order."""
        found: list[Event] = []
        for event in reversed(self._data.events):
            if event.seq <= self._data.evidence.sealed_through:
                break
            if event.kind in KINDS:
                found.append(event)
        return found[::-1]

    def _person_of(self, contact_id: int) -> int | None:
        contacts = self._data.evidence.contacts
        if contact_id not in contacts:
            contacts.update(
                (item.id, item.person.id) for c in self._data.campaigns.values() for item in c.items.values()
            )
        return contacts.get(contact_id)

    # -- reading ------------------------------------------------------------------------------------------------------
    async def chains(self) -> tuple[KeptChain, ...]:
        return tuple(_kept(c) for _, chains in sorted(self._data.evidence.chains.items()) for c in chains)

    async def chain_rows(self, chain: KeptChain, after: int = 0) -> AsyncIterator[KeptRow]:
        header = chain.header
        for record in self._data.evidence.chains.get(header.engine, []):
            if record.chain.header.number == header.number:
                for row in record.rows[after : chain.rows]:
                    yield row

    async def chain_hashes(self, chain: KeptChain) -> AsyncIterator[bytes]:
        async for kept in self.chain_rows(chain):
            yield kept.row.hash

    async def person_rows(self, person_id: int) -> tuple[tuple[Header, Row], ...]:
        name = await self.surrogate(person_id)
        chains = [c for known in self._data.evidence.chains.values() for c in known]
        chains.sort(key=lambda c: (c.chain.header.day, c.chain.header.engine))
        return tuple((c.chain.header, r.row) for c in chains for r in c.rows if name is not None and r.person == name)

    async def proven(self, after: str = "", limit: int = 20_000) -> Proven:
        return Proven(0, "", ())

    async def surrogate(self, person_id: int) -> str | None:
        return self._data.evidence.surrogates.get((PERSON, person_id))

    async def find_person(self, told: str) -> int | None:
        if is_uuid(told):
            names = self._data.evidence.surrogates.items()
            return next((ref for (kind, ref), name in names if kind == PERSON and name == told.lower()), None)
        if told.isascii() and told.isdigit():
            return int(told) if int(told) in self._data.persons else None
        key = document_of(told)
        return self._data.person_ids.get((key["type"], key["number"]))

    # -- holds --------------------------------------------------------------------------------------------------------
    async def hold(self, person_id: int, by: str, reason: str, now: datetime) -> None:
        self._person_here(person_id)
        if person_id in self._data.evidence.holds:
            raise held_already()
        self._data.evidence.holds[person_id] = Hold(now, by, reason)
        self._log("person.hold", now, body={"person_id": person_id, "by": by, "held": True})

    async def lift_hold(self, person_id: int, by: str, now: datetime) -> None:
        if self._data.evidence.holds.pop(person_id, None) is None:
            raise not_held()
        self._log("person.hold", now, body={"person_id": person_id, "by": by, "held": False})

    async def held(self, person_id: int) -> Hold | None:
        return self._data.evidence.holds.get(person_id)

    def _person_here(self, person_id: int) -> PersonRecord:
        person = self._data.persons.get(person_id)
        if person is None:
            raise no_person(person_id)
        if person_id in self._data.evidence.erased:
            raise already_erased()
        return person

    # -- erasure ------------------------------------------------------------------------------------------------------
    async def erase(self, person_id: int, by: str, reason: str, now: datetime) -> None:
        data, kept = self._data, self._data.evidence
        person = self._person_here(person_id)
        verify_reason(reason, person.name, person.doc_number)
        items = {c.campaign.id: i for c in data.campaigns.values() if (i := c.items.get(person_id)) is not None}
        if person_id in kept.holds:
            raise under_hold()
        if person.open is not None or any(i.state is ItemState.AWAITING for i in items.values()):
            raise still_open()
        if any(is_evidence(e) and subject(e, self._person_of) == person_id for e in self._unsealed()):
            raise not_sealed_yet()
        surrogate = kept.surrogates.get((PERSON, person_id))
        self._forget(person, items)
        self._blank(person, now)
        for campaign_id, item in items.items():
            data.campaigns[campaign_id].take_off(item, ItemState.CLOSED)
        kept.erased.add(person_id)
        self._log("person.erased", now, body={"surrogate": surrogate, "by": by, "reason": reason})

    def _forget(self, person: PersonRecord, items: dict[str, ItemRecord]) -> None:
        names = self._data.evidence.surrogates
        names.pop((PERSON, person.id), None)
        for item in items.values():
            names.pop((CONTACT, item.id), None)
        for phone in person.phones:
            names.pop((PHONE, phone.id), None)
        for owed in person.obligations:
            if self._data.owing[owed.id] == [person]:
                names.pop((OBLIGATION, owed.id), None)

    def _blank(self, person: PersonRecord, now: datetime) -> None:
        data = self._data
        del data.person_ids[person.doc_type, person.doc_number]
        person.name = person.city = ""
        person.doc_number = f"erased-{uuid4()}"
        data.person_ids[person.doc_type, person.doc_number] = person.id
        person.other_zones, person.contract_signed_at = (), None
        person.standing += 1
        person.exclusions.append(Exclusion("erased", now))
        for phone in person.phones:
            data.owners[phone.e164].remove(person)
            person.set_phone(replace(phone, e164=f"erased-{uuid4()}", status=PhoneStatus.EXCLUDED))
        for owed in person.obligations:
            if data.owing[owed.id] == [person]:
                del data.obligation_ids[owed.creditor, owed.number]
                blank = replace(owed, number=f"erased-{uuid4()}")
                data.obligation_ids[blank.creditor, blank.number] = blank.id
                person.set_obligation(blank)
        person.history = [(at, known, line._replace(note="")) for at, known, line in person.history]
        for attempt in data.attempts.values():
            if attempt.item.person is person:
                attempt.note = ""
        person.shown = None

    async def drop_chain(self, chain: KeptChain, now: datetime) -> int:
        chains = self._data.evidence.chains.get(chain.header.engine, [])
        oldest = next((c for c in chains if not c.dropped), None)
        if oldest is None or oldest.chain.header.number != chain.header.number or oldest.closed_at is None:
            raise not_the_oldest()
        held = {self._data.evidence.surrogates.get((PERSON, person)) for person in self._data.evidence.holds} - {None}
        if any(row.person in held for row in oldest.rows):
            raise held_rows()
        gone = len(oldest.rows)
        oldest.rows, oldest.dropped = [], True
        return gone


def _kept(record: ChainRecord) -> KeptChain:
    return KeptChain(record.chain.header, record.chain.rows, record.root, record.dropped)
