"""What only a database can do wrong: races, rights, lost connections, plans, versions."""

# ruff: noqa: F811  # fixtures come by import
from __future__ import annotations

import asyncio
import itertools
import random
import re
import sys
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import create_async_engine

sys.path.insert(0, str(Path(__file__).parent))
from store_fixtures import HOUR, NOW, Databases, Floor, campaign, databases, dial_first, person, url  # noqa: F401

import cadencia.store
from cadencia.domain.codes import Denial, Outcome
from cadencia.domain.dialing import Claimed, ContactFacts, Next, Settlement
from cadencia.domain.events import Event
from cadencia.domain.law import Channel, Deny, LookBack, Purpose, Verdict
from cadencia.domain.ledger import Change, ConsentIn, ExclusionIn, PaymentIn
from cadencia.domain.people import Money
from cadencia.errors import ConfigError, LeadershipLost, StoreError
from cadencia.store import migrate
from cadencia.store.port import Claim, Reserve
from cadencia.store.postgres import PostgresStore
from cadencia.store.postgres.errors import telling
from cadencia.store.postgres.leasing import _CANDIDATES
from cadencia.store.schema import metadata

pytestmark = pytest.mark.postgres


@pytest.fixture
async def pg(url: str) -> AsyncIterator[PostgresStore]:
    store = await PostgresStore.open(url, upgrade=False)
    yield store
    await store.close()


