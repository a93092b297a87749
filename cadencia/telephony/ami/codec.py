"""Bytes in, messages out; actions in, bytes out. No socket, no clock, no asyncio.

The wire (Asterisk 22): a banner line, then messages, each a run of `Key: value` lines that ends with an empty line. The
decoder takes any chunking, `\\n`-only line ends, repeated keys, keys and events unknown to us, invalid UTF-8 and lines
without an end, and it never raises: what cannot be a message is counted in `Decoder.malformed` and left out.

The encoder refuses what must not reach the wire: a line break or NUL in a key or value would let a debtor's name run a
foreign action (measured with six published clients); Asterisk executes nothing of a message with a line over 1,020
bytes or more than 128 lines, so those are refused here, where the caller still hears of it.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping

from cadencia.errors import LocalProtocolError

#: The longest message we keep waiting for its end, in bytes; Asterisk's own stay below 64 KiB.
MAX_MESSAGE_BYTES = 1 << 20

#: Limits of Asterisk's own parser for what it receives.
MAX_LINE_BYTES = 1020
MAX_LINES = 128

#: The longest number there is: 64 bits.
_DIGITS = 19

_FORBIDDEN = ("\r", "\n", "\0")

#: A plain channel variable: `GLOBAL(X)`, `SHELL(...)` and their like are functions that a write would run.
_NAME = re.compile("[A-Za-z0-9_]{1,80}", re.ASCII)


class Message:
    """One message. `kind` is "Event", "Response" or "" (neither), `name` its value; keys keep Asterisk's spelling.

    A key that came more than once keeps its first value in `[]` and `get`; `all` has every one, in order.
    """

    __slots__ = ("_headers", "_repeated", "kind", "name")

    def __init__(self, kind: str, name: str, headers: dict[str, str], repeated: dict[str, list[str]] | None) -> None:
        self.kind = kind
        self.name = name
        self._headers = headers
        self._repeated = repeated

    def __getitem__(self, key: str) -> str:
        return self._headers[key]

    def __contains__(self, key: str) -> bool:
        return key in self._headers

    def __repr__(self) -> str:
        return f"<{self.kind or 'Message'} {self.name} {len(self._headers)} headers>"

    def get(self, key: str, default: str = "") -> str:
        """The first value of a key."""
        return self._headers.get(key, default)

    def all(self, key: str) -> tuple[str, ...]:
        """Every value of a key, in order."""
        if self._repeated and key in self._repeated:
            return tuple(self._repeated[key])
        value = self._headers.get(key)
        return () if value is None else (value,)

    def keys(self) -> Collection[str]:
        """The keys, in order of first appearance."""
        return self._headers.keys()

    def values(self) -> tuple[object, ...]:
        """All it says, to tell one message from another of the same kind."""
        rest = () if self._repeated is None else tuple(map(tuple, self._repeated.values()))
        return (*self._headers.values(), *rest)

    def number(self, key: str) -> int | None:
        """A decimal value, None if absent or not a number."""
        value = self._headers.get(key, "")
        digits = value.removeprefix("-")
        return int(value) if digits.isascii() and digits.isdigit() and len(digits) <= _DIGITS else None

    def variables(self) -> dict[str, str]:
        """The `Variable: name=value` lines of a Status event; `(null)`, an unset variable, reads as empty."""
        pairs = (line.partition("=") for line in self.all("Variable"))
        return {name: "" if value == "(null)" else value for name, _, value in pairs}


#: Names of unwanted events that a decoder remembers; Asterisk 22 has fewer.
_MOST_NAMES = 300


class Decoder:
    """Collects bytes until messages are whole.

    Args:
        wanted: names of events to decode; others are counted in `skipped`, named in `unwanted`, and dropped before
            their headers are read. None decodes all. Responses, and messages with an ActionID (the answers to list
            actions), always come.
    """

    def __init__(self, wanted: Collection[str] | None = None) -> None:
        self._buffer = b""
        self._wanted = None if wanted is None else frozenset(name.encode() for name in wanted)
        self._banner_seen = False
        self._discarding = False
        self.banner = ""
        self.malformed = 0
        self.skipped = 0
        self.unwanted: set[bytes] = set()

    def feed(self, data: bytes) -> list[Message]:
        """Take in a chunk and return the messages it completed, in order. Never raises."""
        data = self._buffer + data if self._buffer else data
        if not self._banner_seen:
            line, found, rest = data.partition(b"\n")
            if not found:
                return self._keep(data)
            self._banner_seen = True
            # A server that opens with a message (no banner) loses nothing.
            if b": " not in line:
                self.banner, data = _text(line.rstrip(b"\r")), rest
        if data.count(b"\n") != data.count(b"\r\n"):
            data = _with_crlf(data)
        parts = data.split(b"\r\n\r\n")
        self._keep(parts.pop())
        if self._discarding and parts:
            self._discarding = False
            self.malformed += 1
            del parts[0]
        return [message for part in parts if (message := self._decode(part)) is not None]

    def _keep(self, rest: bytes) -> list[Message]:
        if len(rest) > MAX_MESSAGE_BYTES:
            # No end in sight: forget it, but remember to skip up to its end. The last bytes may begin that end.
            self._discarding = True
            rest = rest[-3:]
        self._buffer = rest
        return []

    def _decode(self, raw: bytes) -> Message | None:
        raw = raw.removeprefix(b"\r\n")  # an empty line before it; a lone "\r" is no line end
        if not raw:
            return None
        if self._wanted is not None and raw.startswith(b"Event: "):
            end = raw.find(b"\r\n")
            name = raw[7:] if end < 0 else raw[7:end]
            if name not in self._wanted and b"\r\nActionID: " not in raw:
                self.skipped += 1
                if len(self.unwanted) < _MOST_NAMES:
                    self.unwanted.add(name)
                return None
        return self._message(_text(raw))

    def _message(self, text: str) -> Message | None:
        headers: dict[str, str] = {}
        repeated: dict[str, list[str]] | None = None
        kind = name = ""
        for line in text.split("\r\n"):
            key, found, value = line.partition(": ")
            if not found:
                key, found, value = line.partition(":")
                if not found:
                    self.malformed += 1
                    continue
            if key in headers:
                if repeated is None:
                    repeated = {}
                repeated.setdefault(key, [headers[key]]).append(value)
                continue
            headers[key] = value
            if not kind and (key == "Event" or key == "Response"):
                kind, name = key, value
        if not headers:
            return None
        return Message(kind, name, headers, repeated)


def _text(raw: bytes) -> str:
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return raw.decode("utf-8", "replace")


def _with_crlf(data: bytes) -> bytes:
    # A lone trailing "\r" may be the first half of a "\r\n" that is still under way.
    tail = b"\r" if data.endswith(b"\r") else b""
    body = data[: len(data) - len(tail)]
    return body.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n") + tail


def encode(
    action: str,
    fields: Mapping[str, str | int] | Iterable[tuple[str, str | int]] = (),
    variables: Mapping[str, str | int] | None = None,
) -> bytes:
    """One action as bytes.

    Args:
        action: its name.
        fields: headers in order. Asterisk drops blanks and control characters that a value begins with; a variable's
            value arrives whole.
        variables: channel variables, one `Variable` header each. A value with a comma, a quote or a backslash is
            quoted: Asterisk splits `A=1,B=2` in two, so an unquoted value could overwrite another variable.

    Raises:
        LocalProtocolError: a line break, a NUL, half a surrogate pair, a malformed key, or more than Asterisk's parser
            takes.
    """
    pairs = list(fields.items() if isinstance(fields, Mapping) else fields)
    lines = [_line("Action", action), *(_line(key, str(value)) for key, value in pairs)]
    for name, value in (variables or {}).items():
        if not _NAME.fullmatch(name):
            raise LocalProtocolError(f"{name!r} is no name of a channel variable")
        lines.append(_line("Variable", f"{name}={quote(str(value))}"))
    if len(lines) > MAX_LINES:
        raise LocalProtocolError(f"an action of {len(lines)} lines: Asterisk takes {MAX_LINES}")
    return b"\r\n".join(lines) + b"\r\n\r\n"


def quote(value: str) -> str:
    """A variable's value so that it arrives whole."""
    if not any(c in value for c in ',"\\'):
        return value
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _line(key: str, value: str) -> bytes:
    if not key or ":" in key or any(c in key or c in value for c in _FORBIDDEN):
        raise LocalProtocolError(f"a line break, a NUL or a colon where none may be, in header {key!r}")
    try:
        line = f"{key}: {value}".encode()
    except UnicodeEncodeError:
        raise LocalProtocolError(f"half a character in header {key!r}") from None
    if len(line) > MAX_LINE_BYTES:
        raise LocalProtocolError(f"header {key!r} has {len(line)} bytes: Asterisk takes {MAX_LINE_BYTES}")
    return line
