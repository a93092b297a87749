"""The gate that every request passes: who calls, may they, and does the request come from our own pages."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Coroutine
from typing import Any
from urllib.parse import urlsplit

from fastapi import Request, Response
from fastapi.routing import APIRoute

from cadencia.web.access import Rule, rule_of
from cadencia.web.context import Context
from cadencia.web.errors import WebError, forbidden, unauthenticated
from cadencia.web.sessions import Caller
from cadencia.web.signin import SESSION, TOKEN

COOKIE = "cadencia_session"
_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})

Handler = Callable[[Request], Coroutine[Any, Any, Response]]


class GuardedRoute(APIRoute):
    """A route that cannot exist without its row in the access table, and asks the gate before it reads anything."""

    def get_route_handler(self) -> Handler:
        rules = {method: rule_of(method, self.path) for method in self.methods or ()}
        inner = super().get_route_handler()

        async def handler(request: Request) -> Response:
            await admit(request, rules[request.method])
            return await inner(request)

        return handler


async def admit(request: Request, rule: Rule) -> None:
    """Let the request pass or raise. The caller, if there is one, is put on `request.state.caller`."""
    request.state.caller = None
    bearer = _bearer(request)
    if request.method not in _SAFE and bearer is None:
        _own_pages_only(request)
    if rule.public:
        return
    caller = await _caller(request, bearer)
    if caller is None:
        if rule.loopback and bearer is None and COOKIE not in request.cookies and _on_this_machine(request):
            return
        raise unauthenticated()
    request.state.caller = caller
    if caller.user.role not in rule.roles:
        raise forbidden()


async def _caller(request: Request, bearer: str | None) -> Caller | None:
    ctx: Context = request.app.state.context
    if bearer is not None:
        return await ctx.sessions.caller(TOKEN, bearer)
    return await ctx.sessions.caller(SESSION, request.cookies.get(COOKIE, ""))


def _bearer(request: Request) -> str | None:
    scheme, _, secret = request.headers.get("authorization", "").partition(" ")
    return secret.strip() if scheme.lower() == "bearer" else None


def _own_pages_only(request: Request) -> None:
    """Refuse what a foreign page makes a browser send. SameSite=Strict already keeps the cookie back; this stands
    where a browser does not honour it, and it covers signing in, which needs no cookie."""
    site = request.headers.get("sec-fetch-site")
    origin = request.headers.get("origin")
    if site is not None:
        fits = site == "same-origin"
    elif origin is not None:
        fits = urlsplit(origin).netloc == request.headers.get("host")
    else:
        # No browser leaves out both on a state-changing request. A program without a cookie has nothing to abuse.
        fits = COOKIE not in request.cookies
    if not fits:
        raise WebError(403, "CAD-WEB-ORIGIN")


def _on_this_machine(request: Request) -> bool:
    """The peer is loopback, was not forwarded by a proxy, and meant loopback (no name rebound to it)."""
    if "x-forwarded-for" in request.headers or "forwarded" in request.headers:
        return False
    return _loopback(request.client.host if request.client else "") and _loopback(request.url.hostname or "")


def _loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
