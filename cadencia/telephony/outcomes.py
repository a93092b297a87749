"""The outcome of an unanswered call, through a table that is data (data/outcomes.toml)."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

from cadencia.domain.codes import Outcome
from cadencia.errors import ConfigError


@dataclass(frozen=True)
class Rule:
    """One line of the table: which SIP statuses or Q.850 causes, whether it rang (None: either), which outcome."""

    sip: frozenset[int]
    q850: frozenset[int]
    rang: bool | None
    outcome: Outcome


@dataclass(frozen=True)
class OutcomeTable:
    rules: tuple[Rule, ...]

    def classify(self, cause: int | None, tech_cause: int | None, rang: bool) -> Outcome:
        """The outcome of a call that ended unanswered; UNKNOWN if no rule fits.

        A SIP status decides before a Q.850 cause: it alone tells 401, 403, 407 and 603 apart.
        """
        for rule in self.rules:
            fits = (tech_cause in rule.sip) or (cause in rule.q850)
            if fits and (rule.rang is None or rule.rang is rang):
                return rule.outcome
        return Outcome.UNKNOWN


def read_table(text: str) -> OutcomeTable:
    """Parse a table.

    Raises:
        ConfigError: not TOML, an unknown key, an unknown outcome, or numbers that are none.
    """
    try:
        lines = tomllib.loads(text).get("rule", [])
        return OutcomeTable(tuple(_rule(line) for line in lines))
    except (tomllib.TOMLDecodeError, ValueError, TypeError) as error:
        raise ConfigError(f"the outcome table cannot be read: {error}", "Mend the line or restore the file.") from error


def _rule(line: dict[str, Any]) -> Rule:
    unknown = set(line) - {"sip", "q850", "rang", "outcome"}
    if unknown:
        raise ValueError(f"unknown key {sorted(unknown)[0]!r}")
    numbers = [*line.get("sip", []), *line.get("q850", [])]
    if not numbers or not all(isinstance(n, int) for n in numbers):
        raise ValueError("a rule needs sip or q850, a list of numbers")
    return Rule(
        frozenset(line.get("sip", [])), frozenset(line.get("q850", [])), line.get("rang"), Outcome(line["outcome"])
    )


@cache
def default_table() -> OutcomeTable:
    """The table that ships with the program."""
    return read_table(resources.files("cadencia.telephony").joinpath("data/outcomes.toml").read_text("utf-8"))
