"""The rules of lawful contact: what is in force, proposals, and the second person's decision."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request, Response

from cadencia.web.bodies import DecisionBody, ProposalBody
from cadencia.web.context import Context, caller_of
from cadencia.web.lawroom import LawView, NightsView
from cadencia.web.routes_agent import as_json
from cadencia.web.schema import shows


def add(router: APIRouter, ctx: Context) -> None:
    """Add the routes."""
    law = ctx.law
    shown: dict[str, Any] = {"responses": shows(LawView)}

    @router.get("/api/law", summary="The rules in force, proposals and history", **shown)
    async def present(request: Request) -> Response:
        """What a proposal would have changed yesterday is found out in the background: ask again while it is null."""
        return as_json(await law.view(caller_of(request).user))

    @router.get("/api/law/nights", summary="What the nightly re-check found", responses=shows(NightsView))
    async def nights() -> Response:
        """The last 14 results, the newest first: contacts of a local day judged again, apart from the gate. None while
        it never ran; a day that is missing was not judged."""
        return as_json(await law.nights())

    @router.post("/api/law/proposals", summary="Propose a version of a profile", **shown)
    async def propose(request: Request, body: ProposalBody) -> Response:
        """Either a file's `text`, or `rollback` to a version that was in force. Nothing changes until another person
        approves it."""
        user = caller_of(request).user
        if body.rollback is not None:
            await law.roll_back(body.rollback.id, body.rollback.version, user, body.reason)
        else:
            await law.propose(body.text, user, body.reason)
        return as_json(await law.view(user))

    @router.post("/api/law/proposals/{profile_id}/{version}/approve", summary="Put a proposal in force", **shown)
    async def approve(request: Request, profile_id: str, version: int, body: DecisionBody) -> Response:
        """Not by whoever proposed it. The engine takes it up within 5 seconds."""
        user = caller_of(request).user
        await law.decide(profile_id, version, user, body.reason, approve=True)
        return as_json(await law.view(user))

    @router.post("/api/law/proposals/{profile_id}/{version}/reject", summary="Reject a proposal", **shown)
    async def reject(request: Request, profile_id: str, version: int, body: DecisionBody) -> Response:
        """Who proposed it may take it back this way."""
        user = caller_of(request).user
        await law.decide(profile_id, version, user, body.reason, approve=False)
        return as_json(await law.view(user))
