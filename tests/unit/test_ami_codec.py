"""The codec: any chunking, any line end, any rubbish; and nothing on the wire that must not be there."""

from __future__ import annotations

import random
import sys
import tracemalloc
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "support"))
from replays import older, ours

from cadencia.errors import LocalProtocolError
from cadencia.telephony.ami.codec import MAX_LINES, MAX_MESSAGE_BYTES, Decoder, Message, encode, quote
from cadencia.telephony.call import WANTED_EVENTS

BANNER = b"Asterisk Call Manager/11.0.0\r\n"
STREAM = BANNER + b"".join(transcript.stream() for transcript in (*ours(), *older()))
calm = settings(deadline=None, derandomize=True, max_examples=100)

Plain = tuple[str, str, tuple[tuple[str, tuple[str, ...]], ...]]


def plain(message: Message) -> Plain:
    return message.kind, message.name, tuple((key, message.all(key)) for key in message.keys())  # noqa: SIM118


def decode(*chunks: bytes) -> list[Plain]:
    decoder = Decoder()
    return [plain(message) for chunk in chunks for message in decoder.feed(chunk)]


def cut(data: bytes, places: list[int]) -> list[bytes]:
    edges = [0, *sorted(place % (len(data) + 1) for place in places), len(data)]
    return [data[begin:end] for begin, end in pairwise(edges)]


WHOLE = decode(STREAM)

SMALL = BANNER + (
    b"Event: Hangup\r\nUniqueid: a-1\r\nCause: 16\r\nX: 1\r\nX: 2\r\n\r\n"
    b"Response: Success\r\nActionID: c1\r\nMessage: \xc3\x91and\xc3\xba\r\n\r\n"
    b"Event: Unheard\r\nOdd:value\r\nEmpty: \r\nNothing:\r\n\r\n"
)
SMALL_READ = decode(SMALL)


def test_recordings_are_read_whole() -> None:
    assert len(WHOLE) == STREAM.count(b"\r\n\r\n") > 1000
    assert {kind for kind, _, _ in WHOLE} == {"Event", "Response"}


def test_a_message_as_it_is_told() -> None:
    hangup, answer, odd = Decoder().feed(SMALL)
    assert (hangup.kind, hangup.name, hangup["Uniqueid"], hangup.number("Cause")) == ("Event", "Hangup", "a-1", 16)
    assert (hangup["X"], hangup.all("X"), hangup.all("Y")) == ("1", ("1", "2"), ())
    assert (answer.kind, answer.name, answer.get("Message")) == ("Response", "Success", "Ñandú")
    assert (odd.name, odd["Odd"], odd["Empty"], odd["Nothing"], odd.get("None", "-")) == (
        "Unheard",
        "value",
        "",
        "",
        "-",
    )
    assert "Odd" in odd and "odd" not in odd
    assert odd.number("Odd") is None and odd.number("Missing") is None
    assert "Unheard" in repr(odd)


@calm
@given(st.lists(st.integers(0, len(SMALL)), max_size=40))
@example(list(range(len(SMALL))))
def test_any_chunking_gives_the_same_messages(places: list[int]) -> None:
    assert decode(*cut(SMALL, places)) == SMALL_READ


def test_recordings_byte_by_byte_and_in_random_chunks() -> None:
    rng = random.Random(7)
    chunks = cut(STREAM, [rng.randrange(len(STREAM)) for _ in range(3000)])
    assert decode(*chunks) == WHOLE
    some = STREAM[:20_000]
    assert decode(*(some[n : n + 1] for n in range(len(some)))) == decode(some)


@calm
@given(st.lists(st.integers(0, 2 * len(SMALL)), max_size=30), st.randoms(use_true_random=False))
def test_bare_and_mixed_line_ends_are_line_ends(places: list[int], rng: random.Random) -> None:
    mixed = b"".join(rng.choice((b"\r\n", b"\n")) if c == b"\r\n" else c for c in _atoms(SMALL))
    assert decode(*cut(mixed, places)) == SMALL_READ
    assert decode(*cut(SMALL.replace(b"\r\n", b"\n"), places)) == SMALL_READ


def _atoms(data: bytes) -> list[bytes]:
    lines = data.split(b"\r\n")
    return [atom for line in lines for atom in (line, b"\r\n")][:-1]


def test_a_server_without_a_banner_loses_nothing() -> None:
    decoder = Decoder()
    assert [plain(m) for m in decoder.feed(SMALL.removeprefix(BANNER))] == SMALL_READ
    assert decoder.banner == ""
    decoder = Decoder()
    decoder.feed(SMALL)
    assert decoder.banner == "Asterisk Call Manager/11.0.0"


