"""On which line of a TOML text a value stands. `tomllib` says what a text holds, and not where."""

from __future__ import annotations

import re
from bisect import bisect_right
from contextlib import suppress

_BLANK = re.compile(r"(?:[ \t\r\n]|#[^\n]*)*")
_SPACE = re.compile(r"[ \t]*")
_STRING = re.compile(
    r'"""(?:\\.|[^\\])*?"{3,5}' r"|'''.*?'{3,5}" r'|"(?:\\.|[^"\\\n])*"' r"|'[^'\n]*'",
    re.DOTALL,
)
_BARE = re.compile(r"[A-Za-z0-9_-]+")
_SCALAR = re.compile(r"[^,\]}#\n]*")
_ESCAPE = re.compile(r"\\(u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}|.)")
_SIGNS = {"b": "\b", "t": "\t", "n": "\n", "f": "\f", "r": "\r"}

Path = tuple[str, ...]


def lines_of(text: str) -> dict[Path, int]:
    """The line of every key, section and element of a list, by its path; places in lists count from 0.

    Args:
        text: valid TOML (https://toml.io/en/v1.0.0); of other texts some lines are missing or wrong, and nothing is
            raised.
    """
    scan = _Scan(text)
    with suppress(_NotToml):
        scan.run()
    return scan.lines


def line_of(lines: dict[Path, int], path: Path) -> int | None:
    """The line of a path, or of the nearest section or list around it; None if there is none."""
    while path and path not in lines:
        path = path[:-1]
    return lines.get(path)


class _NotToml(Exception):
    pass


class _Scan:
    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._ends = [match.start() for match in re.finditer("\n", text)]
        self._counts: dict[Path, int] = {}
        self.lines: dict[Path, int] = {}

    def run(self) -> None:
        section: Path = ()
        while self._skip(_BLANK) < len(self._text):
            if self._text.startswith("[", self._at):
                section = self._header()
            else:
                self._pair(section)

    def _header(self) -> Path:
        start, many = self._at, self._text.startswith("[[", self._at)
        self._at += 2 if many else 1
        names = self._key()
        self._take("]]" if many else "]")
        path: Path = ()
        for place, name in enumerate(names, 1):
            path = (*path, name)
            if many and place == len(names):
                self._counts[path] = self._counts.get(path, -1) + 1
            if path in self._counts:  # one of a list: its place belongs to the path
                self._mark(path, start)
                path = (*path, str(self._counts[path]))
        self._mark(path, start)
        return path

    def _pair(self, section: Path) -> None:
        start = self._at
        path = (*section, *self._key())
        self._mark(path, start)
        self._take("=")
        self._skip(_SPACE)
        self._value(path)

    def _value(self, path: Path) -> None:
        if self._text.startswith("[", self._at):
            self._at += 1
            place = 0
            while not self._ended("]"):
                self._mark((*path, str(place)), self._at)
                self._value((*path, str(place)))
                place += 1
                self._skip(_BLANK)
                self._comma()
        elif self._text.startswith("{", self._at):
            self._at += 1
            while not self._ended("}"):
                self._pair(path)
                self._skip(_BLANK)
                self._comma()
        elif (found := _STRING.match(self._text, self._at)) is not None:
            self._at = found.end()
        else:
            self._skip(_SCALAR)

    def _ended(self, bracket: str) -> bool:
        if self._skip(_BLANK) >= len(self._text):
            raise _NotToml
        if self._text[self._at] != bracket:
            return False
        self._at += 1
        return True

    def _comma(self) -> None:
        if self._text.startswith(",", self._at):
            self._at += 1
        elif not self._text.startswith(("]", "}"), self._at):
            raise _NotToml

    def _key(self) -> Path:
        names = []
        while True:
            self._skip(_SPACE)
            if (bare := _BARE.match(self._text, self._at)) is not None:
                names.append(bare[0])
                self._at = bare.end()
            elif (quoted := _STRING.match(self._text, self._at)) is not None:
                names.append(_plain(quoted[0]))
                self._at = quoted.end()
            else:
                raise _NotToml
            self._skip(_SPACE)
            if not self._text.startswith(".", self._at):
                return tuple(names)
            self._at += 1

    def _take(self, sign: str) -> None:
        self._skip(_SPACE)
        if not self._text.startswith(sign, self._at):
            raise _NotToml
        self._at += len(sign)

    def _skip(self, what: re.Pattern[str]) -> int:
        found = what.match(self._text, self._at)
        if found is not None:
            self._at = found.end()
        return self._at

    def _mark(self, path: Path, at: int) -> None:
        line = bisect_right(self._ends, at - 1) + 1
        for length in range(1, len(path) + 1):
            self.lines.setdefault(path[:length], line)


def _plain(quoted: str) -> str:
    """A key in quotes as it is meant."""
    if quoted.startswith("'"):
        return quoted[1:-1]
    return _ESCAPE.sub(lambda found: _sign(found[1]), quoted[1:-1])


def _sign(escape: str) -> str:
    if len(escape) > 1:
        code = int(escape[1:], 16)
        return chr(code) if code <= 0x10FFFF else ""
    return _SIGNS.get(escape, escape)
