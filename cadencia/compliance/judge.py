"""A campaign's judge: which profiles hold for it, and which of a contact's numbers may be called.

The engine asks it at the lease and at the dial; `cadencia explain`, rehearsals and replays ask the very same.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import NamedTuple

from cadencia.compliance.counting import calling
from cadencia.compliance.gate import basis, decide
from cadencia.compliance.hours import BOGOTA, Opening
from cadencia.compliance.rules import NUMBERED
from cadencia.compliance.stack import Stack, stack
from cadencia.domain.codes import Denial
from cadencia.domain.dialing import CampaignSettings, ContactFacts, Mode
from cadencia.domain.law import (
    Allow,
    Channel,
    Confidence,
    ConsentNeed,
    Deny,
    Facts,
    Limit,
    Party,
    Period,
    Profile,
    Purpose,
    Reach,
    Scope,
    Verdict,
)
from cadencia.domain.people import LineType, Phone, PhoneStatus, Role

_DIALLABLE = frozenset({PhoneStatus.NEW, PhoneStatus.VERIFIED})

#: Denials that another number of the same person may not meet.
_OF_THE_NUMBER = frozenset({Denial.EXCLUDED, Denial.REGISTER, Denial.NO_PHONE, Denial.FREQUENCY})

#: The same where others are called on the person's numbers.
_OF_A_SHARED_NUMBER = _OF_THE_NUMBER | {Denial.IN_FLIGHT, Denial.COOL_OFF, Denial.CHANNEL}

#: The agent and the person agreed on a call: the next one is asked for.
_AGREED = "VLL"

_EVERYBODY = Party(dialable=True, share_debt_info=True)


def house(attempts_per_day: int, attempts_per_week: int) -> Profile:
    """What a campaign's own caps say, beyond the law: attempts per local date, and in any seven of them."""
    per_day = Limit("attempts-per-day", Scope.PERSON, Reach.ATTEMPT, attempts_per_day, Period.LOCAL_DAYS, 1)
    per_week = Limit("attempts-per-week", Scope.PERSON, Reach.ATTEMPT, attempts_per_week, Period.LOCAL_DAYS, 7)
    return Profile(
        id="house",
        version=1,
        jurisdiction="",
        language="es",
        title="Topes de la campaña",
        sha256="",
        citations=(),
        confidence=Confidence.FIRM,
        hours=(),
        channels=frozenset(Channel),
        consent=dict.fromkeys(Channel, ConsentNeed.NONE),
        purposes=frozenset(Purpose),
        parties=dict.fromkeys(Role, _EVERYBODY),
        limits=(per_day, per_week),
    )


class _Question(NamedTuple):
    """One contact over one channel; the numbers in the order in which they are tried."""

    contact: ContactFacts
    settings: CampaignSettings
    facts: Facts
    now: datetime
    channel: Channel
    numbers: list[Phone]


