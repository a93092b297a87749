"""The store's contract, evidence: every sentence of the port, held against both adapters."""

# ruff: noqa: F811  # fixtures come by import
from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import msgspec
import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import create_async_engine

sys.path.insert(0, str(Path(__file__).parent))
from store_fixtures import (  # noqa: F401
    HOUR,
    MINUTE,
    NOW,
    Databases,
    Floor,
    Opener,
    databases,
    floor,
    opener,
    person,
    store,
    url,
)

from cadencia.compliance.evidence import NOTHING_BEFORE
from cadencia.compliance.evidence_check import Fault, SeriesVerifier, Trust, What
from cadencia.compliance.signing import Key
from cadencia.domain.codes import Denial, Outcome
from cadencia.domain.dialing import ContactFacts, Next
from cadencia.domain.events import Event
from cadencia.domain.law import Channel, Deny, Verdict
from cadencia.domain.ledger import ConsentIn, ExclusionIn, PaymentIn, PreferenceIn
from cadencia.domain.people import Money, Role
from cadencia.errors import LeadershipLost, Refused, StoreError
from cadencia.store.evidence_port import KeptChain, Seal, Sealed
from cadencia.store.port import Store
from cadencia.store.postgres import PostgresStore

TODAY = date(2026, 11, 24)
DAY = timedelta(days=1)


@cache
def key() -> Key:
    return Key.new()


async def seal(
    floor: Floor, *, day: date = TODAY, at: datetime = NOW, limit: int = 2000, token: int | None = None, of: str = "e1"
) -> Sealed:
    token = floor.token if token is None else token
    return await floor.store.seal(Seal(of, day, at, token, key(), limit))


async def bodies(store: Store, chain: KeptChain | None = None) -> list[dict[str, Any]]:
    """What was sealed, in order."""
    chains = [chain] if chain is not None else list(await store.chains())
    return [msgspec.json.decode(r.row.body) for c in chains async for r in store.chain_rows(c)]


async def verified(store: Store) -> list[Fault]:
    """What a verifier finds in the store."""
    series = SeriesVerifier(Trust(frozenset({key().public})), whole=True)
    faults: list[Fault] = []
    for kept in await store.chains():
        chain, found = series.begin(kept.header)
        faults += found
        if kept.dropped:
            faults += series.kept(chain, kept.root)
            continue
        async for r in store.chain_rows(kept):
            faults += chain.row(r.row.position, r.row.body, r.row.hash, (r.kind, r.person, r.attempt))
        faults += series.close(chain, kept.root)
    return faults


async def contact(floor: Floor, n: int = 1) -> int:
    """The person of a call that came to its end, with a note on it; all of it sealed."""
    await floor.load(person(n, phones=2, days=90))
    lease = await floor.talked()
    await floor.dispose(lease, "PP", note="vive con su hermana")
    while (await seal(floor)).more:
        pass
    return lease.file.person_id


# -- sealing ----------------------------------------------------------------------------------------------------------
async def test_decisions_and_attempts_become_rows_once_each(floor: Floor) -> None:
    await floor.load(person(1))

    def judge(facts: ContactFacts) -> Verdict:
        return Deny(Denial.FREQUENCY, NOW + HOUR)

    await floor.claim(1, judge=judge)
    await floor.load(person(2))
    lease = await floor.talked()
    await floor.dispose(lease, "PP")
    sealed = await seal(floor, at=NOW + MINUTE)
    assert (sealed.rows, sealed.more, sealed.behind) == (5, False, 0)
    assert sealed.lag_s == 60.0
    assert (await seal(floor)).rows == 0
    told = await bodies(floor.store)
    kinds = ["contact.denied", "attempt.leased", "attempt.sending", "attempt.settled", "attempt.disposed"]
    assert [b["kind"] for b in told] == kinds
    assert [b.get("decision") for b in told] == ["deny", "allow", None, None, None]
    assert [b.get("attempt") for b in told] == [None, *[lease.attempt_id] * 4]
    assert told[3]["data"]["outcome"] == "CON" and told[4]["data"] == {"code": "PP"}
    assert told[1]["person"] == told[4]["person"] != told[0]["person"]
    assert told[1]["contact"] != told[1]["person"]
    (chain,) = await floor.store.chains()
    assert chain.rows == 5 and not chain.dropped
    root = chain.root.read()
    assert not root.closed and root.tallies["attempts"] == {"CON": 1}
    assert root.tallies["denials"] == {str(Denial.FREQUENCY): 1}
    assert await verified(floor.store) == []


