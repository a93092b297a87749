"""The gate against the vectors of the law, which were written apart from it, and its own promises."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cadencia.compliance.gate import decide
from cadencia.compliance.rules import PIPELINE, Rule
from cadencia.compliance.stack import Stack, stack
from cadencia.config.profiles import builtin
from cadencia.domain.codes import Denial
from cadencia.domain.law import Allow, Channel, Consent, Deny, Facts, Person, Purpose, Reach, Touch, Verdict
from cadencia.domain.people import LineType, Phone, PhoneStatus, Role
from tests.support.law_vectors import VECTORS, Vector
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


@given(st.integers(0, 10**6), st.sampled_from(sorted(PROFILES)))
@settings(max_examples=60, deadline=None)
def test_another_profile_never_allows_more(seed: int, more: str) -> None:
    for case in world(seed, 8):
        if not any(i in PROFILES for i in case.profiles):
            continue
        alone, both = judged(case, laid(case)), judged(case, laid(case, more))
        assert isinstance(alone, Allow) or isinstance(both, Deny), case
        if isinstance(alone, Deny) and isinstance(both, Deny) and both.retry_at is not None:
            assert alone.retry_at is not None, case
            assert alone.retry_at <= both.retry_at or alone.code is Denial.IN_FLIGHT, case


@given(st.integers(0, 10**6), st.integers(0, 400), st.sampled_from(list(Reach)))
@settings(max_examples=60, deadline=None)
def test_an_earlier_contact_never_makes_a_later_one_more_lawful(seed: int, hours_ago: int, reach: Reach) -> None:
    for case in world(seed, 8):
        earlier = Touch(case.at - timedelta(hours=hours_ago), case.channel, case.purpose, reach, "NOA", case.phone_id)
        touches = tuple(sorted((*case.facts.touches, earlier), key=lambda t: t.at))
        after = judged(case, laid(case), facts=replace(case.facts, touches=touches))
        if isinstance(judged(case, laid(case)), Deny):
            assert isinstance(after, Deny), case


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
