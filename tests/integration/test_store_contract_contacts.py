"""Contacts that something else than the dialer makes, on both stores: the gate's answer, the counters, the evidence."""

# ruff: noqa: F811  # fixtures come by import
from __future__ import annotations

import asyncio
import random
import sys
from collections.abc import Callable
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
    databases,
    dial_first,
    floor,
    opener,
    owed,
    person,
    store,
)

from cadencia.compliance.judge import Judge
from cadencia.config.profiles import builtin
from cadencia.dialer.nightly import walk
from cadencia.domain.codes import Denial, Outcome
from cadencia.domain.contacts import Became, Inbound, Reserved, contact_id_of
from cadencia.domain.dialing import CampaignSettings, ContactFacts, Next
from cadencia.domain.law import Allow, Channel, Deny, LookBack, Purpose, Reach, Verdict
from cadencia.domain.ledger import ConsentIn
from cadencia.errors import Refused
from cadencia.store.port import Reserve, Store

JUDGE = Judge(builtin())
SETTINGS = CampaignSettings()
DAY = timedelta(days=1)
LOOK_BACK = LookBack(30 * 24.0)


async def who(floor: Floor, number: int = 1) -> int:
    return await floor.store.person_id("CC", str(10_000_000 + number))


async def opened(floor: Floor, *numbers: int) -> None:
    """Persons who authorised every channel."""
    await floor.load(*(person(n, phones=2) for n in numbers))
    grants = [ConsentIn(await who(floor, n), True, NOW - 20 * DAY, how="call") for n in numbers]
    await floor.store.change(grants, "ana", NOW - 20 * DAY)


async def ask(
    floor: Floor,
    key: str,
    channel: Channel = Channel.SMS,
    *,
    number: int = 1,
    at: datetime = NOW,
    e164: str = "",
    settings: CampaignSettings = SETTINGS,
    judge: Callable[[ContactFacts], Verdict] | None = None,
    store: Store | None = None,
    campaign: str = "c1",
) -> Reserved:
    def gate(contact: ContactFacts) -> Verdict:
        return JUDGE.elsewhere(contact, settings, channel, e164, at)

    asked = Reserve(
        *(contact_id_of(key), campaign, await who(floor, number), channel, settings.purpose),
        *(judge or gate, at, "crm", LOOK_BACK),
    )
    return await (store or floor.store).reserve(asked)


def denial(answer: Reserved) -> Denial | None:
    return answer.verdict.code if isinstance(answer.verdict, Deny) else None


async def touches(floor: Floor, number: int = 1, at: datetime = NOW + 60 * DAY) -> list[tuple[str, Reach, str, bool]]:
    (seen,) = await floor.store.contacts_of(await who(floor, number), at, LookBack(60 * 24.0))
    return [(str(t.channel), t.reach, t.code, t.inbound) for t in seen.facts.touches]


async def told(floor: Floor, *kinds: str) -> list[tuple[str, str | None]]:
    return [(e.kind, e.attempt_id) for e in await floor.store.events(kinds=kinds)]


CONTACT_KINDS = ("contact.reserved", "contact.refused", "contact.outcome", "contact.inbound")


async def test_a_message_is_allowed_counted_and_written_down(floor: Floor) -> None:
    await opened(floor, 1)
    answer = await ask(floor, "m1")
    assert isinstance(answer.verdict, Allow)
    assert answer.verdict.phone is not None
    assert answer.verdict.phone.e164 == person(1, phones=2).phones[0].e164
    assert (answer.contact_id, answer.at, answer.repeated) == (contact_id_of("m1"), NOW, False)
    assert await touches(floor) == [("sms", Reach.ATTEMPT, "", False)]
    (event,) = await floor.store.events(kinds=CONTACT_KINDS)
    assert (event.kind, event.campaign_id, event.attempt_id) == ("contact.reserved", "c1", answer.contact_id)
    assert event.contact_id is not None
    assert event.body["channel"] == "sms"
    assert event.body["by"] == "crm"
    assert event.body["facts"]["ring_s"] == 0.0
    assert [name for name, *_ in event.body["profiles"]] == ["co-ley2300", "house"]


