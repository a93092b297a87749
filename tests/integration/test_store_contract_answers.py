"""The store's contract, what the abandonment report reads: every sentence of the port, held against both adapters."""

# ruff: noqa: F811  # fixtures come by import
from __future__ import annotations

import sys
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
from store_fixtures import (  # noqa: F401
    HOUR,
    MINUTE,
    NOW,
    Floor,
    databases,
    floor,
    opener,
    person,
    store,
)

from cadencia.domain.codes import Outcome
from cadencia.domain.dialing import Dialled, Mark
from cadencia.domain.events import Event
from cadencia.errors import Refused
from cadencia.store.port import Store

SECOND = timedelta(seconds=1)


async def test_each_dialled_attempt_with_its_instants(floor: Floor) -> None:
    await floor.load(*(person(n) for n in range(5)))
    talked = await floor.talked(at=NOW)
    await floor.dispose(talked, "BUZ")
    gone = await floor.dialled(at=NOW + SECOND)
    entries = [
        [100, "event", {"event": "Newstate", "phase": "ringing"}],
        [2500, "phase", {"phase": "ringing", "sign": "ringing"}],
        [9000, "phase", {"phase": "ringing", "sign": "ringing"}],
        [20_500, "phase", {"phase": "ended", "sign": "ended"}],
    ]
    ended = NOW + 21.5 * SECOND
    await floor.settle(gone, Outcome.NO_ANSWER, ended_at=ended)
    body = {"at": (NOW + SECOND).isoformat(), "entries": entries, "dropped": 0}
    await floor.store.append([Event("attempt.traced", ended, "c1", None, gone.attempt_id, None, body)])
    waiting = await floor.dialled(at=NOW + 2 * SECOND)
    await floor.store.mark([Mark(waiting.attempt_id, "answered", NOW + 9 * SECOND)])
    await floor.lease(at=NOW + 3 * SECOND)  # was never sent
    found = await floor.store.answers("c1", NOW, NOW + HOUR)
    assert found[1].ring_s == pytest.approx(18.0)
    assert (found[0], replace(found[1], ring_s=None), *found[2:]) == (
        Dialled(talked.attempt_id, NOW, NOW, NOW, NOW, NOW + MINUTE, Outcome.CONNECTED, "BUZ"),
        Dialled(gone.attempt_id, NOW + SECOND, NOW + SECOND, None, None, ended, Outcome.NO_ANSWER),
        Dialled(waiting.attempt_id, NOW + 2 * SECOND, NOW + 2 * SECOND, NOW + 9 * SECOND),
    )


async def test_pages_follow_each_other_and_the_window_is_half_open(floor: Floor) -> None:
    await floor.load(*(person(n) for n in range(8)))
    sent = [await floor.dialled(at=NOW + n // 2 * MINUTE) for n in range(6)]
    ids = sorted(lease.attempt_id for lease in sent)
    pages, after = [], None
    while page := await floor.store.answers("c1", NOW, NOW + HOUR, after, 4):
        pages.append(page)
        after = page[-1].leased_at, page[-1].attempt_id
    assert [len(p) for p in pages] == [4, 2]
    together = [d for p in pages for d in p]
    assert sorted(d.attempt_id for d in together) == ids
    assert together == sorted(together, key=lambda d: (d.leased_at, d.attempt_id))
    assert len(await floor.store.answers("c1", NOW + MINUTE, NOW + 2 * MINUTE)) == 2
    assert await floor.store.answers("c1", NOW + HOUR, NOW + 2 * HOUR) == ()


async def test_the_answers_of_no_campaign_are_refused(store: Store) -> None:
    with pytest.raises(Refused):
        await store.answers("nobody's", NOW, NOW + HOUR)
