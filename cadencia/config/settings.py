"""What a site sets: a TOML file, and environment variables (CADENCIA__SWITCH__SECRET=...) over it."""

from __future__ import annotations

import os
import tomllib
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError

from cadencia.errors import ConfigError

#: Environment variables that override a setting begin with this; `__` separates the levels.
PREFIX = "CADENCIA__"


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Database(_Section):
    """Where things are kept; without an address the program starts its own PostgreSQL."""

    url: SecretStr | None = None
    connections: int = Field(default=10, ge=2, le=100)


class Switch(_Section):
    """The Asterisk server and the account on it."""

    host: str = "127.0.0.1"
    port: int = Field(default=5038, ge=1, le=65535)
    user: str = "cadencia"
    secret: SecretStr = SecretStr("")
    channels: int = Field(default=60, ge=1, le=10000, description="calls the trunk may carry at once")
    rate_per_s: float = Field(default=10.0, gt=0.0, le=1000.0, description="call starts a second")
    caller_name: str = Field(default="", max_length=40)


class Web(_Section):
    """The pages and the API."""

    host: str = "127.0.0.1"
    port: int = Field(default=8080, ge=0, le=65535)
    base_url: str = Field(default="", description="how browsers reach the pages; empty: http://host:port")
    secure_cookies: bool = False


class Log(_Section):
    level: str = Field(default="info", pattern="^(debug|info|warning|error)$")


class Settings(_Section):
    """All settings."""

    database: Database = Database()
    switch: Switch = Switch()
    web: Web = Web()
    log: Log = Log()


def load(path: Path | None, environment: dict[str, str] | None = None) -> Settings:
    """Read settings.

    Raises:
        ConfigError: the file is not there or not TOML, a key is unknown, or a value is wrong; the message names the
            key and, for a file, the line.
    """
    text = ""
    if path is not None:
        try:
            text = path.read_text("utf-8")
        except (OSError, UnicodeDecodeError) as error:
            why = getattr(error, "strerror", None) or "it is not UTF-8 text"
            raise ConfigError(f"{path} cannot be read: {why}.", "Check the path given with -c.") from error
    try:
        values = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{path} is not valid TOML: {error}.", "Mend that line.") from error
    _override(values, dict(os.environ) if environment is None else environment)
    try:
        return Settings.model_validate(values)
    except ValidationError as error:
        raise _told(error, path, text) from None


def _override(values: dict[str, Any], environment: dict[str, str]) -> None:
    for name, value in sorted(environment.items()):
        if not name.startswith(PREFIX):
            continue
        *sections, key = name.removeprefix(PREFIX).lower().split("__")
        target = values
        for section in sections:
            held = target.setdefault(section, {})
            if not isinstance(held, dict):
                raise ConfigError(f"{name} does not fit: {section} is no section.", "Check the variable's name.")
            target = held
        target[key] = value


def _told(error: ValidationError, path: Path | None, text: str) -> ConfigError:
    first = error.errors(include_url=False)[0]
    keys = [str(part) for part in first["loc"]]
    name = ".".join(keys)
    line = _line(text, keys)
    where = f"{path}, line {line}" if path is not None and line else (str(path) if path and text else "settings")
    if first["type"] == "extra_forbidden":
        section = Settings.model_fields.get(keys[0]) if len(keys) > 1 else None
        model = section.annotation if section else Settings
        known = ", ".join(getattr(model, "model_fields", {}))
        return ConfigError(f"{where}: there is no setting {name!r}.", f"Known here: {known}.")
    return ConfigError(f"{where}: {name}: {first['msg'].lower()}.", "Correct the value.")


def _line(text: str, keys: list[str]) -> int | None:
    """The line of a key in its section; None if it came from the environment."""
    section = ""
    for number, line in enumerate(text.splitlines(), 1):
        bare = line.strip()
        if bare.startswith("["):
            section = bare.strip("[] ")
            if [section] == keys:
                return number
        elif bare.partition("=")[0].strip() == keys[-1] and section == ".".join(keys[:-1]):
            return number
    return None
