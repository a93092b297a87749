"""The engine's core: wires the floor, the campaigns, the calls and the switch together, and keeps them going.

Everything happens on one event loop: events of the switch, people's requests and timers each run to their end before
the next. The engine is event-driven; a tick of at most a second stands behind it for what no event tells.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime

import msgspec
import structlog

from cadencia.clock import Clock
from cadencia.compliance.judge import Judge
from cadencia.config.profiles import Rulebook, load_site
from cadencia.dialer.calls import Calls
from cadencia.dialer.campaign import CampaignRunner
from cadencia.dialer.context import Context, Ids, Observer, Options
from cadencia.dialer.counts import day_starts
from cadencia.dialer.evidence import Sealer
from cadencia.dialer.floor import Floor
from cadencia.dialer.hub import Hub
from cadencia.dialer.law import Law
from cadencia.dialer.ledger import Ledger
from cadencia.dialer.lines import Board
from cadencia.dialer.links import Links
from cadencia.dialer.live import LiveCall, Seat
from cadencia.dialer.nightly import Nightly
from cadencia.dialer.people import People
from cadencia.dialer.present import agent_view, call_view, floor_view, script_view
from cadencia.dialer.preview import Previews
from cadencia.dialer.priors import ONE_LIST
from cadencia.dialer.recovery import restore
from cadencia.dialer.sender import Sender
from cadencia.dialer.servers import Server, Switch, Switches
from cadencia.dialer.shares import Shares
from cadencia.dialer.steps import WallWatch
from cadencia.dialer.switchline import SwitchLine
from cadencia.dialer.timeline import timeline_of
from cadencia.dialer.views import AgentView, CallView, FloorView, TelephonyView
from cadencia.domain.agents import AgentState
from cadencia.domain.codes import DISPOSITIONS, NOT_DISPOSED
from cadencia.domain.dialing import Disposed, Lease, Promise
from cadencia.domain.events import Event
from cadencia.domain.law import Profile
from cadencia.errors import LeadershipLost, StoreError, Words
from cadencia.pacing.budget import Count, upper_bound
from cadencia.pacing.port import AgentView as PacingAgent
from cadencia.pacing.predictive import warm_up
from cadencia.queue.retry import after_disposition
from cadencia.store.port import Store
from cadencia.telephony.call import Phase
from cadencia.telephony.outcomes import OutcomeTable, default_table

log = structlog.get_logger(__name__)

#: Real seconds that decisions wait for each other: a burst of events brings one decision.
_GATHER_S = 0.02

#: Real seconds between two looks for what was added to the store.
_REFRESH_S = 5.0

#: Real seconds between two looks for what was revoked, excluded or paid while its call rings: it stops within 250 ms.
_OVERTAKEN_S = 0.1

#: Real seconds between two pictures of the floor, at least and at most.
_SHOW_S = (0.25, 1.0)


class EngineCore:
    """Everything behind the desk.

    Args:
        store, clock: ports.
        servers: the Asterisk servers of the site, one at least.
        observer: told of events, outcomes and latencies.
        rng: ids and back-off; seeded in tests.
        profiles: the legal profiles, by id, that hold whatever the store says; None: those that it says are in force.
        book: what ships with the program and what the site has of its own; None: what ships.
    """

    def __init__(
        self,
        store: Store,
        clock: Clock,
        servers: Iterable[Server],
        options: Options,
        observer: Observer,
        *,
        rng: random.Random | None = None,
        table: OutcomeTable | None = None,
        profiles: Mapping[str, Profile] | None = None,
        book: Rulebook | None = None,
    ) -> None:
        self.law = Law(book or load_site(None)) if profiles is None else None
        self.judge = Judge(profiles or {})
        self.people = People(store, self.judge)
        self.store, self.clock, self.options = store, clock, options
        self.hub = Hub()
        self.switches = Switches(servers)
        self._observer, self._rng = observer, rng or random.Random()
        self._table = table or default_table()
        self._tasks: list[asyncio.Task[None]] = []
        self._sealer: Sealer | None = None
        self._woken = asyncio.Event()
        self._floor_stale = True
        self.failed = False
        self._answered: Counter[tuple[str, str]] = Counter()
        self.runners: dict[str, CampaignRunner] = {}
        self.shares = Shares(self.switches)

    # -- life ----------------------------------------------------------------------------------------------------------
    async def start(self) -> None:
        """Lead, take over what an engine before us left, and begin to keep the link.

        Raises:
            StoreError: another engine leads, or the store cannot be used.
        """
        now = self.clock.now()
        token = await self.store.lead(self.options.holder, now)
        if self.law is not None:
            self.judge = self.people.judge = Judge(await self.law.take_up(self.store, now))
        ledger = Ledger(self.store, token)
        ids = Ids(self.clock, self._rng)
        self.context = c = Context(
            self.clock,
            self.store,
            self.hub,
            ledger,
            ids,
            self.options,
            self._observer,
            token,
            self.switches,
            WallWatch(self.clock),
            self.judge,
        )
        c.changed = self.changed
        self.staff = Floor(c, self._match, self._lost_agent, self._wrapup_expired)
        self.staff.shown = self.show_agent
        self.staff.moved = self._agent_moved
        self.calls = Calls(c, self.staff, self._table, self.runners.__getitem__, self._ranks)
        self.sender = Sender(c, self.staff, self.calls)
        self.previews = Previews(c, self.staff, self.calls, self.sender, self.runners.__getitem__, self._ranks)
        self.links = Links(c, self.staff, self.calls, self.sender, self._rng)
        self._board = Board(self.clock, c.book)
        # What these stand on takes a moment to load or to compile: better now than while calls go on.
        upper_bound(Count(1))
        warm_up()
        await self._take_up_campaigns()
        await restore(c, self.staff, self.calls, self.runners)
        for seat in self.staff.seats.values():
            self.show_agent(seat)
        signer = self.options.signer
        self._sealer = Sealer(c, signer) if signer is not None else None
        work = (
            ledger.run(),
            self.sender.run(),
            *self.links.work(),
            self._decide(),
            self._shows(),
            self._refreshes(),
            *([self._sealer.run()] if self._sealer is not None else []),
            self._overtakes(),
            Nightly(c).run(),
        )
        self._tasks = [asyncio.get_running_loop().create_task(part) for part in work]
        for task in self._tasks:
            task.add_done_callback(self._part_ended)

    def _part_ended(self, task: asyncio.Task[None]) -> None:
        """A part that fell over by a fault of ours: nobody new is dialled without it, and it does not fall silently."""
        if not task.cancelled() and task.exception() is not None:
            self.context.stopping = self.failed = True
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
        """Take up laws that changed, campaigns, list items and agents that were added while the engine runs.

        Raises StoreError.
        """
        await self._take_up_law()
        await self._take_up_campaigns()
        for session in await self.store.agent_sessions():
            known = self.staff.seats.get(session.agent.id)
            if known is None:
                self.show_agent(self.staff.add(session.agent, AgentState.OUT, session.since))
                self.shares.agents_changed()
            elif known.agent != session.agent and known.state is AgentState.OUT:
                known.agent, known.switch = session.agent, self.switches.home(session.agent.endpoint)
                self.shares.agents_changed()
        await self.sender.resolve_doubts()
        for runner in self.runners.values():
            await runner.give_back_owed()
            runner.recount(await self.store.counts(runner.campaign.id))
        self.changed()

    async def _take_up_law(self) -> None:
        """Judge by what is in force now; what was leased under the rules before goes back and is judged again."""
        changed = await self.law.changed(self.store) if self.law is not None else None
        if changed is None:
            return
        self.judge = self.context.judge = self.people.judge = Judge(changed)
        log.info("law.changed", profiles=[f"{p.id}@{p.version}" for p in changed.values()])
        for runner in self.runners.values():
            runner.drop_hand("law")

    async def ready_to_dial(self, timeout_s: float) -> None:
        """Wait for the first resynchronised link.

        Raises:
            TelephonyError: what kept the links down, when the (real) time is over; at once if every server refuses us.
        """
        deadline = asyncio.get_running_loop().time() + timeout_s
        while not self.links.up.is_set():
            troubles = [switch.trouble for switch in self.switches if switch.trouble is not None]
            unfit = [trouble for trouble in troubles if not trouble.retryable]
            if len(unfit) == len(self.switches) or (troubles and asyncio.get_running_loop().time() >= deadline):
                raise (unfit or troubles)[0]
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
        if self._sealer is not None:
            await self._sealer.last()

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

    # -- loops ---------------------------------------------------------------------------------------------------------
    async def _decide(self) -> None:
        """On every event, gathered for a moment, and on a tick."""
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self.options.tick_s / self.clock.speed):
                    await self._woken.wait()
            self._woken.clear()
            self._watch_the_wall()
            self._answered = Counter(
                (live.switch.name, live.settings.trunk)
                for live in self.calls.live.values()
                if live.call.answered_s is not None
            )
            for runner in self.runners.values():
                runner.decide()
                runner.hours.pass_on()
            await asyncio.sleep(_GATHER_S)

    def _watch_the_wall(self) -> None:
        step = self.context.wall.look()
        if step is None:
            return
        seconds = round(step.total_seconds(), 1)
        log.error("clock.set", seconds=seconds)
        self.context.ledger.append(Event("engine.clock_set", self.clock.now(), body={"seconds": seconds}))

    async def _shows(self) -> None:
        shortest, longest = _SHOW_S
        since_shown = since_told = 0.0
        while True:
            await asyncio.sleep(shortest)
            since_shown, since_told = since_shown + shortest, since_told + shortest
            if since_told >= longest:
                since_told = 0.0
                self._observer.floor(self.floor())
                self._observer.lines(self.switches)
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

    async def _overtakes(self) -> None:
        """Take back calls that ring at people who may not be called any more."""
        while True:
            await asyncio.sleep(_OVERTAKEN_S)
            ringing = [i for i, live in self.calls.live.items() if live.call.answered_s is None]
            if not ringing:
                continue
            try:
                overtaken = await self.store.overtaken(ringing)
            except StoreError as error:
                log.warning("overtaken.failed", code=error.code)
                continue
            for attempt_id in overtaken:
                self.calls.cancel(attempt_id)

    def changed(self) -> None:
        """Somebody should look at the floor again: decide, and show it."""
        self._floor_stale = True
        self._woken.set()

    # -- what the parts ask of each other ------------------------------------------------------------------------------
    def _match(self) -> None:
        self.calls.match()

    def _lost_agent(self, live: LiveCall) -> None:
        self.calls.lost_agent(live)

    def _launch(self, runner: CampaignRunner, leases: list[Lease], switch: Switch) -> None:
        switch.started(runner.settings.trunk, len(leases), self.clock.monotonic())
        self.sender.launch(runner, leases, switch)

    def _agent_moved(self, seat: Seat) -> None:
        self.shares.moved(seat)
        for runner in self.runners.values():
            if not runner.settings.skill or runner.settings.skill in seat.skills:
                runner.agent_moved(seat.agent.id, seat.state)

    def _serving(self, campaign_id: str, switch: Switch) -> tuple[PacingAgent, ...]:
        return self.shares.views(campaign_id, switch, self.staff.seats.values(), self.runners)

    def _ranks(self, campaign_id: str, switch: Switch) -> Callable[[Seat], int | None]:
        return self.shares.ranks(campaign_id, switch, self.staff, self.runners)

    def _room(self, runner: CampaignRunner, switch: Switch) -> tuple[int, int]:
        trunk = runner.settings.trunk
        if not switch.carries(trunk):
            return 0, 0
        everywhere, by_trunk = self.previews.on(switch), self._answered[switch.name, trunk]
        for other in self.runners.values():
            unanswered = len(other.pool(switch).dials)
            everywhere += unanswered
            by_trunk += unanswered if other.settings.trunk == trunk else 0
        everywhere += sum(number for (name, _), number in self._answered.items() if name == switch.name)
        return switch.room(trunk, calls=everywhere, calls_on_trunk=by_trunk, now_s=self.clock.monotonic())

    def show_agent(self, seat: Seat) -> None:
        """Publish an agent's present; a file that is on the screen now, and was not, has been read."""
        self.hub.publish(f"agent/{seat.agent.id}", msgspec.json.encode(self.agent(seat.agent.id)))
        file = seat.on_screen
        if file is not None and file.attempt_id != seat.read:
            body = {"by": seat.agent.id, "what": "pop" if seat.preview is None else "preview"}
            of = (file.campaign_id, file.contact_id, file.attempt_id, seat.agent.id)
            self.context.ledger.append(Event("file.read", self.clock.now(), *of, body=body))
        seat.read = file.attempt_id if file is not None else ""

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
                revoke_channel=leaf is not None and leaf.revokes_channel,
            )
        )
        self.runners[live.campaign_id].count_disposition(live, code, closes=following.due_at is None)

    # -- the present ---------------------------------------------------------------------------------------------------
    def agent(self, agent_id: str) -> AgentView:
        """An agent's own present. Raises Refused if there is no such agent."""
        seat = self.staff.seat(agent_id)
        if not seat.campaign_id:
            return agent_view(seat, "")
        campaign = self.runners[seat.campaign_id].campaign
        return agent_view(seat, campaign.name, script_view(self.judge.stack(campaign.settings)))

    def floor(self) -> FloorView:
        """The supervisor's present."""
        return floor_view(
            self.clock,
            self.runners.values(),
            self.staff.seats.values(),
            self.calls.live.values(),
            switches=self.switches,
            store_up=self.context.ledger.up,
        )

    def telephony(self) -> TelephonyView:
        """The engineer's present."""
        now_s = self.clock.monotonic()
        return self._board.view(SwitchLine(switch, self.calls, self.staff, now_s) for switch in self.switches)

    async def timeline(self, attempt_id: str) -> CallView | None:
        """A call's timeline, from the log and, while it goes on, from memory. Raises StoreError."""
        live = self.calls.live.get(attempt_id)
        found = await timeline_of(self.store, attempt_id, live.trace.body() if live is not None else None)
        return call_view(found) if found is not None else None

    def health(self) -> dict[str, bool]:
        """What has to be true before anything may be dialled."""
        return {
            "switch": self.switches.any_ready,
            "store": self.context.ledger.up,
            "leader": self.context.ledger.leading,
            "engine": not self.failed,
        }
