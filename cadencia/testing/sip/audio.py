"""Sound as the test peers make and hear it: ulaw tones, and an ear that tells them apart.

Each class of party speaks its own tone. All are multiples of 50 Hz, so that over one packet (160 samples at 8 kHz) they
are orthogonal: one tone leaves nothing in the place of another, and a mixture shows each of its parts.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Callable, Mapping
from operator import mul

SAMPLE_RATE = 8000
FRAME = 160
FRAME_S = 0.02

AGENT_HZ = 1000
DEBTOR_HZ = 700

SILENCE = b"\xff" * FRAME

#: Part of a packet's energy that must lie in a tone for it to count as heard; three parties at once have a third each.
_SHARE = 0.15


def ulaw(samples: list[int]) -> bytes:
    """16-bit samples to G.711 ulaw."""
    out = bytearray()
    for sample in samples:
        sign = 0x80 if sample < 0 else 0
        level = min(abs(sample), 32635) + 132
        exponent = level.bit_length() - 8
        out.append(~(sign | (exponent << 4) | ((level >> (exponent + 3)) & 15)) & 0xFF)
    return bytes(out)


def _linear(byte: int) -> int:
    value = ~byte & 0xFF
    level = (((value & 15) << 3) + 132 << (value >> 4 & 7)) - 132
    return -level if value & 0x80 else level


_LINEAR = [float(_linear(b)) for b in range(256)]
#: A byte becomes 1 if it is speech-loud (over about -36 dBFS), so that loud samples are counted without a Python loop.
_LOUD = bytes(1 if abs(_linear(b)) > 500 else 0 for b in range(256))


def tone(hertz: int, seconds: float = 1.0, level: int = 8000) -> bytes:
    """A sine in ulaw; whole packets of a multiple of 50 Hz can be repeated without a click."""
    count = round(SAMPLE_RATE * seconds)
    return ulaw([round(level * math.sin(2 * math.pi * hertz * n / SAMPLE_RATE)) for n in range(count)])


def silence(seconds: float) -> bytes:
    """Ulaw silence."""
    return b"\xff" * round(SAMPLE_RATE * seconds)


def is_loud(payload: bytes) -> bool:
    """Whether a quarter of the samples are speech-loud."""
    return payload.translate(_LOUD).count(1) * 4 > len(payload)


def _wave(hertz: int) -> tuple[list[float], list[float]]:
    angle = 2 * math.pi * hertz / SAMPLE_RATE
    return [math.cos(angle * n) for n in range(FRAME)], [math.sin(angle * n) for n in range(FRAME)]


class Ear:
    """Listens to one leg: when was which tone heard.

    Args:
        tones: name -> hertz.
        every: of loud packets one in so many is looked into (a look costs about 50 us); until the first tone of `first`
            was heard all of them are, so that its time is exact to the packet.
        first: the tone whose first appearance matters; empty for none.
        gap_s: a tone that was away for longer begins a new interval.
        on_first: called once, when `first` is heard for the first time.

    Attributes:
        packets: received.
        loud_packets: of them, with speech-level sound.
        first_loud: time of the first one, None if there was none.
        intervals: name -> list of (begin, end) in order, seconds of the loop's clock.
    """

    def __init__(
        self,
        tones: Mapping[str, int],
        *,
        every: int = 3,
        first: str = "",
        gap_s: float = 0.3,
        on_first: Callable[[], None] | None = None,
    ) -> None:
        self.packets = 0
        self.loud_packets = 0
        self.first_loud: float | None = None
        self.intervals: dict[str, list[tuple[float, float]]] = {name: [] for name in tones}
        self._waves = {name: _wave(hertz) for name, hertz in tones.items()}
        self._every = every
        self._first = first
        self._gap_s = gap_s
        self._on_first = on_first
        self._until_look = 0

    def feed(self, payload: bytes, now: float) -> None:
        """One packet's ulaw payload, received at `now`."""
        self.packets += 1
        if not is_loud(payload):
            self._until_look = 0  # the next sound is looked into at once
            return
        self.loud_packets += 1
        if self.first_loud is None:
            self.first_loud = now
        waiting = bool(self._first) and not self.intervals[self._first]
        if self._until_look and not waiting:
            self._until_look -= 1
            return
        self._until_look = self._every - 1
        for name in self.tones_in(payload):
            self._note(name, now)

    def tones_in(self, payload: bytes) -> list[str]:
        """Names of the tones in one packet."""
        samples = [_LINEAR[b] for b in payload[:FRAME]]
        energy = sum(map(mul, samples, samples))
        if len(samples) < FRAME or not energy:
            return []
        least = _SHARE * energy * FRAME / 2
        found = []
        for name, (cosine, sine) in self._waves.items():
            real, imaginary = sum(map(mul, samples, cosine)), sum(map(mul, samples, sine))
            if real * real + imaginary * imaginary > least:
                found.append(name)
        return found

    def _note(self, name: str, now: float) -> None:
        intervals = self.intervals[name]
        if intervals and now - intervals[-1][1] <= self._gap_s:
            intervals[-1] = (intervals[-1][0], now)
            return
        intervals.append((now, now))
        if name == self._first and len(intervals) == 1 and self._on_first:
            self._on_first()

    def first(self, name: str) -> float | None:
        """When that tone was first heard, None if never."""
        intervals = self.intervals[name]
        return intervals[0][0] if intervals else None

    def heard_s(self, name: str) -> float:
        """For how long that tone was heard, in all its intervals together."""
        return sum(end - begin for begin, end in self.intervals[name])

    def heard(self, name: str, at_least_s: float = 0.0) -> bool:
        """Whether that tone was heard, for at least so long."""
        return bool(self.intervals[name]) and self.heard_s(name) >= at_least_s


_HEADER = struct.Struct("!BBHII")


class Mouth:
    """Cuts a clip into RTP packets; after its end goes on from `loop_from` (bytes), or in silence if that is None."""

    def __init__(self, clip: bytes, loop_from: int | None = 0, ssrc: int = 1) -> None:
        self.muted = False
        self._frames = [clip[at : at + FRAME].ljust(FRAME, b"\xff") for at in range(0, len(clip), FRAME)]
        self._loop_from = None if loop_from is None else loop_from // FRAME
        self._at = 0
        self._sent = 0
        self._ssrc = ssrc

    def packet(self) -> bytes:
        """The next RTP packet, payload type 0."""
        self._sent += 1
        if self._at >= len(self._frames):
            self._at = len(self._frames) if self._loop_from is None else self._loop_from
        payload = SILENCE
        if self._at < len(self._frames):
            payload = SILENCE if self.muted else self._frames[self._at]
            self._at += 1
        return _HEADER.pack(0x80, 0, self._sent & 0xFFFF, self._sent * FRAME & 0xFFFFFFFF, self._ssrc) + payload
