"""What a broken database looks like to the rest of the program: one place turns every failure into a StoreError.

The original is not chained: an exception of SQLAlchemy or asyncpg carries the statement's values and the violated
constraint's key, which are a debtor's data.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import asyncpg
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from cadencia.errors import StoreError

_START = "Start it (cadencia db start), or look at database.url."
_SPACE = "Make room on the database's disk; nothing of this was written."

#: SQLSTATE, or its class (the first two characters) -> what to say and what to do.
_TOLD: dict[str, tuple[str, str]] = {
    "53100": ("The database's disk is full.", _SPACE),
    "53200": ("The database is out of memory.", "Give its machine more memory."),
    "53300": ("The database has no connection left.", "Raise its max_connections, or end other programs."),
    "28": ("The database does not let us in.", "Look at the user and the password in database.url."),
    "3D000": ("There is no such database.", "Make it with: cadencia db upgrade, or look at database.url."),
    "42P01": ("The database has not been set up.", "Run: cadencia db upgrade"),
    "57": ("The database is stopping or starting.", "Try again in a moment."),
    "08": ("The connection to the database is lost.", _START),
    "58": ("The database cannot read or write its files.", "Look at its disk and at its log."),
    "25006": ("The database is read-only.", "Point database.url at the primary server."),
    "XX": ("The database's files are damaged.", "Stop, keep a copy of the folder, and restore a backup."),
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
        raise StoreError(f"The database cannot be reached: {_reason(error)}.", _START) from None


def _told(error: Exception) -> StoreError:
    state = sqlstate(error)
    known = _TOLD.get(state) or _TOLD.get(state[:2])
    if known is not None:
        return StoreError(*known)
    if isinstance(error, DBAPIError) and error.connection_invalidated:
        return StoreError(*_TOLD["08"])
    if isinstance(error, SQLAlchemyError) and "QueuePool limit" in str(error):
        return StoreError("All connections to the database are in use.", "Try again in a moment.")
    lost = isinstance(error, asyncpg.InterfaceError) or (isinstance(error, DBAPIError) and not state)
    if lost:
        return StoreError(*_TOLD["08"])
    return StoreError(f"The database refused a statement (SQLSTATE {state or 'unknown'}).", "Run: cadencia doctor")


def _reason(error: BaseException) -> str:
    return getattr(error, "strerror", None) or str(error) or type(error).__name__
