"""Abandonment as each law counts it: examples reckoned by hand, and what must hold of all of them."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cadencia.config.profiles import load_site
from cadencia.domain.codes import NOT_DISPOSED, Outcome
from cadencia.domain.dialing import Dialled
from cadencia.metrics.abandonment import (
    Estimate,
    Span,
    Tally,
    Terms,
    Variant,
    by_day,
    centre,
    lines,
    midnight,
    needed_from,
    over,
    percentile,
    share,
    terms,
    windows,
)

#: A Tuesday, 09:00 in Bogotá.
NOW = datetime(2026, 11, 24, 14, 0, tzinfo=UTC)
TODAY = date(2026, 11, 24)
ASKED = Terms(binding=frozenset(Variant))


def seconds(n: float) -> timedelta:
    return timedelta(seconds=n)


def call(
    outcome: Outcome | None,
    *,
    at: datetime = NOW,
    waited: float | None = None,
    held: float = 60.0,
    disposition: str | None = None,
    answered: bool = True,
    ring_s: float | None = None,
) -> Dialled:
    return Dialled(
        "a",
        at - seconds(12),
        at - seconds(10),
        at if answered else None,
        at + seconds(waited) if waited is not None else None,
        at + seconds(held) if outcome is not None else None,
        outcome,
        disposition,
        ring_s,
    )


def tallied(*calls: Dialled, asked: Terms = ASKED) -> Tally:
    tally = Tally()
    for one in calls:
        tally.take(one, asked)
    return tally


#: 100 answers: 90 put through at once, 4 of them undisposed; 3 after 5 s; 2 left alone; 1 who waited 4 s and hung up;
#: 4 machines by the agent's word, 10 by the detector's.
DAY = (
    *(call(Outcome.CONNECTED, waited=0.5, disposition="REN") for _ in range(86)),
    *(call(Outcome.CONNECTED, waited=0.5, disposition=code) for code in (None, None, None, NOT_DISPOSED)),
    *(call(Outcome.CONNECTED, waited=5.0, disposition="PPT") for _ in range(3)),
    call(Outcome.ABANDONED, held=2.0),
    call(Outcome.ABANDONED_MESSAGE, held=14.0),
    call(Outcome.HUNG_UP, held=4.0),
    *(call(Outcome.HUNG_UP, held=0.8) for _ in range(4)),
    *(call(Outcome.CONNECTED, waited=0.5, disposition="BUZ") for _ in range(4)),
    *(call(Outcome.MACHINE, held=3.0) for _ in range(10)),
)


def test_the_tsr_counts_who_waited_too_long_though_put_through() -> None:
    result = share(tallied(*DAY), Variant.TSR)
    assert (result.abandoned, result.of) == (6, 100)  # 2 left alone, 1 let go, 3 late
    assert result.share == 0.06
    assert result.upper == pytest.approx(0.1151, abs=2e-4)  # Clopper-Pearson, one-sided, 6 of 100
    assert share(tallied(*DAY), Variant.TCPA) == result


def test_the_strict_one_is_the_paces() -> None:
    result = share(tallied(*DAY), Variant.STRICT)
    assert (result.abandoned, result.of, result.share) == (2, 100, 0.02)


def test_ofcom_adds_the_estimated_false_positives_of_a_detector() -> None:
    result = share(tallied(*DAY), Variant.OFCOM, Estimate(0.2, "test of May"))
    assert (result.abandoned, result.of) == (5, 98)  # 3 + 2 of 10, over these and 93 put through
    assert result.share == pytest.approx(5 / 98)
    assert result.complete
    without = share(tallied(*DAY), Variant.OFCOM)
    assert (without.abandoned, without.of, without.complete) == (3, 96, False)
    assert share(tallied(*DAY[:-10]), Variant.OFCOM).complete  # no detector: nothing to estimate


def test_ofcom_without_a_detector_takes_the_machines_out_of_the_abandoned() -> None:
    result = share(tallied(*DAY[:-10]), Variant.OFCOM_DEDUCTED)
    kept = 3 * 93 / 97  # of 97 put through 4 were machines
    assert result.abandoned == pytest.approx(kept)
    assert result.share == pytest.approx(kept / (kept + 93))
    assert result.upper == pytest.approx(share(tallied(*DAY[:-10]), Variant.OFCOM).upper)  # of the next whole number: 3


@pytest.mark.parametrize("variant", Variant)
def test_nothing_answered_is_a_rate_of_zero_that_proves_nothing(variant: Variant) -> None:
    for tally in (Tally(), tallied(call(Outcome.NO_ANSWER, answered=False))):
        result = share(tally, variant)
        assert (result.abandoned, result.of, result.share, result.upper) == (0, 0, 0.0, 1.0)


def test_a_telephone_that_is_rung_for_the_call_makes_people_wait() -> None:
    patient = tallied(*(call(Outcome.CONNECTED, waited=s, disposition="REN") for s in (1.9, 2.0, 2.1, 12.0)))
    assert share(patient, Variant.TSR).share == 0.5
    assert share(patient, Variant.STRICT).share == 0.0
    assert [percentile(patient.waits_s, p) for p in (0.5, 0.95, 1.0)] == pytest.approx([2.0, 12.0, 12.0])
    assert percentile([], 0.5) is None
    lenient = tallied(call(Outcome.CONNECTED, waited=12.0), asked=replace(ASKED, connect_within_s=12.0))
    assert share(lenient, Variant.TSR).share == 0.0


def test_a_call_that_goes_on_is_an_answer_and_not_abandoned_yet() -> None:
    waiting, talking = call(None), call(None, waited=0.4)
    tally = tallied(waiting, talking)
    assert (tally.answers, tally.passed, tally.undisposed) == (2, 1, 1)
    assert share(tally, Variant.TSR).abandoned == 0


def test_unanswered_telephones_rang_long_enough_or_not() -> None:
    tally = tallied(
        call(Outcome.NO_ANSWER, answered=False, ring_s=22.0),
        call(Outcome.CANCELLED, answered=False, ring_s=15.0),
        call(Outcome.CANCELLED, answered=False, ring_s=14.9),
        call(Outcome.NO_ANSWER, answered=False),  # no sign of ringing
        call(Outcome.BUSY, answered=False),
        call(Outcome.REJECTED, answered=False, ring_s=3.0),  # not we who stopped it
    )
    assert (tally.dialled, tally.unanswered, tally.rang, tally.rang_long) == (6, 4, 3, 2)
    (line,) = lines("c1", {TODAY: tally}, Variant.STRICT, ASKED, TODAY, TODAY, TODAY, spans=[Span.DAY])
    assert line.rang_share == pytest.approx(2 / 3)


# -- days and periods -------------------------------------------------------------------------------------------------
def test_a_call_belongs_to_the_local_day_it_was_answered_on() -> None:
    late = datetime(2026, 11, 25, 4, 59, 59, tzinfo=UTC)
    days = by_day([call(Outcome.ABANDONED, at=late), call(Outcome.ABANDONED, at=late + seconds(1))], ASKED)
    assert {day: t.unattended for day, t in days.items()} == {TODAY: 1, TODAY + timedelta(1): 1}
    assert over(days, TODAY, TODAY + timedelta(1)).unattended == 2
    assert midnight(TODAY) == datetime(2026, 11, 24, 5, tzinfo=UTC)


def test_periods_of_thirty_days_follow_each_other_from_the_first_day() -> None:
    began = date(2026, 9, 1)
    assert windows(Span.PERIOD, date(2026, 11, 1), date(2026, 11, 30), began) == [
        (date(2026, 10, 31), date(2026, 11, 29)),
        (date(2026, 11, 30), date(2026, 11, 30)),
    ]
    assert windows(Span.PERIOD, began, date(2026, 9, 10), began) == [(began, date(2026, 9, 10))]
    assert windows(Span.PERIOD, date(2026, 8, 1), date(2026, 8, 31), began) == []
    assert windows(Span.ROLLING, TODAY, TODAY, began) == [(date(2026, 10, 26), TODAY)]
    assert windows(Span.WHOLE, began, TODAY, began) == [(began, TODAY)]
    assert len(windows(Span.DAY, date(2026, 11, 1), date(2026, 11, 30), began)) == 30
    assert needed_from(date(2026, 11, 1), date(2026, 11, 30), began) == date(2026, 10, 31)
    assert needed_from(TODAY, TODAY, date(2026, 11, 20)) == date(2026, 10, 26)


def test_a_broken_day_is_told_and_a_rolling_month_is_only_shown() -> None:
    days = {TODAY - timedelta(1): tallied(*DAY), TODAY: tallied(*DAY[:90])}
    found = lines("c1", days, Variant.STRICT, replace(ASKED, cap=0.015), TODAY - timedelta(2), TODAY, TODAY)
    assert [(row.span, row.first, row.kept) for row in found] == [
        (Span.DAY, TODAY - timedelta(1), False),
        (Span.DAY, TODAY, True),
        (Span.ROLLING, TODAY - timedelta(29), None),
    ]
    (period,) = lines("c1", days, Variant.TSR, ASKED, TODAY, TODAY, TODAY - timedelta(1))
    assert (period.first, period.last, period.result.of, period.kept) == (TODAY - timedelta(1), TODAY, 190, False)


def test_of_ofcoms_two_ways_the_one_holds_that_fits() -> None:
    days = {TODAY: tallied(*DAY)}
    with_one, without = (
        lines("c1", days, v, ASKED, TODAY, TODAY, TODAY)[0] for v in (Variant.OFCOM, Variant.OFCOM_DEDUCTED)
    )
    assert (with_one.applies, with_one.binding, without.applies, without.binding) == (True, True, False, False)
    assert with_one.kept is False  # broken already without an estimate
    missing = lines("c1", days, Variant.OFCOM, replace(ASKED, cap=0.2), TODAY, TODAY, TODAY)[0]
    assert missing.kept is None  # who knows


def test_the_call_centre_is_all_campaigns_together() -> None:
    one = {TODAY: tallied(*DAY)}
    whole = centre([one, {TODAY: tallied(call(Outcome.ABANDONED)), TODAY - timedelta(1): Tally(dialled=1)}])
    assert (whole[TODAY].answers, whole[TODAY].unattended) == (101, 3)
    assert whole[TODAY - timedelta(1)].dialled == 1
    assert one[TODAY].answers == 100  # its own numbers stay


def test_the_terms_are_the_profiles(tmp_path: Path) -> None:
    known = load_site(tmp_path).profiles
    us = terms([known["us-regf"], known["us-tsr"]])
    assert us.binding == {Variant.TSR, Variant.TCPA}
    assert (us.cap, us.connect_within_s, us.min_ring_s, us.retention_days) == (0.03, 2.0, 15.0, 1827)
    assert terms([known["uk"]]).binding == {Variant.OFCOM, Variant.OFCOM_DEDUCTED}
    day = replace(known["us-tsr"], abandonment=replace(known["us-tsr"].abandonment, window_h=24, cap=0.02))
    assert terms([day, known["uk"]]).cap == 0.02
    assert Variant.STRICT in terms([day]).binding
    assert terms([]) == Terms()


# -- what must hold of all ---------------------------------------------------------------------------------------------
TALLIES = st.builds(
    lambda unattended, let_go, passed, late, brief, machines, detected: Tally(
        dialled=1000,
        answers=unattended + let_go + passed + brief,
        unattended=unattended,
        let_go=let_go,
        passed=passed,
        late=min(late, passed),
        machines=machines,
        detected=detected,
    ),
    *(st.integers(0, 60) for _ in range(7)),
)
ESTIMATES = st.none() | st.builds(Estimate, st.floats(0, 1), st.just("a test"))


@given(TALLIES, ESTIMATES)
def test_every_rate_lies_below_its_bound(tally: Tally, estimate: Estimate | None) -> None:
    for variant in Variant:
        result = share(tally, variant, estimate)
        assert 0.0 <= result.share <= result.upper + 1e-9 <= 1.0 + 1e-9


@given(TALLIES, ESTIMATES)
def test_one_more_abandoned_never_lowers_a_rate(tally: Tally, estimate: Estimate | None) -> None:
    more = replace(tally, answers=tally.answers + 1, unattended=tally.unattended + 1)
    for variant in Variant:
        assert share(more, variant, estimate).share >= share(tally, variant, estimate).share - 1e-12
        assert share(more, variant, estimate).upper >= share(tally, variant, estimate).upper - 1e-9


@given(TALLIES, st.floats(0, 1))
def test_the_variants_stand_in_order(tally: Tally, false: float) -> None:
    strict, tsr = share(tally, Variant.STRICT), share(tally, Variant.TSR)
    assert tsr.share >= strict.share  # the same people, and those whom an agent reached too late
    plain = share(tally, Variant.OFCOM).share
    assert share(tally, Variant.OFCOM_DEDUCTED).share <= plain + 1e-12
    assert share(tally, Variant.OFCOM, Estimate(false, "a test")).share >= plain - 1e-12
