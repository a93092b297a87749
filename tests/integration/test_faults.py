"""A real Asterisk, a real database, an engine that is killed: a few of each fault, and nothing may be wrong.

`benchmarks/telephony/faults.py` has them all, many times.
"""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from store_fixtures import throwaway

from cadencia.telephony.asterisk import Installation
from cadencia.testing.rough import RoughFloor

pytestmark = [pytest.mark.asterisk, pytest.mark.postgres]

PLAN = ("link_cut", "telephone_dead", "engine_killed", "network_bad", "server_killed", "link_cut", "telephone_dead")


async def test_whatever_happens_nothing_is_lost(asterisk_installation: Installation, tmp_path: Path) -> None:
    with throwaway() as server:
        async with RoughFloor(
            asterisk_installation, server.start("rough"), tmp_path, agents=5, contacts=600, seed=4
        ) as floor:
            floor.span_s = 3.0
            for name in PLAN:
                await floor.do(name)
            assert await floor.verdict() == []
    assert floor.attempts > 20
    assert floor.answered > 10
    assert floor.spoken_at_crash > 0
    assert floor.cut_by_crash == 0
