"""Twenty originates a second for twenty seconds through the engine and a real Asterisk; call by call, all is told.

`python -m benchmarks.telephony.load` does a hundred a second for a minute.
"""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from benchmarks.telephony.load import BAD_NETWORK, run
from cadencia.dialer.tally import percentile
from cadencia.telephony.asterisk import Installation

pytestmark = pytest.mark.asterisk

RATE, SECONDS = 20, 20


async def test_every_attempt_ends_once_as_the_carrier_says(
    asterisk_installation: Installation, capsys: pytest.CaptureFixture[str]
) -> None:
    result = await run(RATE, SECONDS, mix="answer=55,gone=5,busy=15,noanswer=10,invalid=10,congestion=5")
    assert result.attempts == RATE * SECONDS
    assert result.disagreements == []
    assert result.left == 0
    assert result.rate_per_s > 0.95 * RATE
    assert {"CON", "OCU", "NOA", "FDS", "CNG", "CST"} <= set(result.outcomes)
    late_ms = percentile(result.end_ms, 0.5)
    with capsys.disabled():
        print(f"\nload: {result.attempts} attempts, {result.outcomes}, ends known after p50 {late_ms:.1f} ms")


async def test_a_bad_network_changes_nothing_that_is_written_down(asterisk_installation: Installation) -> None:
    """Answers lost, messages doubled and swapped, events late: each attempt still ends once, as the carrier says."""
    result = await run(RATE, 6, mix="answer=55,gone=5,busy=15,noanswer=10,invalid=10,congestion=5", faults=BAD_NETWORK)
    assert result.attempts == RATE * 6
    assert result.disagreements == []
    assert result.left == 0
    assert min(result.figures["lost, doubled, swapped, late"]) > 5
