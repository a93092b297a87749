"""Builds the private root folder that holds a current Asterisk LTS; nothing is installed into the machine itself.

Debian's stable release carries no Asterisk, its unstable suite does. debootstrap fetches that suite, once, from the
mirror this machine's own apt is set up with. Only building needs root; running Asterisk from the folder does not.
"""

from __future__ import annotations

import fcntl
import json
import os
import platform
import re
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from cadencia.config.system import reason
from cadencia.errors import ConfigError, SwitchUnfit, Words
from cadencia.telephony.asterisk.install import SUITE, Installation, default_root, find_asterisk, version_of

#: What is installed into the folder. Debian's asterisk package brings all the modules; the sounds are the Spanish ones.
PACKAGES = ("asterisk", "asterisk-core-sounds-es-gsm")

MARK = ".cadencia-root.json"
_MACHINES = ("x86_64", "aarch64")
_NEEDS_ROOT = Words(
    "Run `sudo cadencia asterisk root` once, or name a ready folder in CADENCIA_ASTERISK_ROOT.",
    "Ejecute `sudo cadencia asterisk root` una vez, o nombre una carpeta lista en CADENCIA_ASTERISK_ROOT.",
)
_ANOTHER = Words(
    "Name an empty or a new folder in CADENCIA_ASTERISK_ROOT.",
    "Nombre una carpeta vacía o nueva en CADENCIA_ASTERISK_ROOT.",
)
_DEBOOTSTRAP = Words("Install debootstrap first.", "Instale primero debootstrap.")

Progress = Callable[[str], None]


def build_root(target: Path | None = None, *, progress: Progress | None = None, mirror: str | None = None) -> Path:
    """Builds the folder if it is not there; a finished one is left alone. Takes about a minute.

    Args:
        target: the folder to build; by default `default_root()`.
        progress: told what is being done, one short sentence at a time.
        mirror: address of a Debian mirror; by default the one in this machine's apt sources that carries the suite.

    Returns:
        The folder.

    Raises:
        ConfigError: this machine cannot build it (not root, no mirror, unknown machine type).
        SwitchUnfit: a step of the build failed.
    """
    say: Progress = progress or (lambda _: None)
    folder = target or default_root()
    if is_ready(folder):
        return folder
    _check_machine(folder)
    _check_free(folder)
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        why = reason(error)
        raise ConfigError(
            Words(f"{folder.parent} cannot be made: {why}.", f"No se puede crear {folder.parent}: {why.es}."), _ANOTHER
        ) from error
    with _locked(folder.parent / ".lock", say):
        if not is_ready(folder):  # another builder may have finished while we waited
            _build(folder, mirror or find_mirror(), say)
    return folder


def is_ready(folder: Path) -> bool:
    """Whether there is a root folder with an Asterisk; a build puts it there in one step or not at all."""
    return (folder / "usr/sbin/asterisk").is_file()


def ensure_asterisk(*, progress: Progress | None = None) -> Installation:
    """The Asterisk to start, built first if there is none and this machine can build it.

    Raises:
        ConfigError, SwitchUnfit: there is none and it cannot be built.
    """
    try:
        return find_asterisk()
    except SwitchUnfit:
        return find_asterisk(build_root(progress=progress))


def _check_machine(folder: Path) -> None:
    if platform.system() != "Linux" or platform.machine() not in _MACHINES:
        raise ConfigError(
            Words(
                f"A private Asterisk can be built on Linux on {' or '.join(_MACHINES)} only.",
                f"Un Asterisk privado solo se puede armar en Linux sobre {' o '.join(_MACHINES)}.",
            ),
            Words(
                "Use the simulated switch (`cadencia demo`), or an Asterisk on another machine.",
                "Use el conmutador simulado (`cadencia demo`), o un Asterisk en otra máquina.",
            ),
        )
    if os.geteuid() != 0:
        raise ConfigError(
            Words(
                f"Building the private Asterisk in {folder} needs root, once.",
                f"Armar el Asterisk privado en {folder} requiere root, una vez.",
            ),
            _NEEDS_ROOT,
        )


