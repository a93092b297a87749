"""How fast a month of evidence verifies, from a file and from the database, and in how much memory.

    python benchmarks/evidence.py [--rows 10000000] [--days 30] [--postgres] [--seal 20000] [--alter 40000] [--quick]

Writes made-up evidence (seeded, in the shape of a floor's) as a stream into a file of a temporary folder, verifies it,
then alters one byte in the middle and verifies again: the fault has to be found with its place. In a file of `--alter`
rows single bytes are altered one after the other: the first, the last, the middle one, and one at random in each field
of each kind of line. `--postgres` puts the same rows into an embedded PostgreSQL of its own, with fsync on, and
verifies them there; `--seal` appends so many events to its log and measures how fast they are sealed. The file is gone
before the database comes, and the disk is asked first whether it has room: for ten million rows 4.6 GB, or 12 GB with
`--postgres`. Prints rows a second (all of it; median and 5th percentile of slices of 50,000 rows), minutes for ten
million, and the peak memory of this process.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import random
import resource
import shutil
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

from cadencia.compliance.evidence import NOTHING_BEFORE, Chain, Header, Row, SignedRoot, canonical, instant
from cadencia.compliance.evidence_check import Trust
from cadencia.compliance.evidence_file import EvidenceWriter, FileVerifier
from cadencia.compliance.signing import Key
from cadencia.domain.events import Event
from cadencia.store.embedded import EmbeddedPostgres
from cadencia.store.evidence_export import StoreReport, verify_store
from cadencia.store.evidence_port import Seal
from cadencia.store.postgres import PostgresStore
from cadencia.store.sealing import beside

NOW = datetime(2026, 11, 1, 14, 0, tzinfo=UTC)
SLICE = 50_000

#: Chains that are copied in take numbers from here on, so that those that are sealed can draw theirs.
FIRST_ID = 1_000_000


class Laps:
    """Rows as they pass."""

    def __init__(self) -> None:
        self.start = self._last = time.perf_counter()
        self.rows = self._mark = 0
        self.rates: list[float] = []

    def passed(self, rows: int) -> None:
        self.rows = rows
        if rows - self._mark >= SLICE:
            now = time.perf_counter()
            self.rates.append((rows - self._mark) / (now - self._last))
            self._last, self._mark = now, rows

    def told(self) -> dict[str, Any]:
        spent = time.perf_counter() - self.start
        rates = sorted(self.rates) or [self.rows / spent]
        return {
            "rows": self.rows,
            "seconds": round(spent, 2),
            "rows_per_s": round(self.rows / spent),
            "slices_p50_rows_per_s": round(rates[len(rates) // 2]),
            "slices_p5_rows_per_s": round(rates[int(len(rates) * 0.05)]),
            "minutes_for_10M": round(10e6 / (self.rows / spent) / 60, 2),
            "peak_memory_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
        }


def bodies(rows: int, first: int, rng: random.Random) -> Iterator[bytes]:
    """Rows of a floor: for each attempt a decision with the law's facts, a dialling, an end; now and then a denial."""
    names = [str(UUID(int=rng.getrandbits(128), version=4)) for _ in range(1000)]
    facts = {"today": 0, "week": 2, "window": [420, 1140], "holiday": "co/2", "consent": 17, "zone": "America/Bogota"}
    law = {"channel": "voice", "purpose": "collection", "profiles": [["co-ley2300", 2, "ab" * 32]], "facts": facts}
    for n in range(rows):
        event, kind = first + n, n % 4
        person = names[(event * 7) % 1000]
        told: dict[str, Any] = {"v": 2, "event": event, "at": instant(NOW), "campaign": "mora30", "person": person}
        told |= {"contact": names[(event * 11) % 1000], "attempt": f"a18f3c2b1d9-{event // 4:014x}"}
        if kind == 0:
            debts = {"debts": [names[event % 1000]], "phone": names[event % 997]}
            told |= {"kind": "attempt.leased", "decision": "allow", "data": law | debts}
        elif kind == 1:
            told |= {"kind": "attempt.sending", "data": {"server": "main"}}
        elif kind == 2:
            ended = {"outcome": "NAN", "charged": True, "cause": 19, "tech_cause": 480, "talk_s": 0}
            told |= {"kind": "attempt.settled", "data": ended}
        else:
            del told["attempt"]
            told |= {"kind": "contact.denied", "decision": "deny", "data": {"code": "FRECUENCIA", "retry_at": None}}
        yield canonical(told)


