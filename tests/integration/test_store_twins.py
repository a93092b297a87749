"""The two adapters, side by side: the same random steps leave the same state behind, after each step."""

# ruff: noqa: F811  # fixtures come by import
from __future__ import annotations

import random
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parent))
from store_fixtures import HOUR, MINUTE, NOW, campaign, databases, owed, person, url  # noqa: F401

from cadencia.domain.codes import Denial, Outcome
from cadencia.domain.dialing import (
    CampaignState,
    ContactFacts,
    Disposed,
    Mark,
    Next,
    OpenAttempt,
    Settlement,
)
from cadencia.domain.events import Event
from cadencia.domain.law import Allow, Deny, LookBack, Verdict
from cadencia.domain.people import DebtorFile, LineType, PhoneIn, Role
from cadencia.errors import Refused
from cadencia.store.memory import MemoryStore
from cadencia.store.port import Claim, Store
from cadencia.store.postgres import PostgresStore

pytestmark = pytest.mark.postgres

STEPS = 50
CAMPAIGNS = ("c1", "c2")
BACK = LookBack(240.0, phones=True)


class Twin:
    """One of the two stores, with its ids put into words that both share."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.token = 0
        self.words: dict[int, str] = {}  # contact id -> campaign and document
        self.persons: dict[str, int] = {}
        self._serial = 0

    def new_id(self) -> str:
        self._serial += 1
        return f"att-{self._serial:04d}"

    def file(self, file: DebtorFile) -> Any:
        return (
            replace(file, person_id=0, phones=(), obligations=()),
            [(p.e164, p.position, p.status, p.line_type) for p in file.phones],
            [replace(o, id=0) for o in file.obligations],
        )

    def open(self, attempts: Sequence[OpenAttempt]) -> Any:
        return [
            (
                *(a.attempt_id, a.state, a.agent_id, a.answered_at, a.connected_at, a.leased_at, a.attempts),
                *(a.phone.e164, self.words[a.contact_id], self.file(a.file)),
            )
            for a in attempts
        ]

    def event(self, event: Event) -> Any:
        contact = self.words.get(event.contact_id) if event.contact_id else None
        body = {k: v for k, v in event.body.items() if k not in ("person_id", "consent")}
        return replace(event, contact_id=None, seq=0, body=body), contact

    def facts(self, facts: ContactFacts) -> Any:
        """Without the numbers that a store gives out."""
        person = replace(facts.person, id=0, debts=frozenset(range(len(facts.person.debts))))
        seen = facts.facts
        numbers = {p.id: p.e164 for p in facts.phones}
        touches = [replace(t, phone_id=None, debts=frozenset(range(len(t.debts)))) for t in seen.touches]
        tried = [numbers.get(t.phone_id or 0) for t in seen.touches]
        shared = [(numbers[t.phone_id or 0], replace(t, phone_id=None, debts=frozenset())) for t in seen.shared]
        consents = [replace(c, id=0) for c in seen.consents]
        return person, touches, tried, shared, consents, seen.exclusions, seen.in_flight, facts.attempts, facts.denied

    async def claim(
        self, of: str, limit: int, scan: int, now: datetime, judge: Callable[[ContactFacts], Verdict]
    ) -> Any:
        def judged(facts: ContactFacts) -> Verdict:
            self.words[facts.contact_id] = f"{of}/{facts.phones[0].e164}"
            return judge(facts)

        claimed = await self.store.claim(
            Claim(of, limit, now, self.token, judged, self.new_id, look_back=BACK, scan=scan)
        )
        told: list[Any] = []
        for lease in claimed.leases:
            self.persons[lease.file.doc_number] = lease.facts.person.id
            facts = self.facts(lease.facts)
            tried = next((p.e164 for p in lease.facts.phones if p.id == lease.facts.last_phone_id), None)
            told.append((lease.attempt_id, self.words[lease.contact_id], facts, tried, lease.phone.e164))
            told.append(self.file(lease.file))
        return told, claimed.denied

    async def state(self, after: int) -> Any:
        counts = [await self.store.counts(c, s) for c in CAMPAIGNS for s in (None, NOW + HOUR, NOW + 5 * HOUR)]
        days = [await self.store.days(c, [NOW + n * 7 * HOUR for n in range(8)]) for c in CAMPAIGNS]
        return (
            counts,
            self.open(await self.store.open_attempts()),
            self.open(await self.store.awaiting_disposition()),
            [self.event(e) for e in await self.store.events(after=after)],
            [self.file(await self.store.file(i)) for _, i in sorted(self.persons.items())],
            days,
        )


class Script:
    """Random steps; each is a function that is run on either twin."""

    def __init__(self, rng: random.Random) -> None:
        self.rng = rng
        self.now = NOW
        self.known: list[str] = []  # every attempt there ever was

    def next(self) -> Callable[[Twin], Any]:
        self.now += timedelta(seconds=self.rng.choice((1, 30, 600, 4000, 20_000)))
        makers = (self.load, *(self.claim,) * 7, *(self.send,) * 4, self.back, *(self.mark,) * 2, *(self.settle,) * 4)
        return self.rng.choice((*makers, *(self.dispose,) * 3, self.pause))()

    def some(self, most: int = 6) -> list[str]:
        recent = self.known[-25:]
        return [*self.rng.sample(recent, min(len(recent), self.rng.randint(0, most))), "unknown"]

    def load(self) -> Callable[[Twin], Any]:
        rng, now = self.rng, self.now
        people = []
        for _ in range(rng.randint(1, 12)):
            n = rng.randrange(25)
            role = rng.choice((Role.HOLDER, Role.HOLDER, Role.CODEBTOR, Role.REFERENCE))
            debt = owed(n, days=rng.choice((5, 50)), role=role, balance=rng.choice((100, 200)))
            shared = owed(rng.randrange(25), days=rng.choice((5, 50)), balance=300)
            zone = rng.choice(("America/Bogota", "Europe/Madrid"))
            base = person(n, phones=rng.randint(1, 3), timezone=zone)
            if rng.random() < 0.3:
                house = PhoneIn(f"+5760100000{rng.randrange(10, 14)}", LineType.FIXED, 9)
                base = replace(base, phones=(*base.phones, house))
            people.append(replace(base, obligations=(debt, shared) if rng.random() < 0.3 else (debt,)))
        of = rng.choice(CAMPAIGNS)
        return lambda twin: twin.store.import_people(of, people, now)

    def claim(self) -> Callable[[Twin], Any]:
        rng, now = self.rng, self.now
        of, limit, scan, salt = rng.choice(CAMPAIGNS), rng.randint(1, 8), rng.choice((3, 500)), rng.random()

        def judge(facts: ContactFacts) -> Verdict:
            dice = random.Random(f"{salt}{facts.phones[0].e164}").random()
            if facts.person.blocked or len(facts.facts.touches) >= 6:
                return Deny(Denial.BLOCKED, now + HOUR)
            if dice < 0.2:
                return Deny(Denial.HOURS, now + 3 * MINUTE if dice < 0.15 else None)
            return Allow(facts.phones[int(dice * 100) % len(facts.phones)])

        return lambda twin: twin.claim(of, limit, scan, now, judge)

    def send(self) -> Callable[[Twin], Any]:
        ids, now = self.some(), self.now
        return lambda twin: twin.store.mark_sending(ids, twin.token, now)

    def back(self) -> Callable[[Twin], Any]:
        ids, now = self.some(3), self.now
        due_at = self.rng.choice((None, now + MINUTE))
        return lambda twin: twin.store.give_back(ids, twin.token, "test", now, due_at)

    def mark(self) -> Callable[[Twin], Any]:
        marks = [
            Mark(i, self.rng.choice(("answered", "connected")), self.now, self.rng.choice("ab")) for i in self.some()
        ]
        return lambda twin: twin.store.mark(marks)

    def settle(self) -> Callable[[Twin], Any]:
        rng, now = self.rng, self.now
        told = []
        for i in self.some():
            outcome = rng.choice(list(Outcome))
            talked = outcome is Outcome.CONNECTED
            after = None if talked else rng.choice((Next(None), Next(now + HOUR), Next(now)))
            agent = rng.choice(("a", "b")) if talked else None
            told.append(
                Settlement(
                    *(i, outcome, now, after),
                    charged=rng.random() < 0.8,
                    kill_phone=rng.random() < 0.1,
                    agent_id=agent,
                    answered_at=now if talked else None,
                    cause=rng.choice((None, 17)),
                )
            )
        return lambda twin: twin.store.settle(told, twin.token)

    def dispose(self) -> Callable[[Twin], Any]:
        rng = self.rng
        disposed = Disposed(
            attempt_id=self.some(1)[0],
            agent_id=rng.choice(("a", "b")),
            code=rng.choice(("PPT", "BUZ", "NEQ", "NOC", "VLL")),
            note=str(rng.random()),
            at=self.now,
            next=rng.choice((Next(None), Next(self.now + HOUR))),
            kill_phone=rng.random() < 0.1,
            block_person=rng.random() < 0.1,
            revoke_channel=rng.random() < 0.1,
        )
        return lambda twin: twin.store.dispose(disposed)

    def pause(self) -> Callable[[Twin], Any]:
        of, now = self.rng.choice(CAMPAIGNS), self.now
        state = self.rng.choice((CampaignState.RUNNING, CampaignState.RUNNING, CampaignState.PAUSED))
        return lambda twin: twin.store.set_campaign_state(of, state, "ana", "test", now)


async def run(step: Callable[[Twin], Any], twin: Twin) -> Any:
    try:
        return await step(twin)
    except Refused:
        return "refused"


@pytest.mark.parametrize("seed", range(4))
async def test_the_twins_agree_after_every_step(url: str, seed: int) -> None:
    memory, postgres = Twin(MemoryStore()), Twin(await PostgresStore.open(url, upgrade=False))
    try:
        await compare(memory, postgres, seed)
    finally:
        await postgres.store.close()


async def compare(memory: Twin, postgres: Twin, seed: int) -> None:
    twins = (memory, postgres)
    for twin in twins:
        for name in CAMPAIGNS:
            await twin.store.create_campaign(campaign(name), "ana")
        twin.token = await twin.store.lead("engine-1", NOW)
    script = Script(random.Random(seed))
    seen = [0, 0]
    for number in range(STEPS):
        step = script.load() if number < 4 else script.next()
        results = [await run(step, twin) for twin in twins]
        assert results[0] == results[1], f"seed {seed}, step {number}"
        states = [await twin.state(after) for twin, after in zip(twins, seen, strict=True)]
        for part in range(6):
            assert states[0][part] == states[1][part], f"seed {seed}, step {number}, part {part}"
        script.known += [e.attempt_id for e, _ in states[0][3] if e.kind == "attempt.leased"]
        seen = [last(await t.store.events(after=a), a) for t, a in zip(twins, seen, strict=True)]
    assert len(script.known) > 8


def last(events: Sequence[Event], before: int) -> int:
    return max((e.seq for e in events), default=before)
