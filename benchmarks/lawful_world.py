"""The world of lawful_contacts.py: who is called by which campaign, one that claims, and what people want meanwhile."""

from __future__ import annotations

import asyncio
import itertools
import random
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol
from zoneinfo import ZoneInfo

from cadencia.compliance.judge import Judge
from cadencia.domain.codes import DISPOSITIONS, UNCHARGED, Outcome
from cadencia.domain.dialing import (
    AttemptState,
    Campaign,
    CampaignSettings,
    CampaignState,
    ContactFacts,
    Disposed,
    Lease,
    Mark,
    Next,
    Settlement,
)
from cadencia.domain.law import Allow, Channel, Purpose
from cadencia.domain.ledger import Change, ConsentIn, ExclusionIn, LiftIn, PaymentIn, PreferenceIn
from cadencia.domain.people import LineType, Money, ObligationIn, PersonIn, PhoneIn, Role
from cadencia.errors import CadenciaError, Refused
from cadencia.store.port import Claim, Store

#: A Monday, 06:00 in Bogotá.
START = datetime(2026, 3, 2, 11, 0, tzinfo=UTC)

BOGOTA = ZoneInfo("America/Bogota")
_CO, _STRICT = ("co-ley2300",), ("co-ley2300", "co-estricto")

#: Campaign -> profiles, purpose, caps a day and a week; whose list it calls.
CAMPAIGNS: dict[str, tuple[tuple[str, ...], Purpose, int, int, str]] = {
    "mora": (_CO, Purpose.COLLECTION, 4, 14, "co"),
    "prejuridica": (("co-ley2300",), Purpose.REMINDER, 3, 10, "co"),
    "oferta": (_CO, Purpose.COMMERCIAL, 2, 6, "co"),
    "estricta": (_STRICT, Purpose.COLLECTION, 3, 10, "strict"),
    "chile": (("cl",), Purpose.COLLECTION, 3, 10, "cl"),
    "eeuu": (("us-regf",), Purpose.COLLECTION, 3, 12, "us"),
    "espana": (("es", "mx"), Purpose.COLLECTION, 4, 16, "es"),
    "londres": (("uk",), Purpose.COLLECTION, 4, 16, "uk"),
}
_ZONES: dict[str, tuple[tuple[str, ...], ...]] = {
    "co": (("America/Bogota",),) * 8 + (("Europe/Madrid",), ("America/Bogota", "America/New_York")),
    "strict": (("America/Bogota",),),
    "cl": (("America/Santiago",), ("America/Santiago", "Pacific/Easter")),
    "us": (("America/New_York",), ("America/New_York", "America/Los_Angeles")),
    "es": (("Europe/Madrid",), ("Atlantic/Canary",)),
    "uk": (("Europe/London",),),
}
_SHARE = (("co", 0.7), ("strict", 0.02), ("cl", 0.03), ("us", 0.1), ("es", 0.05), ("uk", 0.1))
_OUTCOMES = (
    (Outcome.NO_ANSWER,) * 8
    + (Outcome.BUSY, Outcome.OFF, Outcome.REJECTED, Outcome.CONGESTION, Outcome.TRUNK, Outcome.ABANDONED)
    + (Outcome.MACHINE, Outcome.HUNG_UP, Outcome.CANCELLED)
    + (Outcome.CONNECTED,) * 2
)
_LONGEST = timedelta(hours=1)
_CODES = tuple(DISPOSITIONS)

Ask = Callable[[ContactFacts], ContactFacts]


class Clock(Protocol):
    """Virtual time. It stands while something is being done: between looking at the clock and the commit lie
    milliseconds, and never hours."""

    def still(self) -> AbstractAsyncContextManager[datetime]:
        """The time, which stands until the end of the block. No two blocks have the same."""
        ...

    async def step(self, by: timedelta) -> None:
        """Go on, when nobody does anything."""
        ...


class World(Protocol):
    """What those who claim share."""

    seed: int
    clock: Clock

    @property
    def done(self) -> bool: ...

    @property
    def token(self) -> int:
        """The leader's fencing token; all claim under it."""
        ...

    def count(self, *, sent: int = 0, killed: int = 0, changed: int = 0) -> None: ...

    def claimed(self, leases: int, denied: dict[str, int]) -> None: ...


