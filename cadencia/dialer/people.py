"""What is written down about people outside a call, and why they may be called or not."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from functools import reduce
from operator import or_
from typing import Any

from cadencia.compliance.calendar import business_days
from cadencia.compliance.explain import Census, Explained, Rehearsal, explain, needed, rehearse
from cadencia.compliance.hours import BOGOTA, day_start
from cadencia.compliance.judge import Judge
from cadencia.compliance.terms import TERMS, due_on
from cadencia.config.calendars import builtin_calendars
from cadencia.domain.codes import Denial, label
from cadencia.domain.contacts import CODE, Became, Inbound, Reserved, contact_id_of
from cadencia.domain.dialing import Campaign, ContactFacts
from cadencia.domain.events import Event
from cadencia.domain.law import Allow, Calendar, Channel, LookBack, Purpose, Verdict
from cadencia.domain.ledger import Change
from cadencia.domain.requests import DataRequest, RequestKind
from cadencia.errors import Refused, Words
from cadencia.store.port import Reserve, Store
from cadencia.store.refusals import no_campaign, no_code

#: So many contacts are read and judged at a time: by themselves, and where calls need the loop too.
_PAGE, _SMALL_PAGE = 1000, 50
_A_YEAR = timedelta(days=366)


class People:
    """Ledgers and explanations over a store.

    Args:
        judge: the one that the engine asks.
    """

    def __init__(self, store: Store, judge: Judge) -> None:
        self._store, self.judge = store, judge

    async def person_id(self, doc_type: str, doc_number: str) -> int:
        """Refused if there is no such person."""
        return await self._store.person_id(doc_type, doc_number)

    async def record(self, changes: Sequence[Change], by: str, now: datetime) -> int:
        """Write consents, exclusions and payments down, all or none; how many were new.

        A lease that another standing of its person has overtaken is not sent, and a call of it that rings is taken
        back within 250 ms.
        """
        return await self._store.change(changes, by, now)

    async def reserve(
        self,
        person_id: int,
        campaign_id: str,
        channel: Channel,
        purpose: Purpose | None,
        e164: str,
        key: str,
        by: str,
        now: datetime,
    ) -> Reserved:
        """May something else than the dialer contact a person now? A yes is counted at once; the same key asks once.

        Args:
            purpose: the campaign's own if None.
            e164: the number to be used; empty: the judge chooses.

        Raises:
            Refused: no such campaign or person, the person is not on its list, or the key stands for another contact.
        """
        settings = (await self._campaign(campaign_id)).settings
        if purpose is not None:
            settings = replace(settings, purpose=purpose)

        def gate(contact: ContactFacts) -> Verdict:
            return self.judge.elsewhere(contact, settings, channel, e164, now)

        look_back = self.judge.stack(settings).look_back
        asked = Reserve(contact_id_of(key), campaign_id, person_id, channel, settings.purpose, gate, now, by, look_back)
        return await self._store.reserve(asked)

    async def contact_became(self, contact_id: str, became: Became, code: str, by: str, now: datetime) -> None:
        """What became of it; without a code the outcome's own name.

        Refused if nothing was reserved under that id, or if the code is none.
        """
        await self._store.contact_became(contact_id, became, _code(code) or str(became), by, now)

    async def contacted_us(
        self, person_id: int, channel: Channel, purpose: Purpose, code: str, key: str, by: str, now: datetime
    ) -> bool:
        """A person began a contact; False if it was written down before.

        Refused if there is no such person, or if the code is none.
        """
        inbound = Inbound(contact_id_of(key), person_id, channel, purpose, _code(code) or "inbound", by)
        return await self._store.take_inbound(inbound, now)

    async def requests(self) -> tuple[DataRequest, ...]:
        """Requests about one's data that are open, the most urgent first."""
        return await self._store.data_requests()

    async def open_request(
        self, person_id: int, kind: RequestKind, received_on: date | None, by: str, now: datetime
    ) -> DataRequest:
        """Write a request down, received today if no date is given; its term is Colombia's.

        Refused if it was received on a day to come, or more than a year ago.
        """
        today = now.astimezone(BOGOTA).date()
        on = received_on or today
        if not today - _A_YEAR <= on <= today:
            raise _not_within(today - _A_YEAR, today)
        return await self._store.open_request(person_id, kind, on, due_on(kind, on, _calendar()), by, now)

    async def extend_request(self, number: int, by: str, now: datetime) -> DataRequest:
        """The law's extension, once. Refused if it is not open, or was extended before."""
        known = await self._store.data_request(number)
        due = due_on(known.kind, known.received_on, _calendar(), extended=True)
        return await self._store.extend_request(number, due, by, now)

    async def close_request(self, number: int, outcome: str, by: str, now: datetime) -> DataRequest:
        """It is answered. Refused if it is not open."""
        return await self._store.close_request(number, outcome, by, now)

    async def explain(self, contact_id: int, at: datetime, by: str, now: datetime) -> list[Explained]:
        """Why a contact may be called at an instant or not; nothing if there is no such one.

        Args:
            by: who asks, and `now` when: it is written down before it is answered.
        """
        campaigns = await self._campaigns()
        found = await self._store.contact(contact_id, at, self._look_back(campaigns.values()))
        return await self._explained([found] if found is not None else [], campaigns, at, by, now)

    async def explain_person(self, person_id: int, at: datetime, by: str, now: datetime) -> list[Explained]:
        """The same of a person, on each list."""
        campaigns = await self._campaigns()
        found = await self._store.contacts_of(person_id, at, self._look_back(campaigns.values()))
        return await self._explained(found, campaigns, at, by, now)

    async def census(self, campaign_id: str, at: datetime, *, pause_s: float = 0.0) -> Census:
        """A campaign's whole list at an instant, a page at a time. Refused if there is no such campaign.

        Args:
            pause_s: real seconds between two pages, which are then small, for those who have something better to do.
        """
        campaign, counted = await self._campaign(campaign_id), Census(at)
        async for page in self._pages(campaign, at, pause_s):
            for contact in page:
                counted.take(self.judge.verdict(contact, campaign.settings, at))
        return counted

    async def rehearsal(self, campaign_id: str, day: date, now: datetime, *, pause_s: float = 0.0) -> Rehearsal:
        """A campaign's whole list on a day from today on, or on what is left of today; `pause_s` as of the census.

        Raises:
            Refused: no such campaign, or the day is over or more than a year away.
        """
        today = now.astimezone(BOGOTA).date()
        if not today <= day <= today + _A_YEAR:
            raise _not_within(today, today + _A_YEAR)
        campaign, rehearsal = await self._campaign(campaign_id), Rehearsal(day)
        async for page in self._pages(campaign, max(day_start(day, BOGOTA), now), pause_s):
            rehearse(page, campaign.settings, self.judge, rehearsal, now=now)
        return rehearsal

    async def _pages(self, campaign: Campaign, at: datetime, pause_s: float) -> AsyncIterator[Sequence[ContactFacts]]:
        look_back, after, limit = self._look_back([campaign]), 0, _SMALL_PAGE if pause_s else _PAGE
        while page := await self._store.contacts(campaign.id, at, look_back, after, limit):
            yield page
            after = page[-1].contact_id
            await asyncio.sleep(pause_s)

    async def _explained(
        self, found: Sequence[ContactFacts], campaigns: dict[str, Campaign], at: datetime, by: str, now: datetime
    ) -> list[Explained]:
        if found:
            read = {"person_id": found[0].person.id, "by": by, "what": "explain"}
            campaign, contact = (found[0].campaign_id, found[0].contact_id) if len(found) == 1 else (None, None)
            await self._store.append([Event("file.read", now, campaign, contact, body=read)])
        return [explain(c, campaigns[c.campaign_id].settings, self.judge, at) for c in found]

    async def _campaigns(self) -> dict[str, Campaign]:
        return {c.id: c for c in await self._store.campaigns()}

    async def _campaign(self, campaign_id: str) -> Campaign:
        found = (await self._campaigns()).get(campaign_id)
        if found is None:
            raise no_campaign(campaign_id)
        return found

    def _look_back(self, campaigns: Iterable[Campaign]) -> LookBack:
        return reduce(or_, (self.judge.stack(c.settings).look_back for c in campaigns), LookBack())


