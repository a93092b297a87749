"""Money, documents, dates and the other fields."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cadencia.domain.people import Money, Role
from cadencia.portfolio.documents import BadDocument, check_digit, parse_doc_number, parse_doc_type
from cadencia.portfolio.fields import BadField, parse_date, parse_days, parse_role, parse_zone, voice_authorised
from cadencia.portfolio.money import BadMoney, parse_money, show_money
from cadencia.portfolio.reasons import REASONS


@pytest.mark.parametrize(
    ("raw", "minor"),
    [
        ("1.234.567,89", 123456789),
        ("1234567", 123456700),
        ("1234567,5", 123456750),
        ("1234567.89", 123456789),
        ("1.234", 123400),
        ("$ 1.234.567", 123456700),
        ("0", 0),
        ("0,00", 0),
        ("00012", 1200),
    ],
)
def test_money(raw: str, minor: int) -> None:
    assert parse_money(raw) == Money(minor, "COP")


@pytest.mark.parametrize(
    ("raw", "code"),
    [
        ("1,02345E+09", "money-scientific"),
        ("1E9", "money-scientific"),
        ("-5", "money-negative"),
        ("(5)", "money-negative"),
        ("1,234", "money-form"),
        ("1,234,567.89", "money-form"),
        ("1.23.456", "money-form"),
        ("1.2345", "money-form"),
        ("12 345", "money-form"),
        ("mil", "money-form"),
        ("", "money-form"),
        ("١٢", "money-form"),
    ],
)
def test_money_that_is_refused(raw: str, code: str) -> None:
    with pytest.raises(BadMoney) as refused:
        parse_money(raw)
    assert refused.value.code == code in REASONS


def test_money_of_other_currencies() -> None:
    assert parse_money("1.234", "CLP") == Money(1234, "CLP")
    assert parse_money("1.234,00", "CLP") == Money(1234, "CLP")
    with pytest.raises(BadMoney, match="money-decimals"):
        parse_money("1.234,50", "CLP")
    with pytest.raises(BadMoney, match="currency-unknown"):
        parse_money("1", "XYZ")


@given(st.integers(min_value=0, max_value=10**14), st.sampled_from(["COP", "CLP", "USD"]))
def test_what_is_shown_can_be_read_again(minor: int, currency: str) -> None:
    money = Money(minor, currency)
    assert parse_money(show_money(money), currency) == money


def test_show() -> None:
    assert show_money(Money(123456700, "COP")) == "$ 1.234.567"
    assert show_money(Money(123456789, "COP")) == "$ 1.234.567,89"


@pytest.mark.parametrize(
    ("kind", "raw", "number"),
    [
        ("CC", "1.020.304.050", "1020304050"),
        ("CC", "0010203040", "10203040"),
        ("CC", " 10 203 040 ", "10203040"),
        ("NIT", "800.197.268-4", "800197268"),
        ("NIT", "8001972684", "800197268"),
        ("NIT", "800197268", "800197268"),
        ("NIT", "899999068-1", "899999068"),
        ("PA", "ab123456", "AB123456"),
        ("CE", "345678", "345678"),
    ],
)
def test_documents(kind: str, raw: str, number: str) -> None:
    assert parse_doc_number(kind, raw) == number


@pytest.mark.parametrize(
    ("kind", "raw", "code"),
    [
        ("CC", "1,02345E+09", "doc-scientific"),
        ("CC", "12", "doc-number"),
        ("CC", "12345678901", "doc-number"),
        ("CC", "1020x", "doc-number"),
        ("NIT", "800197268-5", "nit-check-digit"),
        ("NIT", "8001972685", "nit-check-digit"),
        ("NIT", "80019726٨-4", "doc-number"),
        ("NIT", "-4", "doc-number"),
        ("PPT", "", "doc-number"),
    ],
)
def test_documents_that_are_refused(kind: str, raw: str, code: str) -> None:
    with pytest.raises(BadDocument) as refused:
        parse_doc_number(kind, raw)
    assert refused.value.code == code in REASONS


def test_document_types() -> None:
    assert [parse_doc_type(t) for t in ("cc", "C.C.", "Cédula de Ciudadanía", "Pasaporte", "NIT")] == [
        "CC",
        "CC",
        "CC",
        "PA",
        "NIT",
    ]
    with pytest.raises(BadDocument, match="doc-type"):
        parse_doc_type("DNI")


@given(st.integers(min_value=10**8, max_value=10**9 - 1), st.integers(0, 8), st.integers(1, 9))
def test_the_check_digit_finds_every_single_wrong_digit(number: int, place: int, off: int) -> None:
    """True of every place whose weight times the difference is no multiple of 11; all weights are prime to 11."""
    digits = list(str(number))
    digits[place] = str((int(digits[place]) + off) % 10)
    wrong = "".join(digits)
    # Rests 10 and 1 share the digit 1: two of eleven rests cannot be told apart.
    if {check_digit(str(number)), check_digit(wrong)} != {1}:
        assert check_digit(wrong) != check_digit(str(number))


@pytest.mark.parametrize(
    ("raw", "day"), [("01/02/2025", date(2025, 2, 1)), ("1/2/2025", date(2025, 2, 1)), ("2025-02-01", date(2025, 2, 1))]
)
def test_dates(raw: str, day: date) -> None:
    assert parse_date(raw) == day


@pytest.mark.parametrize("raw", ["2025/02/01", "02-01-2025", "31/02/2025", "13/13/2025", "45678", "1/2/25", "hoy", ""])
def test_dates_that_are_refused(raw: str) -> None:
    with pytest.raises(BadField, match="date"):
        parse_date(raw)


def test_roles() -> None:
    assert parse_role("Deudor_Solidario") is Role.JOINT_DEBTOR
    assert parse_role("REFERENCIA PERSONAL") is Role.REFERENCE
    assert parse_role("Fiador") is Role.GUARANTOR
    with pytest.raises(BadField, match="role"):
        parse_role("vecino")


@pytest.mark.parametrize("raw", ["voz", "VOZ, sms", "sms/llamada", "Teléfono", "todos", "email + voz", "sms y voz"])
def test_voice_is_authorised(raw: str) -> None:
    assert voice_authorised(raw)


@pytest.mark.parametrize("raw", ["", "sms", "email,whatsapp", "no", "no voz", "vozarrón"])
def test_voice_is_not_authorised(raw: str) -> None:
    assert not voice_authorised(raw)


def test_days_and_zones() -> None:
    assert (parse_days("30"), parse_days("-5")) == (30, -5)
    for bad in ("3,5", "x", "1E3"):
        with pytest.raises(BadField, match="days"):
            parse_days(bad)
    assert parse_zone("America/Bogota") == "America/Bogota"
    with pytest.raises(BadField, match="zone"):
        parse_zone("../etc/passwd")
