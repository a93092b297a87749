"""An asyncio session over the codec, and the link that keeps one alive.

Every action has a deadline and ends: with the answer, with `AmiRefused`, or with `AmiTimeout` or `AmiLost`, after
which nobody knows whether it was done and the caller has to ask the switch. The reader never waits for anybody: an
event handler is a plain function, and one that raises is logged and does not end the reading.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import random
import ssl
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field

import structlog

from cadencia.config.system import reason
from cadencia.errors import (
    AmiLost,
    AmiRefused,
    AmiTimeout,
    ConfigError,
    RemoteProtocolError,
    SwitchUnfit,
    TelephonyError,
    Words,
)
from cadencia.telephony.ami.codec import Decoder, Message, encode

log = structlog.get_logger(__name__)

#: Makes a connection: `loop.create_connection` bound to a host and port, or a pair in memory for tests.
Connector = Callable[[Callable[[], asyncio.Protocol]], Awaitable[object]]
EventHandler = Callable[[Message], None]

_REACH = Words(
    "Start Asterisk, and check switch.host and switch.port.", "Arranque Asterisk, y revise switch.host y switch.port."
)
_NO_LINK = (Words("there is no link to the switch", "no hay enlace con el conmutador"),)


@dataclass(frozen=True)
class Action:
    """One order to the switch, not sent yet."""

    name: str
    fields: Mapping[str, str | int] = field(default_factory=dict)
    variables: Mapping[str, str | int] | None = None


@dataclass(slots=True)
class _Pending:
    action: str
    answer: asyncio.Future[Message]
    timer: asyncio.TimerHandle
    rows: list[Message] | None = None  # of a list action
    first: Message | None = None


def tcp(host: str, port: int, *, tls: ssl.SSLContext | None = None) -> Connector:
    """A connector to a server on the network.

    Args:
        tls: how to encrypt and whom to trust, see `tls_context`; None for a plain connection.

    The connector raises SwitchUnfit where the server's certificate is not one we trust, and where it speaks no TLS.
    """

    async def connect(factory: Callable[[], asyncio.Protocol]) -> object:
        loop = asyncio.get_running_loop()
        try:
            return await loop.create_connection(factory, host, port, ssl=tls)
        except ssl.SSLCertVerificationError as error:
            why = error.verify_message
            raise SwitchUnfit(
                Words(
                    f"The certificate of {host}:{port} is not to be trusted: {why}.",
                    f"El certificado de {host}:{port} no es de confianza: {why}.",
                ),
                Words(
                    "Name the file of its issuer as tls_ca, and as host a name that stands in the certificate.",
                    "Ponga en tls_ca el archivo de quien lo emitió, y en host un nombre que esté en el certificado.",
                ),
            ) from None
        except ssl.SSLError as error:
            why = error.reason or str(error)
            raise SwitchUnfit(
                Words(f"There is no TLS with {host}:{port} ({why}).", f"No hay TLS con {host}:{port} ({why})."),
                Words(
                    "Use the port of tlsbindaddr in manager.conf (5039), or set tls = false.",
                    "Use el puerto de tlsbindaddr en manager.conf (5039), o ponga tls = false.",
                ),
            ) from None

    return connect


def tls_context(ca: str = "") -> ssl.SSLContext:
    """Whom to trust: the certificates in the file `ca` and nobody else, or, without one, whom the system trusts.

    Raises:
        ConfigError: the file is not there, or holds no certificate.
    """
    try:
        return ssl.create_default_context(cafile=ca or None)
    except ssl.SSLError:
        why = Words("it holds no certificate in PEM form", "no contiene un certificado en formato PEM")
    except OSError as error:
        why = reason(error)
    raise ConfigError(
        Words(f"tls_ca: {ca} cannot be used: {why}.", f"tls_ca: no se puede usar {ca}: {why.es}."),
        Words(
            "Name a PEM file with the certificate of whoever issued the switch's, or the switch's own.",
            "Indique un archivo PEM con el certificado de quien emitió el del conmutador, o con ese mismo.",
        ),
    )


class AmiSession(asyncio.Protocol):
    """One connection to one server, from log-in to loss.

    Args:
        on_event: called with each event, in order of arrival.
        wanted: names of the events to decode; None for all.
    """

    def __init__(self, on_event: EventHandler, wanted: Collection[str] | None = None) -> None:
        self._on_event = on_event
        self._decoder = Decoder(wanted)
        self._pending: dict[str, _Pending] = {}
        self._ids = itertools.count(1)
        self._transport: asyncio.Transport | None = None
        self.lost: asyncio.Future[Exception | None] = asyncio.get_running_loop().create_future()
        self.bytes_in = 0

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
                    "Check switch.user and switch.secret against manager.conf, and its permit lines.",
                    "Compare switch.user y switch.secret con manager.conf, y sus líneas permit.",
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

    def data_received(self, data: bytes) -> None:
        self.bytes_in += len(data)
        for message in self._decoder.feed(data):
            self._take(message)

    def connection_lost(self, exc: Exception | None) -> None:
        self._transport = None
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
        if not self.lost.done():
            self.lost.set_result(exc)

    # -- what callers use ---------------------------------------------------------------------------------------------
    @property
    def up(self) -> bool:
        """Whether the connection stands."""
        return self._transport is not None and not self.lost.done()

    @property
    def malformed(self) -> int:
        """Lines and messages that could not be read so far."""
        return self._decoder.malformed

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
        """Send several actions in one write and return a future for each answer."""
        transport = self._transport
        if transport is None or transport.is_closing():
            raise AmiLost(*_NO_LINK)
        ids = [f"c{next(self._ids)}" for _ in actions]
        wire = b"".join(
            encode(action.name, [("ActionID", id_), *action.fields.items()], action.variables)
            for id_, action in zip(ids, actions, strict=True)
        )
        answers = [self._expect(id_, action.name, timeout_s).answer for id_, action in zip(ids, actions, strict=True)]
        transport.write(wire)
        return answers

    async def rows(
        self, name: str, fields: Mapping[str, str | int] | None = None, *, timeout_s: float = 10.0
    ) -> list[Message]:
        """Send a list action (Status, DeviceStateList) and return its events, without the closing one."""
        if self._transport is None:
            raise AmiLost(*_NO_LINK)
        id_ = f"c{next(self._ids)}"
        wire = encode(name, [("ActionID", id_), *(fields or {}).items()])
        pending = self._expect(id_, name, timeout_s)
        pending.rows = []
        self._transport.write(wire)
        await pending.answer
        return pending.rows

    def close(self) -> None:
        """End the connection; unanswered actions end with AmiLost."""
        if self._transport is not None:
            self._transport.abort()

    # -- inside -------------------------------------------------------------------------------------------------------
    def _expect(self, id_: str, name: str, timeout_s: float) -> _Pending:
        loop = asyncio.get_running_loop()
        pending = _Pending(name, loop.create_future(), loop.call_later(timeout_s, self._late, id_, timeout_s))
        self._pending[id_] = pending
        return pending

    def _late(self, id_: str, timeout_s: float) -> None:
        pending = self._pending.pop(id_, None)
        if pending is not None and not pending.answer.done():
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
        pending = self._pending.get(message.get("ActionID")) if "ActionID" in message else None
        if message.kind == "Response":
            if pending is not None:
                self._answer(message, pending)
            return
        if pending is not None and pending.rows is not None:
            if message.get("EventList").lower() == "complete":
                self._resolve(message, pending)
            else:
                pending.rows.append(message)
            return
        if message.kind == "Event":
            try:
                self._on_event(message)
            except Exception:
                log.exception("ami.handler_failed", event_name=message.name)

    def _answer(self, message: Message, pending: _Pending) -> None:
        if message.name == "Error":
            self._forget(message, pending)
            if not pending.answer.done():
                text = message.get("Message") or "no reason given"
                pending.answer.set_exception(AmiRefused(f"{pending.action}: {text}"))
                pending.answer.exception()
        elif pending.rows is None or "EventList" not in message:
            self._resolve(message, pending)

    def _resolve(self, message: Message, pending: _Pending) -> None:
        self._forget(message, pending)
        if not pending.answer.done():
            pending.answer.set_result(message)

    def _forget(self, message: Message, pending: _Pending) -> None:
        pending.timer.cancel()
        self._pending.pop(message["ActionID"], None)


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


def backoff_s(attempt: int, uniform: Callable[[float, float], float], cap_s: float = 5.0) -> float:
    """Seconds before reconnection number `attempt` (0 the first): exponential from 0.1 s, full jitter, capped."""
    return uniform(0.05, min(cap_s, 0.1 * 2.0 ** min(attempt, 10)))


class AmiLink:
    """Keeps a session to one server: connects, hands it over, notices its loss, tries again.

    Args:
        on_up: awaited with each new session before it counts as up; it resynchronises. If it raises, the session is
            closed and the link tries again later.
        on_down: called when a session that was up is lost.
        on_trouble: called with each failed try.
        ping_s: a silent link is probed this often (real seconds); no answer in `ping_s` more, and it is lost.
    """

    def __init__(
        self,
        connector: Connector,
        user: str,
        secret: str,
        on_event: EventHandler,
        *,
        on_up: Callable[[AmiSession], Awaitable[None]],
        on_down: Callable[[], None],
        on_trouble: Callable[[TelephonyError], None] = lambda error: None,
        wanted: Collection[str] | None = None,
        ping_s: float = 5.0,
        rng: random.Random | None = None,
    ) -> None:
        self._connector, self._user, self._secret = connector, user, secret
        self._on_event, self._on_up, self._on_down, self._on_trouble = on_event, on_up, on_down, on_trouble
        self._wanted = wanted
        self._ping_s = ping_s
        self._rng = rng or random.Random()
        self.session: AmiSession | None = None

    async def run(self) -> None:
        """Keep the link until cancelled."""
        attempt = 0
        while True:
            try:
                attempt = await self._once(attempt)
            except TelephonyError as error:
                self._on_trouble(error)
            except Exception as error:
                # Whatever it was (the store, a bug in resynchronising), a link that nobody keeps is worse.
                log.exception("ami.link_failed")
                self._on_trouble(AmiLost(f"the link could not be brought up ({error})"))
            await asyncio.sleep(backoff_s(attempt, self._rng.uniform))
            attempt += 1

    async def _once(self, attempt: int) -> int:
        session = await AmiSession.connect(
            self._connector, self._user, self._secret, self._on_event, wanted=self._wanted
        )
        try:
            await self._on_up(session)
            self.session = session
            await self._watch(session)
        finally:
            was_up, self.session = self.session is session, None
            session.close()
            if was_up:
                self._on_down()
        return -1

    async def _watch(self, session: AmiSession) -> None:
        seen = -1
        while session.up:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._ping_s):
                    await asyncio.shield(session.lost)
                return
            if session.bytes_in == seen:
                try:
                    await session.action("Ping", timeout_s=self._ping_s)
                except TelephonyError:
                    return
            seen = session.bytes_in


__all__ = [
    "Action",
    "AmiLink",
    "AmiSession",
    "Connector",
    "EventHandler",
    "backoff_s",
    "rights",
    "tcp",
    "tls_context",
]
