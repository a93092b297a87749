"""The what-if over the API: who may ask, what is answered, and the process that simulates."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import msgspec
import pytest

sys.path.insert(0, str(Path(__file__).parent))
from web_fakes import ANSWER, FakeDesk, QuickAsker, people

from cadencia.domain.access import User
from cadencia.metrics.prometheus import Metrics
from cadencia.pacing.change import PIECES
from cadencia.store.memory import MemoryStore
from cadencia.web import signin
from cadencia.web.app import create_app
from cadencia.web.asking import Asker
from cadencia.web.errors import WebError

PATH = "/api/campaigns/andino-90/what-if"
QUESTION = FakeDesk().what_if("andino-90", {"mode": "predictive"}, 1).question
ANSWERED = msgspec.json.encode(ANSWER).decode()


class Room:
    """The application over the fake desk, and a supervisor's client."""

    def __init__(self) -> None:
        self.desk, self.store, self.asker = FakeDesk(), MemoryStore(), QuickAsker()
        self.app = create_app(self.desk, self.store, metrics=Metrics(), believe_s=0.0, asker=self.asker)
        transport = httpx.ASGITransport(self.app, raise_app_exceptions=False)
        self.client = httpx.AsyncClient(transport=transport, base_url="http://piso.test")

    async def enter(self, user: User) -> None:
        token = await signin.issue_token(self.store, user, self.desk.clock)
        self.client.headers["Authorization"] = f"Bearer {token}"


@pytest.fixture
async def room() -> AsyncIterator[Room]:
    made = Room()
    await made.enter((await people(made.store))["supervisor"])
    yield made
    await made.client.aclose()


async def test_it_answers_now_then_and_their_difference_with_intervals(room: Room) -> None:
    answer = await room.client.post(PATH, json={"changes": {"abandonment_target": 0.02, "caller_id": "601"}})
    told = answer.json()
    assert answer.status_code == 200
    assert told["campaign_id"] == "andino-90"
    assert told["now"]["wait_mean_s"] == {"mean": 9.0, "half": 0.9}
    assert told["then"]["abandonment"] == {"mean": 0.019, "half": 0.007}
    assert told["difference"]["utilisation"] == {"mean": 0.02, "half": 0.01}
    assert set(told["then"]) == {"utilisation", "wait_mean_s", "wait_p95_s", "abandonment", "dials_per_contact"}
    assert told["simulated"] == {
        "pieces": 4, "hours": 1.0, "agents": 12, "agents_then": 12, "channels": 30, "answer_rate": 0.25, "known": True,
    }  # fmt: skip
    assert told["without_effect"] == ["caller_id"]
    asked = room.asker.questions[0]
    assert (asked.now.target, asked.then.target, asked.then.agents) == (None, 0.02, 12)
    assert room.desk.campaign.abandonment_target is None  # nothing was changed


async def test_it_may_be_asked_for_another_number_of_agents(room: Room) -> None:
    answer = await room.client.post(PATH, json={"changes": {}, "agents": 30})
    assert answer.json()["simulated"]["agents"] == 30


@pytest.mark.parametrize(
    ("language", "changes", "message"),
    [
        ("es", {"ratio": 9}, "ratio debe ser un número de 1 a 5."),
        ("en", {"ratio": 9}, "ratio must be a number from 1 to 5."),
        ("es", {"velocidad": 1}, "No existe el ajuste 'velocidad'."),
        ("en", {"abandonment_target": 0.05}, "The abandonment target 0.05 is above the cap 0.03."),
    ],
)
async def test_a_change_that_would_be_refused_is_refused_alike(
    room: Room, language: str, changes: dict[str, object], message: str
) -> None:
    answer = await room.client.post(PATH, json={"changes": changes}, headers={"Accept-Language": language})
    assert answer.status_code == 409
    assert answer.json()["code"] == "CAD-REFUSED"
    assert answer.json()["message"] == message
    assert room.asker.questions == []


@pytest.mark.parametrize(
    ("body", "field"),
    [({}, "changes"), ({"changes": {}, "agents": 0}, "agents"), ({"changes": {}, "agents": "12"}, "agents"),
     ({"changes": {}, "reason": "x"}, "reason")],
)  # fmt: skip
async def test_a_wrong_field_is_named(room: Room, body: dict[str, object], field: str) -> None:
    answer = await room.client.post(PATH, json=body)
    assert answer.status_code == 422
    assert answer.json()["field"] == field


@pytest.mark.parametrize(
    ("language", "message"), [("es", "La simulación tardó demasiado."), ("en", "The simulation took too long.")]
)
async def test_what_fails_is_told(room: Room, language: str, message: str) -> None:
    room.asker.error = WebError(504, "CAD-WEB-SLOW")
    answer = await room.client.post(PATH, json={"changes": {}}, headers={"Accept-Language": language})
    assert answer.status_code == 504
    assert answer.json()["message"] == message


async def test_its_answer_is_described(room: Room) -> None:
    described = (await room.client.get("/api/openapi.json")).json()
    assert set(described["components"]["schemas"]) >= {"WhatIfView", "SimulatedView", "Figures", "Figure"}


# -- the process -------------------------------------------------------------------------------------------------------
async def test_a_process_of_its_own_simulates_one_question_at_a_time() -> None:
    asker = Asker()
    first = asyncio.create_task(asker.ask(QUESTION))
    await asyncio.sleep(0)
    with pytest.raises(WebError) as caught:
        await asker.ask(QUESTION)
    assert (caught.value.status, caught.value.code, caught.value.retry_after_s) == (409, "CAD-WEB-ASKING", 5)
    answer = await first
    assert answer.pieces == PIECES
    assert 0.1 < answer.now.utilisation.mean < 1.0
    assert answer.now != answer.then
    assert not answer.known


async def test_a_process_that_takes_too_long_is_ended(tmp_path: Path) -> None:
    asker = Asker(0.3, (sys.executable, "-c", "import time; time.sleep(60)"))
    with pytest.raises(WebError) as caught:
        await asker.ask(QUESTION)
    assert (caught.value.status, caught.value.code) == (504, "CAD-WEB-SLOW")


@pytest.mark.parametrize(
    ("command", "status"),
    [
        ((sys.executable, "-c", "import sys; sys.stdin.read(); raise SystemExit('broken')"), 500),
        ((sys.executable, "-c", "import sys; sys.stdin.read(); print('{}')"), 500),
        (("/nowhere/at/all",), 503),
    ],
)
async def test_a_process_that_fails_is_told_and_the_next_question_is_answered(
    command: tuple[str, ...], status: int
) -> None:
    asker = Asker(30.0, command)
    for _ in range(2):
        with pytest.raises(WebError) as caught:
            await asker.ask(QUESTION)
        assert (caught.value.status, caught.value.code) == (status, "CAD-WEB-SIMULATION")
    asker._command = (sys.executable, "-c", f"import sys; sys.stdin.read(); print({ANSWERED!r})")
    assert await asker.ask(QUESTION) == ANSWER


async def test_who_stops_asking_leaves_no_process(tmp_path: Path) -> None:
    mark = tmp_path / "pid"
    body = f"import os, time; open({str(mark)!r}, 'w').write(str(os.getpid())); time.sleep(60)"
    asker = Asker(60.0, (sys.executable, "-c", body))
    asking = asyncio.create_task(asker.ask(QUESTION))
    while not mark.exists() or not mark.read_text():
        await asyncio.sleep(0.01)
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking
    assert not Path(f"/proc/{mark.read_text()}").exists()
