"""Versions of legal profiles: who asked for each, who decided, and which one is in force."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from cadencia.domain.dialing import ContactFacts

#: Who put in force what shipped with the program, and who proposes what ships later.
PROGRAM = "cadencia"


class ProfileState(StrEnum):
    """Where a version stands."""

    PROPOSED = "proposed"  # somebody asked for it; nobody decided yet
    ACTIVE = "active"  # in force; one of each profile at most
    RETIRED = "retired"  # was in force
    REJECTED = "rejected"


@dataclass(frozen=True, slots=True)
class ProfileText:
    """A version as its file says it.

    Attributes:
        sha256: of the text in UTF-8, hexadecimal.
        source: the file's text.
    """

    id: str
    version: int
    sha256: str
    source: str


@dataclass(frozen=True, slots=True)
class ProfileVersion:
    """A version as it is kept.

    Attributes:
        proposed_by, decided_by: logins, or `PROGRAM`; never the same person for an approval.
        reason: why it was proposed.
        decided_at, decision: when and why it was approved or rejected; None and empty before that.
    """

    text: ProfileText
    state: ProfileState
    proposed_by: str
    proposed_at: datetime
    reason: str
    decided_by: str = ""
    decided_at: datetime | None = None
    decision: str = ""


@dataclass(frozen=True, slots=True)
class Asked:
    """A question that the gate was asked and answered: a lease or a denial.

    Attributes:
        at: when.
        allowed: what it answered.
        contact: the list item with the facts as of then: contacts begun before it, consents, preferences, exclusions
            and payments written down by then. Telephones and debts are as they are now, and a consent of a file of
            debtors counts from its own date.
    """

    at: datetime
    allowed: bool
    contact: ContactFacts
