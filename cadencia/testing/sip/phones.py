"""Agents' telephones: they register, answer at once, speak a tone, and remember when they heard a debtor."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Iterable, Mapping

from cadencia.testing.sip.audio import AGENT_HZ, DEBTOR_HZ, Ear, tone
from cadencia.testing.sip.call import Call
from cadencia.testing.sip.endpoint import Endpoint, SipRefused
from cadencia.testing.sip.message import new_tag

#: What an agent's ear knows.
AGENT_HEARS = {"debtor": DEBTOR_HZ}


class Phones(Endpoint):
    """Any number of telephones behind one socket; `async with Phones(lab.sip_port, secrets) as phones`.

    Args:
        server_port: where the switch listens for SIP on 127.0.0.1.
        accounts: name -> secret.
        hertz: what the agents' voices are.
        tones: what their ears know, name -> hertz; `debtor` must be among them.

    Attributes:
        answers: name -> SIP code given to a call: 200 (the default) answers at once.
        dead: names of telephones that answer nothing any more; see `die`.
    """

    def __init__(
        self,
        server_port: int,
        accounts: Mapping[str, str],
        *,
        hertz: int = AGENT_HZ,
        tones: Mapping[str, int] = AGENT_HEARS,
    ) -> None:
        super().__init__()
        self.answers: dict[str, int] = {}
        self.dead: set[str] = set()
        self._server = ("127.0.0.1", server_port)
        self._accounts = dict(accounts)
        self._voice = tone(hertz)
        self._tones = tones
        self._registrations = {name: (secrets.token_hex(8), new_tag()) for name in accounts}

    # -- registration ------------------------------------------------------------------------------------------------

    async def register(self, names: Iterable[str] | None = None, *, expires_s: int = 3600) -> None:
        """Registers these telephones, by default all.

        Raises:
            SipRefused, SipTimeout: one of them could not.
        """
        await asyncio.gather(*(self._register(name, expires_s) for name in names or self._accounts))

    async def unregister(self, *names: str) -> None:
        """Takes these registrations back; a leg that is up stays."""
        await self.register(names, expires_s=0)

    async def _register(self, name: str, expires_s: int) -> None:
        call_id, tag = self._registrations[name]
        address = f"<sip:{name}@127.0.0.1>"
        headers = [("From", f"{address};tag={tag}"), ("To", address), ("Call-ID", call_id)]
        headers += [("Contact", self._contact(name)), ("Expires", str(expires_s))]
        answer = await self.request(
            "REGISTER",
            f"sip:127.0.0.1:{self._server[1]}",
            headers,
            self._server,
            credentials=(name, self._accounts[name]),
        )
        if answer.code != 200:
            raise SipRefused("REGISTER", answer.code)

    # -- calls -------------------------------------------------------------------------------------------------------

    async def dial(self, name: str, number: str = "100") -> Call:
        """The agent nails himself up by calling.

        Raises:
            SipRefused, SipTimeout: the switch did not answer.
        """
        return await self.invite(name, number, self._server, self._voice, (name, self._accounts[name]))

    def legs(self, name: str) -> list[Call]:
        """All legs of that telephone, in order."""
        return [c for c in self.calls if (c.number if c.incoming else c.caller) == name]

    def leg(self, name: str) -> Call | None:
        """The leg of that telephone that is up, None if there is none."""
        return next((c for c in reversed(self.legs(name)) if c.is_up), None)

    def drop(self, name: str) -> None:
        """The agent hangs up."""
        leg = self.leg(name)
        if leg:
            self.hang_up(leg)

    def die(self, name: str) -> None:
        """The cable is out: no BYE, no packets, no answer to anything."""
        self.dead.add(name)
        leg = self.leg(name)
        if leg:
            self.vanish(leg)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        """See `Endpoint`; what is for a dead telephone reaches nobody."""
        first = data.split(b"\r\n", 1)[0].decode("ascii", "replace")
        if not any(f":{name}@" in first for name in self.dead):
            super().datagram_received(data, addr)

    def new_call(self, call_id: str, *, incoming: bool, number: str, caller: str) -> Call:
        """See `Endpoint`."""
        ear = Ear(self._tones, first="debtor")
        return Call(call_id, incoming=incoming, number=number, caller=caller, ear=ear, voice="debtor")

    async def on_invite(self, call: Call) -> None:
        """See `Endpoint`."""
        code = self.answers.get(call.number, 200)
        if code == 200 and self.leg(call.number) is not None:
            code = 486
        if code == 200:
            self.accept(call, self._voice)
        else:
            self.refuse(call, code, "Refused")
