"""Each night yesterday's contacts are judged again, by laws that share nothing with the gate that let them pass."""

from __future__ import annotations

import asyncio
from datetime import date, datetime, time, timedelta
from typing import Any

import structlog

from cadencia.compliance.hours import BOGOTA, day_start
from cadencia.dialer.context import Context
from cadencia.domain.events import KINDS, Event
from cadencia.errors import CadenciaError, spoken
from cadencia.recheck import Report, Violation, recheck_all
from cadencia.store.port import Store

log = structlog.get_logger(__name__)

#: From this local time on yesterday is over everywhere we call, and nobody is called in Colombia.
_FROM = time(2)

#: Real seconds between two looks at the clock, and after a store that failed.
_EVERY_S = 60.0

#: Persons read at once, and real seconds between two pages: calls come first.
_PAGE = 50
_BETWEEN_S = 0.05


def span(day: date) -> tuple[datetime, datetime]:
    """A local date's first instant, and the next one's."""
    return day_start(day, BOGOTA), day_start(day + timedelta(days=1), BOGOTA)


async def walk(store: Store, since: datetime, until: datetime) -> Report:
    """Judge every call of a span again, person by person; others work in between. Raises StoreError."""
    whole = Report()
    after = 0
    while page := await store.dossiers(since, until, after, _PAGE):
        for after, dossier in page:  # noqa: B007  the last one is where the next page begins
            part = recheck_all([dossier], since, until)
            whole.persons += part.persons
            whole.contacts += part.contacts
            whole.raced += part.raced
            whole.by_rule.update(part.by_rule)
            whole.first.extend(part.first[: 20 - len(whole.first)])
            await asyncio.sleep(0)
        await asyncio.sleep(_BETWEEN_S)
    return whole


class Nightly:
    """Walks yesterday once, after two in the morning; a store that fails is asked again a minute later."""

    def __init__(self, c: Context) -> None:
        self._c = c
        self._done: date | None = None

    async def run(self) -> None:
        """Walk night after night until cancelled, or until another engine leads."""
        while self._c.ledger.leading:
            try:
                await self.look()
            except CadenciaError as error:
                log.warning("law.recheck_put_off", code=error.code)
            except Exception:  # calls go on, whatever is wrong with a dossier
                log.error("law.recheck_failed", exc_info=True)
            await asyncio.sleep(_EVERY_S)

    async def look(self) -> None:
        """Judge yesterday's calls if it is time and nobody did. Raises StoreError."""
        now = self._c.clock.now().astimezone(BOGOTA)
        day = now.date() - timedelta(days=1)
        if now.time() < _FROM or (self._done is not None and self._done >= day):
            return
        if self._done is None:
            self._done = await _last(self._c.store)
            if self._done is not None and self._done >= day:
                return
        report = await walk(self._c.store, *span(day))
        first = [await self._told(found) for found in report.first]
        self._done = day
        self._tell(day, report, first)

    async def _told(self, found: Violation) -> dict[str, Any]:
        """A violation as the log keeps it: the attempt's events name campaign and contact."""
        events = await self._c.store.attempt_events(found.contact)
        return {
            "rule": found.rule,
            "profile": found.profile,
            "at": found.at.isoformat(),
            "attempt": found.contact,
            "campaign": events[0].campaign_id if events else None,
            "contact_id": events[0].contact_id if events else None,
            "es": spoken(found.what, "es"),
            "en": spoken(found.what, "en"),
        }

    def _tell(self, day: date, report: Report, first: list[dict[str, Any]]) -> None:
        body: dict[str, Any] = {
            "day": day.isoformat(),
            "persons": report.persons,
            "contacts": report.contacts,
            "violations": report.violations,
            "by_rule": dict(sorted(report.by_rule.items())),
            "first": first,
        }
        self._c.ledger.append(Event("law.recheck", self._c.clock.now(), body=body, version=KINDS["law.recheck"]))
        self._c.observer.rechecked(day, report.violations)
        for found in report.first:
            told = spoken(found.what, "en")
            log.error("law.violation", rule=found.rule, profile=found.profile, attempt_id=found.contact, what=told)
        tell = log.error if report.violations else log.info
        tell("law.rechecked", **{name: value for name, value in body.items() if name not in ("by_rule", "first")})


async def _last(store: Store) -> date | None:
    """The newest day that was walked."""
    return max((date.fromisoformat(event.body["day"]) for event in await nights(store)), default=None)


async def nights(store: Store, newest: int = 14) -> list[Event]:
    """The results of the last days that were walked (law.recheck), the newest day first. Raises StoreError."""
    after, found = 0, dict[str, Event]()
    while page := await store.events(after, kinds=("law.recheck",)):  # one a night: three years are a page
        after = page[-1].seq
        found |= {event.body["day"]: event for event in page}
    return [found[day] for day in sorted(found, reverse=True)[:newest]]
