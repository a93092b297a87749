"""What is explained of a list is what the engine does with it: every contact, both ways, on the embedded PostgreSQL.

    python benchmarks/explain.py [--contacts 100000] [--seed 1] [--json]

A list of made-up people in several zones and roles, some without authorisation; revocations, exclusions, payments and
wishes; attempts of earlier days with all kinds of ends. Then the whole list is explained at one instant, and claimed at
that instant to its end, as the engine does. Bound: not one difference in yes or no, code, rule and next lawful instant.
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
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from cadencia.compliance.judge import Judge
from cadencia.config.profiles import builtin
from cadencia.domain.codes import Outcome
from cadencia.domain.dialing import Campaign, CampaignSettings, CampaignState, ContactFacts, Next, Settlement
from cadencia.domain.law import Allow, LookBack, Verdict
from cadencia.domain.ledger import Change, ConsentIn, ExclusionIn, PaymentIn, PreferenceIn
from cadencia.domain.people import LineType, Money, ObligationIn, PersonIn, PhoneIn, Role
from cadencia.store.embedded import EmbeddedPostgres
from cadencia.store.port import Claim, Store
from cadencia.store.postgres import PostgresStore

#: A Tuesday, 09:00 in Bogotá.
NOW = datetime(2026, 11, 24, 14, 0, tzinfo=UTC)
ZONES = ("America/Bogota",) * 6 + ("Europe/Madrid", "America/New_York", "America/Santiago", "Nowhere/Land")
ROLES = (Role.HOLDER,) * 6 + (Role.CODEBTOR, Role.GUARANTOR)
ENDS = (Outcome.NO_ANSWER,) * 4 + (Outcome.BUSY, Outcome.CONNECTED, Outcome.ABANDONED, Outcome.CONGESTION)
_PAGE = 1000


def people(rng: random.Random, number: int) -> list[PersonIn]:
    return [
        PersonIn(
            *("CC", str(10**7 + n), f"Persona {n}", "Bogotá", "es", rng.choice(ZONES)),
            NOW - timedelta(days=rng.randint(30, 300)) if rng.random() < 0.9 else None,
            tuple(PhoneIn(f"+57300{n:07d}"[:-1] + str(k), LineType.MOBILE, k) for k in range(rng.choice((0, 1, 1, 2)))),
            (
                ObligationIn(
                    f"OB-{n}", "Banco", "Tarjeta", Money(10**7, "COP"), Money(10**6, "COP"), rng.randint(1, 300), None,
                    rng.choice(ROLES),
                ),
            ),
        )
        for n in range(number)
    ]  # fmt: skip


def changes(rng: random.Random, contacts: list[ContactFacts]) -> list[Change]:
    found: list[Change] = []
    for contact in contacts:
        who, at = contact.person.id, NOW - timedelta(hours=rng.randint(1, 200))
        dice = rng.random()
        if dice < 0.03:
            found.append(ConsentIn(who, False, at, how="api"))
        elif dice < 0.05:
            found.append(ExclusionIn("house", at, who))
        elif dice < 0.07 and contact.phones:
            found.append(ExclusionIn("house", at, e164=contact.phones[0].e164))
        elif dice < 0.10:
            found.append(PreferenceIn(who, at, (((10 * 60, 12 * 60),),) * 7, how="call"))  # type: ignore[arg-type]
    return found


async def run(store: Store, number: int, seed: int) -> dict[str, Any]:
    """Explain a list and claim it; what was compared, and how many differ."""
    rng, settings, judge, ids = random.Random(seed), CampaignSettings(), Judge(builtin()), itertools.count()
    look_back = judge.stack(settings).look_back
    began = time.perf_counter()
    await store.create_campaign(Campaign("c1", "C", CampaignState.RUNNING, settings, NOW), "bench")
    crowd = people(rng, number)
    for start in range(0, number, _PAGE):
        await store.import_people("c1", crowd[start : start + _PAGE], NOW - timedelta(days=9))
    token = await store.lead("bench", NOW)
    done: dict[int, Verdict] = {}

    async def claims(at: datetime, share: float) -> int:
        """Claim what is due, and send and end it; how many were leased."""
        leased = 0

        def ask(contact: ContactFacts) -> Verdict:
            verdict = judge.verdict(contact, settings, at)
            done.setdefault(contact.contact_id, verdict)  # after its call somebody is another matter
            return verdict

        for _ in range(int(share * number / 200) + 1):
            claim = Claim("c1", 200, at, token, ask, lambda: f"e-{next(ids)}", look_back=look_back, scan=5000)
            claimed = await store.claim(claim)
            attempts = [lease.attempt_id for lease in claimed.leases]
            leased += len(attempts)
            if not attempts and not claimed.denied:
                break
            await store.mark_sending(attempts, token, at)
            ends = [(a, rng.choice(ENDS)) for a in attempts]
            told = [
                Settlement(
                    *(a, o, at + timedelta(seconds=30), Next(NOW - timedelta(hours=1))),
                    charged=o is not Outcome.CONGESTION,
                    agent_id="a1" if o is Outcome.CONNECTED else None,
                    connected_at=at if o is Outcome.CONNECTED else None,
                )
                for a, o in ends
            ]
            await store.settle(told, token)
        return leased

    earlier = 0
    for days in (6, 4, 1):
        earlier += await claims(NOW - timedelta(days=days, minutes=-15), 0.3)
    written, after = 0, 0
    while page := await store.contacts("c1", NOW, LookBack(), after, _PAGE):
        written += await store.change(changes(rng, list(page)), "bench", NOW)
        after = page[-1].contact_id
    paid = [PaymentIn("Banco", f"OB-{n}", NOW, Money(10**6, "COP"), "R") for n in range(0, number, 37)]
    for start in range(0, len(paid), _PAGE):
        written += await store.change(paid[start : start + _PAGE], "bank", NOW)
    at, explained, after = NOW + timedelta(hours=1), {}, 0
    walk = time.perf_counter()
    while page := await store.contacts("c1", at, look_back, after, _PAGE):
        explained |= {c.contact_id: judge.verdict(c, settings, at) for c in page}
        after = page[-1].contact_id
    walk = time.perf_counter() - walk
    done.clear()
    await claims(at, 3.0)
    differ = [i for i, verdict in done.items() if explained[i] != verdict]
    codes = Counter("callable" if isinstance(v, Allow) else str(v.code) for v in done.values())
    return {
        "contacts": len(explained),
        "compared": len(done),
        "differences": len(differ),
        "earlier_attempts": earlier,
        "changes": written,
        "codes": dict(codes.most_common()),
        "explained_per_s": round(len(explained) / walk),
        "seconds": round(time.perf_counter() - began, 1),
        "load": os.getloadavg()[0],
    }


async def on_postgres(url: str, number: int, seed: int) -> dict[str, Any]:
    store = await PostgresStore.open(url)
    try:
        return await run(store, number, seed)
    finally:
        await store.close()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--contacts", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="cadencia-explain-"))
    folder.chmod(0o711)
    server = EmbeddedPostgres(folder / "pg")
    try:
        told = asyncio.run(on_postgres(server.start(), args.contacts, args.seed))
    finally:
        server.stop()
        shutil.rmtree(folder)
    print(json.dumps(told, indent=None if args.json else 2))
    return 0 if told["differences"] == 0 and told["compared"] > 0 else 1


if __name__ == "__main__":
    sys.exit(main())
