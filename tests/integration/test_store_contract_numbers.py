"""Contacts with others on the same number, on both stores: who sees them, and that nobody is given a number twice."""

# ruff: noqa: F811  # fixtures come by import
from __future__ import annotations

import asyncio
import itertools
import random
import sys
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
from store_fixtures import (  # noqa: F401
    HOUR,
    MINUTE,
    NOW,
    Floor,
    Opener,
    campaign,
    databases,
    floor,
    new_id,
    opener,
    person,
    store,
)

from cadencia.compliance.judge import Judge
from cadencia.compliance.signing import Key
from cadencia.config.profiles import builtin
from cadencia.dialer.nightly import walk
from cadencia.dialer.people import People
from cadencia.domain.codes import Denial, Outcome
from cadencia.domain.contacts import contact_id_of
from cadencia.domain.dialing import CampaignSettings, Claimed, ContactFacts, Lease, Next, Settlement
from cadencia.domain.law import Allow, Channel, Deny, Limit, LookBack, Period, Reach, Scope, Verdict
from cadencia.domain.people import LineType, PersonIn, PhoneIn
from cadencia.store.evidence_port import Seal
from cadencia.store.port import Claim, Reserve, Store

BUILTIN = builtin()
ONCE = replace(
    BUILTIN["uk"],
    id="once",
    limits=(Limit("once-a-day", Scope.PHONE, Reach.ATTEMPT, 1, Period.ROLLING, 24),),
    hours=(),
)
JUDGE = Judge({**BUILTIN, "once": ONCE})
UK = CampaignSettings(profiles=("uk",))
BY_NUMBER = CampaignSettings(profiles=("once",))
LONG = LookBack(720.0, phones=True)
DAY = timedelta(days=1)


def home(number: int, house: int, *, alone: bool = False) -> PersonIn:
    """Somebody in London with the telephone of a house, and, unless that is all, one of their own."""
    shared = PhoneIn(f"+57601{house:07d}", LineType.FIXED, 0)
    own = PhoneIn(f"+57310{number:07d}", LineType.MOBILE, 1)
    base = person(number, timezone="Europe/London")
    return replace(base, phones=(shared,) if alone else (shared, own))


async def who(floor: Floor, number: int) -> int:
    return await floor.store.person_id("CC", str(10_000_000 + number))


async def seen(floor: Floor, number: int, at: datetime, look_back: LookBack = LONG) -> ContactFacts:
    (contact,) = await floor.store.contacts_of(await who(floor, number), at, look_back)
    return contact


async def claimed(
    floor: Floor,
    settings: CampaignSettings,
    limit: int = 10,
    at: datetime = NOW,
    by: Store | None = None,
    judge: Judge = JUDGE,
) -> Claimed:
    look_back = JUDGE.stack(settings).look_back

    def ask(contact: ContactFacts) -> Verdict:
        return judge.recorded(contact, settings, at)

    claim = Claim("c1", limit, at, floor.token, ask, new_id, look_back=look_back)
    return await (by or floor.store).claim(claim)


async def over(floor: Floor, lease: Lease, outcome: Outcome, at: datetime) -> None:
    """Dialled, and ended as said."""
    await floor.send(lease, at=at)
    answered = at if outcome is Outcome.ABANDONED else None
    end = Settlement(lease.attempt_id, outcome, at + MINUTE, Next(at + 2 * MINUTE), answered_at=answered)
    await floor.store.settle([end], floor.token)


async def test_what_others_were_called_on_a_number_is_told_where_it_is_asked_for(floor: Floor) -> None:
    await floor.load(home(1, 1), home(2, 1), home(3, 2))
    (lease,) = (await claimed(floor, BY_NUMBER, 1)).leases
    await over(floor, lease, Outcome.NO_ANSWER, NOW)
    assert lease.facts.person.id == await who(floor, 1)
    (touch,) = (await seen(floor, 1, NOW + HOUR)).facts.touches
    other = await seen(floor, 2, NOW + HOUR)
    (shared,) = other.facts.shared
    assert shared.phone_id == other.phones[0].id != touch.phone_id
    assert (shared.at, shared.code, shared.reach) == (touch.at, touch.code, touch.reach) == (NOW, "NOA", Reach.RANG)
    assert other.facts.touches == ()
    assert (await seen(floor, 1, NOW + HOUR)).facts.shared == ()
    assert (await seen(floor, 3, NOW + HOUR)).facts.shared == ()
    assert (await seen(floor, 2, NOW + HOUR, LookBack(720.0))).facts.shared == ()
    assert (await seen(floor, 2, NOW + 2 * HOUR, LookBack(1.0, phones=True))).facts.shared == ()


