"""Colombian telephone numbers as they stand in portfolios, repaired to E.164 or refused with a reason.

Since September 2021 (CRC Res. 5826 of 2019) every national number has ten digits: mobiles 3XX + 7, fixed lines 60 +
area digit + 7. Portfolios still hold the older forms, which generic parsers turn into numbers that do not exist; they
are rewritten here first. What is left is judged by `phonenumbers`.
"""

from __future__ import annotations

import re

import phonenumbers

from cadencia.domain.people import LineType, PhoneIn
from cadencia.portfolio.cities import area_digit

#: Digits that may follow 60 (there is no 603 and no 609).
AREAS = frozenset("1245678")

_ALLOWED = re.compile(r"\+?[\d\s().\-/]+", re.ASCII)
_SCIENTIFIC = re.compile(r"\d[.,]?\d*[eE][+-]?\d+", re.ASCII)
_TOLL_FREE = ("01800", "1800")

# Old long distance: 0, the carrier (one digit, or three that begin with 4), the area digit, seven digits.
_CARRIER = re.compile(r"0(?:[579]|4\d\d)([1-8]\d{7})", re.ASCII)
# A fixed line dialled from a mobile until 2021: 03, the area digit, seven digits.
_MOBILE_TO_FIXED = re.compile(r"03([1-8]\d{7})", re.ASCII)


def _pattern(kind: str) -> re.Pattern[str]:
    """The numbering plan's pattern, as `phonenumbers` has it; asking it number by number takes ten times as long."""
    plan = phonenumbers.PhoneMetadata.metadata_for_region("CO")
    if plan is None:
        raise RuntimeError("phonenumbers knows no Colombia")
    return re.compile(getattr(plan, kind).national_number_pattern)


_FIXED, _MOBILE = _pattern("fixed_line"), _pattern("mobile")


class BadPhone(ValueError):
    """Not a number that may be dialled. `code` is a key of `cadencia.portfolio.reasons.REASONS`."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


def parse_phone(raw: str, *, city: str = "", position: int = 0) -> PhoneIn:
    """Repair and validate a number.

    Args:
        raw: as it stands in the file.
        city: gives an old seven-digit fixed number its area.
        position: which of the person's numbers it is.

    Raises:
        BadPhone: with the reason's code.
    """
    e164, line_type = _judge(_national(raw, city))
    return PhoneIn(e164, line_type, position)


def _national(raw: str, city: str) -> str:
    """The ten national digits."""
    text = raw.strip()
    if _SCIENTIFIC.fullmatch(text):
        raise BadPhone("phone-scientific")
    if not _ALLOWED.fullmatch(text):
        raise BadPhone("phone-signs")
    digits = re.sub(r"\D", "", text, flags=re.ASCII)
    if text.startswith("+") or (digits.startswith("00") and len(digits) > 10):
        digits = digits.removeprefix("00")
        if not digits.startswith("57"):
            raise BadPhone("phone-foreign")
        digits = digits[2:]
    elif digits.startswith("57") and len(digits) in (10, 12):
        digits = digits[2:]  # no national number of ten digits begins with 5
    if digits.startswith(_TOLL_FREE):
        raise BadPhone("phone-toll-free")
    return _modern(digits, city)


def _modern(digits: str, city: str) -> str:
    """Rewrite the forms from before 2021."""
    old = _MOBILE_TO_FIXED.fullmatch(digits) or _CARRIER.fullmatch(digits)
    if old:
        return "60" + old[1]
    if len(digits) == 11 and digits.startswith(("03", "060")):
        return digits[1:]  # the trunk zero before a number that needs none
    if len(digits) == 8 and digits[0] in AREAS:
        return "60" + digits  # area digit and seven digits
    if len(digits) == 7:
        area = area_digit(city)
        if area is None:
            raise BadPhone("phone-needs-city")
        return "60" + area + digits
    return digits


def _judge(national: str) -> tuple[str, LineType]:
    if len(national) != 10:
        raise BadPhone("phone-length")
    fixed = national.startswith("60") and national[2] in AREAS
    if not fixed and not national.startswith("3"):
        raise BadPhone("phone-invalid")
    if fixed and _FIXED.fullmatch(national):
        return "+57" + national, LineType.FIXED
    if not fixed and _MOBILE.fullmatch(national):
        return "+57" + national, LineType.MOBILE
    raise BadPhone("phone-invalid")