async def test_no_row_tells_who_somebody_is(floor: Floor) -> None:
    await contact(floor)
    (chain,) = await floor.store.chains()
    whole = "".join([r.row.body.decode() async for r in floor.store.chain_rows(chain)])
    file = await floor.store.file(1) if await floor.store.find_person("1") else None
    assert "10000001" not in whole and "Añez" not in whole and "+57" not in whole and "hermana" not in whole
    assert file is None or file.name not in whole


async def test_surrogates_are_random_and_stay(floor: Floor) -> None:
    someone = await contact(floor)
    name = await floor.store.surrogate(someone)
    assert name is not None and len(name) == 36
    await floor.store.append([Event("file.read", NOW, body={"person_id": someone, "by": "ana"})])
    await seal(floor)
    assert (await bodies(floor.store))[-1] == {
        "v": 1,
        "kind": "file.read",
        "event": (await floor.store.events(kinds=["file.read"]))[0].seq,
        "at": "2026-11-24T14:00:00.000000Z",
        "person": name,
        "data": {"by": "ana"},
    }
    rows = await floor.store.person_rows(someone)
    assert len(rows) == 5 and {r.position for _, r in rows} == {1, 2, 3, 4, 5}
    assert await floor.store.person_rows(someone + 10_000) == ()


async def test_a_file_on_a_screen_and_a_finding_in_a_note_stand_among_the_persons_rows(floor: Floor) -> None:
    await floor.load(person(1))
    lease = await floor.talked()
    of = ("c1", lease.contact_id, lease.attempt_id, "a1")
    read = {"by": "a1", "what": "pop"}
    await floor.store.append(
        [Event("file.read", NOW, *of, body=read), Event("script.finding", NOW, *of, {"rule": "r"})]
    )
    await seal(floor)
    rows = [msgspec.json.decode(row.body) for _, row in await floor.store.person_rows(lease.file.person_id)]
    assert [row["data"] for row in rows[-2:]] == [read, {"rule": "r"}]
    assert {(row["attempt"], row["agent"], row["campaign"]) for row in rows[-2:]} == {(lease.attempt_id, "a1", "c1")}
    assert await verified(floor.store) == []


async def test_a_violation_names_its_contact_by_surrogate(floor: Floor) -> None:
    await floor.load(person(1))
    lease = await floor.talked()
    first = [{"rule": "CO-3", "attempt": lease.attempt_id, "contact_id": lease.contact_id}]
    await floor.store.append([Event("law.recheck", NOW, body={"day": "2026-11-23", "first": first}, version=2)])
    await seal(floor)
    (found,) = (await bodies(floor.store))[-1]["data"]["first"]
    leased = next(row for row in await bodies(floor.store) if row["kind"] == "attempt.leased")
    assert found == {"rule": "CO-3", "attempt": lease.attempt_id, "contact": leased["contact"]}


async def test_a_person_is_found_by_surrogate_id_and_document(floor: Floor) -> None:
    someone = await contact(floor)
    name = await floor.store.surrogate(someone)
    assert name is not None
    found = floor.store.find_person
    for told in (name, name.upper(), str(someone), "CC 10000001", "cc  10000001"):
        assert await found(told) == someone
    for told in ("CC 99", "99999", name[:-1] + ("0" if name[-1] != "0" else "1"), "", "nobody", "CC", "9" * 30):
        assert await found(told) is None


