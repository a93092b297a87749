"""Agents whom several campaigns share: by weight, whole when they are ready, and nobody is forgotten."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cadencia.domain.agents import AgentState
from cadencia.pacing.port import AgentView
from cadencia.pacing.sharing import Serving, Sharing, apportion, seats

CAMPAIGNS = ("a", "b", "c")
NEEDS = {"a": 3, "b": 1}

weights = st.dictionaries(st.sampled_from(CAMPAIGNS), st.floats(0.1, 10.0), min_size=1)
credits_ = st.dictionaries(st.sampled_from(CAMPAIGNS), st.floats(-1.0, 1.0))
serving = st.builds(
    Serving,
    st.uuids().map(str),
    st.sampled_from([AgentState.READY, AgentState.READY, AgentState.TALKING, AgentState.PAUSED]),
    st.floats(0.0, 1000.0),
    st.frozensets(st.sampled_from(CAMPAIGNS)),
)
floors = st.lists(serving, max_size=30, unique_by=lambda agent: agent.id)


def ready(number: int, campaigns: str = "ab", *, since_s: float = 0.0) -> list[Serving]:
    return [Serving(f"ag{n}", AgentState.READY, since_s + n, frozenset(campaigns)) for n in range(number)]


@given(st.integers(0, 300), weights, credits_)
def test_everybody_is_given_out_and_each_quota_is_rounded_down_or_up(
    n: int, w: dict[str, float], c: dict[str, float]
) -> None:
    given_out = seats(n, w, c)
    assert sum(given_out.values()) == n
    total = sum(w.values())
    for campaign, weight in w.items():
        assert n * weight / total - 1.0 < given_out[campaign] < n * weight / total + 1.0


@given(floors, weights, credits_, st.dictionaries(st.uuids().map(str), st.sampled_from(CAMPAIGNS)))
def test_a_ready_agent_is_for_one_campaign_that_may_have_this_agent(
    agents: list[Serving], w: dict[str, float], c: dict[str, float], before: dict[str, str]
) -> None:
    given_out = apportion(agents, w, c, before, NEEDS)
    for agent in agents:
        wanted = agent.state is AgentState.READY and bool(agent.campaigns & set(w))
        assert (agent.id in given_out) == wanted
        assert not wanted or given_out[agent.id] in agent.campaigns & set(w)


@given(floors, weights, credits_)
def test_what_does_not_change_stays(agents: list[Serving], w: dict[str, float], c: dict[str, float]) -> None:
    first = apportion(agents, w, c, {}, NEEDS)
    assert apportion(agents, w, c, first, NEEDS) == first
    assert apportion(list(reversed(agents)), w, c, {}, NEEDS) == first


@given(floors, weights)
def test_the_shares_of_an_agent_are_one_agent(agents: list[Serving], w: dict[str, float]) -> None:
    sharing = Sharing()
    sharing.share(agents, w)
    total: Counter[str] = Counter()
    for campaign in w:
        views = sharing.views(campaign)
        assert {view.id for view in views} == {a.id for a in agents if campaign in a.campaigns}
        for view in views:
            total[view.id] += view.share  # type: ignore[assignment]
    for agent in agents:
        assert total[agent.id] == pytest.approx(1.0 if agent.campaigns & set(w) else 0.0)


@given(floors, weights)
def test_the_same_floor_gives_the_same_objects(agents: list[Serving], w: dict[str, float]) -> None:
    sharing = Sharing()
    sharing.share(agents, w)
    before = {campaign: sharing.views(campaign) for campaign in w}
    sharing.share([Serving(a.id, a.state, a.since_s, a.campaigns) for a in agents], dict(w))
    assert all(sharing.views(campaign) is before[campaign] for campaign in w)


def test_only_the_view_of_an_agent_who_moved_is_new() -> None:
    sharing, agents = Sharing(), ready(4)
    sharing.share(agents, {"a": 1.0, "b": 1.0})
    before = {view.id: view for view in sharing.views("a")}
    agents[0] = Serving("ag0", AgentState.TALKING, 9.0, frozenset("ab"))
    sharing.share(agents, {"a": 1.0, "b": 1.0})
    after = {view.id: view for view in sharing.views("a")}
    assert after["ag0"] == AgentView("ag0", AgentState.TALKING, 9.0, 0.5)
    assert sum(after[i] is before[i] for i in ("ag1", "ag2", "ag3")) >= 2


@given(st.lists(st.floats(0.1, 10.0), min_size=2, max_size=4), st.integers(20, 200))
def test_a_single_ready_agent_goes_round_by_weight(parts: list[float], calls: int) -> None:
    w = {f"c{n}": part for n, part in enumerate(parts)}
    sharing, served = Sharing(), Counter[str]()
    for n in range(calls):
        sharing.share([Serving("ag", AgentState.READY, float(n), frozenset(w))], w)
        own = sharing.own("ag")
        assert own is not None
        sharing.served("ag", own)
        served[own] += 1
    for campaign, part in w.items():
        assert abs(served[campaign] - calls * part / sum(parts)) <= 2.0


def test_a_campaign_that_got_nobody_keeps_its_turn() -> None:
    sharing, w = Sharing(), {"a": 1.0, "b": 1.0}
    sharing.share(ready(1), w)
    assert sharing.own("ag0") == "a"
    sharing.served("ag0", "a")
    sharing.share([], w)
    for since_s in (10.0, 20.0, 30.0):  # however often the agent comes and goes without a call
        sharing.share(ready(1, since_s=since_s), w)
        assert sharing.own("ag0") == "b"
    sharing.served("ag0", "b")
    sharing.share(ready(1, since_s=40.0), w)
    assert sharing.own("ag0") == "a"


def test_a_campaign_of_weight_nought_takes_no_part() -> None:
    sharing = Sharing()
    sharing.share([*ready(3), Serving("t", AgentState.TALKING, 0.0, frozenset("ab"))], {"a": 2.0, "b": 0.0})
    assert {view.share for view in sharing.views("a")} == {1.0}
    assert [view.share for view in sharing.views("b")] == [0.0] * 4


def test_agents_of_one_campaign_only_are_its_own_whatever_the_weights() -> None:
    sharing = Sharing()
    sharing.share([*ready(2), Serving("x", AgentState.READY, 0.0, frozenset("b"))], {"a": 10.0, "b": 0.1})
    assert sharing.own("x") == "b"
    assert {sharing.own("ag0"), sharing.own("ag1")} == {"a"}


def test_agents_whom_calls_in_flight_may_need_are_not_taken_away() -> None:
    agents, w = ready(4), {"a": 1.0, "b": 1.0}
    first = apportion(agents, w, {}, {}, {})
    assert Counter(first.values()) == {"a": 2, "b": 2}
    left = [agent for agent in agents if first[agent.id] == "a"]  # both of b's took calls
    assert Counter(apportion(left, w, {}, first, {"a": 2}).values()) == {"a": 2}
    assert Counter(apportion(left, w, {}, first, {"a": 1}).values()) == {"a": 1, "b": 1}
    back = [*left, *(Serving(f"new{n}", AgentState.READY, 100.0, frozenset("ab")) for n in range(2))]
    assert Counter(apportion(back, w, {}, {agent.id: "a" for agent in left}, {"a": 9}).values()) == {"a": 2, "b": 2}
