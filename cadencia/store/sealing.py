"""What both adapters do alike when they seal: which chain, which surrogates, which rows."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import date
from typing import Any
from uuid import UUID

from cadencia.compliance.evidence import NOTHING_BEFORE, Chain, Header, Row, look
from cadencia.compliance.evidence_events import Ref, body_of, is_evidence, references, subject
from cadencia.domain.events import Event
from cadencia.store.evidence_port import KeptChain, KeptRow
from cadencia.store.refusals import telling_reason


def following(before: KeptChain | None, engine: str, day: date) -> Header:
    """The header of the chain after one that is closed."""
    if before is None:
        return Header(engine, 1, day, NOTHING_BEFORE)
    return Header(engine, before.header.number + 1, day, before.root.hash())


def grown(kept: KeptChain, peaks: bytes) -> Chain:
    """A chain that was kept, to go on with."""
    root = kept.root.read()
    return Chain(kept.header, rows=root.rows, last=root.last, peaks=peaks, tallies=root.tallies)


def wanted(
    events: Sequence[Event], person_of: Callable[[int], int | None], erased: Collection[int]
) -> dict[int, set[Ref]]:
    """By event's number what it names. Of a person who was erased nothing is named ever again."""
    found: dict[int, set[Ref]] = {}
    for event in events:
        if is_evidence(event):
            gone = subject(event, person_of) in erased
            found[event.seq] = set() if gone else references(event, person_of)
    return found


def rows_of(
    chain: Chain,
    events: Sequence[Event],
    person_of: Callable[[int], int | None],
    names: Mapping[int, Collection[Ref]],
    surrogates: Mapping[Ref, str],
) -> list[KeptRow]:
    """Append the events to the chain."""
    rows = []
    for event in events:
        if event.seq not in names:
            continue
        known = {ref: surrogates[ref] for ref in names[event.seq] if ref in surrogates}
        rows.append(beside(chain.add(body_of(event, person_of, known))))
    return rows


def beside(row: Row) -> KeptRow:
    """A row with the columns that are kept beside it."""
    seen = look(row.body)
    return KeptRow(row, seen.kind, seen.person, seen.attempt)


#: What a reason for an erasure looks like: the number of a request or a file, in few words.
_REASON = re.compile(r"[^\W_][\w .,:/#-]{0,79}")
_NUMBER = re.compile(r"\d{7,}|(?:\d[ .-]?){9,}")


def verify_reason(reason: str, name: str, doc_number: str) -> None:
    """Raise Refused if the reason tells who the person is: it stays in evidence for ever."""
    words = {w for w in re.split(r"\W+", name.casefold()) if len(w) > 2}
    tells = doc_number in reason or words & set(re.split(r"\W+", reason.casefold()))
    if tells or not _REASON.fullmatch(reason) or _NUMBER.search(reason):
        raise telling_reason()


def is_uuid(told: str) -> bool:
    """Whether it is a surrogate."""
    try:
        UUID(told)
    except ValueError:
        return False
    return "-" in told


def document_of(told: str) -> dict[str, Any]:
    """ "CC 12345" by its parts."""
    kind, _, number = told.strip().partition(" ")
    return {"type": kind.upper(), "number": number.strip()}
