"""Facts as they were at an instant, of what is read now: both adapters answer what was asked on a past day with it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from cadencia.domain.codes import DISPOSITIONS
from cadencia.domain.dialing import ContactFacts
from cadencia.domain.law import LookBack


@dataclass(frozen=True, slots=True)
class Recorded:
    """When lines of the ledgers were written down; a line that is missing here counts from its own instant.

    Attributes:
        consents, preferences: by the line's id.
        payments: of each person's debts: when each was paid, and when it was written down.
    """

    consents: Mapping[int, datetime]
    preferences: Mapping[int, datetime]
    payments: Mapping[int, Sequence[tuple[datetime, datetime]]]


def as_of(contact: ContactFacts, at: datetime, look_back: LookBack, recorded: Recorded) -> ContactFacts:
    """A list item as the gate saw it at that instant, as far as the ledgers tell."""
    facts, person, since = contact.facts, contact.person, look_back.since(at)
    exclusions = tuple(e for e in facts.exclusions if e.at <= at)
    blocks = [e for e in exclusions if e.phone_id is None and e.register in DISPOSITIONS]
    holding = [e.register for e in blocks if e.until is None or e.until > at]
    paid = [paid_at for paid_at, told_at in recorded.payments.get(person.id, ()) if told_at <= at]
    then = replace(
        facts,
        consents=tuple(c for c in facts.consents if recorded.consents.get(c.id, c.at) <= at),
        preferences=tuple(p for p in facts.preferences if recorded.preferences.get(p.id, p.at) <= at),
        exclusions=exclusions,
        touches=tuple(t for t in facts.touches if since <= t.at < at),
        shared=tuple(t for t in facts.shared if since <= t.at < at),
        in_flight=False,
        paid_at=max(paid, default=None),
    )
    whom = replace(person, blocked=holding[-1] if holding else None)
    return replace(contact, person=whom, facts=then, denied=None)
