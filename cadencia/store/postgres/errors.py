"""What a broken database looks like to the rest of the program: one place turns every failure into a StoreError.

The original is not chained: an exception of SQLAlchemy or asyncpg carries the statement's values and the violated
constraint's key, which are a debtor's data.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import asyncpg
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from cadencia.config.system import reason
from cadencia.errors import StoreError, Words

#: Of a ConfigError: what is wrong, and what to do.
UNREADABLE_URL = (
    Words("database.url cannot be read.", "No se entiende database.url."),
    Words("Write postgresql://user:password@host/database.", "Escriba postgresql://usuario:contraseña@servidor/base."),
)

_START = Words(
    "Start it (cadencia db start), or look at database.url.", "Arránquela (cadencia db start), o revise database.url."
)

DISK_FULL = Words("The database's disk is full.", "El disco de la base de datos está lleno.")

#: SQLSTATE, or its class (the first two characters) -> what to say and what to do.
_TOLD: dict[str, tuple[Words, Words]] = {
    "53100": (
        DISK_FULL,
        Words(
            "Make room on the database's disk; nothing of this was written.",
            "Libere espacio en el disco de la base de datos; de esto no se escribió nada.",
        ),
    ),
    "53200": (
        Words("The database is out of memory.", "La base de datos se quedó sin memoria."),
        Words("Give its machine more memory.", "Dé más memoria a su máquina."),
    ),
    "53300": (
        Words("The database has no connection left.", "La base de datos no tiene más conexiones."),
        Words("Raise its max_connections, or end other programs.", "Suba max_connections, o cierre otros programas."),
    ),
    "28": (
        Words("The database does not let us in.", "La base de datos no nos deja entrar."),
        Words(
            "Look at the user and the password in database.url.", "Revise el usuario y la contraseña en database.url."
        ),
    ),
    "3D000": (
        Words("There is no such database.", "No existe esa base de datos."),
        Words(
            "Create it on its server (createdb), or look at database.url.",
            "Créela en su servidor (createdb), o revise database.url.",
        ),
    ),
    "42P01": (
        Words("The database has not been set up.", "La base de datos no está preparada."),
        Words("Run: cadencia db upgrade", "Ejecute: cadencia db upgrade"),
    ),
    "57": (
        Words("The database is stopping or starting.", "La base de datos se está deteniendo o arrancando."),
        Words("Try again in a moment.", "Intente de nuevo en un momento."),
    ),
    "08": (Words("The connection to the database is lost.", "Se perdió la conexión con la base de datos."), _START),
    "58": (
        Words("The database cannot read or write its files.", "La base de datos no puede leer ni escribir en disco."),
        Words("Look at its disk and at its log.", "Revise su disco y su registro."),
    ),
    "25006": (
        Words("The database is read-only.", "La base de datos es de solo lectura."),
        Words("Point database.url at the primary server.", "Ponga en database.url el servidor principal."),
    ),
    "42501": (
        Words("The database's user may not do this.", "El usuario de la base de datos no puede hacer esto."),
        Words("Make that user the owner of the database.", "Haga a ese usuario dueño de la base de datos."),
    ),
    "XX": (
        Words("The database's files are damaged.", "Los archivos de la base de datos están dañados."),
        Words(
            "Stop, keep a copy of the folder, and restore a backup.",
            "Detenga todo, guarde una copia de la carpeta y restaure un respaldo.",
        ),
    ),
}

#: Two transactions stood in each other's way: the same work succeeds when it is done again.
_AGAIN = frozenset({"40001", "40P01"})


def sqlstate(error: BaseException) -> str:
    """The SQLSTATE of an exception, or of the one it wraps; empty if it has none."""
    found = error.orig if isinstance(error, DBAPIError) else error
    return str(getattr(found, "sqlstate", None) or "")


def again(error: BaseException) -> bool:
    """True if the transaction may be tried once more."""
    return sqlstate(error) in _AGAIN


@contextmanager
def telling() -> Iterator[None]:
    """Turn every failure of the database into a StoreError."""
    try:
        yield
    except (SQLAlchemyError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        raise _told(error) from None
    except (TimeoutError, OSError) as error:
        why = reason(error)
        raise StoreError(
            Words(f"The database cannot be reached: {why}.", f"No se llega a la base de datos: {why.es}."), _START
        ) from None


def _told(error: Exception) -> StoreError:
    state = sqlstate(error)
    known = _TOLD.get(state) or _TOLD.get(state[:2])
    if known is not None:
        return StoreError(*known)
    if isinstance(error, DBAPIError) and error.connection_invalidated:
        return StoreError(*_TOLD["08"])
    if isinstance(error, SQLAlchemyError) and "QueuePool limit" in str(error):
        return StoreError(
            Words("All connections to the database are in use.", "Todas las conexiones a la base están en uso."),
            _TOLD["57"][1],
        )
    lost = isinstance(error, asyncpg.InterfaceError) or (isinstance(error, DBAPIError) and not state)
    if lost:
        return StoreError(*_TOLD["08"])
    return StoreError(
        Words(
            f"The database refused a statement (SQLSTATE {state or 'unknown'}).",
            f"La base de datos rechazó una instrucción (SQLSTATE {state or 'desconocido'}).",
        ),
        Words(
            "Look at the database's log, and report this code with it.",
            "Revise el registro de la base de datos y reporte este código con él.",
        ),
    )
