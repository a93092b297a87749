"""The table of outcomes: every code that was measured, a site's own rules, and messages that say how to mend a line."""

from __future__ import annotations

from pathlib import Path

import pytest

from cadencia.domain.codes import ANSWERED, Outcome
from cadencia.errors import ConfigError, Words
from cadencia.telephony.call import Call, Ground, Sign, Signal, advance, judge
from cadencia.telephony.outcomes import Ending, Rule, default_table, load_table, read_table


def rule_of(end: Ending) -> Rule:
    rule = default_table().find(end)
    assert rule is not None
    return rule


#: (SIP status, Q.850 cause Asterisk makes of it) -> outcome, of a call that never rang and played nothing.
MEASURED = {
    (302, 23): "TRK", (401, 21): "TRK", (403, 21): "TRK", (404, 1): "FDS", (407, 21): "TRK", (408, 18): "TRK",
    (410, 22): "FDS", (480, 19): "CEL", (484, 28): "FDS", (486, 17): "OCU", (487, 127): "NOA", (488, 58): "TRK",
    (500, 38): "CNG", (502, 27): "CNG", (503, 34): "CNG", (504, 102): "CNG", (600, 17): "OCU", (603, 21): "RES",
    (604, 1): "FDS", (607, 127): "RES", (608, 127): "RES",
}  # fmt: skip


@pytest.mark.parametrize(("codes", "outcome"), MEASURED.items())
def test_every_code_that_was_measured(codes: tuple[int, int], outcome: str) -> None:
    assert rule_of(Ending(*codes)).outcome == outcome


def test_480_is_three_things() -> None:
    rang = rule_of(Ending(480, 19, rang=True))
    spoke = rule_of(Ending(480, 19, media=True))
    silent = rule_of(Ending(480, 19))
    assert [rule.outcome for rule in (rang, spoke, silent)] == [Outcome.NO_ANSWER, Outcome.OFF, Outcome.OFF]
    assert len({str(rule) for rule in (rang, spoke, silent)}) == 3
    assert rule_of(Ending(480, 19, rang=True, media=True)) is rang


def test_480_without_a_status_is_the_same_three() -> None:
    ends = [Ending(None, 19, rang=True), Ending(None, 19, media=True), Ending(None, 19)]
    assert [rule_of(end).outcome for end in ends] == [Outcome.NO_ANSWER, Outcome.OFF, Outcome.OFF]
    assert len({str(rule_of(end)) for end in ends}) == 3


def test_a_status_nobody_knows_is_not_guessed_from_its_cause() -> None:
    assert default_table().find(Ending(499, 19)) is None
    assert default_table().find(Ending(None, 127)) is None
    assert default_table().find(Ending(None, 0)) is None


def test_our_own_time_out_is_no_answer_and_kept_apart_where_something_was_heard() -> None:
    plain, heard = rule_of(Ending(480, 19, timeout=True)), rule_of(Ending(480, 19, media=True, timeout=True))
    assert plain.outcome is heard.outcome is Outcome.NO_ANSWER
    assert str(plain) != str(heard)
    assert rule_of(Ending(480, 19, rang=True, media=True, timeout=True)) is plain


def test_the_judgement_says_what_it_stands_on() -> None:
    call = advance(Call("a1", 0.0), Signal("a1", Sign.PROGRESS), 1.0)
    off = judge(advance(call, Signal("a1", Sign.ENDED, 19, 480, state=0), 9.0), default_table())
    assert (off.outcome, off.ground) == (Outcome.OFF, Ground.RULE)
    assert off.rule is not None and off.rule.media is True
    strange = judge(advance(call, Signal("a1", Sign.ENDED, 127, 499), 9.0), default_table())
    assert (strange.outcome, strange.ground, strange.rule) == (Outcome.UNKNOWN, Ground.NO_RULE, None)
    lost = judge(advance(call, Signal("a1", Sign.GONE), 9.0), default_table())
    assert (lost.outcome, lost.ground) == (Outcome.UNKNOWN, Ground.LOST)


