"""What both adapters work out in the same way before they touch what is kept."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from cadencia.domain.codes import DISPOSITIONS, Denial
from cadencia.domain.dialing import CampaignSettings, ContactFacts, Disposed
from cadencia.domain.law import Allow, Channel, Deny, Exclusion, Person, Verdict
from cadencia.domain.ledger import Change, ConsentIn, ExclusionIn
from cadencia.domain.people import Obligation, PersonIn, Phone, PhoneStatus, Role
from cadencia.errors import Refused, Words

#: Only these may be dialled.
DIALLABLE: frozenset[PhoneStatus] = frozenset({PhoneStatus.NEW, PhoneStatus.VERIFIED})

#: How many past contacts a debtor's file shows.
HISTORY = 10

#: Since when an agent is out of whom nothing was ever written down.
NEVER = datetime(1970, 1, 1, tzinfo=UTC)


def person_of(
    person_id: int,
    owed: Sequence[Obligation],
    zones: Sequence[str],
    exclusions: Iterable[Exclusion],
    now: datetime,
    *,
    contract_signed_at: datetime | None,
    paid: bool,
) -> Person:
    """The person as the gate sees it: only obligations that the person answers for are what a contact is about.

    Args:
        exclusions: a disposition that stands against the person is the newest of them, if it still holds.
        paid: a payment was recorded: then an obligation with nothing overdue is no reason for a contact.
    """
    own = [o for o in owed if o.role is not Role.REFERENCE]
    blocks = [e for e in exclusions if e.phone_id is None and e.register in DISPOSITIONS]
    holds = [e.register for e in blocks if e.until is None or e.until > now]
    return Person(
        person_id,
        frozenset(o.role for o in own or owed),
        tuple(dict.fromkeys(zones)),
        frozenset(o.id for o in own),
        frozenset(o.creditor for o in own),
        holds[-1] if holds else None,
        any(o.overdue.minor > 0 or (o.balance.minor > 0 and not paid) for o in own or owed),
        contract_signed_at,
    )


def the_phone(verdict: Allow) -> Phone:
    """The number a call goes to. Raises Refused if the judge named none."""
    if verdict.phone is None:
        raise Refused(Words("A call needs a telephone number.", "Una llamada necesita un número de teléfono."))
    return verdict.phone


def under_way(verdict: Verdict, contact: ContactFacts) -> Verdict:
    """Whoever is in an open attempt is not contacted over another channel, whatever the judge says."""
    if isinstance(verdict, Allow) and contact.facts.in_flight:
        return Deny(Denial.IN_FLIGHT, None, "in_flight", verdict.basis)
    return verdict


def denial_body(verdict: Deny, before: Denial | None) -> dict[str, Any]:
    """The body of contact.denied."""
    told: dict[str, Any] = {
        "code": str(verdict.code),
        "retry_at": verdict.retry_at.isoformat() if verdict.retry_at else None,
        "rule": verdict.rule,
        **verdict.basis,
    }
    return told | ({"again": True} if verdict.code is before else {})


def after_contact(code: str, person_id: int, channel: Channel, contact_id: str, at: datetime) -> tuple[Change, ...]:
    """What the code of a contact over any channel writes into the ledgers, as an agent's disposition does."""
    leaf = DISPOSITIONS.get(code)
    changes: list[Change] = []
    if leaf is not None and leaf.blocks_person:
        changes.append(ExclusionIn(code, at, person_id, source=contact_id))
    if leaf is not None and leaf.revokes_channel:
        changes.append(ConsentIn(person_id, False, at, channel, how=str(channel), evidence=contact_id))
    return tuple(changes)


def after_disposition(d: Disposed, person_id: int) -> tuple[Change, ...]:
    """What an agent's disposition writes into the ledgers: a block of the person, or the end of the channel's consent.

    Not to be called any more is the person's right at any time (Ley 2300 of 2023, article 5; Ley 1581 of 2012,
    article 9); the agent's word is the proof, the call's recording lies with it.
    """
    changes: list[Change] = []
    if d.block_person:
        changes.append(ExclusionIn(d.code, d.at, person_id, source=d.attempt_id))
    if d.revoke_channel:
        changes.append(ConsentIn(person_id, False, d.at, Channel.VOICE, how="call", evidence=d.attempt_id))
    return tuple(changes)


def merged(people: Sequence[PersonIn]) -> list[PersonIn]:
    """One entry a person: the last row tells the name and the like, phones and obligations are gathered."""
    seen: dict[tuple[str, str], PersonIn] = {}
    for person in people:
        key = (person.doc_type, person.doc_number)
        before = seen.get(key)
        phones = {p.e164: p for p in (*(before.phones if before else ()), *person.phones)}
        owed = {(o.creditor, o.number): o for o in (*(before.obligations if before else ()), *person.obligations)}
        seen[key] = replace(person, phones=tuple(phones.values()), obligations=tuple(owed.values()))
    return list(seen.values())


def priority(person: PersonIn) -> int | None:
    """Days past due of the worst obligation the person answers for; None for one who is only a reference."""
    owed = [o.days_past_due for o in person.obligations if o.role is not Role.REFERENCE]
    if not owed and person.obligations:
        return None
    return max(owed, default=0)


def changes(old: CampaignSettings, new: CampaignSettings) -> dict[str, list[object]]:
    """What differs, as the log's campaign.setting tells it: {name: [old, new]}."""
    names: Iterable[str] = CampaignSettings.__dataclass_fields__
    return {n: [getattr(old, n), getattr(new, n)] for n in names if getattr(old, n) != getattr(new, n)}


def first_ring(body: dict[str, Any]) -> tuple[str, int] | None:
    """Of an attempt.traced: since when its entries count (ISO), and milliseconds to the first sign of ringing."""
    for ms, code, told in body.get("entries", ()):
        if code == "phase" and told.get("phase") == "ringing":
            return (str(body["at"]), int(ms)) if body.get("at") else None
    return None


def ring_s(rung: tuple[str, int] | None, over: datetime | None) -> float | None:
    """Seconds from the first sign of ringing to the answer or the end; None if one of them is unknown."""
    if rung is None or over is None:
        return None
    return max(0.0, (over - datetime.fromisoformat(rung[0]) - timedelta(milliseconds=rung[1])).total_seconds())
