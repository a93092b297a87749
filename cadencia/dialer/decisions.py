"""What is kept of a campaign's decisions: one row a second at most, with the reason and the numbers behind it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from cadencia.domain.agents import AT_WORK, AgentState
from cadencia.domain.dialing import Mode
from cadencia.pacing.port import Decision, Snapshot
from cadencia.pacing.reasons import ENOUGH_IN_FLIGHT, NO_FREE_AGENT

#: Clock seconds that one row stands for.
ROW_S = 1.0

#: Reasons that follow every launch as a matter of course, and would hide what led to it.
_TRIVIAL = frozenset({"", ENOUGH_IN_FLIGHT, NO_FREE_AGENT})


@dataclass(frozen=True, slots=True)
class Decided:
    """A decision with what it was made from; `launch` is what was really handed to the sender.

    `server` is the one it was made for, where the campaign runs on several.
    """

    mode: Mode
    snapshot: Snapshot
    decision: Decision
    launch: int
    reason: str
    server: str = ""


class DecisionLog:
    """Gathers the decisions of a second into one row.

    Attributes:
        shown: the row that stands for the last full second, None before the first decision.
    """

    def __init__(self) -> None:
        self.shown: dict[str, Any] | None = None
        self._launch = self._cancel = 0
        self._telling: Decided | None = None
        self._began_s: float | None = None
        self._written = ""

    def take(self, decided: Decided) -> dict[str, Any] | None:
        """Take a decision in; the row to be written down, None while there is none.

        A row is due a second after the last one, if calls were launched or taken back or the reason is another one.
        """
        now_s = decided.snapshot.now_s
        self._launch += decided.launch
        self._cancel += len(decided.decision.cancel)
        if self._telling is None or decided.reason not in _TRIVIAL or self._telling.reason in _TRIVIAL:
            self._telling = decided
        if self._began_s is not None and 0.0 <= now_s - self._began_s < ROW_S:
            return None
        return self._close(now_s)

    def rest(self) -> dict[str, Any] | None:
        """The row of a second that has begun: nothing more will be decided."""
        return self._close(self._telling.snapshot.now_s) if self._telling is not None else None

    def _close(self, now_s: float) -> dict[str, Any] | None:
        telling, launch, cancel = self._telling, self._launch, self._cancel
        assert telling is not None  # noqa: S101
        self._telling, self._launch, self._cancel, self._began_s = None, 0, 0, now_s
        self.shown = body(telling, launch, cancel)
        if not launch and not cancel and telling.reason == self._written:
            return None
        self._written = telling.reason
        return self.shown


def body(decided: Decided, launch: int, cancel: int) -> dict[str, Any]:
    """The body of `pacing.decision`, version 2."""
    s, forecast = decided.snapshot, decided.decision.forecast
    told: dict[str, Any] = {
        "launch": launch,
        "cancel": cancel,
        "reason": decided.reason,
        "mode": str(decided.mode),
        "ready": sum(agent.state is AgentState.READY for agent in s.agents),
        "at_work": sum(agent.state in AT_WORK for agent in s.agents),
        "dialling": len(s.dials),
        "waiting": s.waiting,
        "channels": s.channels,
        "rate": s.rate,
        "supply": None if s.supply is None else list(s.supply),
        "wanted": decided.decision.wanted,
        "answers": s.budget.day.answers,
        "abandoned": s.budget.day.abandoned,
        "month_answers": s.budget.month.answers,
        "month_abandoned": s.budget.month.abandoned,
    }
    if decided.server:
        told["server"] = decided.server
    if forecast is not None:  # as plain floats: a forecast may hold numpy's, which no encoder of ours knows
        told |= {
            "risk": round(float(forecast.risk), 4),
            "threshold": round(float(forecast.threshold), 4),
            "budget_drops": round(float(forecast.budget_drops), 2),
            "answer_rate": round(float(forecast.answer_rate), 4),
            "free_10s": round(float(forecast.free_10s), 2),
            "answers_10s": round(float(forecast.answers_10s), 2),
        }
    return told
