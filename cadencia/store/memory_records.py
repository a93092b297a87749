"""The records of the store in memory: plain, mutable, with slots, so that a long run stays lean."""

from __future__ import annotations

import heapq
from bisect import bisect_right
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import IntEnum
from typing import Any

from cadencia.compliance.evidence import Chain, SignedRoot
from cadencia.compliance.evidence_events import Ref
from cadencia.domain.agents import Agent, AgentState
from cadencia.domain.codes import ABANDONED, ANSWERED, DISPOSITIONS, NOT_DISPOSED, Denial, Outcome
from cadencia.domain.dialing import AttemptState, Campaign, CampaignCounts, DayCount, Next, Prior
from cadencia.domain.law import Channel, Consent, Exclusion, Preference, Purpose, Reach
from cadencia.domain.people import DebtorFile, Obligation, PastContact, Phone
from cadencia.store.batch import HISTORY, NEVER
from cadencia.store.evidence_port import Hold, KeptRow

#: Contacts older than this matter to no rule.
KEPT = timedelta(days=400)

#: So many instants from which counts were asked are kept up to date; the one asked longest ago makes room.
WINDOWS = 8


class ItemState(IntEnum):
    """Where a list item stands."""

    DUE = 0
    OUT = 1  # an attempt on it is open
    AWAITING = 2  # the agent has not chosen a disposition yet
    CLOSED = 3
    DENIED = 4  # closed by the judge; an import that brings something new opens it again


@dataclass(slots=True, eq=False)
class TouchRecord:
    """A line of the contact ledger."""

    id: str
    at: datetime
    channel: Channel
    purpose: Purpose
    reach: Reach
    code: str
    phone_id: int | None
    debts: frozenset[int]
    inbound: bool = False
    sent: bool = True
    ended_at: datetime | None = None
    lease: dict[str, Any] = field(default_factory=dict)  # what the re-check is told of it
    other: bool = False  # no call of the dialer's


def lease_told(basis: dict[str, Any]) -> dict[str, Any]:
    """What of a lease the re-check is told."""
    facts = {"ring_s": basis.get("facts", {}).get("ring_s", 0.0)}
    return {"profiles": basis.get("profiles", ()), "limits": basis.get("limits", {}), "facts": facts}


@dataclass(slots=True, eq=False)
class PersonRecord:
    id: int
    doc_type: str
    doc_number: str
    name: str
    city: str
    language: str
    timezone: str
    other_zones: tuple[str, ...] = ()
    contract_signed_at: datetime | None = None
    standing: int = 0
    consents: list[Consent] = field(default_factory=list)
    preferences: list[Preference] = field(default_factory=list)
    exclusions: list[Exclusion] = field(default_factory=list)
    touches: list[TouchRecord] = field(default_factory=list)  # oldest first
    phones: tuple[Phone, ...] = ()
    obligations: tuple[Obligation, ...] = ()
    open: AttemptRecord | None = None
    history: list[tuple[datetime, str, PastContact]] = field(default_factory=list)  # newest last
    shown: DebtorFile | None = None  # the file as last built; None after a change

    def file(self) -> DebtorFile:
        """The debtor's file, built anew only after a change."""
        if self.shown is None:
            self.shown = DebtorFile(
                person_id=self.id,
                name=self.name,
                doc_type=self.doc_type,
                doc_number=self.doc_number,
                city=self.city,
                language=self.language,
                obligations=self.obligations,
                phones=self.phones,
                history=tuple(line for _, _, line in reversed(self.history)),
            )
        return self.shown

    def phone(self, phone_id: int) -> Phone | None:
        return next((p for p in self.phones if p.id == phone_id), None)

    def set_phone(self, phone: Phone) -> None:
        self.phones = tuple(phone if p.id == phone.id else p for p in self.phones)
        self.shown = None

    def set_obligation(self, new: Obligation) -> None:
        others = [o for o in self.obligations if o.id != new.id]
        self.obligations = tuple(sorted((*others, new), key=lambda o: (-o.days_past_due, o.id)))
        self.shown = None

    def touch(self, touch: TouchRecord) -> None:
        """Put a contact into the ledger; what is too old for any rule makes room."""
        self.touches = [t for t in self.touches if touch.at - t.at < KEPT]
        self.touches.append(touch)

    def untouch(self, touch_id: str) -> None:
        self.touches = [t for t in self.touches if t.id != touch_id]

    def touched(self, touch_id: str) -> TouchRecord | None:
        return next((t for t in reversed(self.touches) if t.id == touch_id), None)

    def remember(self, at: datetime, attempt_id: str, line: PastContact) -> None:
        """Put a line into the history, or replace the line of the same attempt."""
        known = [i for i, (_, known_id, _) in enumerate(self.history) if known_id == attempt_id]
        if known:
            self.history[known[0]] = (at, attempt_id, line)
        else:
            self.history.append((at, attempt_id, line))
            self.history.sort(key=lambda entry: entry[:2])
            del self.history[:-HISTORY]
        self.shown = None


