"""Logs: JSON, and nobody's data."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest
import structlog

from cadencia.metrics import logs


@pytest.fixture
def lines() -> Iterator[io.StringIO]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    stream = io.StringIO()
    logs.configure("info", stream)
    yield stream
    root.handlers[:], root.level = handlers, level
    structlog.reset_defaults()


def last(stream: io.StringIO) -> dict[str, Any]:
    got: dict[str, Any] = json.loads(stream.getvalue().splitlines()[-1])
    return got


@pytest.mark.parametrize(
    "key",
    ["name", "debtor_name", "phone", "phone_e164", "number", "numDoc", "document", "docNumber", "telefono", "e164",
     "callerIdNum", "email", "note", "password", "token", "balance", "cedula"],
)  # fmt: skip
def test_personal_keys_are_dropped(lines: io.StringIO, key: str) -> None:
    structlog.get_logger("t").info("seen", **{key: "Ana 3001234567"})
    assert last(lines)[key] == logs.DROPPED
    assert "Ana" not in lines.getvalue() and "3001234567" not in lines.getvalue()


@pytest.mark.parametrize(
    "value",
    ["3001234567", "+57 300 123 4567", "PJSIP/573001234567@trunk", "(601) 228-1260", "cc 1.020.345.678",
     "300-123-45-67", ["3001234567"], {"inner": "3001234567"}, {"phone": "x1"}, 3001234567, 10203456789],
)  # fmt: skip
def test_what_looks_like_a_number_is_masked_under_unknown_keys(lines: io.StringIO, value: object) -> None:
    structlog.get_logger("t").info("dial of 3001234567", detail=value)
    text = lines.getvalue()
    for part in ("3001234567", "300 123", "228-1260", "020.345", "123-45", "x1", "10203456789"):
        assert part not in text


def test_codes_ids_and_small_numbers_pass(lines: io.StringIO) -> None:
    structlog.get_logger("t").warning(
        "attempt.settled", attempt_id="k-20261124-1400001", campaign_id="norte", outcome="NOA", took_ms=12.5,
        count=140000, up=True, none=None,
    )  # fmt: skip
    got = last(lines)
    assert got["attempt_id"] == "k-20261124-1400001" and got["outcome"] == "NOA" and got["level"] == "warning"
    assert got["took_ms"] == 12.5 and got["count"] == 140000 and got["up"] is True and got["none"] is None
    assert got["event"] == "attempt.settled" and got["timestamp"].endswith("Z")


def test_exceptions_lose_numbers_too(lines: io.StringIO) -> None:
    try:
        raise ValueError("cannot dial 3001234567")
    except ValueError:
        structlog.get_logger("t").exception("failed")
    assert "3001234567" not in lines.getvalue() and "ValueError" in last(lines)["exception"]


def test_the_standard_library_s_logs_pass_the_same_guard(lines: io.StringIO) -> None:
    logging.getLogger("uvicorn.error").warning("peer %s said %s", "10.0.0.1", "+573001234567")
    got = last(lines)
    assert "3001234567" not in got["event"] and got["level"] == "warning"


def test_levels_are_kept(lines: io.StringIO) -> None:
    structlog.get_logger("t").debug("quiet")
    assert lines.getvalue() == ""
