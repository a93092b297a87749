"""Lists of numbers that may not be called: a public register (RNE), or a list of the house. One number a line.

Other columns are ignored, a first line without a number is a header. A bad line never stops the others.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from cadencia.errors import PortfolioError, Words
from cadencia.portfolio.importer import Rejected, write_rejected
from cadencia.portfolio.phones import BadPhone, parse_phone
from cadencia.portfolio.reader import decode_file
from cadencia.store.port import Store

_BATCH = 10_000
_SPLIT = re.compile(r"[;,|\t]")


@dataclass(frozen=True)
class NumberList:
    """A list that was read: numbers in E.164, each once, and what was not taken."""

    numbers: tuple[str, ...]
    rejected: tuple[Rejected, ...]
    lines: int


@dataclass(frozen=True)
class RegisterReport:
    """What loading a register did. `new` numbers were not on it before."""

    listed: NumberList
    new: int
    rejects: Path | None


def read_numbers(path: Path) -> NumberList:
    """Read a list of numbers.

    Raises:
        PortfolioError: the file cannot be read, or holds no number at all.
    """
    text, _ = decode_file(path)
    numbers: dict[str, None] = {}
    rejected: list[Rejected] = []
    lines = 0
    for line, raw in enumerate(text.splitlines(), 1):
        told = _SPLIT.split(raw)[0].strip().strip('"').strip()
        if not told or (lines == 0 and not any(c.isdigit() for c in told)):
            continue
        lines += 1
        try:
            numbers[parse_phone(told).e164] = None
        except BadPhone as error:
            rejected.append(Rejected(line, "telefono", error.code, told, whole_row=True))
    if not numbers:
        raise PortfolioError(
            Words(f"{path.name} holds no telephone number.", f"{path.name} no tiene ningún teléfono."),
            Words("One number a line, ten digits.", "Un número por línea, de diez dígitos."),
        )
    return NumberList(tuple(numbers), tuple(rejected), lines)


async def load_numbers(
    store: Store,
    register: str,
    path: Path,
    by: str,
    now: datetime,
    *,
    language: str = "es",
    progress: Callable[[int, int], None] | None = None,
) -> RegisterReport:
    """Put a file's numbers on a register. Who has one of them is not called from the next 250 ms on.

    Raises:
        PortfolioError: the file cannot be read, or what was not taken cannot be told.
        StoreError: the store failed; the same load again takes up the rest.
    """
    listed = read_numbers(path)
    rejects = write_rejected(path, listed.rejected, language)
    new = 0
    for start in range(0, len(listed.numbers), _BATCH):
        batch = listed.numbers[start : start + _BATCH]
        new += await store.load_register(register, batch, path.name, by, now)
        if progress is not None:
            progress(start + len(batch), len(listed.numbers))
    return RegisterReport(listed, new, rejects)
