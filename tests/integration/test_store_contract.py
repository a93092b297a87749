"""The store's contract, dialling: every sentence of the port, held against both adapters."""

# ruff: noqa: F811  # fixtures come by import
from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta
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
    used,
)

from cadencia.domain.codes import Denial, Outcome
from cadencia.domain.dialing import (
    AttemptState,
    CampaignState,
    ContactFacts,
    Mark,
    Next,
    Settlement,
)
from cadencia.domain.events import Event
from cadencia.domain.law import Allow, Channel, Deny, Reach, Verdict
from cadencia.domain.people import Money, PhoneStatus, Role
from cadencia.errors import LeadershipLost, StoreError
from cadencia.store.port import Store

DAY = 24 * HOUR


async def kinds(store: Store, *wanted: str) -> list[Event]:
    return list(await store.events(kinds=wanted))


def names(leases: Sequence[object]) -> list[str]:
    return [lease.file.doc_number for lease in leases]  # type: ignore[attr-defined]


# -- leadership -------------------------------------------------------------------------------------------------------
async def test_each_leader_gets_a_larger_token_and_only_one_leads(opener: Opener) -> None:
    one, two = await opener(), await opener()
    first = await one.lead("engine-1", NOW)
    with pytest.raises(StoreError) as refused:
        await two.lead("engine-2", NOW)
    assert refused.value.code == "CAD-STORE"
    assert "engine-1" in refused.value.hint
    await one.close()
    second = await two.lead("engine-2", NOW + MINUTE)
    assert second > first > 0
    led = await kinds(two, "engine.led")
    assert [e.body for e in led] == [{"token": first, "holder": "engine-1"}, {"token": second, "holder": "engine-2"}]


async def test_leading_again_gives_a_newer_token(store: Store) -> None:
    assert await store.lead("engine-1", NOW) < await store.lead("engine-1", NOW)


async def test_a_stale_token_writes_nothing(opener: Opener) -> None:
    one, two = await opener(), await opener()
    old = Floor(one)
    await old.open([person(1), person(2)])
    leased, sent = await old.lease(), await old.dialled()
    await one.close()
    one = await opener()  # the old engine does not know yet
    await two.lead("engine-2", NOW)
    written = len(await two.events())
    with pytest.raises(LeadershipLost):
        await Floor(one, old.token).claim()
    with pytest.raises(LeadershipLost):
        await one.mark_sending([leased.attempt_id], old.token, NOW)
    with pytest.raises(LeadershipLost):
        await one.give_back([leased.attempt_id], old.token, "late", NOW)
    with pytest.raises(LeadershipLost):
        await one.settle([Settlement(sent.attempt_id, Outcome.BUSY, NOW, Next(None))], old.token)
    assert len(await two.events()) == written
    assert {a.state for a in await two.open_attempts()} == {AttemptState.LEASED, AttemptState.SENDING}


# -- claims -----------------------------------------------------------------------------------------------------------
async def test_best_first_priority_then_due_time_then_id(floor: Floor) -> None:
    await floor.load(person(1, days=5), person(2, days=90), person(3, days=90), at=NOW)
    await floor.load(person(4, days=90), at=NOW - HOUR)
    claimed = await floor.claim(3)
    assert names(claimed.leases) == ["10000004", "10000002", "10000003"]
    assert claimed.denied == {}
    assert names((await floor.claim(3)).leases) == ["10000001"]


async def test_a_large_claim_brings_as_many_and_the_best(floor: Floor) -> None:
    """PostgreSQL takes it in two halves at once: nobody is brought twice, only the slack of a page is passed over."""
    await floor.load(*(person(n, days=300 - n) for n in range(200)))

    def judge(facts: ContactFacts) -> Verdict:
        odd = int(facts.phones[0].e164[6:10]) % 10 == 9
        return Deny(Denial.HOURS, NOW + HOUR) if odd else dial_first(facts)

    claimed = await floor.claim(100, judge=judge)
    brought = {int(lease.file.doc_number) - 10_000_000 for lease in claimed.leases}
    assert len(claimed.leases) == len(brought) == 100
    assert not any(n % 10 == 9 for n in brought)
    assert max(brought) < 100 + 12 + 2 * 8 + 12  # those denied, and the slack
    assert 10 <= claimed.denied[Denial.HOURS] <= 14
    assert len(await kinds(floor.store, "contact.denied")) == claimed.denied[Denial.HOURS]
    assert len(await kinds(floor.store, "attempt.leased")) == 100