async def test_the_same_key_answers_the_same_and_counts_once(floor: Floor) -> None:
    await opened(floor, 1, 2)
    first = await ask(floor, "m1")
    again = await ask(floor, "m1", at=NOW + 11 * HOUR)  # at 20:00 the gate would say no
    assert (again.contact_id, again.at, again.repeated) == (first.contact_id, first.at, True)
    assert again.verdict == first.verdict
    assert len(await touches(floor)) == 1
    assert len(await told(floor, *CONTACT_KINDS)) == 1
    for other in ({"number": 2}, {"channel": Channel.EMAIL}, {"settings": replace(SETTINGS, purpose=Purpose.REMINDER)}):
        with pytest.raises(Refused, match="another contact"):
            await ask(floor, "m1", **other)  # type: ignore[arg-type]
    assert await touches(floor, 2) == []


async def test_a_denial_writes_nothing_but_that_and_is_asked_anew(floor: Floor) -> None:
    await floor.load(person(1))  # authorised calls only
    answer = await ask(floor, "m1")
    assert answer.verdict == Deny(Denial.CONSENT, None, "co-ley2300:consent")
    assert denial(await ask(floor, "m1", at=NOW + MINUTE)) is Denial.CONSENT
    assert await touches(floor) == []
    first, again = await floor.store.events(kinds=CONTACT_KINDS)
    assert {first.kind, again.kind} == {"contact.refused"}
    assert first.body["code"] == "BLQ-CONSENT"
    assert first.body["profiles"]
    assert "again" not in first.body
    assert again.body["again"] is True
    await floor.store.change([ConsentIn(await who(floor), True, NOW, Channel.SMS)], "ana", NOW)
    answer = await ask(floor, "m1", at=NOW + 2 * MINUTE)
    assert isinstance(answer.verdict, Allow)
    assert not answer.repeated
    (listed,) = await floor.store.contacts("c1", NOW, LookBack())
    assert listed.denied is None  # a message's denial is none of the list item's


async def test_nobody_is_contacted_whom_the_campaign_does_not_hold(floor: Floor) -> None:
    await opened(floor, 1)
    with pytest.raises(Refused, match="no campaign"):
        await ask(floor, "m1", campaign="nothing")
    await floor.store.create_campaign(replace((await floor.store.campaigns())[0], id="c2"), "ana")
    with pytest.raises(Refused, match="not on the list"):
        await ask(floor, "m1", campaign="c2")
    asked = Reserve("c-1", "c1", 999_999, Channel.SMS, Purpose.COLLECTION, dial_first, NOW, "crm")
    with pytest.raises(Refused, match="no person"):
        await floor.store.reserve(asked)


async def test_a_number_must_be_the_persons_and_usable(floor: Floor) -> None:
    await opened(floor, 1, 2)
    mine, fixed = (p.e164 for p in person(1, phones=2).phones)
    assert denial(await ask(floor, "m1", e164=person(2).phones[0].e164)) is Denial.NO_PHONE
    answer = await ask(floor, "m2", Channel.VOICE, e164=fixed)
    assert isinstance(answer.verdict, Allow)
    assert answer.verdict.phone is not None
    assert answer.verdict.phone.e164 == fixed
    await floor.store.contact_became(answer.contact_id, Became.FAILED, "NOA", "crm", NOW)
    chosen = await ask(floor, "m3", Channel.WHATSAPP)
    assert isinstance(chosen.verdict, Allow)
    assert chosen.verdict.phone is not None
    assert chosen.verdict.phone.e164 == mine  # a message needs a mobile
    letter = await ask(floor, "m4", Channel.EMAIL, number=2)
    assert letter.verdict == Allow(None)


async def test_a_call_under_way_denies_a_message_and_a_message_counts_for_calls(floor: Floor) -> None:
    await opened(floor, 1)
    lease = await floor.dialled()
    assert denial(await ask(floor, "m1", at=NOW + MINUTE)) is Denial.IN_FLIGHT
    assert (await ask(floor, "m1b", judge=lambda _: Allow(), at=NOW + MINUTE)).verdict == Deny(
        Denial.IN_FLIGHT, None, "in_flight"
    )
    await floor.settle(lease, Outcome.NO_ANSWER, next=Next(NOW))
    capped = replace(SETTINGS, attempts_per_day=2)
    assert denial(await ask(floor, "m2", at=NOW + 2 * MINUTE, settings=capped)) is None
    assert denial(await ask(floor, "m3", at=NOW + 3 * MINUTE, settings=capped)) is Denial.FREQUENCY
    (contact,) = await floor.store.contacts("c1", NOW + 4 * MINUTE, LookBack(24.0))
    verdict = JUDGE.verdict(contact, capped, NOW + 4 * MINUTE)
    assert isinstance(verdict, Deny)
    assert verdict.rule == "house:attempts-per-day"


