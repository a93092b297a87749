"""One run of the demo: from the database to the summary."""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from cadencia.demo.state import DemoFolder, DemoState, demo_folder, new_state
from cadencia.demo.switch_process import USER
from cadencia.dialer.context import Options
from cadencia.dialer.engine import Engine
from cadencia.dialer.servers import MAIN, Line, Server
from cadencia.dialer.tally import DoubleLeases, Tally, summary
from cadencia.domain.access import UserRole
from cadencia.domain.agents import Agent
from cadencia.domain.dialing import Campaign, CampaignSettings, CampaignState, Mode
from cadencia.errors import ConfigError, TelephonyError, Words, spoken
from cadencia.metrics.memory import settle_memory
from cadencia.metrics.prometheus import Metrics, watch_loop_lag
from cadencia.portfolio.importer import import_file
from cadencia.store.embedded import EmbeddedPostgres
from cadencia.store.keys import load_or_make
from cadencia.store.port import Store
from cadencia.store.postgres import PostgresStore
from cadencia.telephony.ami.connect import tcp
from cadencia.telephony.simulator import SIMULATED_CONFIG
from cadencia.testing.portfolio import make_portfolio
from cadencia.web.app import create_app
from cadencia.web.server import claim_port, serve
from cadencia.web.signin import issue_once, issue_token

DATABASE = "cadencia_demo"
CAMPAIGN = "demo"

_NAMES = (
    "Ana Gómez", "Luis Rojas", "Marta Peña", "Iván Cárdenas", "Sofía Niño", "Jorge Patiño", "Diana Ruiz",
    "Óscar Muñoz", "Paula Ibáñez", "Camilo Acuña", "Rosa Beltrán", "Hugo Cañón",
)  # fmt: skip

#: Simulated seconds that conversations get to end when the demo stops.
_DRAIN_S = 45.0

_FRESH = Words("Start anew with --fresh to change that.", "Para cambiarlo empiece de nuevo con --fresh.")

#: Real seconds between two notes of the time.
_KEEP_S = 2.0

#: Who signs in besides those at the seats; a change of law takes two of compliance.
_OFFICE = (
    ("supervision", "Supervisión", UserRole.SUPERVISOR),
    ("cumplimiento", "Cumplimiento", UserRole.COMPLIANCE),
    ("cumplimiento2", "Cumplimiento, segunda persona", UserRole.COMPLIANCE),
)


@dataclass(frozen=True)
class DemoOptions:
    """What the command line asked for; None keeps what a continued demo has."""

    agents: int | None = None
    contacts: int | None = None
    minutes: float | None = None
    speed: float | None = None
    mode: Mode | None = None
    seed: int | None = None
    port: int | None = None
    fresh: bool = False


