"""The table of a call: total, forward only, deaf to repetition, silent after the end."""

from __future__ import annotations

import dataclasses
from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cadencia.domain.codes import ANSWERED, Outcome
from cadencia.telephony.ami.codec import Decoder, Message
from cadencia.telephony.call import TABLE, Bridges, Call, Phase, Sign, Signal, advance, outcome, read
from cadencia.telephony.outcomes import default_table

signals = st.builds(
    Signal,
    st.just("a1"),
    st.sampled_from(Sign),
    cause=st.sampled_from([None, 0, 1, 16, 17, 19, 34, 44, 127]),
    tech_cause=st.sampled_from([None, 404, 480, 486, 503]),
    reason=st.sampled_from([None, 0, 3, 4]),
    state=st.sampled_from([None, 0, 5, 6]),
)


def told(*played: Signal, every_s: float = 1.0) -> Call:
    call = Call("a1", 0.0)
    for place, signal in enumerate(played, 1):
        call = advance(call, signal, place * every_s)
    return call


def sign(kind: Sign, **numbers: int) -> Signal:
    return Signal("a1", kind, **numbers)


def message(text: str) -> Message:
    (read_back,) = Decoder().feed(b"banner\r\n" + text.replace("\n", "\r\n").encode() + b"\r\n\r\n")
    return read_back


@pytest.mark.parametrize(("phase", "kind"), list(product(Phase, Sign)))
def test_every_phase_takes_every_sign(phase: Phase, kind: Sign) -> None:
    after = advance(Call("a1", 0.0, phase), sign(kind), 1.0)
    assert after.phase is TABLE.get((phase, kind), phase)


@pytest.mark.parametrize("kind", Sign)
def test_nothing_moves_a_call_that_ended(kind: Sign) -> None:
    ended = told(sign(Sign.ANSWERED), sign(Sign.ENDED, cause=16))
    assert advance(ended, sign(kind, cause=17, reason=3), 9.0) is ended


def test_no_phase_leads_back_before_the_answer() -> None:
    before = {Phase.SENT, Phase.RINGING, Phase.FAILED}
    assert not [pair for pair, after in TABLE.items() if pair[0] not in before and after in before]


@settings(deadline=None, derandomize=True)
@given(st.lists(signals, max_size=12), signals)
def test_a_signal_twice_is_a_signal_once(played: list[Signal], repeated: Signal) -> None:
    once = advance(told(*played), repeated, 50.0)
    assert advance(once, repeated, 60.0) is once


@settings(deadline=None, derandomize=True)
@given(st.lists(signals, max_size=14))
def test_what_is_known_is_never_unlearnt(played: list[Signal]) -> None:
    call = Call("a1", 0.0)
    for place, signal in enumerate(played, 1):
        after = advance(call, signal, float(place))
        for field in dataclasses.fields(Call):
            was, now = getattr(call, field.name), getattr(after, field.name)
            if field.name.endswith("_s") and was is not None:
                assert now == was
            if was is True:
                assert now is True
        call = after
        assert isinstance(outcome(call, default_table()), Outcome)
    if call.answered_s is not None:
        assert outcome(call, default_table()) in ANSWERED
    if call.phase is Phase.ENDED:
        assert call.ended_s is not None
        assert call.ended_in is not None


def test_an_answer_nobody_told_of_is_seen_at_the_hangup() -> None:
    missed = told(sign(Sign.RINGING), sign(Sign.ENDED, cause=16, state=6), every_s=5.0)
    assert missed.answered_s == 5.0
    assert outcome(missed, default_table()) is Outcome.ABANDONED


def test_a_ring_nobody_told_of_is_seen_at_the_hangup() -> None:
    rang = told(sign(Sign.ENDED, cause=19, tech_cause=480, state=5))
    silent = told(sign(Sign.ENDED, cause=19, tech_cause=480, state=0))
    assert outcome(rang, default_table()) is Outcome.NO_ANSWER
    assert outcome(silent, default_table()) is Outcome.OFF


@pytest.mark.parametrize(
    ("played", "expected"),
    [
        ([Sign.GONE], Outcome.UNKNOWN),
        ([Sign.FAILED], Outcome.TRUNK),
        ([Sign.RINGING, Sign.CANCELLED, Sign.GONE], Outcome.CANCELLED),
        ([Sign.READY, Sign.GONE], Outcome.ABANDONED),
        ([Sign.READY, Sign.ORPHANED, Sign.MESSAGE, Sign.ENDED], Outcome.ABANDONED_MESSAGE),
        ([Sign.ANSWERED, Sign.MACHINE, Sign.ENDED], Outcome.MACHINE),
        ([Sign.READY, Sign.OFFERED, Sign.ENDED], Outcome.HUNG_UP),
        ([Sign.READY, Sign.OFFERED, Sign.RELEASED, Sign.ENDED], Outcome.ABANDONED),
        ([Sign.RINGING, Sign.CANCELLED, Sign.ANSWERED, Sign.ENDED], Outcome.ABANDONED),
        ([Sign.READY, Sign.OFFERED, Sign.TALKING, Sign.ENDED], Outcome.CONNECTED),
        ([Sign.READY, Sign.OFFERED, Sign.TALKING, Sign.GONE], Outcome.CONNECTED),
        ([Sign.READY, Sign.OFFERED, Sign.TALKING, Sign.REOFFERED, Sign.ENDED], Outcome.DROPPED),
        ([Sign.READY, Sign.OFFERED, Sign.UNOFFERED, Sign.OFFERED, Sign.TALKING, Sign.ENDED], Outcome.CONNECTED),
        ([Sign.READY, Sign.ORPHANED, Sign.OFFERED, Sign.TALKING, Sign.ENDED], Outcome.CONNECTED),
    ],
)
def test_outcomes_of_plain_stories(played: list[Sign], expected: Outcome) -> None:
    assert outcome(told(*map(sign, played)), default_table()) is expected