async def test_what_else_happens_is_no_evidence(floor: Floor) -> None:
    again = Event("contact.denied", NOW, "c1", body={"code": "F", "again": True})
    await floor.store.append([Event("pacing.decision", NOW), Event("agent.state", NOW), again])
    sealed = await seal(floor)
    assert (sealed.rows, sealed.behind) == (0, 0)


async def test_batches_take_each_event_once(floor: Floor) -> None:
    await floor.load(*(person(n) for n in range(6)))
    for _ in range(6):
        await floor.settle(await floor.dialled(), Outcome.NO_ANSWER)
    seen = []
    for limit in (1, 4, 5, 5, 100):
        sealed = await seal(floor, limit=limit)
        seen.append((sealed.rows, sealed.more))
    assert seen == [(1, True), (4, True), (5, True), (5, True), (3, False)]
    told = await bodies(floor.store)
    assert len({b["event"] for b in told}) == 18 == len(told)
    assert await verified(floor.store) == []


async def test_a_stale_token_seals_nothing(opener: Opener) -> None:
    one, two = await opener(), await opener()
    old = Floor(one)
    await old.open([person(1)])
    await old.dialled()
    await one.close()
    token = await two.lead("engine-2", NOW)
    third = await opener()
    with pytest.raises(LeadershipLost):
        await third.seal(Seal("e1", TODAY, NOW, old.token, key()))
    assert await two.chains() == ()
    assert (await two.seal(Seal("e1", TODAY, NOW, token, key()))).rows == 2


async def test_a_new_day_closes_the_chain_before(floor: Floor) -> None:
    await contact(floor)
    assert (await seal(floor, day=TODAY + DAY, at=NOW + DAY)).rows == 0
    await floor.load(person(2))
    await floor.dialled()
    assert (await seal(floor, day=TODAY + DAY, at=NOW + DAY)).rows == 2
    first, second = await floor.store.chains()
    assert first.root.read().closed and not second.root.read().closed
    assert first.header.previous == NOTHING_BEFORE
    assert second.header.previous == first.root.hash()
    assert (first.header.number, second.header.number) == (1, 2)
    assert (second.header.day, second.rows) == (TODAY + DAY, 2)
    assert await verified(floor.store) == []


async def test_a_clock_that_goes_back_stays_in_the_chain(floor: Floor) -> None:
    await seal(floor, day=TODAY + DAY)
    await contact(floor)
    (chain,) = await floor.store.chains()
    assert chain.header.day == TODAY + DAY and chain.rows == 4


async def test_each_engine_has_its_chains_and_an_event_is_in_one(floor: Floor) -> None:
    await contact(floor)
    await floor.load(person(2))
    await floor.dialled()
    await seal(floor, of="e2")
    one, two = await floor.store.chains()
    assert [(c.header.engine, c.header.number, c.rows) for c in (one, two)] == [("e1", 1, 4), ("e2", 1, 2)]
    events = [b["event"] for b in await bodies(floor.store)]
    assert len(events) == len(set(events))
    assert await verified(floor.store) == []


async def test_rows_are_read_up_to_the_root_that_was_asked_with(floor: Floor) -> None:
    await contact(floor)
    (before,) = await floor.store.chains()
    await floor.load(person(2))
    await floor.dialled()
    await seal(floor)
    assert len(await bodies(floor.store, before)) == 4
    assert len([r async for r in floor.store.chain_rows(before, after=3)]) == 1
    (after,) = await floor.store.chains()
    assert len(await bodies(floor.store, after)) == 6


