"""What `cadencia asterisk root` and `cadencia asterisk lab` do, without the command line: JSON-able answers."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import Any

from cadencia.errors import ConfigError, Words
from cadencia.telephony.asterisk.install import default_root, find_asterisk
from cadencia.telephony.asterisk.lab import START_ONE, Lab, console, end_process, runs_in
from cadencia.telephony.asterisk.root import Progress, build_root, is_ready


def root_command(target: Path | None = None, *, progress: Progress | None = None) -> dict[str, Any]:
    """Builds the private root folder if it is not there.

    Returns:
        `root`, `version`, `built` (false if it was there already), `warning` (empty if this is the tested version).

    Raises:
        ConfigError, SwitchUnfit: it cannot be built.
    """
    folder = target or default_root()
    there = is_ready(folder)
    build_root(folder, progress=progress)
    found = find_asterisk(folder)
    return {"root": str(folder), "version": found.version, "built": not there, "warning": found.warning}


def start_lab(
    name: str = "lab",
    *,
    agents: int = 4,
    admin: bool = True,
    trunk_port: int | None = None,
    browser_agents: int = 0,
) -> dict[str, Any]:
    """Starts a server that goes on when this program ends.

    Args:
        name: what to call it, for `stop_lab` and `lab_console`.
        agents: number of telephones, a1001 and up.
        admin: with a second account that may do everything.
        trunk_port: where the trunk's carrier listens on 127.0.0.1.
        browser_agents: number of telephones in browsers, w1001 and up.

    Returns:
        See `Lab.info`, and `name`.

    Raises:
        ConfigError: one of that name runs already.
        SwitchUnfit: there is no Asterisk, or it does not start.
    """
    path = _info_path(name)
    known = _read(path)
    if known and runs_in(known["pid"], known["dir"]):
        raise ConfigError(
            Words(
                f"A lab named {name} runs already (pid {known['pid']}).",
                f"Ya corre un laboratorio llamado {name} (pid {known['pid']}).",
            ),
            Words("Stop it first, or use another name.", "Deténgalo primero, o use otro nombre."),
        )
    lab = Lab(agents=agents, admin=admin, detached=True, trunk_port=trunk_port, browser_agents=browser_agents).start()
    info = {"name": name, **lab.info()}
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)  # it holds secrets
    with os.fdopen(descriptor, "w") as out:
        json.dump(info, out)
    return info


def stop_lab(name: str = "lab") -> dict[str, Any]:
    """Ends that server and removes its folder.

    Returns:
        `name` and `stopped`: whether it was running.
    """
    path = _info_path(name)
    info = _read(path)
    if not info:
        return {"name": name, "stopped": False}
    stopped = end_process(info["pid"], info["dir"])
    shutil.rmtree(info["dir"], ignore_errors=True)
    path.unlink(missing_ok=True)
    return {"name": name, "stopped": stopped}


def lab_info(name: str = "lab") -> dict[str, Any]:
    """What `start_lab` returned, and `running`.

    Raises:
        ConfigError: there is none of that name.
    """
    info = _read(_info_path(name))
    if not info:
        raise ConfigError(Words(f"There is no lab named {name}.", f"No hay un laboratorio llamado {name}."), START_ONE)
    return {**info, "running": runs_in(info["pid"], info["dir"])}


def lab_console(command: str, name: str = "lab") -> dict[str, Any]:
    """Runs one console command on that server: `command` and its `output`.

    Raises:
        ConfigError: it does not run.
    """
    info = lab_info(name)
    return {"command": command, "output": console(tuple(info["command"]), Path(info["dir"]), command)}


def _info_path(name: str) -> Path:
    if not name.replace("-", "").replace("_", "").isalnum():
        raise ConfigError(
            Words(f"{name!r} cannot be a lab's name.", f"{name!r} no puede ser el nombre de un laboratorio."),
            Words("Use letters, digits, - and _.", "Use letras, dígitos, - y _."),
        )
    cache = os.environ.get("XDG_CACHE_HOME")
    return (Path(cache) if cache else Path.home() / ".cache") / "cadencia" / "asterisk" / "labs" / f"{name}.json"


def _read(path: Path) -> dict[str, Any]:
    try:
        info = json.loads(path.read_text())
    except (OSError, ValueError):
        return {}
    return info if isinstance(info, dict) else {}
