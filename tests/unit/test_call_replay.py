"""Every recorded conversation ends in the outcome its name says, also shuffled, doubled, and with any event lost."""

from __future__ import annotations

import itertools
import random
import sys
from collections.abc import Collection
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


def without(played: list[Step], lost: Collection[int]) -> Call:
    """The call after all but these; if the Hangup is among them, the next snapshot finds the channel gone."""
    call = replay([step for place, step in enumerate(played) if place not in lost])
    if call.phase not in (Phase.ENDED, Phase.FAILED):
        call = advance(call, Signal(call.ref, Sign.GONE), played[-1].at_s + 5.0)
    return call


@pytest.mark.parametrize("name", sorted(RECORDED))
def test_any_one_event_lost_does_no_harm(name: str) -> None:
    for lost, step in enumerate(RECORDED[name]):
        found = told(without(RECORDED[name], [lost]))
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


# -- every order, every doubling, every loss ---------------------------------------------------------------------------

#: Up to 7 signals every order is tried: 5,040.
SMALL = sorted(name for name, played in RECORDED.items() if len(played) <= 7)


def possible(signals: Collection[Signal]) -> bool:
    """Whether the switch's threads can bring about this order: a channel's own thread says nothing after its Hangup."""
    ended = False
    for signal in signals:
        if ended and not may_follow_the_hangup(signal):
            return False
        ended = ended or signal.sign is Sign.ENDED
    return True


@pytest.mark.parametrize("name", SMALL)
def test_every_order_of_a_small_conversation(name: str) -> None:
    """All orders of at most seven signals, each signal at the instant of the place it came to.

    Nobody answered: the same outcome in every order, wherever the Hangup. Somebody answered: that is never missed, and
    in an order that the switch's threads can bring about the outcome is the same but for what hangs on the instants and
    not on the facts: how long a person waited (ABN or CST) and how long a conversation was (CON or CST). In an order
    that they cannot (a channel that speaks after its own Hangup) what comes after the end is not counted.
    """
    played = RECORDED[name]
    alike = _ALIKE.get(expected(name), {expected(name)})
    orders = 0
    for order in itertools.permutations(step.signal for step in played):
        found = told(replay([Step(step.at_s, signal) for step, signal in zip(played, order, strict=True)]))
        if expected(name) not in ANSWERED:
            assert found is expected(name), order
        elif possible(order):
            assert found in alike, order
        else:
            assert found in ANSWERED, order
        orders += 1
    assert orders >= 6


@pytest.mark.parametrize("name", sorted(RECORDED))
def test_any_of_the_events_twice_change_nothing(name: str) -> None:
    """Every subset of the signals, each of it said twice in a row: not one fact of the call differs."""
    played = RECORDED[name]
    once = replay(played)
    for chosen in itertools.product((1, 2), repeat=len(played)):
        assert replay([step for step, times in zip(played, chosen, strict=True) for _ in range(times)]) == once


#: An agent found or lost, said again when another was lost or found since, can only be taken for a new one.
_TURNS = (Sign.TALKING, Sign.REOFFERED)


@pytest.mark.parametrize("name", sorted(RECORDED))
def test_any_event_again_at_any_later_time_changes_nothing(name: str) -> None:
    """One exception is in the nature of the thing: found, lost, and found said again is found, lost and found."""
    played = RECORDED[name]
    for first, step in enumerate(played):
        for place in range(first + 1, len(played) + 1):
            again = Step(played[place - 1].at_s, step.signal)
            found = told(replay([*played[:place], again, *played[place:]]))
            turned = any(s.signal.sign in _TURNS and s.signal.sign is not step.signal.sign for s in played[first:place])
            if step.signal.sign in _TURNS and turned:
                assert found in {*_TALKS, expected(name)}, (step, place)
            else:
                assert found is expected(name), (step, place)


def legitimate(name: str, lost: Collection[Sign]) -> set[Outcome]:
    """What may be written down when these were never heard: no more than the signals that are left can tell.

    The Hangup has the only word on why a call was not answered and on when a wait ended; BridgeEnter on the
    conversation; CadReoffer on the agent that was lost; CadMachine and CadReleased on what answered and what it heard.
    """
    wanted = expected(name)
    fine = {wanted}
    if Sign.ENDED in lost:
        fine |= _WAITS if wanted in _WAITS else set() if wanted in ANSWERED else {Outcome.TRUNK, Outcome.UNKNOWN}
    if Sign.TALKING in lost:  # offered and not seen together: nobody spoke, as far as anybody can tell
        fine |= {*_WAITS, Outcome.ABANDONED_MESSAGE, Outcome.DROPPED}
    if Sign.REOFFERED in lost:
        fine |= {Outcome.CONNECTED}
    if Sign.MACHINE in lost or Sign.MESSAGE in lost:
        fine |= {Outcome.ABANDONED}
    return fine


@pytest.mark.parametrize("name", sorted(RECORDED))
def test_any_two_events_lost_do_no_harm(name: str) -> None:
    """An answer is never missed and never made up, and the outcome is one that the rest can tell; see `legitimate`."""
    played = RECORDED[name]
    for lost in (*itertools.combinations(range(len(played)), 1), *itertools.combinations(range(len(played)), 2)):
        if len(lost) == len(played):
            continue
        found = told(without(played, lost))
        assert (found in ANSWERED) is (expected(name) in ANSWERED), lost
        assert found in legitimate(name, [played[place].signal.sign for place in lost]), lost


@settings(max_examples=300, deadline=None, derandomize=True)
@given(names, st.sets(st.integers(0, 11), max_size=2), st.sets(st.integers(0, 30)), st.randoms(use_true_random=False))
def test_lost_doubled_and_out_of_order_at_once(
    name: str, lost: set[int], doubled: set[int], rng: random.Random
) -> None:
    played = RECORDED[name]
    lost = {place for place in lost if place < len(played) - 1}
    heard = [step for place, step in enumerate(played) if place not in lost]
    mixed = as_threads_may(heard, rng, 0.05)
    call = replay([step for place, step in enumerate(mixed) for _ in range(1 + (place in doubled))])
    if call.phase not in (Phase.ENDED, Phase.FAILED):
        call = advance(call, Signal(call.ref, Sign.GONE), played[-1].at_s + 5.0)
    fine = legitimate(name, [played[place].signal.sign for place in lost])
    assert told(call) in fine.union(*(_ALIKE.get(one, {one}) for one in fine))
    assert (told(call) in ANSWERED) is (expected(name) in ANSWERED)
