"""What the engine holds in memory of each call in progress and each agent at work."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from datetime import datetime

from cadencia.dialer.servers import Switch
from cadencia.dialer.trace import Trace
from cadencia.domain.agents import Agent, AgentState
from cadencia.domain.dialing import CampaignSettings, Lease
from cadencia.domain.people import DebtorFile, Phone
from cadencia.telephony.call import Call


@dataclass(eq=False, slots=True)
class LiveCall:
    """A call from the moment its sending is committed until its settlement is handed over.

    Attributes:
        call: the state machine's value; replaced with every signal.
        switch: the server it is dialled on.
        channel: the channel's name, or the attempt's id until the name is known.
        ordered_s: when the Originate was answered or given up (monotonic): before it, no snapshot can miss the call.
        seat: the agent leased for it, None while nobody is.
        last_agent_id: who had the person last.
        adopted: taken over from an engine before us.
        judged, machine: an agent chose a disposition, and by it a machine was on the line.
        chosen: an agent saw the file first and chose to dial.
        unwanted: that agent wants it taken back, or is gone.
        left_s: when the debtor hung up (monotonic), where that was told before the end of the leg.
        patient: the dialplan keeps the person longer than the campaign's wait, because telephones are rung first.
        trace: what happened to it, entry by entry.
    """

    attempt_id: str
    campaign_id: str
    contact_id: int
    person_id: int
    phone: Phone
    file: DebtorFile
    settings: CampaignSettings
    call: Call
    switch: Switch
    channel: str
    since: datetime
    seat: Seat | None = None
    last_agent_id: str | None = None
    answered_at: datetime | None = None
    connected_at: datetime | None = None
    answered_wall_s: float = 0.0
    confirmed: bool = False
    adopted: bool = False
    judged: bool = False
    machine: bool = False
    disposed: bool = False  # the agent chose a disposition while still talking
    chosen: bool = False
    unwanted: bool = False
    patient: bool = False
    missed: bool = False  # the last snapshot lacked it
    left_s: float | None = None
    ordered_s: float | None = None
    timers: list[asyncio.TimerHandle] = field(default_factory=list)
    trace: Trace = field(default_factory=Trace)

    @property
    def chooser(self) -> Seat | None:
        """The agent who chose this person and waits for the answer; None once the person was offered to somebody."""
        return self.seat if self.chosen and not self.call.offered else None


@dataclass(eq=False, slots=True)
class Preview:
    """A file before an agent who has not said yet whether to dial; the lease belongs to nobody else meanwhile."""

    lease: Lease
    until: datetime
    timer: asyncio.TimerHandle


@dataclass(eq=False, slots=True)
class Seat:
    """An agent's place: the state, the telephone's leg, and the call.

    Attributes:
        leg: Uniqueid of the nailed-up leg, "" while there is none; `channel` its name.
        switch: the server the telephone lives on.
        nailed: the telephone is called at sign-in and kept; else it is rung for each call.
        pickup_s: how long this agent takes to pick up a telephone that is rung for each call.
        leg_up: the leg stands in its waiting room or in a conversation.
        answers: the telephone answers the switch's probes, as far as we were told.
        resume: the state to go on in when the telephone is up (again), with its reason.
        next_pause: reason of a pause asked for during a call.
        preview: the file that waits for the agent's choice.
        call: the call the agent is in, or is reserved for; in preview from the choice on, before anybody answers.
        came_of: what became of the last call that reached nobody: an outcome, or why the gate denied it.
        wrapping: attempt whose disposition the present wrap-up waits for.
        overdue: attempts whose wrap-up ran out without a disposition.
    """

    agent: Agent
    switch: Switch
    state: AgentState
    since: datetime
    since_s: float
    reason: str = ""
    leg: str = ""
    channel: str = ""
    leg_up: bool = False
    answers: bool = True
    leg_since_s: float = 0.0
    leg_tries: int = 0
    pickup_s: float = 4.0
    resume: tuple[AgentState, str] = (AgentState.PAUSED, "inicio")
    preview: Preview | None = None
    call: LiveCall | None = None
    came_of: str = ""
    wrapping: LiveCall | None = None
    wrapup_until: datetime | None = None
    wrapup_timer: asyncio.TimerHandle | None = None
    next_pause: str | None = None
    overdue: dict[str, LiveCall] = field(default_factory=dict)
    calls: int = 0
    talk_s: float = 0.0
    spent_s: dict[AgentState, float] = field(default_factory=dict)  # by state, up to the last change
    read: str = ""  # the attempt whose file is on the screen, once that is written down

    @property
    def nailed(self) -> bool:
        return self.switch.telephone(self.agent.endpoint).nailed

    @property
    def reachable(self) -> bool:
        """Whether somebody can be put through: the leg stands, or it is rung when somebody is there."""
        return self.answers and (self.leg_up or not self.nailed)

    @property
    def skills(self) -> frozenset[str]:
        return self.agent.skills

    @property
    def shown(self) -> LiveCall | None:
        """The call whose file is on the agent's screen."""
        return self.call or self.wrapping

    @property
    def on_screen(self) -> LiveCall | Lease | None:
        """Whose file is on the agent's screen: of the call, or to choose from."""
        return self.shown or (self.preview.lease if self.preview else None)

    @property
    def campaign_id(self) -> str | None:
        """Of the file on the agent's screen."""
        file = self.on_screen
        return file.campaign_id if file else None
