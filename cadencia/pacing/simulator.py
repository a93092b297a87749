"""The floor simulator: one campaign, its agents and its trunk, event by event, around any controller.

The controller is the object that the engine runs, told and asked through the same port: after every event and once a
second. Who is called, and what becomes of each call, comes from a world by the order of the list and a seed, whatever
the controller does: so policies are compared on common random numbers.
"""

from __future__ import annotations

import heapq
import math
import random
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Final

from cadencia.domain.agents import AgentState
from cadencia.pacing.budget import Budget, Count
from cadencia.pacing.floor import Floor, Result, check
from cadencia.pacing.port import AgentView, Controller, DialView, PacingEvent, PacingEventKind, Snapshot
from cadencia.pacing.worlds import Contacts, Nature, World, contacts

__all__ = ["Floor", "Result", "Source", "simulate"]

#: A failing trunk says so after this many seconds.
_OUTAGE_FAILS_S: Final = 0.4

_TICK, _DIAL_ENDS, _DETECTED, _GIVES_UP, _TALK_ENDS, _WRAPUP_ENDS, _AGENT = range(7)

_Kind = PacingEventKind

#: Gives a block of the list by its number and size.
Source = Callable[[int, int], Contacts]


@dataclass(slots=True)
class _Agent:
    id: str
    state: AgentState = AgentState.OUT
    since_s: float = 0.0
    call: int = -1
    pause_due: bool = False
    view: AgentView | None = None


@dataclass(slots=True)
class _Tally:
    answers: int = 0
    abandoned: int = 0
    machines: int = 0
    false_positives: int = 0
    dials: int = 0
    contacts: int = 0
    cancelled: int = 0
    busy_s: float = 0.0
    idle_s: float = 0.0

    def count(self) -> Count:
        return Count(self.answers, self.abandoned, self.machines)


class _List:
    """The contacts, in order, drawn block by block."""

    SIZE = 4096

    def __init__(self, source: Source) -> None:
        self._source = source
        self._blocks: dict[int, Contacts] = {}

    def of(self, index: int) -> tuple[Contacts, int]:
        number, row = divmod(index, self.SIZE)
        block = self._blocks.get(number)
        if block is None:
            block = self._blocks[number] = self._source(number, self.SIZE)
            self._blocks.pop(number - 3, None)
        return block, row


