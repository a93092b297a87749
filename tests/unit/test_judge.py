"""What the gate promises beside its verdicts: hours, grounds, the choice among telephones, how far a call got."""

from __future__ import annotations

import pytest

from tests.support.gate_checks import CHECKS, Check
from tests.support.gate_code import real


@pytest.mark.parametrize(
    "check", list(dict.fromkeys(c for checks in CHECKS.values() for c in checks)), ids=lambda c: c.__name__
)
def test_promise(check: Check) -> None:
    check(real())
