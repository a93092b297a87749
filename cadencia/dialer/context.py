"""What the parts of the engine share: the ports, the link, the ids, and whom to tell what."""

from __future__ import annotations

import asyncio
import itertools
import random
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Protocol

import structlog

from cadencia.clock import Clock
from cadencia.compliance.judge import Judge
from cadencia.compliance.signing import Signer
from cadencia.dialer.hub import Hub
from cadencia.dialer.ledger import Ledger
from cadencia.dialer.servers import Switches
from cadencia.dialer.steps import WallWatch
from cadencia.dialer.trunkbook import TrunkBook
from cadencia.dialer.views import FloorView
from cadencia.domain.codes import Outcome
from cadencia.errors import LeadershipLost, StoreError
from cadencia.store.port import Store

log = structlog.get_logger(__name__)


class Observer(Protocol):
    """What the engine tells of itself, for metrics and summaries. No method may raise or wait."""

    def event(self, name: str) -> None: ...

    def settled(self, campaign_id: str, outcome: Outcome) -> None: ...

    def unknown_cause(self, server: str, trunk: str, sip: int | None, q850: int | None) -> None: ...

    def denied(self, campaign_id: str, code: str, number: int) -> None: ...

    def decided(self, seconds: float) -> None: ...

    def bridged(self, milliseconds: float) -> None: ...

    def popped(self, milliseconds: float) -> None: ...

    def waited(self, seconds: float) -> None: ...

    def floor(self, view: FloorView) -> None: ...

    def lines(self, switches: Switches) -> None: ...

    def sealed(self, rows: int, behind: int, lag_s: float) -> None: ...

    def rechecked(self, day: date, violations: int) -> None: ...


class Ids:
    """Ids of attempts and legs: unique over restarts, sortable by time, [a-z0-9-] only.

    Args:
        clock: the time in them.
        rng: the rest of them; seeded in tests, so that the same seed gives the same ids.
    """

    def __init__(self, clock: Clock, rng: random.Random) -> None:
        self._clock, self._rng = clock, rng
        self._serial = itertools.count()

    def attempt(self) -> str:
        """An attempt's id, which becomes the ChannelId of its call."""
        return f"a{self._stem()}"

    def leg(self) -> str:
        """The id of an agent's nailed-up leg."""
        return f"g{self._stem()}"

    def _stem(self) -> str:
        milliseconds = int(self._clock.now().timestamp() * 1000)
        return f"{milliseconds:x}-{next(self._serial) & 0xFFFFF:05x}{self._rng.getrandbits(40):010x}"


@dataclass(frozen=True)
class Options:
    """How an engine is set up.

    Attributes:
        holder: who we are, shown to a second engine that is started by mistake.
        audit_s: a snapshot of each server is compared with our picture this often.
        tick_s: a decision is due at least this often.
        signer: signs the evidence; without one nothing is sealed.
    """

    holder: str = "cadencia"
    audit_s: float = 4.0
    tick_s: float = 1.0
    signer: Signer | None = None


@dataclass
class Context:
    """The engine's shared parts."""

    clock: Clock
    store: Store
    hub: Hub
    ledger: Ledger
    ids: Ids
    options: Options
    observer: Observer
    token: int
    switches: Switches
    wall: WallWatch
    judge: Judge
    tasks: set[asyncio.Task[Any]] = field(default_factory=set)
    stopping: bool = False
    book: TrunkBook = field(default_factory=TrunkBook)  # what became of the last hour's calls
    changed: Callable[[], None] = lambda: None  # somebody should look at the floor again

    @property
    def may_dial(self) -> bool:
        """Whether anything new may be sent, if a server is ready: store up, still leading, nobody asked us to stop."""
        return self.ledger.up and self.ledger.leading and not self.stopping

    def store_failed(self, error: StoreError) -> None:
        """A write beside the ledger failed: dial nobody until the store answers again, or ever if we were replaced."""
        if isinstance(error, LeadershipLost):
            self.ledger.deposed.set()
        else:
            self.ledger.doubt()

    def spawn(self, work: Coroutine[Any, Any, None]) -> None:
        """Run something beside the event loop's other work; its failure is logged, never lost."""
        task = asyncio.get_running_loop().create_task(work)
        self.tasks.add(task)
        task.add_done_callback(self._done)

    def _done(self, task: asyncio.Task[Any]) -> None:
        self.tasks.discard(task)
        if not task.cancelled() and task.exception() is not None:
            log.error("engine.task_failed", exc_info=task.exception())
