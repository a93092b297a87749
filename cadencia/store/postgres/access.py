"""People who sign in, and their secrets."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, delete, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from cadencia.domain.access import Credential, User, UserRole
from cadencia.store.postgres.base import PostgresBase
from cadencia.store.refusals import no_user
from cadencia.store.schema import credentials, users

_INSERT_USER = insert(users)

# Insert or update a user. By users_login_key.
_SAVE_USER = _INSERT_USER.on_conflict_do_update(
    index_elements=[users.c.login],
    set_={c: _INSERT_USER.excluded[c] for c in ("name", "role", "agent_id", "password_hash", "language")},
).returning(users)

# By users_login_key.
_USER = select(users).where(users.c.login == bindparam("login"))

_INSERT_CREDENTIAL = insert(credentials)

# Keep a secret's digest. By primary key.
_ADD = _INSERT_CREDENTIAL.on_conflict_do_update(
    index_elements=[credentials.c.kind, credentials.c.digest],
    set_={c: _INSERT_CREDENTIAL.excluded[c] for c in ("user_id", "created_at", "expires_at")},
)

# Secrets that nobody can use any more. By credentials_expiry.
_SWEEP = delete(credentials).where(credentials.c.expires_at <= bindparam("now"))

_KEY = (credentials.c.kind == bindparam("of_kind")) & (credentials.c.digest == bindparam("of_digest"))

# By primary key.
_FIND = (
    select(credentials.c.created_at, credentials.c.expires_at, users)
    .join(users, users.c.id == credentials.c.user_id)
    .where(_KEY)
)

# The one delete that finds the row wins: a one-time secret lets in once. By primary key.
_TAKE = (
    delete(credentials)
    .where(_KEY, users.c.id == credentials.c.user_id)
    .returning(credentials.c.created_at, credentials.c.expires_at, users)
)

# All of one kind of a user. By credentials_user.
_DROP = delete(credentials).where(
    credentials.c.user_id == bindparam("of_user"), credentials.c.kind == bindparam("of_kind")
)


class PostgresAccess(PostgresBase):
    """The sign-in part of the port."""

    async def save_user(
        self, login: str, name: str, role: UserRole, *, agent_id: str | None, password_hash: str, language: str
    ) -> User:
        row = {
            "login": login,
            "name": name,
            "role": str(role),
            "agent_id": agent_id,
            "password_hash": password_hash,
            "language": language,
        }

        async def work(connection: AsyncConnection) -> User:
            return _user((await connection.execute(_SAVE_USER, row)).one())

        return await self._transaction(work)

    async def user(self, login: str) -> User | None:
        async def work(connection: AsyncConnection) -> User | None:
            found = (await connection.execute(_USER, {"login": login})).first()
            return _user(found) if found else None

        return await self._transaction(work)

    async def add_credential(
        self, kind: str, digest: str, user_id: int, now: datetime, expires_at: datetime | None
    ) -> None:
        row = {"kind": kind, "digest": digest, "user_id": user_id, "created_at": now, "expires_at": expires_at}

        async def work(connection: AsyncConnection) -> None:
            await connection.execute(_SWEEP, {"now": now})
            try:
                await connection.execute(_ADD, row)
            except IntegrityError:
                raise no_user(user_id) from None

        await self._transaction(work)

    async def credential(self, kind: str, digest: str, now: datetime) -> Credential | None:
        return await self._credential(_FIND, kind, digest, now)

    async def take_credential(self, kind: str, digest: str, now: datetime) -> Credential | None:
        return await self._credential(_TAKE, kind, digest, now)

    async def _credential(self, statement: Any, kind: str, digest: str, now: datetime) -> Credential | None:
        async def work(connection: AsyncConnection) -> Credential | None:
            found = (await connection.execute(statement, {"of_kind": kind, "of_digest": digest})).first()
            if found is None or (found.expires_at is not None and found.expires_at <= now):
                return None
            return Credential(kind, digest, _user(found), found.created_at, found.expires_at)

        return await self._transaction(work)

    async def drop_credentials(self, user_id: int, kind: str) -> None:
        async def work(connection: AsyncConnection) -> None:
            await connection.execute(_DROP, {"of_user": user_id, "of_kind": kind})

        await self._transaction(work)


def _user(r: Any) -> User:
    return User(r.id, r.login, r.name, UserRole(r.role), r.agent_id, r.password_hash, r.language)
