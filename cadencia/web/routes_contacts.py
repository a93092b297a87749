"""What other systems ask before they contact a person, and tell afterwards."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse

from cadencia.dialer.people import reserved_told
from cadencia.web.bodies import ContactBody, ContactOutcomeBody, InboundBody
from cadencia.web.context import Context, caller_of
from cadencia.web.routes_people import person_named
from cadencia.web.texts import tongue


def add(router: APIRouter, ctx: Context) -> None:
    """Add the routes."""

    @router.post("/api/contacts", summary="May this person be contacted now? A yes is counted", status_code=200)
    async def reserve(body: ContactBody, request: Request) -> Response:
        """For messages, letters, visits and calls by hand. The answer holds for the instant at which it was asked; a no
        tells why, and from when on it may be asked again. The same key answers the same yes and counts once."""
        by, now = caller_of(request).user.login, ctx.desk.clock.now()
        answer = await ctx.desk.people.reserve(
            await person_named(ctx, body),
            body.campaign,
            body.channel,
            body.purpose,
            body.e164 or "",
            body.key,
            by,
            now,
        )
        return JSONResponse(reserved_told(answer, tongue(request)))

    @router.post("/api/contacts/inbound", summary="A person contacted us", status_code=200)
    async def inbound(body: InboundBody, request: Request) -> Response:
        """Counts from now as direct contact; against limits only where a profile says so."""
        by, now = caller_of(request).user.login, ctx.desk.clock.now()
        person = await person_named(ctx, body)
        new = await ctx.desk.people.contacted_us(person, body.channel, body.purpose, body.code, body.key, by, now)
        return JSONResponse({"new": int(new)})

    @router.post("/api/contacts/{contact_id}/outcome", summary="What became of a contact", status_code=200)
    async def outcome(contact_id: str, body: ContactOutcomeBody, request: Request) -> Response:
        """Of one that was allowed. A code that is a disposition blocks the person or revokes the channel as an agent's
        does."""
        by, now = caller_of(request).user.login, ctx.desk.clock.now()
        await ctx.desk.people.contact_became(contact_id, body.outcome, body.code, by, now)
        return JSONResponse({"id": contact_id, "outcome": str(body.outcome)})
