"""Generated configuration and the search for an Asterisk, without one."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest

from cadencia.errors import ConfigError, SwitchUnfit
from cadencia.telephony.asterisk import (
    ENGINE_EVENTS,
    EXTENSIONS_FILE,
    MANAGER_FILE,
    PJSIP_FILE,
    AgentPhone,
    AmiAccount,
    SwitchPlan,
    Trunk,
    Waits,
    build_root,
    config_hash,
    default_root,
    extensions_conf,
    find_asterisk,
    generate,
    manager_conf,
    pjsip_conf,
)
from cadencia.telephony.asterisk.root import apt_mirrors, find_mirror

SECRET = "s3cret-s3cret-s3cret"
PLAN = SwitchPlan(AmiAccount("cadencia", SECRET), (Trunk("etb", "sip.example.net"),), (AgentPhone("a1001", SECRET),))


@pytest.mark.parametrize("name", [n for n in Waits.__dataclass_fields__ if n != "reoffer_max"])
@pytest.mark.parametrize("value", [0, -1, 1.5, True, "2"])
def test_waits_that_asterisk_would_cut_or_drop_are_refused(name: str, value: object) -> None:
    with pytest.raises(ConfigError, match=name):
        Waits(**{name: value})  # type: ignore[arg-type]


def test_a_debtor_may_be_offered_again_never() -> None:
    assert "CAD_REOFFER_MAX = 0" in extensions_conf(replace(PLAN, waits=Waits(reoffer_max=0)))


@pytest.mark.parametrize(
    "bad",
    [
        lambda: AmiAccount("cadencia", "short"),
        lambda: AmiAccount("cadencia", "a;comment-in-a-secret"),
        lambda: AmiAccount("x]\n[all", SECRET),
        lambda: AmiAccount("cadencia", SECRET, permit=()),
        lambda: AgentPhone("a 1001", SECRET),
        lambda: AgentPhone("a1001", f"{SECRET}\nsystem=1"),
        lambda: AgentPhone("a1001", SECRET, session_expires_s=60),
        lambda: Trunk("etb", "host\r\n[evil]"),
        lambda: Trunk("etb", "host", port=0),
        lambda: generate(replace(PLAN, trunks=(Trunk("etb", "host", user="we"),))),
        lambda: generate(replace(PLAN, account=AmiAccount("cadencia"))),
        lambda: generate(replace(PLAN, agents=(AgentPhone("a1001"),))),
        lambda: Trunk("etb", "host", codecs=()),
        lambda: replace(PLAN, trunks=()),
        lambda: replace(PLAN, wait_tone="n"),
        lambda: replace(PLAN, message="x)\n same => n,System(rm)"),
        lambda: replace(PLAN, agents=(AgentPhone("etb", SECRET),)),
    ],
)
def test_what_would_break_out_of_the_file_or_the_plan_is_refused(bad: object) -> None:
    with pytest.raises(ConfigError):
        bad()  # type: ignore[operator]


def test_account_has_least_rights_and_is_always_filtered() -> None:
    text = manager_conf(PLAN)
    assert "read = system,call,user,agent\nwrite = originate,call\n" in text
    assert "deny = 0.0.0.0/0.0.0.0\npermit = 127.0.0.1/255.255.255.255\n" in text
    assert text.count("eventfilter(action(include),name(") == len(ENGINE_EVENTS)
    assert "[general]" not in text, "that section is the site's"


def test_every_wait_in_the_dialplan_has_a_limit_and_only_agents_get_no_packets() -> None:
    text = extensions_conf(PLAN)
    waits = re.findall(r"BridgeWait\((.*?)\) *(?:;.*)?$", text, re.MULTILINE)
    assert len(waits) == 6
    once = '${IF($["${CAD_ONCE}"="1"]?${CAD_ONCE_S}:${CAD_IDLE_S})}'
    assert all(re.search(r"S\(\$\{CAD_\w+_S\}\)$", wait) for wait in waits if once not in wait)
    assert [wait for wait in waits if "e(n)" in wait] == [f"cad-a-${{UNIQUEID}},participant,e(n)S({once})"]
    assert "@" not in re.sub(r";.*", "", text).replace("PJSIP/number@trunk", "")


def test_hash_changes_with_everything_but_a_secret() -> None:
    before = config_hash(PLAN)
    assert re.fullmatch("[0-9a-f]{16}", before)
    assert f"CADENCIA_CONFIG = {before}\n" in extensions_conf(PLAN)
    changed = [
        replace(PLAN, waits=Waits(wait_s=3)),
        replace(PLAN, message="other"),
        replace(PLAN, wait_tone="m"),
        replace(PLAN, trunks=(Trunk("etb", "sip.example.net", rtp_timeout_s=20),)),
        replace(PLAN, agents=()),
        replace(PLAN, account=AmiAccount("other", SECRET)),
    ]
    assert len({before, *map(config_hash, changed)}) == 1 + len(changed)
    assert config_hash(replace(PLAN, account=AmiAccount("cadencia", SECRET + "x"))) == before


def test_trunk_has_rtp_timeout_and_agents_have_session_timers() -> None:
    trunk, agent = pjsip_conf(PLAN).split("[a1001]", 1)
    assert "rtp_timeout = 15" in trunk and "timers" not in trunk
    assert "timers = always" in agent and "rtp_timeout" not in agent
    assert "auth_type" not in trunk


def test_trunk_with_credentials_answers_challenges() -> None:
    text = pjsip_conf(replace(PLAN, trunks=(Trunk("etb", "h", user="we", secret=SECRET, match=("10.0.0.0/24",)),)))
    assert "outbound_auth = etb" in text and f"password = {SECRET}" in text and "match = 10.0.0.0/24" in text


def test_three_files_to_include() -> None:
    assert sorted(generate(PLAN)) == sorted([MANAGER_FILE, EXTENSIONS_FILE, PJSIP_FILE])


def test_secrets_do_not_show_in_the_plan() -> None:
    assert SECRET not in repr(PLAN)


def test_recorded_transcripts_hold_only_what_the_engine_may_see() -> None:
    files = sorted((Path(__file__).parent.parent / "transcripts/cad").glob("*.txt"))
    assert len(files) >= 28
    for path in files:
        events = set(re.findall(r"^Event: (\w+)", path.read_text(), re.MULTILINE))
        assert events and events <= set(ENGINE_EVENTS), path.name


# -- finding and building ----------------------------------------------------------------------------------------------


def test_mirrors_come_from_the_machines_own_sources(tmp_path: Path) -> None:
    parts = tmp_path / "sources.list.d"
    parts.mkdir()
    (parts / "a.sources").write_text(
        "# a comment\nTypes: deb\n# another\nURIs: http://mirror.example/debian\n  http://second.example/debian\n"
        "\nTypes: deb-src\nURIs: http://source.example/debian\n"
        "\nTypes: deb\nEnabled: no\nURIs: http://off.example/debian\n"
        "\nTypes: deb\nURIs: http://deb.example/debian-security\n"
    )
    (parts / "b.list").write_text("deb [signed-by=/x y=z] https://tools.example/apt x main\ndeb cdrom:[disc]/ x main\n")
    (tmp_path / "sources.list").write_text(
        "deb http://old.example/debian stable main\n# deb http://no.example/debian x\n"
    )
    assert apt_mirrors(tmp_path) == [
        "http://mirror.example/debian", "http://second.example/debian", "http://old.example/debian",
        "https://tools.example/apt",
    ]  # fmt: skip


def test_no_mirror_is_told(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="there are none") as caught:
        find_mirror(tmp_path)
    assert "CADENCIA_ASTERISK_ROOT" in caught.value.hint


def test_root_folder_is_named_by_environment_or_lies_in_the_cache(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CADENCIA_ASTERISK_ROOT", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", "/c")
    assert default_root() == Path("/c/cadencia/asterisk/sid")
    monkeypatch.setenv("CADENCIA_ASTERISK_ROOT", "/r")
    assert default_root() == Path("/r")


def test_ordinary_user_is_told_to_build_as_root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    with pytest.raises(ConfigError, match="needs root") as caught:
        build_root(tmp_path / "sid")
    assert "sudo cadencia asterisk root" in caught.value.hint


def test_folder_that_is_something_else_is_not_replaced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.geteuid", lambda: 0)
    (tmp_path / "precious").touch()
    with pytest.raises(ConfigError, match="holds no Asterisk"):
        build_root(tmp_path)
    assert (tmp_path / "precious").exists()


def test_no_asterisk_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(SwitchUnfit, match="none on PATH"):
        find_asterisk(tmp_path / "sid")


def test_half_a_root_folder_is_not_taken_for_one(tmp_path: Path) -> None:
    (tmp_path / "usr/sbin").mkdir(parents=True)
    (tmp_path / "usr/sbin/asterisk").touch()
    with pytest.raises(SwitchUnfit, match="not a complete root folder"):
        find_asterisk(tmp_path)
