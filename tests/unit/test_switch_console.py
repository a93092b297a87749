"""What a server's own command line prints, made into data, and what the deep check makes of it."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from cadencia.config import Server
from cadencia.errors import SwitchUnfit, Words
from cadencia.telephony.asterisk import ENGINE_EVENTS, extensions_conf, manager_conf, plan_of
from cadencia.telephony.asterisk.console import Console, settings_in, steps_shown, steps_written, values
from cadencia.telephony.asterisk.deep import look
from cadencia.telephony.asterisk.labfiles import MODULES

SHOWN = """[ Context 'cad-x' created by 'pbx_config' ]
  's' =>            1. Answer()                                   [cadencia_extensions.conf:44]
                    2. ExecIf($["${A}"=""]?Set(A=${CHANNEL(endpoint)})) [cadencia_extensions.conf:46]
     [idle]         3. Set(L=${IF($["${W}"=""]?$[${L}+1]:1)})     [cadencia_extensions.conf:48]
  '_+X.' =>         1. Goto(cad-in,${FILTER(0-9,${EXTEN})},1)     [cadencia_extensions.conf:152]

-= 2 extensions (4 priorities) in 1 context. =-
"""
WRITTEN = """; a comment
[globals](+)
A = 1
[cad-x]         ; the context
exten => s,1,Answer()
 same => n,ExecIf($["${A}"=""]?Set(A=${CHANNEL(endpoint)}))   ; why
 same => n(idle),Set(L=${IF($["${W}"=""]?$[${L}+1]:1)})
