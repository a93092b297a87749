"""The cells of one line of a creditor's file; the line tells all of its faults at once."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from cadencia.portfolio.documents import BadDocument
from cadencia.portfolio.fields import BadField
from cadencia.portfolio.money import BadMoney
from cadencia.portfolio.reader import Row

T = TypeVar("T")


class Cells:
    """A line's values by column.

    Attributes:
        faults: (column, code of the reason) of each value that could not be read.
    """

    def __init__(self, row: Row) -> None:
        self._row = row
        self.faults: list[tuple[str, str]] = []

    def text(self, column: str) -> str:
        """The value as it stands there; empty where there is none."""
        return self._row.fields.get(column, "")

    def read(self, column: str, parse: Callable[[str], T]) -> T | None:
        """The value as `parse` understands it; None, and a fault, if it is missing or not understood."""
        raw = self.text(column)
        if not raw:
            self.faults.append((column, "missing"))
            return None
        try:
            return parse(raw)
        except (BadField, BadDocument, BadMoney) as bad:
            self.faults.append((column, bad.code))
            return None
