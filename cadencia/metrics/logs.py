"""Logs: JSON lines on stderr, without personal data.

Three nets, because a log line is read by many and kept for long: keys that are made to hold personal data are dropped;
strings under keys that are not on the allow-list lose every run of seven digits or more; so do exception texts.
"""

from __future__ import annotations

import logging
import re
import sys
from collections.abc import Mapping
from typing import Any, TextIO

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

DROPPED = "[dropped]"
MASK = "[number]"

#: Keys whose string values are codes, ids and places of ours, and pass as they are.
ALLOWED: frozenset[str] = frozenset(
    {
        "event", "level", "logger", "timestamp", "code", "error", "kind", "state", "reason", "operation", "topic",
        "campaign_id", "attempt_id", "agent_id", "contact_id", "user_id", "role", "client", "path", "method", "status",
        "host", "port", "version", "outcome", "action", "action_id", "endpoint", "channel_id", "linkedid", "uniqueid",
    }
)  # fmt: skip

#: Words that, as a part of a key, say that it holds personal data ("debtor_name", "phone_e164", "numDoc").
_PERSONAL = frozenset(
    {
        "name", "nombre", "names", "person", "persona", "debtor", "deudor", "phone", "phones", "telefono", "tel",
        "mobile", "celular", "number", "numero", "num", "e164", "msisdn", "callerid", "document", "documento", "doc",
        "cedula", "nit", "email", "correo", "mail", "address", "direccion", "note", "nota", "notes",
        "password", "secret", "token", "cookie", "authorization", "balance", "saldo", "amount", "monto",
        "exten", "dialstring",
    }
)  # fmt: skip

_WORDS = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])|\d+[a-z]*|e164", re.ASCII)
# Seven digits or more, also with the signs that people put between them.
_NUMBER = re.compile(r"\+?\d(?:[\s().\-/]{0,2}\d){6,}")


def is_personal(key: str) -> bool:
    """Whether a key is made to hold personal data."""
    if key in ALLOWED:
        return False
    lowered = key.lower()
    return lowered in _PERSONAL or any(word.lower() in _PERSONAL for word in _WORDS.findall(key.replace("_", " ")))


def mask(text: str) -> str:
    """The text without anything that looks like a telephone or document number."""
    return _NUMBER.sub(MASK, text)


def guard(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    """The processor that keeps personal data out."""
    return {key: _clean(key, value) for key, value in event.items()}


def _clean(key: str, value: Any) -> Any:
    if is_personal(key):
        return DROPPED
    if isinstance(value, Mapping):
        return {str(inner): _clean(str(inner), held) for inner, held in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_clean(key, held) for held in value]
    if isinstance(value, bool | float) or value is None:
        return value
    if isinstance(value, int):
        return MASK if key not in ALLOWED and abs(value) >= 10**9 else value
    if key in ALLOWED and key != "event":
        return value
    return mask(value if isinstance(value, str) else repr(value))


def _processors() -> list[Processor]:
    return [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.PositionalArgumentsFormatter(),
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
        guard,
    ]


def configure(level: str = "info", stream: TextIO | None = None) -> None:
    """Send all logs, structlog's and the standard library's, through the guard to `stream` (stderr) as JSON lines."""
    shared = _processors()
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *shared,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.JSONRenderer(ensure_ascii=False),
            ],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
