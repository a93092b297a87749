"""The gate's proof is proved: each of its rules, and each number and word of each law, made wrong, is found.

A mutant that no vector, property or test of a rule finds would be an error that nobody finds. What may be wrong without
a change of what is lawful is listed here, with the reason.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import fields, replace
from datetime import timedelta
from typing import Any

import pytest

from cadencia.compliance.gate import decide
from cadencia.compliance.rules import PIPELINE, Rule
from cadencia.compliance.stack import Stack, stack
from cadencia.config.profiles import builtin
from cadencia.domain.law import (
    Allow,
    Channel,
    ConsentNeed,
    CoolOff,
    Hours,
    Limit,
    Period,
    Profile,
    Purpose,
    Reach,
    Reaches,
    Scope,
    Trigger,
    Unless,
    Verdict,
)
from cadencia.domain.people import LineType, Phone, PhoneStatus, Role
from tests.support.law_vectors import COUNTRIES, VECTORS, WORDS, Vector

PROFILES = builtin()
_REGISTERS = frozenset({"rne", "dnc"})


def phone(number: int | None, status: PhoneStatus) -> Phone | None:
    return None if number is None else Phone(number, "+573001112233", LineType.MOBILE, 0, status)


def missed(v: Vector, laid: Stack, pipeline: tuple[Rule, ...] = PIPELINE, decide: Any = decide) -> bool:
    """Whether the gate says something else of a vector than the law."""
    facts = replace(v.facts, registers=_REGISTERS if v.registers is None else v.registers)
    said: Verdict = decide(
        v.person, phone(v.phone_id, v.phone_status), v.channel, v.purpose, v.instant, facts, laid, pipeline
    )
    if isinstance(said, Allow):
        return not v.allowed
    if said.code not in v.deny or (v.never and said.retry_at is not None):
        return True
    return v.next_instant is not None and said.retry_at != v.next_instant


class Jury:
    """Vectors in an order that finds a mutant soon: what found the last one is asked first."""

    def __init__(self, vectors: Iterable[Vector]) -> None:
        self.vectors = list(vectors)

    def finds(self, lay: Any, pipeline: tuple[Rule, ...] = PIPELINE) -> str | None:
        """The vector that shows the mutant."""
        for place, v in enumerate(self.vectors):
            if _shown(v, lay(v), pipeline):
                self.vectors.insert(0, self.vectors.pop(place))
                return v.name
        return None


def _shown(v: Vector, laid: Stack, pipeline: tuple[Rule, ...]) -> bool:
    try:
        return missed(v, laid, pipeline)
    except ValueError:  # what a rule was to shut out has broken another one
        return True


def stacks() -> Any:
    """Each vector's profiles laid over each other, once."""
    known: dict[Any, Stack] = {}

    def lay(v: Vector) -> Stack:
        key = tuple(p if isinstance(p, str) else id(p) for p in v.profiles)
        if key not in known:
            known[key] = stack([PROFILES[p] if isinstance(p, str) else p for p in v.profiles])
        return known[key]

    return lay


LAID = stacks()


def test_the_gate_as_it_is_says_what_the_law_says() -> None:
    assert Jury(VECTORS).finds(LAID) is None


# -- each rule ---------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("rule", PIPELINE, ids=lambda rule: rule.__name__)
def test_no_rule_is_idle(rule: Rule) -> None:
    assert Jury(VECTORS).finds(LAID, tuple(r for r in PIPELINE if r is not rule)) is not None


# -- each number of each law -------------------------------------------------------------------------------------------
Mutants = Iterator[tuple[str, Profile]]

#: What is no error: nobody could tell the difference. By the end of the mutant's name, with the reason.
HARMLESS = {
    " opt_out to none": "whoever said no is left alone under both, and nobody else",
    "co-5-una-vez-al-dia reaches same_channel": "the other channels are closed by CO-4 for longer than CO-5's day",
}


def mutants(p: Profile) -> Mutants:
    """Every way in which one number or one word of a profile may be wrong."""
    for name, changed in (*_hours(p), *_words(p), *_limits(p), *_cooloffs(p)):
        yield f"{p.id} {name}", changed


def _hours(p: Profile) -> Mutants:
    for i, h in enumerate(p.hours):

        def put(new: Hours, i: int = i) -> Profile:
            return replace(p, hours=(*p.hours[:i], new, *p.hours[i + 1 :]))

        for day, intervals in enumerate(h.weekly):
            for place, (a, b) in enumerate(intervals):
                for moved in ((a - 1, b), (a + 1, b), (a, b - 1), (a, b + 1)):
                    one = (*intervals[:place], moved, *intervals[place + 1 :])
                    weekly: Any = (*h.weekly[:day], one, *h.weekly[day + 1 :])
                    yield f"hours {day} {moved[0]}-{moved[1]}", put(replace(h, weekly=weekly))
            if not intervals:
                weekly = (*h.weekly[:day], ((720, 721),), *h.weekly[day + 1 :])
                yield f"hours {day} a minute at noon", put(replace(h, weekly=weekly))
        for z in h.zones:
            rest = tuple(other for other in h.zones if other != z) or ("UTC",)
            yield f"hours without zone {z}", put(replace(h, zones=rest))
        if h.calendar is not None:
            yield "hours without calendar", put(replace(h, calendar=None))
        yield "hours with a margin", put(replace(h, margin_s=h.margin_s + 1))
        yield "hours preference_extends", put(replace(h, preference_extends=not h.preference_extends))
        yield "hours not for calls", put(replace(h, channels=frozenset(Channel) - {Channel.VOICE}))


