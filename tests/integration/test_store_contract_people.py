"""The store's contract: portfolios, campaigns, agents, the log and sign-in, held against both adapters."""

# ruff: noqa: F811  # fixtures come by import
from __future__ import annotations

import asyncio
import sys
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
from store_fixtures import (  # noqa: F401
    HOUR,
    MINUTE,
    NOW,
    Floor,
    Opener,
    campaign,
    databases,
    floor,
    opener,
    owed,
    person,
    store,
)

from cadencia.domain.access import UserRole
from cadencia.domain.agents import Agent, AgentChange, AgentSession, AgentState
from cadencia.domain.codes import Denial
from cadencia.domain.dialing import CampaignSettings, CampaignState, Mode
from cadencia.domain.events import Event
from cadencia.domain.law import Deny
from cadencia.domain.people import LineType, Money, PersonIn, PhoneIn, Role
from cadencia.errors import Refused
from cadencia.store.port import Imported, Store

ANA = Agent("a1", "Ana Ñúñez", "a1001", frozenset({"tarjeta", "es"}))


# -- portfolios -------------------------------------------------------------------------------------------------------
async def test_an_import_is_idempotent_and_tells_what_changed(floor: Floor) -> None:
    people = [person(n, phones=2) for n in range(3)]
    assert await floor.store.import_people("c1", people, NOW) == Imported(3, 3, 6, 3)
    assert await floor.store.import_people("c1", people, NOW + HOUR) == Imported(0, 0, 0, 0)
    changed = [replace(people[0], city="Cali"), replace(people[1], obligations=(owed(1, balance=1),)), people[2]]
    assert await floor.store.import_people("c1", changed, NOW + HOUR) == Imported(1, 1, 0, 0)
    assert await floor.store.import_people("c1", [], NOW) == Imported(0, 0, 0, 0)
    told = await floor.store.events(kinds=["portfolio.imported"])
    assert told[0].body == {"persons": 3, "obligations": 3, "phones": 6, "contacts": 3}
    assert (told[0].campaign_id, told[0].at, len(told)) == ("c1", NOW, 4)
    lease = await floor.lease()
    assert lease.facts.attempts == 0
    assert len((await floor.claim()).leases) == 2


async def test_importing_into_no_campaign_is_refused(floor: Floor) -> None:
    with pytest.raises(Refused):
        await floor.store.import_people("nobody's", [person(1)], NOW)


async def test_rows_of_one_person_are_one(floor: Floor) -> None:
    first = person(1)
    second = replace(first, name="Otro Nombre", obligations=(owed(2, days=80),), phones=person(9).phones)
    assert await floor.store.import_people("c1", [first, second], NOW) == Imported(1, 2, 2, 1)
    file = (await floor.lease()).file
    assert (file.name, [o.number for o in file.obligations]) == ("Otro Nombre", ["OB-2", "OB-1"])


async def test_a_reference_brings_no_list_item(floor: Floor) -> None:
    assert (await floor.store.import_people("c1", [person(1, role=Role.REFERENCE)], NOW)).contacts == 0
    assert (await floor.claim()).leases == ()
    both = replace(person(1), obligations=(owed(1, days=300, role=Role.REFERENCE), owed(2, days=5)))
    await floor.load(both, person(3, days=6))
    claimed = await floor.claim()
    assert [lease.file.doc_number for lease in claimed.leases] == ["10000003", "10000001"]
    assert claimed.leases[1].facts.person.roles == {Role.HOLDER}


async def test_an_obligation_is_shared_by_all_who_answer_for_it(floor: Floor) -> None:
    holder = person(1)
    second = replace(person(2), obligations=(replace(holder.obligations[0], role=Role.CODEBTOR),))
    assert (await floor.store.import_people("c1", [holder, second], NOW)).obligations == 2
    moved = replace(holder, obligations=(replace(holder.obligations[0], balance=Money(5, "COP")),))
    await floor.load(moved)
    files = [lease.file for lease in (await floor.claim()).leases]
    assert [f.obligations[0].balance.minor for f in files] == [5, 5]
    assert [f.obligations[0].role for f in files] == [Role.HOLDER, Role.CODEBTOR]
    assert files[0].obligations[0].id == files[1].obligations[0].id


