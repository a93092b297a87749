"""What names, hosts and secrets may look like: they end up in Asterisk's files, where a sign too many is an order."""

from __future__ import annotations

import re

#: Endpoints, accounts, transports, servers.
NAME = re.compile(r"[A-Za-z0-9_-]{1,40}")
#: A host or a network.
HOST = re.compile(r"[A-Za-z0-9.:/_-]{1,120}")
#: A semicolon begins a comment and a backslash quotes in Asterisk's files, so a secret holds neither.
SECRET = re.compile(r"[A-Za-z0-9._~!@%^*()+=,-]{12,80}")
#: A sound file without its ending.
SOUND = re.compile(r"[A-Za-z0-9._/-]{1,160}")
CODEC = re.compile(r"[a-z0-9]{2,12}")

#: Telephones that one range may name.
MOST_IN_RANGE = 2000

_ENDS_IN_DIGITS = re.compile(r"([A-Za-z_]*)([0-9]+)")


def names_in(text: str) -> tuple[str, ...] | None:
    """The names that a text stands for: itself, or all of a range such as `a1001-a1040`; None if it is neither.

    `a1001-1040` is neither, because it is more often a slip than a name.
    """
    left, dash, right = text.partition("-")
    first, last = _ENDS_IN_DIGITS.fullmatch(left), _ENDS_IN_DIGITS.fullmatch(right)
    if not dash or first is None or last is None:
        return (text,) if NAME.fullmatch(text) else None
    (prefix, low), (other, high) = first.groups(), last.groups()
    count = int(high) - int(low) + 1
    if prefix != other or len(low) != len(high) or not 0 < count <= MOST_IN_RANGE:
        return None
    return tuple(f"{prefix}{number:0{len(low)}d}" for number in range(int(low), int(high) + 1))
