"""The abandonment budget, in the variants of the regulators."""

import pytest

from cadencia.pacing import Budget, Count, Variant, rate, upper_bound
from cadencia.pacing.budget import SMALL_TEAM


def test_a_large_team_starts_each_day_afresh() -> None:
    budget = Budget(day=Count(100, 1), month=Count(10_000, 100))
    assert budget.drops(SMALL_TEAM) == pytest.approx(2.0)


def test_a_small_team_carries_its_budget_over() -> None:
    budget = Budget(day=Count(10, 1), month=Count(500, 6))
    assert budget.drops(SMALL_TEAM - 1) == pytest.approx(9.0)


def test_what_the_month_is_overdrawn_by_is_paid_back() -> None:
    budget = Budget(day=Count(100, 0), month=Count(1000, 40))
    assert budget.drops(20) == pytest.approx(-10.0)


def test_answers_that_nobody_judged_earn_for_the_share_of_people_only() -> None:
    budget = Budget(day=Count(200, 0), month=Count(200, 0), unjudged=50)
    assert budget.drops(20, machine_share=0.4) == pytest.approx(6.0 - 0.03 * 0.4 * 50)


@pytest.mark.parametrize(("target", "aim"), [(None, 0.03), (0.02, 0.02), (0.05, 0.03)])
def test_the_target_is_never_above_the_cap(target: float | None, aim: float) -> None:
    assert Budget(cap=0.03, target=target).aim == aim


def test_variants() -> None:
    count = Count(answers=1000, abandoned=30, machines=97)
    assert rate(count) == 0.03
    # Ofcom: false positives are abandoned calls too, and were answered.
    assert rate(count, Variant.OFCOM, false_positives=20.0) == pytest.approx(50 / 1020)
    # 97 of 1067 that were put through were machines: so many of the 30 abandoned are taken to be.
    live = 970 / 1067
    assert rate(count, Variant.WITHOUT_MACHINES) == pytest.approx(30 * live / (970 + 30 * live))


@pytest.mark.parametrize("variant", Variant)
def test_nothing_answered_is_no_abandonment(variant: Variant) -> None:
    assert rate(Count(), variant) == 0.0


def test_upper_bound_is_clopper_and_pearsons() -> None:
    # No event in n: 1 - 0.05 ** (1 / n).
    assert upper_bound(Count(100, 0)) == pytest.approx(1.0 - 0.05 ** (1 / 100))
    # The textbook case of 10 in 100 (one-sided 95 %): 0.1637.
    assert upper_bound(Count(100, 10)) == pytest.approx(0.1637, abs=2e-4)
    assert upper_bound(Count()) == 1.0
    assert upper_bound(Count(3, 3)) == 1.0
