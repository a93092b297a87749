"""Files of consents and of payments: each line becomes a line of the ledger that the gate judges by.

A bad line never stops the others; what the ledger has already is not written again.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import TypeVar

from cadencia.compliance.hours import BOGOTA, day_start
from cadencia.domain.law import Channel, Purpose
from cadencia.domain.ledger import Change, ConsentIn, PaymentIn
from cadencia.errors import PortfolioError, Refused, Words
from cadencia.portfolio.cells import Cells
from cadencia.portfolio.cities import plain
from cadencia.portfolio.documents import parse_doc_number, parse_doc_type
from cadencia.portfolio.fields import VOICE, BadField, parse_date
from cadencia.portfolio.importer import Rejected, write_rejected
from cadencia.portfolio.money import parse_money
from cadencia.portfolio.reader import Layout, read_table
from cadencia.portfolio.reasons import REASONS
from cadencia.store.port import Store

T = TypeVar("T")

CONSENTS = Layout(
    ("tipo_doc", "num_doc", "canal", "estado", "fecha"),
    ("finalidad", "hasta", "medio", "version_texto", "evidencia"),
)
PAYMENTS = Layout(("id_credito", "fecha", "valor", "referencia"), ("acreedor", "moneda"))

#: So many lines are written in one transaction.
_BATCH = 200

_ALL = ("todos", "todas", "all")
_CHANNELS: dict[str, Channel | None] = {
    **dict.fromkeys(VOICE, Channel.VOICE),
    **dict.fromkeys(_ALL),
    **{str(channel): channel for channel in Channel},
    "mensaje de texto": Channel.SMS,
    "correo": Channel.EMAIL,
    "correo electronico": Channel.EMAIL,
    "notificacion": Channel.PUSH,
    "carta": Channel.LETTER,
    "visita": Channel.VISIT,
}
_PURPOSES: dict[str, Purpose | None] = {
    **dict.fromkeys(_ALL),
    **{str(purpose): purpose for purpose in Purpose},
    "cobranza": Purpose.COLLECTION,
    "recordatorio": Purpose.REMINDER,
    "comercial": Purpose.COMMERCIAL,
    "informacion": Purpose.REQUESTED_INFO,
    "operacion": Purpose.OPERATION,
    "fraude": Purpose.FRAUD_ALERT,
}
_STATES = {
    **dict.fromkeys(("otorgada", "otorgado", "autorizada", "autoriza", "si", "granted", "yes"), True),
    **dict.fromkeys(("revocada", "revocado", "no autoriza", "no", "revoked"), False),
}


@dataclass(frozen=True)
class Entry:
    """A line that can be used.

    Attributes:
        whom: type and number of document; None of a payment, which names an obligation.
        change: a consent's `person_id` is 0 until the person is looked up.
    """

    line: int
    value: str
    whom: tuple[str, str] | None
    change: Change


@dataclass(frozen=True)
class LedgerFile:
    """A file that was read: what can be used, and what cannot."""

    entries: tuple[Entry, ...]
    rejected: tuple[Rejected, ...]
    lines: int


@dataclass(frozen=True)
class LedgerReport:
    """What loading it did. `new` lines were not in the ledger; `rejects` tells what was not taken, None if all was."""

    new: int
    rejected: tuple[Rejected, ...]
    rejects: Path | None


def read_consents(path: Path, mapping: Mapping[str, str] | None = None) -> LedgerFile:
    """Read grants and revocations. A date counts from its first instant in Bogotá; `hasta` is the last day it holds.

    Raises:
        PortfolioError: the file cannot be read at all, or not one line of it can be used.
    """
    return _read(path, mapping, CONSENTS, _consent)


def read_payments(
    path: Path, now: datetime, mapping: Mapping[str, str] | None = None, creditor: str = ""
) -> LedgerFile:
    """Read payments.

    Args:
        now: a payment of a later day is not taken.
        creditor: whose they are, where no column says so.

    Raises:
        PortfolioError: the file cannot be read at all, or not one line of it can be used.
    """
    today = now.astimezone(BOGOTA).date()
    return _read(path, mapping, PAYMENTS, lambda fields: _payment(fields, creditor, today))


async def load_ledger(
    store: Store,
    path: Path,
    found: LedgerFile,
    by: str,
    now: datetime,
    *,
    language: str = "es",
    progress: Callable[[int, int], None] | None = None,
) -> LedgerReport:
    """Write a file's lines down; who or what nobody knows goes to `<file>.rechazos.csv` beside the bad lines.

    Raises:
        PortfolioError: what was not taken cannot be told.
        StoreError: the store failed; the same load again takes up the rest.
    """
    rejected = list(found.rejected)
    write_rejected(path, tuple(rejected), language)
    new = 0
    for start in range(0, len(found.entries), _BATCH):
        batch = found.entries[start : start + _BATCH]
        new += await _write(store, batch, by, now, rejected)
        if progress is not None:
            progress(start + len(batch), len(found.entries))
    rejected.sort(key=lambda r: r.line)
    return LedgerReport(new, tuple(rejected), write_rejected(path, tuple(rejected), language))


async def _write(store: Store, batch: Sequence[Entry], by: str, now: datetime, rejected: list[Rejected]) -> int:
    changes: list[tuple[Entry, Change]] = []
    for entry in batch:
        try:
            changes.append((entry, await _of_person(store, entry)))
        except Refused:
            rejected.append(Rejected(entry.line, "num_doc", "person-unknown", entry.value, whole_row=True))
    try:
        return await store.change([change for _, change in changes], by, now)
    except Refused:  # all or none: now one by one, to find which
        new = 0
        for entry, change in changes:
            try:
                new += await store.change([change], by, now)
            except Refused:
                rejected.append(Rejected(entry.line, "id_credito", "obligation-unknown", entry.value, whole_row=True))
        return new


async def _of_person(store: Store, entry: Entry) -> Change:
    if entry.whom is None or not isinstance(entry.change, ConsentIn):
        return entry.change
    return replace(entry.change, person_id=await store.person_id(*entry.whom))


# -- reading -----------------------------------------------------------------------------------------------------------
_Read = Callable[[Cells], list[tuple[tuple[str, str] | None, Change]]]


def _read(path: Path, mapping: Mapping[str, str] | None, layout: Layout, read: _Read) -> LedgerFile:
    entries: list[Entry] = []
    rejected: list[Rejected] = []
    lines = 0
    for row in read_table(path, mapping, layout).rows():
        lines += 1
        if row.fault:
            rejected.append(Rejected(row.line, "", row.fault, row.raw, whole_row=True))
            continue
        fields = Cells(row)
        made = read(fields)
        if fields.faults:
            rejected += [Rejected(row.line, c, code, fields.text(c), whole_row=True) for c, code in fields.faults]
        else:
            value = fields.text("num_doc") or fields.text("id_credito")
            entries += [Entry(row.line, value, whom, change) for whom, change in made]
    if not entries:
        raise _nothing(path, rejected)
    return LedgerFile(tuple(entries), tuple(rejected), lines)


def _nothing(path: Path, rejected: Sequence[Rejected]) -> PortfolioError:
    mend = Words("Mend the file.", "Corrija el archivo.")
    if not rejected:
        en, es = f"{path.name} has a header and no lines.", f"{path.name} tiene encabezado y ninguna línea."
        return PortfolioError(Words(en, es), mend)
    first = rejected[0]
    es, en = REASONS[first.code]
    where = f"{first.line}, {first.column}" if first.column else str(first.line)
    return PortfolioError(
        Words(
            f"Not one line of {path.name} can be used (line {where}: {en}).",
            f"No sirve ninguna línea de {path.name} (línea {where}: {es}).",
        ),
        mend,
    )


def _consent(f: Cells) -> list[tuple[tuple[str, str] | None, Change]]:
    doc_type = f.read("tipo_doc", parse_doc_type)
    number = f.read("num_doc", lambda raw: parse_doc_number(doc_type, raw)) if doc_type else None
    channels = f.read("canal", _channels)
    granted = f.read("estado", lambda raw: _word(raw, _STATES, "consent-state"))
    since = f.read("fecha", parse_date)
    until = f.read("hasta", parse_date) if f.text("hasta") else None
    purpose = f.read("finalidad", lambda raw: _word(raw, _PURPOSES, "purpose")) if f.text("finalidad") else None
    if f.faults or doc_type is None or number is None or channels is None or granted is None or since is None:
        return []
    told = ConsentIn(
        0,
        granted,
        _begins(since),
        purpose=purpose,
        until=None if until is None else _begins(until + timedelta(days=1)),
        how=f.text("medio") or "import",
        text_version=f.text("version_texto"),
        evidence=f.text("evidencia"),
    )
    return [((doc_type, number), replace(told, channel=channel)) for channel in channels]


def _payment(f: Cells, creditor: str, today: date) -> list[tuple[tuple[str, str] | None, Change]]:
    number, reference = f.read("id_credito", str), f.read("referencia", str)
    currency = f.text("moneda").upper() or "COP"
    amount = f.read("valor", lambda raw: parse_money(raw, currency))
    if amount is not None and amount.minor == 0:
        f.faults.append(("valor", "money-form"))
    on = f.read("fecha", parse_date)
    if on is not None and on > today:
        f.faults.append(("fecha", "date-later"))
    whose = f.text("acreedor") or creditor
    if f.faults or number is None or reference is None or amount is None or on is None:
        return []
    return [(None, PaymentIn(whose, number, _begins(on), amount, reference))]


def _channels(raw: str) -> list[Channel | None]:
    words = [word for word in raw.replace("/", ",").replace("|", ",").replace("+", ",").split(",") if word.strip()]
    return list(dict.fromkeys(_word(word, _CHANNELS, "channel") for word in words))


def _word(raw: str, words: Mapping[str, T], code: str) -> T:
    found = plain(raw.replace("_", " ")), plain(raw)
    for name in found:
        if name in words:
            return words[name]
    raise BadField(code)


def _begins(day: date) -> datetime:
    return day_start(day, BOGOTA).astimezone(UTC)
