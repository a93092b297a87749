"""Files that the user named and we write: tried before the work begins, whole or not at all at its end."""

from __future__ import annotations

import os
import tempfile
from contextlib import suppress
from pathlib import Path

from cadencia.cli.faults import unwritten
from cadencia.config.system import reason
from cadencia.errors import ConfigError, Words


def verify_writable(path: Path) -> None:
    """Raise ConfigError unless the file can be written; what is there stays as it is."""
    fresh = not path.exists()
    try:
        with path.open("ab"):
            pass
        if fresh:
            path.unlink()
    except OSError as error:
        why = reason(error)
        raise ConfigError(
            Words(f"{path} cannot be written: {why}.", f"No se puede escribir {path}: {why.es}."),
            Words("Name a file in a folder that can be written.", "Nombre un archivo en una carpeta con permiso."),
        ) from None


def write_whole(path: Path, text: str) -> None:
    """Write a file, or leave the older one. Raises SystemRefused."""
    if path.exists() and not path.is_file():
        _write(path, path, text)  # a device or a pipe
        return
    target = path.resolve()
    try:
        handle, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
        os.close(handle)
    except OSError as error:
        raise unwritten(path, error) from None
    draft = Path(name)
    try:
        draft.chmod(target.stat().st_mode & 0o777 if target.exists() else 0o644)
        _write(draft, path, text)
        draft.replace(target)
    finally:
        with suppress(OSError):
            draft.unlink(missing_ok=True)


def _write(place: Path, told: Path, text: str) -> None:
    try:
        place.write_text(text, "utf-8")
    except OSError as error:
        raise unwritten(told, error) from None
