"""Importing files: what becomes of good, bad and half-good lines; the made-up portfolio."""

from __future__ import annotations

import csv
import stat
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from cadencia.domain.dialing import Campaign, CampaignSettings, CampaignState
from cadencia.domain.law import LookBack
from cadencia.domain.people import LineType, Money, Role
from cadencia.errors import PortfolioError, Refused
from cadencia.portfolio.importer import Portfolio, import_file, read_portfolio
from cadencia.store.memory import MemoryStore
from cadencia.testing.portfolio import COLUMNS, make_portfolio

NOW = datetime(2026, 11, 24, 14, 0, tzinfo=UTC)

GOOD = {
    "id_credito": "OB-1",
    "tipo_doc": "CC",
    "num_doc": "1.020.304.050",
    "nombre": "José  Peña",
    "rol": "titular",
    "acreedor": "Banco Ejemplo",
    "producto": "Tarjeta",
    "saldo_total": "1.234.567,89",
    "valor_mora": "500000",
    "dias_mora": "45",
    "fecha_vencimiento": "09/10/2026",
    "tel1": "3001234567",
    "tel2": "2281260",
    "ciudad": "Bogotá",
    "canal_autorizado": "voz,sms",
    "fecha_autorizacion": "2025-02-01",
    "moneda": "COP",
}


def put(tmp_path: Path, *rows: dict[str, str]) -> Path:
    path = tmp_path / "cartera.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        out = csv.DictWriter(file, COLUMNS, delimiter=";", restval="")
        out.writeheader()
        out.writerows(GOOD | row for row in rows)
    return path


def read(tmp_path: Path, *rows: dict[str, str], **more: Any) -> Portfolio:
    return read_portfolio(put(tmp_path, *rows), **more)


def codes(portfolio: Portfolio) -> list[tuple[int, str, str, bool]]:
    return [(r.line, r.column, r.code, r.whole_row) for r in portfolio.rejected]


async def led() -> MemoryStore:
    store = MemoryStore()
    await store.create_campaign(Campaign("c1", "C", CampaignState.RUNNING, CampaignSettings(), NOW), "ana")
    return store


def test_a_good_line(tmp_path: Path) -> None:
    portfolio = read(tmp_path, {})
    (person,) = portfolio.people
    assert (person.doc_type, person.doc_number, person.name, person.city) == ("CC", "1020304050", "José Peña", "Bogotá")
    assert (person.language, person.timezone) == ("es", "America/Bogota")
    assert person.voice_consent_at == datetime(2025, 2, 1, 5, 0, tzinfo=UTC)
    assert [(p.e164, p.line_type, p.position) for p in person.phones] == [
        ("+573001234567", LineType.MOBILE, 0),
        ("+576012281260", LineType.FIXED, 1),
    ]
    (owed,) = person.obligations
    assert (owed.number, owed.creditor, owed.product, owed.role) == ("OB-1", "Banco Ejemplo", "Tarjeta", Role.HOLDER)
    assert (owed.balance, owed.overdue) == (Money(123456789, "COP"), Money(50000000, "COP"))
    assert (owed.days_past_due, str(owed.due_date)) == (45, "2026-10-09")
    assert portfolio.rejected == ()


def test_lines_of_one_person_become_one(tmp_path: Path) -> None:
    more = {"id_credito": "OB-2", "num_doc": "1020304050", "tel1": "3109876543", "rol": "codeudor"}
    portfolio = read(tmp_path, {}, more, {"dias_mora": "46"})
    (person,) = portfolio.people
    assert [(o.number, o.role, o.days_past_due) for o in person.obligations] == [
        ("OB-1", Role.HOLDER, 46),
        ("OB-2", Role.CODEBTOR, 45),
    ]
    assert [p.e164 for p in person.phones] == ["+573001234567", "+576012281260", "+573109876543"]
    assert [p.position for p in person.phones] == [0, 1, 2]
    assert (portfolio.counts.rows, portfolio.counts.accepted, portfolio.counts.duplicates) == (3, 3, 1)


def test_references_are_set_aside(tmp_path: Path) -> None:
    portfolio = read(tmp_path, {}, {"rol": "referencia", "num_doc": "52000111"})
    assert [p.doc_number for p in portfolio.people] == ["1020304050"]
    assert codes(portfolio) == [(3, "rol", "reference", True)]
    assert portfolio.counts.references == 1


