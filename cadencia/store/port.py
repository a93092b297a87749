"""The store port: what the rest of the program may ask of the place where things are kept.

Two adapters answer it, PostgreSQL and memory, and one contract suite holds both to the same behaviour. Every method is
one transaction; an event of `cadencia.domain.events` is written in the transaction of the change it tells. The time
always comes in from the caller's clock. Errors: `StoreError` (unreachable, full: nothing was written), `LeadershipLost`
(the token is not the newest one: nothing was written), `Refused` (what was asked makes no sense in this state).
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Protocol

from cadencia.domain.access import Credential, User, UserRole
from cadencia.domain.agents import Agent, AgentChange, AgentSession
from cadencia.domain.contacts import Became, Inbound, Reserved
from cadencia.domain.dialing import (
    Campaign,
    CampaignCounts,
    CampaignSettings,
    CampaignState,
    Claimed,
    ContactFacts,
    DayCount,
    Dialled,
    Disposed,
    Mark,
    OpenAttempt,
    Prior,
    Settlement,
)
from cadencia.domain.events import Event
from cadencia.domain.law import Channel, LookBack, Purpose, Verdict
from cadencia.domain.ledger import Change
from cadencia.domain.people import DebtorFile, PersonIn
from cadencia.domain.profiles import Asked, ProfileText, ProfileVersion
from cadencia.domain.requests import DataRequest, RequestKind
from cadencia.store.evidence_port import EvidenceStore


@dataclass(frozen=True)
class Imported:
    """What an import changed. `contacts` counts list items that are new in the campaign."""

    persons: int
    obligations: int
    phones: int
    contacts: int


#: Enough for a campaign's own caps.
TEN_DAYS = LookBack(hours=240.0)


@dataclass(frozen=True)
class Claim:
    """Ask for leases.

    Attributes:
        judge: pure; called for each candidate under lock, its verdict is carried out in the same transaction.
        new_id: makes the attempt's id (unique, [a-zA-Z0-9.-] only).
        purpose: what the contacts are for, as the ledger keeps it.
        look_back: which contacts are among the facts.
        scan: at most this many candidates are looked at, so that a list full of denials cannot hold the engine up.
    """

    campaign_id: str
    limit: int
    now: datetime
    token: int
    judge: Callable[[ContactFacts], Verdict]
    new_id: Callable[[], str]
    purpose: Purpose = Purpose.COLLECTION
    look_back: LookBack = TEN_DAYS
    scan: int = 500


@dataclass(frozen=True)
class Reserve:
    """Ask for a contact that something else than the dialer makes.

    Attributes:
        contact_id: of the caller's key (`contact_id_of`).
        campaign_id: whose settings the judge goes by; the person must be on its list.
        judge: pure; asked under the person's lock.
        look_back: which contacts are among the facts.
    """

    contact_id: str
    campaign_id: str
    person_id: int
    channel: Channel
    purpose: Purpose
    judge: Callable[[ContactFacts], Verdict]
    now: datetime
    by: str
    look_back: LookBack = TEN_DAYS


class Store(EvidenceStore, Protocol):
    # -- life ---------------------------------------------------------------------------------------------------------
    async def ping(self) -> None:
        """Raise StoreError if the store cannot be used now."""

    async def close(self) -> None:
        """Give back what is held, the leadership included."""

    async def lead(self, holder: str, now: datetime) -> int:
        """Become the one engine and return the fencing token, larger than any before.

        Held until `close` or until this process dies. Raises StoreError (code CAD-STORE, hint names the holder) while
        another engine leads. Writes engine.led.
        """

    # -- campaigns ----------------------------------------------------------------------------------------------------
    async def campaigns(self) -> tuple[Campaign, ...]:
        """All campaigns, by id."""

    async def create_campaign(self, campaign: Campaign, by: str) -> None:
        """Raises Refused if the id is taken."""

    async def set_campaign(
        self, campaign_id: str, settings: CampaignSettings, by: str, reason: str, now: datetime
    ) -> None:
        """Replace the settings; writes campaign.setting with the differences. Refused if there is no such one."""

    async def set_campaign_state(
        self, campaign_id: str, state: CampaignState, by: str, reason: str, now: datetime
    ) -> None:
        """Writes campaign.state. Raises Refused if there is no such campaign."""

    async def counts(self, campaign_id: str, since: datetime | None = None) -> CampaignCounts:
        """Numbers of a campaign, computed from attempts and events (those begun at or after `since` if given).

        attempts: that reached `sending` and were not given back. answered_live: answered, minus machines (outcome AMD,
        or a disposition whose `machine` is true). abandoned: outcome ABN or ABM. connected: outcome CON or ERR, or
        still in talk with connected_at set. outcomes: settled attempts by code. denied: contact.denied events by code.
        unaccounted: attempts in `sending` (the caller subtracts those it still has on the line).
        """

    async def days(self, campaign_id: str, starts: Sequence[datetime]) -> tuple[DayCount, ...]:
        """What became of a campaign's answers by local day.

        Args:
            starts: the instant each day begins, in order; the last day has no end.

        answers: answered_at lies in the day, minus machines (outcome AMD, or a disposition whose `machine` is true).
        abandoned: of these, outcome ABN or ABM. machines: such a disposition. unjudged: put through (outcome CON or
        ERR, or none yet, with connected_at set) and no disposition, or only the one of a wrap-up that ran out. A
        `DayCount.day` is the date of its start, in the start's own zone; days without answers are there too.
        """

    async def answers(
        self,
        campaign_id: str,
        since: datetime,
        until: datetime,
        after: tuple[datetime, str] | None = None,
        limit: int = 5000,
    ) -> tuple[Dialled, ...]:
        """A page of a campaign's attempts leased in [since, until) that reached `sending`, answered or not.

        By `leased_at`, then id; `after` is these two of the last one of the page before. How long a telephone rang is
        read from attempt.traced: None where there is none. Refused if there is no such campaign. (The twin in memory
        knows as many of the newest attempts as it keeps events.)
        """

    async def save_prior(self, prior: Prior) -> None:
        """Insert, or replace that of the same campaign, list and hour. Refused if there is no such campaign."""

    async def load_priors(self, campaign_id: str, contact_list: str) -> tuple[Prior, ...]:
        """All hours' priors of a list, by hour."""

    # -- portfolio ----------------------------------------------------------------------------------------------------
    async def import_people(self, campaign_id: str, people: Sequence[PersonIn], now: datetime) -> Imported:
        """Insert or update persons, obligations and phones by their natural keys (idempotent), and put each person on
        the campaign's list, due at once, most days past due first. A phone that is WRONG, DEAD or EXCLUDED stays so.
        A reference's row brings no list item.
        """

    async def file(self, person_id: int) -> DebtorFile:
        """Raises Refused if there is no such person."""

    # -- dialling -----------------------------------------------------------------------------------------------------
    async def claim(self, claim: Claim) -> Claimed:
        """Lease up to `limit` contacts that are due, best first: priority, then due time, then id.

        In one transaction, for each candidate that nobody else holds (the person is locked; skip what is locked): read
        the facts, ask the judge, and either write the attempt (state leased, event attempt.leased), reserve the
        contact in the ledger that all counters are computed from, and take the list item off the queue; or write
        contact.denied and set the item's due time to retry_at (close it when None). Two open attempts on one person
        cannot exist, whoever asks. Where contacts with others on the same number count, they are locked too, and whose
        number was given to another in this claim stays due: it is judged by the next.
        Raises LeadershipLost if the token is stale.
        """

    async def mark_sending(
        self, attempt_ids: Sequence[str], token: int, now: datetime, server: str = ""
    ) -> frozenset[str]:
        """leased -> sending, durable on return; event attempt.sending. Returns those that may be dialled.

        `server` is the Asterisk server that will be asked for them: after a crash only that one knows their fate.

        An attempt whose person's standing is another than the lease was judged by (a revocation, an exclusion, a
        payment came in), whose phone is dead meanwhile, or whose campaign is not running, is left leased and not
        returned; the caller gives it back.
        """

    async def overtaken(self, attempt_ids: Sequence[str]) -> frozenset[str]:
        """Which of these open attempts were judged by a standing of their person that has changed since."""

    async def change(self, changes: Sequence[Change], by: str, now: datetime) -> int:
        """Write consents, preferences, exclusions and payments down, all or none; how many were new.

        What was written before is not written again. Every change but a grant moves the person's standing; any change
        makes list items due again that the judge had closed. Writes person.consent, person.preference,
        person.exclusion and person.payment. Refused if there is no such person or obligation.
        """

    async def load_register(self, register: str, numbers: Sequence[str], source: str, by: str, now: datetime) -> int:
        """Put numbers (E.164) on a register and note that it was loaded; how many were new. Writes register.loaded.

        Numbers that the file no longer names stay: a register is taken out of by `LiftIn`.
        """

    # -- contacts that something else makes ---------------------------------------------------------------------------
    async def reserve(self, reserve: Reserve) -> Reserved:
        """Lock the person, read the facts, ask the judge; in the same transaction either write the contact into the
        ledger that all counters are computed from, with contact.reserved, or only contact.refused.

        Under an id that was allowed before: the same answer, and nothing is written. One that was denied is asked anew.
        Whoever is in an open attempt is not contacted, whatever the judge says. Refused if there is no such campaign or
        person, if the person is not on its list, or if the id stands for another contact.
        """

    async def contact_became(self, contact_id: str, became: Became, code: str, by: str, now: datetime) -> None:
        """What became of a contact that was reserved; contact.outcome. How far it got only grows; told twice, once.

        One that was not sent, and of which nothing else was told, leaves the ledger: its id stands for nothing then.
        What the person answers to a message is a contact of its own besides, inbound, from now on. A code that is a
        disposition blocks the person or revokes the channel as an agent's does. Moves the person's standing where it
        got further. Refused if there is no such contact.
        """

    async def take_inbound(self, inbound: Inbound, now: datetime) -> bool:
        """Write a contact down that the person began; contact.inbound, and moves the standing. False if it is there
        already. Refused if there is no such person, or the id stands for another contact.
        """

    # -- requests about one's data ------------------------------------------------------------------------------------
    async def open_request(
        self, person_id: int, kind: RequestKind, received_on: date, due: date, by: str, now: datetime
    ) -> DataRequest:
        """Write a request down; person.request. Refused if there is no such person."""

    async def extend_request(self, request_id: int, due: date, by: str, now: datetime) -> DataRequest:
        """A longer term, once. Refused if it is not open, or was extended before."""

    async def close_request(self, request_id: int, outcome: str, by: str, now: datetime) -> DataRequest:
        """It is answered. Refused if it is not open."""

    async def data_request(self, request_id: int) -> DataRequest:
        """Refused if there is no such one."""

    async def data_requests(self, *, closed: bool = False) -> tuple[DataRequest, ...]:
        """The open ones, the most urgent first; then those that are closed, if asked for."""

    # -- lists as the judge sees them ---------------------------------------------------------------------------------
    async def person_id(self, doc_type: str, doc_number: str) -> int:
        """Refused if there is no such person."""

    async def contacts(
        self, campaign_id: str, now: datetime, look_back: LookBack, after: int = 0, limit: int = 1000
    ) -> tuple[ContactFacts, ...]:
        """A page of a campaign's list as the judge would see it now, by contact id; nothing is locked or changed."""

    async def contacts_of(self, person_id: int, now: datetime, look_back: LookBack) -> tuple[ContactFacts, ...]:
        """A person's items on all lists as the judge would see them."""

    async def contact(self, contact_id: int, now: datetime, look_back: LookBack) -> ContactFacts | None:
        """One list item as the judge would see it; None if there is no such one."""

    async def dossiers(
        self, since: datetime, until: datetime, after: int = 0, limit: int = 1000
    ) -> tuple[tuple[int, dict[str, Any]], ...]:
        """A page of those who were contacted in [since, until), by person id: (id, what `cadencia.recheck` is told).

        Contacts as far back as 35 days before `since`, and as they are written down now; calls to others on the same
        numbers too.
        """

    async def dossier(self, person_id: int, since: datetime) -> dict[str, Any] | None:
        """What the re-check is told of one person, with the contacts since then; None if there is no such person.

        It goes into what the person gets to read, and so it holds nothing of others.
        """

    async def give_back(
        self, attempt_ids: Sequence[str], token: int, reason: str, now: datetime, due_at: datetime | None = None
    ) -> None:
        """Undo leases (state leased only): the reserved contact goes, attempt.returned, and the item is due again at
        `due_at` (at once if None)."""

    async def mark(self, marks: Sequence[Mark]) -> None:
        """Write milestones (attempt.answered, attempt.connected). Repeats and unknown ids are harmless."""

    async def settle(self, settlements: Sequence[Settlement], token: int) -> None:
        """sending -> settled, once: a second settlement of the same attempt changes nothing. attempt.settled."""

    async def dispose(self, disposed: Disposed) -> None:
        """Save an agent's disposition; durable on return; attempt.disposed.

        Raises Refused if there is no such attempt or it is another agent's. A later disposition of the same attempt
        replaces the earlier one (the log keeps both).
        """

    async def open_attempts(self) -> tuple[OpenAttempt, ...]:
        """Attempts in `leased` or `sending`; those that only wait for a disposition are not among them."""

    async def awaiting_disposition(self) -> tuple[OpenAttempt, ...]:
        """Settled attempts whose list item still waits for the agent's disposition."""

    # -- agents -------------------------------------------------------------------------------------------------------
    async def save_agent(self, agent: Agent) -> None:
        """Insert or update."""

    async def agent_sessions(self) -> tuple[AgentSession, ...]:
        """All agents with the last state written down (OUT if none), by id."""

    async def save_agent_changes(self, changes: Sequence[AgentChange]) -> None:
        """Write states, in order; agent.state."""

    # -- the log ------------------------------------------------------------------------------------------------------
    async def append(self, events: Sequence[Event]) -> None:
        """Append events that tell of no other change (for example attempt.file_shown)."""

    async def events(self, after: int = 0, limit: int = 1000, kinds: Collection[str] = ()) -> tuple[Event, ...]:
        """Events with seq > after, in order; all kinds if none is named."""

    async def attempt_events(self, attempt_id: str) -> tuple[Event, ...]:
        """All events of one attempt that are durable, in order; none if nobody knows the attempt."""

    # -- legal profiles -----------------------------------------------------------------------------------------------
    async def adopt_profiles(self, texts: Sequence[ProfileText], now: datetime) -> int:
        """Take up what ships with the program and what a site's folder holds; how many versions were new.

        Where no profile was ever kept they are in force as they are. Later, a version that is newer than all that is
        known of its profile is a proposal by `PROGRAM`. Writes law.profile.
        """

    async def propose_profile(self, text: ProfileText, by: str, reason: str, now: datetime) -> ProfileVersion:
        """Ask for a version; it changes nothing until somebody else approves it. Writes law.profile.

        Refused unless its number is higher than every version of that profile, and there is a reason.
        """

    async def decide_profile(
        self, profile_id: str, version: int, *, approve: bool, by: str, reason: str, now: datetime
    ) -> ProfileVersion:
        """Approve a proposal: it is in force, the one before retires, and what the gate put off or closed is due again;
        or reject it. Writes law.profile.

        Refused if there is no such proposal, if who proposed it would approve it, or if one as new is in force.
        """

    async def profiles_in_force(self) -> tuple[ProfileVersion, ...]:
        """By id."""

    async def profile_versions(self, profile_id: str = "") -> tuple[ProfileVersion, ...]:
        """All versions of a profile, or of all, by id, the newest first."""

    async def asked_count(self, campaign_id: str, start: datetime, end: datetime) -> int:
        """How many entries `asked` gives altogether."""

    async def asked(
        self,
        campaign_id: str,
        start: datetime,
        end: datetime,
        look_back: LookBack,
        after: tuple[datetime, int] | None = None,
        limit: int = 200,
    ) -> tuple[Asked, ...]:
        """What the gate was asked of a campaign's list from `start` up to `end`, by instant and contact: each lease
        that was not given back, and each denial (not the repeated ones), with the facts as of then.

        Args:
            look_back: which contacts are among the facts.
            after: instant and contact of the last entry of the page before.
        """

    # -- people who sign in -------------------------------------------------------------------------------------------
    async def save_user(
        self, login: str, name: str, role: UserRole, *, agent_id: str | None, password_hash: str, language: str
    ) -> User:
        """Insert or update by login."""

    async def user(self, login: str) -> User | None:
        """By login."""

    async def add_credential(
        self, kind: str, digest: str, user_id: int, now: datetime, expires_at: datetime | None
    ) -> None:
        """Keep the SHA-256 of a secret."""

    async def credential(self, kind: str, digest: str, now: datetime) -> Credential | None:
        """None if unknown or expired."""

    async def take_credential(self, kind: str, digest: str, now: datetime) -> Credential | None:
        """Like `credential`, and it is gone: a one-time secret lets in exactly once, also when two come at once."""

    async def drop_credentials(self, user_id: int, kind: str) -> None:
        """End all sessions (or tokens, or one-time secrets) of a user."""
