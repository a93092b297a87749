"""What a person asks about their own data (habeas data)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum


class RequestKind(StrEnum):
    """What is asked; the law gives each its term."""

    QUERY = "consulta"  # which data are kept
    CLAIM = "reclamo"  # correct, update or erase them, or revoke an authorisation


@dataclass(frozen=True)
class DataRequest:
    """One request.

    Attributes:
        received_on: local date of receipt.
        due: the last date on which an answer is in time.
        extended: the person was told of the extension and why.
        closed_at: when it was answered; None while it is open.
        outcome: how, in a word or two; nothing that names the person.
    """

    id: int
    person_id: int
    kind: RequestKind
    received_on: date
    due: date
    extended: bool
    opened_by: str
    closed_at: datetime | None = None
    outcome: str = ""

    def late(self, today: date) -> bool:
        """Whether it is open and its term is over."""
        return self.closed_at is None and today > self.due
