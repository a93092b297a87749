"""The engineer's part of the API: servers, trunks, causes, and the timeline of a call."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
from test_web_api import Room
from web_fakes import people

from cadencia.domain.access import UserRole
from cadencia.web.errors import WebError
from cadencia.web.sessions import Caller
from cadencia.web.stream import topic_of


@pytest.fixture
async def room() -> AsyncIterator[Room]:
    made = Room()
    made.users = await people(made.store)
    yield made
    await made.close()


async def test_servers_trunks_and_causes(room: Room) -> None:
    told = (await (await room.bearer("engineer")).get("/api/telephony")).json()
    assert [(s["name"], s["up"]) for s in told["servers"]] == [("sur", True), ("norte", False)]
    assert told["servers"][1]["trouble"]["hint"]["en"].startswith("Start Asterisk")
    assert [(t["server"], t["name"]) for t in told["trunks"]] == [("sur", "claro"), ("sur", "tigo"), ("norte", "etb")]
    assert [c["sip"] for c in told["causes"] if not c["known"]] == [499, None]


async def test_a_calls_timeline(room: Room) -> None:
    client = await room.bearer("compliance")
    told = (await client.get("/api/calls/c-1")).json()
    assert (told["attempt_id"], told["outcome"], told["live"]) == ("c-1", "CEL", False)
    assert [row["ms"] for row in told["rows"]] == sorted(row["ms"] for row in told["rows"])
    assert {row["source"] for row in told["rows"]} == {"pacing", "engine", "switch"}


@pytest.mark.parametrize(("tongue", "said"), [("es", "No se conoce esa llamada."), ("en", "Nobody knows this call.")])
async def test_a_call_that_nobody_knows(room: Room, tongue: str, said: str) -> None:
    client = await room.bearer("supervisor")
    answer = await client.get("/api/calls/zzz", headers={"Accept-Language": tongue})
    assert answer.status_code == 404
    assert answer.json()["code"] == "CAD-WEB-NO-CALL" and answer.json()["message"] == said


async def test_agents_see_no_timelines(room: Room) -> None:
    assert (await (await room.bearer("agent")).get("/api/calls/c-1")).status_code == 403
    assert (await (await room.bearer("director")).get("/api/calls/c-1")).status_code == 403


@pytest.mark.parametrize("role", [role.value for role in UserRole])
async def test_who_may_listen_to_the_lines(room: Room, role: str) -> None:
    allowed = role in ("engineer", "supervisor", "admin")
    caller = Caller(room.users[role], "token", "digest")
    if allowed:
        assert topic_of(caller, "telephony") == "telephony"
    else:
        with pytest.raises(WebError):
            topic_of(caller, "telephony")
        assert topic_of(caller) != "telephony"


async def test_another_topic_is_refused(room: Room) -> None:
    answer = await (await room.bearer("engineer")).get("/api/stream?topic=agent/a01")
    assert answer.status_code == 422


async def test_engineers_land_on_their_page(room: Room) -> None:
    assert (await (await room.bearer("engineer")).get("/api/me")).json()["landing"] == "/telefonia"
