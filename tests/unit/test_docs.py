"""The documents tell the truth, as far as a program can see: links, paths, commands, settings, and the drawn table."""

from __future__ import annotations

import importlib.util
import re
import shutil
import subprocess
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import typer

from cadencia.cli.app import app
from cadencia.config import load
from cadencia.config.servers import Phones, Section, Server, Trunk
from cadencia.config.settings import PREFIX, Settings
from cadencia.domain.dialing import CampaignSettings

ROOT = Path(__file__).resolve().parents[2]
TWINS = (
    ("README.md", "README.es.md"),
    ("docs/quickstart.md", "docs/es/quickstart.md"),
    ("docs/beside-your-asterisk.md", "docs/es/junto-a-su-asterisk.md"),
)
WRITTEN = (
    "README.md",
    "README.es.md",
    "ARCHITECTURE.md",
    "CHANGELOG.md",
    "CONTRIBUTING.md",
    "docs/quickstart.md",
    "docs/es/quickstart.md",
    "docs/asterisk.md",
    "docs/beside-your-asterisk.md",
    "docs/es/junto-a-su-asterisk.md",
    "docs/abandonment.md",
    "docs/configuration.md",
    "docs/glossary.md",
    "docs/call-states.md",
    "docs/controllers.md",
    "docs/evidence.md",
    "docs/pacing.md",
    "docs/profiles.md",
    "docs/simulate.md",
    "docs/telephony.md",
    "benchmarks/README.md",
)
#: Of the places this was written in, nothing may be left in it. (In two halves, so that this line does not count.)
WORKPLACE = tuple("".join(halves) for halves in (("/wo", "rk/"), ("../sha", "red"), ("/fa", "rm"), (".libr", "ary")))
CODE = re.compile(r"```(\w*)\n(.*?)```", re.DOTALL)


def text(name: str) -> str:
    return (ROOT / name).read_text("utf-8")


def prose(name: str) -> str:
    """A page without its blocks of code."""
    return CODE.sub("", text(name))


@cache
def tracked() -> tuple[str, ...]:
    if shutil.which("git") is None or not (ROOT / ".git").exists():
        pytest.skip("this is no clone")
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True)
    return tuple(filter(None, listed.stdout.decode().split("\0")))


