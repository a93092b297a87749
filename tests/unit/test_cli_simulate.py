"""`cadencia simulate`: its table, its JSON, its pictures, and what it refuses."""

from __future__ import annotations

import asyncio
import importlib
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from cadencia.cli.app import app
from cadencia.cli.text import error_text
from cadencia.domain.dialing import Campaign, CampaignSettings, CampaignState, Mode, Prior
from cadencia.domain.events import Event
from cadencia.errors import CadenciaError
from cadencia.pacing.learned import Learned
from cadencia.store.memory import MemoryStore

BRIEF = ("--agents", "4", "--hours", "0.2", "--days", "1")
#: 09:00 in Bogotá.
NINE = datetime(2026, 11, 24, 14, 0, tzinfo=UTC)

simulate = importlib.import_module("cadencia.cli.simulate")


@pytest.fixture(autouse=True)
def english(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LC_ALL", "C")
    monkeypatch.setenv("COLUMNS", "120")


def run(*args: str, **more: Any) -> Result:
    return CliRunner().invoke(app, ["simulate", *args], **more)


def told(*args: str, **more: Any) -> list[dict[str, Any]]:
    done = run(*args, "--json", **more)
    assert done.exit_code == 0, done.output
    found: list[dict[str, Any]] = json.loads(done.output, parse_constant=lambda name: pytest.fail(name))
    return found


def refused(*args: str, **more: Any) -> str:
    """What a person reads."""
    done = run(*args, **more)
    assert isinstance(done.exception, CadenciaError), done.output
    assert done.exception.exit_code in (1, 2)
    return error_text(done.exception)


def events(campaign: str) -> list[Event]:
    """Ten minutes of one agent's morning, from 09:00."""
    made = [Event("agent.state", NINE, agent_id="a1", body={"state": "ready"})]
    for n in range(20):
        at, attempt = NINE + timedelta(seconds=30 * n), f"k{n}"
        made.append(Event("attempt.sending", at, campaign_id=campaign, attempt_id=attempt))
        if n % 4 == 0:
            answer = at + timedelta(seconds=8)
            made.append(Event("attempt.answered", answer, campaign_id=campaign, attempt_id=attempt))
        body = {"outcome": "NOA", "talk_s": 0.0} if n % 4 else {"outcome": "CON", "talk_s": 12.0}
        end = at + timedelta(seconds=25 if n % 4 else 20)
        made.append(Event("attempt.settled", end, campaign_id=campaign, attempt_id=attempt, body=body))
    made.append(Event("agent.state", NINE + timedelta(seconds=630), agent_id="a1", body={"state": "out"}))
    return sorted(made, key=lambda event: event.at)


@pytest.fixture
def store(monkeypatch: pytest.MonkeyPatch) -> MemoryStore:
    """A store with a campaign that has learnt and dialled, one that has not, and one whose agents choose."""
    made = MemoryStore()

    async def fill() -> None:
        ratio = CampaignSettings(Mode.RATIO, ratio=1.5, abandonment_cap=0.02, abandonment_target=0.01, wait_s=3)
        for name, settings in (
            ("c1", ratio),
            ("new", CampaignSettings()),
            ("look", CampaignSettings(Mode.PREVIEW)),
        ):
            await made.create_campaign(Campaign(name, name, CampaignState.RUNNING, settings, NINE), "test")
        for name in ("c1", "look"):
            await made.save_prior(Prior(name, "", 9, Learned().export(), NINE))
        await made.append(events("c1"))

    @asynccontextmanager
    async def opened(config: Path | None) -> AsyncIterator[MemoryStore]:
        yield made

    asyncio.run(fill())
    monkeypatch.setattr(simulate, "opened_store", opened)
    return made


# -- what it tells -----------------------------------------------------------------------------------------------------
def test_a_table_with_a_column_for_each_policy(monkeypatch: pytest.MonkeyPatch) -> None:
    english = run(*BRIEF, "--compare", "ratio=1.5", "--compare", "predictive@1")
    assert english.exit_code == 0
    for words in ("predictive", "ratio=1.5", "predictive@1", "utilisation %", "abandoned %", "dials per contact"):
        assert words in english.output
    assert "±" not in english.output  # one day has no interval
    monkeypatch.setenv("LC_ALL", "es_CO.UTF-8")
    spanish = run(*BRIEF, "--days", "2")
    assert "utilización %" in spanish.output
    assert "espera media del agente, s" in spanish.output
    assert "±" in spanish.output


def test_json_has_the_figures_and_no_interval_where_there_is_none() -> None:
    first, second = told(*BRIEF, "--mode", "ratio=2")
    assert (first["policy"], second["policy"]) == ("ratio=2", "progressive")
    assert 0.0 < first["utilisation"]["mean"] < 1.0
    assert first["wait_mean_s"]["half"] is None
    assert second["abandonment"]["mean"] == 0.0
    assert told(*BRIEF, "--mode", "ratio=2") == [first, second]
    assert told(*BRIEF, "--mode", "ratio=2", "--seed", "2")[0] != first


def test_the_floors_limits_and_times_count() -> None:
    plain, *_ = told(*BRIEF, "--compare", "progressive")
    for option in (("--channels", "2"), ("--rate", "0.05"), ("--world", "hostile"), ("--answer-rate", "60"),
                   ("--ring-s", "10"), ("--agents", "6")):  # fmt: skip
        assert told(*BRIEF, *option)[0] != plain, option


@pytest.mark.parametrize("ending", ["svg", "png"])
def test_a_picture_is_drawn(tmp_path: Path, ending: str) -> None:
    pytest.importorskip("matplotlib")
    target = tmp_path / f"floor.{ending}"
    assert run(*BRIEF, "--plot", str(target)).exit_code == 0
    begins = target.read_bytes()[:200]
    assert (b"PNG" if ending == "png" else b"<?xml") in begins


def test_what_was_learnt_may_come_from_a_file_or_standard_input(tmp_path: Path) -> None:
    learnt = json.dumps(Learned().export())
    target = tmp_path / "learnt.json"
    target.write_text(learnt)
    found = told(*BRIEF, "--learned", str(target))
    assert found == told(*BRIEF, "--learned", "-", input=learnt)
    assert found != told(*BRIEF)


# -- of a campaign -----------------------------------------------------------------------------------------------------
@pytest.mark.usefixtures("store")
def test_a_campaign_brings_its_own_policy_and_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Any] = []
    outlook = simulate.outlook
    monkeypatch.setattr(
        simulate, "outlook", lambda scenario, policy: asked.append(scenario.floor) or outlook(scenario, policy)
    )
    found = told(*BRIEF, "--campaign", "c1")
    assert [one["policy"] for one in found] == ["ratio=1.5@1", "progressive"]
    assert (asked[0].cap, asked[0].target, asked[0].wait_s) == (0.02, 0.01, 3.0)
    asked.clear()
    told(*BRIEF, "--campaign", "c1", "--mode", "predictive", "--cap", "5", "--wait-s", "2", "--min-ring-s", "20")
    assert (asked[0].cap, asked[0].target, asked[0].wait_s, asked[0].min_ring_s) == (0.05, None, 2.0, 20.0)
    assert told(*BRIEF, "--campaign", "look")[0]["policy"] == "predictive"  # what would dial for those who choose


