"""For those who run it: life, readiness, metrics, the API's description."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse

from cadencia.metrics.prometheus import CONTENT_TYPE
from cadencia.web.context import Context


def add(router: APIRouter, ctx: Context) -> None:
    """Add the routes."""

    @router.get("/healthz", summary="The process lives")
    async def healthz() -> Response:
        """Always 200 while the event loop turns."""
        return JSONResponse({"alive": True})

    @router.get("/readyz", summary="Ready to dial")
    async def readyz() -> Response:
        """200 when switch, store and leadership are all there; else 503 and which is missing."""
        health = ctx.desk.health()
        missing = sorted(name for name, well in health.items() if not well)
        return JSONResponse({"ready": not missing, "missing": missing, **health}, 503 if missing else 200)

    @router.get("/metrics", summary="Prometheus metrics")
    async def metrics() -> Response:
        """For engineers' tokens, or without a sign-in from this machine itself (not through a proxy)."""
        return Response(ctx.metrics.render(), media_type=CONTENT_TYPE)

    @router.get("/api/openapi.json", include_in_schema=False)
    async def openapi(request: Request) -> Response:
        return JSONResponse(request.app.openapi())
