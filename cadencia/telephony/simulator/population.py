"""Who is behind the trunk of the simulated switch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from cadencia.pacing.worlds import Fate, World, fate


class Population(Protocol):
    """Decides what becomes of each call."""

    def fate(self, number: str, attempt_id: str) -> Fate:
        """What becomes of a call to this number; a `Refusal` for one that the network answers with an error."""
        ...


@dataclass(frozen=True)
class WorldPopulation:
    """Debtors of one of the pacing worlds."""

    world: World
    seed: int

    def fate(self, number: str, attempt_id: str) -> Fate:
        return fate(self.world, self.seed, number, attempt_id)


@dataclass(frozen=True)
class Refusal(Fate):
    """A fate that ends in a SIP error of one's own choosing; `pdd_s` until it rings or speaks, `answer_s` to the error.

    Attributes:
        cause, tech_cause: of the Hangup (Q.850, SIP).
        rings: it rings first.
        speaks: early media first, an announcement such as "apagado o fuera de cobertura".
    """

    cause: int = 19
    tech_cause: int = 480
    rings: bool = False
    speaks: bool = False