def test_a_bad_phone_does_not_cost_the_line(tmp_path: Path) -> None:
    portfolio = read(tmp_path, {"tel1": "6031234567", "tel2": "2281260", "ciudad": ""})
    assert portfolio.people[0].phones == ()
    assert codes(portfolio) == [(2, "tel1", "phone-invalid", False), (2, "tel2", "phone-needs-city", False)]
    assert (portfolio.counts.phones_rejected, portfolio.counts.without_phone) == (2, 1)


@pytest.mark.parametrize(
    ("column", "value", "code"),
    [
        ("num_doc", "1,02345E+09", "doc-scientific"),
        ("num_doc", "", "missing"),
        ("tipo_doc", "XX", "doc-type"),
        ("nombre", "", "missing"),
        ("rol", "vecino", "role"),
        ("rol", "", "missing"),
        ("saldo_total", "1E6", "money-scientific"),
        ("valor_mora", "-1", "money-negative"),
        ("dias_mora", "muchos", "days"),
        ("fecha_vencimiento", "45678", "date"),
        ("moneda", "DOL", "currency-unknown"),
        ("id_credito", "", "missing"),
    ],
)
def test_a_bad_value_costs_its_line_only(tmp_path: Path, column: str, value: str, code: str) -> None:
    portfolio = read(tmp_path, {column: value}, {"num_doc": "52000111"})
    assert [p.doc_number for p in portfolio.people] == ["52000111"]
    first = portfolio.rejected[0]
    assert (first.line, first.code, first.whole_row) == (2, code, True)
    assert portfolio.counts.rejected == 1


def test_a_line_tells_all_its_faults(tmp_path: Path) -> None:
    portfolio = read(tmp_path, {"num_doc": "1", "dias_mora": "x"}, {})
    assert {(c, code) for _, c, code, _ in codes(portfolio)} == {("num_doc", "doc-number"), ("dias_mora", "days")}


@pytest.mark.parametrize(
    ("row", "told"),
    [
        ({"canal_autorizado": "email"}, []),
        ({"canal_autorizado": ""}, []),
        ({"fecha_autorizacion": ""}, ["consent-date"]),
        ({"fecha_autorizacion": "ayer"}, ["consent-date"]),
    ],
)
def test_without_authorisation_the_person_is_kept_and_not_callable(
    tmp_path: Path, row: dict[str, str], told: list[str]
) -> None:
    portfolio = read(tmp_path, row)
    assert portfolio.people[0].voice_consent_at is None
    assert [r.code for r in portfolio.rejected] == told
    assert portfolio.counts.without_consent == 1


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_lines_that_disagree_on_authorisation_mean_no(tmp_path: Path, order: tuple[int, int]) -> None:
    rows = ({"id_credito": "A"}, {"id_credito": "B", "canal_autorizado": "sms"})
    portfolio = read(tmp_path, *(rows[n] for n in order))
    assert portfolio.people[0].voice_consent_at is None
    assert codes(portfolio) == [(3, "canal_autorizado", "consent-conflict", False)]


def test_the_newest_authorisation_counts(tmp_path: Path) -> None:
    portfolio = read(tmp_path, {}, {"id_credito": "B", "fecha_autorizacion": "01/03/2026"})
    assert portfolio.people[0].voice_consent_at == datetime(2026, 3, 1, 5, 0, tzinfo=UTC)


def test_creditor_and_zone_may_come_from_outside(tmp_path: Path) -> None:
    portfolio = read(tmp_path, {"acreedor": ""}, creditor="Banco de Afuera", timezone="Europe/Madrid")
    (person,) = portfolio.people
    assert (person.obligations[0].creditor, person.timezone) == ("Banco de Afuera", "Europe/Madrid")


def test_a_file_without_one_good_line(tmp_path: Path) -> None:
    with pytest.raises(PortfolioError, match="Not one line") as refused:
        read(tmp_path, {"num_doc": "x"})
    assert "line 2" in refused.value.message
    with pytest.raises(PortfolioError, match="no lines"):
        read(tmp_path)