def _code(told: str) -> str:
    """The code, if it is one."""
    if not re.fullmatch(CODE, told):
        raise no_code()
    return told


def _not_within(first: date, last: date) -> Refused:
    return Refused(
        Words(f"The date must be from {first} to {last}.", f"La fecha debe ser del {first} al {last}."),
        Words("Check day, month and year.", "Revise día, mes y año."),
    )


def _calendar() -> Calendar:
    return builtin_calendars()["co"]


def request_told(r: DataRequest, today: date | None = None) -> dict[str, Any]:
    """One request as JSON; with a local date, the business days that are left of it too, negative when it is late."""
    told = {
        "id": r.id,
        "person_id": r.person_id,
        "kind": str(r.kind),
        "received_on": r.received_on.isoformat(),
        "due": r.due.isoformat(),
        "extended": r.extended,
        "closed_at": _iso(r.closed_at),
        "outcome": r.outcome,
        "law": TERMS[r.kind].citation,
    }
    return told if today is None else {**told, "days_left": business_days(today, r.due, _calendar())}


def reserved_told(answer: Reserved, language: str) -> dict[str, Any]:
    """The answer to who wants to contact a person, as JSON; with the whole number, for it is to be used."""
    verdict = answer.verdict
    told = {"id": answer.contact_id, "allowed": isinstance(verdict, Allow), "at": answer.at.isoformat()}
    if isinstance(verdict, Allow):
        return told | {"phone": verdict.phone.e164 if verdict.phone else None, "repeated": answer.repeated}
    reason, next_at = label(verdict.code, language), _iso(verdict.retry_at)
    return told | {"code": str(verdict.code), "reason": reason, "rule": verdict.rule, "next_at": next_at}