class TaskClock:
    """The clock of tasks of one loop."""

    def __init__(self) -> None:
        self.now = START
        self._busy, self._free, self._stepping = 0, asyncio.Condition(), False

    @asynccontextmanager
    async def still(self) -> AsyncIterator[datetime]:
        async with self._free:
            await self._free.wait_for(lambda: not self._stepping)
            self._busy += 1
            self.now += timedelta(milliseconds=1)
            now = self.now
        try:
            yield now
        finally:
            self._busy -= 1
            if not self._busy:
                async with self._free:
                    self._free.notify_all()

    async def step(self, by: timedelta) -> None:
        async with self._free:
            self._stepping = True
            await self._free.wait_for(lambda: not self._busy)
            self.now += by
            self._stepping = False
            self._free.notify_all()


def little(dice: random.Random) -> timedelta:
    """How far time goes on while there is work."""
    return timedelta(seconds=dice.choice((1, 5, 30, 60, 300)))


def far(dice: random.Random, now: datetime) -> timedelta:
    """How far it goes on when there is none: some minutes, or to an edge, half a minute around an hour's beginning."""
    if dice.random() < 0.5:
        return timedelta(minutes=dice.choice((5, 10, 20, 40)))
    there = now.astimezone(BOGOTA)
    edge = there.replace(minute=0, second=0, microsecond=0) + timedelta(hours=dice.choice((1, 1, 2)))
    return max(timedelta(seconds=1), edge + timedelta(seconds=dice.randrange(-35, 5)) - there)


def settings_of(name: str) -> CampaignSettings:
    profiles, purpose, per_day, per_week, _ = CAMPAIGNS[name]
    return CampaignSettings(profiles=profiles, purpose=purpose, attempts_per_day=per_day, attempts_per_week=per_week)


#: Id, obligation and number of somebody.
Known = tuple[int, str, str]


async def populate(store: Store, seed: int, persons: int) -> list[Known]:
    """Persons on the lists of one country each, with telephones, a debt and mostly an authorisation."""
    dice, people = random.Random(seed), list[Known]()
    for name in CAMPAIGNS:
        campaign = Campaign(name, name, CampaignState.RUNNING, settings_of(name), START)
        await store.create_campaign(campaign, "bench")
    lists: dict[str, list[PersonIn]] = {key: [] for key, _ in _SHARE}
    for number in range(persons):
        key = dice.choices([k for k, _ in _SHARE], [w for _, w in _SHARE])[0]
        lists[key].append(_person(dice, number, key, len(lists[key])))
    for name, (*_, key) in CAMPAIGNS.items():
        for first in range(0, len(lists[key]), 1000):
            await store.import_people(name, lists[key][first : first + 1000], START)
    for row in (row for rows in lists.values() for row in rows):
        number = await store.person_id(row.doc_type, row.doc_number)
        people.append((number, row.obligations[0].number, row.phones[0].e164))
    await store.load_register("rne", [p[2] for p in people if dice.random() < 0.1], "bench", "bench", START)
    return people


def _person(dice: random.Random, number: int, key: str, place: int) -> PersonIn:
    """Somebody; in Britain two of three share a telephone with the next on the list, and some have no other."""
    zones = dice.choice(_ZONES[key])
    phones = tuple(
        PhoneIn(f"+57300{number:06d}{n}", LineType.MOBILE, n) for n in range(1 if dice.random() < 0.5 else 2)
    )
    if key == "uk" and place % 3:
        house = PhoneIn(f"+57601{place // 3:07d}", LineType.FIXED, 5)
        phones = (house,) if dice.random() < 0.5 else (*phones, house)
    role = dice.choice((Role.HOLDER,) * 9 + (Role.CODEBTOR,))
    owed = ObligationIn(
        f"OB-{number}", "Banco", "Tarjeta", Money(1_000_000, "COP"), Money(100_000, "COP"), number % 90, None, role
    )
    given = START - timedelta(days=dice.randrange(1, 400)) if dice.random() < 0.95 else None
    return PersonIn(
        "CC", str(10_000_000 + number), f"N {number}", "Bogotá", "es", zones[0], given, phones, (owed,), zones[1:],
        START - timedelta(days=500) if dice.random() < 0.5 else None,
    )  # fmt: skip


