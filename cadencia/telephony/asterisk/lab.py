"""A throwaway Asterisk on loopback: needs no rights, and all it writes lies in one folder that goes when it stops."""

from __future__ import annotations

import asyncio
import os
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Any

from cadencia.errors import AmiLost, AmiRefused, AmiTimeout, ConfigError, SwitchUnfit, Words
from cadencia.telephony.asterisk.install import Installation, find_asterisk
from cadencia.telephony.asterisk.labfiles import ADMIN, LabPorts, free_ports, write_files
from cadencia.telephony.asterisk.plain import PlainAmi
from cadencia.telephony.asterisk.plan import AgentPhone, AmiAccount, SwitchPlan, Trunk, Waits
from cadencia.telephony.asterisk.site import phone_secret

PREFIX = "cadencia-lab-"

START_ONE = Words("Start one with `cadencia asterisk lab start`.", "Arranque uno con `cadencia asterisk lab start`.")
_SEE_LOG = Words("The message holds the end of its log.", "El mensaje trae el final de su registro.")
_AGAIN = Words("Try again.", "Intente de nuevo.")

#: Becomes the server after asking the kernel to kill it when its parent's thread ends. In a process of its own because
#: `preexec_fn` is not safe in a program that has threads.
_SHIM = """
import ctypes, os, sys
ctypes.CDLL(None).prctl(1, 9)
if os.getppid() != int(sys.argv[1]): sys.exit(1)
os.execv(sys.argv[2], sys.argv[2:])
"""

#: Becomes the grandchild of whoever starts it, in a session of its own, so that it outlives him and is no one's zombie.
_DETACH = """
import os, sys
os.setsid()
pid = os.fork()
if pid:
    print(pid)
    sys.exit()
out = os.open("log/stdout", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
os.dup2(out, 1)
os.dup2(out, 2)
os.execv(sys.argv[1], sys.argv[1:])
"""


