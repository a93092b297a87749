"""From a creditor's file to persons, with every line and value that was not taken told by line, column and reason.

A bad line never stops the others. The whole file is read and judged before the first person is written.
"""

from __future__ import annotations

import asyncio
import csv
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from pathlib import Path
from typing import TypeVar
from zoneinfo import ZoneInfo

from cadencia.config.system import reason
from cadencia.domain.people import Money, ObligationIn, PersonIn, PhoneIn, Role
from cadencia.errors import PortfolioError, Words
from cadencia.portfolio.cells import Cells
from cadencia.portfolio.documents import parse_doc_number, parse_doc_type
from cadencia.portfolio.fields import (
    BadField,
    parse_date,
    parse_days,
    parse_role,
    parse_zone,
    parse_zones,
    voice_authorised,
)
from cadencia.portfolio.money import parse_money
from cadencia.portfolio.phones import BadPhone, parse_phone
from cadencia.portfolio.reader import EXPORT_AGAIN, PHONES, Row, Table, read_table
from cadencia.portfolio.reasons import REASONS
from cadencia.store.port import Imported, Store

T = TypeVar("T")

_BATCH = 1000
_BREATH = 250  # rows between two breaths of the event loop


@dataclass(frozen=True)
class Rejected:
    """What was not taken.

    Attributes:
        column: empty if it is about the whole line.
        code: a key of `reasons.REASONS`.
        value: as it stands in the file.
        whole_row: False if only this value was left out and the row was kept.
    """

    line: int
    column: str
    code: str
    value: str
    whole_row: bool


@dataclass
class FileCounts:
    """What a file holds. `rows` = `accepted` + `rejected` + `references`."""

    rows: int = 0
    accepted: int = 0
    rejected: int = 0
    references: int = 0
    duplicates: int = 0
    phones: int = 0
    phones_rejected: int = 0
    without_phone: int = 0
    without_consent: int = 0


@dataclass(frozen=True)
class Portfolio:
    """A file that was read: persons to be kept, and what was not taken."""

    people: tuple[PersonIn, ...]
    rejected: tuple[Rejected, ...]
    counts: FileCounts
    encoding: str
    delimiter: str


@dataclass(frozen=True)
class ImportReport:
    """What an import did. `rejects` is the file that tells what was not taken, None if everything was."""

    imported: Imported
    portfolio: Portfolio
    rejects: Path | None


@dataclass
class _Draft:
    """A person, gathered from several lines."""

    person: PersonIn
    phones: dict[str, PhoneIn] = field(default_factory=dict)
    obligations: dict[tuple[str, str], ObligationIn] = field(default_factory=dict)
    denied: bool = False  # a line of this person does not authorise calls
    torn: bool = False  # and another one does

    def finish(self) -> PersonIn:
        phones = tuple(replace(p, position=n) for n, p in enumerate(self.phones.values()))
        consent = None if self.denied else self.person.voice_consent_at
        owed = tuple(self.obligations.values())
        return replace(self.person, phones=phones, obligations=owed, voice_consent_at=consent)


def read_portfolio(
    path: Path | str,
    *,
    mapping: Mapping[str, str] | None = None,
    creditor: str = "",
    timezone: str = "America/Bogota",
) -> Portfolio:
    """Read and judge a whole file.

    Args:
        path: the file.
        mapping: the file's column -> our column (see `reader.read_table`).
        creditor: whose portfolio it is, where the file has no column `acreedor`.
        timezone: where a person lives if the file has no column `zona_horaria`.

    Raises:
        PortfolioError: the file cannot be read at all, or not one line of it can be used.
    """
    reading = _Reading(Path(path), mapping, creditor, timezone)
    for _ in reading.steps():
        pass
    return reading.result()


async def import_file(
    store: Store,
    campaign_id: str,
    path: Path | str,
    now: datetime,
    *,
    mapping: Mapping[str, str] | None = None,
    creditor: str = "",
    timezone: str = "America/Bogota",
    language: str = "es",
    progress: Callable[[int, int], None] | None = None,
    write: bool = True,
) -> ImportReport:
    """Read a file and put its persons on a campaign's list; what was not taken goes to `<file>.rechazos.csv`.

    Args:
        language: of the reasons in that file, "es" or "en".
        progress: called with (persons written, persons in all).
        write: False only judges: no person and no file is written.

    Raises:
        PortfolioError: the file cannot be used; nothing was written.
    """
    reading = _Reading(Path(path), mapping, creditor, timezone)
    for _ in reading.steps():
        await asyncio.sleep(0)
    portfolio = reading.result()
    if not write:
        return ImportReport(Imported(0, 0, 0, 0), portfolio, None)
    rejects = write_rejected(Path(path), portfolio.rejected, language)
    people, total = portfolio.people, Imported(0, 0, 0, 0)
    for start in range(0, len(people), _BATCH):
        batch = await store.import_people(campaign_id, people[start : start + _BATCH], now)
        total = Imported(
            total.persons + batch.persons,
            total.obligations + batch.obligations,
            total.phones + batch.phones,
            total.contacts + batch.contacts,
        )
        if progress is not None:
            progress(min(start + _BATCH, len(people)), len(people))
    return ImportReport(total, portfolio, rejects)


