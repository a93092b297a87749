"""The store's contract: dispositions, recovery and numbers, held against both adapters."""

# ruff: noqa: F811  # fixtures come by import
from __future__ import annotations

import sys
from dataclasses import replace
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
    opener,
    person,
    store,
)

from cadencia.domain.codes import Denial, Outcome
from cadencia.domain.dialing import (
    AttemptState,
    Mark,
    Next,
    Promise,
    Settlement,
)
from cadencia.domain.events import Event
from cadencia.domain.law import Deny
from cadencia.domain.people import Money, PhoneStatus
from cadencia.errors import Refused
from cadencia.store.port import Store

DAY = 24 * HOUR


async def kinds(store: Store, *wanted: str) -> list[Event]:
    return list(await store.events(kinds=wanted))


# -- dispositions -----------------------------------------------------------------------------------------------------
async def test_the_item_waits_for_the_disposition(floor: Floor) -> None:
    await floor.load(person(1))
    lease = await floor.talked()
    assert await floor.store.open_attempts() == ()
    assert (await floor.claim(at=NOW + 100 * DAY)).leases == ()
    (waiting,) = await floor.store.awaiting_disposition()
    assert (waiting.attempt_id, waiting.agent_id, waiting.state) == (lease.attempt_id, "a1", AttemptState.SETTLED)
    await floor.dispose(lease, "VLL", next=Next(NOW + DAY), note="llamar mañana")
    assert await floor.store.awaiting_disposition() == ()
    again = await floor.lease(at=NOW + DAY)
    (past,) = again.file.history
    assert (past.outcome, past.disposition, past.agent_id, past.note) == ("CON", "VLL", "a1", "llamar mañana")


async def test_a_disposition_tells_its_promise(floor: Floor) -> None:
    await floor.load(person(1))
    lease = await floor.talked()
    await floor.dispose(lease, "PPT", promise=Promise(Money(500_000_00, "COP"), "2026-12-01"))
    (event,) = await kinds(floor.store, "attempt.disposed")
    assert event.body == {
        "code": "PPT",
        "promise_minor": 500_000_00,
        "currency": "COP",
        "promise_due": "2026-12-01",
    }
    assert (event.agent_id, event.contact_id) == ("a1", lease.contact_id)


async def test_dispositions_of_nothing_and_of_others_are_refused(floor: Floor) -> None:
    await floor.load(person(1), person(2), person(3))
    talked, missed, leased = await floor.talked(), await floor.dialled(), await floor.lease()
    await floor.settle(missed, Outcome.NO_ANSWER)
    with pytest.raises(Refused):
        await floor.dispose(talked, "PPT", agent="a2")
    with pytest.raises(Refused):
        await floor.dispose(missed, "PPT")
    with pytest.raises(Refused):
        await floor.dispose(leased, "PPT")
    with pytest.raises(Refused):
        await floor.dispose(replace(talked, attempt_id="unknown"), "PPT")
    assert await kinds(floor.store, "attempt.disposed") == []
    assert len(await floor.store.awaiting_disposition()) == 1


async def test_a_later_disposition_replaces_the_earlier_one(floor: Floor) -> None:
    await floor.load(person(1))
    lease = await floor.talked()
    await floor.dispose(lease, "PPT", promise=Promise(Money(1, "COP"), "2026-12-01"))
    await floor.dispose(lease, "VLL", next=Next(NOW + HOUR))
    assert [e.body["code"] for e in await kinds(floor.store, "attempt.disposed")] == ["PPT", "VLL"]
    again = await floor.lease(at=NOW + HOUR)
    assert [h.disposition for h in again.file.history] == ["VLL"]
    await floor.dispose(lease, "PPT")  # the item is out again: its next try is no longer this attempt's to decide
    assert [a.attempt_id for a in await floor.store.open_attempts()] == [again.attempt_id]


async def test_a_disposition_while_the_call_goes_on_decides_at_its_end(floor: Floor) -> None:
    await floor.load(person(1))
    lease = await floor.dialled()
    await floor.store.mark([Mark(lease.attempt_id, "connected", NOW, "a1")])
    await floor.dispose(lease, "VLL", next=Next(NOW + HOUR))
    await floor.settle(lease, Outcome.CONNECTED, next=None, agent_id="a1")
    assert await floor.store.awaiting_disposition() == ()
    assert (await floor.lease(at=NOW + HOUR)).file.history[0].disposition == "VLL"


