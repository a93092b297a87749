"""The store in memory: the ledgers that the lawful-contact gate judges by, and lists as the judge sees them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime

from cadencia.domain.dialing import ContactFacts
from cadencia.domain.law import Consent, Exclusion, Facts, LookBack, Preference, Touch
from cadencia.domain.ledger import Change, ConsentIn, ExclusionIn, LiftIn, PaymentIn, PreferenceIn
from cadencia.domain.people import Money, Obligation, Role
from cadencia.store.batch import person_of
from cadencia.store.memory_base import MemoryBase
from cadencia.store.memory_records import CampaignRecord, ItemRecord, ItemState, PersonRecord, TouchRecord
from cadencia.store.refusals import no_document, no_obligation, no_person


class MemoryLedger(MemoryBase):
    """The ledgers of the port."""

    # -- reading ------------------------------------------------------------------------------------------------------
    def _facts(self, campaign: CampaignRecord, item: ItemRecord, now: datetime, look_back: LookBack) -> ContactFacts:
        """A list item as the judge sees it."""
        record, data, since = item.person, self._data, look_back.since(now)
        creditors = {o.id: o.creditor for o in record.obligations}
        paid = [at for o in record.obligations if o.role is not Role.REFERENCE and (at := data.paid.get(o.id))]
        person = person_of(
            record.id,
            record.obligations,
            (record.timezone, *record.other_zones),
            record.exclusions,
            now,
            contract_signed_at=record.contract_signed_at,
            paid=bool(paid),
        )
        facts = Facts(
            consents=tuple(record.consents),
            preferences=tuple(record.preferences),
            exclusions=(*record.exclusions, *self._of_numbers(record)),
            touches=tuple(
                _touch(t, t.phone_id, frozenset(creditors[d] for d in t.debts if d in creditors))
                for t in sorted(record.touches, key=lambda t: (t.at, t.id))
                if t.at >= since
            ),
            shared=self._on_its_phones(record, since) if look_back.phones else (),
            in_flight=record.open is not None,
            paid_at=max(paid, default=None),
            registers=frozenset(data.registers),
        )
        return ContactFacts(
            contact_id=item.id,
            campaign_id=campaign.campaign.id,
            person=person,
            facts=facts,
            phones=record.phones,
            attempts=item.attempts,
            last_phone_id=item.last_phone_id,
            standing=record.standing,
            denied=item.denied,
        )

    def _on_its_phones(self, record: PersonRecord, since: datetime) -> tuple[Touch, ...]:
        """What was made to others on the person's numbers."""
        found = [
            (t.at, t.id, _touch(t, phone.id))
            for phone in record.phones
            for other in self._data.owners.get(phone.e164, ())
            if other is not record
            for t in other.touches
            if t.at >= since and t.phone_id in {p.id for p in other.phones if p.e164 == phone.e164}
        ]
        return tuple(touch for *_, touch in sorted(found, key=lambda one: one[:2]))

    def _of_numbers(self, record: PersonRecord) -> Iterable[Exclusion]:
        if not self._data.numbers:
            return
        for phone in record.phones:
            for exclusion in self._data.numbers.get(phone.e164, ()):
                yield replace(exclusion, phone_id=phone.id)

    async def person_id(self, doc_type: str, doc_number: str) -> int:
        number = self._data.person_ids.get((doc_type, doc_number))
        if number is None:
            raise no_document()
        return number

    async def contacts(
        self, campaign_id: str, now: datetime, look_back: LookBack, after: int = 0, limit: int = 1000
    ) -> tuple[ContactFacts, ...]:
        campaign = self._campaign(campaign_id)
        page = sorted(i for item in campaign.items.values() if (i := item.id) > after)[:limit]
        items = {item.id: item for item in campaign.items.values()}
        return tuple(self._facts(campaign, items[i], now, look_back) for i in page)

    async def contacts_of(self, person_id: int, now: datetime, look_back: LookBack) -> tuple[ContactFacts, ...]:
        lists = self._data.campaigns.values()
        found = [(c, item) for c in lists if (item := c.items.get(person_id)) is not None]
        return tuple(self._facts(c, item, now, look_back) for c, item in sorted(found, key=lambda pair: pair[1].id))

    async def contact(self, contact_id: int, now: datetime, look_back: LookBack) -> ContactFacts | None:
        for campaign in self._data.campaigns.values():
            for item in campaign.items.values():
                if item.id == contact_id:
                    return self._facts(campaign, item, now, look_back)
        return None

    # -- writing ------------------------------------------------------------------------------------------------------
    async def change(self, changes: Sequence[Change], by: str, now: datetime) -> int:
        for change in changes:  # all or none
            self._verify(change)
        return self._write(changes, by, now)

    def _verify(self, change: Change) -> None:
        if isinstance(change, PaymentIn):
            if (change.creditor, change.number) not in self._data.obligation_ids:
                raise no_obligation()
        elif change.person_id is not None and change.person_id not in self._data.persons:
            raise no_person(change.person_id)

    def _write(self, changes: Sequence[Change], by: str, now: datetime) -> int:
        return sum(self._write_one(change, by, now) for change in changes)

    def _write_one(self, change: Change, by: str, now: datetime) -> int:
        match change:
            case ConsentIn():
                return self._consent(change, by, now)
            case PreferenceIn():
                return self._prefer(change, by, now)
            case ExclusionIn(person_id=None):
                return self._exclude_numbers(change, [change.e164 or ""], by, now)
            case ExclusionIn():
                return self._exclude(change, by, now)
            case LiftIn():
                return self._lift(change, by, now)
            case PaymentIn():
                return self._pay(change, by, now)

    def _consent(self, c: ConsentIn, by: str, now: datetime) -> int:
        person = self._data.persons[c.person_id]
        told = (c.granted, c.at, c.channel, c.purpose, c.until)
        if any((k.granted, k.at, k.channel, k.purpose, k.until) == told for k in person.consents):
            return 0
        number = self._data.next_id()
        self._data.written[number] = now
        person.consents.append(Consent(number, *told))
        person.consents.sort(key=lambda k: (k.at, k.id))
        self._moved([person], now, restricts=not c.granted)
        body = {
            "person_id": person.id,
            "consent": number,
            "granted": c.granted,
            "channel": str(c.channel) if c.channel else None,
            "purpose": str(c.purpose) if c.purpose else None,
            "effective": c.at.isoformat(),
            "how": c.how,
            "by": by,
        }
        self._log("person.consent", now, body=body)
        return 1

    def _prefer(self, p: PreferenceIn, by: str, now: datetime) -> int:
        person = self._data.persons[p.person_id]
        if any((k.at, k.channels) == (p.at, p.channels) for k in person.preferences):
            return 0
        number = self._data.next_id()
        self._data.written[number] = now
        person.preferences.append(Preference(number, p.at, p.weekly, p.channels))
        person.preferences.sort(key=lambda k: (k.at, k.id))
        self._moved([person], now, restricts=True)
        body = {"person_id": person.id, "preference": number, "effective": p.at.isoformat(), "how": p.how, "by": by}
        self._log("person.preference", now, body=body)
        return 1

    def _exclude(self, e: ExclusionIn, by: str, now: datetime) -> int:
        person = self._data.persons[e.person_id or 0]
        if not _add(person.exclusions, e, now):
            return 0
        self._moved([person], now, restricts=True)
        body = {"person_id": person.id, "register": e.register, "by": by}
        self._log("person.exclusion", now, body=body)
        return 1

    def _exclude_numbers(self, e: ExclusionIn, numbers: Sequence[str], by: str, now: datetime) -> int:
        new = self._put_numbers(e, numbers, now)
        if new:
            self._log("person.exclusion", now, body={"person_id": None, "register": e.register, "by": by})
        return new

    def _put_numbers(self, e: ExclusionIn, numbers: Sequence[str], now: datetime) -> int:
        new = {number for number in numbers if _add(self._data.numbers.setdefault(number, []), e, now)}
        self._moved(self._owners(new), now, restricts=True)
        return len(new)

    def _owners(self, numbers: set[str]) -> list[PersonRecord]:
        found = {p.id: p for number in numbers for p in self._data.owners.get(number, ())}
        return [found[i] for i in sorted(found)]

    async def load_register(self, register: str, numbers: Sequence[str], source: str, by: str, now: datetime) -> int:
        named = sorted(set(numbers))
        new = self._put_numbers(ExclusionIn(register, now, source=source), named, now)
        self._data.registers.add(register)
        self._log("register.loaded", now, body={"register": register, "numbers": len(named), "new": new})
        return new

    def _lift(self, change: LiftIn, by: str, now: datetime) -> int:
        if change.person_id is not None:
            person = self._data.persons[change.person_id]
            lines, owners = person.exclusions, [person]
        else:
            lines = self._data.numbers.get(change.e164 or "", [])
            owners = self._owners({change.e164 or ""})
        standing = [place for place, e in enumerate(lines) if _stands(e, change)]
        for place in standing:
            lines[place] = replace(lines[place], until=change.at)
        lifted = len(standing)
        if lifted:
            self._moved(owners, now, restricts=False)
            body = {"person_id": change.person_id, "register": change.register, "lifted": True, "by": by}
            self._log("person.exclusion", now, body=body)
        return lifted

    def _pay(self, p: PaymentIn, by: str, now: datetime) -> int:
        data = self._data
        number = data.obligation_ids[p.creditor, p.number]
        if (number, p.reference) in data.payments:
            return 0
        data.payments[number, p.reference] = p.paid_at
        data.paid[number] = max(p.paid_at, data.paid.get(number, p.paid_at))
        debtors = []
        for person in data.owing[number]:
            own = next(o for o in person.obligations if o.id == number)
            if own.balance.currency == p.amount.currency:
                person.set_obligation(_paid(own, p.amount.minor))
            if own.role is not Role.REFERENCE:
                debtors.append(person)
        left = [o for person in data.owing[number] for o in person.obligations if o.id == number]
        clears = all(o.overdue.minor == 0 for o in left)
        data.paid_written.setdefault(number, []).append((max(now, p.paid_at), clears))
        self._moved(debtors, now, restricts=True)
        for person in debtors:
            body = {
                "person_id": person.id,
                "payment": len(data.payments),
                "effective": p.paid_at.isoformat(),
                "by": by,
            }
            self._log("person.payment", now, body=body)
        return 1

    def _moved(self, persons: Sequence[PersonRecord], now: datetime, *, restricts: bool) -> None:
        """Something is new about these persons: what was leased before is not sent, what was closed is due again."""
        for person in persons:
            person.standing += restricts
            for campaign in self._data.campaigns.values():
                item = campaign.items.get(person.id)
                if item is not None and item.state is ItemState.DENIED:
                    campaign.put(item, now)


def _touch(t: TouchRecord, phone_id: int | None, creditors: frozenset[str] = frozenset()) -> Touch:
    return Touch(t.at, t.channel, t.purpose, t.reach, t.code, phone_id, t.debts, creditors, t.inbound)


def _add(lines: list[Exclusion], e: ExclusionIn, now: datetime) -> bool:
    """Put an exclusion into its place; False if it is there already."""
    told = (e.register, e.channels, e.purposes, e.until)
    standing = [k for k in lines if k.until is None or k.until > now]
    if any((k.register, k.channels, k.purposes, k.until) == told for k in standing):
        return False
    lines.append(Exclusion(e.register, e.at, None, e.channels, e.purposes, e.until))
    lines.sort(key=lambda k: k.at)
    return True


def _stands(e: Exclusion, change: LiftIn) -> bool:
    return e.register == change.register and (e.until is None or e.until > change.at)


def _paid(o: Obligation, minor: int) -> Obligation:
    left, overdue = max(0, o.balance.minor - minor), max(0, o.overdue.minor - minor)
    return replace(o, balance=Money(left, o.balance.currency), overdue=Money(overdue, o.overdue.currency))
