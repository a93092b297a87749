"""The trunk's breaker, as every mode obeys it."""

from __future__ import annotations

from itertools import pairwise

import pytest

from cadencia.pacing import (
    AgentState,
    AgentView,
    Controller,
    DialView,
    Mode,
    PacingEvent,
    PacingEventKind,
    Policy,
    Snapshot,
    make_controller,
)
from cadencia.pacing.breaker import CARRIED_S, OPENS_AT, PROBE_S
from cadencia.pacing.reasons import LIMITED_BY_BREAKER

NOW_S = 1000.0
Kind = PacingEventKind
EVERY_MODE = pytest.mark.parametrize("policy", [Policy(mode, ratio=2.0) for mode in Mode], ids=list(Mode))


def tell(controller: Controller, kind: PacingEventKind, at_s: float, ref: str) -> None:
    controller.tell(PacingEvent(kind, at_s, ref))


def failing(controller: Controller, number: int, *, since_s: float = NOW_S, first: int = 0) -> None:
    """So many calls, one each 0.1 s, that the trunk fails at once."""
    for n in range(first, first + number):
        tell(controller, Kind.LAUNCHED, since_s + 0.1 * n, f"f{n}")
        tell(controller, Kind.FAILED, since_s + 0.1 * n + 0.05, f"f{n}")


CROWD = tuple(AgentView(f"a{n}", AgentState.READY, NOW_S) for n in range(40))


@EVERY_MODE
def test_the_breaker_opens_after_twenty_failures_and_probes(policy: Policy) -> None:
    controller = make_controller(policy)
    failing(controller, OPENS_AT - 1)
    assert controller.decide(Snapshot(NOW_S + 4.0, CROWD)).launch == 1  # room for one more failure
    failing(controller, 1, first=OPENS_AT)
    launched = []
    for tenth in range(300):
        now_s = NOW_S + 10.0 + 0.1 * tenth
        decision = controller.decide(Snapshot(now_s, CROWD))
        assert decision.launch <= 1
        assert decision.reason == LIMITED_BY_BREAKER
        if decision.launch:
            launched.append(now_s)
            tell(controller, Kind.LAUNCHED, now_s, f"p{tenth}")
            tell(controller, Kind.FAILED, now_s, f"p{tenth}")
    assert len(launched) == int(30.0 / PROBE_S)
    assert all(b - a >= PROBE_S - 1e-6 for a, b in pairwise(launched))


@EVERY_MODE
@pytest.mark.parametrize("kind", [Kind.ANSWERED, Kind.UNANSWERED, Kind.MACHINE])
def test_the_first_call_that_is_carried_closes_it(policy: Policy, kind: PacingEventKind) -> None:
    controller = make_controller(policy)
    failing(controller, 30)
    now_s = NOW_S + 20.0
    assert controller.decide(Snapshot(now_s, CROWD)).launch == 1
    tell(controller, Kind.LAUNCHED, now_s, "probe")
    probe = (DialView("probe", now_s),)
    assert controller.decide(Snapshot(now_s + 3.0, CROWD, probe)).launch == 0  # one probe at a time
    tell(controller, kind, now_s + 3.0, "probe")
    decision = controller.decide(Snapshot(now_s + 3.0, CROWD))
    assert decision.launch > 20
    assert decision.reason != LIMITED_BY_BREAKER


@EVERY_MODE
def test_a_probe_that_rings_on_closes_it(policy: Policy) -> None:
    controller = make_controller(policy)
    failing(controller, 30)
    now_s = NOW_S + 20.0
    assert controller.decide(Snapshot(now_s, CROWD)).launch == 1
    tell(controller, Kind.LAUNCHED, now_s, "probe")
    assert controller.decide(Snapshot(now_s + CARRIED_S, CROWD, (DialView("probe", now_s),))).launch > 20


@EVERY_MODE
def test_successes_of_before_the_trouble_do_not_close_it(policy: Policy) -> None:
    controller = make_controller(policy)
    for n in range(10):
        tell(controller, Kind.LAUNCHED, NOW_S - 5.0, f"old{n}")
    failing(controller, 30)
    for n in range(10):
        tell(controller, Kind.ANSWERED, NOW_S + 6.0, f"old{n}")
    assert controller.decide(Snapshot(NOW_S + 10.0, CROWD)).reason == LIMITED_BY_BREAKER


@EVERY_MODE
def test_a_cold_start_with_congestion_does_not_hold_the_breaker_open(policy: Policy) -> None:
    """Of 800 launched at once one in twenty fails after 2.6 s, before any other ends; the rest ring on."""
    controller = make_controller(policy)
    refs = [f"c{n}" for n in range(800)]
    for ref in refs:
        tell(controller, Kind.LAUNCHED, NOW_S, ref)
    for ref in refs[::20]:
        tell(controller, Kind.FAILED, NOW_S + 2.6, ref)
    # Few of them in the snapshot: what is asked is the breaker, not the forecast.
    ringing = (DialView("c1", NOW_S), DialView("c2", NOW_S))
    assert controller.decide(Snapshot(NOW_S + 2.7, CROWD, ringing)).reason == LIMITED_BY_BREAKER
    decision = controller.decide(Snapshot(NOW_S + CARRIED_S, CROWD, ringing))
    assert decision.reason != LIMITED_BY_BREAKER
    assert decision.launch > 20
