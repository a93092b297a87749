"""What the session does with a switch, or a network, that does not behave: everything ends, and nothing is left."""

from __future__ import annotations

import asyncio
import gc
import socket
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "support"))
from fake_switch import FakeServer

from cadencia.errors import AmiLost, AmiRefused, AmiTimeout
from cadencia.telephony.ami import session as module
from cadencia.telephony.ami.codec import Message
from cadencia.telephony.ami.connect import tcp
from cadencia.telephony.ami.link import AmiLink
from cadencia.telephony.ami.session import Action, AmiSession
from cadencia.testing.virtual import run_virtual


@pytest.fixture(autouse=True)
async def nothing_left_behind() -> AsyncIterator[None]:
    """No task of a test outlives it."""
    before = asyncio.all_tasks()
    yield
    await asyncio.sleep(0)
    assert asyncio.all_tasks() - before <= {asyncio.current_task()}


async def connected(server: FakeServer, heard: list[Message] | None = None) -> AmiSession:
    said = [] if heard is None else heard
    return await AmiSession.connect(server.memory(), "u", "s", said.append)


async def ended(session: AmiSession) -> None:
    session.close()
    await session.lost


def timers() -> int:
    loop = asyncio.get_running_loop()
    return sum(not handle.cancelled() for handle in loop._scheduled)  # type: ignore[attr-defined]


def silent(message: Message) -> str | None:
    return "Response: Success" if message["Action"] == "Ping" else None


def test_twenty_thousand_actions_that_nobody_answers_leave_nothing() -> None:
    async def main() -> None:
        server = FakeServer(silent)
        session = await connected(server)
        for _ in range(20):
            answers = session.send([Action("Originate", {"ChannelId": f"x{n}"}) for n in range(1000)], timeout_s=5)
            done = await asyncio.gather(*answers, return_exceptions=True)
            assert {type(error) for error in done} == {AmiTimeout}
        assert session.waiting == 0
        assert timers() == 0
        assert len(session._unanswered) <= module._REMEMBERED
        del answers, done
        gc.collect()
        assert not [thing for thing in gc.get_objects() if isinstance(thing, module._Pending)]
        # the server does answer the last thousand after all
        for message in server.heard[-1000:]:
            server.last.say("Response: Success", message["ActionID"])
        await asyncio.sleep(0.1)
        assert session.late_answers == 1000
        assert not any(message["ActionID"] in session._unanswered for message in server.heard[-1000:])
        assert session.up
        await ended(session)

    run_virtual(main())


async def test_answers_that_come_twice_late_or_for_nobody_disturb_nobody() -> None:
    server, heard = FakeServer(silent), list[Message]()
    session = await connected(server, heard)
    with pytest.raises(AmiTimeout):
        await session.action("Originate", timeout_s=0.02)
    late = server.heard[-1]["ActionID"]
    await session.action("Ping")
    pong = server.heard[-1]["ActionID"]
    assert (session.late_answers, session.stray_answers) == (0, 0)
    for id_ in (late, late, pong, "c9999", "nobody's", ""):
        server.last.say("Response: Error\nMessage: late", id_)
    await session.action("Ping")
    assert (session.late_answers, session.stray_answers) == (1, 5)
    assert heard == []
    await ended(session)


async def test_the_event_of_an_action_whose_answer_was_late_still_comes() -> None:
    """OriginateResponse carries the ActionID of its Originate: it must not be taken for a leftover."""
    server, heard = FakeServer(silent), list[Message]()
    session = await connected(server, heard)
    with pytest.raises(AmiTimeout):
        await session.action("Originate", timeout_s=0.02)
    server.last.say("Event: OriginateResponse\nResponse: Failure\nUniqueid: a-1", server.heard[-1]["ActionID"])
    await session.action("Ping")
    assert [message["Uniqueid"] for message in heard] == ["a-1"]
    await ended(session)


ROW = "Event: Status\nUniqueid: {}"
HEAD = "Response: Success\nEventList: start"
TAIL = "Event: StatusComplete\nEventList: Complete\nListItems: {}"
LISTS = {
    "in order": [HEAD, ROW.format(1), ROW.format(2), TAIL.format(2)],
    "each twice": [HEAD, HEAD, ROW.format(1), ROW.format(1), ROW.format(2), ROW.format(2), TAIL.format(2)] * 2,
    "the end before the rows": [HEAD, TAIL.format(2), ROW.format(1), ROW.format(2)],
    "the head last": [ROW.format(1), TAIL.format(2), ROW.format(2), HEAD],
    "no head": [ROW.format(1), ROW.format(2), TAIL.format(2)],
}


@pytest.mark.parametrize("how", LISTS)
async def test_a_list_in_any_order_doubled_and_with_events_between(how: str) -> None:
    server, heard = FakeServer(lambda message: None), list[Message]()
    session = await connected(server, heard)
    rows = asyncio.ensure_future(session.rows("Status", timeout_s=2))
    await asyncio.sleep(0.01)
    id_ = server.heard[-1]["ActionID"]
    for said in LISTS[how]:
        server.last.say(said, id_)
        server.last.say("Event: Hangup\nUniqueid: between")
    assert [row["Uniqueid"] for row in await rows] == ["1", "2"]
    server.last.say(ROW.format(3), id_)
    server.last.say(TAIL.format(3), id_)
    await asyncio.sleep(0.01)
    assert {message["Uniqueid"] for message in heard} == {"between"}
    assert session.waiting == 0
    await ended(session)


