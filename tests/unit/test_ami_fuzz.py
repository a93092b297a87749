"""The codec against a second, slow reader: damaged conversations one way, debtors' texts the other."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "support"))
from codec_fuzz import BANNER, PIECES, fuzz, plain, recorded
from reference_ami import SlowReader, read_slowly

from cadencia.errors import LocalProtocolError
from cadencia.telephony.ami.codec import MAX_LINE_BYTES, Decoder, encode

calm = settings(deadline=None, derandomize=True, max_examples=200)


def test_both_readers_read_the_recordings_alike() -> None:
    stream = BANNER + recorded()
    found = [plain(message) for message in Decoder().feed(stream)]
    assert found == read_slowly(stream)
    assert len(found) > 1000


@pytest.mark.parametrize("seed", [11, 12])
def test_damaged_conversations_are_read_alike(seed: int) -> None:
    """100 kB each; `benchmarks/ami_fuzz.py` does ten million bytes."""
    report = fuzz(100_000, seed)
    assert report.wrong == []
    assert report.messages > 50
    assert report.malformed > 0


@calm
@given(st.lists(st.one_of(st.sampled_from(PIECES), st.binary(max_size=6)), max_size=80), st.integers(1, 9))
def test_rubbish_is_read_alike_in_any_chunking(pieces: list[bytes], step: int) -> None:
    data = BANNER + b"".join(pieces)
    decoder = Decoder()
    found = [plain(m) for n in range(0, len(data), step) for m in decoder.feed(data[n : n + step])]
    expected = SlowReader().feed(data)
    assert (found, decoder.malformed) == (expected.messages, expected.malformed)


# -- a debtor's text in an action --------------------------------------------------------------------------------------

EVIL = [
    "x\r\n\r\nAction: Originate\r\nChannel: PJSIP/999@trunk",
    "x\nAction: DBPut",
    "x\r\nVariable: CAD_MAY_PLAY=1",
    "x\0y",
    "A,CAD_WITH=b",
    'a"b,c=d',
    "\\",
    '\\",X=1',
    "${SHELL(touch /x)}",
    "$[1+1]",
    "a=b=c",
    "x\x85y\u2028z",
    "\ud800",
    "a\u0301 ñ 𝄞 \u202e",
    "v" * 2000,
    "ñ" * 600,
    " ",
    "",
]
text = st.one_of(
    st.sampled_from(EVIL),
    st.text(max_size=60),
    st.text(st.characters(), max_size=30),  # halves of characters too
    st.text("\r\n\0,\"\\=:;${}[]()|&'` aX", max_size=40),
    st.builds(lambda piece, times: piece * times, st.text(min_size=1, max_size=10), st.integers(1, 300)),
)


def unquoted(value: str) -> str:
    """What Asterisk makes of one argument: quotes go, a backslash takes the next character as it is."""
    assert _one_argument(value), value
    out, place = "", 0
    while place < len(value):
        if value[place] == "\\":
            place += 1
            out += value[place : place + 1]
        elif value[place] != '"':
            out += value[place]
        place += 1
    return out


def _one_argument(value: str) -> bool:
    within, place = False, 0
    while place < len(value):
        if value[place] == "\\":
            place += 1
        elif value[place] == '"':
            within = not within
        elif value[place] == "," and not within:
            return False
        place += 1
    return not within


def sent(action: str, fields: dict[str, str], variables: dict[str, str] | None = None) -> None:
    """The wire holds exactly this one action, or nothing: the encoder refused."""
    try:
        wire = encode(action, fields, variables)
    except LocalProtocolError:
        every = [action, *fields, *fields.values(), *(variables or {}), *(variables or {}).values()]
        # It refuses with cause only: a forbidden character, or a line that is too long.
        assert (
            any(c in one for one in every for c in "\r\n\0")
            or any("\ud800" <= c <= "\udfff" for one in every for c in one)
            or any(len(one.encode("utf-8", "surrogatepass")) > (MAX_LINE_BYTES - 20) / 2 for one in every)
            or any(not key or ":" in key for key in fields)
            or any(not name.replace("_", "a").isalnum() or not name.isascii() for name in variables or {})
            or any(len(name) > 80 for name in variables or {})
        )
        return
    (message,) = SlowReader(banner=False).feed(wire).messages
    kind, _, pairs = message
    assert kind == ""
    told = dict(pairs)
    assert told.pop("Action") == (action,)
    lines = [one.partition("=") for one in told.pop("Variable", ())]
    found = {name: unquoted(value) for name, _, value in lines}
    assert len(found) == len(lines)
    assert found == (variables or {})
    assert told == {key: (value,) for key, value in fields.items()}
    assert all(len(line) <= MAX_LINE_BYTES for line in wire.split(b"\r\n"))


@settings(deadline=None, derandomize=True, max_examples=400)
@given(text, text, text)
@example("${SHELL(x)}", 'a",b', "x\r\n\r\nAction: Ping")
def test_no_debtors_text_changes_an_action(first: str, second: str, third: str) -> None:
    fields = {"ActionID": "c1", "Channel": f"PJSIP/{first}@trunk", "CallerID": f'"{second}" <601>', "Data": third}
    sent("Originate", fields, {"CAD_NAME": first, "CAD_NOTE": second, "CAD_OTHER": third})


@calm
@given(text)
def test_no_text_in_any_one_place_changes_an_action(evil: str) -> None:
    sent(evil, {"ActionID": "c1"})
    sent("Setvar", {"ActionID": "c1", "Value": evil})
    if evil not in ("Action", "Variable", "ActionID"):
        sent("Setvar", {"ActionID": "c1", evil: "x"})
    sent("Originate", {"ActionID": "c1"}, {evil: "x"})


@pytest.mark.parametrize(
    "name", ["GLOBAL(X)", "SHELL(id)", "DB(a/b)", "__X(", "X\u0661", "Ñ", "X" * 81, "", "X Y", "X="]
)
def test_a_variable_is_no_function(name: str) -> None:
    with pytest.raises(LocalProtocolError):
        encode("Originate", {}, {name: "x"})


def test_half_a_character_is_refused() -> None:
    for attempt in ({"Data": "\ud83d"}, {"\udc00": "x"}):
        with pytest.raises(LocalProtocolError):
            encode("Ping", attempt)
    with pytest.raises(LocalProtocolError):
        encode("Ping", {}, {"X": "\ud83d"})
