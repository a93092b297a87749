"""Changes of legal profiles: what the engine reads, what ships later, going back, and yesterday's questions."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

import pytest

from cadencia.compliance.judge import Judge
from cadencia.config.profiles import Rulebook, load_profile, load_site
from cadencia.dialer.law import Law, earlier, read_proposal, renumbered, yesterday
from cadencia.domain.codes import Denial
from cadencia.domain.dialing import Campaign, CampaignSettings, CampaignState, ContactFacts
from cadencia.domain.law import Profile, Verdict
from cadencia.domain.profiles import PROGRAM, ProfileState, ProfileText
from cadencia.errors import Refused
from cadencia.store.memory import MemoryStore
from cadencia.store.port import Claim
from cadencia.testing.floor import people

#: A Tuesday, 09:00 in Bogotá.
NOW = datetime(2026, 11, 24, 14, 0, tzinfo=UTC)
CO = "co-ley2300"


def edited(book: Rulebook, number: int, *changes: tuple[str, str]) -> ProfileText:
    source = renumbered(book.texts[CO], number)
    for old, new in changes:
        assert old in source
        source = source.replace(old, new)
    return ProfileText(CO, number, hashlib.sha256(source.encode()).hexdigest(), source)


async def approved(store: MemoryStore, text: ProfileText, at: datetime = NOW) -> None:
    await store.propose_profile(text, "ana", "prueba", at)
    await store.decide_profile(text.id, text.version, approve=True, by="eva", reason="", now=at)


def shipped(book: Rulebook, text: ProfileText) -> Rulebook:
    """The book of another version of the program."""
    profile = load_profile(text.source, name="", calendars=book.calendars)
    profiles: Mapping[str, Profile] = {**book.profiles, text.id: profile}
    return Rulebook(profiles, book.calendars, {**book.texts, text.id: text.source})


async def test_the_engine_reads_what_is_in_force_once_for_each_change() -> None:
    store, book = MemoryStore(), load_site(None)
    law = Law(book)
    first = await law.take_up(store, NOW)
    assert first == book.profiles
    assert await law.changed(store) is None
    await approved(store, edited(book, 9))
    changed = await law.changed(store)
    assert changed is not None and changed[CO].version == 9
    assert await law.changed(store) is None


@pytest.mark.parametrize("broken", ["not toml", 'id = "otro"\nversion = 9'])
async def test_what_cannot_be_read_is_missing_and_the_gate_denies(broken: str) -> None:
    store, book = MemoryStore(), load_site(None)
    law = Law(book)
    await law.take_up(store, NOW)
    await approved(store, ProfileText(CO, 9, hashlib.sha256(broken.encode()).hexdigest(), broken))
    changed = await law.changed(store)
    assert changed is not None and CO not in changed and "mx" in changed
    assert Judge(changed).stack(CampaignSettings()).missing == (CO,)


async def test_a_text_that_was_altered_in_the_store_does_not_hold() -> None:
    store, book = MemoryStore(), load_site(None)
    law = Law(book)
    await law.take_up(store, NOW)
    await approved(store, ProfileText(CO, 9, "0" * 64, renumbered(book.texts[CO], 9)))
    changed = await law.changed(store)
    assert changed is not None and CO not in changed


async def test_what_ships_later_waits_for_somebody() -> None:
    store, book = MemoryStore(), load_site(None)
    await Law(book).take_up(store, NOW)
    newer = shipped(book, edited(book, 9))
    in_force = await Law(newer).take_up(store, NOW)
    assert in_force[CO].version == book.profiles[CO].version
    newest = (await store.profile_versions(CO))[0]
    assert (newest.text.version, newest.state, newest.proposed_by) == (9, ProfileState.PROPOSED, PROGRAM)


async def test_what_ships_under_a_number_that_the_site_has_used_gets_the_next_one_once() -> None:
    store, book = MemoryStore(), load_site(None)
    await Law(book).take_up(store, NOW)
    await approved(store, edited(book, 9))
    other = shipped(book, edited(book, 9, ('title = "', 'title = "Nueva: ')))
    law = Law(other)
    for _ in range(3):
        await law.take_up(store, NOW)
    newest, before = (await store.profile_versions(CO))[:2]
    assert (newest.text.version, newest.state) == (10, ProfileState.PROPOSED)
    assert (before.text.version, before.state) == (9, ProfileState.ACTIVE)
    understood = law.profile(newest)
    assert understood is not None and understood.title.startswith("Nueva: ")
    assert f"# {CO}@9 " in newest.text.source


async def test_going_back_is_a_proposal_of_the_text_from_before() -> None:
    store, book = MemoryStore(), load_site(None)
    law = Law(book)
    await law.take_up(store, NOW)
    first = book.profiles[CO].version
    await approved(store, edited(book, 9))
    text, profile = await earlier(store, law, CO, first)
    assert (text.version, profile.version) == (10, 10)
    assert renumbered(text.source, first) == renumbered(book.texts[CO], first)
    assert read_proposal(text.source, "", book) == (text, profile)
    for version, said in ((9, "was not in force"), (77, "no version 77")):
        with pytest.raises(Refused, match=said):
            await earlier(store, law, CO, version)


async def test_yesterdays_questions_are_asked_again() -> None:
    store, book = MemoryStore(), load_site(None)
    in_force = await Law(book).take_up(store, NOW)
    settings = CampaignSettings()
    await store.create_campaign(Campaign("c1", "C", CampaignState.RUNNING, settings, NOW), "ana")
    await store.import_people("c1", people(30), NOW)
    token, judge, ids = await store.lead("engine", NOW), Judge(in_force), iter(range(1000))

    async def ask(at: datetime) -> None:
        def verdict(facts: ContactFacts) -> Verdict:
            return judge.recorded(facts, settings, at)

        await store.claim(Claim("c1", 10, at, token, verdict, lambda: f"a{next(ids)}"))

    for hour in range(3):
        await ask(NOW + timedelta(hours=hour))
    # Mornings are closed by a version that opens at noon on that weekday.
    later = edited(book, 9, ('tue = ["07:00-19:00"]', 'tue = ["12:00-19:00"]'))
    _, profile = read_proposal(later.source, "", book)
    told: list[tuple[int, int]] = []
    found = await yesterday(store, in_force, profile, NOW + timedelta(days=1), lambda *n: told.append(n))
    assert found.day.isoformat() == "2026-11-24" and found.campaigns == ("c1",)
    assert (found.effect.asked, found.effect.allowed) == (30, 30)
    assert found.effect.now_denied == {Denial.HOURS: 30} and found.effect.now_allowed == {}
    assert len(found.effect.cases) == 3 and found.effect.cases[0].rule == f"{CO}:hours"
    assert told[0] == (0, 30) and told[-1] == (30, 30)
    # And the other way round: what is denied by the one is allowed by the other.
    back = await yesterday(store, {**in_force, CO: profile}, in_force[CO], NOW + timedelta(days=1))
    assert back.effect.now_denied == {} and back.effect.now_allowed == {Denial.HOURS: 30}
    unused = await yesterday(store, in_force, in_force["mx"], NOW + timedelta(days=1))
    assert unused.campaigns == () and unused.effect.asked == 0