def _check_free(folder: Path) -> None:
    """A folder that somebody named by mistake is not ours to replace."""
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise ConfigError(
            Words(f"{folder} exists and holds no Asterisk.", f"{folder} existe y no contiene un Asterisk."), _ANOTHER
        )


@contextmanager
def _locked(path: Path, say: Progress) -> Iterator[None]:
    with path.open("w") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("Another process is building the same folder; waiting for it.")
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def _build(folder: Path, mirror: str, say: Progress) -> None:
    debootstrap = _debootstrap(say)
    log = folder.parent / "build.log"
    for left in folder.parent.glob(".build.*"):  # of a builder that was killed; we hold the lock
        _remove(left)
    work = Path(tempfile.mkdtemp(prefix=".build.", dir=folder.parent))
    try:
        say(f"Fetching Debian {SUITE} from {mirror}.")
        proxy = _apt_proxy()
        env = {**os.environ, **({"http_proxy": proxy} if proxy and "http_proxy" not in os.environ else {})}
        _run([debootstrap, "--variant=minbase", SUITE, str(work), mirror], log, env)
        _prepare(work, proxy)
        say(f"Installing {', '.join(PACKAGES)}.")
        env = {**os.environ, "DEBIAN_FRONTEND": "noninteractive", "LC_ALL": "C"}
        _run(["chroot", str(work), "apt-get", "install", "-y", "--no-install-recommends", *PACKAGES], log, env)
        _run(["chroot", str(work), "apt-get", "clean"], log, env)
        version = version_of(("chroot", str(work), "asterisk"))
        work.chmod(0o755)  # mkdtemp made it 700; ordinary users run Asterisk from it
        (work / MARK).write_text(json.dumps({"packages": PACKAGES, "version": version, "mirror": mirror}) + "\n")
        if folder.exists():
            folder.rmdir()  # empty: see _check_free
        work.rename(folder)
        say(f"Asterisk {version} is ready in {folder}.")
    finally:
        _remove(work)


def _remove(work: Path) -> None:
    """Not by shutil: a killed debootstrap leaves /proc mounted in there."""
    subprocess.run(["rm", "-rf", "--one-file-system", str(work)], capture_output=True, check=False)  # noqa: S603, S607


def _prepare(work: Path, proxy: str) -> None:
    """Keeps the packages' servers from being started, and lets the inner apt reach what the outer one reaches."""
    policy = work / "usr/sbin/policy-rc.d"
    policy.write_text("#!/bin/sh\nexit 101\n")
    policy.chmod(0o755)
    resolv = Path("/etc/resolv.conf")
    if resolv.exists():
        inner = work / "etc/resolv.conf"
        inner.unlink(missing_ok=True)
        inner.write_bytes(resolv.read_bytes())
    if proxy:
        (work / "etc/apt/apt.conf.d/90proxy").write_text(f'Acquire::http::Proxy "{proxy}";\n')


def _run(command: list[str], log: Path, env: dict[str, str]) -> None:
    with log.open("ab") as out:
        done = subprocess.run(command, stdout=out, stderr=out, stdin=subprocess.DEVNULL, env=env, check=False)  # noqa: S603
    if done.returncode != 0:
        last = " ".join(log.read_text(errors="replace").split("\n")[-4:]).strip()
        raise SwitchUnfit(
            Words(f"{Path(command[0]).name} failed: {last[-300:]}", f"{Path(command[0]).name} falló: {last[-300:]}"),
            Words(f"The whole log is {log}.", f"El registro completo es {log}."),
        )


