"""What the API takes. Unknown fields are refused: a misspelt one must not pass as left out."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Any

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints, model_validator

AttemptId = Annotated[str, StringConstraints(pattern=r"^[a-zA-Z0-9.\-]{1,64}$")]
Reason = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=300)]


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid")


class SignIn(_Body):
    """A person's login and password."""

    login: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=100)]
    password: Annotated[str, StringConstraints(min_length=1, max_length=500)]


class PauseBody(_Body):
    """Why the agent pauses, one of the reasons that GET /api/dispositions lists."""

    reason: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=40)]


class CallBody(_Body):
    """The call that is meant: a late click must never hit the next one."""

    attempt_id: AttemptId


class SkipBody(CallBody):
    """The file that is meant, and why its person is not called now (GET /api/dispositions lists the reasons)."""

    reason: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=40)]


class PromiseBody(_Body):
    """A promise to pay, in integer minor units (centavos), by a local date."""

    amount_minor: Annotated[int, Field(gt=0, le=10**15, strict=True)]
    currency: Annotated[str, StringConstraints(pattern=r"^[A-Z]{3}$")]
    due: dt.date


class DispositionBody(_Body):
    """What the agent chose. `callback_at` is an instant with its zone."""

    attempt_id: AttemptId
    code: Annotated[str, StringConstraints(min_length=1, max_length=12)]
    note: Annotated[str, StringConstraints(max_length=4000)] = ""
    promise: PromiseBody | None = None
    callback_at: AwareDatetime | None = None


class ReasonBody(_Body):
    """Why a campaign is started, paused or stopped."""

    reason: Reason


class WhatIfBody(_Body):
    """New values of campaign settings by name, as a change would have them, and for how many agents."""

    changes: Annotated[dict[str, Any], Field(max_length=20)]
    agents: Annotated[int, Field(ge=1, le=1000, strict=True)] | None = None


class CampaignPatch(_Body):
    """New values of campaign settings by name, and why."""

    changes: Annotated[dict[str, Any], Field(min_length=1, max_length=20)]
    reason: Reason


class RollbackBody(_Body):
    """A version of a legal profile that was in force before."""

    id: Annotated[str, StringConstraints(min_length=1, max_length=100)]
    version: Annotated[int, Field(ge=1, strict=True)]


class ProposalBody(_Body):
    """The text of a profile's file or, in its place, the version to go back to; and why."""

    text: Annotated[str, StringConstraints(max_length=60_000)] = ""
    rollback: RollbackBody | None = None
    reason: Reason

    @model_validator(mode="after")
    def _either(self) -> ProposalBody:
        if bool(self.text.strip()) is (self.rollback is not None):
            raise ValueError("either text or rollback")
        return self


class DecisionBody(_Body):
    """Why a proposal is approved or rejected."""

    reason: Reason
