"""What an agent does. The agent is always the signed-in user's own: no request names one."""

from __future__ import annotations

from typing import Any

import msgspec
from fastapi import APIRouter, Request, Response

from cadencia.dialer.views import AgentView, BrowserTelephoneView, NoteView, ObligationView
from cadencia.domain.dialing import Promise
from cadencia.domain.people import Money
from cadencia.web.bodies import CallBody, DispositionBody, NoteBody, PauseBody, PromiseBody, SkipBody
from cadencia.web.context import Context, caller_of
from cadencia.web.errors import WebError
from cadencia.web.schema import shows
from cadencia.web.texts import tongue


class Confirmed(msgspec.Struct, frozen=True):
    """The obligations with their amounts."""

    obligations: tuple[ObligationView, ...]


def own_agent(request: Request) -> str:
    """The caller's agent id."""
    agent_id = caller_of(request).user.agent_id
    if agent_id is None:
        raise WebError(409, "CAD-WEB-NO-AGENT")
    return agent_id


def as_json(view: object) -> Response:
    """A view, encoded the fast way."""
    return Response(msgspec.json.encode(view), media_type="application/json")


def add(router: APIRouter, ctx: Context) -> None:
    """Add the routes."""
    desk = ctx.desk
    view: dict[str, Any] = {"responses": shows(AgentView)}

    def present(agent_id: str) -> Response:
        return as_json(desk.agent(agent_id))

    @router.get("/api/agent", summary="The agent's present", **view)
    async def present_state(request: Request) -> Response:
        """The same state that the stream sends."""
        return present(own_agent(request))

    @router.get(
        "/api/agent/telephone",
        summary="What the page registers with as the agent's telephone",
        responses=shows(BrowserTelephoneView),
    )
    async def telephone(request: Request) -> Response:
        """Holds the telephone's password: it is the agent's own, and nothing keeps the answer."""
        return as_json(desk.browser_telephone(own_agent(request)))

    @router.post("/api/agent/telephone", summary="The page is registered and holds no call: call it", **view)
    async def call_telephone(request: Request) -> Response:
        """A call that the switch still holds with an earlier page is hung up first."""
        agent_id = own_agent(request)
        await desk.call_telephone(agent_id)
        return present(agent_id)

    @router.post("/api/agent/sign-in", summary="Bring the telephone up", **view)
    async def sign_in(request: Request) -> Response:
        """The agent is then paused until `ready`."""
        agent_id = own_agent(request)
        await desk.sign_in(agent_id)
        return present(agent_id)

    @router.post("/api/agent/ready", summary="Ready for the next call", **view)
    async def ready(request: Request) -> Response:
        """During a call or wrap-up this takes back a pause asked for."""
        agent_id = own_agent(request)
        await desk.ready(agent_id)
        return present(agent_id)

    @router.post("/api/agent/pause", summary="Pause now or after this call", **view)
    async def pause(request: Request, body: PauseBody) -> Response:
        """In a call it takes effect after the wrap-up (`next_pause`)."""
        agent_id = own_agent(request)
        await desk.pause(agent_id, body.reason)
        return present(agent_id)

    @router.post("/api/agent/sign-out", summary="End the shift", **view)
    async def sign_out(request: Request) -> Response:
        """Refused in a call."""
        agent_id = own_agent(request)
        await desk.sign_out(agent_id)
        return present(agent_id)

    @router.post("/api/agent/dial", summary="Preview: call this person", **view)
    async def dial(request: Request, body: CallBody) -> Response:
        """Refused, with the reason, when the rules forbid it by now."""
        agent_id = own_agent(request)
        await desk.dial(agent_id, body.attempt_id)
        return present(agent_id)

    @router.post("/api/agent/skip", summary="Preview: not this person now", **view)
    async def skip(request: Request, body: SkipBody) -> Response:
        """The person is offered again after the campaign's `retry_minutes`; the next file comes."""
        agent_id = own_agent(request)
        await desk.skip(agent_id, body.attempt_id, body.reason)
        return present(agent_id)

    @router.post("/api/agent/finish", summary="Hang up the debtor", **view)
    async def finish(request: Request, body: CallBody) -> Response:
        """The agent stays in wrap-up until the disposition. A call that still rings (preview) is taken back."""
        agent_id = own_agent(request)
        await desk.finish(agent_id, body.attempt_id)
        return present(agent_id)

    @router.post("/api/agent/confirm", summary="The right party is confirmed", responses=shows(Confirmed))
    async def confirm(request: Request, body: CallBody) -> Response:
        """Gives the amounts, and the log keeps that they were shown."""
        return as_json(Confirmed(await desk.confirm(own_agent(request), body.attempt_id)))

    @router.post("/api/agent/note", summary="What a note shows that is forbidden", responses=shows(NoteView))
    async def note(request: Request, body: NoteBody) -> Response:
        """Before it is saved, which it may be all the same. Nothing of it is kept."""
        return as_json(desk.check_note(own_agent(request), body.attempt_id, body.note, tongue(request)))

    @router.post("/api/agent/disposition", summary="Save the disposition", **view)
    async def dispose(request: Request, body: DispositionBody) -> Response:
        """Answered only when it is durable."""
        agent_id = own_agent(request)
        await desk.dispose(agent_id, body.attempt_id, body.code, body.note, promise_of(body.promise), body.callback_at)
        return present(agent_id)


def promise_of(body: PromiseBody | None) -> Promise | None:
    """The domain's promise."""
    if body is None:
        return None
    return Promise(Money(body.amount_minor, body.currency), body.due.isoformat())
