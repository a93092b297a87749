"""The API: who may, what it answers, what it refuses."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import httpx
import msgspec
import pytest

sys.path.insert(0, str(Path(__file__).parent))
from web_fakes import PASSWORD, FakeDesk, people

from cadencia.clock import SystemClock
from cadencia.domain.access import User, UserRole
from cadencia.domain.dialing import Promise
from cadencia.domain.people import Money
from cadencia.errors import LeadershipLost, StoreError
from cadencia.metrics.prometheus import Metrics
from cadencia.store.memory import MemoryStore
from cadencia.web import signin
from cadencia.web.access import TABLE
from cadencia.web.app import check_table, create_app

HOST = "http://piso.test"
SAME = {"Origin": HOST}


class Room:
    """An application over the fake desk, and clients for it."""

    def __init__(self) -> None:
        self.desk = FakeDesk()
        self.store = MemoryStore()
        self.app = create_app(self.desk, self.store, metrics=Metrics(), believe_s=0.0)
        self.users: dict[str, User] = {}
        self._clients: list[httpx.AsyncClient] = []

    def client(self, address: str = "10.0.0.7", base: str = HOST) -> httpx.AsyncClient:
        transport = httpx.ASGITransport(self.app, raise_app_exceptions=False, client=(address, 5000))
        client = httpx.AsyncClient(transport=transport, base_url=base)
        self._clients.append(client)
        return client

    async def signed_in(self, login: str) -> httpx.AsyncClient:
        client = self.client()
        answer = await client.post("/api/session", json={"login": login, "password": PASSWORD})
        assert answer.status_code == 200
        client.headers["Origin"] = HOST
        return client

    async def bearer(self, login: str) -> httpx.AsyncClient:
        client = self.client()
        token = await signin.issue_token(self.store, self.users[login], self.desk.clock)
        client.headers["Authorization"] = f"Bearer {token}"
        return client

    async def close(self) -> None:
        for client in self._clients:
            await client.aclose()


@pytest.fixture
async def room() -> AsyncIterator[Room]:
    made = Room()
    made.users = await people(made.store)
    yield made
    await made.close()


# -- the table --------------------------------------------------------------------------------------------------------
ROWS = sorted(TABLE)


@pytest.mark.parametrize("role", [*[r.value for r in UserRole], "nobody"])
async def test_every_endpoint_lets_in_whom_the_table_names_and_nobody_else(room: Room, role: str) -> None:
    client = room.client() if role == "nobody" else await room.bearer(role)
    for method, path in ROWS:
        if path == "/api/stream":
            continue  # endless; tests of the stream look at it
        rule = TABLE[method, path]
        answer = await client.request(method, path.replace("{campaign_id}", "andino-90").replace("{name}", "x.js"))
        allowed = rule.public or (role != "nobody" and UserRole(role) in rule.roles)
        assert (answer.status_code not in (401, 403)) is allowed or (method, path) == ("POST", "/api/session"), path
        if not allowed:
            assert answer.status_code == (401 if role == "nobody" else 403), path
            assert answer.json()["code"] in ("CAD-WEB-SIGN-IN", "CAD-WEB-FORBIDDEN")


def test_a_route_without_a_row_cannot_be_made(room: Room) -> None:
    with pytest.raises(LookupError, match="/api/secret"):
        room.app.get("/api/secret")(lambda: None)


def test_a_route_that_goes_round_the_gate_is_found(room: Room) -> None:
    room.app.router.add_route("/side-door", lambda request: None)  # type: ignore[arg-type, return-value]
    with pytest.raises(LookupError, match="side-door"):
        check_table(room.app.routes)


def test_a_row_without_a_route_is_found(room: Room) -> None:
    with pytest.raises(LookupError, match="differ"):
        check_table([r for r in room.app.routes if getattr(r, "path", "") != "/api/me"])


async def test_malformed_bodies_of_strangers_are_not_even_read(room: Room) -> None:
    answer = await room.client().post("/api/agent/pause", content=b"{", headers={"Content-Type": "application/json"})
    assert answer.status_code == 401


# -- sessions ---------------------------------------------------------------------------------------------------------
async def test_signing_in_sets_a_strict_cookie_whose_secret_is_not_kept(room: Room) -> None:
    client = room.client()
    answer = await client.post("/api/session", json={"login": "agent", "password": PASSWORD})
    cookie = answer.headers["set-cookie"]
    assert "HttpOnly" in cookie and "samesite=strict" in cookie.lower() and "Max-Age=43200" in cookie
    secret = client.cookies["cadencia_session"]
    assert len(secret) == 43
    assert secret not in repr(vars(room.store._data))
    me = (await client.get("/api/me")).json()
    assert me["agent_id"] == "a01" and me["landing"] == "/agente" and me["clock"]["speed"] == 1.0


async def test_signing_out_ends_the_session_in_the_store_too(room: Room) -> None:
    client = await room.signed_in("supervisor")
    secret = client.cookies["cadencia_session"]
    assert (await client.delete("/api/session")).status_code == 204
    again = room.client()
    again.cookies.set("cadencia_session", secret)
    assert (await again.get("/api/me")).status_code == 401
    assert await room.store.credential("session", signin.digest(secret), SystemClock().now()) is None


async def test_a_session_lasts_twelve_hours(room: Room) -> None:
    client = await room.signed_in("director")
    held = await room.store.credential(
        "session", signin.digest(client.cookies["cadencia_session"]), room.desk.clock.now()
    )
    assert held is not None and held.expires_at is not None
    assert (held.expires_at - held.created_at).total_seconds() == 12 * 3600


async def test_signing_in_again_ends_the_browser_s_earlier_session(room: Room) -> None:
    client = await room.signed_in("agent")
    first = client.cookies["cadencia_session"]
    await client.post("/api/session", json={"login": "agent2", "password": PASSWORD})
    assert await room.store.credential("session", signin.digest(first), SystemClock().now()) is None
    assert (await client.get("/api/me")).json()["agent_id"] == "a02"


async def test_a_remembered_session_needs_no_store_until_it_is_stale(room: Room) -> None:
    app = create_app(room.desk, room.store, metrics=Metrics(), believe_s=60.0)
    sessions = app.state.context.sessions
    secret = await sessions.begin(room.users["agent"])
    assert await sessions.caller("session", secret)
    await room.store.drop_credentials(room.users["agent"].id, "session")
    assert await sessions.caller("session", secret)  # believed for a moment
    assert await room.app.state.context.sessions.caller("session", secret) is None  # believes for 0 s


@pytest.mark.parametrize(
    ("login", "password"), [("agent", "falsa"), ("nadie", PASSWORD), ("agent", "x"), ("agent", "ñandú" * 90)]
)
async def test_a_wrong_password_and_an_unknown_login_look_alike(room: Room, login: str, password: str) -> None:
    answer = await room.client().post("/api/session", json={"login": login, "password": password})
    assert answer.status_code == 401 and answer.json()["code"] == "CAD-WEB-CREDENTIALS"
    assert "set-cookie" not in answer.headers


async def test_a_user_without_a_password_cannot_sign_in_with_one(room: Room) -> None:
    await room.store.save_user("robot", "r", UserRole.AGENT, agent_id="a03", password_hash="", language="es")
    answer = await room.client().post("/api/session", json={"login": "robot", "password": PASSWORD})
    assert answer.status_code == 401


async def test_failures_are_limited_by_person_and_address_without_locking_others_out(room: Room) -> None:
    here, there = room.client("10.0.0.1"), room.client("10.0.0.2")
    for _ in range(5):
        await here.post("/api/session", json={"login": "agent", "password": "no"})
    answer = await here.post("/api/session", json={"login": "agent", "password": PASSWORD})
    assert answer.status_code == 429 and 0 < int(answer.headers["Retry-After"]) <= 61
    assert (await there.post("/api/session", json={"login": "agent", "password": PASSWORD})).status_code == 200
    assert (await here.post("/api/session", json={"login": "director", "password": PASSWORD})).status_code == 200


# -- one-time links ---------------------------------------------------------------------------------------------------
async def test_a_link_lets_in_exactly_once(room: Room) -> None:
    url = await signin.issue_once(room.store, room.users["supervisor"], room.desk.clock, HOST)
    client = room.client()
    first = await client.get(url)
    assert first.status_code == 303 and first.headers["location"] == "/supervision"
    assert (await client.get("/api/me")).json()["role"] == "supervisor"
    second = await room.client().get(url)
    assert second.headers["location"] == "/entrar?e=once" and "set-cookie" not in second.headers


async def test_guessing_links_is_limited(room: Room) -> None:
    client = room.client()
    codes = [(await client.get(f"/entrar?code=x{n}")).status_code for n in range(8)]
    assert codes == [303] * 5 + [429] * 3


async def test_a_link_is_good_for_real_minutes_under_a_fast_clock(room: Room) -> None:
    class Fast(SystemClock):
        speed = 60.0

    await signin.issue_once(room.store, room.users["agent"], Fast(), HOST, valid_s=60.0)
    assert signin.lasting(Fast(), 60.0).total_seconds() == 3600


# -- requests from elsewhere ------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Origin": "http://mala.test"}, 403),
        ({"Origin": "null"}, 403),
        ({"Sec-Fetch-Site": "cross-site", "Origin": HOST}, 403),
        ({"Sec-Fetch-Site": "same-site"}, 403),
        ({"Origin": ""}, 403),
        ({"Sec-Fetch-Site": "same-origin", "Origin": HOST}, 200),
        (SAME, 200),
    ],
)
async def test_state_changes_come_from_our_own_pages(room: Room, headers: dict[str, str], status: int) -> None:
    client = await room.signed_in("agent")
    del client.headers["Origin"]
    assert (await client.post("/api/agent/sign-in", headers=headers)).status_code == status


async def test_a_cookie_without_any_origin_changes_nothing(room: Room) -> None:
    client = await room.signed_in("agent")
    del client.headers["Origin"]
    answer = await client.post("/api/agent/sign-in")
    assert answer.status_code == 403 and answer.json()["code"] == "CAD-WEB-ORIGIN"
    assert room.desk.asked == []


async def test_a_foreign_page_cannot_sign_a_browser_in(room: Room) -> None:
    body = {"login": "agent", "password": PASSWORD}
    answer = await room.client().post("/api/session", json=body, headers={"Origin": "http://mala.test"})
    assert answer.status_code == 403


async def test_a_token_needs_no_origin(room: Room) -> None:
    assert (await (await room.bearer("agent")).post("/api/agent/sign-in")).status_code == 200


async def test_a_session_s_secret_is_no_token(room: Room) -> None:
    client = await room.signed_in("agent")
    stranger = room.client()
    stranger.headers["Authorization"] = f"Bearer {client.cookies['cadencia_session']}"
    assert (await stranger.get("/api/me")).status_code == 401


async def test_every_answer_carries_the_security_headers(room: Room) -> None:
    for path in ("/api/me", "/entrar", "/nada", "/healthz"):
        headers = (await room.client().get(path)).headers
        policy = headers["content-security-policy"]
        assert "default-src 'none'" in policy and "unsafe" not in policy
        assert headers["x-content-type-options"] == "nosniff" and headers["x-frame-options"] == "DENY"
        assert headers["cache-control"] in ("no-store", "no-cache")


# -- an agent ---------------------------------------------------------------------------------------------------------
async def test_an_agent_s_day(room: Room) -> None:
    client = await room.bearer("agent")
    assert (await client.post("/api/agent/sign-in")).json()["state"] == "paused"
    assert (await client.post("/api/agent/ready")).json()["state"] == "ready"
    room.desk.call("a01", "k-7")
    shown = (await client.get("/api/agent")).json()
    assert shown["pop"]["attempt_id"] == "k-7" and "balance_minor" not in shown["pop"]["obligations"][0]
    confirmed = (await client.post("/api/agent/confirm", json={"attempt_id": "k-7"})).json()
    assert confirmed["obligations"][0]["balance_minor"] == 123456700
    assert (await client.post("/api/agent/pause", json={"reason": "almuerzo"})).json()["next_pause"] == "almuerzo"
    assert (await client.post("/api/agent/finish", json={"attempt_id": "k-7"})).json()["state"] == "wrapup"
    note = {"attempt_id": "k-7", "note": "¿Por qué no ha pagado?"}
    (found,) = (await client.post("/api/agent/note", json=note, headers={"Accept-Language": "es"})).json()["findings"]
    assert found["said"] == "Por qué no ha pagado" and found["told"].startswith("No pregunte") and found["question"]
    english = (await client.post("/api/agent/note", json=note, headers={"Accept-Language": "en"})).json()
    assert english["findings"][0]["told"].startswith("Do not ask")
    assert (await client.post("/api/agent/note", json={**note, "note": "x" * 4001})).status_code == 422
    body = {
        "attempt_id": "k-7", "code": "PPP", "note": "paga el viernes",
        "promise": {"amount_minor": 20000000, "currency": "COP", "due": "2026-12-04"},
        "callback_at": "2026-12-01T15:30:00-05:00",
    }  # fmt: skip
    done = await client.post("/api/agent/disposition", json=body)
    assert done.status_code == 200 and done.json()["state"] == "paused"
    asked = next(a for a in room.desk.asked if a[0] == "dispose")
    assert asked[5] == Promise(Money(20000000, "COP"), "2026-12-04")
    assert asked[6].astimezone(UTC) == datetime(2026, 12, 1, 20, 30, tzinfo=UTC)
    assert (await client.post("/api/agent/sign-out")).json()["state"] == "out"


async def test_an_agent_chooses_whom_to_dial(room: Room) -> None:
    client = await room.bearer("agent")
    assert (await client.get("/api/dispositions")).json()["skip_reasons"][0] == "ya_gestionado"
    room.desk.preview("a01", "k-7", came_of="NOA")
    shown = (await client.get("/api/agent")).json()
    assert (shown["state"], shown["came_of"], shown["pop"]["answered_at"]) == ("preview", "NOA", None)
    assert datetime.fromisoformat(shown["preview_until"]) > room.desk.clock.now()
    assert "balance_minor" not in shown["pop"]["obligations"][0]
    skip = {"attempt_id": "k-7", "reason": "espera_pago"}
    following = (await client.post("/api/agent/skip", json=skip)).json()["pop"]["attempt_id"]
    assert following != "k-7"
    assert (await client.post("/api/agent/dial", json={"attempt_id": "k-7"})).status_code == 409  # a late click
    assert (await client.post("/api/agent/dial", json={"attempt_id": following})).json()["state"] == "reserved"
    assert (await client.post("/api/agent/finish", json={"attempt_id": following})).json()["hanging_up"] is True
    without = await client.post("/api/agent/skip", json={"attempt_id": following})
    assert without.status_code == 422 and without.json()["field"] == "reason"


async def test_an_agent_acts_for_nobody_else(room: Room) -> None:
    room.desk.call("a02", "k-2")
    client = await room.bearer("agent")
    assert (await client.post("/api/agent/finish", json={"attempt_id": "k-2"})).status_code == 409
    answer = await client.post("/api/agent/finish", json={"attempt_id": "k-2", "agent_id": "a02"})
    assert answer.status_code == 422 and answer.json()["field"] == "agent_id"


async def test_a_user_of_role_agent_without_an_agent_is_told_so(room: Room) -> None:
    await room.store.save_user("suelto", "s", UserRole.AGENT, agent_id=None, password_hash="", language="en")
    user = await room.store.user("suelto")
    assert user is not None
    room.users["suelto"] = user
    client = await room.bearer("suelto")
    for method, path in (("POST", "/api/agent/ready"), ("GET", "/api/stream")):
        answer = await client.request(method, path)
        assert answer.status_code == 409 and answer.json()["message"] == "This user is no agent."


# -- a supervisor -----------------------------------------------------------------------------------------------------
async def test_steering_a_campaign_names_who_and_why(room: Room) -> None:
    client = await room.bearer("supervisor")
    for verb in ("pause", "stop", "start"):
        answer = await client.post(f"/api/campaigns/andino-90/{verb}", json={"reason": " hora pico "})
        assert answer.json()["campaigns"][0]["id"] == "andino-90"
    patch = {"changes": {"mode": "ratio", "ratio": 1.6}, "reason": "mucha espera"}
    answer = await client.patch("/api/campaigns/andino-90", json=patch)
    assert answer.json()["campaigns"][0]["ratio"] == 1.6
    assert room.desk.asked[0] == ("pause", "andino-90", "supervisor", "hora pico", {"state": "paused"})
    assert room.desk.asked[3][3] == "mucha espera"


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"changes": {"ratio": 2}}, "reason"),
        ({"changes": {"ratio": 2}, "reason": "   "}, "reason"),
        ({"changes": {}, "reason": "x"}, "changes"),
        ({"reason": "x"}, "changes"),
        ({"changes": {"ratio": 2}, "reason": "x", "by": "otro"}, "by"),
    ],
)
async def test_a_change_without_its_reason_is_refused(room: Room, body: dict[str, object], field: str) -> None:
    answer = await (await room.bearer("supervisor")).patch("/api/campaigns/andino-90", json=body)
    assert answer.status_code == 422 and answer.json()["field"] == field


async def test_what_the_desk_refuses_comes_with_its_words(room: Room) -> None:
    client = await room.bearer("admin")
    body = {"changes": {"velocidad": 9}, "reason": "x"}
    answer = await client.patch("/api/campaigns/andino-90", json=body)
    assert answer.status_code == 409
    assert answer.json() == {"code": "CAD-REFUSED", "message": "Ese ajuste no existe.", "hint": "Revise los nombres."}


async def test_the_floor_shows_no_debtor(room: Room) -> None:
    room.desk.call("a01")
    text = (await (await room.bearer("director")).get("/api/floor")).text
    assert "Gutiérrez" not in text and "4567" not in text and msgspec.json.decode(text)["agents"]


async def test_every_code_has_words_in_both_languages(room: Room) -> None:
    codes = (await (await room.bearer("agent")).get("/api/dispositions")).json()
    assert [level["code"] for level in codes["levels"]] == ["CD", "CI", "SC"]
    assert sum(len(level["leaves"]) for level in codes["levels"]) == 31
    assert codes["labels"]["BLQ-FESTIVO"] == {"es": "Domingo o festivo", "en": "Sunday or holiday"}
    assert codes["labels"]["SIN"]["en"].startswith("Not disposed")
    assert all(words["es"] and words["en"] for words in codes["labels"].values())


# -- errors -----------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("error", "status"), [(StoreError("Base caída."), 503), (LeadershipLost("Otro manda."), 503), (OSError("x"), 500)]
)
async def test_failures_have_a_form_and_no_trace(room: Room, error: Exception, status: int) -> None:
    def broken(_: str) -> None:
        raise error

    room.desk.agent = broken  # type: ignore[assignment, method-assign]
    answer = await (await room.bearer("agent")).get("/api/agent")
    assert answer.status_code == status and set(answer.json()) == {"code", "message", "hint"}
    assert "Traceback" not in answer.text and "OSError" not in answer.text


@pytest.mark.parametrize(("language", "words"), [("en-GB,es", "There is no such thing."), ("de", "No existe.")])
async def test_errors_speak_the_reader_s_language(room: Room, language: str, words: str) -> None:
    answer = await room.client().get("/nada", headers={"Accept-Language": language})
    assert answer.status_code == 404 and answer.json()["message"] == words
    agent2 = await room.bearer("agent2")
    assert (await agent2.get("/api/floor")).json()["message"] == "Your role does not allow this."
    chosen = await agent2.get("/api/floor", headers={"Accept-Language": "es"})  # on the page, against the user's own
    assert chosen.json()["message"] == "Su rol no permite esta acción."


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"attempt_id": "k/1", "code": "NEQ"}, "attempt_id"),
        ({"attempt_id": "k", "code": "PPP", "promise": {"amount_minor": 0, "currency": "COP", "due": "2026-12-01"}},
         "promise.amount_minor"),
        ({"attempt_id": "k", "code": "PPP", "promise": {"amount_minor": 5.5, "currency": "COP", "due": "2026-12-01"}},
         "promise.amount_minor"),
        ({"attempt_id": "k", "code": "VLL", "callback_at": "2026-12-01T15:00:00"}, "callback_at"),
        ({"attempt_id": "k", "code": "VLL", "nota": "x"}, "nota"),
        ({"code": "VLL"}, "attempt_id"),
    ],
)  # fmt: skip
async def test_a_wrong_field_is_named(room: Room, body: dict[str, object], field: str) -> None:
    answer = await (await room.bearer("agent")).post("/api/agent/disposition", json=body)
    assert answer.status_code == 422
    assert answer.json()["field"] == field and field in answer.json()["message"]


async def test_large_bodies_are_refused_announced_or_not(room: Room) -> None:
    client = await room.bearer("agent")
    big = b'{"reason":"' + b"x" * 70_000 + b'"}'
    assert (await client.post("/api/agent/pause", content=big)).status_code == 413

    async def drip() -> AsyncIterator[bytes]:
        for start in range(0, len(big), 7000):
            yield big[start : start + 7000]

    answer = await client.post("/api/agent/pause", content=drip(), headers={"Content-Type": "application/json"})
    assert answer.status_code == 413 and answer.json()["code"] == "CAD-WEB-TOO-LARGE"


# -- those who run it -------------------------------------------------------------------------------------------------
async def test_readiness_says_what_is_missing(room: Room) -> None:
    assert (await room.client().get("/readyz")).status_code == 200
    room.desk.well["switch"] = False
    answer = await room.client().get("/readyz")
    assert answer.status_code == 503 and answer.json()["missing"] == ["switch"]
    assert (await room.client().get("/healthz")).status_code == 200


@pytest.mark.parametrize(
    ("address", "base", "headers", "status"),
    [
        ("127.0.0.1", "http://127.0.0.1:8080", {}, 200),
        ("::1", "http://localhost:8080", {}, 200),
        ("127.0.0.1", "http://127.0.0.1:8080", {"X-Forwarded-For": "10.0.0.9"}, 401),
        ("127.0.0.1", "http://rebound.test", {}, 401),
        ("10.0.0.9", "http://127.0.0.1:8080", {}, 401),
    ],
)
async def test_metrics_are_for_engineers_and_this_machine(
    room: Room, address: str, base: str, headers: dict[str, str], status: int
) -> None:
    answer = await room.client(address, base).get("/metrics", headers=headers)
    assert answer.status_code == status
    assert (await (await room.bearer("engineer")).get("/metrics")).status_code == 200


async def test_the_api_describes_itself(room: Room) -> None:
    schema = (await (await room.bearer("agent")).get("/api/openapi.json")).json()
    assert set(schema["components"]["schemas"]) >= {"AgentView", "FloorView", "DispositionBody", "Confirmed"}
    described = {(m.upper(), p) for p, methods in schema["paths"].items() for m in methods}
    assert described <= set(TABLE) and ("POST", "/api/agent/confirm") in described


# -- pages ------------------------------------------------------------------------------------------------------------
async def test_pages_that_were_not_built_say_how_to_build_them(room: Room, tmp_path: Path) -> None:
    app = create_app(room.desk, room.store, metrics=Metrics(), static_dir=tmp_path)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=HOST) as client:
        answer = await client.get("/agente")
        assert answer.status_code == 503 and "build_pages" in answer.json()["hint"]
        (tmp_path / "index.html").write_text("<!doctype html>")
        assert (await client.get("/agente")).text == "<!doctype html>"


async def test_only_built_files_are_served(room: Room, tmp_path: Path) -> None:
    (tmp_path / "assets").mkdir()
    (tmp_path / "assets" / "app-1a2b.js").write_text("1")
    (tmp_path / "assets" / "secret.py").write_text("1")
    app = create_app(room.desk, room.store, metrics=Metrics(), static_dir=tmp_path)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=HOST) as client:
        good = await client.get("/assets/app-1a2b.js")
        assert good.headers["content-type"].startswith("text/javascript")
        assert "immutable" in good.headers["cache-control"]
        for name in ("secret.py", "..%2findex.html", "%2e%2e", "nada.js"):
            assert (await client.get(f"/assets/{name}")).status_code == 404