# -- holds and erasure ------------------------------------------------------------------------------------------------
async def test_an_erased_person_is_nobody_and_the_evidence_verifies(floor: Floor) -> None:
    someone = await contact(floor)
    name = await floor.store.surrogate(someone)
    before = await bodies(floor.store)
    await floor.store.erase(someone, "ana", "PQR 2026-114", NOW)
    file = await floor.store.file(someone)
    assert (file.name, file.city) == ("", "") and file.doc_number.startswith("erased-")
    assert not any("300" in p.e164 and p.e164.startswith("+") for p in file.phones)
    assert {str(p.status) for p in file.phones} == {"excluido"}
    assert all(o.number.startswith("erased-") for o in file.obligations)
    assert [line.note for line in file.history] == [""]
    assert await floor.store.surrogate(someone) is None
    assert await floor.store.find_person("CC 10000001") is None
    assert name is not None and await floor.store.find_person(name) is None
    assert await floor.store.person_rows(someone) == ()
    await seal(floor)
    after = await bodies(floor.store)
    assert after[: len(before)] == before
    assert after[-1]["kind"] == "person.erased" and after[-1]["person"] == name
    assert after[-1]["data"] == {"by": "ana", "reason": "PQR 2026-114"}
    assert await verified(floor.store) == []
    (told,) = await floor.store.events(kinds=["person.erased"])
    assert told.contact_id is None and "person_id" not in told.body
    assert (await floor.claim(10, at=NOW + 48 * HOUR)).leases == ()
    with pytest.raises(Refused, match="erased already"):
        await floor.store.erase(someone, "ana", "PQR 2026-115", NOW)


async def test_what_comes_of_an_erased_person_later_names_nobody(floor: Floor) -> None:
    await floor.load(person(1))
    lease = await floor.talked()
    await floor.dispose(lease, "PP")
    await seal(floor)
    await floor.store.erase(lease.file.person_id, "ana", "PQR 1", NOW)
    late = Event("attempt.disposed", NOW, "c1", lease.contact_id, lease.attempt_id, "a1", {"code": "NC"})
    await floor.store.append([late])
    await seal(floor)
    told = (await bodies(floor.store))[-1]
    assert told["kind"] == "attempt.disposed" and told["person"] is None and told["contact"] is None
    assert await floor.store.surrogate(lease.file.person_id) is None


async def test_a_debtor_who_comes_back_is_a_new_person(floor: Floor) -> None:
    someone = await contact(floor)
    await floor.store.erase(someone, "ana", "PQR 1", NOW)
    await floor.load(person(1, phones=2))
    lease = await floor.lease()
    assert lease.file.person_id != someone
    assert lease.file.name == "Añez Peña 1"


async def test_what_several_persons_owe_keeps_its_name(floor: Floor) -> None:
    holder, codebtor = person(1), replace(person(2), obligations=(person(1).obligations[0],))
    await floor.load(holder, replace(codebtor, obligations=(replace(codebtor.obligations[0], role=Role.CODEBTOR),)))
    someone = await floor.store.find_person("CC 10000001")
    assert someone is not None
    await floor.store.erase(someone, "ana", "PQR 1", NOW)
    other = await floor.store.find_person("CC 10000002")
    assert other is not None
    assert [o.number for o in (await floor.store.file(other)).obligations] == ["OB-1"]
    assert (await floor.store.file(other)).name == "Añez Peña 2"


async def test_nobody_is_erased_during_a_call_or_before_it_is_sealed(floor: Floor) -> None:
    await floor.load(person(1))
    lease = await floor.lease()
    someone = lease.file.person_id

    async def refused(words: str) -> None:
        with pytest.raises(Refused, match=words):
            await floor.store.erase(someone, "ana", "PQR 1", NOW)

    await refused("open")
    await floor.send(lease)
    await refused("open")
    await floor.settle(lease, Outcome.CONNECTED, next=None, agent_id="a1", answered_at=NOW, connected_at=NOW)
    await refused("open")
    await floor.dispose(lease, "PP")
    await refused("not in evidence")
    await seal(floor)
    await floor.store.append([Event("file.read", NOW, body={"person_id": someone})])
    await refused("not in evidence")
    await seal(floor)
    await floor.store.erase(someone, "ana", "PQR 1", NOW)


