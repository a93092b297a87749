"""The Asterisk servers of a site: how to reach each, its trunks and telephones, and what it may carry at once."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, SecretStr, field_validator
from pydantic_core import PydanticCustomError

from cadencia.config.names import CODEC, HOST, NAME, SECRET, SOUND, names_in
from cadencia.errors import ConfigError, Words

#: The trunk that there is where none is named; a new campaign's calls go out by it.
DEFAULT_TRUNK = "trunk"


class Section(BaseModel):
    """Settings that belong together; unknown ones are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)


def _matching(pattern: re.Pattern[str], kind: str, *, empty: bool = False) -> AfterValidator:
    def check(value: str) -> str:
        if not (pattern.fullmatch(value) or (empty and not value)):
            raise PydanticCustomError(kind, "not usable")  # its words are in faults.py
        return value

    return AfterValidator(check)


def _secret(value: SecretStr) -> SecretStr:
    if value.get_secret_value() and not SECRET.fullmatch(value.get_secret_value()):
        raise PydanticCustomError("secret", "not usable")
    return value


def _split(value: Any) -> Any:
    """An environment variable holds a list as a text with commas."""
    return tuple(part.strip() for part in value.split(",") if part.strip()) if isinstance(value, str) else value


Name = Annotated[str, _matching(NAME, "name")]
Host = Annotated[str, _matching(HOST, "host")]
Hosts = Annotated[tuple[Host, ...], BeforeValidator(_split)]
Secret = Annotated[SecretStr, AfterValidator(_secret)]
Port = Annotated[int, Field(ge=1, le=65535)]


class Trunk(Section):
    """A way out to the public network. Without `host` the endpoint is the site's own, and none is written."""

    host: Annotated[str, _matching(HOST, "host", empty=True)] = ""
    port: Port = 5060
    user: Annotated[str, _matching(NAME, "name", empty=True)] = ""
    secret: Secret = SecretStr("")
    match: Hosts = ()
    codecs: Annotated[tuple[Annotated[str, _matching(CODEC, "codec")], ...], BeforeValidator(_split)] = ("ulaw", "alaw")
    rtp_timeout_s: int = Field(default=15, ge=1, le=3600)
    qualify_s: int = Field(default=30, ge=0, le=3600)
    channels: int = Field(default=60, ge=1, le=10000)
    rate_per_s: float = Field(default=10.0, gt=0.0, le=1000.0)
    operator: str = Field(
        default="", max_length=40, description="row set of the outcome table; empty: the trunk's name"
    )
    number: Literal["e164", "plus", "national"] = Field(
        default="e164", description="how the carrier wants a number: 573001234567, +573001234567, 3001234567"
    )
    prefix: str = Field(default="", pattern="^[0-9*#]{0,10}$", description="dialled before the number")

    @field_validator("codecs")
    @classmethod
    def _has_one(cls, codecs: tuple[str, ...]) -> tuple[str, ...]:
        if not codecs:
            raise PydanticCustomError("codec", "none")
        return codecs


