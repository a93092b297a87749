"""What bounds every policy: channels, rate, list, breaker, and the minimum ring."""

from __future__ import annotations

from typing import Final

from cadencia.pacing import reasons
from cadencia.pacing.breaker import Breaker
from cadencia.pacing.port import Decision, Snapshot

#: Drops below zero at which the budget forces one call per free agent.
OVERDRAWN_DROPS: Final = 2.0

#: Seconds from the launch until a call rings, where the trunk does not say when it does.
SILENT_PDD_S: Final = 3.0


def ceiling(snapshot: Snapshot, breaker: Breaker) -> tuple[int, str]:
    """How many calls may be started at most, the list aside, and the reason that applies if more are wanted."""
    most, reason = snapshot.channels, reasons.LIMITED_BY_CHANNELS
    if snapshot.rate < most:
        most, reason = snapshot.rate, reasons.LIMITED_BY_RATE
    allowed = breaker.allows(snapshot.now_s, snapshot.dials)
    if allowed < most:
        most, reason = allowed, reasons.LIMITED_BY_BREAKER
    return max(0, most), reason


def limited(snapshot: Snapshot, breaker: Breaker, want: int, reason: str = reasons.LAUNCHING) -> Decision:
    """Launch `want` calls as far as trunk and list allow; the tightest limit becomes the reason."""
    most, limit = ceiling(snapshot, breaker)
    if want > most:
        want, reason = most, limit
    launch = want
    if snapshot.supply is not None and sum(snapshot.supply) < launch:
        launch, reason = sum(snapshot.supply), reasons.LIMITED_BY_LIST
    if launch and breaker.open:
        breaker.probed(snapshot.now_s)
    return Decision(launch, (), reason, wanted=want)


def cancellable(snapshot: Snapshot) -> tuple[str, ...]:
    """The calls in flight that have rung long enough to be taken back.

    Where the trunk never told that a call rings, a post-dial delay is allowed for, so that the minimum ring is kept.
    """
    rings_before = snapshot.now_s - snapshot.min_ring_s
    launched_before = rings_before - (SILENT_PDD_S if snapshot.min_ring_s > 0.0 else 0.0)
    return tuple(
        dial.attempt_id
        for dial in snapshot.dials
        if (dial.launched_s <= launched_before if dial.ringing_s is None else dial.ringing_s <= rings_before)
    )
