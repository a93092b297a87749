"""What trunk peer and telephones share: one UDP socket for SIP, dialogs, retransmission, one ticker for all RTP."""

from __future__ import annotations

import asyncio
import contextlib
import secrets
from abc import ABC, abstractmethod
from collections.abc import Coroutine
from typing import Any, Self

from cadencia.testing.sip.audio import FRAME_S
from cadencia.testing.sip.call import Call
from cadencia.testing.sip.message import (
    Message,
    authorize,
    build,
    new_branch,
    new_tag,
    uri_of,
    user_of,
)

_RESEND_S = (0.5, 1.0, 2.0, 4.0)
_ALLOW = ("Allow", "INVITE, ACK, BYE, CANCEL, OPTIONS, UPDATE, INFO")
Address = tuple[str, int]


class SipTimeout(Exception):
    """The switch did not answer a request."""


class SipRefused(Exception):
    """The switch answered a request with an error.

    Attributes:
        code: its SIP code.
    """

    def __init__(self, method: str, code: int) -> None:
        super().__init__(f"{method}: {code}")
        self.code = code


class Endpoint(asyncio.DatagramProtocol, ABC):
    """A SIP user agent on 127.0.0.1, UDP, ulaw; `async with`. Subclasses say what to do with a call that comes in.

    Args:
        port: to listen on, 0 for any.

    Attributes:
        port: where it listens.
        calls: all calls, in the order they began.
    """

    def __init__(self, port: int = 0) -> None:
        self.port = port
        self.calls: list[Call] = []
        self._live: dict[str, Call] = {}
        self._vanished: set[str] = set()
        self._waiting: dict[str, asyncio.Future[Message]] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._transport: asyncio.DatagramTransport | None = None
        self._tick: asyncio.TimerHandle | None = None
        self._next_tick = 0.0

    # -- life --------------------------------------------------------------------------------------------------------

    async def __aenter__(self) -> Self:
        loop = asyncio.get_running_loop()
        self._transport, _ = await loop.create_datagram_endpoint(lambda: self, local_addr=("127.0.0.1", self.port))
        self.port = self._transport.get_extra_info("sockname")[1]
        self._next_tick = loop.time()
        self._on_tick()
        return self

    async def __aexit__(self, *_: object) -> None:
        for call in list(self._live.values()):
            if call.is_up:
                self._send_bye(call)
            self._drop(call, "closed")
        if self._tick:
            self._tick.cancel()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._transport:
            self._transport.close()
        await asyncio.sleep(0)  # lets the transport close its socket

    def _on_tick(self) -> None:
        """Every 20 ms one packet for each call that speaks; a late tick is made up for, unless it is very late."""
        loop = asyncio.get_running_loop()
        for call in self._live.values():
            call.tick()
        self._next_tick += FRAME_S
        if self._next_tick < loop.time() - 10 * FRAME_S:
            self._next_tick = loop.time()
        self._tick = loop.call_at(self._next_tick, self._on_tick)

    def _spawn(self, work: Coroutine[Any, Any, None], call: Call | None = None) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        if call:
            call.tasks.append(task)

    @property
    def active(self) -> list[Call]:
        """Calls that are not over."""
        return [c for c in self.calls if not c.ended.is_set()]

    # -- for subclasses ----------------------------------------------------------------------------------------------

    @abstractmethod
    def new_call(self, call_id: str, *, incoming: bool, number: str, caller: str) -> Call:
        """Makes the call's object, with the ear that fits the peer."""

    @abstractmethod
    async def on_invite(self, call: Call) -> None:
        """Decides about a call of the switch's; cancelled when the call ends."""

    # -- what comes in -----------------------------------------------------------------------------------------------

    def datagram_received(self, data: bytes, addr: Address) -> None:
        """One SIP message; shorter ones are keep-alives."""
        if len(data) < 16:
            return
        message = Message(data)
        if message.code:
            self._on_response(message)
            return
        call = self._live.get(message.get("call-id"))
        if message.get("call-id") in self._vanished:
            return
        if message.method == "INVITE":
            self._on_invite(message, addr, call)
        elif message.method == "ACK":
            self._on_ack(call)
        elif message.method == "CANCEL":
            self._on_cancel(message, addr, call)
        else:
            body = call.sdp if call and message.method == "UPDATE" and message.body else ""
            self._send(self._response(message, 200, "OK", call, body), addr)
            if call and message.method == "BYE":
                call.reason = message.get("reason")
                self._drop(call, "switch")

    def _on_response(self, message: Message) -> None:
        waiting = self._waiting.get(message.branch)
        if waiting and not waiting.done() and message.code >= 200:
            waiting.set_result(message)
        elif not waiting and message.code >= 200 and message.method == "INVITE":
            call = self._live.get(message.get("call-id"))
            if call and call.state == "up":  # our ACK was lost
                self._send_ack(call, call.target, new_branch())

    def _on_invite(self, message: Message, addr: Address, call: Call | None) -> None:
        within_dialog = "tag=" in message.get("to")
        if call is None and within_dialog:
            self._send(self._response(message, 481, "Call Does Not Exist", None), addr)
        elif call is None:
            self._on_new_invite(message, addr)
        elif within_dialog:  # the dialog: session timer, or the switch moves its RTP
            call.learn(message.body)
            self._send(self._response(message, 200, "OK", call, call.sdp), addr)
        elif call.last_response:
            self._send(call.last_response, addr)

    def _on_new_invite(self, message: Message, addr: Address) -> None:
        call = self.new_call(
            message.get("call-id"), incoming=True, number=user_of(message.uri), caller=user_of(message.get("from"))
        )
        call.invite, call.address = message, addr
        call.local, call.remote = f"{message.get('to')};tag={new_tag()}", message.get("from")
        call.target = uri_of(message.get("contact"))
        call.learn(message.body)
        self.calls.append(call)
        self._live[call.call_id] = call
        self._send(self._response(message, 100, "Trying", None), addr)
        self._spawn(self.on_invite(call), call)

    def _on_ack(self, call: Call | None) -> None:
        if call is None:
            return
        if call.state == "answered":
            call.state = "up"
        elif call.state == "refused":
            self._drop(call, "refused")

    def _on_cancel(self, message: Message, addr: Address, call: Call | None) -> None:
        self._send(self._response(message, 200, "OK", call), addr)
        if call and call.invite and call.state in ("new", "ringing"):
            call.reason = message.get("reason")
            self._send(self._response(call.invite, 487, "Request Terminated", call), addr)
            self._drop(call, "cancel")

    def _drop(self, call: Call, ended_by: str) -> None:
        self._live.pop(call.call_id, None)
        call.close(ended_by)

    # -- answers to an INVITE ----------------------------------------------------------------------------------------

    def ring(self, call: Call) -> None:
        """180 Ringing."""
        call.state = "ringing"
        call.t_ringing = asyncio.get_running_loop().time()
        self._answer(call, 180, "Ringing")

    def progress(self, call: Call, clip: bytes) -> None:
        """183 with early media."""
        call.state = "ringing"
        self._answer(call, 183, "Session Progress", call.sdp)
        call.play(clip)

    def accept(self, call: Call, clip: bytes, loop_from: int | None = 0) -> None:
        """200 OK, and speaks."""
        call.state, call.code = "answered", 200
        self._answer(call, 200, "OK", call.sdp)
        call.t_answered = asyncio.get_running_loop().time()
        call.play(clip, loop_from)
        self._spawn(self._repeat_200(call), call)

    def refuse(self, call: Call, code: int, phrase: str, cause: int = 0) -> None:
        """A final error; `cause` is the Q.850 cause of a Reason header, 0 for none."""
        call.state, call.code = "refused", code
        extra = [("Reason", f"Q.850;cause={cause}")] if cause else []
        self._answer(call, code, phrase, extra=extra)
        call.freeze()
        # the ACK ends it; without one it is forgotten
        asyncio.get_running_loop().call_later(5.0, self._drop, call, "refused")

    def hang_up(self, call: Call) -> None:
        """BYE; of a call that is not up, nothing."""
        if call.is_up:
            self._send_bye(call)
            self._drop(call, "peer")

    def vanish(self, call: Call) -> None:
        """The line dies: no BYE, no packets, no answers to this dialog's requests."""
        self._vanished.add(call.call_id)
        self._drop(call, "peer")

    def _answer(
        self, call: Call, code: int, phrase: str, body: str = "", extra: list[tuple[str, str]] | None = None
    ) -> None:
        if call.invite is None:
            return
        call.last_response = self._response(call.invite, code, phrase, call, body, extra)
        self._send(call.last_response, call.address)

    async def _repeat_200(self, call: Call) -> None:
        for wait_s in _RESEND_S:
            await asyncio.sleep(wait_s)
            if call.state != "answered":
                return
            self._send(call.last_response, call.address)

    def _response(
        self,
        request: Message,
        code: int,
        phrase: str,
        call: Call | None,
        body: str = "",
        extra: list[tuple[str, str]] | None = None,
    ) -> bytes:
        to = request.get("to")
        if "tag=" not in to and code != 100:
            to = call.local if call and call.incoming else f"{to};tag={new_tag()}"
        headers = [("Via", via) for via in request.headers.get("via", [])]
        headers += [("From", request.get("from")), ("To", to), ("Call-ID", request.get("call-id"))]
        headers += [("CSeq", request.get("cseq")), ("Contact", self._contact("peer")), _ALLOW, *(extra or [])]
        return build(f"SIP/2.0 {code} {phrase}", headers, body)

    # -- requests of ours --------------------------------------------------------------------------------------------

    async def request(
        self,
        method: str,
        uri: str,
        headers: list[tuple[str, str]],
        server: Address,
        *,
        credentials: tuple[str, str] | None = None,
        call: Call | None = None,
        body: str = "",
    ) -> Message:
        """Sends a request, answers one challenge, and returns the final response; acknowledges it if it is an INVITE's.

        Raises:
            SipTimeout: there was none.
        """
        auth: list[tuple[str, str]] = []
        cseq = 1
        while True:
            branch = new_branch()
            via = f"SIP/2.0/UDP 127.0.0.1:{self.port};branch={branch};rport"
            head = [("Via", via), ("Max-Forwards", "70"), *headers, ("CSeq", f"{cseq} {method}"), *auth]
            answer = await self._exchange(build(f"{method} {uri} SIP/2.0", head, body), branch, server, method)
            if call:
                call.cseq, call.remote = cseq, answer.get("to")
                if answer.code < 300:
                    call.target = uri_of(answer.get("contact"))
                    self._send_ack(call, call.target, new_branch())
                else:
                    self._send_ack(call, uri, branch)
            if answer.code not in (401, 407) or auth or credentials is None:
                return answer
            auth = [authorize(answer, method, uri, *credentials)]
            cseq += 1

    async def _exchange(self, data: bytes, branch: str, server: Address, what: str) -> Message:
        waiting = asyncio.get_running_loop().create_future()
        self._waiting[branch] = waiting
        try:
            for wait_s in _RESEND_S:
                self._send(data, server)
                with contextlib.suppress(TimeoutError):
                    return await asyncio.wait_for(asyncio.shield(waiting), wait_s)
            raise SipTimeout(what)
        finally:
            del self._waiting[branch]

    async def invite(
        self, user: str, number: str, server: Address, clip: bytes, credentials: tuple[str, str] | None = None
    ) -> Call:
        """Calls a number of the switch's and speaks when it is answered.

        Raises:
            SipRefused, SipTimeout: it was not.
        """
        call = self.new_call(secrets.token_hex(8), incoming=False, number=number, caller=user)
        call.address = server
        call.local = f"<sip:{user}@127.0.0.1>;tag={new_tag()}"
        self.calls.append(call)
        self._live[call.call_id] = call
        uri = f"sip:{number}@127.0.0.1:{server[1]}"
        headers = [("From", call.local), ("To", f"<{uri}>"), ("Call-ID", call.call_id)]
        headers += [("Contact", self._contact(user)), _ALLOW]
        try:
            answer = await self.request(
                "INVITE", uri, headers, server, credentials=credentials, call=call, body=call.sdp
            )
        except SipTimeout:
            self._drop(call, "refused")
            raise
        call.code = answer.code
        if answer.code >= 300:
            self._drop(call, "refused")
            raise SipRefused("INVITE", answer.code)
        call.state, call.t_answered = "up", asyncio.get_running_loop().time()
        call.learn(answer.body)
        call.play(clip)
        return call

    def _contact(self, user: str) -> str:
        return f"<sip:{user}@127.0.0.1:{self.port}>"

    def _in_dialog(self, call: Call, method: str, uri: str, branch: str) -> bytes:
        via = f"SIP/2.0/UDP 127.0.0.1:{self.port};branch={branch};rport"
        headers = [("Via", via), ("Max-Forwards", "70"), ("From", call.local), ("To", call.remote)]
        headers += [("Call-ID", call.call_id), ("CSeq", f"{call.cseq} {method}")]
        return build(f"{method} {uri} SIP/2.0", headers)

    def _send_ack(self, call: Call, uri: str, branch: str) -> None:
        self._send(self._in_dialog(call, "ACK", uri, branch), call.address)

    def _send_bye(self, call: Call) -> None:
        call.cseq += 1
        branch = new_branch()
        data = self._in_dialog(call, "BYE", call.target, branch)
        self._send(data, call.address)
        self._spawn(self._repeat_bye(data, branch, call.address))

    async def _repeat_bye(self, data: bytes, branch: str, server: Address) -> None:
        waiting = asyncio.get_running_loop().create_future()
        self._waiting[branch] = waiting
        try:
            for wait_s in _RESEND_S:
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(asyncio.shield(waiting), wait_s)
                    return
                self._send(data, server)
        finally:
            del self._waiting[branch]

    def _send(self, data: bytes, addr: Address) -> None:
        if self._transport and not self._transport.is_closing():
            self._transport.sendto(data, addr)
