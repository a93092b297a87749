"""Contacts made under concurrency, changes and crashes, judged again by laws that share nothing with the gate.

A small form of benchmarks/lawful_contacts.py. That it can fail is shown beside it: a judge that does not see what was
contacted before, or who is excluded, or what was revoked, lets contacts pass that the re-check finds.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from cadencia.domain.dialing import ContactFacts
from cadencia.recheck import LAWS

sys.path.insert(0, str(Path(__file__).parent))
sys.path.insert(0, str(Path(__file__).parents[2]))

from store_fixtures import throwaway

from benchmarks.lawful_contacts import CAMPAIGNS, forgetful, honest, on_memory, on_postgres


def deaf(seen: ContactFacts) -> ContactFacts:
    """Hears no revocation."""
    return replace(seen, facts=replace(seen.facts, consents=tuple(c for c in seen.facts.consents if c.granted)))


def blind(seen: ContactFacts) -> ContactFacts:
    """Sees no list."""
    return replace(seen, person=replace(seen.person, blocked=None), facts=replace(seen.facts, exclusions=()))


def distant(seen: ContactFacts) -> ContactFacts:
    """Does not know what others are called on the number."""
    return replace(seen, facts=replace(seen.facts, shared=()))


def test_campaigns_are_under_laws_that_the_recheck_knows() -> None:
    assert {name for profiles, *_ in CAMPAIGNS.values() for name in profiles} <= set(LAWS)


@pytest.mark.postgres
async def test_no_contact_of_processes_that_are_killed_is_unlawful(tmp_path: Path) -> None:
    with throwaway() as server:
        told = await on_postgres(server, server.start(), 1500, 500, 11, tmp_path, batch=40, ask=honest, every=200)
    assert told["violations"] == 0, told["first"]
    # Who is killed between the commit and its answer never learns that he sent.
    assert 1500 <= told["sent"] <= told["contacts"] <= told["sent"] + (told["kill_9"] + told["cancelled"] + 9) * 40
    assert told["kill_9"] > 0
    assert told["changes"] > 20
    assert len(told["denied"]) >= 7, told["denied"]


async def test_no_contact_is_unlawful_in_memory() -> None:
    told = await on_memory(8000, 600, seed=12)
    assert told["violations"] == 0, told["first"]
    assert told["contacts"] > 6000


@pytest.mark.parametrize(
    ("spoilt", "rules"),
    [
        (forgetful, {"HOUSE-DAY", "HOUSE-WEEK", "CO-5"}),
        (deaf, {"CO-2"}),
        (blind, {"EXCLUDED", "BLOCKED"}),
        (distant, {"UK-24H", "UK-72H"}),
    ],
)
async def test_a_gate_with_a_hole_is_found_out(spoilt: Callable[[ContactFacts], ContactFacts], rules: set[str]) -> None:
    told = await on_memory(3500, 400, seed=13, ask=spoilt)
    assert rules <= set(told["by_rule"]), told["by_rule"]
