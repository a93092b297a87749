"""A day read out of the event log, and run again."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from cadencia.domain.agents import AgentState
from cadencia.domain.codes import Outcome
from cadencia.domain.dialing import Mode
from cadencia.domain.events import Event
from cadencia.pacing.controllers import Policy, make_controller
from cadencia.pacing.replay import REPLAYED, Day, Reader, listed
from cadencia.pacing.simulator import Floor, Result, simulate
from cadencia.pacing.whatif import Scenario, outlook
from cadencia.pacing.worlds import Contacts, Nature

#: Midnight in Bogotá.
MIDNIGHT = datetime(2026, 11, 24, 5, 0, tzinfo=UTC)
NINE = MIDNIGHT + timedelta(hours=9)


def reader(campaign: str = "c1") -> Reader:
    return Reader(campaign, MIDNIGHT, MIDNIGHT + timedelta(days=1))


class Writer:
    """Writes a log by hand, in the order of its times."""

    def __init__(self) -> None:
        self.events: list[Event] = []

    def put(self, kind: str, at: datetime, attempt: str | None = None, agent: str | None = None, **body: Any) -> None:
        self.events.append(
            Event(kind, at, campaign_id="c1" if attempt else None, attempt_id=attempt, agent_id=agent, body=body)
        )

    def agent(self, at: datetime, agent: str, state: AgentState, attempt: str | None = None) -> None:
        self.put("agent.state", at, attempt, agent, state=state, reason="")

    def call(
        self, attempt: str, at: datetime, outcome: Outcome | None, rung_s: float, talk_s: float = 0.0, code: str = ""
    ) -> None:
        end = at + timedelta(seconds=rung_s + talk_s)
        self.put("attempt.sending", at, attempt)
        if outcome in (Outcome.CONNECTED, Outcome.ABANDONED, Outcome.MACHINE):
            self.put("attempt.answered", at + timedelta(seconds=rung_s), attempt)
        if outcome is not None:
            self.put("attempt.settled", end, attempt, outcome=str(outcome), talk_s=talk_s)
        if code:
            self.put("attempt.disposed", end + timedelta(seconds=5), attempt, code=code)

    def read(self, by: Reader | None = None) -> Day:
        by = by or reader()
        for event in sorted(self.events, key=lambda event: event.at):
            by.take(event)
        return by.day()


def rows(day: Day, seed: int = 1) -> list[tuple[float, float, Nature, float, float, float]]:
    """(luck, answer, nature, end, talk, wrap-up) of each contact of the day's list."""
    made: Contacts = listed(day, seed)(0, len(day.dialled))
    return list(zip(made.luck, made.answer_s, made.nature, made.end_s, made.talk_s, made.wrapup_s, strict=True))


def after(seconds: float) -> datetime:
    return NINE + timedelta(seconds=seconds)


# -- reading -----------------------------------------------------------------------------------------------------------
def test_each_ending_becomes_a_contact_that_ends_so_again() -> None:
    log = Writer()
    log.agent(NINE, "a1", AgentState.READY)
    log.call("k1", after(0), Outcome.CONNECTED, 9.0, talk_s=80.0, code="PPP")
    log.agent(after(89), "a1", AgentState.WRAPUP, "k1")
    log.agent(after(110), "a1", AgentState.READY)
    log.call("k2", after(1), Outcome.NO_ANSWER, 25.0)
    log.call("k3", after(2), Outcome.BUSY, 3.0)
    log.call("k4", after(3), Outcome.CONGESTION, 0.5)
    log.call("k5", after(4), Outcome.CONNECTED, 21.0, talk_s=6.0, code="BUZ")
    log.call("k6", after(5), Outcome.MACHINE, 20.0)
    log.call("k7", after(6), Outcome.ABANDONED, 8.0)
    log.agent(after(600), "a1", AgentState.OUT)
    day = log.read()
    assert [attempt.outcome for attempt in day.dialled] == ["CON", "NOA", "OCU", "CNG", "CON", "AMD", "ABN"]
    assert day.presence == ((0.0, 600.0),)
    assert day.hours == pytest.approx(600 / 3600)
    assert day.dialled[0].wrapup_s == 21.0
    found = rows(day)
    assert found[0] == (0.0, 9.0, Nature.NO_ANSWER, float("inf"), 80.0, 21.0)
    assert found[1][2:4] == (Nature.NO_ANSWER, float("inf"))
    assert found[2][2:4] == (Nature.BUSY, 3.0)
    assert found[3][2:4] == (Nature.CONGESTION, 0.5)
    assert found[4][:1] + found[4][2:5] == (1.0, Nature.MACHINE, 21.0, 6.0)  # a machine that an agent heard
    assert found[5][2:4] == (Nature.BUSY, 20.0)  # one that a detector knew: no agent was needed
    assert (found[6][0], found[6][1], found[6][4]) == (0.0, 8.0, 80.0)  # would have talked as those who did