async def test_what_was_not_sent_after_all_does_not_count(floor: Floor) -> None:
    await opened(floor, 1)
    capped = replace(SETTINGS, attempts_per_day=1)
    first = await ask(floor, "m1", settings=capped)
    assert denial(await ask(floor, "m2", at=NOW + MINUTE, settings=capped)) is Denial.FREQUENCY
    await floor.store.contact_became(first.contact_id, Became.UNSENT, "unsent", "crm", NOW + 2 * MINUTE)
    (event,) = await floor.store.events(kinds=("contact.outcome",))
    assert (event.attempt_id, event.body["outcome"], event.body["by"]) == (first.contact_id, "unsent", "crm")
    with pytest.raises(Refused):
        await floor.store.contact_became(first.contact_id, Became.DELIVERED, "", "crm", NOW + 2 * MINUTE)
    second = await ask(floor, "m1", at=NOW + 3 * MINUTE, settings=capped)
    assert isinstance(second.verdict, Allow)
    assert not second.repeated
    await floor.store.contact_became(second.contact_id, Became.DELIVERED, "delivered", "crm", NOW + 4 * MINUTE)
    await floor.store.contact_became(second.contact_id, Became.UNSENT, "unsent", "crm", NOW + 5 * MINUTE)  # too late
    assert denial(await ask(floor, "m3", at=NOW + 6 * MINUTE, settings=capped)) is Denial.FREQUENCY
    assert [e.body["outcome"] for e in await floor.store.events(kinds=("contact.outcome",))] == ["unsent", "delivered"]


async def test_a_call_by_hand_keeps_the_dialer_away_until_its_outcome(floor: Floor) -> None:
    await opened(floor, 1)
    answer = await ask(floor, "call", Channel.VOICE)

    async def said(at: datetime) -> Denial | None:
        (contact,) = await floor.store.contacts("c1", at, LookBack(24.0))
        verdict = JUDGE.verdict(contact, SETTINGS, at)
        return verdict.code if isinstance(verdict, Deny) else None

    assert await said(NOW + MINUTE) is Denial.IN_FLIGHT
    assert await said(NOW + 2 * HOUR) is None  # who never tells does not keep the person out of reach for ever
    await floor.store.contact_became(answer.contact_id, Became.CONVERSATION, "TMS", "crm", NOW + MINUTE)
    assert await said(NOW + 2 * MINUTE) is None  # a third party
    await floor.store.contact_became(answer.contact_id, Became.CONVERSATION, "SCP", "crm", NOW + 3 * MINUTE)
    assert await said(NOW + 4 * MINUTE) is Denial.COOL_OFF
    assert await touches(floor) == [("voice", Reach.TWO_WAY, "SCP", False)]


async def test_what_became_of_it_moves_how_far_it_got(floor: Floor) -> None:
    await opened(floor, 1)
    answer = await ask(floor, "m1")
    number = answer.contact_id
    await floor.store.contact_became(number, Became.DELIVERED, "delivered", "crm", NOW + MINUTE)
    assert await touches(floor) == [("sms", Reach.RANG, "delivered", False)]
    assert denial(await ask(floor, "m2", Channel.EMAIL, at=NOW + 2 * MINUTE)) is None
    for _ in range(2):
        await floor.store.contact_became(number, Became.REPLIED, "replied", "crm", NOW + 5 * MINUTE)
    await floor.store.contact_became(number, Became.DELIVERED, "delivered", "crm", NOW + 6 * MINUTE)
    assert await touches(floor) == [
        ("sms", Reach.TWO_WAY, "replied", False),
        ("email", Reach.ATTEMPT, "", False),
        ("sms", Reach.TWO_WAY, "replied", True),
    ]
    assert denial(await ask(floor, "m3", at=NOW + 7 * MINUTE)) is Denial.COOL_OFF  # once a day
    late = NOW + 7 * DAY
    assert denial(await ask(floor, "m4", Channel.EMAIL, at=late)) is Denial.CHANNEL  # 7 days after the reply
    assert denial(await ask(floor, "m4", Channel.EMAIL, at=late + 6 * MINUTE)) is None
    kinds = [kind for kind, _ in await told(floor, "contact.outcome")]
    assert len(kinds) == 2
    for unknown in ("c-nothing", f"{number}-r", "att-1"):
        with pytest.raises(Refused, match="reserved"):
            await floor.store.contact_became(unknown, Became.FAILED, "failed", "crm", NOW)


