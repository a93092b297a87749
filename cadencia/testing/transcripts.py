"""Recorded AMI conversations: what a real switch said, and which orders were sent, with their times.

A transcript is a text file. A line `# > +0.406 Setvar Channel: x, Variable: Y, Value: z` is an order that was sent,
`# +0.407` says when the message below it came, and a message is its headers byte for byte, ended by an empty line.
Other lines that begin with `#` are remarks.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from cadencia.telephony.ami.codec import Decoder, Message

_SENT = re.compile(r"# > \+([0-9.]+) (\S+) ?(.*)")
_CAME = re.compile(r"# \+([0-9.]+)")
#: Between two fields of an order: a comma before the next `Key: `, so that values with commas stay whole.
_FIELD = re.compile(r", (?=[A-Za-z0-9]+: )")


@dataclass(frozen=True)
class Order:
    """An action that was sent; `fields` as pairs, because `Variable` may come more than once."""

    at_s: float
    action: str
    fields: tuple[tuple[str, str], ...]

    def get(self, name: str) -> str:
        """The first field of that name, empty if there is none."""
        return next((value for key, value in self.fields if key == name), "")


@dataclass(frozen=True)
class Heard:
    """A message that came: its headers as pairs in order, and its bytes with the empty line."""

    at_s: float
    pairs: tuple[tuple[str, str], ...]
    raw: bytes

    def get(self, name: str) -> str:
        """The first header of that name, empty if there is none."""
        return next((value for key, value in self.pairs if key == name), "")

    def message(self) -> Message:
        """As the codec reads it."""
        (message,) = Decoder().feed(b"recorded\r\n" + self.raw)
        return message


@dataclass(frozen=True)
class Transcript:
    """One file."""

    name: str
    title: str
    lines: tuple[Order | Heard, ...]

    @property
    def orders(self) -> tuple[Order, ...]:
        return tuple(line for line in self.lines if isinstance(line, Order))

    @property
    def heard(self) -> tuple[Heard, ...]:
        return tuple(line for line in self.lines if isinstance(line, Heard))

    def stream(self) -> bytes:
        """All messages as they came over the wire, without the banner."""
        return b"".join(line.raw for line in self.heard)


def read_transcript(path: Path) -> Transcript:
    """Read one file."""
    return parse_transcript(path.stem, path.read_bytes().decode())


def read_folder(folder: Path) -> list[Transcript]:
    """Read every file of a folder, in order of their names."""
    return [read_transcript(path) for path in sorted(folder.glob("*.txt"))]


def parse_transcript(name: str, text: str) -> Transcript:
    """Read the text of one file."""
    title, _, rest = text.partition("\n")
    return Transcript(name, title.removeprefix("# ").strip(), tuple(_lines(rest)))


def _lines(text: str) -> Iterator[Order | Heard]:
    at_s = 0.0
    block: list[str] = []
    for line in [*text.split("\n"), ""]:
        line = line.rstrip("\r")
        if line and not line.startswith("# "):
            block.append(line)
            continue
        if block:
            yield _heard(at_s, block)
            block = []
        if sent := _SENT.fullmatch(line):
            yield Order(float(sent[1]), sent[2], _fields(sent[3]))
        elif came := _CAME.fullmatch(line):
            at_s = float(came[1])


def _heard(at_s: float, block: list[str]) -> Heard:
    pairs = tuple((key, value.removeprefix(" ")) for key, _, value in (line.partition(":") for line in block))
    return Heard(at_s, pairs, ("\r\n".join(block) + "\r\n\r\n").encode())


def _fields(text: str) -> tuple[tuple[str, str], ...]:
    pairs = (field.partition(": ") for field in _FIELD.split(text) if field)
    return tuple((key, value) for key, _, value in pairs)
