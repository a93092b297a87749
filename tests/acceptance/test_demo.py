"""The demo as a newcomer runs it: from start to summary, killed in the middle, and started again."""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

pytestmark = pytest.mark.postgres

KEYS = {
    "attempts", "answered_live", "connected", "abandoned", "abandonment_rate", "utilisation", "agent_wait_s",
    "answer_to_bridge_ms", "screenpop_ms", "outcomes", "denied", "unaccounted", "double_leases", "seed", "simulated_s",
    "wall_s",
}  # fmt: skip

AT_WORK = ("ready", "preview", "reserved", "talking", "wrapup")


class Place:
    """A data folder of its own, and the program on it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.env = os.environ | {"CADENCIA_DATA": str(folder), "LANG": "C.UTF-8", "COLUMNS": "200"}

    def command(self, *args: str) -> list[str]:
        return [sys.executable, "-c", "from cadencia.cli import main; main()", *args]

    def run(self, *args: str, timeout: float = 120) -> subprocess.CompletedProcess[str]:
        return subprocess.run(self.command(*args), env=self.env, capture_output=True, text=True, timeout=timeout)

    def start(self, *args: str) -> subprocess.Popen[str]:
        out = (self.folder / "out").open("a")
        with out:
            return subprocess.Popen(self.command(*args), env=self.env, stdout=out, stderr=out, text=True)

    def link(self, login: str) -> str:
        """The newest one-time sign-in that was printed for a login."""
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            found = re.findall(rf"{login}\s+(http://\S+)", (self.folder / "out").read_text())
            if found:
                return str(found[-1])
            time.sleep(0.05)
        raise AssertionError((self.folder / "out").read_text())

    def processes(self) -> list[str]:
        """Command lines of what still runs on this folder."""
        mine = []
        for entry in Path("/proc").iterdir():
            try:
                line = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode() if entry.name.isdigit() else ""
            except OSError:
                continue
            if str(self.folder) in line:
                mine.append(line)
        return mine


@pytest.fixture
def place() -> Iterator[Place]:
    folder = Path(tempfile.mkdtemp(prefix="cad-demo-"))
    folder.chmod(0o711)  # the database's user must get through
    here = Place(folder)
    yield here
    for role in ("switch", "agents"):
        note = folder / "demo" / f"{role}.json"
        if note.exists():
            with contextlib.suppress(ProcessLookupError):
                os.kill(json.loads(note.read_text())["pid"], signal.SIGKILL)
    here.run("db", "stop")
    shutil.rmtree(folder, ignore_errors=True)
    assert not here.processes()


def test_a_demo_runs_to_its_summary_and_leaves_only_the_database(place: Place) -> None:
    told = place.folder / "out.json"
    options = ("--headless", "--minutes", "0.25", "--speed", "20", "--contacts", "300", "--port", "0")
    done = place.run("demo", *options, "--json", str(told))
    assert done.returncode == 0, done.stderr
    summary = json.loads(told.read_text())
    assert set(summary) == KEYS
    assert summary["attempts"] == sum(summary["outcomes"].values()) > 30
    assert summary["connected"] > 5
    assert summary["unaccounted"] == 0
    assert summary["double_leases"] == 0
    assert 280 <= summary["simulated_s"] <= 400
    assert str(place.folder / "demo" / "cartera.csv") in done.stdout
    assert not [line for line in place.processes() if "cadencia.demo" in line]
    assert [line for line in place.processes() if "postgres" in line]

    again = place.run("demo", "--headless", "--minutes", "0.1", "--mode", "preview", "--json", str(told))
    assert again.returncode == 0, again.stderr
    chosen = json.loads(told.read_text())
    assert chosen["attempts"] > summary["attempts"]
    assert chosen["unaccounted"] == chosen["double_leases"] == 0


def test_a_killed_engine_is_followed_by_one_that_takes_over(place: Place) -> None:
    first = place.start("demo", "--headless", "--speed", "5", "--contacts", "500", "--port", "0")
    place.link("supervision")
    intruder = place.run("demo", "--headless", "--port", "0", "--fresh")
    assert intruder.returncode == 2
    assert "A demo runs in" in intruder.stderr
    time.sleep(10)
    assert first.poll() is None
    first.kill()
    first.wait()
    assert len([line for line in place.processes() if "cadencia.demo" in line]) == 2
    (place.folder / "out").write_text("")
    began = time.monotonic()
    second = place.start("demo", "--headless", "--minutes", "0.3", "--json", str(place.folder / "out.json"))
    link = place.link("supervision")
    with httpx.Client(base_url=link.partition("/entrar")[0], trust_env=False, follow_redirects=True) as browser:
        browser.get(link).raise_for_status()
        while True:
            floor = browser.get("/api/floor").raise_for_status().json()
            working = [a["id"] for a in floor["agents"] if a["state"] in AT_WORK and a["phone_up"]]
            simulated = [a for a in working if a.startswith("agente")]
            if len(simulated) >= 11:  # one may be on a break
                break
            assert time.monotonic() - began < 20, floor["agents"]
            time.sleep(0.05)
    back_s = time.monotonic() - began
    assert second.wait(60) == 0, (place.folder / "out").read_text()
    print(f"\nkilled and started again: {len(simulated)} agents back at work after {back_s:.1f} s")
    summary = json.loads((place.folder / "out.json").read_text())
    assert summary["unaccounted"] == 0
    assert summary["double_leases"] == 0
    assert "se adopta" in (place.folder / "out").read_text() or "adopted" in (place.folder / "out").read_text()
    _every_attempt_once(place)


def _every_attempt_once(place: Place) -> None:
    """From the log alone: each intent was committed once, and ended in one settlement."""
    script = (
        "import asyncio, json\n"
        "from cadencia.store.embedded import EmbeddedPostgres\n"
        "from cadencia.store.postgres import PostgresStore\n"
        "async def main():\n"
        "    store = await PostgresStore.open(EmbeddedPostgres().start('cadencia_demo'))\n"
        "    events = await store.events(limit=1_000_000, kinds=('attempt.sending', 'attempt.settled'))\n"
        "    print(json.dumps([(e.kind, e.attempt_id) for e in events]))\n"
        "    await store.close()\n"
        "asyncio.run(main())\n"
    )
    done = subprocess.run([sys.executable, "-c", script], env=place.env, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    events = Counter(tuple(event) for event in json.loads(done.stdout))
    assert set(events.values()) == {1}
    sent = {attempt for kind, attempt in events if kind == "attempt.sending"}
    assert sent == {attempt for kind, attempt in events if kind == "attempt.settled"}
    assert len(sent) > 20
