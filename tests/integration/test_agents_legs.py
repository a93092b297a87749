"""Agents' telephones on a real Asterisk: nailed up, rung for each call, hung up in a conversation, dead in silence."""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, replace

import pytest

from cadencia.clock import Anchor, SimulatedClock
from cadencia.dialer.context import Options
from cadencia.dialer.engine import Engine
from cadencia.dialer.servers import Telephone
from cadencia.dialer.tally import Tally
from cadencia.domain.agents import Agent, AgentState
from cadencia.domain.codes import Outcome
from cadencia.domain.dialing import Campaign, CampaignSettings, CampaignState, Mode
from cadencia.metrics.prometheus import Metrics
from cadencia.store.memory import MemoryStore
from cadencia.telephony.asterisk import Installation, Lab
from cadencia.telephony.asterisk.plain import PlainAmi
from cadencia.testing.checker import RecordingStore
from cadencia.testing.engine_process import work
from cadencia.testing.floor import lab_server, people
from cadencia.testing.sip import HUMAN, MACHINE, Carrier, Phones
from cadencia.testing.virtual import TUESDAY_0900_BOGOTA

pytestmark = pytest.mark.asterisk

SETTINGS = CampaignSettings(mode=Mode.PROGRESSIVE, ring_s=10, min_ring_s=0, wrapup_s=20, retry_minutes=600)


@dataclass
class Room:
    labs: list[Lab]
    carriers: list[Carrier]
    phones: list[Phones]
    engine: Engine
    store: RecordingStore

    async def until(self, true: Callable[[], object], seconds: float = 10.0) -> None:
        async with asyncio.timeout(seconds):
            while not true():
                await asyncio.sleep(0.01)


@contextlib.asynccontextmanager
async def room(
    installation: Installation,
    *,
    agents: int,
    contacts: int,
    settings: CampaignSettings = SETTINGS,
    servers: int = 1,
    nailed: bool = True,
    stays_s: float = 60.0,
) -> AsyncIterator[Room]:
    """An engine at work on one or more private Asterisks; every debtor answers after 0.2 s."""
    loop = asyncio.get_running_loop()
    clock = SimulatedClock(Anchor(TUESDAY_0900_BOGOTA, loop.time(), 1.0), loop.time)
    store = RecordingStore(MemoryStore())
    await store.create_campaign(Campaign("c1", "Prueba", CampaignState.RUNNING, settings, clock.now()), "test")
    await store.import_people("c1", people(contacts), clock.now())
    async with contextlib.AsyncExitStack() as stack:
        labs, carriers, phones, known = [], [], [], []
        for number in range(servers):
            # The second server has the telephones after the first one's: no name is on two servers.
            lab = await stack.enter_async_context(Lab(installation, agents=agents * (number + 1), admin=True))
            carrier = await stack.enter_async_context(Carrier(lab.trunk_ports[0]))
            carrier.behaviour = lambda _: HUMAN.but(ring_s=0.2, leaves_after_voice_s=stays_s)
            plan = lab.plan.agents[agents * number :]
            own = await stack.enter_async_context(Phones(lab.sip_port, {a.name: a.secret for a in plan}))
            await own.register()
            for phone in plan:
                await store.save_agent(Agent(phone.name, f"Agente {phone.name}", phone.name))
            telephones = {phone.name: Telephone(nailed=nailed) for phone in plan}
            known.append(lab_server(lab, f"s{number}", telephones=telephones, channels=30, rate_per_s=20.0))
            labs.append(lab)
            carriers.append(carrier)
            phones.append(own)
        engine = Engine(store, clock, known, Options(audit_s=2.0), Tally(Metrics()), rng=random.Random(1))
        await engine.start()
        await engine.ready_to_dial(10)
        tasks = [loop.create_task(work(engine, agent_id)) for agent_id in engine.staff.seats]
        try:
            yield Room(labs, carriers, phones, engine, store)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await engine.stop(2.0, hang_up=True)


async def test_a_telephone_is_rung_for_each_call_and_hanging_it_up_ends_the_call(
    asterisk_installation: Installation,
) -> None:
    async with room(asterisk_installation, agents=1, contacts=2, nailed=False) as r:
        carrier, phones = r.carriers[0], r.phones[0]
        await r.until(lambda: carrier.calls and carrier.calls[0].heard("agent", 0.5))
        first = carrier.calls[0]
        phones.drop("a1001")
        await r.until(first.ended.is_set, 3.0)
        assert first.ended_by == "switch"
        await r.until(lambda: len(carrier.calls) == 2 and carrier.calls[1].heard("agent", 0.5))
        assert len(phones.legs("a1001")) == 2, "rung again for the next one, and not kept in between"
        carrier.hang_up(carrier.calls[1])
        await r.until(lambda: len(r.store.settled) == 2)
        assert {settlement.outcome for settlement in r.store.settled.values()} == {Outcome.CONNECTED}
        await r.until(lambda: phones.leg("a1001") is None, 3.0)


