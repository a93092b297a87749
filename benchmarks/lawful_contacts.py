"""A million contacts, each judged a second time by laws that share nothing with the gate: not one may be unlawful.

    python benchmarks/lawful_contacts.py [--contacts 1000000] [--persons N] [--seed 1] [--batch 100] [--every 2000]
                                         [--memory] [--spoilt] [--quick] [--json]

Four claimers, each a process with a store of its own, work on one embedded PostgreSQL under one leadership, over
campaigns with different profiles, purposes and zones. A clock goes on in random steps over weeks, mostly to an edge of
the hours. Meanwhile authorisations, revocations, wishes, exclusions, registers and payments are committed, and agents
dispose late. Every 2000 contacts in the mean (`--every`) a claimer is killed (SIGKILL) at any instant, or the server is
stopped or crashed; what was left is taken over as an engine takes over: leases given back, what was sent settled as
unknown. In the end the store tells its dossiers, a few hundred persons at a time, and `cadencia.recheck` judges them.

`--memory` runs four tasks on the twin in memory, cancelled at any of their waits. `--spoilt` hides from the gate what
was contacted before: the re-check has to find it. Ends with 1 if a violation was found, or, spoilt, none.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import shutil
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Coroutine, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.lawful_processes import CLAIMERS, judged_again, on_postgres
from benchmarks.lawful_world import CAMPAIGNS, START, Ask, Claimer, TaskClock, change, far, little, populate
from cadencia.compliance.judge import Judge
from cadencia.config.profiles import builtin
from cadencia.domain.dialing import ContactFacts
from cadencia.store.embedded import EmbeddedPostgres
from cadencia.store.memory import MemoryStore
from cadencia.store.port import Store

__all__ = ["CAMPAIGNS", "on_memory", "on_postgres"]


@dataclass
class TaskWorld:
    """What claimers in one process share."""

    seed: int
    wanted: int
    token: int
    clock: TaskClock = field(default_factory=TaskClock)
    sent: int = 0
    killed: int = 0
    changed: int = 0
    idle: int = 0
    denied: Counter[str] = field(default_factory=Counter)

    @property
    def done(self) -> bool:
        return self.sent >= self.wanted

    def count(self, *, sent: int = 0, killed: int = 0, changed: int = 0) -> None:
        self.sent, self.killed, self.changed = self.sent + sent, self.killed + killed, self.changed + changed

    def claimed(self, leases: int, denied: dict[str, int]) -> None:
        self.idle = 0 if leases else self.idle + 1
        self.denied.update(denied)


async def _tick(world: TaskWorld) -> None:
    """Time goes on."""
    dice = random.Random(world.seed + 1)
    while not world.done:
        await asyncio.sleep(0.002)
        await world.clock.step(far(dice, world.clock.now) if world.idle > len(CAMPAIGNS) else little(dice))


async def on_memory(
    contacts: int, persons: int, seed: int, *, ask: Ask = lambda facts: facts, batch: int = 40
) -> dict[str, Any]:
    """Call, and judge again. `ask` may spoil what the judge sees: what a gate without some rule would let pass."""
    root = MemoryStore(keep_events=0)
    stores: Sequence[Store] = [root, *(root.another() for _ in range(CLAIMERS - 1))]
    people = await populate(root, seed, persons)
    world = TaskWorld(seed, contacts, await root.lead("bench", START))
    judge, began = Judge(builtin()), time.perf_counter()
    claimers = [Claimer(world, store, n, judge, ask, batch) for n, store in enumerate(stores)]
    work: list[Coroutine[Any, Any, None]] = [c.run() for c in claimers]
    await asyncio.gather(*work, change(world, root, people, 0.002), _tick(world))
    spent, began = time.perf_counter() - began, time.perf_counter()
    found = await judged_again(root, world.clock.now + timedelta(days=1))
    return {
        "sent": world.sent,
        "days": (world.clock.now - START).days,
        "cancelled": world.killed,
        "changes": world.changed,
        "denied": dict(world.denied.most_common()),
        "contacts_per_s": round(world.sent / spent, 1),
        **found.told(time.perf_counter() - began),
    }


def forgetful(seen: ContactFacts) -> ContactFacts:
    """Sees nobody's contacts: as if none were reserved, or the rules that count them were gone."""
    return replace(seen, facts=replace(seen.facts, touches=()))


def honest(seen: ContactFacts) -> ContactFacts:
    """Sees what there is."""
    return seen


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--contacts", type=int, default=1_000_000)
    parser.add_argument("--persons", type=int, default=0, help="a fortieth of the contacts unless told")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--batch", type=int, default=100, help="how many a claim asks for")
    parser.add_argument("--every", type=int, default=2000, help="contacts between two kills or restarts, in the mean")
    parser.add_argument("--memory", action="store_true")
    parser.add_argument("--spoilt", action="store_true", help="a gate with a hole: violations have to be found")
    parser.add_argument("--quick", action="store_true", help="20,000 contacts")
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()
    if args.quick:
        args.contacts = 20_000
    persons = args.persons or max(400, args.contacts // 40)
    # Named from the module and not from this script, which other processes do not run.
    from benchmarks import lawful_contacts

    ask = lawful_contacts.forgetful if args.spoilt else lawful_contacts.honest
    if args.memory:
        told = asyncio.run(on_memory(args.contacts, persons, args.seed, ask=ask))
    else:
        folder = Path(tempfile.mkdtemp(prefix="cadencia-lawful-"))
        folder.chmod(0o711)
        server = EmbeddedPostgres(folder / "pg", {"fsync": "off"})
        try:
            url = server.start()
            run = on_postgres(
                server, url, args.contacts, persons, args.seed, folder, batch=args.batch, ask=ask, every=args.every,
                told=True,
            )  # fmt: skip
            told = asyncio.run(run)
        finally:
            server.stop()
            shutil.rmtree(folder)
    told = {"store": "memory" if args.memory else "postgresql", **told}
    print(json.dumps(told, indent=None if args.json else 2))
    raise SystemExit(int((told["violations"] > 0) != args.spoilt))


if __name__ == "__main__":
    main()
