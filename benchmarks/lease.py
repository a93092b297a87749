"""How long a claim of leases takes, with the real judge, on a database as large as a year of a big floor leaves it.

    python benchmarks/lease.py [--debtors 1000000] [--past 30000000] [--claim 200] [--rounds 200] [--quick] [--json]
                               [--folder FOLDER] [--explain]

Fills an embedded PostgreSQL with debtors (two telephones, one debt, one authorisation each) and their past attempts and
contacts, written in the order of time as a floor writes them; then claims, as the engine does: 200 contacts a claim,
Ley 2300 and the campaign's caps judged under lock, everything committed with fsync on. Every claim is sent and settled
before the next. Before that all that a claim may read is read once, as on a server that has run for a day: the cache
that a machine of 24 GB gives it (6 GB) holds it. `--folder` keeps the filled database there, or uses the one that is
there. Needs some 600 bytes of disk for each past contact. Ends with 1 if the 99th percentile of a claim is above 25 ms.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import json
import os
import random
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import text

from cadencia.compliance.judge import Judge
from cadencia.config.profiles import builtin
from cadencia.domain.codes import Outcome
from cadencia.domain.dialing import Campaign, CampaignSettings, CampaignState, Next, Settlement
from cadencia.metrics.memory import settle_memory
from cadencia.store.embedded import EmbeddedPostgres
from cadencia.store.port import Claim
from cadencia.store.postgres import PostgresStore

#: A Tuesday, 09:00 in Bogotá.
NOW = datetime(2026, 11, 24, 14, 0, tzinfo=UTC)

#: The 99th percentile of a claim, milliseconds.
BOUND_MS = 25.0

#: While it is filled nothing has to survive anything.
_FILLING = {
    "fsync": "off",
    "full_page_writes": "off",
    "synchronous_commit": "off",
    "max_wal_size": "8GB",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "autovacuum": "off",
    "maintenance_work_mem": "1GB",
}

_PEOPLE = (
    """INSERT INTO persons (id, doc_type, doc_number, name, city, language, timezone)
       SELECT p, 'CC', p::text, 'Nombre ' || p, 'Bogotá', 'es', 'America/Bogota' FROM generate_series(1, :debtors) p""",
    """INSERT INTO phones (id, person_id, e164, line_type, position, status)
       SELECT 2 * p - k, p, '+57300' || lpad((2 * p - k)::text, 7, '0'), 'movil', 1 - k, 'nuevo'
       FROM generate_series(1, :debtors) p, generate_series(0, 1) k""",
    """INSERT INTO obligations (id, creditor, number, product, balance_minor, balance_currency, overdue_minor,
                                overdue_currency, days_past_due)
       SELECT p, 'Banco', 'OB-' || p, 'Tarjeta', 50000000, 'COP', 5000000, 'COP', p::bigint * 7919 % 360
       FROM generate_series(1, :debtors) p""",
    "INSERT INTO parts (person_id, obligation_id, role) SELECT p, p, 'titular' FROM generate_series(1, :debtors) p",
    """INSERT INTO consents (person_id, granted, channel, at, how, text_version, evidence, recorded_at, recorded_by)
       SELECT p, true, 'voice', CAST(:now AS timestamptz) - interval '500 days', 'contract', '1', '', :now, 'bench'
       FROM generate_series(1, :debtors) p""",
    """INSERT INTO list_items (id, campaign_id, person_id, rank, due_at, state, attempts)
       SELECT p, 'c1', p, -(p::bigint * 7919 % 360), CAST(:now AS timestamptz) - interval '1 hour', 'due', 0
       FROM generate_series(1, :debtors) p""",
)

# One wave after the other, each debtor once a wave: a debtor's rows lie as far apart as they do on a floor. The newest
# wave ended yesterday.
_ATTEMPTS = """
    INSERT INTO attempts (id, campaign_id, contact_id, person_id, phone_id, state, prior, leased_at, sending_at,
                          ended_at, outcome, charged, talk_s)
    SELECT 'w' || :wave || '-' || p, 'c1', p, p, 2 * p - :wave % 2, 'settled', :wave, at, at,
           at + interval '26 seconds', 'NOA', true, 0
    FROM (SELECT p, CAST(:began AS timestamptz) + make_interval(secs => 43200.0 * p / :debtors) AS at
          FROM generate_series(1, :debtors) p) AS wave
