"""What programs and people write down about a person."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Request, Response
from fastapi.responses import JSONResponse

from cadencia.dialer.counts import local_day
from cadencia.dialer.people import request_told
from cadencia.domain.ledger import Change, ConsentIn, ExclusionIn, LiftIn, PaymentIn, PreferenceIn
from cadencia.domain.people import Money
from cadencia.errors import ConfigError, spoken
from cadencia.portfolio.weekly import parse_weekly
from cadencia.web.bodies import (
    AnsweredBody,
    ConsentBody,
    ExclusionBody,
    OptOutBody,
    PaymentBody,
    PreferenceBody,
    RequestBody,
    Who,
)
from cadencia.web.context import Context, caller_of
from cadencia.web.errors import answer
from cadencia.web.texts import tongue


def add(router: APIRouter, ctx: Context) -> None:
    """Add the routes."""

    @router.post("/api/people/opt-out", summary="A person does not want to be contacted", status_code=200)
    async def opt_out(body: OptOutBody, request: Request) -> Response:
        """Revokes a channel and a purpose (all of them, if none is named) at once, also for a call that rings."""
        person, now = await person_named(ctx, body), ctx.desk.clock.now()
        return await _record(
            ctx,
            request,
            ConsentIn(person, False, now, body.channel, body.purpose, how=body.how, evidence=body.evidence),
        )

    @router.post("/api/people/consents", summary="A person authorises a channel", status_code=200)
    async def consent(body: ConsentBody, request: Request) -> Response:
        """A grant with its proof; the newest line that fits holds."""
        given = ConsentIn(
            await person_named(ctx, body),
            True,
            body.at,
            body.channel,
            body.purpose,
            body.until,
            body.how,
            body.text_version,
            body.evidence,
        )
        return await _record(ctx, request, given)

    @router.post("/api/people/preferences", summary="When a person wants to be contacted", status_code=200)
    async def preference(body: PreferenceBody, request: Request) -> Response:
        """Weekly hours where the person lives: "lu-vi 18:00-20:00; sa 9:00-12:00". The newest for a channel holds."""
        try:
            weekly = parse_weekly(body.weekly)
        except ConfigError as error:
            language = tongue(request)
            told = spoken(error.message, language), spoken(error.hint, language)
            return answer(422, "CAD-WEB-INVALID", *told, field="weekly")
        person, now = await person_named(ctx, body), ctx.desk.clock.now()
        return await _record(ctx, request, PreferenceIn(person, now, weekly, body.channels, body.how, body.evidence))

    @router.post("/api/people/exclusions", summary="Put on a list of the excluded, or take off it", status_code=200)
    async def exclusion(body: ExclusionBody, request: Request) -> Response:
        """A person, or a number whoever has it."""
        now = ctx.desk.clock.now()
        person = None if body.e164 else await person_named(ctx, body)
        change: Change
        if body.lift:
            change = LiftIn(body.register_, now, person, body.e164)
        else:
            change = ExclusionIn(body.register_, now, person, body.e164, until=body.until, source=body.source)
        return await _record(ctx, request, change)

    @router.post("/api/people/payments", summary="A payment came in", status_code=200)
    async def payment(body: PaymentBody, request: Request) -> Response:
        """Who owes nothing overdue any more is not called; a call that rings is taken back. A reference counts once."""
        amount = Money(body.amount_minor, body.currency)
        return await _record(ctx, request, PaymentIn(body.creditor, body.number, body.paid_at, amount, body.reference))

    @router.get("/api/people/requests", summary="Requests about one's data that are open, the most urgent first")
    async def requests() -> Response:
        """Each with the last date on which an answer is in time, and the business days that are left until then."""
        today = local_day(ctx.desk.clock.now())
        return JSONResponse([request_told(r, today) for r in await ctx.desk.people.requests()])

    @router.post("/api/people/requests", summary="A person asks about their data", status_code=200)
    async def ask(body: RequestBody, request: Request) -> Response:
        """Its term is worked out in business days (Ley 1581 of 2012, articles 14 and 15)."""
        now, by = ctx.desk.clock.now(), caller_of(request).user.login
        person = await person_named(ctx, body)
        return JSONResponse(
            request_told(await ctx.desk.people.open_request(person, body.kind, body.received_on, by, now))
        )

    @router.post("/api/people/requests/{number}/extend", summary="The law's extension, once", status_code=200)
    async def extend(number: Annotated[int, Path(le=2**63 - 1)], request: Request) -> Response:
        """The person must have been told why before the term was over."""
        now, by = ctx.desk.clock.now(), caller_of(request).user.login
        return JSONResponse(request_told(await ctx.desk.people.extend_request(number, by, now)))

    @router.post("/api/people/requests/{number}/close", summary="A request is answered", status_code=200)
    async def close(number: Annotated[int, Path(le=2**63 - 1)], body: AnsweredBody, request: Request) -> Response:
        """How, in a word or two."""
        now, by = ctx.desk.clock.now(), caller_of(request).user.login
        return JSONResponse(request_told(await ctx.desk.people.close_request(number, body.outcome, by, now)))


async def person_named(ctx: Context, who: Who) -> int:
    """The id of whom a body names. Refused if there is no such person."""
    if who.person_id is not None:
        return who.person_id
    return await ctx.desk.people.person_id(who.doc_type or "", who.doc_number or "")


async def _record(ctx: Context, request: Request, change: Change) -> Response:
    by = caller_of(request).user.login
    new = await ctx.desk.people.record([change], by, ctx.desk.clock.now())
    return JSONResponse({"new": new})
