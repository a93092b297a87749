"""Claimers as processes of their own on one PostgreSQL, killed at any instant: the rough half of lawful_contacts.py.

What they share is a page of memory in a file and two locks of the kernel, which a killed process lets go of: the time,
the leader's token, and what was counted. The parent leads; a killed claimer comes back and takes over what it left, and
after every fourth kill the lead is taken anew, as after an engine's crash. The server is stopped now and then, half of
the times without a goodbye (an immediate shutdown, then recovery from its log).
"""

from __future__ import annotations

import asyncio
import fcntl
import mmap
import os
import random
import signal
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from multiprocessing import get_context
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

from sqlalchemy import text

from benchmarks.lawful_world import (
    CAMPAIGNS,
    START,
    Ask,
    Claimer,
    Known,
    change,
    far,
    little,
    populate,
)
from cadencia.compliance.judge import Judge
from cadencia.config.profiles import builtin
from cadencia.domain.codes import Denial
from cadencia.errors import CadenciaError
from cadencia.recheck import Report, recheck_all
from cadencia.store.embedded import EmbeddedPostgres
from cadencia.store.port import Store
from cadencia.store.postgres import PostgresStore

CLAIMERS = 4

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_CODES = [str(code) for code in Denial]

#: Places in the shared page: the time in ms, whether it is over, the token; then of each process its own counters.
_NOW, _OVER, _TOKEN, _FIRST = range(4)
_SENT, _KILLED, _CHANGED, _IDLE, _DENIED = range(5)
_OWN = _DENIED + len(_CODES)

# Who else is at work in this database. In memory, no index.
_AT_WORK = text(
    "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid() "
    "AND (state = 'active' OR state LIKE 'idle in transaction%')"
)


class Page:
    """Numbers that all processes see. Each has one that writes it, but for the time, which a lock guards."""

    def __init__(self, folder: Path) -> None:
        path = folder / "page"
        size = (_FIRST + (CLAIMERS + 1) * _OWN) * 8
        if not path.exists():
            path.write_bytes(bytes(size))
        with path.open("r+b") as file:
            self.cells = memoryview(mmap.mmap(file.fileno(), size)).cast("q")

    def total(self, what: int) -> int:
        return sum(self.cells[_FIRST + n * _OWN + what] for n in range(CLAIMERS + 1))

    @property
    def now(self) -> datetime:
        return _EPOCH + timedelta(milliseconds=self.cells[_NOW])


async def _lock(file: int, how: int) -> None:
    """Without standing in the way of the loop: what was cancelled in it still has to be undone."""
    while True:
        try:
            fcntl.flock(file, how | fcntl.LOCK_NB)
        except BlockingIOError:
            await asyncio.sleep(0.001)
        else:
            return


@asynccontextmanager
async def _held(file: int, how: int) -> AsyncIterator[None]:
    await _lock(file, how)
    try:
        yield
    finally:
        fcntl.flock(file, fcntl.LOCK_UN)


class LockedClock:
    """The clock of processes: whoever looks holds it still, and the kernel lets go for whom it killed.

    Two locks, because one would starve who wants it alone: at the door everybody waits for whoever is passing.
    """

    def __init__(self, folder: Path, page: Page) -> None:
        self._page = page
        self._door, self._room = (os.open(folder / name, os.O_RDWR | os.O_CREAT) for name in ("door", "room"))

    def close(self) -> None:
        os.close(self._door)
        os.close(self._room)

    @asynccontextmanager
    async def still(self) -> AsyncIterator[datetime]:
        async with _held(self._door, fcntl.LOCK_EX):
            await _lock(self._room, fcntl.LOCK_SH)
            self._page.cells[_NOW] += 1
            now = self._page.now
        try:
            yield now
        finally:
            fcntl.flock(self._room, fcntl.LOCK_UN)

    async def step(self, by: timedelta) -> None:
        async with _held(self._door, fcntl.LOCK_EX), self.alone():
            self._page.cells[_NOW] += by // timedelta(milliseconds=1)

    def alone(self) -> AbstractAsyncContextManager[None]:
        """Nobody does anything."""
        return _held(self._room, fcntl.LOCK_EX)

    def kill(self, process: BaseProcess) -> None:
        """Kill it wherever it is, and let nobody begin anything new until `alone` was had."""
        fcntl.flock(self._door, fcntl.LOCK_EX)
        process.kill()
        process.join()

    def open_the_door(self) -> None:
        fcntl.flock(self._door, fcntl.LOCK_UN)


