"""The what-if and the replay of a floor's own log, on a floor under the virtual clock."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from cadencia.compliance.hours import BOGOTA
from cadencia.dialer.counts import local_day
from cadencia.domain.dialing import Campaign, CampaignSettings, CampaignState, Mode
from cadencia.errors import Refused, spoken
from cadencia.pacing.change import Question
from cadencia.pacing.controllers import Policy
from cadencia.pacing.replay import KINDS, Reader
from cadencia.pacing.simulator import Floor as SimulatedFloor
from cadencia.pacing.whatif import Scenario, outlook
from cadencia.store.memory import MemoryStore
from cadencia.testing.floor import Floor, agent_ids, make_floor, people
from cadencia.testing.virtual import VirtualLoop, run_virtual

#: Tuesday, 08:00 in Bogotá.
MORNING = datetime(2026, 11, 24, 13, 0, tzinfo=UTC)

RATIO = CampaignSettings(Mode.RATIO, ratio=1.5)


async def opened(agents: int, contacts: int, settings: CampaignSettings) -> Floor:
    loop = asyncio.get_running_loop()
    assert isinstance(loop, VirtualLoop)
    store = MemoryStore(keep_events=200_000)
    floor = await make_floor(
        loop.clock(MORNING), agents=agents, contacts=contacts, settings=settings, seed=5, store=store
    )
    await floor.engine.start()
    await floor.engine.ready_to_dial(5)
    return floor


async def close(floor: Floor) -> None:
    await floor.engine.stop(drain_s=120, hang_up=True)
    await floor.stop_agents()


def test_a_floors_own_log_runs_again_as_it_was() -> None:
    async def day() -> None:
        floor = await opened(8, 3_000, RATIO)
        floor.start_agents(agent_ids(floor), breaks=0.0)
        await asyncio.sleep(3600)
        await close(floor)
        counts = floor.engine.runners["c1"].counts
        midnight = datetime.combine(local_day(MORNING), datetime.min.time(), BOGOTA)
        reader = Reader("c1", midnight, midnight + timedelta(days=1))
        for event in await floor.store.events(limit=200_000, kinds=KINDS):
            reader.take(event)
        found = reader.day()
        assert len(found.dialled) == counts.attempts
        assert sum(d.outcome == "CON" for d in found.dialled) == counts.outcomes["CON"]
        assert sum(d.machine for d in found.dialled) == sum(
            day.machines for day in await floor.store.days("c1", [midnight])
        )
        assert 7.5 < sum(end - begin for begin, end in found.presence) / 3600.0 / found.hours <= 8.0
        scenario = Scenario(found.floor(SimulatedFloor(8)), replay=found, hours=found.hours, days=2)
        again = outlook(scenario, Policy(Mode.RATIO, 1.5))
        connected = counts.outcomes["CON"]
        assert again.dials_per_contact.mean == pytest.approx(counts.attempts / connected, rel=0.15)
        assert again.contacts_per_agent_hour.mean * 8 * found.hours == pytest.approx(connected, rel=0.15)
        assert again.abandonment.mean == pytest.approx(counts.abandonment_rate, abs=0.02)

    run_virtual(day())


def test_the_question_is_the_campaign_as_it_is() -> None:
    async def ask() -> None:
        floor = await opened(6, 1_500, RATIO)
        engine = floor.engine
        with pytest.raises(Refused) as nobody:
            engine.what_if("c1", {"ratio": 2.0})
        assert spoken(nobody.value.message, "es") == "Ningún agente de esta campaña está en turno."
        assert engine.what_if("c1", {"ratio": 2.0}, 9).question.then.agents == 9
        floor.start_agents(agent_ids(floor), breaks=0.0)
        await asyncio.sleep(1800)
        runner = engine.runners["c1"]
        changes = {"mode": "predictive", "abandonment_target": 0.02, "caller_id": "601", "wait_s": 3}
        asked = engine.what_if("c1", changes)
        question = asked.question
        assert asked.without_effect == ("caller_id",)
        assert question.now == replace(question.then, policy=Policy(Mode.RATIO, 1.5), target=None, wait_s=2.0)
        assert question.then.policy == Policy(Mode.PREDICTIVE, 1.5)
        assert question.now.agents == 6
        assert (question.day, question.month) == (runner.budget.day, runner.budget.month)
        assert question.day.answers > 20
        assert 0.05 < question.learned["rate"] < 0.6
        assert question.channels == engine.switches.first.server.channels
        assert msgspec.json.decode(msgspec.json.encode(question), type=Question) == question
        assert runner.settings == RATIO  # nothing was changed

        for wrong in ({"ratio": 9.0}, {"speed": 1}, {"abandonment_target": 0.05}):
            with pytest.raises(Refused):
                engine.what_if("c1", wrong)
        with pytest.raises(Refused, match="no such campaign"):
            engine.what_if("c9", {})
        with pytest.raises(Refused, match="agents set the pace") as preview:
            engine.what_if("c1", {"mode": "preview"})
        assert spoken(preview.value.message, "es") == "En vista previa el ritmo lo ponen los agentes."
        await close(floor)

    run_virtual(ask())


def test_shared_agents_count_in_part_and_another_weight_shifts_them() -> None:
    async def share() -> None:
        settings = CampaignSettings(Mode.PROGRESSIVE)
        floor = await opened(12, 800, settings)
        second = Campaign("c2", "Dos", CampaignState.RUNNING, settings, floor.clock.now())
        await floor.store.create_campaign(second, "test")
        await floor.store.import_people("c2", people(800, first=800), floor.clock.now())
        await floor.engine.refresh()
        floor.start_agents(agent_ids(floor), breaks=0.0)
        await asyncio.sleep(600)
        question = floor.engine.what_if("c1", {"weight": 3.0}).question
        assert 4 <= question.now.agents <= 8
        assert question.now.agents + 2 <= question.then.agents <= 11
        await floor.engine.pause_campaign("c1", "ana", "prueba")
        await asyncio.sleep(120)
        assert floor.engine.what_if("c1", {}).question.now.agents == 12  # as if it had them all
        await close(floor)

    run_virtual(share())