"""
_TOUCHES = """
    INSERT INTO touches (id, person_id, at, channel, purpose, reach, code, phone_id, debts, inbound)
    SELECT 'w' || :wave || '-' || p, p, at, 'voice', 'collection', 1, 'NOA', 2 * p - :wave % 2, ARRAY[p], false
    FROM (SELECT p, CAST(:began AS timestamptz) + make_interval(secs => 43200.0 * p / :debtors) AS at
          FROM generate_series(1, :debtors) p) AS wave
"""

_INDEXES = text(
    """
    SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = 'public' AND tablename IN ('attempts', 'touches')
    AND indexname NOT LIKE '%_pkey'
    """
)


# What a server that has run for a day has read: the tables of persons whole, of what is past each person's newest.
_WARM = (
    "SET enable_seqscan = on",
    "SELECT count(name), count(e164), count(status) FROM persons, phones WHERE persons.id = phones.person_id",
    "SELECT count(product) FROM obligations",
    "SELECT count(role) FROM parts",
    "SELECT count(how) FROM consents",
    "SELECT count(due_at), count(attempts) FROM list_items",
    "SET enable_seqscan = off",
    "SET enable_bitmapscan = off",
    "SET max_parallel_workers_per_gather = 0",
    *(
        f"SELECT count({column}) FROM {table} WHERE {key} > 0"
        for table, column, key in (
            ("persons", "name", "id"),
            ("phones", "status", "person_id"),
            ("obligations", "product", "id"),
            ("parts", "role", "person_id"),
            ("consents", "how", "person_id"),
            ("list_items", "attempts", "id"),
        )
    ),
    "SELECT count(outcome) FROM attempts WHERE person_id > 0 AND state = 'settled'",
    "SELECT count(code) FROM touches WHERE person_id > 0 AND at >= '2026-11-14'",
)


@contextmanager
def place(folder: Path | None) -> Iterator[Path]:
    if folder is not None:
        folder.mkdir(parents=True, exist_ok=True)
        folder.chmod(0o711)
        yield folder
        return
    made = Path(tempfile.mkdtemp(prefix="cadencia-lease-"))
    made.chmod(0o711)
    try:
        yield made
    finally:
        shutil.rmtree(made)


async def fill(store: PostgresStore, debtors: int, past: int) -> None:
    """Straight into the tables: an import would take hours."""
    await store.create_campaign(Campaign("c1", "Bench", CampaignState.RUNNING, CampaignSettings(), NOW), "bench")
    waves, started = max(1, past // debtors), time.perf_counter()
    async with store._engine.connect() as connection:
        await connection.execution_options(isolation_level="AUTOCOMMIT")
        raw = await connection.get_raw_connection()
        wire: Any = raw.driver_connection

        async def run(statement: str, **values: Any) -> None:
            for name, value in values.items():
                told = f"'{value.isoformat()}'" if isinstance(value, datetime) else str(value)
                statement = statement.replace(f":{name}", told)
            await wire.execute(statement, timeout=7200)

        await run("SET session_replication_role = replica")  # the keys are right by construction
        for statement in _PEOPLE:
            await run(statement, debtors=debtors, now=NOW)
        indexes = (await connection.execute(_INDEXES)).all()
        for index in indexes:
            await run(f"DROP INDEX {index.indexname}")
        for wave in range(waves):
            began = NOW - timedelta(days=1) * (1 + (waves - 1 - wave) * 12) - timedelta(hours=1)
            for statement in (_ATTEMPTS, _TOUCHES):
                await run(statement, wave=wave, debtors=debtors, began=began)
            print(f"wave {wave + 1} of {waves}, {time.perf_counter() - started:.0f} s", file=sys.stderr)
        for index in indexes:
            await run(index.indexdef)
        for name in ("persons", "phones", "obligations", "parts", "consents", "list_items"):
            await run(f"SELECT setval(pg_get_serial_sequence('{name}', 'id'), {2 * debtors + 1})") if name not in (
                "parts",
            ) else None
        await run("VACUUM (ANALYZE, FREEZE)")
        await run("CHECKPOINT")
    print(f"filled in {time.perf_counter() - started:.0f} s", file=sys.stderr)


async def warm(url: str) -> float:
    """Read all that a claim may read once; seconds."""
    store, started = await PostgresStore.open(url), time.perf_counter()
    async with store._engine.connect() as connection:
        for statement in _WARM:
            await connection.execute(text(statement))
    await store.close()
    return time.perf_counter() - started


async def claims(store: PostgresStore, size: int, rounds: int) -> list[float]:
    settings, judge = CampaignSettings(), Judge(builtin())
    judge.stack(settings)
    spent: list[float] = []
    token = await store.lead("bench", NOW)
    ids, dice, now = itertools.count(), random.Random(1), NOW
    run = f"b{time.time_ns()}"
    for _ in range(rounds):
        now += timedelta(seconds=1)
        claim = Claim(
            "c1",
            size,
            now,
            token,
            lambda facts, at=now: judge.recorded(facts, settings, at),  # type: ignore[misc]
            lambda: f"{run}-{next(ids)}",
            look_back=judge.stack(settings).look_back,
        )
        start = time.perf_counter()
        claimed = await store.claim(claim)
        spent.append((time.perf_counter() - start) * 1000)
        if len(claimed.leases) < size:
            raise SystemExit(f"only {len(claimed.leases)} leases: {claimed.denied}")
        attempts = [lease.attempt_id for lease in claimed.leases]
        await store.mark_sending(attempts, token, now)
        later = Next(now + timedelta(hours=2 + dice.random()))
        await store.settle([Settlement(a, Outcome.NO_ANSWER, now, later) for a in attempts], token)
    return spent


async def measure(url: str, size: int, rounds: int) -> dict[str, Any]:
    warmed_s = await warm(url)
    store = await PostgresStore.open(url)
    settle_memory()  # as the engine does once it runs
    try:
        first = await claims(store, size, max(5, rounds // 10))  # what is read for the first time, and plans
        spent = sorted(await claims(store, size, rounds))
    finally:
        await store.close()
    return {
        "claim": size,
        "rounds": rounds,
        "warmed_s": round(warmed_s, 1),
        "first_claims_p50_ms": round(sorted(first)[len(first) // 2], 2),
        "first_claims_max_ms": round(max(first), 2),
        "p50_ms": round(spent[len(spent) // 2], 2),
        "p95_ms": round(spent[int(len(spent) * 0.95)], 2),
        "p99_ms": round(spent[int(len(spent) * 0.99)], 2),
        "max_ms": round(spent[-1], 2),
        "bound_p99_ms": BOUND_MS,
    }


async def filled(folder: Path, debtors: int, past: int) -> None:
    server = EmbeddedPostgres(folder / "pg", _FILLING)
    try:
        store = await PostgresStore.open(server.start())
        await fill(store, debtors, past)
        await store.close()
    finally:
        server.stop()
    (folder / "filled").write_text(f"{debtors} {past}\n")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--debtors", type=int, default=1_000_000)
    parser.add_argument("--past", type=int, default=30_000_000)
    parser.add_argument("--claim", type=int, default=200)
    parser.add_argument("--rounds", type=int, default=200)
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--quick", action="store_true", help="20,000 debtors, 600,000 past contacts, 40 rounds")
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()
    if args.quick:
        args.debtors, args.past, args.rounds = 20_000, 600_000, 40
    with place(args.folder) as folder:
        if not (folder / "filled").exists():
            free, needed = shutil.disk_usage(folder).free, 600 * args.past + 2000 * args.debtors
            if free < needed:
                raise SystemExit(f"{needed / 1e9:.0f} GB are needed in {folder}, {free / 1e9:.0f} GB are free")
            asyncio.run(filled(folder, args.debtors, args.past))
        server = EmbeddedPostgres(folder / "pg")
        try:
            told = asyncio.run(measure(server.start(), args.claim, args.rounds))
        finally:
            server.stop()
    told = {"debtors": args.debtors, "past": args.past, **told, "load": os.getloadavg()[0]}
    print(json.dumps(told, indent=None if args.json else 2))
    raise SystemExit(int(told["p99_ms"] > BOUND_MS))


if __name__ == "__main__":
    main()
