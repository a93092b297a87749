"""What a controller is told of an attempt: one whole story, whatever order the switch's events came in.

LAUNCHED is followed by exactly one of ANSWERED, MACHINE, UNANSWERED, FAILED and CANCELLED; ANSWERED by CONNECTED, ENDED
and perhaps JUDGED, or by ABANDONED.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import IntEnum

from cadencia.domain.codes import ANSWERED, UNCHARGED, Outcome
from cadencia.pacing.port import PacingEvent, PacingEventKind

#: Conversations without a disposition that are remembered; the oldest makes room.
_OWED = 10_000


class _Stage(IntEnum):
    LAUNCHED = 1
    ANSWERED = 2
    CONNECTED = 3


class Teller:
    """Tells a controller of a campaign's attempts.

    Args:
        tell: takes each event.
    """

    def __init__(self, tell: Callable[[PacingEvent], None]) -> None:
        self._tell = tell
        self._stages: dict[str, _Stage] = {}
        self._owed: dict[str, None] = {}  # ended, not judged
        self._early: dict[str, bool] = {}  # judged while still talking

    def launched(self, ref: str, at_s: float, propensity: int = 0, line: str = "") -> None:
        """The attempt is handed to the sender: from here it may be answered, as far as the forecast goes.

        Args:
            line: the trunk of the server it goes out by.
        """
        self._stages[ref] = _Stage.LAUNCHED
        self._tell(PacingEvent(PacingEventKind.LAUNCHED, at_s, ref, propensity=propensity, line=line))

    def answered(self, ref: str, at_s: float) -> None:
        """Somebody answered who needs an agent now: no detector is (any more) at work on the call."""
        if self._stages.get(ref) is _Stage.LAUNCHED:
            self._stages[ref] = _Stage.ANSWERED
            self._tell(PacingEvent(PacingEventKind.ANSWERED, at_s, ref))

    def connected(self, ref: str, at_s: float) -> None:
        """An agent and the person are together."""
        self.answered(ref, at_s)
        if self._stages.get(ref) is _Stage.ANSWERED:
            self._stages[ref] = _Stage.CONNECTED
            self._tell(PacingEvent(PacingEventKind.CONNECTED, at_s, ref))

    def cancelled(self, ref: str, at_s: float) -> None:
        """It was given back, or never sent."""
        if self._stages.pop(ref, None) is not None:
            self._tell(PacingEvent(PacingEventKind.CANCELLED, at_s, ref))

    def ended(self, ref: str, outcome: Outcome, at_s: float) -> None:
        """The attempt is settled."""
        stage = self._stages.get(ref)
        if stage is None:
            return
        if stage is _Stage.LAUNCHED and outcome in ANSWERED and outcome is not Outcome.MACHINE:
            self.answered(ref, at_s)  # and gone before anybody could be offered
            stage = _Stage.ANSWERED
        del self._stages[ref]
        kind = _end(stage, outcome)
        ending = str(outcome) if kind in (PacingEventKind.UNANSWERED, PacingEventKind.FAILED) else ""
        self._tell(PacingEvent(kind, at_s, ref, ending=ending))
        if kind is PacingEventKind.ENDED:
            self._owed[ref] = None
            if len(self._owed) > _OWED:
                del self._owed[next(iter(self._owed))]
            if ref in self._early:
                self.judged(ref, at_s, live=self._early.pop(ref))

    def judged(self, ref: str, at_s: float, *, live: bool) -> None:
        """The agent said who was on the line. A second opinion is not told."""
        if self._stages.get(ref) is _Stage.CONNECTED:
            self._early[ref] = live
        elif ref in self._owed:
            del self._owed[ref]
            self._tell(PacingEvent(PacingEventKind.JUDGED, at_s, ref, live=live))


def _end(stage: _Stage, outcome: Outcome) -> PacingEventKind:
    if stage is _Stage.CONNECTED:
        return PacingEventKind.ENDED
    if stage is _Stage.ANSWERED:
        return PacingEventKind.ABANDONED  # also who hung up before the wait was over: nobody came
    if outcome is Outcome.MACHINE:
        return PacingEventKind.MACHINE
    if outcome in UNCHARGED:
        return PacingEventKind.FAILED
    if outcome in (Outcome.CANCELLED, Outcome.UNKNOWN):
        return PacingEventKind.CANCELLED  # unknown says nothing of the debtor either
    return PacingEventKind.UNANSWERED
