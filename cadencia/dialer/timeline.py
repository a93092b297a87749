"""One call from the decision that launched it to the disposition: the log's events and its trace, merged into rows.

`assemble` is pure: whoever has the events and the trace (a page, the command line) gets the same rows.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from cadencia.dialer.trace import HEADERS
from cadencia.dialer.why import sentence
from cadencia.domain.codes import label
from cadencia.domain.events import Event
from cadencia.errors import Words
from cadencia.store.port import Store
from cadencia.telephony.call import Ground
from cadencia.telephony.causes import told as told_end
from cadencia.telephony.outcomes import Ending


@dataclass(frozen=True, slots=True)
class Row:
    """One line of a timeline.

    Attributes:
        at: UTC.
        ms: milliseconds since the sending, negative before it; None if it was never sent.
        source: who: `pacing`, `engine`, `switch` or `agent`.
        what: stable code.
        words: the same for people.
        detail: headers and codes as they were, for engineers.
    """

    at: datetime
    ms: int | None
    source: str
    what: str
    words: Words
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Timeline:
    """All that is known of one attempt.

    Attributes:
        live: it is not over; only the running engine may know more.
        outcome: code, "" while there is none.
        traced: a trace is among it; False for attempts of older versions and of calls whose engine is elsewhere.
        dropped: entries the trace had no room for.
    """

    attempt_id: str
    campaign_id: str
    live: bool
    outcome: str
    traced: bool
    dropped: int
    rows: tuple[Row, ...]


async def timeline_of(store: Store, attempt_id: str, trace: Mapping[str, Any] | None = None) -> Timeline | None:
    """Read an attempt's events and put them together; None if nobody knows the attempt.

    Args:
        trace: of a call that is going on, from the engine's memory.

    Raises:
        StoreError: the store does not answer.
    """
    events = await store.attempt_events(attempt_id)
    if not events:
        return None
    return assemble(events, trace)


def assemble(events: Sequence[Event], trace: Mapping[str, Any] | None = None) -> Timeline:
    """Put one attempt's events and its trace into rows in the order of time.

    Args:
        events: of one attempt, in order, at least one.
        trace: used where the log holds none yet.
    """
    written = next((event.body for event in reversed(events) if event.kind == "attempt.traced"), None)
    body = written if written is not None else trace
    sent = next((event.at for event in events if event.kind == "attempt.sending"), None)
    start = _instant(body.get("at")) if body else None
    base = start or sent
    entries = list(body.get("entries", ())) if body else []
    reached = {told.get("phase") for _, code, told in entries if code == "phase"}
    rows: list[tuple[int, int, Row]] = []

    def put(at: datetime, rank: int, source: str, what: str, words: Words, detail: str = "") -> None:
        ms = None if base is None else round((at - base).total_seconds() * 1000)
        rows.append(
            (round(at.timestamp() * 1000) if ms is None else ms, rank, Row(at, ms, source, what, words, detail))
        )

    why = next((told["why"] for _, code, told in entries if code == "sent" and "why" in told), None)
    if why is not None and base is not None:
        put(min(base, sent or base), 1, "pacing", "decision", sentence(why), _numbers(why))
    for event in events:
        if event.kind == "attempt.answered" and reached & {"answered", "waiting", "talking"}:
            continue
        if event.kind == "attempt.connected" and "talking" in reached:
            continue
        teller = _LOGGED.get(event.kind)
        if teller is not None:
            source, words, detail = teller(event, body)
            put(event.at, _RANK.get(event.kind, 6), source, event.kind, words, detail)
    if base is not None:
        for ms, code, told in entries:
            if code in _TRACED:
                source, what, words, detail = _TRACED[code](told)
                put(base + timedelta(milliseconds=ms), 4, source, what, words, detail)
    settled = next((event for event in events if event.kind == "attempt.settled"), None)
    over = any(event.kind in ("attempt.settled", "attempt.returned") for event in events)
    rows.sort(key=lambda row: row[:2])
    return Timeline(
        events[0].attempt_id or "",
        events[0].campaign_id or "",
        not over,
        str(settled.body.get("outcome", "")) if settled is not None else "",
        body is not None,
        int(body.get("dropped", 0)) if body else 0,
        tuple(row for _, _, row in rows),
    )


def _instant(text: object) -> datetime | None:
    return datetime.fromisoformat(text) if isinstance(text, str) else None


#: The numbers of a decision in the order people ask for them; a store may give them in any.
_NUMBERS = (
    *("launch", "cancel", "reason", "mode", "ready", "at_work", "dialling", "waiting", "wanted", "supply", "channels"),
    *("rate", "risk", "threshold", "answer_rate", "free_10s", "answers_10s", "budget_drops", "answers", "abandoned"),
)


def _numbers(body: Mapping[str, Any]) -> str:
    names = [*_NUMBERS, *sorted(set(body) - set(_NUMBERS))]
    return ", ".join(f"{name} {_plain(body[name])}" for name in names if body.get(name) is not None)


def _plain(value: object) -> str:
    return "/".join(map(str, value)) if isinstance(value, list) else str(value)


def _pairs(told: Mapping[str, Any], *without: str) -> str:
    names = [name for name in HEADERS if name in told] + sorted(set(told) - set(HEADERS))
    return ", ".join(f"{name} {told[name]}" for name in names if name not in without)


# -- the log's events -------------------------------------------------------------------------------------------------
_Told = tuple[str, Words, str]

#: Where events of one millisecond go; a trace's entries are 4.
_RANK = {"attempt.leased": 0, "attempt.previewed": 0, "attempt.sending": 2, "attempt.settled": 5}


def _leased(event: Event, _: Mapping[str, Any] | None) -> _Told:
    return (
        "engine",
        Words("Leased from the list: all rules allow the call", "Tomada de la lista: las reglas permiten la llamada"),
        "",
    )


def _previewed(event: Event, _: Mapping[str, Any] | None) -> _Told:
    return "agent", Words("An agent sees the file first", "Un agente ve primero el expediente"), event.agent_id or ""


def _returned(event: Event, _: Mapping[str, Any] | None) -> _Told:
    words = Words("Given back to the list, not dialled", "Devuelta a la lista, sin marcar")
    return "engine", words, str(event.body.get("reason", ""))


def _sending(event: Event, trace: Mapping[str, Any] | None) -> _Told:
    detail = _where(trace)
    return "engine", Words("Committed: it is dialled now", "Confirmada: se marca ahora"), detail


def _where(trace: Mapping[str, Any] | None) -> str:
    first = trace["entries"][0][2] if trace and trace.get("entries") else {}
    told = {key: (trace or {}).get(key, first.get(key)) for key in ("server", "trunk")}
    return ", ".join(f"{key} {value}" for key, value in told.items() if value)


def _answered(event: Event, _: Mapping[str, Any] | None) -> _Told:
    return "switch", Words("Answered", "Contestada"), ""


def _connected(event: Event, _: Mapping[str, Any] | None) -> _Told:
    words = Words("Put through: both hear each other", "Conectada: ambos se oyen")
    return "switch", words, event.agent_id or ""


def _settled(event: Event, trace: Mapping[str, Any] | None) -> _Told:
    code = str(event.body.get("outcome", ""))
    why = _ground(trace or {})
    words = Words(
        f"Ended: {label(code, 'en')}{f' ({why})' if why else ''}",
        f"Terminó: {label(code, 'es')}{f' ({why.es})' if why else ''}",
    )
    codes = {"SIP": event.body.get("tech_cause"), "Q.850": event.body.get("cause"), "rule": (trace or {}).get("rule")}
    detail = ", ".join(f"{name} {value}" for name, value in codes.items() if value not in (None, ""))
    return "engine", words, f"{code}: {detail}" if detail else code


def _ground(trace: Mapping[str, Any]) -> Words | None:
    ground = trace.get("ground")
    if ground in (Ground.RULE, Ground.NO_RULE):
        end = told_end(
            Ending(
                trace.get("sip"),
                trace.get("q850"),
                bool(trace.get("rang")),
                bool(trace.get("media")),
                bool(trace.get("timeout")),
            )
        )
        if ground == Ground.RULE:
            return end
        return Words(f"{end}; no rule knows these codes", f"{end.es}; ninguna regla conoce estos códigos")
    known = _GROUNDS.get(str(ground))
    return Words(*known) if known else None


_GROUNDS: dict[str, tuple[str, str]] = {
    Ground.CANCELLED: ("we took it back", "la retiramos nosotros"),
    Ground.LOST: ("the switch knows nothing of it", "el conmutador no sabe de ella"),
    Ground.NO_CHANNEL: ("the switch could not place it", "el conmutador no pudo iniciarla"),
}


def _disposed(event: Event, _: Mapping[str, Any] | None) -> _Told:
    code = str(event.body.get("code", ""))
    words = Words(f"Disposition: {label(code, 'en')}", f"Tipificación: {label(code, 'es')}")
    return "agent", words, ", ".join(filter(None, (code, event.agent_id)))


def _file_shown(event: Event, _: Mapping[str, Any] | None) -> _Told:
    words = Words("Right party confirmed: the amounts are shown", "Titular confirmado: se muestran los valores")
    return "agent", words, event.agent_id or ""


_LOGGED: dict[str, Callable[[Event, Mapping[str, Any] | None], _Told]] = {
    "attempt.leased": _leased,
    "attempt.previewed": _previewed,
    "attempt.returned": _returned,
    "attempt.sending": _sending,
    "attempt.answered": _answered,
    "attempt.connected": _connected,
    "attempt.settled": _settled,
    "attempt.disposed": _disposed,
    "attempt.file_shown": _file_shown,
}


# -- the trace's entries ----------------------------------------------------------------------------------------------
_EVENTS: dict[str, tuple[str, str]] = {
    "DialBegin": ("The switch has a channel and calls", "El conmutador abre un canal y llama"),
    "DialState PROGRESS": ("Something is heard before the answer", "Se oye algo antes de contestar"),
    "DialState RINGING": ("It rings", "Timbra"),
    "DialState PROCEEDING": ("The network is at it", "La red la procesa"),
    "DialEnd": ("Dialling is over", "Terminó la marcación"),
    "Newstate 4": ("The channel calls", "El canal llama"),
    "Newstate 5": ("The channel rings", "El canal timbra"),
    "Newstate 6": ("The channel is answered", "El canal está contestado"),
    "OriginateResponse Success": ("The order to call succeeded", "La orden de llamar tuvo éxito"),
    "OriginateResponse Failure": ("The order to call failed", "La orden de llamar falló"),
    "BridgeEnter": ("The line enters a bridge", "La línea entra a un puente"),
    "BridgeLeave": ("The line leaves a bridge", "La línea sale de un puente"),
    "HangupRequest": ("The other end hangs up", "La otra parte cuelga"),
    "Hangup": ("The channel is gone", "El canal terminó"),
    "UserEvent CadReady": ("The person is on the line and waits", "La persona está en línea y espera"),
    "UserEvent CadDetected": ("The detector has listened", "El detector escuchó"),
    "UserEvent CadMachine": ("A machine answered", "Contestó una máquina"),
    "UserEvent CadOrphan": ("The wait is over, nobody came", "Se acabó la espera, nadie atendió"),
    "UserEvent CadReoffer": (
        "The agent is gone, the person waits again",
        "El agente se fue; la persona espera otra vez",
    ),
    "UserEvent CadReleased": ("The person is let go", "Se despide a la persona"),
}

_PHASES: dict[str, tuple[str, str]] = {
    "ringing": ("rings", "timbra"),
    "answered": ("answered", "contestada"),
    "waiting": ("waits for an agent", "espera agente"),
    "offered": ("goes to the agent", "pasa al agente"),
    "talking": ("both talk", "conversan"),
    "failed": ("failed, its cause may follow", "falló; falta la causa"),
    "ended": ("ended", "terminada"),
}

_ORDERS: dict[str, tuple[str, str]] = {
    "Originate": ("Order: call the debtor", "Orden: llamar al deudor"),
    "Bridge": ("Order: put both together", "Orden: unir a ambos"),
    "Setvar": ("Order: note who talks with whom", "Orden: anotar quién habla con quién"),
    "Hangup": ("Order: hang up", "Orden: colgar"),
}

_REPLIES: dict[str, tuple[str, str]] = {
    "ok": ("taken", "aceptada"),
    "refused": ("refused", "rechazada"),
    "timeout": ("no answer in time: nobody knows whether it was done", "sin respuesta a tiempo: no se sabe si se hizo"),
    "lost": ("the link broke before the answer", "el enlace se rompió antes de la respuesta"),
}

_MENDS: dict[str, tuple[str, str]] = {
    "answer missed": ("its answer had been missed", "no se había oído la respuesta"),
    "bridge missed": ("its bridge had been missed", "no se había oído el puente"),
    "offer missed": ("its offer had been missed", "no se había oído el ofrecimiento"),
    "agent lost": ("its agent is gone", "su agente ya no está"),
    "call gone": ("the switch has no such channel", "el conmutador no tiene ese canal"),
    "hangup forgotten": (
        "the other end was gone, and the switch kept the line",
        "la otra parte ya había colgado y el conmutador conservaba la línea",
    ),
}

_Entry = tuple[str, str, Words, str]


def _heard(told: Mapping[str, Any]) -> _Entry:
    name = str(told.get("event", ""))
    narrow = next(
        (str(told[key]) for key in ("UserEvent", "DialStatus", "ChannelState", "Response") if key in told), ""
    )
    known = _EVENTS.get(f"{name} {narrow}") or _EVENTS.get(name) or (name, name)
    return "switch", f"event.{name}", Words(*known), f"{name}: {_pairs(told, 'event')}".removesuffix(": ")


def _order(told: Mapping[str, Any]) -> _Entry:
    action = str(told.get("action", ""))
    return "engine", f"order.{action}", Words(*_ORDERS.get(action, (action, action))), _pairs(told, "action") or action


def _reply(told: Mapping[str, Any]) -> _Entry:
    action, reply = str(told.get("action", "")), str(told.get("reply", ""))
    en, es = _REPLIES.get(reply, (reply, reply))
    words = Words(f"Order {action}: {en}", f"Orden {action}: {es}")
    return "switch", f"reply.{reply}", words, str(told.get("reason", ""))


def _phase(told: Mapping[str, Any]) -> _Entry:
    phase = str(told.get("phase", ""))
    en, es = _PHASES.get(phase, (phase, phase))
    return (
        "engine",
        f"phase.{phase}",
        Words(f"The call: {en}", f"La llamada: {es}"),
        "" if told.get("sign") == phase else str(told.get("sign", "")),
    )


def _offered(told: Mapping[str, Any]) -> _Entry:
    agent = str(told.get("agent", ""))
    return "agent", "offered", Words(f"Given to agent {agent}", f"Asignada al agente {agent}"), ""


def _mended(told: Mapping[str, Any]) -> _Entry:
    what = str(told.get("what", ""))
    en, es = _MENDS.get(what, (what, what))
    return "engine", "mended", Words(f"Compared with the switch: {en}", f"Comparada con el conmutador: {es}"), what


def _adopted(told: Mapping[str, Any]) -> _Entry:
    words = Words(
        "Taken over by an engine that was started again; what went before is not traced",
        "Tomada por un motor que se reinició; lo anterior no tiene traza",
    )
    return "engine", "adopted", words, _pairs(told)


_TRACED: dict[str, Callable[[Mapping[str, Any]], _Entry]] = {
    "event": _heard,
    "order": _order,
    "reply": _reply,
    "phase": _phase,
    "offered": _offered,
    "mended": _mended,
    "adopted": _adopted,
}