# -- races ------------------------------------------------------------------------------------------------------------
async def test_nobody_waits_for_one_another_whatever_the_order_of_a_file(url: str) -> None:
    """Files whose lines stand anyhow, and contacts that lock all who share a number."""
    stores = [await PostgresStore.open(url, upgrade=False) for _ in range(4)]
    floor, rng = Floor(stores[0]), random.Random(1)
    await floor.open()
    people = [replace(person(n), phones=person(n // 10).phones) for n in range(80)]
    await floor.load(*people)
    ids = [await stores[0].person_id(p.doc_type, p.doc_number) for p in people]

    def lines(k: int) -> list[Change]:
        consents = [ConsentIn(i, True, NOW + k * HOUR, how="call") for i in ids]
        paid = [PaymentIn(o.creditor, o.number, NOW, Money(1, "COP"), f"r{k}") for p in people for o in p.obligations]
        listed = [ExclusionIn(f"l{k}", NOW, None, person(n).phones[0].e164) for n in range(8)]
        return rng.sample([*consents, *paid, *listed], 70)

    def reserve(i: int, k: int) -> Reserve:
        about = ("c1", i, Channel.SMS, Purpose.COLLECTION)
        return Reserve(f"c-{i}-{k}", *about, dial_first, NOW, "crm", LookBack(24.0, phones=True))

    for k in range(8):
        renamed = [replace(p, name=f"N {k}") for p in people]
        files = (s.import_people("c1", rng.sample(renamed, 60), NOW) for s in stores[:2])
        ledgers = (s.change(lines(k), "ana", NOW) for s in stores[2:])
        contacts = (stores[n % 4].reserve(reserve(i, k)) for n, i in enumerate(rng.sample(ids, 8)))
        await asyncio.gather(*files, *ledgers, *contacts)
    async with stores[0]._engine.connect() as connection:
        await connection.execute(text("SELECT pg_stat_force_next_flush()"))
        found = await connection.execute(
            text("SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()")
        )
        assert found.scalar_one() == 0
    for s in stores:
        await s.close()


async def test_claims_at_once_never_lease_the_same_person(url: str) -> None:
    """Several connections, two lists with the same persons, many rounds; each person is in one open attempt at most."""
    stores = [await PostgresStore.open(url, upgrade=False, connections=3) for _ in range(3)]
    floor = Floor(stores[0], campaigns=["c1", "c2"])
    await floor.open()
    people = [person(n, days=n % 7) for n in range(60)]
    await floor.load(*people, to="c1")
    await floor.load(*people, to="c2")
    ids = itertools.count()
    rng = random.Random(1)
    leased = 0

    def blind(facts: ContactFacts) -> Verdict:
        return dial_first(facts)

    def claim(store: PostgresStore, of: str) -> Claim:
        return Claim(of, rng.randint(1, 12), NOW, floor.token, blind, lambda: f"r-{next(ids)}")

    for _ in range(25):
        asked = [(s, of) for s in stores for of in ("c1", "c2")] * 2
        claimed = await asyncio.gather(*(s.claim(claim(s, of)) for s, of in asked))
        leases = [lease for c in claimed for lease in c.leases]
        open_now = Counter(a.person_id for a in await stores[0].open_attempts())
        assert max(open_now.values()) == 1
        assert {lease.facts.person.id for lease in leases} == set(open_now)
        assert len(leases) == len(open_now)
        leased += len(leases)
        await stores[1].give_back([lease.attempt_id for lease in leases], floor.token, "round", NOW)
    assert leased > 500
    assert (await floor.facts(at=NOW)).facts.touches == ()
    for store in stores:
        await store.close()


async def test_what_half_of_a_large_claim_leased_is_brought_although_the_other_half_failed(
    pg: PostgresStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    floor = Floor(pg)
    await floor.open([person(n) for n in range(100)])
    whole, failures = PostgresStore._claimed, [StoreError("The database does not answer.", "")]

    async def half(store: PostgresStore, claim: Claim) -> Claimed:
        if failures:
            raise failures.pop()
        return await whole(store, claim)

    monkeypatch.setattr(PostgresStore, "_claimed", half)
    assert len((await floor.claim(80)).leases) == 40
    assert len(await pg.open_attempts()) == 40
    failures += [StoreError("The database does not answer.", "") for _ in range(2)]
    with pytest.raises(StoreError):
        await floor.claim(80)
    assert len(await pg.open_attempts()) == 40


async def test_caps_hold_when_claims_race(url: str) -> None:
    """Each person may be tried twice a day; two engines' worth of claims at once never make it three."""
    stores = [await PostgresStore.open(url, upgrade=False, connections=3) for _ in range(2)]
    floor = Floor(stores[0], campaigns=["c1", "c2"])
    await floor.open()
    for name in floor.campaigns:
        await floor.load(*(person(n) for n in range(8)), to=name)
    ids = itertools.count()

    def twice(facts: ContactFacts) -> Verdict:
        return dial_first(facts) if len(facts.facts.touches) < 2 else Deny(Denial.FREQUENCY, NOW)

    for _ in range(6):
        asked = [
            s.claim(Claim(of, 5, NOW, floor.token, twice, lambda: f"q-{next(ids)}"))
            for s in stores
            for of in ("c1", "c2")
        ]
        attempts = [lease.attempt_id for c in await asyncio.gather(*asked) for lease in c.leases]
        sent = await stores[1].mark_sending(attempts, floor.token, NOW)
        assert sent == set(attempts)
        await stores[1].settle([Settlement(a, Outcome.NO_ANSWER, NOW, Next(NOW)) for a in attempts], floor.token)
    engine = create_async_engine(url)
    async with engine.connect() as connection:
        counted = "SELECT min(n), max(n) FROM (SELECT count(*) AS n FROM touches GROUP BY person_id) AS c"
        assert (await connection.execute(text(counted))).one() == (2, 2)
    await engine.dispose()
    for store in stores:
        await store.close()


async def test_a_new_leader_waits_for_writes_on_their_way(pg: PostgresStore, url: str) -> None:
    """What an old engine's transaction began before the new token is finished before it, or not at all."""
    floor = Floor(pg)
    await floor.open([person(1)])
    engine = create_async_engine(url)
    async with engine.connect() as old:
        await old.execute(text("SELECT token FROM leadership WHERE id = 1 FOR SHARE"))
        leading = asyncio.create_task(pg.lead("engine-2", NOW))
        await asyncio.sleep(0.1)
        assert not leading.done()
        await old.rollback()
    assert await leading == floor.token + 1
    with pytest.raises(LeadershipLost):
        await floor.claim()
    await engine.dispose()


async def test_a_reader_of_the_log_misses_nothing(pg: PostgresStore) -> None:
    """Numbers are drawn before they are committed; a reader must not run past one that is still to come."""
    done = asyncio.Event()

    async def write(n: int) -> None:
        for k in range(15):
            await pg.append([Event("x", NOW, attempt_id=f"{n}-{k}-{j}") for j in range(3)])

    async def read() -> list[str]:
        seen: list[str] = []
        after = 0
        while True:
            last = done.is_set()
            page = await pg.events(after=after, limit=7)
            seen += [str(e.attempt_id) for e in page]
            after = page[-1].seq if page else after
            if last and not page:
                return seen

    reader = asyncio.create_task(read())
    await asyncio.gather(*(write(n) for n in range(4)))
    done.set()
    seen = await reader
    assert len(seen) == len(set(seen)) == 4 * 15 * 3


async def test_a_deadlock_is_tried_again(pg: PostgresStore) -> None:
    tries = itertools.count()

    async def work(connection: object) -> str:
        if next(tries) < 2:
            raise DBAPIError("", {}, _WithState("40P01"))
        return "done"

    assert await pg._transaction(work) == "done"


class _WithState(Exception):
    def __init__(self, sqlstate: str) -> None:
        self.sqlstate = sqlstate


# -- rights -----------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("statement", ["UPDATE events SET kind = 'y'", "DELETE FROM events", "TRUNCATE events"])
async def test_the_log_cannot_be_changed(pg: PostgresStore, url: str, statement: str) -> None:
    await pg.append([Event("x", NOW)])
    engine = create_async_engine(url)
    with pytest.raises(DBAPIError, match="append-only"):
        async with engine.begin() as connection:
            await connection.execute(text(statement))
    assert len(await pg.events()) == 1
    await engine.dispose()


async def test_the_database_itself_refuses_a_second_open_attempt(pg: PostgresStore, url: str) -> None:
    floor = Floor(pg)
    await floor.open([person(1)])
    await floor.lease()
    engine = create_async_engine(url)
    copy = """INSERT INTO attempts
              (id, campaign_id, contact_id, person_id, phone_id, state, prior, leased_at)
              SELECT 'second', campaign_id, contact_id, person_id, phone_id, 'sending', 0, leased_at
              FROM attempts"""
    with pytest.raises(DBAPIError, match="attempts_open"):
        async with engine.begin() as connection:
            await connection.execute(text(copy))
    await engine.dispose()


# -- trouble ----------------------------------------------------------------------------------------------------------
async def test_trouble_is_told_with_the_way_out(databases: Databases, url: str) -> None:
    socket = databases.server.socket
    for wrong, told in (
        (databases.server.url("nobody"), "no such database"),
        ("postgresql://cadencia@127.0.0.1:1/x", "cannot be reached"),
        (f"postgresql://cadencia@/x?host={socket}/nowhere", "cannot be reached"),
        (f"postgresql://stranger@/x?host={socket}", "does not let us in"),
        (databases.server.url("postgres"), "none"),
    ):
        with pytest.raises(StoreError, match=told) as refused:
            await PostgresStore.open(wrong, upgrade=False)
        assert refused.value.hint
        assert refused.value.__cause__ is None
    with pytest.raises(ConfigError):
        await PostgresStore.open("mysql+nothing://x")


@pytest.mark.parametrize(
    ("state", "told"),
    [
        ("53100", "disk is full"),
        ("53300", "no connection left"),
        ("57P01", "stopping"),
        ("08006", "lost"),
        ("XX001", "dam"),
    ],
)
def test_what_the_server_reports(state: str, told: str) -> None:
    with pytest.raises(StoreError, match=told) as refused, telling():
        raise DBAPIError("SELECT 'secret'", {"name": "secret"}, _WithState(state))
    assert "secret" not in str(refused.value)
    with pytest.raises(StoreError, match="42601"), telling():
        raise DBAPIError("SELECT", {}, _WithState("42601"))


async def test_a_lost_connection_heals(pg: PostgresStore, url: str) -> None:
    await pg.ping()
    engine = create_async_engine(url)
    async with engine.begin() as connection:
        await connection.execute(
            text(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
        )
    await engine.dispose()
    with pytest.raises(StoreError, match="lost"):
        await pg.ping()
    await pg.ping()


async def test_leadership_ends_with_the_session_that_held_it(pg: PostgresStore, url: str) -> None:
    """An engine that was killed cannot give its leadership back; its session's end does."""
    first = await pg.lead("engine-1", NOW)
    engine = create_async_engine(url)
    async with engine.begin() as connection:
        await connection.execute(
            text("SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND objid = 723801")
        )
    await engine.dispose()
    other = await PostgresStore.open(url, upgrade=False)
    second = await other.lead("engine-2", NOW)
    assert second > first
    with pytest.raises(StoreError, match="Another engine leads"):
        await pg.lead("engine-1", NOW)
    await other.close()
    assert await pg.lead("engine-1", NOW) > second


# -- versions and plans -----------------------------------------------------------------------------------------------
async def test_the_migrations_build_what_the_schema_says(url: str) -> None:
    def differences(connection: Connection) -> list[object]:
        return list(compare_metadata(MigrationContext.configure(connection), metadata))

    engine = create_async_engine(url)
    async with engine.connect() as connection:
        assert await connection.run_sync(differences) == []
        assert await connection.run_sync(migrate.revision) == migrate.newest()
    await engine.dispose()


async def test_two_programs_may_migrate_at_once(databases: Databases) -> None:
    databases.server.start("fresh")
    url = databases.server.url("fresh")
    for store in await asyncio.gather(*(PostgresStore.open(url, connections=2) for _ in range(3))):
        await store.close()


#: Statement -> the index its plan must use on a list of some size.
_NEXT = {"campaign": "c1", "now": NOW, "rank": -1000, "due_at": NOW, "id": 0, "limit": 50}

_PLANS = {
    str(_CANDIDATES): "list_items_queue",
    "SELECT * FROM attempts WHERE state <> 'settled' AND person_id = 5": "attempts_open",
    "SELECT body->>'code' FROM events WHERE kind = 'contact.denied' AND campaign_id = 'c1' AND at >= '2027-01-01'": (
        "events_denied"
    ),
}


async def test_the_queue_is_walked_not_sorted(pg: PostgresStore, url: str) -> None:
    await Floor(pg).open([person(n, days=n % 300) for n in range(4000)])
    engine = create_async_engine(url)
    async with engine.begin() as connection:
        await connection.execute(text("ANALYZE"))
        await connection.execute(text("SET LOCAL enable_seqscan = off"))
        for statement, index in _PLANS.items():
            asked = _NEXT if ":campaign" in statement else {}
            plan = "\n".join((await connection.execute(text("EXPLAIN " + statement), asked)).scalars())
            assert index in plan, plan
            assert "Sort" not in plan, plan
    await engine.dispose()


async def test_a_claim_finds_its_way_past_thousands_that_are_not_due(pg: PostgresStore) -> None:
    floor = Floor(pg)
    await floor.open()
    await pg.import_people("c1", [person(n, days=300 + n % 20) for n in range(3000)], NOW + 5 * HOUR)
    await floor.load(*(person(5000 + n, days=1) for n in range(10)))
    assert len((await floor.claim(50)).leases) == 10


def test_no_statement_asks_the_database_for_the_time() -> None:
    """Times come from the caller's clock: a simulated day must not be mixed with the real one."""
    asks = re.compile(
        r"\bnow\(\)|current_(timestamp|date|time)\b|\blocaltime|clock_timestamp|statement_timestamp", re.I
    )
    folder = Path(cadencia.store.__file__).parent
    sources = [p for p in folder.rglob("*.py") if "__pycache__" not in p.parts]
    assert len(sources) > 15
    assert [(p.name, m[0]) for p in sources for m in asks.finditer(p.read_text())] == []


async def test_campaign_settings_of_another_version_are_read(pg: PostgresStore, url: str) -> None:
    await pg.create_campaign(campaign(), "ana")
    engine = create_async_engine(url)
    async with engine.begin() as connection:
        await connection.execute(text("""UPDATE campaigns SET settings = '{"ratio": 2.5, "of_tomorrow": 1}'"""))
    await engine.dispose()
    (found,) = await pg.campaigns()
    assert (found.settings.ratio, found.settings.wait_s) == (2.5, 2)
