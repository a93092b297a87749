"""Ways in: passwords, one-time links, tokens for programs. Of every secret only the SHA-256 is kept.

People's sessions last real hours, also where the clock is simulated and runs faster: lengths are real seconds, and
`lasting` turns them into the clock's.
"""

from __future__ import annotations

import asyncio
import hashlib
import secrets
from datetime import datetime, timedelta
from typing import Protocol
from urllib.parse import quote

from argon2 import PasswordHasher
from argon2.exceptions import Argon2Error, InvalidHashError

from cadencia.clock import Clock
from cadencia.domain.access import Credential, User

SESSION = "session"
TOKEN = "token"  # noqa: S105 - the kind's name
ONCE = "once"

SESSION_S = 12 * 3600.0
ONCE_S = 15 * 60.0


class SignInStore(Protocol):
    """The part of the store port that signing in needs."""

    async def user(self, login: str) -> User | None: ...

    async def add_credential(
        self, kind: str, digest: str, user_id: int, now: datetime, expires_at: datetime | None
    ) -> None: ...

    async def credential(self, kind: str, digest: str, now: datetime) -> Credential | None: ...

    async def take_credential(self, kind: str, digest: str, now: datetime) -> Credential | None: ...


def new_secret() -> str:
    """256 random bits, fit for a cookie and an address."""
    return secrets.token_urlsafe(32)


def digest(secret: str) -> str:
    """What the store keeps. The secret is random, so a plain hash is enough; passwords get argon2."""
    return hashlib.sha256(secret.encode()).hexdigest()


def lasting(clock: Clock, real_s: float) -> timedelta:
    """The clock's length of that many real seconds."""
    return timedelta(seconds=real_s * clock.speed)


async def issue(store: SignInStore, kind: str, user: User, clock: Clock, valid_s: float | None) -> str:
    """Make a secret of that kind and keep its digest."""
    secret, now = new_secret(), clock.now()
    until = None if valid_s is None else now + lasting(clock, valid_s)
    await store.add_credential(kind, digest(secret), user.id, now, until)
    return secret


async def issue_once(store: SignInStore, user: User, clock: Clock, base_url: str, valid_s: float = ONCE_S) -> str:
    """A link that signs the user in exactly once.

    Args:
        clock: the desk's clock, which also judges the link.
        base_url: where the pages are, for example http://127.0.0.1:8080.
        valid_s: real seconds the link stays good.
    """
    secret = await issue(store, ONCE, user, clock, valid_s)
    return f"{base_url.rstrip('/')}/entrar?code={quote(secret)}"


async def issue_token(store: SignInStore, user: User, clock: Clock, valid_s: float | None = None) -> str:
    """A bearer token for a program (`Authorization: Bearer ...`); without `valid_s` it is good until dropped."""
    return await issue(store, TOKEN, user, clock, valid_s)


def hash_password(password: str) -> str:
    """argon2id with the library's current parameters."""
    return PasswordHasher().hash(password)


class Passwords:
    """Checks passwords off the event loop, two at a time: argon2 is slow and hungry by design, the dialer is not."""

    def __init__(self) -> None:
        self._hasher = PasswordHasher()
        self._slots = asyncio.Semaphore(2)
        self._decoy: str | None = None

    async def right(self, user: User | None, password: str) -> bool:
        """Whether this is the user's password. Unknown users take as long, so that nobody can probe for names."""
        async with self._slots:
            return await asyncio.to_thread(self._verify, user.password_hash if user else "", password)

    def _verify(self, password_hash: str, password: str) -> bool:
        if self._decoy is None:
            self._decoy = self._hasher.hash(secrets.token_hex(16))
        try:
            self._hasher.verify(password_hash or self._decoy, password)
        except (Argon2Error, InvalidHashError):
            return False
        return bool(password_hash)
