"""Who may use the pages and the API."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class UserRole(StrEnum):
    AGENT = "agent"
    SUPERVISOR = "supervisor"
    ENGINEER = "engineer"
    DIRECTOR = "director"
    COMPLIANCE = "compliance"
    ADMIN = "admin"


@dataclass(frozen=True)
class User:
    """A person (or a program) with a sign-in.

    Attributes:
        login: unique.
        password_hash: argon2id; empty if only tokens or one-time codes let this user in.
        agent_id: the agent this user is, None for everybody else.
    """

    id: int
    login: str
    name: str
    role: UserRole
    agent_id: str | None
    password_hash: str
    language: str


@dataclass(frozen=True)
class Credential:
    """A secret that lets a user in; only its SHA-256 is kept.

    Attributes:
        kind: "session" (a browser's cookie), "token" (a program's bearer token) or "once" (a one-time sign-in).
    """

    kind: str
    digest: str
    user: User
    created_at: datetime
    expires_at: datetime | None