exten => _+X.,1,Goto(cad-in,${FILTER(0-9,${EXTEN})},1)
"""


def test_a_dialplan_that_is_shown_is_the_one_that_was_written() -> None:
    steps = steps_written(WRITTEN)
    assert set(steps) == {"cad-x"}
    assert steps["cad-x"] == steps_shown(SHOWN)
    assert ("s", 3, "idle", 'Set(L=${IF($["${W}"=""]?$[${L}+1]:1)})') in steps["cad-x"]
    assert len(steps["cad-x"]) == 4


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("Answer()", "Hangup()"),
        ("[idle]", "      "),
        ("  's' =>", "  't' =>"),
        ("-= 2", "  Include =>        'default'                              [pbx_config]\n-= 2"),
    ],
)
def test_another_dialplan_is_another(old: str, new: str) -> None:
    assert steps_shown(SHOWN.replace(old, new, 1)) != steps_written(WRITTEN)["cad-x"]


def test_a_context_that_is_not_there_has_no_steps() -> None:
    assert (
        steps_shown("There is no existence of 'cad-x' context\nCommand 'dialplan show cad-x' failed.\n") == frozenset()
    )


def test_the_generated_dialplan_is_read_whole() -> None:
    text = extensions_conf(plan_of("main", Server()))
    steps = steps_written(text)
    assert {"cad-agent", "cad-debtor", "cad-after", "cad-hold", "from-agent", "from-trunk", "cad-in"} <= set(steps)
    assert sum(map(len, steps.values())) == text.count("\nexten => ") + text.count("\n same => ")
    assert ("s", 15, "once", "UserEvent(CadAgentDone,Agent: ${CAD_AGENT},After: ${CAD_WITH})") in steps["cad-agent"]


def test_a_section_is_read_through_what_is_included(tmp_path: Path) -> None:
    (tmp_path / "manager.conf").write_text(
        "[general]\nenabled = yes\n[cadencia]\nread = all\n[other]\nread = x\n"
        '#include "more.conf"\n#tryinclude nothing.conf\n#include accounts.d/*.conf\n'
    )
    (tmp_path / "more.conf").write_text("[cadencia](+) ; again\nwrite => call ; why\n")
    (tmp_path / "accounts.d").mkdir()
    (tmp_path / "accounts.d/a.conf").write_text("Read = y\n#include manager.conf\n")
    found = settings_in(tmp_path, "manager.conf", "cadencia")
    assert found[:3] == [("read", "all"), ("write", "call"), ("read", "y")]
    with pytest.raises(FileNotFoundError):
        settings_in(tmp_path / "accounts.d", "manager.conf", "cadencia")


def program(folder: Path, text: str) -> Path:
    path = folder / "asterisk"
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return path


@pytest.mark.parametrize(
    ("script", "said"),
    [
        (None, "cannot be asked"),
        ("echo 'Unable to connect to remote asterisk (does /run/asterisk.ctl exist?)'; exit 1", "No Asterisk answers"),
        ("sleep 5", "does not answer in time"),
    ],
)
def test_a_console_that_does_not_answer(tmp_path: Path, script: str | None, said: str) -> None:
    path = tmp_path / "nothing" if script is None else program(tmp_path, script)
    with pytest.raises(SwitchUnfit, match=said) as caught:
        Console((str(path),), timeout_s=0.5).ask("core show version")
    assert isinstance(caught.value.message, Words) and "--asterisk-command" in caught.value.hint


def test_a_console_gets_the_line_as_one_word(tmp_path: Path) -> None:
    path = program(tmp_path, 'printf "%s|" "$@"')
    assert Console((str(path), "-C", "a b")).ask("dialplan show cad-x") == "-C|a b|-rx|dialplan show cad-x|"


def test_values() -> None:
    assert values("A:  1\nb c : x:y\nno value\n") == {"A": "1", "b c": "x:y"}


# -- the deep check on a server that is made of texts ------------------------------------------------------------------
def shown(context: str, server: Server) -> str:
    """What `dialplan show` would print of the generated context."""
    lines = [f"[ Context '{context}' created by 'pbx_config' ]"]
    for exten, priority, label, what in sorted(steps_written(extensions_conf(plan_of("main", server)))[context]):
        first = f"  '{exten}' =>  " if priority == 1 else f"     [{label}]  " if label else "       "
        lines.append(f"{first}{priority}. {what}  [cadencia_extensions.conf:1]")
    return "\n".join(lines)


class Texts(Console):
    """A console that answers from a table."""

    def __init__(self, server: Server, folder: Path) -> None:
        super().__init__()
        (folder / "manager.conf").write_text("[general]\n" + manager_conf(plan_of("main", server)))
        (folder / "sounds/cadencia").mkdir(parents=True)
        (folder / "sounds/cadencia/identify.wav").touch()
        (folder / "pid").write_text("77\n")
        (folder / "77").mkdir()
        (folder / "77/limits").write_text("Limit  Soft  Hard  Units\nMax open files            65536   65536   files\n")
        self.server = server
        self.told = {
            "core show version": "Asterisk 22.10.1 built by nobody",
            "core show settings": f"  Maximum calls:   Not set\n  Configuration directory:  {folder}\n"
            f"  Data directory:   {folder}\n  PID file:    {folder}/pid\n  Default language:  es_CO\n",
            "manager show user cadencia": "username: cadencia\nread perm: system,call,agent,user\n"
            "write perm: call,originate\n",
            "manager show settings": "  Timestamp events: Yes\n  TLS Enable: No\n  TCP Bindaddress: 127.0.0.1:5038\n",
            "pjsip show endpoints": " Endpoint:  trunk   Not in use    0 of inf\n",
            "pjsip show endpoint trunk": " direct_media  : false\n rtp_timeout  : 15\n allow  : (alaw)\n",
            "pjsip show transports": "Transport:  udp    udp      0      0  0.0.0.0:5060\n",
            "pjsip show settings": " endpoint_identifier_order  : username,auth_username,ip\n",
            "core show translation paths alaw": "  alaw:8000   To slin:8000   : (alaw@8000)->(slin@8000)\n",
            "module show": "".join(f"{name}.so   Something   0   Running   core\n" for name in MODULES),
            "timing test": "Using the 'timerfd' timing module\nIt has been 1000 ms, and we got 50 timer ticks\n",
            "rtp show settings": "  Port start:      10000\n  Port end:        20000\n",
            "indication show": "co   Colombia\nDefault tone zone: co\n",
            "indication show co": "co      ring            425/1000,0/4500\n",
            "http show status": "Server Disabled\n",
        }

    def ask(self, line: str) -> str:
        if line.startswith("dialplan show "):
            return self.told.get(line, shown(line.rpartition(" ")[2], self.server))
        return self.told.get(line, "No such command")


def found(console: Texts, folder: Path) -> dict[str, list[str]]:
    rows = look(console, "main", console.server, proc=folder)
    for row in rows:
        for finding in row.findings:
            assert isinstance(finding.what, Words) and isinstance(finding.mend, Words) and finding.mend
    return {row.code: [finding.what for finding in row.findings] for row in rows if row.findings}


def test_a_server_that_is_as_it_must_be(tmp_path: Path) -> None:
    assert found(Texts(Server(), tmp_path), tmp_path) == {}


@pytest.mark.parametrize(
    ("version", "good"),
    [
        ("18.26.1", False), ("20.16.0", False), ("20.17.0", True), ("21.12.0", False), ("22.6.0", False),
        ("22.7.0", True), ("23.0.0", False), ("23.1.0", True), ("24.0.0", True), ("certified/20.7-cert4", False),
    ],
)  # fmt: skip
def test_versions(tmp_path: Path, version: str, good: bool) -> None:
    console = Texts(Server(), tmp_path)
    console.told["core show version"] = f"Asterisk {version} built by root"
    assert ("version" not in found(console, tmp_path)) == good


@pytest.mark.parametrize(
    ("line", "text", "code", "said"),
    [
        ("dialplan show cad-hold", "There is no existence of 'cad-hold' context", "dialplan", "no context cad-hold"),
        ("dialplan show cad-x", "", "", ""),
        ("manager show user cadencia", "There is no manager called cadencia", "account", "no account cadencia"),
        ("manager show settings", "  Timestamp events: No\n", "manager", "no time"),
        ("pjsip show endpoints", "No objects found.", "endpoints", "no endpoint trunk"),
        ("pjsip show endpoint trunk", " rtp_timeout : 0\n", "endpoints", "direct_media = no, rtp_timeout = 15"),
        ("pjsip show settings", " endpoint_identifier_order : ip,username,anonymous\n", "identify", "for the trunk"),
        ("core show translation paths alaw", " To slin:8000 : No Translation Path\n", "codecs", "Codec alaw"),
        ("module show", "app_amd.so  x  0  Not Running  core\n", "modules", "app_amd"),
        ("timing test", "Using the 'timerfd' timing module\nwe got 31 timer ticks", "timing", "50 times"),
        ("rtp show settings", "Port start: 10000\nPort end: 10099\n", "rtp", "100 RTP ports, and 1000 legs need 2000"),
        ("indication show co", "co dial 425\n", "ring", "no ring"),
        ("indication show", "Default tone zone: \n", "ring", "no ring"),
    ],
)
def test_what_is_not_as_it_must_be(tmp_path: Path, line: str, text: str, code: str, said: str) -> None:
    console = Texts(Server(), tmp_path)
    console.told[line] = text
    wrong = found(console, tmp_path)
    assert set(wrong) == ({code} if code else set())
    assert not code or said in " ".join(wrong[code])


def test_files_that_may_be_open(tmp_path: Path) -> None:
    console = Texts(Server(), tmp_path)
    (tmp_path / "77/limits").write_text("Max open files            1024   65536   files\n")
    (told,) = found(console, tmp_path)["limits"]
    assert "may open 1024 files, and 1000 legs need 4200" in told
    (tmp_path / "pid").unlink()
    (told,) = found(console, tmp_path)["limits"]
    assert "an unknown number" in told
    console.told["core show settings"] += "  Maximum open file handles:  9000 (is) 65536 (requested)\n"
    assert "limits" not in found(console, tmp_path)
    console.told["core show settings"] = console.told["core show settings"].replace("Not set", "500 (Current 0)")
    assert found(console, tmp_path)["limits"] == ["Asterisk takes 500 calls at most."]


@pytest.mark.parametrize(
    ("old", "new", "count"),
    [
        ("eventfilter(action(include),name(Hangup)) =\n", "", 1),
        ("eventfilter(action(include),name(Hangup)) =\n", "eventfilter = !Event: RTCP\n", 1),
        ("writetimeout = 100", "writetimeout = 5000", 1),
        (f"name({ENGINE_EVENTS[0]})", "name(Newexten)", 1),
    ],
)
def test_the_filter_in_the_file(tmp_path: Path, old: str, new: str, count: int) -> None:
    console = Texts(Server(), tmp_path)
    path = tmp_path / "manager.conf"
    assert old in path.read_text()
    path.write_text(path.read_text().replace(old, new))
    assert len(found(console, tmp_path)["filter"]) == count
    path.unlink()
    assert "cannot be read" in found(console, tmp_path)["filter"][0]


def test_browsers_and_tls_and_transport(tmp_path: Path) -> None:
    server = Server.model_validate(
        {"tls": True, "phones": [{"names": ["w1"], "browser": True}, {"names": ["a1"]}], "transport": "lan"}
    )
    console = Texts(server, tmp_path)
    wrong = found(console, tmp_path)
    assert set(wrong) == {"manager", "endpoints", "transport", "codecs", "modules", "browsers"}
    assert "no endpoint w1, a1" in wrong["endpoints"][0] and "no PJSIP transport lan" in wrong["transport"][0]
    assert len(wrong["browsers"]) == 2 and "res_srtp" in wrong["modules"][0]


def test_a_message_that_nobody_recorded(tmp_path: Path) -> None:
    console = Texts(Server(), tmp_path)
    (tmp_path / "sounds/cadencia/identify.wav").unlink()
    assert "is not among the sounds" in found(console, tmp_path)["sound"][0]
    (tmp_path / "sounds/es/cadencia").mkdir(parents=True)
    (tmp_path / "sounds/es/cadencia/identify.ulaw").touch()
    assert found(console, tmp_path) == {}
