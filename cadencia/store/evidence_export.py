"""Takes evidence out of a store, into the file of `evidence_file`, and verifies it where it lies."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import msgspec

from cadencia.compliance.evidence import Header, Row, instant
from cadencia.compliance.evidence_check import ChainVerifier, Fault, SeriesVerifier, Trust, What, overlapping
from cadencia.compliance.evidence_file import EvidenceWriter, Proof
from cadencia.compliance.merkle import Prover
from cadencia.domain.codes import label
from cadencia.domain.events import Event
from cadencia.errors import Refused, Words
from cadencia.store.dossier import dossier_of
from cadencia.store.evidence_port import KeptChain
from cadencia.store.port import Store

#: Told of rows that are done and rows that there are.
Progress = Callable[[int, int], object]

_KINDS: dict[str, Words] = {
    "attempt.leased": Words("a call was allowed", "se permitió una llamada"),
    "contact.denied": Words("a contact was denied", "se negó un contacto"),
    "contact.reserved": Words("a contact was allowed", "se permitió un contacto"),
    "contact.refused": Words("a contact was denied", "se negó un contacto"),
    "contact.outcome": Words("what became of the contact", "qué pasó con el contacto"),
    "contact.inbound": Words("the person contacted us", "la persona nos contactó"),
    "attempt.returned": Words("the call was not made", "la llamada no se hizo"),
    "attempt.sending": Words("the number was dialled", "se marcó el número"),
    "attempt.settled": Words("the call ended", "la llamada terminó"),
    "attempt.disposed": Words("the agent chose a disposition", "el agente tipificó"),
    "attempt.file_shown": Words("amounts were shown", "se mostraron los valores"),
    "person.consent": Words("consent", "autorización"),
    "person.exclusion": Words("exclusion", "exclusión"),
    "person.preference": Words("preference", "preferencia"),
    "person.payment": Words("payment", "pago"),
    "person.request": Words("request", "solicitud"),
    "person.hold": Words("legal hold", "retención legal"),
    "file.read": Words("the file was read", "se leyó el expediente"),
    "script.finding": Words("a note shows what must not be asked or said", "una nota muestra lo que no se pregunta"),
}

#: Which way somebody read a person's file: `what` of file.read.
_WAYS: dict[str, Words] = {
    "pop": Words("the file was on the agent's screen", "la ficha estuvo en la pantalla del agente"),
    "preview": Words(
        "the file was on the agent's screen, to choose", "la ficha estuvo en la pantalla del agente, para elegir"
    ),
    "explain": Words(
        "somebody asked why the person may be called or not", "se consultó por qué se puede o no se puede llamar"
    ),
    "evidence": Words("the evidence was taken out", "se exportó la evidencia"),
}


def _nobody(done: int, of: int) -> None:
    """Nobody wants to know."""


async def export_days(
    store: Store,
    writer: EvidenceWriter,
    first: date,
    last: date,
    by: str,
    now: datetime,
    progress: Progress = _nobody,
) -> int:
    """Write the whole chains of some days; how many rows. Raises Refused if there are none."""
    chains = [c for c in await store.chains() if first <= c.header.day <= last and not c.dropped]
    if not chains:
        raise Refused(
            Words("There is no evidence of these days.", "No hay evidencia de esos días."),
            Words("See the days with: cadencia evidence verify", "Vea los días con: cadencia evidence verify"),
        )
    asked = {"by": by, "what": "chains", "from": first.isoformat(), "to": last.isoformat()}
    await store.append([Event("file.read", now, body=asked)])
    writer.manifest("chains", instant(now), by, [c.header for c in chains])
    done, total = 0, sum(c.rows for c in chains)
    for chain in chains:
        writer.chain(chain.header)
        async for kept in store.chain_rows(chain):
            writer.row(kept.row)
            done += 1
            if done % 5000 == 0:
                progress(done, total)
        writer.root(chain.root)
    writer.end()
    progress(done, total)
    return done


async def export_person(
    store: Store, writer: EvidenceWriter, person_id: int, by: str, now: datetime, progress: Progress = _nobody
) -> int:
    """Write all that evidence says of a person, each row with its proof, and the person's file; how many rows.

    Raises:
        Refused: there is no such person.
    """
    dossier = await dossier_of(store, person_id)
    surrogate = await store.surrogate(person_id)
    found = await store.person_rows(person_id)
    by_chain: dict[Header, list[Row]] = {}
    for header, row in found:
        by_chain.setdefault(header, []).append(row)
    chains = [c for c in await store.chains() if c.header in by_chain]
    await store.append([Event("file.read", now, body={"person_id": person_id, "by": by, "what": "evidence"})])
    writer.manifest("person", instant(now), by, [c.header for c in chains], person=surrogate)
    for chain in chains:
        writer.root(chain.root)
    done = 0
    for chain in chains:
        async for proof in _proofs(store, chain, by_chain[chain.header]):
            writer.proof(proof)
            done += 1
        progress(done, len(found))
    for header, row in found:
        writer.tell("timeline", _line(header, row))
    writer.tell("dossier", {"dossier": _told(dossier)})
    writer.end()
    return done


async def _proofs(store: Store, chain: KeptChain, rows: list[Row]) -> AsyncIterator[Proof]:
    """One pass over the chain's hashes proves all its wanted rows."""
    wanted = {row.position - 1: row for row in rows}
    prover = Prover(wanted)
    before = chain.header.hash()
    befores: dict[int, bytes] = {}
    async for recorded in store.chain_hashes(chain):
        if prover.size in wanted:
            befores[prover.size] = before
        before = recorded
        prover.add(recorded)
    _, paths = prover.finish()
    for index, path in sorted(paths.items()):
        yield Proof(chain.header.engine, chain.header.number, wanted[index], befores[index], path)


