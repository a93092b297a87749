"""What a supervisor may set of a campaign, and within which bounds."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from cadencia.domain.dialing import CampaignSettings, Mode
from cadencia.domain.law import Purpose
from cadencia.errors import Refused, Words

#: The lowest and highest value of each number.
_BOUNDS: dict[str, tuple[float, float]] = {
    "ratio": (1.0, 5.0),
    "ring_s": (10, 60),
    "min_ring_s": (0, 30),
    "wait_s": (1, 10),
    "wrapup_s": (5, 600),
    "preview_s": (5, 300),
    "abandonment_cap": (0.0, 0.2),
    "abandonment_target": (0.0, 0.2),
    "weight": (0.1, 10.0),
    "attempts_per_day": (1, 20),
    "attempts_per_week": (1, 100),
    "retry_minutes": (1, 10080),
}

#: Numbers that may be left open.
_OPEN = frozenset({"abandonment_target"})
_TEXTS = ("caller_id", "message", "skill", "trunk")
_SWITCHES = ("cancel_late", "preview_auto_dial", "detect_machines")


def changed_settings(settings: CampaignSettings, changes: dict[str, Any]) -> CampaignSettings:
    """The settings with some of them replaced.

    Raises:
        Refused: an unknown name, a value of the wrong kind, or one out of bounds; the message says which.
    """
    changed = replace(settings, **{name: _checked(settings, name, value) for name, value in changes.items()})
    if changed.abandonment_target is not None and changed.abandonment_target > changed.abandonment_cap:
        aim, cap = changed.abandonment_target, changed.abandonment_cap
        raise Refused(
            Words(
                f"The abandonment target {aim:g} is above the cap {cap:g}.",
                f"La meta de abandono {aim:g} supera el tope {cap:g}.",
            ),
            Words(
                "Set abandonment_target to the cap or less, or to null to aim at the cap.",
                "Ponga abandonment_target en el tope o menos, o en null para apuntar al tope.",
            ),
        )
    return changed


def _checked(settings: CampaignSettings, name: str, value: Any) -> Any:
    if name == "mode":
        return _mode(value)
    if name == "profiles":
        return _profiles(value)
    if name == "purpose":
        return _purpose(value)
    if name in _TEXTS:
        return _text(name, value)
    if name in _SWITCHES:
        return _switch(name, value)
    if name in _BOUNDS:
        return None if value is None and name in _OPEN else _number(settings, name, value)
    known = ", ".join(("mode", "profiles", "purpose", *_BOUNDS, *_SWITCHES, *_TEXTS))
    raise Refused(
        Words(f"There is no setting {name!r}.", f"No existe el ajuste {name!r}."),
        Words(f"Settings are: {known}.", f"Los ajustes son: {known}."),
    )


def _mode(value: Any) -> Mode:
    if value not in [mode.value for mode in Mode]:
        raise Refused(
            Words(f"There is no mode {value!r}.", f"No existe el modo {value!r}."),
            Words(f"Choose one of {', '.join(Mode)}.", f"Elija entre {', '.join(Mode)}."),
        )
    return Mode(value)


def _profiles(value: Any) -> tuple[str, ...]:
    """Ids of legal profiles; whether they exist is asked where they are used: an unknown one forbids all."""
    named = value.replace(" ", "").split(",") if isinstance(value, str) else value
    if not isinstance(named, list | tuple) or not named or not all(isinstance(i, str) and i for i in named):
        raise Refused(
            Words("profiles must name one legal profile at least.", "profiles debe nombrar al menos un perfil legal."),
            Words("List them with: cadencia profile list.", "Liste los que hay con: cadencia profile list."),
        )
    return tuple(dict.fromkeys(named))


def _purpose(value: Any) -> Purpose:
    if value not in list(Purpose):
        raise Refused(
            Words(f"There is no purpose {value!r}.", f"No existe la finalidad {value!r}."),
            Words(f"Choose one of {', '.join(Purpose)}.", f"Elija entre {', '.join(Purpose)}."),
        )
    return Purpose(value)


def _text(name: str, value: Any) -> str:
    if not isinstance(value, str) or any(ord(c) < 32 for c in value):
        raise Refused(
            Words(f"{name} must be a plain text.", f"{name} debe ser un texto simple."),
            Words("Remove line breaks and control characters.", "Quite saltos de línea y caracteres de control."),
        )
    return value


def _switch(name: str, value: Any) -> bool:
    if not isinstance(value, bool):
        raise Refused(
            Words(f"{name} must be true or false.", f"{name} debe ser true o false."),
            Words(f"It is {value!r}.", f"Es {value!r}."),
        )
    return value


def _number(settings: CampaignSettings, name: str, value: Any) -> float:
    low, high = _BOUNDS[name]
    whole = isinstance(getattr(settings, name), int)
    if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
        raise Refused(
            Words(
                f"{name} must be a number from {low:g} to {high:g}.",
                f"{name} debe ser un número de {low:g} a {high:g}.",
            ),
            Words(f"It is {value!r}.", f"Es {value!r}."),
        )
    if whole and value != int(value):
        raise Refused(
            Words(f"{name} must be a whole number.", f"{name} debe ser un número entero."),
            Words(f"It is {value!r}.", f"Es {value!r}."),
        )
    return int(value) if whole else float(value)
