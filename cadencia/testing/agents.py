"""Simulated agents: they sign in, talk, wrap up and choose dispositions, through whatever desk they are given.

What an agent "hears" is asked of the same seeded world that the simulated switch asks, so both agree who is on the line
without a word between them.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator
from typing import Any, Protocol

import msgspec

from cadencia.clock import Clock, sleep
from cadencia.dialer.desk import Desk
from cadencia.dialer.views import AgentView
from cadencia.domain.agents import SKIP_REASONS, AgentState
from cadencia.domain.dialing import Promise
from cadencia.domain.people import Money
from cadencia.errors import CadenciaError
from cadencia.pacing.worlds import Fate, Nature, Party, World, voice

#: Dispositions by who was on the line, with weights.
_CODES: dict[Party, dict[str, int]] = {
    Party.RIGHT: {
        "PPT": 22,
        "PPP": 16,
        "ACP": 6,
        "VLL": 12,
        "REN": 12,
        "SCP": 14,
        "YAP": 9,
        "REF": 5,
        "INF": 3,
        "NOC": 1,
    },
    Party.OTHER: {"TMS": 45, "TNM": 25, "TNV": 10, "NEQ": 18, "MEN": 2},
    Party.REFUSAL: {"CUE": 40, "TIT-NI": 35, "SIL": 15, "TNM": 10},
}

_PROMISES = ("PPT", "PPP", "ACP")

#: What agents do with a file that is offered (preview), with weights; "" lets the time run out.
_CHOICES: dict[str, int] = {"dial": 82, "skip": 12, "": 6}


class AgentPort(Protocol):
    """A desk as one agent sees it: in process, or over HTTP."""

    def views(self) -> AsyncIterator[AgentView]:
        """The agent's present, again with every change."""
        ...

    async def act(self, verb: str, body: dict[str, Any]) -> None:
        """sign-in, ready, pause, dial, skip, finish, confirm, disposition. Raises CadenciaError if refused."""
        ...


