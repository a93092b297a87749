"""The leases in hand: written down, not dialled yet, kept by how likely their contacts are to answer."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from cadencia.domain.dialing import Lease
from cadencia.queue.propensity import CLASSES, propensity


class Hand:
    """Leases in the order of the list, each with its propensity class."""

    def __init__(self) -> None:
        self._leases: dict[str, tuple[Lease, int]] = {}
        self._numbers = [0] * CLASSES

    def __len__(self) -> int:
        return len(self._leases)

    @property
    def supply(self) -> tuple[int, ...]:
        """How many of each class."""
        return tuple(self._numbers)

    def put(self, leases: Iterable[Lease]) -> None:
        """Take leases into the hand."""
        for lease in leases:
            kind = propensity(lease.facts, lease.file.history)
            self._leases[lease.attempt_id] = lease, kind
            self._numbers[kind] += 1

    def draw(self, number: int, by_class: Sequence[int] = ()) -> list[tuple[Lease, int]]:
        """Take leases out, first come first served.

        Args:
            by_class: how many of each class; empty if it is all the same. A class that runs short is made up for by
                lower ones, which answer less; never by a higher one, which would answer more than was reckoned with.
        """
        if not by_class:
            return [self._out(ref) for ref in list(self._leases)[:number]]
        left = made_up(by_class, self._numbers)
        drawn: list[str] = []
        for ref, (_, kind) in self._leases.items():
            if left[kind] > 0:
                left[kind] -= 1
                drawn.append(ref)
        return [self._out(ref) for ref in drawn]

    def old(self, before: datetime) -> list[Lease]:
        """Take out what was leased before that instant."""
        return [self._out(ref)[0] for ref, (lease, _) in list(self._leases.items()) if lease.leased_at < before]

    def clear(self) -> list[Lease]:
        """Take all out."""
        return [self._out(ref)[0] for ref in list(self._leases)]

    def _out(self, ref: str) -> tuple[Lease, int]:
        lease, kind = self._leases.pop(ref)
        self._numbers[kind] -= 1
        return lease, kind


def made_up(wanted: Sequence[int], supply: Sequence[int]) -> list[int]:
    """How many of each class to take: its own, and what a higher class lacks."""
    kinds = range(len(supply))
    wanted = [wanted[kind] if kind < len(wanted) else 0 for kind in kinds]
    taken = [min(wanted[kind], supply[kind]) for kind in kinds]
    for kind in reversed(kinds):
        short = wanted[kind] - min(wanted[kind], supply[kind])
        for lower in range(kind - 1, -1, -1):
            more = min(short, supply[lower] - taken[lower])
            taken[lower] += more
            short -= more
    return taken
