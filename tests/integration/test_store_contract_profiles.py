"""The store's contract: versions of legal profiles and who decided, and what the gate was asked on a past day."""

# ruff: noqa: F811  # fixtures come by import
from __future__ import annotations

import asyncio
import hashlib
import sys
from datetime import timedelta
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
from store_fixtures import (  # noqa: F401
    HOUR,
    MINUTE,
    NOW,
    Floor,
    Opener,
    databases,
    floor,
    opener,
    person,
    store,
)

from cadencia.domain.codes import Denial, Outcome
from cadencia.domain.dialing import ContactFacts
from cadencia.domain.law import Channel, Deny, LookBack, Verdict
from cadencia.domain.ledger import ConsentIn, ExclusionIn, PaymentIn
from cadencia.domain.people import Money
from cadencia.domain.profiles import PROGRAM, ProfileState, ProfileText
from cadencia.errors import Refused
from cadencia.store.port import Store

S = ProfileState


def version(number: int, of: str = "casa") -> ProfileText:
    source = f'id = "{of}"\nversion = {number}  # año\n'
    return ProfileText(of, number, hashlib.sha256(source.encode()).hexdigest(), source)


async def steps(store: Store) -> list[tuple[str, int, str, str]]:
    told = await store.events(kinds=["law.profile"])
    assert all(set(e.body) == {"id", "version", "sha256", "step", "by"} for e in told)
    return [(e.body["id"], e.body["version"], e.body["step"], e.body["by"]) for e in told]


async def states(store: Store, of: str = "casa") -> dict[int, ProfileState]:
    return {v.text.version: v.state for v in await store.profile_versions(of)}


# -- what ships --------------------------------------------------------------------------------------------------------
async def test_what_ships_is_in_force_where_nothing_was_kept(store: Store) -> None:
    assert await store.profiles_in_force() == ()
    assert await store.adopt_profiles([version(2, "mx"), version(1, "co")], NOW) == 2
    assert [v.text for v in await store.profiles_in_force()] == [version(1, "co"), version(2, "mx")]
    assert await steps(store) == [("co", 1, "shipped", PROGRAM), ("mx", 2, "shipped", PROGRAM)]
    assert await store.adopt_profiles([version(2, "mx"), version(1, "co")], NOW + HOUR) == 0
    assert len(await steps(store)) == 2


async def test_what_ships_later_is_a_proposal_of_the_program(store: Store) -> None:
    await store.adopt_profiles([version(1, "co"), version(3, "mx")], NOW)
    assert await store.adopt_profiles([version(2, "co"), version(2, "mx"), version(1, "pe")], NOW + HOUR) == 2
    assert await states(store, "co") == {2: S.PROPOSED, 1: S.ACTIVE}
    assert await states(store, "mx") == {3: S.ACTIVE}
    assert await states(store, "pe") == {1: S.PROPOSED}
    await store.decide_profile("co", 2, approve=True, by="eva", reason="leída", now=NOW + 2 * HOUR)
    assert [v.text for v in await store.profiles_in_force()] == [version(2, "co"), version(3, "mx")]


# -- two persons -------------------------------------------------------------------------------------------------------
async def test_a_version_is_in_force_when_another_person_approves_it(store: Store) -> None:
    await store.adopt_profiles([version(1)], NOW)
    proposed = await store.propose_profile(version(2), "ana", " circular nueva ", NOW + HOUR)
    assert (proposed.state, proposed.proposed_by, proposed.reason) == (S.PROPOSED, "ana", "circular nueva")
    assert proposed.decided_at is None
    assert [v.text.version for v in await store.profiles_in_force()] == [1]
    with pytest.raises(Refused, match="cannot approve"):
        await store.decide_profile("casa", 2, approve=True, by="ana", reason="sí", now=NOW + HOUR)
    assert await states(store) == {2: S.PROPOSED, 1: S.ACTIVE}
    decided = await store.decide_profile("casa", 2, approve=True, by="eva", reason="revisada", now=NOW + 2 * HOUR)
    assert decided.text == version(2)
    assert (decided.state, decided.decided_by, decided.decision) == (S.ACTIVE, "eva", "revisada")
    assert decided.decided_at == NOW + 2 * HOUR
    assert [v.text.version for v in await store.profiles_in_force()] == [2]
    assert await states(store) == {2: S.ACTIVE, 1: S.RETIRED}
    assert await steps(store) == [
        ("casa", 1, "shipped", PROGRAM),
        ("casa", 2, "proposed", "ana"),
        ("casa", 1, "retired", "eva"),
        ("casa", 2, "approved", "eva"),
    ]


async def test_who_proposed_may_take_it_back(store: Store) -> None:
    await store.propose_profile(version(1), "ana", "prueba", NOW)
    await store.decide_profile("casa", 1, approve=False, by="ana", reason="error", now=NOW)
    assert await states(store) == {1: S.REJECTED}
    assert await store.profiles_in_force() == ()
    with pytest.raises(Refused, match="decided already"):
        await store.decide_profile("casa", 1, approve=True, by="eva", reason="", now=NOW)
    with pytest.raises(Refused, match="no version 9"):
        await store.decide_profile("casa", 9, approve=True, by="eva", reason="", now=NOW)


