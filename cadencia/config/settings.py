"""What a site sets: a TOML file, and environment variables (CADENCIA__SERVERS__MAIN__SECRET=...) over it."""

from __future__ import annotations

import os
import re
import tomllib
from pathlib import Path
from typing import Any

from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_core import PydanticCustomError

from cadencia.config.faults import told
from cadencia.config.servers import Name, Section, Server, demand_consistent
from cadencia.config.system import reason
from cadencia.errors import ConfigError, Words

#: Environment variables that override a setting begin with this; `__` separates the levels.
PREFIX = "CADENCIA__"

_SCHEMES = ("postgresql://", "postgres://", "postgresql+asyncpg://")


class Database(Section):
    """Where things are kept; without an address the program starts its own PostgreSQL."""

    url: SecretStr | None = None
    connections: int = Field(default=10, ge=2, le=100)

    @field_validator("url")
    @classmethod
    def _is_postgresql(cls, url: SecretStr | None) -> SecretStr | None:
        if url is not None and not url.get_secret_value().startswith(_SCHEMES):
            raise PydanticCustomError("database_url", "not an address of PostgreSQL")
        return url


class Web(Section):
    """The pages and the API."""

    host: str = "127.0.0.1"
    port: int = Field(default=8080, ge=0, le=65535)
    base_url: str = Field(default="", description="how browsers reach the pages; empty: http://host:port")
    secure_cookies: bool = False


class Log(Section):
    level: str = Field(default="info", pattern="^(debug|info|warning|error)$")


class Law(Section):
    """The rules of lawful contact."""

    profiles_dir: str = Field(default="", description="folder of a site's own profiles and dates")


class Settings(Section):
    """All settings."""

    database: Database = Database()
    servers: dict[Name, Server] = Field(default_factory=lambda: {"main": Server()})
    web: Web = Web()
    log: Log = Log()
    law: Law = Law()
    outcomes: str = Field(default="", description="file of a site's own rules of how a call ended")

    def server_of(self, endpoint: str) -> str | None:
        """Name of the server that a telephone is on; None if no server lists it."""
        for name, server in self.servers.items():
            if not server.phones or endpoint in server.endpoints():
                return name
        return None


def load(path: Path | None, environment: dict[str, str] | None = None) -> Settings:
    """Read settings.

    Raises:
        ConfigError: the file is not there or not TOML, a key is unknown, or a value is wrong; the message names the
            key and its line in the file, or its environment variable. It never holds a secret.
    """
    text = "" if path is None else _text(path)
    try:
        values = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise _not_toml(path, error) from None
    origins = _override(values, dict(os.environ) if environment is None else environment)

    def place(keys: tuple[str, ...]) -> Words:
        return _place(keys, path, text, origins)

    if "switch" in values:
        raise _renamed(place(("switch",)))
    try:
        settings = Settings.model_validate(values)
    except ValidationError as error:
        raise told(error, Settings, place) from None
    demand_consistent(settings.servers, place)
    return settings


def _renamed(where: Words) -> ConfigError:
    return ConfigError(
        Words(f"{where}: section switch is now servers.main.", f"{where.es}: la sección switch es ahora servers.main."),
        Words(
            "Write [servers.main] in place of [switch], and CADENCIA__SERVERS__MAIN__ in place of CADENCIA__SWITCH__.",
            "Escriba [servers.main] en vez de [switch], y CADENCIA__SERVERS__MAIN__ en vez de CADENCIA__SWITCH__.",
        ),
    )


def _text(path: Path) -> str:
    try:
        return path.read_text("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        why = Words("it is not UTF-8 text", "no es texto en UTF-8")
        why = why if isinstance(error, UnicodeDecodeError) else reason(error)
        raise ConfigError(
            Words(f"{path} cannot be read: {why}.", f"No se puede leer {path}: {why.es}."),
            Words("Check the path given with -c.", "Revise la ruta dada con -c."),
        ) from None


def _not_toml(path: Path | None, error: tomllib.TOMLDecodeError) -> ConfigError:
    found = re.search(r"at line (\d+)", str(error))
    where = (f"line {found[1]}", f"línea {found[1]}") if found else ("the last line", "última línea")
    return ConfigError(
        Words(f"{path} is not valid TOML: {error}.", f"{path} no es TOML válido, {where[1]}: {error}."),
        Words(
            f"Mend {where[0]}: name = value, texts in quotes.",
            f"Corrija la {where[1]}: nombre = valor, textos entre comillas.",
        ),
    )


def _override(values: dict[str, Any], environment: dict[str, str]) -> dict[tuple[str, ...], str]:
    """Put the environment's values over the file's; which variable each of them came from."""
    origins: dict[tuple[str, ...], str] = {}
    for name, value in sorted(environment.items()):
        if not name.startswith(PREFIX):
            continue
        target, keys = values, name.removeprefix(PREFIX).lower().split("__")
        for level, section in enumerate(keys[:-1]):
            keys[level] = _as_given(section, target)
            held = target.setdefault(keys[level], {})
            if not isinstance(held, dict):
                raise ConfigError(
                    Words(
                        f"{name} does not fit: {section} is no section.",
                        f"{name} no sirve: {section} no es una sección.",
                    ),
                    Words("Check the variable's name.", "Revise el nombre de la variable."),
                )
            target = held
        target[keys[-1]] = value
        origins[tuple(keys)] = name
    return origins


def _as_given(section: str, held: dict[str, Any]) -> str:
    """The section's name as the file spells it: a variable's name has neither small letters nor a hyphen."""
    return next((name for name in held if name.lower().replace("-", "_") == section), section)


def _place(keys: tuple[str, ...], path: Path | None, text: str, origins: dict[tuple[str, ...], str]) -> Words:
    """Where a setting was given."""
    variable = origins.get(keys) or next((name for given, name in origins.items() if given[: len(keys)] == keys), "")
    line = _line(text, keys)
    if variable and (keys in origins or line is None):
        return Words(variable, variable)
    if path is None:
        return Words("settings", "configuración")
    shorter = len(keys)
    while line is None and shorter > 1:  # in a table or list that is written in its parent's line
        shorter -= 1
        line = _line(text, keys[:shorter])
    if line is None:
        return Words(str(path), str(path))
    return Words(f"{path}, line {line}", f"{path}, línea {line}")


def _line(text: str, keys: tuple[str, ...]) -> int | None:
    """The line of a key in its section; None if it is not in the text."""
    section: tuple[str, ...] = ()
    counts: dict[tuple[str, ...], int] = {}
    for number, line in enumerate(text.splitlines(), 1):
        bare = line.strip()
        if bare.startswith("["):
            section = _names(bare.partition("]")[0].strip("[ "))
            if bare.startswith("[["):  # one of a list: its place in it belongs to the path
                counts[section] = counts.get(section, -1) + 1
                section = (*section, str(counts[section]))
            if section[: len(keys)] == keys:
                return number
        elif (*section, *_names(bare.partition("=")[0])) == keys:
            return number
    return None


def _names(dotted: str) -> tuple[str, ...]:
    return tuple(part.strip().strip("\"'") for part in dotted.split("."))
