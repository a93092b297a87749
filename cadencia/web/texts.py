"""The web's own words, Spanish and English. What the engine refuses comes with its own words."""

from __future__ import annotations

from fastapi import Request

#: code -> language -> (message, hint)
_MESSAGES: dict[str, dict[str, tuple[str, str]]] = {
    "CAD-WEB-SIGN-IN": {
        "es": ("Hay que iniciar sesión.", "Abra /entrar e identifíquese; un programa envía su token (Bearer)."),
        "en": ("Please sign in.", "Open /entrar and sign in; a program sends its bearer token."),
    },
    "CAD-WEB-CREDENTIALS": {
        "es": ("El usuario o la contraseña no son correctos.", "Revise mayúsculas y minúsculas."),
        "en": ("The user or the password is not right.", "Mind upper and lower case."),
    },
    "CAD-WEB-ONCE": {
        "es": ("Este enlace ya se usó o venció.", "Pida un enlace nuevo."),
        "en": ("This link was used already or has expired.", "Ask for a new link."),
    },
    "CAD-WEB-TOO-MANY": {
        "es": ("Demasiados intentos fallidos.", "Espere un minuto y pruebe de nuevo."),
        "en": ("Too many failed attempts.", "Wait a minute and try again."),
    },
    "CAD-WEB-FORBIDDEN": {
        "es": ("Su rol no permite esta acción.", "Si la necesita, hable con quien administra los usuarios."),
        "en": ("Your role does not allow this.", "If you need it, ask whoever manages the users."),
    },
    "CAD-WEB-ORIGIN": {
        "es": ("La solicitud no viene de estas páginas.", "Recargue la página y repita la acción."),
        "en": ("The request does not come from these pages.", "Reload the page and do it again."),
    },
    "CAD-WEB-NO-AGENT": {
        "es": ("Este usuario no es un agente.", "Asigne un agente al usuario (cadencia user)."),
        "en": ("This user is no agent.", "Give the user an agent (cadencia user)."),
    },
    "CAD-WEB-NOT-FOUND": {
        "es": ("No existe.", "Revise la dirección."),
        "en": ("There is no such thing.", "Check the address."),
    },
    "CAD-WEB-NO-CALL": {
        "es": (
            "No se conoce esa llamada.",
            "Revise el identificador; está en la lista de llamadas y en los registros.",
        ),
        "en": ("Nobody knows this call.", "Check the id; it is in the list of calls and in the logs."),
    },
    "CAD-WEB-NO-CONTACT": {
        "es": ("No existe ese contacto.", "Revise el identificador; está en el registro de eventos."),
        "en": ("There is no such contact.", "Check the id; it is in the event log."),
    },
    "CAD-WEB-METHOD": {
        "es": ("Este método no se admite aquí.", "Vea /api/openapi.json."),
        "en": ("This method is not allowed here.", "See /api/openapi.json."),
    },
    "CAD-WEB-TOO-LARGE": {
        "es": ("La solicitud es demasiado grande.", "Acorte la nota."),
        "en": ("The request is too large.", "Shorten the note."),
    },
    "CAD-WEB-INVALID": {
        "es": ("La solicitud no es válida.", "Vea /api/openapi.json."),
        "en": ("The request is not valid.", "See /api/openapi.json."),
    },
    "CAD-WEB-ASKING": {
        "es": ("Ya se está simulando otra pregunta.", "Espere unos segundos y pregunte de nuevo."),
        "en": ("Another question is being simulated.", "Wait some seconds and ask again."),
    },
    "CAD-WEB-COUNTING": {
        "es": ("Ya se está contando otra lista.", "Espere unos segundos y pregunte de nuevo."),
        "en": ("Another list is being counted.", "Wait some seconds and ask again."),
    },
    "CAD-WEB-SLOW": {
        "es": ("La simulación tardó demasiado.", "Pregunte con el servidor menos ocupado, o para menos agentes."),
        "en": ("The simulation took too long.", "Ask when the server is less busy, or for fewer agents."),
    },
    "CAD-WEB-SIMULATION": {
        "es": ("La simulación falló.", "El cambio no se hizo; el registro del servidor dice por qué falló."),
        "en": ("The simulation failed.", "Nothing was changed; the server's log says why it failed."),
    },
    "CAD-WEB-PAGES": {
        "es": ("Las páginas no están construidas.", "Ejecute: python scripts/build_pages.py"),
        "en": ("The pages have not been built.", "Run: python scripts/build_pages.py"),
    },
    "CAD-WEB-BUG": {
        "es": ("Algo falló de nuestro lado.", "Repita la acción; si sigue, avise a soporte con la hora."),
        "en": ("Something failed on our side.", "Try again; if it stays, tell support the time it happened."),
    },
}

#: kind of problem -> (es, en), with {field}
_FIELD: dict[str, tuple[str, str]] = {
    "missing": ("Falta el campo {field}.", "The field {field} is missing."),
    "extra_forbidden": ("El campo {field} no se conoce.", "The field {field} is unknown."),
    "json_invalid": ("El cuerpo no es JSON válido.", "The body is not valid JSON."),
    "string_too_short": ("El campo {field} está vacío.", "The field {field} is empty."),
    "string_too_long": ("El campo {field} es demasiado largo.", "The field {field} is too long."),
    "timezone_aware": ("El campo {field} necesita zona horaria.", "The field {field} needs a time zone."),
    "greater_than": ("El campo {field} debe ser mayor que cero.", "The field {field} must be above zero."),
}
_FIELD_OTHER = ("El campo {field} no es válido.", "The field {field} is not valid.")


def tongue(request: Request) -> str:
    """The person's language: what our pages ask for, else the signed-in user's, else the browser's, else Spanish.

    Our pages send just "es" or "en", as chosen on the page; a browser's own header names regions and weights.
    """
    wanted = request.headers.get("accept-language", "")
    if wanted in ("es", "en"):
        return wanted
    caller = getattr(request.state, "caller", None)
    if caller is not None:
        return "en" if caller.user.language == "en" else "es"
    first = wanted.split(",")[0].strip().lower()
    return "en" if first.startswith("en") else "es"


def message(code: str, language: str, **words: str) -> tuple[str, str]:
    """Message and hint of a code."""
    text, hint = _MESSAGES[code][language]
    return text.format(**words), hint.format(**words)


def field_problem(kind: str, field: str, language: str) -> str:
    """What is wrong with a field of a request, by pydantic's kind of problem."""
    pair = _FIELD.get(kind, _FIELD_OTHER)
    return (pair[0] if language == "es" else pair[1]).format(field=field)
