"""The calls in progress: from the Originate over the answer and the agent to the one settlement."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from dataclasses import replace

import structlog

from cadencia.clock import call_later
from cadencia.dialer.campaign import CampaignRunner
from cadencia.dialer.context import Context
from cadencia.dialer.ends import close, operator_of
from cadencia.dialer.floor import Floor
from cadencia.dialer.live import LiveCall, Seat
from cadencia.dialer.pool import Pool
from cadencia.dialer.servers import Mend, Switch
from cadencia.domain.codes import Outcome
from cadencia.domain.dialing import Mark, Settlement
from cadencia.errors import AmiLost, AmiRefused
from cadencia.pacing.limits import cancellable
from cadencia.pacing.port import DialView, Snapshot
from cadencia.queue.retry import after_outcome
from cadencia.queue.routing import longest_idle
from cadencia.telephony.ami.codec import Message
from cadencia.telephony.ami.session import Action
from cadencia.telephony.call import HANGUP_S, Phase, Sign, Signal, advance, outcome
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
        ranks: how each ready agent ranks for a campaign (id) on a server: the lower, the better, None for one it must
            not take.
    """

    def __init__(
        self,
        context: Context,
        floor: Floor,
        table: OutcomeTable,
        runner: Callable[[str], CampaignRunner],
        ranks: Callable[[str, Switch], Callable[[Seat], int | None]],
    ) -> None:
        self._c, self._floor, self._table, self._runner = context, floor, table, runner
        floor.picked_up = self._picked_up
        self._ranks = ranks
        self.live: dict[str, LiveCall] = {}
        self._waiting: dict[str, LiveCall] = {}  # answered, in the order they are to be served

    # -- what is there -------------------------------------------------------------------------------------------------
    def for_anybody(self, campaign_id: str, switch: Switch) -> int:
        """Unanswered calls of a campaign on a server that are for whoever is ready when they are answered."""
        own = (live for live in self.live.values() if live.campaign_id == campaign_id and live.switch is switch)
        return sum(live.seat is None and live.call.answered_s is None for live in own)

    def on(self, switch: Switch) -> list[LiveCall]:
        """The calls in progress on a server."""
        return [live for live in self.live.values() if live.switch is switch]

    def sent(self, live: LiveCall) -> None:
        """The Originate is out: somebody has to tell what became of it within its time."""
        self._timer(live, live.settings.ring_s + _GIVE_UP_S, self._give_up)

    def never_sent(self, live: LiveCall) -> None:
        """It was committed, and the switch was never asked for it."""
        live.call = advance(live.call, Signal(live.attempt_id, Sign.CANCELLED), self._c.clock.monotonic())
        self._finish(live, Outcome.CANCELLED)

    def refused(self, live: LiveCall) -> None:
        """The switch refused the Originate: there is no call."""
        self._finish(live, Outcome.TRUNK)

    def _give_up(self, live: LiveCall) -> None:
        if live.call.live and live.call.answered_s is None:
            self.take(Signal(live.attempt_id, Sign.GONE))

    # -- what the switch says ------------------------------------------------------------------------------------------
    def hear(self, switch: Switch, message: Message, signal: Signal) -> bool:
        """Take in an event about one of our calls; False if it is none of ours."""
        live = self.live.get(signal.ref)
        if live is None or live.switch is not switch:
            return False
        channel = message.get("Channel") or message.get("DestChannel")
        if channel and message.name != "OriginateResponse":
            live.channel = channel
        live.switch.starting.discard(live.attempt_id)
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
        before, now_s = live.call, self._c.clock.monotonic()
        if signal.sign is Sign.ENDED and live.left_s is not None:
            now_s = live.left_s
        live.call = after = advance(before, signal, now_s)
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
            if before.phase is Phase.OFFERED and signal.sign is Sign.REOFFERED and live.seat is not None:
                self._let_go(live, live.seat)  # the Bridge failed, and its refusal comes after this
            self._wait(live, signal.sign)
        elif after.phase is Phase.TALKING:
            self._connected(live)
        elif after.phase is Phase.FAILED:
            self._timer(live, _CAUSE_S, self._failed)

    def left(self, switch: Switch, ref: str) -> None:
        """The debtor hung up, and his leg's end is due."""
        live = self.live.get(ref)
        if live is None or live.switch is not switch or live.call.answered_s is None or live.left_s is not None:
            return
        live.left_s = self._c.clock.monotonic()
        self._timer(live, HANGUP_S, self._forgotten)

    def _forgotten(self, live: LiveCall) -> None:
        self.mend(live.switch, Mend.HANGUP, live.attempt_id)
        self._hang_up(live)

    def mend(self, switch: Switch, what: Mend, ref: str) -> None:
        """Write down that something was put right, in a call's trace too if the leg is one of ours."""
        switch.mend(what, ref)
        live = self.live.get(ref)
        if live is not None:
            live.trace.add(self._c.clock.monotonic(), "mended", what=str(what))

    def _rings(self, live: LiveCall) -> None:
        dials = self._pool(live).dials
        dial = dials.get(live.attempt_id)
        if dial is not None:
            dials[live.attempt_id] = replace(dial, ringing_s=live.call.ringing_s)

    def _answered(self, live: LiveCall) -> None:
        live.answered_at, live.since = self._c.clock.now(), self._c.clock.now()
        live.answered_wall_s = self._c.clock.wall()
        pool = self._pool(live)
        pool.dials.pop(live.attempt_id, None)
        pool.waiting.add(live.attempt_id)
        self._runner(live.campaign_id).count_answer(live)
        self._c.ledger.mark(Mark(live.attempt_id, "answered", live.answered_at))
        self._c.changed()

    def _failed(self, live: LiveCall) -> None:
        if live.attempt_id in self.live and live.call.phase is Phase.FAILED:
            self._finish(live, outcome(live.call, self._table, operator_of(live)))

    # -- finding an agent ----------------------------------------------------------------------------------------------
    def _wait(self, live: LiveCall, sign: Sign) -> None:
        """Answered, and nobody has the person; whoever had an agent and lost it goes first."""
        live.since = self._c.clock.now()
        self._pool(live).waiting.add(live.attempt_id)
        # Only here: a detector may have listened since the answer, and whom it recognised needs no agent.
        self._runner(live.campaign_id).story.answered(live.attempt_id, self._c.clock.monotonic())
        if sign is Sign.READY:
            self._waiting[live.attempt_id] = live
            self._timer(live, live.settings.wait_s, self._too_late)
        else:
            self._waiting = {live.attempt_id: live, **self._waiting}
            waited_s = self._c.clock.monotonic() - (live.call.ready_s or live.call.answered_s or 0.0)
            left_s = _REOFFER_S if sign is Sign.REOFFERED else max(0.0, live.settings.wait_s - waited_s)
            self._timer(live, left_s, self._too_late)
        self.match()

    def _too_late(self, live: LiveCall) -> None:
        """The wait is over: this person counts as abandoned and is not put through any more."""
        if live.call.phase is not Phase.WAITING:
            return
        self.take(Signal(live.attempt_id, Sign.ORPHANED))
        if live.patient and not live.call.talking_s:
            # The dialplan would keep him for a telephone that nobody picks up: on with the message.
            where: dict[str, str | int] = {"Context": "cad-after", "Exten": "orphan", "Priority": 1}
            with contextlib.suppress(AmiLost):
                self._send(live, [Action("Redirect", {"Channel": live.channel, **where})])

    def _orphaned(self, live: LiveCall) -> None:
        self._waiting.pop(live.attempt_id, None)
        self._pool(live).waiting.discard(live.attempt_id)

    def lost_agent(self, live: LiveCall) -> None:
        """The agent's telephone fell. In the conversation the dialplan offers the person again; before it we do; a
        call that is not answered yet was for this agent only."""
        if live.call.answered_s is None:
            self.take_back(live)
        self.take(Signal(live.attempt_id, Sign.UNOFFERED))

    def match(self) -> None:
        """Give each waiting person the agent who has waited longest, of the campaign's own before another's."""
        if not self._waiting:
            return
        for live in list(self._waiting.values()):
            seat = self._agent_for(live) if live.switch.session is not None and live.left_s is None else None
            if seat is not None:
                del self._waiting[live.attempt_id]
                self._offer(live, seat)

    def _agent_for(self, live: LiveCall) -> Seat | None:
        chooser = live.chooser  # in preview
        if chooser is not None and chooser.reachable:
            return chooser
        if chooser is not None:
            self._floor.release(chooser)
        ranks = self._ranks(live.campaign_id, live.switch)
        return longest_idle(self._floor.ready(live.switch), live.settings.skill, ranks)

    def _offer(self, live: LiveCall, seat: Seat) -> None:
        """Lease the agent, show the file, order the bridge, in this order; a telephone may have to be rung first."""
        if seat.call is not live:
            self._floor.reserve(seat, live)
        self._c.observer.popped((self._c.clock.wall() - live.answered_wall_s) * 1000.0)
        live.trace.add(self._c.clock.monotonic(), "offered", agent=seat.agent.id)
        self.take(Signal(live.attempt_id, Sign.OFFERED))
        if seat.leg_up:
            self._bridge(live, seat)
        else:
            self._floor.ring(seat)

    def _picked_up(self, seat: Seat) -> None:
        """The telephone that was rung for a call stands."""
        live = seat.call
        if live is not None and live.seat is seat and live.call.phase is Phase.OFFERED:
            self._bridge(live, seat)

    def _bridge(self, live: LiveCall, seat: Seat) -> None:
        orders: list[Action] = [
            Action("Setvar", {"Channel": live.channel, "Variable": "CAD_WITH", "Value": seat.agent.id}),
            Action("Setvar", {"Channel": seat.channel, "Variable": "CAD_WITH", "Value": live.attempt_id}),
            Action("Bridge", {"Channel1": live.channel, "Channel2": seat.channel, "Tone": "no"}),
        ]
        if not seat.nailed:  # there hanging up ends the conversation, as on any telephone
            orders.insert(0, Action("Setvar", {"Channel": live.channel, "Variable": "CAD_AFTER", "Value": "end"}))
        try:
            answers = self._send(live, orders)
        except AmiLost:
            return
        answers[-1].add_done_callback(lambda done: self._bridge_answered(live, seat, done))
        self._timer(live, _BRIDGE_S, self._bridge_late)

    def _bridge_answered(self, live: LiveCall, seat: Seat, answer: asyncio.Future[Message]) -> None:
        if answer.cancelled() or not isinstance(answer.exception(), AmiRefused):
            return  # Success is no proof (both BridgeEnter are), and unknown is for the snapshot to tell
        if live.seat is not seat or live.call.phase is not Phase.OFFERED:
            return
        self._let_go(live, seat)
        live.switch.look.set()
        self.take(Signal(live.attempt_id, Sign.UNOFFERED))

    def _let_go(self, live: LiveCall, seat: Seat) -> None:
        """The bridge came to nothing, and the agent waits again. What was set for it must not outlive it (the dialplan
        would take it for a conversation that ended), and goes before the agent may get another."""
        legs = [channel for channel in (live.channel, seat.channel) if channel]
        with contextlib.suppress(AmiLost):
            self._send(live, [Action("Setvar", {"Channel": leg, "Variable": "CAD_WITH", "Value": ""}) for leg in legs])
        self._floor.release(seat)

    def _bridge_late(self, live: LiveCall) -> None:
        if live.call.phase is Phase.OFFERED:
            live.switch.look.set()

    def _connected(self, live: LiveCall) -> None:
        self._waiting.pop(live.attempt_id, None)
        runner = self._runner(live.campaign_id)
        self._pool(live).waiting.discard(live.attempt_id)
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
        if live is None or live.switch.session is None:
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
        with contextlib.suppress(AmiLost):
            self._send(live, [Action("Hangup", {"Channel": live.channel})])

    def _finish(self, live: LiveCall, result: Outcome) -> None:
        if self.live.pop(live.attempt_id, None) is None:
            return
        for timer in live.timers:
            timer.cancel()
        self._waiting.pop(live.attempt_id, None)
        live.switch.starting.discard(live.attempt_id)
        runner, pool = self._runner(live.campaign_id), self._pool(live)
        pool.dials.pop(live.attempt_id, None)
        pool.waiting.discard(live.attempt_id)
        talked = live.connected_at is not None and result not in (Outcome.HUNG_UP, Outcome.ABANDONED)
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

    def _send(self, live: LiveCall, orders: list[Action]) -> list[asyncio.Future[Message]]:
        """Orders about a call, kept in its trace. Raises AmiLost if there is no link."""
        answers = live.switch.send(orders)
        live.trace.ordered(orders, answers, self._c.clock)
        return answers

    def _pool(self, live: LiveCall) -> Pool:
        return self._runner(live.campaign_id).pool(live.switch)

    def lost_link(self, switch: Switch) -> None:
        """Whoever waits there cannot be put through until the link is back; the dialplan keeps its own limits."""
        self._waiting = {ref: live for ref, live in self._waiting.items() if live.switch is not switch}

    def back(self, switch: Switch) -> None:
        """The link is resynchronised: who still waits there is served."""
        now_s = self._c.clock.monotonic()
        for live in sorted(self.on(switch), key=lambda live: live.call.answered_s or 0.0):
            ready_s = live.call.ready_s or live.call.answered_s
            if live.call.phase is Phase.WAITING and ready_s and now_s - ready_s < live.settings.wait_s:
                self._waiting[live.attempt_id] = live
        self.match()
