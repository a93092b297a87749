"""The gate against the vectors of the law, which were written apart from it, and its own promises."""

from __future__ import annotations

import itertools
import random
import zoneinfo
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cadencia.compliance.gate import decide
from cadencia.compliance.rules import NUMBERED, PIPELINE, Rule
from cadencia.compliance.stack import Stack, stack
from cadencia.config.profiles import builtin
from cadencia.domain.codes import Denial
from cadencia.domain.law import (
    Allow,
    Channel,
    Consent,
    ConsentNeed,
    CoolOff,
    Deny,
    Facts,
    Hours,
    Limit,
    Period,
    Person,
    Profile,
    Purpose,
    Reach,
    Reaches,
    Scope,
    Touch,
    Trigger,
    Unless,
    Verdict,
)
from cadencia.domain.people import LineType, Phone, PhoneStatus, Role
from tests.support.law_vectors import VECTORS, Vector, every_day, profile, weekdays
from tests.support.law_worlds import Case, world

PROFILES = builtin()
STACKS = {i: stack([p]) for i, p in PROFILES.items()}

MONDAY = datetime(2026, 3, 2, 15, 0, tzinfo=UTC)  # 10:00 in Bogotá


def phone(number: int | None, status: PhoneStatus = PhoneStatus.NEW) -> Phone | None:
    return None if number is None else Phone(number, "+573001112233", LineType.MOBILE, 0, status)


def asked(v: Vector, pipeline: tuple[Rule, ...] = PIPELINE) -> Verdict:
    """What the gate says of a vector."""
    profiles = [PROFILES[p] if isinstance(p, str) else p for p in v.profiles if not isinstance(p, str) or p in PROFILES]
    missing = [p for p in v.profiles if isinstance(p, str) and p not in PROFILES]
    facts = replace(v.facts, registers=frozenset({"rne", "dnc"}) if v.registers is None else v.registers)
    laid = stack(profiles, missing)
    return decide(v.person, phone(v.phone_id, v.phone_status), v.channel, v.purpose, v.instant, facts, laid, pipeline)


def meets(v: Vector, said: Verdict) -> bool:
    """Whether that is what the law says."""
    if isinstance(said, Allow):
        return v.allowed
    if said.code not in v.deny or (v.never and said.retry_at is not None):
        return False
    return v.next_instant is None or said.retry_at == v.next_instant


@pytest.mark.parametrize("vector", VECTORS, ids=lambda v: v.name)
def test_the_law(vector: Vector) -> None:
    said = asked(vector)
    assert meets(vector, said), said


def ask(
    facts: Facts, profiles: Stack, at: datetime = MONDAY, *, purpose: Purpose = Purpose.COLLECTION, **more: object
) -> Verdict:
    person = replace(Person(1, frozenset({Role.HOLDER}), ("America/Bogota",)), **more)  # type: ignore[arg-type]
    return decide(person, phone(1), Channel.VOICE, purpose, at, facts, profiles)


def test_without_a_profile_nothing_is_lawful() -> None:
    said = ask(Facts(), stack([]))
    assert isinstance(said, Deny)
    assert (said.code, said.retry_at) == (Denial.PROFILE, None)
    said = ask(Facts(), stack([PROFILES["ar"]], ["of-tomorrow"]))
    assert isinstance(said, Deny)
    assert said.rule == "of-tomorrow:unknown"


def test_a_register_that_was_never_loaded_cannot_be_asked() -> None:
    given = (Consent(1, True, MONDAY - timedelta(days=30)),)
    for registers, code in ((frozenset[str](), Denial.REGISTER), (frozenset({"rne"}), None)):
        said = ask(Facts(given, registers=registers), STACKS["co-ley2300"], purpose=Purpose.COMMERCIAL)
        assert getattr(said, "code", None) is code


def test_somebody_in_a_call_is_asked_for_again_soon() -> None:
    said = ask(Facts(in_flight=True), STACKS["uk"])
    assert said == Deny(Denial.IN_FLIGHT, MONDAY + timedelta(minutes=1), "in_flight")


def judged(case: Case, profiles: Stack, at: datetime | None = None, facts: Facts | None = None) -> Verdict:
    facts = replace(facts or case.facts, registers=frozenset({"rne"}))
    return decide(case.person, phone(case.phone_id), case.channel, case.purpose, at or case.at, facts, profiles)


def laid(case: Case, *more: str) -> Stack:
    return stack([PROFILES[i] for i in dict.fromkeys((*case.profiles, *more)) if i in PROFILES])


