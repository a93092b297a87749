"""The bad network of the tests does what it says, the same for the same seed, and nothing that it does not say."""

from __future__ import annotations

import asyncio
import sys
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "support"))
from fake_switch import FakeServer

from cadencia.errors import AmiLost, AmiTimeout
from cadencia.telephony.ami.codec import Message
from cadencia.telephony.ami.connect import tcp
from cadencia.telephony.ami.session import Action, AmiSession
from cadencia.testing.proxy import FaultProxy, Faults


@pytest.fixture(autouse=True)
async def nothing_left_behind() -> AsyncIterator[None]:
    before = asyncio.all_tasks()
    yield
    await asyncio.sleep(0)
    assert asyncio.all_tasks() - before <= {asyncio.current_task()}


def echo(message: Message) -> str:
    return f"Response: Success\nData: {message.get('Data')}"


@asynccontextmanager
async def between(seed: int = 1) -> AsyncIterator[tuple[FakeServer, FaultProxy, AmiSession, list[str]]]:
    server, heard = FakeServer(echo), list[str]()
    listener = await asyncio.get_running_loop().create_server(server.connection, "127.0.0.1", 0)
    async with listener, FaultProxy(listener.sockets[0].getsockname()[1], seed=seed) as proxy:
        session = await AmiSession.connect(
            tcp("127.0.0.1", proxy.port), "u", "s", lambda event: heard.append(event.get("N"))
        )
        yield server, proxy, session, heard
        session.close()
        await session.lost
        for connection in server.connections:
            if not connection.lost:
                connection.cut()


async def asked(session: AmiSession, number: int, timeout_s: float = 0.3) -> list[str | None]:
    answers = session.send([Action("Echo", {"Data": n}) for n in range(number)], timeout_s=timeout_s)
    done = await asyncio.gather(*answers, return_exceptions=True)
    return [None if isinstance(one, BaseException) else one["Data"] for one in done]


async def until(count: int, heard: list[str], timeout_s: float = 2.0) -> None:
    async with asyncio.timeout(timeout_s):
        while len(heard) < count:
            await asyncio.sleep(0.005)


async def test_without_faults_it_changes_nothing() -> None:
    async with between() as (server, proxy, session, heard):
        for n in range(200):
            server.last.say(f"Event: X\nN: {n}")
        assert await asked(session, 200) == [str(n) for n in range(200)]
        assert heard == [str(n) for n in range(200)]
        assert (proxy.lost, proxy.duplicated, proxy.reordered, proxy.delayed) == (0, 0, 0, 0)


async def test_lost_answers_are_answers_and_their_share_is_right() -> None:
    async with between() as (server, proxy, session, heard):
        proxy.faults = Faults(lose_answer=0.2)
        for n in range(300):
            server.last.say(f"Event: X\nN: {n}")
        answers = await asked(session, 500)
        lost = answers.count(None)
        assert 60 <= lost <= 140
        assert lost == proxy.lost
        assert len(heard) == 300
        proxy.faults = Faults(lose_event=1.0)
        server.last.say("Event: X\nN: x")
        assert await asked(session, 5) == ["0", "1", "2", "3", "4"]
        assert len(heard) == 300


async def test_a_log_in_always_goes_through() -> None:
    async with between() as (_, proxy, _, _):
        proxy.faults = Faults(lose_answer=1.0, lose_event=1.0, duplicate=1.0, reorder=1.0)
        for _ in range(3):
            session = await AmiSession.connect(tcp("127.0.0.1", proxy.port), "u", "s", lambda event: None)
            with pytest.raises(AmiTimeout):
                await session.action("Echo", timeout_s=0.05)
            session.close()
            await session.lost


async def test_doubled_messages_come_twice_and_are_harmless() -> None:
    async with between() as (server, proxy, session, heard):
        proxy.faults = Faults(duplicate=0.5)
        for n in range(200):
            server.last.say(f"Event: X\nN: {n}")
        assert await asked(session, 200) == [str(n) for n in range(200)]
        times = Counter(heard)
        assert set(times.values()) == {1, 2}
        assert len(times) == 200
        assert session.stray_answers + len(heard) - 200 == proxy.duplicated


