"""The store in memory: versions of legal profiles, and what the gate was asked on a past day."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime

from cadencia.domain.events import Event
from cadencia.domain.law import LookBack
from cadencia.domain.profiles import PROGRAM, Asked, ProfileState, ProfileText, ProfileVersion
from cadencia.store.asof import Recorded, as_of
from cadencia.store.memory_ledger import MemoryLedger
from cadencia.store.memory_records import CampaignRecord, ItemState
from cadencia.store.refusals import (
    no_profile_version,
    no_reason,
    profile_decided,
    profile_not_newer,
    profile_overtaken,
    profile_own_proposal,
)


class MemoryProfiles(MemoryLedger):
    """The part of the port about legal profiles."""

    async def adopt_profiles(self, texts: Sequence[ProfileText], now: datetime) -> int:
        kept = self._data.profiles
        first, new = not kept, 0
        for text in sorted(texts, key=lambda text: text.id):
            if text.version <= max((v for i, v in kept if i == text.id), default=0):
                continue
            state = ProfileState.ACTIVE if first else ProfileState.PROPOSED
            decided = (PROGRAM, now) if first else ("", None)
            kept[text.id, text.version] = ProfileVersion(text, state, PROGRAM, now, "", *decided)
            self._tell(text, "shipped" if first else "proposed", PROGRAM, now)
            new += 1
        return new

    async def propose_profile(self, text: ProfileText, by: str, reason: str, now: datetime) -> ProfileVersion:
        kept = self._data.profiles
        newest = max((v for i, v in kept if i == text.id), default=0)
        if text.version <= newest:
            raise profile_not_newer(text.id, text.version, newest)
        if not reason.strip():
            raise no_reason()
        proposed = ProfileVersion(text, ProfileState.PROPOSED, by, now, reason.strip())
        kept[text.id, text.version] = proposed
        self._tell(text, "proposed", by, now)
        return proposed

    async def decide_profile(
        self, profile_id: str, version: int, *, approve: bool, by: str, reason: str, now: datetime
    ) -> ProfileVersion:
        kept = self._data.profiles
        found = kept.get((profile_id, version))
        if found is None:
            raise no_profile_version(profile_id, version)
        if found.state is not ProfileState.PROPOSED:
            raise profile_decided(profile_id, version)
        if approve and found.proposed_by == by:
            raise profile_own_proposal()
        active = next((v for v in kept.values() if v.text.id == profile_id and v.state is ProfileState.ACTIVE), None)
        if approve and active is not None:
            if active.text.version > version:
                raise profile_overtaken(profile_id, version, active.text.version)
            kept[profile_id, active.text.version] = replace(active, state=ProfileState.RETIRED)
            self._tell(active.text, "retired", by, now)
        state = ProfileState.ACTIVE if approve else ProfileState.REJECTED
        decided = replace(found, state=state, decided_by=by, decided_at=now, decision=reason.strip())
        kept[profile_id, version] = decided
        self._tell(found.text, "approved" if approve else "rejected", by, now)
        if approve:
            self._ask_again(now)
        return decided

    def _ask_again(self, now: datetime) -> None:
        """What the gate put off or closed under the rules before is due."""
        for campaign in self._data.campaigns.values():
            for item in campaign.items.values():
                if item.denied is not None and item.state in (ItemState.DUE, ItemState.DENIED):
                    campaign.put(item, min(item.due_at, now) if item.state is ItemState.DUE else now)

    def _tell(self, text: ProfileText, step: str, by: str, now: datetime) -> None:
        body = {"id": text.id, "version": text.version, "sha256": text.sha256, "step": step, "by": by}
        self._log("law.profile", now, body=body)

    async def profiles_in_force(self) -> tuple[ProfileVersion, ...]:
        active = [v for v in self._data.profiles.values() if v.state is ProfileState.ACTIVE]
        return tuple(sorted(active, key=lambda v: v.text.id))

    async def profile_versions(self, profile_id: str = "") -> tuple[ProfileVersion, ...]:
        named = [v for v in self._data.profiles.values() if profile_id in ("", v.text.id)]
        return tuple(sorted(named, key=lambda v: (v.text.id, -v.text.version)))

    # -- what was asked on a past day ---------------------------------------------------------------------------------
    async def asked_count(self, campaign_id: str, start: datetime, end: datetime) -> int:
        return len(self._questions(self._campaign(campaign_id), start, end))

    async def asked(
        self,
        campaign_id: str,
        start: datetime,
        end: datetime,
        look_back: LookBack,
        after: tuple[datetime, int] | None = None,
        limit: int = 200,
    ) -> tuple[Asked, ...]:
        campaign = self._campaign(campaign_id)
        items = {item.id: item for item in campaign.items.values()}
        recorded = self._recorded()
        asked: list[Asked] = []
        for at, contact_id, allowed in self._questions(campaign, start, end):
            if len(asked) == limit:
                break
            if after is None or (at, contact_id) > after:
                contact = self._facts(campaign, items[contact_id], at, look_back)
                asked.append(Asked(at, allowed, as_of(contact, at, look_back, recorded)))
        return tuple(asked)

    def _questions(self, campaign: CampaignRecord, start: datetime, end: datetime) -> list[tuple[datetime, int, bool]]:
        """From the events that are still kept."""
        name = campaign.campaign.id
        of_day = [e for e in self._data.events if e.campaign_id == name and start <= e.at < end]
        back = {e.attempt_id for e in self._data.events if e.kind == "attempt.returned"}
        leased = {(e.at, e.contact_id, True) for e in of_day if e.kind == "attempt.leased" and e.attempt_id not in back}
        denied = {(e.at, e.contact_id, False) for e in of_day if e.kind == "contact.denied" and not e.body.get("again")}
        return sorted((at, contact, allowed) for at, contact, allowed in leased | denied if contact is not None)

    def _recorded(self) -> Recorded:
        consents: dict[int, datetime] = {}
        preferences: dict[int, datetime] = {}
        payments: defaultdict[int, list[tuple[datetime, datetime]]] = defaultdict(list)
        for event in self._told("person.consent", "person.preference", "person.payment"):
            body = event.body
            if event.kind == "person.consent":
                consents[body["consent"]] = event.at
            elif event.kind == "person.preference":
                preferences[body["preference"]] = event.at
            else:
                payments[body["person_id"]].append((datetime.fromisoformat(body["effective"]), event.at))
        return Recorded(consents, preferences, payments)

    def _told(self, *kinds: str) -> Iterable[Event]:
        return (event for event in self._data.events if event.kind in kinds)
