"""How likely a contact is to answer, roughly: a class that the controller may choose by."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from cadencia.domain.codes import ANSWERED, DISPOSITIONS, Outcome
from cadencia.domain.dialing import ContactFacts
from cadencia.domain.people import PastContact

#: Number of classes: 0 is less likely to answer, 1 more likely.
CLASSES: Final = 2

#: Tries without an answer from which a contact counts as one who rarely answers.
_IN_VAIN = 2


def propensity(facts: ContactFacts, history: Iterable[PastContact] = ()) -> int:
    """The class of a contact: 1 if somebody answered before or nobody knows better, 0 after two tries in vain.

    Args:
        history: the past contacts that the person's file shows; a machine that answered is nobody.
    """
    if facts.attempts < _IN_VAIN:
        return 1
    return int(any(_answered(past) for past in history))


def _answered(past: PastContact) -> bool:
    leaf = DISPOSITIONS.get(past.disposition or "")
    machine = past.outcome == Outcome.MACHINE or (leaf is not None and leaf.machine)
    return past.outcome in ANSWERED and not machine
