"""The store in memory: leases, milestones, settlements and dispositions."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from cadencia.compliance.reach import reach_of
from cadencia.domain.codes import Denial
from cadencia.domain.dialing import (
    AttemptState,
    CampaignState,
    Claimed,
    ContactFacts,
    Disposed,
    Lease,
    Mark,
    Next,
    OpenAttempt,
    Settlement,
)
from cadencia.domain.law import Allow, Channel, Deny, Reach, Verdict
from cadencia.domain.people import PhoneStatus
from cadencia.errors import Refused, Words
from cadencia.store.batch import DIALLABLE, after_disposition, denial_body, the_phone
from cadencia.store.memory_ledger import MemoryLedger
from cadencia.store.memory_records import AttemptRecord, CampaignRecord, ItemRecord, ItemState, TouchRecord, lease_told
from cadencia.store.port import Claim
from cadencia.store.refusals import no_attempt, of_another_agent

_Judged = tuple[ItemRecord, ContactFacts, Verdict]


class MemoryDialing(MemoryLedger):
    """The dialling part of the port."""

    async def claim(self, claim: Claim) -> Claimed:
        self._check(claim.token)
        campaign = self._data.campaigns.get(claim.campaign_id)
        if campaign is None:
            return Claimed(())
        judged = self._judge(campaign, claim)
        leases: list[Lease] = []
        denied: Counter[Denial] = Counter()
        closed = 0
        for item, facts, verdict in judged:
            if isinstance(verdict, Deny):
                denied[verdict.code] += 1
                closed += verdict.retry_at is None
                self._deny(campaign, item, verdict, claim.now)
            elif facts.facts.in_flight:
                campaign.push_ready(item)  # never two open attempts on one person, whatever the judge says
            else:
                leases.append(self._lease(campaign, item, facts, verdict, claim))
        return Claimed(tuple(leases), dict(denied), closed)

    def _judge(self, campaign: CampaignRecord, claim: Claim) -> list[_Judged]:
        """Ask about candidates, best first, until enough may be dialled; nothing is changed."""
        judged: list[_Judged] = []
        seen: set[int] = set()
        given: set[str] = set()  # numbers
        passed: list[ItemRecord] = []  # whose number was given to another
        wanted = claim.limit
        campaign.ripen(claim.now)
        try:
            while wanted > 0 and len(seen) < claim.scan:
                item = campaign.pop(claim.now)
                if item is None:
                    break
                if item.id in seen:
                    continue
                seen.add(item.id)
                if claim.look_back.phones and any(phone.e164 in given for phone in item.person.phones):
                    passed.append(item)
                    continue
                facts = self._facts(campaign, item, claim.now, claim.look_back)
                judged.append((item, facts, Deny(Denial.NO_DATA, None)))
                verdict = claim.judge(facts)
                judged[-1] = (item, facts, verdict)
                if isinstance(verdict, Allow) and not facts.facts.in_flight:
                    given.add(the_phone(verdict).e164)
                    wanted -= 1
        except BaseException:
            passed += [item for item, _, _ in judged]
            raise
        finally:
            for item in passed:
                campaign.push_ready(item)
        return judged

    def _deny(self, campaign: CampaignRecord, item: ItemRecord, verdict: Deny, now: datetime) -> None:
        if verdict.retry_at is None:
            campaign.take_off(item, ItemState.DENIED)
        else:
            campaign.put(item, verdict.retry_at)
        campaign.tally(now, f"d:{verdict.code}", 1)
        body = denial_body(verdict, item.denied)
        item.denied = verdict.code
        self._log("contact.denied", now, campaign_id=campaign.campaign.id, contact_id=item.id, body=body)

    def _lease(
        self, campaign: CampaignRecord, item: ItemRecord, facts: ContactFacts, verdict: Allow, claim: Claim
    ) -> Lease:
        person, phone = item.person, the_phone(verdict)
        attempt = AttemptRecord(claim.new_id(), campaign, item, phone.id, person.standing, claim.now, item.attempts)
        campaign.take_off(item, ItemState.OUT)
        item.denied = None
        person.open = attempt
        debts = facts.person.debts
        person.touch(
            TouchRecord(
                attempt.id,
                claim.now,
                Channel.VOICE,
                claim.purpose,
                Reach.ATTEMPT,
                "",
                phone.id,
                debts,
                sent=False,
                lease=lease_told(verdict.basis),
            )
        )
        self._data.attempts[attempt.id] = self._data.open[attempt.id] = attempt
        self._log("attempt.leased", claim.now, attempt=attempt, body=verdict.basis)
        return Lease(attempt.id, campaign.campaign.id, item.id, phone, facts, person.file(), claim.now)

    async def mark_sending(
        self, attempt_ids: Sequence[str], token: int, now: datetime, server: str = ""
    ) -> frozenset[str]:
        self._check(token)
        return frozenset(i for i in attempt_ids if self._send(self._data.open.get(i), now, server))

    def _send(self, attempt: AttemptRecord | None, now: datetime, server: str) -> bool:
        if attempt is None or attempt.state is not AttemptState.LEASED:
            return False
        campaign, item = attempt.campaign, attempt.item
        phone = item.person.phone(attempt.phone_id)
        if campaign.campaign.state is not CampaignState.RUNNING or item.person.standing != attempt.standing:
            return False
        if phone is None or phone.status not in DIALLABLE:
            return False
        attempt.state, attempt.server, attempt.sending_at = AttemptState.SENDING, server, now
        self._data.sent.append(attempt)
        touch = item.person.touched(attempt.id)
        if touch is not None:
            touch.at, touch.sent = now, True
        item.attempts += 1
        item.last_phone_id, item.last_attempt_id = phone.id, attempt.id
        campaign.touch(item, attempt.leased_at)
        campaign.tally(attempt.leased_at, "attempts", 1)
        campaign.tally(attempt.leased_at, "sending", 1)
        self._log("attempt.sending", now, attempt=attempt, body={"server": server})
        return True

    async def overtaken(self, attempt_ids: Sequence[str]) -> frozenset[str]:
        known = {i: a for i in attempt_ids if (a := self._data.open.get(i)) is not None}
        return frozenset(i for i, attempt in known.items() if attempt.item.person.standing != attempt.standing)

    async def give_back(
        self, attempt_ids: Sequence[str], token: int, reason: str, now: datetime, due_at: datetime | None = None
    ) -> None:
        self._check(token)
        for attempt_id in attempt_ids:
            attempt = self._data.open.get(attempt_id)
            if attempt is None or attempt.state is not AttemptState.LEASED:
                continue
            del self._data.open[attempt_id], self._data.attempts[attempt_id]
            attempt.item.person.open = None
            attempt.item.person.untouch(attempt_id)
            attempt.campaign.put(attempt.item, due_at or now)
            self._log("attempt.returned", now, attempt=attempt, body={"reason": reason})

    async def mark(self, marks: Sequence[Mark]) -> None:
        for mark in marks:
            attempt = self._data.open.get(mark.attempt_id)
            if attempt is not None and attempt.state is AttemptState.SENDING:
                self._mark(attempt, mark.milestone, mark.at, mark.agent_id)
                attempt.campaign.recount(attempt)

    def _mark(self, attempt: AttemptRecord, milestone: str, at: datetime, agent_id: str | None) -> None:
        if milestone == "answered" and attempt.answered_at is None:
            attempt.answered_at = at
        elif milestone == "connected" and attempt.connected_at is None:
            attempt.connected_at = at
            attempt.agent_id = agent_id or attempt.agent_id
        else:
            return
        self._log(f"attempt.{milestone}", at, attempt=attempt)

    async def settle(self, settlements: Sequence[Settlement], token: int) -> None:
        self._check(token)
        for settlement in settlements:
            attempt = self._data.open.get(settlement.attempt_id)
            if attempt is not None and attempt.state is AttemptState.SENDING:
                self._settle(attempt, settlement)

    def _settle(self, attempt: AttemptRecord, s: Settlement) -> None:
        person, item = attempt.item.person, attempt.item
        attempt.agent_id = s.agent_id or attempt.agent_id
        if s.answered_at is not None:
            self._mark(attempt, "answered", s.answered_at, None)
        if s.connected_at is not None:
            self._mark(attempt, "connected", s.connected_at, None)
        attempt.outcome, attempt.ended_at = s.outcome, s.ended_at
        self._end(attempt, s.outcome)
        attempt.campaign.recount(attempt)
        if not s.charged:
            item.attempts = max(0, item.attempts - 1)
        self._reached(attempt, s.charged)
        if s.kill_phone:
            self._kill(attempt, PhoneStatus.DEAD)
        person.remember(s.ended_at, attempt.id, attempt.line())
        then = attempt.next or s.next  # what the agent chose while the call still went on comes first
        if then is not None:
            attempt.campaign.follow(item, then)
        else:
            attempt.campaign.take_off(item, ItemState.AWAITING)
            self._data.attempts[attempt.id] = self._data.awaiting[attempt.id] = attempt
        body = {
            "outcome": str(s.outcome),
            "charged": s.charged,
            "cause": s.cause,
            "tech_cause": s.tech_cause,
            "talk_s": s.talk_s,
        }
        self._log("attempt.settled", s.ended_at, attempt=attempt, body=body)

    def _reached(self, attempt: AttemptRecord, charged: bool) -> None:
        """How far the contact got; one that counts as none goes."""
        person = attempt.item.person
        touch = person.touched(attempt.id)
        if not charged:
            person.untouch(attempt.id)
        elif touch is not None:
            touch.reach = reach_of(attempt.outcome, attempt.disposition, attempt.answered_at, attempt.connected_at)
            touch.code = attempt.disposition or str(attempt.outcome or "")
            touch.ended_at = attempt.ended_at

    def _kill(self, attempt: AttemptRecord, status: PhoneStatus) -> None:
        phone = attempt.item.person.phone(attempt.phone_id)
        if phone is not None and phone.status in DIALLABLE:
            attempt.item.person.set_phone(replace(phone, status=status))

    async def dispose(self, disposed: Disposed) -> None:
        attempt = self._data.attempts.get(disposed.attempt_id)
        if attempt is None or attempt.state is AttemptState.LEASED:
            raise no_attempt()
        if attempt.agent_id is None and attempt.state is AttemptState.SENDING:
            attempt.agent_id = disposed.agent_id
        if attempt.agent_id != disposed.agent_id:
            raise of_another_agent()
        attempt.disposition, attempt.note, attempt.next = disposed.code, disposed.note, disposed.next
        attempt.campaign.recount(attempt)
        if disposed.kill_phone:
            self._kill(attempt, PhoneStatus.WRONG)
        self._reached(attempt, charged=True)
        if attempt.state is AttemptState.SETTLED:
            self._after_talk(attempt, disposed.next)
        promise = disposed.promise
        body = {
            "code": disposed.code,
            "promise_minor": promise.amount.minor if promise else None,
            "currency": promise.amount.currency if promise else None,
            "promise_due": promise.due if promise else None,
        }
        self._write(after_disposition(disposed, attempt.item.person.id), disposed.agent_id, disposed.at)
        self._log("attempt.disposed", disposed.at, attempt=attempt, body=body)

    def _after_talk(self, attempt: AttemptRecord, then: Next) -> None:
        """The disposition decides over the list item, unless a newer attempt on it has begun."""
        self._data.awaiting.pop(attempt.id, None)
        item, person = attempt.item, attempt.item.person
        if any(known == attempt.id for _, known, _ in person.history):
            person.remember(attempt.ended_at or attempt.leased_at, attempt.id, attempt.line())
        if self._free_of(item, attempt):
            attempt.campaign.follow(item, then)

    async def open_attempts(self) -> tuple[OpenAttempt, ...]:
        return tuple(_open(a) for a in sorted(self._data.open.values(), key=_by_age))

    async def awaiting_disposition(self) -> tuple[OpenAttempt, ...]:
        return tuple(_open(a) for a in sorted(self._data.awaiting.values(), key=_by_age))


def _by_age(attempt: AttemptRecord) -> tuple[datetime, str]:
    return attempt.leased_at, attempt.id


def _open(attempt: AttemptRecord) -> OpenAttempt:
    person = attempt.item.person
    phone = person.phone(attempt.phone_id)
    if phone is None:
        raise Refused(Words("The attempt's phone is gone.", "El teléfono del intento ya no está."))
    return OpenAttempt(
        attempt_id=attempt.id,
        campaign_id=attempt.campaign.campaign.id,
        contact_id=attempt.item.id,
        person_id=person.id,
        state=attempt.state,
        phone=phone,
        agent_id=attempt.agent_id,
        answered_at=attempt.answered_at,
        connected_at=attempt.connected_at,
        leased_at=attempt.leased_at,
        attempts=attempt.prior,
        file=person.file(),
        server=attempt.server,
    )
