"""SIP and RTP peers for tests on a real switch: a trunk (`Carrier`) and agents' telephones (`Phones`)."""

from __future__ import annotations

from cadencia.testing.sip.audio import AGENT_HZ, DEBTOR_HZ, Ear, is_loud, silence, tone
from cadencia.testing.sip.call import Call
from cadencia.testing.sip.carrier import (
    BUSY,
    BY_DIGIT,
    CONGESTION,
    EARLY_MEDIA,
    GREETING,
    GREETING_LOOPS_FROM,
    HANGS_UP_AT_ANSWER,
    HUMAN,
    INVALID,
    MACHINE,
    NO_ANSWER,
    TEMPORARY,
    Behaviour,
    Carrier,
    by_prefix,
)
from cadencia.testing.sip.endpoint import SipRefused, SipTimeout
from cadencia.testing.sip.phones import Phones

__all__ = [
    "AGENT_HZ",
    "BUSY",
    "BY_DIGIT",
    "CONGESTION",
    "DEBTOR_HZ",
    "EARLY_MEDIA",
    "GREETING",
    "GREETING_LOOPS_FROM",
    "HANGS_UP_AT_ANSWER",
    "HUMAN",
    "INVALID",
    "MACHINE",
    "NO_ANSWER",
    "TEMPORARY",
    "Behaviour",
    "Call",
    "Carrier",
    "Ear",
    "Phones",
    "SipRefused",
    "SipTimeout",
    "by_prefix",
    "is_loud",
    "silence",
    "tone",
]
