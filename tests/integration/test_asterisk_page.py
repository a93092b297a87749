"""The page 'Put Cadencia beside the Asterisk you have', followed by a machine: every command that it shows works."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from cadencia.telephony.asterisk import Installation, Lab

pytestmark = pytest.mark.asterisk

PAGE = Path(__file__).resolve().parents[2] / "docs/beside-your-asterisk.md"
OWN = "".join(
    f"[{name}]\ntype = endpoint\ncontext = {context}\ndisallow = all\nallow = ulaw\ndirect_media = no\n{more}"
    for name, context, more in (
        ("etb", "from-trunk", "rtp_timeout = 15\n"),
        ("sala-1", "from-agent", ""),
        ("sala-2", "from-agent", ""),
    )
)


def blocks(kind: str, text: str) -> list[str]:
    return re.findall(rf"```{kind}\n(.*?)```", text, re.DOTALL)


class Engineer:
    """Types what the page says, on a machine where Asterisk's configuration lies elsewhere."""

    def __init__(self, lab: Lab, folder: Path) -> None:
        self.lab, self.folder, self.etc = lab, folder, lab.dir / "etc"
        (self.etc / "keys").mkdir()
        programs = folder / "bin"
        programs.mkdir()
        started = shlex.join([*lab.asterisk.command, "-C", str(self.etc / "asterisk.conf")])
        for name, command in (("asterisk", started), ("cadencia", f"{sys.executable} -m cadencia")):
            (programs / name).write_text(f'#!/bin/sh\nexec {command} "$@"\n')
            (programs / name).chmod(0o755)
        self._env = {k: v for k, v in os.environ.items() if not k.startswith("CADENCIA_")}
        self._env |= {"PATH": f"{programs}:{os.environ['PATH']}", "LANG": "C.UTF-8", "LC_ALL": "C.UTF-8"}
        self._env["PYTHONPATH"] = str(PAGE.parents[1])

    def types(self, block: str, **env: str) -> str:
        script = "[ ! -f cadencia.env ] || { set -a; . ./cadencia.env; set +a; }\n" + self.here(block)
        done = subprocess.run(
            ["sh", "-e", "-c", script], cwd=self.folder, env=self._env | env, capture_output=True, text=True, timeout=60
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def here(self, text: str) -> str:
        """The page's addresses, as they are here."""
        return text.replace("/etc/asterisk", str(self.etc))

    def edits(self, name: str, change: dict[str, str]) -> None:
        path = self.etc / name
        text = path.read_text()
        for old, new in change.items():
            assert old in text
            text = text.replace(old, new, 1)
        path.write_text(text)


def test_an_engineer_follows_the_page(asterisk_installation: Installation, tmp_path: Path) -> None:
    page = PAGE.read_text("utf-8")
    parts = re.split(r"^## ", page, flags=re.MULTILINE)
    say, write, include, check, phones, browsers, tls = (
        next(part for part in parts if part.startswith(start))
        for start in ("1. ", "2. ", "3. ", "4. ", "5. ", "6. ", "TLS ")
    )
    with Lab(asterisk_installation, agents=0, browser_agents=1) as lab:
        engineer = Engineer(lab, tmp_path)
        for name in ("manager", "extensions", "pjsip"):
            engineer.edits(f"{name}.conf", {f"#include cadencia_{name}.conf\n": ""})
            (engineer.etc / f"cadencia_{name}.conf").unlink()
        engineer.edits("pjsip.conf", {"[ws]": OWN + "[ws]"})
        here = {"CADENCIA__SERVERS__MAIN__PORT": str(lab.ami_port)}

        (tmp_path / "cadencia.toml").write_text(blocks("toml", say)[0])
        engineer.types(blocks("sh", say)[0])
        assert (tmp_path / "cadencia.env").stat().st_mode & 0o777 == 0o600
        look, do = blocks("sh", write)[0].splitlines()
        engineer.types(look.partition("#")[0] + " || test $? = 1")
        assert not list(engineer.etc.glob("cadencia_*"))
        assert engineer.types(do).count("written") == 3

        for name in ("manager", "extensions", "pjsip"):
            line = f"#include cadencia_{name}.conf"
            assert f"| `{name}.conf` | `{line}` |" in include
            path = engineer.etc / f"{name}.conf"
            path.write_text(path.read_text() + line + "\n")
        engineer.types(blocks("sh", include)[0])
        told = engineer.types(blocks("sh", check)[0], **here)
        assert told.count("ok   link") == 2 and told.count("ok   dialplan") == 1
        assert "bad" not in told
        assert engineer.types(blocks("sh", phones)[0]).count("username = a10") == 40

        # browsers
        settings = (tmp_path / "cadencia.toml").read_text()
        server, group = blocks("toml", browsers)[0].split("\n\n")
        settings = settings.replace("[servers.main]\n", server + "\n", 1) + "\n" + group
        (tmp_path / "cadencia.toml").write_text(settings)
        engineer.types("cd /etc/asterisk/keys\n" + blocks("sh", tls)[0].replace("ami.", "pbx."))
        secure = engineer.here(blocks("ini", browsers)[0]).replace(":8089", ":0")
        (engineer.etc / "http.conf").write_text(secure)
        status = engineer.types(blocks("sh", browsers)[0])
        assert "/ws => Asterisk HTTP WebSocket" in status and "HTTPS Server Enabled" in status
        engineer.types(do)
        engineer.types(blocks("sh", include)[0])
        assert "bad" not in engineer.types(blocks("sh", check)[0], **here)

        # TLS for the manager interface
        engineer.types(blocks("sh", tls)[0].replace("pbx.example", "localhost"))
        secure = engineer.here(blocks("ini", tls)[0]).replace("0.0.0.0:5039", f"127.0.0.1:{lab.ami_port + 1}")
        engineer.edits("manager.conf", {"[general]\n": "[general]\n" + secure})
        engineer.types('asterisk -rx "manager reload"')
        by_tls = blocks("toml", tls)[0].replace("/etc/cadencia", str(engineer.etc / "keys"))
        by_tls = by_tls.replace("[servers.main]\n", "").replace("5039", str(lab.ami_port + 1))
        by_tls = by_tls.replace("pbx.example", "localhost")
        (tmp_path / "cadencia.toml").write_text(settings.replace('host = "127.0.0.1"', by_tls, 1))
        told = engineer.types(blocks("sh", check)[0].splitlines()[0])
        assert "ok   link                     TLS" in told and "bad" not in told
