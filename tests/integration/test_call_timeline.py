"""Timelines of real calls: what an Asterisk tells of each kind of end, the rule that decided, and the whole way of an
answered call to the agent."""

from __future__ import annotations

import asyncio
import random
import time

import pytest

from cadencia.clock import Anchor, SimulatedClock
from cadencia.dialer.context import Options
from cadencia.dialer.engine import Engine
from cadencia.dialer.tally import Tally
from cadencia.dialer.views import CallView
from cadencia.domain.agents import Agent, AgentState
from cadencia.domain.dialing import Campaign, CampaignSettings, CampaignState, Mode
from cadencia.metrics.prometheus import Metrics
from cadencia.store.memory import MemoryStore
from cadencia.telephony.asterisk import Installation, Lab, Waits
from cadencia.testing.agents import DeskPort, view_of
from cadencia.testing.floor import lab_server, people
from cadencia.testing.sip import BUSY, EARLY_MEDIA, HUMAN, NO_ANSWER, Behaviour, Carrier, Phones
from cadencia.testing.sip.carrier import TEMPORARY
from cadencia.testing.virtual import TUESDAY_0900_BOGOTA

pytestmark = [pytest.mark.asterisk]

#: By the number's last digit. The announcement of the fourth is longer than we let it ring, and 499 is no known status.
ENDS: dict[int, tuple[Behaviour, str, str]] = {
    0: (HUMAN.but(leaves_after_voice_s=0.5), "CON", ""),
    1: (EARLY_MEDIA, "CEL", "an announcement or the network's tone was heard"),
    2: (TEMPORARY, "NOA", "temporarily unavailable; it rang"),
    3: (EARLY_MEDIA.but(announcement=False), "CEL", "temporarily unavailable; it did not ring"),
    4: (EARLY_MEDIA.but(ring_s=30.0), "NOA", "our ring time ran out; an announcement"),
    5: (NO_ANSWER, "NOA", "our ring time ran out; it rang"),
    6: (BUSY, "OCU", "busy"),
    7: (BUSY.but(code=499, cause=0), "DES", "no rule knows these codes"),
}


async def at_work(engine: Engine, agent_id: str) -> None:
    """Signs in, is always ready, and files every call at once."""
    port = DeskPort(engine, agent_id)
    async for _, _, message in engine.hub.listen([f"agent/{agent_id}"]):
        view = view_of(message)
        if view.state == AgentState.OUT:
            await port.act("sign-in", {})
        elif view.state == AgentState.PAUSED:
            await port.act("ready", {})
        elif view.state == AgentState.WRAPUP and view.pop:
            await port.act(
                "disposition", {"attempt_id": view.pop.attempt_id, "code": "REN", "note": "", "promise": None}
            )


async def test_every_kind_of_end_is_told_apart(asterisk_installation: Installation) -> None:
    clock = SimulatedClock(Anchor(TUESDAY_0900_BOGOTA, time.monotonic(), 1.0))
    store, tally = MemoryStore(), Tally(Metrics())
    with Lab(asterisk_installation, agents=3, waits=Waits(wait_s=2)) as lab:
        secrets = {phone.name: phone.secret for phone in lab.plan.agents}
        behaviour = {str(digit): told[0] for digit, told in ENDS.items()}
        async with (
            Carrier(lab.trunk_ports[0], lambda number: behaviour[number[-1]]) as carrier,
            Phones(lab.sip_port, secrets) as phones,
        ):
            await phones.register()
            for name in secrets:
                await store.save_agent(Agent(name, f"Agente {name}", name))
            trunk = lab.plan.trunks[0].name
            settings = CampaignSettings(mode=Mode.PROGRESSIVE, ring_s=3, min_ring_s=0, trunk=trunk)
            await store.create_campaign(Campaign("c1", "Prueba", CampaignState.RUNNING, settings, clock.now()), "test")
            await store.import_people("c1", people(len(ENDS)), clock.now())
            engine = Engine(store, clock, [lab_server(lab)], Options(holder="test"), tally, rng=random.Random(1))
            await engine.start()
            await engine.ready_to_dial(10)
            desks = [asyncio.create_task(at_work(engine, name)) for name in secrets]
            async with asyncio.timeout(60):
                while len(await store.events(kinds=["attempt.traced"])) < len(ENDS):
                    await asyncio.sleep(0.1)
            view = engine.telephony()
            calls = await timelines(engine, store)
            await engine.stop()
            for desk in desks:
                desk.cancel()
            await asyncio.gather(*desks, return_exceptions=True)
        number_of = {call.number[-1] for call in carrier.calls}
    assert number_of == set(behaviour)
    ends = [row for call in calls for row in call.rows if row.what == "attempt.settled"]
    told = sorted((row.detail[:3], row.said.en) for row in ends)
    for _, outcome, words in ENDS.values():
        found = [pair for pair in told if pair[0] == outcome and words in pair[1]]
        assert found, f"nothing tells {outcome}: {words} among {told}"
        told.remove(found[0])
    (unknown,) = [row for row in view.causes if not row.known]
    assert (unknown.sip, unknown.outcome, view.unknown) == (499, "DES", 1)
    apart = {(row.sip, row.rang, row.media, row.timeout) for row in view.causes if row.q850 == 19}
    assert {(480, True, False, False), (480, False, True, False), (480, False, False, False)} <= apart
    assert {(480, False, True, True), (480, True, False, True)} <= apart
    (talked,) = [call for call in calls if call.outcome == "CON"]
    assert [row.what for row in talked.rows if row.what in STEPS] == STEPS
    everything = " ".join(row.detail + row.said.en for call in calls for row in call.rows)
    assert "3000000" not in everything, "a debtor's number is in a timeline"
    assert not any(name in everything for name in ("Persona", "Cobros"))


#: The way of an answered call, in this order whatever comes between.
STEPS = ["attempt.leased", "attempt.sending", "order.Originate", "offered", "order.Bridge", "phase.talking",
         "phase.ended", "attempt.settled"]  # fmt: skip


async def timelines(engine: Engine, store: MemoryStore) -> list[CallView]:
    """All that are written down."""
    traced = await store.events(kinds=["attempt.traced"])
    found = [await engine.timeline(event.attempt_id or "") for event in traced]
    return [view for view in found if view is not None]
