"""What the routes share."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from pathlib import Path

from fastapi import Request

from cadencia.dialer.desk import Desk
from cadencia.metrics.prometheus import Metrics
from cadencia.web.asking import Asker
from cadencia.web.lawroom import LawRoom
from cadencia.web.limits import Failures
from cadencia.web.sessions import Caller, Sessions
from cadencia.web.signin import Passwords, SignInStore


@dataclass(frozen=True)
class Context:
    """Everything a route may need.

    Attributes:
        timezone: the floor's, in which the pages show and ask times.
        secure_cookies: the pages are reached over https only.
        stopping: set when the server stops, so that event streams end at once.
        streams: event streams now open.
    """

    desk: Desk
    store: SignInStore
    sessions: Sessions
    failures: Failures
    passwords: Passwords
    metrics: Metrics
    timezone: str
    secure_cookies: bool
    static_dir: Path
    asker: Asker
    law: LawRoom
    stopping: asyncio.Event
    streams: set[object] = field(default_factory=set)


def caller_of(request: Request) -> Caller:
    """Who calls; the gate has put it there."""
    caller: Caller = request.state.caller
    return caller


def address_of(request: Request) -> str:
    """The peer's address, for limits; never an identity."""
    return request.client.host if request.client else ""
