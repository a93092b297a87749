"""The campaign's parts that need no floor: leases in hand, the day's answers, the story, the row, the sentence."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cadencia.dialer.counts import BUDGET_DAYS, AnswerBook, day_starts, local_day
from cadencia.dialer.decisions import Decided, DecisionLog
from cadencia.dialer.hand import Hand, made_up
from cadencia.dialer.priors import nearest
from cadencia.dialer.told import Teller
from cadencia.dialer.why import LIST_EMPTY, sentence
from cadencia.domain.agents import AgentState
from cadencia.domain.codes import Outcome
from cadencia.domain.dialing import CampaignSettings, ContactFacts, DayCount, Lease, Mode, Prior
from cadencia.domain.law import Facts, Person
from cadencia.domain.people import DebtorFile, LineType, PastContact, Phone, PhoneStatus
from cadencia.pacing import AgentView, Budget, Count, Decision, Forecast, PacingEvent, Snapshot
from cadencia.pacing.reasons import ENOUGH_IN_FLIGHT, LAUNCHING, LIMITED_BY_RISK, REASONS
from cadencia.queue.propensity import propensity
from cadencia.queue.routing import longest_idle
from cadencia.telephony.trunks import TrunkLimits

NOW = datetime(2026, 11, 24, 14, 0, tzinfo=UTC)
PHONE = Phone(1, "+573001112233", LineType.MOBILE, 1, PhoneStatus.NEW)


def facts(attempts: int = 0) -> ContactFacts:
    return ContactFacts(
        contact_id=1,
        campaign_id="c1",
        person=Person(1, frozenset(), ("America/Bogota",)),
        facts=Facts(),
        phones=(PHONE,),
        attempts=attempts,
    )


def past(outcome: Outcome, disposition: str | None = None) -> PastContact:
    return PastContact(NOW, str(outcome), disposition, None, "")


def lease(n: int, attempts: int = 0, *, at: datetime = NOW) -> Lease:
    file = DebtorFile(1, "", "", "", "", "", (), (), ())
    return Lease(f"a{n}", "c1", n, PHONE, facts(attempts), file, at)


# -- propensity, hand --------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("attempts", "history", "kind"),
    [
        (0, [], 1),
        (1, [past(Outcome.NO_ANSWER)], 1),
        (2, [past(Outcome.NO_ANSWER), past(Outcome.BUSY)], 0),
        (5, [past(Outcome.NO_ANSWER), past(Outcome.CONNECTED, "VLL")], 1),
        (5, [past(Outcome.ABANDONED)], 1),
        (5, [past(Outcome.MACHINE), past(Outcome.CONNECTED, "BUZ")], 0),
    ],
)
def test_who_answered_before_is_likely_to_answer(attempts: int, history: list[PastContact], kind: int) -> None:
    assert propensity(facts(attempts), history) == kind


def test_the_hand_gives_out_in_the_lists_order_or_by_class() -> None:
    hand = Hand()
    hand.put(lease(n, attempts=3 * (n % 2)) for n in range(6))  # even ones likely, odd ones not
    assert hand.supply == (3, 3)
    assert [held.attempt_id for held, _ in hand.draw(2)] == ["a0", "a1"]
    assert [(held.attempt_id, kind) for held, kind in hand.draw(3, (2, 1))] == [("a2", 1), ("a3", 0), ("a5", 0)]
    assert (hand.supply, len(hand)) == ((0, 1), 1)
    assert [held.attempt_id for held in hand.clear()] == ["a4"]
    assert hand.supply == (0, 0)


def test_a_lower_class_makes_up_for_a_higher_one_and_never_the_other_way_round() -> None:
    hand = Hand()
    hand.put([lease(0), lease(1, 5), lease(2, 5)])
    assert [kind for _, kind in hand.draw(2, (0, 2))] == [1, 0]
    hand = Hand()
    hand.put([lease(0), lease(1)])
    assert hand.draw(2, (2, 0)) == []


@given(st.lists(st.integers(0, 9), min_size=2, max_size=4), st.lists(st.integers(0, 9), min_size=2, max_size=4))
def test_making_up_takes_no_more_than_wanted_and_never_answers_more(wanted: list[int], supply: list[int]) -> None:
    wanted = (wanted + [0] * 4)[: len(supply)]
    taken = made_up(wanted, supply)
    assert all(0 <= t <= s for t, s in zip(taken, supply, strict=True))
    for kind in range(len(supply)):  # of this class and above never more than was wanted of them
        assert sum(taken[kind:]) <= sum(wanted[kind:])
    assert all(t >= min(w, s) for t, w, s in zip(taken, wanted, supply, strict=True))


def test_old_leases_leave_the_hand() -> None:
    hand = Hand()
    hand.put([lease(0, at=NOW - timedelta(seconds=31)), lease(1)])
    assert [held.attempt_id for held in hand.old(NOW - timedelta(seconds=30))] == ["a0"]
    assert len(hand) == 1


# -- routing, trunk ----------------------------------------------------------------------------------------------------
class _Seat:
    def __init__(self, name: str, *skills: str) -> None:
        self.name, self.skills = name, frozenset(skills)


def test_the_best_rank_first_then_who_has_waited_longest() -> None:
    floor = [_Seat("a", "es"), _Seat("b"), _Seat("c", "es"), _Seat("d", "es")]
    rank = {"a": None, "b": 0, "c": 1, "d": 1}

    def chosen(skill: str, ranks: dict[str, int | None] = rank) -> str | None:
        seat = longest_idle(floor, skill, lambda seat: ranks[seat.name])
        return seat.name if seat else None

    assert chosen("") == "b"
    assert chosen("es") == "c"
    assert chosen("es", {**rank, "d": 0}) == "d"
    assert chosen("es", dict.fromkeys("abcd")) is None
    assert chosen("fr") is None
    first = longest_idle(floor, "es")
    assert first is floor[0]


def test_a_trunk_tells_channels_and_rate_apart_and_looking_changes_nothing() -> None:
    limits = TrunkLimits(10, 2.0)
    assert (limits.room_channels(7), limits.room_channels(12)) == (3, 0)
    assert [limits.room_rate(100.0) for _ in range(3)] == [2, 2, 2]
    limits.take(2, 100.0)
    assert [limits.room_rate(at) for at in (100.0, 100.6, 101.0, 200.0)] == [0, 1, 2, 2]


# -- the day's answers -------------------------------------------------------------------------------------------------
def test_days_begin_at_local_midnight() -> None:
    starts = day_starts(datetime(2026, 11, 25, 3, 0, tzinfo=UTC))  # still the 24th in Bogotá
    assert len(starts) == BUDGET_DAYS
    assert starts[-1].astimezone(UTC) == datetime(2026, 11, 24, 5, 0, tzinfo=UTC)
    assert (starts[-1] - starts[0]).days == 29
    assert local_day(starts[-1]) == date(2026, 11, 24)


def test_the_budget_counts_the_day_and_thirty_days_and_is_the_same_object_until_something_changes() -> None:
    today, settings = date(2026, 11, 24), CampaignSettings(abandonment_target=0.02)
    old = [DayCount(today - timedelta(n), 100, 2, 10) for n in (29, 30, 1)]
    book = AnswerBook([*old, DayCount(today, 10, 1, 2, 3)])
    budget = book.budget(today, settings)
    assert budget == Budget(0.03, 0.02, Count(10, 1, 2), Count(210, 5, 22), 3)
    assert book.budget(today, settings) is budget
    book.count(today, answers=1, unjudged=1)
    assert book.budget(today, settings).day == Count(11, 1, 2)
    tomorrow = book.budget(today + timedelta(1), settings)
    assert (tomorrow.day, tomorrow.month, tomorrow.unjudged) == (Count(), Count(111, 3, 12), 0)


# -- the story ---------------------------------------------------------------------------------------------------------
def story() -> tuple[Teller, list[tuple[str, str]]]:
    told: list[tuple[str, str]] = []

    def tell(event: PacingEvent) -> None:
        told.append((event.ref, f"{event.kind}{':' + event.ending if event.ending else ''}"))

    return Teller(tell), told


@pytest.mark.parametrize(
    ("outcome", "told"),
    [
        (Outcome.NO_ANSWER, ["unanswered:NOA"]),
        (Outcome.BUSY, ["unanswered:OCU"]),
        (Outcome.CONGESTION, ["failed:CNG"]),
        (Outcome.TRUNK, ["failed:TRK"]),
        (Outcome.CANCELLED, ["cancelled"]),
        (Outcome.UNKNOWN, ["cancelled"]),
        (Outcome.MACHINE, ["machine"]),
        (Outcome.HUNG_UP, ["answered", "abandoned"]),
        (Outcome.ABANDONED, ["answered", "abandoned"]),
    ],
)
def test_an_attempt_that_nobody_took_ends_in_one_word(outcome: Outcome, told: list[str]) -> None:
    teller, heard = story()
    teller.launched("x", 0.0)
    teller.ended("x", outcome, 9.0)
    teller.ended("x", outcome, 9.0)
    teller.cancelled("x", 10.0)
    assert [what for _, what in heard] == ["launched", *told]


def test_a_conversation_is_judged_once_and_after_its_end() -> None:
    teller, heard = story()
    teller.launched("x", 0.0)
    teller.connected("x", 5.0)
    teller.judged("x", 6.0, live=True)
    teller.ended("x", Outcome.CONNECTED, 9.0)
    teller.judged("x", 12.0, live=False)
    assert [what for _, what in heard] == ["launched", "answered", "connected", "ended", "judged"]
    teller.judged("never heard of", 12.0, live=True)
    assert len(heard) == 5


# -- the row of a second -----------------------------------------------------------------------------------------------
def decided(now_s: float, launch: int, reason: str, cancel: tuple[str, ...] = ()) -> Decided:
    agents = (AgentView("a", AgentState.READY, 0.0), AgentView("b", AgentState.TALKING, 0.0))
    snapshot = Snapshot(now_s, agents, supply=(2, 3))
    return Decided(Mode.PREDICTIVE, snapshot, Decision(launch, cancel, reason, wanted=launch), launch, reason)


def test_a_second_is_one_row_with_its_sums_and_the_reason_that_tells() -> None:
    log = DecisionLog()
    first = log.take(decided(0.0, 1, LAUNCHING))
    assert first is not None
    assert (first["launch"], first["reason"], first["ready"], first["at_work"]) == (1, LAUNCHING, 1, 2)
    assert log.take(decided(0.2, 2, LAUNCHING, ("x",))) is None
    assert log.take(decided(0.4, 1, LIMITED_BY_RISK)) is None
    assert log.take(decided(0.9, 0, ENOUGH_IN_FLIGHT)) is None
    row = log.take(decided(1.1, 0, ENOUGH_IN_FLIGHT))
    assert row is not None
    assert (row["launch"], row["cancel"], row["reason"], row["supply"]) == (3, 1, LIMITED_BY_RISK, [2, 3])
    assert log.take(decided(2.2, 0, LIMITED_BY_RISK)) is None  # nothing new
    assert log.take(decided(3.3, 0, ENOUGH_IN_FLIGHT)) is not None
    assert log.shown is not None
    assert log.shown["reason"] == ENOUGH_IN_FLIGHT


def test_what_was_launched_in_a_second_that_had_no_end_is_not_lost() -> None:
    log = DecisionLog()
    log.take(decided(0.0, 1, LAUNCHING))
    log.take(decided(0.5, 4, LAUNCHING))
    row = log.rest()
    assert row is not None
    assert row["launch"] == 4
    assert log.rest() is None


# -- the sentence ------------------------------------------------------------------------------------------------------
def test_every_reason_is_a_sentence_in_both_languages() -> None:
    bare: dict[str, Any] = {"launch": 0}
    full = Decided(
        Mode.PREDICTIVE,
        Snapshot(0.0, (), supply=(0, 4), budget=Budget(day=Count(200, 7))),
        Decision(2, wanted=9, forecast=Forecast(0.061, 0.05, -1.2, 0.25, free_10s=4.15, answers_10s=4.9)),
        2,
        "",
    )
    from cadencia.dialer.decisions import body

    for reason in (*REASONS, LIST_EMPTY):
        for row in ({**bare, "reason": reason}, body(replace(full, reason=reason), 2, 0)):
            said = sentence(row)
            assert "{" not in said + said.es
            assert said.es != str(said)
            assert len(said) > 20


def test_the_sentence_says_the_numbers_as_each_language_writes_them() -> None:
    row = {"reason": LIMITED_BY_RISK, "launch": 1, "risk": 0.0612, "threshold": 0.05, "free_10s": 4.15}
    said = sentence({**row, "answers_10s": 4.9})
    assert str(said) == (
        "One more answer would find nobody with a probability of 6.1%; 5.0% is allowed; "
        "within 10 s 4.2 agents free and 4.9 answers expected; 1 call started"
    )
    assert said.es == (
        "Una respuesta más no hallaría agente con una probabilidad de 6,1 %; se permite 5,0 %; "
        "en 10 s se esperan 4,2 agentes libres y 4,9 respuestas; inició 1 llamada"
    )


def test_a_row_of_an_older_version_is_still_a_sentence() -> None:
    assert str(sentence({"reason": "no-free-agent", "at_work": 3})) == "All 3 agents are busy"
    assert str(sentence({"reason": "of-tomorrow"})) == "of-tomorrow"


# -- hours -------------------------------------------------------------------------------------------------------------
def test_the_prior_is_that_of_the_hour_or_of_the_nearest() -> None:
    def prior(hour: int, day: int = 1) -> Prior:
        return Prior("c1", "", hour, {}, NOW - timedelta(days=day))

    kept = [prior(9), prior(15), prior(23, day=2)]
    assert nearest(kept, 15) == kept[1]
    assert nearest(kept, 1) == kept[2]  # round the clock
    assert nearest(kept, 12) in (kept[0], kept[1])
    assert nearest([prior(9, day=5), prior(15, day=2)], 12) == prior(15, day=2)
    assert nearest([], 9) is None
