"""A floor on a real Asterisk to which anything may happen: the engine a process, the link a proxy, the trunk a carrier.

Each fault is a method: it does its mischief, waits until the floor dials again, and leaves the checking to the witness
and to the books that are compared at the end.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import random
import signal
import sys
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, Self

import msgspec

from cadencia.clock import Anchor, SimulatedClock
from cadencia.domain.agents import Agent
from cadencia.domain.dialing import Campaign, CampaignSettings, CampaignState, Mode
from cadencia.domain.events import Event
from cadencia.store.postgres import PostgresStore
from cadencia.telephony.ami.connect import tcp
from cadencia.telephony.asterisk import Installation, Lab, Waits, config_hash
from cadencia.testing.engine_process import Spec
from cadencia.testing.floor import people
from cadencia.testing.proxy import FaultProxy, Faults
from cadencia.testing.sip import Phones
from cadencia.testing.sip.load_process import LoadProcess
from cadencia.testing.virtual import TUESDAY_0900_BOGOTA
from cadencia.testing.witness import Witness, agree, until_quiet

#: The dialplan's limits on such a floor, whole seconds, and the length of the lab's message.
WAITS = Waits(wait_s=2, reoffer_s=3, reoffer_max=2)
MESSAGE_S = 2.0

#: From an answer to an agent, or to the end of the message at the latest.
LIMIT_S = WAITS.wait_s + MESSAGE_S

SETTINGS = CampaignSettings(
    mode=Mode.RATIO,
    ratio=1.5,
    ring_s=10,
    min_ring_s=0,
    wait_s=WAITS.wait_s,
    wrapup_s=20,
    retry_minutes=600,
    attempts_per_day=20,
    attempts_per_week=100,
    abandonment_cap=0.2,
    message="cadencia/identify",
)

#: Real seconds between two looks at the engine's picture.
_LOOK_S = 0.5


class RoughFloor:
    """`async with RoughFloor(asterisk, database, folder) as floor`, then its faults, then `verdict()`.

    Args:
        asterisk: what to run.
        database: address of an empty, migrated database.
        folder: for logs.
        agents, contacts: how many.
        seed: of all that chance decides.

    Attributes:
        done: faults by name.
        restarts_s, server_restarts_s: from the start of an engine, or of the server, to the first new call at the
            carrier.
        relinks_s: from the cut of a link that may come up at once to every call and agent reconciled.
        races: calls whose debtor hung up 0 to 12 ms after the answer, while the Bridge was on its way.
        wrong: what a fault itself found, in words.
    """

    def __init__(
        self,
        asterisk: Installation,
        database: str,
        folder: Path,
        *,
        agents: int = 8,
        contacts: int = 3000,
        seed: int = 1,
    ) -> None:
        self._database, self._folder, self._agents, self._contacts = database, folder, agents, contacts
        self.rng = random.Random(seed)
        self.lab = Lab(asterisk, agents=agents, admin=True, waits=WAITS)
        self.clock = SimulatedClock(Anchor(TUESDAY_0900_BOGOTA, time.monotonic(), 1.0))
        self.done: Counter[str] = Counter()
        self.restarts_s: list[float] = []
        self.server_restarts_s: list[float] = []
        self.relinks_s: list[float] = []
        self.races = 0
        self.wrong: list[str] = []
        self.cut_by_crash = 0
        self.spoken_at_crash = 0
        self._excused: list[tuple[float, float]] = []
        self._engine: asyncio.subprocess.Process | None = None
        self._asking = asyncio.Lock()
        self._step_s = 0.0
        self._offsets: set[int] = set()
        self.span_s, self.frozen_s = 6.0, 10.0  # how long the network is bad, and a server frozen
        self.last = "the start"
        self._stack = contextlib.AsyncExitStack()

    async def __aenter__(self) -> Self:
        enter = self._stack.enter_async_context
        try:
            await enter(self.lab)
            options = ("--mix", "answer=70,gone=10,busy=8,invalid=4,noanswer=4,temporary=4", "--ring", "0.1:0.6")
            carrier = LoadProcess(
                self.lab.trunk_ports[0], self._folder / "carrier.jsonl", *options, "--talk", "1:5", "--gone", "0:0.012"
            )
            self.carrier = await enter(carrier)
            secrets = {phone.name: phone.secret for phone in self.lab.plan.agents}
            self.phones = await enter(Phones(self.lab.sip_port, secrets))
            await self.phones.register()
            self.proxy = await enter(FaultProxy(self.lab.ami_port, seed=self.rng.randrange(1 << 30)))
            admin = (self.lab.admin_user, self.lab.admin_secret)
            self.witness = await enter(Witness(tcp("127.0.0.1", self.lab.ami_port), *admin, secrets))
            self._store = await PostgresStore.open(self._database)
            self._stack.push_async_callback(self._store.close)
            await self._populate(list(secrets))
            self._stack.push_async_callback(self._end_engine)
            await self.start_engine()
            self._watch = asyncio.get_running_loop().create_task(self._watching())
            self._stack.callback(self._watch.cancel)
        except BaseException:
            await self._stack.aclose()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stack.aclose()

    async def _populate(self, endpoints: list[str]) -> None:
        now = self.clock.now()
        for endpoint in endpoints:
            await self._store.save_agent(Agent(endpoint, f"Agente {endpoint}", endpoint))
        await self._store.create_campaign(Campaign("c1", "Prueba", CampaignState.RUNNING, SETTINGS, now), "test")
        for first in range(0, self._contacts, 1000):
            await self._store.import_people("c1", people(min(1000, self._contacts - first), first=first), now)

    # -- the engine ----------------------------------------------------------------------------------------------------
    async def start_engine(self) -> None:
        """Start one and wait until it dials."""
        self._engine, said = await self._spawn()
        if "error" in said:
            raise RuntimeError(f"the engine does not start: {said}")

    async def _spawn(self) -> tuple[asyncio.subprocess.Process, dict[str, Any]]:
        account = self.lab.plan.account
        hash_ = config_hash(self.lab.plan)
        anchor = self.clock.anchor
        spec = Spec(
            self._database, self.proxy.port, account.user, account.secret, hash_, anchor.epoch, anchor.mono_s,
            step_s=self._step_s,
        )  # fmt: skip
        path = self._folder / "spec.json"
        path.write_bytes(msgspec.json.encode(spec))
        with (self._folder / "engine.log").open("ab") as log:
            process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "cadencia.testing.engine_process", str(path),
                stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=log,
            )  # fmt: skip
        assert process.stdout is not None  # noqa: S101
        line = await asyncio.wait_for(process.stdout.readline(), 40.0)
        return process, json.loads(line or b'{"error": "it said nothing"}')

    async def ask(self, command: str = "picture") -> dict[str, Any]:
        """A line to the engine, and its picture."""
        async with self._asking:
            process = self._engine
            assert process is not None and process.stdin is not None and process.stdout is not None  # noqa: S101
            process.stdin.write(f"{command}\n".encode())
            answer: dict[str, Any] = json.loads(await asyncio.wait_for(process.stdout.readline(), 40.0))
            return answer

    async def _end_engine(self) -> None:
        process, self._engine = self._engine, None
        if process is not None and process.returncode is None:
            process.kill()
            await process.wait()

    async def _watching(self) -> None:
        while True:
            await asyncio.sleep(_LOOK_S)
            if self._engine is None or self._asking.locked():
                continue
            for attempt in await self._store.open_attempts():
                self._offsets.add(int(attempt.phone.e164[4:]) - attempt.contact_id)
            with contextlib.suppress(ValueError, OSError, TimeoutError):
                told = await self.ask()
                if not told.get("linked"):
                    self.witness.look_away(2.0)
                agents = told.get("agents", {})
                self.witness.compare({endpoint: (state, attempt) for endpoint, (state, attempt, _) in agents.items()})

    async def _begun(self) -> int:
        begun: int = (await self.carrier.tell("stats"))["begun"]
        return begun

    async def dials_again(self, within_s: float, since_s: float | None = None) -> float:
        """Wait for the next new call at the carrier; how long it took (from `since_s`, CLOCK_MONOTONIC)."""
        began_s = time.monotonic() if since_s is None else since_s
        before = await self._begun()
        while await self._begun() == before:
            if time.monotonic() - began_s > within_s:
                self.wrong.append(f"{within_s:g} s after {self.last} nobody is dialled: {await self.ask()}")
                return within_s
            await asyncio.sleep(0.03)
        return time.monotonic() - began_s

    async def warm(self) -> None:
        """Until conversations are going on."""
        deadline_s = time.monotonic() + 15.0
        while len(self.witness.talking()) < max(1, self._agents // 3):
            if time.monotonic() > deadline_s:
                self.wrong.append(f"no load before {self.last}: {await self.ask()}")
                return
            await asyncio.sleep(0.05)

    async def do(self, name: str) -> None:
        """One fault by its name, under load."""
        self.last = name
        await self.warm()
        await asyncio.sleep(self.rng.uniform(0.0, 0.5))
        await FAULTS[name](self)
        self.done[name] += 1

    # -- faults --------------------------------------------------------------------------------------------------------
    async def link_cut(self) -> None:
        self.proxy.cut()
        self.witness.look_away(4.0)
        refused = self.rng.random() < 0.5
        if refused:
            self.proxy.refuse_for(self.rng.uniform(0.2, 2.0))
        began_s = time.monotonic()
        await asyncio.sleep(0.01)  # it has to notice
        for _ in range(1000):
            if (await self.ask())["linked"]:
                break
            await asyncio.sleep(0.01)
        if not refused:
            self.relinks_s.append(time.monotonic() - began_s)
        await self.dials_again(10.0)

    async def link_stalled(self) -> None:
        self.proxy.stall()
        self.witness.look_away(12.0)
        self._excused.append((time.monotonic(), time.monotonic() + 7.0))
        await asyncio.sleep(self.rng.uniform(4.5, 6.0))
        self.proxy.resume()
        await self.dials_again(15.0)

    async def network_bad(self) -> None:
        """5 % of the answers dropped, events doubled, swapped and late."""
        self.proxy.faults = Faults(lose_answer=0.05, duplicate=0.05, reorder=0.05, delay_s=0.005, jitter_s=0.02)
        await asyncio.sleep(self.span_s)
        self.proxy.faults = Faults()
        await self.dials_again(10.0)

    async def events_lost(self) -> None:
        self.proxy.faults = Faults(lose_event=0.02)
        await asyncio.sleep(self.span_s)
        self.proxy.faults = Faults()
        await asyncio.sleep(4.5)  # the snapshot finds what was never told
        await self.dials_again(10.0)

    async def server_killed(self) -> None:
        self._excused.append((time.monotonic() - 10.0, time.monotonic() + 4.0))
        self.witness.look_away(12.0)
        self.lab.crash()
        for leg in [self.phones.leg(phone.name) for phone in self.lab.plan.agents]:
            if leg is not None:
                self.phones.vanish(leg)  # a telephone notices that nobody is there any more
        began_s = time.monotonic()
        await self.lab.start_again()
        await self.phones.register()
        self.server_restarts_s.append(await self.dials_again(15.0, began_s))

    async def server_frozen(self) -> None:
        began_s = time.monotonic()
        self.lab.freeze()
        await asyncio.sleep(self.frozen_s)
        self.lab.thaw()
        self._excused.append((began_s - 5.0, time.monotonic() + 2.0))
        self.witness.look_away(6.0)
        await self.dials_again(15.0)

    async def engine_killed(self) -> None:
        await self._kill_engine()
        self.witness.look_away(3.0)
        began_s = time.monotonic()
        await self.start_engine()
        self.restarts_s.append(await self.dials_again(15.0, began_s))

    async def _kill_engine(self) -> None:
        talking = {leg.id: leg.partners[-1] for leg in self.witness.talking()}
        async with self._asking:
            process, self._engine = self._engine, None
            assert process is not None  # noqa: S101
            os.kill(process.pid, signal.SIGKILL)
            await process.wait()
        await asyncio.sleep(0.5)
        self.spoken_at_crash += len(talking)
        cut = [ref for ref in talking if not self._went_on(ref)]
        self.cut_by_crash += len(cut)
        if cut:
            self.wrong.append(f"a dead engine cut {len(cut)} conversations")

    def _went_on(self, ref: str) -> bool:
        """Whether the conversation goes on, or the debtor ended it (then the carrier's log says so)."""
        leg = self.witness.legs[ref]
        if leg.talks[-1][1] == float("inf"):
            return True
        ended = [call for call in self.carrier.calls() if call["number"] == leg.number]
        return not ended or ended[-1]["ended_by"] != "switch"

    async def engine_twice(self) -> None:
        """A second engine on the same database must not dial, and must say why."""
        process, said = await self._spawn()
        if "error" not in said:
            self.wrong.append(f"a second engine started: {said}")
            process.kill()
        await process.wait()
        await self.dials_again(10.0)

    async def trunk_silent(self) -> None:
        await self._trunk("silent", 4.0)

    async def trunk_flapping(self) -> None:
        await self._trunk("flapping 1", 5.0)

    async def trunk_503(self) -> None:
        await self._trunk("503", 4.0)

    async def _trunk(self, mode: str, seconds: float) -> None:
        await self.carrier.tell(mode)
        await asyncio.sleep(seconds)
        await self.carrier.tell("normal")
        await self.dials_again(50.0)

    async def telephone_dead(self) -> None:
        """The telephone of somebody in a conversation hangs up: the debtor goes to another agent, or is released."""
        talking = self.witness.talking()
        if not talking:
            return
        leg = self.rng.choice(talking)
        self.phones.drop(leg.partners[-1])
        await asyncio.sleep(0.3)
        await self.dials_again(10.0)

    async def clock_stepped(self) -> None:
        for step_s in (3600.0, -3600.0, -3600.0, 3600.0):
            self._step_s += step_s
            await self.ask(f"step {step_s}")
            await self.dials_again(10.0)

    # -- the end -------------------------------------------------------------------------------------------------------
    async def verdict(self) -> list[str]:
        """Stop in order, and everything that was found wrong."""
        self.last = "the end"
        async with asyncio.timeout(60.0):
            self._watch.cancel()
            await asyncio.gather(self._watch, return_exceptions=True)
            told = await self.ask("stop")
            if self._engine is not None:
                await self._engine.wait()
            await until_quiet(self.witness, 20.0)
            await asyncio.sleep(1.0)
        if told["calls"]:
            self.wrong.append(f"{told['calls']} calls are left over in the engine")
        self.answered = self.witness.waits(LIMIT_S, self._excused)
        events = await self._events()
        (offset,) = self._offsets  # persons were made in order, and imported in order
        numbers = {e.contact_id: f"573{e.contact_id + offset:09d}" for e in events if e.contact_id is not None}
        calls = self.carrier.calls()
        self.calls = len(calls)
        self.races = sum(call["kind"] == "gone" and call["t_answered"] is not None for call in calls)
        self.attempts = sum(event.kind == "attempt.settled" for event in events)
        return [*self.wrong, *self.witness.violations, *agree(calls, events, numbers)]

    async def _events(self) -> list[Event]:
        found: list[Event] = []
        while page := await self._store.events(found[-1].seq if found else 0, 5000):
            found += page
        return found


FAULTS: dict[str, Callable[[RoughFloor], Awaitable[None]]] = {
    name: getattr(RoughFloor, name)
    for name in (
        "link_cut",
        "link_stalled",
        "network_bad",
        "events_lost",
        "server_killed",
        "server_frozen",
        "engine_killed",
        "engine_twice",
        "trunk_silent",
        "trunk_flapping",
        "trunk_503",
        "telephone_dead",
        "clock_stepped",
    )
}
