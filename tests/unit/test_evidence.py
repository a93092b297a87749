"""Evidence: one altered byte is found with its place, in a chain, in a file, in a proof."""

from __future__ import annotations

import io
import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from functools import cache
from hashlib import sha256
from itertools import pairwise

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from hypothesis import given, settings
from hypothesis import strategies as st

from cadencia.compliance.evidence import (
    NOTHING_BEFORE,
    Chain,
    Header,
    Row,
    SignedRoot,
    canonical,
    row_hash,
)
from cadencia.compliance.evidence_check import (
    ChainVerifier,
    Fault,
    SeriesVerifier,
    Trust,
    What,
    overlapping,
)
from cadencia.compliance.evidence_events import body_of, is_evidence, references
from cadencia.compliance.evidence_file import EvidenceWriter, FileReport, Proof, verify_lines
from cadencia.compliance.merkle import EMPTY, Frontier, Prover, includes
from cadencia.compliance.signing import Key, key_id, signed
from cadencia.domain.events import Event
from cadencia.errors import spoken

NOW = datetime(2026, 11, 24, 14, 0, tzinfo=UTC)
DAY = date(2026, 11, 24)
ANYBODY = Trust()


@cache
def key() -> Key:
    return Key.new()


def body(event: int, kind: str = "attempt.leased", person: str = "p-1", **data: object) -> bytes:
    told: dict[str, object] = {"kind": kind, "event": event, "person": person, "attempt": f"a{event}"}
    return canonical(told | ({"data": data} if data else {}))


BODIES = [
    body(10),
    body(11, "attempt.sending", server="main"),
    body(14, "attempt.settled", outcome="CON", talk_s=61.5),
    body(15, "contact.denied", code="FRECUENCIA", persona="Ñandú"),
    body(20),
]


def sealed(
    bodies: Sequence[bytes] = BODIES, before: SignedRoot | None = None, number: int = 1, *, closed: bool = True
) -> tuple[Header, list[Row], SignedRoot]:
    header = Header("e1", number, DAY + timedelta(days=number - 1), before.hash() if before else NOTHING_BEFORE)
    chain = Chain(header)
    rows = [chain.add(b) for b in bodies]
    return header, rows, chain.root(NOW, key(), closed=closed)


def faults_of(header: Header, rows: Sequence[Row], root: SignedRoot | None, trust: Trust = ANYBODY) -> list[Fault]:
    chain = ChainVerifier(header)
    found = [fault for r in rows for fault in chain.row(r.position, r.body, r.hash)]
    return found + chain.close(root, trust)


def places(faults: Sequence[Fault]) -> list[tuple[What, int]]:
    return [(f.what, f.position) for f in faults]


# -- trees ------------------------------------------------------------------------------------------------------------
def naive_root(entries: Sequence[bytes]) -> bytes:
    """RFC 6962, 2.1, word by word."""
    if not entries:
        return sha256().digest()
    if len(entries) == 1:
        return sha256(b"\x00" + entries[0]).digest()
    k = 1
    while k * 2 < len(entries):
        k *= 2
    return sha256(b"\x01" + naive_root(entries[:k]) + naive_root(entries[k:])).digest()


def naive_path(m: int, entries: Sequence[bytes]) -> list[bytes]:
    """RFC 6962, 2.1.1, word by word."""
    if len(entries) == 1:
        return []
    k = 1
    while k * 2 < len(entries):
        k *= 2
    if m < k:
        return [*naive_path(m, entries[:k]), naive_root(entries[k:])]
    return [*naive_path(m - k, entries[k:]), naive_root(entries[:k])]


ENTRIES = st.lists(st.binary(min_size=1, max_size=3), max_size=70)


@given(ENTRIES)
def test_a_tree_grown_leaf_by_leaf_has_the_root_of_the_rfc(entries: list[bytes]) -> None:
    tree = Frontier()
    for n, entry in enumerate(entries):
        assert Frontier(tree.size, tree.peaks).root() == tree.root() == naive_root(entries[:n])
        tree.add(entry)
    assert tree.root() == naive_root(entries)
    assert len(tree.peaks) <= 32 * max(1, len(entries).bit_length())