@pytest.mark.parametrize(
    "said", [[], [HEAD, ROW.format(1)], [HEAD, ROW.format(1), TAIL.format(2)]], ids=["nothing", "no end", "a row lost"]
)
async def test_a_list_that_is_never_complete_ends_at_its_deadline(said: list[str]) -> None:
    """A picture of the switch that lacks a call would end that call: rather none."""
    server, heard = FakeServer(lambda message: said), list[Message]()
    session = await connected(server, heard)
    with pytest.raises(AmiTimeout):
        await session.rows("Status", timeout_s=0.05)
    server.last.say(ROW.format(2), server.heard[-1]["ActionID"])
    await asyncio.sleep(0.01)
    assert (session.waiting, heard) == (0, [])
    await ended(session)


async def test_shutdown_is_told_and_ends_the_link_at_once() -> None:
    server, heard = FakeServer(), list[Message]()
    session = await connected(server, heard)
    waiting = session.send([Action("Ping")])
    server.last.say("Event: Shutdown\nShutdown: Cleanly\nRestart: False")
    await session.lost
    await asyncio.gather(*waiting, return_exceptions=True)
    assert [message.name for message in heard] == ["Shutdown"]
    assert str(session.lost_reason) == "the switch shuts down"
    assert not session.up


async def test_full_boot_is_kept_whatever_events_are_wanted() -> None:
    server, heard = FakeServer(), list[str]()
    session = await AmiSession.connect(
        server.memory(), "u", "s", lambda event: heard.append(event.name), wanted={"Hangup"}
    )
    assert await session.full_boot(0.01) is None
    asyncio.get_running_loop().call_later(
        0.01, server.last.say, "Event: FullyBooted\nUptime: 12\nLastReload: 7\nStatus: Fully Booted"
    )
    booted = await session.full_boot(1.0)
    assert booted is not None and session.booted is booted
    assert (booted.number("Uptime"), booted.number("LastReload")) == (12, 7)
    server.last.say("Event: Shutdown")
    await session.lost
    assert heard == []


async def test_reasons_of_a_loss() -> None:
    server = FakeServer()
    session = await connected(server)
    assert session.lost_reason is None
    await ended(session)
    assert str(session.lost_reason) == "we closed the connection"
    session = await connected(server)
    server.last.cut()
    await session.lost
    assert session.lost_reason is not None and session.lost_reason.es == "el conmutador cerró la conexión"


async def test_round_trips_and_counts_are_kept() -> None:
    server = FakeServer()
    session = await connected(server)
    first = session.round_trip_ms
    assert first is not None and 0.0 <= first < 1000.0
    server.script = lambda message: None
    slow = asyncio.ensure_future(session.action("Slow"))
    await asyncio.sleep(0.1)
    server.last.say("Response: Success", server.heard[-1]["ActionID"])
    await slow
    assert session.round_trip_ms > first + 5.0
    server.last.say("Event: Hangup")
    await asyncio.sleep(0.01)
    assert session.events == 1
    assert session.bytes_in > 50
    assert session.since_s <= session.heard_s <= asyncio.get_running_loop().time()
    await ended(session)


# -- a switch that does not read ---------------------------------------------------------------------------------------


async def frozen(port_backlog: list[socket.socket]) -> tuple[AmiSession, asyncio.Task[None]]:
    """A session with a server that logs it in and then never reads again."""
    loop = asyncio.get_running_loop()
    listener = port_backlog[0]

    async def serve() -> None:
        accepted, _ = await loop.sock_accept(listener)
        port_backlog.append(accepted)
        await loop.sock_sendall(accepted, b"Asterisk Call Manager/11.0.0\r\n")
        await loop.sock_recv(accepted, 4096)
        await loop.sock_sendall(accepted, b"Response: Success\r\nActionID: c1\r\n\r\n")

    server = loop.create_task(serve())
    session = await AmiSession.connect(tcp("127.0.0.1", listener.getsockname()[1]), "u", "s", lambda event: None)
    return session, server


@pytest.fixture
def sockets() -> AsyncIterator[list[socket.socket]]:
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    listener.bind(("127.0.0.1", 0))
    listener.listen()
    listener.setblocking(False)
    opened = [listener]
    yield opened
    for one in opened:
        one.close()


LONG = {f"Key{n}": "v" * 900 for n in range(100)}


async def test_a_megabyte_that_nobody_reads_is_the_end_of_the_session(sockets: list[socket.socket]) -> None:
    session, server = await frozen(sockets)
    answers: list[asyncio.Future[Message]] = []
    with pytest.raises(AmiLost, match="does not read"):
        for _ in range(200):  # 18 MB, more than the kernel takes
            answers += session.send([Action("Originate", LONG)], timeout_s=60)
    assert not session.up
    done = await asyncio.gather(*answers, return_exceptions=True)
    assert {type(error) for error in done} == {AmiLost}
    await session.lost
    assert (session.waiting, timers()) == (0, 0)
    assert str(session.lost_reason) == "the switch does not read what we send"
    await server