class Claimer:
    """One that claims, sends and settles; it may be killed at any of its waits, and then comes another in its place."""

    def __init__(
        self, world: World, store: Store, number: int, judge: Judge, ask: Ask, batch: int, life: int = 0
    ) -> None:
        self._w, self._store, self._judge, self._ask, self._batch = world, store, judge, ask, batch
        self._dice = random.Random(f"{world.seed} {number} {life}")
        self._ids = (f"w{number}-{life}-{n}" for n in itertools.count())
        self.prefix = f"w{number}-"
        self._talks: list[tuple[str, str]] = []

    async def run(self) -> None:
        while not self._w.done:
            work: asyncio.Task[None] = asyncio.create_task(self._round())
            if self._dice.random() < 0.03:
                for _ in range(self._dice.randrange(1, 60)):
                    await asyncio.sleep(0)
                if self._dice.random() < 0.5:
                    await asyncio.sleep(self._dice.random() * 0.03)
                work.cancel()
            with suppress(asyncio.CancelledError, CadenciaError):
                await work
            if work.cancelled() or work.exception() is not None:
                self._w.count(killed=1)
                await self.recover()

    async def recover(self) -> None:
        """Take over, as soon as the store lets it."""
        while not self._w.done:
            try:
                await self._take_over()
            except CadenciaError:
                await asyncio.sleep(0.05)
            else:
                return

    async def _take_over(self) -> None:
        """As an engine does that comes after another one: see `cadencia.dialer.recovery`."""
        async with self._w.clock.still() as now:
            left = [a for a in await self._store.open_attempts() if a.attempt_id.startswith(self.prefix)]
            leased = [a.attempt_id for a in left if a.state is AttemptState.LEASED]
            await self._store.give_back(leased, self._w.token, "engine restarted", now)
            sent = [a.attempt_id for a in left if a.state is AttemptState.SENDING]
            lost = [Settlement(a, Outcome.UNKNOWN, now, Next(now + timedelta(minutes=30))) for a in sent]
            await self._store.settle(lost, self._w.token)

    async def _round(self) -> None:
        name = self._dice.choice(list(CAMPAIGNS)) if self._dice.random() < 0.5 else "mora"
        settings = settings_of(name)
        leases = await self._claim(name, settings)
        await self._between()
        sent, at = await self._send(leases, settings)
        await self._between()
        await self._settle(sent, at)
        await self._talk()
        if not leases:
            await asyncio.sleep(0)

    async def _between(self) -> None:
        if self._dice.random() < 0.15:
            await self._w.clock.step(little(self._dice))

    async def _claim(self, name: str, settings: CampaignSettings) -> tuple[Lease, ...]:
        async with self._w.clock.still() as now:
            claimed = await self._store.claim(
                Claim(
                    name,
                    self._batch,
                    now,
                    self._w.token,
                    lambda facts: self._judge.recorded(self._ask(facts), settings, now),
                    lambda: next(self._ids),
                    settings.purpose,
                    self._judge.stack(settings).look_back,
                )
            )
        self._w.claimed(len(claimed.leases), {str(code): n for code, n in claimed.denied.items()})
        return claimed.leases

    async def _send(self, leases: Sequence[Lease], settings: CampaignSettings) -> tuple[list[str], datetime]:
        """Asked once more at the instant of dialling, as the engine does; what was sent, and when."""
        async with self._w.clock.still() as now:
            verdicts = [(x, self._judge.verdict(self._ask(x.facts), settings, now)) for x in leases]
            good = [x.attempt_id for x, v in verdicts if isinstance(v, Allow)]
            sent = await self._store.mark_sending(good, self._w.token, now) if good else frozenset()
            self._w.count(sent=len(sent))
            back = [x.attempt_id for x in leases if x.attempt_id not in sent]
            if back:
                await self._store.give_back(back, self._w.token, "overtaken", now, now + timedelta(minutes=10))
        return [x.attempt_id for x in leases if x.attempt_id in sent], now

    async def _settle(self, sent: list[str], at: datetime) -> None:
        if not sent:
            return
        ends = []
        async with self._w.clock.still() as now:
            for attempt in sent:
                outcome = self._dice.choice(_OUTCOMES)
                if now - at > _LONGEST and outcome in (Outcome.ABANDONED, Outcome.MACHINE):
                    outcome = Outcome.NO_ANSWER  # the clock went on by hours, and no such call lasts that long
                then = Next(now + timedelta(minutes=self._dice.choice((2, 20, 60, 120, 300))))
                if outcome is Outcome.CONNECTED:
                    self._talks.append((attempt, f"agent-{self.prefix}"))
                    ends.append(
                        Settlement(attempt, outcome, now, None, agent_id=f"agent-{self.prefix}", answered_at=now,
                                   connected_at=now)
                    )  # fmt: skip
                else:
                    ends.append(Settlement(attempt, outcome, now, then, charged=outcome not in UNCHARGED))
            await self._store.mark([Mark(e.attempt_id, "answered", now) for e in ends if e.answered_at])
            await self._store.settle(ends, self._w.token)

    async def _talk(self) -> None:
        """Some agents choose late, some choose again."""
        while self._talks and self._dice.random() < 0.8:
            attempt, agent = self._talks.pop(0)
            code = self._dice.choice(_CODES)
            leaf = DISPOSITIONS[code]
            if (leaf.blocks_person or leaf.revokes_channel or leaf.kills_phone) and self._dice.random() < 0.7:
                code = "SCP"
                leaf = DISPOSITIONS[code]
            async with self._w.clock.still() as now:
                told = Disposed(
                    attempt, agent, code, "", now, Next(now + timedelta(hours=self._dice.choice((1, 5, 20)))),
                    kill_phone=leaf.kills_phone, block_person=leaf.blocks_person, revoke_channel=leaf.revokes_channel,
                )  # fmt: skip
                with suppress(Refused):
                    await self._store.dispose(told)