class Lab:
    """One server; `with Lab() as lab` or `async with Lab() as lab`.

    Unless detached it dies with the thread that started it. Folders that killed programs left go at the next start.

    Args:
        asterisk: what to run; by default `find_asterisk()`.
        agents: how many telephones there are: a1001, a1002, ...
        trunks: how many trunks there are: `trunk`, `trunk2`, ...; each expects its carrier on its own port of loopback.
        waits: limits of the dialplan.
        wait_tone: see `SwitchPlan`.
        rtp_timeout_s: see `Trunk`.
        admin: also make an account that may do everything (`admin_user`, `admin_secret`).
        detached: leave it running when this program ends; `stop_lab` ends it.
        trunk_port: where the carrier of the first trunk listens; by default a free port.
        tls: the manager interface also over TLS, with a certificate for 127.0.0.1 and localhost (needs trustme).
        browser_agents: how many telephones in browsers there are: w1001, w1002, ...; they register over `ws_port`.

    Attributes:
        plan: what it is configured with; `plan.account` is the engine's account.
        dir: its folder.
        ami_port, sip_port: where it listens on 127.0.0.1.
        tls_port: the manager interface over TLS; 0 without `tls`. `ca` is the certificate of its issuer.
        ws_port: where browsers register, `ws://127.0.0.1:PORT/ws`; 0 without `browser_agents`.
        phone_key: what the passwords of the telephones in browsers are derived from.
        trunk_ports: where the carriers are expected, UDP on 127.0.0.1.
        pid: of the server.
        ready_s: seconds from start to FullyBooted.
    """

    def __init__(
        self,
        asterisk: Installation | None = None,
        *,
        agents: int = 4,
        trunks: int = 1,
        waits: Waits = Waits(),  # noqa: B008 (frozen)
        wait_tone: str = "r",
        rtp_timeout_s: int = 15,
        admin: bool = False,
        detached: bool = False,
        trunk_port: int | None = None,
        tls: bool = False,
        browser_agents: int = 0,
    ) -> None:
        self.asterisk = asterisk or find_asterisk()
        self.detached = detached
        self.admin_user, self.admin_secret = ADMIN, secrets.token_hex(12) if admin else ""
        self._fixed_trunk_port = trunk_port
        self._counts = (agents, trunks, browser_agents)
        self._tls = tls
        self._rtp_timeout_s = rtp_timeout_s
        account = AmiAccount("cadencia", secrets.token_hex(12))
        self.phone_key = secrets.token_hex(16)
        self.plan = SwitchPlan(account, (Trunk("trunk", "127.0.0.1"),), waits=waits, wait_tone=wait_tone)
        self.dir = Path()
        self.ami_port = self.sip_port = self.tls_port = self.ws_port = 0
        self.trunk_ports: tuple[int, ...] = ()
        self.ready_s = 0.0
        self._process: subprocess.Popen[bytes] | None = None
        self._pid = 0

    # -- life --------------------------------------------------------------------------------------------------------

    def start(self, timeout_s: float = 20.0) -> Lab:
        """Starts it and returns when it is fully booted.

        Raises:
            SwitchUnfit: it did not come up; the message holds the last lines of its log.
        """
        for attempt in (1, 2, 3):
            self._spawn()
            try:
                self._wait(timeout_s)
                return self
            except _PortTaken:
                self.stop()
                if attempt == 3:
                    raise
            except BaseException:
                self.stop()
                raise
        raise AssertionError

    async def __aenter__(self) -> Lab:
        # spawned here and not in a helper thread: it would die with that thread
        self._spawn()
        try:
            await asyncio.to_thread(self._wait, 20.0)
        except BaseException:
            self.stop()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None
    ) -> None:
        await asyncio.to_thread(self.stop)

    def __enter__(self) -> Lab:
        return self.start()

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self.stop()

    def stop(self) -> None:
        """Ends the server and removes its folder. May be called twice."""
        process, self._process = self._process, None
        pid, self._pid = self._pid, 0
        if process is None:
            end_process(pid, str(self.dir))
        elif process.poll() is None:
            process.terminate()  # a foreground Asterisk ends cleanly on SIGTERM
            try:
                process.wait(2)  # with a leaked channel it waits for ever
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        if self.dir != Path():
            shutil.rmtree(self.dir, ignore_errors=True)
            self.dir = Path()

    def crash(self) -> None:
        """Kills the server as a fault of the machine would; the folder, and with it the registrations, stays."""
        os.kill(self.pid, signal.SIGKILL)
        if self._process is not None:
            self._process.wait()

    async def start_again(self) -> None:
        """After `crash`: the same configuration on the same ports. Raises SwitchUnfit if it does not come up."""
        self._run()
        await asyncio.to_thread(self._wait, 20.0)

    def freeze(self) -> None:
        """Stops the process without ending it, as a machine that swaps does; `thaw` lets it go on.

        Returns when its last thread stands: right after the signal one may still answer an order."""
        os.kill(self.pid, signal.SIGSTOP)
        os.waitid(os.P_PID, self.pid, os.WSTOPPED)

    def thaw(self) -> None:
        os.kill(self.pid, signal.SIGCONT)

    def _spawn(self) -> None:
        sweep()
        self._plan_ports()
        self.dir = Path(tempfile.mkdtemp(prefix=f"{PREFIX}{os.getpid()}-"))
        write_files(
            self.dir,
            self.asterisk,
            self.plan,
            LabPorts(self.ami_port, self.sip_port, self.tls_port, self.ws_port),
            admin_secret=self.admin_secret,
        )
        self._run()

    def _run(self) -> None:
        # -f keeps it our child, so its process id is known; no console is attached
        command = [*self.asterisk.command, "-f", "-C", str(self.dir / "etc/asterisk.conf")]
        self._began = time.monotonic()
        if self.detached:
            self._pid = _detach(command, self.dir)
            return
        command = [sys.executable, "-I", "-S", "-c", _SHIM, str(os.getpid()), *command]
        with (self.dir / "log/stdout").open("wb") as out:
            self._process = subprocess.Popen(  # noqa: S603
                command, stdout=out, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, cwd=self.dir
            )
        self._pid = self._process.pid

    def _lives(self) -> bool:
        return self._process.poll() is None if self._process else runs_in(self._pid, str(self.dir))

    def _plan_ports(self) -> None:
        agents, trunks, browsers = self._counts
        tcp, udp = free_ports(3, 1 + trunks)
        self.ami_port, self.tls_port, self.ws_port = tcp[0], tcp[1] if self._tls else 0, tcp[2] if browsers else 0
        self.sip_port, self.trunk_ports = udp[0], tuple(udp[1:])
        if self._fixed_trunk_port:
            self.trunk_ports = (self._fixed_trunk_port, *self.trunk_ports[1:])
        self.plan = replace(
            self.plan,
            trunks=tuple(
                # no probes: a carrier that a test starts after the server would count as unreachable until the next one
                Trunk("trunk" if n == 1 else f"trunk{n}", "127.0.0.1", port, "", "", (), self._rtp_timeout_s, 0)
                for n, port in enumerate(self.trunk_ports, 1)
            ),
            agents=(
                *(AgentPhone(f"a{1000 + n}", secrets.token_hex(8)) for n in range(1, agents + 1)),
                *(
                    AgentPhone(name, phone_secret(self.phone_key, name), browser=True)
                    for name in (f"w{1000 + n}" for n in range(1, browsers + 1))
                ),
            ),
        )

    def _wait(self, timeout_s: float) -> None:
        until = self._began + timeout_s
        account = self.plan.account
        while True:
            if not self._lives():
                raise _PortTaken(_ended(self.log()[-600:]), _SEE_LOG)
            try:
                with PlainAmi(self.ami_port, account.user, account.secret, 2.0) as ami:
                    # the port opens before the modules are loaded; FullyBooted says that all are
                    next(m for m in ami.messages(timeout_s) if m.get("Event") == "FullyBooted")
                break
            except AmiRefused as error:
                raise _PortTaken(
                    Words(
                        f"Another program listens on port {self.ami_port}.",
                        f"Otro programa escucha en el puerto {self.ami_port}.",
                    ),
                    _AGAIN,
                ) from error
            except (AmiLost, AmiTimeout) as error:
                if time.monotonic() > until:
                    tail = self.log()[-600:]
                    raise SwitchUnfit(
                        Words(
                            f"Asterisk was not ready within {timeout_s:g} s: {tail}",
                            f"Asterisk no quedó listo en {timeout_s:g} s: {tail}",
                        ),
                        _SEE_LOG,
                    ) from error
            time.sleep(0.01)
        self.ready_s = time.monotonic() - self._began
        if "could not be started" in self.log():
            raise _PortTaken(
                Words(
                    f"Asterisk could not listen for SIP on port {self.sip_port}.",
                    f"Asterisk no pudo escuchar SIP en el puerto {self.sip_port}.",
                ),
                _AGAIN,
            )

    # -- looking in --------------------------------------------------------------------------------------------------

    @property
    def pid(self) -> int:
        """Process id of the server, 0 if it does not run."""
        return self._pid

    @property
    def ca(self) -> Path:
        """Certificate of whoever issued that of the TLS port."""
        return self.dir / "keys/ca.pem"

    def log(self) -> str:
        """What it has written so far: console output and notices, warnings, errors."""
        parts = [self.dir / "log/stdout", self.dir / "log/messages.log"]
        return "".join(p.read_text(errors="replace") for p in parts if p.is_file())

    def cli(self, command: str) -> str:
        """Runs one console command, such as `core show channels`, and returns what it prints."""
        return console(self.asterisk.command, self.dir, command)

    def usage(self) -> tuple[float, float]:
        """CPU seconds (user and system) used so far, and resident memory in MiB."""
        stat = Path(f"/proc/{self.pid}/stat").read_text().rsplit(")", 1)[1].split()
        pages = int(Path(f"/proc/{self.pid}/statm").read_text().split()[1])
        return (int(stat[11]) + int(stat[12])) / os.sysconf("SC_CLK_TCK"), pages * os.sysconf("SC_PAGESIZE") / 2**20

    def info(self) -> dict[str, Any]:
        """What another program needs to use and to stop it; JSON-able, holds secrets."""
        return {
            "pid": self.pid,
            "dir": str(self.dir),
            "command": list(self.asterisk.command),
            "version": self.asterisk.version,
            "ami_port": self.ami_port,
            "user": self.plan.account.user,
            "secret": self.plan.account.secret,
            "admin_user": self.admin_user if self.admin_secret else "",
            "admin_secret": self.admin_secret,
            "sip_port": self.sip_port,
            "tls_port": self.tls_port,
            "ws_port": self.ws_port,
            "trunks": {t.name: t.port for t in self.plan.trunks},
            "agents": {a.name: a.secret for a in self.plan.agents},
            "ready_s": round(self.ready_s, 3),
        }


