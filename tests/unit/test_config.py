"""Settings: what wins, what is refused and how that is told, and what is never printed."""

from __future__ import annotations

from pathlib import Path

import pytest

from cadencia.config import load
from cadencia.errors import ConfigError, Words

SECRET = "hunter2hunter2"


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
    assert (settings.web.port, settings.servers["main"].host, settings.database.url) == (8080, "127.0.0.1", None)


def test_the_environment_wins_over_the_file(tmp_path: Path) -> None:
    path = put(tmp_path, '[servers.main]\nhost = "pbx"\nport = 5039\n')
    over = {"CADENCIA__SERVERS__MAIN__HOST": "other", "CADENCIA__LOG__LEVEL": "debug", "CADENCIA_DATA": "/x"}
    settings = load(path, over)
    assert (settings.servers["main"].host, settings.servers["main"].port) == ("other", 5039)
    assert settings.log.level == "debug"


def test_a_spreadsheets_mark_at_the_beginning_is_no_trouble(tmp_path: Path) -> None:
    path = tmp_path / "cadencia.toml"
    path.write_bytes(b"\xef\xbb\xbf[web]\nport = 1\n")
    assert load(path, {}).web.port == 1


def test_secrets_are_never_shown(tmp_path: Path) -> None:
    url = f"postgresql://ana:{SECRET}@db/x"
    settings = load(put(tmp_path, f'[servers.main]\nsecret = "{SECRET}"\n[database]\nurl = "{url}"\n'), {})
    assert settings.servers["main"].secret.get_secret_value() == SECRET
    assert SECRET not in repr(settings) + str(settings) + settings.model_dump_json()


