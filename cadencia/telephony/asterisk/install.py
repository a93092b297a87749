"""Where an Asterisk is that this program may start by itself: the private root folder, or an installed one that is fit.

Fit means that `Hangup` carries `TechCause`, the SIP code, without which 404, 480 and 603 cannot be told apart. It came
with 20.17, 22.7 and 23.1 (asterisk/asterisk pull request 1538), but a distribution may carry it back or build it out,
so an installed server is started once and looked at.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from cadencia.errors import SwitchUnfit, Words

#: The version the integration tests were last green on, and the transcripts were recorded from.
LAST_GREEN = "22.10.1"

#: Environment variable that names a ready root folder (or where to build it), in place of the one in the user's cache.
ROOT_VARIABLE = "CADENCIA_ASTERISK_ROOT"

SUITE = "sid"
_REBUILD = Words(
    "Install Asterisk again, or build a private one: `cadencia asterisk root`.",
    "Instale Asterisk de nuevo, o arme uno privado: `cadencia asterisk root`.",
)
_VERSION = re.compile(r"Asterisk\s+(?:certified[/-])?(\d+(?:\.\d+)*)")


@dataclass(frozen=True)
class Installation:
    """One Asterisk that can be started.

    Attributes:
        command: the words that start it; its options follow.
        modules_dir: where its modules lie.
        data_dir: holds `sounds/` and the XML documentation.
        version: such as `22.10.1`, without the distribution's suffix.
        origin: `root` for the private folder, `system` for an installed one.
    """

    command: tuple[str, ...]
    modules_dir: Path
    data_dir: Path
    version: str
    origin: str

    @property
    def warning(self) -> str:
        """A sentence for the user if this is not the version the suite was last green on, else empty."""
        if self.version == LAST_GREEN:
            return ""
        return f"Asterisk {self.version} is not the version this release was tested on ({LAST_GREEN})."


def default_root() -> Path:
    """The private root folder's place: CADENCIA_ASTERISK_ROOT, else `cadencia/asterisk/sid` in the user's cache."""
    named = os.environ.get(ROOT_VARIABLE)
    if named:
        return Path(named).expanduser()
    cache = os.environ.get("XDG_CACHE_HOME")
    return (Path(cache) if cache else Path.home() / ".cache") / "cadencia" / "asterisk" / SUITE


def find_asterisk(root: Path | None = None, *, look: bool = True) -> Installation:
    """The Asterisk to start: the private root folder if it is there, else a fit one on PATH.

    Args:
        root: the folder to look in; by default `default_root()`.
        look: start an installed server once to see whether its Hangup events carry TechCause.

    Raises:
        SwitchUnfit: there is none, or the one on PATH is not fit.
    """
    folder = root or default_root()
    if (folder / "usr/sbin/asterisk").exists():
        return _in_root(folder)
    program = shutil.which("asterisk")
    if program is None:
        raise SwitchUnfit(
            Words(f"There is no Asterisk in {folder} and none on PATH.", f"No hay Asterisk en {folder} ni en PATH."),
            Words(
                "Run `cadencia asterisk root` once, as root, to build a private one.",
                "Ejecute `cadencia asterisk root` una vez, como root, para armar uno privado.",
            ),
        )
    found = _on_path(Path(program))
    if look:
        from cadencia.telephony.asterisk.probe import carries_tech_cause

        if not carries_tech_cause(found):
            raise SwitchUnfit(
                Words(
                    f"The installed Asterisk {found.version} does not tell the SIP code of a hang-up (TechCause).",
                    f"El Asterisk {found.version} instalado no dice el código SIP de un colgado (TechCause).",
                ),
                Words(
                    "Use 20.17, 22.7, 23.1 or later, or run `cadencia asterisk root` once, as root.",
                    "Use 20.17, 22.7, 23.1 o posterior, o ejecute `cadencia asterisk root` una vez, como root.",
                ),
            )
    return found


def _in_root(root: Path) -> Installation:
    """The root folder's own loader starts its own binary with its own libraries: no chroot, no rights needed."""
    try:
        triplet = next(p.name for p in sorted((root / "usr/lib").iterdir()) if p.name.endswith("-linux-gnu"))
        loader = next(iter(sorted((root / "usr/lib" / triplet).glob("ld-linux*.so.*"))))
    except (StopIteration, OSError) as error:
        raise SwitchUnfit(
            Words(f"{root} is not a complete root folder.", f"{root} no es una carpeta raíz completa."),
            Words(
                "Remove it and run `cadencia asterisk root` again, as root.",
                "Bórrela y ejecute de nuevo `cadencia asterisk root`, como root.",
            ),
        ) from error
    libraries = root / "usr/lib" / triplet
    path = f"{libraries}:{libraries}/asterisk:{root}/usr/lib"
    command = (str(loader), "--library-path", path, str(root / "usr/sbin/asterisk"))
    return Installation(
        command, libraries / "asterisk/modules", root / "usr/share/asterisk", version_of(command), "root"
    )


def _on_path(program: Path) -> Installation:
    modules = _first(Path("/usr"), "lib/*-linux-gnu/asterisk/modules", "lib64/asterisk/modules", "lib/asterisk/modules")
    sounds = _first(Path("/"), "usr/share/asterisk/sounds", "var/lib/asterisk/sounds")
    if modules is None or sounds is None:
        raise SwitchUnfit(
            Words(
                f"The modules or sounds of {program} were not found.",
                f"No se hallaron los módulos o sonidos de {program}.",
            ),
            Words(
                "Run `cadencia asterisk root` once, as root, to build a private Asterisk.",
                "Ejecute `cadencia asterisk root` una vez, como root, para armar un Asterisk privado.",
            ),
        )
    command = (str(program),)
    return Installation(command, modules, sounds.parent, version_of(command), "system")


def _first(base: Path, *patterns: str) -> Path | None:
    return next((found for pattern in patterns for found in sorted(base.glob(pattern))), None)


def version_of(command: tuple[str, ...]) -> str:
    """What `asterisk -V` says, such as `22.10.1`.

    Raises:
        SwitchUnfit: it does not start, or says something else.
    """
    try:
        # the words come from our own folder or from PATH, never from a user
        done = subprocess.run([*command, "-V"], capture_output=True, text=True, timeout=20, check=False)  # noqa: S603
    except (OSError, subprocess.TimeoutExpired) as error:
        raise SwitchUnfit(
            Words(f"{command[-1]} does not start: {error}.", f"{command[-1]} no arranca: {error}."), _REBUILD
        ) from error
    match = _VERSION.search(done.stdout)
    if match is None:
        said = (done.stderr or done.stdout).strip()[:200]
        raise SwitchUnfit(
            Words(f"{command[-1]} does not tell its version: {said}.", f"{command[-1]} no dice su versión: {said}."),
            _REBUILD,
        )
    return match[1]
