"""What an outcome or a disposition means for the next try."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from cadencia.domain.codes import DISPOSITIONS, NOT_DISPOSED, UNCHARGED, Outcome
from cadencia.domain.dialing import CampaignSettings, Next


@dataclass(frozen=True)
class Aftermath:
    """What becomes of the list item, the counter and the telephone number after an attempt."""

    next: Next
    charged: bool
    kill_phone: bool


#: Minutes until the next try; None takes the campaign's `retry_minutes`.
_RETRY_MINUTES: dict[Outcome, float | None] = {
    Outcome.NO_ANSWER: None,
    Outcome.BUSY: 15,
    Outcome.OFF: 24 * 60,
    Outcome.NOT_IN_SERVICE: 5,  # another number, if there is one
    Outcome.REJECTED: 24 * 60,
    Outcome.CONGESTION: 5,
    Outcome.TRUNK: 2,
    Outcome.ABANDONED: 72 * 60,  # Ofcom's rule for abandoned numbers
    Outcome.ABANDONED_MESSAGE: 72 * 60,
    Outcome.MACHINE: 24 * 60,
    Outcome.HUNG_UP: 24 * 60,
    Outcome.CANCELLED: None,
    Outcome.DROPPED: 10,
    Outcome.UNKNOWN: None,
    Outcome.CONNECTED: 24 * 60,
}


def after_outcome(outcome: Outcome, settings: CampaignSettings, at: datetime, *, rang: bool) -> Aftermath:
    """What follows an attempt that needs no disposition.

    A call of ours that was taken back before it rang was no contact attempt; one that rang was a missed call at the
    debtor's, and counts.
    """
    minutes = _RETRY_MINUTES[outcome]
    due = at + timedelta(minutes=settings.retry_minutes if minutes is None else minutes)
    charged = outcome not in UNCHARGED and (outcome is not Outcome.CANCELLED or rang)
    return Aftermath(Next(due), charged, kill_phone=outcome is Outcome.NOT_IN_SERVICE)


def after_disposition(code: str, at: datetime, callback_at: datetime | None) -> Next:
    """What follows an agent's disposition: due again, or closed."""
    if callback_at is not None:
        return Next(callback_at)
    if code == NOT_DISPOSED:
        return Next(at + timedelta(hours=24))
    retry_h = DISPOSITIONS[code].retry_h
    return Next(None if retry_h is None else at + timedelta(hours=retry_h))