@cache
def drawing() -> ModuleType:
    spec = importlib.util.spec_from_file_location("draw_call_states", ROOT / "scripts/draw_call_states.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


# -- the drawing -------------------------------------------------------------------------------------------------------
def test_the_diagram_is_the_table() -> None:
    script = drawing()
    assert script.drawn(script.PAGE.read_text("utf-8")) == script.diagram()


# -- links and paths ---------------------------------------------------------------------------------------------------
def slug(heading: str) -> str:
    """A heading's anchor, as GitHub makes it."""
    return re.sub(r"[^\w\- ]", "", heading.strip().lower()).replace(" ", "-")


@pytest.mark.parametrize("name", WRITTEN)
def test_links_lead_somewhere(name: str) -> None:
    for target in re.findall(r"\]\(([^)\s]+)\)", prose(name)):
        if re.match(r"[a-z]+:", target):
            continue
        path, _, anchor = target.partition("#")
        aim = (ROOT / name).parent / path if path else ROOT / name
        assert aim.exists(), f"{name}: {target}"
        if anchor:
            headings = re.findall(r"^#+ (.+)$", CODE.sub("", aim.read_text("utf-8")), re.MULTILINE)
            assert anchor in map(slug, headings), f"{name}: {target}"


@pytest.mark.parametrize("name", WRITTEN)
def test_paths_that_are_named_exist(name: str) -> None:
    for path in re.findall(r"`((?:cadencia|tests|scripts|docs|ui|benchmarks|\.ci)/[\w./-]*)`", prose(name)):
        if path.startswith(Server().message):
            continue  # a sound on the switch
        assert (ROOT / path).exists(), f"{name}: {path}"


# -- commands ----------------------------------------------------------------------------------------------------------
def commands(name: str) -> list[list[str]]:
    """What a page says to type after `cadencia`, in blocks of code and between backquotes."""
    page = text(name)
    lines = [line.partition(" #")[0] for _, block in CODE.findall(page) for line in block.splitlines()]
    found = [re.fullmatch(r"(?:sudo |CADENCIA\w*=\S+ |\.venv/bin/)*cadencia (.+)", line.strip()) for line in lines]
    typed = [match[1] for match in found if match]
    return [words.split() for words in typed + re.findall(r"`(?:\.venv/bin/)?cadencia ([^`]+)`", prose(name))]


@pytest.mark.parametrize("name", WRITTEN)
def test_commands_that_are_named_exist(name: str) -> None:
    for words in commands(name):
        command: Any = typer.main.get_command(app)
        rest = list(words)
        while rest and hasattr(command, "commands") and not rest[0].startswith("-"):
            assert rest[0] in command.commands, f"{name}: cadencia {' '.join(words)}"
            command = command.commands[rest.pop(0)]
        known = {option for parameter in command.params for option in parameter.opts} | {"--help"}
        for word in rest:
            assert not word.startswith("-") or word in known, f"{name}: cadencia {' '.join(words)}: {word}"


def test_the_readme_names_commands() -> None:
    assert len(commands("README.md")) >= 4


# -- the twins ---------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(("english", "spanish"), TWINS)
def test_twins_have_the_same_headings_and_commands(english: str, spanish: str) -> None:
    def shape(name: str) -> list[int]:
        return [len(marks) for marks in re.findall(r"^(#+) ", CODE.sub("", text(name)), re.MULTILINE)]

    def blocks(name: str) -> list[list[str]]:
        return [[line.partition(" #")[0].rstrip() for line in b.splitlines()] for _, b in CODE.findall(text(name))]

    assert shape(english) == shape(spanish)
    assert blocks(english) == blocks(spanish)


def test_the_readmes_are_short() -> None:
    assert all(len(text(name).splitlines()) < 150 for name in ("README.md", "README.es.md"))


# -- settings ----------------------------------------------------------------------------------------------------------
def described(prefix: str, section: Section) -> None:
    page = text("docs/configuration.md")
    for key, value in section:
        row = re.search(rf"^\| `{prefix}\.{key}` \| ([^|]+) \|", page, re.MULTILINE)
        assert row, f"{prefix}.{key}"
        told = ",".join(value) if isinstance(value, tuple) and all(isinstance(v, str) for v in value) else value
        if isinstance(told, int | float | str) and told != "":
            assert row[1].strip() == f"`{str(told).lower() if isinstance(told, bool) else told}`", row[0]


def test_every_setting_is_described_with_its_default() -> None:
    for section, held in Settings():
        if section != "servers":
            described(section, held)
    described("servers.NAME", Server())
    described("trunks.TRUNK", Trunk())
    for key in Phones.model_fields:
        assert f"| `phones.{key}` | " in text("docs/configuration.md")


def test_every_setting_of_a_campaign_is_described_with_its_default() -> None:
    page = text("docs/configuration.md")
    for key, value in CampaignSettings().__dict__.items():
        row = re.search(rf"^\| `{key}` \| ([^|]+) \|", page, re.MULTILINE)
        assert row, key
        told = ",".join(value) if isinstance(value, tuple) else value
        assert told == "" or row[1].strip() == f"`{told}`", row[0]


@pytest.mark.parametrize("name", ["docs/configuration.md", "docs/beside-your-asterisk.md"])
def test_the_settings_files_that_are_shown_are_some(name: str, tmp_path: Path) -> None:
    shown = [block for kind, block in CODE.findall(text(name)) if kind == "toml"]
    assert shown
    for block in shown:
        path = tmp_path / "cadencia.toml"
        path.write_text(block, "utf-8")
        load(path, {})


def test_the_variables_that_are_shown_are_settings() -> None:
    for name in re.findall(rf"{PREFIX}(\w+)", text("docs/configuration.md")):
        section, *_, key = name.lower().split("__")
        fields = Server.model_fields if section == "servers" else Settings.model_fields[section].annotation.model_fields  # type: ignore[union-attr]
        assert key in fields, name


# -- what must not be in it --------------------------------------------------------------------------------------------
def test_no_file_tells_where_it_was_written() -> None:
    for name in tracked():
        path = ROOT / name
        content = path.read_bytes() if path.is_file() else b""
        if b"\0" in content[:8000]:
            continue  # a picture
        told = content.decode("utf-8", errors="replace")
        assert not [word for word in WORKPLACE if word in told], name


def test_the_example_of_the_gate_runs() -> None:
    (example,) = [block for kind, block in CODE.findall(text("docs/lawful-contact.md")) if kind == "python"]
    exec(compile(example, "docs/lawful-contact.md", "exec"), {})  # noqa: S102