async def test_an_answer_is_about_the_debts_of_what_it_answers(floor: Floor) -> None:
    await opened(floor, 1)
    sent = await ask(floor, "m1")
    await floor.load(replace(person(1, phones=2), obligations=(owed(1), owed(2))))
    await floor.store.contact_became(sent.contact_id, Became.REPLIED, "replied", "crm", NOW + MINUTE)
    (seen,) = await floor.store.contacts_of(await who(floor), NOW + HOUR, LOOK_BACK)
    message, answer = seen.facts.touches
    assert answer.inbound
    assert len(seen.person.debts) == 2
    assert len(message.debts) == 1
    assert answer.debts == message.debts


async def test_an_outcome_blocks_and_revokes_as_a_disposition_does(floor: Floor) -> None:
    await opened(floor, 1, 2)
    one, two = await ask(floor, "m1"), await ask(floor, "m2", number=2)
    await floor.store.contact_became(one.contact_id, Became.REPLIED, "NOC", "crm", NOW + MINUTE)
    await floor.store.contact_became(two.contact_id, Became.REPLIED, "DIS", "crm", NOW + MINUTE)
    later = NOW + 9 * DAY
    assert denial(await ask(floor, "m3", at=later)) is Denial.CONSENT
    assert denial(await ask(floor, "m4", Channel.EMAIL, at=later)) is None
    assert denial(await ask(floor, "m5", Channel.EMAIL, number=2, at=later)) is Denial.BLOCKED


async def test_what_the_person_began_starts_the_week_and_overtakes_a_lease(floor: Floor) -> None:
    await opened(floor, 1)
    lease = await floor.lease()
    wrote = Inbound(contact_id_of("in1"), await who(floor), Channel.WHATSAPP, Purpose.COLLECTION, "INF", "crm")
    assert await floor.store.take_inbound(wrote, NOW) is True
    assert await floor.store.take_inbound(wrote, NOW + MINUTE) is False
    with pytest.raises(Refused, match="another contact"):
        await floor.store.take_inbound(replace(wrote, channel=Channel.SMS), NOW)
    with pytest.raises(Refused, match="no person"):
        await floor.store.take_inbound(replace(wrote, contact_id="c-2", person_id=999_999), NOW)
    assert await floor.store.overtaken([lease.attempt_id]) == {lease.attempt_id}
    assert await floor.send(lease) == frozenset()
    await floor.store.give_back([lease.attempt_id], floor.token, "overtaken", NOW)
    assert await touches(floor) == [("whatsapp", Reach.TWO_WAY, "INF", True)]
    assert denial(await ask(floor, "m1", at=NOW + DAY)) is Denial.CHANNEL
    strict = replace(SETTINGS, profiles=("us-regf",))  # no limit of it counts what the person began
    (contact,) = await floor.store.contacts("c1", NOW + HOUR, LookBack(24.0))
    assert isinstance(JUDGE.verdict(contact, strict, NOW + HOUR), Allow)


@pytest.mark.parametrize("same", [False, True], ids=["two keys", "one key"])
async def test_of_two_at_once_one_is_allowed(floor: Floor, opener: Opener, same: bool) -> None:
    await opened(floor, *range(1, 11))
    other, capped = await opener(), replace(SETTINGS, attempts_per_day=1)
    for n in range(1, 11):
        asked = [
            ask(floor, f"{n}-{0 if same else k}", number=n, settings=capped, store=s)
            for k, s in enumerate((floor.store, other, floor.store, other))
        ]
        answers = await asyncio.gather(*asked)
        fresh = [a for a in answers if isinstance(a.verdict, Allow) and not a.repeated]
        assert len(fresh) == 1
        rest = [a for a in answers if a is not fresh[0]]
        assert all(a.repeated if same else denial(a) is Denial.FREQUENCY for a in rest)
        assert len(await touches(floor, n)) == 1


async def test_a_claim_and_a_message_at_once_count_together(floor: Floor, opener: Opener) -> None:
    numbers = range(1, 21)
    await opened(floor, *numbers)
    other, capped = await opener(), replace(SETTINGS, attempts_per_day=1)
    claim = floor.claim(20, judge=lambda contact: JUDGE.verdict(contact, capped, NOW))
    asked = [ask(floor, f"m{n}", number=n, settings=capped, store=other) for n in numbers]
    claimed, *answers = await asyncio.gather(claim, *asked)
    leased = {lease.facts.person.id for lease in claimed.leases}
    for n, answer in zip(numbers, answers, strict=True):
        allowed = isinstance(answer.verdict, Allow)
        assert not (allowed and await who(floor, n) in leased)
        assert allowed or denial(answer) in (Denial.IN_FLIGHT, Denial.FREQUENCY)
        assert len(await touches(floor, n)) <= 1


