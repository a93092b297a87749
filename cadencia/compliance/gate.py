"""The gate: a yes with the telephone to dial, or a no with its reason and when to ask again.

Deny by default: what is missing or not understood is a no. The same function judges when a contact is leased and again
at the instant of dialling. (Legal profiles as data take its place; it stands for the hours of Ley 2300, consent,
references, blocks and attempt caps.)
"""

from __future__ import annotations

from datetime import datetime, timedelta

from cadencia.compliance.hours import BOGOTA, is_open, next_opening, window, zone
from cadencia.domain.codes import Denial
from cadencia.domain.dialing import CampaignSettings, ContactFacts, Deny, Dial, Verdict
from cadencia.domain.people import Phone, PhoneStatus, Role

_DIALLABLE = (PhoneStatus.NEW, PhoneStatus.VERIFIED)


def judge(facts: ContactFacts, settings: CampaignSettings, now: datetime) -> Verdict:
    """May this person be called now, and on which telephone?"""
    return _standing(facts, now) or _hours(facts, settings, now) or _caps(facts, settings, now) or _phone(facts)


def _standing(facts: ContactFacts, now: datetime) -> Deny | None:
    if facts.blocked is not None:
        return Deny(Denial.EXCLUDED if facts.blocked == "excluded" else Denial.BLOCKED, None)
    if not facts.roles:
        return Deny(Denial.NO_DATA, None)
    if facts.roles <= {Role.REFERENCE}:
        return Deny(Denial.REFERENCE, None)
    if facts.voice_consent_at is None or facts.voice_consent_at > now:
        return Deny(Denial.CONSENT, None)
    if facts.in_flight:
        return Deny(Denial.IN_FLIGHT, now + timedelta(minutes=1))
    return None


def _hours(facts: ContactFacts, settings: CampaignSettings, now: datetime) -> Deny | None:
    own = zone(facts.timezone)
    if own is None:
        return Deny(Denial.NO_DATA, None)
    zones = (BOGOTA, own) if own != BOGOTA else (BOGOTA,)
    # The call may ring until its time-out: it must not ring outside the window.
    if is_open(now, now + timedelta(seconds=settings.ring_s), zones):
        return None
    retry_at = next_opening(now, zones)
    if is_open(now, now, zones):
        return Deny(Denial.MARGIN, retry_at)
    holiday = any(window(now.astimezone(z).date(), z).holiday for z in zones)
    return Deny(Denial.HOLIDAY if holiday else Denial.HOURS, retry_at)


def _caps(facts: ContactFacts, settings: CampaignSettings, now: datetime) -> Deny | None:
    if facts.attempts_today < settings.attempts_per_day and facts.attempts_7d < settings.attempts_per_week:
        return None
    own = zone(facts.timezone) or BOGOTA
    tomorrow = datetime.combine(now.astimezone(own).date() + timedelta(days=1), datetime.min.time(), own)
    zones = (BOGOTA, own) if own != BOGOTA else (BOGOTA,)
    return Deny(Denial.FREQUENCY, next_opening(tomorrow.astimezone(now.tzinfo) - timedelta(seconds=1), zones))


def _phone(facts: ContactFacts) -> Verdict:
    usable = sorted((p for p in facts.phones if p.status in _DIALLABLE), key=lambda p: (p.position, p.id))
    if not usable:
        return Deny(Denial.NO_PHONE, None)
    return Dial(_after_last(usable, facts.last_phone_id))


def _after_last(usable: list[Phone], last_id: int | None) -> Phone:
    """The telephone after the one tried last, round and round: another number beats the same one again."""
    for place, phone in enumerate(usable):
        if phone.id == last_id:
            return usable[(place + 1) % len(usable)]
    return usable[0]