async def test_a_new_rank_moves_the_item(floor: Floor) -> None:
    await floor.load(person(1, days=5), person(2, days=50))
    await floor.load(person(1, days=99))
    lease = await floor.lease()
    assert lease.file.doc_number == "10000001"
    await floor.load(person(1, days=1))
    await floor.store.give_back([lease.attempt_id], floor.token, "x", NOW)
    assert (await floor.lease()).file.doc_number == "10000002"


async def test_what_the_judge_closed_opens_again_when_something_new_is_known(floor: Floor) -> None:
    await floor.load(person(1, consent=None))
    await floor.claim(judge=lambda f: Deny(Denial.CONSENT, None))
    await floor.load(person(1, consent=None), at=NOW + HOUR)
    assert (await floor.claim(at=NOW + 2 * HOUR)).leases == ()
    assert (await floor.store.import_people("c1", [person(1)], NOW + HOUR)).contacts == 0
    assert (await floor.claim(at=NOW + HOUR - MINUTE)).leases == ()
    assert len((await floor.claim(at=NOW + HOUR)).leases) == 1


async def test_a_phone_keeps_its_id_and_takes_its_new_place(floor: Floor) -> None:
    await floor.load(person(1, phones=2))
    before = (await floor.facts(at=NOW)).phones
    turned = tuple(PhoneIn(p.e164, LineType.FIXED, 9 - p.position) for p in person(1, phones=2).phones)
    assert (await floor.store.import_people("c1", [replace(person(1), phones=turned)], NOW)).phones == 2
    after = (await floor.facts(at=NOW)).phones
    assert [p.id for p in after] == [p.id for p in reversed(before)]
    assert {p.line_type for p in after} == {LineType.FIXED}


async def test_persons_without_debt_or_phone_are_kept(floor: Floor) -> None:
    bare = PersonIn("CE", "5", "Sin Nada", "", "en", "UTC", None, (), ())
    assert await floor.store.import_people("c1", [bare], NOW) == Imported(1, 0, 0, 1)
    seen = []
    await floor.claim(judge=lambda f: seen.append(f) or Deny(Denial.NO_PHONE, None))  # type: ignore[func-returns-value]
    assert (seen[0].person.roles, seen[0].phones, seen[0].facts.consents) == (frozenset(), (), ())
    file = await floor.store.file(seen[0].person.id)
    assert (file.language, file.obligations, file.phones) == ("en", (), ())


async def test_the_file_of_nobody_is_refused(store: Store) -> None:
    with pytest.raises(Refused):
        await store.file(4711)


# -- campaigns --------------------------------------------------------------------------------------------------------
async def test_campaigns_are_listed_by_id(store: Store) -> None:
    settings = CampaignSettings(mode=Mode.RATIO, ratio=1.75, skill="es", caller_id="6017654321", abandonment_cap=0.02)
    second = replace(campaign("b"), settings=settings, state=CampaignState.STOPPED)
    await store.create_campaign(campaign("c"), "ana")
    await store.create_campaign(second, "ana")
    assert [c.id for c in await store.campaigns()] == ["b", "c"]
    assert (await store.campaigns())[0] == second
    with pytest.raises(Refused):
        await store.create_campaign(campaign("c"), "ana")
    created = await store.events(kinds=["campaign.state"])
    assert [(e.campaign_id, e.body["by"], e.body["reason"]) for e in created] == [
        ("c", "ana", "created"),
        ("b", "ana", "created"),
    ]


