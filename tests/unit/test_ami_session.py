"""The session: every action ends, whatever the switch does; and so does everything that waited for it."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "support"))
from fake_switch import FakeServer

from cadencia.errors import AmiLost, AmiRefused, AmiTimeout, LocalProtocolError, RemoteProtocolError
from cadencia.telephony.ami.codec import Message
from cadencia.telephony.ami.connect import tcp
from cadencia.telephony.ami.session import Action, AmiSession, rights

BOTH = pytest.mark.parametrize("kind", ["memory", "tcp"])


@pytest.fixture(autouse=True)
async def nothing_left_behind() -> AsyncIterator[None]:
    """No task of a test outlives it."""
    before = asyncio.all_tasks()
    yield
    await asyncio.sleep(0)
    assert asyncio.all_tasks() - before <= {asyncio.current_task()}


def answering(message: Message) -> str | list[str] | None:
    """A switch that knows a few actions."""
    answers: dict[str, str | list[str] | None] = {
        "Ping": "Response: Success\nPing: Pong",
        "Hangup": "Response: Error\nMessage: No such channel",
        "Nothing": "Response: Error",
        "Status": [
            "Response: Success\nEventList: start\nMessage: Channel status will follow",
            "Event: Status\nChannel: a",
            "Event: Status\nChannel: b",
            "Event: StatusComplete\nEventList: Complete\nItems: 2",
        ],
        "Endless": ["Response: Success\nEventList: start", "Event: Row"],
        "Short": "Response: Success\nMessage: no list",
        "Refused": "Response: Error\nMessage: Permission denied",
        "ListCommands": "Response: Success\nPing: Keepalive.\nBridge: Bridge two.",
        "Lost": None,
    }
    return answers[message["Action"]]


@BOTH
async def test_answers_go_to_those_who_asked(kind: str) -> None:
    server = FakeServer(answering)
    async with server.listening(kind) as connector:
        session = await AmiSession.connect(connector, "u", "s", lambda event: None)
        pong = await session.action("Ping")
        assert pong["Ping"] == "Pong"
        with pytest.raises(AmiRefused, match="Hangup: No such channel"):
            await session.action("Hangup", {"Channel": "x"})
        with pytest.raises(AmiRefused, match="no reason"):
            await session.action("Nothing")
        first, second = session.send([Action("Ping"), Action("Hangup", {"Channel": "y"})])
        assert (await first)["Ping"] == "Pong"
        with pytest.raises(AmiRefused):
            await second
        assert session.waiting == 0
        assert session.malformed == 0
        session.close()
        await session.lost
        assert not session.up


@BOTH
async def test_an_answer_that_never_comes_ends_at_its_deadline(kind: str) -> None:
    server = FakeServer(answering)
    async with server.listening(kind) as connector:
        session = await AmiSession.connect(connector, "u", "s", lambda event: None)
        with pytest.raises(AmiTimeout, match="no answer to Lost within"):
            await session.action("Lost", timeout_s=0.05)
        with pytest.raises(AmiTimeout):
            await session.rows("Endless", timeout_s=0.05)
        assert session.waiting == 0
        assert (await session.action("Ping"))["Ping"] == "Pong"
        session.close()
        await session.lost


@BOTH
async def test_a_late_answer_disturbs_nobody(kind: str) -> None:
    server = FakeServer(answering)
    async with server.listening(kind) as connector:
        session = await AmiSession.connect(connector, "u", "s", lambda event: None)
        with pytest.raises(AmiTimeout):
            await session.action("Lost", timeout_s=0.03)
        server.last.say("Response: Success\nMessage: late", server.heard[-1]["ActionID"])
        assert (await session.action("Ping"))["Ping"] == "Pong"
        session.close()
        await session.lost


@BOTH
async def test_a_link_that_goes_down_ends_all_that_waits(kind: str) -> None:
    server = FakeServer(answering)
    async with server.listening(kind) as connector:
        session = await AmiSession.connect(connector, "u", "s", lambda event: None)
        waiting = session.send([Action("Lost"), Action("Lost")], timeout_s=60)
        rows = asyncio.ensure_future(session.rows("Endless", timeout_s=60))
        await session.action("Ping")
        assert session.waiting == 3
        server.last.cut()
        done = await asyncio.gather(*waiting, rows, return_exceptions=True)
        assert [type(error) for error in done] == [AmiLost] * 3
        assert session.waiting == 0
        assert not session.up
        with pytest.raises(AmiLost):
            await session.action("Ping")
        with pytest.raises(AmiLost):
            await session.rows("Status")


@BOTH
async def test_rows_of_a_list_are_collected_and_kept_from_the_events(kind: str) -> None:
    server, events = FakeServer(answering), list[Message]()
    async with server.listening(kind) as connector:
        session = await AmiSession.connect(connector, "u", "s", events.append)
        rows = await session.rows("Status", {"Variables": "X"})
        assert [row["Channel"] for row in rows] == ["a", "b"]
        assert await session.rows("Short") == []
        with pytest.raises(AmiRefused):
            await session.rows("Refused")
        assert events == []
        session.close()
        await session.lost


@BOTH
async def test_a_handler_that_raises_is_logged_and_does_not_end_the_reading(kind: str, faults: list[str]) -> None:
    heard: list[str] = []

    def handle(event: Message) -> None:
        heard.append(event.name)
        if event.name == "Bad":
            raise KeyError("a bug of ours")

    server = FakeServer(answering)
    async with server.listening(kind) as connector:
        session = await AmiSession.connect(connector, "u", "s", handle)
        for name in ("Good", "Bad", "Good", "Bad", "Last"):
            server.last.say(f"Event: {name}")
        await session.action("Ping")
        assert heard == ["Good", "Bad", "Good", "Bad", "Last"]
        session.close()
        await session.lost
    assert ["a bug of ours" in fault for fault in faults] == [True, True]
    faults.clear()


async def test_only_wanted_events_are_handed_over() -> None:
    heard: list[str] = []
    server = FakeServer(answering)
    session = await AmiSession.connect(server.memory(), "u", "s", lambda e: heard.append(e.name), wanted={"Hangup"})
    server.last.say("Event: VarSet\nX: 1")
    server.last.say("Event: Hangup\nX: 1")
    await session.action("Ping")
    assert heard == ["Hangup"]
    session.close()
    await session.lost


async def test_what_must_not_be_sent_is_refused_before_anything_is() -> None:
    server = FakeServer(answering)
    session = await AmiSession.connect(server.memory(), "u", "s", lambda event: None)
    sent = len(server.heard)
    with pytest.raises(LocalProtocolError):
        session.send([Action("Ping"), Action("Setvar", {"Value": "x\r\ny"})])
    with pytest.raises(LocalProtocolError):
        await session.rows("Status\r\n")
    await asyncio.sleep(0.01)
    assert len(server.heard) == sent
    assert session.waiting == 0
    session.close()
    await session.lost


async def test_a_caller_who_gives_up_leaves_nothing_that_raises() -> None:
    server = FakeServer(answering)
    session = await AmiSession.connect(server.memory(), "u", "s", lambda event: None)
    task = asyncio.ensure_future(session.action("Lost", timeout_s=0.05))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await asyncio.sleep(0.08)
    assert session.waiting == 0
    session.close()
    await session.lost


@BOTH
async def test_a_wrong_secret_is_refused_and_the_connection_closed(kind: str) -> None:
    server = FakeServer(answering)
    async with server.listening(kind) as connector:
        with pytest.raises(AmiRefused, match="Authentication failed"):
            await AmiSession.connect(connector, "u", "wrong", lambda event: None)
        await asyncio.sleep(0.02)
        assert server.last.lost


@BOTH
async def test_a_switch_that_says_nothing_at_log_in_is_given_up(kind: str) -> None:
    server = FakeServer(answering)
    server.mute = True
    async with server.listening(kind) as connector:
        with pytest.raises(AmiTimeout):
            await AmiSession.connect(connector, "u", "s", lambda event: None, timeout_s=0.05)
        await asyncio.sleep(0.02)
        assert server.last.lost


async def test_a_log_in_that_is_cancelled_leaves_no_connection() -> None:
    server = FakeServer(answering)
    server.mute = True
    task = asyncio.ensure_future(AmiSession.connect(server.memory(), "u", "s", lambda event: None))
    await asyncio.sleep(0.01)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await asyncio.sleep(0.01)
    assert server.last.lost


async def test_nobody_there() -> None:
    server = FakeServer()
    server.refuse = True
    with pytest.raises(AmiLost, match="cannot be reached"):
        await AmiSession.connect(server.memory(), "u", "s", lambda event: None)
    async with server.listening("tcp"):
        pass
    listener = await asyncio.get_running_loop().create_server(asyncio.Protocol, "127.0.0.1", 0)
    port = listener.sockets[0].getsockname()[1]
    listener.close()
    await listener.wait_closed()
    with pytest.raises(AmiLost, match="cannot be reached"):
        await AmiSession.connect(tcp("127.0.0.1", port), "u", "s", lambda event: None)


async def test_a_connection_that_is_never_made_ends_at_the_deadline() -> None:
    async def never(factory: object) -> object:
        return await asyncio.Event().wait()

    async def made_nothing(factory: object) -> object:
        return None

    with pytest.raises(AmiTimeout):
        await AmiSession.connect(never, "u", "s", lambda event: None, timeout_s=0.03)
    with pytest.raises(AmiLost):
        await AmiSession.connect(made_nothing, "u", "s", lambda event: None, timeout_s=0.03)


async def test_rights_are_the_names_of_the_actions() -> None:
    server = FakeServer(answering)
    session = await AmiSession.connect(server.memory(), "u", "s", lambda event: None)
    assert await rights(session) == {"Ping", "Bridge"}
    server.script = lambda message: "Response: Success"
    with pytest.raises(RemoteProtocolError):
        await rights(session)
    session.close()
    await session.lost


async def test_thousands_of_actions_in_flight_each_get_their_own_answer() -> None:
    server = FakeServer(lambda message: f"Response: Success\nMessage: {message['Data']}")
    async with server.listening("tcp") as connector:
        session = await AmiSession.connect(connector, "u", "s", lambda event: None)
        answers = session.send([Action("Echo", {"Data": n}) for n in range(3000)], timeout_s=20)
        assert [message["Message"] for message in await asyncio.gather(*answers)] == [str(n) for n in range(3000)]
        session.close()
        await session.lost
