"""Contacts that something else than the dialer makes: messages, letters, visits, calls by hand; and what comes back."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from hashlib import sha256

from cadencia.domain.codes import DISPOSITIONS
from cadencia.domain.law import Channel, Purpose, Reach, Verdict

#: What the id of such a contact begins with; an attempt's begins otherwise.
PREFIX = "c-"

#: What the code of one may be, a disposition's or the sender's own: no text, for it is sealed into evidence.
CODE = r"^[A-Za-z0-9._-]{0,20}$"

#: Of these no more than the sending is ours: what the person answers is a contact of its own, later.
LASTING = frozenset({Channel.VOICE, Channel.VISIT})


class Became(StrEnum):
    """What became of a contact, as whoever made it tells."""

    UNSENT = "unsent"  # it was not made after all: what was reserved for it is free again
    DELIVERED = "delivered"  # it reached the person's device or letter box; of a call: it rang
    FAILED = "failed"  # it did not
    REPLIED = "replied"  # the person wrote back
    CONVERSATION = "conversation"  # the person and we spoke with each other


@dataclass(frozen=True, slots=True)
class Reserved:
    """The gate's answer to a contact that somebody wants to make.

    Attributes:
        contact_id: follows from the caller's key; what became of the contact is told under it.
        at: when it was allowed, from which it counts; of a no, when it was asked.
        verdict: `Allow` with the number to be used, or `Deny`.
        repeated: it was allowed before, under the same key, and is not counted again.
    """

    contact_id: str
    at: datetime
    verdict: Verdict
    repeated: bool = False


@dataclass(frozen=True, slots=True)
class Inbound:
    """A contact that the person began: counts from when it is told, and against limits only where a profile says so.

    Attributes:
        code: what the person wanted, as a disposition; one that blocks the person or revokes the channel does so here.
    """

    contact_id: str
    person_id: int
    channel: Channel
    purpose: Purpose
    code: str
    by: str


def contact_id_of(key: str) -> str:
    """The id of a contact by its caller's key: the same for the same key, and the key cannot be read from it."""
    return PREFIX + sha256(f"cadencia contact\n{key}".encode()).hexdigest()[:32]


def reach_of_other(became: Became, code: str) -> Reach:
    """How far a contact got that is no call of ours.

    With a third party there is no direct contact; a code that nobody knows counts as one with the right party.
    """
    if became is Became.FAILED:
        return Reach.ATTEMPT
    if became is Became.DELIVERED:
        return Reach.RANG
    leaf = DISPOSITIONS.get(code)
    return Reach.TWO_WAY if leaf is None or leaf.right_party else Reach.CONNECTED
