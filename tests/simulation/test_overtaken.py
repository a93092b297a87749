"""What is revoked, excluded or paid while its call is leased or rings: the call is not made, or it stops in 250 ms."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from cadencia.dialer.live import LiveCall
from cadencia.domain.codes import Outcome
from cadencia.domain.law import LookBack
from cadencia.domain.ledger import Change, ConsentIn, ExclusionIn, PaymentIn
from cadencia.pacing.worlds import World
from cadencia.testing.floor import Floor, make_floor
from cadencia.testing.virtual import VirtualLoop, run_virtual

#: Every telephone rings and nobody answers.
DEAF = World(live=0.0, machine=0.0, no_answer=1.0, busy=0.0, off=0.0, congestion=0.0, invalid_lines=0.0)

#: So soon after the commit the switch must have been told.
_BOUND_S = 0.25

Change_ = Callable[[Floor, LiveCall], Change]


def revoked(floor: Floor, live: LiveCall) -> Change:
    return ConsentIn(live.person_id, False, floor.engine.clock.now(), how="api")


def excluded(floor: Floor, live: LiveCall) -> Change:
    return ExclusionIn("house", floor.engine.clock.now(), e164=live.phone.e164)


def paid(floor: Floor, live: LiveCall) -> Change:
    debt = live.file.obligations[0]
    return PaymentIn(debt.creditor, debt.number, floor.engine.clock.now(), debt.balance, "REF-1")


def on_a_floor(test: Callable[[Floor], Awaitable[None]], contacts: int = 30) -> None:
    async def run() -> None:
        loop = asyncio.get_running_loop()
        assert isinstance(loop, VirtualLoop)
        floor = await make_floor(loop.clock(), agents=4, contacts=contacts, world=DEAF)
        await floor.engine.start()
        await floor.engine.ready_to_dial(5)
        for n in range(1, 5):
            await floor.engine.sign_in(f"ag{n:04}")
        await asyncio.sleep(3)
        for n in range(1, 5):
            await floor.engine.ready(f"ag{n:04}")
        await test(floor)
        await floor.engine.stop(drain_s=60, hang_up=True)

    run_virtual(run())


async def ringing(floor: Floor) -> LiveCall:
    """A call that rings."""
    for _ in range(2000):
        for live in floor.engine.calls.live.values():
            if live.call.ringing_s is not None and live.call.answered_s is None:
                return live
        await asyncio.sleep(0.02)
    raise AssertionError("nothing rings")


async def outcome(floor: Floor, attempt_id: str) -> str | None:
    settled = await floor.store.events(kinds=("attempt.settled",), limit=10_000)
    return next((e.body["outcome"] for e in settled if e.attempt_id == attempt_id), None)


@pytest.mark.parametrize("change", [revoked, excluded, paid])
def test_a_ringing_call_is_taken_back(change: Change_) -> None:
    async def test(floor: Floor) -> None:
        live = await ringing(floor)
        began_s = floor.engine.clock.monotonic()
        assert await floor.engine.people.record([change(floor, live)], "ana", floor.engine.clock.now()) == 1
        while not live.call.cancelled:
            await asyncio.sleep(0.01)
            assert floor.engine.clock.monotonic() - began_s < _BOUND_S, "it still rings"
        await asyncio.sleep(2)
        assert await outcome(floor, live.attempt_id) == Outcome.CANCELLED

    on_a_floor(test)


@pytest.mark.parametrize("change", [revoked, excluded, paid])
def test_nobody_is_called_any_more_afterwards(change: Change_) -> None:
    """Everybody on the list, whether leased, ringing or waiting: after the commit no call of theirs begins."""

    async def test(floor: Floor) -> None:
        live = await ringing(floor)
        contacts = await floor.store.contacts(live.campaign_id, floor.engine.clock.now(), LookBack())
        files = {c.person.id: await floor.store.file(c.person.id) for c in contacts}
        changes: list[Change] = []
        now = floor.engine.clock.now()
        for contact in contacts:
            debt = files[contact.person.id].obligations[0]
            if change is revoked:
                changes.append(ConsentIn(contact.person.id, False, now, how="api"))
            elif change is excluded:
                changes += [ExclusionIn("house", now, e164=p.e164) for p in contact.phones]
            else:
                changes.append(PaymentIn(debt.creditor, debt.number, now, debt.balance, "REF-1"))
        await floor.engine.people.record(changes, "ana", now)
        committed = floor.store._data.seq
        await asyncio.sleep(120)
        assert await floor.store.events(after=committed, kinds=("attempt.sending",)) == ()
        assert not floor.engine.calls.live

    on_a_floor(test)
