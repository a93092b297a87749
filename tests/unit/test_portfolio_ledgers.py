"""Files of consents and payments: what a line becomes, what is not taken and why, and that twice is once."""

from __future__ import annotations

import csv
import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from typer.testing import CliRunner

from cadencia.cli.app import app
from cadencia.domain.dialing import Campaign, CampaignSettings, CampaignState
from cadencia.domain.law import Channel, LookBack, Purpose
from cadencia.domain.ledger import ConsentIn, PaymentIn
from cadencia.domain.people import LineType, Money, ObligationIn, PersonIn, PhoneIn, Role
from cadencia.errors import PortfolioError
from cadencia.portfolio.ledgers import CONSENTS, PAYMENTS, LedgerFile, load_ledger, read_consents, read_payments
from cadencia.portfolio.reader import Layout
from cadencia.store.memory import MemoryStore

#: A Tuesday, 09:00 in Bogotá.
NOW = datetime(2026, 11, 24, 14, 0, tzinfo=UTC)

GRANT = {"tipo_doc": "CC", "num_doc": "1.020.304.050", "canal": "sms", "estado": "otorgada", "fecha": "01/02/2026"}
PAID = {"acreedor": "Banco", "id_credito": "OB-1", "fecha": "2026-11-23", "valor": "1.500,50", "referencia": "R-1"}


def put(tmp_path: Path, layout: Layout, *rows: dict[str, str]) -> Path:
    path = tmp_path / "archivo.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        out = csv.DictWriter(file, layout.columns, delimiter=";", restval="")
        out.writeheader()
        out.writerows(rows)
    return path


def told(found: LedgerFile) -> list[tuple[int, str, str]]:
    return [(r.line, r.column, r.code) for r in found.rejected]


async def led() -> MemoryStore:
    store = MemoryStore()
    await store.create_campaign(Campaign("c1", "C", CampaignState.RUNNING, CampaignSettings(), NOW), "ana")
    debt = ObligationIn("OB-1", "Banco", "Tarjeta", Money(5000_00, "COP"), Money(1500_50, "COP"), 30, None, Role.HOLDER)
    person = PersonIn(
        *("CC", "1020304050", "Ana Prueba", "Bogotá", "es", "America/Bogota", None),
        (PhoneIn("+573001112233", LineType.MOBILE, 0),),
        (debt,),
    )
    await store.import_people("c1", [person], NOW)
    return store


def test_what_a_line_of_consents_becomes(tmp_path: Path) -> None:
    more = {"finalidad": "cobranza", "hasta": "31/12/2026", "medio": "formulario", "version_texto": "v3"}
    path = put(
        tmp_path,
        CONSENTS,
        GRANT | more | {"evidencia": "doc-77"},
        GRANT | {"canal": "Voz, correo electrónico", "estado": "Revocada"},
        GRANT | {"canal": "todos", "finalidad": "todas"},
    )
    found = read_consents(path)
    begins = datetime(2026, 2, 1, 5, 0, tzinfo=UTC)
    ends = datetime(2027, 1, 1, 5, 0, tzinfo=UTC)  # the whole of 31 December in Bogotá
    assert [e.change for e in found.entries] == [
        ConsentIn(0, True, begins, Channel.SMS, Purpose.COLLECTION, ends, "formulario", "v3", "doc-77"),
        ConsentIn(0, False, begins, Channel.VOICE, how="import"),
        ConsentIn(0, False, begins, Channel.EMAIL, how="import"),
        ConsentIn(0, True, begins, how="import"),
    ]
    assert {e.whom for e in found.entries} == {("CC", "1020304050")}
    assert (found.lines, found.rejected) == (3, ())


def test_what_a_line_of_payments_becomes(tmp_path: Path) -> None:
    path = put(tmp_path, PAYMENTS, PAID, PAID | {"acreedor": "", "moneda": "usd", "referencia": "R-2"})
    found = read_payments(path, NOW, creditor="Otro")
    at = datetime(2026, 11, 23, 5, 0, tzinfo=UTC)
    assert [e.change for e in found.entries] == [
        PaymentIn("Banco", "OB-1", at, Money(1500_50, "COP"), "R-1"),
        PaymentIn("Otro", "OB-1", at, Money(1500_50, "USD"), "R-2"),
    ]


@pytest.mark.parametrize(
    ("fault", "column", "code"),
    [
        ({"canal": "fax"}, "canal", "channel"),
        ({"canal": ""}, "canal", "missing"),
        ({"estado": "quizás"}, "estado", "consent-state"),
        ({"finalidad": "venta"}, "finalidad", "purpose"),
        ({"fecha": "45000"}, "fecha", "date"),
        ({"hasta": "nunca"}, "hasta", "date"),
        ({"tipo_doc": "XX"}, "tipo_doc", "doc-type"),
        ({"num_doc": "1,02E+09"}, "num_doc", "doc-scientific"),
    ],
)
def test_a_bad_consent_is_left_out_whole_and_told(
    tmp_path: Path, fault: dict[str, str], column: str, code: str
) -> None:
    found = read_consents(put(tmp_path, CONSENTS, GRANT | fault, GRANT))
    assert told(found) == [(2, column, code)]
    assert [e.line for e in found.entries] == [3]


