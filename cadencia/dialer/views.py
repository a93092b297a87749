"""What the engine shows: frozen messages, encoded once as JSON and sent to every page that listens.

A view is the whole present state of its subject, never a difference: a page that missed one is right again with the
next. Times are ISO 8601 in UTC. No telephone or document number leaves here whole, and no amount before the right party
is confirmed.
"""

from __future__ import annotations

from datetime import datetime

import msgspec

from cadencia.pacing.change import Figures


class ObligationView(msgspec.Struct, frozen=True, omit_defaults=True):
    """An obligation on an agent's screen; amounts are None until the right party is confirmed."""

    id: int
    product: str
    creditor: str
    number: str  # masked, last four characters
    role: str
    days_past_due: int
    due_date: str | None = None
    balance_minor: int | None = None
    overdue_minor: int | None = None
    currency: str | None = None


class PastContactView(msgspec.Struct, frozen=True):
    at: datetime
    outcome: str
    disposition: str | None
    agent: str | None
    note: str


class SaidView(msgspec.Struct, frozen=True):
    """A sentence in the two languages of the pages."""

    es: str
    en: str


class ScriptView(msgspec.Struct, frozen=True):
    """What the campaign's legal profiles want said, and what they forbid to ask or say."""

    say: tuple[SaidView, ...]
    dont: tuple[SaidView, ...]


class PopView(msgspec.Struct, frozen=True):
    """The screen-pop: all that the first paint shows, in one message."""

    attempt_id: str
    campaign_id: str
    campaign: str
    person: str
    city: str
    language: str
    document: str  # type and last three digits
    phone: str  # masked, last four digits
    obligations: tuple[ObligationView, ...]
    history: tuple[PastContactView, ...]
    confirmed: bool
    answered_at: datetime | None  # None while nobody has answered
    script: ScriptView | None = None


class AgentView(msgspec.Struct, frozen=True):
    """An agent's own present: state, telephone, call, wrap-up deadline, day so far."""

    id: str
    name: str
    endpoint: str
    state: str  # AgentState
    since: datetime
    reason: str
    phone_up: bool
    pop: PopView | None
    wrapup_until: datetime | None
    next_pause: str | None  # pause asked for during a call, taken after the wrap-up
    calls: int
    talk_s: float
    overdue: tuple[str, ...] = ()  # attempts whose disposition is still owed
    preview_until: datetime | None = None  # until when the agent may choose whether to dial
    hanging_up: bool = False  # the call that rings for this agent is being taken back
    came_of: str = ""  # what became of the last call that reached nobody: code of an outcome or a denial
    switch_up: bool = True  # the link to the server the telephone lives on stands
    telephone: str = "nailed"  # nailed, rung (for each call) or browser
    server: str = ""
    nailed: bool = True  # the telephone stands connected through the shift, wherever it is


class NoteFinding(msgspec.Struct, frozen=True):
    """What a note shows of a question or phrase that a profile forbids.

    `said`: the note's own words; `told`: what to do, in the language asked for; `question`: its answer may be noted
    where the person told it unasked.
    """

    rule: str
    said: str
    told: str
    citation: str
    question: bool


class NoteView(msgspec.Struct, frozen=True):
    """A note before it is saved; nothing of it is kept."""

    findings: tuple[NoteFinding, ...]


class BrowserTelephoneView(msgspec.Struct, frozen=True):
    """What an agent's page needs to be that agent's telephone; nobody else is shown it, and no log keeps it.

    `uri` registers with `user` and `password` at `wss`, which is reached in the SIP domain `domain`.
    """

    uri: str
    user: str
    password: str
    wss: str
    domain: str

    def __repr__(self) -> str:
        return f"BrowserTelephoneView({self.uri!r}, wss={self.wss!r})"  # an error report must not hold the password


class AgentRow(msgspec.Struct, frozen=True):
    """An agent in the supervisor's grid: no debtor's data."""

    id: str
    name: str
    state: str
    since: datetime
    reason: str
    phone_up: bool
    campaign_id: str | None
    calls: int
    talk_s: float


class ForecastView(msgspec.Struct, frozen=True):
    """What the last decision was made from (`cadencia.pacing.Forecast`); shares from 0 to 1."""

    risk: float
    threshold: float
    answer_rate: float
    free_10s: float
    answers_10s: float
    answers_10s_low: float  # 90 % band
    answers_10s_high: float


class AbandonmentView(msgspec.Struct, frozen=True):
    """Live answers of a window and how many of them nobody took in time.

    `rate` is strict; `upper` is its one-sided upper 95 % bound, 1 while nothing was answered: shown, never steering.
    `ofcom` and `without_machines` are the same calls as other regulators count them (`cadencia.pacing.budget.Variant`).
    """

    answers: int
    abandoned: int
    rate: float
    upper: float
    ofcom: float = 0.0
    without_machines: float = 0.0


