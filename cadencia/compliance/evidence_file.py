"""The file that evidence leaves in: JSON lines that a stranger can verify. Bytes in, bytes out; no file is opened here.

Whole chains are a `chain` line, a line for each row, a `root` line. The rows of one person are the roots they lead to
and a `proof` line for each row. Every line but the rows', which the chain covers, carries the sum of itself, so that a
damaged byte has a place; the `end` line signs all bytes before it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from hashlib import sha256
from typing import Any

import msgspec

from cadencia.compliance.evidence import FORMAT, TAGS, Header, Root, Row, SignedRoot, canonical, look, row_hash
from cadencia.compliance.evidence_check import ChainVerifier, Fault, SeriesVerifier, Trust, What
from cadencia.compliance.merkle import includes
from cadencia.compliance.signing import Signer, signed


@dataclass(frozen=True, slots=True)
class Proof:
    """A row with the path from it to its chain's root.

    Attributes:
        previous: the hash of the row before it.
    """

    engine: str
    number: int
    row: Row
    previous: bytes
    path: tuple[bytes, ...]


class EvidenceWriter:
    """Writes the lines of one file.

    Args:
        write: takes bytes.
        signer: signs the end.
    """

    def __init__(self, write: Callable[[bytes], object], signer: Signer) -> None:
        self._write, self._signer = write, signer
        self._sum = sha256()
        self._lines = 0

    def manifest(self, what: str, made_at: str, by: str, chains: Sequence[Header], **more: Any) -> None:
        """The first line: what the file is, and which chains are to be found in it."""
        listed = [{"engine": c.engine, "number": c.number, "day": c.day.isoformat()} for c in chains]
        self.tell("manifest", {"format": FORMAT, "what": what, "made_at": made_at, "by": by, "chains": listed} | more)

    def chain(self, header: Header) -> None:
        """A chain begins; its rows and its root follow."""
        self.tell("chain", header.told())

    def row(self, row: Row) -> None:
        """A row of the chain."""
        self._line(_row_line(row.body, row.hash.hex(), row.position))

    def root(self, root: SignedRoot) -> None:
        """A chain's root."""
        self.tell("root", {"root": msgspec.Raw(root.payload), "signature": root.signature.hex()})

    def proof(self, proof: Proof) -> None:
        """A row of a person."""
        told = {
            "engine": proof.engine,
            "number": proof.number,
            "position": proof.row.position,
            "body": msgspec.Raw(proof.row.body),
            "previous": proof.previous.hex(),
            "hash": proof.row.hash.hex(),
            "path": [step.hex() for step in proof.path],
        }
        self.tell("proof", told)

    def tell(self, kind: str, told: dict[str, Any]) -> None:
        """A line of whatever kind, with its sum. Kinds the verifier does not know are for people to read."""
        whole = {"is": kind} | {
            name: value if isinstance(value, msgspec.Raw) else msgspec.Raw(canonical(value))
            for name, value in told.items()
        }
        total = sha256(_encode(whole)).hexdigest()
        self._line(_encode(whole | {"sum": total}))

    def end(self) -> None:
        """The last line, which signs all before it."""
        told = {"lines": self._lines, "sha256": self._sum.hexdigest()}
        signature = self._signer.sign(TAGS["file"] + canonical(told))
        self.tell("end", told | {"public": self._signer.public.hex(), "signature": signature.hex()})

    def _line(self, line: bytes) -> None:
        line += b"\n"
        self._sum.update(line)
        self._lines += 1
        self._write(line)


def _encode(told: dict[str, Any]) -> bytes:
    return msgspec.json.encode(told, order="deterministic")


def _row_line(body: bytes, recorded: str, position: int) -> bytes:
    return b'{"body":%b,"hash":"%b","row":%d}' % (body, recorded.encode(), position)


class _RowLine(msgspec.Struct):
    body: msgspec.Raw
    hash: str
    row: int


_ROW_LINE = msgspec.json.Decoder(_RowLine)
_LINE = msgspec.json.Decoder(dict[str, msgspec.Raw])


@dataclass(slots=True)
class FileReport:
    """What a file turned out to hold.

    Attributes:
        keys: the public keys its roots and its end are signed with.
        trusted: None if nobody said which keys are.
    """

    what: str = ""
    rows: int = 0
    chains: int = 0
    proofs: int = 0
    first_day: str = ""
    last_day: str = ""
    keys: set[bytes] = field(default_factory=set)
    trusted: bool | None = None