@pytest.mark.parametrize(
    ("fault", "column", "code"),
    [
        ({"valor": "1,5E6"}, "valor", "money-scientific"),
        ({"valor": "0"}, "valor", "money-form"),
        ({"moneda": "XXX"}, "valor", "currency-unknown"),
        ({"referencia": ""}, "referencia", "missing"),
        ({"fecha": "2026-11-25"}, "fecha", "date-later"),
    ],
)
def test_a_bad_payment_is_left_out_and_told(tmp_path: Path, fault: dict[str, str], column: str, code: str) -> None:
    found = read_payments(put(tmp_path, PAYMENTS, PAID | fault, PAID), NOW)
    assert told(found) == [(2, column, code)]
    assert [e.line for e in found.entries] == [3]


def test_a_file_that_cannot_be_used_is_refused(tmp_path: Path) -> None:
    with pytest.raises(PortfolioError, match="missing: canal, estado"):
        read_consents(put(tmp_path, Layout(("tipo_doc", "num_doc", "fecha")), {"tipo_doc": "CC"}))
    with pytest.raises(PortfolioError, match=r"line 2, canal: Unknown channel"):
        read_consents(put(tmp_path, CONSENTS, GRANT | {"canal": "fax"}))
    with pytest.raises(PortfolioError, match="no lines"):
        read_payments(put(tmp_path, PAYMENTS), NOW)


async def test_lines_reach_the_ledger_once_and_strangers_are_told(tmp_path: Path) -> None:
    store = await led()
    person = await store.person_id("CC", "1020304050")
    consents = put(tmp_path, CONSENTS, GRANT, GRANT | {"num_doc": "1020304051"}, GRANT | {"canal": "voz"})
    for new in (2, 0):
        report = await load_ledger(store, consents, read_consents(consents), "cli", NOW)
        assert report.new == new
        assert [(r.line, r.column, r.code) for r in report.rejected] == [(3, "num_doc", "person-unknown")]
        assert report.rejects is not None
        assert "person-unknown" in report.rejects.read_text("utf-8-sig")
    (contact,) = await store.contacts_of(person, NOW, LookBack())
    assert {c.channel for c in contact.facts.consents} == {Channel.SMS, Channel.VOICE}
    payments = put(tmp_path, PAYMENTS, PAID | {"id_credito": "OB-9"}, PAID)
    for new in (1, 0):
        report = await load_ledger(store, payments, read_payments(payments, NOW), "cli", NOW)
        assert report.new == new
        assert [(r.line, r.column, r.code) for r in report.rejected] == [(2, "id_credito", "obligation-unknown")]
    (contact,) = await store.contacts_of(person, NOW, LookBack())
    assert contact.facts.paid_at == datetime(2026, 11, 23, 5, 0, tzinfo=UTC)
    assert not contact.person.owes


async def test_a_file_of_many_lines_goes_in_by_batches(tmp_path: Path) -> None:
    store = await led()
    rows = [PAID | {"referencia": f"R-{n}", "valor": "1", "id_credito": f"OB-{1 + n % 7 // 6}"} for n in range(700)]
    seen: list[tuple[int, int]] = []
    path = put(tmp_path, PAYMENTS, *rows)
    report = await load_ledger(store, path, read_payments(path, NOW), "cli", NOW, progress=lambda *at: seen.append(at))
    assert (report.new, len(report.rejected)) == (600, 100)
    assert [r.line for r in report.rejected] == sorted(r.line for r in report.rejected)
    assert seen == [(200, 700), (400, 700), (600, 700), (700, 700)]


@pytest.mark.parametrize(("kind", "layout", "row"), [("consents", CONSENTS, GRANT), ("payments", PAYMENTS, PAID)])
def test_a_dry_run_only_looks(tmp_path: Path, kind: str, layout: Layout, row: dict[str, str]) -> None:
    path = put(tmp_path, layout, row, row | {"fecha": "ayer"})
    done = CliRunner().invoke(app, ["import", str(path), "--kind", kind, "--dry-run", "--json"])
    assert json.loads(done.output) == {"lines": 2, "read": 1, "new": 0, "rejected": 1, "rejects": None}
    done = CliRunner().invoke(app, ["import", str(path), "--kind", kind, "--dry-run"], env={"LANG": "en_US.UTF-8"})
    assert "2 lines, 1 " in done.output
    assert "line 3, fecha" in done.output
    assert list(tmp_path.iterdir()) == [path]
