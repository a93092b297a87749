"""The store in memory: the twin of the PostgreSQL adapter for simulations, benchmarks and tests.

No method awaits anything between its first and its last change, so each is a transaction by nature. It keeps what the
port can still be asked for and no more: an attempt that ended without an agent leaves its numbers and a line in the
person's history.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import asdict, replace
from datetime import datetime

import msgspec

from cadencia.domain.access import Credential, User, UserRole
from cadencia.domain.agents import Agent, AgentChange, AgentSession
from cadencia.domain.dialing import Campaign, CampaignCounts, CampaignSettings, CampaignState, DayCount, Dialled, Prior
from cadencia.domain.events import Event
from cadencia.domain.law import Channel, Consent
from cadencia.domain.people import DebtorFile, Obligation, ObligationIn, PersonIn, Phone, PhoneStatus, Role
from cadencia.store.batch import changes, first_ring, merged, priority, ring_s
from cadencia.store.memory_contacts import MemoryContacts
from cadencia.store.memory_dialing import MemoryDialing
from cadencia.store.memory_dossiers import MemoryDossiers
from cadencia.store.memory_evidence import MemoryEvidence
from cadencia.store.memory_profiles import MemoryProfiles
from cadencia.store.memory_records import (
    AgentRecord,
    AttemptRecord,
    CampaignRecord,
    ItemRecord,
    ItemState,
    PersonRecord,
)
from cadencia.store.memory_requests import MemoryRequests
from cadencia.store.port import Imported
from cadencia.store.refusals import campaign_taken, no_agent, no_person, no_user

_Owed = dict[tuple[str, str], ObligationIn]


class MemoryStore(MemoryEvidence, MemoryProfiles, MemoryDossiers, MemoryDialing, MemoryContacts, MemoryRequests):
    """A `Store` in memory.

    Args:
        keep_events: how many of the newest events are kept; 0 keeps none, which is fastest.

    Use `another()` for a second store on the same data, as a second process has on the same database.
    """

    def another(self) -> MemoryStore:
        """A second store on the same data."""
        return MemoryStore(data=self._data)

    # -- campaigns ----------------------------------------------------------------------------------------------------
    async def campaigns(self) -> tuple[Campaign, ...]:
        return tuple(self._data.campaigns[i].campaign for i in sorted(self._data.campaigns))

    async def create_campaign(self, campaign: Campaign, by: str) -> None:
        if campaign.id in self._data.campaigns:
            raise campaign_taken(campaign.id)
        self._data.campaigns[campaign.id] = CampaignRecord(campaign)
        body = {"state": str(campaign.state), "by": by, "reason": "created"}
        self._log("campaign.state", campaign.created_at, campaign_id=campaign.id, body=body)

    async def set_campaign(
        self, campaign_id: str, settings: CampaignSettings, by: str, reason: str, now: datetime
    ) -> None:
        record = self._campaign(campaign_id)
        differ = changes(record.campaign.settings, settings)
        record.campaign = replace(record.campaign, settings=settings)
        body = {"by": by, "reason": reason, "changes": differ}
        self._log("campaign.setting", now, campaign_id=campaign_id, body=body)

    async def set_campaign_state(
        self, campaign_id: str, state: CampaignState, by: str, reason: str, now: datetime
    ) -> None:
        record = self._campaign(campaign_id)
        record.campaign = replace(record.campaign, state=state)
        body = {"state": str(state), "by": by, "reason": reason}
        self._log("campaign.state", now, campaign_id=campaign_id, body=body)

    async def counts(self, campaign_id: str, since: datetime | None = None) -> CampaignCounts:
        return self._campaign(campaign_id).counts(since)

    async def days(self, campaign_id: str, starts: Sequence[datetime]) -> tuple[DayCount, ...]:
        return self._campaign(campaign_id).days(starts)

    async def answers(
        self,
        campaign_id: str,
        since: datetime,
        until: datetime,
        after: tuple[datetime, str] | None = None,
        limit: int = 5000,
    ) -> tuple[Dialled, ...]:
        campaign = self._campaign(campaign_id)
        asked = [a for a in self._data.sent if a.campaign is campaign and since <= a.leased_at < until]
        asked.sort(key=_turn)
        page = [a for a in asked if after is None or _turn(a) > after][:limit]
        rung = {e.attempt_id: first_ring(e.body) for e in self._data.events if e.kind == "attempt.traced"}
        return tuple(_answer(a, rung.get(a.id)) for a in page)

    async def save_prior(self, prior: Prior) -> None:
        # As JSON, so that nobody can change what is kept, and tuples come back as lists from this twin too.
        body = msgspec.json.decode(msgspec.json.encode(prior.body))
        priors = self._campaign(prior.campaign_id).priors
        priors[prior.contact_list, prior.hour] = replace(prior, body=body)

    async def load_priors(self, campaign_id: str, contact_list: str) -> tuple[Prior, ...]:
        record = self._data.campaigns.get(campaign_id)
        kept = record.priors if record is not None else {}
        return tuple(kept[key] for key in sorted(kept) if key[0] == contact_list)

    # -- portfolio ----------------------------------------------------------------------------------------------------
    async def import_people(self, campaign_id: str, people: Sequence[PersonIn], now: datetime) -> Imported:
        campaign = self._campaign(campaign_id)
        rows = merged(people)
        latest = {(o.creditor, o.number): o for row in rows for o in row.obligations}
        moved = self._obligations(latest)
        number: Counter[str] = Counter()
        for row in rows:
            person, differs = self._person(row, now)
            phones, owed = self._phones(person, row), self._owe(person, row, latest, moved)
            number.update(persons=differs, phones=phones, obligations=owed)
            worst = priority(row)
            if worst is not None:
                number["contacts"] += self._enlist(campaign, person, -worst, now, bool(differs or phones or owed))
        imported = Imported(number["persons"], number["obligations"], number["phones"], number["contacts"])
        self._log("portfolio.imported", now, campaign_id=campaign_id, body=asdict(imported))
        return imported

    def _person(self, row: PersonIn, now: datetime) -> tuple[PersonRecord, bool]:
        """Insert or update; True if the person is new or different."""
        data = self._data
        key = (row.doc_type, row.doc_number)
        person = data.persons.get(data.person_ids.get(key, 0))
        if person is None:
            person = PersonRecord(data.next_id(), *key, row.name, row.city, row.language, row.timezone)
            person.other_zones, person.contract_signed_at = row.other_zones, row.contract_signed_at
            data.persons[person.id] = person
            data.person_ids[key] = person.id
            self._voice(person, row.voice_consent_at, now)
            return person, True
        signed = row.contract_signed_at or person.contract_signed_at
        told = (row.name, row.city, row.language, row.timezone, row.other_zones, signed)
        before = (person.name, person.city, person.language, person.timezone, person.other_zones)
        differs = told != (*before, person.contract_signed_at)
        person.standing += before[3:] != told[3:5]
        person.name, person.city, person.language, person.timezone, person.other_zones, person.contract_signed_at = told
        person.shown = None
        return person, self._voice(person, row.voice_consent_at, now) or differs

    def _voice(self, person: PersonRecord, given: datetime | None, now: datetime) -> bool:
        """What a file says of calls: authorised since, or not at all; True if that is new."""
        voice = [c for c in person.consents if c.channel in (None, Channel.VOICE)]
        if given is None:
            newest = max(voice, key=lambda c: (c.at, not c.granted), default=None)
            if newest is None or not newest.granted:
                return False
            person.standing += 1
        elif any((c.granted, c.at, c.channel, c.purpose) == (True, given, Channel.VOICE, None) for c in voice):
            return False
        person.consents.append(Consent(self._data.next_id(), given is not None, given or now, Channel.VOICE))
        person.consents.sort(key=lambda c: (c.at, c.id))
        return True

    def _phones(self, person: PersonRecord, row: PersonIn) -> int:
        """Insert or update; how many are new or different. What is known of a number stays known."""
        known = {p.e164: p for p in person.phones}
        changed = 0
        for come in row.phones:
            old = known.get(come.e164)
            number, status = (old.id, old.status) if old else (self._data.next_id(), PhoneStatus.NEW)
            new = Phone(number, come.e164, come.line_type, come.position, status)
            changed += new != old
            if old is None:
                self._data.owners.setdefault(come.e164, []).append(person)
            known[come.e164] = new
        person.phones = tuple(sorted(known.values(), key=lambda p: (p.position, p.id)))
        return changed

    def _obligations(self, latest: _Owed) -> set[int]:
        """Insert or update what is owed, whoever owes it; the ids of what is new or different."""
        data = self._data
        moved: set[int] = set()
        for key, come in latest.items():
            number = data.obligation_ids.get(key)
            if number is None:
                number = data.obligation_ids[key] = data.next_id()
                data.owing[number] = []
                moved.add(number)
            for person in data.owing[number]:
                old = next(o for o in person.obligations if o.id == number)
                new = _obligation(number, come, old.role)
                if new != old:
                    moved.add(number)
                    person.set_obligation(new)
        return moved

    def _owe(self, person: PersonRecord, row: PersonIn, latest: _Owed, moved: set[int]) -> int:
        """Give the person a part in each obligation; in how many of them something is new or different."""
        data = self._data
        changed = 0
        for come in row.obligations:
            key = (come.creditor, come.number)
            number = data.obligation_ids[key]
            old = next((o for o in person.obligations if o.id == number), None)
            if old is None:
                data.owing[number].append(person)
            changed += number in moved or old is None or old.role is not come.role
            person.set_obligation(_obligation(number, latest[key], come.role))
        return changed

    def _enlist(self, campaign: CampaignRecord, person: PersonRecord, rank: int, now: datetime, changed: bool) -> bool:
        item = campaign.items.get(person.id)
        if item is None:
            item = campaign.items[person.id] = ItemRecord(self._data.next_id(), person, rank, now)
            campaign.put(item, now)
            return True
        if item.rank != rank:
            item.rank = rank
            if item.state is ItemState.DUE:
                campaign.put(item, item.due_at)
        if changed and item.state is ItemState.DENIED:
            campaign.put(item, now)
        return False

    async def file(self, person_id: int) -> DebtorFile:
        person = self._data.persons.get(person_id)
        if person is None:
            raise no_person(person_id)
        return person.file()

    # -- agents -------------------------------------------------------------------------------------------------------
    async def save_agent(self, agent: Agent) -> None:
        record = self._data.agents.get(agent.id)
        if record is None:
            self._data.agents[agent.id] = AgentRecord(agent)
        else:
            record.agent = agent

    async def agent_sessions(self) -> tuple[AgentSession, ...]:
        return tuple(
            AgentSession(r.agent, r.state, r.since, r.reason, r.attempt_id)
            for _, r in sorted(self._data.agents.items())
        )

    async def save_agent_changes(self, changes: Sequence[AgentChange]) -> None:
        agents = self._data.agents
        for change in changes:
            if change.agent_id not in agents:
                raise no_agent(change.agent_id)
        for c in changes:
            record = agents[c.agent_id]
            record.state, record.since, record.reason, record.attempt_id = c.state, c.at, c.reason, c.attempt_id
            body = {"state": str(c.state), "reason": c.reason}
            self._log("agent.state", c.at, attempt_id=c.attempt_id, agent_id=c.agent_id, body=body)

    # -- the log ------------------------------------------------------------------------------------------------------
    async def append(self, events: Sequence[Event]) -> None:
        for event in events:
            self._data.seq += 1
            self._data.events.append(replace(event, seq=self._data.seq))

    async def events(self, after: int = 0, limit: int = 1000, kinds: Collection[str] = ()) -> tuple[Event, ...]:
        wanted = frozenset(kinds)
        found: list[Event] = []
        for event in self._data.events:
            if len(found) >= limit:
                break
            if event.seq > after and (not wanted or event.kind in wanted):
                found.append(event)
        return tuple(found)

    async def attempt_events(self, attempt_id: str) -> tuple[Event, ...]:
        return tuple(event for event in self._data.events if event.attempt_id == attempt_id)

    # -- people who sign in -------------------------------------------------------------------------------------------
    async def save_user(
        self, login: str, name: str, role: UserRole, *, agent_id: str | None, password_hash: str, language: str
    ) -> User:
        data = self._data
        known = data.users.get(login)
        user = User(known.id if known else data.next_id(), login, name, role, agent_id, password_hash, language)
        data.users[login] = user
        for key, credential in data.credentials.items():
            if credential.user.id == user.id:
                data.credentials[key] = replace(credential, user=user)
        return user

    async def user(self, login: str) -> User | None:
        return self._data.users.get(login)

    async def add_credential(
        self, kind: str, digest: str, user_id: int, now: datetime, expires_at: datetime | None
    ) -> None:
        data = self._data
        user = next((u for u in data.users.values() if u.id == user_id), None)
        if user is None:
            raise no_user(user_id)
        data.credentials = {k: c for k, c in data.credentials.items() if not _expired(c, now)}
        data.credentials[kind, digest] = Credential(kind, digest, user, now, expires_at)

    async def credential(self, kind: str, digest: str, now: datetime) -> Credential | None:
        found = self._data.credentials.get((kind, digest))
        return None if found is None or _expired(found, now) else found

    async def take_credential(self, kind: str, digest: str, now: datetime) -> Credential | None:
        found = self._data.credentials.pop((kind, digest), None)
        return None if found is None or _expired(found, now) else found

    async def drop_credentials(self, user_id: int, kind: str) -> None:
        data = self._data
        data.credentials = {k: c for k, c in data.credentials.items() if c.user.id != user_id or c.kind != kind}


def _turn(attempt: AttemptRecord) -> tuple[datetime, str]:
    return attempt.leased_at, attempt.id


def _answer(a: AttemptRecord, rung: tuple[str, int] | None) -> Dialled:
    return Dialled(
        a.id,
        a.leased_at,
        a.sending_at or a.leased_at,
        a.answered_at,
        a.connected_at,
        a.ended_at,
        a.outcome,
        a.disposition,
        ring_s(rung, a.answered_at or a.ended_at),
        a.server,
    )


def _obligation(number: int, come: ObligationIn, role: Role) -> Obligation:
    return Obligation(
        number,
        come.number,
        come.creditor,
        come.product,
        come.balance,
        come.overdue,
        come.days_past_due,
        come.due_date,
        role,
    )


def _expired(credential: Credential, now: datetime) -> bool:
    return credential.expires_at is not None and credential.expires_at <= now