class _PortTaken(SwitchUnfit):
    """A port that was free a moment ago is not: worth another try with others."""


def _ended(tail: str) -> Words:
    return Words(f"Asterisk ended at start: {tail}", f"Asterisk terminó al arrancar: {tail}")


def _detach(command: list[str], folder: Path) -> int:
    """Starts the command as nobody's child and returns its process id."""
    words = [sys.executable, "-I", "-S", "-c", _DETACH, *command]
    done = subprocess.run(  # noqa: S603
        words, capture_output=True, text=True, stdin=subprocess.DEVNULL, cwd=folder, timeout=20, check=False
    )
    if done.returncode != 0:
        raise SwitchUnfit(
            Words(
                f"The server could not be started: {done.stderr.strip()[-300:]}",
                f"No se pudo arrancar el servidor: {done.stderr.strip()[-300:]}",
            ),
            _SEE_LOG,
        )
    return int(done.stdout)


def console(command: tuple[str, ...], folder: Path, line: str) -> str:
    """Runs one console command on the server in the folder.

    Raises:
        ConfigError: the server does not run.
    """
    words = [*command, "-C", str(folder / "etc/asterisk.conf"), "-rx", line]
    done = subprocess.run(words, capture_output=True, text=True, timeout=20, check=False)  # noqa: S603
    if done.returncode != 0 or "Unable to connect to remote asterisk" in done.stdout + done.stderr:
        raise ConfigError(Words("The server does not answer.", "El servidor no responde."), START_ONE)
    return done.stdout


