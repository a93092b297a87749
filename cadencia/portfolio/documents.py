"""Identity documents: type and number in one canonical form, so that one person is one person."""

from __future__ import annotations

import re

from cadencia.portfolio.cities import plain

#: Canonical type -> what its number looks like once dots, blanks and leading zeros are gone.
TYPES: dict[str, re.Pattern[str]] = {
    "CC": re.compile(r"\d{4,10}", re.ASCII),
    "CE": re.compile(r"\d{4,10}", re.ASCII),
    "NIT": re.compile(r"\d{6,10}", re.ASCII),
    "TI": re.compile(r"\d{10,11}", re.ASCII),
    "PA": re.compile(r"[A-Z0-9]{5,15}", re.ASCII),
    "PPT": re.compile(r"\d{5,15}", re.ASCII),
    "PEP": re.compile(r"\d{5,15}", re.ASCII),
}

_ALIASES = {
    "cedula": "CC",
    "cedula de ciudadania": "CC",
    "cedula de extranjeria": "CE",
    "tarjeta de identidad": "TI",
    "pasaporte": "PA",
    "pas": "PA",
}

# Weights of the check digit of a NIT, from the last digit on (DIAN).
_WEIGHTS = (3, 7, 13, 17, 19, 23, 29, 37, 41, 43, 47, 53, 59, 67, 71)
_SCIENTIFIC = re.compile(r"\d[.,]?\d*[eE][+-]?\d+", re.ASCII)


class BadDocument(ValueError):
    """Not a document. `code` is a key of `cadencia.portfolio.reasons.REASONS`."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


def parse_doc_type(raw: str) -> str:
    """The canonical type."""
    bare = plain(raw).replace(".", "")
    found = _ALIASES.get(bare, bare.upper().replace(" ", ""))
    if found not in TYPES:
        raise BadDocument("doc-type")
    return found


def parse_doc_number(doc_type: str, raw: str) -> str:
    """The canonical number: no dots, no blanks, no leading zeros; a NIT without its check digit, which is verified.

    Raises:
        BadDocument: scientific notation (digits are lost already), a wrong form, or a wrong check digit.
    """
    text = raw.strip().upper()
    if doc_type != "PA" and _SCIENTIFIC.fullmatch(text):
        raise BadDocument("doc-scientific")
    bare = re.sub(r"[.\s]", "", text)
    if doc_type == "NIT":
        bare = _nit(bare)
    if doc_type != "PA":
        bare = bare.lstrip("0")
    if not TYPES[doc_type].fullmatch(bare):
        raise BadDocument("doc-number")
    return bare


def check_digit(number: str) -> int:
    """The check digit of a NIT."""
    rest = sum(int(d) * w for d, w in zip(reversed(number), _WEIGHTS, strict=False)) % 11
    return rest if rest < 2 else 11 - rest


def _nit(text: str) -> str:
    number, hyphen, digit = text.partition("-")
    if not number.isdigit() or not number.isascii():
        raise BadDocument("doc-number")
    if hyphen:
        if digit != str(check_digit(number)):
            raise BadDocument("nit-check-digit")
        return number
    if len(number) == 10:
        # Nine digits and a check digit, or a citizen's ten digits: only the check digit can tell.
        if number[9] != str(check_digit(number[:9])):
            raise BadDocument("nit-check-digit")
        return number[:9]
    return number