@dataclass(slots=True, eq=False)
class ItemRecord:
    id: int
    person: PersonRecord
    rank: int  # the smaller, the sooner: minus the days past due
    due_at: datetime
    state: ItemState = ItemState.DUE
    attempts: int = 0
    last_phone_id: int | None = None
    last_attempt_id: str | None = None
    denied: Denial | None = None
    touched_at: datetime | None = None


@dataclass(slots=True, eq=False)
class AttemptRecord:
    id: str
    campaign: CampaignRecord
    item: ItemRecord
    phone_id: int
    standing: int
    leased_at: datetime
    prior: int
    state: AttemptState = AttemptState.LEASED
    sending_at: datetime | None = None
    server: str = ""
    agent_id: str | None = None
    answered_at: datetime | None = None
    connected_at: datetime | None = None
    ended_at: datetime | None = None
    outcome: Outcome | None = None
    disposition: str | None = None
    next: Next | None = None  # what the disposition wants of the list item
    note: str = ""
    live: bool = False
    connected: bool = False
    answer: frozenset[str] = frozenset()  # as what its answer is counted in the day's numbers

    def line(self) -> PastContact:
        return PastContact(
            at=self.ended_at or self.leased_at,
            outcome=str(self.outcome),
            disposition=self.disposition,
            agent_id=self.agent_id,
            note=self.note,
        )


@dataclass(slots=True, eq=False)
class AgentRecord:
    agent: Agent
    state: AgentState = AgentState.OUT
    since: datetime = NEVER
    reason: str = ""
    attempt_id: str | None = None


Entry = tuple[int, datetime, int, ItemRecord]


