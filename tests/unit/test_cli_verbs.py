"""The command line: every verb's help, the languages, and faults that nobody expected."""

from __future__ import annotations

import errno
import importlib
import json
import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from cadencia.cli import main
from cadencia.cli.app import app
from cadencia.cli.faults import SystemRefused
from cadencia.cli.options import document, instant, local_date
from cadencia.cli.text import error_text, language
from cadencia.cli.writing import verify_writable, write_whole
from cadencia.errors import ConfigError, Refused, Words

cli_app = importlib.import_module("cadencia.cli.app")


def verbs(command: Any, words: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    if hasattr(command, "commands"):
        for name, below in command.commands.items():
            yield from verbs(below, (*words, name))
    else:
        yield words, command


ALL = dict(verbs(typer.main.get_command(app)))


@pytest.mark.parametrize("words", ALL, ids=" ".join)
def test_every_verb_has_a_help_with_an_example_of_itself(words: tuple[str, ...]) -> None:
    done = CliRunner().invoke(app, [*words, "--help"])
    assert done.exit_code == 0
    visible = ("asterisk", "lab", "cli") if words[-1] == "console" else words
    assert f"Example: cadencia {' '.join(visible)}" in done.output
    example = done.output.split("Example: cadencia ")[1].split("\n\n")[0]
    options = {option for parameter in ALL[words].params for option in parameter.opts}
    assert {word for word in example.split() if word.startswith("-")} <= options


def test_verbs_that_print_data_print_json_too() -> None:
    always = {("asterisk", "root"), *((("asterisk", "lab", verb)) for verb in ("start", "stop", "info"))}
    silent = {("run",), ("db", "stop")}
    for words, command in ALL.items():
        options = {option for parameter in command.params for option in parameter.opts}
        assert "--json" in options or words in always | silent, words


@pytest.mark.parametrize("args", [("nothing",), ("demo", "--agents", "0"), ("import",), ("run", "--bogus")])
def test_wrong_usage_ends_with_2(args: tuple[str, ...]) -> None:
    assert CliRunner().invoke(app, list(args)).exit_code == 2


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({"LANG": "es_CO.UTF-8"}, "es"),
        ({"LANG": "en_US.UTF-8"}, "en"),
        ({"LANG": "es_CO.UTF-8", "LC_ALL": "C"}, "en"),
        ({"LANG": "C", "LC_MESSAGES": "es"}, "es"),
        ({"LANG": "es_CO", "LC_ALL": ""}, "es"),
        ({}, "en"),
    ],
)
def test_the_language_is_the_environments(
    monkeypatch: pytest.MonkeyPatch, environment: dict[str, str], expected: str
) -> None:
    for name in ("LC_ALL", "LC_MESSAGES", "LANG"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert language() == expected


def test_an_error_is_told_in_three_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    error = Refused(Words("No.", "No se puede."), Words("Ask.", "Pregunte."))
    monkeypatch.setenv("LC_ALL", "es_CO.UTF-8")
    assert error_text(error) == "Error: No se puede.\nQué hacer: Pregunte.\n(CAD-REFUSED)"
    monkeypatch.setenv("LC_ALL", "C")
    assert error_text(error) == "Error: No.\nWhat to do: Ask.\n(CAD-REFUSED)"
    assert error_text(Refused("No.")) == "Error: No.\n(CAD-REFUSED)"


# -- main --------------------------------------------------------------------------------------------------------------
def ends(monkeypatch: pytest.MonkeyPatch, error: BaseException) -> int:
    def broken(**_: object) -> None:
        raise error

    monkeypatch.setattr(cli_app, "app", broken)
    with pytest.raises(SystemExit) as ended:
        main()
    assert isinstance(ended.value.code, int)
    return ended.value.code


@pytest.fixture
def data(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.setenv("CADENCIA_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("LC_ALL", "C")
    monkeypatch.delenv("CADENCIA_DEBUG", raising=False)
    return tmp_path / "data"


def test_a_fault_of_ours_is_one_message_and_its_trace_is_kept(
    monkeypatch: pytest.MonkeyPatch, data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert ends(monkeypatch, ValueError("a bug at +57 300 123 4567")) == 1
    said = capsys.readouterr().err
    assert "This is a fault of the program (ValueError)." in said
    assert "Traceback" not in said
    log = data / "faults.log"
    assert str(log) in said
    assert "in broken" in log.read_text()
    assert "123 4567" not in log.read_text()
    assert stat.S_IMODE(log.stat().st_mode) == 0o600
    ends(monkeypatch, KeyError("another"))
    assert log.read_text().count("Traceback") == 2


def test_a_trace_that_cannot_be_kept_can_be_asked_for(
    monkeypatch: pytest.MonkeyPatch, data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data.write_text("no folder")
    monkeypatch.setattr("tempfile.gettempdir", lambda: str(data))
    assert ends(monkeypatch, ValueError("a bug")) == 1
    assert "CADENCIA_DEBUG=1" in capsys.readouterr().err
    monkeypatch.setenv("CADENCIA_DEBUG", "1")
    monkeypatch.setattr(cli_app, "app", lambda **_: 1 // 0)
    with pytest.raises(ZeroDivisionError):
        main()


@pytest.mark.parametrize(
    ("error", "code", "words"),
    [
        (OSError(errno.ENOSPC, "No space left on device", "/data/x"), 1, ("/data/x", "the disk is full", "Make room")),
        (PermissionError(errno.EACCES, "Permission denied", "/x"), 1, ("/x", "Permission denied", "permissions")),
        (OSError(errno.EIO, "Input/output error"), 1, ("The system refused",)),
        (ConfigError("wrong"), 2, ("wrong",)),
        (Refused("no"), 1, ("no",)),
        (KeyboardInterrupt(), 130, ()),
    ],
)
def test_how_it_ends(
    monkeypatch: pytest.MonkeyPatch,
    data: Path,
    capsys: pytest.CaptureFixture[str],
    error: BaseException,
    code: int,
    words: tuple[str, ...],
) -> None:
    assert ends(monkeypatch, error) == code
    said = capsys.readouterr().err
    for word in words:
        assert word in said
    assert not data.exists()


# -- files that the user named -----------------------------------------------------------------------------------------
def test_a_file_is_tried_before_and_left_as_it_was(tmp_path: Path) -> None:
    target = tmp_path / "out.json"
    verify_writable(target)
    assert list(tmp_path.iterdir()) == []
    target.write_text("older")
    verify_writable(target)
    assert target.read_text() == "older"
    for wrong in (tmp_path, tmp_path / "nowhere" / "x"):
        with pytest.raises(ConfigError, match="cannot be written"):
            verify_writable(wrong)


def test_a_file_is_written_whole_or_not_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    target = tmp_path / "out.json"
    write_whole(target, "{}")
    assert json.loads(target.read_text()) == {}
    write_whole(Path(os.devnull), "{}")
    with pytest.raises(SystemRefused, match="the disk is full"):
        write_whole(Path("/dev/full"), "{}")

    def full(*_: object, **__: object) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "write_text", full)
    with pytest.raises(SystemRefused, match="the disk is full") as caught:
        write_whole(target, "new")
    assert caught.value.exit_code == 1
    assert target.read_text() == "{}"
    assert [p.name for p in tmp_path.iterdir()] == ["out.json"]


@pytest.mark.parametrize("told", ["0001-01-01", "9999-12-31", "2026-11-31", "hoy", ""])
def test_a_date_that_no_calendar_reaches_is_none(told: str) -> None:
    with pytest.raises(ConfigError, match="no date"):
        local_date(told)
    with pytest.raises(ConfigError, match="no instant"):
        instant(f"{told}T00:00+14:00")


@pytest.mark.parametrize(
    "words",
    [
        ("explain", "CC-1", "--day", "tomorrow"),
        ("explain", "--campaign", "c1", "--day", "tomorrow", "--at", "2026-11-24T10:00-05:00"),
        ("evidence", "verify", "/nowhere/at/all.jsonl"),  # 1 would say that it was altered
        ("request", "close", "1", "--outcome", " "),
    ],
)
def test_what_cannot_be_meant_is_wrong_usage(words: tuple[str, ...]) -> None:
    with pytest.raises(ConfigError) as wrong:
        CliRunner().invoke(app, list(words), catch_exceptions=False)
    assert wrong.value.exit_code == 2 and wrong.value.hint


@pytest.mark.parametrize("told", ["CC-1020304050", "cc 1020304050", " cc - 1020304050"])
def test_a_document_is_understood_as_it_is_typed(told: str) -> None:
    assert document(told) == ("CC", "1020304050")
