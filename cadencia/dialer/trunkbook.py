"""What became of the calls of the last hour, by server and trunk, and by the codes they ended with.

Pure bookkeeping in buckets of a minute: memory and work do not grow with the number of calls.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

from cadencia.domain.codes import ANSWERED, Outcome

#: Buckets of a minute that are looked at.
MINUTES = 60

#: Answered calls shorter than this (seconds): many of them are a sign of dead air, or of answers that are none.
SHORT_S = 6.0

#: Different ends kept of one minute; what comes beyond them counts as one with no codes.
_KINDS = 200

#: Attempts remembered of each kind of end.
_NEWEST = 3

#: Steps of the post-dial delay, a tenth of a second each; longer than the last is as long as the last.
_STEP_S, _STEPS = 0.1, 600

#: Outcomes that are the network's or the trunk's own fault.
_FAULTS = frozenset({Outcome.CONGESTION, Outcome.TRUNK})


@dataclass(frozen=True, slots=True)
class End:
    """With which codes a call ended that nobody answered, or that broke.

    Attributes:
        sip, q850: SIP status and Q.850 cause, None where none was told.
        rang, media: it rang; something was heard before the end.
        timeout: our own ring time-out ended it (the switch made the codes up).
        outcome: what the table made of it.
        known: False if no rule of the table knows such an end.
        rule: the rule that decided, "" if none.
    """

    server: str
    trunk: str
    sip: int | None
    q850: int | None
    rang: bool
    media: bool
    timeout: bool
    outcome: Outcome
    known: bool
    rule: str = ""


@dataclass(frozen=True, slots=True)
class Ended:
    """A call that was sent and is over.

    Attributes:
        end: how, None for one that was answered and did not break.
        pdd_s: from the sending to the first ring, voice or answer; None if none came.
        up_s: from the answer to the end, None if nobody answered.
        attempt_id: kept for the newest of each kind of end.
    """

    server: str
    trunk: str
    outcome: Outcome
    at: datetime
    end: End | None = None
    pdd_s: float | None = None
    up_s: float | None = None
    attempt_id: str = ""


@dataclass(frozen=True, slots=True)
class Failure:
    """The last call that the network or the trunk failed."""

    at: datetime
    outcome: Outcome
    sip: int | None
    q850: int | None


@dataclass(frozen=True, slots=True)
class TrunkHour:
    """A trunk's last hour. Shares are 0 to 1, None without anything to share.

    Attributes:
        attempts: calls that were sent and are over.
        asr: answered / attempts.
        pdd_p50_s, pdd_p95_s: post-dial delay.
        short: share of the answered calls that lasted less than `SHORT_S`.
    """

    attempts: int
    answered: int
    asr: float | None
    pdd_p50_s: float | None
    pdd_p95_s: float | None
    short: float | None
    last_failure: Failure | None


@dataclass(slots=True)
class _Trunk:
    attempts: int = 0
    answered: int = 0
    short: int = 0
    pdd: Counter[int] = field(default_factory=Counter)


@dataclass(slots=True)
class _Minute:
    number: int
    trunks: dict[tuple[str, str], _Trunk] = field(default_factory=dict)
    ends: Counter[End] = field(default_factory=Counter)


class TrunkBook:
    """The rolling hour. All methods take the clock's monotonic seconds."""

    def __init__(self) -> None:
        self._minutes: deque[_Minute] = deque()
        self._failed: dict[tuple[str, str], Failure] = {}
        self._newest: dict[End, deque[str]] = {}

    def take(self, ended: Ended, now_s: float) -> None:
        """A call is over."""
        minute = self._now(now_s)
        key = (ended.server, ended.trunk)
        trunk = minute.trunks.setdefault(key, _Trunk())
        trunk.attempts += 1
        if ended.outcome in ANSWERED:
            trunk.answered += 1
            trunk.short += ended.up_s is not None and ended.up_s < SHORT_S
        if ended.pdd_s is not None:
            trunk.pdd[min(_STEPS, int(ended.pdd_s / _STEP_S))] += 1
        end = ended.end
        if end is None:
            return
        if ended.outcome in _FAULTS:
            self._failed[key] = Failure(ended.at, ended.outcome, end.sip, end.q850)
        if end not in minute.ends and len(minute.ends) >= _KINDS:
            end = End(*key, None, None, rang=False, media=False, timeout=False, outcome=ended.outcome, known=False)
        minute.ends[end] += 1
        newest = self._newest.pop(end, None) or deque(maxlen=_NEWEST)
        newest.append(ended.attempt_id)
        self._newest[end] = newest  # at the end of the row: the first is the one that was not seen for longest
        if len(self._newest) > _KINDS:
            del self._newest[next(iter(self._newest))]

    def newest(self, end: End) -> tuple[str, ...]:
        """The last attempts that ended so, the newest first."""
        return tuple(reversed(self._newest.get(end, ())))

    def trunks(self, now_s: float) -> dict[tuple[str, str], TrunkHour]:
        """The last hour by (server, trunk)."""
        recent = list(self._recent(now_s))
        keys = {key for minute in recent for key in minute.trunks} | set(self._failed)
        return {key: self._hour(key, recent) for key in sorted(keys)}

    def ends(self, now_s: float) -> list[tuple[End, int]]:
        """How the calls of the last hour ended that nobody answered, and how many each; the most frequent first."""
        told: Counter[End] = Counter()
        for minute in self._recent(now_s):
            told.update(minute.ends)
        return told.most_common()

    def _hour(self, key: tuple[str, str], recent: list[_Minute]) -> TrunkHour:
        parts = [minute.trunks[key] for minute in recent if key in minute.trunks]
        attempts, answered = sum(part.attempts for part in parts), sum(part.answered for part in parts)
        delays: Counter[int] = Counter()
        for part in parts:
            delays.update(part.pdd)
        return TrunkHour(
            attempts,
            answered,
            answered / attempts if attempts else None,
            _percentile(delays, 0.5),
            _percentile(delays, 0.95),
            sum(part.short for part in parts) / answered if answered else None,
            self._failed.get(key),
        )

    def _now(self, now_s: float) -> _Minute:
        number = int(now_s // 60)
        if not self._minutes or self._minutes[-1].number < number:
            self._minutes.append(_Minute(number))
            while len(self._minutes) > MINUTES:
                self._minutes.popleft()
        return self._minutes[-1]

    def _recent(self, now_s: float) -> Iterable[_Minute]:
        oldest = int(now_s // 60) - MINUTES
        return (minute for minute in self._minutes if minute.number > oldest)


def _percentile(delays: Counter[int], share: float) -> float | None:
    """The middle of the step that at least `share` of all do not exceed."""
    wanted = share * delays.total()
    seen = 0
    for step in sorted(delays):
        seen += delays[step]
        if seen >= wanted:
            return round((step + 0.5) * _STEP_S, 2)
    return None