async def test_only_what_is_due_is_leased(floor: Floor) -> None:
    await floor.load(person(1), at=NOW + HOUR)
    assert (await floor.claim(at=NOW + HOUR - MINUTE)).leases == ()
    assert len((await floor.claim(at=NOW + HOUR)).leases) == 1


async def test_a_lease_carries_the_whole_file(floor: Floor) -> None:
    both = replace(person(1, phones=3), obligations=(owed(1, days=3), owed(7, days=40, role=Role.CODEBTOR)))
    await floor.load(both)
    lease = await floor.lease()
    assert lease.campaign_id == "c1"
    assert lease.leased_at == NOW
    assert lease.phone == lease.facts.phones[0] == lease.file.phones[0]
    assert lease.file == await floor.store.file(lease.facts.person.id)
    assert [o.number for o in lease.file.obligations] == ["OB-7", "OB-1"]
    assert lease.file.obligations[1].balance == Money(123_456_00, "COP")
    assert lease.file.obligations[1].due_date == date(2026, 11, 21)
    assert [p.position for p in lease.file.phones] == [0, 1, 2]
    assert lease.file.name == "Añez Peña 1"
    assert lease.file.history == ()
    assert lease.facts.person.roles == {Role.HOLDER, Role.CODEBTOR}
    assert lease.facts.person.debts == {o.id for o in lease.file.obligations}
    assert lease.facts.person.creditors == {"Banco Andino Ejemplo"}
    (consent,) = lease.facts.facts.consents
    assert (consent.granted, consent.at, consent.channel) == (True, NOW - 30 * DAY, Channel.VOICE)
    (event,) = await kinds(floor.store, "attempt.leased")
    assert (event.attempt_id, event.contact_id, event.campaign_id, event.at) == (
        lease.attempt_id,
        lease.contact_id,
        "c1",
        NOW,
    )


async def test_facts_before_the_first_attempt(floor: Floor) -> None:
    await floor.load(person(1))
    facts = (await floor.lease()).facts
    assert (facts.person.blocked, facts.facts.in_flight, facts.last_phone_id) == (None, False, None)
    assert (facts.facts.touches, facts.attempts, facts.denied) == ((), 0, None)


async def test_facts_after_an_attempt(floor: Floor) -> None:
    await floor.load(person(1))
    first = await floor.dialled()
    await floor.settle(first, Outcome.NO_ANSWER)
    facts = await floor.facts(at=NOW + 3 * HOUR)
    (touch,) = facts.facts.touches
    assert (touch.at, touch.channel, touch.reach, touch.code) == (NOW, Channel.VOICE, Reach.RANG, "NOA")
    assert (touch.phone_id, touch.debts) == (first.phone.id, facts.person.debts)
    assert (facts.attempts, facts.last_phone_id, facts.facts.in_flight) == (1, first.phone.id, False)


@pytest.mark.parametrize(("later", "today", "week"), [(0, 1, 1), (1, 0, 1), (6, 0, 1), (7, 0, 0)])
async def test_counters_look_back_seven_local_dates(floor: Floor, later: int, today: int, week: int) -> None:
    await floor.load(person(1))
    await floor.settle(await floor.dialled(), Outcome.NO_ANSWER)
    facts = await floor.facts(at=NOW + 2 * HOUR + later * DAY)
    at = NOW + 2 * HOUR + later * DAY
    assert (used(facts, at), used(facts, at, 7)) == (today, week)


async def test_the_date_is_that_of_the_persons_zone(floor: Floor) -> None:
    """04:30 UTC is still the evening before in Bogotá, and the morning in Madrid."""
    early = NOW.replace(hour=4, minute=30)
    await floor.load(person(1), person(2, timezone="Europe/Madrid"), at=early)
    for lease in (await floor.claim(at=early)).leases:
        await floor.send(lease, at=early)
        await floor.settle(lease, Outcome.NO_ANSWER, ended_at=early + MINUTE, next=Next(early + MINUTE))
    seen: dict[str, int] = {}

    def look(facts: ContactFacts) -> Verdict:
        seen[facts.person.zones[0]] = used(facts, early + HOUR)
        return Deny(Denial.FREQUENCY, None)

    await floor.claim(at=early + HOUR, judge=look)
    assert seen == {"America/Bogota": 0, "Europe/Madrid": 1}


async def test_a_denial_puts_the_item_off_and_is_told(floor: Floor) -> None:
    await floor.load(person(1))
    claimed = await floor.claim(judge=lambda f: Deny(Denial.HOURS, NOW + HOUR))
    assert claimed.leases == ()
    assert claimed.denied == {Denial.HOURS: 1}
    (event,) = await kinds(floor.store, "contact.denied")
    assert event.body == {"code": "BLQ-HORARIO", "retry_at": (NOW + HOUR).isoformat(), "rule": ""}
    assert (event.attempt_id, event.campaign_id) == (None, "c1")
    assert (await floor.claim(at=NOW + HOUR - MINUTE)).leases == ()
    assert len((await floor.claim(at=NOW + HOUR)).leases) == 1


