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

from cadencia.domain.law import Channel, Consent, Exclusion, Facts, Preference, Purpose, Reach, Touch
from cadencia.domain.people import Obligation
from cadencia.store.batch import person_of

# Who is in an open attempt. By attempts_open.
_OPEN = text("SELECT person_id FROM attempts WHERE person_id = ANY(CAST(:ids AS bigint[])) AND state <> 'settled'")

# The contacts of each person since an instant, oldest first. By touches_person.
_TOUCHES = text(
    """
    SELECT t.person_id, t.at, t.channel, t.purpose, t.reach, t.code, t.phone_id, t.debts, t.inbound
    FROM touches t
    WHERE t.person_id = ANY(CAST(:ids AS bigint[])) AND t.at >= :since
    ORDER BY t.person_id, t.at, t.id
    """
)

# All that is written down about how each person may be contacted. By consents_person, preferences_person,
# exclusions_person, phones_person_id_e164_key with exclusions_number, and parts_pkey with the key of payments.
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
    ORDER BY 2, 4, 3
    """
)

# Which registers were loaded. A handful of rows.
_REGISTERS = text("SELECT id FROM registers")

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

    def take(self, r: Any) -> None:
        if r.kind == "consent":
            channel, purpose = _CHANNELS.get(r.channel), _PURPOSES.get(r.purpose)
            self.consents.append(Consent(r.id, r.granted, r.at, channel, purpose, r.until))
        elif r.kind == "preference":
            self.preferences.append(Preference(r.id, r.at, weekly_of(r.told), _channels(r.channels)))
        elif r.kind == "exclusion":
            channels, purposes = _channels(r.channels), frozenset(_PURPOSES[p] for p in r.purposes)
            self.exclusions.append(Exclusion(r.told, r.at, r.phone_id, channels, purposes, r.until))
        else:
            self.paid_at = r.at


class Standing:
    """What was read of some persons, put together person by person."""

    def __init__(self, now: datetime, owed: dict[int, tuple[Obligation, ...]]) -> None:
        self._now, self._owed = now, owed
        self._open: frozenset[int] = frozenset()
        self._touches: defaultdict[int, list[Touch]] = defaultdict(list)
        self._ledgers: defaultdict[int, _Ledger] = defaultdict(_Ledger)
        self._registers: frozenset[str] = frozenset()

    @classmethod
    async def read(
        cls,
        connection: AsyncConnection,
        ids: Sequence[int],
        owed: dict[int, tuple[Obligation, ...]],
        now: datetime,
        since: datetime,
    ) -> Standing:
        """Read it. Under lock it is what will be true until the transaction ends.

        Args:
            since: contacts before it are left out.
        """
        self = cls(now, owed)
        asked = {"ids": list(ids)}
        self._open = frozenset((await connection.execute(_OPEN, asked)).scalars())
        self._take(await connection.execute(_TOUCHES, {**asked, "since": since}))
        for r in await connection.execute(_LEDGER, asked):
            self._ledgers[r.person_id].take(r)
        self._registers = frozenset((await connection.execute(_REGISTERS)).scalars())
        return self

    def _take(self, rows: Iterable[Any]) -> None:
        creditors = {o.id: o.creditor for owed in self._owed.values() for o in owed}
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
            self._touches[person_id].append(touch)

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
            in_flight=row.id in self._open,
            paid_at=ledger.paid_at,
            registers=self._registers,
        )
        return person, facts


def weekly_of(told: str) -> Any:
    """The weekly hours as they are kept."""
    return tuple(tuple((int(a), int(b)) for a, b in day) for day in msgspec.json.decode(told))


def _channels(names: Sequence[str]) -> frozenset[Channel]:
    return frozenset(_CHANNELS[n] for n in names)
