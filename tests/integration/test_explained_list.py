"""What is explained of a whole list is what a claim does with it: benchmarks/explain.py in small, in memory."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import pytest

from cadencia.compliance.judge import Judge
from cadencia.domain.dialing import CampaignSettings, ContactFacts
from cadencia.domain.law import Deny, Verdict
from cadencia.store.memory import MemoryStore

sys.path.insert(0, str(Path(__file__).parents[2]))

from benchmarks.explain import run


async def test_a_thousand_are_explained_as_they_are_claimed() -> None:
    told = await run(MemoryStore(keep_events=0), 1500, 3)
    assert told["differences"] == 0
    assert told["compared"] >= 1000  # the others are not due yet
    assert told["codes"]["callable"] > 200
    assert len(told["codes"]) >= 7, told["codes"]


async def test_one_that_is_explained_otherwise_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whose reason is left out in every other answer."""
    sound, asked = Judge.verdict, 0

    def vague(self: Judge, contact: ContactFacts, settings: CampaignSettings, now: object) -> Verdict:
        nonlocal asked
        asked += 1
        said = sound(self, contact, settings, now)  # type: ignore[arg-type]
        return replace(said, rule="") if isinstance(said, Deny) and asked % 2 else said

    monkeypatch.setattr(Judge, "verdict", vague)
    assert (await run(MemoryStore(keep_events=0), 100, 3))["differences"] > 10