async def test_a_debtor_whose_agent_hangs_up_gets_another_at_once(asterisk_installation: Installation) -> None:
    async with room(asterisk_installation, agents=2, contacts=1) as r:
        carrier, phones, seats = r.carriers[0], r.phones[0], r.engine.staff.seats.values()
        await r.until(lambda: carrier.calls and carrier.calls[0].heard("agent", 0.5))
        debtor = carrier.calls[0]
        lost = next(seat for seat in seats if seat.state is AgentState.TALKING)
        other = next(seat for seat in seats if seat is not lost)
        phones.drop(lost.agent.endpoint)
        await r.until(lambda: lost.state is AgentState.CONNECTING, 1.0)  # out until the leg is back
        await r.until(lambda: other.state is AgentState.TALKING, 2.0)
        heard_s = debtor.ear.heard_s("agent")
        await r.until(lambda: debtor.ear.heard_s("agent") > heard_s + 0.5, 3.0)
        await r.until(lambda: lost.leg_up, 5.0)
        assert not debtor.ended.is_set()


async def test_while_there_is_no_other_agent_the_debtor_hears_music(asterisk_installation: Installation) -> None:
    async with room(asterisk_installation, agents=1, contacts=1) as r:
        carrier, phones = r.carriers[0], r.phones[0]
        await r.until(lambda: carrier.calls and carrier.calls[0].heard("agent", 0.5))
        phones.answers["a1001"] = 486
        phones.drop("a1001")
        await r.until(lambda: carrier.calls[0].heard("music", 0.5), 3.0)
        phones.answers.clear()
        (seat,) = r.engine.staff.seats.values()
        await r.until(lambda: seat.leg_up, 6.0)


async def test_a_telephone_that_dies_without_a_word_is_noticed_in_seconds(asterisk_installation: Installation) -> None:
    async with room(asterisk_installation, agents=2, contacts=1) as r:
        carrier, phones, seats = r.carriers[0], r.phones[0], r.engine.staff.seats.values()
        await r.until(lambda: carrier.calls and carrier.calls[0].heard("agent", 0.5))
        dead = next(seat for seat in seats if seat.state is AgentState.TALKING)
        other = next(seat for seat in seats if seat is not dead)
        phones.die(dead.agent.endpoint)
        await r.until(lambda: not dead.answers, 9.5)
        await r.until(lambda: other.state is AgentState.TALKING, 10.0)
        assert not carrier.calls[0].ended.is_set(), "the debtor is not hung up"
        assert dead.state is AgentState.CONNECTING
        phones.dead.clear()
        await r.until(lambda: dead.leg_up, 12.0)


async def test_a_call_that_is_nobodys_is_closed_within_seconds(asterisk_installation: Installation) -> None:
    async with room(asterisk_installation, agents=1, contacts=0) as r:
        lab, carrier = r.labs[0], r.carriers[0]

        def originate() -> None:
            with PlainAmi(lab.ami_port, lab.admin_user, lab.admin_secret) as ami:
                ami.send(
                    Action="Originate", Channel="PJSIP/30055@trunk", ChannelId="nobodys", Context="cad-debtor",
                    Exten="s", Priority=1, Async="true", Variable="CAD_WAIT_S=60",
                )  # fmt: skip
                next(m for m in ami.messages() if m.get("Event") == "OriginateResponse")

        await asyncio.to_thread(originate)
        await r.until(lambda: carrier.calls and carrier.calls[0].t_answered is not None)
        await r.until(carrier.calls[0].ended.is_set, 10.0)
        assert carrier.calls[0].ended_by == "switch"


async def test_a_campaign_that_asks_for_it_has_machines_detected(asterisk_installation: Installation) -> None:
    settings = replace(SETTINGS, detect_machines=True)
    async with room(asterisk_installation, agents=1, contacts=1, settings=settings) as r:
        r.carriers[0].behaviour = lambda _: MACHINE.but(ring_s=0.2)
        await r.until(lambda: r.store.settled, 12.0)
        assert next(iter(r.store.settled.values())).outcome is Outcome.MACHINE


async def test_of_two_servers_one_dies_and_the_other_goes_on(asterisk_installation: Installation) -> None:
    async with room(asterisk_installation, agents=2, contacts=60, servers=2, stays_s=0.8) as r:
        one, two = r.carriers
        engine = r.engine
        await r.until(lambda: len(one.calls) > 3 and len(two.calls) > 3)
        r.labs[0].crash()
        await r.until(lambda: engine.floor().servers_down == ("s0",), 5.0)
        told = {agent: engine.agent(agent).switch_up for agent in engine.staff.seats}
        assert told == {"a1001": False, "a1002": False, "a1003": True, "a1004": True}
        before, other = len(one.calls), len(two.calls)
        await r.until(lambda: len(two.calls) > other + 4)
        assert len(one.calls) == before
        for name in ("a1001", "a1002"):
            leg = r.phones[0].leg(name)
            if leg is not None:
                r.phones[0].vanish(leg)
        await r.labs[0].start_again()
        await r.phones[0].register()
        await r.until(lambda: len(one.calls) > before + 2)
        assert engine.floor().servers_down == ()