Opened = Callable[[Header], None]
Closed = Callable[[Chain, SignedRoot], None]


def month(rows: int, days: int, key: Key, opened: Opened, take: Callable[[Row], None], closed: Closed) -> None:
    """Make the chains and pass them on; nothing is kept."""
    rng = random.Random(1)
    previous, event = NOTHING_BEFORE, 1
    for number in range(1, days + 1):
        size = rows // days + (rows % days if number == days else 0)
        header = Header("main", number, date(2026, 11, 1) + timedelta(days=number - 1), previous)
        chain = Chain(header)
        opened(header)
        for body in bodies(size, event, rng):
            take(chain.add(body))
        event += size
        root = chain.root(NOW, key, closed=number < days)
        closed(chain, root)
        previous = root.hash()


def write(path: Path, rows: int, days: int, key: Key) -> dict[str, Any]:
    laps, done = Laps(), 0
    with path.open("wb", buffering=1 << 20) as file:
        writer = EvidenceWriter(file.write, key)
        headers = [
            Header("main", n, date(2026, 11, 1) + timedelta(days=n - 1), NOTHING_BEFORE) for n in range(1, days + 1)
        ]
        writer.manifest("chains", instant(NOW), "bench", headers)

        def take(row: Row) -> None:
            nonlocal done
            done += 1
            laps.passed(done)
            writer.row(row)

        month(rows, days, key, writer.chain, take, lambda _, root: writer.root(root))
        writer.end()
    return laps.told() | {"bytes_per_row": round(path.stat().st_size / rows)}


def verify(path: Path, key: Key) -> tuple[list[Any], dict[str, Any]]:
    laps, faults = Laps(), []
    verifier = FileVerifier(Trust(frozenset({key.public})))
    with path.open("rb") as file:
        for line in file:
            faults += verifier.line(line)
            laps.passed(verifier.report.rows)
    faults += verifier.finish()
    return faults, laps.told()


