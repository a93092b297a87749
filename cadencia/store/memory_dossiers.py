"""The store in memory: what the re-check is told of persons who were contacted."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import uuid4

from cadencia.compliance.evidence_events import PERSON
from cadencia.domain.law import Channel
from cadencia.store.dossiers import LOOK_BACK, Known, Made, consent, dossier_from, other, preference
from cadencia.store.memory_ledger import MemoryLedger
from cadencia.store.memory_records import PersonRecord, TouchRecord


class MemoryDossiers(MemoryLedger):
    """The part of the port that the re-check reads. A call that counted as none is forgotten here."""

    async def dossiers(
        self, since: datetime, until: datetime, after: int = 0, limit: int = 1000
    ) -> tuple[tuple[int, dict[str, Any]], ...]:
        called = sorted(
            p.id
            for p in self._data.persons.values()
            if p.id > after and any(t.sent and not t.inbound and since <= t.at < until for t in p.touches)
        )
        return tuple((i, self._dossier(self._data.persons[i], since - LOOK_BACK, shared=True)) for i in called[:limit])

    async def dossier(self, person_id: int, since: datetime) -> dict[str, Any] | None:
        person = self._data.persons.get(person_id)
        return None if person is None else self._dossier(person, since)

    def _dossier(self, p: PersonRecord, since: datetime, *, shared: bool = False) -> dict[str, Any]:
        data = self._data
        name = data.evidence.surrogates.get((PERSON, p.id)) or str(uuid4())
        known = Known(name, (p.timezone, *p.other_zones), p.language, p.contract_signed_at)
        known.debts = [(o.id, o.creditor, str(o.role), o.due_date) for o in sorted(p.obligations, key=lambda o: o.id)]
        for c in p.consents:
            at = data.written.get(c.id, c.at)
            known.consents.append(
                consent(
                    c.granted,
                    c.at,
                    at,
                    c.until,
                    str(c.channel) if c.channel else None,
                    str(c.purpose) if c.purpose else None,
                )
            )
        for w in p.preferences:
            known.preferences.append(preference(w.at, data.written.get(w.id, w.at), w.weekly, map(str, w.channels)))
        named = [(None, e) for e in p.exclusions]
        numbers = [(f.id, e) for f in p.phones for e in data.numbers.get(f.e164, ())]
        for phone, e in (*named, *numbers):
            channels, purposes = sorted(map(str, e.channels)), sorted(map(str, e.purposes))
            known.exclusions.append((e.register, e.at, e.until, phone, channels, purposes))
        for o in p.obligations:
            known.payments += [(at, o.id, clears) for at, clears in data.paid_written.get(o.id, [])]
        known.contacts = [_made(t) for t in p.touches if t.sent and t.at >= since]
        if shared:
            of_others = (t for t in self._on_its_phones(p, since) if t.channel is Channel.VOICE and not t.inbound)
            known.shared = [(t.at, t.phone_id, t.code) for t in of_others if t.phone_id is not None]
        return dossier_from(known)


def _made(t: TouchRecord) -> Made:
    if t.other:
        return other(
            t.id, t.at, str(t.channel), str(t.purpose), t.phone_id, t.debts, t.reach, t.code, t.inbound, t.lease
        )
    return Made(
        id=t.id,
        at=t.at,
        channel=str(t.channel),
        purpose=str(t.purpose),
        phone_id=t.phone_id,
        debts=tuple(t.debts),
        reach=int(t.reach),
        code=t.code,
        inbound=t.inbound,
        ended_at=t.ended_at,
        lease=t.lease,
    )
