"""Random worlds for lawful contact, by seed: a person, what is known, and one contact that is asked about.

The gate can be asked about a `Case`, and `dossier` makes of the same case what `cadencia recheck` reads, with the
contact as if it had been made: where the gate allows, the re-check must find nothing. Instants lie mostly on or one
second beside an edge (openings, closings, ends of cool-offs, local midnights, changes of clocks).
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from cadencia.domain.law import Channel, Consent, Exclusion, Facts, Person, Preference, Purpose, Reach, Touch
from cadencia.domain.people import Role
from tests.support.law_vectors import Vector, every_day, hm, weekdays

_SECOND = timedelta(seconds=1)


@dataclass(frozen=True, slots=True)
class Case:
    """One contact that is asked about: at `at`, over `channel`, to `phone_id`, under the profiles with these ids."""

    name: str
    person: Person
    facts: Facts
    channel: Channel
    purpose: Purpose
    at: datetime
    profiles: tuple[str, ...]
    phone_id: int | None


@dataclass(frozen=True, slots=True)
class _Country:
    profiles: tuple[tuple[str, ...], ...]
    zones: tuple[tuple[str, ...], ...]
    days: tuple[str, ...]  # dates worth asking about: weekdays, rest days, holidays, changes of clocks


_COUNTRIES = (
    _Country(
        (("co-ley2300",), ("co-ley2300",), ("co-estricto",), ("co-ley2300", "co-estricto")),
        (
            ("America/Bogota",),
            ("America/Bogota",),
            ("Europe/Madrid",),
            ("America/Bogota", "America/New_York"),
            ("Asia/Tokyo",),
        ),
        (
            "2026-03-02",
            "2026-03-07",
            "2026-03-08",
            "2026-03-23",
            "2026-04-02",
            "2026-07-13",
            "2026-07-14",
            "2026-03-30",
        ),
    ),
    _Country(
        (("mx",), ("mx-estricto",)),
        (("America/Mexico_City",), ("America/Tijuana",), ("America/Mexico_City", "America/Tijuana")),
        ("2026-03-02", "2026-03-07", "2026-03-08", "2026-09-16", "2026-11-01", "2026-02-02"),
    ),
    _Country((("pe",),), (("America/Lima",),), ("2026-03-02", "2026-03-06", "2026-03-07", "2026-07-28", "2026-12-08")),
    _Country(
        (("cl",),),
        (("America/Santiago",), ("America/Punta_Arenas",), ("Pacific/Easter", "America/Santiago")),
        ("2026-03-06", "2026-03-07", "2026-04-04", "2026-04-06", "2026-09-05", "2026-09-07", "2026-09-18"),
    ),
    _Country(
        (("es",),),
        (("Europe/Madrid",), ("Atlantic/Canary",), ("Europe/Madrid", "Atlantic/Canary")),
        ("2026-03-27", "2026-03-28", "2026-03-30", "2026-10-26", "2026-10-12", "2026-12-08"),
    ),
    _Country(
        (("us-regf",),),
        (("America/New_York",), ("America/New_York", "America/Los_Angeles"), ("America/Phoenix",)),
        ("2026-03-02", "2026-03-07", "2026-03-08", "2026-03-11", "2026-11-01", "2026-11-07"),
    ),
    _Country((("uk",),), (("Europe/London",),), ("2026-03-25", "2026-03-30", "2026-10-27", "2026-06-03")),
    _Country((("ar",),), (("America/Argentina/Buenos_Aires",),), ("2026-03-04", "2026-06-03")),
)

_EDGES = tuple(hm(hour) for hour in (7, 8, 9, 10, 12, 13, 14, 15, 17, 19, 20, 21, 22))
_CODES = {
    Reach.ATTEMPT: ("OCU", "FDS", "CEL", ""),
    Reach.RANG: ("NOA", "NOA", "RES"),
    Reach.CONNECTED: ("AMD", "ABN", "ABM", "TMS", "CST"),
    Reach.TWO_WAY: ("SCP", "VLL", "REN", "CUE"),
}
_SPANS = (1, 3600, 86_400, 2 * 86_400, 3 * 86_400, 6 * 86_400, 7 * 86_400, 9 * 86_400)


def world(seed: int, n: int) -> Iterator[Case]:
    """`n` cases; the same for the same seed."""
    dice = random.Random(seed)
    for index in range(n):
        yield _case(dice, f"{seed}/{index}")


def of_vector(vector: Vector) -> Case:
    """A vector of shipped profiles as a case. Raises ValueError if it brings a profile of its own."""
    ids = tuple(name for name in vector.profiles if isinstance(name, str))
    if len(ids) != len(vector.profiles):
        raise ValueError(vector.name)
    phone = vector.phone_id if vector.channel in (Channel.VOICE, Channel.SMS, Channel.WHATSAPP) else None
    return Case(vector.name, vector.person, vector.facts, vector.channel, vector.purpose, vector.instant, ids, phone)


# -- drawing -----------------------------------------------------------------------------------------------------------


def _case(dice: random.Random, name: str) -> Case:
    country = dice.choice(_COUNTRIES)
    zones = dice.choice(country.zones)
    profiles = dice.choice(country.profiles)
    zone = ZoneInfo(dice.choice(zones if dice.random() < 0.8 else ("America/Bogota",)))
    channel = dice.choice((Channel.VOICE,) * 6 + (Channel.SMS, Channel.SMS, Channel.EMAIL, Channel.WHATSAPP))
    purpose = dice.choice(
        (Purpose.COLLECTION,) * 8 + (Purpose.REMINDER, Purpose.COMMERCIAL, Purpose.REQUESTED_INFO, Purpose.OPERATION)
    )
    ring = dice.choice((0.0, 20.0, 25.0, 30.0)) if channel is Channel.VOICE else 0.0
    day = datetime.fromisoformat(dice.choice(country.days)).date()
    edge = dice.choice(_EDGES) if dice.random() < 0.6 else hm(dice.randrange(7, 19), dice.randrange(60))
    wall = datetime.combine(day, time(edge // 60, edge % 60), zone)
    at = wall.astimezone(UTC) + dice.choice((-1, 0, 0, 1)) * _SECOND
    if dice.random() < 0.3:
        at -= timedelta(seconds=ring)
    touches = tuple(sorted(_touches(dice, at, channel, zone), key=lambda touch: touch.at))
    signed = datetime(2024, 1, 15, 15, tzinfo=UTC)
    return Case(
        name=name,
        person=Person(
            id=1,
            roles=frozenset({dice.choice((*(Role.HOLDER,) * 12, Role.CODEBTOR, Role.GUARANTOR, Role.REFERENCE))}),
            zones=zones if dice.random() < 0.98 else (),
            debts=frozenset({1, 2} if dice.random() < 0.2 else {1}),
            creditors=frozenset({"norte"}),
            blocked=dice.choice(("NOC", "ABG")) if dice.random() < 0.03 else None,
            owes=dice.random() < 0.96,
            contract_signed_at=signed,
        ),
        facts=Facts(
            consents=_consents(dice, at, channel, purpose),
            preferences=_preferences(dice, at, signed),
            exclusions=_exclusions(dice, at),
            touches=touches,
            ring_s=ring,
            agent_ready=dice.random() < 0.15,
            requested=purpose is Purpose.REQUESTED_INFO or dice.random() < 0.05,
        ),
        channel=channel,
        purpose=purpose,
        at=at,
        profiles=profiles,
        phone_id=dice.choice((11, 12)) if channel in (Channel.VOICE, Channel.SMS, Channel.WHATSAPP) else None,
    )


def _touches(dice: random.Random, at: datetime, channel: Channel, zone: ZoneInfo) -> Iterator[Touch]:
    for _ in range(dice.choice((0, 0, 1, 1, 1, 2, 3, 8))):
        if dice.random() < 0.3:
            midnight = datetime.combine(at.astimezone(zone).date(), time(), zone)
            when = midnight.astimezone(UTC) - timedelta(days=dice.randrange(8))
        else:
            when = at - timedelta(seconds=dice.choice(_SPANS))
        when = min(when + dice.choice((-1, 0, 1)) * _SECOND, at - _SECOND)
        reach = dice.choice((Reach.ATTEMPT, Reach.RANG, Reach.RANG, Reach.CONNECTED, Reach.TWO_WAY))
        over = channel if dice.random() < 0.6 else dice.choice((Channel.VOICE, Channel.SMS, Channel.EMAIL))
        number = dice.choice((11, 12)) if over in (Channel.VOICE, Channel.SMS, Channel.WHATSAPP) else None
        yield Touch(
            at=when,
            channel=over,
            purpose=Purpose.COLLECTION if dice.random() < 0.9 else Purpose.REQUESTED_INFO,
            reach=reach,
            code=dice.choice(_CODES[reach]) if over is Channel.VOICE else "",
            phone_id=number,
            debts=frozenset({dice.choice((1, 1, 2))}),
            creditors=frozenset({"norte"}),
            inbound=reach is Reach.TWO_WAY and dice.random() < 0.2,
        )


def _consents(dice: random.Random, at: datetime, channel: Channel, purpose: Purpose) -> tuple[Consent, ...]:
    grant = Consent(1, True, at - timedelta(days=300))
    kind = dice.random()
    if kind < 0.7:
        return (grant,)
    near = at + dice.choice((-1, 0, 1)) * _SECOND
    other = Channel.SMS if channel is Channel.VOICE else Channel.VOICE
    return dice.choice(
        (
            (),
            (replace(grant, at=near),),
            (replace(grant, until=near),),
            (replace(grant, channel=channel),),
            (replace(grant, channel=other),),
            (replace(grant, purpose=purpose),),
            (replace(grant, purpose=Purpose.FRAUD_ALERT),),
            (grant, Consent(2, False, near)),
            (grant, Consent(2, False, near, channel)),
            (grant, Consent(2, False, near, other)),
            (grant, Consent(2, False, at - timedelta(days=2)), Consent(3, True, near)),
            (grant, Consent(2, False, at - timedelta(days=2)), Consent(3, True, at - timedelta(days=1), until=near)),
        )
    )


def _preferences(dice: random.Random, at: datetime, signed: datetime) -> tuple[Preference, ...]:
    if dice.random() < 0.85:
        return ()
    weekly = dice.choice((weekdays((hm(8), hm(10))), weekdays((hm(19), hm(21))), every_day((hm(9), hm(20)))))
    given = dice.choice((signed - _SECOND, signed, signed + _SECOND, at - _SECOND, at, at + _SECOND))
    channels = frozenset({dice.choice((Channel.VOICE, Channel.SMS))}) if dice.random() < 0.3 else frozenset()
    return (Preference(1, given, weekly, channels),)


def _exclusions(dice: random.Random, at: datetime) -> tuple[Exclusion, ...]:
    if dice.random() < 0.85:
        return ()
    near = at + dice.choice((-1, 0, 1)) * _SECOND
    return (
        Exclusion(
            register=dice.choice(("rne", "rne", "house")),
            at=near if dice.random() < 0.4 else at - timedelta(days=90),
            phone_id=dice.choice((None, 11, 12)),
            channels=dice.choice((frozenset(), frozenset({Channel.VOICE}), frozenset({Channel.SMS}))),
            purposes=dice.choice((frozenset(), frozenset({Purpose.COMMERCIAL}))),
            until=dice.choice((None, None, near + _SECOND)),
        ),
    )


# -- as a dossier ------------------------------------------------------------------------------------------------------


def _z(at: datetime | None) -> str | None:
    return None if at is None else at.astimezone(UTC).isoformat().replace("+00:00", "Z")


def dossier(case: Case, *, limits: dict[str, int] | None = None) -> dict[str, Any]:
    """The case as `cadencia recheck` reads it: the contact was made, rang and was not answered; its id is "now"."""
    person, facts = case.person, case.facts
    role = str(min(person.roles)) if person.roles else "titular"
    contacts = [
        _contact(f"t{index}", touch, case.profiles, role, limits or {}) for index, touch in enumerate(facts.touches)
    ]
    if facts.in_flight:
        began = Touch(case.at - _SECOND, Channel.VOICE, Purpose.COLLECTION, Reach.ATTEMPT)
        contacts.append({**_contact("busy", began, case.profiles, role, {}), "ended_at": None})
    now = Touch(case.at, case.channel, case.purpose, Reach.RANG, "NOA", case.phone_id, person.debts, person.creditors)
    contacts.append(
        {
            **_contact("now", now, case.profiles, role, limits or {}),
            "ring_s": facts.ring_s,
            "agent_ready": facts.agent_ready,
            "requested": facts.requested,
        }
    )
    debts = sorted(person.debts | {debt for touch in facts.touches for debt in touch.debts})
    paid = _z(person.contract_signed_at or case.at - timedelta(days=1))
    listed = person.blocked == "excluded"
    return {
        "person": str(person.id),
        "zones": list(person.zones),
        "contract_signed_at": _z(person.contract_signed_at),
        "blocked": [{"at": paid, "code": person.blocked, "lifted_at": None}] if person.blocked and not listed else [],
        "debts": [{"id": f"d{debt}", "creditor": "norte", "role": role, "since": None} for debt in debts],
        "consents": [
            {
                "granted": line.granted,
                "at": _z(line.at),
                "recorded_at": _z(line.at),
                "until": _z(line.until),
                "channel": _text(line.channel),
                "purpose": _text(line.purpose),
            }
            for line in facts.consents
        ],
        "preferences": [
            {
                "at": _z(wish.at),
                "recorded_at": _z(wish.at),
                "weekly": [[list(pair) for pair in day] for day in wish.weekly],
                "channels": _texts(wish.channels),
            }
            for wish in facts.preferences
        ],
        "exclusions": [
            {
                "register": row.register,
                "at": _z(row.at),
                "until": _z(row.until),
                "phone": None if row.phone_id is None else f"n{row.phone_id}",
                "channels": _texts(row.channels),
                "purposes": _texts(row.purposes),
            }
            for row in (*facts.exclusions, *([Exclusion("house", case.at - timedelta(days=1))] if listed else []))
        ],
        "payments": []
        if person.owes
        else [{"at": paid, "debt": f"d{debt}", "clears": True} for debt in sorted(person.debts)],
        "contacts": contacts,
    }


def _text(word: Channel | Purpose | None) -> str | None:
    return None if word is None else str(word)


def _texts(words: Iterable[Channel | Purpose]) -> list[str]:
    return sorted(str(word) for word in words)


def _contact(name: str, touch: Touch, profiles: tuple[str, ...], role: str, limits: dict[str, int]) -> dict[str, Any]:
    return {
        "id": name,
        "at": _z(touch.at),
        "channel": str(touch.channel),
        "purpose": str(touch.purpose),
        "phone": None if touch.phone_id is None else f"n{touch.phone_id}",
        "phone_role": None if touch.phone_id is None else role,
        "debts": [f"d{debt}" for debt in sorted(touch.debts)],
        "creditors": sorted(touch.creditors),
        "ring_s": 0.0,
        "reach": int(touch.reach),
        "code": touch.code,
        "inbound": touch.inbound,
        "agent_ready": False,
        "requested": False,
        "ended_at": _z(touch.at + timedelta(milliseconds=500)),
        "profiles": list(profiles),
        "limits": limits,
        "charged": touch.code not in ("CNG", "TRK"),
    }
