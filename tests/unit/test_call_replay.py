"""Every recorded conversation ends in the outcome its name says, also shuffled, doubled, and with any event lost."""

from __future__ import annotations

import random
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "support"))
from replays import Step, older, originated, ours, replay, steps

from cadencia.domain.codes import ANSWERED, Outcome
from cadencia.telephony.call import Call, Phase, Sign, Signal, advance, outcome
from cadencia.telephony.outcomes import default_table

#: Outcome by file name; the older files have direct_ or local_ before it.
EXPECTED: dict[str, Outcome] = {
    "busy": Outcome.BUSY,
    "congestion_503": Outcome.CONGESTION,
    "early_media_then_480": Outcome.OFF,
    "hangup_at_answer": Outcome.HUNG_UP,
    "human": Outcome.ABANDONED,  # nobody was there to take the call
    "invalid_404": Outcome.NOT_IN_SERVICE,
    "noanswer_timeout": Outcome.NO_ANSWER,
    "temporary_480": Outcome.NO_ANSWER,
    "e2e_human_amd_bridge": Outcome.CONNECTED,
    "e2e_human_queue": Outcome.CONNECTED,
    "e2e_machine": Outcome.MACHINE,
    "agent_drops_nobody_takes": Outcome.DROPPED,
    "agent_drops_reoffer": Outcome.CONNECTED,
    "answered_debtor_gives_up": Outcome.ABANDONED,
    "answered_late_order": Outcome.CONNECTED,
    "answered_no_agent": Outcome.ABANDONED_MESSAGE,
    "answered_no_agent_no_consent": Outcome.ABANDONED,
    "bridge_to_a_gone_debtor": Outcome.HUNG_UP,
    "cancelled_while_ringing": Outcome.CANCELLED,
    "declined_603": Outcome.REJECTED,
    "detected_human": Outcome.ABANDONED,
    "detected_machine": Outcome.MACHINE,
    "hold_and_retrieve": Outcome.CONNECTED,
    "human_debtor_hangs_up": Outcome.CONNECTED,
    "human_engine_hangs_up": Outcome.CONNECTED,
}

RECORDED: dict[str, list[Step]] = {
    f"{kind}/{transcript.name}": steps(transcript)
    for kind, transcripts in (("older", older()), ("ours", ours()))
    for transcript in transcripts
    if originated(transcript)
}
RECORDED.pop("older/direct_unregistered_agent", None)
names = st.sampled_from(sorted(RECORDED))


def expected(name: str) -> Outcome:
    return EXPECTED[name.partition("/")[2].removeprefix("direct_").removeprefix("local_")]


def told(call: Call) -> Outcome:
    return outcome(call, default_table())


def test_there_is_something_to_replay() -> None:
    assert len(RECORDED) == 19 + 21


@pytest.mark.parametrize("name", sorted(RECORDED))
def test_recorded_conversation_ends_in_its_outcome(name: str) -> None:
    call = replay(RECORDED[name])
    assert call.phase is Phase.ENDED
    assert told(call) is expected(name)


@pytest.mark.parametrize("name", sorted(RECORDED))
def test_every_event_twice_changes_nothing(name: str) -> None:
    doubled = [step for step in RECORDED[name] for _ in range(2)]
    assert replay(doubled) == replay(RECORDED[name])


def test_an_endpoint_that_is_not_there_is_the_switchs_fault() -> None:
    for folder in (older(), ours()):
        for transcript in folder:
            if transcript.name in ("direct_unregistered_agent", "agent_unregistered"):
                call = replay(steps(transcript))
                assert call.phase is Phase.FAILED
                assert told(call) is Outcome.TRUNK


#: What a channel's own thread tells, always before its Hangup; the threads that dial may come after it.
_OWN = (Sign.READY, Sign.MACHINE, Sign.ORPHANED, Sign.MESSAGE, Sign.REOFFERED, Sign.TALKING)


def may_follow_the_hangup(signal: Signal) -> bool:
    return signal.sign not in _OWN and not (signal.sign is Sign.ANSWERED and signal.reason is None)


def shuffled(played: list[Step], rng: random.Random) -> list[Step]:
    """The same signals in any order; the instants stay, as if each had come at another's."""
    mixed = rng.sample(played, len(played))
    return [Step(step.at_s, other.signal) for step, other in zip(played, mixed, strict=True)]