@pytest.mark.usefixtures("store")
def test_a_day_of_the_log_is_run_again() -> None:
    found, _ = told("--campaign", "c1", "--replay", "2026-11-24", "--days", "1", "--mode", "progressive")
    assert 2.0 < found["dials_per_contact"]["mean"] < 8.0
    assert 0.1 < found["utilisation"]["mean"] < 0.8


# -- what it refuses ---------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("args", "message"),
    [
        (("--mode", "fast"), "'fast' is no policy."),
        (("--mode", "preview"), "In preview the agents set the pace."),
        (("--mode", "ratio=0.5"), "'ratio=0.5' is no policy."),
        (("--mode", "ratio=1.2.3"), "'ratio=1.2.3' is no policy."),
        (("--compare", "predictive=2"), "'predictive=2' is no policy."),
        (("--world", "paradise"), "There is no world 'paradise'."),
        (("--mode", "predictive@5"), "The target of 'predictive@5' is above the cap."),
        (("--mode", "predictive@2", "--cap", "1"), "The target of 'predictive@2' is above the cap."),
        (("--plot", "floor.doc"), "floor.doc names no picture format."),
        (("--plot", "/nowhere/floor.svg"), "/nowhere/floor.svg cannot be written"),
        (("--learned", "/nowhere.json"), "/nowhere.json holds nothing that was learnt"),
        (("--learned", "-"), "- holds nothing that was learnt"),
        (("--replay", "2026-11-24"), "A day is replayed for one campaign."),
        (("--campaign", "c9"), "There is no campaign c9."),
        (("--campaign", "new"), "Campaign new has learnt nothing yet."),
        (("--campaign", "c1", "--replay", "24/11/2026"), "'24/11/2026' is no date."),
        (("--campaign", "c1", "--replay", "2026-11-23"), "On 2026-11-23 campaign c1 dialled nobody."),
        (("--campaign", "new", "--replay", "2026-11-24"), "On 2026-11-24 campaign new dialled nobody."),
    ],
)
@pytest.mark.usefixtures("store")
def test_it_says_what_is_wrong_before_it_simulates(
    monkeypatch: pytest.MonkeyPatch, args: tuple[str, ...], message: str
) -> None:
    monkeypatch.setattr(simulate, "outlook", lambda *_: pytest.fail("simulated"))
    text = refused(*args)
    assert message in text
    assert "What to do: " in text
    monkeypatch.setenv("LC_ALL", "es_CO.UTF-8")
    spanish = refused(*args)
    assert "Qué hacer: " in spanish
    assert message not in spanish


@pytest.mark.parametrize("text", ["[]", "{}", "{", '{"version": 1}', '{"version": 99, "rate": 0.2}'])
def test_a_file_that_holds_something_else_is_refused(text: str) -> None:
    assert "holds nothing that was learnt" in refused("--learned", "-", input=text)


@pytest.mark.parametrize("option", [("--agents", "0"), ("--hours", "0"), ("--days", "0"), ("--wait-s", "0"),
                                    ("--cap", "30"), ("--answer-rate", "120")])  # fmt: skip
def test_what_no_floor_has_is_wrong_usage(option: tuple[str, str]) -> None:
    assert run(*option).exit_code == 2
