"""The process that answers a what-if: a question as JSON on standard input, its answer on standard output."""

from __future__ import annotations

import os
import sys

import msgspec

from cadencia.pacing.change import Question, compare

#: Everything else on the machine goes first: calls are put through beside it.
_NICE = 15


def main() -> None:
    """Answer one question."""
    os.nice(_NICE)
    question = msgspec.json.decode(sys.stdin.buffer.read(), type=Question)
    sys.stdout.buffer.write(msgspec.json.encode(compare(question)))


if __name__ == "__main__":
    main()