async def test_a_write_that_stays_blocked_is_the_end_of_the_session(
    sockets: list[socket.socket], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "WRITE_BLOCKED_S", 0.3)
    session, server = await frozen(sockets)
    loop = asyncio.get_running_loop()
    answers: list[asyncio.Future[Message]] = []
    while session._blocked is None:
        answers += session.send([Action("Originate", LONG)], timeout_s=60)
    began = loop.time()
    sockets[1].sendall(b"Event: Hangup\r\nUniqueid: a-1\r\n\r\n")
    await asyncio.wait_for(asyncio.shield(session.lost), 2)
    assert 0.25 < loop.time() - began < 1.0
    assert session.events == 1  # the reading went on
    await asyncio.gather(*answers, return_exceptions=True)
    await server


async def test_a_write_that_is_taken_in_time_does_no_harm(
    sockets: list[socket.socket], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "WRITE_BLOCKED_S", 0.3)
    session, server = await frozen(sockets)
    loop = asyncio.get_running_loop()
    answers: list[asyncio.Future[Message]] = []
    while session._blocked is None:
        answers += session.send([Action("Originate", LONG)], timeout_s=60)
    await server
    while session._blocked is not None:
        await loop.sock_recv(sockets[1], 1 << 20)
    await asyncio.sleep(0.4)
    assert session.up
    await ended(session)
    await asyncio.gather(*answers, return_exceptions=True)


# -- the link ----------------------------------------------------------------------------------------------------------


class Link:
    def __init__(self, server: FakeServer, resync: bool = False) -> None:
        self.downs: list[float] = []
        self.resync = resync
        self.link = AmiLink(
            server.memory(), "u", "s", lambda event: None, on_up=self._up, on_down=self._down, on_trouble=self._trouble
        )
        self.task = asyncio.get_running_loop().create_task(self.link.run())

    async def _up(self, session: AmiSession) -> None:
        if self.resync:
            await session.rows("Status", timeout_s=60)

    def _trouble(self, error: Exception) -> None:
        self._down()

    def _down(self) -> None:
        self.downs.append(asyncio.get_running_loop().time())

    async def stop(self) -> None:
        self.task.cancel()
        await asyncio.gather(self.task, return_exceptions=True)
        await asyncio.sleep(0.01)
        assert asyncio.all_tasks() == {asyncio.current_task()}
        assert timers() == 0


@pytest.mark.parametrize("at_s", [1.0, 1.99, 2.0, 2.01, 3.7])
def test_a_stalled_link_is_noticed_within_four_seconds(at_s: float) -> None:
    async def main() -> None:
        server = FakeServer()
        link = Link(server)
        await asyncio.sleep(at_s)
        server.last.say("Event: Newstate")
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        server.mute = True
        began = asyncio.get_running_loop().time()
        await asyncio.sleep(4.05)
        assert link.downs and link.downs[0] - began <= 4.01
        assert str(link.link.lost_reason) == "the switch does not answer any more"
        assert link.link.up_since_s is None
        server.mute = False
        await asyncio.sleep(12)
        assert link.link.reconnects == 1
        assert link.link.up_since_s is not None
        await link.stop()

    run_virtual(main())


def test_a_switch_that_stalls_in_the_resynchronisation_is_noticed_too() -> None:
    async def main() -> None:
        server = FakeServer(lambda message: None)
        link = Link(server, resync=True)
        await asyncio.sleep(4.1)
        assert link.downs and link.downs[0] <= 4.01
        assert link.link.session is None
        await link.stop()

    run_virtual(main())


def test_one_lost_answer_to_a_ping_is_no_lost_link() -> None:
    async def main() -> None:
        server = FakeServer()
        pings = 0

        def every_other(message: Message) -> str | None:
            nonlocal pings
            pings += 1
            return "Response: Success" if pings % 2 == 0 else None

        server.script = every_other
        link = Link(server)
        await asyncio.sleep(120)
        assert link.downs == []
        assert pings > 40
        await link.stop()

    run_virtual(main())


def test_after_a_shutdown_the_link_comes_back_by_itself() -> None:
    async def main() -> None:
        server = FakeServer()
        link = Link(server)
        await asyncio.sleep(1)
        server.last.say("Event: Shutdown")
        await asyncio.sleep(0.01)
        assert len(link.downs) == 1
        await asyncio.sleep(1)
        assert link.link.session is not None and link.link.reconnects == 1
        await link.stop()

    run_virtual(main())


async def test_a_refusal_is_an_answer_too() -> None:
    server = FakeServer(lambda message: "Response: Error\nMessage: No such channel")
    session = await connected(server)
    with pytest.raises(AmiRefused):
        await session.action("Hangup")
    server.last.say("Response: Success", server.heard[-1]["ActionID"])
    await asyncio.sleep(0.01)
    assert session.stray_answers == 1
    await ended(session)
