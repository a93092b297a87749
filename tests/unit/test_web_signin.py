"""Passwords and limits."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
from web_fakes import PASSWORD, people

from cadencia.clock import SystemClock
from cadencia.store.memory import MemoryStore
from cadencia.web import limits, signin
from cadencia.web.limits import Failures, Limits


class Still(SystemClock):
    """A clock that a test turns."""

    at = 1000.0

    def wall(self) -> float:
        return self.at


async def test_passwords_are_argon2id_and_are_checked_off_the_loop() -> None:
    hashed = await asyncio.to_thread(signin.hash_password, "canción")
    assert hashed.startswith("$argon2id$")
    users = await people(MemoryStore())
    passwords = signin.Passwords()
    assert await passwords.right(users["agent"], PASSWORD)
    assert not await passwords.right(users["agent"], PASSWORD + " ")
    assert not await passwords.right(None, PASSWORD)


async def test_a_link_asked_twice_at_once_lets_one_in() -> None:
    store, clock = MemoryStore(), SystemClock()
    users = await people(store)
    url = await signin.issue_once(store, users["agent"], clock, "http://127.0.0.1:1/")
    assert url.startswith("http://127.0.0.1:1/entrar?code=")
    key = signin.digest(url.partition("code=")[2])
    taken = await asyncio.gather(*(store.take_credential("once", key, clock.now()) for _ in range(5)))
    assert [t is not None for t in taken].count(True) == 1


@pytest.mark.parametrize("kind", ["session", "token"])
async def test_a_link_s_code_is_nothing_else(kind: str) -> None:
    store, clock = MemoryStore(), SystemClock()
    users = await people(store)
    code = (await signin.issue_once(store, users["agent"], clock, "http://x")).partition("code=")[2]
    assert await store.credential(kind, signin.digest(code), clock.now()) is None


def test_failures_are_forgotten_after_a_minute() -> None:
    clock = Still()
    failures = Failures(clock, Limits(login_and_address=2, address=3))
    failures.failed("ana", "h")
    clock.at += 30
    failures.failed("ana", "h")
    assert failures.wait_s("ana", "h") == 31
    assert failures.wait_s("luz", "h") == 0
    clock.at += 30.1
    assert failures.wait_s("ana", "h") == 0


def test_one_address_cannot_try_all_logins() -> None:
    failures = Failures(Still(), Limits(login_and_address=2, address=3))
    for login in ("a", "b", "c"):
        failures.failed(login, "h")
    assert failures.wait_s("d", "h") > 0 and failures.wait_s("d", "other") == 0


def test_success_forgives_the_person_s_failures() -> None:
    failures = Failures(Still(), Limits(login_and_address=1))
    failures.failed("ana", "h")
    failures.succeeded("ana", "h")
    assert failures.wait_s("ana", "h") == 0


def test_an_attacker_cannot_fill_the_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "MAX_KEYS", 50)
    failures = Failures(Still())
    for n in range(500):
        failures.failed(f"u{n}", f"h{n}")
    assert len(failures._seen) == 50