class SharedWorld:
    """The world of one process; the last number is that of whoever brings the changes."""

    def __init__(self, folder: Path, seed: int, number: int = CLAIMERS) -> None:
        self.seed, self.page = seed, Page(folder)
        self.clock = LockedClock(folder, self.page)
        self._own = _FIRST + number * _OWN

    @property
    def done(self) -> bool:
        return bool(self.page.cells[_OVER])

    @property
    def token(self) -> int:
        return self.page.cells[_TOKEN]

    def count(self, *, sent: int = 0, killed: int = 0, changed: int = 0) -> None:
        for place, n in ((_SENT, sent), (_KILLED, killed), (_CHANGED, changed)):
            self.page.cells[self._own + place] += n

    def claimed(self, leases: int, denied: dict[str, int]) -> None:
        self.page.cells[self._own + _IDLE] = 0 if leases else self.page.cells[self._own + _IDLE] + 1
        for code, n in denied.items():
            self.page.cells[self._own + _DENIED + _CODES.index(code)] += n


# -- the processes -----------------------------------------------------------------------------------------------------
def _claims(url: str, folder: Path, seed: int, number: int, life: int, batch: int, ask: Ask) -> None:
    async def work() -> None:
        store = await _opened(url)
        claimer = Claimer(SharedWorld(folder, seed, number), store, number, Judge(builtin()), ask, batch, life)
        await claimer.recover()
        await claimer.run()
        await store.close()

    asyncio.run(work())


def _changes(url: str, folder: Path, seed: int, people: Sequence[Known], pause_s: float) -> None:
    async def work() -> None:
        store = await _opened(url)
        await change(SharedWorld(folder, seed), store, people, pause_s)
        await store.close()

    asyncio.run(work())


def _judges(url: str, first: int, last: int, until: datetime) -> Found:
    async def work() -> Found:
        store = await _opened(url)
        try:
            return await judged_again(store, until, first, last)
        finally:
            await store.close()

    return asyncio.run(work())


async def _opened(url: str) -> PostgresStore:
    """The store, as soon as its server is there."""
    while True:
        try:
            return await PostgresStore.open(url, connections=3)
        except CadenciaError:
            await asyncio.sleep(0.1)


@dataclass
class Found:
    """What the re-check found, in words that pass from one process to another."""

    persons: int = 0
    contacts: int = 0
    raced: int = 0
    by_rule: Counter[str] = field(default_factory=Counter)
    first: list[str] = field(default_factory=list)

    def add(self, part: Found | Report) -> None:
        self.persons += part.persons
        self.contacts += part.contacts
        self.raced += part.raced
        self.by_rule.update(part.by_rule)
        self.first.extend(str(each) for each in part.first[: 5 - len(self.first)])

    def told(self, spent_s: float) -> dict[str, Any]:
        return {
            "contacts": self.contacts,
            "persons": self.persons,
            "rechecked_per_s": round(self.contacts / spent_s, 1),
            "violations": self.by_rule.total(),
            "raced": self.raced,
            "by_rule": dict(self.by_rule),
            "first": self.first,
            "load": os.getloadavg()[0],
        }


async def judged_again(store: Store, until: datetime, first: int = 0, last: int = sys.maxsize) -> Found:
    """Every contact of the persons after one up to another, a few hundred persons at a time."""
    whole, after = Found(), first
    while page := await store.dossiers(START, until, after, 250):
        whole.add(recheck_all((dossier for number, dossier in page if number <= last), START, until))
        after = page[-1][0]
        if after >= last:
            break
    return whole


