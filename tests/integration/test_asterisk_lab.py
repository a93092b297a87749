"""The throwaway server: up at once, gone without a trace, also when its starter is killed."""

from __future__ import annotations

import subprocess
import sys
import textwrap
import time
from pathlib import Path
from typing import Any

import pytest

from cadencia.errors import ConfigError, SwitchUnfit
from cadencia.telephony.asterisk import (
    ROOT_VARIABLE,
    Installation,
    Lab,
    default_root,
    lab_console,
    lab_info,
    root_command,
    start_lab,
    stop_lab,
)
from cadencia.telephony.asterisk.lab import runs_in, sweep
from cadencia.telephony.asterisk.probe import carries_tech_cause

pytestmark = pytest.mark.asterisk


async def test_starts_fully_booted_and_leaves_nothing(asterisk_installation: Installation) -> None:
    async with Lab(asterisk_installation, agents=1) as lab:
        folder, pid = lab.dir, lab.pid
        assert "Asterisk" in lab.cli("core show version")
        assert runs_in(pid, str(folder))
        assert not [line for line in lab.log().splitlines() if "ERROR" in line or "WARNING" in line]
        assert lab.usage()[1] < 200
    assert not folder.exists()
    assert not runs_in(pid, str(folder))


async def test_ring_tone_is_defined(asterisk_lab: Lab) -> None:
    assert "ring" in asterisk_lab.cli("indication show co")


def test_server_dies_with_a_killed_starter_and_its_folder_is_swept(asterisk_installation: Installation) -> None:
    program = textwrap.dedent("""
        import os, signal, sys
        from cadencia.telephony.asterisk import Lab
        lab = Lab(agents=0).start()
        print(lab.pid, lab.dir, flush=True)
        os.kill(os.getpid(), signal.SIGKILL)
    """)
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=20)
    pid, folder = done.stdout.split()
    until = time.monotonic() + 3
    while runs_in(int(pid), folder):
        assert time.monotonic() < until, "the server outlived its starter"
        time.sleep(0.02)
    assert Path(folder).exists()
    sweep()
    assert not Path(folder).exists()


def test_detached_lab_outlives_its_object_and_is_stopped_by_name(
    asterisk_installation: Installation, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if asterisk_installation.origin == "root":
        monkeypatch.setenv(ROOT_VARIABLE, str(default_root()))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    info: dict[str, Any] = start_lab("try-1", agents=2)
    try:
        assert lab_info("try-1")["running"]
        assert sorted(info["agents"]) == ["a1001", "a1002"]
        assert "a1002" in lab_console("pjsip show endpoints", "try-1")["output"]
        with pytest.raises(ConfigError, match="runs already"):
            start_lab("try-1")
    finally:
        assert stop_lab("try-1") == {"name": "try-1", "stopped": True}
    assert not Path(info["dir"]).exists()
    assert stop_lab("try-1") == {"name": "try-1", "stopped": False}
    with pytest.raises(ConfigError, match="There is no lab"):
        lab_console("core show uptime", "try-1")


def test_server_that_cannot_start_says_why(asterisk_installation: Installation, tmp_path: Path) -> None:
    broken = Installation(("/bin/false",), tmp_path, asterisk_installation.data_dir, "22.10.1", "system")
    with pytest.raises(SwitchUnfit, match="Asterisk ended at start"):
        Lab(broken).start()


def test_root_that_is_there_is_left_alone(asterisk_installation: Installation) -> None:
    if asterisk_installation.origin != "root":
        pytest.skip("this machine tests on its installed Asterisk")
    answer = root_command()
    assert (answer["built"], answer["version"]) == (False, asterisk_installation.version)


def test_look_at_an_installed_server_finds_tech_cause(asterisk_installation: Installation) -> None:
    assert carries_tech_cause(asterisk_installation)
