"""A floor that calls while another system writes to the same persons: all lawful, counted together, in evidence."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from cadencia.compliance.evidence_check import Trust
from cadencia.compliance.judge import Judge
from cadencia.compliance.signing import Key
from cadencia.dialer.nightly import walk
from cadencia.domain.contacts import Became
from cadencia.domain.dialing import CampaignSettings, ContactFacts
from cadencia.domain.law import Allow, Channel, Deny, LookBack, Verdict
from cadencia.domain.ledger import ConsentIn
from cadencia.recheck import Report
from cadencia.store.evidence_export import StoreReport, verify_store
from cadencia.store.memory import MemoryStore
from cadencia.testing.floor import Floor, agent_ids, make_floor
from cadencia.testing.virtual import VirtualLoop, run_virtual

KEY = Key.new()

#: 09:00 in Bogotá, a Tuesday.
MORNING = datetime(2026, 11, 24, 14, 0, tzinfo=UTC)
CHANNELS = (Channel.SMS, Channel.WHATSAPP, Channel.EMAIL, Channel.VOICE)


class Forcing(Judge):
    """Lets every message out; what the gate said is written beside it."""

    def elsewhere(
        self, contact: ContactFacts, settings: CampaignSettings, channel: Channel, e164: str, now: datetime
    ) -> Verdict:
        verdict = super().elsewhere(contact, settings, channel, e164, now)
        return Allow(None, verdict.basis) if isinstance(verdict, Deny) else verdict


async def writes(floor: Floor, persons: list[int], seed: int, counted: Counter[str]) -> None:
    """Another system: a message, a letter or a call by hand every few seconds, and what became of each."""
    people, rng, turn = floor.engine.people, random.Random(seed), 0

    async def tells(contact_id: str, channel: Channel) -> None:
        await asyncio.sleep(rng.uniform(5, 90 if channel is Channel.VOICE else 600))
        became = rng.choice(tuple(Became))
        await people.contact_became(contact_id, became, "", "crm", floor.clock.now())

    async with asyncio.TaskGroup() as telling:
        while (turn := turn + 1) <= 700:
            await asyncio.sleep(rng.uniform(0.2, 4))
            who, channel, now = rng.choice(persons), rng.choice(CHANNELS), floor.clock.now()
            if rng.random() < 0.03:
                await people.contacted_us(who, channel, CampaignSettings().purpose, "INF", f"in{turn}", "crm", now)
                continue
            answer = await people.reserve(who, "c1", channel, None, "", f"m{turn}", "crm", now)
            if isinstance(answer.verdict, Deny):
                counted[str(answer.verdict.code)] += 1
            else:
                counted["allowed"] += 1
                telling.create_task(tells(answer.contact_id, channel))


async def morning(seed: int, *, forcing: bool) -> tuple[Report, Counter[str], MemoryStore]:
    loop = asyncio.get_running_loop()
    assert isinstance(loop, VirtualLoop)
    store = MemoryStore(keep_events=200_000)
    floor = await make_floor(loop.clock(MORNING), agents=6, contacts=300, seed=seed, store=store)
    contacts = await store.contacts("c1", MORNING, LookBack())
    persons = [c.person.id for c in contacts]
    await store.change([ConsentIn(i, True, MORNING - timedelta(days=9)) for i in persons], "ana", MORNING)
    floor.engine.options = replace(floor.engine.options, signer=KEY)
    await floor.engine.start()
    if forcing:
        floor.engine.people.judge = Forcing(floor.engine.judge.profiles)
    await floor.engine.ready_to_dial(10.0)
    floor.start_agents(agent_ids(floor))
    counted: Counter[str] = Counter()
    await writes(floor, persons, seed, counted)
    await floor.engine.stop(drain_s=120, hang_up=True)
    await floor.stop_agents()
    counted["calls"] = (await store.counts("c1")).attempts
    return await walk(store, MORNING - timedelta(days=1), MORNING + timedelta(days=1)), counted, store


@pytest.mark.parametrize("seed", [4, 11])
def test_calls_and_messages_of_a_floor_are_lawful_and_in_evidence(seed: int) -> None:
    async def run() -> None:
        report, counted, store = await morning(seed, forcing=False)
        assert report.violations == 0, report.first[:3]
        assert counted["allowed"] > 150
        assert counted["calls"] > 60
        assert {"BLQ-EN_CURSO", "BLQ-CANAL", "BLQ-ESPERA"} <= set(counted), counted
        assert report.contacts >= counted["allowed"] + 60  # calls that counted as none are forgotten
        faults = [f async for f in verify_store(store, Trust(frozenset({KEY.public})), StoreReport())]
        assert faults == []
        (chain,) = await store.chains()
        tallies = chain.root.read().tallies
        kinds: Counter[str] = Counter()
        async for row in store.chain_rows(chain):
            kinds[row.kind] += 1
        assert kinds["contact.reserved"] == counted["allowed"]
        assert tallies["allows"] == kinds["contact.reserved"] + kinds["attempt.leased"]
        denied = kinds["contact.refused"] + kinds["contact.denied"]
        assert sum(tallies["denials"].values()) == denied > 50

    run_virtual(run())


def test_messages_that_go_out_against_the_gate_are_found() -> None:
    async def run() -> None:
        report, counted, _ = await morning(4, forcing=True)
        assert {"CO-4", "CO-5"} <= set(report.by_rule), report.by_rule
        assert counted["allowed"] > report.violations > 20

    run_virtual(run())
