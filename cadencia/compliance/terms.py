"""By when a person's request about their data must be answered, in business days of the country's calendar."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from cadencia.compliance.calendar import add_business_days
from cadencia.domain.law import Calendar
from cadencia.domain.requests import RequestKind


@dataclass(frozen=True, slots=True)
class Term:
    """Business days to answer, and how many more if the person is told why before they are over."""

    days: int
    extension: int
    citation: str


#: Colombia: Ley 1581 of 2012. The day of receipt is none of the days.
TERMS: dict[RequestKind, Term] = {
    RequestKind.QUERY: Term(10, 5, "Ley 1581 de 2012, art. 14"),
    RequestKind.CLAIM: Term(15, 8, "Ley 1581 de 2012, art. 15"),
}


def due_on(kind: RequestKind, received_on: date, calendar: Calendar, *, extended: bool = False) -> date:
    """The last date on which an answer is in time.

    Args:
        received_on: the local date of receipt.
        calendar: whose dates are no business days.
        extended: the extension was told to the person.
    """
    term = TERMS[kind]
    due = add_business_days(received_on, term.days, calendar)
    return add_business_days(due, term.extension, calendar) if extended else due
