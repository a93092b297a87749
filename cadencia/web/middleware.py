"""What surrounds every answer: security headers, and a bound on what may come in.

Plain ASGI, so that streams stay streams.
"""

from __future__ import annotations

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from cadencia.web.errors import WebError, answer
from cadencia.web.texts import message

MAX_BODY = 64 * 1024


def content_policy(*connects: str) -> str:
    """What a page may load and reach: ourselves, and these addresses."""
    return "; ".join(
        (
            "default-src 'none'",
            "script-src 'self'",
            "style-src 'self'",
            "img-src 'self'",
            " ".join(("connect-src 'self'", *connects)),
            "worker-src 'self'",
            "base-uri 'none'",
            "form-action 'self'",
            "frame-ancestors 'none'",
        )
    )


def permissions(microphone: str = "") -> str:
    """Which devices a page may ask for: none, unless `microphone` is "self"."""
    return f"camera=(), geolocation=(), microphone=({microphone})"


_HEADERS = {
    "Content-Security-Policy": content_policy(),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Permissions-Policy": permissions(),
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}


class SecurityHeaders:
    """Adds the headers to every answer; what is not said to be cacheable is not kept by anybody."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def with_headers(event: Message) -> None:
            if event["type"] == "http.response.start":
                headers = MutableHeaders(scope=event)
                for name, value in _HEADERS.items():
                    headers.setdefault(name, value)
                headers.setdefault("Cache-Control", "no-store")
            await send(event)

        await self._app(scope, receive, with_headers)


class BodyLimit:
    """Refuses large bodies, announced or not, before anybody keeps them in memory."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        announced = dict(scope["headers"]).get(b"content-length", b"0")
        if not announced.isdigit() or int(announced) > MAX_BODY:
            text, hint = message("CAD-WEB-TOO-LARGE", "es")
            await answer(413, "CAD-WEB-TOO-LARGE", text, hint)(scope, receive, send)
            return
        taken = 0

        async def bounded() -> Message:
            nonlocal taken
            event = await receive()
            taken += len(event.get("body", b""))
            if taken > MAX_BODY:
                raise WebError(413, "CAD-WEB-TOO-LARGE")
            return event

        await self._app(scope, bounded, send)
