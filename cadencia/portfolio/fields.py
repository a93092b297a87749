"""The smaller fields of a portfolio: dates, roles, days, channels, time zones."""

from __future__ import annotations

import re
from datetime import date
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from cadencia.domain.people import Role
from cadencia.portfolio.cities import plain

_DMY = re.compile(r"(\d{1,2})/(\d{1,2})/(\d{4})", re.ASCII)
_YMD = re.compile(r"(\d{4})-(\d{2})-(\d{2})", re.ASCII)
_DAYS = re.compile(r"-?\d{1,5}", re.ASCII)

_ROLES = {
    "titular": Role.HOLDER,
    "deudor": Role.HOLDER,
    "deudor principal": Role.HOLDER,
    "codeudor": Role.CODEBTOR,
    "deudor solidario": Role.JOINT_DEBTOR,
    "avalista": Role.GUARANTOR,
    "fiador": Role.GUARANTOR,
    "representante": Role.REPRESENTATIVE,
    "representante legal": Role.REPRESENTATIVE,
    "referencia": Role.REFERENCE,
    "referencia personal": Role.REFERENCE,
    "referencia familiar": Role.REFERENCE,
}

#: Words for the voice channel in `canal_autorizado`.
VOICE = frozenset(
    {"voz", "llamada", "llamadas", "llamada telefonica", "telefono", "telefonico", "todos", "voice", "all"}
)


class BadField(ValueError):
    """Not what the column must hold. `code` is a key of `cadencia.portfolio.reasons.REASONS`."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@lru_cache(maxsize=4096)
def parse_date(raw: str) -> date:
    """dd/mm/yyyy or yyyy-mm-dd; anything else (a spreadsheet's serial number too) is refused, not guessed."""
    text = raw.strip()
    try:
        if found := _DMY.fullmatch(text):
            return date(int(found[3]), int(found[2]), int(found[1]))
        if found := _YMD.fullmatch(text):
            return date(int(found[1]), int(found[2]), int(found[3]))
    except ValueError:
        pass
    raise BadField("date")


def parse_role(raw: str) -> Role:
    """The person's part in the obligation."""
    found = _ROLES.get(plain(raw.replace("_", " ")))
    if found is None:
        raise BadField("role")
    return found


def parse_days(raw: str) -> int:
    """Days past due; negative before the due date."""
    if not _DAYS.fullmatch(raw.strip()):
        raise BadField("days")
    return int(raw)


@lru_cache(maxsize=256)
def parse_zone(raw: str) -> str:
    """An IANA time zone."""
    try:
        ZoneInfo(raw)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise BadField("zone") from None
    return raw


def parse_zones(raw: str) -> tuple[str, ...]:
    """IANA time zones, each once, parted by |, commas, semicolons or blanks."""
    return tuple(dict.fromkeys(parse_zone(name) for name in re.split(r"[|,;\s]+", raw) if name))


@lru_cache(maxsize=4096)
def voice_authorised(channels: str) -> bool:
    """True if a list of channels, parted by commas, slashes and the like, holds the voice channel."""
    return any(plain(word) in VOICE for word in re.split(r"[,/+|;]|\by\b", channels))
