"""Verifies chains of evidence as they pass by, once, and says where they are not what was sealed. Pure.

A fault is told with its place: engine, day and position. One altered byte is one fault: what stands behind it is
verified against what the chain itself says it was.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from cadencia.compliance.evidence import (
    NOTHING_BEFORE,
    Header,
    Root,
    SignedRoot,
    Tallies,
    look,
    row_hash,
)
from cadencia.compliance.merkle import Frontier
from cadencia.compliance.signing import key_id, signed
from cadencia.errors import Words


class What(StrEnum):
    """What is not as it was sealed."""

    LINE = "line"  # cannot be read, or is not written as we write
    HEADER = "header"
    BODY = "body"
    HASH = "hash"
    ROW = "row"  # body and hash, or a row that was put in another's place
    ORDER = "order"
    GAP = "gap"
    TAIL = "tail"
    TWICE = "twice"
    COPY = "copy"  # a column beside the body says something else
    ROOT = "root"
    SIGNATURE = "signature"
    KEY = "key"
    DAY = "day"
    LINK = "link"
    PROOF = "proof"
    END = "end"
    ALLOW = "allow"  # a settled attempt without the decision that allowed it
    OUTCOME = "outcome"  # a settled attempt without its end


_WORDS: dict[What, Words] = {
    What.LINE: Words("the line is damaged", "la línea está dañada"),
    What.HEADER: Words("the chain's beginning was altered", "el comienzo de la cadena fue alterado"),
    What.BODY: Words("the row's text was altered", "el texto de la fila fue alterado"),
    What.HASH: Words("the row's hash was altered", "la huella de la fila fue alterada"),
    What.ROW: Words("the row is not the one that was sealed", "la fila no es la que se selló"),
    What.ORDER: Words("the row stands in the wrong place", "la fila está fuera de su lugar"),
    What.GAP: Words("rows are missing", "faltan filas"),
    What.TAIL: Words("the chain does not end where its root says", "la cadena no termina donde dice su raíz"),
    What.TWICE: Words("an event is in evidence twice", "un hecho está dos veces en la evidencia"),
    What.COPY: Words("a column says something else than the row", "una columna no dice lo que la fila"),
    What.ROOT: Words("the root is missing or is not of these rows", "la raíz falta o no es de estas filas"),
    What.SIGNATURE: Words("the signature is not of this root", "la firma no es de esta raíz"),
    What.KEY: Words("the key is not among the trusted ones", "la clave no está entre las de confianza"),
    What.DAY: Words("a chain is missing", "falta una cadena"),
    What.LINK: Words("the chain does not follow the one before", "la cadena no sigue a la anterior"),
    What.PROOF: Words("the proof does not lead to the root", "la prueba no lleva a la raíz"),
    What.END: Words("the file is not the one that was signed", "el archivo no es el que se firmó"),
    What.ALLOW: Words(
        "a settled attempt has not exactly one decision that allowed it",
        "un intento terminado no tiene exactamente una decisión que lo permitió",
    ),
    What.OUTCOME: Words(
        "a settled attempt has not exactly one end in evidence",
        "un intento terminado no tiene exactamente un final en la evidencia",
    ),
}


@dataclass(frozen=True, slots=True)
class Fault:
    """Something that is not as it was sealed, and where.

    Attributes:
        engine, number, day: the chain; empty and 0 where no chain is meant.
        position: the row, 0 for the chain as a whole.
        line: of a file, from 1; 0 where there is none.
        detail: more of it: an attempt's id, what was found where something else was expected.
    """

    what: What
    engine: str = ""
    number: int = 0
    day: str = ""
    position: int = 0
    line: int = 0
    detail: str = ""

    @property
    def words(self) -> Words:
        """One sentence with the place."""
        told = _WORDS[self.what]
        en, es = self._place("line", "row", "chain"), self._place("línea", "fila", "cadena")
        more = f" ({self.detail})" if self.detail else ""
        return Words(f"{en}{told}{more}", f"{es}{told.es}{more}")

    def _place(self, line: str, row: str, chain: str) -> str:
        parts = [self.day, f"{chain} {self.engine}/{self.number}"] if self.engine else []
        parts += [f"{row} {self.position}"] if self.position else []
        parts += [f"{line} {self.line}"] if self.line else []
        return ", ".join(parts) + ": " if parts else ""


@dataclass(frozen=True, slots=True)
class Trust:
    """Which keys are believed.

    Attributes:
        keys: public keys; None: nobody said, so any key is taken and told.
    """

    keys: frozenset[bytes] | None = None

    def believes(self, public: bytes) -> bool:
        """Whether a root of this key counts."""
        return self.keys is None or public in self.keys


@dataclass(frozen=True, slots=True)
class _Doubt:
    """A row whose hash is not what follows from the row before it and its own body."""

    position: int
    computed: bytes
    recorded: bytes


class ChainVerifier:
    """One chain: rows one by one, then its root."""

    def __init__(self, header: Header) -> None:
        self.header = header
        self.rows = 0  # that passed by
        self.events = (0, 0)  # the first and the last event's number
        self._expected = 1
        self._before: bytes | None = header.hash()  # None: not known after a gap
        self._tree = Frontier()
        self._tallies = Tallies()
        self._doubt: _Doubt | None = None
        self._sound = True

    def row(self, position: int, body: bytes, recorded: bytes, copies: tuple[Any, ...] | None = None) -> list[Fault]:
        """The next row.

        Args:
            copies: kind, person and attempt as columns beside the body tell them.
        """
        if position < self._expected:
            return [self.fault(What.ORDER, self._expected, str(position))]
        faults: list[Fault] = []
        if position > self._expected:
            faults += self._settle(None)
            faults.append(self.fault(What.GAP, self._expected, str(position - self._expected)))
            self._before = None
        self._expected = position + 1
        self.rows += 1
        computed = self._computed(position, body, recorded, faults)
        if computed != recorded:
            self._doubt = _Doubt(position, computed, recorded)
        else:
            self._before = recorded
            self._tree.add(recorded)
        return faults + self._look(position, body, copies)

    def skip(self) -> list[Fault]:
        """The next row could not be read, and that was told already."""
        faults = self._settle(None)
        self._expected += 1
        self.rows += 1
        self._before = None
        self._sound = False
        return faults

    @property
    def expected(self) -> int:
        """The position the next row has to have."""
        return self._expected

    def close(self, found: SignedRoot | None, trust: Trust) -> list[Fault]:
        """The end of the chain, and what is wrong with it."""
        root, told = self.read(found, trust)
        faults = self._settle(root.last if root is not None else None)
        return faults + told + (self._compare(root) if root is not None else [])

    # -- one row by the next ------------------------------------------------------------------------------------------
    def _computed(self, position: int, body: bytes, recorded: bytes, faults: list[Fault]) -> bytes:
        """The hash that should stand at the row. A row in doubt is cleared up by the one behind it."""
        doubt = self._doubt
        if doubt is not None:
            by_recorded = row_hash(doubt.recorded, position, body)
            by_computed = row_hash(doubt.computed, position, body)
            if by_computed == recorded:
                faults += self._settle(doubt.computed)
                return recorded
            faults += self._settle(doubt.recorded if by_recorded == recorded else None)
            return by_recorded
        return row_hash(self._before, position, body) if self._before is not None else recorded

    def _settle(self, follows: bytes | None) -> list[Fault]:
        """Say of the row in doubt what was altered, from the hash that the chain goes on with."""
        doubt, self._doubt = self._doubt, None
        if doubt is None:
            return []
        what = What.ROW
        if follows == doubt.recorded:
            what = What.BODY
        elif follows == doubt.computed:
            what = What.HASH
        return [self.fault(what, doubt.position)]

    def _look(self, position: int, body: bytes, copies: tuple[Any, ...] | None) -> list[Fault]:
        """What the body says: counted, in the order of the events, and the same as the columns beside it."""
        try:
            seen = look(body)
        except ValueError:
            return [] if self._doubt is not None else [self.fault(What.BODY, position)]
        self._tallies.count(seen)
        faults = []
        if copies is not None and copies != (seen.kind, seen.person, seen.attempt):
            faults.append(self.fault(What.COPY, position))
        if self._doubt is None:
            first, last = self.events
            if seen.event <= last:
                faults.append(self.fault(What.TWICE, position, str(seen.event)))
            self.events = (first or seen.event, max(seen.event, last))
        return faults

    # -- the root -----------------------------------------------------------------------------------------------------
    def read(self, found: SignedRoot | None, trust: Trust) -> tuple[Root | None, list[Fault]]:
        """What a root says, None if it is not signed, and what is wrong with it."""
        if found is None:
            return None, [self.fault(What.ROOT)]
        try:
            root = found.read()
        except ValueError:
            return None, [self.fault(What.ROOT)]
        if not signed(root.public, found.signature, found.message):
            return None, [self.fault(What.SIGNATURE, detail=key_id(root.public))]
        trusted = trust.believes(root.public)
        return root, [] if trusted else [self.fault(What.KEY, detail=key_id(root.public))]

    def _compare(self, root: Root) -> list[Fault]:
        if root.header != self.header or root.first != self.header.hash():
            return [self.fault(What.HEADER)]
        counted = self._expected - 1
        if counted < root.rows:
            return [self.fault(What.TAIL, counted + 1, f"{counted} < {root.rows}")]
        if counted > root.rows:
            return [self.fault(What.TAIL, root.rows + 1, f"{counted} > {root.rows}")]
        if not self._sound:
            return []  # what differs was told, row by row
        if (self._before, self._tree.root(), self._tallies.told()) != (root.last, root.merkle, root.tallies):
            return [self.fault(What.ROOT)]
        return []

    def fault(self, what: What, position: int = 0, detail: str = "") -> Fault:
        """A fault of this chain."""
        if what is not What.KEY:
            self._sound = False
        header = self.header
        return Fault(what, header.engine, header.number, header.day.isoformat(), position, 0, detail)


class SeriesVerifier:
    """Chains in the order of their numbers, of one engine or several: none is missing, each follows the one before.

    Args:
        whole: an engine's first chain has to be its number 1; else a series may begin anywhere.
    """

    def __init__(self, trust: Trust, *, whole: bool) -> None:
        self._trust, self._whole = trust, whole
        self._last: dict[str, tuple[Header, SignedRoot | None]] = {}
        self.seen: set[tuple[str, int]] = set()

    def begin(self, header: Header) -> tuple[ChainVerifier, list[Fault]]:
        """A new chain."""
        chain = ChainVerifier(header)
        before, root = self._last.get(header.engine, (None, None))
        self._last[header.engine] = (header, None)
        self.seen.add((header.engine, header.number))
        if header.number == 1 and header.previous != NOTHING_BEFORE:
            return chain, [chain.fault(What.LINK)]
        if before is None:
            missing = self._whole and header.number != 1
            return chain, [chain.fault(What.DAY, detail="1")] if missing else []
        if header.number != before.number + 1:
            return chain, [chain.fault(What.DAY, detail=str(before.number + 1))]
        if header.day <= before.day or (root is not None and header.previous != root.hash()):
            return chain, [chain.fault(What.LINK)]
        if root is not None and not _closed(root):
            return chain, [replace(chain.fault(What.ROOT), number=before.number, day=before.day.isoformat())]
        return chain, []

    def close(self, chain: ChainVerifier, root: SignedRoot | None) -> list[Fault]:
        """A chain ends; what is wrong with it."""
        self._last[chain.header.engine] = (chain.header, root)
        return chain.close(root, self._trust)

    def kept(self, chain: ChainVerifier, root: SignedRoot) -> list[Fault]:
        """A chain ends whose rows went at the end of their time: only its root is there."""
        self._last[chain.header.engine] = (chain.header, root)
        read, faults = chain.read(root, self._trust)
        if read is not None and (read.header != chain.header or read.first != chain.header.hash() or not read.closed):
            faults.append(chain.fault(What.HEADER))
        return faults


def _closed(root: SignedRoot) -> bool:
    try:
        return root.read().closed
    except ValueError:
        return True  # that it cannot be read was told


def overlapping(chains: Iterable[ChainVerifier]) -> list[Fault]:
    """Chains that hold the same events, whatever their engines: an event is sealed once."""
    faults: list[Fault] = []
    last = 0
    for chain in sorted((c for c in chains if c.events[1]), key=lambda c: c.events):
        first, final = chain.events
        if first <= last:
            faults.append(chain.fault(What.TWICE, detail=str(first)))
        last = max(last, final)
    return faults
