"""Recorded conversations with faults written into them, read by the codec and, for comparison, by the slow reader."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass, field

from reference_ami import Plain, SlowReader
from replays import older, ours

from cadencia.telephony.ami.codec import Decoder, Message
from cadencia.telephony.call import WANTED_EVENTS

BANNER = b"Asterisk Call Manager/11.0.0\r\n"

#: The protocol's own pieces, and what looks like them.
PIECES = [
    b"\r", b"\n", b"\r\n", b"\r\n\r\n", b"\n\n", b"\r\r\n", b"\n\r", b":", b": ", b" :", b"::", b"Event: ", b"Event:",
    b"Response: ", b"ActionID: ", b"\r\nActionID: ", b"--END COMMAND--", b"\x00", b"\xff", b"\xc3", b"\xe2\x82", b"A",
]  # fmt: skip


def plain(message: Message) -> Plain:
    """A message of the codec's as the slow reader tells one."""
    return message.kind, message.name, tuple((key, message.all(key)) for key in message.keys())  # noqa: SIM118


def recorded() -> bytes:
    """All recordings, one after the other."""
    return b"".join(transcript.stream() for transcript in (*ours(), *older()))


def mutated(stream: bytes, rng: random.Random, size: int) -> bytes:
    """A piece of the stream with 0 to 40 faults: other bytes, cut out, put in, said twice."""
    begin = rng.randrange(len(stream) - size)
    data = bytearray(stream[begin : begin + size])
    for _ in range(rng.choice((0, 1, 3, 10, 40))):
        place = rng.randrange(len(data))
        how = rng.randrange(5)
        if how == 0:
            data[place] = rng.randrange(256)
        elif how == 1:
            del data[place : place + rng.randrange(1, 40)]
        elif how == 2:
            data[place:place] = rng.choice(PIECES) * rng.choice((1, 1, 1, 2, 5))
        elif how == 3:
            data[place:place] = data[place : place + rng.randrange(200)]
        else:
            data[place:place] = rng.randbytes(rng.randrange(60))
    banner = rng.choice((BANNER, BANNER, BANNER, b"", b"Asterisk Call Manager/11.0.0\n", b"\r\n", b"No: banner\r\n"))
    return banner + bytes(data) + rng.choice((b"", b"\r\n\r\n", b"\n\n", b"\r"))


def chunks(data: bytes, rng: random.Random) -> Iterator[bytes]:
    """The same bytes as a network brings them."""
    largest = rng.choice((1, 2, 7, 100, 1460, 65536))
    place = 0
    while place < len(data):
        step = rng.randint(1, largest)
        yield data[place : place + step]
        place += step


@dataclass
class Report:
    """What a run came to.

    Attributes:
        read: bytes.
        streams, messages, malformed: read, and lines that were none.
        wrong: what the two readers told apart, at most ten.
    """

    read: int = 0
    streams: int = 0
    messages: int = 0
    malformed: int = 0
    wrong: list[str] = field(default_factory=list)


def fuzz(number: int, seed: int) -> Report:
    """At least so many bytes through the codec. What it raises is raised."""
    rng, stream, report = random.Random(seed), recorded(), Report()
    while report.read < number:
        data = mutated(stream, rng, rng.choice((200, 3000, 20_000)))
        expected = SlowReader().feed(data)
        for pieces in ([data], list(chunks(data, rng))):
            decoder = Decoder()
            found = [plain(message) for piece in pieces for message in decoder.feed(piece)]
            if (found, decoder.malformed) != (expected.messages, expected.malformed):
                _differs(report, "all", found, expected.messages, data)
        choosy = Decoder(WANTED_EVENTS)
        chosen = [plain(message) for piece in chunks(data, rng) for message in choosy.feed(piece)]
        if not _rightly_chosen(chosen, expected.messages, choosy.skipped):
            _differs(report, "wanted", chosen, expected.messages, data)
        report.read += len(data)
        report.streams += 1
        report.messages += len(expected.messages)
        report.malformed += expected.malformed
    return report


def _rightly_chosen(chosen: list[Plain], all_: list[Plain], skipped: int) -> bool:
    """Whether only events nobody wants are missing, and the rest is the same, in order."""
    left = iter(chosen)
    one = next(left, None)
    missing = 0
    for message in all_:
        if message == one:
            one = next(left, None)
            continue
        missing += 1
        kind, name, pairs = message
        if kind != "Event" or name in WANTED_EVENTS or any(key == "ActionID" for key, _ in pairs):
            return False
    return one is None and missing == skipped


def _differs(report: Report, which: str, found: list[Plain], expected: list[Plain], data: bytes) -> None:
    if len(report.wrong) < 10:
        place = next((n for n, pair in enumerate(zip(found, expected, strict=False)) if pair[0] != pair[1]), None)
        what = (found[place], expected[place]) if place is not None else (len(found), len(expected))
        report.wrong.append(f"{which}: {what!r} in a stream that begins {data[:60]!r}")