async def test_an_import_writes_persons_and_tells_the_rest(tmp_path: Path) -> None:
    store = await led()
    path = put(tmp_path, {}, {"rol": "referencia"}, {"num_doc": "x"}, {"num_doc": "52000111", "tel2": "=1+1"})
    seen: list[tuple[int, int]] = []
    report = await import_file(store, "c1", path, NOW, progress=lambda done, of: seen.append((done, of)))
    assert (report.imported.persons, report.imported.contacts, seen) == (2, 2, [(2, 2)])
    assert report.rejects == tmp_path / "cartera.csv.rechazos.csv"
    assert stat.S_IMODE(report.rejects.stat().st_mode) == 0o600
    with report.rejects.open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.reader(file, delimiter=";"))
    assert rows[0] == ["linea", "columna", "motivo", "se_cargo_la_fila", "valor_original", "codigo"]
    assert [(r[0], r[1], r[3], r[4]) for r in rows[1:]] == [
        ("3", "rol", "no", "referencia"),
        ("4", "num_doc", "no", "x"),
        ("5", "tel2", "sí", "'=1+1"),
    ]
    again = await import_file(store, "c1", path, NOW)
    assert (again.imported.persons, again.imported.contacts) == (0, 0)


async def test_reasons_in_english_and_an_older_file_of_faults_that_are_gone(tmp_path: Path) -> None:
    store = await led()
    report = await import_file(store, "c1", put(tmp_path, {"tel2": "x"}), NOW, language="en")
    assert report.rejects is not None
    assert "The phone holds signs" in report.rejects.read_text("utf-8-sig")
    clean = await import_file(store, "c1", put(tmp_path, {}), NOW)
    assert clean.rejects is None
    assert not report.rejects.exists()


async def test_nothing_is_written_when_the_file_or_the_campaign_is_wrong(tmp_path: Path) -> None:
    store = await led()
    path = put(tmp_path, {})
    path.write_text("hola")
    with pytest.raises(PortfolioError):
        await import_file(store, "c1", path, NOW)
    assert not (tmp_path / "cartera.csv.rechazos.csv").exists()
    with pytest.raises(Refused):
        await import_file(store, "nobody's", put(tmp_path, {}), NOW)
    assert (await store.counts("c1")).contacts == 0


async def test_a_dry_run_writes_nothing(tmp_path: Path) -> None:
    store = await led()
    report = await import_file(store, "c1", put(tmp_path, {"tel2": "x"}), NOW, write=False)
    assert (len(report.portfolio.people), report.imported.persons, report.rejects) == (1, 0, None)
    assert (await store.counts("c1")).contacts == 0


async def test_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    store = await led()
    path = put(tmp_path, {"tel2": "x"})
    (tmp_path / "cartera.csv.rechazos.csv").mkdir()
    with pytest.raises(PortfolioError, match="Nothing was imported"):
        await import_file(store, "c1", path, NOW)
    assert (await store.counts("c1")).contacts == 0


# -- the made-up portfolio --------------------------------------------------------------------------------------------
def test_the_same_seed_writes_the_same_file(tmp_path: Path) -> None:
    for name, seed in (("a", 5), ("b", 5), ("c", 6)):
        make_portfolio(tmp_path / name, 50, seed)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes() != (tmp_path / "c").read_bytes()


@pytest.mark.parametrize(("encoding", "delimiter"), [("latin-1", ";"), ("utf-8-sig", ","), ("cp1252", "|")])
def test_a_made_up_portfolio_brings_as_many_persons_as_asked(tmp_path: Path, encoding: str, delimiter: str) -> None:
    lines = make_portfolio(tmp_path / "p.csv", 600, 3, encoding=encoding, delimiter=delimiter)
    portfolio = read_portfolio(tmp_path / "p.csv")
    counts = portfolio.counts
    assert (len(portfolio.people), counts.rows) == (600, lines)
    assert 0 < counts.references < 30
    assert 0 < counts.without_consent < 40
    assert 0 < counts.rejected < 20
    assert {r.code for r in portfolio.rejected} >= {"reference", "doc-scientific"}
    assert any(o.role is Role.CODEBTOR for p in portfolio.people for o in p.obligations)
    assert any("ñ" in p.name or "ó" in p.name for p in portfolio.people)


