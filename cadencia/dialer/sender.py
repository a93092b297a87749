"""From the decision to the wire: leases are committed in groups, and only then is the switch asked for the calls."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import Any, NamedTuple

import structlog

from cadencia.dialer.calls import Calls
from cadencia.dialer.campaign import CampaignRunner
from cadencia.dialer.context import Context
from cadencia.dialer.floor import RING_EACH_S, Floor
from cadencia.dialer.live import LiveCall, Seat
from cadencia.dialer.servers import Switch
from cadencia.domain.codes import Outcome
from cadencia.domain.dialing import AttemptState, CampaignState, Lease
from cadencia.errors import AmiRefused, LocalProtocolError, StoreError, TelephonyError
from cadencia.telephony.ami.codec import Message
from cadencia.telephony.ami.session import Action
from cadencia.telephony.call import Call

log = structlog.get_logger(__name__)


class Outgoing(NamedTuple):
    """A lease on its way to the switch, and the numbers of the decision that launched it (None: an agent chose it)."""

    runner: CampaignRunner
    lease: Lease
    switch: Switch
    why: dict[str, Any] | None


class Sender:
    """What was launched and is not on the wire yet."""

    def __init__(self, context: Context, floor: Floor, calls: Calls) -> None:
        self._c, self._floor, self._calls = context, floor, calls
        self._outbox: list[Outgoing] = []
        self._posted = asyncio.Event()
        self._doubtful: dict[str, Outgoing] = {}  # their commit failed: sent or leased, not dialled
        self._chosen: dict[str, LiveCall] = {}  # an agent waits for them, and they are not committed yet

    def launch(self, runner: CampaignRunner, leases: list[Lease], switch: Switch) -> None:
        """Hand leases to the sender: committed in groups, then dialled on that server."""
        why = runner.pool(switch).launching
        self._outbox += [Outgoing(runner, lease, switch, why) for lease in leases]
        self._posted.set()

    def launch_for(self, runner: CampaignRunner, lease: Lease, seat: Seat) -> None:
        """Dial a person whom an agent chose: who answers is put through to this very agent."""
        self._chosen[lease.attempt_id] = live = self._live(runner, lease, seat.switch)
        live.chosen = True
        self._floor.reserve(seat, live)
        runner.dial(lease, seat.switch)

    def knows(self, attempt_id: str) -> bool:
        """Whether the attempt is a call in progress, or about to be one."""
        return attempt_id in self._calls.live or attempt_id in self._chosen

    async def run(self) -> None:
        """Commit and dial until cancelled."""
        while True:
            await self._posted.wait()
            self._posted.clear()
            posted, self._outbox = self._outbox, []
            for switch in {out.switch.name: out.switch for out in posted}.values():
                group = [out for out in posted if out.switch is switch]
                try:
                    await self._send_group(group, switch)
                except StoreError as error:
                    # Nothing was sent. Whether the commit went through is unknown until the store answers again.
                    log.error("calls.commit_failed", code=error.code, calls=len(group))
                    self._c.store_failed(error)
                    self._never_committed(group)
                    self._doubtful.update({out.lease.attempt_id: out for out in group})

    async def _send_group(self, group: list[Outgoing], switch: Switch) -> None:
        ids = [out.lease.attempt_id for out in group]
        allowed = await self._c.store.mark_sending(ids, self._c.token, self._c.clock.now(), switch.name)
        refused = [out for out in group if out.lease.attempt_id not in allowed]
        self._never_committed(refused)
        await self._return(refused)
        dial = [out for out in group if out.lease.attempt_id in allowed]
        for runner, lease, _, why in dial:
            runner.count_attempt(lease)
            live = self._chosen.pop(lease.attempt_id, None) or self._live(runner, lease, switch)
            self._calls.live[lease.attempt_id] = live
            live.call = Call(lease.attempt_id, self._c.clock.monotonic(), timeout_s=float(live.settings.ring_s))
            told: dict[str, Any] = {"server": switch.name, "trunk": live.settings.trunk} | ({"why": why} if why else {})
            live.trace.begin(self._c.clock.now(), live.call.sent_s, **told)
        self._originate([(runner, self._calls.live[lease.attempt_id]) for runner, lease, *_ in dial], switch)

    async def resolve_doubts(self) -> None:
        """End what a failed commit left in `sending` (it never reached the switch) and give the rest back.

        Raises StoreError: then it is asked again.
        """
        if not self._doubtful:
            return
        opened = {attempt.attempt_id: attempt.state for attempt in await self._c.store.open_attempts()}
        group, self._doubtful = list(self._doubtful.values()), {}
        for runner, lease, switch, _ in group:
            if opened.get(lease.attempt_id) is AttemptState.SENDING:
                runner.count_attempt(lease)
                self._calls.live[lease.attempt_id] = live = self._live(runner, lease, switch)
                self._calls.never_sent(live)
        await self._return([out for out in group if opened.get(out.lease.attempt_id) is AttemptState.LEASED])
        for runner, lease, *_ in group:
            runner.not_dialled(lease.attempt_id)

    async def _return(self, group: list[Outgoing]) -> None:
        for runner in {id(out.runner): out.runner for out in group}.values():
            own = [out.lease.attempt_id for out in group if out.runner is runner]
            await runner.give_back(own, "refused at sending")

    def _never_committed(self, group: list[Outgoing]) -> None:
        """Whoever chose one of these waits in vain."""
        for _, lease, *_ in group:
            live = self._chosen.pop(lease.attempt_id, None)
            if live is not None and live.seat is not None:
                self._floor.release(live.seat, Outcome.CANCELLED)

    def _live(self, runner: CampaignRunner, lease: Lease, switch: Switch) -> LiveCall:
        call = Call(lease.attempt_id, self._c.clock.monotonic())
        return LiveCall(
            lease.attempt_id,
            lease.campaign_id,
            lease.contact_id,
            lease.facts.person.id,
            lease.phone,
            lease.file,
            runner.settings,
            call,
            switch,
            lease.attempt_id,
            self._c.clock.now(),
            patient=runner.rings(switch),
        )

    def _originate(self, dial: list[tuple[CampaignRunner, LiveCall]], switch: Switch) -> None:
        wanted = [pair for pair in dial if self._still_wanted(*pair)]
        for runner, live in dial:
            if (runner, live) not in wanted:
                self._calls.never_sent(live)
        if not wanted:
            return
        try:
            self._put_on_the_wire([live for _, live in wanted], switch)
        except LocalProtocolError:
            # One of them must not reach the wire, and it alone is not sent.
            for _, live in wanted:
                try:
                    self._put_on_the_wire([live], switch)
                except TelephonyError as error:
                    log.error("sender.not_sent", attempt_id=live.attempt_id, reason=error.message)
                    self._calls.never_sent(live)
        except TelephonyError:
            for _, live in wanted:
                self._calls.never_sent(live)

    def _put_on_the_wire(self, calls: list[LiveCall], switch: Switch) -> None:
        orders = [self._order(live) for live in calls]
        answers = switch.send(orders)
        switch.starting.update(live.attempt_id for live in calls)
        for live, order, answer in zip(calls, orders, answers, strict=True):
            live.trace.ordered([order], [answer], self._c.clock)
            answer.add_done_callback(partial(self._ordered, live))
            self._calls.sent(live)

    def _still_wanted(self, runner: CampaignRunner, live: LiveCall) -> bool:
        """Between the decision and now the last agent (or the one) may have gone, or somebody stopped the campaign."""
        served = live.seat is not None if live.chosen else runner.served(live.switch)
        able = self._c.may_dial and live.switch.carries(live.settings.trunk)
        return served and able and runner.campaign.state is CampaignState.RUNNING

    def _order(self, live: LiveCall) -> Action:
        settings = live.settings
        trunk = live.switch.trunk(settings.trunk)
        number = trunk.line.dialled(live.phone.e164) if trunk is not None else ""
        caller = "".join(c for c in settings.caller_id if c.isdigit())
        name = live.switch.server.caller_name.replace('"', "")
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
                "CAD_WAIT_S": settings.wait_s + (RING_EACH_S + 1 if live.patient else 0),
                "CAD_WAIT_TONE": "r" if live.patient else "s",
                **({"CAD_AMD": 1} if settings.detect_machines else {}),
                "CAD_MAY_PLAY": "1" if settings.message else "0",
                **({"CAD_MESSAGE": settings.message} if settings.message else {}),
            },
        )

    def _ordered(self, live: LiveCall, answer: asyncio.Future[Message]) -> None:
        live.ordered_s = self._c.clock.monotonic()
        if answer.cancelled() or answer.exception() is None:
            return
        if isinstance(answer.exception(), AmiRefused):
            log.warning("calls.originate_refused", attempt_id=live.attempt_id, reason=str(answer.exception()))
            self._calls.refused(live)
        # AmiTimeout, AmiLost: unknown; the events, the next snapshot or the deadline tell.
