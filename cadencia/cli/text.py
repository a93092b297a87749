"""What the command line says, in Spanish or English by LANG."""

from __future__ import annotations

import os

from cadencia.errors import CadenciaError, spoken


def language() -> str:
    """ "es" if the environment asks for Spanish, else "en"."""
    for name in ("LC_ALL", "LC_MESSAGES", "LANG"):
        value = os.environ.get(name, "")
        if value:
            return "es" if value.lower().startswith("es") else "en"
    return "en"


def say(es: str, en: str) -> str:
    """One of the two."""
    return es if language() == "es" else en


def error_text(error: CadenciaError) -> str:
    """An error as a person reads it: what is wrong, what to do, and the code to ask about."""
    lines = [f"Error: {spoken(error.message, language())}"]
    if error.hint:
        lines.append(f"{say('Qué hacer', 'What to do')}: {spoken(error.hint, language())}")
    lines.append(f"({error.code})")
    return "\n".join(lines)
