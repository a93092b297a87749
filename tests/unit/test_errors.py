"""The tree of errors, and the two languages."""

from __future__ import annotations

import errno
import importlib
import pkgutil
import re
import socket
from collections.abc import Iterator

import pytest

import cadencia
from cadencia import errors
from cadencia.config.system import reason
from cadencia.errors import CadenciaError, ConfigError, Words, spoken

#: Programs; what needs a database, or a library that is optional.
LEFT_OUT = re.compile(r"__main__|_process$|\.migrations|\.testing\.sip")


def tree(kind: type[CadenciaError] = CadenciaError) -> Iterator[type[CadenciaError]]:
    yield kind
    for below in kind.__subclasses__():
        yield from tree(below)


def test_every_error_has_a_code_of_its_own() -> None:
    for module in pkgutil.walk_packages(cadencia.__path__, "cadencia."):
        if not LEFT_OUT.search(module.name):
            importlib.import_module(module.name)
    named = [kind for kind in tree() if "code" in vars(kind)]
    codes = [kind.code for kind in named]
    assert len(set(codes)) == len(codes)
    assert all(code.startswith("CAD-") for code in codes)
    # Only what is private to a module may go by its parent's code.
    assert [kind.__name__ for kind in tree() if "code" not in vars(kind) and not kind.__name__.startswith("_")] == []
    assert {kind.exit_code for kind in tree()} == {1, 2}


def test_the_tree_is_written_down() -> None:
    for kind in tree():
        if kind.__module__ == "cadencia.errors":
            assert kind.__name__ in (errors.__doc__ or "")


def test_words_are_english_and_know_their_spanish() -> None:
    words = Words("Port 80 is in use.", "El puerto 80 está en uso.")
    assert words == "Port 80 is in use."
    assert (spoken(words, "es"), spoken(words, "en")) == (words.es, "Port 80 is in use.")
    assert type(spoken(words, "en")) is str
    assert spoken("plain", "es") == "plain"
    told = ConfigError(words, Words("Choose another.", "Elija otro."))
    assert str(told) == "Port 80 is in use. Choose another."
    assert told.exit_code == 2


@pytest.mark.parametrize(
    ("error", "en", "es"),
    [
        (OSError(errno.ENOSPC, "No space left on device"), "the disk is full", "el disco está lleno"),
        (OSError(errno.EACCES, "Permission denied"), "Permission denied", "no hay permiso"),
        (ConnectionRefusedError("Connect call failed ('::1', 1)"), "nobody listens there", "allí no escucha nadie"),
        (OSError("Multiple exceptions: [Errno 111] Connect call failed ('::1', 1), ..."), "nobody listens there", None),
        (socket.gaierror(-2, "Name or service not known"), "there is no machine of that name", None),
        (TimeoutError(), "Connection timed out", "no hubo respuesta a tiempo"),
        (OSError("odd"), "odd", "odd"),
    ],
)
def test_why_the_system_refused(error: OSError, en: str, es: str | None) -> None:
    why = reason(error)
    assert why == en
    assert es is None or why.es == es
