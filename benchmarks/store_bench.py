"""How many attempts a second the store carries from lease to settlement.

    python benchmarks/store_bench.py [--contacts 100000] [--batch 50] [--rounds 200] [--memory] [--quick]

Runs on an embedded PostgreSQL of its own, with fsync on, in a temporary folder; `--memory` runs the twin in memory
instead. Prints milliseconds for each operation of a batch (median and 95th percentile), and attempts a second.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import json
import shutil
import tempfile
import time
from collections import defaultdict
from collections.abc import Awaitable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from cadencia.domain.codes import Outcome
from cadencia.domain.dialing import Campaign, CampaignSettings, CampaignState, Mark, Next, Settlement
from cadencia.domain.law import Allow
from cadencia.portfolio.importer import read_portfolio
from cadencia.store.embedded import EmbeddedPostgres
from cadencia.store.memory import MemoryStore
from cadencia.store.port import Claim, Store
from cadencia.store.postgres import PostgresStore
from cadencia.testing.portfolio import make_portfolio

NOW = datetime(2026, 11, 24, 14, 0, tzinfo=UTC)


class Laps:
    """Wall milliseconds by operation."""

    def __init__(self) -> None:
        self.ms: defaultdict[str, list[float]] = defaultdict(list)

    async def of(self, name: str, work: Awaitable[Any]) -> Any:
        start = time.perf_counter()
        result = await work
        self.ms[name].append((time.perf_counter() - start) * 1000)
        return result

    def summary(self) -> dict[str, dict[str, float]]:
        told = {}
        for name, ms in self.ms.items():
            ms.sort()
            told[name] = {"p50_ms": round(ms[len(ms) // 2], 2), "p95_ms": round(ms[int(len(ms) * 0.95)], 2)}
        return told


async def load(store: Store, contacts: int, laps: Laps) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "cartera.csv"
        make_portfolio(path, contacts, seed=1, clean=True)
        start = time.perf_counter()
        people = read_portfolio(path).people
        laps.ms["read file"].append((time.perf_counter() - start) * 1000)
    for first in range(0, len(people), 1000):
        await laps.of("import 1000 persons", store.import_people("c1", people[first : first + 1000], NOW))


async def run(store: Store, contacts: int, batch: int, rounds: int) -> dict[str, Any]:
    laps, ids, now = Laps(), itertools.count(), NOW
    await store.create_campaign(Campaign("c1", "Bench", CampaignState.RUNNING, CampaignSettings(), NOW), "bench")
    token = await store.lead("bench", NOW)
    await load(store, contacts, laps)
    dialled = 0
    start = time.perf_counter()
    for _ in range(rounds):
        now += timedelta(seconds=1)
        claim = Claim("c1", batch, now, token, lambda f: Allow(f.phones[0]), lambda: f"b-{next(ids)}")
        claimed = await laps.of("claim", store.claim(claim))
        attempts = [lease.attempt_id for lease in claimed.leases]
        dialled += len(attempts)
        await laps.of("mark_sending", store.mark_sending(attempts, token, now))
        await laps.of("mark", store.mark([Mark(a, "answered", now) for a in attempts[: batch // 5]]))
        ends = [Settlement(a, Outcome.NO_ANSWER, now, Next(now + timedelta(hours=2))) for a in attempts]
        await laps.of("settle", store.settle(ends, token))
    spent = time.perf_counter() - start
    for _ in range(20):
        await laps.of("counts", store.counts("c1", NOW))
    return {
        "contacts": contacts,
        "batch": batch,
        "attempts": dialled,
        "attempts_per_s": round(dialled / spent, 1),
        "operations": laps.summary(),
    }


async def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--contacts", type=int, default=100_000)
    parser.add_argument("--batch", type=int, default=50)
    parser.add_argument("--rounds", type=int, default=200)
    parser.add_argument("--memory", action="store_true", help="the twin in memory")
    parser.add_argument("--quick", action="store_true", help="2,000 contacts, 40 rounds")
    args = parser.parse_args()
    if args.quick:
        args.contacts, args.rounds = 2000, 40
    if args.memory:
        print(json.dumps(await run(MemoryStore(keep_events=0), args.contacts, args.batch, args.rounds), indent=2))
        return
    folder = Path(tempfile.mkdtemp(prefix="cadencia-bench-"))
    folder.chmod(0o711)
    server = EmbeddedPostgres(folder / "pg")
    try:
        store = await PostgresStore.open(server.start())
        print(json.dumps(await run(store, args.contacts, args.batch, args.rounds), indent=2))
        await store.close()
    finally:
        server.stop()
        shutil.rmtree(folder)


if __name__ == "__main__":
    asyncio.run(main())
