"""Settings: what wins, what is refused and how that is told, and what is never printed."""

from __future__ import annotations

from pathlib import Path

import pytest

from cadencia.config import load
from cadencia.errors import ConfigError, Words

SECRET = "hunter2"


def put(folder: Path, text: str) -> Path:
    path = folder / "cadencia.toml"
    path.write_text(text, "utf-8")
    return path


def refused(folder: Path, text: str, environment: dict[str, str] | None = None) -> ConfigError:
    with pytest.raises(ConfigError) as caught:
        load(put(folder, text), environment or {})
    error = caught.value
    assert isinstance(error.message, Words)
    assert isinstance(error.hint, Words)
    assert SECRET not in "".join((error.message, error.hint, error.message.es, error.hint.es))
    assert error.__cause__ is None
    assert error.exit_code == 2
    return error


def test_without_a_file_there_are_defaults() -> None:
    settings = load(None, {})
    assert (settings.web.port, settings.switch.host, settings.database.url) == (8080, "127.0.0.1", None)


def test_the_environment_wins_over_the_file(tmp_path: Path) -> None:
    path = put(tmp_path, '[switch]\nhost = "pbx"\nport = 5039\n')
    settings = load(path, {"CADENCIA__SWITCH__HOST": "other", "CADENCIA__LOG__LEVEL": "debug", "CADENCIA_DATA": "/x"})
    assert (settings.switch.host, settings.switch.port, settings.log.level) == ("other", 5039, "debug")


def test_a_spreadsheets_mark_at_the_beginning_is_no_trouble(tmp_path: Path) -> None:
    path = tmp_path / "cadencia.toml"
    path.write_bytes(b"\xef\xbb\xbf[web]\nport = 1\n")
    assert load(path, {}).web.port == 1


def test_secrets_are_never_shown(tmp_path: Path) -> None:
    url = f"postgresql://ana:{SECRET}@db/x"
    settings = load(put(tmp_path, f'[switch]\nsecret = "{SECRET}"\n[database]\nurl = "{url}"\n'), {})
    assert settings.switch.secret.get_secret_value() == SECRET
    assert SECRET not in repr(settings) + str(settings) + settings.model_dump_json()


@pytest.mark.parametrize(
    ("text", "place", "words"),
    [
        ('[web]\nport = "eighty"\n', "line 2", ("web.port must be a whole number", "'eighty'")),
        ("[web]\nport = 99999\n", "line 2", ("web.port must be 65535 or less", "99999")),
        ("[database]\n\n# so\nconnections = 1\n", "line 4", ("database.connections must be 2 or more",)),
        ('[log]\nlevel = "loud"\n', "line 2", ("debug, info, warning, error", "'loud'")),
        ('[web]\nsecure_cookies = "perhaps"\n', "line 2", ("true or false",)),
        (f'[switch]\ncaller_name = "{"x" * 41}"\n', "line 2", ("40 signs at most",)),
        ("[switch]\nrate_per_s = 0\n", "line 2", ("above 0",)),
        (f'[switch]\nhost = "h"\nsecret = ["{SECRET}"]\n', "line 3", ("switch.secret must be a text in quotes",)),
        (f'[database]\nurl = "mysql://ana:{SECRET}@h/x"\n', "line 2", ("database.url must be postgresql://",)),
        ('switch = "pbx"\n', "line 1", ("switch is a section",)),
        ('web.port = "x"\n', "line 1", ("web.port",)),
        ('[switch]\nhots = "x"\n', "line 2", ("no setting 'switch.hots'",)),
        ('[swich]\nhost = "x"\n', "line 1", ("no setting 'swich'",)),
    ],
)
def test_what_is_wrong_is_named_with_its_line(tmp_path: Path, text: str, place: str, words: tuple[str, ...]) -> None:
    error = refused(tmp_path, text)
    assert error.message.startswith(f"{tmp_path / 'cadencia.toml'}, {place}: ")
    for word in words:
        assert word in error.message
    assert isinstance(error.message, Words)
    assert place.replace("line", "línea") in error.message.es


def test_a_slip_is_answered_with_the_name_that_was_meant(tmp_path: Path) -> None:
    error = refused(tmp_path, '[switch]\nsekret = "hunter2"\n')
    assert error.hint.startswith("Did you mean secret? Known here: caller_name, channels, host")


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("CADENCIA__SWITCH__SEKRET", SECRET, "no setting 'switch.sekret'"),
        ("CADENCIA__SWICH__HOST", "x", "no setting 'swich'"),
        ("CADENCIA__WEB__PORT", "x", "web.port must be a whole number"),
        ("CADENCIA__DATABASE", f"postgresql://ana:{SECRET}@h/x", "database is a section"),
        ("CADENCIA__DATABASE__URL", SECRET, "database.url must be"),
        ("CADENCIA__LOG__LEVEL__X", "1", "is no section"),
    ],
)
def test_a_variable_that_is_wrong_is_named(tmp_path: Path, name: str, value: str, words: str) -> None:
    error = refused(tmp_path, '[log]\nlevel = "info"\n', {name: value})
    assert error.message.startswith(name)
    assert words in error.message


@pytest.mark.parametrize(
    ("text", "place"),
    [("a b\n", "line 1"), ("\n[web\n", "line 2"), ("x = [", "last line"), ("x = 1\nx = 2\n", "line 2")],
)
def test_a_file_that_is_not_toml(tmp_path: Path, text: str, place: str) -> None:
    error = refused(tmp_path, text)
    assert "is not valid TOML" in error.message
    assert place in error.hint


def test_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    for path in (tmp_path / "nothing.toml", tmp_path):
        with pytest.raises(ConfigError, match="cannot be read"):
            load(path, {})
    path = tmp_path / "latin.toml"
    path.write_bytes("# año\n".encode("latin-1"))
    with pytest.raises(ConfigError, match="not UTF-8"):
        load(path, {})
