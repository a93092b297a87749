"""The built pages: one bundle, read from the package. They hold no data, so anybody may load them."""

from __future__ import annotations

import re
from functools import lru_cache
from pathlib import Path

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse

from cadencia.web.context import Context
from cadencia.web.errors import WebError
from cadencia.web.middleware import content_policy, permissions

#: Where the build hook puts the pages.
STATIC = Path(__file__).parent / "static"

_TYPES = {".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml", ".woff2": "font/woff2"}
_NAME = re.compile(r"^[A-Za-z0-9_.-]+$")


@lru_cache(maxsize=64)
def _read(path: Path, _changed_ns: int) -> bytes:
    return path.read_bytes()


def _content(path: Path) -> bytes | None:
    try:
        return _read(path, path.stat().st_mtime_ns)
    except OSError:
        return None


def page(ctx: Context, request: Request) -> Response:
    """The one HTML page; its script shows what the address and the role ask for."""
    html = _content(ctx.static_dir / "index.html")
    if html is None:
        raise WebError(503, "CAD-WEB-PAGES")
    return Response(html, media_type="text/html; charset=utf-8", headers={"Cache-Control": "no-cache"})


def add(router: APIRouter, ctx: Context) -> None:
    """Add the routes."""

    @router.get("/", include_in_schema=False)
    async def root() -> Response:
        return RedirectResponse("/entrar", 307)

    @router.get("/agente", include_in_schema=False)
    async def agent(request: Request) -> Response:
        answer = page(ctx, request)
        addresses = ctx.desk.browser_addresses()
        if addresses:  # here, and on no other page, the browser may be a telephone
            answer.headers["Content-Security-Policy"] = content_policy(*addresses)
            answer.headers["Permissions-Policy"] = permissions("self")
        return answer

    @router.get("/supervision", include_in_schema=False)
    async def supervision(request: Request) -> Response:
        return page(ctx, request)

    @router.get("/telefonia", include_in_schema=False)
    async def telephony(request: Request) -> Response:
        return page(ctx, request)

    @router.get("/cumplimiento", include_in_schema=False)
    async def law(request: Request) -> Response:
        return page(ctx, request)

    @router.get("/favicon.svg", include_in_schema=False)
    async def icon() -> Response:
        return _asset(ctx.static_dir / "favicon.svg", "max-age=86400")

    @router.get("/assets/{name}", include_in_schema=False)
    async def asset(name: str) -> Response:
        if not _NAME.match(name):
            raise WebError(404, "CAD-WEB-NOT-FOUND")
        # The build puts a hash of the content into every name, so a name never changes its content.
        return _asset(ctx.static_dir / "assets" / name, "public, max-age=31536000, immutable")


def _asset(path: Path, cache: str) -> Response:
    kind = _TYPES.get(path.suffix)
    content = _content(path) if kind else None
    if content is None:
        raise WebError(404, "CAD-WEB-NOT-FOUND")
    return Response(content, media_type=kind, headers={"Cache-Control": cache})
