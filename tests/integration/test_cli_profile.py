"""`cadencia profile` on a store in memory: a change takes two persons, and each says who acts."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from typer.testing import CliRunner

from cadencia.cli import law
from cadencia.cli.app import app
from cadencia.config.profiles import load_site
from cadencia.dialer.law import renumbered
from cadencia.domain.access import UserRole
from cadencia.errors import CadenciaError, Refused
from cadencia.store.memory import MemoryStore

CO = "co-ley2300"
BOOK = load_site(None)
VERSION = BOOK.profiles[CO].version
NEXT = str(VERSION + 1)

Run = Callable[..., Any]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs a verb on a store with two persons of compliance and a supervisor."""
    store = MemoryStore()

    async def fill() -> None:
        for login, role in (("ana", UserRole.COMPLIANCE), ("eva", UserRole.ADMIN), ("sol", UserRole.SUPERVISOR)):
            await store.save_user(login, login, role, agent_id=None, password_hash="", language="es")

    @asynccontextmanager
    async def opened(_: object) -> AsyncIterator[MemoryStore]:
        yield store

    asyncio.run(fill())
    monkeypatch.setattr(law, "opened_store", opened)
    monkeypatch.setenv("LANG", "en_US.UTF-8")
    monkeypatch.delenv("LC_ALL", raising=False)
    return lambda *words: CliRunner().invoke(app, ["profile", *words])


@pytest.fixture
def file(tmp_path: Path) -> str:
    path = tmp_path / "casa.toml"
    path.write_text(renumbered(BOOK.texts[CO], VERSION + 1).replace('"08:00-15:00"', '"08:00-13:00"'), "utf-8")
    return str(path)


def data(done: Result) -> Any:
    assert done.exit_code == 0, done.output
    return json.loads(done.output)


def refusal(done: Result) -> CadenciaError:
    assert isinstance(done.exception, CadenciaError), done.output
    return done.exception


def versions(run: Run) -> dict[int, str]:
    return {v["version"]: v["state"] for v in data(run("history", CO, "--json"))}


def test_a_dry_run_tells_and_changes_nothing(run: Run, file: str) -> None:
    done = run("propose", file, "--dry-run")
    assert done.exit_code == 0
    assert f"{CO}: {VERSION} -> {NEXT}" in done.output and "hours[all].sat  (tightens)" in done.output
    assert "No campaign uses this profile." in done.output
    told = data(run("propose", file, "--dry-run", "--json"))
    assert told["proposed"] is None and told["yesterday"]["asked"] == 0
    assert {"path": "hours[all].sat", "old": "08:00-15:00", "new": "08:00-13:00", "effect": "tightens"} in told[
        "changes"
    ]
    assert versions(run) == {VERSION: "active"}
    assert "No proposal is waiting." in run("pending").output


def test_two_persons_and_the_way_back(run: Run, file: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert data(run("propose", file, "--reason", "Circular 12", "--as", "ana", "--json"))["proposed"]["reason"]
    (pending,) = data(run("pending", "--json"))
    assert (pending["version"], pending["proposed_by"]) == (VERSION + 1, "ana")
    assert "cannot approve" in refusal(run("approve", CO, NEXT, "--as", "ana")).message
    done = run("approve", CO, NEXT, "--as", "eva", "--reason", "leída")
    assert done.exit_code == 0 and "in force" in done.output and "leída" in done.output
    assert versions(run) == {VERSION + 1: "active", VERSION: "retired"}
    done = run("rollback", CO, str(VERSION), "--reason", "volver", "--as", "eva")
    assert done.exit_code == 0 and "hours[all].sat  (loosens)" in done.output
    assert versions(run)[VERSION + 2] == "proposed"
    done = run("reject", CO, str(VERSION + 2), "--reason", "no", "--as", "ana")
    assert done.exit_code == 0
    assert versions(run) == {VERSION + 2: "rejected", VERSION + 1: "active", VERSION: "retired"}
    monkeypatch.setenv("LANG", "es_CO.UTF-8")
    assert "rechazada" in run("history", CO).output


def test_who_acts_is_a_user_of_compliance_or_admin(run: Run, file: str) -> None:
    for login, said in (("sol", "may not change"), ("nadie", "There is no user")):
        error = refusal(run("propose", file, "--reason", "x", "--as", login))
        assert isinstance(error, Refused) and said in error.message and error.exit_code == 1
        assert said in refusal(run("approve", CO, NEXT, "--as", login)).message
    assert "needs --reason and --as" in refusal(run("propose", file)).message
    assert refusal(run("propose", file)).exit_code == 2


def test_what_does_not_exist_or_cannot_be_read_is_said(run: Run, tmp_path: Path) -> None:
    assert "There is no profile 'nadie'." in refusal(run("history", "nadie")).message
    assert "no version 77" in refusal(run("approve", CO, "77", "--as", "eva")).message
    assert "was not in force" in refusal(run("rollback", CO, str(VERSION), "--reason", "x", "--as", "eva")).message
    bad = tmp_path / "mal.toml"
    bad.write_text("id = 3", "utf-8")
    assert refusal(run("propose", str(bad), "--dry-run")).exit_code == 2
    assert refusal(run("propose", str(tmp_path / "no.toml"), "--dry-run")).exit_code == 2
