"""Reading what the lawful-contact gate judges by, for many persons at once."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from cadencia.domain.law import Channel, Consent, Exclusion, Facts, LookBack, Preference, Purpose, Reach, Touch
from cadencia.domain.people import Obligation
from cadencia.store.batch import person_of

# The contacts of each person since an instant, oldest first. By touches_person.
_TOUCHES = text(
    """
    SELECT t.person_id, t.at, t.channel, t.purpose, t.reach, t.code, t.phone_id, t.debts, t.inbound
    FROM touches t
    WHERE t.person_id = ANY(CAST(:ids AS bigint[])) AND t.at >= :since
    ORDER BY t.person_id, t.at, t.id
    """
)

# The contacts of others on each person's numbers since an instant, oldest first; the number named as the person's. By
# phones_person_id_e164_key, phones_e164 and touches_person.
_SHARED = text(
    """
    SELECT own.person_id, t.at, t.channel, t.purpose, t.reach, t.code, own.id, t.debts, t.inbound
    FROM phones own
    JOIN phones other ON other.e164 = own.e164 AND other.person_id <> own.person_id
    JOIN touches t ON t.person_id = other.person_id AND t.phone_id = other.id AND t.at >= :since
    WHERE own.person_id = ANY(CAST(:ids AS bigint[]))
    ORDER BY own.person_id, t.at, t.id
    """
)

# Who has the numbers that these persons have. By phones_person_id_e164_key and phones_e164.
_SHARERS = text(
    """
    SELECT e164, person_id FROM phones
    WHERE e164 IN (SELECT e164 FROM phones WHERE person_id = ANY(CAST(:ids AS bigint[])))
    """
)

# All that is written down about how each person may be contacted, who is in an open attempt, and (of no person) which
# registers were loaded. By consents_person, preferences_person, exclusions_person, phones_person_id_e164_key with
# exclusions_number, parts_pkey with the key of payments, attempts_open, and a handful of rows.
_LEDGER = text(
    """
    SELECT 'consent' AS kind, person_id, id, at, until, granted, channel, purpose,
           NULL::text[] AS channels, NULL::text[] AS purposes, NULL AS told, NULL::bigint AS phone_id
    FROM consents WHERE person_id = ANY(CAST(:ids AS bigint[]))
    UNION ALL
    SELECT 'preference', person_id, id, at, NULL, NULL, NULL, NULL, channels, NULL, weekly::text, NULL
    FROM preferences WHERE person_id = ANY(CAST(:ids AS bigint[]))
    UNION ALL
    SELECT 'exclusion', person_id, id, at, until, NULL, NULL, NULL, channels, purposes, register, NULL
    FROM exclusions WHERE person_id = ANY(CAST(:ids AS bigint[]))
    UNION ALL
    SELECT 'exclusion', f.person_id, e.id, e.at, e.until, NULL, NULL, NULL, e.channels, e.purposes, e.register, f.id
    FROM phones f JOIN exclusions e ON e.e164 = f.e164 WHERE f.person_id = ANY(CAST(:ids AS bigint[]))
    UNION ALL
    SELECT 'payment', p.person_id, 0, max(y.paid_at), NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL
    FROM parts p JOIN payments y ON y.obligation_id = p.obligation_id
    WHERE p.person_id = ANY(CAST(:ids AS bigint[])) AND p.role <> 'referencia'
    GROUP BY p.person_id
    UNION ALL
    SELECT 'open', person_id, 0, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL
    FROM attempts WHERE person_id = ANY(CAST(:ids AS bigint[])) AND state <> 'settled'
    UNION ALL
    SELECT 'register', NULL, 0, NULL, NULL, NULL, NULL, NULL, NULL, NULL, id, NULL FROM registers
    ORDER BY 2, 4, 3
    """
)

_CHANNELS = {str(c): c for c in Channel}
_PURPOSES = {str(p): p for p in Purpose}
_REACHES = {int(r): r for r in Reach}


@dataclass
class _Ledger:
    """One person's lines."""

    consents: list[Consent] = field(default_factory=list)
    preferences: list[Preference] = field(default_factory=list)
    exclusions: list[Exclusion] = field(default_factory=list)
    paid_at: datetime | None = None
    open: bool = False

    def take(self, row: Any) -> None:
        kind, _, number, at, until, granted, channel, purpose, channels, purposes, told, phone_id = row
        if kind == "consent":
            self.consents.append(Consent(number, granted, at, _CHANNELS.get(channel), _PURPOSES.get(purpose), until))
        elif kind == "preference":
            self.preferences.append(Preference(number, at, weekly_of(told), _channels(channels)))
        elif kind == "exclusion":
            for_purposes = frozenset(_PURPOSES[p] for p in purposes)
            self.exclusions.append(Exclusion(told, at, phone_id, _channels(channels), for_purposes, until))
        elif kind == "payment":
            self.paid_at = at
        else:
            self.open = True


