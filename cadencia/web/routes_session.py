"""Signing in and out, and who am I."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse, RedirectResponse

from cadencia.domain.access import User, UserRole
from cadencia.web.bodies import SignIn
from cadencia.web.context import Context, address_of, caller_of
from cadencia.web.errors import WebError, log
from cadencia.web.gate import COOKIE
from cadencia.web.pages import page
from cadencia.web.sessions import Caller
from cadencia.web.signin import ONCE, SESSION, SESSION_S, digest

#: Under which failed links are counted; no login begins with a space.
_LINK = " link"


def landing(user: User) -> str:
    """The page a user starts on."""
    return {UserRole.AGENT: "/agente", UserRole.ENGINEER: "/telefonia"}.get(user.role, "/supervision")


def me(ctx: Context, user: User) -> dict[str, Any]:
    """Who the user is, and the clock by which the pages count."""
    clock = ctx.desk.clock
    return {
        "login": user.login,
        "name": user.name,
        "role": user.role.value,
        "language": user.language,
        "agent_id": user.agent_id,
        "landing": landing(user),
        "timezone": ctx.timezone,
        "clock": {"now": clock.now().isoformat(), "simulated": clock.simulated, "speed": clock.speed},
    }


def add(router: APIRouter, ctx: Context) -> None:
    """Add the routes."""

    @router.post("/api/session", summary="Sign in with a password")
    async def sign_in(request: Request, body: SignIn) -> Response:
        """Answers like GET /api/me and sets the session's cookie. Five failures in a minute: 429."""
        address = address_of(request)
        _check_limit(ctx, body.login, address)
        user = await ctx.store.user(body.login)
        if not await ctx.passwords.right(user, body.password) or user is None:
            ctx.failures.failed(body.login, address)
            log.info("web.sign_in_failed", client=address)
            raise WebError(401, "CAD-WEB-CREDENTIALS")
        ctx.failures.succeeded(body.login, address)
        response = JSONResponse(me(ctx, user))
        await _begin(ctx, request, response, user)
        return response

    @router.get("/entrar", include_in_schema=False)
    async def enter(request: Request, code: str = "") -> Response:
        """The sign-in page; with `?code=` a one-time link, which works exactly once."""
        if not code:
            return page(ctx, request)
        address = address_of(request)
        _check_limit(ctx, _LINK, address)
        taken = await ctx.store.take_credential(ONCE, digest(code[:200]), ctx.desk.clock.now())
        if taken is None:
            ctx.failures.failed(_LINK, address)
            # The page says it in the person's language; the code itself must not stay in the address bar.
            return RedirectResponse("/entrar?e=once", 303)
        response = RedirectResponse(landing(taken.user), 303)
        await _begin(ctx, request, response, taken.user)
        return response

    @router.delete("/api/session", summary="Sign out", status_code=204)
    async def sign_out(request: Request) -> Response:
        """The session is over, here and for its event streams. A program's token is not dropped by this."""
        caller = caller_of(request)
        if caller.kind == SESSION:
            await ctx.sessions.end(caller)
        response = Response(status_code=204)
        response.delete_cookie(COOKIE, path="/", httponly=True, samesite="strict")
        return response

    @router.get("/api/me", summary="Who am I, and what time is it here")
    async def who(request: Request) -> Response:
        """The signed-in user, the page to start on, and the desk's clock."""
        return JSONResponse(me(ctx, caller_of(request).user))


def _check_limit(ctx: Context, login: str, address: str) -> None:
    wait_s = ctx.failures.wait_s(login, address)
    if wait_s:
        raise WebError(429, "CAD-WEB-TOO-MANY", retry_after_s=wait_s)


async def _begin(ctx: Context, request: Request, response: Response, user: User) -> None:
    """Begin a session on this browser; the one it had before ends."""
    old = await ctx.sessions.caller(SESSION, request.cookies.get(COOKIE, ""))
    if isinstance(old, Caller):
        await ctx.sessions.end(old)
    response.set_cookie(
        COOKIE,
        await ctx.sessions.begin(user),
        max_age=int(SESSION_S),
        path="/",
        httponly=True,
        samesite="strict",
        secure=ctx.secure_cookies or request.url.scheme == "https",
    )