class Demo:
    """One run.

    Args:
        say: told each step, in words.
    """

    def __init__(self, options: DemoOptions, say: Callable[[str], None]) -> None:
        self._options, self._say = options, say
        self.folder = DemoFolder(demo_folder())
        self.tally = Tally(Metrics())
        self.links: dict[str, str] = {}
        self.adopted = False

    async def open(self) -> None:
        """Everything up to a dialling engine. Raises CadenciaError; then nothing half-started is left."""
        state = None if self._options.fresh else self.folder.load()
        if state is not None and self._options.agents not in (None, state.agents):
            raise ConfigError(
                Words(f"This demo has {state.agents} agents.", f"Esta demostración tiene {state.agents} agentes."),
                _FRESH,
            )
        if state is not None and self._options.contacts not in (None, state.contacts):
            raise ConfigError(
                Words(
                    f"This demo has {state.contacts} contacts.", f"Esta demostración tiene {state.contacts} deudores."
                ),
                _FRESH,
            )
        port = self._options.port if self._options.port is not None else (state.port if state else 8080)
        socket = claim_port("127.0.0.1", port)
        try:
            self.folder.prepare()
            self.folder.lock()
            self.state = await self._world(state, socket.getsockname()[1])
            self.clock = self.state.clock()
            await self._choose_mode()
            await self._engine()
        except BaseException:
            socket.close()
            raise
        app = create_app(self.engine, self.store, metrics=self.tally.metrics)
        self._background = [
            asyncio.create_task(serve(app, "127.0.0.1", self.state.port, sock=socket)),
            asyncio.create_task(watch_loop_lag(self.tally.metrics, self.clock)),
            asyncio.create_task(self._keep_time()),
        ]
        settle_memory()
        if not self.folder.alive("agents"):
            self.folder.spawn("agents")
        self.began_wall_s, self.began_s = time.monotonic(), self.clock.monotonic()

    # -- building ------------------------------------------------------------------------------------------------------
    async def _world(self, state: DemoState | None, port: int) -> DemoState:
        """The database, the list and the switch: adopted where they live, made where they do not."""
        if state is None:
            self._stop_processes()
            self.folder.forget()
        server = EmbeddedPostgres()
        self._say(f"PostgreSQL: {server.folder}")
        url = await asyncio.to_thread(server.start, DATABASE)
        if state is None:
            await asyncio.to_thread(_recreate, server)
        self.store: Store = await PostgresStore.open(url)
        try:
            if state is None:
                state = await self._populate(port)
            return await self._switch(state, port)
        except BaseException:
            await self.store.close()
            raise

    async def _populate(self, port: int) -> DemoState:
        o = self._options
        switch_socket = claim_port("127.0.0.1", 0)
        switch_port = switch_socket.getsockname()[1]
        switch_socket.close()
        state = new_state(
            seed=o.seed if o.seed is not None else 7,
            agents=o.agents or 12,
            contacts=o.contacts or 2000,
            speed=o.speed or 1.0,
            port=port,
            switch_port=switch_port,
        )
        state = replace(state, epoch=state.stopped_at, mono_s=time.monotonic())
        now = state.clock().now()
        name = "Cartera de demostración"
        campaign = Campaign(CAMPAIGN, name, CampaignState.RUNNING, CampaignSettings(), now)
        await self.store.create_campaign(campaign, "demo")
        await asyncio.to_thread(make_portfolio, self.folder.portfolio, state.contacts, state.seed)
        report = await import_file(self.store, CAMPAIGN, self.folder.portfolio, now)
        rejected = len(report.portfolio.rejected)
        self._say(f"{self.folder.portfolio}: {report.imported.persons} personas, {rejected} valores observados")
        await self._people(state)
        # Kept only now: a start that was broken off before begins anew.
        state = replace(state, epoch="", mono_s=0.0)
        self.folder.save(state)
        return state

    async def _choose_mode(self) -> None:
        """What the command line asked for, also of a demo that goes on."""
        campaign = next(c for c in await self.store.campaigns() if c.id == CAMPAIGN)
        mode = self._options.mode
        if mode not in (None, campaign.settings.mode):
            settings = replace(campaign.settings, mode=mode)
            await self.store.set_campaign(CAMPAIGN, settings, "demo", "--mode", self.clock.now())

    async def _people(self, state: DemoState) -> None:
        tokens = {}
        for n in range(state.agents + state.seats):
            seat = n >= state.agents
            agent_id = f"puesto{n - state.agents + 1}" if seat else f"agente{n + 1:02}"
            name = f"Puesto {n - state.agents + 1}" if seat else _NAMES[n % len(_NAMES)]
            await self.store.save_agent(Agent(agent_id, name, f"a{1001 + n}"))
            user = await self.store.save_user(
                agent_id, name, UserRole.AGENT, agent_id=agent_id, password_hash="", language="es"
            )
            if not seat:
                tokens[agent_id] = await issue_token(self.store, user, state.clock())
        for login, name, role in _OFFICE:
            await self.store.save_user(login, name, role, agent_id=None, password_hash="", language="es")
        self.folder.write("tokens.json", tokens)

    async def _switch(self, state: DemoState, port: int) -> DemoState:
        speed = self._options.speed or state.speed
        if self.folder.alive("switch") and state.mono_s and (speed, port) == (state.speed, state.port):
            self.adopted = True
            self._say("Conmutador simulado: sigue vivo, se adopta")
            return state
        if self.folder.alive("switch") and state.mono_s:
            state = replace(state, stopped_at=state.clock().now().isoformat())
        self._stop_processes()
        state = state.anchored(speed, port)
        self.folder.save(state)
        self.folder.spawn("switch")
        await self._listens(state.switch_port)
        return state

    async def _listens(self, port: int) -> None:
        """Wait for the switch to listen; one that never does is told of by the first link."""
        for _ in range(100):
            with contextlib.suppress(OSError):
                _, writer = await asyncio.open_connection("127.0.0.1", port)
                writer.close()
                return
            await asyncio.sleep(0.05)

    def _stop_processes(self) -> None:
        for role in ("agents", "switch"):
            self.folder.stop(role)

    async def _engine(self) -> None:
        connector = tcp("127.0.0.1", self.state.switch_port)
        line = {"trunk": Line(1000, 50.0)}
        server = Server(MAIN, connector, USER, self.state.switch_secret, SIMULATED_CONFIG, line, rate_per_s=50.0)
        options = Options(holder=f"demo, pid {os.getpid()}", signer=load_or_make(self.folder.path))
        self.engine = Engine(self.store, self.clock, [server], options, self.tally, rng=random.Random())
        try:
            await self.engine.start()
            await self.engine.ready_to_dial(10.0)
        except TelephonyError as error:
            await self.engine.stop()
            await self.store.close()
            tail = self.folder.log_tail("switch")
            log = self.folder.path / "switch.log"
            raise TelephonyError(
                Words(f"{error.message} {tail}".strip(), f"{spoken(error.message, 'es')} {tail}".strip()),
                Words(f"Look at {log}.", f"Mire {log}."),
            ) from error
        except BaseException:
            await self.store.close()
            raise

    async def _keep_time(self) -> None:
        """If everything dies at once, the next start goes on from about here."""
        while True:
            await asyncio.sleep(_KEEP_S)
            at = self.clock.now() + timedelta(seconds=_KEEP_S * self.clock.speed)
            self.folder.save(replace(self.state, stopped_at=at.isoformat()))

    # -- running -------------------------------------------------------------------------------------------------------
    async def sign_ins(self) -> dict[str, str]:
        """One-time links: the office and the two seats."""
        base = f"http://127.0.0.1:{self.state.port}"
        for login in (*(login for login, *_ in _OFFICE), *(f"puesto{n + 1}" for n in range(self.state.seats))):
            user = await self.store.user(login)
            if user is not None:
                self.links[login] = await issue_once(self.store, user, self.clock, base, valid_s=12 * 3600.0)
        return self.links

    @property
    def exhausted(self) -> bool:
        """Nothing is left on any list, and nothing is on the line."""
        runners = self.engine.runners.values()
        return not self.engine.calls.live and all(r.counts.contacts_closed >= r.counts.contacts for r in runners)

    async def close(self) -> dict[str, Any]:
        """Stop in order and return the summary."""
        simulated_s = self.clock.monotonic() - self.began_s
        wall_s = time.monotonic() - self.began_wall_s
        await self.engine.stop(_DRAIN_S, hang_up=True)
        seats = list(self.engine.staff.seats.values())
        told = summary(
            await self.store.counts(CAMPAIGN),
            self.tally,
            seats,
            self.clock.monotonic(),
            on_the_line=len(self.engine.calls.live),
            double_leases=await _double_leases(self.store),
        )
        self._stop_processes()
        for task in self._background:
            task.cancel()
        await asyncio.gather(*self._background, return_exceptions=True)
        stopped = self.clock.now() + timedelta(seconds=1)
        await self.store.close()
        try:
            self.folder.save(replace(self.state, stopped_at=stopped.isoformat(), epoch="", mono_s=0.0))
        except ConfigError as error:  # a full disk: the summary is worth more than the exact minute
            self._say(str(error))
        return told | {"seed": self.state.seed, "simulated_s": round(simulated_s, 1), "wall_s": round(wall_s, 1)}


async def _double_leases(store: Store) -> int:
    counter, after = DoubleLeases(), 0
    while page := await store.events(after, 5000):
        for event in page:
            counter.take(event)
        after = page[-1].seq
    return counter.count


def _recreate(server: EmbeddedPostgres) -> None:
    server.tool("dropdb", "--if-exists", "--force", DATABASE)
    server.tool("createdb", DATABASE)