class Phones(Section):
    """Telephones of one kind, by name or by range (`a1001-a1040`)."""

    names: Annotated[tuple[str, ...], BeforeValidator(_split)]
    browser: bool = Field(default=False, description="the agent's page is the telephone (WebRTC)")
    nailed: bool = Field(default=True, description="stands connected through the shift; else rung for each call")
    own: bool = Field(default=False, description="the endpoint is the site's own, and none is written")

    @field_validator("names")
    @classmethod
    def _are_names(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        if not names or any(names_in(name) is None for name in names):
            raise PydanticCustomError("phones", "not usable")
        return names

    def each(self) -> tuple[str, ...]:
        """The names, ranges spelt out."""
        return tuple(name for text in self.names for name in names_in(text) or ())


class Server(Section):
    """One Asterisk server and the account on it."""

    host: Host = "127.0.0.1"
    port: Port = 5038
    tls: bool = False
    tls_ca: str = Field(default="", description="file with the certificate to trust; empty: those of the system")
    user: Name = "cadencia"
    secret: Secret = SecretStr("")
    channels: int = Field(default=1000, ge=1, le=20000, description="calls at once, over all its trunks")
    rate_per_s: float = Field(default=50.0, gt=0.0, le=1000.0, description="call starts a second, over all its trunks")
    caller_name: str = Field(default="", max_length=40)
    wss: str = Field(default="", description="address that browsers register at")
    permit: Hosts = ("127.0.0.1/255.255.255.255",)
    phone_key: SecretStr = SecretStr("")
    message: Annotated[str, _matching(SOUND, "sound")] = "cadencia/identify"
    transport: Name = "udp"
    trunks: dict[Name, Trunk] = Field(default_factory=lambda: {DEFAULT_TRUNK: Trunk()})
    phones: tuple[Phones, ...] = ()

    @field_validator("trunks")
    @classmethod
    def _has_a_trunk(cls, trunks: dict[str, Trunk]) -> dict[str, Trunk]:
        return trunks or {DEFAULT_TRUNK: Trunk()}

    @field_validator("wss")
    @classmethod
    def _is_websocket(cls, wss: str) -> str:
        if wss and not re.fullmatch(r"wss?://[A-Za-z0-9.:\[\]_-]+(/[A-Za-z0-9._/-]*)?", wss):
            raise PydanticCustomError("websocket", "not an address")
        return wss

    @field_validator("phone_key")
    @classmethod
    def _is_long(cls, key: SecretStr) -> SecretStr:
        if key.get_secret_value() and len(key.get_secret_value()) < 16:
            raise PydanticCustomError("phone_key", "too short")
        return key

    @field_validator("permit")
    @classmethod
    def _permits_somebody(cls, permit: tuple[str, ...]) -> tuple[str, ...]:
        if not permit:
            raise PydanticCustomError("permit", "none")
        return permit

    def endpoints(self) -> tuple[str, ...]:
        """Names of its telephones; none if it takes any."""
        return tuple(name for group in self.phones for name in group.each())


def demand_consistent(servers: Mapping[str, Server], place: Callable[[tuple[str, ...]], Words]) -> None:
    """Nothing is there twice, and a telephone tells which server it is on.

    Args:
        servers: by name.
        place: where a setting was given, by its path.

    Raises:
        ConfigError: names the telephone or trunk, and where it is.
    """
    if not servers:
        where = place(("servers",))
        raise ConfigError(
            Words(f"{where}: there is no server.", f"{where.es}: no hay ningún servidor."),
            Words("Write a section [servers.main].", "Escriba una sección [servers.main]."),
        )
    held: dict[str, str] = {}
    for name, server in servers.items():
        if len(servers) > 1 and not server.phones:
            where = place(("servers", name))
            raise ConfigError(
                Words(
                    f"{where}: server {name} lists no telephones, and there is more than one server.",
                    f"{where.es}: el servidor {name} no nombra teléfonos, y hay más de un servidor.",
                ),
                Words(
                    f"Add [[servers.{name}.phones]] with their names.",
                    f"Agregue [[servers.{name}.phones]] con sus nombres.",
                ),
            )
        _demand_own_names(name, server, held, place)


def _demand_own_names(
    name: str, server: Server, held: dict[str, str], place: Callable[[tuple[str, ...]], Words]
) -> None:
    for number, group in enumerate(server.phones):
        where = place(("servers", name, "phones", str(number), "names"))
        for phone in group.each():
            other = held.setdefault(phone, "")
            if other == name:
                en, es = "is named twice", "está nombrado dos veces"
            elif other:
                en, es = f"is on server {other} already", f"ya está en el servidor {other}"
            elif phone in server.trunks:
                en, es = "has the name of a trunk", "se llama como una troncal"
            else:
                held[phone] = name
                continue
            raise ConfigError(
                Words(f"{where}: telephone {phone} {en}.", f"{where.es}: el teléfono {phone} {es}."),
                Words("Leave it in one place only.", "Déjelo en un solo lugar."),
            )