def test_what_was_taken_back_or_never_ended_gets_an_ending_that_came_later() -> None:
    log = Writer()
    log.agent(NINE, "a1", AgentState.READY)
    log.call("k1", after(0), Outcome.CANCELLED, 16.0)
    log.call("k2", after(1), None, 0.0)
    for n in range(20):
        log.call(f"q{n}", after(2 + n), Outcome.CONNECTED, 5.0, talk_s=60.0)
        log.call(f"l{n}", after(2 + n), Outcome.CONNECTED, 19.0, talk_s=60.0)
    day = log.read()
    taken_back, unfinished = {rows(day, seed)[0][1] for seed in range(8)}, {rows(day, n)[1][1] for n in range(12)}
    assert taken_back == {19.0}  # it had rung for 16 s: whoever answers after 5 s was not this one
    assert unfinished == {5.0, 19.0}


def test_an_ending_that_nobody_saw_is_a_call_that_rings_out() -> None:
    log = Writer()
    log.agent(NINE, "a1", AgentState.READY)
    log.call("k1", after(0), Outcome.CANCELLED, 30.0)
    assert rows(log.read()) == [(1.0, float("inf"), Nature.NO_ANSWER, float("inf"), 0.0, 0.0)]


def test_a_day_ends_at_midnight_and_its_last_calls_after_it() -> None:
    log, end = Writer(), MIDNIGHT + timedelta(days=1)
    log.agent(MIDNIGHT - timedelta(hours=1), "night", AgentState.READY)  # of the day before
    log.call("old", MIDNIGHT - timedelta(seconds=10), Outcome.CONNECTED, 8.0, talk_s=60.0)
    log.agent(end - timedelta(hours=1), "a1", AgentState.READY)
    log.call("last", end - timedelta(seconds=20), Outcome.CONNECTED, 10.0, talk_s=90.0, code="BUZ")
    log.agent(end + timedelta(seconds=80), "a1", AgentState.WRAPUP, "last")
    log.agent(end + timedelta(seconds=95), "a1", AgentState.READY)
    log.call("next", end + timedelta(seconds=100), Outcome.BUSY, 3.0)
    log.agent(end + timedelta(hours=2), "a1", AgentState.OUT)
    day = log.read()
    assert len(day.dialled) == 1
    last = day.dialled[0]
    assert (last.outcome, last.answer_s, last.talk_s, last.wrapup_s, last.machine) == ("CON", 10.0, 90.0, 15.0, True)
    assert day.presence == ((0.0, 3600.0),)
    assert day.hours == 1.0


def test_only_the_campaigns_own_attempts_count_and_agents_who_never_leave_stay_to_the_last() -> None:
    log = Writer()
    log.agent(NINE, "a1", AgentState.READY)
    log.agent(after(30), "a2", AgentState.READY)
    log.agent(after(60), "a2", AgentState.PAUSED)
    log.agent(after(90), "a2", AgentState.READY)
    log.call("k1", after(0), Outcome.BUSY, 3.0)
    log.call("k2", after(300), Outcome.BUSY, 3.0)
    assert log.read().presence == ((0.0, 300.0), (30.0, 60.0), (90.0, 300.0))
    assert log.read(reader("c2")).dialled == ()


def test_a_day_without_work_has_no_hours() -> None:
    assert reader().day().hours == 0.0
    assert Writer().read().presence == ()


