"""The same floor twice: around the pure controller in the floor simulator, and around the whole engine.

Both take the contacts of one world in one order, whatever they launch and when: the call that is launched as number k
meets the same debtor here and there, and agents talk and wrap up exactly as long as that debtor takes. What remains
between the two is what the way from the mathematics to the wire costs.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from cadencia.clock import Clock, sleep
from cadencia.dialer.engine import Engine
from cadencia.dialer.views import AgentView
from cadencia.domain.agents import AgentState
from cadencia.domain.dialing import CampaignSettings, Mode
from cadencia.pacing import Policy, make_controller
from cadencia.pacing.budget import Count
from cadencia.pacing.simulator import Floor, simulate
from cadencia.pacing.worlds import Contacts, Fate, Nature, World, contacts
from cadencia.testing.agents import AgentPort, SimulatedAgent

#: Attempts, wrap-ups and the like never get in the way of the comparison.
SETTINGS = CampaignSettings(mode=Mode.PREDICTIVE, wrapup_s=3600, retry_minutes=24 * 60)

_BLOCK = 4096


@dataclass(frozen=True)
class Outcome:
    """What a floor came to after its warm-up.

    Attributes:
        utilisation: (talk + wrap-up) / (talk + wrap-up + waiting) of the agents, 0 to 1.
        dials: calls launched.
        count: live answers and the abandoned among them.
    """

    utilisation: float
    dials: int
    count: Count

    @property
    def abandonment(self) -> float:
        """Of the live answers, 0 to 1."""
        return self.count.abandoned / self.count.answers if self.count.answers else 0.0


class Lineup:
    """The population of a simulated switch: the contacts of a world, in the order in which calls are placed.

    The world's moves and classes have no part in it.
    """

    def __init__(self, world: World, seed: int) -> None:
        self.world, self.seed = world, seed
        self._blocks: dict[int, Contacts] = {}
        self._met: dict[str, Fate] = {}

    @property
    def placed(self) -> int:
        """Calls until now."""
        return len(self._met)

    def fate(self, number: str, attempt_id: str) -> Fate:
        """The next debtor's."""
        fate = self._met[attempt_id] = self._of(len(self._met))
        return fate

    def heard(self, attempt_id: str) -> Fate:
        """Who is on the line of a call that was placed."""
        return self._met[attempt_id]

    def _of(self, index: int) -> Fate:
        block, row = divmod(index, _BLOCK)
        if block not in self._blocks:
            self._blocks[block] = contacts(self.world, self.seed, block, _BLOCK)
        table = self._blocks[block]
        if table.luck[row] < self.world.live:
            return Fate(
                Nature.PERSON,
                table.pdd_s[row],
                table.answer_s[row],
                table.talk_s[row],
                table.patience_s[row],
                table.wrapup_s[row],
                table.party[row],
            )
        # A recording goes on until the agent has noticed: its end must not come first.
        return Fate(table.nature[row], table.pdd_s[row], table.end_s[row], 3600.0, 3600.0)


class PunctualAgent(SimulatedAgent):
    """Signs in at once, and takes exactly as long as the floor simulator's agents do."""

    def __init__(self, port: AgentPort, agent_id: str, clock: Clock, lineup: Lineup) -> None:
        super().__init__(port, agent_id, clock, lineup.world, lineup.seed, 0.0)
        self._lineup = lineup

    async def _pause(self, low_s: float, high_s: float) -> None:
        pass

    async def _talk(self, attempt_id: str) -> None:
        if self._lineup.heard(attempt_id).nature is Nature.MACHINE:
            await sleep(self._clock, self._world.unmask_s)
            await self._port.act("finish", {"attempt_id": attempt_id})

    async def _wrap_up(self, view: AgentView) -> None:
        assert view.pop is not None  # noqa: S101
        heard = self._lineup.heard(view.pop.attempt_id)
        if heard.wrapup_s > 0.0:
            await sleep(self._clock, heard.wrapup_s)
        code = "BUZ" if heard.nature is Nature.MACHINE else "TMS"
        body = {"attempt_id": view.pop.attempt_id, "code": code, "note": "", "promise": None, "callback_at": None}
        await self._port.act("disposition", body)


async def watched(engine: Engine, clock: Clock, lineup: Lineup, *, hours: float, warmup_s: float) -> Outcome:
    """Look at a running engine's floor once a second of the clock, and count after the warm-up.

    A reserved agent still waits for the conversation, as one who is ready does.
    """
    busy = idle = 0
    runner = engine.runners["c1"]
    begin_s = clock.monotonic()
    before, dials = Count(), 0
    second = 0
    while second < warmup_s + 3600.0 * hours:
        second += 1
        await sleep(clock, max(0.0, begin_s + second - clock.monotonic()))
        if second == int(warmup_s):
            before, dials = runner.budget.day, lineup.placed
        if second <= warmup_s:
            continue
        for seat in engine.staff.seats.values():
            busy += seat.state in (AgentState.TALKING, AgentState.WRAPUP)
            idle += seat.state in (AgentState.READY, AgentState.RESERVED)
    day = runner.budget.day
    count = Count(day.answers - before.answers, day.abandoned - before.abandoned, day.machines - before.machines)
    return Outcome(busy / max(1, busy + idle), lineup.placed - dials, count)


def put_to_work(engine: Engine, clock: Clock, lineup: Lineup, ports: dict[str, AgentPort]) -> list[asyncio.Task[None]]:
    """Punctual agents, one for each port; cancel the tasks to send them home."""
    loop = asyncio.get_running_loop()
    return [loop.create_task(PunctualAgent(port, name, clock, lineup).run()) for name, port in ports.items()]


def pure(world: World, seed: int, agents: int, *, hours: float, warmup_s: float) -> Outcome:
    """The floor simulator's figures for the same floor."""
    floor = Floor(
        agents,
        channels=100_000,
        wait_s=SETTINGS.wait_s,
        ring_s=SETTINGS.ring_s,
        min_ring_s=SETTINGS.min_ring_s,
        cap=SETTINGS.abandonment_cap,
    )
    result = simulate(world, floor, make_controller(Policy()), hours=hours, seed=seed, warmup_s=warmup_s)
    return Outcome(result.utilisation, result.dials, Count(result.answers, result.abandoned))