@given(ENTRIES.filter(bool), st.data())
def test_paths_are_those_of_the_rfc_and_prove_their_leaf_alone(entries: list[bytes], data: st.DataObject) -> None:
    wanted = data.draw(st.sets(st.integers(0, len(entries) - 1), min_size=1))
    prover = Prover(wanted)
    for entry in entries:
        prover.add(entry)
    root, paths = prover.finish()
    assert root == naive_root(entries) and set(paths) == wanted
    for index, path in paths.items():
        assert list(path) == naive_path(index, entries)
        assert includes(root, len(entries), index, entries[index], path)
        assert not includes(root, len(entries), index, entries[index] + b"x", path)
        assert not includes(root, len(entries), index, entries[index], (*path, EMPTY))
        if path:
            assert not includes(root, len(entries), index, entries[index], path[:-1])
            assert not includes(root, len(entries), index, entries[index], (EMPTY, *path[1:]))
        others = [i for i in range(-1, len(entries) + 2) if i != index]
        same = {i for i in others if 0 <= i < len(entries) and list(path) == naive_path(i, entries)}
        assert not any(includes(root, len(entries), i, entries[index], path) for i in others if i not in same)


def test_peaks_of_another_size_are_refused() -> None:
    with pytest.raises(ValueError, match="size"):
        Frontier(3, bytes(32))


