"""Amounts as Colombian files write them, in integer minor units; nothing is guessed and nothing is rounded."""

from __future__ import annotations

import re

from cadencia.domain.people import Money

#: Decimals of the currencies that a portfolio may name (ISO 4217).
DECIMALS: dict[str, int] = {"COP": 2, "MXN": 2, "PEN": 2, "CLP": 0, "ARS": 2, "EUR": 2, "USD": 2}

# 1.234.567,89 and 1234567,89 and 1234567: dots between groups of three, a comma before one or two decimals.
_LATIN = re.compile(r"(?P<whole>\d{1,3}(?:\.\d{3})+|\d+)(?:,(?P<part>\d{1,2}))?", re.ASCII)
# 1234567.89: a dot before one or two decimals cannot be a dot between groups.
_PLAIN = re.compile(r"(?P<whole>\d+)\.(?P<part>\d{1,2})", re.ASCII)
_SCIENTIFIC = re.compile(r"[+-]?\d[.,]?\d*[eE][+-]?\d+", re.ASCII)


class BadMoney(ValueError):
    """Not an amount. `code` is a key of `cadencia.portfolio.reasons.REASONS`."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


def parse_money(raw: str, currency: str = "COP") -> Money:
    """Read an amount.

    Raises:
        BadMoney: scientific notation (digits are lost already), a negative amount, an unknown currency, more decimals
            than the currency has, or anything that could be read in two ways, such as 1,234.
    """
    decimals = DECIMALS.get(currency)
    if decimals is None:
        raise BadMoney("currency-unknown")
    text = raw.strip().removeprefix("$").replace("\u00a0", " ").strip()
    if _SCIENTIFIC.fullmatch(text):
        raise BadMoney("money-scientific")
    if text.startswith("-") or (text.startswith("(") and text.endswith(")")):
        raise BadMoney("money-negative")
    found = _LATIN.fullmatch(text) or _PLAIN.fullmatch(text)
    if not found:
        raise BadMoney("money-form")
    part = (found["part"] or "").ljust(decimals, "0")
    if part[decimals:].strip("0"):
        raise BadMoney("money-decimals")
    return Money(int(found["whole"].replace(".", "") + part[:decimals]), currency)


def show_money(money: Money) -> str:
    """An amount as a Colombian screen shows it: $ 1.234.567, with decimals only where there are any."""
    decimals = DECIMALS.get(money.currency, 2)
    whole, part = divmod(money.minor, 10**decimals)
    text = f"$ {whole:,}".replace(",", ".")
    return f"{text},{part:0{decimals}d}" if part else text