@dataclass
class _Sim:
    """The state of one run."""

    world: World
    floor: Floor
    controller: Controller
    hours: float
    seed: int
    warmup_s: float
    source: Source
    now_s: float = 0.0
    heap: list[tuple[float, int, int, int]] = field(default_factory=list)
    serial: int = 0
    dials: dict[int, DialView] = field(default_factory=dict)
    dials_view: tuple[DialView, ...] = ()
    dials_changed: bool = False
    agents_view: tuple[AgentView, ...] = ()
    agents_changed: bool = True
    waiting: deque[int] = field(default_factory=deque)
    in_detection: set[int] = field(default_factory=set)
    next_contact: int = 0
    day: _Tally = field(default_factory=_Tally)
    waits_s: list[float] = field(default_factory=list)
    series: list[tuple[float, float, int, int, int]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.end_s = self.hours * 3600.0 + self.warmup_s
        self.list = _List(self.source)
        self.contact_of: dict[int, tuple[Contacts, int]] = {}
        self.answered_live: set[int] = set()
        self.rng = random.Random(f"{self.seed}/shift")
        presence = self.floor.presence
        self.agents = [_Agent(f"a{n}") for n in range(self.floor.agents if presence is None else len(presence))]
        self.ready: dict[int, None] = {}  # longest idle first
        self.talking = 0
        self.unjudged = 0
        self.tokens, self.tokens_at_s = min(self.floor.rate_per_s, 1e9), 0.0
        self.at_warmup = self.at_half_hour = self.at_minute = _Tally()
        buffer = self.floor.buffer if self.floor.buffer is not None else max(50, 3 * self.floor.agents)
        self.hand: tuple[deque[int], deque[int]] = (deque(), deque())
        self.hand_size = buffer if self.world.classes else 0

    # -- time ----------------------------------------------------------------------------------------------------------
    def at(self, when_s: float, kind: int, ref: int = 0) -> None:
        self.serial += 1
        heapq.heappush(self.heap, (when_s, self.serial, kind, ref))

    def run(self) -> Result:
        shift, presence = self.world.shift, self.floor.presence
        for number in range(len(self.agents)):
            if presence is None:
                self.at(shift.login_spread_s * number / max(1, len(self.agents)), _AGENT, number)
            else:
                self.at(presence[number][0], _AGENT, number)
                self.at(max(presence[number]), _AGENT, number)
        self.at(0.0, _TICK)
        handlers = (
            self._tick,
            self._dial_ends,
            self._detected,
            self._gives_up,
            self._talk_ends,
            self._wrapup_ends,
            self._agent_moves,
        )
        heap, pop = self.heap, heapq.heappop
        while heap and heap[0][0] <= self.end_s:
            self.now_s, _, kind, ref = pop(heap)
            if handlers[kind](ref):
                self._decide()
        self.now_s = self.end_s
        return self._result()

    def _tick(self, _: int) -> bool:
        second = round(self.now_s)
        if second and second == int(self.warmup_s):  # without a warm-up nothing is left out, not even second 0
            self.at_warmup = self._total()
            self.waits_s.clear()
        if second == 1800:
            self.at_half_hour = self._total()
        if second and second % 60 == 0:
            self._minute()
        self.at(self.now_s + 1.0, _TICK)
        return True

    # -- dials ---------------------------------------------------------------------------------------------------------
    def _decide(self) -> None:
        floor = self.floor
        if self.agents_changed:
            self.agents_view = tuple(agent.view for agent in self.agents if agent.view is not None)
            self.agents_changed = False
        if self.dials_changed:
            self.dials_view = tuple(self.dials.values())
            self.dials_changed = False
        in_use = len(self.dials) + len(self.waiting) + self.talking + len(self.in_detection)
        day = self.day
        count = Count(day.answers, day.abandoned, day.machines)
        snapshot = Snapshot(
            self.now_s,
            self.agents_view,
            self.dials_view,
            len(self.waiting) + len(self.in_detection),
            max(0, floor.lines - in_use),
            self._tokens(),
            self._supply(),
            Budget(floor.cap, floor.target, floor.day + count, floor.month + count, self.unjudged),
            floor.min_ring_s,
            floor.wait_s,
        )
        decision = self.controller.decide(snapshot)
        if decision.launch:
            check(snapshot, decision)
        for name in decision.cancel:
            index = int(name)
            if self.dials.pop(index, None) is not None:
                self.dials_changed = True
                self.day.cancelled += 1
                self.contact_of.pop(index)
                self._tell(_Kind.CANCELLED, index)
        if decision.launch:
            self.tokens -= decision.launch
            if decision.propensities:
                for likely, number in enumerate(decision.propensities):
                    for _ in range(number):
                        self._launch(likely)
            else:
                for _ in range(decision.launch):
                    self._launch(None)

    def _tokens(self) -> int:
        rate = self.floor.rate_per_s
        if math.isinf(rate):
            return 1_000_000
        self.tokens = min(max(1.0, rate), self.tokens + (self.now_s - self.tokens_at_s) * rate)
        self.tokens_at_s = self.now_s
        return max(0, int(self.tokens))

    def _supply(self) -> tuple[int, ...] | None:
        size = self.floor.list_size
        if not self.hand_size:
            return None if size is None else (max(0, size - self.next_contact), 0)
        low, high = self.hand
        while len(low) + len(high) < self.hand_size and (size is None or self.next_contact < size):
            block, row = self.list.of(self.next_contact)
            self.hand[min(1, block.likely[row])].append(self.next_contact)
            self.next_contact += 1
        return len(low), len(high)

    def _take(self, likely: int | None) -> int:
        if not self.hand_size:
            self.next_contact += 1
            return self.next_contact - 1
        low, high = self.hand
        if likely is None:
            likely = 0 if low and (not high or low[0] < high[0]) else 1
        return self.hand[likely].popleft()

    def _launch(self, likely: int | None) -> None:
        index = self._take(likely)
        contact, row = self.list.of(index)
        self.contact_of[index] = contact, row
        kind = contact.likely[row]
        self.dials[index] = DialView(str(index), self.now_s, None, min(1, kind))
        self.dials_changed = True
        self.day.dials += 1
        self.controller.tell(PacingEvent(_Kind.LAUNCHED, self.now_s, str(index), None, min(1, kind)))
        world, elapsed = self.world, self.now_s / self.end_s
        if any(begin <= elapsed < begin + length / self.end_s for begin, length in world.outages):
            self.at(self.now_s + _OUTAGE_FAILS_S, _DIAL_ENDS, -1 - index)
            return
        rate = world.answer_rate(elapsed) * (world.classes[kind][1] if world.classes else 1.0)
        live = contact.luck[row] < rate
        if live:
            self.answered_live.add(index)
        ends_s = contact.answer_s[row] if live else contact.end_s[row]
        if not world.exponential:
            ends_s = min(ends_s, self.floor.ring_s + 1e-6)
        self.at(self.now_s + ends_s, _DIAL_ENDS, index)

    def _dial_ends(self, ref: int) -> bool:
        outage = ref < 0
        index = -1 - ref if outage else ref
        dial = self.dials.pop(index, None)
        live = index in self.answered_live
        if dial is None:
            self.answered_live.discard(index)
            return False
        self.dials_changed = True
        contact, row = self.contact_of[index]
        if outage:
            self._drop_contact(index, _Kind.FAILED)
            return True
        rung_out = self.now_s - dial.launched_s >= self.floor.ring_s and not self.world.exponential
        nature = Nature.PERSON if live else contact.nature[row]
        if rung_out or nature not in (Nature.PERSON, Nature.MACHINE):
            failed = nature is Nature.CONGESTION and not rung_out
            self._drop_contact(index, _Kind.FAILED if failed else _Kind.UNANSWERED)
            return True
        detector = self.world.detector
        if detector is None:
            self._needs_agent(index)
        elif detector.delay_s > 0.0:
            self.in_detection.add(index)
            self.at(self.now_s + detector.delay_s, _DETECTED, index)
        else:
            self._detected(index)
        return True

    def _drop_contact(self, index: int, kind: PacingEventKind) -> None:
        self.contact_of.pop(index, None)
        self.answered_live.discard(index)
        self._tell(kind, index)

    def _detected(self, index: int) -> bool:
        self.in_detection.discard(index)
        detector = self.world.detector
        contact, row = self.contact_of[index]
        live = index in self.answered_live
        wrong = detector is not None and contact.heard[row] < (
            detector.false_positive if live else detector.false_negative
        )
        if live is wrong:
            self.day.false_positives += live
            self._drop_contact(index, _Kind.MACHINE)
        else:
            self._needs_agent(index)
        return True

    # -- callers and agents --------------------------------------------------------------------------------------------
    def _needs_agent(self, index: int) -> None:
        self.day.answers += 1
        self._tell(_Kind.ANSWERED, index)
        if self.ready:
            number = next(iter(self.ready))
            self._connect(number, index)
            return
        self.waiting.append(index)
        contact, row = self.contact_of[index]
        wait_s = math.inf if self.world.exponential else self.floor.wait_s
        self.at(self.now_s + min(wait_s, contact.patience_s[row]), _GIVES_UP, index)

    def _gives_up(self, index: int) -> bool:
        if index not in self.waiting:
            return False
        self.waiting.remove(index)
        self.day.abandoned += 1
        self._drop_contact(index, _Kind.ABANDONED)
        return True

    def _connect(self, number: int, index: int) -> None:
        agent = self.agents[number]
        self.waits_s.append(self.now_s - agent.since_s)
        agent.call = index
        self.talking += 1
        self.unjudged += 1
        self.day.contacts += 1
        self._to(number, AgentState.TALKING)
        self._tell(_Kind.CONNECTED, index)
        contact, row = self.contact_of[index]
        talk_s = contact.talk_s[row] if index in self.answered_live else self.world.unmask_s
        self.at(self.now_s + talk_s, _TALK_ENDS, number)

    def _talk_ends(self, number: int) -> bool:
        agent = self.agents[number]
        contact, row = self.contact_of[agent.call]
        self.talking -= 1
        self._tell(_Kind.ENDED, agent.call)
        wrapup_s = contact.wrapup_s[row] if agent.call in self.answered_live else 0.0
        if wrapup_s <= 0.0:
            return self._wrapup_ends(number)
        self._to(number, AgentState.WRAPUP)
        self.at(self.now_s + wrapup_s, _WRAPUP_ENDS, number)
        return True

    def _wrapup_ends(self, number: int) -> bool:
        agent = self.agents[number]
        live = agent.call in self.answered_live
        self.unjudged -= 1
        if not live:
            self.day.answers -= 1
            self.day.machines += 1
        self.controller.tell(PacingEvent(_Kind.JUDGED, self.now_s, str(agent.call), live=live))
        self.contact_of.pop(agent.call, None)
        self.answered_live.discard(agent.call)
        agent.call = -1
        if agent.pause_due:
            self._pause(number)
        else:
            self._make_ready(number)
        return True

    def _make_ready(self, number: int) -> None:
        self._to(number, AgentState.READY)
        if self.waiting:
            self._connect(number, self.waiting.popleft())

    def _agent_moves(self, number: int) -> bool:
        """Signs in, comes back from a break, or is due for one."""
        agent, shift = self.agents[number], self.world.shift
        if agent.state in (AgentState.OUT, AgentState.PAUSED):
            if shift.break_every_s > 0.0 and self.floor.presence is None:
                self.at(self.now_s + self.rng.expovariate(1.0 / shift.break_every_s), _AGENT, number)
            self._make_ready(number)
        elif agent.state is AgentState.READY:
            self._pause(number)
        else:
            agent.pause_due = True
        return True

    def _pause(self, number: int) -> None:
        self.agents[number].pause_due = False
        self._to(number, AgentState.PAUSED)
        if self.floor.presence is None:
            self.at(self.now_s + self.rng.expovariate(1.0 / self.world.shift.break_s), _AGENT, number)

    def _to(self, number: int, state: AgentState) -> None:
        agent = self.agents[number]
        self._account(agent)
        self.ready.pop(number, None)
        if state is AgentState.READY:
            self.ready[number] = None
        agent.state, agent.since_s = state, self.now_s
        agent.view = AgentView(agent.id, state, self.now_s)
        self.agents_changed = True
        self.controller.tell(PacingEvent(_Kind.AGENT, self.now_s, agent.id, state))

    def _account(self, agent: _Agent) -> None:
        spent_s = self.now_s - agent.since_s
        if agent.state is AgentState.READY:
            self.day.idle_s += spent_s
        elif agent.state in (AgentState.TALKING, AgentState.WRAPUP):
            self.day.busy_s += spent_s

    def _tell(self, kind: PacingEventKind, index: int) -> None:
        self.controller.tell(PacingEvent(kind, self.now_s, str(index)))

    # -- counting ------------------------------------------------------------------------------------------------------
    def _total(self) -> _Tally:
        """The day until now, time in the present states included."""
        day = self.day
        total = _Tally(
            day.answers,
            day.abandoned,
            day.machines,
            day.false_positives,
            day.dials,
            day.contacts,
            day.cancelled,
            day.busy_s,
            day.idle_s,
        )
        for agent in self.agents:
            spent_s = self.now_s - agent.since_s
            total.idle_s += spent_s if agent.state is AgentState.READY else 0.0
            total.busy_s += spent_s if agent.state in (AgentState.TALKING, AgentState.WRAPUP) else 0.0
        return total

    def _minute(self) -> None:
        total, before = self._total(), self.at_minute
        busy, idle = total.busy_s - before.busy_s, total.idle_s - before.idle_s
        self.series.append(
            (
                self.now_s,
                busy / (busy + idle) if busy + idle > 0.0 else 0.0,
                total.answers - before.answers,
                total.abandoned - before.abandoned,
                total.dials - before.dials,
            )
        )
        self.at_minute = total

    def _result(self) -> Result:
        total, before = self._total(), self.at_warmup
        busy, idle = total.busy_s - before.busy_s, total.idle_s - before.idle_s
        waits = sorted(self.waits_s)
        half_hour = self.at_half_hour if self.end_s >= 1800.0 else total
        return Result(
            utilisation=busy / (busy + idle) if busy + idle > 0.0 else 0.0,
            wait_mean_s=sum(waits) / len(waits) if waits else 0.0,
            wait_p95_s=waits[min(len(waits) - 1, int(0.95 * len(waits)))] if waits else 0.0,
            answers=total.answers - before.answers,
            abandoned=total.abandoned - before.abandoned,
            false_positives=total.false_positives - before.false_positives,
            dials=total.dials - before.dials,
            contacts=total.contacts - before.contacts,
            cancelled=total.cancelled - before.cancelled,
            day=total.count(),
            first_half_hour=half_hour.count(),
            series=tuple(self.series),
        )


def simulate(
    world: World,
    floor: Floor,
    controller: Controller,
    *,
    hours: float,
    seed: int,
    warmup_s: float = 0.0,
    source: Source | None = None,
) -> Result:
    """Run one day of a floor from a cold start (of the floor; the controller may have learnt before).

    Args:
        hours: measured, after `warmup_s` seconds that only `Result.day` and `first_half_hour` count.
        seed: of the contacts and of the agents' breaks.
        source: the list, block by block; by default drawn from the world and the seed.

    Raises ValueError if the controller launches more than trunk and list allow.
    """
    if source is None:
        source = partial(contacts, world, seed)
    return _Sim(world, floor, controller, hours, seed, warmup_s, source).run()
