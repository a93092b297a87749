"""The rules of the gate, one small function each; their order is the order in which a reason is told.

Each looks at one thing and says nothing, or why not and until when. What a rule does not understand is a no.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

from cadencia.compliance.counting import NEVER, calling, cooloff_until, limit_until, others_on_phone
from cadencia.compliance.hours import Opening, day_start
from cadencia.compliance.stack import Plan, Stack
from cadencia.domain.codes import Denial
from cadencia.domain.law import (
    Channel,
    Consent,
    ConsentNeed,
    Facts,
    Person,
    Preference,
    Purpose,
    Reaches,
)
from cadencia.domain.people import Phone, PhoneStatus

#: Channels that need a telephone number.
NUMBERED = frozenset({Channel.VOICE, Channel.SMS, Channel.WHATSAPP})

#: What a debtor's payment makes pointless.
_ABOUT_ARREARS = frozenset({Purpose.COLLECTION, Purpose.REMINDER})

_DIALLABLE = frozenset({PhoneStatus.NEW, PhoneStatus.VERIFIED})

#: So long after somebody was found in a call it is asked again.
_IN_FLIGHT = timedelta(minutes=1)


class Held(NamedTuple):
    """A rule's no. `until` is the first instant at which the rule would say nothing; None: time lifts nothing."""

    code: Denial
    rule: str
    until: datetime | None


@dataclass(slots=True)
class Ask:
    """One question to the gate, and what several rules need of it. `at` moves while the next instant is looked for."""

    person: Person
    phone: Phone | None
    channel: Channel
    purpose: Purpose
    at: datetime
    facts: Facts
    stack: Stack
    plan: Plan
    own: tuple[ZoneInfo, ...] = ()
    dated: tuple[ZoneInfo, ...] = ()
    opening: Opening | None = None


Rule = Callable[[Ask], Held | None]


def profile(ask: Ask) -> Held | None:
    """There is a profile, every one that was asked for is known, and all are in force."""
    stack = ask.stack
    if stack.missing:
        return Held(Denial.PROFILE, f"{stack.missing[0]}:unknown", None)
    if not stack.profiles:
        return Held(Denial.PROFILE, "none", None)
    zones = stack.zones(ask.person.zones)
    for where in zones[1] if zones is not None else ():
        day = ask.at.astimezone(where).date()
        if day < stack.valid_from:
            return Held(Denial.PROFILE, "validity", day_start(stack.valid_from, where))
        if day > stack.valid_to:
            return Held(Denial.PROFILE, "validity", None)
    return None


def intended(ask: Ask) -> Held | None:
    """The profiles know the purpose and the channel."""
    closed = ask.plan.closed
    if closed is None and ask.purpose is Purpose.REQUESTED_INFO and not ask.facts.requested:
        return Held(Denial.PURPOSE, "nobody asked", None)
    if closed is None:
        return None
    rule, purpose = closed
    return Held(Denial.PURPOSE if purpose else Denial.CHANNEL, rule, None)


def known(ask: Ask) -> Held | None:
    """We know what the person has to do with the debt, and where the person may be."""
    zones = ask.stack.zones(ask.person.zones)
    if not ask.person.roles or zones is None:
        return Held(Denial.NO_DATA, "data", None)
    ask.own, ask.dated = zones
    return None


def blocked(ask: Ask) -> Held | None:
    """Nothing that was said or written stands against the person as such."""
    why = ask.person.blocked
    if why is None:
        return None
    return Held(Denial.EXCLUDED if why == "excluded" else Denial.BLOCKED, f"block:{why}", None)


def party(ask: Ask) -> Held | None:
    """In one of the person's roles contacts are lawful; a personal reference's never are."""
    parties = ask.stack.parties
    if any(parties[role].dialable for role in ask.person.roles):
        return None
    return Held(Denial.REFERENCE, "parties", None)


def owing(ask: Ask) -> Held | None:
    """Something is still overdue."""
    if ask.person.owes or ask.purpose not in _ABOUT_ARREARS:
        return None
    return Held(Denial.PAID, "paid", None)


def excluded(ask: Ask) -> Held | None:
    """Neither the person nor the number is on a list of those who may not be contacted."""
    for e in ask.facts.exclusions:
        if e.at > ask.at or (e.until is not None and e.until <= ask.at):
            continue
        if e.phone_id is not None and (ask.phone is None or e.phone_id != ask.phone.id):
            continue
        if (e.channels and ask.channel not in e.channels) or (e.purposes and ask.purpose not in e.purposes):
            continue
        if e.register in REGISTERS and not any(name == e.register for name, _ in ask.plan.registers):
            continue  # it shuts out advertising, and this is none
        code = Denial.REGISTER if e.register in REGISTERS else Denial.EXCLUDED
        return Held(code, f"exclusion:{e.register}", e.until)
    return None


#: Public registers, as against lists of the house.
REGISTERS = frozenset({"rne", "dnc"})


def asked(ask: Ask) -> Held | None:
    """The registers that the purpose demands were loaded."""
    for name, rule in ask.plan.registers:
        if name not in ask.facts.registers:
            return Held(Denial.REGISTER, rule, None)
    return None


def consent(ask: Ask) -> Held | None:
    """The person authorised the channel (where it must be), and did not revoke it."""
    need = ask.plan.consent
    if need is ConsentNeed.NONE and not ask.facts.consents:
        return None
    state = standing_consent(ask.facts.consents, ask.channel, ask.purpose, ask.at)
    if state is not None and not state.granted:
        # Whoever said no is left alone, also where no consent is needed.
        return Held(Denial.CONSENT, "revocation", _granted_later(ask))
    if state is None and need is ConsentNeed.OPT_IN:
        return Held(Denial.CONSENT, ask.plan.consent_rule, _granted_later(ask))
    return None


