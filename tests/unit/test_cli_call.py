"""`cadencia call`: a timeline as text and as JSON, a call that goes on, and one that nobody knows."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner

from cadencia.cli import call
from cadencia.cli.app import app
from cadencia.domain.events import Event
from cadencia.errors import Refused
from cadencia.store.memory import MemoryStore

AT = datetime(2026, 11, 24, 14, 0, tzinfo=UTC)


@pytest.fixture
def store(monkeypatch: pytest.MonkeyPatch) -> MemoryStore:
    held = MemoryStore()

    @asynccontextmanager
    async def opened(config: Path | None) -> AsyncIterator[MemoryStore]:
        yield held

    monkeypatch.setattr(call, "opened_store", opened)
    monkeypatch.setenv("LANG", "es_CO.UTF-8")
    for name in ("LC_ALL", "LC_MESSAGES"):
        monkeypatch.delenv(name, raising=False)
    told = [
        Event("attempt.leased", AT, "c1", 7, "a1"),
        Event("attempt.sending", AT + timedelta(milliseconds=300), "c1", 7, "a1"),
    ]
    asyncio.run(held.append(told))
    return held


def settle(store: MemoryStore) -> None:
    body = {"outcome": "OCU", "cause": 17, "tech_cause": 486}
    asyncio.run(store.append([Event("attempt.settled", AT + timedelta(seconds=2), "c1", 7, "a1", body=body)]))


def test_a_timeline_as_text(store: MemoryStore) -> None:
    settle(store)
    done = CliRunner().invoke(app, ["call", "a1"])
    assert done.exit_code == 0
    assert "a1  c1  OCU Ocupado" in done.stdout
    assert "2026-11-24T14:00:02.000Z     +1700 ms motor" in done.stdout
    assert "[OCU: SIP 486, Q.850 17]" in done.stdout
    assert "Sin traza" in done.stderr


def test_a_timeline_as_json_and_a_call_that_goes_on(store: MemoryStore) -> None:
    done = CliRunner().invoke(app, ["call", "a1", "--json"])
    told = json.loads(done.stdout)
    assert (told["attempt_id"], told["live"], told["outcome"]) == ("a1", True, "")
    assert [row["what"] for row in told["rows"]] == ["attempt.leased", "attempt.sending"]
    assert "sigue en curso" in done.stderr


def test_a_call_that_nobody_knows(store: MemoryStore) -> None:
    done = CliRunner().invoke(app, ["call", "nobody's"])
    assert isinstance(done.exception, Refused)
    assert "nobody's" in str(done.exception)
