"""The main job on a real Asterisk: a portfolio, a trunk, twelve nailed-up telephones, the real store and engine."""

from __future__ import annotations

import asyncio
import hashlib
import itertools
import random
import sys
import time
from collections import Counter
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from store_fixtures import throwaway

from cadencia.clock import Anchor, SimulatedClock
from cadencia.dialer.context import Options
from cadencia.dialer.engine import Engine
from cadencia.dialer.tally import DoubleLeases, Tally, percentile
from cadencia.domain.agents import Agent, AgentState
from cadencia.domain.codes import Outcome
from cadencia.domain.dialing import Campaign, CampaignSettings, CampaignState, Mode
from cadencia.metrics.prometheus import Metrics
from cadencia.portfolio.importer import import_file
from cadencia.store.postgres import PostgresStore
from cadencia.telephony.asterisk import Installation, Lab, Waits
from cadencia.testing.agents import DeskPort, view_of
from cadencia.testing.checker import RecordingStore
from cadencia.testing.floor import lab_server
from cadencia.testing.portfolio import make_portfolio
from cadencia.testing.sip import (
    BUSY,
    CONGESTION,
    EARLY_MEDIA,
    HANGS_UP_AT_ANSWER,
    HUMAN,
    INVALID,
    NO_ANSWER,
    Behaviour,
    Carrier,
    Phones,
)
from cadencia.testing.virtual import TUESDAY_0900_BOGOTA

pytestmark = [pytest.mark.asterisk, pytest.mark.postgres]

CONTACTS, AGENTS = 400, 12

#: The trunk's mix: behaviour, share, and the outcome we must write down.
MIX: tuple[tuple[Behaviour, int, set[Outcome]], ...] = (
    (HUMAN.but(leaves_after_voice_s=1.2), 50, {Outcome.CONNECTED, Outcome.ABANDONED, Outcome.ABANDONED_MESSAGE}),
    (NO_ANSWER, 12, {Outcome.NO_ANSWER}),
    (BUSY, 11, {Outcome.BUSY}),
    (INVALID, 10, {Outcome.NOT_IN_SERVICE}),
    (CONGESTION, 5, {Outcome.CONGESTION}),
    (HANGS_UP_AT_ANSWER, 7, {Outcome.HUNG_UP}),
    (EARLY_MEDIA, 5, {Outcome.OFF}),
)
EXPECTED = {behaviour.outcome: outcomes for behaviour, _, outcomes in MIX}


def behaviour(number: str) -> Behaviour:
    """What a number does: always the same, spread by its digest."""
    rng = random.Random(hashlib.sha256(number.encode()).digest())
    chosen = rng.choices([b for b, _, _ in MIX], [share for _, share, _ in MIX])[0]
    return chosen.but(ring_s=rng.uniform(0.1, 0.8)) if chosen.rings else chosen


async def agent(engine: Engine, agent_id: str) -> None:
    """Signs in, is always ready, and files every call at once."""
    port = DeskPort(engine, agent_id)
    done: set[str] = set()
    async for _, _, message in engine.hub.listen([f"agent/{agent_id}"]):
        view = view_of(message)
        if view.state == AgentState.OUT:
            await port.act("sign-in", {})
        elif view.state == AgentState.PAUSED:
            await port.act("ready", {})
        elif view.state == AgentState.WRAPUP and view.pop and view.pop.attempt_id not in done:
            done.add(view.pop.attempt_id)
            filed = {"attempt_id": view.pop.attempt_id, "code": "REN", "note": "", "promise": None}
            await port.act("disposition", filed)


