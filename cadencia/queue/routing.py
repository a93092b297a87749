"""Which agent gets a person: the one who has waited longest, among those with the skill."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol, TypeVar


class Waiting(Protocol):
    """An agent who is ready."""

    @property
    def skills(self) -> frozenset[str]: ...


W = TypeVar("W", bound=Waiting)


def longest_idle(ready: Iterable[W], skill: str) -> W | None:
    """The first of `ready`, which is in order of waiting, who has the skill ("" needs none)."""
    return next((agent for agent in ready if not skill or skill in agent.skills), None)