def explained(found: Explained, language: str) -> dict[str, Any]:
    """One contact as JSON."""
    verdict = found.verdict
    told: dict[str, Any] = {
        "contact": found.contact.contact_id,
        "campaign": found.contact.campaign_id,
        "at": found.at.isoformat(),
        "callable": isinstance(verdict, Allow),
        "phone": None,
        "code": None,
        "reason": None,
        "rule": None,
        "next_at": None,
        "needs": None,
    }
    if isinstance(verdict, Allow):
        told["phone"] = _masked(verdict.phone.e164) if verdict.phone else None
    else:
        told |= {"code": str(verdict.code), "reason": label(verdict.code, language), "rule": verdict.rule}
        told |= {"next_at": _iso(verdict.retry_at), "needs": _needs(verdict.code, verdict.retry_at)}
    told["numbers"] = [
        {
            "phone": _masked(n.phone.e164) if n.phone else None,
            "against": [
                {"code": str(h.code), "rule": h.rule, "until": _iso(h.until), "needs": _needs(h.code, h.until)}
                for h in n.held
            ],
        }
        for n in found.numbers
    ]
    return told


def census_told(c: Census, language: str) -> dict[str, Any]:
    """A list as JSON."""
    denied = [
        {
            "code": str(code),
            "reason": label(code, language),
            "contacts": n,
            "opens": _iso(c.opens.get(code)),
            "needs": _needs(code, c.opens.get(code)),
        }
        for code, n in c.denied.most_common()
    ]
    return {"at": c.at.isoformat(), "total": c.total, "callable_now": c.callable_now, "denied": denied}


def rehearsal_told(r: Rehearsal) -> dict[str, Any]:
    """A day to come as JSON; hours are local."""
    return {
        "day": r.day.isoformat(),
        "total": r.total,
        "callable": r.callable,
        "lawful_s": r.lawful_s,
        "first_by_hour": {str(h): n for h, n in sorted(r.by_hour.items())},
        "denied": {str(code): number for code, number in r.denied.most_common()},
    }


def _needs(code: Denial, opens: datetime | None) -> dict[str, str] | None:
    """What opens it instead, in both languages, where time alone does not."""
    words = needed(code)
    return {"es": words.es, "en": str(words)} if opens is None else None


def _iso(at: datetime | None) -> str | None:
    return None if at is None else at.isoformat()


def _masked(number: str) -> str:
    return f"···{number[-4:]}"
