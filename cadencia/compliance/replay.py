"""What other profiles would have said to what the gate was asked: the same questions, with the facts of their instants.

Both sets of profiles are asked about the same facts, so that what is known today and was not known then (a number that
turned out to be dead) changes neither side.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import datetime

from cadencia.compliance.judge import Judge
from cadencia.domain.codes import Denial
from cadencia.domain.dialing import CampaignSettings, ContactFacts
from cadencia.domain.law import Deny

#: So many cases are told of each kind of difference.
EXAMPLES = 3


@dataclass(frozen=True, slots=True)
class Case:
    """One question that is answered otherwise; ids only.

    Attributes:
        before, after: why it is denied; None: it is allowed.
        rule: of the no, as "profile:rule".
    """

    campaign_id: str
    contact_id: int
    at: datetime
    before: Denial | None
    after: Denial | None
    rule: str


@dataclass(frozen=True, slots=True)
class Effect:
    """What a change would have changed.

    Attributes:
        asked: questions that were put.
        allowed: of these, what the profiles in force allow.
        now_denied: what the others would have denied of it, by reason.
        now_allowed: what is denied and the others would have allowed, by the reason that falls away.
        cases: examples of each kind.
    """

    asked: int
    allowed: int
    now_denied: dict[Denial, int]
    now_allowed: dict[Denial, int]
    cases: tuple[Case, ...]


class Replay:
    """Puts questions to two judges and counts where they differ.

    Args:
        before, after: by the profiles in force, and by the others.
    """

    def __init__(self, before: Judge, after: Judge) -> None:
        self._before, self._after = before, after
        self._asked = self._allowed = 0
        self._denied: Counter[Denial] = Counter()
        self._freed: Counter[Denial] = Counter()
        self._cases: list[Case] = []

    def ask(self, contact: ContactFacts, settings: CampaignSettings, at: datetime) -> None:
        """One question, with the facts as of then."""
        old = self._before.verdict(contact, settings, at)
        new = self._after.verdict(contact, settings, at)
        self._asked += 1
        was, will = _code(old), _code(new)
        self._allowed += was is None
        if was is None and will is not None:
            self._denied[will] += 1
            number, no = self._denied[will], new
        elif was is not None and will is None:
            self._freed[was] += 1
            number, no = self._freed[was], old
        else:
            return
        if number <= EXAMPLES:
            rule = no.rule if isinstance(no, Deny) else ""
            self._cases.append(Case(contact.campaign_id, contact.contact_id, at, was, will, rule))

    @property
    def effect(self) -> Effect:
        """What was found so far, the most frequent reasons first."""
        return Effect(
            self._asked,
            self._allowed,
            dict(self._denied.most_common()),
            dict(self._freed.most_common()),
            tuple(self._cases),
        )


def _code(verdict: object) -> Denial | None:
    return verdict.code if isinstance(verdict, Deny) else None
