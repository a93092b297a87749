"""The ledgers of consents, wishes, exclusions and payments, on both stores; and the gate over them."""

# ruff: noqa: F811  # fixtures come by import
from __future__ import annotations

import sys
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
from store_fixtures import (  # noqa: F401
    HOUR,
    MINUTE,
    NOW,
    Floor,
    Opener,
    databases,
    floor,
    opener,
    owed,
    person,
    store,
)

from cadencia.compliance.judge import Judge
from cadencia.config.profiles import builtin
from cadencia.dialer.people import People
from cadencia.domain.codes import Denial
from cadencia.domain.dialing import CampaignSettings, ContactFacts, Next
from cadencia.domain.law import Allow, Channel, Deny, LookBack, Purpose, Reach
from cadencia.domain.ledger import Change, ConsentIn, ExclusionIn, LiftIn, PaymentIn, PreferenceIn
from cadencia.domain.people import Money, Role
from cadencia.domain.requests import RequestKind
from cadencia.errors import Refused

JUDGE = Judge(builtin())
SETTINGS = CampaignSettings()
MONTH = LookBack(hours=720)
DAY = 24 * HOUR


async def seen(floor: Floor, *, at: object = NOW) -> ContactFacts:
    (contact,) = await floor.store.contacts("c1", NOW if at is NOW else at, MONTH)  # type: ignore[arg-type]
    return contact


async def who(floor: Floor, number: int = 1) -> int:
    return await floor.store.person_id("CC", str(10_000_000 + number))


def denial(contact: ContactFacts, at: object = NOW) -> Denial | None:
    verdict = JUDGE.verdict(contact, SETTINGS, at)  # type: ignore[arg-type]
    return verdict.code if isinstance(verdict, Deny) else None


async def test_a_person_is_found_by_document_and_nobody_by_another(floor: Floor) -> None:
    await floor.load(person(1))
    assert (await seen(floor)).person.id == await who(floor)
    with pytest.raises(Refused) as refused:
        await floor.store.person_id("CC", "99")
    assert "99" not in str(refused.value)


async def test_a_revocation_overtakes_lease_and_call(floor: Floor) -> None:
    await floor.load(person(1), person(2))
    one, two = (await floor.claim()).leases
    assert await floor.send(one) == {one.attempt_id}
    assert await floor.store.overtaken([one.attempt_id, two.attempt_id, "unknown"]) == frozenset()
    for n in (1, 2):
        revoked = ConsentIn(await who(floor, n), False, NOW + MINUTE, how="api")
        assert await floor.store.change([revoked], "ana", NOW + MINUTE) == 1
        assert await floor.store.change([revoked], "ana", NOW + MINUTE) == 0
    assert await floor.store.overtaken([one.attempt_id, two.attempt_id]) == {one.attempt_id, two.attempt_id}
    assert await floor.send(two) == frozenset()


@pytest.mark.parametrize("kind", ["grant", "lift"])
async def test_what_allows_more_overtakes_nothing(floor: Floor, kind: str) -> None:
    await floor.load(person(1))
    number = await who(floor)
    await floor.store.change([ExclusionIn("house", NOW - DAY, number, channels=frozenset({Channel.SMS}))], "ana", NOW)
    lease = await floor.lease()
    change: Change = ConsentIn(number, True, NOW) if kind == "grant" else LiftIn("house", NOW, number)
    assert await floor.store.change([change], "ana", NOW) == 1
    assert await floor.store.overtaken([lease.attempt_id]) == frozenset()
    assert await floor.send(lease) == {lease.attempt_id}


async def test_what_the_gate_closed_opens_with_a_grant(floor: Floor) -> None:
    await floor.load(person(1, consent=None))

    def judge(contact: ContactFacts) -> Allow | Deny:
        return JUDGE.verdict(contact, SETTINGS, NOW)

    claimed = await floor.claim(judge=judge)
    assert (claimed.denied, claimed.closed) == ({Denial.CONSENT: 1}, 1)
    given = ConsentIn(await who(floor), True, NOW - DAY, Channel.VOICE, how="call", text_version="v3")
    await floor.store.change([given], "ana", NOW)
    assert len((await floor.claim(judge=judge)).leases) == 1


async def test_a_wish_narrows_the_hours(floor: Floor) -> None:
    await floor.load(person(1))
    afternoon = ((14 * 60, 17 * 60),)
    wish = PreferenceIn(await who(floor), NOW - DAY, (afternoon,) * 7, how="call")  # type: ignore[arg-type]
    assert await floor.store.change([wish], "ana", NOW) == 1
    contact = await seen(floor)
    assert contact.facts.preferences[0].weekly == (afternoon,) * 7
    assert denial(contact) is Denial.PREFERENCE  # it is 09:00 in Bogotá


