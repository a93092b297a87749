"""What the parts of the store in memory share."""

from __future__ import annotations

import itertools
from collections import deque
from datetime import datetime
from typing import Any

from cadencia.domain.access import Credential, User
from cadencia.domain.codes import Denial, Outcome
from cadencia.domain.dialing import AttemptState
from cadencia.domain.events import KINDS, Event
from cadencia.domain.law import Exclusion
from cadencia.domain.profiles import ProfileVersion
from cadencia.domain.requests import DataRequest
from cadencia.errors import StoreError, Words
from cadencia.store.memory_records import (
    AgentRecord,
    AttemptRecord,
    CampaignRecord,
    EvidenceRecord,
    ItemRecord,
    ItemState,
    PersonRecord,
    TouchRecord,
)
from cadencia.store.refusals import another_leads, lead_lost, no_campaign


class Data:
    """Everything that is kept. Several stores may stand on one, as several connections stand on one database.

    Attributes:
        attempts: the open ones, and the settled ones that an agent may still dispose of. Of the others only the
            numbers and the last lines of the person's history stay.
        open: the open ones among them.
    """

    def __init__(self, keep_events: int) -> None:
        self.campaigns: dict[str, CampaignRecord] = {}
        self.persons: dict[int, PersonRecord] = {}
        self.person_ids: dict[tuple[str, str], int] = {}
        self.obligation_ids: dict[tuple[str, str], int] = {}
        self.owing: dict[int, list[PersonRecord]] = {}  # who has a part in an obligation
        self.owners: dict[str, list[PersonRecord]] = {}  # who has a number
        self.numbers: dict[str, list[Exclusion]] = {}  # number -> its lines of the ledger, by time
        self.registers: set[str] = set()
        self.payments: dict[tuple[int, str], datetime] = {}  # obligation and reference -> when it was paid
        self.paid_written: dict[int, list[tuple[datetime, bool]]] = {}  # obligation -> when it was told, and clears
        self.written: dict[int, datetime] = {}  # consent or preference -> when it was written down
        self.paid: dict[int, datetime] = {}  # obligation -> its newest payment
        self.attempts: dict[str, AttemptRecord] = {}
        self.open: dict[str, AttemptRecord] = {}
        self.awaiting: dict[str, AttemptRecord] = {}
        self.others: dict[str, tuple[PersonRecord, TouchRecord]] = {}  # contacts that are no calls of the dialer's
        self.refused: dict[str, Denial] = {}  # contact's id -> why it was denied last
        self.agents: dict[str, AgentRecord] = {}
        self.users: dict[str, User] = {}
        self.credentials: dict[tuple[str, str], Credential] = {}
        self.events: deque[Event] = deque(maxlen=keep_events)
        self.sent: deque[AttemptRecord] = deque(maxlen=keep_events)  # the newest attempts that were dialled
        self.evidence = EvidenceRecord()
        self.profiles: dict[tuple[str, int], ProfileVersion] = {}  # legal profiles, by id and version
        self.seq = 0
        self.token = 0
        self.leader: MemoryBase | None = None
        self.leader_name = ""
        self.requests: dict[int, DataRequest] = {}
        self._ids = itertools.count(1)

    def next_id(self) -> int:
        return next(self._ids)


class MemoryBase:
    """Data, events and leadership; no method awaits anything, so each one is a transaction.

    Args:
        keep_events: how many of the newest events are kept; 0 keeps none, which is fastest.
        data: stand on another store's data (see `another`).
    """

    def __init__(self, *, keep_events: int = 10_000, data: Data | None = None) -> None:
        self._data = data or Data(keep_events)
        self._closed = False

    # -- life ---------------------------------------------------------------------------------------------------------
    async def ping(self) -> None:
        if self._closed:
            raise StoreError(Words("The store is closed.", "El almacén está cerrado."))

    async def close(self) -> None:
        self._closed = True
        if self._data.leader is self:
            self._data.leader = None

    async def lead(self, holder: str, now: datetime) -> int:
        data = self._data
        if data.leader not in (None, self):
            raise another_leads(data.leader_name)
        data.leader, data.leader_name = self, holder
        data.token += 1
        self._log("engine.led", now, body={"token": data.token, "holder": holder})
        return data.token

    # -- helpers ------------------------------------------------------------------------------------------------------
    def _check(self, token: int) -> None:
        if token != self._data.token or token <= 0:
            raise lead_lost()

    def _campaign(self, campaign_id: str) -> CampaignRecord:
        record = self._data.campaigns.get(campaign_id)
        if record is None:
            raise no_campaign(campaign_id)
        return record

    def _log(
        self,
        kind: str,
        at: datetime,
        *,
        attempt: AttemptRecord | None = None,
        campaign_id: str | None = None,
        contact_id: int | None = None,
        attempt_id: str | None = None,
        agent_id: str | None = None,
        body: dict[str, Any] | None = None,
    ) -> None:
        data = self._data
        data.seq += 1
        if data.events.maxlen == 0:
            return
        if attempt is not None:
            campaign_id, contact_id = attempt.campaign.campaign.id, attempt.item.id
            attempt_id, agent_id = attempt.id, agent_id or attempt.agent_id
        data.events.append(
            Event(kind, at, campaign_id, contact_id, attempt_id, agent_id, body or {}, KINDS.get(kind, 1), data.seq)
        )

    def _end(self, attempt: AttemptRecord, outcome: Outcome) -> None:
        """The attempt is over: its person may be dialled again, and it is kept only if it may be disposed of."""
        data = self._data
        attempt.state = AttemptState.SETTLED
        attempt.item.person.open = None
        data.open.pop(attempt.id, None)
        campaign = attempt.campaign
        campaign.tally(attempt.leased_at, "sending", -1)
        campaign.tally(attempt.leased_at, f"o:{outcome}", 1)
        if attempt.agent_id is None:
            data.attempts.pop(attempt.id, None)

    def _free_of(self, item: ItemRecord, attempt: AttemptRecord) -> bool:
        """True if nothing newer has happened to the list item than this attempt."""
        return item.last_attempt_id == attempt.id and item.state is not ItemState.OUT
