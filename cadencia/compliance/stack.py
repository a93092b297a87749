"""Profiles laid over each other: of all that they say about one kind of contact, the most restrictive holds."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from zoneinfo import ZoneInfo

from cadencia.compliance.hours import DEBTOR, Opening, zone
from cadencia.domain.law import (
    Channel,
    ConsentNeed,
    CoolOff,
    Hours,
    Limit,
    LookBack,
    Party,
    Period,
    Preference,
    Profile,
    Purpose,
    Scope,
)
from cadencia.domain.people import Role

_NEEDS = (ConsentNeed.NONE, ConsentNeed.OPT_OUT, ConsentNeed.OPT_IN)

#: Nobody may be contacted in a role that a profile does not name.
_UNKNOWN_PARTY = Party(dialable=False, share_debt_info=False)


@dataclass(frozen=True, slots=True)
class Plan:
    """What all profiles of a stack say about one channel and purpose.

    Attributes:
        closed: why there is nothing lawful about it: the profile that forbids the channel or the purpose.
        limits, cooloffs: each with its name and the purposes that its profile does not count.
        registers: that must have been asked, each with the rule.
    """

    closed: tuple[str, bool] | None  # the rule, and whether the purpose (not the channel) is what it forbids
    consent: ConsentNeed
    consent_rule: str
    registers: tuple[tuple[str, str], ...]
    hours: tuple[tuple[str, Hours], ...]
    limits: tuple[tuple[str, Limit, frozenset[Purpose]], ...]
    cooloffs: tuple[tuple[str, CoolOff, frozenset[Purpose]], ...]


class Stack:
    """Profiles that hold together; made by `stack`.

    Attributes:
        profiles: in the order they were given; none at all, and nothing is lawful.
        missing: ids that were asked for and that nobody knows; one is enough, and nothing is lawful.
        names: (id, version, SHA-256) of each profile, as evidence names them.
        counted: every limit with its name, for the evidence.
        phones: a rule asks for contacts with others on the person's numbers.
    """

    def __init__(self, profiles: tuple[Profile, ...], missing: tuple[str, ...] = ()) -> None:
        self.profiles, self.missing = profiles, missing
        self.names = tuple((p.id, p.version, p.sha256) for p in profiles)
        self.plans = {(c, p): _plan(profiles, c, p) for c in Channel for p in Purpose}
        self.parties = {role: _party(profiles, role) for role in Role}
        self.valid_from = max((p.valid_from for p in profiles if p.valid_from), default=date.min)
        self.valid_to = min((p.valid_to for p in profiles if p.valid_to), default=date.max)
        # A wish from before the contract is void where all profiles say so, and opens nothing where one does.
        self.void_before_contract = bool(profiles) and all(p.preference_after_contract for p in profiles)
        self.opens_after_contract = any(p.preference_after_contract for p in profiles)
        self.limits = tuple(limit for p in profiles for limit in p.limits)
        self.phones = any(limit.scope is Scope.PHONE for limit in self.limits) or any(
            c.phone for p in profiles for c in p.cooloffs
        )
        fixed = dict.fromkeys(n for p in profiles for h in p.hours for n in h.zones if n != DEBTOR)
        self.counted = tuple((f"{p.id}:{limit.id}", limit) for p in profiles for limit in p.limits)
        self._fixed = tuple(w for n in fixed if (w := zone(n)) is not None)
        self._zones: dict[tuple[str, ...], tuple[tuple[ZoneInfo, ...], tuple[ZoneInfo, ...]] | None] = {}
        self._openings: dict[object, Opening] = {}

    @property
    def look_back(self) -> LookBack:
        """How much of what happened matters to any rule; two days of slack for local dates included."""
        cooloffs = [c for p in self.profiles for c in p.cooloffs]
        spans = [_hours_of(limit.per, limit.n) for limit in self.limits] + [limit.gap_h for limit in self.limits]
        spans += [max(c.hours, c.local_days * 24.0) for c in cooloffs]
        return LookBack(max(spans, default=0.0) + 48.0, self.phones)

    def zones(self, names: tuple[str, ...]) -> tuple[tuple[ZoneInfo, ...], tuple[ZoneInfo, ...]] | None:
        """The zones a person may be in, and those whose local dates matter (the fixed ones of the profiles too).

        None if one is unknown, or none is known.
        """
        if names not in self._zones:
            own = tuple(zone(n) for n in names)
            known = tuple(z for z in own if z is not None)
            dated = tuple(dict.fromkeys((*known, *self._fixed)))
            self._zones[names] = (known, dated) if known and len(known) == len(own) else None
        return self._zones[names]

    def opening(
        self,
        channel: Channel,
        purpose: Purpose,
        zones: tuple[ZoneInfo, ...],
        preference: Preference | None = None,
        *,
        extends: bool = False,
    ) -> Opening:
        """The hours of one kind of contact with somebody in these zones."""
        if preference is not None:
            return Opening(self.plans[channel, purpose].hours, zones, preference, extends=extends)
        key = (channel, purpose, zones)
        found = self._openings.get(key)
        if found is None:
            found = self._openings[key] = Opening(self.plans[channel, purpose].hours, zones)
        return found


def stack(profiles: Iterable[Profile], missing: Iterable[str] = ()) -> Stack:
    """Lay profiles over each other."""
    return Stack(tuple(profiles), tuple(missing))


def _plan(profiles: tuple[Profile, ...], channel: Channel, purpose: Purpose) -> Plan:
    closed: tuple[str, bool] | None = None
    need, need_rule = ConsentNeed.NONE, ""
    registers: list[tuple[str, str]] = []
    hours: list[tuple[str, Hours]] = []
    limits: list[tuple[str, Limit, frozenset[Purpose]]] = []
    cooloffs: list[tuple[str, CoolOff, frozenset[Purpose]]] = []
    for p in profiles:
        if closed is None and purpose not in p.purposes:
            closed = f"{p.id}:purposes", True
        if closed is None and channel not in p.channels:
            closed = f"{p.id}:channels", False
        asked = p.consent.get(channel, ConsentNeed.OPT_IN)
        if _NEEDS.index(asked) > _NEEDS.index(need):
            need, need_rule = asked, f"{p.id}:consent"
        registers += [(name, f"{p.id}:registers") for name in p.registers.get(purpose, ())]
        if purpose not in p.exempt_hours:
            hours += [(f"{p.id}:hours", h) for h in p.hours if not h.channels or channel in h.channels]
        if purpose not in p.exempt:
            limits += [(f"{p.id}:{x.id}", x, p.exempt) for x in p.limits if not x.channels or channel in x.channels]
            cooloffs += [(f"{p.id}:{x.id}", x, p.exempt) for x in p.cooloffs]
    return Plan(closed, need, need_rule, tuple(registers), tuple(hours), tuple(limits), tuple(cooloffs))


def _party(profiles: tuple[Profile, ...], role: Role) -> Party:
    named = [p.parties.get(role, _UNKNOWN_PARTY) for p in profiles] or [_UNKNOWN_PARTY]
    return Party(all(p.dialable for p in named), all(p.share_debt_info for p in named))


@lru_cache(maxsize=64)
def _hours_of(per: Period, n: int) -> float:
    return {Period.LOCAL_DAYS: 24.0 * n, Period.WEEK: 168.0, Period.ROLLING: float(n)}[per]
