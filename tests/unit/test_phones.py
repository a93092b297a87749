"""Colombian telephone numbers: the repair rule and what is refused."""

from __future__ import annotations

import phonenumbers
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cadencia.domain.people import LineType
from cadencia.portfolio.cities import area_digit
from cadencia.portfolio.phones import BadPhone, parse_phone
from cadencia.portfolio.reasons import REASONS

GOOD = [
    ("3001234567", "", "+573001234567", LineType.MOBILE),
    ("601 228 1260", "", "+576012281260", LineType.FIXED),
    ("0312281260", "", "+576012281260", LineType.FIXED),  # from a mobile to Bogotá, before 2021
    ("2281260", "Bogotá", "+576012281260", LineType.FIXED),
    ("2281260", "BOGOTA D.C.", "+576012281260", LineType.FIXED),
    ("2281260", "Bogotá, D.C.", "+576012281260", LineType.FIXED),
    ("4441234", "Medellín", "+576044441234", LineType.FIXED),
    ("(1) 228-1260", "", "+576012281260", LineType.FIXED),
    ("12281260", "Cali", "+576012281260", LineType.FIXED),
    ("0912281260", "", "+576012281260", LineType.FIXED),  # 0, carrier 9, area 1
    ("045612281260", "", "+576012281260", LineType.FIXED),  # 0, carrier 456, area 1
    ("573001234567", "", "+573001234567", LineType.MOBILE),
    ("00573001234567", "", "+573001234567", LineType.MOBILE),
    ("+57 300 123 45 67", "", "+573001234567", LineType.MOBILE),
    ("+57 1 2281260", "", "+576012281260", LineType.FIXED),
    ("5712281260", "", "+576012281260", LineType.FIXED),
    ("03001234567", "", "+573001234567", LineType.MOBILE),
    ("06012281260", "", "+576012281260", LineType.FIXED),
    ("300-123.4567", "", "+573001234567", LineType.MOBILE),
]

BAD = [
    ("2281260", "", "phone-needs-city"),
    ("2281260", "Springfield", "phone-needs-city"),
    ("6031234567", "", "phone-invalid"),
    ("6091234567", "", "phone-invalid"),
    ("3991234567", "", "phone-invalid"),
    ("01 8000 123456", "", "phone-toll-free"),
    ("18000123456", "", "phone-toll-free"),
    ("3,00123E+09", "", "phone-scientific"),
    ("3001234567 ext 4", "", "phone-signs"),
    ("3001234567\r\nAction: x", "", "phone-signs"),
    ("no tiene", "", "phone-signs"),
    ("300١234567", "", "phone-signs"),
    ("", "", "phone-signs"),
    ("+1 202 555 0143", "", "phone-foreign"),
    ("0034600123456", "", "phone-foreign"),
    ("30012345", "", "phone-length"),
    ("300123456789", "", "phone-length"),
    ("7001234567", "", "phone-invalid"),
    ("0332281260", "", "phone-invalid"),  # there is no area 3
]


@pytest.mark.parametrize(("raw", "city", "e164", "line_type"), GOOD)
def test_repaired(raw: str, city: str, e164: str, line_type: LineType) -> None:
    phone = parse_phone(raw, city=city, position=2)
    assert (phone.e164, phone.line_type, phone.position) == (e164, line_type, 2)


@pytest.mark.parametrize(("raw", "city", "code"), BAD)
def test_refused(raw: str, city: str, code: str) -> None:
    with pytest.raises(BadPhone) as refused:
        parse_phone(raw, city=city)
    assert refused.value.code == code
    assert code in REASONS


@pytest.mark.parametrize("prefix", [*range(300, 306), *range(310, 324), 350, 351])
def test_mobile_prefixes_in_use(prefix: int) -> None:
    assert parse_phone(f"{prefix}4567890").line_type is LineType.MOBILE


@given(st.text(max_size=20), st.sampled_from(["", "Bogotá", "Cali"]))
def test_whatever_comes_in_only_digits_come_out(raw: str, city: str) -> None:
    try:
        phone = parse_phone(raw, city=city)
    except BadPhone:
        return
    assert phone.e164.isascii() and phone.e164[1:].isdigit()
    assert phone.e164.startswith("+57") and len(phone.e164) == 13


@given(st.from_regex(r"\A(30[0-5]|31\d|32[0-3]|60[124-8])[2-9]\d{6}\Z"))
def test_repairing_twice_changes_nothing(raw: str) -> None:
    try:
        once = parse_phone(raw)
    except BadPhone:
        return
    assert parse_phone(once.e164) == once


@pytest.mark.parametrize(
    ("city", "digit"), [("Cali - Valle", "2"), ("BARRANQUILLA", "5"), ("Cúcuta", "7"), ("X", None)]
)
def test_areas(city: str, digit: str | None) -> None:
    assert area_digit(city) == digit


@given(st.from_regex(r"\A(3[0-9]{2}|60[0-9])[0-9]{7}\Z"))
def test_the_plan_is_that_of_phonenumbers(national: str) -> None:
    number = phonenumbers.PhoneNumber(country_code=57, national_number=int(national))
    kinds = {
        phonenumbers.PhoneNumberType.MOBILE: LineType.MOBILE,
        phonenumbers.PhoneNumberType.FIXED_LINE: LineType.FIXED,
    }
    try:
        found: LineType | None = parse_phone(national).line_type
    except BadPhone:
        found = None
    assert found == kinds.get(phonenumbers.number_type(number))
