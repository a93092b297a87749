"""Why the operating system refused something, in both languages."""

from __future__ import annotations

import errno
import os
import socket

from cadencia.errors import Words

_SPANISH: dict[int, str] = {
    errno.ENOENT: "no existe",
    errno.EACCES: "no hay permiso",
    errno.EPERM: "no hay permiso",
    errno.EISDIR: "es una carpeta",
    errno.ENOTDIR: "una parte de la ruta no es una carpeta",
    errno.EEXIST: "ya existe",
    errno.ENOSPC: "el disco está lleno",
    errno.EDQUOT: "se agotó la cuota de disco",
    errno.EROFS: "el disco es de solo lectura",
    errno.EIO: "el disco falla",
    errno.EMFILE: "hay demasiados archivos abiertos",
    errno.ENFILE: "hay demasiados archivos abiertos",
    errno.ENAMETOOLONG: "el nombre es demasiado largo",
    errno.ELOOP: "hay un ciclo de enlaces",
    errno.ECONNREFUSED: "allí no escucha nadie",
    errno.ECONNRESET: "la conexión se cortó",
    errno.EPIPE: "la conexión se cortó",
    errno.ETIMEDOUT: "no hubo respuesta a tiempo",
    errno.EHOSTUNREACH: "no hay ruta hasta esa máquina",
    errno.ENETUNREACH: "no hay ruta hasta esa red",
    errno.EADDRINUSE: "la dirección está en uso",
    errno.EADDRNOTAVAIL: "la dirección no es de esta máquina",
}

_ENGLISH: dict[int, str] = {
    errno.ENOSPC: "the disk is full",
    errno.EISDIR: "it is a folder",
    errno.ECONNREFUSED: "nobody listens there",
}


def reason(error: BaseException) -> Words:
    """The reason of an OSError or a TimeoutError as the end of a sentence, without a full stop."""
    if isinstance(error, socket.gaierror):
        return Words("there is no machine of that name", "no hay una máquina con ese nombre")
    number = getattr(error, "errno", None)
    if number is None and isinstance(error, TimeoutError):
        number = errno.ETIMEDOUT
    if number is None and isinstance(error, OSError):
        # Of several addresses that were tried asyncio tells only a text.
        number = next((n for n in (errno.ECONNREFUSED, errno.ETIMEDOUT) if os.strerror(n) in str(error)), None)
        number = errno.ECONNREFUSED if number is None and "Connect call failed" in str(error) else number
    if number is None:
        text = getattr(error, "strerror", None) or str(error) or type(error).__name__
        return Words(text, text)
    english = _ENGLISH.get(number) or os.strerror(number)
    return Words(english, _SPANISH.get(number, english))
