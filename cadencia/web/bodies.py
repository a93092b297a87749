"""What the API takes. Unknown fields are refused: a misspelt one must not pass as left out."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Any, Self

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints, model_validator

from cadencia.domain.contacts import CODE, Became
from cadencia.domain.law import Channel, Purpose
from cadencia.domain.requests import RequestKind

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


class NoteBody(CallBody):
    """A note that is being written."""

    note: Annotated[str, StringConstraints(max_length=4000)]


class DispositionBody(_Body):
    """What the agent chose. `callback_at` is an instant with its zone."""

    attempt_id: AttemptId
    code: Annotated[str, StringConstraints(min_length=1, max_length=12)]
    note: Annotated[str, StringConstraints(max_length=4000)] = ""
    promise: PromiseBody | None = None
    callback_at: AwareDatetime | None = None


_Short = Annotated[str, StringConstraints(strip_whitespace=True, max_length=200)]


class Who(_Body):
    """A person, by our id or by document."""

    person_id: Annotated[int, Field(gt=0, strict=True)] | None = None
    doc_type: Annotated[str, StringConstraints(pattern=r"^[A-Z]{2,4}$")] | None = None
    doc_number: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=30)] | None = None

    @model_validator(mode="after")
    def _somebody(self) -> Self:
        if self._named() != 1:
            raise ValueError("name one person: by person_id, or by doc_type and doc_number")
        return self

    def _named(self) -> int:
        return (self.person_id is not None) + (self.doc_type is not None and self.doc_number is not None)


class OptOutBody(Who):
    """What the person does not want any more; without a channel or a purpose, all of them."""

    channel: Channel | None = None
    purpose: Purpose | None = None
    how: _Short = "api"
    evidence: _Short = ""


class ConsentBody(Who):
    """What the person authorised, since when, and the proof (Ley 1581 of 2012, article 9)."""

    channel: Channel | None = None
    purpose: Purpose | None = None
    at: AwareDatetime
    until: AwareDatetime | None = None
    how: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]
    text_version: _Short = ""
    evidence: _Short = ""


_Key = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]
_Code = Annotated[str, StringConstraints(pattern=CODE)]
_Number = Annotated[str, StringConstraints(pattern=r"^\+[1-9][0-9]{6,14}$")]


class ContactBody(Who):
    """A contact that another system wants to make: over which channel, for which campaign, under a key of its own.

    Without a purpose it is the campaign's; without a number the gate chooses one.
    """

    campaign: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=100)]
    channel: Channel
    purpose: Purpose | None = None
    e164: _Number | None = None
    key: _Key


class ContactOutcomeBody(_Body):
    """What became of a contact, with a disposition's code or the sender's own."""

    outcome: Became
    code: _Code = ""


class InboundBody(Who):
    """A contact that the person began, with a disposition's code or the sender's own."""

    channel: Channel
    purpose: Purpose = Purpose.COLLECTION
    code: _Code = ""
    key: _Key


class ExclusionBody(Who):
    """A list, and who is on it: a person, or a number (E.164)."""

    register_: Annotated[str, StringConstraints(pattern=r"^[a-zA-Z0-9._-]{1,40}$"), Field(alias="register")]
    e164: _Number | None = None
    until: AwareDatetime | None = None
    source: _Short = ""
    lift: bool = False

    def _named(self) -> int:
        return super()._named() + (self.e164 is not None)


class PreferenceBody(Who):
    """When the person wants to be contacted, from now on: local hours by weekday, for some channels or for all."""

    weekly: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=500)]
    channels: frozenset[Channel] = frozenset()
    how: _Short = "api"
    evidence: _Short = ""


class PaymentBody(_Body):
    """A payment on an obligation, in integer minor units (centavos)."""

    creditor: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]
    number: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=100)]
    paid_at: AwareDatetime
    amount_minor: Annotated[int, Field(gt=0, le=10**15, strict=True)]
    currency: Annotated[str, StringConstraints(pattern=r"^[A-Z]{3}$")]
    reference: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]


class RequestBody(Who):
    """What a person asks about their data; received today, unless a local date says when."""

    kind: RequestKind
    received_on: dt.date | None = None


class AnsweredBody(_Body):
    """How a request was answered, in a word or two; nothing that names the person."""

    outcome: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=80)]


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
