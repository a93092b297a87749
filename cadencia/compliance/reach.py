"""How far an attempt to call got, as the law's counters see it.

"Contacto directo" is a two-way interaction with the right party (Ley 2300 of 2023, article 3, as the advisory council
of the Superfinanciera reads it); a third party's or a machine's answer is none. What nobody knows counts as the worst
that it may have been.
"""

from __future__ import annotations

from datetime import datetime

from cadencia.domain.codes import DISPOSITIONS, NOT_DISPOSED, Outcome
from cadencia.domain.law import Reach

#: Ended before the person's telephone rang.
_NOT_REACHED = frozenset({Outcome.BUSY, Outcome.OFF, Outcome.NOT_IN_SERVICE, Outcome.CONGESTION, Outcome.TRUNK})

#: An agent and whoever answered were together.
_TOGETHER = frozenset({Outcome.CONNECTED, Outcome.DROPPED})

#: Somebody or something answered.
_ANSWERED = frozenset({Outcome.ABANDONED, Outcome.ABANDONED_MESSAGE, Outcome.MACHINE, Outcome.HUNG_UP})


def reach_of(
    outcome: Outcome | None, disposition: str | None, answered_at: datetime | None, connected_at: datetime | None
) -> Reach:
    """How far the attempt got.

    Args:
        outcome: None while it goes on.
        disposition: None if nobody chose one yet: then a conversation counts as one with the right party.
    """
    leaf = DISPOSITIONS.get(disposition or "")
    if leaf is not None and disposition != NOT_DISPOSED:
        return Reach.TWO_WAY if leaf.right_party else Reach.CONNECTED
    if outcome in _TOGETHER or connected_at is not None:
        return Reach.TWO_WAY
    if outcome in _ANSWERED or answered_at is not None:
        return Reach.CONNECTED
    return Reach.ATTEMPT if outcome in _NOT_REACHED else Reach.RANG
