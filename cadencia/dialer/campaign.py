"""One campaign at work: leases in hand, the controller's decisions, the calls it has launched."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, replace

from cadencia.compliance.gate import judge
from cadencia.dialer.context import Context
from cadencia.domain.agents import AT_WORK, AgentState
from cadencia.domain.codes import ABANDONED, DISPOSITIONS, UNCHARGED, Denial, Outcome
from cadencia.domain.dialing import (
    Campaign,
    CampaignCounts,
    CampaignSettings,
    CampaignState,
    ContactFacts,
    Deny,
    Lease,
    Mode,
    Verdict,
)
from cadencia.domain.events import Event
from cadencia.errors import StoreError
from cadencia.pacing.budget import Budget, Count
from cadencia.pacing.controllers import Policy, make_controller
from cadencia.pacing.learned import Learned
from cadencia.pacing.port import AgentView, Controller, Decision, DialView, PacingEvent, PacingEventKind, Snapshot
from cadencia.pacing.reasons import NO_AGENTS
from cadencia.store.port import Claim

#: Clock seconds a lease is kept in hand before it is given back.
_LEASE_S = 30.0

#: Leases asked for at once: fewer than the store scans, so that fewer than asked for means that the list is dry.
_CLAIM_MAX = 200

#: Clock seconds before an exhausted list is asked again.
_DRY_S = 5.0

#: Why nobody is dialled although the controller would: nobody on the list may be called now.
LIST_EMPTY = "list-empty"

#: Denials that close a list item: asking again would bring the same answer.
_CLOSING = frozenset(
    {Denial.EXCLUDED, Denial.BLOCKED, Denial.NO_DATA, Denial.REFERENCE, Denial.CONSENT, Denial.NO_PHONE}
)


@dataclass
class Counts:
    """A campaign's numbers, carried on in memory from what the store computed at the start."""

    attempts: int
    answered_live: int
    connected: int
    abandoned: int
    contacts: int
    contacts_touched: int
    contacts_closed: int
    outcomes: dict[str, int]
    denied: dict[str, int]

    @classmethod
    def of(cls, counts: CampaignCounts) -> Counts:
        return cls(
            counts.attempts,
            counts.answered_live,
            counts.connected,
            counts.abandoned,
            counts.contacts,
            counts.contacts_touched,
            counts.contacts_closed,
            dict(counts.outcomes),
            dict(counts.denied),
        )

    @property
    def abandonment_rate(self) -> float:
        """Abandoned over live answers, strict: nothing is estimated away."""
        return self.abandoned / self.answered_live if self.answered_live else 0.0


def controller_for(settings: CampaignSettings, learned: Learned) -> Controller:
    """The pacing policy that these settings ask for, going on with what was learnt."""
    return make_controller(Policy(settings.mode, settings.ratio), learned)


