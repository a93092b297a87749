"""The outcome of an unanswered call, through a table that is data (data/outcomes.toml, and a site's own before it)."""

from __future__ import annotations

import difflib
import re
import tomllib
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any

from cadencia.domain.codes import ANSWERED, Outcome
from cadencia.errors import ConfigError, Words

#: What the shipped table is called in messages, and which one a rule is of.
SHIPPED = "outcomes.toml"

#: What a rule may say of a call that nobody answered.
_OUTCOMES = tuple(outcome for outcome in Outcome if outcome not in ANSWERED)


@dataclass(frozen=True, slots=True)
class Ending:
    """All that is known of how an unanswered call ended.

    Attributes:
        sip: the SIP status (TechCause), None if the switch told none.
        q850: the Q.850 cause (Cause), None if there was no Hangup.
        rang: the telephone is known to have rung.
        media: something was heard before the end (183 with early media): an announcement, or the network's own ringing.
        timeout: our own ring time-out ended it; the switch then makes up both codes.
        operator: of the trunk it went out by, "" if nobody said.
    """

    sip: int | None
    q850: int | None
    rang: bool = False
    media: bool = False
    timeout: bool = False
    operator: str = ""


@dataclass(frozen=True, slots=True)
class Rule:
    """One line of the table. Whatever is None or empty fits all; what is given must all hold.

    Attributes:
        sip: SIP statuses; an empty set fits a call of which no status was told.
        q850: Q.850 causes.
        timeout: for calls that our own ring time-out ended, and for no others.
        operator: names in small letters.
        table: the file's name, for people.
        line: where the rule begins in it, 0 if unknown.
    """

    outcome: Outcome
    sip: frozenset[int] | None = None
    q850: frozenset[int] | None = None
    rang: bool | None = None
    media: bool | None = None
    timeout: bool = False
    operator: frozenset[str] = frozenset()
    table: str = ""
    line: int = 0

    def fits(self, end: Ending) -> bool:
        """Whether this rule tells the outcome of such an end."""
        return (
            self.timeout is end.timeout
            and (self.sip is None or (end.sip in self.sip if self.sip else end.sip is None))
            and (self.q850 is None or end.q850 in self.q850)
            and (self.rang is None or self.rang is end.rang)
            and (self.media is None or self.media is end.media)
            and (not self.operator or end.operator.casefold() in self.operator)
        )

    def __str__(self) -> str:
        """Where it stands, as people look it up: `outcomes.toml:18`."""
        return f"{self.table}:{self.line}" if self.line else self.table


@dataclass(frozen=True)
class OutcomeTable:
    """Rules in their order: the first that fits decides."""

    rules: tuple[Rule, ...]

    def find(self, end: Ending) -> Rule | None:
        """The rule that decides; None if none fits, and then nobody knows what became of the call."""
        return next((rule for rule in self.rules if rule.fits(end)), None)


def read_table(text: str, name: str = SHIPPED) -> OutcomeTable:
    """Parse a table.

    Args:
        text: the TOML.
        name: the file's, for messages.

    Raises:
        ConfigError: not TOML, an unknown key or outcome, or a value that is none; it names the line and the key.
    """
    try:
        held = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(
            Words(f"{name} cannot be read as TOML: {error}.", f"{name} no se puede leer como TOML: {error}."),
            Words("Mend that place.", "Corrija ese lugar."),
        ) from error
    rules = held.pop("rule", [])
    if held or not isinstance(rules, list) or not all(isinstance(rule, dict) for rule in rules):
        stray = f"{next(iter(held), 'rule')!r}"
        raise ConfigError(
            Words(f"{name}: {stray} does not belong there.", f"{name}: {stray} no va ahí."),
            Words("The file holds [[rule]] sections and nothing else.", "El archivo contiene solo secciones [[rule]]."),
        )
    heads = [number for number, line in enumerate(text.splitlines(), 1) if _HEAD.match(line)]
    lines = heads if len(heads) == len(rules) else [0] * len(rules)
    return OutcomeTable(
        tuple(
            _Reader(name, text, line, n).rule(rule) for n, (line, rule) in enumerate(zip(lines, rules, strict=True), 1)
        )
    )


@cache
def default_table() -> OutcomeTable:
    """The table that ships with the program."""
    return read_table(resources.files("cadencia.telephony").joinpath("data/outcomes.toml").read_text("utf-8"))


def load_table(path: Path | None) -> OutcomeTable:
    """A site's own rules, and after them those that ship with the program.

    Args:
        path: the site's file; None where it has none.

    Raises:
        ConfigError: the file is missing or cannot be read, or a line in it is wrong.
    """
    if path is None:
        return default_table()
    try:
        text = path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(
            Words(f"The table of outcomes {path} cannot be read.", f"No se puede leer la tabla de resultados {path}."),
            Words(
                "Correct the setting `outcomes`, or leave it out to use the shipped table.",
                "Corrija el ajuste `outcomes`, o quítelo para usar la tabla incluida.",
            ),
        ) from error
    name = path.name if path.name != SHIPPED else f"{path.parent.name}/{path.name}".lstrip("/")
    return OutcomeTable(read_table(text, name).rules + default_table().rules)


_HEAD = re.compile(r"\s*\[\[\s*rule\s*\]\]")