def standing_consent(ledger: tuple[Consent, ...], channel: Channel, purpose: Purpose, at: datetime) -> Consent | None:
    """The newest line of the ledger that fits and holds; of two at one instant the revocation.

    With a grant that ended by itself the authorisation is over, whatever was granted before; what was revoked before it
    is revoked again.
    """
    found: Consent | None = None
    ended: datetime | None = None
    for c in ledger:
        if c.at > at or (c.channel is not None and c.channel is not channel):
            continue
        if c.purpose is not None and c.purpose is not purpose:
            continue
        if c.until is not None and c.until <= at:
            ended = c.at if ended is None else max(ended, c.at)
        elif found is None or c.at > found.at or (c.at == found.at and not c.granted):
            found = c
    if found is not None and found.granted and ended is not None and ended > found.at:
        return None
    return found


def _granted_later(ask: Ask) -> datetime | None:
    """A grant that is written down and does not hold yet."""
    later = [c.at for c in ask.facts.consents if c.granted and c.at > ask.at and c.channel in (None, ask.channel)]
    return min(later, default=None)


def telephone(ask: Ask) -> Held | None:
    """The channel has a number that may be used."""
    if ask.channel not in NUMBERED:
        return None
    if ask.phone is None:
        return Held(Denial.NO_PHONE, "phone", None)
    if ask.phone.status in _DIALLABLE:
        return None
    return Held(Denial.EXCLUDED if ask.phone.status is PhoneStatus.EXCLUDED else Denial.NO_PHONE, "phone", None)


def alone(ask: Ask) -> Held | None:
    """No other contact with the person is under way; where a profile asks for numbers, no call with somebody else on
    this one."""
    return Held(Denial.IN_FLIGHT, "in_flight", ask.at + _IN_FLIGHT) if _under_way(ask) else None


def _under_way(ask: Ask) -> bool:
    """Whether the person or the number is in a contact now."""
    if ask.facts.in_flight or not ask.stack.phones or ask.phone is None or ask.channel is not Channel.VOICE:
        return ask.facts.in_flight
    return calling(others_on_phone(ask.facts, ask.phone.id), ask.at)


def hours(ask: Ask) -> Held | None:
    """The whole contact, a ring's last second included, lies within the hours of all profiles in all zones."""
    opening = ask.opening
    if opening is None:
        preference = preference_of(ask)
        extends = preference is not None and _may_extend(ask, preference)
        opening = ask.opening = ask.stack.opening(ask.channel, ask.purpose, ask.own, preference, extends=extends)
    lasts = timedelta(seconds=ask.facts.ring_s)
    if opening.holds(ask.at, lasts):
        return None
    code, rule = opening.why_not(ask.at)
    until = opening.next(ask.at, lasts)
    later = [p.at for p in ask.facts.preferences if p.at > ask.at]  # a wish for a later time changes the hours then
    return Held(code, rule, min([*later, *([until] if until is not None else [])], default=None))


def preference_of(ask: Ask) -> Preference | None:
    """The person's newest wish for this channel. One from before the contract was signed counts for nothing where the
    law says so (Ley 2300 of 2023, article 3, paragraph)."""
    found: Preference | None = None
    for p in ask.facts.preferences:
        if p.at <= ask.at and (not p.channels or ask.channel in p.channels) and (found is None or p.at >= found.at):
            found = p
    signed = ask.person.contract_signed_at
    if found is not None and ask.stack.void_before_contract and signed is not None and found.at <= signed:
        return None
    return found


def _may_extend(ask: Ask, preference: Preference) -> bool:
    """Whether the wish may open hours that the law closes: only if it is known to be newer than the contract."""
    signed = ask.person.contract_signed_at
    return not ask.stack.opens_after_contract or (signed is not None and preference.at > signed)


def limits(ask: Ask) -> Held | None:
    """No limit is reached."""
    held: Held | None = None
    phone_id = ask.phone.id if ask.phone is not None else None
    for rule, limit, uncounted in ask.plan.limits:
        until = limit_until(limit, uncounted, ask.person, phone_id, ask.facts, ask.at, ask.dated)
        if until is not None and (held is None or held.until is None or until > held.until):
            held = Held(Denial.FREQUENCY, rule, until)
    return _open_end(held)


def cooloffs(ask: Ask) -> Held | None:
    """No cool-off runs."""
    held: Held | None = None
    phone_id = ask.phone.id if ask.phone is not None else None
    for rule, cooloff, uncounted in ask.plan.cooloffs:
        until = cooloff_until(cooloff, uncounted, ask.person, phone_id, ask.channel, ask.facts, ask.at, ask.dated)
        if until is not None and (held is None or held.until is None or until > held.until):
            code = Denial.CHANNEL if cooloff.reaches is Reaches.OTHERS else Denial.COOL_OFF
            held = Held(code, rule, until)
    return _open_end(held)


def _open_end(held: Held | None) -> Held | None:
    return held._replace(until=None) if held is not None and held.until == NEVER else held


#: What the facts say whatever the hour, in the order in which it is asked; then what time lifts.
STANDING: tuple[Rule, ...] = (profile, intended, known, blocked, party, owing, excluded, asked, consent, telephone)
TIMED: tuple[Rule, ...] = (alone, hours, limits, cooloffs)
PIPELINE: tuple[Rule, ...] = STANDING + TIMED