async def test_a_denial_without_retry_closes_the_item(floor: Floor) -> None:
    await floor.load(person(1))
    await floor.claim(judge=lambda f: Deny(Denial.CONSENT, None))
    assert (await floor.claim(at=NOW + 365 * DAY)).leases == ()
    assert (await floor.store.counts("c1")).contacts_closed == 1
    (event,) = await kinds(floor.store, "contact.denied")
    assert event.body["retry_at"] is None


async def test_scan_limits_how_many_are_looked_at(floor: Floor) -> None:
    await floor.load(*(person(n) for n in range(30)))
    claimed = await floor.claim(5, scan=12, judge=lambda f: Deny(Denial.HOURS, NOW + HOUR))
    assert claimed.denied == {Denial.HOURS: 12}


async def test_denied_candidates_make_room_for_the_next(floor: Floor) -> None:
    await floor.load(*(person(n, days=100 - n) for n in range(60)))
    dial_last = 10_000_050

    def judge(facts: ContactFacts) -> Verdict:
        number = int(facts.phones[0].e164[6:10])
        return Allow(facts.phones[0]) if number + 10_000_000 >= dial_last else Deny(Denial.FREQUENCY, NOW + DAY)

    claimed = await floor.claim(4, judge=judge)
    assert names(claimed.leases) == [str(dial_last + k) for k in range(4)]
    assert claimed.denied == {Denial.FREQUENCY: 50}


async def test_an_item_is_asked_about_once_a_claim(floor: Floor) -> None:
    await floor.load(person(1), person(2))
    asked: list[int] = []

    def judge(facts: ContactFacts) -> Verdict:
        asked.append(facts.contact_id)
        return Deny(Denial.HOURS, NOW)

    assert (await floor.claim(judge=judge)).denied == {Denial.HOURS: 2}
    assert len(set(asked)) == len(asked) == 2


async def test_a_judge_that_fails_changes_nothing(floor: Floor) -> None:
    await floor.load(person(1), person(2))

    def judge(facts: ContactFacts) -> Verdict:
        raise RuntimeError("boom")

    with pytest.raises(RuntimeError, match="boom"):
        await floor.claim(judge=judge)
    assert len((await floor.claim()).leases) == 2


async def test_no_second_attempt_on_a_person_even_if_the_judge_says_so(store: Store) -> None:
    floor = Floor(store, campaigns=["c1", "c2"])
    await floor.open([person(1)])
    await floor.load(person(1), to="c2")
    lease = await floor.lease()
    seen: list[bool] = []

    def judge(facts: ContactFacts) -> Verdict:
        seen.append(facts.facts.in_flight)
        return dial_first(facts)

    assert (await floor.claim(of="c2", judge=judge)).leases == ()
    assert seen == [True]
    await floor.store.give_back([lease.attempt_id], floor.token, "no agent", NOW)
    assert len((await floor.claim(of="c2")).leases) == 1


async def test_claims_of_an_unknown_campaign_bring_nothing(floor: Floor) -> None:
    assert (await floor.claim(of="nobody's")).leases == ()


# -- sending and giving back ------------------------------------------------------------------------------------------
async def test_sending_is_told_once(floor: Floor) -> None:
    await floor.load(person(1))
    lease = await floor.lease()
    assert await floor.send(lease) == {lease.attempt_id}
    assert await floor.send(lease) == frozenset()
    assert await floor.store.mark_sending(["unknown"], floor.token, NOW) == frozenset()
    assert len(await kinds(floor.store, "attempt.sending")) == 1
    (open_attempt,) = await floor.store.open_attempts()
    assert open_attempt.state is AttemptState.SENDING


async def test_nothing_is_sent_while_the_campaign_does_not_run(floor: Floor) -> None:
    await floor.load(person(1))
    lease = await floor.lease()
    for state in (CampaignState.PAUSED, CampaignState.STOPPED):
        await floor.store.set_campaign_state("c1", state, "ana", "lunch", NOW)
        assert await floor.send(lease) == frozenset()
    await floor.store.set_campaign_state("c1", CampaignState.RUNNING, "ana", "back", NOW)
    assert await floor.send(lease) == {lease.attempt_id}