SITE = """
[[rule]] # this carrier's 403 is a number that does not exist
sip = [403]
operator = ["Claro"]
outcome = "FDS"

[[rule]]
timeout = true
media = true
operator = ["movistar"]
outcome = "CEL"
"""


def test_a_sites_rules_come_first_and_the_shipped_ones_stay(tmp_path: Path) -> None:
    path = tmp_path / "carriers.toml"
    path.write_text(SITE, "utf-8")
    table = load_table(path)
    found = table.find(Ending(403, 21, operator="CLARO"))
    assert found is not None and (found.outcome, str(found)) == (Outcome.NOT_IN_SERVICE, "carriers.toml:2")
    for other in ("", "tigo"):
        shipped = table.find(Ending(403, 21, operator=other))
        assert shipped is not None and shipped.outcome is Outcome.TRUNK
    cut = table.find(Ending(480, 19, media=True, timeout=True, operator="movistar"))
    assert cut is not None and cut.outcome is Outcome.OFF


def test_without_a_file_the_shipped_table_stands() -> None:
    assert load_table(None) is default_table()
    assert all(rule.line and rule.outcome not in ANSWERED for rule in default_table().rules)


@pytest.mark.parametrize(
    ("text", "line", "said"),
    [
        ('[[rule]]\nsip = [480]\nrnag = true\noutcome = "NOA"', 3, "rnag"),
        ('[[rule]]\nsip = 480\noutcome = "NOA"', 2, "sip"),
        ('[[rule]]\nsip = [48]\noutcome = "NOA"', 2, "300"),
        ('[[rule]]\nq850 = []\noutcome = "NOA"', 2, "q850"),
        ('[[rule]]\nq850 = [true]\noutcome = "NOA"', 2, "q850"),
        ('[[rule]]\nq850 = [128]\noutcome = "NOA"', 2, "127"),
        ('[[rule]]\nsip = [480]\n\nrang = "yes"\noutcome = "NOA"', 4, "rang"),
        ('[[rule]]\nsip = [480]\nmedia = 1\noutcome = "NOA"', 3, "media"),
        ('[[rule]]\nsip = [480]\noperator = "claro"\noutcome = "NOA"', 3, "operator"),
        ('[[rule]]\nsip = [480]\noperator = []\noutcome = "NOA"', 3, "operator"),
        ('[[rule]]\nsip = [480]\noutcome = "CON"', 3, "CON"),
        ("[[rule]]\nsip = [480]", 1, "outcome"),
        ('[[rule]]\nrang = true\noutcome = "NOA"', 1, "sip"),
        (
            '[[rule]]\nsip = [404]\noutcome = "FDS"\n[[rule]]\ntimeout = true\nsip = [480]\noutcome = "NOA"',
            5,
            "timeout",
        ),
    ],
)
def test_a_wrong_line_is_named_with_its_key_and_how_to_mend_it(text: str, line: int, said: str) -> None:
    with pytest.raises(ConfigError) as caught:
        read_table(text, "carriers.toml")
    message, hint = caught.value.message, caught.value.hint
    assert isinstance(message, Words) and isinstance(hint, Words)
    assert message.startswith(f"carriers.toml, line {line}: ") and said in message
    assert message.es.startswith(f"carriers.toml, línea {line}: ")
    assert hint and hint.es


@pytest.mark.parametrize(
    "text", ["[[rule]\n", 'sip = [1]\n[[rule]]\nsip=[480]\noutcome="NOA"', "rule = 3", "rule = [1]"]
)
def test_what_is_no_table_is_refused(text: str) -> None:
    with pytest.raises(ConfigError, match="carriers"):
        read_table(text, "carriers.toml")


def test_a_file_that_is_not_there_is_a_wrong_setting(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="outcomes"):
        load_table(tmp_path / "none.toml")