async def test_reordered_messages_all_come_and_none_by_more_than_the_window() -> None:
    async with between() as (server, proxy, session, heard):
        proxy.faults = Faults(reorder=0.3, window=3)
        for n in range(300):
            server.last.say(f"Event: X\nN: {n}")
        await until(300, heard)
        assert sorted(map(int, heard)) == list(range(300))
        moved = [place - int(n) for place, n in enumerate(heard)]
        assert any(moved)
        assert proxy.reordered > 50
        assert min(moved) >= -60  # neighbours that are held back together shift the rest, never the order of the rest
        assert await asked(session, 20) == [str(n) for n in range(20)]


async def test_events_are_late_in_order_and_answers_are_not() -> None:
    async with between() as (server, proxy, session, heard):
        loop = asyncio.get_running_loop()
        proxy.faults = Faults(delay_s=0.1, jitter_s=0.05)
        for n in range(50):
            server.last.say(f"Event: X\nN: {n}")
        began = loop.time()
        assert await asked(session, 10) == [str(n) for n in range(10)]
        assert heard == []
        assert loop.time() - began < 0.09
        await until(50, heard)
        assert 0.09 <= loop.time() - began <= 0.4
        assert heard == [str(n) for n in range(50)]


async def test_a_cut_is_felt_at_both_ends_and_a_new_connection_works() -> None:
    async with between() as (server, proxy, session, _):
        waiting = session.send([Action("Echo")])
        proxy.cut()
        await session.lost
        await asyncio.gather(*waiting, return_exceptions=True)
        await asyncio.sleep(0.02)
        assert server.last.lost
        again = await AmiSession.connect(tcp("127.0.0.1", proxy.port), "u", "s", lambda event: None)
        assert await asked(again, 3) == ["0", "1", "2"]
        again.close()
        await again.lost


async def test_it_refuses_for_a_while() -> None:
    async with between() as (_, proxy, session, _):
        proxy.refuse_for(0.2)
        with pytest.raises(AmiLost, match="cannot be reached"):
            await AmiSession.connect(tcp("127.0.0.1", proxy.port), "u", "s", lambda event: None)
        assert await asked(session, 3) == ["0", "1", "2"]  # what stands, stands
        await asyncio.sleep(0.3)
        again = await AmiSession.connect(tcp("127.0.0.1", proxy.port), "u", "s", lambda event: None)
        again.close()
        await again.lost


async def test_a_stall_holds_everything_both_ways_and_then_lets_it_go() -> None:
    async with between() as (server, proxy, session, heard):
        proxy.stall()
        sent = len(server.heard)
        answers = asyncio.ensure_future(asked(session, 50, timeout_s=5))
        server.last.say("Event: X\nN: 1")
        with pytest.raises(AmiTimeout):
            await AmiSession.connect(tcp("127.0.0.1", proxy.port), "u", "s", lambda event: None, timeout_s=0.1)
        await asyncio.sleep(0.1)
        assert (len(server.heard), heard, answers.done()) == (sent, [], False)
        proxy.resume()
        assert await answers == [str(n) for n in range(50)]
        assert heard == ["1"]


async def test_the_same_seed_does_the_same() -> None:
    async def one(seed: int) -> list[str | None]:
        async with between(seed) as (_, proxy, session, _):
            proxy.faults = Faults(lose_answer=0.3)
            return await asked(session, 60, timeout_s=0.15)

    first = await one(5)
    assert first == await one(5)
    assert first != await one(6)


async def test_a_server_that_is_not_there() -> None:
    async with FaultProxy(1) as proxy:
        with pytest.raises(AmiLost):
            await AmiSession.connect(tcp("127.0.0.1", proxy.port), "u", "s", lambda event: None)
