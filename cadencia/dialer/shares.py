"""Whose each agent is while several campaigns run: `cadencia.pacing.sharing` over the engine's seats and campaigns."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace

from cadencia.dialer.campaign import CampaignRunner
from cadencia.dialer.floor import Floor
from cadencia.dialer.live import Seat
from cadencia.domain.agents import AgentState
from cadencia.domain.dialing import CampaignState
from cadencia.pacing.port import AgentView
from cadencia.pacing.sharing import Serving, Sharing


class Shares:
    """Gives the agents out anew when one of them or a campaign has changed, and not otherwise."""

    def __init__(self) -> None:
        self._sharing = Sharing()
        self._stale = True
        self._weights: dict[str, float] = {}
        self._skills: dict[str, str] = {}
        self._serving: dict[str, Serving] = {}

    def agents_changed(self) -> None:
        """Somebody is new, or has other skills."""
        self._stale = True

    def moved(self, seat: Seat) -> None:
        """An agent is in another state."""
        if seat.state is AgentState.RESERVED and seat.call is not None:
            self._sharing.served(seat.agent.id, seat.call.campaign_id)
        self._stale = True

    def views(
        self, campaign_id: str, seats: Iterable[Seat], runners: Mapping[str, CampaignRunner]
    ) -> tuple[AgentView, ...]:
        """The agents who may serve a campaign, as its controller sees them."""
        self._refresh(seats, runners)
        return self._sharing.views(campaign_id)

    def ranks(
        self, campaign_id: str, staff: Floor, runners: Mapping[str, CampaignRunner]
    ) -> Callable[[Seat], int | None]:
        """How each ready agent ranks for a person of a campaign.

        0 for the campaign's own (or nobody's), 1 for one whom another campaign can spare, None for the rest. It can
        spare agents while it has more of its own than calls that may need them: so none abandons for another's sake.
        """
        self._refresh(staff.seats.values(), runners)
        own = self._sharing.own
        ready = Counter(own(seat.agent.id) for seat in staff.ready())

        def rank(seat: Seat) -> int | None:
            whose = own(seat.agent.id)
            if whose is None or whose == campaign_id:
                return 0
            other = runners[whose]
            return 1 if ready[whose] > len(other.dials) + len(other.waiting) else None

        return rank

    def _refresh(self, seats: Iterable[Seat], runners: Mapping[str, CampaignRunner]) -> None:
        weights = weights_of(runners)
        skills = {campaign_id: runner.settings.skill for campaign_id, runner in runners.items()}
        if not self._stale and weights == self._weights and skills == self._skills:
            return
        self._stale, self._weights, self._skills = False, weights, skills
        may: dict[frozenset[str], frozenset[str]] = {}
        serving = []
        for seat in seats:
            if seat.state is AgentState.OUT:
                continue
            if seat.skills not in may:
                may[seat.skills] = frozenset(c for c, skill in skills.items() if not skill or skill in seat.skills)
            agent_id, campaigns = seat.agent.id, may[seat.skills]
            known = self._serving.get(agent_id)
            if known is None or known.state is not seat.state or known.since_s != seat.since_s:
                known = Serving(agent_id, seat.state, seat.since_s, campaigns)
            elif known.campaigns != campaigns:
                known = replace(known, campaigns=campaigns)
            serving.append(known)
        self._serving = {agent.id: agent for agent in serving}
        needs = {campaign_id: len(runner.dials) + len(runner.waiting) for campaign_id, runner in runners.items()}
        self._sharing.share(serving, weights, needs)


def weights_of(runners: Mapping[str, CampaignRunner]) -> dict[str, float]:
    """Each campaign's weight; if no campaign has anybody to dial, those that run have theirs, for when they do."""
    weights = {campaign_id: runner.weight for campaign_id, runner in runners.items()}
    if any(weights.values()):
        return weights
    return {
        campaign_id: runner.settings.weight if runner.campaign.state is CampaignState.RUNNING else 0.0
        for campaign_id, runner in runners.items()
    }