@pytest.mark.parametrize("harm", [{"block_person": True}, {"revoke_channel": True}, {"kill_phone": True}])
async def test_what_was_blocked_meanwhile_is_not_sent(store: Store, harm: dict[str, bool]) -> None:
    floor = Floor(store, campaigns=["c1", "c2"])
    await floor.open([person(1)])
    await floor.load(person(1), to="c2")
    talked = await floor.talked()
    lease = await floor.lease(of="c2")
    await floor.dispose(talked, "NOC", **harm)
    assert await floor.send(lease) == frozenset()
    (left,) = await store.open_attempts()
    assert left.state is AttemptState.LEASED


async def test_giving_back_restores_everything(floor: Floor) -> None:
    await floor.load(person(1))
    lease = await floor.lease()
    await floor.store.give_back([lease.attempt_id, "unknown"], floor.token, "no agent", NOW + MINUTE)
    await floor.store.give_back([lease.attempt_id], floor.token, "again", NOW + MINUTE)
    (event,) = await kinds(floor.store, "attempt.returned")
    assert (event.attempt_id, event.body) == (lease.attempt_id, {"reason": "no agent"})
    assert await floor.store.open_attempts() == ()
    assert (await floor.store.counts("c1")).attempts == 0
    again = await floor.lease(at=NOW + MINUTE)
    assert again.facts == lease.facts


async def test_what_is_given_back_for_later_is_not_due_before(floor: Floor) -> None:
    await floor.load(person(1), person(2))
    leases = (await floor.claim()).leases
    ids = [lease.attempt_id for lease in leases]
    await floor.store.give_back(ids[:1], floor.token, "skipped:otro", NOW, NOW + HOUR)
    await floor.store.give_back(ids[1:], floor.token, "no agent", NOW)
    assert [lease.contact_id for lease in (await floor.claim()).leases] == [leases[1].contact_id]
    assert (await floor.claim(at=NOW + HOUR - MINUTE)).leases == ()
    (later,) = (await floor.claim(at=NOW + HOUR)).leases
    assert later.contact_id == leases[0].contact_id
    assert later.facts == leases[0].facts


async def test_what_was_sent_cannot_be_given_back(floor: Floor) -> None:
    await floor.load(person(1))
    lease = await floor.dialled()
    await floor.store.give_back([lease.attempt_id], floor.token, "too late", NOW)
    assert [a.state for a in await floor.store.open_attempts()] == [AttemptState.SENDING]
    assert await kinds(floor.store, "attempt.returned") == []


# -- milestones and settlements ---------------------------------------------------------------------------------------
async def test_milestones_are_written_once(floor: Floor) -> None:
    await floor.load(person(1))
    lease = await floor.dialled()
    marks = [
        Mark(lease.attempt_id, "answered", NOW + MINUTE),
        Mark(lease.attempt_id, "answered", NOW + 2 * MINUTE),
        Mark(lease.attempt_id, "connected", NOW + MINUTE, "a1"),
        Mark("unknown", "answered", NOW),
    ]
    await floor.store.mark(marks)
    await floor.store.mark(marks)
    await floor.store.mark([])
    answered, connected = await kinds(floor.store, "attempt.answered", "attempt.connected")
    assert (answered.kind, answered.at, connected.agent_id) == ("attempt.answered", NOW + MINUTE, "a1")
    (attempt,) = await floor.store.open_attempts()
    assert (attempt.answered_at, attempt.connected_at, attempt.agent_id) == (NOW + MINUTE, NOW + MINUTE, "a1")


async def test_a_lease_cannot_be_answered(floor: Floor) -> None:
    await floor.load(person(1))
    lease = await floor.lease()
    await floor.store.mark([Mark(lease.attempt_id, "answered", NOW)])
    await floor.settle(lease, Outcome.NO_ANSWER)
    (attempt,) = await floor.store.open_attempts()
    assert (attempt.state, attempt.answered_at) == (AttemptState.LEASED, None)


async def test_a_settlement_ends_the_attempt_once(floor: Floor) -> None:
    await floor.load(person(1))
    lease = await floor.dialled()
    first = Settlement(lease.attempt_id, Outcome.BUSY, NOW + MINUTE, Next(NOW + HOUR), cause=17, tech_cause=486)
    second = replace(first, outcome=Outcome.NO_ANSWER, next=Next(None), charged=False, kill_phone=True)
    await floor.store.settle([first, second], floor.token)
    await floor.store.settle([second], floor.token)
    (event,) = await kinds(floor.store, "attempt.settled")
    assert event.body == {"outcome": "OCU", "charged": True, "cause": 17, "tech_cause": 486, "talk_s": 0.0}
    assert (await floor.store.counts("c1")).outcomes == {"OCU": 1}
    facts = await floor.facts(at=NOW + HOUR)
    assert (used(facts, NOW + HOUR), facts.attempts, facts.phones[0].status) == (1, 1, PhoneStatus.NEW)