async def test_a_hold_keeps_what_is_held(floor: Floor) -> None:
    someone = await contact(floor)
    await floor.store.hold(someone, "ana", "juzgado 12", NOW)
    hold = await floor.store.held(someone)
    assert hold is not None and (hold.at, hold.by, hold.reason) == (NOW, "ana", "juzgado 12")
    await seal(floor)
    with pytest.raises(Refused, match="hold"):
        await floor.store.erase(someone, "ana", "PQR 1", NOW)
    assert (await floor.store.file(someone)).name != ""
    with pytest.raises(Refused, match="already"):
        await floor.store.hold(someone, "ana", "again", NOW)
    await floor.store.lift_hold(someone, "eva", NOW + HOUR)
    assert await floor.store.held(someone) is None
    with pytest.raises(Refused, match="No legal hold"):
        await floor.store.lift_hold(someone, "eva", NOW)
    with pytest.raises(Refused):
        await floor.store.hold(someone + 10_000, "ana", "x", NOW)
    await seal(floor)
    assert [b["data"] for b in await bodies(floor.store) if b["kind"] == "person.hold"] == [
        {"by": "ana", "held": True},
        {"by": "eva", "held": False},
    ]
    await floor.store.erase(someone, "ana", "PQR 1", NOW)
    with pytest.raises(Refused, match="erased"):
        await floor.store.hold(someone, "ana", "x", NOW)


@pytest.mark.parametrize(
    "reason", ["lo pide Peña", "cédula 10000001", "llamar al 300 123 4567", "", " ", "x" * 81, "a\nb", "10000001"]
)
async def test_a_reason_that_tells_who_it_is_is_refused(floor: Floor, reason: str) -> None:
    someone = await contact(floor)
    with pytest.raises(Refused, match="reason"):
        await floor.store.erase(someone, "ana", reason, NOW)
    assert (await floor.store.file(someone)).name != ""


# -- the end of time --------------------------------------------------------------------------------------------------
async def three_days(floor: Floor) -> Sequence[KeptChain]:
    for n in range(3):
        await floor.load(person(n + 1))
        await floor.settle(await floor.dialled(), Outcome.NO_ANSWER, next=Next(None))
        await seal(floor, day=TODAY + n * DAY, at=NOW + n * DAY)
    return await floor.store.chains()


async def test_rows_go_oldest_first_and_their_root_stays(floor: Floor) -> None:
    one, two, three = await three_days(floor)
    for wrong in (two, three):
        with pytest.raises(Refused):
            await floor.store.drop_chain(wrong, NOW)
    assert await floor.store.drop_chain(one, NOW) == 3
    with pytest.raises(Refused):
        await floor.store.drop_chain(one, NOW)
    assert await floor.store.drop_chain(two, NOW) == 3
    with pytest.raises(Refused):  # it is open
        await floor.store.drop_chain(three, NOW)
    chains = await floor.store.chains()
    assert [c.dropped for c in chains] == [True, True, False]
    assert [c.root for c in chains] == [one.root, two.root, three.root]
    assert len(await bodies(floor.store)) == 3
    assert await verified(floor.store) == []
    assert (await floor.store.proven()).wrong == ()


async def test_rows_of_somebody_under_hold_stay(floor: Floor) -> None:
    one, two, _ = await three_days(floor)
    held = await floor.store.find_person("CC 10000002")
    assert held is not None
    await floor.store.hold(held, "ana", "juzgado", NOW)
    assert await floor.store.drop_chain(one, NOW) == 3
    with pytest.raises(Refused, match="hold"):
        await floor.store.drop_chain(two, NOW)
    await floor.store.lift_hold(held, "ana", NOW)
    assert await floor.store.drop_chain(two, NOW) == 3


# -- what only a database can do wrong --------------------------------------------------------------------------------
pg_only = pytest.mark.postgres


@pytest.fixture
async def pg(url: str) -> AsyncIterator[Floor]:
    store = await PostgresStore.open(url, upgrade=False)
    floor = Floor(store)
    await floor.open([person(n) for n in range(4)])
    yield floor
    await store.close()


