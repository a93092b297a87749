"""Metrics: their own registry, few label values, none of them personal."""

from __future__ import annotations

import asyncio
import contextlib
from datetime import date

from prometheus_client import REGISTRY
from prometheus_client.parser import text_string_to_metric_families

from cadencia.clock import SystemClock
from cadencia.metrics.prometheus import MAX_VALUES, Metrics, watch_loop_lag


def samples(metrics: Metrics) -> dict[str, float]:
    text = metrics.render().decode()
    return {
        s.name + "".join(f"|{v}" for v in s.labels.values()): s.value
        for family in text_string_to_metric_families(text)
        for s in family.samples
    }


def test_everything_that_is_told_is_shown() -> None:
    metrics = Metrics()
    metrics.observe_call("norte", "CON")
    metrics.observe_call("norte", "CON")
    metrics.observe_denied("norte", "BLQ-HORARIO", 3)
    metrics.set_agents({"ready": 4, "talking": 2})
    metrics.set_abandonment("norte", 0.02)
    metrics.set_in_flight("norte", dialling=5, waiting=1, talking=2)
    metrics.observe_answer_to_bridge(40)
    metrics.observe_screen_pop(120)
    metrics.observe_decision(0.0002)
    metrics.observe_ami_event("Hangup")
    metrics.set_ami_link("main", True, 2.0)
    metrics.set_trunk("main", "claro", up=False)
    metrics.observe_store("claim", 0.004)
    metrics.set_streams(3)
    metrics.observe_sealed(40, 7, 1.5)
    metrics.observe_recheck(date(2026, 11, 23), 2)
    seen = samples(metrics)
    assert seen["cadencia_calls_total|norte|CON"] == 2
    assert seen["cadencia_denied_total|norte|BLQ-HORARIO"] == 3
    assert seen["cadencia_agents|ready"] == 4 and seen["cadencia_agents|out"] == 0
    assert seen["cadencia_abandonment_ratio|norte"] == 0.02
    assert seen["cadencia_calls_in_flight|norte|dialling"] == 5
    assert seen["cadencia_answer_to_bridge_milliseconds_bucket|50.0"] == 1
    assert seen["cadencia_screen_pop_milliseconds_count"] == 1
    assert seen["cadencia_decision_seconds_count"] == 1
    assert seen["cadencia_ami_events_total|Hangup"] == 1 and seen["cadencia_ami_up|main"] == 1
    assert seen["cadencia_ami_round_trip_seconds|main"] == 0.002 and seen["cadencia_trunk_up|main|claro"] == 0
    assert seen["cadencia_store_seconds_sum|claim"] == 0.004 and seen["cadencia_event_streams"] == 3
    assert seen["cadencia_evidence_rows_total"] == 40 and seen["cadencia_evidence_lag_events"] == 7
    assert seen["cadencia_evidence_lag_seconds"] == 1.5
    assert seen["cadencia_violations"] == 2 and seen["cadencia_recheck_day"] == 1_795_392_000


def test_two_engines_in_one_process_share_nothing() -> None:
    first, second = Metrics(), Metrics()
    first.observe_ami_event("Newchannel")
    assert "cadencia_ami_events_total|Newchannel" not in samples(second)
    assert not [f for f in REGISTRY.collect() if f.name.startswith("cadencia")]


def test_label_values_are_few() -> None:
    metrics = Metrics()
    for n in range(3 * MAX_VALUES):
        metrics.observe_ami_event(f"E{n}")
    seen = {k: v for k, v in samples(metrics).items() if k.startswith("cadencia_ami_events_total")}
    assert len(seen) == MAX_VALUES + 1 and seen["cadencia_ami_events_total|other"] == 2 * MAX_VALUES


def test_a_label_never_holds_a_number_or_a_name() -> None:
    metrics = Metrics()
    for odd in ("3001234567", "PJSIP/+573001234567", "María Gutiérrez", "", "x" * 60):
        metrics.observe_call(odd, "CON")
    text = metrics.render().decode()
    assert "300123" not in text and "Gutiérrez" not in text
    assert samples(metrics)["cadencia_calls_total|other|CON"] == 5


async def test_a_blocked_loop_shows() -> None:
    metrics, clock = Metrics(), SystemClock()
    watcher = asyncio.create_task(watch_loop_lag(metrics, clock, 0.01))
    await asyncio.sleep(0.03)
    until = clock.wall() + 0.12
    while clock.wall() < until:
        pass
    await asyncio.sleep(0.03)
    watcher.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await watcher
    seen = samples(metrics)
    assert seen["cadencia_loop_lag_seconds_sum"] > 0.09 and seen["cadencia_loop_lag_seconds_count"] >= 2
