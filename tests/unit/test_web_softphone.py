"""What an agent's page is told to be the telephone: to that agent only, nowhere else, and what the page may then do."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest
import structlog

sys.path.insert(0, str(Path(__file__).parent))
from test_web_api import ROWS, Room
from web_fakes import people

from cadencia.dialer.browser import browser_telephone
from cadencia.dialer.live import Seat
from cadencia.dialer.servers import Server, Switch, Telephone
from cadencia.dialer.views import BrowserTelephoneView
from cadencia.domain.access import UserRole
from cadencia.domain.agents import Agent, AgentState
from cadencia.errors import Refused, spoken
from cadencia.telephony.asterisk import phone_secret

WSS = "wss://pbx.test:8089/ws"
KEY = "0123456789abcdef"
AT = datetime(2026, 11, 23, tzinfo=UTC)


@pytest.fixture
async def room() -> AsyncIterator[Room]:
    made = Room()
    made.users = await people(made.store)
    made.desk.wss = WSS
    for agent_id in ("a01", "a02"):
        made.desk.set(agent_id, telephone="browser")
    yield made
    await made.close()


async def test_each_agent_is_told_the_own_password_and_nobody_keeps_it(room: Room) -> None:
    for login, endpoint in (("agent", "a1001"), ("agent2", "a1002")):
        answer = await (await room.signed_in(login)).get("/api/agent/telephone")
        assert answer.json() == {
            "uri": f"sip:{endpoint}@pbx.test", "user": endpoint, "password": f"clave-de-{endpoint}", "wss": WSS,
            "domain": "pbx.test",
        }  # fmt: skip
        assert answer.headers["cache-control"] == "no-store"


@pytest.mark.parametrize("role", [r.value for r in UserRole if r is not UserRole.AGENT])
async def test_other_roles_are_told_nothing(room: Room, role: str) -> None:
    client = await room.bearer(role)
    for method in ("GET", "POST"):
        answer = await client.request(method, "/api/agent/telephone")
        assert answer.status_code == 403 and "clave-de" not in answer.text


async def test_nothing_else_that_is_served_and_no_log_holds_a_password(room: Room) -> None:
    with structlog.testing.capture_logs() as logs:
        for login in ("agent", "supervisor", "engineer", "admin"):
            client = await room.signed_in(login)
            for method, path in ROWS:
                if path == "/api/stream" or method != "GET" or path == "/api/agent/telephone":
                    continue
                answer = await client.get(path.replace("{name}", "x.js").replace("{attempt_id}", "c-0"))
                assert "clave-de" not in answer.text
        await (await room.signed_in("agent")).get("/api/agent/telephone")
    assert "clave-de" not in repr(logs)


async def test_another_kind_of_telephone_is_refused_with_words(room: Room) -> None:
    room.desk.set("a01", telephone="nailed")
    answer = await (await room.signed_in("agent")).get("/api/agent/telephone")
    assert answer.status_code == 409 and "no está en el navegador" in answer.json()["message"]


async def test_the_page_asks_for_its_call(room: Room) -> None:
    answer = await (await room.signed_in("agent")).post("/api/agent/telephone")
    assert answer.status_code == 200 and answer.json()["id"] == "a01"
    assert ("call_telephone", "a01") in room.desk.asked


async def test_only_the_agent_s_page_may_use_the_microphone_and_reach_the_switch(room: Room) -> None:
    client = room.client()
    page = (await client.get("/agente")).headers
    assert page["permissions-policy"] == "camera=(), geolocation=(), microphone=(self)"
    assert f"connect-src 'self' {WSS};" in page["content-security-policy"]
    others = [(await client.get(path)).headers for path in ("/entrar", "/supervision", "/telefonia", "/healthz")]
    room.desk.wss = ""
    others.append((await client.get("/agente")).headers)
    for headers in others:
        assert headers["permissions-policy"] == "camera=(), geolocation=(), microphone=()"
        assert "connect-src 'self';" in headers["content-security-policy"]
    assert page["content-security-policy"].replace(f" {WSS}", "") == others[0]["content-security-policy"]


# -- what the engine tells ---------------------------------------------------------------------------------------------
def seat(*, browser: bool = True, wss: str = WSS, key: str = KEY) -> Seat:
    async def never(factory: object) -> object:
        raise OSError

    server = Server("sur", never, "u", "s", telephones={"w1": Telephone(browser=browser)}, wss=wss, phone_key=key)
    return Seat(Agent("a1", "Ana", "w1"), Switch(server), AgentState.OUT, AT, 0.0)


@pytest.mark.parametrize(
    ("wss", "domain"),
    [
        (WSS, "pbx.test"), ("wss://pbx.test/ws", "pbx.test"), ("ws://127.0.0.1:8088/ws", "127.0.0.1"),
        ("wss://[2001:db8::1]:8089/ws", "[2001:db8::1]"), ("wss://[2001:db8::1]/ws", "[2001:db8::1]"),
    ],
)  # fmt: skip
def test_the_password_is_that_of_the_generated_configuration(wss: str, domain: str) -> None:
    told = browser_telephone(seat(wss=wss))
    assert told == BrowserTelephoneView(f"sip:w1@{domain}", "w1", phone_secret(KEY, "w1"), wss, domain)
    assert told.password not in repr(told) and told.password.encode() in msgspec.json.encode(told)


def test_what_is_missing_is_named_in_both_languages() -> None:
    for given, words in (
        (seat(wss=""), "servers.sur.wss"), (seat(key=""), "servers.sur.phone_key"), (seat(browser=False), "w1"),
    ):  # fmt: skip
        with pytest.raises(Refused) as refused:
            browser_telephone(given)
        for language in ("es", "en"):
            assert words in spoken(refused.value.message, language)
            assert spoken(refused.value.hint, language)