def altered(path: Path, key: Key) -> dict[str, Any]:
    """One byte in the middle."""
    with path.open("rb") as file:
        file.seek(path.stat().st_size // 2)
        file.readline()
        at = file.tell() + 40
    with flipped(path, at):
        faults, told = verify(path, key)
    if len(faults) != 1:
        raise SystemExit(f"one byte was altered, and {len(faults)} faults were found")
    return {"found": str(faults[0].words), "seconds": told["seconds"]}


def places(path: Path, rng: random.Random) -> Iterator[tuple[str, int, int]]:
    """Bytes worth altering, each with its line: the file's ends and middle, and each field of each kind of line."""
    fields: dict[str, tuple[int, int]] = {}
    seen, at = Counter[str](), 0
    with path.open("rb") as file:
        for number, line in enumerate(file, 1):
            told = json.loads(line)
            kind = str(told.get("is") or told["body"]["kind"])
            for name, (begins, ends) in spans(line, told, kind):
                seen[name] += 1
                if rng.random() < 1 / seen[name]:  # any of them, each as likely
                    fields[name] = number, at + rng.randrange(begins, ends)
            at += len(line)
    yield "first byte", 1, 0
    yield "last byte", number, at - 1
    with path.open("rb") as file:
        middle = file.read(at // 2 + 1)
        yield "middle byte", middle[:-1].count(b"\n") + 1, at // 2
    for name, (number, place) in fields.items():
        yield name, number, place


def spans(line: bytes, told: dict[str, Any], path: str) -> Iterator[tuple[str, tuple[int, int]]]:
    """Where in a line the value of each field is, those of objects within it by their path."""
    for key, value in told.items():
        begins = line.index(b'"%s":' % key.encode()) + len(key) + 3
        text = canonical(value)
        begins = line.index(text, begins)
        yield f"{path}.{key}", (begins, begins + len(text))
        if isinstance(value, dict):
            for name, (a, b) in spans(text, value, f"{path}.{key}"):
                yield name, (begins + a, begins + b)


def altered_anywhere(path: Path, rows: int, key: Key) -> dict[str, Any]:
    """Alter single bytes of a smaller file, here and there: each has to be found at its line or the one behind."""
    write(path, rows, 3, key)
    tried, began = 0, time.perf_counter()
    for name, number, at in list(places(path, random.Random(2))):
        with flipped(path, at):
            faults, _ = verify(path, key)
        if not faults or faults[0].line not in (number, number + 1):
            raise SystemExit(f"{name}: byte {at} of line {number} was altered, and found was {faults[:1]}")
        tried += 1
    path.unlink()
    return {"rows": rows, "bytes_altered": tried, "found": tried, "seconds": round(time.perf_counter() - began, 1)}


@contextmanager
def flipped(path: Path, at: int) -> Iterator[None]:
    """One bit of one byte; put back afterwards."""
    with path.open("r+b") as file:
        file.seek(at)
        before = file.read(1)
        file.seek(at)
        file.write(bytes([before[0] ^ 1]))
        file.flush()
        yield
        file.seek(at)
        file.write(before)


def room(folder: Path, rows: int, postgres: bool) -> dict[str, float]:
    """What the disk needs, and has. Ends the program if that is not enough."""
    need = rows * (1000 if postgres else 460) + (2e9 if postgres and rows > 1_000_000 else 1e8)
    free = shutil.disk_usage(folder).free
    if free < need:
        raise SystemExit(f"{folder} needs {need / 1e9:.1f} GB and has {free / 1e9:.1f}: set TMPDIR, or fewer --rows")
    return {"needed_gb": round(need / 1e9, 1), "free_gb": round(free / 1e9, 1)}


async def in_database(url: str, rows: int, days: int, key: Key, seal: int) -> dict[str, Any]:
    store = await PostgresStore.open(url)
    found: dict[str, Any] = {}
    try:
        found["load"] = await load(store, rows, days, key)
        laps, report = Laps(), StoreReport()
        trust = Trust(frozenset({key.public}))
        faults = [f async for f in verify_store(store, trust, report, lambda done, of: laps.passed(done))]
        laps.rows = report.rows
        found["verify"] = laps.told() | {"faults": len(faults)}
        if seal:
            found["seal"] = await sealed(store, seal, key)
    finally:
        await store.close()
    return found


async def sealed(store: PostgresStore, number: int, key: Key) -> dict[str, Any]:
    """Events of the log, appended and sealed."""
    token = await store.lead("bench", NOW)
    for first in range(0, number, 1000):
        told = [
            Event("attempt.settled", NOW, "c1", None, f"a{n}", None, {"outcome": "NAN"})
            for n in range(first, first + 1000)
        ]
        await store.append(told)
    laps, ms, more = Laps(), [], True
    while more:
        start = time.perf_counter()
        done = await store.seal(Seal("bench", NOW.date(), NOW, token, key))
        ms.append((time.perf_counter() - start) * 1000)
        laps.rows += done.rows
        more = done.more
    ms.sort()
    batch = {"p50_ms": round(ms[len(ms) // 2], 1), "p95_ms": round(ms[int(len(ms) * 0.95)], 1)}
    return laps.told() | {"batch_of_100": batch}


async def load(store: PostgresStore, rows: int, days: int, key: Key) -> dict[str, Any]:
    """Copy the rows in, a chain's worth at a time in pieces."""
    laps = Laps()
    connection = await store._engine.connect()
    raw = (await connection.get_raw_connection()).driver_connection
    await raw.execute("ALTER TABLE evidence DISABLE TRIGGER USER")
    queue: asyncio.Queue[Any] = asyncio.Queue(4)
    loop = asyncio.get_running_loop()

    def put(what: Any) -> None:
        asyncio.run_coroutine_threadsafe(queue.put(what), loop).result()

    def make() -> None:
        piece: list[Any] = []
        number = 0

        def flush() -> None:
            nonlocal piece
            put(("rows", piece))
            piece = []

        def opened(header: Header) -> None:
            nonlocal number
            number = FIRST_ID + header.number
            put(("chain", header))

        def take(row: Row) -> None:
            kept = beside(row)
            person = UUID(kept.person) if kept.person else None
            piece.append((number, row.position, kept.kind, person, kept.attempt, row.body.decode(), row.hash))
            if len(piece) >= 20_000:
                flush()

        def closed(chain: Chain, root: SignedRoot) -> None:
            flush()
            put(("root", (chain, root)))

        month(rows, days, key, opened, take, closed)
        put(None)

    making = asyncio.create_task(asyncio.to_thread(make))
    names = ["chain_id", "position", "kind", "person", "attempt_id", "body", "hash"]
    while (what := await queue.get()) is not None:
        kind, told = what
        if kind == "chain":
            await raw.execute(
                "INSERT INTO evidence_chains (id, engine, number, day, previous, rows, peaks, root, signature, closed) "
                "VALUES ($1, $2, $3, $4, $5, 0, '', '', '', false)",
                FIRST_ID + told.number, told.engine, told.number, told.day, told.previous,
            )  # fmt: skip
        elif kind == "rows":
            await raw.copy_records_to_table("evidence", records=told, columns=names)
            laps.passed(laps.rows + len(told))
        else:
            chain, root = told
            await raw.execute(
                "UPDATE evidence_chains SET rows = $2, peaks = $3, root = $4, signature = $5, closed = $6 "
                "WHERE id = $1",
                FIRST_ID + chain.header.number, chain.rows, chain.tree.peaks, root.payload.decode(), root.signature,
                chain.header.number < days,
            )  # fmt: skip
    await making
    await raw.execute("ALTER TABLE evidence ENABLE TRIGGER USER")
    size = await raw.fetchval("SELECT pg_total_relation_size('evidence')")
    await connection.close()
    return laps.told() | {"bytes_per_row_with_indexes": round(size / rows)}


async def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=10_000_000)
    parser.add_argument("--days", type=int, default=30)
    parser.add_argument("--postgres", action="store_true", help="in the database too")
    parser.add_argument("--seal", type=int, default=20_000, help="with --postgres: so many events are sealed")
    parser.add_argument("--alter", type=int, default=40_000, help="rows of the file that is altered at many places")
    parser.add_argument("--quick", action="store_true", help="60,000 rows of 3 days")
    args = parser.parse_args()
    if args.quick:
        args.rows, args.days, args.alter = 60_000, 3, 2000
    folder = Path(tempfile.mkdtemp(prefix="cadencia-bench-"))
    folder.chmod(0o711)
    key = Key.new()
    told: dict[str, Any] = {"rows": args.rows, "days": args.days, "load_average": os.getloadavg()[0]}
    told["disk"] = room(folder, args.rows, args.postgres)
    try:
        path = folder / "month.jsonl"
        told["write_file"] = write(path, args.rows, args.days, key)
        faults, told["verify_file"] = verify(path, key)
        if faults:
            raise SystemExit(f"sound evidence has {len(faults)} faults: {faults[0].words}")
        told["altered_byte"] = altered(path, key)
        path.unlink()
        told["altered_anywhere"] = altered_anywhere(path, args.alter, key)
        if args.postgres:
            server = EmbeddedPostgres(folder / "pg")
            try:
                told["postgres"] = await in_database(server.start("bench"), args.rows, args.days, key, args.seal)
            finally:
                server.stop()
    finally:
        shutil.rmtree(folder)
    print(json.dumps(told, indent=2))


if __name__ == "__main__":
    asyncio.run(main())