async def test_in_one_claim_a_number_is_given_once(floor: Floor) -> None:
    await floor.load(*(home(n, n // 3, alone=True) for n in range(30)))
    first = await claimed(floor, BY_NUMBER, 30)
    assert len(first.leases) == 10
    assert len({lease.phone.e164 for lease in first.leases}) == 10
    assert first.denied == {}  # the others stay due, and are judged by what is true then
    second = await claimed(floor, BY_NUMBER, 30)
    assert second.leases == ()
    assert sum(second.denied.values()) == 20


async def test_who_has_another_number_is_called_on_it(floor: Floor) -> None:
    await floor.load(home(1, 1), home(2, 1))
    (first,) = (await claimed(floor, BY_NUMBER, 1)).leases
    (second,) = (await claimed(floor, BY_NUMBER, 1)).leases
    assert first.phone.e164 == "+576010000001"
    assert second.phone.e164.startswith("+57310")


async def test_a_call_that_goes_on_keeps_the_number(floor: Floor) -> None:
    await floor.load(home(1, 1, alone=True), home(2, 1, alone=True))
    (lease,) = (await claimed(floor, UK, 1)).leases
    busy = JUDGE.verdict(await seen(floor, 2, NOW), UK, NOW)
    assert busy == Deny(Denial.IN_FLIGHT, NOW + MINUTE, "in_flight")
    await over(floor, lease, Outcome.NO_ANSWER, NOW)
    assert isinstance(JUDGE.verdict(await seen(floor, 2, NOW + MINUTE), UK, NOW + MINUTE), Allow)


@pytest.mark.parametrize(("outcome", "hours"), [(Outcome.ABANDONED, 72), (Outcome.MACHINE, 24)])
async def test_an_abandoned_number_is_left_alone_whoever_is_called(floor: Floor, outcome: Outcome, hours: int) -> None:
    await floor.load(home(1, 1, alone=True), home(2, 1, alone=True), home(3, 2, alone=True))
    (lease,) = (await claimed(floor, UK, 1)).leases
    await over(floor, lease, outcome, NOW)
    at = NOW + hours * HOUR - timedelta(seconds=1)
    verdict = JUDGE.verdict(await seen(floor, 2, at), UK, at)
    assert verdict == Deny(Denial.COOL_OFF, NOW + hours * HOUR, verdict.rule)  # type: ignore[union-attr]
    assert isinstance(JUDGE.verdict(await seen(floor, 3, at), UK, at), Allow)
    assert isinstance(JUDGE.verdict(await seen(floor, 2, NOW + hours * HOUR), UK, NOW + hours * HOUR), Allow)
    asked = await claimed(floor, UK, 3, at=at)
    assert [lease.facts.person.id for lease in asked.leases] == [await who(floor, 3)]


async def test_the_re_check_sees_the_number(floor: Floor) -> None:
    """A judge that does not look at others' calls calls an abandoned number again; the re-check finds it."""
    await floor.load(home(1, 1, alone=True), home(2, 1, alone=True))
    (lease,) = (await claimed(floor, UK, 1)).leases
    await over(floor, lease, Outcome.ABANDONED, NOW)

    class Blind(Judge):
        def recorded(self, contact: ContactFacts, settings: CampaignSettings, now: datetime) -> Verdict:
            return super().recorded(replace(contact, facts=replace(contact.facts, shared=())), settings, now)

    (again,) = (await claimed(floor, UK, 1, at=NOW + HOUR, judge=Blind(BUILTIN))).leases
    assert (await walk(floor.store, NOW - DAY, NOW + DAY)).violations == 0
    await over(floor, again, Outcome.NO_ANSWER, NOW + HOUR)
    report = await walk(floor.store, NOW - DAY, NOW + DAY)
    assert report.by_rule == {"UK-72H": 1}
    told = await floor.store.dossier(await who(floor, 2), NOW - DAY)
    assert told is not None
    assert told["shared"] == []  # what a person gets to read tells nothing of others


async def test_what_was_asked_on_a_past_day_is_told_with_the_number(floor: Floor) -> None:
    await floor.load(home(1, 1), home(2, 1))
    (first,) = (await claimed(floor, BY_NUMBER, 1)).leases
    await over(floor, first, Outcome.NO_ANSWER, NOW)
    await claimed(floor, BY_NUMBER, 1, at=NOW + HOUR)
    asked = await floor.store.asked("c1", NOW - DAY, NOW + DAY, LONG)
    assert [(a.at, len(a.contact.facts.shared)) for a in asked][:2] == [(NOW, 0), (NOW + HOUR, 1)]
    short = await floor.store.asked("c1", NOW - DAY, NOW + DAY, LookBack(0.5, phones=True))
    assert [len(a.contact.facts.shared) for a in short][:2] == [0, 0]


async def test_of_many_claims_at_once_none_gives_a_number_twice(floor: Floor, opener: Opener) -> None:
    rng = random.Random(3)
    people = [home(n, rng.randrange(60), alone=rng.random() < 0.7) for n in range(200)]
    await floor.load(*people)
    stores = [floor.store, *[await opener() for _ in range(3)]]
    given: list[str] = []
    for n in itertools.count():
        rounds = await asyncio.gather(*(claimed(floor, BY_NUMBER, rng.choice((3, 20, 100)), by=s) for s in stores))
        leases = [lease for c in rounds for lease in c.leases]
        given += [lease.phone.e164 for lease in leases]
        if not leases and not any(c.denied for c in rounds):
            break
        assert n < 200
    assert len(given) == len(set(given))
    for p in people:  # and nobody is left out who could have been called
        contact = await seen(floor, int(p.doc_number) - 10_000_000, NOW)
        assert contact.facts.in_flight or all(phone.e164 in given for phone in p.phones), p


async def test_of_contacts_made_elsewhere_one_has_the_number(floor: Floor, opener: Opener) -> None:
    people = [home(n, n // 3, alone=True) for n in range(30)]
    await floor.load(*people)
    stores = [floor.store, await opener(), await opener()]

    async def ask(number: int, by: Store) -> bool:
        def gate(contact: ContactFacts) -> Verdict:
            return JUDGE.elsewhere(contact, BY_NUMBER, Channel.SMS, "", NOW)

        key, whom = contact_id_of(str(number)), await who(floor, number)
        asked = Reserve(key, "c1", whom, Channel.SMS, BY_NUMBER.purpose, gate, NOW, "crm", LONG)
        return isinstance((await by.reserve(asked)).verdict, Allow)

    def mobile(p: PersonIn) -> PersonIn:  # no messages to a landline
        return replace(p, phones=tuple(replace(phone, line_type=LineType.MOBILE) for phone in p.phones))

    await floor.load(*map(mobile, people))
    claim = claimed(floor, BY_NUMBER, 30, by=stores[0])
    leases, *allowed = await asyncio.gather(claim, *(ask(n, stores[n % 3]) for n in range(30)))
    assert isinstance(leases, Claimed)
    houses = [n // 3 for n, yes in enumerate(allowed) if yes]
    houses += [int(lease.phone.e164[-7:]) for lease in leases.leases]
    assert len(houses) == len(set(houses)) == 10


async def test_who_is_erased_has_the_number_no_more(floor: Floor) -> None:
    await floor.load(home(1, 1, alone=True), home(2, 1, alone=True))
    (lease,) = (await claimed(floor, UK, 1)).leases
    await over(floor, lease, Outcome.ABANDONED, NOW)
    assert len((await seen(floor, 2, NOW + HOUR)).facts.shared) == 1
    while (await floor.store.seal(Seal("e1", NOW.date(), NOW, floor.token, Key.new(), 100))).more:
        pass
    await floor.store.erase(lease.file.person_id, "ana", "PQR 1", NOW)
    assert (await seen(floor, 2, NOW + HOUR)).facts.shared == ()


async def test_who_shares_one_number_is_called_on_another_in_the_same_claim(floor: Floor) -> None:
    await floor.load(*(home(n, 1) for n in range(60)))
    (first,) = (await claimed(floor, BY_NUMBER, 20)).leases
    assert first.phone.e164 == "+576010000001"
    leases = (await claimed(floor, BY_NUMBER, 20)).leases
    assert len({lease.phone.e164 for lease in leases}) == 20


async def test_a_large_claim_leaves_nobody_out_who_shares_a_number(floor: Floor) -> None:
    for _ in range(3):
        await claimed(floor, BY_NUMBER, 100)  # its connections stand
    await floor.load(*(home(n, 1, alone=True) for n in range(150)))
    assert len((await claimed(floor, BY_NUMBER, 100)).leases) == 1
    rest = await claimed(floor, BY_NUMBER, 100)
    assert (rest.leases, rest.denied) == ((), {Denial.IN_FLIGHT: 149})


async def test_what_is_explained_is_what_is_done_beside_a_campaign_that_asks_for_numbers(floor: Floor) -> None:
    """One list is worked under a law about numbers, the other is not: its calls do not wait for the number."""
    await floor.load(home(1, 1, alone=True), home(2, 1, alone=True))
    await floor.store.set_campaign("c1", UK, "ana", "", NOW)
    await floor.store.create_campaign(campaign("c2"), "ana")
    await floor.load(home(2, 1, alone=True), to="c2")
    (lease,) = (await claimed(floor, UK, 1)).leases
    assert lease.facts.person.id == await who(floor, 1)
    told = await People(floor.store, JUDGE).explain_person(await who(floor, 2), NOW, "ana", NOW)
    assert {e.contact.campaign_id: isinstance(e.verdict, Allow) for e in told} == {"c1": False, "c2": True}
