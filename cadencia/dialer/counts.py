"""A campaign's numbers, carried on in memory from what the store computed at the start."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta

from cadencia.compliance.hours import BOGOTA
from cadencia.domain.dialing import CampaignCounts, CampaignSettings, DayCount
from cadencia.pacing.budget import Budget, Count

#: Local days that the abandonment budget looks back over, today included (US 16 CFR 310.4(b)(4)(i): 30 days).
BUDGET_DAYS = 30


@dataclass
class Counts:
    """What a campaign's attempts came to."""

    attempts: int
    answered_live: int
    connected: int
    abandoned: int
    contacts: int
    contacts_touched: int
    contacts_closed: int
    outcomes: dict[str, int]
    denied: dict[str, int]

    @classmethod
    def of(cls, counts: CampaignCounts) -> Counts:
        return cls(
            counts.attempts,
            counts.answered_live,
            counts.connected,
            counts.abandoned,
            counts.contacts,
            counts.contacts_touched,
            counts.contacts_closed,
            dict(counts.outcomes),
            dict(counts.denied),
        )

    @property
    def abandonment_rate(self) -> float:
        """Abandoned over live answers, strict: nothing is estimated away."""
        return self.abandoned / self.answered_live if self.answered_live else 0.0


def local_day(at: datetime) -> date:
    """The campaign's local date at an instant."""
    return at.astimezone(BOGOTA).date()


def day_starts(now: datetime) -> list[datetime]:
    """The local midnights at which the budget's days begin, today's last."""
    today = local_day(now)
    return [datetime.combine(today - timedelta(n), time(), BOGOTA) for n in range(BUDGET_DAYS - 1, -1, -1)]


class AnswerBook:
    """A campaign's answers by local day, from which its abandonment budget is made.

    What becomes of an answer counts on the day it was answered, also after midnight.
    """

    def __init__(self, days: Iterable[DayCount] = ()) -> None:
        self._days = {day.day: day for day in days}
        self._made: tuple[date, float, float | None] | None = None
        self._budget = Budget()

    def count(self, day: date, *, answers: int = 0, abandoned: int = 0, machines: int = 0, unjudged: int = 0) -> None:
        """Change a day's numbers by so many."""
        old = self._days.get(day) or DayCount(day)
        self._days[day] = replace(
            old,
            answers=old.answers + answers,
            abandoned=old.abandoned + abandoned,
            machines=old.machines + machines,
            unjudged=max(0, old.unjudged + unjudged),
        )
        self._made = None

    def budget(self, today: date, settings: CampaignSettings) -> Budget:
        """What may be abandoned; the same object until something changes."""
        made = (today, settings.abandonment_cap, settings.abandonment_target)
        if made != self._made:
            first = today - timedelta(BUDGET_DAYS - 1)
            self._days = {day: count for day, count in self._days.items() if day >= first}
            day = self._days.get(today) or DayCount(today)
            month = sum((_count(kept) for kept in self._days.values()), Count())
            self._budget = Budget(made[1], made[2], _count(day), month, day.unjudged)
            self._made = made
        return self._budget


def _count(day: DayCount) -> Count:
    return Count(day.answers, day.abandoned, day.machines)