def write_rejected(path: Path, rejected: tuple[Rejected, ...], language: str = "es") -> Path | None:
    """Write `<file>.rechazos.csv` for a spreadsheet; only its owner may read it. None if there is nothing to tell."""
    target = path.with_name(path.name + ".rechazos.csv")
    if not rejected:
        target.unlink(missing_ok=True)  # an older one would tell of faults that are gone
        return None
    spanish = language == "es"
    header = ("linea", "columna", "motivo", "se_cargo_la_fila", "valor_original", "codigo")
    english = ("line", "column", "reason", "row_was_kept", "original_value", "code")
    try:
        target.touch(mode=0o600)
        with target.open("w", encoding="utf-8-sig", newline="") as file:
            out = csv.writer(file, delimiter=";")
            out.writerow(header if spanish else english)
            for r in rejected:
                kept = ("no" if r.whole_row else "sí") if spanish else ("no" if r.whole_row else "yes")
                out.writerow((r.line, r.column, REASONS[r.code][not spanish], kept, _harmless(r.value), r.code))
    except OSError as error:
        why = reason(error)
        raise PortfolioError(
            Words(f"{target} cannot be written: {why}.", f"No se puede escribir {target}: {why.es}."),
            Words(
                "Nothing was imported. Make the folder writable.",
                "No se importó nada. Permita escribir en la carpeta, con espacio libre.",
            ),
        ) from None
    return target


def _harmless(value: str) -> str:
    """A spreadsheet takes what begins with one of these for a formula, except a telephone number's plus sign."""
    if value[:1] in ("=", "@", "\t") or (value[:1] in "+-" and not value[1:2].isdigit() and value[1:]):
        return "'" + value
    return value


class _Reading:
    """A file on its way to a Portfolio, in steps."""

    def __init__(self, path: Path, mapping: Mapping[str, str] | None, creditor: str, timezone: str) -> None:
        self._path = path
        self._creditor = creditor
        self._timezone = timezone
        self._table: Table = read_table(path, mapping)
        self._drafts: dict[tuple[str, str], _Draft] = {}
        self._rejected: list[Rejected] = []
        self.counts = FileCounts()

    def steps(self) -> Iterator[None]:
        for row in self._table.rows():
            self.counts.rows += 1
            self._take(row)
            if self.counts.rows % _BREATH == 0:
                yield

    def result(self) -> Portfolio:
        counts = self.counts
        if not counts.rows:
            raise PortfolioError(
                Words(
                    f"{self._path.name} has a header and no lines.",
                    f"{self._path.name} tiene encabezado y ninguna línea.",
                ),
                EXPORT_AGAIN,
            )
        if not self._drafts and not counts.references:
            first = self._rejected[0]
            es, en = REASONS[first.code]
            raise PortfolioError(
                Words(
                    f"Not one line of {self._path.name} can be used "
                    f"(line {first.line}, {first.column or 'whole line'}: {en}).",
                    f"No sirve ninguna línea de {self._path.name} "
                    f"(línea {first.line}, {first.column or 'toda la línea'}: {es}).",
                ),
                Words("Mend the file.", "Corrija el archivo."),
            )
        people = tuple(d.finish() for d in self._drafts.values())
        counts.phones = sum(len(p.phones) for p in people)
        counts.without_phone = sum(not p.phones for p in people)
        counts.without_consent = sum(p.voice_consent_at is None for p in people)
        found = sorted(self._rejected, key=lambda r: r.line)
        return Portfolio(people, tuple(found), counts, self._table.encoding, self._table.delimiter)

    def _take(self, row: Row) -> None:
        if row.fault:
            self._reject(row, "", row.fault, row.raw)
            self.counts.rejected += 1
            return
        read = _RowReader(row, self._creditor, self._timezone)
        role = read.role()
        if role is Role.REFERENCE:
            self._reject(row, "rol", "reference", row.fields["rol"])
            self.counts.references += 1
            return
        person, obligation = read.person(), read.obligation(role)
        for column, code in read.faults:
            self._reject(row, column, code, row.fields.get(column, ""))
        if person is None or obligation is None:
            self.counts.rejected += 1
            return
        self.counts.accepted += 1
        self._gather(row, person, obligation)

    def _gather(self, row: Row, person: PersonIn, obligation: ObligationIn) -> None:
        draft = self._drafts.setdefault((person.doc_type, person.doc_number), _Draft(person))
        key = (obligation.creditor, obligation.number)
        self.counts.duplicates += key in draft.obligations
        draft.obligations[key] = obligation
        self._consent(row, draft, person.voice_consent_at, first=draft.person is person)
        self._widen(draft, person)
        for phone in self._phones(row):
            draft.phones.setdefault(phone.e164, phone)

    def _consent(self, row: Row, draft: _Draft, given: datetime | None, *, first: bool) -> None:
        """All lines of a person must authorise calls; then the newest authorisation counts."""
        before, denied = draft.person.voice_consent_at, given is None
        if not first and denied is not draft.denied and not draft.torn:
            draft.torn = True
            self._reject(row, "canal_autorizado", "consent-conflict", row.fields["canal_autorizado"], whole_row=False)
        draft.denied |= denied
        if before is not None and given is not None and given > before:
            draft.person = replace(draft.person, voice_consent_at=given)

    @staticmethod
    def _widen(draft: _Draft, person: PersonIn) -> None:
        """Where any line says that the person may live, and the newest contract."""
        known = draft.person
        zones = dict.fromkeys((*known.other_zones, person.timezone, *person.other_zones))
        zones.pop(known.timezone, None)
        signed = max(filter(None, (known.contract_signed_at, person.contract_signed_at)), default=None)
        draft.person = replace(known, other_zones=tuple(zones), contract_signed_at=signed)

    def _phones(self, row: Row) -> Iterator[PhoneIn]:
        for position, column in enumerate(PHONES):
            raw = row.fields.get(column, "")
            if not raw:
                continue
            try:
                yield parse_phone(raw, city=row.fields.get("ciudad", ""), position=position)
            except BadPhone as bad:
                self.counts.phones_rejected += 1
                self._reject(row, column, bad.code, raw, whole_row=False)

    def _reject(self, row: Row, column: str, code: str, value: str, *, whole_row: bool | None = None) -> None:
        whole = code not in _ROW_IS_KEPT if whole_row is None else whole_row
        self._rejected.append(Rejected(row.line, column, code, value, whole))


