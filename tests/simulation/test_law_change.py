"""An approved change of a legal profile while the engine dials: it holds within seconds, without a restart."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Awaitable, Callable

from cadencia.config.profiles import load_site
from cadencia.dialer.law import renumbered
from cadencia.domain.codes import Denial
from cadencia.domain.profiles import ProfileText
from cadencia.testing.floor import Floor, agent_ids, make_floor
from cadencia.testing.virtual import VirtualLoop, run_virtual

CO = "co-ley2300"


def on_a_floor(test: Callable[[Floor], Awaitable[None]]) -> None:
    async def run() -> None:
        loop = asyncio.get_running_loop()
        assert isinstance(loop, VirtualLoop)
        floor = await make_floor(loop.clock(), agents=3, contacts=400)
        await floor.engine.start()
        await floor.engine.ready_to_dial(5)
        floor.start_agents(agent_ids(floor))
        await asyncio.sleep(60)
        await test(floor)
        await floor.stop_agents()
        await floor.engine.stop(drain_s=60, hang_up=True)

    run_virtual(run())


async def put_in_force(floor: Floor, number: int, source: str) -> None:
    now, sha256 = floor.engine.clock.now(), hashlib.sha256(source.encode()).hexdigest()
    await floor.store.propose_profile(ProfileText(CO, number, sha256, source), "ana", "prueba", now)
    await floor.store.decide_profile(CO, number, approve=True, by="eva", reason="", now=now)


async def leased(floor: Floor, after: int = 0) -> list[tuple[str, int]]:
    """The version that each lease was judged by."""
    events = await floor.store.events(after=after, limit=100_000, kinds=["attempt.leased"])
    return [tuple(p[:2]) for e in events for p in e.body["profiles"] if p[0] == CO]


def test_leases_are_judged_by_the_new_version_within_seconds() -> None:
    async def test(floor: Floor) -> None:
        source = load_site(None).texts[CO]
        first = floor.engine.judge.profiles[CO].version
        assert set(await leased(floor)) == {(CO, first)}
        await put_in_force(floor, first + 1, renumbered(source, first + 1))
        await asyncio.sleep(6)
        assert floor.engine.judge.profiles[CO].version == first + 1
        assert floor.engine.context.judge is floor.engine.judge
        last = (await floor.store.events(limit=1_000_000))[-1].seq
        await asyncio.sleep(120)
        assert set(await leased(floor, last)) == {(CO, first + 1)}

    on_a_floor(test)


def test_a_version_that_cannot_be_read_stops_the_dialling_until_another_one_holds() -> None:
    async def test(floor: Floor) -> None:
        source = load_site(None).texts[CO]
        number = floor.engine.judge.profiles[CO].version + 1
        await put_in_force(floor, number, "not toml")
        await asyncio.sleep(6)
        sent = ["attempt.sending"]
        before = len(await floor.store.events(limit=1_000_000, kinds=sent))
        await asyncio.sleep(120)
        assert len(await floor.store.events(limit=1_000_000, kinds=sent)) == before
        denied = await floor.store.events(limit=1_000_000, kinds=["contact.denied"])
        assert {e.body["code"] for e in denied} >= {str(Denial.PROFILE)}
        await put_in_force(floor, number + 1, renumbered(source, number + 1))
        await asyncio.sleep(60)
        assert len(await floor.store.events(limit=1_000_000, kinds=sent)) > before

    on_a_floor(test)
