"""Starts an installed Asterisk once and looks whether a refused call's Hangup carries the SIP code."""

from __future__ import annotations

import contextlib
import re
import socket
import threading

from cadencia.errors import TelephonyError
from cadencia.telephony.asterisk.install import Installation
from cadencia.telephony.asterisk.lab import Lab
from cadencia.telephony.asterisk.plain import PlainAmi

_COPIED = re.compile(rb"(?im)^(via|from|to|call-id|cseq):.*\r\n")


def carries_tech_cause(asterisk: Installation, timeout_s: float = 5.0) -> bool:
    """Whether the Hangup of a call that was answered with 486 says TechCause 486."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as carrier:
        carrier.bind(("127.0.0.1", 0))
        carrier.settimeout(timeout_s)
        threading.Thread(target=_refuse_one, args=(carrier,), daemon=True).start()
        try:
            with Lab(asterisk, agents=0, trunk_port=carrier.getsockname()[1]) as lab:
                return _tech_cause(lab, timeout_s) == "486"
        except TelephonyError:
            return False


def _tech_cause(lab: Lab, timeout_s: float) -> str:
    account = lab.plan.account
    with PlainAmi(lab.ami_port, account.user, account.secret, timeout_s) as ami:
        ami.send(
            Action="Originate", Channel="PJSIP/100@trunk", Context="cad-debtor", Exten="s", Priority=1, Async="true"
        )
        hangup = next(m for m in ami.messages() if m.get("Event") == "Hangup")
    return hangup.get("TechCause", "")


def _refuse_one(carrier: socket.socket) -> None:
    """Answers the first INVITE with 486 Busy; its ACK and everything later is not read."""
    with contextlib.suppress(OSError):
        while True:
            data, sender = carrier.recvfrom(65536)
            if data.startswith(b"INVITE "):
                headers = b"".join(m[0] for m in _COPIED.finditer(data))
                headers = re.sub(rb"(?im)^(to:[^\r]*)", rb"\1;tag=busy", headers)
                carrier.sendto(b"SIP/2.0 486 Busy Here\r\n" + headers + b"Content-Length: 0\r\n\r\n", sender)
                return