@dataclass(slots=True, eq=False)
class CampaignRecord:
    """A campaign, its list as two heaps, and its numbers kept as they change.

    Attributes:
        ready: heap of what is due, best first. An entry whose item moved on meanwhile is stale and is dropped when it
            comes up.
        later: heap of what is due later, by time.
        by_instant: the numbers of the attempts leased at each instant, from which any `since` can be answered.
        windows: the numbers since the instants that were asked for, kept up to date.
        by_minute: what became of the calls answered in each minute, from which any zone's days can be answered.
        priors: by list and hour.
    """

    campaign: Campaign
    items: dict[int, ItemRecord] = field(default_factory=dict)  # by person
    ready: list[Entry] = field(default_factory=list)
    later: list[tuple[datetime, int, ItemRecord]] = field(default_factory=list)
    closed: int = 0
    totals: Counter[str] = field(default_factory=Counter)
    by_instant: dict[datetime, Counter[str]] = field(default_factory=dict)
    windows: dict[datetime, Counter[str]] = field(default_factory=dict)
    by_minute: dict[datetime, Counter[str]] = field(default_factory=dict)
    priors: dict[tuple[str, int], Prior] = field(default_factory=dict)

    # -- the list -----------------------------------------------------------------------------------------------------
    def put(self, item: ItemRecord, due_at: datetime) -> None:
        """The item is due at that instant."""
        self._set_state(item, ItemState.DUE)
        item.due_at = due_at
        heapq.heappush(self.later, (due_at, item.id, item))

    def push_ready(self, item: ItemRecord) -> None:
        heapq.heappush(self.ready, (item.rank, item.due_at, item.id, item))

    def take_off(self, item: ItemRecord, state: ItemState) -> None:
        """The item leaves the queue."""
        self._set_state(item, state)

    def follow(self, item: ItemRecord, then: Next) -> None:
        """Due again, or closed."""
        if then.due_at is None:
            self.take_off(item, ItemState.CLOSED)
        else:
            self.put(item, then.due_at)

    def ripen(self, now: datetime) -> None:
        """What has become due moves to the ready heap."""
        later = self.later
        while later and later[0][0] <= now:
            due_at, _, item = heapq.heappop(later)
            if item.state is ItemState.DUE and item.due_at == due_at:
                self.push_ready(item)

    def pop(self, now: datetime) -> ItemRecord | None:
        """The best item that is due, or None."""
        while self.ready:
            rank, due_at, _, item = heapq.heappop(self.ready)
            if item.state is not ItemState.DUE or item.due_at != due_at or item.rank != rank:
                continue
            if due_at <= now:
                return item
            heapq.heappush(self.later, (due_at, item.id, item))  # the clock went back
        return None

    def _set_state(self, item: ItemRecord, state: ItemState) -> None:
        self.closed += (state >= ItemState.CLOSED) - (item.state >= ItemState.CLOSED)
        item.state = state

    # -- the numbers --------------------------------------------------------------------------------------------------
    def tally(self, at: datetime, key: str, by: int) -> None:
        """Change one number of what began at that instant."""
        self.totals[key] += by
        bucket = self.by_instant.get(at)
        if bucket is None:
            bucket = self.by_instant[at] = Counter()
        bucket[key] += by
        for since, window in self.windows.items():
            if at >= since:
                window[key] += by

    def touch(self, item: ItemRecord, at: datetime) -> None:
        """An attempt on the item reached `sending`."""
        before = item.touched_at
        self.totals["touched"] += before is None
        for since, window in self.windows.items():
            window["touched"] += at >= since and (before is None or before < since)
        if before is None or before < at:
            item.touched_at = at

    def recount(self, attempt: AttemptRecord) -> None:
        """Bring `live` and `connected` up to date after a change of the attempt."""
        outcome = attempt.outcome
        leaf = DISPOSITIONS.get(attempt.disposition or "")
        machine = outcome is Outcome.MACHINE or (leaf is not None and leaf.machine)
        live = (attempt.answered_at is not None or outcome in ANSWERED) and not machine
        if live is not attempt.live:
            attempt.live = live
            self.tally(attempt.leased_at, "live", 1 if live else -1)
        connected = attempt.connected_at is not None if outcome is None else outcome in _IN_TALK
        if connected is not attempt.connected:
            attempt.connected = connected
            self.tally(attempt.leased_at, "connected", 1 if connected else -1)
        if attempt.answered_at is not None:
            self._count_answer(attempt, attempt.answered_at, machine)

    def _count_answer(self, attempt: AttemptRecord, at: datetime, machine: bool) -> None:
        outcome, disposition = attempt.outcome, attempt.disposition
        leaf = DISPOSITIONS.get(disposition or "")
        talked = attempt.connected_at is not None and (outcome is None or outcome in _IN_TALK)
        now = {
            "answers": not machine,
            "abandoned": outcome in ABANDONED,
            "machines": leaf is not None and leaf.machine,
            "unjudged": talked and disposition in (None, NOT_DISPOSED),
        }
        counted = frozenset(name for name, yes in now.items() if yes)
        if counted != attempt.answer:
            minute = self.by_minute.setdefault(at.replace(second=0, microsecond=0), Counter())
            minute.update(counted - attempt.answer)
            minute.subtract(attempt.answer - counted)
            attempt.answer = counted

    def days(self, starts: Sequence[datetime]) -> tuple[DayCount, ...]:
        days: list[Counter[str]] = [Counter() for _ in starts]
        for minute, bucket in self.by_minute.items():
            n = bisect_right(starts, minute) - 1
            if n >= 0:
                days[n].update(bucket)
        return tuple(
            DayCount(start.date(), d["answers"], d["abandoned"], d["machines"], d["unjudged"])
            for start, d in zip(starts, days, strict=True)
        )

    def counts(self, since: datetime | None) -> CampaignCounts:
        seen = self.totals if since is None else self._window(since)
        return CampaignCounts(
            attempts=seen["attempts"],
            answered_live=seen["live"],
            connected=seen["connected"],
            abandoned=sum(seen[f"o:{o}"] for o in ABANDONED),
            contacts=len(self.items),
            contacts_touched=seen["touched"],
            contacts_closed=self.closed,
            outcomes={k[2:]: n for k, n in sorted(seen.items()) if n and k.startswith("o:")},
            denied={k[2:]: n for k, n in sorted(seen.items()) if n and k.startswith("d:")},
            unaccounted=seen["sending"],
        )

    def _window(self, since: datetime) -> Counter[str]:
        window = self.windows.pop(since, None)
        if window is None:
            window = Counter()
            for at, bucket in self.by_instant.items():
                if at >= since:
                    window.update(bucket)
            window["touched"] = sum(i.touched_at is not None and i.touched_at >= since for i in self.items.values())
            while len(self.windows) >= WINDOWS:
                del self.windows[next(iter(self.windows))]
        self.windows[since] = window
        return window


_IN_TALK = frozenset({Outcome.CONNECTED, Outcome.DROPPED})


@dataclass(slots=True, eq=False)
class ChainRecord:
    """A chain of evidence with its rows."""

    chain: Chain
    root: SignedRoot
    rows: list[KeptRow] = field(default_factory=list)
    closed_at: datetime | None = None
    dropped: bool = False


@dataclass(slots=True, eq=False)
class EvidenceRecord:
    """What is sealed.

    Attributes:
        chains: by engine, oldest first.
        contacts: whose each list item is, as far as somebody asked.
        holds: that stand, by person.
    """

    chains: dict[str, list[ChainRecord]] = field(default_factory=dict)
    surrogates: dict[Ref, str] = field(default_factory=dict)
    sealed_through: int = 0
    contacts: dict[int, int] = field(default_factory=dict)
    holds: dict[int, Hold] = field(default_factory=dict)
    erased: set[int] = field(default_factory=set)