@lru_cache(maxsize=4096)
def _begins(day: date, zone: str) -> datetime:
    """When a day begins in a time zone, in UTC."""
    return datetime(day.year, day.month, day.day, tzinfo=ZoneInfo(zone)).astimezone(UTC)


#: Faults after which the row is kept without the value.
_ROW_IS_KEPT = frozenset({"consent-date", "contract-date"})


class _RowReader(Cells):
    """What one row of a portfolio says of a person and an obligation."""

    def __init__(self, row: Row, creditor: str, timezone: str) -> None:
        super().__init__(row)
        self._creditor = creditor
        self._timezone = timezone

    def role(self) -> Role | None:
        return self.read("rol", parse_role)

    def person(self) -> PersonIn | None:
        doc_type = self.read("tipo_doc", parse_doc_type)
        number = self.read("num_doc", lambda raw: parse_doc_number(doc_type, raw)) if doc_type else None
        name = self.read("nombre", lambda raw: " ".join(raw.split()))
        zones = self._zones()
        if doc_type is None or number is None or name is None or zones is None:
            return None
        zone, *others = zones
        language = "en" if self.text("idioma").lower().startswith("en") else "es"
        city = " ".join(self.text("ciudad").split())
        signed = self._signed(zone)
        return PersonIn(
            *(doc_type, number, name, city, language, zone, self._consent(zone), (), ()),
            other_zones=tuple(others),
            contract_signed_at=signed,
        )

    def obligation(self, role: Role | None) -> ObligationIn | None:
        currency = self.text("moneda").upper() or "COP"
        number = self.read("id_credito", str)
        balance = self._money("saldo_total", currency)
        overdue = self._money("valor_mora", currency)
        days = self.read("dias_mora", parse_days)
        due = self.read("fecha_vencimiento", parse_date) if self.text("fecha_vencimiento") else None
        if self.text("fecha_vencimiento") and due is None:
            return None
        if role is None or number is None or balance is None or overdue is None or days is None:
            return None
        creditor = self.text("acreedor") or self._creditor
        return ObligationIn(number, creditor, self.text("producto"), balance, overdue, days, due, role)

    def _zones(self) -> tuple[str, ...] | None:
        """Where the person may live, the likeliest first; None if a zone is unknown: fewer zones would open hours."""
        first = self.read("zona_horaria", parse_zone) if self.text("zona_horaria") else ""
        more = self.read("zonas_horarias", parse_zones) if self.text("zonas_horarias") else ()
        if first is None or more is None:
            return None
        return tuple(dict.fromkeys(name for name in (first, *more) if name)) or (self._timezone,)

    def _signed(self, zone: str) -> datetime | None:
        """The last instant of the local day on which the contract was signed: a wish of that day is not newer."""
        raw = self.text("fecha_contrato")
        if not raw:
            return None
        try:
            day = parse_date(raw)
        except BadField:
            self.faults.append(("fecha_contrato", "contract-date"))
            return None
        return _begins(day + timedelta(days=1), zone) - timedelta(microseconds=1)

    def _consent(self, zone: str) -> datetime | None:
        """The start, in UTC, of the local day on which calls were authorised; None if they never were."""
        if not voice_authorised(self.text("canal_autorizado")):
            return None
        try:
            day: date = parse_date(self.text("fecha_autorizacion"))
        except BadField:
            self.faults.append(("fecha_autorizacion", "consent-date"))
            return None
        return _begins(day, zone)

    def _money(self, column: str, currency: str) -> Money | None:
        return self.read(column, lambda raw: parse_money(raw, currency))