class FileVerifier:
    """Verifies a file line by line; every fault says where."""

    def __init__(self, trust: Trust) -> None:
        self.report = FileReport()
        self._trust = trust
        self._sum = sha256()
        self._lines = 0
        self._series = SeriesVerifier(trust, whole=False)
        self._chain: ChainVerifier | None = None
        self._row_at = (0, 0)  # the last row's position and line
        self._damaged = False  # the line before could not be read: it may have been the root that is looked for
        self._faulty = False
        self._manifest: dict[str, Any] = {}
        self._roots: dict[tuple[str, int], Root] = {}
        self._ended = False

    def line(self, raw: bytes) -> list[Fault]:
        """The next line with its line feed."""
        self._lines += 1
        if self._ended:
            return self._told([Fault(What.END, line=self._lines)])
        whole = raw.endswith(b"\n")
        bare = raw[:-1] if whole else raw
        row = self._row(bare) if whole and bare.startswith(b'{"body":') else None
        faults = row if row is not None else self._other(bare if whole else b"", raw)
        self._sum.update(raw)
        return self._told(faults)

    def finish(self) -> list[Fault]:
        """Nothing follows."""
        faults: list[Fault] = []
        if not self._ended:
            faults += self._unclosed()
            if not self._damaged:
                faults.append(Fault(What.END, line=self._lines + 1))
        keys = self._trust.keys
        self.report.trusted = None if keys is None else bool(self.report.keys) and self.report.keys <= keys
        return self._told(faults)

    def _told(self, faults: list[Fault]) -> list[Fault]:
        self._faulty = self._faulty or bool(faults)
        return faults

    # -- lines --------------------------------------------------------------------------------------------------------
    def _row(self, bare: bytes) -> list[Fault] | None:
        """A row; None if it is none as we write it, or stands outside a chain."""
        chain = self._chain
        if chain is None:
            return None
        try:
            told = _ROW_LINE.decode(bare)
            recorded = bytes.fromhex(told.hash)
            body = bytes(told.body)
        except (msgspec.MsgspecError, ValueError):
            return None
        if len(recorded) != 32 or not 0 < told.row < 2**63 or _row_line(body, recorded.hex(), told.row) != bare:
            return None
        self._damaged = False
        self.report.rows += 1
        faults = self._placed(chain.row(told.row, body, recorded))
        self._row_at = (told.row, self._lines)
        return faults

    def _placed(self, faults: list[Fault]) -> list[Fault]:
        """With their lines: what was altered in a row is known only at the next line."""
        position, line = self._row_at
        altered = (What.BODY, What.HASH, What.ROW)
        return [replace(f, line=line if f.what in altered and f.position == position else self._lines) for f in faults]

    def _other(self, bare: bytes, raw: bytes) -> list[Fault]:
        told = _read(bare)
        if told is None:
            return self._damage(raw)
        kind = told.get("is")
        if self._lines == 1 and kind != "manifest":
            return self._damage(raw)
        handler = {
            "manifest": self._on_manifest,
            "chain": self._on_chain,
            "root": self._on_root,
            "proof": self._on_proof,
            "end": self._on_end,
        }.get(str(kind))
        try:
            faults = handler(told) if handler is not None else []
        except (ValueError, KeyError, TypeError, AttributeError, OverflowError):
            return self._damage(raw)
        self._damaged = False
        return faults

    def _damage(self, raw: bytes) -> list[Fault]:
        self._damaged = True
        chain = self._chain
        if chain is None:
            return [Fault(What.LINE, line=self._lines)]
        position = chain.expected if b'"row":' in raw or b'"body":' in raw else 0
        told = self._placed(chain.skip())
        return [*told, replace(chain.fault(What.LINE, position), line=self._lines)]

    def _on_manifest(self, told: dict[str, Any]) -> list[Fault]:
        if told["format"] != FORMAT or self._lines != 1:
            return [Fault(What.LINE, line=self._lines, detail=str(told["format"])[:40])]
        self._manifest = told
        self.report.what = str(told["what"])
        return []

    def _on_chain(self, told: dict[str, Any]) -> list[Fault]:
        header = Header.read(told)
        if header.told() | {"is": "chain"} != told:
            raise ValueError("this chain's beginning is not written as we write it")
        faults = self._unclosed()
        self._chain, begun = self._series.begin(header)
        self._row_at = (0, 0)
        day = header.day.isoformat()
        self.report.chains += 1
        self.report.first_day = min(self.report.first_day or day, day)
        self.report.last_day = max(self.report.last_day, day)
        return faults + self._placed(begun)

    def _on_root(self, told: dict[str, Any]) -> list[Fault]:
        root = SignedRoot(bytes(told["root"]), bytes.fromhex(told["signature"]))
        chain, self._chain = self._chain, None
        if chain is not None:
            faults = self._series.close(chain, root)
        else:
            read = root.read()
            chain = ChainVerifier(read.header)
            _, faults = chain.read(root, self._trust)
            self.report.chains += 1
            if not any(f.what is What.SIGNATURE for f in faults):
                self._roots[read.header.engine, read.header.number] = read
        self._keep_key(root)
        return self._placed(faults)

    def _keep_key(self, root: SignedRoot) -> None:
        try:
            self.report.keys.add(root.read().public)
        except ValueError:
            return  # told already

    def _on_proof(self, told: dict[str, Any]) -> list[Fault]:
        self.report.proofs += 1
        self.report.rows += 1
        body, position = bytes(told["body"]), told["position"]
        recorded, before = bytes.fromhex(told["hash"]), bytes.fromhex(told["previous"])
        root = self._roots.get((told["engine"], told["number"]))
        place = Fault(What.PROOF, told["engine"], told["number"], "", position, self._lines)
        if root is None:
            return [replace(place, what=What.ROOT)]
        place = replace(place, day=root.header.day.isoformat())
        if row_hash(before, position, body) != recorded:
            return [replace(place, what=What.BODY)]
        path = [bytes.fromhex(step) for step in told["path"]]
        if not includes(root.merkle, root.rows, position - 1, recorded, path):
            return [place]
        return [] if look(body).person == self._manifest.get("person") else [replace(place, what=What.BODY)]

    def _on_end(self, told: dict[str, Any]) -> list[Fault]:
        faults = self._unclosed()
        self._ended = True
        public = bytes.fromhex(told["public"])
        message = TAGS["file"] + canonical({"lines": told["lines"], "sha256": told["sha256"]})
        place = Fault(What.END, line=self._lines)
        self.report.keys.add(public)
        if not signed(public, bytes.fromhex(told["signature"]), message):
            return [*faults, replace(place, what=What.SIGNATURE)]
        if not self._trust.believes(public):
            faults.append(replace(place, what=What.KEY))
        if self._faulty or faults:
            return faults  # the file is not the one that was signed, and why was told
        faults = self._missing()
        if not faults and (told["lines"], told["sha256"]) != (self._lines - 1, self._sum.hexdigest()):
            faults.append(place)
        return faults

    def _unclosed(self) -> list[Fault]:
        """A chain without a root: its tail was cut."""
        chain, self._chain = self._chain, None
        if chain is None:
            return []
        found = self._series.close(chain, None)
        if self._damaged:
            return [f for f in found if f.what is not What.ROOT]
        return self._placed(found)

    def _missing(self) -> list[Fault]:
        """Chains that the first line lists and that did not come."""
        listed = self._manifest.get("chains", [])
        came = set(self._roots) if self.report.what == "person" else set(self._series.seen)
        return [
            Fault(What.DAY, c["engine"], c["number"], c["day"], 0, self._lines)
            for c in listed
            if (c["engine"], c["number"]) not in came
        ]


def _read(bare: bytes) -> dict[str, Any] | None:
    """A line that carries its sum; None if it is not exactly as we write it. `root` and `body` stay as they stand."""
    try:
        raws = _LINE.decode(bare)
        total = msgspec.json.decode(raws.pop("sum"), type=str)
        if sha256(_encode(raws)).hexdigest() != total or _encode(raws | {"sum": total}) != bare:
            return None
        return {name: raw if name in ("root", "body") else msgspec.json.decode(raw) for name, raw in raws.items()}
    except (msgspec.MsgspecError, KeyError):
        return None


def verify_lines(lines: Iterable[bytes], trust: Trust) -> tuple[list[Fault], FileReport]:
    """All faults of a file, at once."""
    verifier = FileVerifier(trust)
    faults = [fault for line in lines for fault in verifier.line(line)]
    faults += verifier.finish()
    return faults, verifier.report
