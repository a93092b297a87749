"""An asyncio session over the codec: one connection to one server.

Every action has a deadline and ends: with the answer, with `AmiRefused`, or with `AmiTimeout` or `AmiLost`, after
which nobody knows whether it was done and the caller has to ask the switch. The reader never waits for anybody: an
event handler is a plain function, and one that raises is logged and does not end the reading.

A switch that does not read is a switch that is lost: orders that pile up for it would all be carried out late, at once.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field

import structlog

from cadencia.config.system import reason
from cadencia.errors import (
    AmiLost,
    AmiRefused,
    AmiTimeout,
    RemoteProtocolError,
    Words,
)
from cadencia.telephony.ami.codec import Decoder, Message, encode
from cadencia.telephony.ami.connect import Connector

log = structlog.get_logger(__name__)

EventHandler = Callable[[Message], None]

_REACH = Words(
    "Start Asterisk, and check host and port of the server in the settings.",
    "Arranque Asterisk, y revise host y port del servidor en la configuración.",
)
_NO_LINK = (Words("there is no link to the switch", "no hay enlace con el conmutador"),)

#: Why a session ended.
_CLOSED = Words("we closed the connection", "nosotros cerramos la conexión")
_UNREAD = Words("the switch does not read what we send", "el conmutador no lee lo que enviamos")
_SHUTS_DOWN = Words("the switch shuts down", "el conmutador se apaga")
_ENDED = Words("the switch closed the connection", "el conmutador cerró la conexión")


def _lost_by(error: Exception | None) -> Words:
    if error is None:
        return _ENDED
    why = reason(error)
    return Words(f"the connection broke ({why})", f"se rompió la conexión ({why.es})")


@dataclass(frozen=True)
class Action:
    """One order to the switch, not sent yet."""

    name: str
    fields: Mapping[str, str | int] = field(default_factory=dict)
    variables: Mapping[str, str | int] | None = None


#: Real seconds that a write may stay blocked, and bytes that may wait to be written, before the session is given up.
WRITE_BLOCKED_S = 2.0
MAX_UNWRITTEN_BYTES = 1 << 20

#: Real seconds that rows of a list may come after its end.
_ROWS_S = 0.5

#: Weight of the newest answer in the mean round trip.
_NEWEST = 0.1

#: Ids of actions that are over and may still be answered: so many are remembered, the newest.
_REMEMBERED = 4096

#: Events that the session itself listens to.
_OWN_EVENTS = frozenset({"FullyBooted", "Shutdown"})


#: All of a row, so that one that comes twice is known.
_Row = tuple[object, ...]


@dataclass(slots=True)
class _Pending:
    action: str
    answer: asyncio.Future[Message]
    timer: asyncio.TimerHandle
    sent_s: float
    answered: bool = False
    rows: dict[_Row, Message] | None = None  # of a list action
    due: Message | None = None  # the closing event of a list that lacks rows yet


class AmiSession(asyncio.Protocol):
    """One connection to one server, from log-in to loss.

    Args:
        on_event: called with each event, in order of arrival.
        wanted: names of the events to decode; None for all.

    Attributes:
        lost: done when the connection is.
        lost_reason: why it is, None while it stands.
        booted: the server's FullyBooted, None before it came; its `Uptime` (s) tells a server that was started anew.
        bytes_in, events: received so far.
        heard_s: when the last byte came, seconds of the loop's clock.
        since_s: when the connection was made, likewise.
        round_trip_ms: from an action to its answer, weighted towards the newest; None before the first.
        late_answers: to actions whose deadline had passed; dropped.
        stray_answers: that came twice, or to nothing we ever asked; dropped.
    """

    def __init__(self, on_event: EventHandler, wanted: Collection[str] | None = None) -> None:
        self._loop = asyncio.get_running_loop()
        self._on_event = on_event
        self._wanted = None if wanted is None else frozenset(wanted)
        self._decoder = Decoder(None if wanted is None else frozenset(wanted) | _OWN_EVENTS)
        self._pending: dict[str, _Pending] = {}
        self._unanswered: dict[str, None] = {}  # timed out: their answers may still come
        self._lists: dict[str, None] = {}  # over: their rows are nobody's
        self._ids = itertools.count(1)
        self._transport: asyncio.Transport | None = None
        self._blocked: asyncio.TimerHandle | None = None
        self.lost: asyncio.Future[Exception | None] = self._loop.create_future()
        self.lost_reason: Words | None = None
        self.booted: Message | None = None
        self._boot = asyncio.Event()
        self.bytes_in = self.events = 0
        self.late_answers = self.stray_answers = 0
        self.round_trip_ms: float | None = None
        self.since_s = self.heard_s = self._loop.time()

    @classmethod
    async def connect(
        cls,
        connector: Connector,
        user: str,
        secret: str,
        on_event: EventHandler,
        *,
        wanted: Collection[str] | None = None,
        timeout_s: float = 5.0,
    ) -> AmiSession:
        """Connect and log in.

        Raises:
            AmiLost: nobody listens there, or the connection ended.
            AmiTimeout: no answer in time.
            AmiRefused: the user name or secret is wrong.
        """
        session: AmiSession | None = None

        def make() -> AmiSession:
            nonlocal session
            session = cls(on_event, wanted)
            return session

        try:
            async with asyncio.timeout(timeout_s):
                await connector(make)
        except TimeoutError as error:
            raise AmiTimeout(
                Words(
                    "the switch did not accept the connection in time", "el conmutador no aceptó la conexión a tiempo"
                ),
                _REACH,
            ) from error
        except OSError as error:
            why = reason(error)
            raise AmiLost(
                Words(f"the switch cannot be reached ({why})", f"no se llega al conmutador ({why.es})"), _REACH
            ) from error
        if session is None:
            raise AmiLost(Words("the connector made no connection", "no se hizo la conexión"))
        try:
            await session.action("Login", {"Username": user, "Secret": secret}, timeout_s=timeout_s)
        except AmiRefused as error:
            session.close()
            raise AmiRefused(
                Words(
                    f"The switch refused the user {user!r} ({error.message}).",
                    f"El conmutador rechazó al usuario {user!r} ({error.message}).",
                ),
                Words(
                    "Check the server's user and secret against manager.conf, and its permit lines.",
                    "Compare user y secret del servidor con manager.conf, y sus líneas permit.",
                ),
            ) from None
        except AmiLost:
            session.close()
            if session.bytes_in:
                raise
            # Whoever speaks AMI greets first; a TLS port waits for us to begin.
            raise AmiLost(
                Words("the switch cut the connection without a word", "el conmutador cortó la conexión sin decir nada"),
                Words(
                    "If that is the port of tlsbindaddr in manager.conf, set tls = true; else check host and port.",
                    "Si ese es el puerto de tlsbindaddr en manager.conf, ponga tls = true; si no, revise host y port.",
                ),
            ) from None
        except BaseException:  # a cancelled log-in must not leave a connection behind either
            session.close()
            raise
        return session

    # -- asyncio.Protocol ---------------------------------------------------------------------------------------------
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)  # noqa: S101
        self._transport = transport
        self.since_s = self.heard_s = self._loop.time()

    def data_received(self, data: bytes) -> None:
        self.bytes_in += len(data)
        self.heard_s = self._loop.time()
        for message in self._decoder.feed(data):
            self._take(message)

    def pause_writing(self) -> None:
        # Reading goes on: what the switch still says may be the end of calls.
        if self._blocked is None:
            self._blocked = self._loop.call_later(WRITE_BLOCKED_S, self.lose, _UNREAD)

    def resume_writing(self) -> None:
        if self._blocked is not None:
            self._blocked.cancel()
            self._blocked = None

    def connection_lost(self, exc: Exception | None) -> None:
        self._transport = None
        self.resume_writing()
        if self.lost_reason is None:
            self.lost_reason = _lost_by(exc)
        pending, self._pending = self._pending, {}
        for waiting in pending.values():
            waiting.timer.cancel()
            if not waiting.answer.done():
                waiting.answer.set_exception(
                    AmiLost(
                        Words(
                            f"the link went down before the answer to {waiting.action}",
                            f"el enlace cayó antes de la respuesta a {waiting.action}",
                        )
                    )
                )
                waiting.answer.exception()  # the caller may be gone: then nobody needs to hear of it
        self._boot.set()
        if not self.lost.done():
            self.lost.set_result(exc)

    # -- what callers use ---------------------------------------------------------------------------------------------
    @property
    def up(self) -> bool:
        """Whether the connection stands."""
        return self._transport is not None and not self._transport.is_closing()

    @property
    def malformed(self) -> int:
        """Lines and messages that could not be read so far."""
        return self._decoder.malformed

    @property
    def unwanted(self) -> frozenset[str]:
        """Names of the events that came although nobody wants them; none if all are wanted."""
        return frozenset(name.decode("utf-8", "replace") for name in self._decoder.unwanted)

    @property
    def waiting(self) -> int:
        """Actions without an answer yet."""
        return len(self._pending)

    async def action(
        self,
        name: str,
        fields: Mapping[str, str | int] | None = None,
        variables: Mapping[str, str | int] | None = None,
        *,
        timeout_s: float = 5.0,
    ) -> Message:
        """Send one action and return its answer.

        Raises:
            LocalProtocolError: the action must not reach the wire.
            AmiRefused, AmiTimeout, AmiLost: see the module.
        """
        (answer,) = self.send([Action(name, fields or {}, variables)], timeout_s=timeout_s)
        return await answer

    def send(self, actions: Sequence[Action], *, timeout_s: float = 5.0) -> list[asyncio.Future[Message]]:
        """Send several actions in one write and return a future for each answer.

        Raises:
            LocalProtocolError: one of them must not reach the wire; none was sent.
            AmiLost: there is no link, or the switch has not read for so long that it was given up; none was sent.
        """
        ids = [f"c{next(self._ids)}" for _ in actions]
        wire = b"".join(
            encode(action.name, [("ActionID", id_), *action.fields.items()], action.variables)
            for id_, action in zip(ids, actions, strict=True)
        )
        transport = self._writable(wire)
        answers = [self._expect(id_, action.name, timeout_s).answer for id_, action in zip(ids, actions, strict=True)]
        transport.write(wire)
        return answers

    async def rows(
        self, name: str, fields: Mapping[str, str | int] | None = None, *, timeout_s: float = 10.0
    ) -> list[Message]:
        """Send a list action (Status, DeviceStateList) and return its events, without the closing one.

        A row that came twice is there once; fewer rows than the closing event counts are no list.

        Raises:
            LocalProtocolError, AmiLost: see `send`.
            AmiRefused: the switch refused it.
            AmiTimeout: it was not complete in time.
        """
        id_ = f"c{next(self._ids)}"
        wire = encode(name, [("ActionID", id_), *(fields or {}).items()])
        transport = self._writable(wire)
        pending = self._expect(id_, name, timeout_s)
        pending.rows = {}
        transport.write(wire)
        await pending.answer
        return list(pending.rows.values())

    async def full_boot(self, timeout_s: float = 1.0) -> Message | None:
        """The server's FullyBooted, waited for so long; None if it does not come or the link is lost."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(timeout_s):
                await self._boot.wait()
        return self.booted

    def lose(self, why: Words) -> None:
        """Give the connection up, for a reason; unanswered actions end with AmiLost."""
        if self.lost_reason is None:
            self.lost_reason = why
            if why is not _CLOSED:
                log.warning("ami.session_lost", reason=str(why), waiting=len(self._pending))
        if self._transport is not None:
            self._transport.abort()

    def close(self) -> None:
        """End the connection; unanswered actions end with AmiLost."""
        self.lose(_CLOSED)

    # -- inside -------------------------------------------------------------------------------------------------------
    def _writable(self, wire: bytes) -> asyncio.Transport:
        """The transport, if it may take these bytes."""
        transport = self._transport
        if transport is None or transport.is_closing():
            raise AmiLost(*_NO_LINK)
        if self._blocked is not None and transport.get_write_buffer_size() + len(wire) > MAX_UNWRITTEN_BYTES:
            self.lose(_UNREAD)
            raise AmiLost(_UNREAD)
        return transport

    def _expect(self, id_: str, name: str, timeout_s: float) -> _Pending:
        timer = self._loop.call_later(timeout_s, self._late, id_, timeout_s)
        self._pending[id_] = pending = _Pending(name, self._loop.create_future(), timer, self._loop.time())
        return pending

    def _late(self, id_: str, timeout_s: float) -> None:
        pending = self._pending.pop(id_, None)
        if pending is None:
            return
        if not pending.answered:
            _remember(self._unanswered, id_)
        if pending.rows is not None:
            _remember(self._lists, id_)
        if not pending.answer.done():
            pending.answer.set_exception(
                AmiTimeout(
                    Words(
                        f"no answer to {pending.action} within {timeout_s:g} s",
                        f"sin respuesta a {pending.action} en {timeout_s:g} s",
                    )
                )
            )
            pending.answer.exception()

    def _take(self, message: Message) -> None:
        id_ = message.get("ActionID")
        pending = self._pending.get(id_) if id_ else None
        if message.kind == "Response":
            if pending is not None:
                self._answer(message, id_, pending)
            elif id_ in self._unanswered:
                del self._unanswered[id_]
                self.late_answers += 1
            else:
                self.stray_answers += 1
        elif pending is not None and pending.rows is not None:
            self._row(message, id_, pending)
        elif message.kind == "Event" and id_ not in self._lists:
            self._event(message)

    def _event(self, message: Message) -> None:
        self.events += 1
        if message.name == "FullyBooted":
            self.booted = message
            self._boot.set()
        if self._wanted is None or message.name in self._wanted or message.name not in _OWN_EVENTS:
            try:
                self._on_event(message)
            except Exception:
                log.exception("ami.handler_failed", event_name=message.name)
        if message.name == "Shutdown":
            self.lose(_SHUTS_DOWN)

    def _answer(self, message: Message, id_: str, pending: _Pending) -> None:
        if pending.answered:
            self.stray_answers += 1  # the head of a list, twice
            return
        pending.answered = True
        trip_ms = (self._loop.time() - pending.sent_s) * 1000.0
        mean_ms = self.round_trip_ms
        self.round_trip_ms = trip_ms if mean_ms is None else mean_ms + _NEWEST * (trip_ms - mean_ms)
        if message.name == "Error":
            self._forget(id_, pending)
            if not pending.answer.done():
                text = message.get("Message") or "no reason given"
                pending.answer.set_exception(AmiRefused(f"{pending.action}: {text}"))
                pending.answer.exception()
        elif pending.rows is None or "EventList" not in message:
            self._resolve(message, id_, pending)

    def _row(self, message: Message, id_: str, pending: _Pending) -> None:
        assert pending.rows is not None  # noqa: S101
        if message.get("EventList").lower() == "complete":
            if pending.due is None:  # what still lacks then is late, or lost: the caller asks again
                pending.timer.cancel()
                pending.timer = self._loop.call_later(_ROWS_S, self._late, id_, _ROWS_S)
            pending.due = message
        else:
            pending.rows[message.values()] = message
        told = pending.due.number("ListItems") if pending.due is not None else None
        if pending.due is not None and len(pending.rows) >= (told or 0):
            self._resolve(pending.due, id_, pending)

    def _resolve(self, message: Message, id_: str, pending: _Pending) -> None:
        self._forget(id_, pending)
        if not pending.answer.done():
            pending.answer.set_result(message)

    def _forget(self, id_: str, pending: _Pending) -> None:
        pending.timer.cancel()
        self._pending.pop(id_, None)
        if pending.rows is not None:
            _remember(self._lists, id_)


def _remember(ids: dict[str, None], id_: str) -> None:
    """Bounded, whatever the switch leaves out."""
    ids[id_] = None
    if len(ids) > _REMEMBERED:
        del ids[next(iter(ids))]


async def rights(session: AmiSession) -> frozenset[str]:
    """The actions this account may use, as ListCommands names them.

    Raises:
        RemoteProtocolError: the answer names none.
    """
    answer = await session.action("ListCommands")
    names = frozenset(key for key in answer.keys() if key not in ("Response", "ActionID", "Message"))  # noqa: SIM118
    if not names:
        raise RemoteProtocolError(
            Words(
                "the switch named no action this account may use",
                "el conmutador no nombró ninguna acción permitida a esta cuenta",
            ),
            Words("Give it write = originate,call in manager.conf.", "Déle write = originate,call en manager.conf."),
        )
    return names