@pg_only
@pytest.mark.parametrize("broken", ["INSERT INTO evidence (", "UPDATE evidence_chains", "UPDATE evidence_position"])
async def test_a_sealing_that_breaks_off_is_done_again_whole(
    pg: Floor, monkeypatch: pytest.MonkeyPatch, broken: str
) -> None:
    """Killed at whatever statement: nothing of it stays, and the next one has each event once."""
    floor, store = pg, pg.store
    for _ in range(4):
        await floor.settle(await floor.dialled(), Outcome.NO_ANSWER, next=Next(None))
    assert (await seal(floor, limit=5)).rows == 5
    from sqlalchemy.ext.asyncio import AsyncConnection

    whole = AsyncConnection.execute

    async def breaks(self: AsyncConnection, statement: Any, *more: Any, **named: Any) -> Any:
        done = await whole(self, statement, *more, **named)
        if broken in str(statement):
            raise StoreError("the machine fell over")
        return done

    with monkeypatch.context() as patch:
        patch.setattr(AsyncConnection, "execute", breaks)
        with pytest.raises(StoreError):
            await seal(floor, limit=5)
    assert (await store.chains())[0].rows == 5
    assert [(await seal(floor, limit=5)).rows for _ in range(2)] == [5, 2]
    events = [b["event"] for b in await bodies(store)]
    assert len(events) == len(set(events)) == 12
    assert await verified(store) == []


@pg_only
async def test_sealings_and_writers_at_once_take_each_event_once(pg: Floor) -> None:
    done = asyncio.Event()

    async def write(n: int) -> None:
        for k in range(12):
            told = [Event("attempt.settled", NOW, attempt_id=f"{n}-{k}-{j}", body={"outcome": "X"}) for j in range(4)]
            await pg.store.append(told)

    async def keep_sealing() -> None:
        while True:
            last = done.is_set()
            sealed = await seal(pg, limit=7)
            if last and not sealed.more:
                return

    sealers = [asyncio.create_task(keep_sealing()) for _ in range(3)]
    await asyncio.gather(*(write(n) for n in range(4)))
    done.set()
    await asyncio.gather(*sealers)
    attempts = [b["attempt"] for b in await bodies(pg.store)]
    assert len(attempts) == len(set(attempts)) == 4 * 12 * 4
    assert await verified(pg.store) == []


@pg_only
async def test_every_settled_attempt_is_in_evidence(pg: Floor, url: str) -> None:
    floor, store = pg, pg.store
    one = await floor.dialled()
    await floor.settle(one, Outcome.NO_ANSWER, next=Next(None))
    assert (await store.proven()).wrong == ()  # its end is not sealed yet: nothing is missing
    await seal(floor)
    for _ in range(2):
        await floor.settle(await floor.dialled(), Outcome.NO_ANSWER, next=Next(None))
    await floor.dialled()
    await seal(floor)
    proven = await store.proven()
    assert (proven.checked, proven.wrong, proven.last) == (3, (), "")
    first = await store.proven(limit=2)
    assert first.checked == 2 and first.last and (await store.proven(first.last, 2)).checked == 1
    await change(url, "DELETE FROM evidence WHERE attempt_id = 'X' OR position = 1")
    assert (await store.proven()).wrong == ((one.attempt_id, 0, 1),)
    assert [(f.what, f.position) for f in await verified(store)] == [(What.GAP, 1)]


async def change(url: str, *statements: str) -> None:
    """As somebody with the password of the database could, who also takes the triggers away."""
    engine = create_async_engine(url)
    async with engine.begin() as connection:
        await connection.execute(text("ALTER TABLE evidence DISABLE TRIGGER ALL"))
        for statement in statements:
            await connection.execute(text(statement))
        await connection.execute(text("ALTER TABLE evidence ENABLE TRIGGER ALL"))
    await engine.dispose()


