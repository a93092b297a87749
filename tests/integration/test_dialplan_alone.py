"""The engine is killed with people on the line: the dialplan alone keeps every promise that was made to them.

`python -m benchmarks.telephony.dialplan_alone` does it with twenty who wait and ten who talk.
"""

from __future__ import annotations

import sys
from collections import Counter
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from benchmarks.telephony.dialplan_alone import run
from cadencia.telephony.asterisk import Installation

pytestmark = pytest.mark.asterisk


async def test_nobody_is_left_in_silence_when_the_engine_is_killed(asterisk_installation: Installation) -> None:
    result = await run(waiting=4, talking=2)
    assert Counter(one.fate for one in result.debtors) == {"waited": 4, "agent falls": 1, "leaves": 1}
    assert result.wrong == []
    assert (result.agents_idle, result.left) == (result.agents_expected, 0)
    for one in result.debtors:
        assert (one.message_from_s is not None) is (one.fate != "leaves")