async def test_a_disposition_may_block_the_person_and_the_number(floor: Floor) -> None:
    await floor.load(person(1))
    lease = await floor.talked()
    await floor.dispose(lease, "DIS", block_person=True, kill_phone=True, next=Next(NOW))
    facts = await floor.facts(at=NOW)
    assert facts.person.blocked == "DIS"
    assert facts.phones[0].status is PhoneStatus.WRONG
    await floor.load(person(1))
    assert (await floor.facts(at=NOW)).person.blocked == "DIS"


# -- recovery ---------------------------------------------------------------------------------------------------------
async def test_a_new_engine_finds_what_the_old_one_left_open(opener: Opener) -> None:
    one = await opener()
    floor = Floor(one)
    await floor.open([person(n, days=n) for n in range(1, 6)])
    await floor.settle(await floor.dialled(), Outcome.NO_ANSWER)
    talked, sent, leased = await floor.talked(), await floor.dialled(), await floor.lease()
    await one.mark([Mark(sent.attempt_id, "answered", NOW + MINUTE)])
    await one.close()
    two = await opener()
    found = {a.attempt_id: a for a in await two.open_attempts()}
    assert set(found) == {sent.attempt_id, leased.attempt_id}
    assert found[sent.attempt_id].answered_at == NOW + MINUTE
    assert found[sent.attempt_id].state is AttemptState.SENDING
    assert found[sent.attempt_id].phone == sent.phone
    assert found[sent.attempt_id].file == sent.file
    assert (found[leased.attempt_id].contact_id, found[leased.attempt_id].attempts) == (leased.contact_id, 0)
    assert [a.attempt_id for a in await two.awaiting_disposition()] == [talked.attempt_id]
    token = await two.lead("engine-2", NOW + HOUR)
    await two.give_back([leased.attempt_id], token, "engine died", NOW + HOUR)
    end = Settlement(sent.attempt_id, Outcome.UNKNOWN, NOW + HOUR, Next(NOW + 2 * HOUR))
    await two.settle([end], token)
    assert await two.open_attempts() == ()
    assert (await two.counts("c1")).outcomes == {"CON": 1, "DES": 1, "NOA": 1}


# -- numbers ----------------------------------------------------------------------------------------------------------
async def test_counts(floor: Floor) -> None:
    await floor.load(*(person(n, days=100 - n) for n in range(12)))
    for outcome in (Outcome.NO_ANSWER, Outcome.ABANDONED, Outcome.ABANDONED_MESSAGE, Outcome.MACHINE):
        answered = None if outcome is Outcome.NO_ANSWER else NOW
        await floor.settle(await floor.dialled(), outcome, answered_at=answered, next=Next(None))
    good, mailbox = await floor.talked(), await floor.talked()
    await floor.dispose(good, "PPT")
    await floor.dispose(mailbox, "BUZ", next=Next(NOW + DAY))
    ringing, talking = await floor.dialled(at=NOW + HOUR), await floor.dialled(at=NOW + HOUR)
    await floor.store.mark([Mark(talking.attempt_id, m, NOW + HOUR, "a2") for m in ("answered", "connected")])
    await floor.lease(at=NOW + HOUR)
    await floor.claim(judge=lambda f: Deny(Denial.HOURS, NOW + DAY))
    counts = await floor.store.counts("c1")
    assert counts.attempts == 8
    assert counts.answered_live == 4  # ABN, ABM, the promise, the one still talking
    assert counts.connected == 3
    assert counts.abandoned == 2
    assert (counts.contacts, counts.contacts_touched, counts.contacts_closed) == (12, 8, 5)
    assert counts.outcomes == {"NOA": 1, "ABN": 1, "ABM": 1, "AMD": 1, "CON": 2}
    assert counts.denied == {"BLQ-HORARIO": 3}
    assert counts.unaccounted == 2
    recent = await floor.store.counts("c1", NOW + HOUR)
    assert (recent.attempts, recent.answered_live, recent.connected, recent.contacts_touched) == (2, 1, 1, 2)
    assert (recent.contacts, recent.contacts_closed, recent.outcomes, recent.denied) == (12, 5, {}, {})
    await floor.settle(ringing, Outcome.NO_ANSWER)
    assert (await floor.store.counts("c1", NOW + HOUR)).outcomes == {"NOA": 1}
    with pytest.raises(Refused):
        await floor.store.counts("nobody's")


async def test_campaigns_are_counted_apart(store: Store) -> None:
    floor = Floor(store, campaigns=["c1", "c2"])
    await floor.open([person(1)])
    await floor.load(person(2), person(3), to="c2")
    await floor.dialled(of="c2")
    assert (await store.counts("c1")).attempts == 0
    assert ((await store.counts("c2")).attempts, (await store.counts("c2")).contacts) == (1, 2)
    assert [c.id for c in await store.campaigns()] == [campaign("c1").id, campaign("c2").id]