class _Reader:
    """Reads one rule; knows where it stands."""

    def __init__(self, name: str, text: str, line: int, number: int) -> None:
        self._name, self._lines, self._line, self._number = name, text.splitlines(), line, number

    def rule(self, held: dict[str, Any]) -> Rule:
        for key in held:
            if key not in _KEYS:
                near = difflib.get_close_matches(key, _KEYS, 1)
                meant, quiso = (f"Did you mean {near[0]!r}? ", f"¿Quiso decir {near[0]!r}? ") if near else ("", "")
                known = ", ".join(_KEYS)
                raise self._wrong(
                    key, "is no key of a rule", "no es una clave de regla",
                    f"{meant}A rule knows {known}.", f"{quiso}Una regla conoce {known}.",
                )  # fmt: skip
        if "outcome" not in held:
            raise self._wrong("outcome", "is missing", "falta", _choices("Choose"), _choices("Elija"))
        rule = Rule(
            self._outcome(held["outcome"]),
            self._numbers(held, "sip", 300, 699, empty=True),
            self._numbers(held, "q850", 0, 127),
            self._flag(held, "rang"),
            self._flag(held, "media"),
            self._flag(held, "timeout") or False,
            self._names(held),
            self._name,
            self._line,
        )
        if not rule.timeout and rule.sip is None and rule.q850 is None:
            raise self._wrong(
                "sip", "or q850 is missing: the rule would fit every call", "o q850 falta: la regla serviría para todo",
                "Say which SIP statuses or Q.850 causes it is for, or timeout = true.",
                "Diga para qué códigos SIP o causas Q.850 es, o timeout = true.",
            )  # fmt: skip
        if rule.timeout and (rule.sip is not None or rule.q850 is not None):
            raise self._wrong(
                "timeout", "does not go with sip or q850", "no va con sip ni q850",
                "At our own time-out the switch makes up both codes: leave them out.",
                "En nuestro propio tiempo límite el conmutador inventa ambos códigos: quítelos.",
            )  # fmt: skip
        return rule

    def _outcome(self, value: object) -> Outcome:
        if value not in _OUTCOMES:
            raise self._wrong(
                "outcome", f"= {value!r} is no outcome of a call that nobody answered",
                f"= {value!r} no es un resultado de una llamada sin contestar", _choices("Choose"), _choices("Elija"),
            )  # fmt: skip
        return Outcome(str(value))

    def _numbers(
        self, held: dict[str, Any], key: str, least: int, most: int, *, empty: bool = False
    ) -> frozenset[int] | None:
        if key not in held:
            return None
        value = held[key]
        if not (_listed(value, lambda n: type(n) is int and least <= n <= most) and (value or empty)):
            raise self._wrong(
                key, f"= {value!r} is no list of whole numbers from {least} to {most}",
                f"= {value!r} no es una lista de enteros de {least} a {most}",
                f"Write it as {key} = [{least + 180 if key == 'sip' else 20}].",
                f"Escríbalo como {key} = [{least + 180 if key == 'sip' else 20}].",
            )  # fmt: skip
        return frozenset(value)

    def _flag(self, held: dict[str, Any], key: str) -> bool | None:
        value = held.get(key)
        if value is not None and not isinstance(value, bool):
            raise self._wrong(
                key, f"= {value!r} is neither true nor false", f"= {value!r} no es ni true ni false",
                "Write true or false, without quotes.", "Escriba true o false, sin comillas.",
            )  # fmt: skip
        return value

    def _names(self, held: dict[str, Any]) -> frozenset[str]:
        value = held.get("operator", [])
        if not _listed(value, lambda name: isinstance(name, str) and bool(name.strip())) or (
            "operator" in held and not value
        ):
            raise self._wrong(
                "operator", f"= {value!r} is no list of names", f"= {value!r} no es una lista de nombres",
                'Write it as operator = ["claro"]; leave it out for all operators.',
                'Escríbalo como operator = ["claro"]; quítelo para todos los operadores.',
            )  # fmt: skip
        return frozenset(name.strip().casefold() for name in value)

    def _wrong(self, key: str, en: str, es: str, hint_en: str, hint_es: str) -> ConfigError:
        line = self._line_of(key)
        where = (f"{self._name}, line {line}", f"{self._name}, línea {line}")
        if not line:
            where = (f"{self._name}, rule {self._number}", f"{self._name}, regla {self._number}")
        return ConfigError(Words(f"{where[0]}: {key} {en}.", f"{where[1]}: {key} {es}."), Words(hint_en, hint_es))

    def _line_of(self, key: str) -> int:
        """Where the key stands in the rule, or the rule itself where it does not stand."""
        if not self._line:
            return 0
        for number, line in enumerate(self._lines[self._line :], self._line + 1):
            if _HEAD.match(line):
                break
            if re.match(rf"\s*[\"']?{re.escape(key)}[\"']?\s*=", line):
                return number
        return self._line


_KEYS = ("sip", "q850", "rang", "media", "timeout", "operator", "outcome")


def _listed(value: object, fits: Callable[[Any], bool]) -> bool:
    return isinstance(value, list) and all(fits(item) for item in value)


def _choices(verb: str) -> str:
    return f"{verb}: {', '.join(_OUTCOMES)}."
