"""The engine's core: wires the floor, the campaigns, the calls and the switch together, and keeps them going.

Everything happens on one event loop: events of the switch, people's requests and timers each run to their end before
the next. The engine is event-driven; a tick of at most a second stands behind it for what no event tells.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections.abc import Callable
from datetime import datetime

import msgspec
import structlog

from cadencia.clock import Clock, sleep
from cadencia.dialer.audit import Audit
from cadencia.dialer.calls import Calls
from cadencia.dialer.campaign import CampaignRunner
from cadencia.dialer.context import Context, Ids, Observer, Options
from cadencia.dialer.counts import day_starts
from cadencia.dialer.floor import Floor
from cadencia.dialer.hub import Hub
from cadencia.dialer.ledger import Ledger
from cadencia.dialer.lines import Board
from cadencia.dialer.live import LiveCall, Seat
from cadencia.dialer.mainline import MainLine
from cadencia.dialer.present import agent_view, call_view, floor_view
from cadencia.dialer.preview import Previews
from cadencia.dialer.priors import ONE_LIST
from cadencia.dialer.recovery import restore
from cadencia.dialer.shares import Shares
from cadencia.dialer.timeline import timeline_of
from cadencia.dialer.views import AgentView, CallView, FloorView, TelephonyView
from cadencia.domain.agents import AgentState
from cadencia.domain.codes import DISPOSITIONS, NOT_DISPOSED
from cadencia.domain.dialing import Disposed, Lease, Promise
from cadencia.errors import LeadershipLost, StoreError, SwitchUnfit, TelephonyError, Words
from cadencia.pacing.budget import Count, upper_bound
from cadencia.pacing.port import AgentView as PacingAgent
from cadencia.pacing.predictive import warm_up
from cadencia.queue.retry import after_disposition
from cadencia.store.port import Store
from cadencia.telephony.ami.codec import Message
from cadencia.telephony.ami.session import AmiLink, AmiSession, Connector, rights
from cadencia.telephony.call import WANTED_EVENTS, Bridges, Phase, Sign, Signal, read
from cadencia.telephony.outcomes import OutcomeTable, default_table
from cadencia.telephony.trunks import TrunkLimits

log = structlog.get_logger(__name__)

#: What the account must be allowed, and what it must not be: a dialer that is broken into must not own the server.
NEEDED_RIGHTS = frozenset({"Originate", "Bridge", "Hangup", "Redirect", "Setvar", "Getvar", "Status", "ListCommands"})
_RIGHTS = "read = system,call,user,agent; write = originate,call"
FORBIDDEN_RIGHTS = frozenset({"Command", "UpdateConfig", "DialplanExtensionAdd", "DBPut", "ModuleLoad", "Reload"})

#: Real seconds that decisions wait for each other: a burst of events brings one decision.
_GATHER_S = 0.02

#: Real seconds between two looks for what was added to the store.
_REFRESH_S = 5.0

#: Real seconds between two pictures of the floor, at least and at most.
_SHOW_S = (0.25, 1.0)


class EngineCore:
    """Everything behind the desk.

    Args:
        store, clock: ports.
        connector: how to reach the switch.
        observer: told of events, outcomes and latencies.
        rng: ids and back-off; seeded in tests.
    """

    def __init__(
        self,
        store: Store,
        clock: Clock,
        connector: Connector,
        options: Options,
        observer: Observer,
        *,
        rng: random.Random | None = None,
        table: OutcomeTable | None = None,
    ) -> None:
        self.store, self.clock, self.options = store, clock, options
        self.hub = Hub()
        self._connector, self._observer, self._rng = connector, observer, rng or random.Random()
        self._table = table or default_table()
        self._bridges = Bridges()
        self._limits = TrunkLimits(options.channels, options.rate_per_s)
        self._tasks: list[asyncio.Task[None]] = []
        self._woken, self._audit_now, self._up = asyncio.Event(), asyncio.Event(), asyncio.Event()
        self._floor_stale = True
        self.trouble: TelephonyError | None = None
        self.runners: dict[str, CampaignRunner] = {}
        self.shares = Shares()

    # -- life ----------------------------------------------------------------------------------------------------------
    async def start(self) -> None:
        """Lead, take over what an engine before us left, and begin to keep the link.

        Raises:
            StoreError: another engine leads, or the store cannot be used.
        """
        now = self.clock.now()
        token = await self.store.lead(self.options.holder, now)
        ledger = Ledger(self.store, token)
        ids = Ids(self.clock, self._rng)
        self.context = c = Context(self.clock, self.store, self.hub, ledger, ids, self.options, self._observer, token)
        c.changed = self.changed
        self.staff = Floor(c, self._match, self._lost_agent, self._wrapup_expired)
        self.staff.shown = self.show_agent
        self.staff.moved = self._agent_moved
        self.calls = Calls(c, self.staff, self._table, self.runners.__getitem__, self._audit_now.set, self._ranks)
        self.previews = Previews(c, self.staff, self.calls, self.runners.__getitem__, self._ranks)
        self._audit = Audit(c, self.staff, self.calls)
        self._line = MainLine(
            c, self.calls.live.values, self.staff.seats.values, self._trunk_names, lambda: self.trouble
        )
        self._board = Board(self.clock, c.book)
        # What these stand on takes a moment to load or to compile: better now than while calls go on.
        upper_bound(Count(1))
        warm_up()
        await self._take_up_campaigns()
        await restore(c, self.staff, self.calls, self.runners)
        for seat in self.staff.seats.values():
            self.show_agent(seat)
        link = AmiLink(
            self._connector,
            self.options.user,
            self.options.secret,
            self._event,
            on_up=self._link_up,
            on_down=self._link_down,
            on_trouble=self._link_trouble,
            wanted=WANTED_EVENTS,
            rng=random.Random(self._rng.random()),
        )
        work = (
            ledger.run(),
            self.calls.run_sender(),
            link.run(),
            self._decide(),
            self._audits(),
            self._shows(),
            self._refreshes(),
        )
        self._tasks = [asyncio.get_running_loop().create_task(part) for part in work]
        for task in self._tasks:
            task.add_done_callback(self._part_ended)

    def _part_ended(self, task: asyncio.Task[None]) -> None:
        """A part that fell over by a fault of ours: nobody new is dialled without it, and it does not fall silently."""
        if not task.cancelled() and task.exception() is not None:
            self.context.stopping = True
            log.error("engine.part_failed", exc_info=task.exception())

    async def _take_up_campaigns(self) -> None:
        for campaign in await self.store.campaigns():
            if campaign.id in self.runners:
                continue
            self.runners[campaign.id] = CampaignRunner(
                self.context,
                campaign,
                await self.store.counts(campaign.id),
                days=await self.store.days(campaign.id, day_starts(self.clock.now())),
                priors=await self.store.load_priors(campaign.id, ONE_LIST),
                launch=self._launch,
                offer=self.previews.offer,
                cancel=self.calls.cancel,
                agents=self._serving,
                room=self._room,
            )

    async def refresh(self) -> None:
        """Take up campaigns, list items and agents that were added while the engine runs. Raises StoreError."""
        await self._take_up_campaigns()
        for session in await self.store.agent_sessions():
            known = self.staff.seats.get(session.agent.id)
            if known is None:
                self.staff.add(Seat(session.agent, AgentState.OUT, session.since, self.clock.monotonic()))
                self.shares.agents_changed()
                self.show_agent(self.staff.seats[session.agent.id])
            elif known.agent != session.agent and known.state is AgentState.OUT:
                known.agent = session.agent
                self.shares.agents_changed()
        await self.calls.resolve_doubts()
        for runner in self.runners.values():
            await runner.give_back_owed()
            runner.recount(await self.store.counts(runner.campaign.id))
        self.changed()

    async def ready_to_dial(self, timeout_s: float) -> None:
        """Wait for the first resynchronised link.

        Raises:
            TelephonyError: what kept the link down, when the (real) time is over; SwitchUnfit and AmiRefused at once.
        """
        deadline = asyncio.get_running_loop().time() + timeout_s
        while not self._up.is_set():
            unfit = self.trouble is not None and not self.trouble.retryable
            if self.trouble is not None and (unfit or asyncio.get_running_loop().time() >= deadline):
                raise self.trouble
            await asyncio.sleep(0.02)

    async def deposed(self) -> None:
        """Wait until another engine leads. Always raises LeadershipLost."""
        await self.context.ledger.deposed.wait()
        raise LeadershipLost(
            Words(
                "Another engine leads now; this one has stopped dialling.", "Otro motor dirige; este dejó de marcar."
            ),
            Words("Let only one run on a database.", "Deje correr uno solo por base de datos."),
        )

    async def stop(self, drain_s: float = 0.0, *, hang_up: bool = False) -> None:
        """Dial nobody new, write everything down, and end.

        For at most `drain_s` clock seconds calls that ring are taken back (each at its minimum ring) and people who
        wait are put through. Conversations go on; the next start takes them over. With `hang_up` they get the rest of
        `drain_s` to end, and are then hung up.
        """
        self.context.stopping = True
        self.previews.withdraw()
        for runner in self.runners.values():
            runner.drop_hand("stopping")
            runner.close()
        step_s = 0.05 * self.clock.speed
        for _ in range(int(drain_s / step_s)):
            if not self._waits_for_an_end(hang_up):
                break
            for runner in self.runners.values():
                runner.cancel_all()
            await asyncio.sleep(0.05)
        if hang_up:
            await self._hang_up_all()
        await asyncio.gather(*(runner.hours.save() for runner in self.runners.values()))
        await asyncio.gather(*self.context.tasks, return_exceptions=True)
        with contextlib.suppress(StoreError):
            await self.context.ledger.flushed(10.0)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _waits_for_an_end(self, hang_up: bool) -> bool:
        return any(hang_up or live.call.phase is not Phase.TALKING for live in self.calls.live.values())

    async def _hang_up_all(self) -> None:
        for live in list(self.calls.live.values()):
            if live.call.answered_s is None:
                self.calls.cancel(live.attempt_id)
            else:
                self.calls.release(live)
        for _ in range(100):  # the switch's word on each of them
            if not self.calls.live:
                return
            await asyncio.sleep(0.02)

    # -- the link ------------------------------------------------------------------------------------------------------
    async def _link_up(self, session: AmiSession) -> None:
        allowed = await rights(session)
        missing, too_many = NEEDED_RIGHTS - allowed, FORBIDDEN_RIGHTS & allowed
        if missing or too_many:
            names = ", ".join(sorted(missing or too_many))
            what, que = (
                (f"lacks {names}", f"no puede usar {names}") if missing else (f"may use {names}", f"puede {names}")
            )
            raise SwitchUnfit(
                Words(
                    f"The switch's account {self.options.user!r} {what}.",
                    f"La cuenta {self.options.user!r} del conmutador {que}.",
                ),
                Words(
                    f"Give it {_RIGHTS} in manager.conf, and nothing more.",
                    f"Déle {_RIGHTS} en manager.conf, y nada más.",
                ),
            )
        self.context.session = session
        try:
            await self._audit.run_once(session)
        except TelephonyError:
            self.context.session = None
            raise
        self.context.synced = True
        self.trouble = None
        self._line.went(up=True)
        self.staff.back()
        self.calls.back()
        self._up.set()
        self.changed()
        log.info("link.up", calls=len(self.calls.live), mended=self._audit.mended)

    def _link_down(self) -> None:
        self.context.session = None
        self.context.synced = False
        self._line.went(up=False)
        self._up.clear()
        self._bridges.clear()
        self.staff.lost_link()
        self.calls.lost_link()
        self.changed()
        log.warning("link.down", calls=len(self.calls.live))

    def _link_trouble(self, error: TelephonyError) -> None:
        self.trouble = error
        log.warning("link.trouble", code=error.code, reason=error.message)

    def _event(self, message: Message) -> None:
        name = message.name
        self._observer.event(name)
        self._line.events += 1
        self.calls.note_event(message)
        if name == "BridgeEnter":
            self._entered(message)
        elif name == "BridgeLeave":
            self._bridges.leave(message)
        elif name == "UserEvent" and message.get("UserEvent") == "CadAgentIdle":
            self.staff.leg_idle(message)
        elif name == "Hangup":
            self._bridges.leave(message)
        signal = read(message)
        if signal is None or self.calls.hear(message, signal):
            return
        if signal.sign in (Sign.ENDED, Sign.FAILED):
            self.staff.leg_ended(signal.ref)

    def _entered(self, message: Message) -> None:
        members = self._bridges.enter(message)
        if len(members) < 2:
            return
        for ref in members:
            live = self.calls.live.get(ref)
            # Only our own pair is a conversation of ours: the agent leased for this very call.
            if live is not None and live.seat is not None and live.seat.leg in members:
                self.calls.take(Signal(ref, Sign.TALKING))

    # -- loops ---------------------------------------------------------------------------------------------------------
    async def _decide(self) -> None:
        """On every event, gathered for a moment, and on a tick."""
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self.options.tick_s / self.clock.speed):
                    await self._woken.wait()
            self._woken.clear()
            for runner in self.runners.values():
                runner.decide()
                runner.hours.pass_on()
            await asyncio.sleep(_GATHER_S)

    async def _audits(self) -> None:
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self.options.audit_s / self.clock.speed):
                    await self._audit_now.wait()
                    await sleep(self.clock, 0.2)  # what was asked for may be settled by an event on its way
            self._audit_now.clear()
            session = self.context.session
            if session is None:
                continue
            try:
                await self._audit.run_once(session)
            except TelephonyError as error:
                log.warning("audit.failed", code=error.code)

    async def _shows(self) -> None:
        shortest, longest = _SHOW_S
        since_shown = since_told = 0.0
        while True:
            await asyncio.sleep(shortest)
            since_shown, since_told = since_shown + shortest, since_told + shortest
            if since_told >= longest:
                since_told = 0.0
                self._observer.floor(self.floor())
                if self.hub.listened("telephony"):
                    self.hub.publish("telephony", msgspec.json.encode(self.telephony()))
            if (self._floor_stale or since_shown >= longest) and self.hub.listened("floor"):
                self._floor_stale, since_shown = False, 0.0
                self.hub.publish("floor", msgspec.json.encode(self.floor()))

    async def _refreshes(self) -> None:
        while True:
            await asyncio.sleep(_REFRESH_S)
            try:
                await self.refresh()
            except StoreError as error:
                log.warning("refresh.failed", code=error.code)

    def changed(self) -> None:
        """Somebody should look at the floor again: decide, and show it."""
        self._floor_stale = True
        self._woken.set()

    # -- what the parts ask of each other ------------------------------------------------------------------------------
    def _match(self) -> None:
        self.calls.match()

    def _lost_agent(self, live: LiveCall) -> None:
        self.calls.lost_agent(live)

    def _launch(self, runner: CampaignRunner, leases: list[Lease]) -> None:
        self._limits.take(len(leases), self.clock.monotonic())
        self._line.started(runner.settings.trunk, len(leases))
        self.calls.launch(runner, leases)

    def _agent_moved(self, seat: Seat) -> None:
        self.shares.moved(seat)
        for runner in self.runners.values():
            if not runner.settings.skill or runner.settings.skill in seat.skills:
                runner.agent_moved(seat.agent.id, seat.state)

    def _serving(self, campaign_id: str) -> tuple[PacingAgent, ...]:
        return self.shares.views(campaign_id, self.staff.seats.values(), self.runners)

    def _ranks(self, campaign_id: str) -> Callable[[Seat], int | None]:
        return self.shares.ranks(campaign_id, self.staff, self.runners)

    def _room(self) -> tuple[int, int]:
        unanswered = len(self.previews) + sum(len(runner.dials) for runner in self.runners.values())
        in_use = unanswered + sum(live.call.answered_s is not None for live in self.calls.live.values())
        return self._limits.room_channels(in_use), self._limits.room_rate(self.clock.monotonic())

    def show_agent(self, seat: Seat) -> None:
        """Publish an agent's present."""
        self.hub.publish(f"agent/{seat.agent.id}", msgspec.json.encode(self.agent(seat.agent.id)))

    def _wrapup_expired(self, seat: Seat, live: LiveCall) -> None:
        self.context.spawn(self.save_disposition(seat.agent.id, live, NOT_DISPOSED, "", None, None))

    async def save_disposition(
        self,
        agent_id: str,
        live: LiveCall,
        code: str,
        note: str,
        promise: Promise | None,
        callback_at: datetime | None,
    ) -> None:
        """Save what an agent (or a wrap-up that ran out) chose; durable on return. Raises StoreError."""
        await self.context.ledger.flushed()  # the settlement goes before
        now = self.clock.now()
        leaf = DISPOSITIONS.get(code)
        following = after_disposition(code, now, callback_at)
        await self.store.dispose(
            Disposed(
                live.attempt_id,
                agent_id,
                code,
                note,
                now,
                following,
                promise,
                kill_phone=leaf is not None and leaf.kills_phone,
                block_person=leaf is not None and leaf.blocks_person,
            )
        )
        self.runners[live.campaign_id].count_disposition(live, code, closes=following.due_at is None)

    # -- the present ---------------------------------------------------------------------------------------------------
    def agent(self, agent_id: str) -> AgentView:
        """An agent's own present. Raises Refused if there is no such agent."""
        seat = self.staff.seat(agent_id)
        name = self.runners[seat.campaign_id].campaign.name if seat.campaign_id else ""
        return agent_view(seat, name)

    def floor(self) -> FloorView:
        """The supervisor's present."""
        health = self.health()
        return floor_view(
            self.clock,
            self.runners.values(),
            self.staff.seats.values(),
            self.calls.live.values(),
            switch_up=health["switch"],
            store_up=health["store"],
        )

    def telephony(self) -> TelephonyView:
        """The engineer's present."""
        return self._board.view([self._line])

    def _trunk_names(self) -> list[str]:
        return [runner.settings.trunk for runner in self.runners.values()]

    async def timeline(self, attempt_id: str) -> CallView | None:
        """A call's timeline, from the log and, while it goes on, from memory. Raises StoreError."""
        live = self.calls.live.get(attempt_id)
        found = await timeline_of(self.store, attempt_id, live.trace.body() if live is not None else None)
        return call_view(found) if found is not None else None

    def health(self) -> dict[str, bool]:
        """What has to be true before anything may be dialled."""
        return {
            "switch": self.context.session is not None and self.context.session.up,
            "store": self.context.ledger.up,
            "leader": self.context.ledger.leading,
        }