# -- running again -----------------------------------------------------------------------------------------------------
class Scribe:
    """A controller that writes the simulated day down as the engine's log would have it."""

    def __init__(self, policy: Policy) -> None:
        self.inner, self.log = make_controller(policy), Writer()
        self.launched: dict[str, float] = {}
        self.answered: dict[str, float] = {}
        self.connected: dict[str, float] = {}
        self.ending = ""

    def tell(self, event: Any) -> None:
        kind, at = str(event.kind), after(event.at_s)
        if kind == "agent":
            wraps_up = event.agent_state is AgentState.WRAPUP
            self.log.agent(at, event.ref, event.agent_state, self.ending if wraps_up else None)
        elif kind == "launched":
            self.launched[event.ref] = event.at_s
            self.log.put("attempt.sending", at, event.ref)
        elif kind == "answered":
            self.answered[event.ref] = event.at_s
            self.log.put("attempt.answered", at, event.ref)
        elif kind == "connected":
            self.connected[event.ref] = event.at_s
        else:
            self.ended(event, kind, at)
        self.inner.tell(event)

    def ended(self, event: Any, kind: str, at: datetime) -> None:
        outcomes = {"ended": "CON", "abandoned": "ABN", "cancelled": "CAN", "failed": "CNG", "machine": "AMD"}
        if kind == "judged":
            self.log.put("attempt.disposed", at, event.ref, code="PPP" if event.live else "BUZ")
            return
        talk_s = event.at_s - self.connected.get(event.ref, event.at_s)
        rung = event.at_s - self.launched[event.ref]
        outcome = outcomes.get(kind, "NOA" if rung > 24.9 else "OCU")
        if kind == "ended":
            self.ending = event.ref
        self.log.put("attempt.settled", at, event.ref, outcome=outcome, talk_s=talk_s)

    def decide(self, snapshot: Any) -> Any:
        return self.inner.decide(snapshot)


@pytest.fixture(scope="module")
def played() -> tuple[Result, Day]:
    """A simulated day under ratio 2, and what the reader makes of its log."""
    scribe = Scribe(Policy(Mode.RATIO, 2.0))
    result = simulate(REPLAYED, Floor(8), scribe, hours=1.5, seed=4)
    return result, scribe.log.read()


def test_reading_finds_every_dial_and_answer(played: tuple[Result, Day]) -> None:
    result, day = played
    assert len(day.dialled) == result.dials
    answered = [attempt for attempt in day.dialled if attempt.answer_s is not None]
    assert len(answered) == result.answers + result.day.machines
    assert sum(attempt.machine for attempt in answered) == result.day.machines
    assert sum(attempt.outcome == "ABN" for attempt in day.dialled) == result.abandoned
    assert day.floor(Floor(1)).agents == 8


def test_who_still_talks_when_the_log_ends_talks_at_least_so_long() -> None:
    log = Writer()
    log.agent(NINE, "a1", AgentState.READY)
    log.call("k0", after(0), Outcome.CONNECTED, 10.0, talk_s=30.0)
    log.call("k1", after(1), Outcome.CONNECTED, 10.0, talk_s=400.0)
    log.put("attempt.sending", after(500), "k2")
    log.put("attempt.answered", after(508), "k2")
    log.agent(after(600), "a1", AgentState.OUT)
    assert rows(log.read())[2][:2] + rows(log.read())[2][4:5] == (0.0, 8.0, 400.0)


def test_the_same_policy_brings_the_day_back(played: tuple[Result, Day]) -> None:
    result, day = played
    scenario = Scenario(day.floor(Floor(1)), replay=day, hours=day.hours, days=1)
    again = outlook(scenario, Policy(Mode.RATIO, 2.0))
    assert again.utilisation.mean == pytest.approx(result.utilisation, abs=0.03)
    assert again.abandonment.mean == pytest.approx(result.abandonment, abs=0.02)
    assert again.dials_per_contact.mean == pytest.approx(result.dials / result.contacts, rel=0.07)
    slower = outlook(scenario, Policy(Mode.PROGRESSIVE))
    assert slower.abandonment.mean < again.abandonment.mean
    assert slower.utilisation.mean < again.utilisation.mean


def test_a_list_that_is_used_up_goes_on_with_people_like_its_own(played: tuple[Result, Day]) -> None:
    result, day = played
    short = Day(day.begin, day.hours, day.presence, day.dialled[:300])
    source = listed(short, 1)
    assert len(source(0, 512).luck) == len(source(7, 512).luck) == 512
    assert source(7, 512) == listed(short, 1)(7, 512)
    assert source(7, 512) != source(8, 512)
    answered = sum(luck == 0.0 for luck in source(3, 4096).luck) / 4096
    assert answered == pytest.approx(result.answers / result.dials, abs=0.07)
