"""What a change would do, before it is made."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Response

from cadencia.dialer.views import SimulatedView, WhatIfView
from cadencia.web.bodies import WhatIfBody
from cadencia.web.context import Context
from cadencia.web.routes_agent import as_json
from cadencia.web.schema import shows


def add(router: APIRouter, ctx: Context) -> None:
    """Add the routes."""
    shown: dict[str, Any] = {"responses": shows(WhatIfView)}

    @router.post("/api/campaigns/{campaign_id}/what-if", summary="What would a change of settings do", **shown)
    async def what_if(campaign_id: str, body: WhatIfBody) -> Response:
        """Simulates the campaign as it is now under its present and the changed settings, on the same debtors; nothing
        is changed. Takes some seconds; one question at a time."""
        asked = ctx.desk.what_if(campaign_id, body.changes, body.agents)
        question = asked.question
        answer = await ctx.asker.ask(question)
        return as_json(
            WhatIfView(
                campaign_id,
                answer.now,
                answer.then,
                answer.difference,
                SimulatedView(
                    answer.pieces,
                    answer.hours,
                    question.now.agents,
                    question.then.agents,
                    question.channels,
                    answer.answer_rate,
                    answer.known,
                ),
                asked.without_effect,
            )
        )
