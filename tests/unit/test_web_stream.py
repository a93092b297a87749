"""Event streams and the server: the first message is the present, ended sessions end, stopping is fast."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest

sys.path.insert(0, str(Path(__file__).parent))
from web_fakes import FakeDesk, people

from cadencia.errors import ConfigError, StoreError
from cadencia.metrics.prometheus import Metrics
from cadencia.store.memory import MemoryStore
from cadencia.web import signin, stream
from cadencia.web.app import create_app
from cadencia.web.server import claim_port, serve


class Served:
    """The application on a real port."""

    def __init__(self) -> None:
        self.desk = FakeDesk()
        self.store = MemoryStore()
        self.metrics = Metrics()
        self.app = create_app(self.desk, self.store, metrics=self.metrics, believe_s=0.0)
        self.sock = claim_port("127.0.0.1", 0)
        self.url = f"http://127.0.0.1:{self.sock.getsockname()[1]}"

    @property
    def streams(self) -> int:
        return len(self.app.state.context.streams)

    async def start(self) -> None:
        self.users = await people(self.store)
        self.running = asyncio.create_task(serve(self.app, "127.0.0.1", 0, sock=self.sock))

    async def stop(self) -> None:
        self.running.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self.running

    async def secret(self, login: str, kind: str = "token") -> str:
        return await signin.issue(self.store, kind, self.users[login], self.desk.clock, 600.0)


@pytest.fixture
async def served() -> AsyncIterator[Served]:
    made = Served()
    await made.start()
    yield made
    await made.stop()


class Reader:
    """Reads an event stream, one event at a time."""

    def __init__(self, response: httpx.Response) -> None:
        self._lines = response.aiter_lines()
        self.response = response

    async def event(self) -> dict[str, Any]:
        """The next event; a comment counts as {"comment": ...}."""
        got: dict[str, Any] = {}
        async with asyncio.timeout(5):
            async for line in self._lines:
                if line.startswith(":"):
                    return {"comment": line}
                if line:
                    name, _, value = line.partition(": ")
                    got[name] = msgspec.json.decode(value) if name == "data" else value
                elif "data" in got:
                    return got
                else:
                    got = {}
        return {}


@contextlib.asynccontextmanager
async def listening(served: Served, headers: dict[str, str]) -> AsyncIterator[Reader]:
    async with (
        httpx.AsyncClient(timeout=10) as client,
        client.stream("GET", f"{served.url}/api/stream", headers=headers) as response,
    ):
        yield Reader(response)


def bearer(secret: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {secret}"}


async def until(condition: Any) -> None:
    async with asyncio.timeout(5):
        while not condition():
            await asyncio.sleep(0.01)


async def test_an_agent_hears_its_present_first_and_then_what_changes(served: Served) -> None:
    async with listening(served, bearer(await served.secret("agent"))) as reader:
        assert reader.response.headers["content-type"].startswith("text/event-stream")
        first = await reader.event()
        assert first["event"] == "agent" and first["data"]["id"] == "a01" and first["data"]["state"] == "out"
        served.desk.set("a02", state="ready")  # somebody else's
        served.desk.set("a01", state="ready")
        then = await reader.event()
        assert then["data"]["state"] == "ready" and int(then["id"]) > int(first["id"])
        assert b"cadencia_event_streams 1.0" in served.metrics.render()
    await until(lambda: served.streams == 0)


@pytest.mark.parametrize("role", ["supervisor", "engineer", "director", "compliance", "admin"])
async def test_who_watches_gets_the_floor(served: Served, role: str) -> None:
    async with listening(served, bearer(await served.secret(role))) as reader:
        first = await reader.event()
        assert first["event"] == "floor" and len(first["data"]["agents"]) == 14


async def test_a_stale_topic_is_never_the_first_message(served: Served) -> None:
    served.desk.hub.publish("floor", b'{"old":true}')
    async with listening(served, bearer(await served.secret("admin"))) as reader:
        assert "agents" in (await reader.event())["data"]


async def test_coming_back_gives_the_present_whatever_was_missed(served: Served) -> None:
    headers = bearer(await served.secret("agent"))
    async with listening(served, headers) as reader:
        last = (await reader.event())["id"]
    for state in ("paused", "ready", "reserved"):
        served.desk.set("a01", state=state)
    async with listening(served, {**headers, "Last-Event-ID": last}) as reader:
        assert (await reader.event())["data"]["state"] == "reserved"


async def test_a_slow_reader_gets_the_newest_and_holds_nobody_up(served: Served) -> None:
    async with listening(served, bearer(await served.secret("agent"))) as reader:
        await reader.event()
        for calls in range(500):
            served.desk.set("a01", calls=calls)
        seen = [await reader.event()]
        while seen[-1]["data"]["calls"] != 499:
            seen.append(await reader.event())
        assert len(seen) < 20


async def test_signing_out_ends_the_stream_at_once(served: Served) -> None:
    secret = await served.secret("agent", "session")
    cookie = {"Cookie": f"cadencia_session={secret}"}
    async with listening(served, cookie) as reader, httpx.AsyncClient() as client:
        await reader.event()
        answer = await client.delete(f"{served.url}/api/session", headers={**cookie, "Origin": served.url})
        assert answer.status_code == 204
        assert (await reader.event())["data"] == {"reason": "session"}
        assert await reader.event() == {}
    async with listening(served, cookie) as reader:
        assert reader.response.status_code == 401


async def test_a_session_ended_elsewhere_ends_the_stream_too(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stream, "RECHECK_S", 0.05)
    async with listening(served, bearer(await served.secret("agent"))) as reader:
        await reader.event()
        await served.store.drop_credentials(served.users["agent"].id, "token")
        # A busy topic must not keep it alive either.
        for calls in range(50):
            served.desk.set("a01", calls=calls)
            await asyncio.sleep(0.01)
        events = [await reader.event()]
        while events[-1].get("event") == "agent":
            events.append(await reader.event())
        assert events[-1]["event"] == "end"


async def test_a_store_that_cannot_say_does_not_end_streams(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stream, "RECHECK_S", 0.02)
    async with listening(served, bearer(await served.secret("agent"))) as reader:
        await reader.event()

        async def down(*_: object) -> None:
            raise StoreError("Base caída.")

        monkeypatch.setattr(served.store, "credential", down)
        await asyncio.sleep(0.1)
        served.desk.set("a01", state="ready")
        assert (await reader.event())["data"]["state"] == "ready"


async def test_silence_is_broken_by_heartbeats(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stream, "HEARTBEAT_S", 0.05)
    async with listening(served, bearer(await served.secret("agent"))) as reader:
        await reader.event()
        assert (await reader.event())["comment"] == ": still here"


# -- the server -------------------------------------------------------------------------------------------------------
async def test_stopping_ends_streams_in_less_than_a_second(served: Served) -> None:
    async with listening(served, bearer(await served.secret("admin"))) as reader:
        await reader.event()
        began = asyncio.get_running_loop().time()
        await served.stop()
        assert asyncio.get_running_loop().time() - began < 1.0
        events = [await reader.event()]
        while events[-1].get("event") == "floor":
            events.append(await reader.event())
        assert events[-1]["data"] == {"reason": "restart"}
    with pytest.raises(httpx.ConnectError):
        await httpx.AsyncClient().get(f"{served.url}/healthz")


async def test_requests_wait_in_a_claimed_port_until_the_server_is_there() -> None:
    made = Served()
    async with httpx.AsyncClient() as client:
        asked = asyncio.create_task(client.get(f"{made.url}/healthz"))
        await asyncio.sleep(0.05)
        await made.start()
        assert (await asked).status_code == 200
    await made.stop()


def test_a_port_in_use_is_said_before_anything_starts() -> None:
    with contextlib.closing(claim_port("127.0.0.1", 0)) as held:
        port = held.getsockname()[1]
        with pytest.raises(ConfigError, match=f"Port {port} on 127.0.0.1 is in use") as caught:
            claim_port("127.0.0.1", port)
        assert "web.port" in caught.value.hint


def test_addresses_that_are_not_ours_are_refused() -> None:
    for host in ("no-such-host.invalid", "203.0.113.1"):
        with pytest.raises(ConfigError, match=r"listen"):
            claim_port(host, 0)


async def test_signals_stay_with_the_engine(served: Served) -> None:
    import signal

    before = signal.getsignal(signal.SIGTERM)
    async with httpx.AsyncClient() as client:
        await client.get(f"{served.url}/healthz")
    assert signal.getsignal(signal.SIGTERM) is before and signal.getsignal(signal.SIGINT) is not None


async def test_a_port_can_be_claimed_again_at_once_after_stopping() -> None:
    made = Served()
    await made.start()
    async with httpx.AsyncClient() as client:
        await client.get(f"{made.url}/healthz")
    port = made.sock.getsockname()[1]
    await made.stop()
    again = claim_port("127.0.0.1", port)
    assert again.type == socket.SOCK_STREAM
    again.close()