async def change(world: World, store: Store, people: Sequence[Known], pause_s: float, life: int = 0) -> None:
    """What persons want and pay, committed while they are called."""
    dice = random.Random(f"{world.seed} changes {life}")
    while not world.done:
        with suppress(CadenciaError):
            async with world.clock.still() as now:
                world.count(changed=await store.change([_change(dice, people, now)], "bench", now))
        await asyncio.sleep(pause_s)


def _change(dice: random.Random, people: Sequence[Known], now: datetime) -> Change:
    person, number, e164 = dice.choice(people)
    at = now - timedelta(hours=dice.choice((0, 0, 1, 30)))
    channel = dice.choice((None, Channel.VOICE, Channel.SMS))
    purpose = dice.choice((None, None, Purpose.COLLECTION, Purpose.COMMERCIAL))
    kind = dice.random()
    if kind < 0.2:
        return ConsentIn(person, False, at, channel, purpose)
    if kind < 0.55:
        until = now + timedelta(days=dice.randrange(1, 20)) if dice.random() < 0.1 else None
        return ConsentIn(person, True, at, channel, purpose, until)
    if kind < 0.65:
        morning: Any = (((480, 600), (840, 1080)),) * 6 + ((),)
        return PreferenceIn(person, at, morning)
    if kind < 0.72:
        return ExclusionIn("house", now, person, until=now + timedelta(days=5) if dice.random() < 0.7 else None)
    if kind < 0.76:
        return ExclusionIn("rne", now, e164=e164)
    if kind < 0.8:
        return ExclusionIn("house", now, e164=e164, until=now + timedelta(days=3))
    if kind < 0.9:
        return LiftIn(dice.choice(("house", "DIS", "PQR", "ABG", "FRD")), now, person)
    return PaymentIn("Banco", number, at, Money(dice.choice((10_000, 20_000, 100_000)), "COP"), str(dice.random()))
