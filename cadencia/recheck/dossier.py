"""What is re-checked: one person's facts and contacts, as plain JSON that an export writes and anybody can read.

A dossier is an object; all instants are ISO 8601 in UTC; persons, telephones and debts are surrogates, never names and
never numbers::

    {"person": "p1", "zones": ["America/Bogota"], "language": "es", "contract_signed_at": INSTANT or null,
     "blocked": [{"at": INSTANT, "code": "NOC", "lifted_at": INSTANT or null}],
     "debts": [{"id": "d1", "creditor": "x", "role": "titular", "since": INSTANT or null}],
     "consents": [{"granted": true, "at": INSTANT, "recorded_at": INSTANT, "until": INSTANT or null,
                   "channel": "voice" or null, "purpose": "collection" or null}],
     "preferences": [{"at": INSTANT, "recorded_at": INSTANT, "weekly": [[[START, END], ...] 7 times], "channels": []}],
     "exclusions": [{"register": "rne", "at": INSTANT, "until": INSTANT or null, "phone": "t1" or null,
                     "channels": [], "purposes": []}],
     "payments": [{"at": INSTANT, "debt": "d1", "clears": true}],
     "contacts": [{"id": "a1", "at": INSTANT, "channel": "voice", "purpose": "collection", "phone": "t1" or null,
                   "phone_role": "titular" or null, "debts": ["d1"], "creditors": ["x"], "ring_s": 25.0, "reach": 1,
                   "code": "NOA", "inbound": false, "agent_ready": false, "requested": false,
                   "ended_at": INSTANT or null, "profiles": ["co-ley2300"],
                   "limits": {"attempts_per_day": 3, "attempts_per_week": 10}, "charged": true}],
     "shared": [{"at": INSTANT, "phone": "t1", "code": "ABN"}]}

What a key means where its name does not say it:

* `zones`: every zone the person may be in; empty: unknown.
* `debts[].since`: when the debt fell overdue, or fell overdue again; a payment before it clears nothing any more.
* `weekly`: Monday to Sunday, minutes after midnight where the person lives, half-open; `channels` empty: all.
* `contacts[].at`: the instant of dialling or sending. `ended_at`: null of a call is one still under way.
* `ring_s`: how long the contact took to reach the person; 0 of a message.
* `reach`: 0 attempt, 1 rang or delivered, 2 connected, 3 two-way. A person's answer that comes later is an inbound
  contact of its own.
* `limits`: the caps of the house that held; both keys may be left out. `charged`: the attempt counts against them.
* `shared`: calls of ours to others who have one of the person's telephones.

`language`, `contract_signed_at`, `shared` (none), and of a contact `creditors`, `agent_ready`, `requested` (no) and
`charged` (yes) may be left out. Every other key must be there, and no key may be there that is not named here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from cadencia.errors import ConfigError, Words

CHANNELS = frozenset({"voice", "sms", "email", "whatsapp", "push", "letter", "visit"})
PURPOSES = frozenset({"collection", "reminder", "commercial", "requested_info", "operation", "fraud_alert"})
ROLES = frozenset({"titular", "codeudor", "deudor_solidario", "avalista", "representante", "referencia"})


@dataclass(frozen=True, slots=True)
class Block:
    at: datetime
    code: str
    lifted_at: datetime | None


@dataclass(frozen=True, slots=True)
class Debt:
    id: str
    creditor: str
    role: str
    since: datetime | None


@dataclass(frozen=True, slots=True)
class Consent:
    granted: bool
    at: datetime
    recorded_at: datetime
    until: datetime | None
    channel: str | None
    purpose: str | None


@dataclass(frozen=True, slots=True)
class Preference:
    at: datetime
    recorded_at: datetime
    weekly: tuple[tuple[tuple[int, int], ...], ...]
    channels: frozenset[str]


@dataclass(frozen=True, slots=True)
class Exclusion:
    register: str
    at: datetime
    until: datetime | None
    phone: str | None
    channels: frozenset[str]
    purposes: frozenset[str]


@dataclass(frozen=True, slots=True)
class Payment:
    at: datetime
    debt: str
    clears: bool


@dataclass(frozen=True, slots=True)
class Contact:
    id: str
    at: datetime
    channel: str
    purpose: str
    phone: str | None
    phone_role: str | None
    debts: frozenset[str]
    creditors: frozenset[str]
    ring_s: float
    reach: int
    code: str
    inbound: bool
    agent_ready: bool
    requested: bool
    ended_at: datetime | None
    profiles: tuple[str, ...]
    limits: Mapping[str, int]
    charged: bool


@dataclass(frozen=True, slots=True)
class SharedCall:
    at: datetime
    phone: str
    code: str


@dataclass(frozen=True, slots=True)
class Dossier:
    """One person; the contacts are sorted by their instant, those of one instant as they were given."""

    person: str
    zones: tuple[str, ...]
    language: str | None
    contract_signed_at: datetime | None
    blocked: tuple[Block, ...]
    debts: tuple[Debt, ...]
    consents: tuple[Consent, ...]
    preferences: tuple[Preference, ...]
    exclusions: tuple[Exclusion, ...]
    payments: tuple[Payment, ...]
    contacts: tuple[Contact, ...]
    shared: tuple[SharedCall, ...]


def read(given: Mapping[str, Any]) -> Dossier:
    """A dossier from its JSON. Raises ConfigError, which names the key that is unknown, missing or wrong."""
    found = _object(given, "", _DOSSIER, {"language": None, "contract_signed_at": None, "shared": ()})
    contacts: tuple[Contact, ...] = found["contacts"]
    return Dossier(**{**found, "contacts": tuple(sorted(contacts, key=lambda contact: contact.at))})


# -- reading -----------------------------------------------------------------------------------------------------------

_Reader = Callable[[Any, str], Any]


def _wrong(where: str, en: str, es: str) -> ConfigError:
    return ConfigError(
        Words(f"The dossier's {where or 'whole'} {en}.", f"Del expediente, {where or 'el conjunto'} {es}."),
        Words(
            "Export the evidence again with this version; the form is described in cadencia/recheck/dossier.py.",
            "Exporte la evidencia otra vez con esta versión; la forma está descrita en cadencia/recheck/dossier.py.",
        ),
    )


def _object(given: Any, where: str, readers: Mapping[str, _Reader], optional: Mapping[str, Any]) -> dict[str, Any]:
    if not isinstance(given, Mapping):
        raise _wrong(where, "is no object", "no es un objeto")
    prefix = f"{where}." if where else ""
    for key in given:
        if key not in readers:
            raise _wrong(f"{prefix}{key}", "is a key that nobody knows", "es una clave desconocida")
    found: dict[str, Any] = {}
    for key, reader in readers.items():
        if key in given:
            found[key] = reader(given[key], f"{prefix}{key}")
        elif key in optional:
            found[key] = optional[key]
        else:
            raise _wrong(f"{prefix}{key}", "is missing", "falta")
    return found


def _instant(value: Any, where: str) -> datetime:
    try:
        found = datetime.fromisoformat(value)
    except (TypeError, ValueError):
        raise _wrong(where, "is no instant in ISO 8601", "no es un instante ISO 8601") from None
    if found.tzinfo is None or found.utcoffset():
        raise _wrong(where, "is not in UTC", "no está en UTC")
    return found.astimezone(UTC)


def _text(value: Any, where: str) -> str:
    if not isinstance(value, str):
        raise _wrong(where, "is no text", "no es texto")
    return value


def _truth(value: Any, where: str) -> bool:
    if not isinstance(value, bool):
        raise _wrong(where, "is neither true nor false", "no es verdadero ni falso")
    return value


def _seconds(value: Any, where: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < 86_400:
        raise _wrong(where, "is no number of seconds", "no es un número de segundos")
    return float(value)


def _whole(least: int, most: int) -> _Reader:
    def reader(value: Any, where: str) -> int:
        if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
            raise _wrong(where, f"is no whole number from {least} to {most}", f"no es un entero entre {least} y {most}")
        return value

    return reader


def _one_of(words: frozenset[str]) -> _Reader:
    def reader(value: Any, where: str) -> str:
        if value not in words:
            raise _wrong(where, f"is none of {', '.join(sorted(words))}", f"no es uno de {', '.join(sorted(words))}")
        return str(value)

    return reader


def _maybe(reader: _Reader) -> _Reader:
    return lambda value, where: None if value is None else reader(value, where)


def _list(reader: _Reader) -> Callable[[Any, str], tuple[Any, ...]]:
    def read_all(value: Any, where: str) -> tuple[Any, ...]:
        if not isinstance(value, list | tuple):
            raise _wrong(where, "is no list", "no es una lista")
        return tuple(reader(each, f"{where}[{index}]") for index, each in enumerate(value))

    return read_all


def _set(reader: _Reader) -> _Reader:
    each = _list(reader)
    return lambda value, where: frozenset(each(value, where))


def _weekly(value: Any, where: str) -> tuple[tuple[tuple[int, int], ...], ...]:
    days = _list(_list(_list(_whole(0, 1440))))(value, where)
    if len(days) != 7 or any(len(pair) != 2 or pair[0] >= pair[1] for day in days for pair in day):
        raise _wrong(where, "is not seven days of [start, end]", "no son siete días de [inicio, fin]")
    return days


def _made(
    kind: Callable[..., Any], readers: Mapping[str, _Reader], optional: Mapping[str, Any] | None = None
) -> _Reader:
    return lambda value, where: kind(**_object(value, where, readers, optional or {}))


def _limits(value: Any, where: str) -> Mapping[str, int]:
    count = _whole(0, 1_000_000)
    keys = {"attempts_per_day": count, "attempts_per_week": count}
    return {k: v for k, v in _object(value, where, keys, dict.fromkeys(keys)).items() if v is not None}


_CHANNEL, _PURPOSE = _one_of(CHANNELS), _one_of(PURPOSES)

_CONTACT = _made(
    Contact,
    {
        "id": _text,
        "at": _instant,
        "channel": _CHANNEL,
        "purpose": _PURPOSE,
        "phone": _maybe(_text),
        "phone_role": _maybe(_one_of(ROLES)),
        "debts": _set(_text),
        "creditors": _set(_text),
        "ring_s": _seconds,
        "reach": _whole(0, 3),
        "code": _text,
        "inbound": _truth,
        "agent_ready": _truth,
        "requested": _truth,
        "ended_at": _maybe(_instant),
        "profiles": _list(_text),
        "limits": _limits,
        "charged": _truth,
    },
    {"creditors": frozenset(), "agent_ready": False, "requested": False, "charged": True},
)

_DOSSIER: Mapping[str, _Reader] = {
    "person": _text,
    "zones": _list(_text),
    "language": _maybe(_text),
    "contract_signed_at": _maybe(_instant),
    "blocked": _list(_made(Block, {"at": _instant, "code": _text, "lifted_at": _maybe(_instant)})),
    "debts": _list(
        _made(Debt, {"id": _text, "creditor": _text, "role": _one_of(ROLES), "since": _maybe(_instant)}),
    ),
    "consents": _list(
        _made(
            Consent,
            {
                "granted": _truth,
                "at": _instant,
                "recorded_at": _instant,
                "until": _maybe(_instant),
                "channel": _maybe(_CHANNEL),
                "purpose": _maybe(_PURPOSE),
            },
        )
    ),
    "preferences": _list(
        _made(Preference, {"at": _instant, "recorded_at": _instant, "weekly": _weekly, "channels": _set(_CHANNEL)})
    ),
    "exclusions": _list(
        _made(
            Exclusion,
            {
                "register": _text,
                "at": _instant,
                "until": _maybe(_instant),
                "phone": _maybe(_text),
                "channels": _set(_CHANNEL),
                "purposes": _set(_PURPOSE),
            },
        )
    ),
    "payments": _list(_made(Payment, {"at": _instant, "debt": _text, "clears": _truth})),
    "contacts": _list(_CONTACT),
    "shared": _list(_made(SharedCall, {"at": _instant, "phone": _text, "code": _text})),
}
