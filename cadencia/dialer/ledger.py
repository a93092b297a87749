"""Writes behind the engine, in groups: what has happened is written down as fast as the store takes it.

The order within each kind is kept, and a call's milestones go before its settlement. What must be durable before the
engine acts (leases, `sending`, dispositions) does not go through here. While the store fails, everything is kept and
tried again, and `up` is False: the engine then dials nobody.
"""

from __future__ import annotations

import asyncio

import structlog

from cadencia.domain.agents import AgentChange
from cadencia.domain.dialing import Mark, Settlement
from cadencia.domain.events import Event
from cadencia.errors import LeadershipLost, StoreError, Words
from cadencia.store.port import Store

log = structlog.get_logger(__name__)

#: Real seconds between tries while the store fails.
_RETRY_S = 0.5


class Ledger:
    """Collects writes and carries them to the store."""

    def __init__(self, store: Store, token: int) -> None:
        self._store, self._token = store, token
        self._marks: list[Mark] = []
        self._settlements: list[Settlement] = []
        self._agents: list[AgentChange] = []
        self._events: list[Event] = []
        self._woken = asyncio.Event()
        self._taken = self._written = 0  # items handed over, items that are durable
        self._waiting: list[tuple[int, asyncio.Future[None]]] = []
        self.up = True
        self.deposed = asyncio.Event()

    def mark(self, mark: Mark) -> None:
        """A milestone of a call."""
        self._marks.append(mark)
        self._wake()

    def settle(self, settlement: Settlement) -> None:
        """The end of an attempt."""
        self._settlements.append(settlement)
        self._wake()

    def agent(self, change: AgentChange) -> None:
        """An agent's new state."""
        self._agents.append(change)
        self._wake()

    def append(self, event: Event) -> None:
        """Something that changes nothing else in the store."""
        self._events.append(event)
        self._wake()

    def doubt(self) -> None:
        """Somebody else's write failed: nothing is dialled until the store is seen to answer again."""
        self.up = False
        self._woken.set()

    @property
    def leading(self) -> bool:
        """False once another engine was seen to lead: this one dials nobody any more."""
        return not self.deposed.is_set()

    @property
    def pending(self) -> int:
        """Writes the store has not taken yet."""
        return len(self._marks) + len(self._settlements) + len(self._agents) + len(self._events)

    async def flushed(self, timeout_s: float = 5.0) -> None:
        """Wait until everything handed over so far is durable.

        Raises:
            StoreError: it is not after that many real seconds; it is kept and tried again.
        """
        if self._written >= self._taken:
            return
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((self._taken, done))
        try:
            async with asyncio.timeout(timeout_s):
                await done
        except TimeoutError:
            raise StoreError(
                Words(
                    "The database does not answer; nothing was saved.", "La base de datos no responde; nada se guardó."
                ),
                Words("Try again in a moment.", "Intente de nuevo en un momento."),
            ) from None

    async def run(self) -> None:
        """Write until cancelled."""
        while self.leading:
            await self._woken.wait()
            self._woken.clear()
            try:
                if not self.up:
                    await self._store.ping()
                await self._flush()
                self.up = True
            except LeadershipLost:
                self.up = False
                self.deposed.set()
                log.error("ledger.leadership_lost", pending=self.pending)
            except StoreError as error:
                self.up = False
                log.error("ledger.store_failed", code=error.code, reason=error.message, pending=self.pending)
                self._woken.set()
                await asyncio.sleep(_RETRY_S)

    def _wake(self) -> None:
        self._taken += 1
        self._woken.set()

    async def _flush(self) -> None:
        # A failing write leaves its group in place: it is tried again whole, and the store takes repeats.
        # All four are taken at once: what was handed over together is written in one flush, in this order.
        target = self._taken
        marks, settlements, agents, events = self._marks[:], self._settlements[:], self._agents[:], self._events[:]
        if marks:
            await self._store.mark(marks)
            del self._marks[: len(marks)]
        if settlements:
            await self._store.settle(settlements, self._token)
            del self._settlements[: len(settlements)]
        if agents:
            await self._store.save_agent_changes(agents)
            del self._agents[: len(agents)]
        if events:
            await self._store.append(events)
            del self._events[: len(events)]
        self._written = target
        for wanted, done in self._waiting:
            if wanted <= target and not done.done():
                done.set_result(None)
        self._waiting = [pair for pair in self._waiting if not pair[1].done()]
        if self.pending:
            self._woken.set()
