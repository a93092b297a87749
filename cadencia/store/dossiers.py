"""What the re-check is told of a person: facts and contacts as they were written down, not how they were judged.

The form is that of `cadencia.recheck.dossier`. Telephones and debts get numbers that hold within one dossier only. What
was written down later than it happened counts from when it was written: nobody could have known it before.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from cadencia.domain.codes import DISPOSITIONS
from cadencia.domain.contacts import LASTING
from cadencia.domain.law import Reach

#: Contacts so long before the first one that is judged matter to no law.
LOOK_BACK = timedelta(days=35)

#: A lease is sent or given back within so long.
LEASE = timedelta(days=1)

#: A campaign's own caps travel among the profiles of a lease; the re-check is told them as numbers.
_HOUSE = "house"

#: The agent and the person agreed on a call: the next one is asked for.
_AGREED = "VLL"

_BOGOTA = ZoneInfo("America/Bogota")


@dataclass(frozen=True, slots=True)
class Made:
    """A contact as it was made. `lease` is the body of its lease, `previewed`: an agent was ready before it rang."""

    id: str
    at: datetime
    channel: str
    purpose: str
    phone_id: int | None
    debts: tuple[int, ...]
    reach: int
    code: str
    inbound: bool = False
    ended_at: datetime | None = None
    charged: bool = True
    lease: dict[str, Any] = field(default_factory=dict)
    previewed: bool = False


@dataclass(slots=True)
class Known:
    """What was written down of one person; `name` is a surrogate."""

    name: str
    zones: Sequence[str]
    language: str
    contract_signed_at: datetime | None
    debts: list[tuple[int, str, str, date | None]] = field(default_factory=list)  # id, creditor, role, overdue since
    consents: list[dict[str, Any]] = field(default_factory=list)
    preferences: list[dict[str, Any]] = field(default_factory=list)
    # register, at, until, telephone, channels, purposes
    exclusions: list[tuple[str, datetime, datetime | None, int | None, Sequence[str], Sequence[str]]] = field(
        default_factory=list
    )
    payments: list[tuple[datetime, int, bool]] = field(default_factory=list)  # at, debt, nothing is overdue after it
    contacts: list[Made] = field(default_factory=list)
    shared: list[tuple[datetime, int, str]] = field(default_factory=list)  # calls to others: at, telephone, code


def other(
    contact_id: str,
    at: datetime,
    channel: str,
    purpose: str,
    phone_id: int | None,
    debts: Iterable[int],
    reach: int,
    code: str,
    inbound: bool,
    lease: dict[str, Any],
) -> Made:
    """A contact that is no call of the dialer's.

    A message of ours gets no further than its delivery, whatever is written in the ledger that the counters come from:
    what the person answered is a contact of its own, at its own instant.
    """
    lasting = channel in LASTING
    if not lasting and not inbound:
        reach = min(reach, Reach.RANG)
    return Made(
        contact_id,
        at,
        channel,
        purpose,
        phone_id,
        tuple(debts),
        int(reach),
        code,
        inbound,
        ended_at=at,
        lease=lease,
        previewed=lasting and not inbound,
    )


def told(instant: datetime | None) -> str | None:
    """An instant as a dossier writes it."""
    return None if instant is None else instant.astimezone(UTC).isoformat()


def dossier_from(known: Known) -> dict[str, Any]:
    """One person's dossier."""
    phones, debts = _Numbers("t"), _Numbers("d")
    creditors = {number: creditor for number, creditor, _, _ in known.debts}
    made = sorted(known.contacts, key=lambda contact: (contact.at, contact.id))
    blocks = [row for row in known.exclusions if row[3] is None and row[0] in DISPOSITIONS]
    return {
        "person": known.name,
        "zones": list(dict.fromkeys(known.zones)),
        "language": known.language or None,
        "contract_signed_at": told(known.contract_signed_at),
        "blocked": [{"at": told(at), "code": code, "lifted_at": told(until)} for code, at, until, *_ in blocks],
        "debts": [
            {"id": debts[number], "creditor": creditor, "role": role, "since": told(_morning(since))}
            for number, creditor, role, since in known.debts
        ],
        "consents": known.consents,
        "preferences": known.preferences,
        "exclusions": [
            {
                "register": register,
                "at": told(at),
                "until": told(until),
                "phone": None if phone is None else phones[phone],
                "channels": sorted(channels),
                "purposes": sorted(purposes),
            }
            for register, at, until, phone, channels, purposes in known.exclusions
            if phone is not None or register not in DISPOSITIONS
        ],
        "payments": [{"at": told(at), "debt": debts[debt], "clears": clears} for at, debt, clears in known.payments],
        "contacts": [
            _contact(one, before, phones, debts, creditors) for one, before in zip(made, [None, *made], strict=False)
        ],
        "shared": [{"at": told(at), "phone": phones[phone], "code": code} for at, phone, code in known.shared],
    }


class _Numbers:
    """Names for ids, in the order in which they are asked for."""

    def __init__(self, sign: str) -> None:
        self._sign, self._names = sign, dict[int, str]()

    def __getitem__(self, number: int) -> str:
        return self._names.setdefault(number, f"{self._sign}{len(self._names) + 1}")


def _contact(
    c: Made, before: Made | None, phones: _Numbers, debts: _Numbers, creditors: dict[int, str]
) -> dict[str, Any]:
    profiles = [str(name[0]) for name in c.lease.get("profiles", ()) if name[0] != _HOUSE]
    return {
        "id": c.id,
        "at": told(c.at),
        "channel": c.channel,
        "purpose": c.purpose,
        "phone": None if c.phone_id is None else phones[c.phone_id],
        "phone_role": None,
        "debts": [debts[number] for number in sorted(c.debts)],
        "creditors": sorted({creditors[number] for number in c.debts if number in creditors}),
        "ring_s": float(c.lease.get("facts", {}).get("ring_s", 0.0)),
        "reach": c.reach,
        "code": c.code,
        "inbound": c.inbound,
        "agent_ready": c.previewed,
        "requested": before is not None and before.code == _AGREED,
        "ended_at": told(c.ended_at),
        "profiles": profiles,
        "limits": {k: int(v) for k, v in c.lease.get("limits", {}).items()},
        "charged": c.charged,
    }


def consent(
    granted: bool, at: datetime, recorded_at: datetime, until: datetime | None, channel: str | None, purpose: str | None
) -> dict[str, Any]:
    """A line of the consent ledger."""
    return {
        "granted": granted,
        "at": told(at),
        "recorded_at": told(recorded_at),
        "until": told(until),
        "channel": channel,
        "purpose": purpose,
    }


def preference(at: datetime, recorded_at: datetime, weekly: Any, channels: Iterable[str]) -> dict[str, Any]:
    """A person's wish."""
    week = [[list(pair) for pair in day] for day in weekly]
    return {"at": told(at), "recorded_at": told(recorded_at), "weekly": week, "channels": sorted(channels)}


def _morning(day: date | None) -> datetime | None:
    return None if day is None else datetime.combine(day, time(), _BOGOTA)
