"""A whole floor in one process under the virtual loop: store in memory, simulated switch, agents, engine."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from cadencia.clock import Clock
from cadencia.dialer.context import Options
from cadencia.dialer.engine import Engine
from cadencia.dialer.servers import MAIN, Line, Server, Telephone
from cadencia.dialer.tally import Tally
from cadencia.domain.agents import Agent
from cadencia.domain.dialing import Campaign, CampaignSettings, CampaignState
from cadencia.domain.people import LineType, Money, ObligationIn, PersonIn, PhoneIn, Role
from cadencia.metrics.prometheus import Metrics
from cadencia.pacing.worlds import World
from cadencia.store.memory import MemoryStore
from cadencia.store.port import Store
from cadencia.telephony.ami.connect import Connector, tcp
from cadencia.telephony.asterisk import Lab, config_hash
from cadencia.telephony.simulator import SIMULATED_CONFIG, SimulatedSwitch, SwitchServer, WorldPopulation
from cadencia.testing.agents import DeskPort, SimulatedAgent
from cadencia.testing.wire import memory_connector

CONSENTED = datetime(2025, 1, 15, tzinfo=UTC)


def people(number: int, *, first: int = 0) -> list[PersonIn]:
    """Plain persons, each with one mobile number of its own and one obligation."""
    return [
        PersonIn(
            doc_type="CC",
            doc_number=str(10_000_000 + n),
            name=f"Persona {n}",
            city="Bogotá",
            language="es",
            timezone="America/Bogota",
            voice_consent_at=CONSENTED,
            phones=(PhoneIn(f"+573{n:09d}", LineType.MOBILE, 1),),
            obligations=(
                ObligationIn(
                    number=f"OB{n:08d}",
                    creditor="Banco de Prueba",
                    product="Libre inversión",
                    balance=Money(1_000_000_00, "COP"),
                    overdue=Money(200_000_00, "COP"),
                    days_past_due=1 + n % 360,
                    due_date=None,
                    role=Role.HOLDER,
                ),
            ),
        )
        for n in range(first, first + number)
    ]


def unlimited(connector: Connector, name: str = MAIN, **more: Any) -> Server:
    """A simulated switch as a server whose trunks set no limit; `more` as in `Server`."""
    return Server(name, connector, "cadencia", "s", SIMULATED_CONFIG, channels=100_000, rate_per_s=1e6, **more)


def lab_server(lab: Lab, name: str = MAIN, **more: Any) -> Server:
    """A throwaway Asterisk as a server of the engine's; `more` as in `Server`."""
    account, plan = lab.plan.account, lab.plan
    lines = {trunk.name: Line(more.get("channels", 1000), more.get("rate_per_s", 100.0)) for trunk in plan.trunks}
    telephones = {phone.name: Telephone(nailed=phone.nailed, browser=phone.browser) for phone in plan.agents}
    wss = f"ws://127.0.0.1:{lab.ws_port}/ws" if lab.ws_port else ""
    known = {"lines": lines, "telephones": telephones, "wss": wss, "phone_key": lab.phone_key, **more}
    return Server(name, tcp("127.0.0.1", lab.ami_port), account.user, account.secret, config_hash(plan), **known)


@dataclass
class Floor:
    """The parts of a running floor; `connect` may be told to refuse, as a host that is down does."""

    clock: Clock
    store: Store
    switch: SimulatedSwitch
    server: SwitchServer
    engine: Engine
    tally: Tally
    world: World
    seed: int
    agents: list[asyncio.Task[None]] = field(default_factory=list)
    refuse: bool = False

    def connection(self) -> asyncio.Protocol:
        if self.refuse:
            raise ConnectionRefusedError("the switch is down")
        return self.server.connection()

    def new_engine(self, seed: int) -> Engine:
        """An engine on the same store and switch, as after a restart."""
        self.tally = Tally(Metrics())
        server = unlimited(memory_connector(self.connection))
        options = Options(holder=f"engine-{seed}")
        self.engine = Engine(self.store, self.clock, [server], options, self.tally, rng=random.Random(seed))
        return self.engine

    def start_agents(self, ids: list[str], breaks: float = 0.01) -> None:
        """Simulated agents go to work."""
        for agent_id in ids:
            agent = SimulatedAgent(DeskPort(self.engine, agent_id), agent_id, self.clock, self.world, self.seed, breaks)
            self.agents.append(asyncio.get_running_loop().create_task(agent.run()))

    async def stop_agents(self) -> None:
        """They vanish, as a closed browser does."""
        for task in self.agents:
            task.cancel()
        await asyncio.gather(*self.agents, return_exceptions=True)
        self.agents.clear()


async def make_floor(
    clock: Clock,
    *,
    agents: int,
    contacts: int,
    settings: CampaignSettings | None = None,
    seed: int = 1,
    world: World | None = None,
    store: Store | None = None,
    prepare: Callable[[SimulatedSwitch], None] = lambda switch: None,
) -> Floor:
    """Build a floor with one running campaign "c1"; the engine is made but not started."""
    world = world or World()
    store = store or MemoryStore()
    ids = [f"ag{n:04d}" for n in range(1, agents + 1)]
    endpoints = tuple(f"a{n}" for n in range(1001, 1001 + agents))
    for agent_id, endpoint in zip(ids, endpoints, strict=True):
        await store.save_agent(Agent(agent_id, f"Agente {agent_id}", endpoint))
    campaign = Campaign("c1", "Prueba", CampaignState.RUNNING, settings or CampaignSettings(), clock.now())
    await store.create_campaign(campaign, "test")
    await store.import_people("c1", people(contacts), clock.now())
    switch = SimulatedSwitch(clock, WorldPopulation(world, seed), endpoints, seed)
    prepare(switch)
    server = SwitchServer(switch, "cadencia", "s")
    floor = Floor(clock, store, switch, server, None, Tally(Metrics()), world, seed)  # type: ignore[arg-type]
    floor.new_engine(seed)
    return floor


def agent_ids(floor: Floor) -> list[str]:
    """All agents of a started floor."""
    return list(floor.engine.staff.seats)