async def test_a_person_on_a_list_and_off_it_again(floor: Floor) -> None:
    await floor.load(person(1))
    number = await who(floor)
    await floor.store.change([ExclusionIn("house", NOW, number)], "ana", NOW)
    assert denial(await seen(floor)) is Denial.EXCLUDED
    assert await floor.store.change([LiftIn("house", NOW + MINUTE, number)], "ana", NOW + MINUTE) == 1
    assert await floor.store.change([LiftIn("house", NOW + MINUTE, number)], "ana", NOW + MINUTE) == 0
    assert denial(await seen(floor), NOW + MINUTE) is None


async def test_a_number_on_a_register_is_shut_for_advertising_only(floor: Floor) -> None:
    await floor.load(person(1, phones=2))
    number = person(1, phones=2).phones[0].e164
    assert await floor.store.load_register("rne", [number, number, "+573009999999"], "rne.csv", "cli", NOW) == 2
    assert await floor.store.load_register("rne", [number], "rne.csv", "cli", NOW) == 0
    contact = await seen(floor)
    assert contact.facts.registers == {"rne"}
    assert denial(contact) is None
    offer = replace(SETTINGS, purpose=Purpose.COMMERCIAL)
    verdict = JUDGE.verdict(contact, offer, NOW)
    assert isinstance(verdict, Allow)
    assert verdict.phone == contact.phones[1]  # the other number is not on the register
    alone = JUDGE.verdict(replace(contact, phones=contact.phones[:1]), offer, NOW)
    assert alone == Deny(Denial.REGISTER, None, "exclusion:rne")


async def test_a_number_taken_off_a_list_and_put_on_it_again_leaves_both_lines(floor: Floor) -> None:
    await floor.load(person(1))
    number = person(1).phones[0].e164
    on = ExclusionIn("house", NOW, e164=number)
    assert await floor.store.change([on, on], "ana", NOW) == 1
    assert await floor.store.change([LiftIn("house", NOW + MINUTE, e164=number)], "ana", NOW + MINUTE) == 1
    again = replace(on, at=NOW + HOUR)
    assert await floor.store.change([again], "ana", NOW + HOUR) == 1
    facts = (await floor.facts(at=NOW + HOUR)).facts
    assert [(e.at, e.until) for e in facts.exclusions] == [(NOW, NOW + MINUTE), (NOW + HOUR, None)]
    assert await floor.store.change([LiftIn("house", NOW + DAY, e164=number)], "ana", NOW + DAY) == 1


async def test_a_number_on_a_house_list_leaves_the_other(floor: Floor) -> None:
    await floor.load(person(1, phones=2), person(2))
    numbers = [p.e164 for p in person(1, phones=2).phones]
    leases = {lease.file.doc_number: lease for lease in (await floor.claim()).leases}
    await floor.store.change([ExclusionIn("house", NOW, e164=numbers[0])], "ana", NOW)
    overtaken = await floor.store.overtaken([lease.attempt_id for lease in leases.values()])
    assert overtaken == {leases["10000001"].attempt_id}
    await floor.store.give_back([lease.attempt_id for lease in leases.values()], floor.token, "x", NOW)
    contact = next(c for c in await floor.store.contacts("c1", NOW, MONTH) if len(c.phones) == 2)
    verdict = JUDGE.verdict(contact, SETTINGS, NOW)
    assert isinstance(verdict, Allow)
    assert verdict.phone is not None
    assert verdict.phone.e164 == numbers[1]


async def test_a_payment_counts_once_and_shuts_who_owes_nothing(floor: Floor) -> None:
    await floor.load(person(1), replace(person(2), obligations=(owed(1, role=Role.CODEBTOR),)))
    leases = (await floor.claim()).leases
    debt = owed(1)
    paid = PaymentIn(debt.creditor, debt.number, NOW, debt.overdue, "REF-1")
    assert await floor.store.change([paid], "bank", NOW) == 1
    assert await floor.store.change([paid], "bank", NOW) == 0
    assert await floor.store.overtaken([lease.attempt_id for lease in leases]) == {lease.attempt_id for lease in leases}
    await floor.store.give_back([lease.attempt_id for lease in leases], floor.token, "x", NOW)
    contacts = await floor.store.contacts("c1", NOW, MONTH)
    assert [denial(c) for c in contacts] == [Denial.PAID, Denial.PAID]
    file = await floor.store.file(contacts[0].person.id)
    assert file.obligations[0].overdue == Money(0, "COP")
    assert file.obligations[0].balance.minor == debt.balance.minor - debt.overdue.minor


async def test_a_payment_of_nobody_writes_nothing(floor: Floor) -> None:
    await floor.load(person(1))
    both = [
        ConsentIn(await who(floor), False, NOW),
        PaymentIn("Nadie", "X", NOW, Money(1, "COP"), "R"),
    ]
    with pytest.raises(Refused):
        await floor.store.change(both, "ana", NOW)
    assert all(c.granted for c in (await seen(floor)).facts.consents)


