"""Whose each agent is while several campaigns run: `cadencia.pacing.sharing` over the engine's seats and campaigns.

Each server's agents are given out for themselves: a call there can go to nobody else.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace

from cadencia.dialer.campaign import CampaignRunner
from cadencia.dialer.floor import Floor
from cadencia.dialer.live import Seat
from cadencia.dialer.servers import Switch, Switches
from cadencia.domain.agents import AgentState
from cadencia.domain.dialing import CampaignState
from cadencia.pacing.port import AgentView
from cadencia.pacing.sharing import Serving, Sharing


class Shares:
    """Gives the agents out anew when one of them or a campaign has changed, and not otherwise.

    One campaign has them all: then only who moved is looked at, because this runs with every answered call.
    """

    def __init__(self, switches: Switches) -> None:
        self._whole: dict[str, _Whole] = {}
        self._sharing = {switch.name: Sharing() for switch in switches}
        self._stale = True
        self._weights: dict[str, float] = {}
        self._asks: dict[str, tuple[str, str]] = {}
        self._serving: dict[str, Serving] = {}

    def agents_changed(self) -> None:
        """Somebody is new, or has other skills."""
        self._stale = True
        self._whole.clear()

    def moved(self, seat: Seat) -> None:
        """An agent is in another state."""
        whole = self._whole.get(seat.switch.name)
        if whole is not None:
            whole.moved(seat)
        sharing = self._sharing.get(seat.switch.name)
        if sharing is not None and seat.state is AgentState.RESERVED and seat.call is not None:
            sharing.served(seat.agent.id, seat.call.campaign_id)
        self._stale = True

    def views(
        self, campaign_id: str, switch: Switch, seats: Iterable[Seat], runners: Mapping[str, CampaignRunner]
    ) -> tuple[AgentView, ...]:
        """The agents of a server who may serve a campaign, as its controller sees them."""
        if len(runners) == 1:
            whole, terms = self._whole.get(switch.name), _terms(runners[campaign_id])
            if whole is None or whole.terms != terms:
                whole = self._whole[switch.name] = _Whole(switch, terms, seats)
            return whole.views()
        self._whole.clear()
        self._refresh(seats, runners)
        return self._sharing[switch.name].views(campaign_id)

    def ranks(
        self, campaign_id: str, switch: Switch, staff: Floor, runners: Mapping[str, CampaignRunner]
    ) -> Callable[[Seat], int | None]:
        """How each ready agent of a server ranks for a person of a campaign.

        The campaign's own (or nobody's) come before those whom another campaign can spare, None for the rest; of equals
        those whose telephone stands before those whose telephone must be rung first. A campaign can spare agents while
        it has more of its own than calls that may need them: so none abandons for another's sake.
        """
        if len(runners) == 1:
            return lambda seat: int(not seat.nailed)
        self._refresh(staff.seats.values(), runners)
        own = self._sharing[switch.name].own
        ready = Counter(own(seat.agent.id) for seat in staff.ready(switch))

        def rank(seat: Seat) -> int | None:
            whose, rung = own(seat.agent.id), int(not seat.nailed)
            if whose is None or whose == campaign_id:
                return rung
            pool = runners[whose].pool(switch)
            return 2 + rung if ready[whose] > len(pool.dials) + len(pool.waiting) else None

        return rank

    def _refresh(self, seats: Iterable[Seat], runners: Mapping[str, CampaignRunner]) -> None:
        weights = weights_of(runners)
        asks = {campaign_id: (runner.settings.skill, runner.settings.trunk) for campaign_id, runner in runners.items()}
        if not self._stale and weights == self._weights and asks == self._asks:
            return
        self._stale, self._weights, self._asks = False, weights, asks
        may: dict[tuple[str, frozenset[str]], frozenset[str]] = {}
        serving: dict[str, list[Serving]] = {name: [] for name in self._sharing}
        for seat in seats:
            switch, skills = seat.switch, seat.skills
            if seat.state is AgentState.OUT or switch.name not in serving:
                continue
            if (switch.name, skills) not in may:
                may[switch.name, skills] = frozenset(
                    c
                    for c, (skill, trunk) in asks.items()
                    if (not skill or skill in skills) and switch.trunk(trunk) is not None
                )
            serving[switch.name].append(self._serving_of(seat, may[switch.name, skills]))
        self._serving = {agent.id: agent for agents in serving.values() for agent in agents}
        for name, agents in serving.items():
            pools = {campaign_id: runner.pools[name] for campaign_id, runner in runners.items()}
            needs = {campaign_id: len(pool.dials) + len(pool.waiting) for campaign_id, pool in pools.items()}
            self._sharing[name].share(agents, weights, needs)

    def _serving_of(self, seat: Seat, campaigns: frozenset[str]) -> Serving:
        known, delay_s = self._serving.get(seat.agent.id), 0.0 if seat.nailed else seat.pickup_s
        if known is None or known.state is not seat.state or known.since_s != seat.since_s or known.delay_s != delay_s:
            return Serving(seat.agent.id, seat.state, seat.since_s, campaigns, delay_s)
        return known if known.campaigns == campaigns else replace(known, campaigns=campaigns)


#: Skill, trunk and share of the only campaign.
_Terms = tuple[str, str, float]


def _terms(runner: CampaignRunner) -> _Terms:
    settings = runner.settings
    return settings.skill, settings.trunk, float(weights_of({"": runner})[""] > 0.0)


class _Whole:
    """A server's agents while there is one campaign."""

    def __init__(self, switch: Switch, terms: _Terms, seats: Iterable[Seat]) -> None:
        self.terms = terms
        self._skill, trunk, self._share = terms
        self._carried = switch.trunk(trunk) is not None
        self._held: dict[str, AgentView] = {}
        self._shown: tuple[AgentView, ...] | None = None
        for seat in seats:
            if seat.switch is switch:
                self.moved(seat)

    def moved(self, seat: Seat) -> None:
        """An agent is in another state."""
        self._shown = None
        may = self._carried and (not self._skill or self._skill in seat.skills)
        if seat.state is AgentState.OUT or not may:
            self._held.pop(seat.agent.id, None)
        else:
            delay_s = 0.0 if seat.nailed else seat.pickup_s
            self._held[seat.agent.id] = AgentView(seat.agent.id, seat.state, seat.since_s, self._share, delay_s)

    def views(self) -> tuple[AgentView, ...]:
        """The same object while nobody moved: the controller then saves its work."""
        if self._shown is None:
            self._shown = tuple(self._held.values())
        return self._shown


def weights_of(runners: Mapping[str, CampaignRunner]) -> dict[str, float]:
    """Each campaign's weight; if no campaign has anybody to dial, those that run have theirs, for when they do."""
    weights = {campaign_id: runner.weight for campaign_id, runner in runners.items()}
    if any(weights.values()):
        return weights
    return {
        campaign_id: runner.settings.weight if runner.campaign.state is CampaignState.RUNNING else 0.0
        for campaign_id, runner in runners.items()
    }