# -- the parent --------------------------------------------------------------------------------------------------------
class Parent:
    """Starts the processes, leads, lets time go on, kills, and stops the server."""

    def __init__(self, server: EmbeddedPostgres, url: str, folder: Path, seed: int, batch: int, ask: Ask) -> None:
        self._server, self._url, self._folder, self._batch, self._ask = server, url, folder, batch, ask
        self.world = SharedWorld(folder, seed)
        self.dice = random.Random(f"{seed} parent")
        self._context = get_context("forkserver")
        self._context.set_forkserver_preload(["benchmarks.lawful_processes"])
        self._claimers: list[BaseProcess] = []
        self._lives = Counter[int]()
        self.kills = self.restarts = 0

    async def run(self, contacts: int, people: list[Known], pause_s: float, every: int, told: bool) -> None:
        page = self.world.page
        page.cells[_NOW] = (START - _EPOCH) // timedelta(milliseconds=1)
        self._store = await _opened(self._url)
        page.cells[_TOKEN] = await self._store.lead("bench", START)
        changer = self._start(_changes, self._url, self._folder, self.world.seed, people, pause_s)
        self._claimers = [self._claimer(n) for n in range(CLAIMERS)]
        began = time.monotonic()
        due = self._later(0, every)
        shown = 0
        try:
            while (sent := page.total(_SENT)) < contacts:
                await asyncio.sleep(0.03)  # each step waits until nobody does anything
                idle = min(page.cells[_FIRST + n * _OWN + _IDLE] for n in range(CLAIMERS)) > len(CAMPAIGNS)
                await self.world.clock.step(far(self.dice, page.now) if idle else little(self.dice))
                if sent > due:
                    due = self._later(sent, every)
                    await self._trouble()
                for number, process in enumerate([changer, *self._claimers]):
                    if process.exitcode:  # fell over by a fault of its own
                        raise SystemExit(f"process {number} of {CLAIMERS + 1} ended with {process.exitcode}")
                if told and sent - shown >= 20_000:
                    shown = sent
                    rate = sent / (time.monotonic() - began)
                    print(f"{sent} contacts, {rate:.0f}/s, {page.now:%F %T}, {self.kills} kills", file=sys.stderr)
        finally:
            page.cells[_OVER] = 1
            for process in [changer, *self._claimers]:
                process.join(30)
                process.kill()
            self.world.clock.close()
            await self._store.close()

    def _later(self, sent: int, every: int) -> float:
        return sent + self.dice.expovariate(1 / every)

    def _start(self, what: Any, *args: Any) -> BaseProcess:
        process = self._context.Process(target=what, args=args, daemon=True)
        process.start()
        return process

    def _claimer(self, number: int) -> BaseProcess:
        self._lives[number] += 1
        own = (self.world.seed, number, self._lives[number], self._batch, self._ask)
        return self._start(_claims, self._url, self._folder, *own)

    async def _trouble(self) -> None:
        kind = self.dice.random()
        if kind < 0.1:
            await self._restart_server()
        else:
            await self._kill(self.dice.randrange(CLAIMERS), anew=kind > 0.75)

    async def _kill(self, number: int, *, anew: bool) -> None:
        self.world.clock.kill(self._claimers[number])
        self.kills += 1
        try:
            async with self.world.clock.alone():
                await self._quiet()  # what it had sent off may still be committed: at the time it was sent
                if anew:
                    await self._lead()
        finally:
            self.world.clock.open_the_door()
        self._claimers[number] = self._claimer(number)

    async def _quiet(self) -> None:
        async with self._store._engine.connect() as connection:
            await connection.execution_options(isolation_level="AUTOCOMMIT")  # a transaction would see one moment only
            while (await connection.execute(_AT_WORK)).scalar_one():
                await asyncio.sleep(0.005)

    async def _lead(self) -> None:
        self.world.page.cells[_TOKEN] = await self._store.lead("bench", self.world.page.now)

    async def _restart_server(self) -> None:
        self.restarts += 1
        if self.dice.random() < 0.5:
            await asyncio.to_thread(self._server.stop)
        else:
            await asyncio.to_thread(self._crash)
        await asyncio.to_thread(self._server.start)
        while True:
            try:
                await self._lead()
            except CadenciaError:
                await asyncio.sleep(0.1)
            else:
                return

    def _crash(self) -> None:
        """The server ends at once, without a checkpoint."""
        pid = int((self._server.data / "postmaster.pid").read_text().split("\n", 1)[0])
        os.kill(pid, signal.SIGQUIT)
        with suppress(ProcessLookupError):
            while True:
                os.kill(pid, 0)
                time.sleep(0.02)


async def on_postgres(
    server: EmbeddedPostgres, url: str, contacts: int, persons: int, seed: int, folder: Path, *,
    batch: int = 100, ask: Ask = lambda facts: facts, every: int = 2000, pause_s: float = 0.02, told: bool = False,
) -> dict[str, Any]:  # fmt: skip
    """Call with four processes, and judge again with two.

    Args:
        folder: for what the processes share.
        every: the mean of contacts between two kills or restarts.
        pause_s: between two changes.
    """
    store = await PostgresStore.open(url)
    people = await populate(store, seed, persons)
    await store.close()
    parent = Parent(server, url, folder, seed, batch, ask)
    began = time.perf_counter()
    await parent.run(contacts, people, pause_s, every, told)
    spent, began = time.perf_counter() - began, time.perf_counter()
    page = parent.world.page
    numbers = sorted(number for number, *_ in people)
    bounds = [numbers[len(numbers) * n // 8] for n in range(1, 8)]
    shares = zip([0, *bounds], [*bounds, sys.maxsize], strict=True)
    found = Found()
    with get_context("forkserver").Pool(2) as pool:
        until = page.now + timedelta(days=1)
        for part in pool.starmap(_judges, [(url, first, last, until) for first, last in shares]):
            found.add(part)
    denied = {
        code: sum(page.cells[_FIRST + n * _OWN + _DENIED + i] for n in range(CLAIMERS)) for i, code in enumerate(_CODES)
    }
    return {
        "sent": page.total(_SENT),
        "days": (page.now - START).days,
        "kill_9": parent.kills,
        "server_restarts": parent.restarts,
        "cancelled": page.total(_KILLED),
        "changes": page.total(_CHANGED),
        "denied": dict(Counter({code: n for code, n in denied.items() if n}).most_common()),
        "contacts_per_s": round(page.total(_SENT) / spent, 1),
        **found.told(time.perf_counter() - began),
    }
