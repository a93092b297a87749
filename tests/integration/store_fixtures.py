"""A throwaway PostgreSQL for tests, stores on it and in memory, and builders of what they hold.

Test modules put this folder on sys.path and import the fixtures by name.
"""

from __future__ import annotations

import itertools
import shutil
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from cadencia.domain.codes import Outcome
from cadencia.domain.dialing import (
    Campaign,
    CampaignSettings,
    CampaignState,
    Claimed,
    ContactFacts,
    Disposed,
    Lease,
    Next,
    Settlement,
)
from cadencia.domain.law import Allow, Verdict
from cadencia.domain.people import LineType, Money, ObligationIn, PersonIn, PhoneIn, Role
from cadencia.store.embedded import EmbeddedPostgres
from cadencia.store.memory import MemoryStore
from cadencia.store.port import Claim, Store
from cadencia.store.postgres import PostgresStore

#: A Tuesday, 09:00 in Bogotá.
NOW = datetime(2026, 11, 24, 14, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)

#: Nothing of a test must survive a power cut.
QUICK = {
    "fsync": "off",
    "full_page_writes": "off",
    "shared_buffers": "48MB",
    "max_connections": "80",
    "io_method": "sync",
}

Opener = Callable[[], Awaitable[Store]]


@contextmanager
def throwaway(settings: dict[str, str] | None = None) -> Iterator[EmbeddedPostgres]:
    """A server in a folder of its own, gone afterwards."""
    parent = Path(tempfile.mkdtemp(prefix="cadencia-pg-"))
    parent.chmod(0o711)  # root's server runs as another user, who must get through
    server = EmbeddedPostgres(parent / "pg", QUICK | (settings or {}))
    try:
        yield server
    finally:
        server.stop()
        shutil.rmtree(parent)


class Databases:
    """One server, and a fresh migrated database whenever one is wanted."""

    def __init__(self, server: EmbeddedPostgres) -> None:
        self.server = server
        self._numbers = itertools.count(1)
        self._template = ""

    async def fresh(self) -> str:
        """The URL of a new, migrated, empty database; copied from the first one, which costs less than migrating."""
        if not self._template:
            store = await PostgresStore.open(self.server.start("template"), connections=1)
            await store.close()
            self._template = "template"
        name = f"t{next(self._numbers)}"
        self.server.tool("createdb", "--maintenance-db=postgres", "--template", self._template, name)
        return self.server.url(name)


@pytest.fixture(scope="session")
def databases() -> Iterator[Databases]:
    with throwaway() as server:
        server.start("postgres")
        yield Databases(server)


@pytest.fixture
async def url(databases: Databases) -> str:
    """A fresh database."""
    return await databases.fresh()


@pytest.fixture(params=["memory", pytest.param("postgres", marks=pytest.mark.postgres)])
async def opener(request: pytest.FixtureRequest) -> AsyncIterator[Opener]:
    """Opens stores on the same empty data, as several processes would."""
    opened: list[Store] = []
    root = MemoryStore()
    address = ""
    if request.param == "postgres":
        address = await request.getfixturevalue("databases").fresh()

    async def open_one() -> Store:
        store: Store = await PostgresStore.open(address, upgrade=False) if address else root.another()
        opened.append(store)
        return store

    yield open_one
    for store in opened:
        await store.close()


@pytest.fixture
async def store(opener: Opener) -> Store:
    return await opener()


@pytest.fixture
async def floor(store: Store) -> Floor:
    """A store with one running campaign, led."""
    floor = Floor(store)
    await floor.open()
    return floor


def person(
    number: int,
    *,
    days: int = 10,
    role: Role = Role.HOLDER,
    phones: int = 1,
    consent: datetime | None = NOW - 30 * 24 * HOUR,
    timezone: str = "America/Bogota",
    name: str = "Añez Peña",
) -> PersonIn:
    return PersonIn(
        doc_type="CC",
        doc_number=str(10_000_000 + number),
        name=f"{name} {number}",
        city="Bogotá",
        language="es",
        timezone=timezone,
        voice_consent_at=consent,
        phones=tuple(
            PhoneIn(f"+57300{number:04d}{k:03d}", LineType.MOBILE if k % 2 == 0 else LineType.FIXED, k)
            for k in range(phones)
        ),
        obligations=(owed(number, days=days, role=role),),
    )