async def test_milestones_nobody_marked_come_with_the_settlement(floor: Floor) -> None:
    await floor.load(person(1))
    await floor.talked()
    told = await kinds(floor.store, "attempt.answered", "attempt.connected", "attempt.settled")
    assert [(e.kind, e.agent_id) for e in told] == [
        ("attempt.answered", "a1"),
        ("attempt.connected", "a1"),
        ("attempt.settled", "a1"),
    ]


async def test_the_next_try_is_when_the_settlement_says(floor: Floor) -> None:
    await floor.load(person(1))
    await floor.settle(await floor.dialled(), Outcome.NO_ANSWER, next=Next(NOW + 3 * HOUR))
    assert (await floor.claim(at=NOW + 3 * HOUR - MINUTE)).leases == ()
    lease = await floor.dialled(at=NOW + 3 * HOUR)
    await floor.settle(lease, Outcome.NO_ANSWER, next=Next(None))
    assert (await floor.claim(at=NOW + 100 * DAY)).leases == ()
    assert (await floor.store.counts("c1")).contacts_closed == 1


async def test_an_uncharged_settlement_gives_the_counters_back(floor: Floor) -> None:
    await floor.load(person(1))
    await floor.settle(await floor.dialled(), Outcome.CONGESTION, charged=False, next=Next(NOW + MINUTE))
    facts = await floor.facts(at=NOW + HOUR)
    assert (facts.facts.touches, facts.attempts) == ((), 0)
    assert (await floor.store.counts("c1")).outcomes == {"CNG": 1}


async def test_the_counter_given_back_is_that_of_the_claims_date(floor: Floor) -> None:
    late = NOW.replace(day=25, hour=4, minute=59)  # 23:59 in Bogotá
    await floor.load(person(1), at=late)
    lease = await floor.dialled(at=late)
    after = late + 2 * MINUTE
    await floor.settle(lease, Outcome.TRUNK, charged=False, ended_at=after, next=Next(after))
    facts = await floor.facts(at=after)
    assert facts.facts.touches == ()


async def test_a_dead_number_stays_dead(floor: Floor) -> None:
    await floor.load(person(1, phones=2))
    lease = await floor.dialled()
    await floor.settle(lease, Outcome.NOT_IN_SERVICE, kill_phone=True, next=Next(NOW))
    await floor.load(person(1, phones=2))
    facts = await floor.facts(at=NOW + HOUR)
    assert [p.status for p in facts.phones] == [PhoneStatus.DEAD, PhoneStatus.NEW]


async def test_history_is_newest_first_and_at_most_ten(floor: Floor) -> None:
    await floor.load(person(1))
    at = NOW
    for n in range(12):
        lease = await floor.dialled(at=at)
        outcome = Outcome.BUSY if n % 2 else Outcome.NO_ANSWER
        await floor.settle(lease, outcome, ended_at=at + MINUTE, next=Next(at + HOUR))
        at += HOUR
    history = (await floor.store.file(lease.facts.person.id)).history
    assert len(history) == 10
    assert [h.at for h in history] == [NOW + timedelta(hours=11 - n, minutes=1) for n in range(10)]
    assert (history[0].outcome, history[0].disposition, history[0].agent_id) == ("OCU", None, None)


# -- the log of one attempt -------------------------------------------------------------------------------------------
async def test_what_happened_to_one_attempt_and_to_no_other(floor: Floor) -> None:
    await floor.load(person(1), person(2))
    first, second = await floor.dialled(), await floor.dialled()
    traced = Event("attempt.traced", NOW, "c1", first.contact_id, first.attempt_id, body={"entries": [[0, "sent", {}]]})
    await floor.store.settle([Settlement(first.attempt_id, Outcome.BUSY, NOW, Next(None))], floor.token)
    await floor.store.append([traced, Event("campaign.state", NOW, "c1", body={"state": "paused"})])
    told = await floor.store.attempt_events(first.attempt_id)
    assert [event.kind for event in told] == ["attempt.leased", "attempt.sending", "attempt.settled", "attempt.traced"]
    assert [event.seq for event in told] == sorted(event.seq for event in told)
    assert (told[-1].body, told[-1].campaign_id) == (traced.body, "c1")
    assert {event.attempt_id for event in await floor.store.attempt_events(second.attempt_id)} == {second.attempt_id}
    assert await floor.store.attempt_events("nobody's") == ()