async def test_versions_count_up_and_have_a_reason(store: Store) -> None:
    await store.propose_profile(version(2), "ana", "una", NOW)
    for number in (1, 2):
        with pytest.raises(Refused, match="not newer"):
            await store.propose_profile(version(number), "eva", "otra", NOW)
    with pytest.raises(Refused, match="reason"):
        await store.propose_profile(version(3), "ana", " ", NOW)
    assert await states(store) == {2: S.PROPOSED}
    assert [v.text.version for v in await store.profile_versions()] == [2]


async def test_an_older_proposal_cannot_take_the_place_of_a_newer_version(store: Store) -> None:
    await store.propose_profile(version(1), "ana", "una", NOW)
    await store.propose_profile(version(2), "ana", "dos", NOW)
    await store.decide_profile("casa", 2, approve=True, by="eva", reason="", now=NOW)
    with pytest.raises(Refused, match="is in force"):
        await store.decide_profile("casa", 1, approve=True, by="eva", reason="", now=NOW)
    assert await states(store) == {2: S.ACTIVE, 1: S.PROPOSED}


async def test_two_who_approve_at_once_are_not_two(opener: Opener) -> None:
    one, other = await opener(), await opener()
    await one.propose_profile(version(1), "ana", "una", NOW)
    done = await asyncio.gather(
        *(s.decide_profile("casa", 1, approve=True, by="eva", reason="", now=NOW) for s in (one, other)),
        return_exceptions=True,
    )
    assert sorted(isinstance(d, Refused) for d in done) == [False, True]
    assert [e[2] for e in await steps(one)] == ["proposed", "approved"]


# -- the list ----------------------------------------------------------------------------------------------------------
async def test_what_the_gate_put_off_or_closed_is_asked_again(floor: Floor) -> None:
    await floor.load(person(1), person(2))

    def deny(facts: ContactFacts) -> Verdict:
        return Deny(Denial.PROFILE, None if facts.contact_id % 2 else NOW + 100 * HOUR)

    assert not (await floor.claim(judge=deny)).leases
    assert not (await floor.claim(at=NOW + HOUR)).leases
    await floor.store.propose_profile(version(1), "ana", "falta", NOW)
    await floor.store.decide_profile("casa", 1, approve=True, by="eva", reason="", now=NOW + HOUR)
    assert len((await floor.claim(at=NOW + HOUR)).leases) == 2


# -- what was asked ----------------------------------------------------------------------------------------------------
DAY = (NOW - 9 * HOUR, NOW + 15 * HOUR)  # local, in Bogotá


async def test_what_was_asked_on_a_day_is_told_with_the_facts_of_its_instants(floor: Floor) -> None:
    store = floor.store
    await floor.load(person(1))
    first = await floor.dialled()
    await floor.settle(first, Outcome.NO_ANSWER)
    later = NOW + 3 * HOUR
    who = first.facts.person.id
    await store.change([ConsentIn(who, False, NOW - HOUR, Channel.VOICE, how="letter")], "ana", later)
    await store.change([ExclusionIn("house", later, who)], "ana", later)
    paid = PaymentIn("Banco Andino Ejemplo", "OB-1", NOW - HOUR, Money(100, "COP"), "r1")
    await store.change([paid], "ana", later)
    assert not (await floor.claim(at=later + MINUTE, judge=lambda _: Deny(Denial.EXCLUDED, None))).leases
    assert await store.asked_count("c1", *DAY) == 2
    asked = await store.asked("c1", *DAY, look_back=LookBack(240.0))
    assert [(a.at, a.allowed, a.contact.contact_id) for a in asked] == [
        (NOW, True, first.contact_id),
        (later + MINUTE, False, first.contact_id),
    ]
    before, after = (a.contact.facts for a in asked)
    assert before.touches == () and len(after.touches) == 1  # its own contact is none of its facts
    assert [c.granted for c in before.consents] == [True]
    assert sorted(c.granted for c in after.consents) == [False, True]
    assert before.exclusions == () and [e.register for e in after.exclusions] == ["house"]
    assert before.paid_at is None and after.paid_at == NOW - HOUR
    assert not before.in_flight
    short = await store.asked("c1", *DAY, look_back=LookBack(1.0))
    assert short[1].contact.facts.touches == ()


async def test_what_was_asked_comes_in_pages_and_of_one_day_and_campaign(floor: Floor) -> None:
    await floor.load(*map(person, range(1, 6)))
    leases = (await floor.claim()).leases
    assert len(leases) == 5
    await floor.store.give_back([leases[0].attempt_id], floor.token, "stale", NOW)
    told, after = [], None
    while page := await floor.store.asked("c1", *DAY, look_back=LookBack(240.0), after=after, limit=3):
        assert len(page) <= 3
        told += page
        after = (page[-1].at, page[-1].contact.contact_id)
    assert [a.contact.contact_id for a in told] == sorted(lease.contact_id for lease in leases[1:])
    assert await floor.store.asked_count("c1", *DAY) == 4
    yesterday = tuple(t - timedelta(days=1) for t in DAY)
    assert await floor.store.asked("c1", *yesterday, look_back=LookBack(240.0)) == ()
    with pytest.raises(Refused):
        await floor.store.asked("c9", *DAY, look_back=LookBack(240.0))
