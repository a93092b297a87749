"""One campaign at work: leases in hand, the controller's decisions, the calls it has launched."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import date, datetime, timedelta

from cadencia.compliance.hours import Opening
from cadencia.dialer.context import Context
from cadencia.dialer.counts import AnswerBook, Counts, local_day
from cadencia.dialer.decisions import Decided, body
from cadencia.dialer.hand import Hand
from cadencia.dialer.live import LiveCall
from cadencia.dialer.pool import Pool
from cadencia.dialer.priors import Hours
from cadencia.dialer.servers import Switch
from cadencia.dialer.told import Teller
from cadencia.dialer.why import LIST_EMPTY, TRUNK_DOWN
from cadencia.domain.agents import AT_WORK, AgentState
from cadencia.domain.codes import ABANDONED, DISPOSITIONS, Denial, Outcome
from cadencia.domain.dialing import (
    Campaign,
    CampaignCounts,
    CampaignSettings,
    CampaignState,
    ContactFacts,
    DayCount,
    Lease,
    Mode,
    Prior,
)
from cadencia.domain.events import KINDS, Event
from cadencia.domain.law import Deny, Verdict
from cadencia.errors import StoreError
from cadencia.pacing.budget import Budget
from cadencia.pacing.controllers import Policy, make_controller
from cadencia.pacing.limits import cancellable
from cadencia.pacing.port import AgentView, Decision, DialView, PacingEvent, PacingEventKind, Snapshot
from cadencia.pacing.reasons import LIMITED_BY_LIST, NO_AGENTS
from cadencia.queue.propensity import propensity
from cadencia.store.port import Claim

#: Clock seconds a lease is kept in hand before it is given back.
_LEASE_S = 30.0

#: Leases asked for at once: fewer than the store scans, so that fewer than asked for means that the list is dry.
_CLAIM_MAX = 200

#: Clock seconds before an exhausted list is asked again.
_DRY_S = 5.0

_AT_ONCE = timedelta()


def policy_of(settings: CampaignSettings) -> Policy:
    """The pacing policy that these settings ask for."""
    return Policy(settings.mode, settings.ratio, cancel_late=settings.cancel_late)


class CampaignRunner:
    """Decides and claims for one campaign; the engine does the dialling.

    Args:
        counts, days, priors: what the store has written down of it.
        launch: called with the leases to dial now.
        offer: called in preview with a lease for an agent of a server to choose; False if nobody can be shown it now.
        agents: the agents of a server who may serve the campaign of an id, as its controller sees them.
        room: how many calls the trunk takes now: channels, and by its rate.
        cancel: called with the attempt to take back.
    """

    def __init__(
        self,
        context: Context,
        campaign: Campaign,
        counts: CampaignCounts,
        *,
        days: Iterable[DayCount] = (),
        priors: Iterable[Prior] = (),
        launch: Callable[[CampaignRunner, list[Lease], Switch], None],
        offer: Callable[[CampaignRunner, Lease, Switch], bool],
        cancel: Callable[[str], None],
        agents: Callable[[str, Switch], tuple[AgentView, ...]],
        room: Callable[[CampaignRunner, Switch], tuple[int, int]],
    ) -> None:
        self._c = context
        self.campaign = campaign
        self.counts = Counts.of(counts)
        self.book = AnswerBook(days)
        self.hours = Hours(context, campaign.id, priors)
        self.policy = policy_of(campaign.settings)
        self.pools = {s.name: Pool(s, self.policy, self.hours.learned) for s in context.switches}
        self.story = Teller(self.tell)
        self._launch, self._offer = launch, offer
        self._cancel, self._agents, self._room = cancel, agents, room
        self._hand = Hand()
        self._reach = 0.0  # leases to be kept in hand because there were too few
        self._owed: list[tuple[list[str], str, datetime | None]] = []  # to be given back when the store answers again
        self._claiming = False
        self._dry, self._dry_until_s = False, 0.0
        self._today = (local_day(context.clock.now()), context.clock.now())

    @property
    def settings(self) -> CampaignSettings:
        return self.campaign.settings

    def judge(self, facts: ContactFacts) -> Verdict:
        """The gate, at this instant, by this campaign's settings; where the clock was set, at either of its times."""
        now, steady = self._c.wall.instants()
        verdict = self._c.judge.recorded(facts, self.settings, now)
        if steady == now or isinstance(verdict, Deny):
            return verdict
        other = self._c.judge.recorded(facts, self.settings, steady)
        return other if isinstance(other, Deny) else verdict

    @property
    def opening(self) -> Opening | None:
        """The hours that hold; None where a profile is missing: then nothing is lawful."""
        return None if self._c.judge.stack(self.settings).missing else self._c.judge.opening(self.settings)

    @property
    def now(self) -> datetime:
        """The clock's instant."""
        return self._c.clock.now()

    def may_still(self, lease: Lease) -> Denial | None:
        """The gate asked again at the instant of dialling; why not, or None."""
        facts = replace(lease.facts, facts=replace(lease.facts.facts, in_flight=False))
        verdict = self.judge(facts)
        if isinstance(verdict, Deny):
            return verdict.code
        # The number was chosen at the lease: another one would need another lease.
        return None if verdict.phone == lease.phone else Denial.NO_PHONE

    # -- where it runs -------------------------------------------------------------------------------------------------
    def pool(self, switch: Switch) -> Pool:
        """The part of it on a server."""
        return self.pools[switch.name]

    @property
    def shown(self) -> Pool:
        """The part that most of its agents are in: what is told of its decisions is told of that one."""
        if len(self.pools) == 1:
            return next(iter(self.pools.values()))
        return max(self.pools.values(), key=lambda pool: (pool.switch.ready, self._at_work(pool)))

    @property
    def dials(self) -> dict[str, DialView]:
        """What is on its way on all servers."""
        return {ref: dial for pool in self.pools.values() for ref, dial in pool.dials.items()}

    @property
    def waiting(self) -> int:
        """People who answered and whom nobody has, on all servers."""
        return sum(len(pool.waiting) for pool in self.pools.values())

    def rings(self, switch: Switch) -> bool:
        """Whether an agent at work there has a telephone that is rung for each call."""
        return any(a.delay_s > 0.0 and a.state in AT_WORK for a in self._agents(self.campaign.id, switch))

    def _at_work(self, pool: Pool) -> int:
        return sum(agent.state in AT_WORK for agent in self._agents(self.campaign.id, pool.switch))

    # -- telling -------------------------------------------------------------------------------------------------------
    def tell(self, event: PacingEvent) -> None:
        """Let the controllers know: they learn together, so that one of them hears it."""
        next(iter(self.pools.values())).controller.tell(event)
        self.hours.told()

    def agent_moved(self, agent_id: str, state: AgentState) -> None:
        """An agent who may serve this campaign is in another state."""
        self.tell(PacingEvent(PacingEventKind.AGENT, self._c.clock.monotonic(), agent_id, state))

    # -- settings ------------------------------------------------------------------------------------------------------
    def change(self, campaign: Campaign) -> None:
        """New settings or a new state, while calls are in flight; what was learnt stays."""
        policy = policy_of(campaign.settings)
        if policy != self.policy:
            self.policy = policy
            for pool in self.pools.values():
                pool.controller = make_controller(policy, self.hours.learned)
        self.campaign = campaign
        self._dry, self._dry_until_s = False, 0.0
        if campaign.state is not CampaignState.RUNNING:
            self.close()
            self.drop_hand("campaign")

    @property
    def dry(self) -> bool:
        """Nobody on the list may be called now, when it was last asked."""
        return self._dry and not self._hand

    @property
    def weight(self) -> float:
        """Its part of the agents who serve others too; 0 while it has nobody to dial and nobody on the line."""
        busy = any(pool.dials or pool.waiting for pool in self.pools.values())
        wants = self.campaign.state is CampaignState.RUNNING and not self.dry
        return self.settings.weight if wants or busy else 0.0

    # -- deciding ------------------------------------------------------------------------------------------------------
    def decide(self) -> None:
        """Ask the controller of each server and carry its decision out."""
        dialling = self.campaign.state is CampaignState.RUNNING and self._c.may_dial
        if dialling:
            self._give_back_old()
        ready = [pool for pool in self.pools.values() if pool.switch.ready] if dialling else []
        for pool in self.pools.values():
            if pool not in ready:
                self._wind_down(pool)
        if not ready:
            return
        team = sum(map(self._at_work, ready)) if len(self.pools) > 1 else 0
        decided = [self._decide_in(pool, team) for pool in ready]
        self._refill(decided)

    def _decide_in(self, pool: Pool, team: int) -> tuple[Snapshot, Decision]:
        began = self._c.clock.wall()
        snapshot = self._snapshot(pool, team)
        decision = pool.controller.decide(snapshot)
        self._c.observer.decided(self._c.clock.wall() - began)
        for attempt_id in decision.cancel:
            self._cancel(attempt_id)
        server = pool.switch.name if len(self.pools) > 1 else ""
        mode = self.settings.mode
        if decision.launch:
            decided = Decided(mode, snapshot, decision, decision.launch, decision.reason, server)
            pool.launching = body(decided, decision.launch, len(decision.cancel))
        launched = self._start(pool, decision)
        pool.launching = None
        reason = decision.reason
        if not launched and self.dry and (reason == LIMITED_BY_LIST or (reason != NO_AGENTS and not pool.dials)):
            reason = LIST_EMPTY
        elif not launched and reason != NO_AGENTS and not pool.switch.carries(self.settings.trunk):
            reason = TRUNK_DOWN
        pool.last = replace(decision, launch=launched, reason=reason)
        self._write_down(pool.log.take(Decided(mode, snapshot, decision, launched, reason, server)))
        return snapshot, decision

    def _wind_down(self, pool: Pool) -> None:
        """Nobody new is dialled. What rings goes on while an agent can take it, unless the campaign was stopped."""
        if pool.dials and (self.campaign.state is CampaignState.STOPPED or not self.served(pool.switch)):
            self._cancel_in(pool)

    def cancel_all(self) -> None:
        """Take back what may be."""
        for pool in self.pools.values():
            self._cancel_in(pool)

    def _cancel_in(self, pool: Pool) -> None:
        for attempt_id in cancellable(self._snapshot(pool, 0)):
            self._cancel(attempt_id)

    def served(self, switch: Switch) -> bool:
        """Whether anybody is at work on that server who may serve this campaign."""
        return self._at_work(self.pool(switch)) > 0

    def _write_down(self, body: dict[str, object] | None) -> None:
        """So that anybody can tell afterwards why somebody was dialled at this instant, or nobody."""
        if body is not None:
            kind, now = "pacing.decision", self._c.clock.now()
            event = Event(kind, now, campaign_id=self.campaign.id, body=body, version=KINDS[kind])
            self._c.ledger.append(event)

    def close(self) -> None:
        """Nothing more is decided, for now or for good: write down the last second's decisions."""
        for pool in self.pools.values():
            self._write_down(pool.log.rest())

    @property
    def budget(self) -> Budget:
        """What may be abandoned today."""
        return self.book.budget(self._day(), self.settings)

    @property
    def budget_left(self) -> float:
        """Calls that may still be abandoned, negative when overdrawn, as the controller reckons them."""
        at_work = sum(map(self._at_work, self.pools.values()))
        return self.budget.drops(at_work, self.hours.learned.machine_share)

    def _budget_of(self, pool: Pool, team: int) -> Budget:
        """A server's part: what all its agents may abandon together is not to be abandoned once on each server."""
        return replace(self.budget, share=self._at_work(pool) / team, team=team) if team else self.budget

    def _day(self) -> date:
        """The local date; worked out anew once a minute at most, and always at midnight, which is a full minute."""
        now = self._c.clock.now()
        minute = now.replace(second=0, microsecond=0)
        if minute != self._today[1]:
            self._today = local_day(now), minute
        return self._today[0]

    def _snapshot(self, pool: Pool, team: int) -> Snapshot:
        channels, rate = self._room(self, pool.switch)
        return Snapshot(
            now_s=self._c.clock.monotonic(),
            agents=self._agents(self.campaign.id, pool.switch),
            dials=pool.views(),
            waiting=len(pool.waiting),
            channels=channels,
            rate=rate,
            supply=self._hand.supply,
            budget=self._budget_of(pool, team),
            min_ring_s=self.settings.min_ring_s,
            wait_s=self.settings.wait_s,
            line=self._line(pool.switch),
        )

    def _line(self, switch: Switch) -> str:
        """Whose failures open a breaker: this trunk's on this server."""
        return f"{switch.name}/{self.settings.trunk}"

    def _start(self, pool: Pool, decision: Decision) -> int:
        drawn = self._hand.draw(decision.launch, decision.propensities)
        # The clock may have passed the end of the window since the lease was written.
        denied = [self.may_still(lease) for lease, _ in drawn]
        stale = [lease.attempt_id for (lease, _), no in zip(drawn, denied, strict=True) if no]
        if stale:
            self._give_back(stale, "stale")
        going = [pair for pair, no in zip(drawn, denied, strict=True) if not no]
        if self.settings.mode is Mode.PREVIEW:
            return self._show([lease for lease, _ in going], pool.switch)
        self._dial(going, pool.switch)
        return len(going)

    def _dial(self, going: list[tuple[Lease, int]], switch: Switch) -> None:
        now_s, line, dials = self._c.clock.monotonic(), self._line(switch), self.pool(switch).dials
        for lease, kind in going:
            dials[lease.attempt_id] = DialView(lease.attempt_id, now_s, None, kind)
            self.story.launched(lease.attempt_id, now_s, kind, line)
        if going:
            self._launch(self, [lease for lease, _ in going], switch)

    def not_dialled(self, attempt_id: str) -> None:
        """A launched attempt never went out."""
        for pool in self.pools.values():
            pool.dials.pop(attempt_id, None)
        self.story.cancelled(attempt_id, self._c.clock.monotonic())

    def _show(self, leases: list[Lease], switch: Switch) -> int:
        kept = [lease for lease in leases if not self._offer(self, lease, switch)]
        self._hand.put(kept)
        return len(leases) - len(kept)

    def dial(self, lease: Lease, switch: Switch) -> None:
        """An agent of that server chose to dial this person."""
        self._dial([(lease, propensity(lease.facts, lease.file.history))], switch)

    # -- leases --------------------------------------------------------------------------------------------------------
    def _refill(self, decided: list[tuple[Snapshot, Decision]]) -> None:
        """Keep one to three seconds of dialling in hand, and no more: what is in hand nobody else may have."""
        at_work = sum(agent.state in AT_WORK for snapshot, _ in decided for agent in snapshot.agents)
        if at_work == 0:
            self.drop_hand("no agents")
            return
        ratio = self.settings.ratio if self.settings.mode is Mode.RATIO else 1.0
        short_of = any(decision.reason == LIMITED_BY_LIST for _, decision in decided)
        self._reach = min(float(_CLAIM_MAX), max(4.0, 2.0 * self._reach)) if short_of else 0.98 * self._reach
        most = sum(max(decision.wanted, decision.launch) for _, decision in decided)
        goal = max(2, most * 2, int(at_work * 0.2 * ratio) + 1, int(self._reach))
        short = goal - len(self._hand)
        if short <= 0 or len(self._hand) > goal // 2 or self._claiming or self._hours_in_doubt():
            return
        if self._c.clock.monotonic() >= self._dry_until_s:
            self._claiming = True
            self._c.spawn(self._claim(min(short, _CLAIM_MAX)))

    def _hours_in_doubt(self) -> bool:
        """The clock was set, and only one of its two times is within the hours: a claim would put the whole list off to
        another day, by a clock that may be wrong."""
        now, steady = self._c.wall.instants()
        if steady == now:
            return False
        opening = self._c.judge.opening(self.settings)
        return opening.holds(now, _AT_ONCE) is not opening.holds(steady, _AT_ONCE)

    async def _claim(self, limit: int) -> None:
        try:
            claimed = await self._c.store.claim(
                Claim(
                    self.campaign.id,
                    limit,
                    self._c.clock.now(),
                    self._c.token,
                    self.judge,
                    self._c.ids.attempt,
                    self.settings.purpose,
                    self._c.judge.stack(self.settings).look_back,
                )
            )
        except StoreError as error:
            self._c.store_failed(error)
            return
        finally:
            self._claiming = False
        for code, number in claimed.denied.items():
            self.counts.denied[code] = self.counts.denied.get(code, 0) + number
            self._c.observer.denied(self.campaign.id, code, number)
        self.counts.contacts_closed += claimed.closed
        self._dry = len(claimed.leases) < limit and not claimed.denied
        if self._dry:
            self._dry_until_s = self._c.clock.monotonic() + _DRY_S
        self._hand.put(claimed.leases)
        if self.campaign.state is not CampaignState.RUNNING or self._c.stopping:
            self.drop_hand("campaign")
        self._c.changed()

    def drop_hand(self, reason: str) -> None:
        """Give the leases in hand back."""
        if self._hand:
            self._give_back([lease.attempt_id for lease in self._hand.clear()], reason)

    def _give_back_old(self) -> None:
        """What was in hand for long: somebody else may have a better use for it."""
        old = self._hand.old(self._c.clock.now() - timedelta(seconds=_LEASE_S))
        if old:
            self._give_back([lease.attempt_id for lease in old], "stale")

    def _give_back(self, attempt_ids: list[str], reason: str) -> None:
        self._c.spawn(self.give_back(attempt_ids, reason))

    async def give_back(self, attempt_ids: list[str], reason: str, due_at: datetime | None = None) -> None:
        """Return leases, whose list items are due again at `due_at` (at once if None); if the store fails, later."""
        for attempt_id in attempt_ids:
            self.not_dialled(attempt_id)
        try:
            await self._c.store.give_back(attempt_ids, self._c.token, reason, self._c.clock.now(), due_at)
        except StoreError as error:
            self._c.store_failed(error)
            self._owed.append((attempt_ids, reason, due_at))

    async def give_back_owed(self) -> None:
        """Return the leases that could not be returned when they should have been."""
        owed, self._owed = self._owed, []
        for attempt_ids, reason, due_at in owed:
            await self.give_back(attempt_ids, reason, due_at)

    @property
    def in_hand(self) -> int:
        """Leases not dialled yet."""
        return len(self._hand)

    # -- counting ------------------------------------------------------------------------------------------------------
    def recount(self, counts: CampaignCounts) -> None:
        """The list may have grown: its size comes from the store; what calls change is carried on in memory."""
        if counts.contacts != self.counts.contacts:
            self._dry, self._dry_until_s = False, 0.0
        self.counts.contacts = counts.contacts
        self.counts.contacts_closed = counts.contacts_closed

    def count_attempt(self, lease: Lease) -> None:
        """An attempt was sent."""
        self.counts.attempts += 1
        self.counts.contacts_touched += lease.facts.attempts == 0

    def count_answer(self, live: LiveCall) -> None:
        """A call was answered; a machine is taken out again when it is known to be one."""
        self.counts.answered_live += 1
        self.book.count(_answer_day(live), answers=1)

    def count_connected(self, live: LiveCall) -> None:
        """An agent and the person are together for the first time."""
        self.counts.connected += 1
        self.book.count(_answer_day(live), unjudged=1)
        self.story.connected(live.attempt_id, self._c.clock.monotonic())

    def count_outcome(self, live: LiveCall, outcome: Outcome, *, talked: bool) -> None:
        """An attempt was settled."""
        self.counts.outcomes[outcome] = self.counts.outcomes.get(outcome, 0) + 1
        if outcome in ABANDONED:
            self.counts.abandoned += 1
            self.book.count(_answer_day(live), abandoned=1)
        elif outcome is Outcome.MACHINE:
            self.counts.answered_live -= 1
            self.book.count(_answer_day(live), answers=-1)
        if live.connected_at is not None and not talked:
            self.counts.connected -= 1
            self.book.count(_answer_day(live), unjudged=-1)
        self.story.ended(live.attempt_id, outcome, self._c.clock.monotonic())

    def count_disposition(self, live: LiveCall, code: str, *, closes: bool) -> None:
        """An agent said who was on the line; a later word replaces an earlier one."""
        self.counts.contacts_closed += closes
        leaf = DISPOSITIONS.get(code)
        if leaf is None:
            return  # the wrap-up ran out: still nobody said anything
        day, other = _answer_day(live), int(leaf.machine) - int(live.machine)
        self.counts.answered_live -= other
        self.book.count(day, answers=-other, machines=other, unjudged=0 if live.judged else -1)
        live.judged, live.machine = True, leaf.machine
        self.story.judged(live.attempt_id, self._c.clock.monotonic(), live=not leaf.machine)


def _answer_day(live: LiveCall) -> date:
    return local_day(live.answered_at or live.since)
