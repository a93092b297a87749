"""Scripts, templates and notes, held against the profiles: what is found, where, and what is not."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from cadencia.cli.app import app
from cadencia.compliance.script import Kind, lint, lint_note, phrases
from cadencia.compliance.stack import stack
from cadencia.config.profiles import load_site
from cadencia.domain.codes import DISPOSITIONS, label
from cadencia.errors import CadenciaError

KNOWN = load_site(None).profiles
CO = stack([KNOWN["co-ley2300"]])
GOOD = (
    "Buenos días, mi nombre es {agente} y le llamo en nombre de Cobranzas Ejemplo.\n"
    "Se trata de su obligación con el Banco Andino.\n¿Qué fecha le queda bien para ponerse al día?"
)


def rules(text: str) -> list[tuple[Kind, str]]:
    return [(f.kind, f.rule.split(":")[1]) for f in lint(text, CO, "es")]


def test_a_good_script_has_nothing_to_mend() -> None:
    assert lint(GOOD, CO, "es") == ()


@pytest.mark.parametrize(
    "question",
    [
        "¿Por qué no ha pagado?",
        "por  qué\nno pagó",
        "POR QUE USTED NO HA PODIDO PAGAR",
        "¿Cuál es el motivo de la mora?",
        "¿A qué se debe su atraso?",
        "¿por\u00adqué no pag\u00f3?",
        "¿Por que\u0301 no ha pagado?",
    ],
)
def test_the_reason_of_the_default_is_not_asked_for(question: str) -> None:
    assert (Kind.QUESTION, "co-12-motivo-de-la-mora") in rules(f"{GOOD} {question}")


def test_a_finding_says_where() -> None:
    (finding,) = lint(f"{GOOD}\nPero dígame: ¿por qué\n  no ha pagado?", CO, "en")
    assert (finding.line, finding.column) == (4, 15)
    assert finding.said == "por qué\n  no ha pag"
    assert finding.told.startswith("Do not ask")
    assert (finding.rule, finding.citation[:9]) == ("co-ley2300:co-12-motivo-de-la-mora", "Ley 2300 ")


def test_threats_are_found_and_sin_embargo_is_none() -> None:
    assert rules(f"{GOOD} Si no paga lo embargamos y va a la cárcel.") == [
        (Kind.PHRASE, "amenaza-de-embargo"),
        (Kind.PHRASE, "amenaza-de-carcel"),
    ]
    assert rules(f"{GOOD} Sin embargo, hay otra opción.") == []


def test_what_must_be_said_is_missed() -> None:
    assert rules("Hola.") == [(Kind.MISSING, "quien-llama"), (Kind.MISSING, "de-que-acreedor")]
    assert {f.line for f in lint("", CO, "es")} == {0}


def test_all_of_the_stacked_hold_and_what_is_alike_is_told_once() -> None:
    both = stack([KNOWN["co-ley2300"], KNOWN["co-estricto"]])
    text = "¿Por qué no ha pagado? This is jail."
    alone, together = lint(text, CO, "es"), lint(text, both, "es")
    assert [f.rule for f in together] == [f.rule for f in alone]
    mixed = lint(text, stack([KNOWN["co-ley2300"], KNOWN["us-regf"]]), "en")
    assert "us-regf:threats" in {f.rule for f in mixed}
    assert {f.rule for f in alone} <= {f.rule for f in mixed}


def test_a_note_may_tell_what_was_volunteered() -> None:
    assert lint_note("Promete pagar el viernes.", CO, "es") == ()  # no statement is demanded of a note
    (finding,) = lint_note("Motivo de la mora: perdió el empleo.", CO, "es")
    assert finding.kind is Kind.QUESTION
    assert lint_note("Espontáneo: motivo de la mora, perdió el empleo.", CO, "es") == ()
    assert lint_note("espontáneo: llamó. Motivo de la mora: otro", CO, "es") != ()  # another sentence
    assert lint_note("Espontáneo: le dije que va a la cárcel", CO, "es") != ()  # excuses no threat


@pytest.mark.parametrize("language", ["es", "en"])
def test_no_form_and_no_disposition_asks_for_the_reason_of_the_default(language: str) -> None:
    texts = json.loads((Path(__file__).parents[2] / "ui/src/texts" / f"{language}.json").read_text("utf-8"))
    words = [*texts.values(), *(label(code, language) for code in DISPOSITIONS)]
    assert len(words) > 400
    found = [f for said in words for f in lint_note(said, CO, language) if f.kind is Kind.QUESTION]
    assert found == []


def test_what_a_screen_shows_is_each_text_once() -> None:
    say, dont = phrases(stack([KNOWN["co-ley2300"], KNOWN["co-estricto"]]))
    assert [p.id for p in say] == ["quien-llama", "de-que-acreedor"]
    assert dont[0].id == "co-12-motivo-de-la-mora"
    assert len({p.es for p in dont}) == len(dont)


@given(st.text(alphabet=st.sampled_from(" \n\tpor qué no pagóáñÑß.?\u200b"), max_size=80))
def test_a_finding_lies_in_the_text_and_any_case_finds_the_same(text: str) -> None:
    found = lint(text, CO, "es")
    for f in found:
        assert text[f.start : f.end] == f.said
        if f.line:
            assert text.split("\n")[f.line - 1][f.column - 1] == f.said[0]
    if len(text.upper()) == len(text):
        assert [(f.rule, f.start) for f in lint(text.upper(), CO, "es")] == [(f.rule, f.start) for f in found]


# -- the command line --------------------------------------------------------------------------------------------------
def run(*args: str) -> tuple[int, str]:
    done = CliRunner().invoke(app, ["script", "check", *args])
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        raise done.exception
    return done.exit_code, done.output


def test_files_are_checked_with_line_and_column(tmp_path: Path) -> None:
    good, bad = tmp_path / "good.txt", tmp_path / "bad.txt"
    good.write_text(GOOD, "utf-8")
    bad.write_text(f"{GOOD}\n¿Por qué no ha pagado?\n", "utf-8")
    assert run(str(good), "--profile", "co-ley2300")[0] == 0
    code, told = run(str(good), str(bad), "--profile", "co-ley2300", "--lang", "es")
    assert code == 1
    assert f"{bad}:4:2: pregunta prohibida co-ley2300:co-12-motivo-de-la-mora" in told
    code, told = run(str(bad), "--profile", "co-ley2300", "--json", "--lang", "en")
    (file,) = json.loads(told)
    assert (code, file["ok"], file["findings"][0]["kind"]) == (1, False, "forbidden_question")


@pytest.mark.parametrize("args", [(), ("--profile", "nobody's")])
def test_the_profiles_must_be_told_and_known(tmp_path: Path, args: tuple[str, ...]) -> None:
    (tmp_path / "a.txt").write_text(GOOD, "utf-8")
    with pytest.raises(CadenciaError):
        run(str(tmp_path / "a.txt"), *args)


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(CadenciaError):
        run(str(tmp_path / "none.txt"), "--profile", "co-ley2300")
