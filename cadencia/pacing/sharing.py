"""Several campaigns, shared agents: how much of each agent a campaign may count on.

An agent who is busy counts for each running campaign by its weight: nobody knows yet whom the next call of this agent
will be for. Agents who are ready are given out whole, so that no two controllers dial for the same one: within each
group of agents who may serve the same campaigns, by weight and largest remainder (Hamilton). Turns decide who gets the
remaining seats: every call that an agent takes is a credit to the campaigns that might have had this agent and a debit
to the one that did (smooth weighted round robin), so also a single agent goes round, and a campaign that got none keeps
its turn.
"""

from __future__ import annotations

import math
import operator
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from cadencia.domain.agents import AgentState
from cadencia.pacing.port import AgentView

#: A credit beyond one whole agent would be a claim on the past, not on the next seat.
_MOST_CREDIT = 1.0

#: Below this a share of a seat is rounding.
_NOTHING = 1e-9


@dataclass(frozen=True, slots=True)
class Serving:
    """An agent and the campaigns (ids) that this agent may serve; `delay_s` as in `AgentView`."""

    id: str
    state: AgentState
    since_s: float
    campaigns: frozenset[str]
    delay_s: float = 0.0


def seats(agents: int, weights: Mapping[str, float], credit: Mapping[str, float]) -> dict[str, int]:
    """How many of so many equal agents each campaign gets: its quota by weight, rounded down or up.

    Args:
        weights: of the campaigns that take part, each above 0.
        credit: seats that a campaign is owed, or owes if negative; decides who of equals gets a remaining seat.
    """
    total = sum(weights.values())
    quota = {campaign: agents * weight / total for campaign, weight in weights.items()}
    given = {campaign: math.floor(share + _NOTHING) for campaign, share in quota.items()}
    over = {campaign: share - given[campaign] for campaign, share in quota.items()}
    rest = {campaign: share for campaign, share in over.items() if share > _NOTHING}
    turns = sorted(rest, key=lambda campaign: (-(rest[campaign] + credit.get(campaign, 0.0)), campaign))
    for campaign in turns[: agents - sum(given.values())]:
        given[campaign] += 1
    return given


def apportion(
    agents: Iterable[Serving],
    weights: Mapping[str, float],
    credit: Mapping[str, float],
    before: Mapping[str, str],
    needs: Mapping[str, int],
) -> dict[str, str]:
    """Which campaign each ready agent is for; an agent who may serve none of them is left out.

    Args:
        weights: by campaign; those of weight 0 take no part.
        before: what it was: as many as may keep their campaign.
        needs: calls of each campaign that may need an agent: it dialled for those it had, and so many stay its own.
    """
    groups: dict[tuple[str, ...], list[Serving]] = {}
    for agent in agents:
        if agent.state is AgentState.READY:
            campaigns = tuple(sorted(c for c in agent.campaigns if weights.get(c, 0.0) > 0.0))
            groups.setdefault(campaigns, []).append(agent)
    given: dict[str, str] = {}
    open_needs = dict(needs)
    for campaigns in sorted(filter(None, groups)):
        group = sorted(groups[campaigns], key=lambda agent: (agent.since_s, agent.id))
        had = Counter(before.get(agent.id, "") for agent in group)
        held = {c: min(had[c], open_needs.get(c, 0)) for c in campaigns}
        for c in campaigns:
            open_needs[c] = open_needs.get(c, 0) - held[c]
        left = _kept(seats(len(group), {c: weights[c] for c in campaigns}, credit), held)
        new = []
        for agent in group:
            campaign = before.get(agent.id, "")
            if left.get(campaign, 0) > 0:
                given[agent.id] = campaign
                left[campaign] -= 1
            else:
                new.append(agent)
        for agent in new:
            campaign = max(campaigns, key=left.__getitem__)
            given[agent.id] = campaign
            left[campaign] -= 1
    return given


def _kept(target: dict[str, int], held: Mapping[str, int]) -> dict[str, int]:
    """The target, except that nobody gets less than is held; those who have the most beyond that make up for it."""
    got = {campaign: max(seats, held[campaign]) for campaign, seats in target.items()}
    for _ in range(sum(got.values()) - sum(target.values())):
        got[max(sorted(got), key=lambda campaign: got[campaign] - held[campaign])] -= 1
    return got


class Sharing:
    """Gives out the agents, again and again; what did not change stays the same object."""

    def __init__(self) -> None:
        self._credit: dict[str, float] = {}
        self._given: dict[str, str] = {}
        self._may: dict[str, frozenset[str]] = {}
        self._weights: dict[str, float] = {}
        self._views: dict[str, tuple[AgentView, ...]] = {}
        self._held: dict[str, dict[str, AgentView]] = {}

    def share(
        self, agents: Sequence[Serving], weights: Mapping[str, float], needs: Mapping[str, int] | None = None
    ) -> None:
        """Give them out.

        Args:
            agents: all who are signed in.
            weights: of every campaign; 0 for one that needs nobody now.
            needs: calls of each campaign that may need an agent.
        """
        self._weights = dict(weights)
        self._may = {agent.id: agent.campaigns for agent in agents}
        self._given = apportion(agents, weights, self._credit, self._given, needs or {})
        total = {
            may: sum(weight for campaign, weight in weights.items() if campaign in may)
            for may in {agent.campaigns for agent in agents}
        }
        for campaign, weight in weights.items():
            self._share_of(campaign, weight, agents, total)
        for campaign in self._views.keys() - weights.keys():
            del self._views[campaign], self._held[campaign]

    def _share_of(
        self, campaign: str, weight: float, agents: Sequence[Serving], total: Mapping[frozenset[str], float]
    ) -> None:
        """The campaign's views; who did not change keeps the same object, and if nobody did, all do."""
        before, given = self._held.get(campaign, {}), self._given
        held: dict[str, AgentView] = {}
        for agent in agents:
            may = agent.campaigns
            if campaign not in may:
                continue
            agent_id, state, since_s = agent.id, agent.state, agent.since_s
            if state is AgentState.READY:
                share = 1.0 if given.get(agent_id) == campaign else 0.0
            else:
                share = weight / total[may] if total[may] > 0.0 else 0.0
            view = before.get(agent_id)
            if (
                view is None
                or view.state is not state
                or view.since_s != since_s
                or view.share != share
                or view.delay_s != agent.delay_s
            ):
                view = AgentView(agent_id, state, since_s, share, agent.delay_s)
            held[agent_id] = view
        views, known = tuple(held.values()), self._views.get(campaign, ())
        same = len(known) == len(views) and all(map(operator.is_, known, views))
        self._held[campaign], self._views[campaign] = held, known if same else views

    def views(self, campaign: str) -> tuple[AgentView, ...]:
        """The agents who may serve a campaign, with the campaign's share of each."""
        return self._views.get(campaign, ())

    def own(self, agent_id: str) -> str | None:
        """The campaign that a ready agent is for; None for an agent who is not ready or for nobody."""
        return self._given.get(agent_id)

    def served(self, agent_id: str, campaign: str) -> None:
        """The agent took a call of that campaign: the others are nearer to their turn."""
        may = self._may.get(agent_id, frozenset())
        sharing = {c: weight for c, weight in self._weights.items() if weight > 0.0 and c in may}
        if len(sharing) < 2:
            return
        total = sum(sharing.values())
        for c, weight in sharing.items():
            owed = self._credit.get(c, 0.0) + weight / total - (c == campaign)
            self._credit[c] = max(-_MOST_CREDIT, min(_MOST_CREDIT, owed))
