"""Persons, what they owe, and where they may be reached."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import NamedTuple


@dataclass(frozen=True)
class Money:
    """An amount in integer minor units (centavos) of a currency (ISO 4217)."""

    minor: int
    currency: str


class Role(StrEnum):
    """A person's part in an obligation. A personal reference may never be contacted (Ley 2300 of 2023, Colombia)."""

    HOLDER = "titular"
    CODEBTOR = "codeudor"
    JOINT_DEBTOR = "deudor_solidario"
    GUARANTOR = "avalista"
    REPRESENTATIVE = "representante"
    REFERENCE = "referencia"


class PhoneStatus(StrEnum):
    """What is known of a number. Only NEW and VERIFIED are diallable."""

    NEW = "nuevo"
    VERIFIED = "verificado"
    WRONG = "equivocado"
    DEAD = "fuera_de_servicio"
    EXCLUDED = "excluido"


class LineType(StrEnum):
    MOBILE = "movil"
    FIXED = "fijo"


@dataclass(frozen=True)
class PhoneIn:
    """A phone as an import brings it: validated, E.164 with the plus sign."""

    e164: str
    line_type: LineType
    position: int


@dataclass(frozen=True)
class ObligationIn:
    """One obligation as an import brings it."""

    number: str
    creditor: str
    product: str
    balance: Money
    overdue: Money
    days_past_due: int
    due_date: date | None
    role: Role


@dataclass(frozen=True)
class PersonIn:
    """One person as an import brings it, keyed by (doc_type, doc_number).

    Attributes:
        voice_consent_at: when the person authorised telephone calls; None if never: then nobody dials, and what was
            authorised before is revoked.
        language: "es" or "en".
        timezone: IANA name.
        other_zones: where the person may live too: the hours of all of them must be open.
        contract_signed_at: what the person wished for before it counts for nothing (Ley 2300 of 2023, article 3).
    """

    doc_type: str
    doc_number: str
    name: str
    city: str
    language: str
    timezone: str
    voice_consent_at: datetime | None
    phones: tuple[PhoneIn, ...]
    obligations: tuple[ObligationIn, ...]
    other_zones: tuple[str, ...] = ()
    contract_signed_at: datetime | None = None


@dataclass(frozen=True)
class Phone:
    id: int
    e164: str
    line_type: LineType
    position: int
    status: PhoneStatus


@dataclass(frozen=True)
class Obligation:
    id: int
    number: str
    creditor: str
    product: str
    balance: Money
    overdue: Money
    days_past_due: int
    due_date: date | None
    role: Role


class PastContact(NamedTuple):
    """One line of a person's history: when, how it ended, what the agent chose (None if nobody was reached)."""

    at: datetime
    outcome: str
    disposition: str | None
    agent_id: str | None
    note: str


@dataclass(frozen=True)
class DebtorFile:
    """All that an agent's screen shows of a person."""

    person_id: int
    name: str
    doc_type: str
    doc_number: str
    city: str
    language: str
    obligations: tuple[Obligation, ...]
    phones: tuple[Phone, ...]
    history: tuple[PastContact, ...]  # newest first, at most ten
