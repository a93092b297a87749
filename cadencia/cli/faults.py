"""Faults that are nobody's mistake: the machine refuses, or the program has a bug. One message, never a stack trace."""

from __future__ import annotations

import errno
import os
import tempfile
import traceback
from contextlib import suppress
from pathlib import Path

from cadencia import __version__
from cadencia.clock import SystemClock
from cadencia.config.system import reason
from cadencia.errors import CadenciaError, Words
from cadencia.metrics.logs import mask
from cadencia.store.embedded import default_folder

#: Set to 1 it has the stack trace on the standard error instead of in a file.
DEBUG = "CADENCIA_DEBUG"


class SystemRefused(CadenciaError):
    """The operating system refused something: the disk is full, there is no permission."""

    code = "CAD-SYSTEM"


class ProgramFault(CadenciaError):
    """A bug of ours."""

    code = "CAD-FAULT"


_HINTS: dict[int, Words] = {
    errno.ENOSPC: Words("Make room on that disk and try again.", "Libere espacio en ese disco e intente de nuevo."),
    errno.EDQUOT: Words("Make room on that disk and try again.", "Libere espacio en ese disco e intente de nuevo."),
    errno.EACCES: Words(
        "Mend the permissions, or run as a user who has them.", "Corrija los permisos, o use un usuario que los tenga."
    ),
    errno.EPERM: Words(
        "Mend the permissions, or run as a user who has them.", "Corrija los permisos, o use un usuario que los tenga."
    ),
    errno.EROFS: Words("Choose a place that can be written.", "Elija un lugar donde se pueda escribir."),
    errno.EMFILE: Words("Raise the limit of open files (ulimit -n).", "Suba el límite de archivos (ulimit -n)."),
}
_LOOK = Words("Look at that file or address and try again.", "Revise ese archivo o dirección e intente de nuevo.")


def refused(error: OSError) -> SystemRefused:
    """What the operating system refused, in words."""
    why = reason(error)
    what = str(error.filename) if error.filename else ""
    if what:
        told = Words(f"{what} cannot be used: {why}.", f"No se puede usar {what}: {why.es}.")
    else:
        told = Words(f"The system refused: {why}.", f"El sistema no lo permitió: {why.es}.")
    return SystemRefused(told, _HINTS.get(error.errno or 0, _LOOK))


def unwritten(path: Path, error: OSError) -> SystemRefused:
    """A result that could not be written down; it stands on the screen."""
    why = reason(error)
    return SystemRefused(
        Words(
            f"{path} could not be written: {why}. The summary stands above.",
            f"No se pudo escribir {path}: {why.es}. El resumen está arriba.",
        ),
        _HINTS.get(error.errno or 0, _LOOK),
    )


def fault(error: BaseException) -> ProgramFault:
    """What to say of an exception that nobody expected; its stack trace goes to a file."""
    kind = type(error).__name__
    told = Words(f"This is a fault of the program ({kind}).", f"Esto es una falla del programa ({kind}).")
    kept = _keep(error)
    if kept is None:
        return ProgramFault(
            told,
            Words(f"Run it again with {DEBUG}=1 and report it.", f"Ejecútelo de nuevo con {DEBUG}=1 y repórtelo."),
        )
    return ProgramFault(
        told,
        Words(
            f"The details are in {kept}; report it with them.", f"Los detalles están en {kept}; repórtelo con ellos."
        ),
    )


def _data_folder() -> Path:
    return default_folder().parent


def _temporary_folder() -> Path:
    return Path(tempfile.gettempdir()) / f"cadencia-{os.getuid()}"


def _keep(error: BaseException) -> Path | None:
    """Append the stack trace, without numbers that could be somebody's, to a file only its owner may read."""
    trace = mask("".join(traceback.format_exception(error)))
    entry = f"{SystemClock().now().isoformat()} cadencia {__version__}\n{trace}\n".encode()
    for place in (_data_folder, _temporary_folder):
        with suppress(OSError, RuntimeError):  # RuntimeError: there is no home
            path = place() / "faults.log"
            path.parent.mkdir(parents=True, exist_ok=True)
            flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW
            descriptor = os.open(path, flags, 0o600)
            with os.fdopen(descriptor, "ab") as file:
                file.write(entry)
            return path
    return None
