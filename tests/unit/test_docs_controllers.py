"""The page for integrators: its examples run as they stand, with public names only."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

import cadencia.pacing
from cadencia.pacing.reasons import REASONS

PAGE = (Path(__file__).resolve().parents[2] / "docs/controllers.md").read_text("utf-8")
EXAMPLES = [block for block in re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL) if "import" in block]


def shares(printed: str) -> list[float]:
    return [float(share) / 100.0 for share in re.findall(r"([\d.]+)%", printed)]


@pytest.mark.parametrize("example", EXAMPLES, ids=["own-simulator", "our-world"])
def test_only_public_names_are_used(example: str) -> None:
    taken = [node for node in ast.walk(ast.parse(example)) if isinstance(node, ast.ImportFrom)]
    assert taken
    for node in taken:
        assert node.module == "cadencia.pacing"
        assert {name.name for name in node.names} <= set(cadencia.pacing.__all__)


def test_public_names_exist() -> None:
    assert sorted(cadencia.pacing.__all__) == sorted(set(cadencia.pacing.__all__))
    assert all(hasattr(cadencia.pacing, name) for name in cadencia.pacing.__all__)


def test_the_floor_that_is_written_from_nothing_is_busy_and_lawful(capsys: pytest.CaptureFixture[str]) -> None:
    exec(compile(EXAMPLES[0], "docs/controllers.md", "exec"), {})  # noqa: S102
    printed = capsys.readouterr().out
    utilisation, abandonment = shares(printed)
    assert 0.75 < utilisation < 1.0
    assert abandonment <= 0.03
    assert int(re.findall(r"of (\d+) answers", printed)[0]) > 700


def test_the_floor_of_our_world_gains_by_looking_ahead(capsys: pytest.CaptureFixture[str]) -> None:
    exec(compile(EXAMPLES[1], "docs/controllers.md", "exec"), {})  # noqa: S102
    progressive, nobody, predictive, few = shares(capsys.readouterr().out)
    assert predictive > progressive + 0.1
    assert nobody == 0.0
    assert few <= 0.03


def test_every_reason_is_explained() -> None:
    assert set(re.findall(r"^\| `([a-z-]+)` \|", PAGE, re.MULTILINE)) == set(REASONS)
