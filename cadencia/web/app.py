"""The web application, put together."""

from __future__ import annotations

import asyncio
from pathlib import Path

from fastapi import FastAPI
from starlette.routing import BaseRoute

import cadencia
from cadencia.config.profiles import Rulebook, load_site
from cadencia.dialer.desk import Desk
from cadencia.metrics.prometheus import Metrics
from cadencia.store.port import Store
from cadencia.web import (
    errors,
    pages,
    routes_agent,
    routes_contacts,
    routes_explain,
    routes_floor,
    routes_law,
    routes_ops,
    routes_people,
    routes_session,
    routes_telephony,
    routes_whatif,
)
from cadencia.web.access import TABLE
from cadencia.web.asking import Asker
from cadencia.web.context import Context
from cadencia.web.gate import GuardedRoute
from cadencia.web.lawroom import LawRoom
from cadencia.web.limits import Failures, Limits
from cadencia.web.middleware import BodyLimit, SecurityHeaders
from cadencia.web.schema import describe
from cadencia.web.sessions import BELIEVE_S, Sessions
from cadencia.web.signin import Passwords

_ROOMS = (
    routes_session,
    routes_agent,
    routes_floor,
    routes_telephony,
    routes_people,
    routes_contacts,
    routes_explain,
    routes_law,
    routes_whatif,
    routes_ops,
    pages,
)


def create_app(
    desk: Desk,
    store: Store,
    *,
    metrics: Metrics,
    timezone: str = "America/Bogota",
    secure_cookies: bool = False,
    limits: Limits | None = None,
    believe_s: float = BELIEVE_S,
    static_dir: Path = pages.STATIC,
    asker: Asker | None = None,
    book: Rulebook | None = None,
) -> FastAPI:
    """Build the application.

    Args:
        desk: what people may ask of the engine.
        store: the store; of its port only users, credentials and legal profiles are used.
        timezone: the floor's, in which the pages show and ask times.
        secure_cookies: True where the pages are reached over https only.
        believe_s: real seconds a looked-up session is believed.
        static_dir: where the built pages are.
        asker: answers what-ifs; by default in a process for each.
        book: legal profiles as the engine has them; None: those that ship with the program.
    """
    stopping = asyncio.Event()
    context = Context(
        desk=desk,
        store=store,
        sessions=Sessions(store, desk.clock, believe_s),
        failures=Failures(desk.clock, limits),
        passwords=Passwords(),
        metrics=metrics,
        timezone=timezone,
        secure_cookies=secure_cookies,
        static_dir=static_dir,
        asker=asker or Asker(),
        law=LawRoom(store, desk.clock, book or load_site(None), stopping),
        stopping=stopping,
    )
    # FastAPI's own documentation pages load scripts from elsewhere; the description is at /api/openapi.json.
    app = FastAPI(
        title="Cadencia",
        summary="Predictive dialer for debt-collection floors",
        version=cadencia.__version__,
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
    )
    app.state.context = context
    # Routes are made on the application's own router, so that the check below sees every one that can be reached.
    app.router.route_class = GuardedRoute
    for room in _ROOMS:
        room.add(app.router, context)
    check_table(app.routes)
    errors.install(app)
    app.add_middleware(BodyLimit)
    app.add_middleware(SecurityHeaders)
    describe(app)
    return app


def check_table(routes: list[BaseRoute]) -> None:
    """Raise LookupError unless routes and access table tell of the same endpoints."""
    served: set[tuple[str, str]] = set()
    for route in routes:
        if not isinstance(route, GuardedRoute):
            raise LookupError(f"{getattr(route, 'path', route)} does not pass the gate")
        served |= {(method, route.path) for method in route.methods or ()}
    if served != set(TABLE):
        raise LookupError(f"routes and access table differ: {sorted(served ^ set(TABLE))}")
