"""Which agent gets a person: the one who has waited longest, among those with the skill."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Protocol, TypeVar


class Waiting(Protocol):
    """An agent who is ready."""

    @property
    def skills(self) -> frozenset[str]: ...


W = TypeVar("W", bound=Waiting)


def longest_idle(ready: Iterable[W], skill: str, rank: Callable[[W], int | None] = lambda agent: 0) -> W | None:
    """The first of the best rank among those of `ready`, which is in order of waiting, who have the skill.

    Args:
        skill: "" needs none.
        rank: the lower, the better; None for somebody who is not to be taken.
    """
    best: W | None = None
    best_rank: int | None = None
    for agent in ready:
        if skill and skill not in agent.skills:
            continue
        at = rank(agent)
        if at == 0:
            return agent
        if at is not None and (best_rank is None or at < best_rank):
            best, best_rank = agent, at
    return best
