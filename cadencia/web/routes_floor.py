"""What a supervisor sees and steers, the codes with their labels, and the event stream."""

from __future__ import annotations

from typing import Any, Literal

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse

from cadencia.dialer.views import FloorView
from cadencia.domain.agents import PAUSE_REASONS, SKIP_REASONS
from cadencia.domain.codes import DISPOSITIONS, NOT_DISPOSED, Denial, Disposition, Level, Outcome, label
from cadencia.web.bodies import CampaignPatch, ReasonBody
from cadencia.web.context import Context, caller_of
from cadencia.web.routes_agent import as_json
from cadencia.web.schema import shows
from cadencia.web.stream import EventStream

_LEVELS: dict[Level, tuple[str, str]] = {
    Level.DIRECT: ("Contacto directo", "Right party"),
    Level.INDIRECT: ("Contacto indirecto", "Third party"),
    Level.NONE: ("Sin contacto", "No contact"),
}
#: The callback that was agreed with the debtor asks for its date and time.
_CALLBACK = frozenset({"VLL"})


def _leaf(leaf: Disposition) -> dict[str, Any]:
    return {
        "code": leaf.code,
        "es": leaf.es,
        "en": leaf.en,
        "needs_promise": leaf.needs_promise,
        "needs_callback": leaf.code in _CALLBACK,
        "blocks_person": leaf.blocks_person,
        "kills_phone": leaf.kills_phone,
        "retry_h": leaf.retry_h,
    }


def codes() -> dict[str, Any]:
    """The disposition tree, and words for every code that a view may hold."""
    words = [*Outcome, *Denial, NOT_DISPOSED, *DISPOSITIONS]
    return {
        "levels": [
            {
                "code": level.value,
                "es": es,
                "en": en,
                "leaves": [_leaf(leaf) for leaf in DISPOSITIONS.values() if leaf.level is level],
            }
            for level, (es, en) in _LEVELS.items()
        ],
        "labels": {str(code): {"es": label(code, "es"), "en": label(code, "en")} for code in words},
        "pause_reasons": list(PAUSE_REASONS),
        "skip_reasons": list(SKIP_REASONS),
    }


def add(router: APIRouter, ctx: Context) -> None:
    """Add the routes."""
    desk = ctx.desk
    floor: dict[str, Any] = {"responses": shows(FloorView)}

    @router.get("/api/stream", summary="Server-sent events: the caller's topic")
    async def stream(request: Request, topic: Literal["", "telephony"] = "") -> Response:
        """An agent gets `agent` events (AgentView), everybody else `floor` events (FloorView) or, with
        `topic=telephony` and the role for it, `telephony` events (TelephonyView). Each is a whole state; the first is
        the present. A comment every 15 s; `end` when the session ends or the server stops."""
        return EventStream(ctx, caller_of(request), topic)

    @router.get("/api/dispositions", summary="Codes and their labels")
    async def dispositions() -> Response:
        """The disposition tree by levels, labels of all codes, the reasons for a pause and for skipping a person."""
        return JSONResponse(codes())

    @router.get("/api/floor", summary="The supervisor's present", **floor)
    async def present() -> Response:
        """The same state that the stream sends."""
        return as_json(desk.floor())

    @router.post("/api/campaigns/{campaign_id}/start", summary="Start a campaign", **floor)
    async def start(request: Request, campaign_id: str, body: ReasonBody) -> Response:
        """Dialling begins as soon as an agent is free."""
        await desk.start_campaign(campaign_id, caller_of(request).user.login, body.reason)
        return as_json(desk.floor())

    @router.post("/api/campaigns/{campaign_id}/pause", summary="Pause a campaign", **floor)
    async def pause(request: Request, campaign_id: str, body: ReasonBody) -> Response:
        """Nothing new is dialled; calls in progress go on."""
        await desk.pause_campaign(campaign_id, caller_of(request).user.login, body.reason)
        return as_json(desk.floor())

    @router.post("/api/campaigns/{campaign_id}/stop", summary="Stop a campaign", **floor)
    async def stop(request: Request, campaign_id: str, body: ReasonBody) -> Response:
        """Nothing new is dialled, and what rings is taken back."""
        await desk.stop_campaign(campaign_id, caller_of(request).user.login, body.reason)
        return as_json(desk.floor())

    @router.patch("/api/campaigns/{campaign_id}", summary="Change settings of a campaign", **floor)
    async def change(request: Request, campaign_id: str, body: CampaignPatch) -> Response:
        """Live, with a reason that the log keeps."""
        await desk.set_campaign(campaign_id, body.changes, caller_of(request).user.login, body.reason)
        return as_json(desk.floor())
