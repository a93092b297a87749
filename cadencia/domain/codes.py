"""Codes that are written down: outcomes of attempts, dispositions of agents, denials of the gate.

The outcome and disposition codes are the standard tree of Spanish-speaking collection floors; `label(code, "es")` and
`label(code, "en")` are what a screen shows.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Outcome(StrEnum):
    """How an attempt ended, as the switch shows it. Exactly one per attempt."""

    CONNECTED = "CON"  # answered and put through to an agent
    NO_ANSWER = "NOA"
    BUSY = "OCU"
    OFF = "CEL"  # switched off or out of coverage
    NOT_IN_SERVICE = "FDS"
    REJECTED = "RES"  # blocked, restricted or declined
    CONGESTION = "CNG"  # the network's fault, never the debtor's
    TRUNK = "TRK"  # the trunk's or the switch's fault
    ABANDONED = "ABN"  # a live answer, and no agent in time
    ABANDONED_MESSAGE = "ABM"  # the same, and the identifying message was played
    MACHINE = "AMD"  # a detector said machine
    HUNG_UP = "CST"  # answered and hung up before anybody could speak
    CANCELLED = "CAN"  # we took the call back before it was answered
    DROPPED = "ERR"  # technical fault in the conversation
    UNKNOWN = "DES"  # sent, and nobody can say what became of it


#: Outcomes that are not a contact attempt on the debtor: the reserved counter is given back.
UNCHARGED: frozenset[Outcome] = frozenset({Outcome.CONGESTION, Outcome.TRUNK})

#: Outcomes that are a live answer (a person's or a machine's voice was on the line).
ANSWERED: frozenset[Outcome] = frozenset(
    {Outcome.CONNECTED, Outcome.ABANDONED, Outcome.ABANDONED_MESSAGE, Outcome.MACHINE, Outcome.HUNG_UP, Outcome.DROPPED}
)

ABANDONED: frozenset[Outcome] = frozenset({Outcome.ABANDONED, Outcome.ABANDONED_MESSAGE})


class Level(StrEnum):
    """First level of the disposition tree."""

    DIRECT = "CD"  # contacto directo: the right party
    INDIRECT = "CI"  # contacto indirecto: somebody else
    NONE = "SC"  # sin contacto
    SYSTEM = "SY"


@dataclass(frozen=True)
class Disposition:
    """One leaf of the tree.

    Attributes:
        retry_h: hours until the next try, None if the list item is finished.
        kills_phone: this number is never dialled again.
        blocks_person: nobody is to dial this person again until somebody lifts it.
        revokes_channel: the person does not want calls any more; another channel may still be authorised.
        machine: a machine answered, so the answer was not a live one.
    """

    code: str
    level: Level
    es: str
    en: str
    retry_h: float | None = None
    right_party: bool = False
    kills_phone: bool = False
    blocks_person: bool = False
    revokes_channel: bool = False
    machine: bool = False
    needs_promise: bool = False


def _d(code: str, level: Level, es: str, en: str, **kw: object) -> Disposition:
    return Disposition(code, level, es, en, right_party=level is Level.DIRECT, **kw)  # type: ignore[arg-type]


_CD, _CI, _SC = Level.DIRECT, Level.INDIRECT, Level.NONE

#: What an agent may choose, in the order a screen shows it.
DISPOSITIONS: dict[str, Disposition] = {
    d.code: d
    for d in (
        _d("PPT", _CD, "Promesa de pago total", "Promise, full", needs_promise=True),
        _d("PPP", _CD, "Promesa de pago parcial", "Promise, partial", needs_promise=True),
        _d("ACP", _CD, "Acuerdo/plan de pagos", "Payment plan agreed", needs_promise=True),
        _d("ABO", _CD, "Abono en línea", "Paid during call"),
        _d("YAP", _CD, "Ya pagó (informa)", "Says already paid", retry_h=72),
        _d("YPV", _CD, "Ya pagó (verificado)", "Paid, verified"),
        _d("VLL", _CD, "Volver a llamar (acordado)", "Agreed callback", retry_h=24),
        _d("REF", _CD, "Solicita refinanciación", "Asks restructuring", retry_h=72),
        _d("INF", _CD, "Solicita información/soporte", "Asks information", retry_h=72),
        _d("SCP", _CD, "Sin capacidad de pago (manifestada)", "Unable to pay", retry_h=24 * 15),
        _d("REN", _CD, "Renuente / no desea pagar", "Refuses", retry_h=24 * 7),
        _d("DIS", _CD, "Disputa / no reconoce la deuda", "Disputes debt", blocks_person=True),
        _d("FRD", _CD, "Suplantación / fraude alegado", "Identity theft claim", blocks_person=True),
        _d("PQR", _CD, "Queja o reclamo", "Complaint", blocks_person=True),
        _d("NOC", _CD, "Pide no ser contactado / revoca canal", "Opt-out", revokes_channel=True),
        _d("ABG", _CD, "Tiene abogado / insolvencia", "Represented/insolvency", blocks_person=True),
        _d("CUE", _CD, "Cuelga tras identificarse", "Hung up after ID", retry_h=24),
        _d("TIT-NI", _CD, "Titular contesta, no se identifica", "Right number, not verified", retry_h=24),
        _d("TMS", _CI, "Tercero toma mensaje (sin revelar deuda)", "Third party takes message", retry_h=24),
        _d("TNM", _CI, "Tercero no toma mensaje", "Third party, no message", retry_h=24),
        _d("TNV", _CI, "Titular ya no vive/trabaja allí", "Moved", kills_phone=True, retry_h=24),
        _d("TPG", _CI, "Tercero dice que pagará", "Third party will pay", retry_h=72),
        _d("NEQ", _CI, "Número equivocado", "Wrong number", kills_phone=True, retry_h=24),
        _d("FAL", _CI, "Fallecido", "Deceased", blocks_person=True),
        _d("MEN", _CI, "Menor de edad contesta", "Minor answered", retry_h=24),
        _d("IDI", _CI, "Barrera de idioma", "Language barrier", retry_h=24),
        _d("CST", _SC, "Contesta y cuelga (sin hablar)", "Answered, hung up", retry_h=24),
        _d("SIL", _SC, "Contesta, silencio", "Answered, silence", retry_h=24),
        _d("BUZ", _SC, "Buzón de voz", "Voicemail", retry_h=24, machine=True),
        _d("FAX", _SC, "Fax/módem", "Fax", kills_phone=True, retry_h=24, machine=True),
        _d("IVR", _SC, "Conmutador / asistente de llamada", "IVR / call screening", retry_h=24, machine=True),
    )
}

#: Written by the engine when the wrap-up deadline passed and the agent chose nothing.
NOT_DISPOSED = "SIN"


class Denial(StrEnum):
    """Why the gate did not let a contact be dialled."""

    HOURS = "BLQ-HORARIO"
    MARGIN = "BLQ-HORARIO-MARGEN"
    HOLIDAY = "BLQ-FESTIVO"
    FREQUENCY = "BLQ-FRECUENCIA"
    CONSENT = "BLQ-CONSENT"
    EXCLUDED = "BLQ-EXCLUIDO"
    BLOCKED = "BLQ-BLOQUEADO"
    REFERENCE = "BLQ-REFERENCIA"
    NO_DATA = "BLQ-SIN_DATOS"
    NO_PHONE = "BLQ-SIN_TELEFONO"
    IN_FLIGHT = "BLQ-EN_CURSO"
    CHANNEL = "BLQ-CANAL"
    COOL_OFF = "BLQ-ESPERA"
    PREFERENCE = "BLQ-PREFERENCIA"
    REGISTER = "BLQ-RNE"
    PAID = "BLQ-PAGO"
    PURPOSE = "BLQ-FINALIDAD"
    PROFILE = "BLQ-PERFIL"


_OUTCOME_LABELS: dict[str, tuple[str, str]] = {
    "CON": ("Conectada", "Connected"),
    "NOA": ("No contesta", "No answer"),
    "OCU": ("Ocupado", "Busy"),
    "CEL": ("Celular apagado / fuera de cobertura", "Off/out of coverage"),
    "FDS": ("Fuera de servicio / no existe", "Not in service"),
    "RES": ("Restringido / llamada rechazada", "Blocked/rejected"),
    "CNG": ("Congestión / falla de red", "Congestion"),
    "TRK": ("Sin canal / error de troncal", "Trunk failure"),
    "ABN": ("Abandonada", "Abandoned"),
    "ABM": ("Abandonada con mensaje", "Abandoned, message played"),
    "AMD": ("Máquina (detector)", "Machine (detector)"),
    "CST": ("Contesta y cuelga", "Answered, hung up"),
    "CAN": ("Cancelada antes de contestar", "Cancelled before answer"),
    "ERR": ("Caída técnica en conversación", "Dropped in talk"),
    "DES": ("Resultado desconocido", "Outcome unknown"),
    NOT_DISPOSED: ("Sin tipificar (cierre vencido)", "Not disposed (wrap-up expired)"),
    "BLQ-HORARIO": ("Fuera de horario", "Outside calling hours"),
    "BLQ-HORARIO-MARGEN": ("Muy cerca del cierre de la ventana", "Too close to the end of the window"),
    "BLQ-FESTIVO": ("Domingo o festivo", "Sunday or holiday"),
    "BLQ-FRECUENCIA": ("Tope de intentos alcanzado", "Attempt cap reached"),
    "BLQ-CONSENT": ("Sin autorización del canal", "No consent for the channel"),
    "BLQ-EXCLUIDO": ("Número excluido", "Excluded number"),
    "BLQ-BLOQUEADO": ("Persona bloqueada", "Person blocked"),
    "BLQ-REFERENCIA": ("Referencia personal: no se llama", "Personal reference: never called"),
    "BLQ-SIN_DATOS": ("Faltan datos", "Missing data"),
    "BLQ-SIN_TELEFONO": ("Sin teléfono marcable", "No diallable phone"),
    "BLQ-EN_CURSO": ("Ya está en una llamada", "Already in a call"),
    "BLQ-CANAL": ("Canal no permitido ahora", "Channel not allowed now"),
    "BLQ-ESPERA": ("En espera tras el último contacto", "Cooling off after the last contact"),
    "BLQ-PREFERENCIA": ("Fuera del horario que la persona pidió", "Outside the hours the person asked for"),
    "BLQ-RNE": ("Inscrito en un registro de excluidos", "On an exclusion register"),
    "BLQ-PAGO": ("Ya pagó: no hay mora", "Paid: nothing is overdue"),
    "BLQ-FINALIDAD": ("Finalidad no permitida", "Purpose not allowed"),
    "BLQ-PERFIL": ("Sin perfil legal vigente", "No legal profile in force"),
}


def label(code: str, language: str) -> str:
    """What a screen shows for a code; the code itself if nobody gave it words. `language` is "es" or "en"."""
    leaf = DISPOSITIONS.get(code)
    pair = (leaf.es, leaf.en) if leaf else _OUTCOME_LABELS.get(code, (code, code))
    return pair[0] if language == "es" else pair[1]