def test_letters_cut_in_two_and_letters_that_are_none() -> None:
    raw = "Event: X\r\nName: Ñandú 𝄞\r\n\r\n".encode()
    for place in range(len(raw)):
        ((_, _, pairs),) = decode(BANNER + raw[:place], raw[place:])
        assert pairs[1] == ("Name", ("Ñandú 𝄞",))
    ((_, _, pairs),) = decode(BANNER + b"Event: X\r\nName: \xff\xfe\xc3\r\n\r\n")
    assert pairs[1][0] == "Name" and "\ufffd" in pairs[1][1][0]


def test_lines_that_are_none_are_counted_and_left_out() -> None:
    decoder = Decoder()
    (message,) = decoder.feed(BANNER + b"Event: X\r\nno colon here\r\nKey: v\r\n\r\nonly this\r\n\r\n\r\n\r\n")
    assert (message.name, message["Key"], decoder.malformed) == ("X", "v", 2)


@pytest.mark.parametrize("line", [b"x" * 50_000, b"Key: " + b"v" * 50_000], ids=["no colon", "long value"])
@pytest.mark.parametrize("ends", [False, True], ids=["no line ends", "with line ends"])
def test_a_message_without_end_costs_bounded_memory_and_only_itself(line: bytes, ends: bool) -> None:
    decoder = Decoder()
    decoder.feed(BANNER)
    chunk = line + (b"\r\n" if ends else b"")
    tracemalloc.start()
    for _ in range(3 * MAX_MESSAGE_BYTES // len(chunk)):
        assert decoder.feed(chunk) == []
    assert tracemalloc.get_traced_memory()[1] < 4 * MAX_MESSAGE_BYTES
    tracemalloc.stop()
    assert [plain(m) for m in decoder.feed(b"\r\n\r\n" + SMALL.removeprefix(BANNER))] == SMALL_READ
    assert decoder.malformed >= 1


def test_a_long_message_that_ends_in_time_is_read() -> None:
    value = "v" * (MAX_MESSAGE_BYTES // 2)
    ((_, _, pairs),) = decode(BANNER, f"Event: X\r\nLong: {value}\r\n".encode(), b"\r\n")
    assert pairs[1] == ("Long", (value,))


def test_a_banner_without_end_is_given_up() -> None:
    decoder = Decoder()
    for _ in range(40):
        assert decoder.feed(b"z" * 65536) == []
    found = [plain(m) for m in decoder.feed(b"\r\n\r\n" + SMALL.removeprefix(BANNER))]
    assert found[-2:] == SMALL_READ[-2:]


@calm
@given(st.lists(st.binary(max_size=80), max_size=20))
def test_random_bytes_never_raise(chunks: list[bytes]) -> None:
    decoder, choosy = Decoder(), Decoder(WANTED_EVENTS)
    for chunk in chunks:
        for message in (*decoder.feed(chunk), *choosy.feed(chunk)):
            message.variables(), message.number("Cause"), repr(message)


PIECES = [
    b"\r",
    b"\n",
    b"\r\n",
    b"\r\n\r\n",
    b":",
    b": ",
    b"Event: ",
    b"Response: ",
    b"ActionID: ",
    b"\x00",
    b"\xff",
    b"A",
]


@calm
@given(st.lists(st.sampled_from(PIECES), max_size=60), st.lists(st.integers(0, 500), max_size=10))
def test_rubbish_made_of_the_protocols_own_pieces_reads_the_same_in_any_chunking(
    pieces: list[bytes], places: list[int]
) -> None:
    data = BANNER + b"".join(pieces)
    assert decode(*cut(data, places)) == decode(data)


def test_recordings_with_mutations_never_raise_and_recover() -> None:
    rng = random.Random(2026)
    for _ in range(150):
        begin = rng.randrange(len(STREAM) - 3000)
        data = bytearray(STREAM[begin : begin + 3000])
        for _ in range(rng.randrange(1, 30)):
            place = rng.randrange(len(data))
            how = rng.randrange(4)
            if how == 0:
                data[place] = rng.randrange(256)
            elif how == 1:
                del data[place : place + rng.randrange(1, 20)]
            elif how == 2:
                data[place:place] = rng.choice(PIECES)
            else:
                data[place:place] = data[place : place + rng.randrange(40)]
        decoder = Decoder(rng.choice((None, WANTED_EVENTS)))
        decoder.feed(BANNER)
        for chunk in cut(bytes(data), [rng.randrange(3000) for _ in range(10)]):
            decoder.feed(chunk)
        after = decoder.feed(b"\r\n\r\nEvent: Hangup\r\nUniqueid: last\r\n\r\n")
        assert after[-1]["Uniqueid"] == "last"


def test_unwanted_events_are_counted_and_answers_always_come() -> None:
    decoder = Decoder({"Hangup"})
    rows = b"Event: Status\r\nActionID: c7\r\nChannel: x\r\n\r\n"
    found = decoder.feed(SMALL + rows)
    assert [message.name for message in found] == ["Hangup", "Success", "Status"]
    assert decoder.skipped == 1


def test_choosing_events_changes_nothing_in_those_that_come() -> None:
    chosen = [plain(m) for m in Decoder(WANTED_EVENTS).feed(STREAM)]
    listed = {"Response"}
    wanted = [m for m in WHOLE if m[0] in listed or m[1] in WANTED_EVENTS or any(key == "ActionID" for key, _ in m[2])]
    assert chosen == wanted


def test_variables_of_a_status_row() -> None:
    (row,) = Decoder().feed(BANNER + b"Event: Status\r\nVariable: A=x=y\r\nVariable: B=(null)\r\nVariable: C=\r\n\r\n")
    assert row.variables() == {"A": "x=y", "B": "", "C": ""}


@pytest.mark.parametrize(
    ("text", "number"),
    [("16", 16), ("-1", -1), ("", None), ("1.5", None), ("٣", None), ("--1", None), ("1" * 5000, None)],
)
def test_numbers(text: str, number: int | None) -> None:
    (message,) = Decoder().feed(BANNER + f"Event: X\r\nN: {text}\r\n\r\n".encode())
    assert message.number("N") == number


# -- encoding ----------------------------------------------------------------------------------------------------------


def read_back(wire: bytes) -> Message:
    (message,) = Decoder().feed(BANNER + wire)
    return message


def test_an_action_on_the_wire() -> None:
    wire = encode("Setvar", {"ActionID": "c1", "Variable": "X", "Value": 5})
    assert wire == b"Action: Setvar\r\nActionID: c1\r\nVariable: X\r\nValue: 5\r\n\r\n"
    wire = encode("Originate", [("ActionID", "c2")], {"A": 1, "B": "x,y"})
    assert wire.endswith(b'Variable: A=1\r\nVariable: B="x,y"\r\n\r\n')


forbidden = st.sampled_from("\r\n\0")
texts = st.text(max_size=20)


@calm
@given(texts, forbidden, texts)
def test_line_breaks_and_nul_never_reach_the_wire(before: str, bad: str, after: str) -> None:
    evil = before + bad + after
    for attempt in (
        lambda: encode(evil),
        lambda: encode("Ping", {evil: "x"}),
        lambda: encode("Ping", {"Key": evil}),
        lambda: encode("Ping", [("Key", evil)]),
        lambda: encode("Originate", {}, {"X": evil}),
        lambda: encode("Originate", {}, {evil: "x"}),
    ):
        with pytest.raises(LocalProtocolError):
            attempt()


def test_a_debtors_name_runs_no_foreign_action() -> None:
    with pytest.raises(LocalProtocolError):
        encode("Originate", {}, {"NAME": "x\r\n\r\nAction: DBPut\r\nFamily: f\r\nKey: k\r\nVal: v"})


safe = st.text(st.characters(exclude_characters="\r\n\0", exclude_categories=("Cs",)), max_size=60)


@calm
@given(safe, safe)
def test_one_action_stays_one_action_whatever_is_in_its_values(value: str, variable: str) -> None:
    message = read_back(encode("Originate", {"Data": value}, {"X": variable}))
    assert list(message.keys()) == ["Action", "Data", "Variable"]
    assert message["Data"] == value
    assert message["Variable"] == f"X={quote(variable)}"


@calm
@given(safe)
def test_a_quoted_value_holds_no_comma_outside_its_quotes(value: str) -> None:
    quoted = quote(value)
    if "," in value or '"' in value or "\\" in value:
        assert quoted[0] == quoted[-1] == '"'
        inside = quoted[1:-1]
        assert inside.replace('\\"', "").replace("\\\\", "").count('"') == 0
        unescaped, place = "", 0
        while place < len(inside):
            place += inside[place] == "\\"
            unescaped += inside[place]
            place += 1
        assert unescaped == value
    else:
        assert quoted == value


@pytest.mark.parametrize("name", ["", "A=B", "A,B", 'A"', "A B", "A'"])
def test_malformed_names_of_variables_are_refused(name: str) -> None:
    with pytest.raises(LocalProtocolError):
        encode("Originate", {}, {name: "x"})


@pytest.mark.parametrize("key", ["", "A:B", "Key: x"])
def test_malformed_keys_are_refused(key: str) -> None:
    with pytest.raises(LocalProtocolError):
        encode("Ping", {key: "x"})


def test_what_asterisk_would_not_execute_is_refused_here() -> None:
    encode("Ping", {"Key": "x" * 1000})
    with pytest.raises(LocalProtocolError, match="bytes"):
        encode("Ping", {"Key": "x" * 1020})
    with pytest.raises(LocalProtocolError, match="bytes"):
        encode("Ping", {"Key": "ñ" * 520})
    encode("Originate", {f"K{n}": "x" for n in range(MAX_LINES - 1)})
    with pytest.raises(LocalProtocolError, match="lines"):
        encode("Originate", {f"K{n}": "x" for n in range(100)}, {f"V{n}": "x" for n in range(28)})