def as_threads_may(played: list[Step], rng: random.Random, window_s: float) -> list[Step]:
    """What came within a moment in any order that the switch's threads can bring about."""
    groups: list[list[Step]] = []
    for step in played:
        if groups and step.at_s - groups[-1][0].at_s <= window_s:
            groups[-1].append(step)
        else:
            groups.append([step])
    mixed: list[Step] = []
    for group in groups:
        others = [other.signal for other in rng.sample(group, len(group))]
        ends = [place for place, signal in enumerate(others) if signal.sign is Sign.ENDED]
        if ends:
            late = [s for s in others[ends[0] + 1 :] if may_follow_the_hangup(s)]
            others = [s for s in others if s not in late and s.sign is not Sign.ENDED] + [others[ends[0]], *late]
        mixed += [Step(step.at_s, signal) for step, signal in zip(group, others, strict=False)]
    return mixed


@settings(max_examples=200, deadline=None, derandomize=True)
@given(names, st.randoms(use_true_random=False))
def test_any_order_of_a_moment_is_the_same_outcome(name: str, rng: random.Random) -> None:
    """OriginateResponse before, between and after all the others, the Hangup included: one outcome."""
    assert told(replay(as_threads_may(RECORDED[name], rng, 0.05))) is expected(name)


#: What hangs on the order, and cannot but: how long a person waited (ABN or CST), how long the conversation was (CON or
#: CST), and whether the agent's leg was lost before or after the conversation (CON or ERR).
_WAITS = {Outcome.ABANDONED, Outcome.HUNG_UP}
_TALKS = {Outcome.CONNECTED, Outcome.DROPPED, Outcome.HUNG_UP}
_ALIKE = dict.fromkeys(_WAITS, _WAITS) | dict.fromkeys((Outcome.CONNECTED, Outcome.DROPPED), _TALKS)


@settings(max_examples=200, deadline=None, derandomize=True)
@given(names, st.randoms(use_true_random=False))
def test_any_order_at_all_with_the_hangup_last(name: str, rng: random.Random) -> None:
    """Beyond what any switch does: what is known at the end decides, not the way there."""
    played = RECORDED[name]
    others = [step for step in played if step.signal.sign is not Sign.ENDED]
    ends = [step for step in played if step.signal.sign is Sign.ENDED]
    found = told(replay([*shuffled(others, rng), Step(played[-1].at_s, ends[0].signal)]))
    assert found in _ALIKE.get(expected(name), {expected(name)})


@settings(max_examples=200, deadline=None, derandomize=True)
@given(names, st.randoms(use_true_random=False))
def test_any_order_at_all_with_the_hangup_anywhere(name: str, rng: random.Random) -> None:
    """Nothing counts after the Hangup; its own headers still tell an answered call from one nobody picked up."""
    found = told(replay(shuffled(RECORDED[name], rng)))
    assert (found in ANSWERED) is (expected(name) in ANSWERED)
    if expected(name) not in ANSWERED:
        assert found is expected(name)


def without(played: list[Step], lost: int) -> Call:
    """The call after all but one; if the Hangup is the one, the next snapshot finds the channel gone."""
    call = replay(played[:lost] + played[lost + 1 :])
    if call.phase not in (Phase.ENDED, Phase.FAILED):
        call = advance(call, Signal(call.ref, Sign.GONE), played[-1].at_s + 5.0)
    return call


@pytest.mark.parametrize("name", sorted(RECORDED))
def test_any_one_event_lost_does_no_harm(name: str) -> None:
    for lost, step in enumerate(RECORDED[name]):
        found = told(without(RECORDED[name], lost))
        if expected(name) in ANSWERED:
            assert found in ANSWERED, step
        elif step.signal.sign is Sign.ENDED:
            # Without the cause: our own time-out, our own cancellation or "nobody can say", never a made-up answer.
            fallen_back = {expected(name), Outcome.UNKNOWN, Outcome.TRUNK}
            assert found in fallen_back, step
        else:
            assert found is expected(name), step
        if expected(name) is Outcome.ABANDONED_MESSAGE and step.signal.sign is not Sign.ENDED:
            assert found in (Outcome.ABANDONED, Outcome.ABANDONED_MESSAGE), step
