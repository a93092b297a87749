"""How often a person may be contacted: limits over a period, and cool-offs after something happened.

Both look at the person's contacts, or at those with anybody on the number, and answer with the instant from which they
no longer stand against a new one, if nothing else happens. A contact dated after the instant that is judged (a clock
was set back) counts as one before it.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from cadencia.compliance.hours import day_start
from cadencia.domain.codes import ABANDONED, DISPOSITIONS, Outcome
from cadencia.domain.law import (
    Channel,
    CoolOff,
    Facts,
    Limit,
    Period,
    Person,
    Purpose,
    Reach,
    Reaches,
    Scope,
    Touch,
    Trigger,
    Unless,
)

#: A limit that nothing but another profile lifts.
NEVER = datetime.max.replace(tzinfo=UTC)

#: A call that something else than this dialer makes goes on until its outcome is told, but no longer than this: what
#: never tells must not keep the person out of reach for ever.
_UNTOLD = timedelta(hours=2)

#: Codes after which a cool-off begins.
_CODES: dict[Trigger, frozenset[str]] = {
    Trigger.ABANDONED: frozenset(str(code) for code in ABANDONED),
    Trigger.MACHINE: frozenset({str(Outcome.MACHINE)} | {d.code for d in DISPOSITIONS.values() if d.machine}),
    Trigger.REFUSAL: frozenset({"REN"}),
    Trigger.DISPUTE: frozenset({"DIS", "FRD"}),
}


def limit_until(
    limit: Limit,
    uncounted: frozenset[Purpose],
    person: Person,
    phone_id: int | None,
    facts: Facts,
    at: datetime,
    dated: tuple[ZoneInfo, ...],
) -> datetime | None:
    """From when on the limit lets one more contact happen; None if it does now.

    Args:
        uncounted: purposes that do not count.
        dated: the zones whose local dates and weeks matter; a contact that falls into the period in one of them counts.
    """
    of_phone = limit.scope is Scope.PHONE
    touches = [t for t in (on_phone(facts, phone_id) if of_phone else facts.touches) if _counts(limit, uncounted, t)]
    if not touches and limit.max > 0:
        return None
    if of_phone or limit.scope is Scope.PERSON:
        return _full_until(limit, touches, at, dated)
    if limit.scope is Scope.DEBT:
        groups = [[t for t in touches if not t.debts or debt in t.debts] for debt in person.debts]
    else:
        groups = [[t for t in touches if not t.creditors or c in t.creditors] for c in person.creditors]
    # Whom nobody knows the debts of: all contacts count for one.
    held = [until for group in groups or [touches] if (until := _full_until(limit, group, at, dated)) is not None]
    return max(held, default=None)


def on_phone(facts: Facts, phone_id: int | None) -> list[Touch]:
    """The person's contacts over a number, those over no known number, and others' over it; oldest first."""
    own = [t for t in facts.touches if t.phone_id in (None, phone_id)]
    return sorted([*own, *others_on_phone(facts, phone_id)], key=lambda t: t.at)


def others_on_phone(facts: Facts, phone_id: int | None) -> list[Touch]:
    """Contacts with others over a number, oldest first."""
    return [t for t in facts.shared if t.phone_id == phone_id]


def calling(touches: Sequence[Touch], at: datetime) -> bool:
    """Whether one of these contacts, oldest first, is a call that goes on, as far as anybody knows."""
    for t in reversed(touches):
        if at - t.at >= _UNTOLD:
            return False
        if t.channel is Channel.VOICE and not t.code and not t.inbound:
            return True
    return False


def _counts(limit: Limit, uncounted: frozenset[Purpose], t: Touch) -> bool:
    return (
        t.reach >= limit.counts
        and t.code not in limit.excludes
        and t.purpose not in uncounted
        and (not limit.channels or t.channel in limit.channels)
        and (limit.inbound_counts or not t.inbound)
    )


def _full_until(limit: Limit, touches: Sequence[Touch], at: datetime, dated: tuple[ZoneInfo, ...]) -> datetime | None:
    if limit.max <= 0:
        return NEVER
    held: datetime | None = None
    if len(touches) >= limit.max:
        # Of the newest `max`, the oldest must have left the period.
        leaves = _leaves(limit, touches[-limit.max].at, dated)
        held = leaves if leaves > at else None
    if limit.gap_h and touches:
        ends = touches[-1].at + timedelta(hours=limit.gap_h)
        if ends > at and (held is None or ends > held):
            held = ends
    return held


def _leaves(limit: Limit, began: datetime, dated: tuple[ZoneInfo, ...]) -> datetime:
    """When a contact no longer counts."""
    if limit.per is Period.ROLLING:
        return began + timedelta(hours=limit.n)
    days = [began.astimezone(where).date() for where in dated]
    if limit.per is Period.LOCAL_DAYS:
        ends = [day + timedelta(days=limit.n) for day in days]
    else:
        ends = [day + timedelta(days=7 - day.weekday()) for day in days]
    return max(day_start(day, where) for day, where in zip(ends, dated, strict=True))


def cooloff_until(
    cooloff: CoolOff,
    uncounted: frozenset[Purpose],
    person: Person,
    phone_id: int | None,
    channel: Channel,
    facts: Facts,
    at: datetime,
    dated: tuple[ZoneInfo, ...],
) -> datetime | None:
    """Until when the cool-off closes the channel; None if it does not."""
    if cooloff.unless is Unless.LIVE_AGENT and facts.agent_ready:
        return None
    if cooloff.unless is Unless.REQUESTED and facts.requested:
        return None
    held: datetime | None = None
    if cooloff.after is Trigger.PAYMENT:
        if facts.paid_at is not None and cooloff.reaches is not Reaches.OTHERS:
            held = _ends(cooloff, facts.paid_at, dated)
    else:
        of_others = others_on_phone(facts, phone_id) if cooloff.phone else []
        for touches in (facts.touches, of_others):
            newest = next((t for t in reversed(touches) if _begins(cooloff, uncounted, person, channel, t)), None)
            if newest is not None:
                ends = _ends(cooloff, newest.at, dated)
                held = ends if held is None else max(held, ends)
    return held if held is not None and held > at else None


def _begins(cooloff: CoolOff, uncounted: frozenset[Purpose], person: Person, channel: Channel, t: Touch) -> bool:
    """Whether a contact set the cool-off off, for that channel and these debts."""
    after = cooloff.after
    if after is Trigger.TWO_WAY:
        if t.reach < Reach.TWO_WAY:
            return False
    elif after is Trigger.ATTEMPT:
        if t.inbound:
            return False
    elif t.code not in _CODES[after]:
        return False
    if t.purpose in uncounted:
        return False
    if cooloff.reaches is Reaches.SAME and t.channel is not channel:
        return False
    if cooloff.reaches is Reaches.OTHERS and t.channel is channel:
        return False
    return not cooloff.debt or not t.debts or not person.debts or not t.debts.isdisjoint(person.debts)


def _ends(cooloff: CoolOff, began: datetime, dated: tuple[ZoneInfo, ...]) -> datetime:
    if not cooloff.local_days:
        return began + timedelta(hours=cooloff.hours)
    n = timedelta(days=cooloff.local_days)
    return max(day_start(began.astimezone(where).date() + n, where) for where in dated)
