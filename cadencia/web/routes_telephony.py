"""For the engineer: servers, trunks, causes, and the timeline of one call."""

from __future__ import annotations

from fastapi import APIRouter, Response

from cadencia.dialer.views import CallView, TelephonyView
from cadencia.web.context import Context
from cadencia.web.errors import WebError
from cadencia.web.routes_agent import as_json
from cadencia.web.schema import shows


def add(router: APIRouter, ctx: Context) -> None:
    """Add the routes."""

    @router.get("/api/telephony", summary="Servers, trunks and causes", responses=shows(TelephonyView))
    async def telephony() -> Response:
        """The same state that the stream sends with `topic=telephony`."""
        return as_json(ctx.desk.telephony())

    @router.get("/api/calls/{attempt_id}", summary="The timeline of one call", responses=shows(CallView))
    async def call(attempt_id: str) -> Response:
        """From the decision that launched it to the disposition; of a call that goes on, as far as it is now."""
        found = await ctx.desk.timeline(attempt_id)
        if found is None:
            raise WebError(404, "CAD-WEB-NO-CALL")
        return as_json(found)