class Judge:
    """Judges contacts by the profiles that their campaigns name.

    Args:
        profiles: all that are in force, by id.
    """

    def __init__(self, profiles: Mapping[str, Profile]) -> None:
        self.profiles = dict(profiles)
        self._stacks: dict[tuple[tuple[str, ...], int, int], Stack] = {}

    def stack(self, settings: CampaignSettings) -> Stack:
        """What holds for a campaign: the profiles it names, and its own caps. One that nobody knows forbids all."""
        key = (settings.profiles, settings.attempts_per_day, settings.attempts_per_week)
        known = self._stacks.get(key)
        if known is None:
            named = [self.profiles[i] for i in settings.profiles if i in self.profiles]
            missing = [i for i in settings.profiles if i not in self.profiles]
            own = [house(settings.attempts_per_day, settings.attempts_per_week)] if named else []
            known = self._stacks[key] = stack([*named, *own], missing)
        return known

    def verdict(self, contact: ContactFacts, settings: CampaignSettings, now: datetime) -> Verdict:
        """May this contact of a campaign be called now, and on which number?

        The number after the one tried last comes first: another one beats the same again. If no number may be called,
        the no that ends soonest.
        """
        return self._verdict(_call(contact, settings, now))

    def _verdict(self, q: _Question) -> Verdict:
        person, profiles = q.contact.person, self.stack(q.settings)
        phones: list[Phone | None] = [*q.numbers] or [None]
        soonest: Deny | None = None
        of_number = _OF_A_SHARED_NUMBER if q.facts.shared else _OF_THE_NUMBER
        for phone in phones:
            verdict = decide(person, phone, q.channel, q.settings.purpose, q.now, q.facts, profiles)
            if isinstance(verdict, Allow):
                return verdict
            if soonest is None or _sooner(verdict, soonest):
                soonest = verdict
            if verdict.code not in of_number:
                break
        assert soonest is not None  # noqa: S101  there is at least one number, or None, to ask for
        return soonest

    def recorded(self, contact: ContactFacts, settings: CampaignSettings, now: datetime) -> Verdict:
        """The verdict with what it was made from, for the evidence. A no that is the same as the last time is brief."""
        return self._recorded(_call(contact, settings, now))

    def elsewhere(
        self, contact: ContactFacts, settings: CampaignSettings, channel: Channel, e164: str, now: datetime
    ) -> Verdict:
        """May something else than this dialer contact the person now: a message, a letter, a call by hand? As recorded.

        Args:
            e164: the number to be used, which must be the person's; empty: the judge chooses, for messages a mobile.
        """
        voice = channel is Channel.VOICE
        facts = replace(
            situation(contact.facts, settings, now), ring_s=float(settings.ring_s) if voice else 0.0, agent_ready=voice
        )
        return self._recorded(_Question(contact, settings, facts, now, channel, _numbers(contact, channel, e164)))

    def _recorded(self, q: _Question) -> Verdict:
        verdict = self._verdict(q)
        if isinstance(verdict, Deny) and verdict.code is q.contact.denied:
            return verdict
        person, profiles = q.contact.person, self.stack(q.settings)
        told = {
            "channel": str(q.channel),
            "purpose": str(q.settings.purpose),
            "phone_id": verdict.phone.id if isinstance(verdict, Allow) and verdict.phone is not None else None,
            "debts": sorted(person.debts),
            "profiles": [list(name) for name in profiles.names],
            "limits": {
                "attempts_per_day": q.settings.attempts_per_day,
                "attempts_per_week": q.settings.attempts_per_week,
            },
            "facts": basis(person, q.channel, q.settings.purpose, q.now, q.facts, profiles),
        }
        if isinstance(verdict, Allow):
            return Allow(verdict.phone, told)
        return Deny(verdict.code, verdict.retry_at, verdict.rule, told)

    def opening(self, settings: CampaignSettings) -> Opening:
        """The hours of a campaign for somebody in Colombia."""
        return self.stack(settings).opening(Channel.VOICE, settings.purpose, (BOGOTA,))


def _call(contact: ContactFacts, settings: CampaignSettings, now: datetime) -> _Question:
    facts = situation(contact.facts, settings, now)
    return _Question(contact, settings, facts, now, Channel.VOICE, _in_turn(contact))


def situation(facts: Facts, settings: CampaignSettings, now: datetime) -> Facts:
    """The facts as a call of this campaign would find them."""
    return Facts(  # `replace` takes three times as long, and each candidate of a claim passes here
        facts.consents,
        facts.preferences,
        facts.exclusions,
        facts.touches,
        facts.shared,
        facts.in_flight or calling(facts.touches, now),
        facts.paid_at,
        ring_s=float(settings.ring_s),
        agent_ready=settings.mode is Mode.PREVIEW,
        requested=bool(facts.touches) and facts.touches[-1].code == _AGREED,
        registers=facts.registers,
    )


def _in_turn(contact: ContactFacts) -> list[Phone]:
    """The numbers that may be dialled, the one after the one tried last first, round and round."""
    usable = sorted((p for p in contact.phones if p.status in _DIALLABLE), key=lambda p: (p.position, p.id))
    for place, phone in enumerate(usable):
        if phone.id == contact.last_phone_id:
            return usable[place + 1 :] + usable[: place + 1]
    return usable


def _numbers(contact: ContactFacts, channel: Channel, e164: str) -> list[Phone]:
    """The numbers that a contact over a channel may use; none for one that needs none, or for one not the person's."""
    if channel not in NUMBERED:
        return []
    if e164:
        return [p for p in contact.phones if p.e164 == e164]
    written = channel is not Channel.VOICE
    return [p for p in _in_turn(contact) if not (written and p.line_type is LineType.FIXED)]


def _sooner(one: Deny, other: Deny) -> bool:
    return one.retry_at is not None and (other.retry_at is None or one.retry_at < other.retry_at)
