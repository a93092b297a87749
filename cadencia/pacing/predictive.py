"""Predictive pacing: dial ahead from the probability that an answered call would find nobody.

A call is started while two conditions hold, each read off the forecast of `cadencia.pacing.kernel`:

* risk: the probability that its answer finds no free agent stays under a threshold. The abandonment budget steers the
  threshold exponentially; this is dual ascent on the Lagrange multiplier of "serve as many as possible with at most so
  many abandoned" (Bertsekas 1999, section 6.3), so whatever the floor is like, drops over answers go to the target.
* reserve: with the call in flight, the probability that more is dropped than the budget holds stays tiny, so that the
  bound is held, not only steered to. That also makes the first call of a day safe: it begins with an empty budget.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from cadencia.domain.agents import AgentState
from cadencia.pacing import kernel, reasons
from cadencia.pacing.learned import ABSURD_S, EDGES, Learned
from cadencia.pacing.limits import OVERDRAWN_DROPS, cancellable, ceiling
from cadencia.pacing.port import AgentView, Decision, DialView, Forecast, PacingEvent, Snapshot

#: The threshold at a budget that stands at its reserve, for one agent; it falls with the size of the floor.
THETA: Final = 0.06
THETA_AGENTS: Final = 8.0

#: Growth of the threshold's logarithm per drop, above and below the reserve.
GAIN_ABOVE: Final = 0.2
GAIN_BELOW: Final = 0.5

#: Drops that the budget keeps back.
RESERVE: Final = 4.5

#: Highest probability to overdraw the budget, and while it is overdrawn already.
OVERDRAW: Final = 0.003
OVERDRAW_NEGATIVE: Final = 0.002

#: Quantile of the standard normal distribution for a 90 % band.
_BAND: Final = 1.645

_UNLIMITED: Final = np.array([-1], dtype=np.int64)


class PredictiveController:
    """See the module.

    Args:
        cancel_late: while no agent is free, take back what has rung for the minimum time.
        choose: pick the propensity class of each call; otherwise the list's order decides.
    """

    def __init__(self, learned: Learned, *, cancel_late: bool = True, choose: bool = True) -> None:
        self.learned, self.cancel_late, self.choose = learned, cancel_late, choose
        self._agents_seen: tuple[AgentView, ...] | None = None
        self._dials_seen: tuple[DialView, ...] | None = None
        self._free = self._at_work = 0
        self._busy = (np.zeros(0), np.zeros(0, dtype=np.int64), np.zeros(0))
        self._dials = (np.zeros(0), np.zeros(0, dtype=np.int64))
        self._out = np.zeros(kernel.NUMBERS)

    def tell(self, event: PacingEvent) -> None:
        self.learned.tell(event)

    def decide(self, snapshot: Snapshot) -> Decision:
        """What to start, what to take back, and why."""
        self._read_agents(snapshot.agents)
        if not abs(snapshot.now_s) <= ABSURD_S:
            return Decision(0, (), reasons.LIMITED_BY_RISK)
        if not self._at_work:
            return Decision(0, cancellable(snapshot), reasons.NO_AGENTS)
        learned = self.learned
        learned.refresh(snapshot)
        breaker = learned.breaker(snapshot.line)
        cancel: tuple[str, ...] = ()
        dials = snapshot.dials
        if self.cancel_late and self._free == 0 and dials:
            cancel = cancellable(snapshot)
            if cancel:
                gone = frozenset(cancel)
                dials = tuple(dial for dial in dials if dial.attempt_id not in gone)
        self._read_dials(dials)
        drops = snapshot.budget.drops(self._at_work, learned.machine_share)
        most, limit = ceiling(snapshot, breaker)
        overdrawn = drops <= -OVERDRAWN_DROPS
        if overdrawn:
            one_each = max(0, self._free - len(dials) - snapshot.waiting)
            if one_each < most:
                most, limit = one_each, reasons.LIMITED_BY_ABANDONMENT
        supply = snapshot.supply
        out = self._out
        kernel.plan(
            snapshot.now_s,
            self._free,
            snapshot.waiting,
            *self._busy,
            *self._dials,
            EDGES,
            learned.handle_table,
            learned.answer_table,
            learned.lag_weights,
            _UNLIMITED if supply is None else np.array((*supply, 0)[:2], dtype=np.int64),
            np.array(
                (
                    THETA / (1.0 + self._at_work / THETA_AGENTS),
                    GAIN_ABOVE,
                    GAIN_BELOW,
                    RESERVE,
                    drops,
                    OVERDRAW if drops >= 0.0 else OVERDRAW_NEGATIVE,
                    most,
                    learned.likely_share,
                    self.choose,
                )
            ),
            out,
        )
        high, low, plain = int(out[kernel.HIGH]), int(out[kernel.LOW]), int(out[kernel.PLAIN])
        launch = high + low + plain
        if launch and breaker.open:
            breaker.probed(snapshot.now_s)
        return Decision(
            launch,
            cancel,
            self._reason(int(out[kernel.CAUSE]), launch, drops, limit),
            () if plain or not launch else (low, high),
            int(out[kernel.WANTED]),
            self._forecast(drops),
        )

    def _reason(self, cause: int, launch: int, drops: float, limit: str) -> str:
        if cause == kernel.BY_LIMIT:
            return limit
        if cause == kernel.BY_LIST:
            return reasons.LIMITED_BY_LIST
        if launch:
            return reasons.LAUNCHING
        return reasons.LIMITED_BY_ABANDONMENT if cause == kernel.BY_BUDGET or drops < 0.0 else reasons.LIMITED_BY_RISK

    def _forecast(self, drops: float) -> Forecast:
        out = self._out.tolist()
        answers, band = out[kernel.ANSWERS], _BAND * out[kernel.ANSWERS_SD]
        return Forecast(
            min(1.0, out[kernel.RISK]),
            out[kernel.THRESHOLD],
            drops,
            self.learned.rate.rate,
            out[kernel.FREE_5S],
            out[kernel.FREE_10S],
            out[kernel.FREE_30S],
            answers,
            max(0.0, answers - band),
            answers + band,
        )

    def _read_agents(self, agents: tuple[AgentView, ...]) -> None:
        if agents is self._agents_seen:
            return
        self._agents_seen = agents
        waits = free = 0
        since: list[float] = []
        kinds: list[int] = []
        shares: list[float] = []
        for agent in agents:
            # By identity: this runs over every agent, and looking an enum up in a set costs more than all the rest.
            state = agent.state
            if state is AgentState.TALKING or state is AgentState.RESERVED or state is AgentState.WRAPUP:
                since.append(agent.since_s + agent.delay_s if state is AgentState.RESERVED else agent.since_s)
                kinds.append(1 if state is AgentState.WRAPUP else 0)
                shares.append(agent.share)
            elif state is AgentState.READY:
                waits += 1
                free += agent.share >= 0.5
            elif state is AgentState.PREVIEW:
                waits += 1
        self._at_work = len(since) + waits
        self._free = free
        self._busy = (_finite(since), np.array(kinds, dtype=np.int64), np.array(shares))

    def _read_dials(self, dials: tuple[DialView, ...]) -> None:
        if dials is self._dials_seen:
            return
        self._dials_seen = dials
        self._dials = (
            _finite([dial.launched_s for dial in dials]),
            np.array([min(max(dial.propensity, 0), 1) for dial in dials], dtype=np.int64),
        )


def warm_up() -> None:
    """Have the kernel compiled, which takes seconds the first time: better before calls than while they ring."""
    agents = (AgentView("", AgentState.READY, 0.0), AgentView("", AgentState.TALKING, 0.0))
    PredictiveController(Learned()).decide(Snapshot(0.0, agents, (DialView("", 0.0),)))


def _finite(times_s: list[float]) -> kernel.Floats:
    """Times as an array; what is none becomes long ago."""
    array = np.array(times_s)
    return array if np.isfinite(array).all() else np.nan_to_num(array)
