"""TOML files that people write, read key by key: all that is wrong in a file is told at once, each with its line."""

from __future__ import annotations

import difflib
import math
import re
import tomllib
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from enum import Enum, StrEnum
from pathlib import Path
from typing import Any, TypeVar

from cadencia.config.lines import line_of, lines_of
from cadencia.config.system import reason
from cadencia.errors import ConfigError, Words

T = TypeVar("T")
E = TypeVar("E", bound=Enum)

#: A key that must be given.
NEEDED: Any = object()

_Path = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong.

    Attributes:
        line: 0 if it is about the whole file.
        key: with its sections, as `limits[2].max`; places in lists count from 1.
        what: in one sentence, without place.
        mend: what to do, in one sentence.
    """

    file: str
    line: int
    key: str
    what: Words
    mend: Words

    @property
    def told(self) -> Words:
        """Where and what."""
        en, es = (f", line {self.line}", f", línea {self.line}") if self.line else ("", "")
        key = f"{self.key} " if self.key else ""
        return Words(f"{self.file}{en}: {key}{self.what}.", f"{self.file}{es}: {key}{self.what.es}.")


class FileFaults(ConfigError):
    """A file that people write is wrong.

    Attributes:
        faults: all of them, in the order of their lines.
    """

    code = "CAD-FILE"

    def __init__(self, faults: Iterable[Fault]) -> None:
        self.faults = tuple(sorted(faults, key=lambda fault: (fault.file, fault.line)))
        en = "\n".join(fault.told for fault in self.faults)
        es = "\n".join(fault.told.es for fault in self.faults)
        mends = list(dict.fromkeys((fault.mend, fault.mend.es) for fault in self.faults))
        super().__init__(
            Words(en, es), Words("\n".join(mend[0] for mend in mends), "\n".join(mend[1] for mend in mends))
        )


@contextmanager
def open_file(text: str, name: str) -> Iterator[Table]:
    """All that stands in a file, to be read key by key; at the end nothing may be left that was not asked for.

    Raises:
        FileFaults: it is not TOML, or something in it is wrong.
    """
    file = _File(text, name)
    root = file.root()
    yield root
    root.close()
    if file.faults:
        raise FileFaults(file.faults)


class _File:
    def __init__(self, text: str, name: str) -> None:
        self.name = name
        self.faults: list[Fault] = []
        text = text.removeprefix("\N{ZERO WIDTH NO-BREAK SPACE}")
        try:
            self._held = tomllib.loads(text)
        except (ValueError, RecursionError) as error:  # ValueError too: a number of 5000 digits
            raise FileFaults([_not_toml(name, error)]) from None
        self._lines = lines_of(text)

    def root(self) -> Table:
        return Table(self, self._held, ())

    def fault(self, path: _Path, what: Words, mend: Words | None = None) -> None:
        line = line_of(self._lines, path) or 1  # what is missing above all sections belongs at the top
        self.faults.append(Fault(self.name, line, _spelled(path), what, mend or _CORRECT))


class Table:
    """A section while it is read: each key is asked for once, and what nobody asked for is a fault.

    Where a value is wrong or missing the fault is noted and reading goes on with some value of the right type.
    """

    def __init__(self, file: _File, held: dict[str, Any], path: _Path) -> None:
        self._file = file
        self._held = held
        self._path = path
        self._asked: set[str] = set()

    def __contains__(self, key: str) -> bool:
        return key in self._held

    def keys(self) -> tuple[str, ...]:
        """What it holds."""
        return tuple(self._held)

    def wrong(self, key: str, en: str, es: str, mend: Words | None = None, *, at: int | None = None) -> None:
        """Note a fault of a key ("": of the section), or of the element at a place of its list."""
        path = (*self._path, key) if key else self._path
        self._file.fault(path if at is None else (*path, str(at)), Words(en, es), mend)

    def text(self, key: str, default: str = NEEDED, *, pattern: str = "", like: str = "") -> str:
        """A text that is not empty; `like` is an example of what fits the pattern."""

        def read(value: Any) -> str:
            if not isinstance(value, str):
                raise Must("must be a text in quotes", "debe ser un texto entre comillas")
            if not value.strip() and default is NEEDED:
                raise Must("must not be empty", "no puede estar vacío")
            if pattern and value != default and not re.fullmatch(pattern, value):
                raise Must(f"must be such as {like}, not {value!r}", f"debe ser como {like}, no {value!r}")
            return value

        return self._one(key, default, "", read)

    def number(self, key: str, low: float, high: float, default: float = NEEDED) -> float:
        """A number between two."""

        def read(value: Any) -> float:
            if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
                raise Must("must be a number", "debe ser un número")
            return float(_within(value, low, high))

        return self._one(key, default, low, read)

    def whole(self, key: str, low: int, high: int, default: int = NEEDED) -> int:
        """A whole number between two."""

        def read(value: Any) -> int:
            if isinstance(value, bool) or not isinstance(value, int):
                raise Must("must be a whole number", "debe ser un número entero")
            return int(_within(value, low, high))

        return self._one(key, default, low, read)

    def flag(self, key: str, default: bool = NEEDED) -> bool:
        """true or false."""

        def read(value: Any) -> bool:
            if not isinstance(value, bool):
                raise Must("must be true or false", "debe ser true o false")
            return value

        return self._one(key, default, False, read)

    def day(self, key: str, default: date | None = NEEDED) -> date | None:
        """A date."""
        return self._one(key, default, None, _day)

    def choice(self, key: str, known: Mapping[str, T], default: T = NEEDED) -> T:
        """One of the known words."""
        return self._one(key, default, next(iter(known.values())), lambda value: _known(value, known))

    def words(self, key: str, default: tuple[str, ...] = NEEDED) -> tuple[str, ...]:
        """A list of different texts."""
        return self.each(key, _text, default)

    def choices(self, key: str, known: Mapping[str, T], default: tuple[T, ...] = NEEDED) -> tuple[T, ...]:
        """A list of different words out of the known ones."""
        return self.each(key, lambda value: _known(value, known), default)

    def days(self, key: str) -> tuple[date, ...]:
        """A list of different dates."""
        return self.each(key, _day, ())

    def each(
        self, key: str, read: Callable[[Any], T], default: tuple[T, ...] = NEEDED, *, may_be_empty: bool = False
    ) -> tuple[T, ...]:
        """A list of different values; `read` makes one of an element, or raises Must. If needed it must hold any."""

        def listed(value: Any) -> tuple[T, ...]:
            if not isinstance(value, list):
                raise Must("must be a list in brackets", "debe ser una lista entre corchetes")
            if not value and default is NEEDED and not may_be_empty:
                raise Must("must not be empty", "no puede estar vacía")
            found: list[T] = []
            for place, element in enumerate(value):
                try:
                    made = read(element)
                    if made in found:
                        raise Must(f"is there twice: {element!r}", f"está dos veces: {element!r}")
                    found.append(made)
                except Must as must:
                    self.wrong(key, must.en, must.es, at=place)
            return tuple(found)

        return self._one(key, default, (), listed)

    def table(self, key: str, *, needed: bool = False) -> Table:
        """A section; an empty one if it is not there."""
        held = self._one(key, NEEDED if needed else {}, {}, _table)
        return Table(self._file, held, (*self._path, key))

    def tables(self, key: str, *, needed: bool = False) -> list[Table]:
        """The sections of a list."""
        held = self._one(key, NEEDED if needed else [], [], _tables)
        return [Table(self._file, each, (*self._path, key, str(place))) for place, each in enumerate(held)]

    def knows(self, *keys: str) -> None:
        """Keys that may be there, whether or not they are asked for."""
        self._asked.update(keys)

    def close(self) -> None:
        """Note every key that nobody asked for."""
        for key in self._held:
            if key not in self._asked:
                near = difflib.get_close_matches(key, self._asked, 1)
                en, es = (f"Did you mean {near[0]}? ", f"¿Quiso decir {near[0]}? ") if near else ("", "")
                known = ", ".join(sorted(self._asked))
                mend = Words(f"{en}Known here: {known}.", f"{es}Aquí se conocen: {known}.")
                self.wrong(key, "is not known", "no se conoce", mend)

    def _one(self, key: str, default: T, stand_in: T, read: Callable[[Any], T]) -> T:
        self._asked.add(key)
        if key not in self._held:
            if default is not NEEDED:
                return default
            self.wrong(key, "is missing", "falta", Words(f"Write {key} there.", f"Escriba {key} ahí."))
            return stand_in
        try:
            return read(self._held[key])
        except Must as must:
            self.wrong(key, must.en, must.es)
            return stand_in


def spelled(kind: type[E]) -> dict[str, E]:
    """How the members of an enumeration are written in a file."""
    return {member.value if issubclass(kind, StrEnum) else member.name.lower(): member for member in kind}


def read_text(path: Path) -> str:
    """A file's text, with its line ends as they are, so that the text encodes to the file's bytes again.

    Raises:
        ConfigError: it cannot be read.
    """
    try:
        return path.read_bytes().decode("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        why = Words("it is not UTF-8 text", "no es texto en UTF-8")
        why = why if isinstance(error, UnicodeDecodeError) else reason(error)
        raise ConfigError(
            Words(f"{path} cannot be read: {why}.", f"No se puede leer {path}: {why.es}."),
            Words("Check the path and the file.", "Revise la ruta y el archivo."),
        ) from None


class Must(Exception):
    """What a value has to be."""

    def __init__(self, en: str, es: str) -> None:
        super().__init__(en)
        self.en, self.es = en, es


_CORRECT = Words("Correct the value.", "Corrija el valor.")


def _not_toml(name: str, error: Exception) -> Fault:
    found = re.search(r"at line (\d+)", str(error))
    why = "too deep" if isinstance(error, RecursionError) else str(error)
    return Fault(
        name,
        int(found[1]) if found else 0,
        "",
        Words(f"not valid TOML: {why}", f"no es TOML válido: {why}"),
        Words("Write name = value, texts in quotes.", "Escriba nombre = valor, textos entre comillas."),
    )


def _spelled(path: _Path) -> str:
    told = ""
    for part in path:
        told += f"[{int(part) + 1}]" if part.isdecimal() else f".{part}" if told else part
    return told


def _within(value: float, low: float, high: float) -> float:
    if not low <= value <= high:
        span = (f"{low:.9g}", f"{high:.9g}")
        raise Must(
            f"must be from {span[0]} to {span[1]}, not {value!r}", f"debe ser de {span[0]} a {span[1]}, no {value!r}"
        )
    return value


def _text(value: Any) -> str:
    if not isinstance(value, str) or not value.strip():
        raise Must("must be a text in quotes", "debe ser un texto entre comillas")
    return value


def _known(value: Any, known: Mapping[str, T]) -> T:
    if not isinstance(value, str) or value not in known:
        listed = ", ".join(known)
        raise Must(f"must be one of: {listed}, not {value!r}", f"debe ser uno de: {listed}, no {value!r}")
    return known[value]


def _day(value: Any) -> date:
    if not isinstance(value, date) or isinstance(value, datetime):
        raise Must(
            "must be a date without quotes, such as 2026-07-13", "debe ser una fecha sin comillas, como 2026-07-13"
        )
    return value


def _table(value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise Must("is a section and holds keys", "es una sección y contiene claves")
    return value


def _tables(value: Any) -> list[dict[str, Any]]:
    if not isinstance(value, list) or not all(isinstance(each, dict) for each in value):
        raise Must("is a list of sections in double brackets", "es una lista de secciones entre corchetes dobles")
    return value
