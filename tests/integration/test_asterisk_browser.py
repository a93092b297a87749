"""A telephone in a browser, without one: it registers over the WebSocket, and the switch calls it over the same."""

from __future__ import annotations

import asyncio
import base64
import ssl
import struct
from collections.abc import Callable
from typing import Any

import pytest

from cadencia.telephony.asterisk import Installation, Lab
from cadencia.testing.sip.message import Message, authorize

pytestmark = pytest.mark.asterisk


class Browser:
    """As much of a page's telephone as signalling needs: the WebSocket, REGISTER with digest, and what comes in."""

    def __init__(self, port: int, name: str, secret: str, tls: ssl.SSLContext | None = None) -> None:
        self._port, self._name, self._secret, self._tls = port, name, secret, tls

    async def __aenter__(self) -> Browser:
        self._reader, self._writer = await asyncio.open_connection("127.0.0.1", self._port, ssl=self._tls)
        key = base64.b64encode(bytes(16)).decode()
        self._writer.write(
            f"GET /ws HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            f"Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: sip\r\n\r\n".encode()
        )
        head = (await self._reader.readuntil(b"\r\n\r\n")).decode()
        assert head.startswith("HTTP/1.1 101"), head
        return self

    async def __aexit__(self, *_: object) -> None:
        self._writer.transport.abort()
        await asyncio.sleep(0.05)

    def send(self, text: str) -> None:
        data, mask = text.encode(), b"\1\2\3\4"
        size = bytes([0x80 | len(data)]) if len(data) < 126 else b"\xfe" + struct.pack(">H", len(data))
        masked = bytes(byte ^ mask[place % 4] for place, byte in enumerate(data))
        self._writer.write(b"\x81" + size + mask + masked)

    async def receive(self) -> str:
        """The next message but probes: the switch sends its first as soon as it knows the contact."""
        async with asyncio.timeout(5):
            while True:
                _, size = await self._reader.readexactly(2)
                if size == 126:
                    (size,) = struct.unpack(">H", await self._reader.readexactly(2))
                text = (await self._reader.readexactly(size)).decode()
                if not text.startswith("OPTIONS "):
                    return text

    async def register(self) -> str:
        """The answer to REGISTER, after the challenge."""
        self._register(1, "")
        challenge = await self.receive()
        name, value = authorize(Message(challenge.encode()), "REGISTER", "sip:127.0.0.1", self._name, self._secret)
        self._register(2, f"{name}: {value}\r\n")
        return await self.receive()

    def _register(self, number: int, more: str) -> None:
        self.send(
            f"REGISTER sip:127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/WS x.invalid;branch=z9hG4bK{number}\r\n"
            f"From: <sip:{self._name}@127.0.0.1>;tag=t\r\nTo: <sip:{self._name}@127.0.0.1>\r\nCall-ID: {self._name}\r\n"
            f"CSeq: {number} REGISTER\r\nMax-Forwards: 70\r\nExpires: 600\r\n"
            f"Contact: <sip:{self._name}@x.invalid;transport=ws>\r\n{more}Content-Length: 0\r\n\r\n"
        )


async def test_it_registers_and_is_called(
    asterisk_installation: Installation, asterisk_raw_ami: Callable[..., Any]
) -> None:
    async with Lab(asterisk_installation, agents=0, browser_agents=1) as lab, asterisk_raw_ami(lab=lab) as ami:
        (agent,) = lab.plan.agents
        async with Browser(lab.ws_port, agent.name, agent.secret) as browser:
            assert (await browser.register()).startswith("SIP/2.0 200")
            order = {"Channel": "PJSIP/w1001", "Context": "cad-agent", "Exten": "s", "Priority": 1, "Timeout": 2000}
            await ami.action("Originate", {"CAD_AGENT": "w1001"}, ChannelId="brw-leg1", Async="true", **order)
            while not (invite := await browser.receive()).startswith("INVITE"):
                pass
            assert "UDP/TLS/RTP/SAVPF 0" in invite and "a=fingerprint:SHA-256" in invite and "a=rtcp-mux" in invite
            assert "a=candidate" in invite and "a=rtpmap:0 PCMU/8000" in invite


async def test_a_wrong_password_does_not_register(asterisk_installation: Installation) -> None:
    async with (
        Lab(asterisk_installation, agents=0, browser_agents=1) as lab,
        Browser(lab.ws_port, "w1001", "not-the-secret") as browser,
    ):
        assert (await browser.register()).startswith("SIP/2.0 401")