class CampaignRunner:
    """Decides and claims for one campaign; the engine does the dialling.

    Args:
        launch: called with the leases to dial now.
        agents: the agents who may serve this campaign, as the controller sees them.
        room: how many calls the trunk takes now.
        cancel: called with the attempt to take back.
    """

    def __init__(
        self,
        context: Context,
        campaign: Campaign,
        counts: CampaignCounts,
        *,
        launch: Callable[[CampaignRunner, list[Lease]], None],
        cancel: Callable[[str], None],
        agents: Callable[[str], tuple[AgentView, ...]],
        room: Callable[[], int],
    ) -> None:
        self._c = context
        self.campaign = campaign
        self.counts = Counts.of(counts)
        self.learned = Learned()
        self.controller = controller_for(campaign.settings, self.learned)
        self.dials: dict[str, DialView] = {}  # launched and unanswered, the unsent included
        self.waiting: set[str] = set()
        self.last = Decision(0, (), NO_AGENTS)
        self._launch, self._cancel, self._agents, self._room = launch, cancel, agents, room
        self._hand: deque[Lease] = deque()
        self._owed: list[str] = []  # leases to be given back when the store answers again
        self._claiming = False
        self._dry_until_s = 0.0

    @property
    def settings(self) -> CampaignSettings:
        return self.campaign.settings

    def judge(self, facts: ContactFacts) -> Verdict:
        """The gate, at this instant, by this campaign's settings."""
        return judge(facts, self.settings, self._c.clock.now())

    def tell(self, kind: PacingEventKind, ref: str, agent_state: AgentState | None = None) -> None:
        """Let the controller know."""
        self.controller.tell(PacingEvent(kind, self._c.clock.monotonic(), ref, agent_state))

    # -- settings ------------------------------------------------------------------------------------------------------
    def change(self, campaign: Campaign) -> None:
        """New settings or a new state, while calls are in flight."""
        if campaign.settings != self.settings:
            self.controller = controller_for(campaign.settings, self.learned)
        self.campaign = campaign
        self._dry_until_s = 0.0
        if campaign.state is not CampaignState.RUNNING:
            self.drop_hand("campaign")

    # -- deciding ------------------------------------------------------------------------------------------------------
    def decide(self) -> None:
        """Ask the controller and carry its decision out."""
        if self.campaign.state is not CampaignState.RUNNING or not self._c.may_dial:
            return
        began = self._c.clock.wall()
        snapshot = self._snapshot()
        decision = self.controller.decide(snapshot)
        self._c.observer.decided(self._c.clock.wall() - began)
        for attempt_id in decision.cancel:
            self._cancel(attempt_id)
        launched = self._start(decision.launch)
        wanted, decision = decision, replace(decision, launch=launched)
        if wanted.launch and not launched and self._c.clock.monotonic() < self._dry_until_s:
            decision = replace(decision, reason=LIST_EMPTY)
        if launched or decision.cancel or decision.reason != self.last.reason:
            self._write_down(snapshot, decision)
        self.last = decision
        self._refill(snapshot, wanted)

    def _write_down(self, snapshot: Snapshot, decision: Decision) -> None:
        """So that anybody can tell afterwards why somebody was dialled at this instant, or nobody."""
        body = {
            "launch": decision.launch,
            "cancel": len(decision.cancel),
            "reason": decision.reason,
            "ready": sum(agent.state is AgentState.READY for agent in snapshot.agents),
            "at_work": sum(agent.state in AT_WORK for agent in snapshot.agents),
            "dialling": len(snapshot.dials),
            "waiting": snapshot.waiting,
            "channels": snapshot.channels,
            "answered": snapshot.budget.day.answers,
            "abandoned": snapshot.budget.day.abandoned,
        }
        now = self._c.clock.now()
        self._c.ledger.append(Event("pacing.decision", now, campaign_id=self.campaign.id, body=body))

    def cancel_all(self) -> None:
        """The campaign stops: take back what may be."""
        snapshot = replace(self._snapshot(), agents=())
        for attempt_id in self.controller.decide(snapshot).cancel:
            self._cancel(attempt_id)

    def _snapshot(self) -> Snapshot:
        count = Count(self.counts.answered_live, self.counts.abandoned)
        return Snapshot(
            now_s=self._c.clock.monotonic(),
            agents=self._agents(self.settings.skill),
            dials=tuple(self.dials.values()),
            waiting=len(self.waiting),
            channels=self._room(),
            budget=Budget(self.settings.abandonment_cap, day=count, month=count),
            min_ring_s=self.settings.min_ring_s,
            wait_s=self.settings.wait_s,
        )

    def _start(self, wanted: int) -> int:
        now = self._c.clock.now()
        leases: list[Lease] = []
        stale: list[Lease] = []
        while self._hand and len(leases) < wanted:
            lease = self._hand.popleft()
            age_s = (now - lease.leased_at).total_seconds()
            verdict = self.judge(replace(lease.facts, in_flight=False))
            # The clock may have passed the end of the window since the lease was written.
            (stale if age_s > _LEASE_S or isinstance(verdict, Deny) else leases).append(lease)
        if stale:
            self._give_back([lease.attempt_id for lease in stale], "stale")
        now_s = self._c.clock.monotonic()
        for lease in leases:
            self.dials[lease.attempt_id] = DialView(lease.attempt_id, now_s)
        if leases:
            self._launch(self, leases)
        return len(leases)

    # -- leases --------------------------------------------------------------------------------------------------------
    def _refill(self, snapshot: Snapshot, decision: Decision) -> None:
        """Keep one to three seconds of dialling in hand, and no more: what is in hand nobody else may have."""
        at_work = sum(agent.state in AT_WORK for agent in snapshot.agents)
        if at_work == 0:
            self.drop_hand("no agents")
            return
        ratio = self.settings.ratio if self.settings.mode is Mode.RATIO else 1.0
        goal = max(2, decision.launch * 2, int(at_work * 0.2 * ratio) + 1)
        short = goal - len(self._hand)
        if short <= 0 or len(self._hand) > goal // 2 or self._claiming:
            return
        if self._c.clock.monotonic() >= self._dry_until_s:
            self._claiming = True
            self._c.spawn(self._claim(min(short, _CLAIM_MAX)))

    async def _claim(self, limit: int) -> None:
        try:
            claimed = await self._c.store.claim(
                Claim(self.campaign.id, limit, self._c.clock.now(), self._c.token, self.judge, self._c.ids.attempt)
            )
        except StoreError as error:
            self._c.store_failed(error)
            return
        finally:
            self._claiming = False
        for code, number in claimed.denied.items():
            self.counts.denied[code] = self.counts.denied.get(code, 0) + number
            self.counts.contacts_closed += number if code in _CLOSING else 0
            self._c.observer.denied(self.campaign.id, code, number)
        if len(claimed.leases) < limit and not claimed.denied:
            self._dry_until_s = self._c.clock.monotonic() + _DRY_S
        self._hand.extend(claimed.leases)
        if self.campaign.state is not CampaignState.RUNNING or self._c.stopping:
            self.drop_hand("campaign")
        self._c.changed()

    def drop_hand(self, reason: str) -> None:
        """Give the leases in hand back."""
        if self._hand:
            self._give_back([lease.attempt_id for lease in self._hand], reason)
            self._hand.clear()

    def _give_back(self, attempt_ids: list[str], reason: str) -> None:
        self._c.spawn(self.give_back(attempt_ids, reason))

    async def give_back(self, attempt_ids: list[str], reason: str) -> None:
        """Return leases; if the store fails, later."""
        for attempt_id in attempt_ids:
            self.dials.pop(attempt_id, None)
        try:
            await self._c.store.give_back(attempt_ids, self._c.token, reason, self._c.clock.now())
        except StoreError as error:
            self._c.store_failed(error)
            self._owed += attempt_ids

    async def give_back_owed(self) -> None:
        """Return the leases that could not be returned when they should have been."""
        owed, self._owed = self._owed, []
        if owed:
            await self.give_back(owed, "store was down")

    @property
    def in_hand(self) -> int:
        """Leases not dialled yet."""
        return len(self._hand)

    # -- counting ------------------------------------------------------------------------------------------------------
    def recount(self, counts: CampaignCounts) -> None:
        """The list may have grown: its size comes from the store; what calls change is carried on in memory."""
        if counts.contacts != self.counts.contacts:
            self._dry_until_s = 0.0
        self.counts.contacts = counts.contacts
        self.counts.contacts_closed = counts.contacts_closed

    def count_attempt(self, lease: Lease) -> None:
        """An attempt was sent."""
        self.counts.attempts += 1
        self.counts.contacts_touched += lease.facts.attempts == 0

    def count_answer(self) -> None:
        """A call was answered; a machine is taken out again when it is known to be one."""
        self.counts.answered_live += 1

    def count_outcome(self, outcome: Outcome) -> None:
        """An attempt was settled."""
        self.counts.outcomes[outcome] = self.counts.outcomes.get(outcome, 0) + 1
        if outcome in ABANDONED:
            self.counts.abandoned += 1
            kind = PacingEventKind.ABANDONED
        elif outcome is Outcome.MACHINE:
            self.counts.answered_live -= 1
            kind = PacingEventKind.UNANSWERED
        elif outcome in UNCHARGED:
            kind = PacingEventKind.FAILED
        elif outcome in (Outcome.CONNECTED, Outcome.DROPPED):
            kind = PacingEventKind.ENDED
        else:
            kind = PacingEventKind.UNANSWERED
        self.tell(kind, "")

    def count_disposition(self, code: str, *, closes: bool) -> None:
        """An agent said who was on the line."""
        leaf = DISPOSITIONS.get(code)
        self.counts.answered_live -= leaf is not None and leaf.machine
        self.counts.contacts_closed += closes
