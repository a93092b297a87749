"""The calls in progress: from the launch over the answer and the agent to the one settlement."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from dataclasses import replace
from functools import partial

import structlog

from cadencia.clock import call_later
from cadencia.dialer.campaign import CampaignRunner
from cadencia.dialer.context import Context
from cadencia.dialer.ends import close, operator_of
from cadencia.dialer.floor import Floor
from cadencia.dialer.live import LiveCall, Seat
from cadencia.domain.codes import Outcome
from cadencia.domain.dialing import AttemptState, CampaignState, Lease, Mark, Settlement
from cadencia.errors import AmiLost, AmiRefused, StoreError, TelephonyError
from cadencia.pacing.limits import cancellable
from cadencia.pacing.port import DialView, Snapshot
from cadencia.queue.retry import after_outcome
from cadencia.queue.routing import longest_idle
from cadencia.telephony.ami.codec import Message
from cadencia.telephony.ami.session import Action
from cadencia.telephony.call import Call, Phase, Sign, Signal, advance, outcome
from cadencia.telephony.outcomes import OutcomeTable

log = structlog.get_logger(__name__)

#: Clock seconds after the ring time-out at which a call nobody told us more of is given up (a silent trunk: 32 s).
_GIVE_UP_S = 35.0

#: Clock seconds for the Hangup with the cause to follow a Failure.
_CAUSE_S = 0.5

#: Clock seconds between two looks whether an unwanted call has rung long enough.
_LOOK_AGAIN_S = 1.0

#: Clock seconds within which both legs must be seen in the bridge we ordered.
_BRIDGE_S = 3.0

#: Clock seconds that the dialplan keeps a person whose agent vanished.
_REOFFER_S = 8.0


class Calls:
    """All calls in progress.

    Args:
        runner: the campaign of an id.
        audit: ask the switch what is really there, soon.
        ranks: how each ready agent ranks for a campaign (id): the lower, the better, None for one it must not take.
    """

    def __init__(
        self,
        context: Context,
        floor: Floor,
        table: OutcomeTable,
        runner: Callable[[str], CampaignRunner],
        audit: Callable[[], None],
        ranks: Callable[[str], Callable[[Seat], int | None]],
    ) -> None:
        self._c, self._floor, self._table, self._runner, self._audit = context, floor, table, runner, audit
        self._ranks = ranks
        self.live: dict[str, LiveCall] = {}
        self._waiting: dict[str, LiveCall] = {}  # answered, in the order they are to be served
        self._outbox: list[tuple[CampaignRunner, Lease]] = []
        self._posted = asyncio.Event()
        self._doubtful: dict[str, tuple[CampaignRunner, Lease]] = {}  # their commit failed: sent or leased, not dialled
        self._chosen: dict[str, LiveCall] = {}  # an agent waits for them, and they are not committed yet

    # -- launching -----------------------------------------------------------------------------------------------------
    def launch(self, runner: CampaignRunner, leases: list[Lease]) -> None:
        """Hand leases to the sender: committed in groups, then dialled."""
        self._outbox += [(runner, lease) for lease in leases]
        self._posted.set()

    def launch_for(self, runner: CampaignRunner, lease: Lease, seat: Seat) -> None:
        """Dial a person whom an agent chose: who answers is put through to this very agent."""
        self._chosen[lease.attempt_id] = live = self._live(runner, lease)
        live.chosen = True
        self._floor.reserve(seat, live)
        runner.dial(lease)

    def for_anybody(self, campaign_id: str) -> int:
        """Unanswered calls of a campaign that are for whoever is ready when they are answered."""
        own = (live for live in self.live.values() if live.campaign_id == campaign_id)
        return sum(live.seat is None and live.call.answered_s is None for live in own)

    def knows(self, attempt_id: str) -> bool:
        """Whether the attempt is a call in progress, or about to be one."""
        return attempt_id in self.live or attempt_id in self._chosen

    async def run_sender(self) -> None:
        """Commit and dial until cancelled."""
        while True:
            await self._posted.wait()
            self._posted.clear()
            group, self._outbox = self._outbox, []
            try:
                await self._send_group(group)
            except StoreError as error:
                # Nothing was sent. Whether the commit went through is unknown until the store answers again.
                log.error("calls.commit_failed", code=error.code, calls=len(group))
                self._c.store_failed(error)
                self._never_committed(group)
                self._doubtful.update({lease.attempt_id: (runner, lease) for runner, lease in group})

    async def _send_group(self, group: list[tuple[CampaignRunner, Lease]]) -> None:
        ids = [lease.attempt_id for _, lease in group]
        allowed = await self._c.store.mark_sending(ids, self._c.token, self._c.clock.now())
        refused = [pair for pair in group if pair[1].attempt_id not in allowed]
        self._never_committed(refused)
        await self._return(refused)
        dial = [pair for pair in group if pair[1].attempt_id in allowed]
        for runner, lease in dial:
            runner.count_attempt(lease)
            self.live[lease.attempt_id] = live = self._chosen.pop(lease.attempt_id, None) or self._live(runner, lease)
            live.call = Call(lease.attempt_id, self._c.clock.monotonic())
            live.trace.begin(self._c.clock.now(), live.call.sent_s, server=live.server, trunk=live.settings.trunk)
        self._originate([(runner, self.live[lease.attempt_id]) for runner, lease in dial])

    async def resolve_doubts(self) -> None:
        """End what a failed commit left in `sending` (it never reached the switch) and give the rest back.

        Raises StoreError: then it is asked again.
        """
        if not self._doubtful:
            return
        opened = {attempt.attempt_id: attempt.state for attempt in await self._c.store.open_attempts()}
        pairs, self._doubtful = list(self._doubtful.values()), {}
        for runner, lease in pairs:
            if opened.get(lease.attempt_id) is AttemptState.SENDING:
                runner.count_attempt(lease)
                self.live[lease.attempt_id] = live = self._live(runner, lease)
                self._never_sent(live)
        await self._return([pair for pair in pairs if opened.get(pair[1].attempt_id) is AttemptState.LEASED])
        for runner, lease in pairs:
            runner.not_dialled(lease.attempt_id)

    async def _return(self, group: list[tuple[CampaignRunner, Lease]]) -> None:
        for runner in {id(runner): runner for runner, _ in group}.values():
            await runner.give_back([lease.attempt_id for r, lease in group if r is runner], "refused at sending")

    def _never_committed(self, group: list[tuple[CampaignRunner, Lease]]) -> None:
        """Whoever chose one of these waits in vain."""
        for _, lease in group:
            live = self._chosen.pop(lease.attempt_id, None)
            if live is not None and live.seat is not None:
                self._floor.release(live.seat, Outcome.CANCELLED)

    def _live(self, runner: CampaignRunner, lease: Lease) -> LiveCall:
        call = Call(lease.attempt_id, self._c.clock.monotonic())
        return LiveCall(
            lease.attempt_id,
            lease.campaign_id,
            lease.contact_id,
            lease.facts.person_id,
            lease.phone,
            lease.file,
            runner.settings,
            call,
            lease.attempt_id,
            self._c.clock.now(),
        )

    def _originate(self, dial: list[tuple[CampaignRunner, LiveCall]]) -> None:
        wanted = [pair for pair in dial if self._still_wanted(*pair)]
        for runner, live in dial:
            if (runner, live) not in wanted:
                self._never_sent(live)
        if not wanted:
            return
        orders = [self._order(live) for _, live in wanted]
        try:
            answers = self._c.send(orders)
        except TelephonyError:
            for _, live in wanted:
                self._never_sent(live)
            return
        for (_, live), order, answer in zip(wanted, orders, answers, strict=True):
            live.trace.ordered([order], [answer], self._c.clock)
            answer.add_done_callback(partial(self._ordered, live))
            self._timer(live, live.settings.ring_s + _GIVE_UP_S, self._give_up)

    def _still_wanted(self, runner: CampaignRunner, live: LiveCall) -> bool:
        """Between the decision and now the last agent (or the one) may have gone, or somebody stopped the campaign."""
        served = live.seat is not None if live.chosen else runner.served()
        return served and self._c.may_dial and runner.campaign.state is CampaignState.RUNNING

    def _order(self, live: LiveCall) -> Action:
        settings = live.settings
        number = "".join(c for c in live.phone.e164 if c.isdigit())
        caller = "".join(c for c in settings.caller_id if c.isdigit())
        name = self._c.options.caller_name.replace('"', "")
        return Action(
            "Originate",
            {
                "Channel": f"PJSIP/{number}@{settings.trunk}",
                "ChannelId": live.attempt_id,
                "Context": "cad-debtor",
                "Exten": "s",
                "Priority": 1,
                "Timeout": settings.ring_s * 1000,
                **({"CallerID": f'"{name}" <{caller}>' if name else caller} if caller else {}),
                "Async": "true",
            },
            {
                "CAD_WAIT_S": settings.wait_s,
                "CAD_WAIT_TONE": "s",
                "CAD_MAY_PLAY": "1" if settings.message else "0",
                **({"CAD_MESSAGE": settings.message} if settings.message else {}),
            },
        )

    def _ordered(self, live: LiveCall, answer: asyncio.Future[Message]) -> None:
        if answer.cancelled() or answer.exception() is None:
            return
        if isinstance(answer.exception(), AmiRefused):
            log.warning("calls.originate_refused", attempt_id=live.attempt_id, reason=str(answer.exception()))
            self._finish(live, Outcome.TRUNK)
        # AmiTimeout, AmiLost: unknown; the events, the next snapshot or the deadline tell.

    def _never_sent(self, live: LiveCall) -> None:
        live.call = advance(live.call, Signal(live.attempt_id, Sign.CANCELLED), self._c.clock.monotonic())
        self._finish(live, Outcome.CANCELLED)

    def _give_up(self, live: LiveCall) -> None:
        if live.call.live and live.call.answered_s is None:
            self.take(Signal(live.attempt_id, Sign.GONE))

    # -- what the switch says ------------------------------------------------------------------------------------------
    def hear(self, message: Message, signal: Signal) -> bool:
        """Take in an event about one of our calls; False if it is none of ours."""
        live = self.live.get(signal.ref)
        if live is None:
            return False
        channel = message.get("Channel") or message.get("DestChannel")
        if channel and message.name != "OriginateResponse":
            live.channel = channel
        self.take(signal)
        return True

    def note_event(self, message: Message) -> None:
        """Keep an event in the trace of the call it is about, before anything follows from it."""
        live = self.live.get(message.get("Uniqueid") or message.get("DestUniqueid"))
        if live is not None:
            live.trace.heard(message, self._c.clock.monotonic())

    def take(self, signal: Signal) -> None:
        """Advance a call and do what follows from it."""
        live = self.live.get(signal.ref)
        if live is None:
            return
        before = live.call
        live.call = after = advance(before, signal, self._c.clock.monotonic())
        if after is before:
            return
        live.trace.moved(before, after, signal, self._c.clock.monotonic())
        if after.answered_s is not None and before.answered_s is None:
            self._answered(live)
        elif after.ringing_s is not None and before.ringing_s is None:
            self._rings(live)
        if after.orphaned and not before.orphaned:
            self._orphaned(live)
        if after.phase is before.phase:
            return
        if after.phase is Phase.ENDED:
            self._finish(live, outcome(after, self._table, operator_of(live)))
        elif after.phase is Phase.WAITING:
            self._wait(live, signal.sign)
        elif after.phase is Phase.TALKING:
            self._connected(live)
        elif after.phase is Phase.FAILED:
            self._timer(live, _CAUSE_S, self._failed)

    def _rings(self, live: LiveCall) -> None:
        runner = self._runner(live.campaign_id)
        dial = runner.dials.get(live.attempt_id)
        if dial is not None:
            runner.dials[live.attempt_id] = replace(dial, ringing_s=live.call.ringing_s)

    def _answered(self, live: LiveCall) -> None:
        live.answered_at, live.since = self._c.clock.now(), self._c.clock.now()
        live.answered_wall_s = self._c.clock.wall()
        runner = self._runner(live.campaign_id)
        runner.dials.pop(live.attempt_id, None)
        runner.waiting.add(live.attempt_id)
        runner.count_answer(live)
        self._c.ledger.mark(Mark(live.attempt_id, "answered", live.answered_at))
        self._c.changed()

    def _failed(self, live: LiveCall) -> None:
        if live.attempt_id in self.live and live.call.phase is Phase.FAILED:
            self._finish(live, outcome(live.call, self._table, operator_of(live)))

    # -- finding an agent ----------------------------------------------------------------------------------------------
    def _wait(self, live: LiveCall, sign: Sign) -> None:
        """Answered, and nobody has the person; whoever had an agent and lost it goes first."""
        live.since = self._c.clock.now()
        runner = self._runner(live.campaign_id)
        runner.waiting.add(live.attempt_id)
        # Only here: a detector may have listened since the answer, and whom it recognised needs no agent.
        runner.story.answered(live.attempt_id, self._c.clock.monotonic())
        if sign is Sign.READY:
            self._waiting[live.attempt_id] = live
            self._timer(live, live.settings.wait_s, self._too_late)
        else:
            self._waiting = {live.attempt_id: live, **self._waiting}
            if sign is Sign.REOFFERED:
                self._timer(live, _REOFFER_S, self._too_late)
        self.match()

    def _too_late(self, live: LiveCall) -> None:
        """The wait is over: this person counts as abandoned and is not put through any more."""
        if live.call.phase is Phase.WAITING:
            self.take(Signal(live.attempt_id, Sign.ORPHANED))

    def _orphaned(self, live: LiveCall) -> None:
        self._waiting.pop(live.attempt_id, None)
        self._runner(live.campaign_id).waiting.discard(live.attempt_id)

    def lost_agent(self, live: LiveCall) -> None:
        """The agent's telephone fell. In the conversation the dialplan offers the person again; before it we do; a
        call that is not answered yet was for this agent only."""
        if live.call.answered_s is None:
            self.take_back(live)
        self.take(Signal(live.attempt_id, Sign.UNOFFERED))

    def match(self) -> None:
        """Give each waiting person the agent who has waited longest, of the campaign's own before another's."""
        if not self._waiting or self._c.session is None:
            return
        for live in list(self._waiting.values()):
            seat = self._agent_for(live)
            if seat is not None:
                del self._waiting[live.attempt_id]
                self._offer(live, seat)

    def _agent_for(self, live: LiveCall) -> Seat | None:
        chooser = live.chooser  # in preview
        if chooser is not None and chooser.leg_up:
            return chooser
        if chooser is not None:
            self._floor.release(chooser)
        return longest_idle(self._floor.ready(), live.settings.skill, self._ranks(live.campaign_id))

    def _offer(self, live: LiveCall, seat: Seat) -> None:
        """Lease the agent, show the file, order the bridge, in this order."""
        if seat.call is not live:
            self._floor.reserve(seat, live)
        self._c.observer.popped((self._c.clock.wall() - live.answered_wall_s) * 1000.0)
        live.trace.add(self._c.clock.monotonic(), "offered", agent=seat.agent.id)
        self.take(Signal(live.attempt_id, Sign.OFFERED))
        orders = [
            Action("Setvar", {"Channel": live.channel, "Variable": "CAD_WITH", "Value": seat.agent.id}),
            Action("Setvar", {"Channel": seat.channel, "Variable": "CAD_WITH", "Value": live.attempt_id}),
            Action("Bridge", {"Channel1": live.channel, "Channel2": seat.channel, "Tone": "no"}),
        ]
        try:
            answers = self._c.send(orders)
        except AmiLost:
            return
        live.trace.ordered(orders, answers, self._c.clock)
        answers[2].add_done_callback(lambda done: self._bridge_answered(live, seat, done))
        self._timer(live, _BRIDGE_S, self._bridge_late)

    def _bridge_answered(self, live: LiveCall, seat: Seat, answer: asyncio.Future[Message]) -> None:
        if answer.cancelled() or not isinstance(answer.exception(), AmiRefused):
            return  # Success is no proof (both BridgeEnter are), and unknown is for the snapshot to tell
        if live.seat is not seat or live.call.phase is not Phase.OFFERED:
            return
        self._floor.release(seat)
        # What was set for the bridge must not outlive it: the dialplan would take it for a conversation that ended.
        legs = [channel for channel in (live.channel, seat.channel) if channel]
        with contextlib.suppress(AmiLost):
            orders = [Action("Setvar", {"Channel": leg, "Variable": "CAD_WITH", "Value": ""}) for leg in legs]
            live.trace.ordered(orders, self._c.send(orders), self._c.clock)
        self._audit()
        self.take(Signal(live.attempt_id, Sign.UNOFFERED))

    def _bridge_late(self, live: LiveCall) -> None:
        if live.call.phase is Phase.OFFERED:
            self._audit()

    def _connected(self, live: LiveCall) -> None:
        self._waiting.pop(live.attempt_id, None)
        runner = self._runner(live.campaign_id)
        runner.waiting.discard(live.attempt_id)
        live.since = self._c.clock.now()
        if live.connected_at is None:
            live.connected_at = live.since
            runner.count_connected(live)
            self._c.observer.bridged((self._c.clock.wall() - live.answered_wall_s) * 1000.0)
        agent_id = live.seat.agent.id if live.seat else None
        self._c.ledger.mark(Mark(live.attempt_id, "connected", live.since, agent_id))
        if live.seat is not None:
            self._floor.talking(live.seat)

    # -- ending --------------------------------------------------------------------------------------------------------
    def cancel(self, attempt_id: str) -> None:
        """Take back a call that is not answered."""
        live = self.live.get(attempt_id)
        if live is None or self._c.session is None:
            return  # not sent yet; or nobody would hear it, and it is asked again
        if live.call.answered_s is None and not live.call.cancelled:
            self.take(Signal(attempt_id, Sign.CANCELLED))
            self._hang_up(live)

    def take_back(self, live: LiveCall) -> None:
        """The agent for whom this call rings does not want it any more, or is gone: cancel it at its minimum ring."""
        if live.attempt_id not in self.live:
            return
        live.unwanted = True
        dial = DialView(live.attempt_id, live.call.sent_s, live.call.ringing_s)
        now_s, min_ring_s = self._c.clock.monotonic(), live.settings.min_ring_s
        if cancellable(Snapshot(now_s, (), (dial,), min_ring_s=min_ring_s)):
            self.cancel(live.attempt_id)
        else:
            self._timer(live, _LOOK_AGAIN_S, self.take_back)

    def release(self, live: LiveCall) -> None:
        """Hang up an answered call: the agent pressed finish, or the engine is being stopped."""
        self.take(Signal(live.attempt_id, Sign.RELEASED))
        self._hang_up(live)

    def _hang_up(self, live: LiveCall) -> None:
        if self._c.session is not None:
            orders = [Action("Hangup", {"Channel": live.channel})]
            live.trace.ordered(orders, self._c.send(orders), self._c.clock)

    def _finish(self, live: LiveCall, result: Outcome) -> None:
        if self.live.pop(live.attempt_id, None) is None:
            return
        for timer in live.timers:
            timer.cancel()
        self._waiting.pop(live.attempt_id, None)
        runner = self._runner(live.campaign_id)
        runner.dials.pop(live.attempt_id, None)
        runner.waiting.discard(live.attempt_id)
        talked = live.connected_at is not None and result is not Outcome.HUNG_UP
        runner.count_outcome(live, result, talked=talked)
        self._c.observer.settled(live.campaign_id, result)
        seat, talk_s = live.seat, self._talked(live)
        self._settle(live, result, talk_s, awaits=seat is not None and talked)
        if seat is not None and talked:
            self._floor.wrap_up(seat, live, talk_s)
        elif seat is not None:
            self._floor.release(seat, result)
        self._c.changed()

    def _timer(self, live: LiveCall, seconds: float, act: Callable[[LiveCall], None]) -> None:
        live.timers.append(call_later(self._c.clock, seconds, lambda: act(live)))

    def _talked(self, live: LiveCall) -> float:
        call = live.call
        return max(0.0, (call.ended_s or self._c.clock.monotonic()) - call.talking_s) if call.talking_s else 0.0

    def _settle(self, live: LiveCall, result: Outcome, talk_s: float, *, awaits: bool) -> None:
        now = self._c.clock.now()
        after = after_outcome(result, live.settings, now, rang=live.call.rang)
        agent_id = live.seat.agent.id if live.seat else live.last_agent_id
        self._c.ledger.settle(
            Settlement(
                live.attempt_id,
                result,
                now,
                None if awaits else after.next,
                charged=after.charged,
                kill_phone=after.kill_phone,
                agent_id=agent_id,
                answered_at=live.answered_at,
                connected_at=live.connected_at,
                cause=live.call.cause,
                tech_cause=live.call.tech_cause,
                talk_s=talk_s,
            )
        )
        close(self._c, live, result, self._table)

    def lost_link(self) -> None:
        """Whoever waits cannot be put through until the link is back; the dialplan keeps its own limits."""
        self._waiting.clear()

    def back(self) -> None:
        """The link is resynchronised: who still waits is served."""
        now_s = self._c.clock.monotonic()
        for live in sorted(self.live.values(), key=lambda live: live.call.answered_s or 0.0):
            ready_s = live.call.ready_s or live.call.answered_s
            if live.call.phase is Phase.WAITING and ready_s and now_s - ready_s < live.settings.wait_s:
                self._waiting[live.attempt_id] = live
        self.match()