def _words(p: Profile) -> Mutants:
    for c in Channel:
        yield f"channel {c}", replace(p, channels=p.channels ^ {c})
        for need in ConsentNeed:
            if c in p.channels and need is not p.consent[c]:
                yield f"consent {c} {p.consent[c]} to {need}", replace(p, consent={**p.consent, c: need})
    for purpose in Purpose:
        yield f"purpose {purpose}", replace(p, purposes=p.purposes ^ {purpose})
        if purpose in p.purposes:
            if p.limits or p.cooloffs:
                yield f"exempt {purpose}", replace(p, exempt=p.exempt ^ {purpose})
            yield f"exempt_hours {purpose}", replace(p, exempt_hours=p.exempt_hours ^ {purpose})
            names = p.registers.get(purpose, ())
            if names:
                yield f"register {purpose}", replace(p, registers={**p.registers, purpose: ()})
            elif p.registers:
                every = next(iter(p.registers.values()))
                yield f"register {purpose}", replace(p, registers={**p.registers, purpose: every})
    for role in Role:
        was = p.parties[role]
        yield f"party {role}", replace(p, parties={**p.parties, role: replace(was, dialable=not was.dialable)})
    yield "preference_after_contract", replace(p, preference_after_contract=not p.preference_after_contract)
    for name in ("valid_from", "valid_to"):
        at = getattr(p, name)
        for days in (-1, 1):
            if at is not None:
                yield f"{name} {days:+}", replace(p, **{name: at + timedelta(days=days)})


def _limits(p: Profile) -> Mutants:
    for i, limit in enumerate(p.limits):
        others: list[Limit] = [replace(limit, max=limit.max + n) for n in (-1, 1)]
        if limit.per is not Period.WEEK:
            others += [replace(limit, n=limit.n + n) for n in (-1, 1)]
        if limit.gap_h:
            others += [replace(limit, gap_h=limit.gap_h + n) for n in (-1, 1)]
        others += [replace(limit, counts=reach) for reach in Reach if abs(reach - limit.counts) == 1]
        others += [replace(limit, scope=s) for s in Scope if s is not limit.scope]
        others += [replace(limit, channels=limit.channels ^ {c}) for c in p.channels if limit.channels]
        others += [replace(limit, excludes=limit.excludes - {code}) for code in limit.excludes]
        others.append(replace(limit, inbound_counts=not limit.inbound_counts))
        for other in others:
            yield f"limit {limit.id} {_difference(limit, other)}", _with(p, "limits", i, other)
        yield f"limit {limit.id} gone", replace(p, limits=(*p.limits[:i], *p.limits[i + 1 :]))


def _cooloffs(p: Profile) -> Mutants:
    for i, c in enumerate(p.cooloffs):
        others: list[CoolOff] = [replace(c, hours=c.hours + n) for n in (-1, 1) if c.hours]
        others += [replace(c, local_days=c.local_days + n) for n in (-1, 1) if c.local_days]
        others += [replace(c, after=t) for t in Trigger if t is not c.after]
        others += [replace(c, reaches=r) for r in Reaches if r is not c.reaches]
        others += [replace(c, unless=u) for u in Unless if u is not c.unless]
        others.append(replace(c, debt=not c.debt))
        for other in others:
            yield f"cool-off {c.id} {_difference(c, other)}", _with(p, "cooloffs", i, other)
        yield f"cool-off {c.id} gone", replace(p, cooloffs=(*p.cooloffs[:i], *p.cooloffs[i + 1 :]))


def _with(p: Profile, name: str, place: int, other: Any) -> Profile:
    held = getattr(p, name)
    return replace(p, **{name: (*held[:place], other, *held[place + 1 :])})


def _difference(one: Any, other: Any) -> str:
    return ", ".join(
        f"{f.name} {sorted(map(str, value)) if isinstance(value, frozenset) else value}"
        for f in fields(one)
        if (value := getattr(other, f.name)) != getattr(one, f.name)
    )


def survivors(p: Profile, vectors: Sequence[Vector]) -> list[str]:
    jury = Jury(v for v in vectors if p.id in v.profiles)
    left = []
    for name, changed in mutants(p):
        known: dict[tuple[str | Profile, ...], Stack] = {}

        def lay(v: Vector, changed: Profile = changed, known: Any = known) -> Stack:
            if v.profiles not in known:
                known[v.profiles] = stack([changed if i == p.id else PROFILES[str(i)] for i in v.profiles])
                if changed.hours is p.hours and not changed.exempt_hours ^ p.exempt_hours:
                    known[v.profiles]._openings = LAID(v)._openings  # the hours are the same: worked out once
            return known[v.profiles]

        if jury.finds(lay) is None:
            left.append(name)
    return left


def harmless(name: str) -> bool:
    return any(name.endswith(end) for end in HARMLESS)


@pytest.mark.parametrize("name", sorted(PROFILES))
def test_each_number_of_each_law_is_held_by_a_vector(name: str) -> None:
    left = survivors(PROFILES[name], (*COUNTRIES, *WORDS))
    assert [mutant for mutant in left if not harmless(mutant)] == []
    # What is called harmless is: else a vector would speak of it and the reason were wrong.
    assert [mutant for mutant, _ in mutants(PROFILES[name]) if harmless(mutant) and mutant not in left] == []
