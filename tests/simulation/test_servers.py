"""Several servers: agents live on one, their calls are dialled there, and a lost server takes only its own."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from dataclasses import dataclass

import pytest

from cadencia.dialer.context import Options
from cadencia.dialer.engine import Engine
from cadencia.dialer.servers import Line, Server, Switches, Telephone
from cadencia.dialer.tally import Tally
from cadencia.domain.agents import Agent, AgentState
from cadencia.domain.codes import Outcome
from cadencia.domain.dialing import Campaign, CampaignSettings, CampaignState, Mode
from cadencia.errors import Refused
from cadencia.metrics.prometheus import Metrics
from cadencia.pacing.worlds import World
from cadencia.store.memory import MemoryStore
from cadencia.telephony.call import Phase
from cadencia.telephony.simulator import SimulatedSwitch, SwitchServer, WorldPopulation
from cadencia.testing.agents import DeskPort, SimulatedAgent
from cadencia.testing.checker import Checker, RecordingStore
from cadencia.testing.floor import people, unlimited
from cadencia.testing.virtual import VirtualLoop, run_virtual
from cadencia.testing.wire import memory_connector

PREDICTIVE = CampaignSettings(mode=Mode.PREDICTIVE)
PROGRESSIVE = CampaignSettings(mode=Mode.PROGRESSIVE)


@dataclass
class Site:
    """One server of a floor; `refuse` makes it a host that is down."""

    switch: SimulatedSwitch
    server: SwitchServer
    refuse: bool = False

    def connection(self) -> asyncio.Protocol:
        if self.refuse:
            raise ConnectionRefusedError("the switch is down")
        return self.server.connection()

    def cut(self) -> None:
        self.refuse = True
        self.server.disconnect()


@dataclass
class Floor:
    engine: Engine
    store: RecordingStore
    sites: dict[str, Site]
    checkers: list[Checker]
    agents: list[asyncio.Task[None]]
    settings: CampaignSettings

    def dialled(self, name: str) -> int:
        return len(self.checkers[list(self.sites).index(name)].dialled)

    def states(self, name: str) -> set[AgentState]:
        return {seat.state for seat in self.engine.staff.seats.values() if seat.switch.name == name}

    async def close(self) -> None:
        await self.engine.stop(drain_s=120, hang_up=True)
        for task in self.agents:
            task.cancel()
        await asyncio.gather(*self.agents, return_exceptions=True)
        for checker in self.checkers:
            checker.finish()
            assert checker.violations == []


async def floor_of(
    teams: dict[str, int],
    *,
    settings: CampaignSettings = PREDICTIVE,
    contacts: int = 3000,
    seed: int = 3,
    telephone: Telephone = Telephone(),  # noqa: B008 (frozen)
    prepare: Callable[[SimulatedSwitch], None] = lambda switch: None,
    lines: dict[str, dict[str, Line]] | None = None,
) -> Floor:
    """A floor with so many agents on each server, all at work."""
    loop = asyncio.get_running_loop()
    assert isinstance(loop, VirtualLoop)
    clock, world, store = loop.clock(), World(), RecordingStore(MemoryStore())
    await store.create_campaign(Campaign("c1", "Prueba", CampaignState.RUNNING, settings, clock.now()), "test")
    await store.import_people("c1", people(contacts), clock.now())
    sites: dict[str, Site] = {}
    servers: list[Server] = []
    for number, (name, agents) in enumerate(teams.items()):
        endpoints = tuple(f"{name}{n}" for n in range(1, agents + 1))
        for endpoint in endpoints:
            await store.save_agent(Agent(f"ag-{endpoint}", f"Agente {endpoint}", endpoint))
        switch = SimulatedSwitch(clock, WorldPopulation(world, seed + number), endpoints, seed + number)
        prepare(switch)
        sites[name] = Site(switch, SwitchServer(switch, "cadencia", "s"))
        own = {"lines": lines[name]} if lines else {}
        servers.append(
            unlimited(
                memory_connector(sites[name].connection), name, telephones=dict.fromkeys(endpoints, telephone), **own
            )
        )
    engine = Engine(store, clock, servers, Options(), Tally(Metrics()), rng=random.Random(seed))
    await engine.start()
    await engine.ready_to_dial(5)
    agents_at_work = [
        loop.create_task(SimulatedAgent(DeskPort(engine, agent), agent, clock, world, seed, 0.0).run())
        for agent in engine.staff.seats
    ]
    checkers = [_checker(engine, store, clock, name, site, settings) for name, site in sites.items()]
    return Floor(engine, store, sites, checkers, agents_at_work, settings)


def _checker(
    engine: Engine, store: RecordingStore, clock: object, name: str, site: Site, settings: CampaignSettings
) -> Checker:
    def seats() -> dict[str, tuple[str, str | None]]:
        return {
            agent: (seat.state, seat.call.attempt_id if seat.call else None)
            for agent, seat in engine.staff.seats.items()
            if seat.switch.name == name
        }

    return Checker(
        engine.clock,
        site.switch,
        store,
        seats,
        cap_per_day=settings.attempts_per_day,
        min_ring_s=settings.min_ring_s,
        linked=lambda: engine.switches[name].ready,
    )


def test_a_lost_server_takes_only_its_own_calls_and_its_agents_are_told() -> None:
    async def day() -> None:
        floor = await floor_of({"norte": 5, "sur": 5})
        engine = floor.engine
        await asyncio.sleep(900)
        before = {name: floor.dialled(name) for name in floor.sites}
        assert min(before.values()) > 30
        assert all(view.switch_up for view in map(engine.agent, engine.staff.seats))
        floor.sites["norte"].cut()
        await asyncio.sleep(5)
        on_norte = {live.attempt_id for live in engine.calls.on(engine.switches["norte"])}
        talking = {ref for ref in on_norte if engine.calls.live[ref].call.phase is Phase.TALKING}
        assert engine.floor().servers_down == ("norte",)
        assert engine.health()["switch"]  # the other one goes on
        told = {agent: engine.agent(agent).switch_up for agent in engine.staff.seats}
        assert told == {agent: "sur" in agent for agent in told}
        await asyncio.sleep(600)
        assert floor.dialled("norte") == before["norte"]
        assert floor.dialled("sur") > before["sur"] + 30
        over = {floor.store.settled[ref].outcome for ref in on_norte & set(floor.store.settled)}
        assert over <= {Outcome.UNKNOWN}, "a call that never rang so long is given up, and nobody says how it ended"
        assert talking and not talking & set(floor.store.settled), "a conversation is not over because we cannot see it"
        floor.sites["norte"].refuse = False
        await asyncio.sleep(12)
        assert on_norte <= set(floor.store.settled) | set(engine.calls.live)
        assert engine.floor().servers_down == ()
        await asyncio.sleep(600)
        assert floor.dialled("norte") > before["norte"] + 30
        await floor.close()

    run_virtual(day())


def test_a_server_that_was_started_anew_has_no_calls_of_before() -> None:
    async def day() -> None:
        floor = await floor_of({"norte": 4, "sur": 4})
        await asyncio.sleep(600)
        engine, norte = floor.engine, floor.sites["norte"]
        norte.switch.stop()
        norte.cut()
        await asyncio.sleep(0.5)
        lost = {live.attempt_id for live in engine.calls.on(engine.switches["norte"])}
        kept = {live.attempt_id for live in engine.calls.on(engine.switches["sur"])}
        norte.refuse = False
        await asyncio.sleep(3.0)
        assert lost and lost <= set(floor.store.settled)
        assert {floor.store.settled[ref].outcome for ref in kept & set(floor.store.settled)} <= set(Outcome)
        await asyncio.sleep(15)
        assert AgentState.CONNECTING not in floor.states("norte"), "their telephones are called again"
        await floor.close()

    run_virtual(day())


def test_what_the_floor_may_abandon_is_not_abandoned_once_on_each_server() -> None:
    async def day() -> None:
        floor = await floor_of({"norte": 6, "sur": 6})
        await asyncio.sleep(3600)
        count = floor.engine.runners["c1"].budget.day
        assert count.answers > 150
        assert count.abandoned <= 0.03 * count.answers + 1
        budgets = [pool.last.forecast.budget_drops for pool in floor.engine.runners["c1"].pools.values()]
        whole = floor.engine.runners["c1"].budget_left
        assert sum(budgets) == pytest.approx(whole, abs=1.0)
        await floor.close()

    run_virtual(day())


def test_a_campaign_runs_where_its_trunk_is() -> None:
    async def day() -> None:
        lines = {"norte": {"trunk": Line(100, 10.0)}, "sur": {"otra": Line(100, 10.0)}}
        floor = await floor_of(
            {"norte": 4, "sur": 4},
            settings=PROGRESSIVE,
            lines=lines,
            prepare=lambda switch: switch.trunks.update(otra=""),
        )
        await asyncio.sleep(600)
        assert floor.dialled("norte") > 20
        assert floor.dialled("sur") == 0
        await floor.close()

    run_virtual(day())


def test_a_trunk_that_cannot_be_reached_is_not_dialled_on() -> None:
    async def day() -> None:
        floor = await floor_of({"norte": 6}, settings=PROGRESSIVE)
        await asyncio.sleep(300)
        floor.sites["norte"].switch.set_trunk("trunk", "UNAVAILABLE")
        await asyncio.sleep(1)
        dialled = floor.dialled("norte")
        await asyncio.sleep(300)
        assert floor.dialled("norte") == dialled
        assert floor.engine.floor().campaigns[0].reason == "trunk-down"
        floor.sites["norte"].switch.set_trunk("trunk", "NOT_INUSE")
        await asyncio.sleep(300)
        assert floor.dialled("norte") > dialled + 5
        await floor.close()

    run_virtual(day())


def test_a_telephone_that_is_on_no_server_cannot_sign_in() -> None:
    async def day() -> None:
        floor = await floor_of({"norte": 1, "sur": 1})
        await floor.store.save_agent(Agent("lejos", "Lejos", "a999"))
        await floor.engine.refresh()
        with pytest.raises(Refused) as refused:
            await floor.engine.sign_in("lejos")
        assert "a999" in refused.value.message
        await floor.close()

    run_virtual(day())


def test_servers_that_share_a_name_or_list_no_telephones_are_refused() -> None:
    connector = memory_connector(lambda: asyncio.Protocol())
    with pytest.raises(ValueError, match="names of their own"):
        Switches([])
    with pytest.raises(ValueError, match="names of their own"):
        Switches([unlimited(connector), unlimited(connector)])
    with pytest.raises(ValueError, match="list its telephones"):
        Switches([unlimited(connector, "a"), unlimited(connector, "b")])
    both = Switches(
        [
            unlimited(connector, "a", telephones={"x": Telephone()}),
            unlimited(connector, "b", telephones={"y": Telephone()}),
        ]
    )
    assert (both.home("x").name, both.home("y").name, both.home("z").name) == ("a", "b", "")


# -- telephones that are rung for each call ----------------------------------------------------------------------------


def rung(pickup_s: float) -> Callable[[SimulatedSwitch], None]:
    def prepare(switch: SimulatedSwitch) -> None:
        switch.pickups.update(dict.fromkeys(switch.endpoints, pickup_s))

    return prepare


def test_a_telephone_that_cannot_be_nailed_up_is_rung_for_each_call() -> None:
    async def day() -> None:
        floor = await floor_of({"norte": 6}, settings=PROGRESSIVE, telephone=Telephone(nailed=False), prepare=rung(2.0))
        await asyncio.sleep(3600)
        engine, switch = floor.engine, floor.sites["norte"].switch
        counts = engine.runners["c1"].counts
        assert counts.connected > 50
        legs = [channel for channel in switch.channels.values() if channel.variable("CAD_KIND") == "agent"]
        talking = [
            seat for seat in engine.staff.seats.values() if seat.state in (AgentState.RESERVED, AgentState.TALKING)
        ]
        assert len(legs) <= len(talking) + 1, "nobody's telephone stands without a call"
        assert all(1.9 < seat.pickup_s < 4.1 for seat in engine.staff.seats.values())
        assert min(seat.pickup_s for seat in engine.staff.seats.values()) < 2.6, "it is learnt"
        views = engine._serving("c1", engine.switches.first)
        assert all(view.delay_s > 0 for view in views), "the forecast knows"
        await floor.close()

    run_virtual(day())


def test_nobody_picks_up_and_the_person_is_told_and_released() -> None:
    async def day() -> None:
        settings = CampaignSettings(mode=Mode.PROGRESSIVE, message="cadencia/identify")
        floor = await floor_of({"norte": 2}, settings=settings, telephone=Telephone(nailed=False), prepare=rung(99.0))
        await asyncio.sleep(1800)
        outcomes = {settlement.outcome for settlement in floor.store.settled.values()}
        assert Outcome.ABANDONED_MESSAGE in outcomes or Outcome.ABANDONED in outcomes
        assert Outcome.CONNECTED not in outcomes
        views = [floor.engine.agent(agent) for agent in floor.engine.staff.seats]
        assert "telefono" in {view.reason for view in views} or {view.state for view in views} & {"ready", "reserved"}
        await floor.close()

    run_virtual(day())


def test_agents_whose_telephone_stands_come_before_those_who_must_be_rung() -> None:
    async def day() -> None:
        floor = await floor_of({"norte": 4}, settings=PROGRESSIVE, contacts=50)
        engine = floor.engine
        engine.switches.first.server.telephones["norte1"] = Telephone(nailed=False)  # type: ignore[index]
        await asyncio.sleep(5)
        rank = engine._ranks("c1", engine.switches.first)
        ranks = {agent: rank(seat) for agent, seat in engine.staff.seats.items()}
        assert ranks["ag-norte1"] == 1
        assert {ranks[agent] for agent in ranks if agent != "ag-norte1"} == {0}
        await floor.close()

    run_virtual(day())