@pytest.mark.parametrize(
    ("text", "place", "words"),
    [
        ('[web]\nport = "eighty"\n', "line 2", ("web.port must be a whole number", "'eighty'")),
        ("[web]\nport = 99999\n", "line 2", ("web.port must be 65535 or less", "99999")),
        ("[database]\n\n# so\nconnections = 1\n", "line 4", ("database.connections must be 2 or more",)),
        ('[log]\nlevel = "loud"\n', "line 2", ("debug, info, warning, error", "'loud'")),
        ('[web]\nsecure_cookies = "perhaps"\n', "line 2", ("true or false",)),
        (f'[servers.main]\ncaller_name = "{"x" * 41}"\n', "line 2", ("40 signs at most",)),
        ("[servers.main]\nrate_per_s = 0\n", "line 2", ("above 0",)),
        (f'[servers.x]\nhost = "h"\nsecret = ["{SECRET}"]\n', "line 3", ("servers.x.secret must be a text in quotes",)),
        (f'[servers.x]\nsecret = "{SECRET};"\n', "line 2", ("servers.x.secret must have 12 to 80 letters",)),
        ('[servers.x]\nphone_key = "hunter2"\n', "line 2", ("servers.x.phone_key must have 16 signs",)),
        ('[servers.x]\nhost = "a b"\n', "line 2", ("servers.x.host must be a host", "'a b'")),
        ('[servers.x]\nwss = "https://x/ws"\n', "line 2", ("servers.x.wss must be wss://", "'https://x/ws'")),
        ("[servers.x]\npermit = []\n", "line 2", ("servers.x.permit must name a network",)),
        ("[servers.x]\npermit = 5\n", "line 2", ("servers.x.permit must be a list in brackets",)),
        ('["servers"."a b"]\n', "line 1", ("must be a name of up to 40 letters",)),
        ('servers.main = "pbx"\n', "line 1", ("servers.main is a section",)),
        ("[servers.x]\n[servers.x.trunks.etb]\nport = 0\n", "line 3", ("servers.x.trunks.etb.port must be 1 or more",)),
        ("[servers.x.trunks]\nclaro = {chanels = 5}\n", "line 2", ("no setting 'servers.x.trunks.claro.chanels'",)),
        ("[servers.x.trunks.etb]\ncodecs = []\n", "line 2", ("servers.x.trunks.etb.codecs must be a list of codecs",)),
        (
            '[[servers.x.phones]]\nnames = ["a1"]\n[[servers.x.phones]]\nnames = ["a2"]\nnailed = "no way"\n',
            "line 5",
            ("servers.x.phones.1.nailed must be true or false",),
        ),
        ("[[servers.x.phones]]\nbrowser = true\n", "line 1", ("servers.x.phones.0.names is missing",)),
        ('[[servers.x.phones]]\nnames = ["a1-a"]\nname = "a"\n', "line 3", ("no setting 'servers.x.phones.0.name'",)),
        *(
            (f'[[servers.x.phones]]\nnames = ["{bad}"]\n', "line 2", ("servers.x.phones.0.names must be names or",))
            for bad in ("a 1", "a1001-1040", "a9-a1", "a1-b2", "a99-a100", "a0001-a9999", "")
        ),
        (f'[database]\nurl = "mysql://ana:{SECRET}@h/x"\n', "line 2", ("database.url must be postgresql://",)),
        ('servers = "pbx"\n', "line 1", ("servers is a section",)),
        ("[servers]\n", "line 1", ("there is no server",)),
        ('web.port = "x"\n', "line 1", ("web.port",)),
        ('[servers.main]\nhots = "x"\n', "line 2", ("no setting 'servers.main.hots'",)),
        ('[web]\nport = 1\n[switch]\nhost = "x"\n', "line 3", ("section switch is now servers.main",)),
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
    error = refused(tmp_path, f'[servers.main]\nsekret = "{SECRET}"\n')
    assert error.hint.startswith("Did you mean secret? Known here: caller_name, channels, host")
    error = refused(tmp_path, "[servers.main.trunks.etb]\nqualify = 5\n")
    assert error.hint.startswith("Did you mean qualify_s? Known here: channels, codecs, host")
    error = refused(tmp_path, "[[servers.main.phones]]\nnames = ['a1']\nnail = true\n")
    assert error.hint == "Did you mean nailed? Known here: browser, nailed, names, own."
    error = refused(tmp_path, '[server.main]\nhost = "x"\n')
    assert error.hint == "Did you mean servers? Known here: database, law, log, outcomes, servers, web."


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("CADENCIA__SERVERS__MAIN__SEKRET", SECRET, "no setting 'servers.main.sekret'"),
        ("CADENCIA__SERVERS__MAIN__TRUNKS__ETB__PORT", "x", "servers.main.trunks.etb.port must be a whole number"),
        ("CADENCIA__SERVERS__MAIN", "x", "servers.main is a section"),
        ("CADENCIA__SWITCH__SECRET", SECRET, "section switch is now servers.main"),
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


# -- servers -----------------------------------------------------------------------------------------------------------
TWO = """
[servers.bogota]
host = "10.0.0.1"
channels = 300
[servers.bogota.trunks.claro]
host = "sip.claro.example"
codecs = ["alaw"]
operator = "claro-fijo"
[servers.bogota.trunks.own]
[[servers.bogota.phones]]
names = ["a1001-a1003", "sala-2"]
[[servers.bogota.phones]]
names = ["w09-w11"]
browser = true
nailed = false
[servers.Cali-2]
host = "10.0.0.2"
tls = true
[[servers.Cali-2.phones]]
names = ["a2001"]
own = true
"""


def test_several_servers_with_trunks_and_telephones(tmp_path: Path) -> None:
    settings = load(put(tmp_path, TWO), {"CADENCIA__SERVERS__CALI_2__SECRET": SECRET})
    assert list(settings.servers) == ["bogota", "Cali-2"]
    bogota, cali = settings.servers.values()
    assert (bogota.channels, cali.channels) == (300, 1000)
    assert bogota.endpoints() == ("a1001", "a1002", "a1003", "sala-2", "w09", "w10", "w11")
    assert [(group.browser, group.nailed, group.own) for group in bogota.phones] == [
        (False, True, False),
        (True, False, False),
    ]
    claro = bogota.trunks["claro"]
    assert (claro.host, claro.codecs, claro.operator, claro.channels) == (
        "sip.claro.example",
        ("alaw",),
        "claro-fijo",
        60,
    )
    assert bogota.trunks["own"].host == "" and list(cali.trunks) == ["trunk"]
    assert cali.tls and cali.secret.get_secret_value() == SECRET
    assert [settings.server_of(name) for name in ("w10", "a2001", "a9")] == ["bogota", "Cali-2", None]


def test_a_server_without_a_list_of_telephones_takes_any() -> None:
    settings = load(None, {})
    assert settings.servers["main"].endpoints() == ()
    assert settings.server_of("a1001") == "main"


def test_a_list_in_a_variable_has_commas() -> None:
    settings = load(None, {"CADENCIA__SERVERS__MAIN__PERMIT": "10.0.0.0/255.0.0.0, 127.0.0.1"})
    assert settings.servers["main"].permit == ("10.0.0.0/255.0.0.0", "127.0.0.1")


@pytest.mark.parametrize(
    ("old", "new", "place", "words", "hint"),
    [
        ('"a2001"', '"a2001", "a1002"', "line 20", "telephone a1002 is on server bogota already", "one place only"),
        ('"a1001-a1003"', '"a1001-a1003", "a1003"', "line 11", "telephone a1003 is named twice", "one place only"),
        ('"w09-w11"', '"a1002"', "line 13", "telephone a1002 is named twice", "one place only"),
        ('"sala-2"', '"claro"', "line 11", "telephone claro has the name of a trunk", "one place only"),
        (
            '[[servers.Cali-2.phones]]\nnames = ["a2001"]\nown = true\n',
            "",
            "line 16",
            "server Cali-2 lists no telephones",
            "[[servers.Cali-2.phones]]",
        ),
    ],
)
def test_servers_that_contradict_each_other(
    tmp_path: Path, old: str, new: str, place: str, words: str, hint: str
) -> None:
    error = refused(tmp_path, TWO.replace(old, new))
    assert f"{place}: {words}" in error.message
    assert hint in error.hint