def made_up(seed: int) -> Profile:
    """A profile that no law asks for, of all that profiles can say."""
    dice = random.Random(seed)

    def some(of: Iterable[Any], least: int = 0) -> frozenset[Any]:
        every = sorted(of)
        return frozenset(dice.sample(every, dice.randint(least, len(every))))

    def limit(n: int) -> Limit:
        per = dice.choice(list(Period))
        longest = {Period.ROLLING: 200, Period.LOCAL_DAYS: 9, Period.WEEK: 1}[per]
        return Limit(
            *(f"l{n}", dice.choice(list(Scope)), dice.choice(list(Reach)), dice.randint(0, 3), per),
            n=dice.randint(1, longest),
            channels=dice.choice((frozenset(), some(Channel, 1))),
            excludes=frozenset(dice.sample(("OCU", "NOA", "AMD"), dice.randint(0, 2))),
            inbound_counts=dice.random() < 0.5,
            gap_h=dice.choice((0.0, 0.0, 3.5)),
        )

    def cooloff(n: int) -> CoolOff:
        days = dice.choice((0, 1, 3))
        hours = 0.0 if days else dice.choice((1.0, 30.0))
        after, reaches, unless = (dice.choice(list(each)) for each in (Trigger, Reaches, Unless))
        return CoolOff(f"c{n}", after, reaches, hours, days, unless, debt=dice.random() < 0.3, phone=days == 3)

    a, b = sorted(dice.sample(range(0, 1441, 30), 2))
    hours = Hours(
        dice.choice((every_day, weekdays))((a, b)),
        zones=dice.choice((("debtor",), ("America/Bogota",), ("debtor", "Asia/Tokyo"))),
        preference_extends=dice.random() < 0.3,
        margin_s=dice.choice((0, 0, 30)),
        channels=dice.choice((frozenset(), some(Channel, 1))),
    )
    return profile(
        id=f"made-up-{seed}",
        hours=(hours,) if dice.random() < 0.7 else (),
        channels=some(Channel, len(Channel) - 2),
        consent={c: dice.choice(list(ConsentNeed)) for c in Channel},
        purposes=some(Purpose, len(Purpose) - 2),
        exempt=some(Purpose) if dice.random() < 0.2 else frozenset(),
        exempt_hours=some(Purpose) if dice.random() < 0.2 else frozenset(),
        preference_after_contract=dice.random() < 0.5,
        limits=tuple(limit(n) for n in range(dice.randint(0, 2))),
        cooloffs=tuple(cooloff(n) for n in range(dice.randint(0, 2))),
    )


def anywhere(seed: int, n: int) -> Iterator[tuple[Case, Stack, list[Profile]]]:
    """Cases over every channel, under the law of their country and now and then one made up."""
    dice = random.Random(seed)
    for case in world(seed, n):
        channel = dice.choice((case.channel, *Channel))
        phone_id = (case.phone_id or 11) if channel in NUMBERED else None
        named = [PROFILES[i] for i in case.profiles]
        named = dice.choice((named, [made_up(seed)], [*named, made_up(seed)]))
        yield replace(case, channel=channel, phone_id=phone_id), stack(named), named


@given(st.integers(0, 10**6), st.sampled_from([*sorted(PROFILES), None]))
@settings(max_examples=25, deadline=None)
def test_another_profile_never_allows_more(seed: int, more: str | None) -> None:
    other = made_up(seed + 1) if more is None else PROFILES[more]
    for case, laid, named in anywhere(seed, 8):
        alone, both = judged(case, laid), judged(case, stack([*named, other]))
        assert type(both) is type(judged(case, stack([other, *named]))), case
        assert isinstance(alone, Allow) or isinstance(both, Deny), case
        if isinstance(alone, Deny) and isinstance(both, Deny) and both.retry_at is not None:
            assert alone.retry_at is not None, case
            assert alone.retry_at <= both.retry_at, case


@given(st.integers(0, 10**6), st.integers(0, 400), st.sampled_from(list(Reach)), st.sampled_from(list(Channel)))
@settings(max_examples=25, deadline=None)
def test_an_earlier_contact_never_makes_a_later_one_more_lawful(
    seed: int, hours_ago: int, reach: Reach, channel: Channel
) -> None:
    for case, laid, _ in anywhere(seed, 8):
        at = case.at - timedelta(hours=hours_ago)
        earlier = Touch(at, channel, case.purpose, reach, "NOA", case.phone_id, frozenset({1}), inbound=seed % 3 == 0)
        every = with_and_without(case, earlier)
        told = [judged(case, laid, facts=replace(case.facts, touches=t)) for t in every]
        told_others = [judged(case, laid, facts=replace(case.facts, shared=t)) for t in every]
        for (fewer, more), some in zip(
            (*itertools.pairwise(told), *itertools.pairwise(told_others)), (*every[1:], *every[1:]), strict=True
        ):
            assert isinstance(fewer, Allow) or isinstance(more, Deny), (case, some)


def with_and_without(case: Case, earlier: Touch) -> list[tuple[Touch, ...]]:
    """The person's contacts one by one less, from none of them up to all and one more."""
    every = [*case.facts.touches]
    random.Random(len(every)).shuffle(every)
    every.append(earlier)
    return [tuple(sorted(every[:n], key=lambda t: t.at)) for n in range(len(every) + 1)]


@given(st.integers(0, 10**6), st.sampled_from(sorted(zoneinfo.available_timezones())))
@settings(max_examples=25, deadline=None)
def test_another_zone_where_the_person_may_be_never_allows_more(seed: int, zone: str) -> None:
    for case, laid, _ in anywhere(seed, 8):
        wider = replace(case, person=replace(case.person, zones=(*case.person.zones, zone)))
        alone, both = judged(case, laid), judged(wider, laid)
        if case.person.zones:  # of whom no zone is known, nothing is lawful
            assert isinstance(alone, Allow) or isinstance(both, Deny), (case, zone)


@given(st.integers(0, 10**6))
@settings(max_examples=80, deadline=None)
def test_the_next_lawful_instant_is_lawful_and_the_instant_before_is_not(seed: int) -> None:
    for case in world(seed, 8):
        said = judged(case, laid(case))
        if isinstance(said, Allow) or said.retry_at is None or case.facts.in_flight:
            continue
        assert isinstance(judged(case, laid(case), said.retry_at), Allow), (case, said)
        before = said.retry_at - timedelta(milliseconds=1)
        assert before < case.at or isinstance(judged(case, laid(case), before), Deny), (case, said)
