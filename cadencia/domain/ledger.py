"""What is written into the ledgers that the lawful-contact gate judges by."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from cadencia.domain.law import Channel, Intervals, Purpose
from cadencia.domain.people import Money


@dataclass(frozen=True)
class ConsentIn:
    """A grant or a revocation, with its proof (Ley 1581 of 2012, article 9).

    Attributes:
        channel, purpose: None means all.
        how: by which way it came: "import", "call", "api" and so on.
        text_version: which text the person agreed to.
        evidence: where the proof lies: a recording's or a document's reference. Nothing that names the person.
    """

    person_id: int
    granted: bool
    at: datetime
    channel: Channel | None = None
    purpose: Purpose | None = None
    until: datetime | None = None
    how: str = ""
    text_version: str = ""
    evidence: str = ""


@dataclass(frozen=True)
class PreferenceIn:
    """When a person wants to be contacted; `weekly` as of `cadencia.domain.law.Preference`."""

    person_id: int
    at: datetime
    weekly: tuple[Intervals, Intervals, Intervals, Intervals, Intervals, Intervals, Intervals]
    channels: frozenset[Channel] = frozenset()
    how: str = ""
    evidence: str = ""


@dataclass(frozen=True)
class ExclusionIn:
    """A person or a number goes on a list; exactly one of `person_id` and `e164`."""

    register: str
    at: datetime
    person_id: int | None = None
    e164: str | None = None
    channels: frozenset[Channel] = frozenset()
    purposes: frozenset[Purpose] = frozenset()
    until: datetime | None = None
    source: str = ""


@dataclass(frozen=True)
class LiftIn:
    """A person or a number goes off a list; exactly one of `person_id` and `e164`."""

    register: str
    at: datetime
    person_id: int | None = None
    e164: str | None = None


@dataclass(frozen=True)
class PaymentIn:
    """A payment on an obligation; the same reference on the same obligation counts once."""

    creditor: str
    number: str
    paid_at: datetime
    amount: Money
    reference: str


Change = ConsentIn | PreferenceIn | ExclusionIn | LiftIn | PaymentIn
