"""The evidence part of the store port: sealing, reading back, holding, erasing, and what ends with its time."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import date, datetime
from typing import Protocol

from cadencia.compliance.evidence import Header, Row, SignedRoot
from cadencia.compliance.signing import Signer


@dataclass(frozen=True)
class Seal:
    """Ask for events to become evidence.

    Attributes:
        engine: whose chain.
        day: the local date now; a later one than the open chain's closes that chain.
        limit: at most this many events: an engine has one loop, and 100 keep it for some 5 ms.
    """

    engine: str
    day: date
    now: datetime
    token: int
    signer: Signer
    limit: int = 100


@dataclass(frozen=True)
class Sealed:
    """What was sealed.

    Attributes:
        rows: written now.
        more: events wait still.
        behind: numbers of the log that have not been looked at, whatever their kind.
        lag_s: the age of the oldest row that was sealed now; 0 if none was.
    """

    rows: int
    more: bool
    behind: int
    lag_s: float


@dataclass(frozen=True)
class KeptChain:
    """A chain as it is kept.

    Attributes:
        rows: as many as the root speaks of.
        root: how it stood at the last sealing; closed or not.
        dropped: its rows went at the end of their time.
    """

    header: Header
    rows: int
    root: SignedRoot
    dropped: bool = False


@dataclass(frozen=True, slots=True)
class KeptRow:
    """A row with the columns beside it."""

    row: Row
    kind: str
    person: str | None
    attempt: str | None


@dataclass(frozen=True)
class Proven:
    """Settled attempts, compared with evidence.

    Attributes:
        checked: how many.
        last: the last one's id, to go on after it; empty if there are no more.
        wrong: (id, decisions that allowed it, ends) where they are not one and one.
    """

    checked: int
    last: str
    wrong: tuple[tuple[str, int, int], ...]


@dataclass(frozen=True)
class Hold:
    """A legal hold on a person's data."""

    at: datetime
    by: str
    reason: str


class EvidenceStore(Protocol):
    """What keeps the evidence."""

    # -- evidence -----------------------------------------------------------------------------------------------------
    async def seal(self, seal: Seal) -> Sealed:
        """Turn events into rows of the chain of (engine, day), each event once, in the order of the log.

        One transaction with the mark of how far the log is sealed, so whatever is killed is sealed again whole. An
        engine's first sealing of a day opens its chain, also without rows, and closes the one before with a root; the
        day never goes back. The chain's root is signed anew with every change. Raises LeadershipLost.
        """

    async def chains(self) -> tuple[KeptChain, ...]:
        """All chains, by engine and number."""

    def chain_rows(self, chain: KeptChain, after: int = 0) -> AsyncIterator[KeptRow]:
        """The chain's rows after that position up to its root's, in order, page by page."""

    def chain_hashes(self, chain: KeptChain) -> AsyncIterator[bytes]:
        """The hashes of the chain's rows up to its root's, in order: what a proof is made of."""

    async def person_rows(self, person_id: int) -> tuple[tuple[Header, Row], ...]:
        """All rows about a person, in the order they were sealed; none after the person was erased."""

    async def proven(self, after: str = "", limit: int = 20_000) -> Proven:
        """Compare a page of settled attempts, by id, with evidence.

        Left out are those whose end is not sealed yet and those from before the newest chain that was dropped. The
        store in memory forgets attempts and has nothing to compare.
        """

    async def surrogate(self, person_id: int) -> str | None:
        """What stands for the person in evidence, None if nothing does."""

    async def find_person(self, told: str) -> int | None:
        """Whose surrogate, internal id or document ("CC 12345") this is; None if nobody's."""

    async def hold(self, person_id: int, by: str, reason: str, now: datetime) -> None:
        """Put the person's data under legal hold; person.hold. Refused if they are, or if there is no such person."""

    async def lift_hold(self, person_id: int, by: str, now: datetime) -> None:
        """End the hold; person.hold. Refused if there is none."""

    async def held(self, person_id: int) -> Hold | None:
        """The hold that stands."""

    async def erase(self, person_id: int, by: str, reason: str, now: datetime) -> None:
        """Erase who the person is: name, document, numbers, notes, and what stands for the person in evidence.

        What was done stays, without anybody it could be of: attempts, counters, promises, evidence. Writes
        person.erased with the surrogate. Refused: nobody of that id, erased already, under hold, an attempt is open or
        awaits its disposition, or something about the person is not sealed yet.
        """

    async def drop_chain(self, chain: KeptChain, now: datetime) -> int:
        """Delete a chain's rows and keep its root; how many there were.

        Refused: it is open, an older one of its engine still has rows, or a row is about a person under hold.
        """