class Standing:
    """What was read of some persons, put together person by person."""

    def __init__(self, now: datetime, owed: dict[int, tuple[Obligation, ...]]) -> None:
        self._now, self._owed = now, owed
        self._touches: defaultdict[int, list[Touch]] = defaultdict(list)
        self._shared: defaultdict[int, list[Touch]] = defaultdict(list)
        self._ledgers: defaultdict[int, _Ledger] = defaultdict(_Ledger)
        self._registers: frozenset[str] = frozenset()

    @classmethod
    async def read(
        cls,
        connection: AsyncConnection,
        ids: Sequence[int],
        owed: dict[int, tuple[Obligation, ...]],
        now: datetime,
        look_back: LookBack,
    ) -> Standing:
        """Read it. Under lock it is what will be true until the transaction ends."""
        self = cls(now, owed)
        asked = {"ids": list(ids)}
        since = look_back.since(now)
        creditors = {o.id: o.creditor for each in owed.values() for o in each}
        _take(self._touches, await connection.execute(_TOUCHES, {**asked, "since": since}), creditors)
        if look_back.phones:
            _take(self._shared, await connection.execute(_SHARED, {**asked, "since": since}), {})
        registers = []
        for row in await connection.execute(_LEDGER, asked):
            if row.kind == "register":
                registers.append(row.told)
            else:
                self._ledgers[row.person_id].take(row)
        self._registers = frozenset(registers)
        return self

    def of(self, row: Any) -> tuple[Any, Facts]:
        """The person (a row of persons) and the facts."""
        ledger = self._ledgers[row.id]
        person = person_of(
            row.id,
            self._owed[row.id],
            (row.timezone, *row.other_zones),
            ledger.exclusions,
            self._now,
            contract_signed_at=row.contract_signed_at,
            paid=ledger.paid_at is not None,
        )
        facts = Facts(
            consents=tuple(ledger.consents),
            preferences=tuple(ledger.preferences),
            exclusions=tuple(ledger.exclusions),
            touches=tuple(self._touches[row.id]),
            shared=tuple(self._shared[row.id]),
            in_flight=ledger.open,
            paid_at=ledger.paid_at,
            registers=self._registers,
        )
        return person, facts


def _take(into: defaultdict[int, list[Touch]], rows: Iterable[Any], creditors: dict[int, str]) -> None:
    """Contacts, by person."""
    for person_id, at, channel, purpose, reach, code, phone_id, debts, inbound in rows:
        of = frozenset(creditors[d] for d in debts if d in creditors)
        touch = Touch(
            at,
            _CHANNELS[channel],
            _PURPOSES[purpose],
            _REACHES[reach],
            code,
            phone_id,
            frozenset(debts),
            of,
            inbound,
        )
        into[person_id].append(touch)


async def sharing(connection: AsyncConnection, ids: Sequence[int]) -> list[tuple[str, int]]:
    """Each number that these persons have, with everybody who has it: they too."""
    return [(e164, person_id) for e164, person_id in await connection.execute(_SHARERS, {"ids": list(ids)})]


def weekly_of(told: str) -> Any:
    """The weekly hours as they are kept."""
    return tuple(tuple((int(a), int(b)) for a, b in day) for day in msgspec.json.decode(told))


def _channels(names: Sequence[str]) -> frozenset[Channel]:
    return frozenset(_CHANNELS[n] for n in names)
