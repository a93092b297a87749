"""Why somebody may be called or not: one contact, one person, a whole list now or on a day to come."""

from __future__ import annotations

import asyncio
from datetime import date
from typing import Annotated

from fastapi import APIRouter, Path, Request, Response
from fastapi.responses import JSONResponse

from cadencia.dialer.people import census_told, explained, rehearsal_told
from cadencia.web.bodies import Who
from cadencia.web.context import Context, caller_of
from cadencia.web.errors import WebError
from cadencia.web.texts import tongue

#: Real seconds between two pages of a list (50 contacts): calls are put through on the same loop.
_PAUSE_S = 0.005


def add(router: APIRouter, ctx: Context) -> None:
    """Add the routes."""
    people, clock = ctx.desk.people, ctx.desk.clock
    counting = asyncio.Lock()

    @router.get("/api/contacts/{contact_id}/explain", summary="Why a contact may be called now, or not")
    async def contact(contact_id: Annotated[int, Path(le=2**63 - 1)], request: Request) -> Response:
        """The gate's answer, and all that stands against each number; no name, and of a number its last digits. The
        log keeps who asked."""
        now = clock.now()
        found = await people.explain(contact_id, now, caller_of(request).user.login, now)
        if not found:
            raise WebError(404, "CAD-WEB-NO-CONTACT")
        return JSONResponse(explained(found[0], tongue(request)))

    @router.post("/api/people/explain", summary="Why a person may be called now, or not, on each list", status_code=200)
    async def person(body: Who, request: Request) -> Response:
        """By POST, so that no document stands in an address. Each list's answer as of a contact; none if no list holds
        the person. The log keeps who asked."""
        now, person_id = clock.now(), body.person_id
        if person_id is None:
            person_id = await people.person_id(body.doc_type or "", body.doc_number or "")
        found = await people.explain_person(person_id, now, caller_of(request).user.login, now)
        return JSONResponse([explained(one, tongue(request)) for one in found])

    @router.get("/api/campaigns/{campaign_id}/explain", summary="A whole list: callable now or on a day, or why not")
    async def whole_list(campaign_id: str, request: Request, day: date | None = None) -> Response:
        """How many may be called now, and of the others how many for which reason and until when. With `day` (a local
        date from today on) a rehearsal: how many may be called first in which hour, and who not at all, if nothing
        else happens. Takes seconds for a long list; one at a time."""
        now = clock.now()
        if counting.locked():
            raise WebError(409, "CAD-WEB-COUNTING", retry_after_s=5)
        async with counting:
            if day is None:
                counted = await people.census(campaign_id, now, pause_s=_PAUSE_S)
                return JSONResponse(census_told(counted, tongue(request)))
            return JSONResponse(rehearsal_told(await people.rehearsal(campaign_id, day, now, pause_s=_PAUSE_S)))
