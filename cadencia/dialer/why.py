"""Why a campaign dials as it does, as a sentence with its numbers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from cadencia.errors import Words
from cadencia.pacing import reasons

#: Not the controller's: it would dial, and nobody on the list may be called now.
LIST_EMPTY: Final = "list-empty"

#: The switch says that the trunk cannot be reached, or does not know it; and: there is no link to the switch.
TRUNK_DOWN: Final = "trunk-down"
SWITCH_DOWN: Final = "switch-down"

_SENTENCES: Final[dict[str, tuple[str, str]]] = {
    reasons.LAUNCHING: (
        "Starts {calls}: {ready} of {at_work} agents are free, {dialling} calls on the way",
        "Inicia {calls}: {ready} de {at_work} agentes libres, {dialling} llamadas en camino",
    ),
    reasons.NO_AGENTS: ("No agent is at work: nobody is dialled", "No hay agentes en turno: no se marca"),
    reasons.NO_FREE_AGENT: ("All {at_work} agents are busy", "Los {at_work} agentes están ocupados"),
    reasons.ENOUGH_IN_FLIGHT: (
        "Enough calls on the way: {dialling} for {ready} free of {at_work} agents",
        "Bastan las llamadas en camino: {dialling} para {ready} libres de {at_work} agentes",
    ),
    reasons.LIMITED_BY_RISK: (
        "One more answer would find nobody with a probability of {risk}; {threshold} is allowed",
        "Una respuesta más no hallaría agente con una probabilidad de {risk}; se permite {threshold}",
    ),
    reasons.LIMITED_BY_ABANDONMENT: (
        "The abandonment budget is used up ({abandoned} of {answers} live answers today): one call for each free agent",
        "El presupuesto de abandono se agotó ({abandoned} de {answers} contestadas hoy): una llamada por agente libre",
    ),
    reasons.LIMITED_BY_CHANNELS: (
        "The trunk has room for {channels} more calls",
        "La troncal admite {channels} llamadas más",
    ),
    reasons.LIMITED_BY_RATE: (
        "The trunk's rate lets {rate} more calls start now",
        "La velocidad de la troncal permite iniciar {rate} llamadas ahora",
    ),
    reasons.LIMITED_BY_LIST: (
        "{supply} contacts at hand of {wanted} wanted; more are being fetched from the list",
        "{supply} contactos a la mano de {wanted} deseados; se traen más de la lista",
    ),
    reasons.LIMITED_BY_BREAKER: (
        "The trunk fails call after call: only probes go out",
        "La troncal falla llamada tras llamada: solo salen pruebas",
    ),
    reasons.AGENT_CHOOSES: (
        "An agent looks at a file and has not chosen yet",
        "Un agente revisa un expediente y aún no elige",
    ),
    TRUNK_DOWN: (
        "The switch cannot reach the trunk: nobody is dialled",
        "El conmutador no alcanza la troncal: no se marca",
    ),
    SWITCH_DOWN: ("There is no link to the switch: nobody is dialled", "No hay enlace con el conmutador: no se marca"),
    LIST_EMPTY: ("Nobody on the list may be called now", "Nadie de la lista se puede llamar ahora"),
}

#: The forecast, where one was made.
_FORECAST = (
    "; within 10 s {free_10s} agents free and {answers_10s} answers expected",
    "; en 10 s se esperan {free_10s} agentes libres y {answers_10s} respuestas",
)

_FORECAST_HELPS = frozenset(
    {reasons.LAUNCHING, reasons.NO_FREE_AGENT, reasons.ENOUGH_IN_FLIGHT, reasons.LIMITED_BY_RISK}
)


def sentence(row: Mapping[str, Any]) -> Words:
    """The reason of a decision in both languages.

    Args:
        row: the body of a `pacing.decision`; what is missing in it (older versions) is shown as a dash.
    """
    return Words(_said(row, 0), _said(row, 1))


def _said(row: Mapping[str, Any], language: int) -> str:
    reason = str(row.get("reason", ""))
    pattern = _SENTENCES.get(reason, (reason, reason))[language]
    if reason in _FORECAST_HELPS and row.get("free_10s") is not None:
        pattern += _FORECAST[language]
    launch = int(row.get("launch") or 0)
    if launch and reason != reasons.LAUNCHING:
        pattern += ("; {calls} started", "; inició {calls}")[language]
    return pattern.format_map(_Numbers(row, language))


class _Numbers(dict[str, str]):
    """The row's numbers as the language writes them."""

    def __init__(self, row: Mapping[str, Any], language: int) -> None:
        super().__init__()
        launch = int(row.get("launch") or 0)
        word = (("call", "calls"), ("llamada", "llamadas"))[language][launch != 1]
        self["calls"] = f"{launch} {word}"
        for name in ("risk", "threshold"):
            self[name] = _number(row.get(name), language, percent=True)
        for name in ("free_10s", "answers_10s"):
            self[name] = _number(row.get(name), language, digits=1)
        for name in ("ready", "at_work", "dialling", "channels", "rate", "wanted", "answers", "abandoned"):
            self[name] = _number(row.get(name), language)
        supply = row.get("supply")
        self["supply"] = _number(None if supply is None else sum(supply), language)


def _number(value: float | None, language: int, *, digits: int = 0, percent: bool = False) -> str:
    if value is None:
        return "–"
    said = f"{100.0 * value:.1f}" if percent else f"{value:.{digits}f}"
    # Spanish: decimal comma, and a space before the sign (ISO 31-0; Ortografía de la lengua española).
    said = said.replace(".", ",") if language else said
    return said + (" %" if language else "%") if percent else said
