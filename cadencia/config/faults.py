"""What is wrong with a setting, in words. A value is repeated only where it cannot be a secret."""

from __future__ import annotations

import difflib
from collections.abc import Callable
from typing import Any, get_args, get_origin

from pydantic import BaseModel, ValidationError

from cadencia.errors import ConfigError, Words

#: Kind of fault (pydantic's) -> what the value must be; {} is filled from the fault's context.
_MUST: dict[str, tuple[str, str]] = {
    "int_parsing": ("must be a whole number", "debe ser un número entero"),
    "int_type": ("must be a whole number", "debe ser un número entero"),
    "int_from_float": ("must be a whole number", "debe ser un número entero"),
    "float_parsing": ("must be a number", "debe ser un número"),
    "float_type": ("must be a number", "debe ser un número"),
    "finite_number": ("must be a finite number", "debe ser un número finito"),
    "bool_parsing": ("must be true or false", "debe ser true o false"),
    "bool_type": ("must be true or false", "debe ser true o false"),
    "string_type": ("must be a text in quotes", "debe ser un texto entre comillas"),
    "string_too_long": ("may have {max_length} signs at most", "puede tener {max_length} signos como máximo"),
    "string_pattern_mismatch": ("must be one of: {choices}", "debe ser uno de: {choices}"),
    "greater_than": ("must be above {gt:g}", "debe ser mayor que {gt:g}"),
    "greater_than_equal": ("must be {ge:g} or more", "debe ser {ge:g} o más"),
    "less_than": ("must be below {lt:g}", "debe ser menor que {lt:g}"),
    "less_than_equal": ("must be {le:g} or less", "debe ser {le:g} o menos"),
    "model_type": ("is a section and holds settings", "es una sección y contiene ajustes"),
    "dict_type": ("is a section and holds settings", "es una sección y contiene ajustes"),
    "tuple_type": ("must be a list in brackets", "debe ser una lista entre corchetes"),
    "missing": ("is missing", "falta"),
    "name": (
        "must be a name of up to 40 letters, digits, - and _",
        "debe ser un nombre de hasta 40 letras, dígitos, - y _",
    ),
    "host": ("must be a host or an address", "debe ser un servidor o una dirección"),
    "codec": ("must be a list of codecs, such as ulaw", "debe ser una lista de códecs, como ulaw"),
    "sound": ("must be a sound file's name without its ending", "debe ser un archivo de sonido sin su extensión"),
    "phones": (
        'must be names or ranges of telephones, such as "a1001-a1040"',
        'debe tener nombres o rangos de teléfonos, como "a1001-a1040"',
    ),
    "permit": ("must name a network at least", "debe nombrar al menos una red"),
    "websocket": ("must be wss://host:port/ws", "debe ser wss://servidor:puerto/ws"),
    "phone_key": ("must have 16 signs at least", "debe tener 16 signos al menos"),
    "secret": (
        "must have 12 to 80 letters, digits and ._~!@%^*()+=,-",
        "debe tener de 12 a 80 letras, dígitos y ._~!@%^*()+=,-",
    ),
    "database_url": (
        "must be postgresql://user:password@host/database",
        "debe ser postgresql://usuario:contraseña@servidor/base",
    ),
}


def told(error: ValidationError, settings: type[BaseModel], place: Callable[[tuple[str, ...]], Words]) -> ConfigError:
    """The first fault as one message.

    Args:
        settings: the model that was validated.
        place: where a key was given, by its path.
    """
    first = error.errors(include_url=False)[0]
    keys = tuple(str(part) for part in first["loc"] if part != "[key]")
    name, where = ".".join(keys), place(keys)
    if first["type"] == "extra_forbidden":
        return _unknown(name, where, _model(settings, keys[:-1]))
    en, es = _MUST.get(first["type"], ("has a wrong value", "tiene un valor incorrecto"))
    context = {**first.get("ctx", {})}
    if "pattern" in context:
        context["choices"] = ", ".join(str(context["pattern"]).strip("^$()").split("|"))
    en, es = en.format(**context), es.format(**context)
    shown = _open(settings, keys) and first["type"] != "missing"
    told_en, told_es = (f", not {first['input']!r}", f", no {first['input']!r}") if shown else ("", "")
    return ConfigError(
        Words(f"{where}: {name} {en}{told_en}.", f"{where.es}: {name} {es}{told_es}."),
        Words("Correct the value.", "Corrija el valor."),
    )


def _unknown(name: str, where: Words, model: type[BaseModel] | None) -> ConfigError:
    known = sorted(model.model_fields) if model else []
    near = difflib.get_close_matches(name.rpartition(".")[2], known, 1)
    en, es = (f"Did you mean {near[0]}? ", f"¿Quiso decir {near[0]}? ") if near else ("", "")
    listed = ", ".join(known)
    return ConfigError(
        Words(f"{where}: there is no setting {name!r}.", f"{where.es}: no hay un ajuste {name!r}."),
        Words(f"{en}Known here: {listed}.", f"{es}Aquí se conocen: {listed}."),
    )


def _model(settings: type[BaseModel], sections: tuple[str, ...]) -> type[BaseModel] | None:
    """The model of a section: of a table by its name, of one among many by any name or number."""
    found: Any = settings
    for name in sections:
        if isinstance(found, type) and issubclass(found, BaseModel):
            field = found.model_fields.get(name)
            found = field.annotation if field is not None else None
        else:
            kind, held = get_origin(found), get_args(found)
            found = held[1] if kind is dict else held[0] if kind is tuple else None
    return found if isinstance(found, type) and issubclass(found, BaseModel) else None


def _open(settings: type[BaseModel], keys: tuple[str, ...]) -> bool:
    """Whether the value may be shown: the setting is known and made to hold no secret."""
    model = _model(settings, keys[:-1])
    field = model.model_fields.get(keys[-1]) if model else None
    return field is not None and field.annotation in (int, float, bool, str)
