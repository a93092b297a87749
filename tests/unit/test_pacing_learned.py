"""Estimators converge on worlds that are known, and are not fooled by what is still going on."""

import json
import math

import numpy as np
import pytest

from cadencia.pacing import AgentState, AgentView, Learned, PacingEvent, PacingEventKind, Snapshot
from cadencia.pacing.kernel import LAGS, RING_S
from cadencia.pacing.learned import EDGES

Kind = PacingEventKind


def refreshed(learned: Learned, now_s: float, wait_s: float = 2.0) -> Learned:
    learned.refresh(Snapshot(now_s, (AgentView("a", AgentState.READY, 0.0),), wait_s=wait_s))
    return learned


def feed(
    learned: Learned,
    rate: float,
    *,
    dials: int = 4000,
    every_s: float = 0.5,
    until_s: float = math.inf,
    seed: int = 1,
    cancel_at_s: float | None = None,
    congestion: float = 0.0,
    classes: tuple[float, float] | None = None,
    start_s: float = 0.0,
) -> float:
    """Dial steadily: answers after 5 to 20 s, other endings after 1 s or 25 s; half of what rings longer than
    `cancel_at_s` is taken back. Returns when it stopped."""
    rng = np.random.default_rng(seed)
    events: list[tuple[float, int, PacingEvent]] = []
    for number in range(dials):
        at_s, ref = start_s + number * every_s, f"d{start_s}-{number}"
        likely = int(rng.random() < 0.5) if classes else 0
        events.append((at_s, 0, PacingEvent(Kind.LAUNCHED, at_s, ref, propensity=likely)))
        if rng.random() < congestion:
            events.append((at_s + 0.4, 1, PacingEvent(Kind.FAILED, at_s + 0.4, ref)))
            continue
        live = rng.random() < (classes[likely] if classes else rate)
        end_s = rng.uniform(5.0, 20.0) if live else (1.0 if rng.random() < 0.4 else 25.0)
        kind = Kind.ANSWERED if live else Kind.UNANSWERED
        if cancel_at_s is not None and end_s > cancel_at_s and rng.random() < 0.5:
            kind, end_s = Kind.CANCELLED, cancel_at_s
        events.append((at_s + end_s, 1, PacingEvent(kind, at_s + end_s, ref)))
    now_s = start_s
    for at_s, _, event in sorted(events, key=lambda item: item[:2]):
        if at_s <= until_s:
            if int(at_s) > int(now_s):
                refreshed(learned, at_s)
            learned.tell(event)
            now_s = at_s
    return now_s


@pytest.mark.parametrize("rate", [0.05, 0.25, 0.6])
def test_answer_rate_converges(rate: float) -> None:
    learned = Learned()
    found = []
    for part in range(8):
        now_s = feed(learned, rate, seed=part, start_s=part * 3000.0)
        found.append(refreshed(learned, now_s).rate.rate)
    assert np.mean(found[1:]) == pytest.approx(rate, rel=0.12)


def test_answer_rate_is_not_biased_by_quick_endings() -> None:
    """In the first 14 s of a burst most endings are quick failures: the rate rises all the same when it has doubled."""
    found = []
    yesterday = trained().export()
    for seed in range(20):
        learned = Learned(yesterday)
        feed(learned, 0.5, dials=300, every_s=0.01, until_s=14.0, seed=seed)
        found.append(learned.rate.rate)
    assert 0.36 < np.mean(found) < 0.52  # on its way from 0.25 to 0.5


def trained() -> Learned:
    learned = Learned()
    refreshed(learned, feed(learned, 0.25))
    return learned


def test_calls_taken_back_do_not_bend_the_answer_rate() -> None:
    learned = Learned()
    found = []
    for part in range(6):
        now_s = feed(learned, 0.25, seed=part, start_s=part * 3000.0, cancel_at_s=12.0)
        found.append(refreshed(learned, now_s).rate.rate)
    assert np.mean(found[1:]) == pytest.approx(0.25, rel=0.2)


def test_congestion_is_not_the_debtors_doing() -> None:
    learned = Learned()
    found = []
    for part in range(5):
        now_s = feed(learned, 0.25, seed=part, start_s=part * 3000.0, congestion=0.5)
        found.append(refreshed(learned, now_s).rate.rate)
    assert np.mean(found[1:]) == pytest.approx(0.25, rel=0.15)


def test_ring_times_converge_on_the_truth() -> None:
    learned = trained()
    uniform = np.clip((np.arange(RING_S + 1) - 5.0) / 15.0, 0.0, 1.0)
    assert np.abs(learned.rings.cdf_answered - uniform).max() < 0.05
    assert learned.rings.cdf_ended[3] == pytest.approx(0.4, abs=0.05)
    assert learned.lag_weights.sum() == pytest.approx(1.0)


def test_classes_are_told_apart() -> None:
    learned = Learned()
    now_s = 0.0
    for part in range(3):
        now_s = feed(learned, 0.0, classes=(0.1, 0.4), seed=part, start_s=part * 3000.0)
    refreshed(learned, now_s)
    assert learned.multiplier(0) == pytest.approx(0.4, rel=0.2)
    assert learned.multiplier(1) == pytest.approx(1.6, rel=0.1)
    assert learned.likely_share == pytest.approx(0.5, abs=0.03)