# -- judged again ------------------------------------------------------------------------------------------------------
CHANNELS = (Channel.SMS, Channel.EMAIL, Channel.WHATSAPP, Channel.VOICE)


async def made(
    floor: Floor, profiles: tuple[str, ...], *, spoilt: Callable[[Verdict], Verdict] | None = None, seed: int = 5
) -> int:
    """Three weeks of calls, messages and answers; how many contacts were allowed, and made.

    Args:
        spoilt: what becomes of every fortieth verdict on a message.
    """
    rng, allowed = random.Random(seed), 0
    later: list[tuple[datetime, str, Became]] = []
    settings = replace(SETTINGS, profiles=profiles, attempts_per_day=4)
    await opened(floor, *range(1, 9))
    at = NOW
    for turn in range(360):
        at += timedelta(minutes=rng.randrange(20, 160))
        if rng.random() < 0.35:
            claimed = await floor.claim(1, at=at, judge=lambda c, at=at: JUDGE.recorded(c, settings, at))  # type: ignore[misc]
            for lease in claimed.leases:
                if await floor.send(lease, at=at):
                    outcome = rng.choice((Outcome.NO_ANSWER, Outcome.CONNECTED, Outcome.MACHINE))
                    end = at + timedelta(seconds=rng.randrange(20, 400))
                    then = Next(end + 3 * HOUR)
                    await floor.settle(lease, outcome, ended_at=end, answered_at=at, next=then)
                    at, allowed = end, allowed + 1
            continue
        n, channel = rng.randrange(1, 9), rng.choice(CHANNELS)

        def gate(c: ContactFacts, channel: Channel = channel, at: datetime = at, turn: int = turn) -> Verdict:
            verdict = JUDGE.elsewhere(c, settings, channel, "", at)
            return spoilt(verdict) if spoilt is not None and turn % 40 == 7 else verdict

        answer = await ask(floor, f"k{turn}", channel, number=n, at=at, settings=settings, judge=gate)
        if isinstance(answer.verdict, Allow):
            allowed += 1
            until = at + timedelta(minutes=rng.randrange(1, 20 if channel is Channel.VOICE else 4000))
            at = until if channel is Channel.VOICE else at
            later.append((until, answer.contact_id, rng.choice(tuple(Became))))
        for due in [x for x in later if x[0] <= at]:
            later.remove(due)
            await floor.store.contact_became(due[1], due[2], str(due[2]), "crm", at)
            allowed -= due[2] is Became.UNSENT
        if rng.random() < 0.05:
            wrote = Inbound(
                *(contact_id_of(f"in{turn}"), await who(floor, rng.randrange(1, 9)), rng.choice(CHANNELS)),
                *(settings.purpose, "INF", "crm"),
            )
            await floor.store.take_inbound(wrote, at)
    return allowed


@pytest.mark.parametrize("profiles", [("co-ley2300",), ("co-estricto",), ("cl",), ("us-regf",), ("co-ley2300", "uk")])
async def test_calls_and_messages_together_are_lawful_when_judged_again(
    floor: Floor, profiles: tuple[str, ...]
) -> None:
    allowed = await made(floor, profiles)
    report = await walk(floor.store, NOW - DAY, NOW + 60 * DAY)
    assert report.violations == 0, report.first[:3]
    assert report.contacts == allowed > 20


def unwritten(verdict: Verdict) -> Verdict:
    """A message goes out, and nothing tells what allowed it."""
    return Allow(verdict.phone if isinstance(verdict, Allow) else None)


def forced(verdict: Verdict) -> Verdict:
    """A message goes out though the gate said no."""
    return Allow(None, verdict.basis) if isinstance(verdict, Deny) else verdict


@pytest.mark.parametrize(("spoilt", "rules"), [(unwritten, {"PROFILE"}), (forced, {"CO-3", "CO-4"})])
async def test_a_message_that_the_gate_did_not_allow_is_found(
    floor: Floor, spoilt: Callable[[Verdict], Verdict], rules: set[str]
) -> None:
    await made(floor, ("co-ley2300",), spoilt=spoilt)
    report = await walk(floor.store, NOW - DAY, NOW + 60 * DAY)
    assert rules & set(report.by_rule), report.by_rule
    assert 0 < report.violations < report.contacts