def test_a_conversation_that_broke_is_no_plain_connection() -> None:
    talk = [sign(Sign.READY), sign(Sign.OFFERED), sign(Sign.TALKING)]
    assert outcome(told(*talk, sign(Sign.ENDED, cause=44, state=6)), default_table()) is Outcome.DROPPED


def test_gone_at_the_answer_is_the_debtors_doing_and_a_wait_is_ours() -> None:
    played = [sign(Sign.READY), sign(Sign.ENDED, cause=16, state=6)]
    assert outcome(told(*played, every_s=0.25), default_table()) is Outcome.HUNG_UP
    assert outcome(told(*played, every_s=0.35), default_table()) is Outcome.ABANDONED


def test_our_own_time_out_is_no_answer_whatever_the_switch_makes_up() -> None:
    timed_out = [sign(Sign.FAILED, reason=3), sign(Sign.ENDED, cause=19, tech_cause=480, state=0)]
    assert outcome(told(*timed_out), default_table()) is Outcome.NO_ANSWER


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Event: DialBegin\nDestUniqueid: a1", Signal("a1", Sign.CHANNEL)),
        ("Event: DialState\nDestUniqueid: a1\nDialStatus: RINGING", Signal("a1", Sign.RINGING)),
        ("Event: DialState\nDestUniqueid: a1\nDialStatus: PROGRESS", Signal("a1", Sign.PROGRESS)),
        ("Event: Newstate\nUniqueid: a1\nChannelState: 5", Signal("a1", Sign.RINGING)),
        ("Event: Newstate\nUniqueid: a1\nChannelState: 6", Signal("a1", Sign.ANSWERED)),
        ("Event: Newstate\nUniqueid: a1\nChannelState: 4", None),
        ("Event: OriginateResponse\nResponse: Success\nReason: 4\nUniqueid: a1", Signal("a1", Sign.ANSWERED, reason=4)),
        ("Event: OriginateResponse\nResponse: Failure\nReason: 3\nUniqueid: a1", Signal("a1", Sign.FAILED, reason=3)),
        (
            "Event: Hangup\nUniqueid: a1\nChannelState: 0\nCause: 17\nTechCause: 486",
            Signal("a1", Sign.ENDED, 17, 486, state=0),
        ),
        ("Event: Hangup\nUniqueid: a1\nCause: unheard of", Signal("a1", Sign.ENDED)),
        ("Event: UserEvent\nUniqueid: a1\nUserEvent: CadReady", Signal("a1", Sign.READY)),
        ("Event: UserEvent\nUniqueid: a1\nUserEvent: CadReleased\nPlayed: SUCCESS", Signal("a1", Sign.MESSAGE)),
        ("Event: UserEvent\nUniqueid: a1\nUserEvent: CadReleased\nPlayed: ", None),
        ("Event: UserEvent\nUniqueid: a1\nUserEvent: SomethingOfTheSites", None),
        ("Event: Unheard\nUniqueid: a1", None),
    ],
)
def test_events_are_read_as_signals(text: str, expected: Signal | None) -> None:
    assert read(message(text)) == expected


def entered(leg: str, bridge: str, *, holding: bool = False) -> Message:
    technology = "holding_bridge" if holding else "simple_bridge"
    return message(f"Event: BridgeEnter\nBridgeUniqueid: {bridge}\nBridgeTechnology: {technology}\nUniqueid: {leg}")


def left(leg: str, bridge: str) -> Message:
    return message(f"Event: BridgeLeave\nBridgeUniqueid: {bridge}\nUniqueid: {leg}")


def test_two_legs_in_one_bridge_are_a_conversation_and_a_waiting_room_is_none() -> None:
    bridges = Bridges()
    assert not bridges.enter(entered("d1", "room", holding=True))
    assert not bridges.enter(entered("g1", "room", holding=True))
    assert bridges.enter(entered("d1", "b1")) == {"d1"}
    assert bridges.enter(entered("g1", "b1")) == {"d1", "g1"}
    bridges.leave(left("d1", "another"))
    assert bridges.enter(entered("g1", "b1")) == {"d1", "g1"}
    bridges.leave(left("d1", "b1"))
    assert bridges.enter(entered("g1", "b1")) == {"g1"}


def test_a_leg_is_in_one_bridge_at_a_time_and_a_hangup_takes_it_out() -> None:
    bridges = Bridges()
    bridges.enter(entered("d1", "b1"))
    bridges.enter(entered("d1", "b2"))
    assert bridges.enter(entered("g1", "b1")) == {"g1"}
    bridges.enter(entered("g1", "b2"))
    bridges.leave(message("Event: Hangup\nUniqueid: g1"))
    assert bridges.enter(entered("g2", "b2")) == {"d1", "g2"}
    bridges.clear()
    assert bridges.enter(entered("g2", "b2")) == {"g2"}
