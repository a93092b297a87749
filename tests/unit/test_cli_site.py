"""`cadencia asterisk config` and `check` without an Asterisk: what is written where, and what is refused."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from click.testing import Result
from typer.testing import CliRunner

from cadencia.cli.app import app
from cadencia.errors import ConfigError, Words

TWO = """
[servers.bogota]
port = 1
secret = "bogota-bogota-1"
[[servers.bogota.phones]]
names = ["a1001"]
own = true
[servers.cali]
port = 1
secret = "cali-cali-cali-1"
phone_key = "key-key-key-key-key"
[[servers.cali.phones]]
names = ["a2001"]
"""


@pytest.fixture
def settings(tmp_path: Path) -> Path:
    path = tmp_path / "cadencia.toml"
    path.write_text(TWO)
    return path


def run(settings: Path, *words: str, lang: str = "C") -> Result:
    env = {"LANG": lang, "LC_ALL": lang}
    return CliRunner().invoke(app, ["asterisk", *words, "-c", str(settings)], env=env)


def test_several_servers_go_into_a_folder_each(settings: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    done = run(settings, "config", "--out", str(out))
    assert done.exit_code == 0 and done.output.count("written") == 6
    assert sorted(path.name for path in out.iterdir()) == ["bogota", "cali"]
    assert "[a2001]" in (out / "cali/cadencia_pjsip.conf").read_text()
    assert "[a1001]" not in (out / "bogota/cadencia_pjsip.conf").read_text()
    assert {path.stat().st_mode & 0o777 for path in out.glob("*/*")} == {0o600}

    one = tmp_path / "one"
    assert run(settings, "config", "--server", "cali", "--out", str(one)).exit_code == 0
    assert (one / "cadencia_pjsip.conf").read_text() == (out / "cali/cadencia_pjsip.conf").read_text()
    assert not [path for path in one.iterdir() if path.name.startswith(".")]


def test_it_is_told_as_json_and_in_spanish(settings: Path, tmp_path: Path) -> None:
    out = str(tmp_path / "out")
    told = json.loads(run(settings, "config", "--server", "cali", "--out", out, "--diff", "--json").output)
    assert [entry["changed"] for entry in told] == [True] * 3
    assert "+[a2001]" in told[2]["diff"]
    assert run(settings, "config", "--server", "cali", "--out", out, lang="es_CO.UTF-8").output.count("escrito") == 3
    told = json.loads(run(settings, "config", "--server", "cali", "--out", out, "--json").output)
    assert [entry["changed"] for entry in told] == [False] * 3
    assert run(settings, "config", "--server", "cali", "--out", out, "--diff", lang="es").output == "Nada cambiaría.\n"
    done = run(settings, "check", lang="es_CO.UTF-8")
    assert done.exit_code == 1
    assert done.output.count("mal  enlace") == 2 and "Qué hacer: Arranque Asterisk" in done.output


def test_a_file_gets_the_owner_of_the_one_beside_it(settings: Path, tmp_path: Path) -> None:
    """Asterisk, which runs as a user of its own, must be able to read what root writes."""
    if os.geteuid() != 0:
        pytest.skip("only root may give files away")
    etc = tmp_path / "etc"
    etc.mkdir()
    (etc / "manager.conf").touch(0o640)
    (etc / "manager.conf").chmod(0o640)
    os.chown(etc / "manager.conf", 0, 4242)
    assert run(settings, "config", "--server", "cali", "--out", str(etc)).exit_code == 0
    for path in etc.glob("cadencia_*"):
        held = path.stat()
        assert (held.st_uid, held.st_gid, held.st_mode & 0o777) == (0, 4242, 0o640)


def refused(settings: Path, *words: str) -> ConfigError:
    error = run(settings, *words).exception
    assert isinstance(error, ConfigError)
    assert isinstance(error.message, Words) and isinstance(error.hint, Words)
    return error


def test_what_cannot_be_done_is_told(settings: Path, tmp_path: Path) -> None:
    error = refused(settings, "config", "--server", "medellin")
    assert "no server medellin" in error.message and "bogota, cali" in error.hint
    error = refused(settings, "check", "--local")
    assert "--local is about one" in error.message and "bogota, cali" in error.hint
    settings.write_text(TWO.replace('phone_key = "key-key-key-key-key"', ""))
    out = tmp_path / "out"
    error = refused(settings, "config", "--out", str(out))
    assert "servers.cali.phone_key" in error.message
    assert not out.exists(), "all or nothing"


def test_a_folder_that_cannot_be_written(settings: Path, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    error = run(settings, "config", "--server", "cali", "--out", str(tmp_path / "file")).exception
    assert error is not None and str(tmp_path / "file") in str(error)


def test_the_check_as_json(settings: Path) -> None:
    done = run(settings, "check", "--json", "--server", "cali", "--local", "--asterisk-command", "/no/asterisk -C x")
    (told,) = json.loads(done.output)
    assert done.exit_code == 1 and told["server"] == "cali" and not told["ok"]
    assert [(row["code"], row["ok"]) for row in told["checks"]] == [("link", False), ("console", False)]
    assert "/no/asterisk cannot be asked" in told["checks"][1]["findings"][0]["what"]