def _debootstrap(say: Progress) -> str:
    found = shutil.which("debootstrap")
    if found:
        return found
    if shutil.which("apt-get") is None:
        raise ConfigError(
            Words(
                "debootstrap is not installed and this machine has no apt.",
                "debootstrap no está instalado y esta máquina no tiene apt.",
            ),
            _DEBOOTSTRAP,
        )
    say("Installing debootstrap.")
    env = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    install = ["apt-get", "install", "-y", "--no-install-recommends", "debootstrap"]
    for command in (install, ["apt-get", "update"], install):
        subprocess.run(command, capture_output=True, env=env, check=False)  # noqa: S603
        found = shutil.which("debootstrap")
        if found:
            return found
    raise ConfigError(
        Words(
            "debootstrap is not installed and apt-get could not install it.",
            "debootstrap no está instalado y apt-get no pudo instalarlo.",
        ),
        _DEBOOTSTRAP,
    )


# -- the machine's own mirror ------------------------------------------------------------------------------------------


def find_mirror(sources: Path = Path("/etc/apt")) -> str:
    """The first mirror among the machine's apt sources that carries the suite.

    Raises:
        ConfigError: none does.
    """
    candidates = apt_mirrors(sources)
    for address in candidates:
        if _carries_suite(address):
            return address
    raise ConfigError(
        Words(
            f"None of the mirrors in {sources} carries Debian {SUITE}: {', '.join(candidates) or 'there are none'}.",
            f"Ninguna réplica en {sources} trae Debian {SUITE}: {', '.join(candidates) or 'no hay ninguna'}.",
        ),
        Words(
            "Build the folder on a Debian machine and name a copy of it in CADENCIA_ASTERISK_ROOT.",
            "Arme la carpeta en una máquina con Debian y nombre una copia en CADENCIA_ASTERISK_ROOT.",
        ),
    )


def apt_mirrors(sources: Path) -> list[str]:
    """The http(s) addresses in `sources.list.d/*.sources` (deb822), `sources.list` and `*.list`, Debian-like first."""
    parts = sources / "sources.list.d"
    found: list[str] = []
    for path in sorted(parts.glob("*.sources")):
        found += _deb822_uris(path.read_text(errors="replace"))
    for path in [sources / "sources.list", *sorted(parts.glob("*.list"))]:
        if path.is_file():
            found += _one_line_uris(path.read_text(errors="replace"))
    web = [u for u in dict.fromkeys(found) if re.match(r"https?://", u) and "-security" not in u]
    return sorted(web, key=lambda u: "debian" not in u)


def _deb822_uris(text: str) -> Iterator[str]:
    for stanza in re.split(r"\n\s*\n", text):
        fields = _fields(stanza.splitlines())
        if "deb" in fields.get("types", "").split() and fields.get("enabled", "yes").lower() != "no":
            yield from fields.get("uris", "").split()


def _fields(lines: Iterable[str]) -> dict[str, str]:
    """Deb822 fields by lower-case name; continuation lines are joined by a blank."""
    fields: dict[str, str] = {}
    name = ""
    for line in lines:
        if line.startswith("#"):
            continue
        if line[:1].isspace():
            fields[name] = f"{fields.get(name, '')} {line.strip()}"
            continue
        name, _, value = line.partition(":")
        name = name.strip().lower()
        fields[name] = value.strip()
    return fields


def _one_line_uris(text: str) -> list[str]:
    return re.findall(r"^\s*deb\s+(?:\[[^\]]*\]\s*)?(\S+)", text, re.MULTILINE)


def _carries_suite(address: str) -> bool:
    """Asks with apt's own helper, which goes through the same proxy and certificates as apt."""
    helper = "/usr/lib/apt/apt-helper"
    if not Path(helper).exists():
        return True
    with tempfile.TemporaryDirectory() as folder:
        url = f"{address.rstrip('/')}/dists/{SUITE}/InRelease"
        done = subprocess.run(  # noqa: S603
            [helper, "download-file", url, f"{folder}/InRelease"], capture_output=True, timeout=60, check=False
        )
    return done.returncode == 0


def _apt_proxy() -> str:
    if shutil.which("apt-config") is None:
        return ""
    done = subprocess.run(
        ["apt-config", "shell", "PROXY", "Acquire::http::Proxy"],  # noqa: S607
        capture_output=True,
        text=True,
        check=False,
    )
    match = re.search(r"PROXY='([^']*)'", done.stdout)
    return match[1] if match else ""
