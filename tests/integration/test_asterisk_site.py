"""Beside an Asterisk that is there: the files are written and loaded into it, and the check finds what is wrong."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import json
import re
import shlex
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from cadencia.cli.app import app
from cadencia.config import load
from cadencia.errors import SwitchUnfit
from cadencia.telephony.ami.connect import tcp
from cadencia.telephony.ami.session import AmiSession
from cadencia.telephony.asterisk import Installation, Lab, demand_fit, expected_of, labfiles
from cadencia.telephony.asterisk.config import RELOADS
from cadencia.telephony.call import WANTED_EVENTS

pytestmark = pytest.mark.asterisk

SETTINGS = """
[servers.pbx]
port = {port}
secret = "{secret}"
phone_key = "key-key-key-key-key"
channels = 50
wss = "ws://127.0.0.1:{ws_port}/ws"
[servers.pbx.trunks.claro]
host = "127.0.0.1"
port = {carrier}
qualify_s = 0
[servers.pbx.trunks.carrier]
host = "127.0.0.1"
port = {carrier}
user = "u57"
secret = "carrier-secret-1"
match = ["127.0.0.9"]
[servers.pbx.trunks.house]
[[servers.pbx.phones]]
names = ["a2001-a2003"]
[[servers.pbx.phones]]
names = ["w2001"]
browser = true
nailed = false
[[servers.pbx.phones]]
names = ["desk"]
own = true
"""

#: What the site wrote itself.
HOUSE = """
[house]
type = endpoint
context = from-trunk
disallow = all
allow = alaw
direct_media = no
rtp_timeout = 15
[desk]
type = endpoint
context = from-agent
disallow = all
allow = ulaw
direct_media = no
"""
FILES = ("cadencia_manager.conf", "cadencia_extensions.conf", "cadencia_pjsip.conf")


class Site:
    """A server with files of its own, and a settings file about it."""

    def __init__(self, lab: Lab, folder: Path) -> None:
        self.lab, self.etc, self.file = lab, lab.dir / "etc", folder / "cadencia.toml"
        pjsip = self.etc / "pjsip.conf"
        pjsip.write_text(pjsip.read_text() + HOUSE)
        self.set()

    def set(self, change: Callable[[str], str] = lambda text: text) -> None:
        """Write the settings, with a change."""
        text = SETTINGS.format(
            port=self.lab.ami_port,
            ws_port=self.lab.ws_port,
            carrier=self.lab.trunk_ports[0],
            secret="right-right-right",
        )
        self.file.write_text(change(text))

    def run(self, *words: str, ok: bool = True) -> str:
        done = CliRunner().invoke(app, ["asterisk", *words, "-c", str(self.file)], env={"LANG": "C", "LC_ALL": "C"})
        assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
        assert done.exit_code == (0 if ok else 1), done.output
        return done.output

    def load(self) -> None:
        for command in RELOADS:
            self.lab.cli(command)

    @property
    def local(self) -> tuple[str, ...]:
        words = [*self.lab.asterisk.command, "-C", str(self.etc / "asterisk.conf")]
        return "--local", "--asterisk-command", shlex.join(words)

    def wrong(self, *words: str) -> dict[str, list[str]]:
        """What the check finds: code -> what it says."""
        done = CliRunner().invoke(app, ["asterisk", "check", "--json", *words, "-c", str(self.file)])
        assert done.exception is None or isinstance(done.exception, SystemExit), repr(done.exception)
        (told,) = json.loads(done.output)
        assert told["ok"] == (done.exit_code == 0)
        for row in told["checks"]:
            assert all(finding["mend"] for finding in row["findings"])
        return {
            row["code"]: [finding["what"] for finding in row["findings"]] for row in told["checks"] if not row["ok"]
        }

    async def session(self) -> AmiSession:
        server = load(self.file, {}).servers["pbx"]
        secret = server.secret.get_secret_value()
        return await AmiSession.connect(
            tcp(server.host, server.port), server.user, secret, lambda _: None, wanted=WANTED_EVENTS
        )

    @contextlib.contextmanager
    def edited(self, name: str, change: Callable[[str], str]) -> Iterator[None]:
        """A file of the server changed by hand and loaded, and put back."""
        path = self.etc / name
        before = path.read_text()
        assert change(before) != before
        path.write_text(change(before))
        self.load()
        try:
            yield
        finally:
            path.write_text(before)
            self.load()


@pytest.fixture(scope="module")
def asterisk_site(asterisk_installation: Installation, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """The files are in it and loaded."""
    with Lab(asterisk_installation, agents=1, browser_agents=1, admin=True) as lab:
        site = Site(lab, tmp_path_factory.mktemp("site"))
        told = site.run("config", "--out", str(site.etc))
        assert told.count(": written") == 3
        for command in re.findall(r'asterisk -rx "(.+)"', told):
            lab.cli(command)
        yield site


def test_the_files_are_written_once(asterisk_site: Site) -> None:
    before = {name: (asterisk_site.etc / name).stat() for name in FILES}
    told = asterisk_site.run("config", "--out", str(asterisk_site.etc))
    assert told.count(": unchanged") == 3 and "reload" not in told
    assert asterisk_site.run("config", "--diff", "--out", str(asterisk_site.etc)) == "Nothing would change.\n"
    for name, held in before.items():
        assert (asterisk_site.etc / name).stat() == held
        assert held.st_mode & 0o777 == 0o600


def test_the_difference_is_shown_and_no_secret(asterisk_site: Site, tmp_path: Path) -> None:
    asterisk_site.set(lambda text: text.replace("a2001-a2003", "a2001-a2004").replace("right-right", "other-right"))
    told = asterisk_site.run("config", "--diff", "--out", str(asterisk_site.etc), ok=False)
    fresh = asterisk_site.run("config", "--diff", "--out", str(tmp_path / "nothing"), ok=False)
    asterisk_site.set()
    assert "+[a2004]" in told and "+secret = *** (another)" in told and "-secret = ***\n" in told
    assert "/dev/null" in fresh and "+[claro]" in fresh and not (tmp_path / "nothing").exists()
    for secret in ("right", "carrier-secret-1", "key-key"):
        assert secret not in told.replace("other-right", "") + fresh
    assert not re.search(r"password = (?!\*\*\*)", told + fresh)


def test_a_fit_server_passes_also_deep(asterisk_site: Site) -> None:
    assert asterisk_site.wrong() == {}
    assert asterisk_site.wrong(*asterisk_site.local) == {}
    told = asterisk_site.run("check", *asterisk_site.local)
    assert "pbx (127.0.0.1:" in told and "claro NOT_INUSE" in told and "bad" not in told


async def test_the_engine_takes_it(asterisk_site: Site) -> None:
    session = await asterisk_site.session()
    fitness = await demand_fit(session, expected_of("pbx", load(asterisk_site.file, {}).servers["pbx"]))
    session.close()
    await session.lost
    assert fitness.findings == fitness.notes == ()
    assert list(fitness.devices) == ["claro", "carrier", "house"]
    assert fitness.devices["claro"] == "NOT_INUSE"


def test_endpoints_of_every_kind_are_loaded(asterisk_site: Site) -> None:
    shown = asterisk_site.lab.cli("pjsip show endpoints")
    for name in ("claro", "carrier", "house", "a2001", "a2003", "w2001", "desk"):
        assert f"Endpoint:  {name} " in shown
    assert "a1001" not in shown, "what is not generated any more is gone after a reload"
    assert "carrier/u57" in shown
    assert "webrtc                             : yes" in asterisk_site.lab.cli("pjsip show endpoint w2001")


# -- what is wrong -----------------------------------------------------------------------------------------------------
def refused(site: Site, trunks: tuple[str, ...] | None = None) -> str:
    expected = expected_of("pbx", load(site.file, {}).servers["pbx"])
    if trunks is not None:
        expected = dataclasses.replace(expected, trunks=trunks)

    async def ask() -> str:
        session = await site.session()
        try:
            with pytest.raises(SwitchUnfit) as caught:
                await demand_fit(session, expected)
        finally:
            session.close()
            await session.lost
        return str(caught.value)

    return asyncio.run(ask())


def test_settings_that_were_not_generated_anew(asterisk_site: Site) -> None:
    asterisk_site.set(lambda text: text.replace("channels = 50", 'channels = 50\nmessage = "other"'))
    try:
        assert "has another configuration" in refused(asterisk_site)
        found = asterisk_site.wrong(*asterisk_site.local)
    finally:
        asterisk_site.set()
    assert set(found) == {"config", "sound"}
    assert "other" in found["sound"][0]


def test_a_dialplan_that_is_not_loaded(asterisk_site: Site) -> None:
    with asterisk_site.edited("extensions.conf", lambda text: text.replace("#include", ";")):
        assert "has not loaded the dialplan" in refused(asterisk_site)
        found = asterisk_site.wrong(*asterisk_site.local)
    assert set(found) == {"config", "dialplan"}
    assert "There is no context cad-debtor." in found["dialplan"]


@pytest.mark.parametrize(
    "change",
    [
        lambda text: text.replace(" same => n(machine),UserEvent", " same => n,NoOp()\n same => n(machine),UserEvent"),
        lambda text: text.replace("TIMEOUT(absolute)=${CAD_CALL_MAX_S}", "TIMEOUT(absolute)=1", 1),
        lambda text: text.replace("[cad-debtor]\n", "[cad-debtor]\ninclude => cad-in\n"),
    ],
    ids=["one more", "another", "include"],
)
def test_a_dialplan_that_somebody_changed_by_hand(asterisk_site: Site, change: Callable[[str], str]) -> None:
    with asterisk_site.edited("cadencia_extensions.conf", change):
        assert asterisk_site.wrong() == {}, "its hash is the generated one"
        (told,) = asterisk_site.wrong(*asterisk_site.local)["dialplan"]
    assert "Context cad-debtor is another than the generated one" in told


def test_too_many_rights(asterisk_site: Site) -> None:
    def change(text: str) -> str:
        return text.replace("write = originate,call", "write = originate,call,system")

    with asterisk_site.edited("cadencia_manager.conf", change):
        said = refused(asterisk_site)
        found = asterisk_site.wrong(*asterisk_site.local)
    assert "may use" in said and "DBDel" in said and "nothing more" in said
    assert set(found) == {"rights", "account"}


def test_too_few_rights(asterisk_site: Site) -> None:
    with asterisk_site.edited("cadencia_manager.conf", lambda text: text.replace("write = originate,", "write = ")):
        assert "lacks Originate" in refused(asterisk_site)


def test_no_filter(asterisk_site: Site) -> None:
    with asterisk_site.edited("cadencia_manager.conf", lambda text: text.replace("eventfilter", ";eventfilter")):
        assert "has no event filter" in refused(asterisk_site)
        found = asterisk_site.wrong(*asterisk_site.local)
    assert set(found) == {"filter"}
    assert len(found["filter"]) in (1, 2)


def test_a_filter_that_somebody_widened(asterisk_site: Site) -> None:
    def change(text: str) -> str:
        return text + "eventfilter(action(include),name(RTCPSent)) =\nwritetimeout = 5000\n"

    with asterisk_site.edited("cadencia_manager.conf", change):
        assert asterisk_site.wrong() == {}
        found = asterisk_site.wrong(*asterisk_site.local)
    assert set(found) == {"filter"} and len(found["filter"]) == 2


def test_one_trunk_is_missing(asterisk_site: Site) -> None:
    with asterisk_site.edited("pjsip.conf", lambda text: text.replace("[house]", "[cabin]")):
        found = asterisk_site.wrong(*asterisk_site.local)
    assert "There is no endpoint house." in found["endpoints"]


def test_every_trunk_is_missing(asterisk_site: Site) -> None:
    said = refused(asterisk_site, ("etb", "tigo"))
    assert "does not know the trunk etb" in said and "module reload res_pjsip.so" in said


def test_an_endpoint_of_the_sites_own_that_loses_calls(asterisk_site: Site) -> None:
    def change(text: str) -> str:
        return text.replace("rtp_timeout = 15\n[desk]", "[desk]").replace("direct_media = no\n", "", 1)

    with asterisk_site.edited("pjsip.conf", change):
        found = asterisk_site.wrong(*asterisk_site.local)
    assert found == {"endpoints": ["Endpoint house needs direct_media = no, rtp_timeout = 15."]}


def test_more_calls_than_the_machine_has_room_for(asterisk_site: Site) -> None:
    asterisk_site.set(lambda text: text.replace("channels = 50", "channels = 20000"))
    found = asterisk_site.wrong(*asterisk_site.local)
    asterisk_site.set()
    assert set(found) == {"limits", "rtp"}
    assert "20005 legs need 80220" in found["limits"][0] and "need 40010" in found["rtp"][0]


def test_no_link_and_no_console(asterisk_site: Site) -> None:
    asterisk_site.set(lambda text: text.replace("right-right-right", "wrong-wrong-wrong"))
    found = asterisk_site.wrong()
    asterisk_site.set()
    assert set(found) == {"link"} and "refused the user" in found["link"][0]
    found = asterisk_site.wrong("--local", "--asterisk-command", "no-such-asterisk")
    assert set(found) == {"console"} and "no-such-asterisk" in found["console"][0]


def test_a_server_that_was_set_up_carelessly(
    asterisk_installation: Installation, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Everything at once that only a start can load."""
    left_out = ("codec_alaw", "codec_a_mu", "app_amd", "res_timing_timerfd", "res_srtp")
    monkeypatch.setattr(labfiles, "MODULES", tuple(m for m in labfiles.MODULES if m not in left_out))
    monkeypatch.setattr(labfiles, "BROWSER_MODULES", ())
    fixed: dict[str, Any] = dict(labfiles._FIXED)
    fixed["rtp.conf"] = "[general]\nrtpstart = 20000\nrtpend = 20049\n"
    fixed["indications.conf"] = (
        "[general]\ncountry = co\n[co]\ndescription = Colombia\nringcadence = 1000,4000\ndial = 425\n"
    )
    monkeypatch.setattr(labfiles, "_FIXED", fixed)
    monkeypatch.setattr(labfiles, "_WS", "")
    pjsip = labfiles._PJSIP.replace("username,auth_username,ip", "ip,username").replace("[udp]", "[lan]")
    monkeypatch.setattr(labfiles, "_PJSIP", pjsip)
    manager = labfiles._manager_conf
    monkeypatch.setattr(labfiles, "_manager_conf", lambda *a: manager(*a).replace("timestampevents = yes\n", ""))
    with Lab(asterisk_installation, agents=1, browser_agents=1) as lab:
        site = Site(lab, tmp_path)
        (lab.dir / "data/sounds/cadencia/identify.sln").unlink()
        site.run("config", "--out", str(site.etc))
        site.load()
        site.set(lambda text: text.replace("port = ", "tls = false\nport = ", 1))
        found = site.wrong(*site.local)
    print(json.dumps(found, indent=1))
    assert {
        "manager",
        "transport",
        "identify",
        "codecs",
        "modules",
        "timing",
        "rtp",
        "ring",
        "sound",
        "browsers",
    } <= set(found)
    assert "app_amd, codec_alaw" in found["modules"][0]
    assert "alaw" in found["codecs"][0]