# -- keys -------------------------------------------------------------------------------------------------------------
def test_a_key_signs_and_comes_back_from_its_file() -> None:
    one, two = Key.new(), Key.new()
    again = Key.read(one.pem)
    assert again.public == one.public and key_id(one.public) != key_id(two.public)
    assert signed(one.public, again.sign(b"x"), b"x")
    assert not signed(two.public, one.sign(b"x"), b"x")
    assert not signed(one.public, one.sign(b"x"), b"y")
    assert not signed(b"short", one.sign(b"x"), b"x")
    for wrong in (b"", b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"):
        with pytest.raises(ValueError, match="key"):
            Key.read(wrong)


# -- chains -----------------------------------------------------------------------------------------------------------
def test_a_chain_as_it_was_sealed_has_no_fault() -> None:
    header, rows, root = sealed()
    assert faults_of(header, rows, root, Trust(frozenset({key().public}))) == []
    assert root.read().tallies == {"allows": 2, "denials": {"FRECUENCIA": 1}, "attempts": {"CON": 1}}
    assert faults_of(*sealed([])) == []


def test_a_chain_goes_on_from_what_was_kept() -> None:
    header, rows, root = sealed()
    chain = Chain(header)
    again = []
    for b in BODIES:
        told = chain.tallies.told()
        kept = {"rows": chain.rows, "last": chain.last, "peaks": chain.tree.peaks, "tallies": told}
        chain = Chain(header, **kept)  # type: ignore[arg-type]
        again.append(chain.add(b))
    assert again == rows and chain.root(NOW, key(), closed=True) == root


@pytest.mark.parametrize("n", range(len(BODIES)))
def test_an_altered_body_or_hash_is_told_apart(n: int) -> None:
    header, rows, root = sealed()
    for at in range(len(rows[n].body)):
        text = bytearray(rows[n].body)
        text[at] ^= 1
        changed = [*rows[:n], replace(rows[n], body=bytes(text)), *rows[n + 1 :]]
        assert places(faults_of(header, changed, root)) == [(What.BODY, n + 1)]
    changed = [*rows[:n], replace(rows[n], hash=EMPTY), *rows[n + 1 :]]
    assert places(faults_of(header, changed, root)) == [(What.HASH, n + 1)]


def test_rows_out_of_place_are_found_with_the_place() -> None:
    header, rows, root = sealed()
    a, b, c, d, e = rows
    assert places(faults_of(header, [a, c, b, d, e], root))[:2] == [(What.GAP, 2), (What.ORDER, 4)]
    assert places(faults_of(header, [a, b, d, e], root)) == [(What.GAP, 3)]
    assert places(faults_of(header, [a, b, b, c, d, e], root)) == [(What.ORDER, 3)]
    assert places(faults_of(header, [a, b, c], root)) == [(What.TAIL, 4)]
    assert places(faults_of(header, [a, b, c, d, e], sealed(BODIES[:4])[2])) == [(What.TAIL, 5)]
    swapped = [a, replace(c, position=2), replace(b, position=3), d, e]
    assert places(faults_of(header, swapped, root))[0] == (What.ROW, 2)
    dropped = [a, replace(c, position=2), replace(d, position=3), replace(e, position=4)]
    assert places(faults_of(header, dropped, root))[0][1] == 2


def test_a_chain_that_was_computed_anew_is_betrayed_by_its_root() -> None:
    header, _, root = sealed()
    forged = Chain(header)
    told = [forged.add(b.replace(b"FRECUENCIA", b"OTRA_COSA_")) for b in BODIES]
    # The chain is sound in itself; only the signed root tells.
    assert places(faults_of(header, told, root)) == [(What.ROOT, 0)]
    unsigned = replace(forged.root(NOW, key(), closed=True), signature=root.signature)
    assert places(faults_of(header, told, unsigned)) == [(What.SIGNATURE, 0)]
    other = forged.root(NOW, Key.new(), closed=True)
    assert faults_of(header, told, other) == []  # whoever believes any key believes this one
    trust = Trust(frozenset({key().public}))
    assert places(faults_of(header, told, other, trust)) == [(What.KEY, 0)]


def test_a_root_is_of_its_own_chain_only() -> None:
    header, rows, root = sealed()
    assert places(faults_of(replace(header, engine="e2"), [], root)) == [(What.HEADER, 0)]
    assert places(faults_of(header, rows, None)) == [(What.ROOT, 0)]
    assert places(faults_of(header, rows, replace(root, payload=root.payload[:-1]))) == [(What.ROOT, 0)]
    spaced = root.payload.replace(b":", b": ", 1)
    again = SignedRoot(spaced, key().sign(replace(root, payload=spaced).message))
    assert places(faults_of(header, rows, again)) == [(What.ROOT, 0)]


def test_an_event_that_was_sealed_twice_is_found() -> None:
    assert places(faults_of(*sealed([BODIES[0], BODIES[1], BODIES[1]]))) == [(What.TWICE, 3)]
    one, two = sealed(), sealed(BODIES[2:])
    chains = []
    for header, rows, _ in (one, two):
        chain = ChainVerifier(header)
        for r in rows:
            chain.row(r.position, r.body, r.hash)
        chains.append(chain)
    assert [f.detail for f in overlapping(chains)] == ["14"]
    assert overlapping(chains[:1]) == []


def test_columns_beside_a_row_may_say_nothing_else() -> None:
    header, (row, *_), _ = sealed()
    ask = ChainVerifier(header)
    assert ask.row(1, row.body, row.hash, ("attempt.leased", "p-1", "a10")) == []
    for copies in (("contact.denied", "p-1", "a10"), ("attempt.leased", "p-2", "a10"), ("attempt.leased", "p-1", None)):
        chain = ChainVerifier(header)
        assert places(chain.row(1, row.body, row.hash, copies)) == [(What.COPY, 1)]


def days(n: int) -> list[tuple[Header, list[Row], SignedRoot]]:
    found: list[tuple[Header, list[Row], SignedRoot]] = []
    for number in range(1, n + 1):
        bodies = [body(number * 100 + k) for k in range(3)]
        found.append(sealed(bodies, found[-1][2] if found else None, number, closed=number < n))
    return found


def series(chains: Sequence[tuple[Header, list[Row], SignedRoot]], *, whole: bool = True) -> list[Fault]:
    verifier = SeriesVerifier(ANYBODY, whole=whole)
    found = []
    for header, rows, root in chains:
        chain, begun = verifier.begin(header)
        found += begun
        for r in rows:
            found += chain.row(r.position, r.body, r.hash)
        found += verifier.close(chain, root)
    return found


def test_days_are_chained() -> None:
    chains = days(4)
    assert series(chains) == []
    assert series(chains[1:], whole=False) == []
    assert [(f.what, f.number) for f in series(chains[1:])] == [(What.DAY, 2)]
    assert [(f.what, f.number) for f in series(chains[:1] + chains[2:])] == [(What.DAY, 3)]
    other = sealed(BODIES, None, 2)
    assert [(f.what, f.number) for f in series([chains[0], other, *chains[2:]])][:1] == [(What.LINK, 2)]
    unclosed = (*chains[1][:2], sealed([body(200 + k) for k in range(3)], chains[0][2], 2, closed=False)[2])
    assert What.ROOT in {f.what for f in series([chains[0], unclosed, sealed([], unclosed[2], 3)])}


def test_a_root_whose_rows_went_still_links_the_days() -> None:
    verifier = SeriesVerifier(ANYBODY, whole=True)
    chains = days(3)
    for header, rows, root in chains:
        chain, found = verifier.begin(header)
        if header.number == 1:
            found += verifier.kept(chain, root)
        else:
            found += [fault for r in rows for fault in chain.row(r.position, r.body, r.hash)]
            found += verifier.close(chain, root)
        assert found == []
    again = SeriesVerifier(ANYBODY, whole=True)
    chain, _ = again.begin(chains[0][0])
    assert [f.what for f in again.kept(chain, chains[1][2])] == [What.HEADER]


# -- files ------------------------------------------------------------------------------------------------------------
def written(chains: Sequence[tuple[Header, list[Row], SignedRoot]]) -> list[bytes]:
    out = io.BytesIO()
    writer = EvidenceWriter(out.write, key())
    writer.manifest("chains", "2026-11-24T14:00:00.000000Z", "ana", [header for header, _, _ in chains])
    for header, rows, root in chains:
        writer.chain(header)
        for r in rows:
            writer.row(r)
        writer.root(root)
    writer.tell("timeline", {"note": "para leer: ñ", "n": 3})
    writer.end()
    return out.getvalue().splitlines(keepends=True)


def read(lines: Sequence[bytes], trust: Trust = ANYBODY) -> tuple[list[Fault], FileReport]:
    return verify_lines(lines, trust)


def test_a_file_as_it_was_written_has_no_fault() -> None:
    faults, report = read(written(days(3)), Trust(frozenset({key().public})))
    assert faults == []
    assert (report.what, report.chains, report.rows, report.trusted) == ("chains", 3, 9, True)
    assert (report.first_day, report.last_day) == ("2026-11-24", "2026-11-26")
    assert read(written(days(1)))[1].trusted is None
    assert {f.what for f in read(written(days(2)), Trust(frozenset({EMPTY})))[0]} == {What.KEY}


def test_every_byte_of_a_file_matters_and_its_line_is_told() -> None:
    chains = [sealed(BODIES[:4])]
    lines = written(chains)
    for number, line in enumerate(lines, 1):
        for at in range(len(line)):
            changed = bytearray(line)
            changed[at] ^= 1 if changed[at] != ord("\n") else 42
            told = b"".join([*lines[: number - 1], bytes(changed), *lines[number:]])
            faults, _ = read(told.splitlines(keepends=True) if b"\r" not in told else told.split(b"\n"))
            assert faults, (number, at)
            assert faults[0].line in (number, number + 1), (number, at, faults[0])
            if 3 <= number <= 6 and at < len(line) - 1:
                assert (faults[0].engine, faults[0].day) == ("e1", "2026-11-24")


def test_a_byte_of_a_row_is_told_with_its_position() -> None:
    lines = written([sealed()])
    at = lines[4].index(b"CON")
    for byte in range(at, at + 3):
        changed = bytearray(lines[4])
        changed[byte] ^= 1
        faults, _ = read([*lines[:4], bytes(changed), *lines[5:]])
        assert [(f.what, f.engine, f.number, f.day, f.position, f.line) for f in faults] == [
            (What.BODY, "e1", 1, "2026-11-24", 3, 5)
        ]
        assert "row 3" in faults[0].words and "fila 3" in spoken(faults[0].words, "es")


def test_lines_that_go_or_come_or_move_are_found() -> None:
    lines = written(days(3))
    for n in range(len(lines)):
        assert read(lines[:n] + lines[n + 1 :])[0], n
        assert read(lines[: n + 1] + lines[n:])[0], n
        assert read(lines[:n])[0], n
    for n, (one, two) in enumerate(pairwise(lines)):
        assert read([*lines[:n], two, one, *lines[n + 2 :]])[0], n
    without_a_day = lines[:6] + lines[11:]
    assert (What.DAY, 3) in {(f.what, f.number) for f in read(without_a_day)[0]}
    without_the_last = lines[:11] + lines[16:]
    assert read(without_the_last)[0]
    assert [f.what for f in read([])[0]] == [What.END]
    assert read([b"\x00garbage\n"])[0] and read([b"{}"])[0]


def forged(lines: list[bytes], signer: Key) -> list[bytes]:
    """The same lines with an end of another's."""
    out = io.BytesIO()
    writer = EvidenceWriter(out.write, signer)
    for line in lines[:-1]:
        writer._line(line[:-1])
    writer.end()
    return out.getvalue().splitlines(keepends=True)


def test_a_whole_day_that_was_left_out_is_missed_whoever_signs() -> None:
    lines = written(days(3))
    faults, _ = read(forged([*lines[:11], *lines[16:]], key()))
    assert [(f.what, f.number, f.day) for f in faults] == [(What.DAY, 3, "2026-11-26")]
    trust = Trust(frozenset({key().public}))
    assert [f.what for f in read(forged(lines, Key.new()), trust)[0]] == [What.KEY]


def test_a_beginning_that_means_the_same_is_still_another() -> None:
    lines = written(days(1))
    out = io.BytesIO()
    writer = EvidenceWriter(out.write, key())
    writer._line(lines[0][:-1])
    told = msgspec.json.decode(lines[1])
    writer.tell("chain", {n: told[n] for n in ("engine", "format", "number", "previous")} | {"day": "20261124"})
    for line in lines[2:-1]:
        writer._line(line[:-1])
    writer.end()
    faults, _ = read(out.getvalue().splitlines(keepends=True))
    assert (faults[0].what, faults[0].line) == (What.LINE, 2)


def test_a_stranger_verifies_a_file_by_its_description_alone() -> None:
    """docs/evidence.md, with hashlib and json and nothing of ours but the signature."""

    def text(told: object) -> bytes:
        return json.dumps(told, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()

    lines = written(days(2))
    roots, at, count, entries = [bytes(32)], b"", 0, list[bytes]()
    for line in lines:
        told = json.loads(line)
        assert text(told) + b"\n" == line
        if "sum" in told:
            total = told.pop("sum")
            assert sha256(text(told)).hexdigest() == total
        kind = told.pop("is", "row")
        if kind == "chain":
            assert bytes.fromhex(told["previous"]) == roots[-1]
            at, count, entries = sha256(b"cadencia-evidence/1 chain\n" + text(told)).digest(), 0, []
        elif kind == "row":
            count += 1
            step = count.to_bytes(8, "big") + sha256(text(told["body"])).digest()
            at = sha256(b"cadencia-evidence/1 row\n" + at + step).digest()
            entries.append(at)
            assert (told["row"], told["hash"]) == (count, at.hex())
        elif kind == "root":
            root, payload = told["root"], b"cadencia-evidence/1 root\n" + text(told["root"])
            assert (root["rows"], root["last"]) == (count, at.hex())
            assert root["merkle"] == naive_root(entries).hex()
            public = Ed25519PublicKey.from_public_bytes(bytes.fromhex(root["public"]))
            public.verify(bytes.fromhex(told["signature"]), payload)
            roots.append(sha256(payload).digest())
        elif kind == "end":
            before = lines[:-1]
            assert (told["lines"], told["sha256"]) == (len(before), sha256(b"".join(before)).hexdigest())
            message = text({"lines": told["lines"], "sha256": told["sha256"]})
            public = Ed25519PublicKey.from_public_bytes(bytes.fromhex(told["public"]))
            public.verify(bytes.fromhex(told["signature"]), b"cadencia-evidence/1 file\n" + message)
    assert len(roots) == 3


def person_file(chains: Sequence[tuple[Header, list[Row], SignedRoot]], wanted: int) -> list[bytes]:
    out = io.BytesIO()
    writer = EvidenceWriter(out.write, key())
    writer.manifest("person", "2026-11-24T14:00:00.000000Z", "ana", [h for h, _, _ in chains], person="p-1")
    for _, _, root in chains:
        writer.root(root)
    for header, rows, _ in chains:
        prover = Prover({wanted})
        for r in rows:
            prover.add(r.hash)
        _, paths = prover.finish()
        before = rows[wanted - 1].hash if wanted else header.hash()
        writer.proof(Proof(header.engine, header.number, rows[wanted], before, paths[wanted]))
    writer.tell("timeline", {"what": "para leer"})
    writer.end()
    return out.getvalue().splitlines(keepends=True)


@pytest.mark.parametrize("wanted", [0, 1, 2])
def test_rows_of_a_person_are_proved_without_the_others(wanted: int) -> None:
    lines = person_file(days(2), wanted)
    faults, report = read(lines)
    assert faults == []
    assert (report.what, report.chains, report.proofs) == ("person", 2, 2)
    for n in range(len(lines)):
        assert read(lines[:n] + lines[n + 1 :])[0], n


def test_a_proof_of_another_row_or_person_is_refused() -> None:
    lines = person_file(days(2), 1)
    told = msgspec.json.decode(lines[3])
    told.pop("sum")
    kind = told.pop("is")

    def with_proof(**changed: object) -> list[What]:
        out = io.BytesIO()
        writer = EvidenceWriter(out.write, key())
        for line in lines[:3]:
            writer._line(line[:-1])
        writer.tell(kind, told | changed)
        for line in lines[4:-1]:
            writer._line(line[:-1])
        writer.end()
        return [f.what for f in read(out.getvalue().splitlines(keepends=True))[0]]

    assert with_proof() == []
    assert with_proof(position=3) == [What.BODY]
    assert with_proof(path=told["path"][::-1]) == [What.PROOF]
    assert with_proof(number=2) == [What.PROOF]
    assert with_proof(number=9) == [What.ROOT]
    other = told["body"] | {"person": "p-2"}
    assert with_proof(body=other) == [What.BODY]
    assert with_proof(position=-1) and with_proof(position=2**70) and with_proof(hash=7)
    assert with_proof(path="no") and with_proof(position="1")


@settings(max_examples=60)
@given(st.binary(max_size=200), st.integers(0, 30))
def test_whatever_is_put_into_a_file_is_found_and_never_raises(junk: bytes, at: int) -> None:
    lines = written(days(2))
    at = min(at, len(lines))
    assert read([*lines[:at], junk + b"\n", *lines[at:]])[0]


# -- what is written --------------------------------------------------------------------------------------------------
SURROGATES = {
    ("person", 5): "P",
    ("contact", 7): "C",
    ("phone", 9): "F",
    ("obligation", 3): "O",
    ("obligation", 4): "Q",
}


def row_of(event: Event) -> dict[str, object]:
    told = body_of(event, lambda contact: 5 if contact == 7 else None, SURROGATES)
    assert told == canonical(msgspec.json.decode(told))
    return msgspec.json.decode(told)  # type: ignore[no-any-return]


def test_an_allowed_attempt_tells_by_which_law_and_of_whom_only_surrogates() -> None:
    facts = {"today": 1, "window": [420, 1140], "share": 0.5, "consent_at": NOW.isoformat()}
    told = {"channel": "voice", "purpose": "collection", "phone_id": 9, "debts": [3, 4], "facts": facts}
    event = Event("attempt.leased", NOW, "c1", 7, "a-1", None, told | {"profiles": [["co", 2, "ab"]]}, 2, 30)
    assert references(event, lambda _: 5) == set(SURROGATES)
    assert row_of(event) == {
        "v": 2,
        "kind": "attempt.leased",
        "event": 30,
        "at": "2026-11-24T14:00:00.000000Z",
        "decision": "allow",
        "campaign": "c1",
        "attempt": "a-1",
        "contact": "C",
        "person": "P",
        "data": {
            "channel": "voice",
            "purpose": "collection",
            "phone": "F",
            "debts": ["O", "Q"],
            "facts": facts | {"share": "0.5"},
            "profiles": [["co", 2, "ab"]],
        },
    }


def test_contacts_of_other_systems_and_loads_of_registers_are_evidence() -> None:
    told = {"channel": "sms", "phone_id": 9, "debts": [3], "facts": {"registers": ["rne"]}, "by": "crm"}
    reserved = Event("contact.reserved", NOW, "c1", 7, "c-1", None, told, 1, 31)
    row = row_of(reserved)
    assert (row["decision"], row["attempt"], row["person"], row["contact"]) == ("allow", "c-1", "P", "C")
    assert row["data"] == {"by": "crm", "channel": "sms", "debts": ["O"], "phone": "F", "facts": {"registers": ["rne"]}}
    refused = replace(reserved, kind="contact.refused", body={"code": "BLQ-CONSENT", "retry_at": None})
    assert row_of(refused)["decision"] == "deny"
    assert not is_evidence(replace(refused, body={"code": "BLQ-CONSENT", "again": True}))
    became = Event("contact.outcome", NOW, attempt_id="c-1", body={"person_id": 5, "outcome": "replied", "by": "ana"})
    assert (row_of(became)["person"], row_of(became)["data"]) == ("P", {"outcome": "replied"})
    wrote = Event("contact.inbound", NOW, attempt_id="c-2", body={"person_id": 5, "channel": "sms", "code": "INF"})
    assert (row_of(wrote)["person"], row_of(wrote)["data"]) == ("P", {"channel": "sms", "code": "INF"})
    loaded = Event("register.loaded", NOW, body={"register": "rne", "numbers": 10, "new": 3})
    assert row_of(loaded)["data"] == {"register": "rne", "numbers": 10, "new": 3}


def test_what_is_evidence_and_what_is_kept_of_it() -> None:
    denied = Event("contact.denied", NOW, "c1", 7, body={"code": "F", "retry_at": None})
    assert is_evidence(denied) and not is_evidence(replace(denied, body={"code": "F", "again": True}))
    assert not is_evidence(Event("pacing.decision", NOW)) and not is_evidence(Event("who.knows", NOW))
    assert row_of(denied)["decision"] == "deny"
    disposed = Event(
        "attempt.disposed", NOW, "c1", 7, "a", "ana", {"code": "PP", "promise_minor": 1, "currency": "COP"}
    )
    assert row_of(disposed)["data"] == {"code": "PP"}
    read = Event(
        "file.read", NOW, body={"person_id": 5, "by": "ana", "note": "x", "e164": "+57", "deep": {"name": "N"}}
    )
    told = row_of(read)
    assert told["person"] == "P" and told["data"] == {"by": "ana", "deep": {}}
    gone = Event("person.erased", NOW, body={"surrogate": "P9", "by": "ana"})
    assert row_of(gone)["person"] == "P9"


def test_who_was_erased_has_no_name_left() -> None:
    late = Event("attempt.disposed", NOW, "c1", 7, "a", "ana", {"code": "PP"})
    told = msgspec.json.decode(body_of(late, lambda _: 5, {}))
    assert told["person"] is None and told["contact"] is None


def test_the_formula_is_as_documented() -> None:
    """In a stranger's words."""
    header, rows, root = sealed()
    told = b'{"day":"2026-11-24","engine":"e1","format":"cadencia-evidence/1","number":1,"previous":"%s"}' % (b"0" * 64)
    at = sha256(b"cadencia-evidence/1 chain\n" + told).digest()
    assert header.hash() == at
    for n, b in enumerate(BODIES, 1):
        at = sha256(b"cadencia-evidence/1 row\n" + at + n.to_bytes(8, "big") + sha256(b).digest()).digest()
        assert rows[n - 1].hash == at == row_hash(rows[n - 2].hash if n > 1 else header.hash(), n, b)
    assert root.read().merkle == naive_root([r.hash for r in rows])
    assert root.hash() == sha256(b"cadencia-evidence/1 root\n" + root.payload).digest()
