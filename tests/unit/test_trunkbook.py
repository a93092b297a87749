"""The book of the last hour: shares, delays, ends by their codes, and nothing older than an hour."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from cadencia.dialer.trunkbook import End, Ended, TrunkBook
from cadencia.domain.codes import Outcome

AT = datetime(2026, 11, 24, 14, 0, tzinfo=UTC)
KEY = ("sur", "claro")
OFF = End(*KEY, 480, 19, rang=False, media=True, timeout=False, outcome=Outcome.OFF, known=True, rule="t:1")


def answered(up_s: float, pdd_s: float = 1.0) -> Ended:
    return Ended(*KEY, Outcome.CONNECTED, AT, pdd_s=pdd_s, up_s=up_s)


def test_shares_and_delays_of_a_trunk() -> None:
    book = TrunkBook()
    for n in range(60):
        book.take(answered(3.0 if n < 15 else 90.0, pdd_s=0.5 + n / 10), 10.0 * n)
    for n in range(40):
        book.take(Ended(*KEY, Outcome.OFF, AT, OFF), 5.0 * n)
    hour = book.trunks(600.0)[KEY]
    assert (hour.attempts, hour.answered, hour.asr, hour.short) == (100, 60, 0.6, 0.25)
    assert hour.pdd_p50_s == pytest.approx(3.4, abs=0.1)
    assert hour.pdd_p95_s == pytest.approx(6.1, abs=0.1)
    assert hour.last_failure is None
    assert book.ends(600.0) == [(OFF, 40)]


def test_nothing_is_older_than_an_hour_but_the_last_failure() -> None:
    book = TrunkBook()
    failed = replace(OFF, sip=503, q850=34, media=False, outcome=Outcome.CONGESTION)
    book.take(Ended(*KEY, Outcome.CONGESTION, AT, failed), 0.0)
    book.take(answered(60.0), 1800.0)
    assert book.trunks(3590.0)[KEY].attempts == 2
    assert book.trunks(3700.0)[KEY].attempts == 1
    assert book.ends(3700.0) == []
    late = book.trunks(9000.0)[KEY]
    assert (late.attempts, late.asr, late.short, late.pdd_p50_s) == (0, None, None, None)
    assert late.last_failure is not None and late.last_failure.sip == 503


def test_it_stays_small_whatever_comes() -> None:
    book = TrunkBook()
    for n in range(5000):
        book.take(Ended(*KEY, Outcome.UNKNOWN, AT, replace(OFF, sip=300 + n % 400, q850=n % 128, known=False)), 1.0)
    ends = book.ends(1.0)
    assert len(ends) <= 201
    assert sum(number for _, number in ends) == 5000
    for minute in range(500):
        book.take(answered(9.0), 60.0 * minute)
    assert len(book._minutes) == 60
