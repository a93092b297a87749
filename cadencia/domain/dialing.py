"""Campaigns, the contacts in them, attempts, and what becomes of an attempt."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import Any

from cadencia.domain.codes import Denial, Outcome
from cadencia.domain.law import Facts, Person, Purpose
from cadencia.domain.people import DebtorFile, Money, Phone


class CampaignState(StrEnum):
    STOPPED = "stopped"  # nothing is dialled, nothing waits
    RUNNING = "running"
    PAUSED = "paused"  # nothing new is dialled; calls in progress go on


class Mode(StrEnum):
    """How a campaign is paced."""

    PREVIEW = "preview"  # the agent sees the file first and chooses, within a time
    PROGRESSIVE = "progressive"  # one call for each free agent
    RATIO = "ratio"  # so many calls for each free agent
    PREDICTIVE = "predictive"  # dials ahead, from a forecast of who will be free and who will answer


@dataclass(frozen=True)
class CampaignSettings:
    """What a supervisor may tune; every change is an event with a reason.

    Attributes:
        ratio: calls per free agent in ratio mode, 1.0 to 5.0.
        ring_s: how long a call may ring, post-dial delay included; whole seconds.
        min_ring_s: a ringing call is not taken back before this (15 s or four rings in several rules).
        wait_s: how long an answered person waits for an agent before the call counts as abandoned; whole seconds.
        wrapup_s: how long an agent may take to choose a disposition.
        preview_s: preview: how long an agent may look at a file before dialling or skipping.
        preview_auto_dial: preview: dial when that time is over; else the agent is paused.
        abandonment_cap: highest share of live answers that may be abandoned.
        abandonment_target: the share aimed at, not above the cap; None aims at the cap.
        cancel_late: predictive takes late ringing calls back while no agent is free, never before `min_ring_s`.
        weight: share of the agents who serve other running campaigns too, against theirs.
        attempts_per_day: cap for each person.
        attempts_per_week: cap for each person in any 7 days.
        retry_minutes: earliest next try after no answer and the like.
        caller_id: number shown to the debtor, digits only; may be empty.
        message: sound file that identifies the caller to an abandoned person; empty plays none.
        skill: an agent must have it to get this campaign's calls; empty means any agent.
        trunk: the way out, by its name on the switch.
        detect_machines: the switch listens for a machine before an agent is looked for. It costs everybody 1 to 3 s of
            silence and takes some people for machines.
        profiles: ids of the legal profiles that hold, all at once; with one unknown nobody is dialled.
        purpose: what its calls are for.
    """

    mode: Mode = Mode.PREDICTIVE
    ratio: float = 1.2
    ring_s: int = 25
    min_ring_s: int = 15
    wait_s: int = 2
    wrapup_s: int = 45
    preview_s: int = 20
    preview_auto_dial: bool = True
    abandonment_cap: float = 0.03
    abandonment_target: float | None = None
    cancel_late: bool = True
    weight: float = 1.0
    attempts_per_day: int = 3
    attempts_per_week: int = 10
    retry_minutes: int = 120
    caller_id: str = ""
    message: str = ""
    skill: str = ""
    trunk: str = "trunk"
    detect_machines: bool = False
    profiles: tuple[str, ...] = ("co-ley2300",)
    purpose: Purpose = Purpose.COLLECTION


@dataclass(frozen=True)
class Campaign:
    id: str
    name: str
    state: CampaignState
    settings: CampaignSettings
    created_at: datetime


@dataclass(frozen=True)
class ContactFacts:
    """All that the judge needs to know of one list item, read under lock inside the claim.

    Attributes:
        attempts: charged attempts of the list item so far.
        last_phone_id: the number tried last, so that the next try may take another one.
        standing: counts every change that could forbid a contact with the person; what is leased under one standing is
            not sent under another.
        denied: why the gate said no the last time; None after a lease.
    """

    contact_id: int
    campaign_id: str
    person: Person
    facts: Facts
    phones: tuple[Phone, ...]
    attempts: int = 0
    last_phone_id: int | None = None
    standing: int = 0
    denied: Denial | None = None


class AttemptState(StrEnum):
    LEASED = "leased"  # counters reserved, nothing sent
    SENDING = "sending"  # committed before the Originate: from here it counts
    SETTLED = "settled"


@dataclass(frozen=True)
class Lease:
    """An attempt that may be dialled, with the file its screen-pop will show."""

    attempt_id: str
    campaign_id: str
    contact_id: int
    phone: Phone
    facts: ContactFacts
    file: DebtorFile
    leased_at: datetime


@dataclass(frozen=True)
class Claimed:
    """What a claim brought: leases, and the denials it wrote down, by code; so many of them closed the list item."""

    leases: tuple[Lease, ...]
    denied: dict[Denial, int] = field(default_factory=dict)
    closed: int = 0


@dataclass(frozen=True)
class Mark:
    """A milestone of an attempt that is written down while the call goes on: `answered` or `connected`."""

    attempt_id: str
    milestone: str
    at: datetime
    agent_id: str | None = None


@dataclass(frozen=True)
class Next:
    """What happens to the list item: due again at an instant, or closed (due_at None)."""

    due_at: datetime | None


@dataclass(frozen=True)
class Settlement:
    """The one recorded end of an attempt.

    Attributes:
        next: what becomes of the list item; None while the agent still has to choose a disposition.
        charged: False gives the reserved counter back (the network's fault, not a contact attempt).
        kill_phone: the number is out of service: never dial it again.
        cause, tech_cause: Q.850 cause and SIP code of the Hangup event, None if there was none.
    """

    attempt_id: str
    outcome: Outcome
    ended_at: datetime
    next: Next | None
    charged: bool = True
    kill_phone: bool = False
    agent_id: str | None = None
    answered_at: datetime | None = None
    connected_at: datetime | None = None
    cause: int | None = None
    tech_cause: int | None = None
    talk_s: float = 0.0


@dataclass(frozen=True)
class Promise:
    """A promise to pay: how much, and by which local date (ISO yyyy-mm-dd)."""

    amount: Money
    due: str


@dataclass(frozen=True)
class Disposed:
    """An agent's disposition of a connected attempt, as it is saved."""

    attempt_id: str
    agent_id: str
    code: str
    note: str
    at: datetime
    next: Next
    promise: Promise | None = None
    kill_phone: bool = False
    block_person: bool = False
    revoke_channel: bool = False


@dataclass(frozen=True)
class OpenAttempt:
    """An attempt that a stopped engine left open.

    Attributes:
        attempts: tries of the list item before this one, as the lease's facts had it.
        server: the Asterisk server it was sent by; empty in `leased`.
    """

    attempt_id: str
    campaign_id: str
    contact_id: int
    person_id: int
    state: AttemptState
    phone: Phone
    agent_id: str | None
    answered_at: datetime | None
    connected_at: datetime | None
    leased_at: datetime
    attempts: int
    file: DebtorFile
    server: str = ""


@dataclass(frozen=True)
class CampaignCounts:
    """Numbers of one campaign, computed from what is written down.

    `answered_live` excludes what an agent or a detector called a machine. The three about contacts count list items.
    """

    attempts: int
    answered_live: int
    connected: int
    abandoned: int
    contacts: int
    contacts_touched: int
    contacts_closed: int
    outcomes: dict[str, int]
    denied: dict[str, int]
    unaccounted: int


@dataclass(frozen=True)
class DayCount:
    """What became of one local day's answers, as the abandonment budget counts them.

    Attributes:
        answers: answered by a person, or by nobody knows whom yet; the abandoned included, machines not.
        abandoned: of these, not put through in time.
        machines: put through, and called a machine by the agent.
        unjudged: put through, and nobody chose a disposition yet.
    """

    day: date
    answers: int = 0
    abandoned: int = 0
    machines: int = 0
    unjudged: int = 0


@dataclass(frozen=True, slots=True)
class Dialled:
    """An attempt that was dialled, answered or not, as the abandonment report reads it: instants and codes, no person.

    Attributes:
        sending_at: the order to dial was committed.
        answered_at: somebody or something answered; None: nobody did.
        connected_at: an agent and whoever answered hear each other; None: never.
        ended_at: None while the call goes on.
        ring_s: seconds from the first sign that the telephone rang to the answer or the end; None: there was no sign.
    """

    attempt_id: str
    leased_at: datetime
    sending_at: datetime
    answered_at: datetime | None = None
    connected_at: datetime | None = None
    ended_at: datetime | None = None
    outcome: Outcome | None = None
    disposition: str | None = None
    ring_s: float | None = None
    server: str = ""


@dataclass(frozen=True)
class Prior:
    """What a campaign taught its controller in one local hour of the day, for the same hour of another day.

    Attributes:
        contact_list: the list it was learnt on; "" while a campaign has one list.
        hour: local, 0 to 23.
        body: plain JSON values, which only `cadencia.pacing.Learned` understands.
    """

    campaign_id: str
    contact_list: str
    hour: int
    body: dict[str, Any]
    saved_at: datetime
