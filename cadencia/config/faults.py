"""What is wrong with a setting, in words. A value is repeated only where it cannot be a secret."""

from __future__ import annotations

import difflib
from collections.abc import Callable
from typing import Any

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
    keys = tuple(str(part) for part in first["loc"])
    name, where = ".".join(keys), place(keys)
    if first["type"] == "extra_forbidden":
        return _unknown(name, where, _model(settings, keys[:-1]))
    en, es = _MUST.get(first["type"], ("has a wrong value", "tiene un valor incorrecto"))
    context = {**first.get("ctx", {})}
    if "pattern" in context:
        context["choices"] = ", ".join(str(context["pattern"]).strip("^$()").split("|"))
    en, es = en.format(**context), es.format(**context)
    told_en, told_es = (f", not {first['input']!r}", f", no {first['input']!r}") if _open(settings, keys) else ("", "")
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
    found: Any = settings
    for name in sections:
        field = found.model_fields.get(name)
        found = field.annotation if field is not None else None
        if not (isinstance(found, type) and issubclass(found, BaseModel)):
            return None
    return found  # type: ignore[no-any-return]  # a model: checked in the loop


def _open(settings: type[BaseModel], keys: tuple[str, ...]) -> bool:
    """Whether the value may be shown: the setting is known and made to hold no secret."""
    model = _model(settings, keys[:-1])
    field = model.model_fields.get(keys[-1]) if model else None
    return field is not None and field.annotation in (int, float, bool, str)