@pg_only
@pytest.mark.parametrize(
    ("statement", "what"),
    [
        ("UPDATE evidence SET body = replace(body, '\"outcome', '\"outkome') WHERE position = 3", (What.BODY, 3)),
        ("UPDATE evidence SET hash = set_byte(hash, 5, 255 - get_byte(hash, 5)) WHERE position = 2", (What.HASH, 2)),
        ("UPDATE evidence SET kind = 'x' WHERE position = 2", (What.COPY, 2)),
        ("UPDATE evidence SET person = gen_random_uuid() WHERE position = 2", (What.COPY, 2)),
        ("UPDATE evidence SET attempt_id = NULL WHERE position = 3", (What.COPY, 3)),
        ("UPDATE evidence SET position = 9 WHERE position = 2", (What.GAP, 2)),
        ("DELETE FROM evidence WHERE position = 3", (What.TAIL, 3)),
        ("UPDATE evidence_chains SET root = replace(root, 'allows', 'allowz')", (What.SIGNATURE, 0)),
        ("UPDATE evidence_chains SET rows = 2", (What.TAIL, 3)),
        ("UPDATE evidence_chains SET day = '2026-11-20'", (What.HEADER, 0)),
        ("UPDATE evidence_chains SET number = 2", (What.DAY, 0)),
    ],
)
async def test_what_is_changed_behind_our_back_is_found(
    pg: Floor, url: str, statement: str, what: tuple[What, int]
) -> None:
    floor, store = pg, pg.store
    await floor.settle(await floor.dialled(), Outcome.NO_ANSWER, next=Next(None))
    await seal(floor)
    assert await verified(store) == []
    await change(url, statement)
    faults = await verified(store)
    assert what in [(f.what, f.position) for f in faults]
    assert faults[0].engine == "e1"


@pg_only
@pytest.mark.parametrize(
    "statement",
    ["UPDATE evidence SET kind = 'y'", "DELETE FROM evidence", "TRUNCATE evidence", "TRUNCATE evidence_chains CASCADE"],
)
async def test_evidence_cannot_be_changed(pg: Floor, url: str, statement: str) -> None:
    floor, store = pg, pg.store
    await floor.dialled()
    await seal(floor)
    engine = create_async_engine(url)
    with pytest.raises(DBAPIError, match="append-only"):
        async with engine.begin() as connection:
            await connection.execute(text(statement))
    await engine.dispose()
    assert len(await bodies(store)) == 2


@pg_only
async def test_nothing_of_an_erased_person_is_left_in_any_table(pg: Floor, url: str) -> None:
    """Looked for as a thief would: every text of every table."""
    floor, store = pg, pg.store
    someone = await contact(floor, 77)
    file = await store.file(someone)
    await store.hold(someone, "ana", "juzgado de Añez", NOW)
    await store.lift_hold(someone, "ana", NOW)
    week = (((480, 600),),) * 7
    written = [
        ConsentIn(someone, True, NOW, Channel.VOICE, how="call", evidence="carta de Añez 1"),
        PreferenceIn(someone, NOW, week, evidence="carta de Añez 2"),
        ExclusionIn("house", NOW, someone, source="carta de Añez 3"),
        PaymentIn("Banco Andino Ejemplo", "OB-77", NOW, Money(100, "COP"), "recibo de Añez"),
    ]
    assert await store.change(written, "ana", NOW) == 4
    await seal(floor)
    needles = [
        file.doc_number,
        file.name,
        "hermana",
        "juzgado de",
        "carta de",
        "recibo de",
        *(p.e164 for p in file.phones),
        "OB-77",
    ]
    surrogate = await store.surrogate(someone)

    async def found() -> set[str]:
        engine = create_async_engine(url)
        seen = set()
        async with engine.connect() as connection:
            tables = await connection.execute(text("SELECT tablename FROM pg_tables WHERE schemaname = 'public'"))
            for table in tables.scalars().all():
                rows = (await connection.execute(text(f'SELECT t::text FROM "{table}" t'))).scalars().all()
                seen |= {(table, n) for n in needles if any(n in row for row in rows)}
        await engine.dispose()
        return {needle for _, needle in seen}

    assert await found() == set(needles)
    await store.erase(someone, "ana", "PQR 1", NOW)
    assert await found() == set()
    engine = create_async_engine(url)
    async with engine.connect() as connection:
        left = text("SELECT count(*) FROM surrogates WHERE surrogate = CAST(:s AS uuid)")
        assert (await connection.execute(left, {"s": surrogate})).scalar_one() == 0
    await engine.dispose()
    await seal(floor)
    assert await verified(store) == []