class SimulatedAgent:
    """One agent at work.

    Args:
        world, seed: who the debtors are; the same as the switch's.
        breaks: share of wrap-ups after which the agent takes a short break.
    """

    def __init__(self, port: AgentPort, agent_id: str, clock: Clock, world: World, seed: int, breaks: float = 0.01):
        self._port, self._clock, self._world, self._seed, self._breaks = port, clock, world, seed, breaks
        self._rng = random.Random(f"{seed}/agent/{agent_id}")
        self._doing: asyncio.Task[None] | None = None
        self._key: tuple[str, str, str] = ("", "", "")

    async def run(self) -> None:
        """Work until cancelled, or until the views end."""
        try:
            async for view in self._port.views():
                self._see(view)
        finally:
            if self._doing is not None:
                self._doing.cancel()

    def _see(self, view: AgentView) -> None:
        key = (view.state, view.reason, view.pop.attempt_id if view.pop else "")
        if key == self._key:
            return
        self._key = key
        if self._doing is not None:
            self._doing.cancel()
        self._doing = asyncio.get_running_loop().create_task(self._respond(view))

    async def _respond(self, view: AgentView) -> None:
        while True:
            try:
                return await self._do(view)
            except CadenciaError:
                # Refused, because the floor moved on: the next view tells what to do. If none comes, ask again.
                await sleep(self._clock, 2.0)

    async def _do(self, view: AgentView) -> None:
        if view.state == AgentState.OUT:
            await self._pause(0.2, 3.0)
            await self._port.act("sign-in", {})
        elif view.state == AgentState.PAUSED:
            on_break = view.reason == "descanso"
            await self._pause(60.0, 300.0) if on_break else await self._pause(0.5, 2.0)
            await self._port.act("ready", {})
        elif view.state == AgentState.PREVIEW and view.pop is not None:
            await self._choose(view.pop.attempt_id)
        elif view.state == AgentState.RESERVED and view.pop is not None and view.pop.answered_at is None:
            await self._ring(view.pop.attempt_id)
        elif view.state == AgentState.TALKING and view.pop is not None:
            await self._talk(view.pop.attempt_id)
        elif view.state == AgentState.WRAPUP and view.pop is not None:
            await self._wrap_up(view)

    async def _choose(self, attempt_id: str) -> None:
        choice = self._rng.choices(list(_CHOICES), list(_CHOICES.values()))[0]
        await self._pause(2.0, 12.0)
        if choice == "dial":
            await self._port.act("dial", {"attempt_id": attempt_id})
        elif choice == "skip":
            await self._port.act("skip", {"attempt_id": attempt_id, "reason": self._rng.choice(SKIP_REASONS)})

    async def _ring(self, attempt_id: str) -> None:
        if self._rng.random() < 0.02:  # thinks better of it
            await self._pause(1.0, 10.0)
            await self._port.act("finish", {"attempt_id": attempt_id})

    async def _talk(self, attempt_id: str) -> None:
        heard = voice(self._world, self._seed, attempt_id)
        if heard.nature is Nature.MACHINE:
            await self._pause(3.0, 7.0)
            await self._port.act("finish", {"attempt_id": attempt_id})
        elif heard.party is Party.RIGHT:
            await sleep(self._clock, min(12.0, heard.talk_s / 2))
            await self._port.act("confirm", {"attempt_id": attempt_id})

    async def _wrap_up(self, view: AgentView) -> None:
        assert view.pop is not None  # noqa: S101
        heard = voice(self._world, self._seed, view.pop.attempt_id)
        await sleep(self._clock, min(heard.wrapup_s or 5.0, 40.0))
        if self._rng.random() < self._breaks:
            await self._port.act("pause", {"reason": "descanso"})
        code = self._code(heard)
        amount = self._rng.randrange(5, 200) * 10_000 * 100
        due = (view.pop.answered_at or self._clock.now()).date().isoformat()
        promise = {"amount_minor": amount, "currency": "COP", "due": due} if code in _PROMISES else None
        body = {"attempt_id": view.pop.attempt_id, "code": code, "note": "", "promise": promise, "callback_at": None}
        await self._port.act("disposition", body)

    def _code(self, heard: Fate) -> str:
        if heard.nature is Nature.MACHINE or heard.party is None:
            return "BUZ"
        codes = _CODES[heard.party]
        return self._rng.choices(list(codes), list(codes.values()))[0]

    async def _pause(self, low_s: float, high_s: float) -> None:
        await sleep(self._clock, self._rng.uniform(low_s, high_s))


class DeskPort:
    """A desk in this process, as one agent sees it."""

    def __init__(self, desk: Desk, agent_id: str) -> None:
        self._desk, self._agent_id = desk, agent_id

    async def views(self) -> AsyncIterator[AgentView]:
        async for _, _, message in self._desk.hub.listen([f"agent/{self._agent_id}"]):
            yield view_of(message)

    async def act(self, verb: str, body: dict[str, Any]) -> None:
        desk, agent_id = self._desk, self._agent_id
        if verb == "disposition":
            promise = body["promise"]
            made = Promise(Money(promise["amount_minor"], promise["currency"]), promise["due"]) if promise else None
            await desk.dispose(agent_id, body["attempt_id"], body["code"], body["note"], made, None)
        elif verb == "skip":
            await desk.skip(agent_id, body["attempt_id"], body["reason"])
        elif verb in ("dial", "finish", "confirm"):
            await getattr(desk, verb)(agent_id, body["attempt_id"])
        elif verb == "pause":
            await desk.pause(agent_id, body["reason"])
        else:
            await getattr(desk, verb.replace("-", "_"))(agent_id)


def view_of(message: bytes) -> AgentView:
    """An AgentView from its JSON."""
    return msgspec.json.decode(message, type=AgentView)