def owed(number: int, *, days: int = 10, role: Role = Role.HOLDER, balance: int = 123_456_00) -> ObligationIn:
    return ObligationIn(
        number=f"OB-{number}",
        creditor="Banco Andino Ejemplo",
        product="Tarjeta",
        balance=Money(balance, "COP"),
        overdue=Money(balance // 10, "COP"),
        days_past_due=days,
        due_date=(NOW - days * 24 * HOUR).date(),
        role=role,
    )


def campaign(name: str = "c1", state: CampaignState = CampaignState.RUNNING) -> Campaign:
    return Campaign(name, f"Campaña {name}", state, CampaignSettings(), NOW)


def dial_first(facts: ContactFacts) -> Verdict:
    return Allow(facts.phones[0])


def used(facts: ContactFacts, at: datetime, days: int = 1) -> int:
    """Contacts that count on the last so many local dates."""
    where = ZoneInfo(facts.person.zones[0])
    today = at.astimezone(where).date()
    return sum((today - touch.at.astimezone(where).date()).days < days for touch in facts.facts.touches)


_SERIAL = itertools.count(1)


def new_id() -> str:
    return f"att-{next(_SERIAL)}"


@dataclass
class Floor:
    """Shorthand for what tests do again and again on a store."""

    store: Store
    token: int = 0
    campaigns: list[str] = field(default_factory=lambda: ["c1"])

    async def open(self, people: Sequence[PersonIn] = ()) -> None:
        for name in self.campaigns:
            await self.store.create_campaign(campaign(name), "ana")
        self.token = await self.store.lead("engine-1", NOW)
        if people:
            await self.load(*people)

    async def load(self, *people: PersonIn, to: str = "c1", at: datetime = NOW) -> None:
        await self.store.import_people(to, people, at)

    async def claim(
        self,
        limit: int = 10,
        *,
        at: datetime = NOW,
        judge: Callable[[ContactFacts], Verdict] = dial_first,
        of: str = "c1",
        scan: int = 500,
        token: int | None = None,
    ) -> Claimed:
        token = self.token if token is None else token
        return await self.store.claim(Claim(of, limit, at, token, judge, new_id, scan=scan))

    async def lease(self, *, at: datetime = NOW, of: str = "c1") -> Lease:
        (lease,) = (await self.claim(1, at=at, of=of)).leases
        return lease

    async def send(self, *leases: Lease, at: datetime = NOW) -> frozenset[str]:
        return await self.store.mark_sending([lease.attempt_id for lease in leases], self.token, at)

    async def dialled(self, *, at: datetime = NOW, of: str = "c1") -> Lease:
        """One attempt on its way."""
        lease = await self.lease(at=at, of=of)
        assert await self.send(lease, at=at) == {lease.attempt_id}
        return lease

    async def settle(self, lease: Lease, outcome: Outcome, **more: object) -> None:
        told: dict[str, object] = {"ended_at": NOW + MINUTE, "next": Next(NOW + 2 * HOUR)} | more
        await self.store.settle([Settlement(lease.attempt_id, outcome, **told)], self.token)  # type: ignore[arg-type]

    async def talked(self, *, agent: str = "a1", at: datetime = NOW, of: str = "c1") -> Lease:
        """One attempt that reached an agent and awaits the disposition."""
        lease = await self.dialled(at=at, of=of)
        await self.settle(
            lease, Outcome.CONNECTED, next=None, agent_id=agent, answered_at=at, connected_at=at, ended_at=at + MINUTE
        )
        return lease

    async def dispose(self, lease: Lease, code: str, *, agent: str = "a1", **more: object) -> None:
        told: dict[str, object] = {"note": "", "at": NOW + 2 * MINUTE, "next": Next(None)} | more
        await self.store.dispose(Disposed(lease.attempt_id, agent, code, **told))  # type: ignore[arg-type]

    async def facts(self, *, at: datetime, of: str = "c1") -> ContactFacts:
        """What a judge would see of the next candidate; nothing is changed."""
        seen: list[ContactFacts] = []

        def look(facts: ContactFacts) -> Verdict:
            seen.append(facts)
            return dial_first(facts)

        (lease,) = (await self.claim(1, at=at, of=of, judge=look)).leases
        await self.store.give_back([lease.attempt_id], self.token, "looked", at)
        return seen[0]