async def test_four_hundred_contacts_through_a_real_asterisk(
    asterisk_installation: Installation, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    portfolio = tmp_path / "cartera.csv"
    make_portfolio(portfolio, CONTACTS, seed=21, clean=True)
    assert b";" in portfolio.read_bytes()
    with pytest.raises(UnicodeDecodeError):
        portfolio.read_text("utf-8")
    clock = SimulatedClock(Anchor(TUESDAY_0900_BOGOTA, time.monotonic(), 1.0))
    with throwaway() as server:
        real = await PostgresStore.open(await asyncio.to_thread(server.start))
        store = RecordingStore(real)
        async with Lab(asterisk_installation, agents=AGENTS, waits=Waits(wait_s=2)) as lab:
            secrets = {phone.name: phone.secret for phone in lab.plan.agents}
            async with Carrier(lab.trunk_ports[0], behaviour) as carrier, Phones(lab.sip_port, secrets) as phones:
                await phones.register()
                for name in secrets:
                    await store.save_agent(Agent(name, f"Agente {name}", name))
                settings = CampaignSettings(
                    mode=Mode.PROGRESSIVE, ring_s=4, min_ring_s=0, wrapup_s=30, trunk=lab.plan.trunks[0].name
                )
                campaign = Campaign("c1", "Prueba", CampaignState.RUNNING, settings, clock.now())
                await store.create_campaign(campaign, "test")
                report = await import_file(store, "c1", portfolio, clock.now())
                assert report.imported.contacts == CONTACTS
                assert not report.portfolio.rejected
                tally = Tally(Metrics())
                server = lab_server(lab, channels=60, rate_per_s=30.0)
                engine = Engine(store, clock, [server], Options(holder="test"), tally, rng=random.Random(1))
                await engine.start()
                await engine.ready_to_dial(10)
                desks = [asyncio.create_task(agent(engine, name)) for name in secrets]
                async with asyncio.timeout(150):
                    while len(store.settled) < CONTACTS or engine.calls.live:
                        await asyncio.sleep(0.1)
                    await asyncio.sleep(0.5)
                wrapping = [s for s in engine.staff.seats.values() if s.state is not AgentState.READY]
                await engine.stop()
                for desk in desks:
                    desk.cancel()
                await asyncio.gather(*desks, return_exceptions=True)
                assert not wrapping
                _agree(store, carrier)
                voice_ms = _sound(store, carrier, phones, list(secrets))
                counts = await store.counts("c1")
                doubles = DoubleLeases()
                for event in await store.events(limit=100_000):
                    doubles.take(event)
        await real.close()
    assert counts.attempts == CONTACTS
    assert counts.unaccounted == 0
    assert doubles.count == 0
    assert tally.bridged_ms
    with capsys.disabled():
        print(
            f"\nreal Asterisk: {counts.attempts} attempts, {counts.connected} connected, {counts.abandoned} abandoned;"
            f" answer to voice p50 {percentile(voice_ms, 0.5):.1f} ms, p99 {percentile(voice_ms, 0.99):.1f} ms"
        )


def _agree(store: RecordingStore, carrier: Carrier) -> None:
    """The peer's own log of calls and our attempts, call by call."""
    assert len(store.sending) == CONTACTS
    assert all(times == 1 for times in store.sending.values())
    assert set(store.settled) == set(store.sending)
    assert not store.again
    ours = {
        lease.phone.e164.lstrip("+"): attempt for attempt, lease in store.leases.items() if attempt in store.sending
    }
    theirs = Counter(call.number for call in carrier.calls)
    assert theirs == Counter(list(ours))
    for call in carrier.calls:
        written = store.settled[ours[call.number]].outcome
        assert written in EXPECTED[call.outcome], f"the trunk says {call.outcome}, we wrote {written}"


def _sound(store: RecordingStore, carrier: Carrier, phones: Phones, names: list[str]) -> list[float]:
    """Both ways in every connected call, one debtor at a time for every agent; answer to voice, milliseconds."""
    by_number = {call.number: call for call in carrier.calls}
    voice_ms: list[float] = []
    spans: dict[str, list[tuple[float, float, str]]] = {name: [] for name in names}
    for attempt, settlement in store.settled.items():
        if settlement.outcome is not Outcome.CONNECTED:
            continue
        call = by_number[store.leases[attempt].phone.e164.lstrip("+")]
        assert call.heard("agent", 0.3), f"{attempt}: the debtor did not hear the agent"
        assert call.t_first_voice is not None
        assert call.t_answered is not None
        assert call.t_end is not None
        assert settlement.agent_id is not None
        voice_ms.append((call.t_first_voice - call.t_answered) * 1000.0)
        spans[settlement.agent_id].append((call.t_first_voice, call.t_end, attempt))
    for name, talks in spans.items():
        heard = phones.leg(name).voice_intervals
        talks.sort()
        for (_, end, _), (begin, _, attempt) in itertools.pairwise(talks):
            assert end <= begin + 0.02, f"{attempt}: {name} had two debtors at once"
        for begin, end, attempt in talks:
            overlap = sum(max(0.0, min(end, b) - max(begin, a)) for a, b in heard)
            assert overlap > 0.3, f"{attempt}: {name} did not hear the debtor"
    return voice_ms
