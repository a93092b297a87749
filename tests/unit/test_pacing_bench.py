"""The pacing benchmark's own arithmetic: intervals, rows that outlive an interruption, and what it says of them."""

from __future__ import annotations

import math
import sys
from dataclasses import replace
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

pytest.importorskip("scipy")

from benchmarks.pacing.report import at_equal_abandonment, markdown
from benchmarks.pacing.results import Cell, Row, Store, interval, ratio, summaries, summary

CELL = Cell("realistic", 0.25, 20)
ROW = Row("mine", CELL, 1, 4.0, "v", 0.86, 9.0, 30.0, 1000, 30, 4000, 970, (120, 2), ((1100, 32),), 1.0)


def test_intervals_over_seeds() -> None:
    found = interval([1.0, 2.0, 3.0])
    assert (found.mean, found.half) == (2.0, pytest.approx(4.302653 / math.sqrt(3.0), rel=1e-6))
    assert math.isnan(interval([1.0]).half)
    assert ratio([1, 3], [100, 100]).mean == 0.02
    assert ratio([2, 4], [100, 200]).half == pytest.approx(0.0, abs=1e-15)  # the same share in both


def test_rows_outlive_a_run_that_was_killed_while_it_wrote(tmp_path: Path) -> None:
    path = tmp_path / "results.jsonl"
    Store(path).add(ROW)
    with path.open("a") as file:
        file.write('{"policy": "mi')
    assert list(Store(path).rows.values()) == [ROW]
    Store(path).add(replace(ROW, version="w", utilisation=0.9))
    assert [row.utilisation for row in Store(path).latest()] == [0.9]  # the newer code's row


def test_a_row_after_a_torn_one_is_not_lost(tmp_path: Path) -> None:
    path = tmp_path / "results.jsonl"
    path.write_text('{"policy": "mi')
    Store(path).add(ROW)
    assert list(Store(path).rows.values()) == [ROW]


def test_days_over_the_cap_are_counted() -> None:
    found = summary([ROW, replace(ROW, seed=2, days=((1000, 31), (1000, 30)))])
    assert (found.days_over, found.days, found.worst_day) == (1, 3, 0.031)
    assert found.first_half_hour == pytest.approx(2 / 120)
    assert found.dials_per_contact == pytest.approx(4000 / 970)


def test_the_advantage_is_taken_at_our_abandonment_and_over_common_seeds() -> None:
    rows = [replace(ROW, seed=seed, utilisation=0.86 + 0.01 * seed) for seed in (1, 2)]
    for factor, utilisation, abandoned in (("2", 0.80, 10), ("4", 0.90, 50)):
        for seed in (1, 2):
            it = replace(ROW, policy=f"idle:{factor}", seed=seed, utilisation=utilisation + 0.01 * seed)
            rows.append(replace(it, abandoned=abandoned))
    (equal,) = at_equal_abandonment(rows, summaries(rows), ("mine",))
    assert (equal.factors, equal.abandonment) == ("2 / 4", 0.03)
    assert 0.86 < equal.tuned < 0.88
    assert equal.advantage.mean == pytest.approx(equal.ours - equal.tuned)
    assert equal.advantage.half == pytest.approx(0.0, abs=1e-9)  # the seeds' luck is common to both
    text = markdown(rows, ("mine",), ("mine",), "command")
    assert "| mine | 87.5 ±" in text
    assert "idle × F, tuned by hindsight" in text
