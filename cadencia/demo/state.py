"""The demo's folder: what a start after a stop, or after a kill, needs to know.

The simulated switch and agents outlive a killed engine. What they were given (the clock's anchor, ports, secrets) lies
in files only their owner can read; a start adopts a process whose number is alive and whose command line names this
folder.
"""

from __future__ import annotations

import fcntl
import json
import os
import secrets
import signal
import subprocess
import sys
import time
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cadencia.clock import Anchor, SimulatedClock
from cadencia.compliance.judge import Judge
from cadencia.config.profiles import builtin
from cadencia.config.system import reason
from cadencia.domain.dialing import CampaignSettings
from cadencia.errors import ConfigError, TelephonyError, Words
from cadencia.store.embedded import default_folder

#: A lawful Tuesday, 09:00 in Bogotá: where a fresh demo begins.
FIRST_INSTANT = datetime(2026, 11, 24, 14, 0, tzinfo=UTC)


def demo_folder() -> Path:
    """Beside the database's folder."""
    return default_folder().parent / "demo"


@dataclass(frozen=True)
class DemoState:
    """What is kept in state.json.

    Attributes:
        stopped_at: simulated instant of the last orderly stop (ISO); where a new anchor begins.
        epoch, mono_s, speed: the running processes' anchor; mono_s is 0 when there is none.
    """

    seed: int
    agents: int
    seats: int
    contacts: int
    speed: float
    port: int
    switch_port: int
    switch_secret: str
    stopped_at: str
    epoch: str = ""
    mono_s: float = 0.0

    def clock(self) -> SimulatedClock:
        """The clock of the running anchor."""
        return SimulatedClock(Anchor(datetime.fromisoformat(self.epoch), self.mono_s, self.speed))

    def anchored(self, speed: float, port: int) -> DemoState:
        """A new anchor: time goes on where it stopped, or at the next lawful opening if that is closed."""
        at = datetime.fromisoformat(self.stopped_at)
        opening = Judge(builtin()).opening(CampaignSettings())
        at = opening.next(at, timedelta(minutes=1)) or at
        return replace(self, speed=speed, port=port, epoch=at.isoformat(), mono_s=time.monotonic())


class DemoFolder:
    """Files and processes of one demo."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.portfolio = path / "cartera.csv"
        self.tokens = path / "tokens.json"

    def prepare(self) -> None:
        """Make the folder, for its owner only. Raises ConfigError."""
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            self.path.chmod(0o700)
        except OSError as error:
            why = reason(error)
            raise ConfigError(
                Words(
                    f"The demo's folder {self.path} cannot be used: {why}.",
                    f"No se puede usar la carpeta de la demostración {self.path}: {why.es}.",
                ),
                Words("Set CADENCIA_DATA to another one.", "Indique otra con CADENCIA_DATA."),
            ) from error

    def lock(self) -> None:
        """Keep the folder for this process until it ends, however it ends. Raises ConfigError if another has it."""
        handle = (self.path / "lock").open("a")
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            handle.close()
            raise ConfigError(
                Words(f"A demo runs in {self.path} already.", f"Ya corre una demostración en {self.path}."),
                Words("End it first, or set CADENCIA_DATA to another folder.", "Termínela o cambie CADENCIA_DATA."),
            ) from None
        self._lock = handle

    # -- state ---------------------------------------------------------------------------------------------------------
    def load(self) -> DemoState | None:
        """The kept state, None if there is none. Raises ConfigError if it cannot be read."""
        try:
            return DemoState(**json.loads((self.path / "state.json").read_text()))
        except FileNotFoundError:
            return None
        except (OSError, ValueError, TypeError) as error:
            raise ConfigError(
                Words(f"{self.path / 'state.json'} cannot be read.", f"No se puede leer {self.path / 'state.json'}."),
                Words("Start anew with: cadencia demo --fresh.", "Empiece de nuevo con: cadencia demo --fresh."),
            ) from error

    def save(self, state: DemoState) -> None:
        """Keep the state, all of it or nothing."""
        self.write("state.json", asdict(state))

    def write(self, name: str, value: object) -> None:
        """Write JSON for the owner's eyes. Raises ConfigError (a full disk leaves the old file)."""
        target, draft = self.path / name, self.path / f".{name}.{os.getpid()}"
        try:
            descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            with os.fdopen(descriptor, "w") as file:
                json.dump(value, file, indent=1)
            draft.replace(target)
        except OSError as error:
            draft.unlink(missing_ok=True)
            why = reason(error)
            raise ConfigError(
                Words(f"{target} cannot be written: {why}.", f"No se puede escribir {target}: {why.es}."),
                Words(
                    "Free some space, and look at the folder's permissions.",
                    "Libere espacio, y revise los permisos de la carpeta.",
                ),
            ) from error

    def forget(self) -> None:
        """Remove what a fresh start makes anew."""
        for name in ("state.json", "tokens.json", "switch.json", "agents.json"):
            (self.path / name).unlink(missing_ok=True)

    # -- processes -----------------------------------------------------------------------------------------------------
    def alive(self, role: str) -> bool:
        """Whether the process of this role runs: its number is alive and its command line names this folder."""
        return self._pid(role) is not None

    def spawn(self, role: str) -> None:
        """Start the process of a role; it lives on when this one is killed."""
        log = (self.path / f"{role}.log").open("ab")
        with log:
            child = subprocess.Popen(  # noqa: S603 - our own module, our own folder
                [sys.executable, "-m", f"cadencia.demo.{role}_process", str(self.path)],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self.write(f"{role}.json", {"pid": child.pid})

    def stop(self, role: str, timeout_s: float = 5.0) -> None:
        """End the process of a role, and wait until it has ended."""
        pid = self._pid(role)
        if pid is not None:
            os.kill(pid, signal.SIGTERM)
            deadline = time.monotonic() + timeout_s
            while self._pid(role) is not None:
                if time.monotonic() > deadline:
                    os.kill(pid, signal.SIGKILL)
                time.sleep(0.02)
        (self.path / f"{role}.json").unlink(missing_ok=True)

    def log_tail(self, role: str) -> str:
        """The last lines a process wrote, for an error message."""
        try:
            return (self.path / f"{role}.log").read_text(errors="replace")[-500:].strip()
        except OSError:
            return ""

    def _pid(self, role: str) -> int | None:
        try:
            pid = int(json.loads((self.path / f"{role}.json").read_text())["pid"])
            command = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
            state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        except (OSError, ValueError, KeyError, TypeError):
            return None
        ours = f"cadencia.demo.{role}_process".encode() in command and str(self.path).encode() in command
        if ours and state == "Z":
            # Our own child that has ended: nobody else will collect it.
            os.waitpid(pid, os.WNOHANG)
        return pid if ours and state != "Z" else None


def new_state(*, seed: int, agents: int, contacts: int, speed: float, port: int, switch_port: int) -> DemoState:
    """The state of a fresh demo."""
    return DemoState(
        seed=seed,
        agents=agents,
        seats=2,
        contacts=contacts,
        speed=speed,
        port=port,
        switch_port=switch_port,
        switch_secret=secrets.token_urlsafe(24),
        stopped_at=FIRST_INSTANT.isoformat(),
    )


def read_state(path: Path) -> DemoState:
    """The state a process of the demo was started with. Raises TelephonyError if there is none."""
    state = DemoFolder(path).load()
    if state is None or not state.epoch:
        raise TelephonyError(
            Words(f"There is no running demo in {path}.", f"No hay una demostración en curso en {path}."),
            Words("Start one with: cadencia demo.", "Arranque una con: cadencia demo."),
        )
    return state
