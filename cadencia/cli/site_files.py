"""`cadencia asterisk config`: the files to include on a server, written only where they change."""

from __future__ import annotations

import difflib
import os
import re
import stat
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

import typer

from cadencia.cli.faults import refused
from cadencia.cli.options import tell_json
from cadencia.cli.text import say
from cadencia.config import Server, Settings
from cadencia.config.system import reason
from cadencia.errors import ConfigError, Words
from cadencia.telephony.asterisk.config import RELOADS
from cadencia.telephony.asterisk.site import files_of

#: The line that a server's own files are known by: ours get its owner, so that Asterisk can read them.
_NEIGHBOUR = "manager.conf"
_SECRET = re.compile(r"^(secret|password) = (.*)$", re.MULTILINE)


def chosen(settings: Settings, server: str | None) -> Mapping[str, Server]:
    """The servers that are meant: all, or the one that is named.

    Raises:
        ConfigError: there is none of that name.
    """
    if server is None:
        return settings.servers
    if server not in settings.servers:
        known = ", ".join(settings.servers)
        raise ConfigError(
            Words(f"There is no server {server} in the settings.", f"No hay un servidor {server} en la configuración."),
            Words(f"Known are: {known}.", f"Se conocen: {known}."),
        )
    return {server: settings.servers[server]}


def write_files(settings: Settings, server: str | None, out: Path, *, as_json: bool) -> None:
    """Write the files of the chosen servers; several go into a subfolder each.

    Raises:
        ConfigError: a secret is not set, or the folder cannot be written.
    """
    told: list[tuple[Path, bool]] = []
    for folder, files in _places(settings, server, out):
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise refused(error) from None
        for name, text in files.items():
            path = folder / name
            same = _held(path) == text
            told.append((path, same))
            if not same:
                _write(path, text)
            if not as_json:
                typer.echo(f"{path}: {say('sin cambios', 'unchanged') if same else say('escrito', 'written')}")
    if as_json:
        tell_json([{"file": str(path), "changed": not same} for path, same in told])
    elif any(not same for _, same in told):
        typer.echo(say("Después, en el servidor:", "Then, on the server:"))
        for line in RELOADS:
            typer.echo(f'  asterisk -rx "{line}"')


def show_changes(settings: Settings, server: str | None, out: Path, *, as_json: bool) -> bool:
    """Print what writing would change, secrets masked. Returns whether it would change anything."""
    told: list[tuple[Path, list[str]]] = []
    for folder, files in _places(settings, server, out):
        for name, text in files.items():
            path = folder / name
            told.append((path, _difference(path, _held(path), text)))
    if as_json:
        tell_json([{"file": str(path), "changed": bool(lines), "diff": lines} for path, lines in told])
    else:
        text = "\n".join(line for _, lines in told for line in lines)
        typer.echo(text or say("Nada cambiaría.", "Nothing would change."))
    return any(lines for _, lines in told)


def _difference(path: Path, held: str | None, text: str) -> list[str]:
    known = {found[2] for found in _SECRET.finditer(held or "")}
    return list(
        difflib.unified_diff(
            _masked(held or "", known).splitlines(),
            _masked(text, known).splitlines(),
            str(path) if held is not None else "/dev/null",
            str(path),
            lineterm="",
        )
    )


def _places(settings: Settings, server: str | None, out: Path) -> list[tuple[Path, dict[str, str]]]:
    servers = chosen(settings, server)
    many = len(servers) > 1
    return [(out / name if many else out, files_of(name, held)) for name, held in servers.items()]


def _masked(text: str, known: set[str]) -> str:
    another = say("otra", "another")
    return _SECRET.sub(lambda found: f"{found[1]} = ***" + ("" if found[2] in known else f" ({another})"), text)


def _held(path: Path) -> str | None:
    try:
        return path.read_text("utf-8")
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError) as error:
        why = reason(error) if isinstance(error, OSError) else Words("it is not ours", "no es nuestro")
        raise ConfigError(
            Words(f"{path} cannot be read: {why}.", f"No se puede leer {path}: {why.es}."),
            Words("Run this as root, or name another folder with --out.", "Hágalo como root, o nombre otra con --out."),
        ) from None


def _write(path: Path, text: str) -> None:
    """Write a file whole or not at all. Only its owner reads it, or whoever may read the manager.conf beside it."""
    neighbour = path.with_name(_NEIGHBOUR)
    draft: Path | None = None
    try:
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")  # mode 0600
        draft = Path(name)
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
        if neighbour.exists() and os.geteuid() == 0:
            like = neighbour.stat()
            os.chown(draft, like.st_uid, like.st_gid)
            draft.chmod(0o600 | (stat.S_IMODE(like.st_mode) & 0o040))
        draft.replace(path)
    except OSError as error:
        raise refused(error) from None
    finally:
        if draft is not None:
            with suppress(OSError):
                draft.unlink(missing_ok=True)