def test_one_class_keeps_the_multiplier_one_from_the_first_call() -> None:
    learned = Learned()
    for until_s in (3.0, 6.0, 9.0, 30.0):
        feed(learned, 0.25, dials=200, every_s=0.05, until_s=until_s)
        assert learned.multiplier(0) == pytest.approx(1.0)


def talk(learned: Learned, agent: str, begin_s: float, talk_s: float, wrapup_s: float) -> None:
    learned.tell(PacingEvent(Kind.AGENT, begin_s, agent, AgentState.TALKING))
    learned.tell(PacingEvent(Kind.AGENT, begin_s + talk_s, agent, AgentState.WRAPUP))
    learned.tell(PacingEvent(Kind.AGENT, begin_s + talk_s + wrapup_s, agent, AgentState.READY))


def test_handle_times_converge_on_the_truth() -> None:
    rng = np.random.default_rng(4)
    learned = Learned()
    for number in range(3000):
        talk(learned, f"a{number}", number * 10.0, rng.exponential(100.0), rng.exponential(10.0))
    refreshed(learned, 60000.0, wait_s=0.0)
    bins = len(EDGES)
    for age in (3, 10, 20):  # memoryless: the same at every age
        assert learned.handle_table[bins + age, 4] == pytest.approx(1.0 - math.exp(-10.0 / 10.0), abs=0.12)
    both = 1.0 - (100.0 * math.exp(-0.2) - 10.0 * math.exp(-2.0)) / 90.0  # sum of the two exponentials, 20 s
    assert learned.handle_table[14, 9] == pytest.approx(both, abs=0.03)
    assert (np.diff(learned.handle_table, axis=1) >= -1e-9).all()


def test_talks_that_go_on_are_observed_too() -> None:
    learned = Learned()
    for number in range(20):
        learned.tell(PacingEvent(Kind.AGENT, 0.0, f"a{number}", AgentState.TALKING))
    at_once = refreshed(learned, 1.0).handle_table[0, 9]
    an_hour_later = refreshed(learned, 3600.0).handle_table[0, 9]
    assert an_hour_later < 0.35 * at_once


def test_fixed_talks_are_learnt_by_age() -> None:
    learned = Learned()
    for number in range(400):
        talk(learned, f"a{number}", number * 10.0, 60.0, 1.0)
    refreshed(learned, 9000.0, wait_s=0.0)
    fresh, about_to_end = np.searchsorted(EDGES, [5.0, 59.0], side="right") - 1
    assert learned.handle_table[fresh, 9] < 0.1
    assert learned.handle_table[about_to_end, 9] > 0.35


def test_agents_who_leave_otherwise_do_not_count_as_ready() -> None:
    learned = Learned()
    for number in range(50):
        learned.tell(PacingEvent(Kind.AGENT, number * 100.0, "a", AgentState.WRAPUP))
        learned.tell(PacingEvent(Kind.AGENT, number * 100.0 + 45.0, "a", AgentState.PAUSED))
    assert learned.wrapup.ends.sum() == 0.0
    assert learned.wrapup.exposure_s.sum() == pytest.approx(50 * 45.0)


def test_machine_share_follows_the_dispositions() -> None:
    learned = Learned()
    assert learned.machine_share == 0.5  # nobody knows: half earns nothing
    for number in range(400):
        learned.tell(PacingEvent(Kind.JUDGED, float(number), f"d{number}", live=number % 4 != 0))
    assert learned.machine_share == pytest.approx(0.25, abs=0.02)


def test_prior_goes_from_day_to_day_as_json() -> None:
    yesterday = trained()
    today = Learned(json.loads(json.dumps(yesterday.export())))
    refreshed(today, 0.0)
    assert today.rate.rate == pytest.approx(yesterday.rate.rate, abs=1e-3)
    assert np.abs(today.rings.cdf_answered - yesterday.rings.cdf_answered).max() < 0.03


@pytest.mark.parametrize(
    "broken",
    [
        {},
        {"version": 2},
        {"version": 1, "rate": 7.0},
        {**trained().export(), "talk": [[1.0], [2.0]]},
        {**trained().export(), "rate": float("nan")},
        {**trained().export(), "answered": ["x"] * RING_S},
        {**trained().export(), "machines": [0.0, 5.0]},
    ],
)
def test_a_prior_of_another_form_is_left_out(broken: dict[str, object]) -> None:
    learned = refreshed(Learned(broken), 0.0)
    fresh = refreshed(Learned(), 0.0)
    assert learned.rate.rate == fresh.rate.rate
    assert (learned.handle_table == fresh.handle_table).all()


def test_times_that_are_none_teach_nothing() -> None:
    learned, fresh = Learned(), Learned()
    for at_s in (math.nan, math.inf, -math.inf):
        for kind in Kind:
            learned.tell(PacingEvent(kind, at_s, "x", AgentState.TALKING))
    assert learned.export() == fresh.export()
    assert learned.handle_table.shape == (2 * len(EDGES), LAGS)
