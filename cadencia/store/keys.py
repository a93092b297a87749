"""The key that signs the evidence: a file beside the data that only its owner may read, and the public keys ever used.

The private key lies in `evidence.key` (PKCS #8, PEM, mode 0600). `evidence.pub` has a public key a line, in
hexadecimal, the newest last: what a verifier is given to trust. A key that is replaced is destroyed; what it signed
stays verifiable.
"""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

from cadencia.compliance.signing import Key
from cadencia.config.system import reason
from cadencia.errors import ConfigError, Words
from cadencia.store.embedded import default_folder

PRIVATE, PUBLIC = "evidence.key", "evidence.pub"


def key_folder() -> Path:
    """Where the key lies unless somebody says otherwise: the folder of the program's data."""
    return default_folder().parent


def load_or_make(folder: Path) -> Key:
    """The key of a folder, made if there is none. Raises ConfigError."""
    path = folder / PRIVATE
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with suppress(FileNotFoundError):
            return _read(path)
        key = Key.new()
        if _write_new(path, key.pem):
            _publish(folder, key)
            return key
        return _read(path)  # another process was faster
    except OSError as error:
        raise _unusable(path, error) from None


def load(folder: Path) -> Key:
    """The key of a folder. Raises ConfigError if there is none."""
    try:
        return _read(folder / PRIVATE)
    except OSError as error:
        raise _unusable(folder / PRIVATE, error) from None


def rotate(folder: Path) -> Key:
    """A new key in the old one's place. Raises ConfigError."""
    path, draft = folder / PRIVATE, folder / f".{PRIVATE}.new"
    key = Key.new()
    try:
        draft.unlink(missing_ok=True)
        _write_new(draft, key.pem)
        _publish(folder, key)  # first: a root of a key that nobody could trust must not be
        draft.replace(path)
    except OSError as error:
        raise _unusable(path, error) from None
    return key


def trusted(path: Path) -> frozenset[bytes]:
    """The public keys of a file. Raises ConfigError if it cannot be read or holds something else."""
    try:
        lines = path.read_text("ascii").split()
        keys = frozenset(bytes.fromhex(line) for line in lines)
    except OSError as error:
        raise _unusable(path, error) from None
    except ValueError:
        keys = frozenset()
    if not keys or any(len(key) != 32 for key in keys):
        raise ConfigError(
            Words(f"{path} is no list of public keys.", f"{path} no es una lista de claves públicas."),
            Words("Write one a line, 64 hexadecimal digits.", "Escriba una por línea, 64 dígitos hexadecimales."),
        )
    return keys


def _read(path: Path) -> Key:
    try:
        return Key.read(path.read_bytes())
    except ValueError:
        raise ConfigError(
            Words(f"{path} holds no Ed25519 key.", f"{path} no tiene una clave Ed25519."),
            Words(
                "Put the key back from a copy, or make a new one: cadencia evidence key --rotate",
                "Reponga la clave desde una copia, o haga una nueva: cadencia evidence key --rotate",
            ),
        ) from None


def _write_new(path: Path, pem: bytes) -> bool:
    """Write the file whole or not at all; False if there is one."""
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    draft.unlink(missing_ok=True)
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(pem)
            file.flush()
            os.fsync(file.fileno())
        os.link(draft, path)
    except FileExistsError:
        return False
    finally:
        draft.unlink(missing_ok=True)
    return True


def _publish(folder: Path, key: Key) -> None:
    with (folder / PUBLIC).open("a", encoding="ascii") as file:
        file.write(f"{key.public.hex()}\n")
        file.flush()
        os.fsync(file.fileno())


def _unusable(path: Path, error: OSError) -> ConfigError:
    why = reason(error)
    return ConfigError(
        Words(f"{path} cannot be used: {why}.", f"No se puede usar {path}: {why.es}."),
        Words(
            "The key lies in the folder of the engine's data: run as the engine's user, or set CADENCIA_DATA.",
            "La clave está en la carpeta de datos del motor: ejecute como su usuario, o ponga CADENCIA_DATA.",
        ),
    )