def test_a_clean_portfolio_has_no_quirks(tmp_path: Path) -> None:
    make_portfolio(tmp_path / "p.csv", 400, 3, clean=True)
    portfolio = read_portfolio(tmp_path / "p.csv")
    assert portfolio.rejected == ()
    assert all(p.phones and p.voice_consent_at for p in portfolio.people)
    assert {len(p.obligations) for p in portfolio.people} == {1, 2, 3}
    assert all(1 <= o.days_past_due <= 720 for p in portfolio.people for o in p.obligations)


# -- where the person may live, and since when -------------------------------------------------------------------------
def with_columns(tmp_path: Path, *rows: dict[str, str]) -> Portfolio:
    path = tmp_path / "cartera.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        out = csv.DictWriter(file, [*GOOD, "zona_horaria", "zonas_horarias", "fecha_contrato"], delimiter=";")
        out.writeheader()
        out.writerows(GOOD | row for row in rows)
    return read_portfolio(path)


@pytest.mark.parametrize(
    ("zone", "zones", "first", "others"),
    [
        ("", "America/Bogota|America/Caracas", "America/Bogota", ("America/Caracas",)),
        ("America/Caracas", "America/Bogota, America/Caracas", "America/Caracas", ("America/Bogota",)),
        ("America/Lima", "", "America/Lima", ()),
        ("", "America/Caracas America/Caracas", "America/Caracas", ()),
        ("", "", "America/Bogota", ()),
    ],
)
def test_several_zones(tmp_path: Path, zone: str, zones: str, first: str, others: tuple[str, ...]) -> None:
    portfolio = with_columns(tmp_path, {"zona_horaria": zone, "zonas_horarias": zones})
    assert [(p.timezone, p.other_zones) for p in portfolio.people] == [(first, others)]
    assert portfolio.rejected == ()


def test_an_unknown_zone_rejects_the_line_because_fewer_zones_would_open_hours(tmp_path: Path) -> None:
    portfolio = with_columns(tmp_path, {"zonas_horarias": "America/Bogota|America/Caraca"}, {"num_doc": "1020304077"})
    assert codes(portfolio) == [(2, "zonas_horarias", "zone", True)]
    assert [p.doc_number for p in portfolio.people] == ["1020304077"]


def test_lines_of_one_person_lay_their_zones_together_and_the_newest_contract_counts(tmp_path: Path) -> None:
    portfolio = with_columns(
        tmp_path,
        {"zona_horaria": "America/Bogota", "fecha_contrato": "01/03/2025"},
        {"id_credito": "OB-2", "zona_horaria": "America/Caracas", "fecha_contrato": "2025-06-01"},
        {"id_credito": "OB-3", "zonas_horarias": "America/Lima|America/Bogota"},
    )
    (person,) = portfolio.people
    assert (person.timezone, person.other_zones) == ("America/Bogota", ("America/Caracas", "America/Lima"))
    # Signed on 1 June in Caracas: the whole of that day.
    assert person.contract_signed_at == datetime(2025, 6, 2, 3, 59, 59, 999_999, tzinfo=UTC)


def test_a_contract_date_that_cannot_be_read_costs_the_date(tmp_path: Path) -> None:
    portfolio = with_columns(tmp_path, {"fecha_contrato": "marzo"})
    assert codes(portfolio) == [(2, "fecha_contrato", "contract-date", False)]
    assert portfolio.people[0].contract_signed_at is None


async def test_zones_and_contract_reach_the_gate(tmp_path: Path) -> None:
    store = await led()
    path = tmp_path / "cartera.csv"
    with_columns(tmp_path, {"zonas_horarias": "America/Bogota|America/Caracas", "fecha_contrato": "2025-06-01"})
    await import_file(store, "c1", path, NOW)
    (contact,) = await store.contacts("c1", NOW, LookBack())
    assert contact.person.zones == ("America/Bogota", "America/Caracas")
    assert contact.person.contract_signed_at == datetime(2025, 6, 2, 4, 59, 59, 999_999, tzinfo=UTC)
    assert await import_file(store, "c1", path, NOW) is not None
    (again,) = await store.contacts("c1", NOW, LookBack())
    assert again.standing == contact.standing
