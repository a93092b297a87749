"""The store's contract, what pacing asks of the past: every sentence of the port, held against both adapters."""

# ruff: noqa: F811  # fixtures come by import
from __future__ import annotations

import sys
from dataclasses import replace
from datetime import date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

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
    person,
    store,
)

from cadencia.domain.codes import NOT_DISPOSED, Outcome
from cadencia.domain.dialing import DayCount, Mark, Prior
from cadencia.errors import Refused
from cadencia.store.port import Store

BOGOTA = ZoneInfo("America/Bogota")
DAY = 24 * HOUR

#: Monday and Tuesday, in Bogotá.
MONDAY, TUESDAY = date(2026, 11, 23), date(2026, 11, 24)
STARTS = [datetime(2026, 11, d, tzinfo=BOGOTA) for d in (23, 24)]


async def test_answers_are_counted_by_local_day(floor: Floor) -> None:
    yesterday = NOW - 10 * HOUR  # 23:00 in Bogotá, and already this day in UTC
    await floor.load(*(person(n) for n in range(10)), at=yesterday)
    assert await floor.store.days("c1", STARTS) == (DayCount(MONDAY), DayCount(TUESDAY))
    for at in (yesterday, NOW):
        await floor.settle(await floor.dialled(at=at), Outcome.NO_ANSWER)
        await floor.settle(await floor.dialled(at=at), Outcome.ABANDONED, answered_at=at)
        await floor.settle(await floor.dialled(at=at), Outcome.MACHINE, answered_at=at)
    await floor.settle(await floor.dialled(), Outcome.ABANDONED_MESSAGE, answered_at=NOW)
    assert await floor.store.days("c1", STARTS) == (DayCount(MONDAY, 1, 1), DayCount(TUESDAY, 2, 2))
    assert await floor.store.days("c1", STARTS[1:]) == (DayCount(TUESDAY, 2, 2),)
    assert await floor.store.days("c1", []) == ()


async def test_an_answer_counts_from_its_mark_on_and_waits_to_be_judged(floor: Floor) -> None:
    await floor.load(*(person(n) for n in range(4)))
    talking = await floor.dialled()
    await floor.store.mark([Mark(talking.attempt_id, "answered", NOW)])
    assert (await floor.store.days("c1", STARTS))[1] == DayCount(TUESDAY, 1)
    await floor.store.mark([Mark(talking.attempt_id, "connected", NOW, "a1")])
    assert (await floor.store.days("c1", STARTS))[1] == DayCount(TUESDAY, 1, unjudged=1)
    gone = await floor.dialled()
    await floor.settle(gone, Outcome.HUNG_UP, answered_at=NOW, connected_at=NOW)  # nobody will ever judge this one
    assert (await floor.store.days("c1", STARTS))[1] == DayCount(TUESDAY, 2, unjudged=1)


async def test_a_disposition_judges_and_a_machine_leaves_the_answers(floor: Floor) -> None:
    await floor.load(*(person(n) for n in range(4)))
    good, mailbox, late = await floor.talked(), await floor.talked(), await floor.talked()
    assert (await floor.store.days("c1", STARTS))[1] == DayCount(TUESDAY, 3, unjudged=3)
    await floor.dispose(good, "REN")
    await floor.dispose(mailbox, "BUZ")
    await floor.dispose(late, NOT_DISPOSED)
    assert (await floor.store.days("c1", STARTS))[1] == DayCount(TUESDAY, 2, machines=1, unjudged=1)
    await floor.dispose(late, "IVR")
    await floor.dispose(mailbox, "SIL")  # a person after all
    assert (await floor.store.days("c1", STARTS))[1] == DayCount(TUESDAY, 2, machines=1)


async def test_the_days_of_no_campaign_are_refused(store: Store) -> None:
    with pytest.raises(Refused):
        await store.days("nobody's", STARTS)


async def test_priors_are_kept_by_list_and_hour(opener: Opener) -> None:
    one, two = await opener(), await opener()
    await Floor(one).open()
    body = {"rate": 0.25, "rings": [1.0, 2.5, 0.0], "of": {"n": 3}}
    await one.save_prior(Prior("c1", "", 15, {"rate": 0.5}, NOW))
    await one.save_prior(Prior("c1", "", 9, body, NOW))
    await one.save_prior(Prior("c1", "mora60", 9, {}, NOW))
    assert await two.load_priors("c1", "") == (
        Prior("c1", "", 9, body, NOW),
        Prior("c1", "", 15, {"rate": 0.5}, NOW),
    )
    newer = Prior("c1", "", 9, {"rate": 0.3}, NOW + MINUTE)
    await two.save_prior(newer)
    assert (await one.load_priors("c1", ""))[0] == newer
    assert await one.load_priors("nobody's", "") == ()
    with pytest.raises(Refused):
        await one.save_prior(replace(newer, campaign_id="nobody's"))


async def test_a_prior_that_is_changed_afterwards_is_not(floor: Floor) -> None:
    body = {"rate": 0.25}
    await floor.store.save_prior(Prior("c1", "", 9, body, NOW))
    body["rate"] = 1.0
    (kept,) = await floor.store.load_priors("c1", "")
    assert kept.body == {"rate": 0.25}
