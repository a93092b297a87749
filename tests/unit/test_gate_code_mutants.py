"""The gate's code with one small thing wrong, in memory only: a vector or a promise finds each of these copies.

What nobody could notice is named in `HARMLESS`, with the reason.
"""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from cadencia.config.profiles import builtin
from tests.support.gate_checks import CHECKS
from tests.support.gate_code import Code, load, mutations, real, source
from tests.support.law_vectors import VECTORS
from tests.unit.test_gate_mutants import missed

PROFILES = builtin()
_ORDER = list(VECTORS)

#: Seconds of this process that a copy may take, a few times what it needs: one that turns in a circle is found out.
_PATIENCE_S = 1.0

#: Whose code no vector runs: only their promises can tell.
_BEYOND = frozenset({"judge", "reach"})

_SHARED: dict[Any, Any] = {}

HARMLESS: dict[str, dict[str, str]] = {
    "calendar": {},
    "hours": {
        "_Table._work_out: s[0] < s[1] -> s[0] <= s[1]": "an empty interval is open at no instant",
        "Opening.next: True: turned": "as many closings as openings, always",
        "Opening.left_s: True: turned": "as many closings as openings, always",
        "Opening.left_s: since < until -> since <= until": "adds nothing",
        "Opening._of: s[1] > begins -> s[1] >= begins": "what ends as the date begins is open at none of its instants",
        "_both: opens < closes -> opens <= closes": "an empty interval is open at no instant",
        "_both: one[i][1] < other[j][1] -> one[i][1] <= other[j][1]": "of two that end together either may go first",
    },
    "reach": {},
    "rules": {},
    "stack": {
        "Stack.opening: False: turned": "whoever gives a wish says whether it extends",
        "_plan: _NEEDS.index(asked) > _NEEDS.index(need) -> _NEEDS.index(asked) >= _NEEDS.index(need)": "of two "
        "profiles that need the same, the other one is named",
    },
    "counting": {
        "limit_until: 0: +1": "without contacts a limit of one lets one pass, asked here or below",
        "_full_until: ends > held -> ends >= held": "the same instant",
        "_leaves: True: turned": "as many ends as zones, always",
    },
    "judge": {
        "_in_turn: 1: +1": "the number tried last is asked twice",
        "_sooner: one.retry_at < other.retry_at -> one.retry_at <= other.retry_at": "the same instant",
    },
}


class _Endless(Exception):
    """The copy turned in a circle."""


@contextmanager
def patience() -> Iterator[None]:
    def over(*_: object) -> None:
        raise _Endless

    before = signal.signal(signal.SIGVTALRM, over)
    # Again and again: what is raised while the collector calls back is lost, and the copy would turn for ever.
    signal.setitimer(signal.ITIMER_VIRTUAL, _PATIENCE_S, _PATIENCE_S)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)


def finds(name: str, code: Code) -> bool:
    """Whether a promise is broken, or a vector is answered otherwise."""
    for check in CHECKS[name]:
        check(code)
    if name in _BEYOND:
        return False
    # What is laid over each other by sound code is the same for all copies.
    known: dict[Any, Any] = _SHARED if code.stack is real().stack else {}
    for place, v in enumerate(_ORDER):
        key = tuple(p if isinstance(p, str) else id(p) for p in v.profiles)
        if key not in known:
            known[key] = code.stack.stack([PROFILES[p] if isinstance(p, str) else p for p in v.profiles])
        if missed(v, known[key], code.rules.PIPELINE, code.gate.decide):
            _ORDER.insert(0, _ORDER.pop(place))  # what found one finds the next
            return True
    return False


@pytest.mark.parametrize("name", sorted(HARMLESS))
def test_a_copy_without_a_fault_is_right(name: str) -> None:
    code = load(name, source(name))
    assert not finds(name, code)


@pytest.mark.parametrize("name", sorted(HARMLESS))
def test_every_fault_is_found(name: str) -> None:
    left, named = [], set(HARMLESS[name])
    for told, tree in mutations(source(name)):
        if told in named:
            continue
        try:
            with patience():
                found = finds(name, load(name, tree))
        except Exception:  # whatever a fault makes it raise
            found = True
        if not found:
            left.append(told)
    assert left == []


@pytest.mark.parametrize("name", sorted(HARMLESS))
def test_what_is_called_harmless_is_there(name: str) -> None:
    assert set(HARMLESS[name]) <= {told for told, _ in mutations(source(name))}