async def test_a_changed_setting_tells_from_what_to_what(store: Store) -> None:
    await store.create_campaign(campaign(), "ana")
    new = CampaignSettings(mode=Mode.RATIO, ratio=1.5)
    await store.set_campaign("c1", new, "beto", "more calls", NOW)
    assert (await store.campaigns())[0].settings == new
    (event,) = await store.events(kinds=["campaign.setting"])
    assert event.body == {
        "by": "beto",
        "reason": "more calls",
        "changes": {"mode": ["predictive", "ratio"], "ratio": [1.2, 1.5]},
    }
    with pytest.raises(Refused):
        await store.set_campaign("c2", new, "beto", "?", NOW)


async def test_a_changed_state_is_told(store: Store) -> None:
    await store.create_campaign(campaign(), "ana")
    await store.set_campaign_state("c1", CampaignState.PAUSED, "beto", "lunch", NOW + MINUTE)
    assert (await store.campaigns())[0].state is CampaignState.PAUSED
    event = (await store.events(kinds=["campaign.state"]))[-1]
    assert (event.at, event.body) == (NOW + MINUTE, {"state": "paused", "by": "beto", "reason": "lunch"})
    with pytest.raises(Refused):
        await store.set_campaign_state("c2", CampaignState.PAUSED, "beto", "?", NOW)


# -- agents -----------------------------------------------------------------------------------------------------------
async def test_agents_and_their_last_states(opener: Opener) -> None:
    store = await opener()
    await store.save_agent(replace(ANA, id="a2", skills=frozenset()))
    await store.save_agent(replace(ANA, name="Otra"))
    await store.save_agent(ANA)
    first, second = await store.agent_sessions()
    assert (first.agent, first.state, first.reason, first.attempt_id) == (ANA, AgentState.OUT, "", None)
    assert (second.agent.id, second.agent.skills) == ("a2", frozenset())
    await store.save_agent_changes(
        [
            AgentChange("a1", AgentState.READY, NOW),
            AgentChange("a2", AgentState.PAUSED, NOW, "almuerzo"),
            AgentChange("a1", AgentState.TALKING, NOW + MINUTE, "", "att-1"),
        ]
    )
    await store.save_agent(replace(ANA, name="Ana María"))  # a new name is no new state
    await store.close()
    first, second = await (await opener()).agent_sessions()
    assert first == AgentSession(replace(ANA, name="Ana María"), AgentState.TALKING, NOW + MINUTE, "", "att-1")
    assert (second.state, second.reason, second.since) == (AgentState.PAUSED, "almuerzo", NOW)
    told = await (await opener()).events(kinds=["agent.state"])
    assert [(e.agent_id, e.attempt_id, e.body) for e in told] == [
        ("a1", None, {"state": "ready", "reason": ""}),
        ("a2", None, {"state": "paused", "reason": "almuerzo"}),
        ("a1", "att-1", {"state": "talking", "reason": ""}),
    ]


async def test_changes_of_unknown_agents_are_refused_together(store: Store) -> None:
    await store.save_agent(ANA)
    changes = [AgentChange("a1", AgentState.READY, NOW), AgentChange("ghost", AgentState.READY, NOW)]
    with pytest.raises(Refused):
        await store.save_agent_changes(changes)
    assert (await store.agent_sessions())[0].state is AgentState.OUT
    assert await store.events(kinds=["agent.state"]) == ()
    await store.save_agent_changes([])


# -- the log ----------------------------------------------------------------------------------------------------------
async def test_events_come_in_order_by_page_and_kind(store: Store) -> None:
    body = {"n": 1, "deep": {"x": [1, 2.5, None, "ñ"]}}
    await store.append([Event("attempt.file_shown", NOW, "c1", 7, f"att-{n}", "a1", body) for n in range(5)])
    await store.append([Event("x.other", NOW + MINUTE, version=3)])
    await store.append([])
    found = await store.events()
    assert [e.seq for e in found] == sorted({e.seq for e in found})
    assert found[0].seq > 0
    assert replace(found[0], seq=0) == Event("attempt.file_shown", NOW, "c1", 7, "att-0", "a1", body)
    assert (found[5].kind, found[5].version, found[5].body) == ("x.other", 3, {})
    page = await store.events(after=found[1].seq, limit=2)
    assert [e.attempt_id for e in page] == ["att-2", "att-3"]
    assert [e.kind for e in await store.events(kinds={"x.other", "nothing"})] == ["x.other"]
    assert await store.events(after=found[-1].seq) == ()


