"""What all tests share."""

from __future__ import annotations

import logging
import traceback
from collections.abc import Iterator

import pytest
import structlog

from cadencia.telephony.ami import session

# Under the virtual clock hours of log lines would bury a failure.
structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))


@pytest.fixture(autouse=True)
def faults(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """A fault of ours in taking an event in is logged, and the link reads on: without this no test would see it."""
    faults: list[str] = []

    def note(_: str, event_name: str) -> None:
        faults.append(f"{event_name}: {traceback.format_exc()}")

    monkeypatch.setattr(session.log, "exception", note, raising=False)
    yield faults
    assert faults == []