@pytest.mark.parametrize(
    ("code", "reach"), [("PPT", Reach.TWO_WAY), ("TMS", Reach.CONNECTED), ("BUZ", Reach.CONNECTED)]
)
async def test_the_ledger_knows_how_far_a_contact_got(floor: Floor, code: str, reach: Reach) -> None:
    await floor.load(person(1))
    lease = await floor.talked()
    assert (await seen(floor)).facts.touches[0].reach is Reach.TWO_WAY  # nobody said yet who it was
    await floor.dispose(lease, code, next=Next(NOW + 3 * HOUR))
    (touch,) = (await seen(floor)).facts.touches
    assert (touch.reach, touch.code) == (reach, code)


async def test_an_opt_out_in_the_call_revokes_the_channel(floor: Floor) -> None:
    await floor.load(person(1))
    lease = await floor.talked()
    await floor.dispose(lease, "NOC", revoke_channel=True)
    contact = await seen(floor)
    newest = contact.facts.consents[-1]
    assert (newest.granted, newest.channel, newest.purpose) == (False, Channel.VOICE, None)
    assert denial(contact, NOW + 5 * DAY) is Denial.CONSENT


async def test_direct_contact_closes_the_day(floor: Floor) -> None:
    """Ley 2300 of 2023, article 3: not more than once the same day after direct contact; the next day again."""
    await floor.load(person(1))
    lease = await floor.talked()
    await floor.dispose(lease, "PPT", next=Next(NOW + HOUR))
    contact = await seen(floor)
    verdict = JUDGE.verdict(contact, SETTINGS, NOW + HOUR)
    assert isinstance(verdict, Deny)
    assert verdict.code is Denial.COOL_OFF
    assert verdict.retry_at is not None
    assert (verdict.retry_at - NOW) == 22 * HOUR  # 07:00 in Bogotá; it is 09:00


async def test_what_is_explained_is_what_is_done(floor: Floor) -> None:
    """The list as it is explained, and the same list as a claim leases and denies it."""
    people = []
    for n in range(60):
        zone = ("America/Bogota", "Europe/Madrid", "Nowhere/Land")[n % 7 % 3]
        consent = None if n % 5 == 0 else NOW - 30 * DAY
        role = Role.GUARANTOR if n % 11 == 0 else Role.HOLDER
        people.append(person(n, consent=consent, timezone=zone, role=role, phones=n % 3))
    await floor.load(*people)
    await floor.store.change(
        [
            ExclusionIn("house", NOW, await who(floor, 8)),
        ],
        "ana",
        NOW,
    )
    await floor.store.change([ConsentIn(await who(floor, 9), False, NOW)], "ana", NOW)
    at = NOW + 2 * HOUR
    told = {c.contact_id: JUDGE.verdict(c, SETTINGS, at) for c in await floor.store.contacts("c1", at, MONTH)}
    done: dict[int, object] = {}

    def judge(contact: ContactFacts) -> Allow | Deny:
        verdict = JUDGE.verdict(contact, SETTINGS, at)
        done[contact.contact_id] = verdict
        return verdict

    claimed = await floor.claim(100, at=at, judge=judge)
    assert done == told
    assert {lease.contact_id for lease in claimed.leases} == {i for i, v in told.items() if isinstance(v, Allow)}
    assert sum(claimed.denied.values()) == sum(isinstance(v, Deny) for v in told.values()) > 10


async def test_a_request_has_its_term_and_ends_once(floor: Floor) -> None:
    await floor.load(person(1))
    people = People(floor.store, JUDGE)
    number = await who(floor)
    monday = date(2026, 3, 16)
    query = await people.open_request(number, RequestKind.QUERY, monday, "ana", NOW)
    claim = await people.open_request(number, RequestKind.CLAIM, monday, "ana", NOW)
    assert query.due == date(2026, 3, 31)  # ten business days: 23 March is a holiday
    assert claim.due == date(2026, 4, 9)  # fifteen: Maundy Thursday and Good Friday are holidays too
    longer = await people.extend_request(query.id, "ana", NOW)
    assert (longer.due, longer.extended) == (date(2026, 4, 9), True)
    with pytest.raises(Refused):
        await people.extend_request(query.id, "ana", NOW)
    assert [r.id for r in await people.requests()] == [query.id, claim.id]
    await people.close_request(query.id, "respondida", "ana", NOW)
    with pytest.raises(Refused):
        await people.close_request(query.id, "otra vez", "ana", NOW)
    assert [r.id for r in await people.requests()] == [claim.id]
    assert len(await floor.store.data_requests(closed=True)) == 2
    told = await floor.store.events(kinds=("person.request",))
    assert [e.body["step"] for e in told] == ["opened", "opened", "extended", "closed"]
    with pytest.raises(Refused):
        await people.open_request(number + 1000, RequestKind.QUERY, monday, "ana", NOW)
    assert claim.late(date(2026, 4, 10))
    assert not claim.late(date(2026, 4, 9))