class CampaignView(msgspec.Struct, frozen=True):
    id: str
    name: str
    state: str
    mode: str
    ratio: float
    abandonment_cap: float
    ring_s: int
    wait_s: int
    wrapup_s: int
    reason: str  # why the last decision was what it was (stable code)
    dialling: int  # on the way, unanswered
    waiting: int  # answered, no agent yet
    talking: int
    attempts: int
    answered_live: int
    connected: int
    abandoned: int
    abandonment_rate: float
    contacts: int
    contacts_touched: int
    contacts_closed: int
    outcomes: dict[str, int]
    denied: dict[str, int]
    abandonment_target: float | None = None
    cancel_late: bool = True
    weight: float = 1.0
    why: SaidView | None = None  # the reason with its numbers; None before the first decision
    forecast: ForecastView | None = None  # None where the mode does not look ahead
    abandonment_day: AbandonmentView | None = None  # the campaign's local day
    abandonment_month: AbandonmentView | None = None  # the last 30 local days
    budget_left: float = 0.0  # calls that may still be abandoned, negative when overdrawn
    profiles: tuple[str, ...] = ()  # the legal profiles that hold
    lawful_left_s: float = 0.0  # lawful calling time left today
    lawful_until: datetime | None = None  # when the present window closes; None while it is closed
    lawful_from: datetime | None = None  # while it is closed, when it opens


class SimulatedView(msgspec.Struct, frozen=True):
    """What a what-if was answered from.

    `pieces` of the day of `hours` each; the present and the changed number of agents; channels of the trunk; the
    share of the dials that a person answers. `known` is False while the campaign has learnt nothing of its own.
    """

    pieces: int
    hours: float
    agents: int
    agents_then: int
    channels: int
    answer_rate: float
    known: bool


class WhatIfView(msgspec.Struct, frozen=True):
    """What a change would do: means with half of their 95 % intervals; shares from 0 to 1, waits in seconds.

    `difference` is then less now on the same debtors. `without_effect` names changes that the simulation does not know.
    """

    campaign_id: str
    now: Figures
    then: Figures
    difference: Figures
    simulated: SimulatedView
    without_effect: tuple[str, ...]


class CallRow(msgspec.Struct, frozen=True):
    """A call in progress, for the supervisor: no name, no number."""

    attempt_id: str
    campaign_id: str
    state: str
    since: datetime
    agent_id: str | None


class FloorView(msgspec.Struct, frozen=True):
    """The supervisor's present."""

    at: datetime
    simulated: bool
    speed: float
    switch_up: bool
    store_up: bool
    campaigns: tuple[CampaignView, ...]
    agents: tuple[AgentRow, ...]
    calls: tuple[CallRow, ...]
    servers_down: tuple[str, ...] = ()


class TroubleView(msgspec.Struct, frozen=True):
    """What keeps a link down, and how to mend it."""

    code: str
    said: SaidView
    hint: SaidView


class ServerView(msgspec.Struct, frozen=True):
    """An Asterisk server. `since`: its link is up or down; `legs_up`: agents' telephones that stand ready."""

    name: str
    up: bool
    since: datetime | None
    trouble: TroubleView | None
    calls: int
    legs_up: int
    events_per_s: float
    round_trip_ms: float | None  # of an order and its answer
    reconnects: int
    version: str  # "" if unknown


class FailureView(msgspec.Struct, frozen=True):
    """The last call that a trunk or the network behind it failed."""

    at: datetime
    outcome: str
    sip: int | None
    q850: int | None


class TrunkView(msgspec.Struct, frozen=True):
    """A trunk now, and its last hour. Shares are 0 to 1, None without anything to share; delays in seconds.

    `asr`: answered / attempts; `short`: share of the answered calls that lasted less than 6 s.
    """

    server: str
    name: str
    state: str  # "up", "down" or "unknown"
    channels_used: int
    channels: int
    rate_used: float  # call starts a second, of the last ten seconds
    rate_per_s: float
    attempts: int
    answered: int
    asr: float | None
    pdd_p50_s: float | None
    pdd_p95_s: float | None
    short: float | None
    last_failure: FailureView | None


class CauseRow(msgspec.Struct, frozen=True):
    """How calls of the last hour ended that nobody answered, and how many.

    `known` False: no rule knows such an end. `said`: what the codes mean.
    """

    server: str
    trunk: str
    sip: int | None
    q850: int | None
    rang: bool
    media: bool
    timeout: bool
    outcome: str
    label: SaidView
    known: bool
    rule: str
    count: int
    said: SaidView
    newest: tuple[str, ...] = ()  # attempts


class TelephonyView(msgspec.Struct, frozen=True):
    """The engineer's present. `calls` and `unknown` count the last hour's."""

    at: datetime
    simulated: bool
    servers: tuple[ServerView, ...]
    trunks: tuple[TrunkView, ...]
    causes: tuple[CauseRow, ...]
    calls: int
    unknown: int


class TimelineRow(msgspec.Struct, frozen=True):
    """A line of a call's timeline; `ms` since its sending, negative before it."""

    at: datetime
    ms: int | None
    source: str  # "pacing", "engine", "switch" or "agent"
    what: str
    said: SaidView
    detail: str


class CallView(msgspec.Struct, frozen=True):
    """One call from the decision that launched it to the disposition: no name, no number.

    `live`: it is not over. `traced`: the switch's events and our orders are among the rows. `dropped`: entries that
    the trace had no room for.
    """

    attempt_id: str
    campaign_id: str
    live: bool
    outcome: str
    label: SaidView
    traced: bool
    dropped: int
    rows: tuple[TimelineRow, ...]
