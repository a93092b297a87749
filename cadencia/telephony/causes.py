"""What the codes of an end mean, in plain words: SIP statuses (RFC 3261 and later) and Q.850 causes (ITU-T Q.850)."""

from __future__ import annotations

from cadencia.errors import Words
from cadencia.telephony.outcomes import Ending

_SIP: dict[int, tuple[str, str]] = {
    302: ("moved, and redirects are not followed", "redirigida; no se siguen redirecciones"),
    400: ("the carrier cannot read our request", "el operador no entiende la solicitud"),
    401: ("the carrier wants our password", "el operador pide autenticación"),
    403: ("forbidden: account, caller id or destination", "prohibida: cuenta, número de origen o destino"),
    404: ("the number does not exist", "el número no existe"),
    405: ("method not allowed", "método no permitido"),
    407: ("the carrier's proxy wants our password", "el proxy del operador pide autenticación"),
    408: ("the trunk does not answer", "la troncal no responde"),
    410: ("the number is no longer in service", "el número ya no está en servicio"),
    415: ("media type not supported", "tipo de medio no admitido"),
    416: ("address scheme not supported", "formato de dirección no admitido"),
    420: ("extension not supported", "extensión no admitida"),
    433: ("anonymous calls are not allowed", "no se admiten llamadas anónimas"),
    480: ("temporarily unavailable", "no disponible temporalmente"),
    481: ("the carrier lost the call", "el operador perdió la llamada"),
    482: ("the network calls itself (loop)", "la red se llama a sí misma (bucle)"),
    483: ("too many hops in the network", "demasiados saltos en la red"),
    484: ("the number is incomplete", "el número está incompleto"),
    485: ("the number is ambiguous", "el número es ambiguo"),
    486: ("busy", "ocupado"),
    487: ("the request was ended", "la solicitud fue terminada"),
    488: ("no codec in common", "sin códec en común"),
    500: ("server error at the carrier", "error del servidor del operador"),
    501: ("not implemented at the carrier", "no implementado en el operador"),
    502: ("bad gateway at the carrier", "pasarela defectuosa en el operador"),
    503: ("the carrier is out of capacity", "el operador está sin capacidad"),
    504: ("time-out inside the network", "tiempo agotado dentro de la red"),
    600: ("busy everywhere", "ocupado en todas partes"),
    603: ("declined", "rechazada"),
    604: ("the number exists nowhere", "el número no existe en ninguna parte"),
    606: ("not acceptable", "no aceptable"),
    607: ("unwanted: marked as nuisance", "no deseada: marcada como molesta"),
    608: ("rejected by an analytics service", "bloqueada por un filtro de llamadas"),
}

_Q850: dict[int, tuple[str, str]] = {
    0: ("no cause told", "sin causa"),
    1: ("the number is not assigned", "número no asignado"),
    2: ("no route to the transit network", "sin ruta a la red de tránsito"),
    3: ("no route to the destination", "sin ruta al destino"),
    16: ("normal clearing", "fin normal"),
    17: ("busy", "ocupado"),
    18: ("no answer from the network", "la red no responde"),
    19: ("no answer", "no contesta"),
    20: ("subscriber absent: switched off or out of coverage", "abonado ausente: apagado o fuera de cobertura"),
    21: ("rejected", "rechazada"),
    22: ("the number has changed", "el número cambió"),
    23: ("redirected", "redirigida"),
    25: ("routing error in the network", "error de enrutamiento en la red"),
    27: ("destination out of order", "destino fuera de servicio"),
    28: ("the number is incomplete", "el número está incompleto"),
    29: ("facility rejected", "servicio rechazado"),
    31: ("normal, unspecified", "normal, sin especificar"),
    34: ("no circuit free", "sin circuito libre"),
    38: ("the network is out of order", "red fuera de servicio"),
    41: ("temporary failure", "falla temporal"),
    42: ("the network is congested", "red congestionada"),
    44: ("the circuit is not available", "circuito no disponible"),
    47: ("no resource free", "sin recursos libres"),
    50: ("facility not subscribed", "servicio no contratado"),
    55: ("incoming calls barred", "llamadas entrantes restringidas"),
    57: ("bearer not authorised", "portadora no autorizada"),
    58: ("bearer not available", "portadora no disponible"),
    102: ("timer expired in the network", "temporizador vencido en la red"),
    111: ("protocol error", "error de protocolo"),
    127: ("interworking, unspecified", "interconexión, sin especificar"),
}

_STRANGE = ("not a usual code: ask the carrier", "código no usual: pregunte al operador")


def sip_words(status: int) -> Words:
    """A SIP status in plain words."""
    return Words(*_SIP.get(status, _STRANGE))


def q850_words(cause: int) -> Words:
    """A Q.850 cause in plain words."""
    return Words(*_Q850.get(cause, _STRANGE))


def meaning(end: Ending) -> Words:
    """What the codes of an end mean."""
    if end.timeout:
        return Words("our ring time ran out", "se agotó nuestro tiempo de timbre")
    if end.sip is not None:
        return sip_words(end.sip)
    if end.q850 is not None:
        return q850_words(end.q850)
    return Words("the switch told no code", "el conmutador no dio ningún código")


def told(end: Ending) -> Words:
    """The same, with what was heard before it."""
    what, before = meaning(end), _before(end)
    return Words(f"{what}; {before}", f"{what.es}; {before.es}")


def _before(end: Ending) -> Words:
    if end.rang and end.media:
        return Words("it rang and something was heard", "timbró y se oyó algo")
    if end.rang:
        return Words("it rang", "timbró")
    if end.media:
        return Words("an announcement or the network's tone was heard", "se oyó un anuncio o el tono de la red")
    return Words("it did not ring", "no timbró")
