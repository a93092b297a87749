"""Why a contact may be called now, or not, and when; and the same of a whole list.

Asks the very judge that the engine asks, so that what is explained is what would be done.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from cadencia.compliance.hours import BOGOTA, day_start
from cadencia.compliance.judge import Judge, situation
from cadencia.compliance.rules import PIPELINE, Ask, Held
from cadencia.domain.codes import Denial
from cadencia.domain.dialing import CampaignSettings, ContactFacts
from cadencia.domain.law import Allow, Channel, Deny, Facts, Touch, Verdict
from cadencia.domain.people import Phone
from cadencia.errors import Words

#: What opens a no that time alone does not open, by its code.
_NEEDED: dict[Denial, Words] = {
    Denial.PROFILE: Words("a legal profile in force for the campaign", "un perfil legal vigente para la campaña"),
    Denial.PURPOSE: Words("a profile that allows the purpose", "un perfil que permita la finalidad"),
    Denial.CHANNEL: Words("a profile that allows the channel", "un perfil que permita el canal"),
    Denial.NO_DATA: Words("the missing data", "los datos que faltan"),
    Denial.BLOCKED: Words("the block being lifted", "que se levante el bloqueo"),
    Denial.REFERENCE: Words("a part in the debt, other than as a reference", "que tenga parte en la deuda"),
    Denial.PAID: Words("something overdue", "que vuelva a haber algo vencido"),
    Denial.EXCLUDED: Words("being taken off the list of the excluded", "que salga de la lista de excluidos"),
    Denial.REGISTER: Words("the register loaded, and the person not on it", "el registro cargado, y no estar en él"),
    Denial.CONSENT: Words("an authorisation of the channel", "una autorización del canal"),
    Denial.NO_PHONE: Words("a number that may be used", "un teléfono que se pueda usar"),
    Denial.IN_FLIGHT: Words("the end of the contact under way", "que termine el contacto en curso"),
    Denial.PREFERENCE: Words("another wish of the person about hours", "otra preferencia de horario de la persona"),
}
_OTHER_RULES = Words("other rules in the legal profile", "otras reglas en el perfil legal")


def needed(code: Denial) -> Words:
    """What must change where time alone brings no lawful instant (`retry_at` is None), as a sentence."""
    what = _NEEDED.get(code, _OTHER_RULES)
    return Words(
        f"only a change of the facts can open it: {what}",
        f"solo un cambio de los hechos puede abrirlo: {what.es}",
    )


#: Stands for the outcome of a call that goes on; no rule asks for it.
_ENDED = "-"

_NIGHT = frozenset({Denial.HOURS, Denial.HOLIDAY, Denial.MARGIN})


@dataclass(frozen=True)
class NumberExplained:
    """One telephone of a contact: what stands against calling it now; nothing, and it may be called."""

    phone: Phone | None
    held: tuple[Held, ...]


@dataclass(frozen=True)
class Explained:
    """One contact. `verdict` is the judge's; `numbers` tells all that stands against each telephone, not the first."""

    contact: ContactFacts
    at: datetime
    verdict: Verdict
    numbers: tuple[NumberExplained, ...]


@dataclass
class Census:
    """A whole list at one instant.

    Attributes:
        callable_now: how many may be called now.
        denied: the others, by reason.
        opens: by reason, the first instant at which one of them may be called; missing where time alone brings none.
    """

    at: datetime
    total: int = 0
    callable_now: int = 0
    denied: Counter[Denial] = field(default_factory=Counter)
    opens: dict[Denial, datetime] = field(default_factory=dict)

    def take(self, verdict: Verdict) -> None:
        """Count one contact."""
        self.total += 1
        if isinstance(verdict, Allow):
            self.callable_now += 1
            return
        self.denied[verdict.code] += 1
        if verdict.retry_at is not None:
            self.opens[verdict.code] = min(verdict.retry_at, self.opens.get(verdict.code, verdict.retry_at))


@dataclass
class Rehearsal:
    """A whole list on a day to come, if nothing else happens until then.

    Attributes:
        by_hour: how many may be called first in each local hour.
        denied: who may not be called that day at all, by the reason that stands at the day's opening.
        lawful_s: seconds that day on which calls are lawful, for somebody in Colombia.
    """

    day: date
    total: int = 0
    by_hour: Counter[int] = field(default_factory=Counter)
    denied: Counter[Denial] = field(default_factory=Counter)
    lawful_s: float = 0.0

    @property
    def callable(self) -> int:
        """How many may be called that day."""
        return sum(self.by_hour.values())


def explain(contact: ContactFacts, settings: CampaignSettings, judge: Judge, at: datetime) -> Explained:
    """Why this contact may be called at an instant, or not."""
    known: list[Phone | None] = [*sorted(contact.phones, key=lambda p: (p.position, p.id))]
    phones = known or [None]
    numbers = tuple(NumberExplained(phone, _all_held(contact, phone, settings, judge, at)) for phone in phones)
    return Explained(contact, at, judge.verdict(contact, settings, at), numbers)


def _all_held(
    contact: ContactFacts, phone: Phone | None, settings: CampaignSettings, judge: Judge, at: datetime
) -> tuple[Held, ...]:
    profiles, facts = judge.stack(settings), situation(contact.facts, settings, at)
    plan = profiles.plans[Channel.VOICE, settings.purpose]
    ask = Ask(contact.person, phone, Channel.VOICE, settings.purpose, at, facts, profiles, plan)
    found: list[Held] = []
    for rule in PIPELINE:
        held = rule(ask)
        if held is not None:
            found.append(held)
            if held.code is Denial.NO_DATA:
                break  # without a zone no hour can be asked
    return tuple(found)


def _over(facts: Facts) -> Facts:
    """Without calls that are under way now: by the day that is rehearsed they are over, however they end."""

    def ended(touches: tuple[Touch, ...]) -> tuple[Touch, ...]:
        return tuple(t if t.code else replace(t, code=_ENDED) for t in touches)

    return replace(facts, touches=ended(facts.touches), shared=ended(facts.shared), in_flight=False)


def rehearse(
    contacts: Iterable[ContactFacts],
    settings: CampaignSettings,
    judge: Judge,
    into: Rehearsal,
    where: ZoneInfo = BOGOTA,
    now: datetime | None = None,
) -> None:
    """Count contacts into a rehearsal of its day; of today's only what is left of it."""
    begins, ends = day_start(into.day, where), day_start(into.day + timedelta(days=1), where)
    if now is not None:
        begins = max(begins, now)
    opening = judge.opening(settings)
    into.lawful_s = opening.left_s(begins)
    opens = opening.next(begins, timedelta(seconds=settings.ring_s))
    for contact in contacts:
        into.total += 1
        contact = replace(contact, facts=_over(contact.facts))
        first = judge.verdict(contact, settings, begins)
        at = begins if isinstance(first, Allow) else first.retry_at
        if at is not None and at < ends:
            into.by_hour[at.astimezone(where).hour] += 1
            continue
        # What keeps the person from being called is what stands when all others may be, not the night before.
        if isinstance(first, Deny) and first.code in _NIGHT and opens is not None and opens < ends:
            then = judge.verdict(contact, settings, opens)
            first = then if isinstance(then, Deny) else first
        if isinstance(first, Deny):
            into.denied[first.code] += 1
