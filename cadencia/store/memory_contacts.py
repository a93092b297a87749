"""The store in memory: contacts that something else than the dialer makes."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from cadencia.domain.contacts import LASTING, Became, Inbound, Reserved, reach_of_other
from cadencia.domain.law import Allow, Channel, Deny, Purpose, Reach
from cadencia.domain.people import Role
from cadencia.store.batch import after_contact, denial_body, under_way
from cadencia.store.memory_ledger import MemoryLedger
from cadencia.store.memory_records import PersonRecord, TouchRecord, lease_told
from cadencia.store.port import Reserve
from cadencia.store.refusals import key_taken, no_person, no_such_contact, not_on_list


class MemoryContacts(MemoryLedger):
    """The part of the port about contacts that something else makes."""

    async def reserve(self, reserve: Reserve) -> Reserved:
        campaign, person = self._campaign(reserve.campaign_id), self._whom(reserve.person_id)
        known = self._data.others.get(reserve.contact_id)
        if known is not None:
            return _again(reserve, *known)
        item = campaign.items.get(person.id)
        if item is None:
            raise not_on_list(reserve.campaign_id)
        seen = self._facts(campaign, item, reserve.now, reserve.look_back)
        contact = replace(seen, denied=self._data.refused.get(reserve.contact_id))
        verdict = under_way(reserve.judge(contact), contact)
        at = reserve.now
        if isinstance(verdict, Deny):
            kind, body = "contact.refused", denial_body(verdict, contact.denied)
            self._data.refused[reserve.contact_id] = verdict.code
        else:
            phone_id = verdict.phone.id if verdict.phone is not None else None
            touch = TouchRecord(
                *(reserve.contact_id, at, reserve.channel, reserve.purpose, Reach.ATTEMPT, "", phone_id),
                contact.person.debts,
                lease=lease_told(verdict.basis),
                other=True,
            )
            at = self._put(person, touch)
            kind, body = "contact.reserved", verdict.basis
        self._log(
            kind,
            at,
            campaign_id=reserve.campaign_id,
            contact_id=item.id,
            attempt_id=reserve.contact_id,
            body=body | {"by": reserve.by},
        )
        return Reserved(reserve.contact_id, at, replace(verdict, basis={}))

    async def contact_became(self, contact_id: str, became: Became, code: str, by: str, now: datetime) -> None:
        found = self._data.others.get(contact_id)
        if found is None or found[1].inbound:
            raise no_such_contact()
        person, touch = found
        reach = Reach.ATTEMPT
        if became is Became.UNSENT:
            if touch.reach > reach or touch.code:
                return
            person.untouch(contact_id)
            del self._data.others[contact_id]
        else:
            reach = reach_of_other(became, code)
            if (reach, code) == (touch.reach, touch.code) or reach < touch.reach:
                return
            touch.reach, touch.code = reach, code
            answer = f"{contact_id}-r"
            if reach >= Reach.TWO_WAY and touch.channel not in LASTING and answer not in self._data.others:
                self._came(person, answer, touch.channel, touch.purpose, code, now, touch.debts, touch.phone_id)
            person.standing += 1
            self._write(after_contact(code, person.id, touch.channel, contact_id, now), by, now)
        body = {"person_id": person.id, "outcome": str(became), "code": code, "reach": int(reach), "by": by}
        self._log("contact.outcome", now, attempt_id=contact_id, body=body)

    async def take_inbound(self, inbound: Inbound, now: datetime) -> bool:
        person, known = self._whom(inbound.person_id), self._data.others.get(inbound.contact_id)
        if known is not None:
            if (known[0], known[1].channel, known[1].inbound) != (person, inbound.channel, True):
                raise key_taken()
            return False
        debts = frozenset(o.id for o in person.obligations if o.role is not Role.REFERENCE)
        at = self._came(person, inbound.contact_id, inbound.channel, inbound.purpose, inbound.code, now, debts)
        person.standing += 1
        changes = after_contact(inbound.code, person.id, inbound.channel, inbound.contact_id, at)
        self._write(changes, inbound.by, now)
        body = {
            "person_id": person.id,
            "channel": str(inbound.channel),
            "purpose": str(inbound.purpose),
            "code": inbound.code,
            "by": inbound.by,
        }
        self._log("contact.inbound", at, attempt_id=inbound.contact_id, body=body)
        return True

    def _came(
        self,
        person: PersonRecord,
        contact_id: str,
        channel: Channel,
        purpose: Purpose,
        code: str,
        now: datetime,
        debts: frozenset[int],
        phone_id: int | None = None,
    ) -> datetime:
        """The person began it, or answered."""
        touch = TouchRecord(
            *(contact_id, now, channel, purpose, Reach.TWO_WAY, code, phone_id, debts), inbound=True, other=True
        )
        return self._put(person, touch)

    def _put(self, person: PersonRecord, touch: TouchRecord) -> datetime:
        """Write it down after whatever is under way with the person, also where its clock was read before."""
        newest = max((t.at for t in person.touches if t.at >= touch.at), default=None)
        if newest is not None:
            touch.at = newest + timedelta(microseconds=1)
        person.touch(touch)
        self._data.others[touch.id] = person, touch
        return touch.at

    def _whom(self, person_id: int) -> PersonRecord:
        person = self._data.persons.get(person_id)
        if person is None:
            raise no_person(person_id)
        return person


def _again(asked: Reserve, person: PersonRecord, touch: TouchRecord) -> Reserved:
    """What was answered before."""
    same = (asked.person_id, asked.channel, asked.purpose, False)
    if (person.id, touch.channel, touch.purpose, touch.inbound) != same:
        raise key_taken()
    phone = person.phone(touch.phone_id) if touch.phone_id is not None else None
    return Reserved(asked.contact_id, touch.at, Allow(phone), repeated=True)
