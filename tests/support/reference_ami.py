"""A second reading of the manager interface's wire, slow and plain, that shares no line with the codec.

It looks at one byte after the other and keeps lines; nothing is split in bulk, searched for or skipped. What it takes
for a message is what the codec's docstring promises.
"""

from __future__ import annotations

#: kind, name, (key, values) in order of first appearance.
Plain = tuple[str, str, tuple[tuple[str, tuple[str, ...]], ...]]


class SlowReader:
    """Bytes in, messages in `messages`.

    Args:
        banner: whether the first line may be a banner.
    """

    def __init__(self, *, banner: bool = True) -> None:
        self.messages: list[Plain] = []
        self.malformed = 0
        self._line = bytearray()
        self._lines: list[bytes] = []
        self._banner_due = banner

    def feed(self, data: bytes) -> SlowReader:
        for byte in data:
            if byte == 0x0A:
                line = bytes(self._line)
                self._line.clear()
                self._ended(line[:-1] if line.endswith(b"\r") else line)
            else:
                self._line.append(byte)
        return self

    def _ended(self, line: bytes) -> None:
        if self._banner_due:
            self._banner_due = False
            if b": " not in line:
                return
        if line:
            self._lines.append(line)
        elif self._lines:
            lines, self._lines = self._lines, []
            self._message(lines)

    def _message(self, lines: list[bytes]) -> None:
        values: dict[str, list[str]] = {}
        kind = name = ""
        for line in lines:
            text = line.decode("utf-8", "replace")
            if ":" not in text:
                self.malformed += 1
                continue
            at = text.find(": ")
            if at < 0:
                at = text.find(":")
                key, value = text[:at], text[at + 1 :]
            else:
                key, value = text[:at], text[at + 2 :]
            if key in ("Event", "Response") and not kind and key not in values:
                kind, name = key, value
            values.setdefault(key, []).append(value)
        if values:
            self.messages.append((kind, name, tuple((key, tuple(all_)) for key, all_ in values.items())))


def read_slowly(data: bytes) -> list[Plain]:
    """All whole messages."""
    return SlowReader().feed(data).messages
