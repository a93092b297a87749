"""What the telephony page and a timeline may show, for the tests of the web: servers, trunks, causes, one call."""

from __future__ import annotations

from datetime import datetime, timedelta

from cadencia.dialer.views import (
    CallView,
    CauseRow,
    FailureView,
    SaidView,
    ServerView,
    TelephonyView,
    TimelineRow,
    TroubleView,
    TrunkView,
)
from cadencia.domain.codes import label


def lines(now: datetime) -> TelephonyView:
    """Two servers, one of them gone; three trunks; the ends of an hour, two of them unknown."""
    trouble = TroubleView(
        "CAD-AMI-LOST",
        SaidView("Se perdió el enlace con el conmutador norte.", "The link to the switch norte was lost."),
        SaidView("Arranque Asterisk, y revise host y port del servidor en la configuración.",
                 "Start Asterisk, and check host and port of the server in the settings."),
    )  # fmt: skip
    failed = FailureView(now - timedelta(minutes=4), "CNG", 503, 34)
    ends = (
        ("sur", "claro", 480, 19, True, False, False, "NOA", True, 30, 402, "no disponible"),
        ("sur", "claro", 480, 19, False, True, False, "CEL", True, 35, 211, "no disponible"),
        ("sur", "tigo", 480, 19, False, False, False, "CEL", True, 41, 87, "no disponible"),
        ("sur", "claro", 480, 19, False, True, True, "NOA", True, 66, 31, "tiempo agotado"),
        ("sur", "claro", 486, 17, False, False, False, "OCU", True, 26, 121, "ocupado"),
        ("sur", "tigo", 404, 1, False, False, False, "FDS", True, 22, 61, "no existe"),
        ("sur", "tigo", 503, 34, False, False, False, "CNG", True, 55, 13, "sin capacidad"),
        ("sur", "tigo", 499, 127, False, False, False, "DES", False, 0, 9, "SIP 499"),
        ("sur", "claro", None, 31, False, False, False, "DES", False, 0, 2, "Q.850 31"),
    )  # fmt: skip
    return TelephonyView(
        now, False,
        (
            ServerView("sur", True, now - timedelta(hours=3), None, 22, 11, 84.5, 0.9, 1, "Asterisk 22.10.1"),
            ServerView("norte", False, now - timedelta(seconds=42), trouble, 0, 0, 0.0, None, 3, ""),
        ),
        (
            TrunkView("sur", "claro", "up", 17, 60, 4.2, 10.0, 1305, 452, 452 / 1305, 1.15, 3.85, 0.062, None),
            TrunkView("sur", "tigo", "up", 5, 30, 1.1, 5.0, 301, 61, 61 / 301, 2.05, 7.45, 0.21, failed),
            TrunkView("norte", "etb", "unknown", 0, 30, 0.0, 5.0, 0, 0, None, None, None, None, None),
        ),
        tuple(
            CauseRow(*e[:8], SaidView(label(e[7], "es"), label(e[7], "en")), e[8],
                     f"outcomes.toml:{e[9]}" if e[8] else "", e[10], SaidView(*[e[11]] * 2),
                     (f"a1a20ddd75{e[10]:02}-00{e[10]:03}",))
            for e in ends
        ),
        1606, 11,
    )  # fmt: skip


def traced(attempt_id: str, now: datetime) -> CallView:
    """A call that ended after an announcement."""
    told = (
        (-140, "engine", "attempt.leased", "Tomada de la lista", "Leased from the list", ""),
        (-12, "pacing", "decision", "Inicia 3 llamadas: 2 de 9 agentes libres", "Starts 3 calls: 2 of 9 agents free",
         "launch 3, ready 2, at_work 9"),
        (-4, "engine", "attempt.sending", "Confirmada: se marca ahora", "Committed: it is dialled now",
         "server sur, trunk claro"),
        (0, "engine", "order.Originate", "Orden: llamar al deudor", "Order: call the debtor", "Originate"),
        (1, "switch", "reply.ok", "Orden Originate: aceptada", "Order Originate: taken", ""),
        (640, "switch", "event.DialState", "Se oye algo antes de contestar", "Something is heard before the answer",
         "DialState: DialStatus PROGRESS"),
        (9_120, "switch", "event.Hangup", "El canal terminó", "The channel is gone", "Hangup: Cause 19, TechCause 480"),
        (9_121, "engine", "attempt.settled", "Terminó: Celular apagado / fuera de cobertura (no disponible "
         "temporalmente; se oyó un anuncio o el tono de la red)", "Ended: Off/out of coverage (temporarily "
         "unavailable; an announcement or the network's tone was heard)", "CEL: SIP 480, Q.850 19"),
    )  # fmt: skip
    start = now - timedelta(seconds=30)
    rows = tuple(
        TimelineRow(start + timedelta(milliseconds=ms), ms, source, what, SaidView(es, en), detail)
        for ms, source, what, es, en, detail in told
    )
    said = SaidView(label("CEL", "es"), label("CEL", "en"))
    return CallView(attempt_id, "andino-90", False, "CEL", said, True, 0, rows)