def _line(header: Header, row: Row) -> dict[str, Any]:
    """A row in readable words."""
    body = msgspec.json.decode(row.body)
    data = body.get("data", {})
    words = _WAYS.get(data.get("what", "")) or _KINDS.get(body["kind"], Words(body["kind"], body["kind"]))
    code = str(data.get("code") or data.get("outcome") or "")
    told = {"engine": header.engine, "number": header.number, "position": row.position, "at": body["at"]}
    told |= {"es": words.es, "en": str(words), "code": code}
    if code:
        told |= {"es": f"{words.es}: {label(code, 'es')}", "en": f"{words}: {label(code, 'en')}"}
    who = body.get("agent") or data.get("by")
    return told | ({"who": who} if who else {})


def _told(value: Any) -> Any:
    """The dossier as plain JSON; a date is its text."""
    return msgspec.to_builtins(value)


@dataclass
class StoreReport:
    """What a store turned out to hold."""

    chains: int = 0
    rows: int = 0
    dropped: int = 0
    attempts: int = 0
    first_day: str = ""
    last_day: str = ""


async def verify_store(
    store: Store, trust: Trust, report: StoreReport, progress: Progress = _nobody
) -> AsyncIterator[Fault]:
    """All faults of a store's evidence, as they are found, each with its place."""
    series = SeriesVerifier(trust, whole=True)
    chains = await store.chains()
    total = sum(c.rows for c in chains if not c.dropped)
    seen: list[ChainVerifier] = []
    for kept in chains:
        chain, faults = series.begin(kept.header)
        if kept.dropped:
            faults += series.kept(chain, kept.root)
            report.dropped += 1
        else:
            async for r in store.chain_rows(kept):
                faults += chain.row(r.row.position, r.row.body, r.row.hash, (r.kind, r.person, r.attempt))
                report.rows += 1
                if report.rows % 5000 == 0:
                    progress(report.rows, total)
                if faults:
                    for fault in faults:
                        yield fault
                    faults = []
            faults += series.close(chain, kept.root)
        report.chains += 1
        day = kept.header.day.isoformat()
        report.first_day, report.last_day = min(report.first_day or day, day), max(report.last_day, day)
        seen.append(chain)
        for fault in faults:
            yield fault
    progress(report.rows, total)
    for fault in overlapping(seen):
        yield fault
    async for fault in _attempts(store, report):
        yield fault


async def _attempts(store: Store, report: StoreReport) -> AsyncIterator[Fault]:
    """Settled attempts that evidence does not tell of, or tells of twice."""
    after = ""
    while True:
        page = await store.proven(after)
        report.attempts += page.checked
        for attempt, allows, ends in page.wrong:
            if allows != 1:
                yield Fault(What.ALLOW, detail=f"{attempt}: {allows}")
            if ends != 1:
                yield Fault(What.OUTCOME, detail=f"{attempt}: {ends}")
        if not page.last:
            return
        after = page.last
