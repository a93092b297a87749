"""Evidence: rows in a chain of hashes, one chain for each engine and day, closed by a signed root. Pure.

    header_hash = SHA-256(TAGS["chain"] || header)
    hash(0)     = header_hash
    hash(n)     = SHA-256(TAGS["row"] || hash(n-1) || n as 8 bytes, big-endian || SHA-256(body(n)))
    root_hash   = SHA-256(TAGS["root"] || payload), what is signed being TAGS["root"] || payload

Header, body and payload are canonical JSON. The header names the root of the chain before, so the days are chained too;
the payload holds the root of the Merkle tree (RFC 6962) over the rows' hashes, from which one row alone can be proved.
A whole description for strangers is docs/evidence.md.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from hashlib import sha256
from typing import Any

import msgspec

from cadencia.compliance.merkle import Frontier
from cadencia.compliance.signing import Signer, key_id

#: The version of everything here; another one is another verifier.
FORMAT = "cadencia-evidence/1"

#: Whose date a chain has: the law's, not the machine's.
ZONE_NAME = "America/Bogota"

#: What is put before the bytes of each kind of thing, so that no bytes can be taken for another kind.
TAGS: dict[str, bytes] = {kind: f"{FORMAT} {kind}\n".encode() for kind in ("chain", "row", "root", "file")}

#: What the first chain of an engine names as the root before it.
NOTHING_BEFORE = bytes(32)

_ROW = TAGS["row"]


def canonical(told: Any) -> bytes:
    """JSON with sorted keys and no spaces, in UTF-8, and without fractions: 0.5 is written as the string "0.5"."""
    return msgspec.json.encode(_plain(told), order="deterministic")


def _plain(told: Any) -> Any:
    if isinstance(told, float):
        return int(told) if told.is_integer() else repr(told)
    if isinstance(told, Mapping):
        return {str(name): _plain(value) for name, value in told.items()}
    if isinstance(told, (frozenset, set)):
        return sorted(_plain(value) for value in told)
    if isinstance(told, (list, tuple)):
        return [_plain(value) for value in told]
    if isinstance(told, datetime):
        return instant(told)
    return told


def instant(at: datetime) -> str:
    """An instant as evidence writes it: UTC, microseconds, Z."""
    return at.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"


def row_hash(before: bytes, position: int, body: bytes) -> bytes:
    """The hash of a row, from the one before it (the header's for position 1)."""
    return sha256(_ROW + before + position.to_bytes(8, "big") + sha256(body).digest()).digest()


@dataclass(frozen=True, slots=True)
class Row:
    """A row of a chain; `body` is canonical JSON."""

    position: int
    body: bytes
    hash: bytes


@dataclass(frozen=True, slots=True)
class Header:
    """What a chain begins with.

    Attributes:
        number: 1 for an engine's first chain, then without a gap.
        day: the local date on which its rows were sealed.
        previous: the hash of the root of the chain before; `NOTHING_BEFORE` for the first.
    """

    engine: str
    number: int
    day: date
    previous: bytes

    def told(self) -> dict[str, Any]:
        """As JSON tells it."""
        return {
            "format": FORMAT,
            "engine": self.engine,
            "number": self.number,
            "day": self.day.isoformat(),
            "previous": self.previous.hex(),
        }

    @classmethod
    def read(cls, told: Mapping[str, Any]) -> Header:
        """Back from JSON. Raises ValueError."""
        _demand_format(told)
        day = date.fromisoformat(_text(told, "day"))
        return cls(_text(told, "engine"), _number(told, "number"), day, _hash(told, "previous"))

    def hash(self) -> bytes:
        """What stands before the first row."""
        return sha256(TAGS["chain"] + canonical(self.told())).digest()


@dataclass(slots=True)
class Tallies:
    """The roll-up of a chain: what its rows say in numbers."""

    allows: int = 0
    denials: dict[str, int] = field(default_factory=dict)
    attempts: dict[str, int] = field(default_factory=dict)

    def count(self, seen: Seen) -> None:
        """One more row."""
        if seen.kind in ("attempt.leased", "contact.reserved"):
            self.allows += 1
        elif seen.kind in ("contact.denied", "contact.refused"):
            code = str(seen.data.code)
            self.denials[code] = self.denials.get(code, 0) + 1
        elif seen.kind == "attempt.settled":
            outcome = str(seen.data.outcome)
            self.attempts[outcome] = self.attempts.get(outcome, 0) + 1

    def told(self) -> dict[str, Any]:
        """As JSON tells it."""
        return {"allows": self.allows, "denials": self.denials, "attempts": self.attempts}


class SeenData(msgspec.Struct):
    """Of what a row tells, what is counted."""

    code: Any = ""
    outcome: Any = ""


class Seen(msgspec.Struct):
    """Of a row's body, what a verifier looks at."""

    kind: str
    event: int
    person: str | None = None
    attempt: str | None = None
    data: SeenData = msgspec.field(default_factory=SeenData)


_SEEN = msgspec.json.Decoder(Seen)


def look(body: bytes) -> Seen:
    """What a verifier looks at in a row's body. Raises ValueError."""
    try:
        return _SEEN.decode(body)
    except msgspec.MsgspecError as error:
        raise ValueError("this is no row's body") from error


@dataclass(frozen=True, slots=True)
class Root:
    """What closes a chain, or tells how far it goes while the day runs.

    Attributes:
        closed: nothing follows in this chain.
        first, last: the header's hash, and the last row's (the header's if there is none).
        merkle: the root of the tree of the rows' hashes.
        public: the key that signed it.
    """

    header: Header
    closed: bool
    at: str
    rows: int
    first: bytes
    last: bytes
    merkle: bytes
    tallies: dict[str, Any]
    public: bytes

    def payload(self) -> bytes:
        """What is signed."""
        return canonical(
            self.header.told()
            | {
                "closed": self.closed,
                "at": self.at,
                "rows": self.rows,
                "first": self.first.hex(),
                "last": self.last.hex(),
                "merkle": self.merkle.hex(),
                "tallies": self.tallies,
                "key": key_id(self.public),
                "public": self.public.hex(),
            }
        )


@dataclass(frozen=True, slots=True)
class SignedRoot:
    """A root's payload as it was signed, and the signature."""

    payload: bytes
    signature: bytes

    def hash(self) -> bytes:
        """What the next chain names as the root before it."""
        return sha256(TAGS["root"] + self.payload).digest()

    @property
    def message(self) -> bytes:
        """The bytes the signature is of."""
        return TAGS["root"] + self.payload

    def read(self) -> Root:
        """What it says. Raises ValueError if it is not written as we write."""
        try:
            told = msgspec.json.decode(self.payload, type=dict[str, Any])
        except msgspec.MsgspecError as error:
            raise ValueError("this is no root") from error
        closed, tallies = told.get("closed"), told.get("tallies")
        if not isinstance(closed, bool) or not isinstance(tallies, dict):
            raise ValueError("this is no root")
        root = Root(
            Header.read(told),
            closed,
            _text(told, "at"),
            _number(told, "rows"),
            _hash(told, "first"),
            _hash(told, "last"),
            _hash(told, "merkle"),
            tallies,
            _hash(told, "public"),
        )
        if root.payload() != self.payload:
            raise ValueError("this root is not written as we write it")
        return root


class Chain:
    """A chain that still grows: of what was written only what is needed to go on."""

    def __init__(
        self,
        header: Header,
        *,
        rows: int = 0,
        last: bytes | None = None,
        peaks: bytes = b"",
        tallies: Mapping[str, Any] | None = None,
    ) -> None:
        self.header = header
        self.last = header.hash() if last is None else last
        self.tree = Frontier(rows, peaks)
        told = tallies or {}
        self.tallies = Tallies(told.get("allows", 0), dict(told.get("denials", {})), dict(told.get("attempts", {})))

    @property
    def rows(self) -> int:
        """How many there are."""
        return self.tree.size

    def add(self, body: bytes) -> Row:
        """The next row."""
        position = self.rows + 1
        self.last = row_hash(self.last, position, body)
        self.tree.add(self.last)
        self.tallies.count(look(body))
        return Row(position, body, self.last)

    def root(self, at: datetime, signer: Signer, *, closed: bool) -> SignedRoot:
        """How it stands, signed."""
        root = Root(
            self.header,
            closed,
            instant(at),
            self.rows,
            self.header.hash(),
            self.last,
            self.tree.root(),
            self.tallies.told(),
            signer.public,
        )
        payload = root.payload()
        return SignedRoot(payload, signer.sign(TAGS["root"] + payload))


def _demand_format(told: Mapping[str, Any]) -> None:
    if told.get("format") != FORMAT:
        raise ValueError(f"this is not {FORMAT}")


def _text(told: Mapping[str, Any], name: str) -> str:
    value = told.get(name)
    if not isinstance(value, str):
        raise ValueError(f"{name} is no text")
    return value


def _number(told: Mapping[str, Any], name: str) -> int:
    value = told.get(name)
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise ValueError(f"{name} is no number")
    return value


def _hash(told: Mapping[str, Any], name: str) -> bytes:
    value = bytes.fromhex(_text(told, name))
    if len(value) != 32:
        raise ValueError(f"{name} is no SHA-256")
    return value