def runs_in(pid: int, folder: str) -> bool:
    """Whether that process is the server of that folder (process ids are used again)."""
    try:
        words = Path(f"/proc/{pid}/cmdline").read_bytes()
        state = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except OSError:
        return False
    return folder.encode() in words and state != "Z"


def end_process(pid: int, folder: str, timeout_s: float = 2.0) -> bool:
    """Ends the server of that folder, gently and then hard. Returns whether there was one."""
    if not runs_in(pid, folder):
        return False
    os.kill(pid, signal.SIGTERM)
    until = time.monotonic() + timeout_s
    while runs_in(pid, folder):
        if time.monotonic() > until:
            os.kill(pid, signal.SIGKILL)
        time.sleep(0.02)
    return True


def sweep() -> None:
    """Removes folders of servers that died together with the program that started them."""
    for folder in Path(tempfile.gettempdir()).glob(f"{PREFIX}*-*"):
        owner = folder.name.removeprefix(PREFIX).split("-")[0]
        if not owner.isdigit() or Path(f"/proc/{owner}").exists() or folder.stat().st_uid != os.getuid():
            continue
        try:
            pid = int((folder / "run/asterisk.pid").read_text())
        except (OSError, ValueError):
            pid = 0
        if not (pid and runs_in(pid, str(folder))):
            shutil.rmtree(folder, ignore_errors=True)