async def test_times_come_back_as_instants(store: Store) -> None:
    precise = datetime(2026, 11, 24, 14, 0, 0, 123456, tzinfo=UTC)
    await store.append([Event("x", precise)])
    (event,) = await store.events()
    assert event.at == precise
    assert event.at.utcoffset() is not None


# -- sign-in ----------------------------------------------------------------------------------------------------------
async def test_users_are_kept_by_login(store: Store) -> None:
    first = await store.save_user("ana", "Ana", UserRole.AGENT, agent_id="a1", password_hash="h", language="es")
    again = await store.save_user("ana", "Ana M", UserRole.ADMIN, agent_id=None, password_hash="i", language="en")
    assert first.id == again.id
    assert await store.user("ana") == again
    assert (again.name, again.role, again.agent_id, again.password_hash, again.language) == (
        "Ana M",
        UserRole.ADMIN,
        None,
        "i",
        "en",
    )
    assert await store.user("beto") is None


async def test_credentials_are_known_until_they_expire(store: Store) -> None:
    user = await store.save_user("ana", "Ana", UserRole.AGENT, agent_id="a1", password_hash="h", language="es")
    await store.add_credential("session", "d1", user.id, NOW, NOW + HOUR)
    await store.add_credential("token", "d2", user.id, NOW, None)
    found = await store.credential("session", "d1", NOW + HOUR - MINUTE)
    assert found is not None
    assert (found.kind, found.digest, found.user, found.created_at) == ("session", "d1", user, NOW)
    assert found.expires_at == NOW + HOUR
    assert await store.credential("session", "d1", NOW + HOUR) is None
    assert await store.credential("token", "d1", NOW) is None
    assert await store.credential("token", "d2", NOW + 1000 * HOUR) is not None
    newer = await store.save_user("ana", "Ana", UserRole.ADMIN, agent_id=None, password_hash="h", language="es")
    renewed = await store.credential("session", "d1", NOW)
    assert renewed is not None
    assert renewed.user == newer
    with pytest.raises(Refused):
        await store.add_credential("token", "d3", user.id + 1000, NOW, None)


async def test_sessions_end_together(store: Store) -> None:
    ana = await store.save_user("ana", "Ana", UserRole.AGENT, agent_id=None, password_hash="h", language="es")
    beto = await store.save_user("beto", "Beto", UserRole.AGENT, agent_id=None, password_hash="h", language="es")
    for kind, digest, user in (
        ("session", "1", ana),
        ("session", "2", ana),
        ("token", "3", ana),
        ("session", "4", beto),
    ):
        await store.add_credential(kind, digest, user.id, NOW, None)
    await store.drop_credentials(ana.id, "session")
    left = [await store.credential(k, d, NOW) for k, d in (("session", "1"), ("session", "2"), ("token", "3"))]
    assert [c is not None for c in left] == [False, False, True]
    assert await store.credential("session", "4", NOW) is not None


async def test_a_one_time_secret_lets_in_once_also_when_many_come_at_once(opener: Opener) -> None:
    stores = [await opener() for _ in range(3)]
    user = await stores[0].save_user("ana", "Ana", UserRole.AGENT, agent_id=None, password_hash="", language="es")
    for n in range(5):
        await stores[0].add_credential("once", f"d{n}", user.id, NOW, NOW + HOUR)
        taken = await asyncio.gather(*(s.take_credential("once", f"d{n}", NOW) for s in stores for _ in range(3)))
        assert sum(t is not None for t in taken) == 1
    await stores[0].add_credential("once", "late", user.id, NOW, NOW + HOUR)
    assert await stores[0].take_credential("once", "late", NOW + HOUR) is None


async def test_a_store_that_is_there(store: Store) -> None:
    await store.ping()
