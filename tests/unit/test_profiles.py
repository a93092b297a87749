"""Profiles as files: what is wrong in one is told with its line; those that ship say what the law says; changes."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import re
import unicodedata
from functools import cache
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from cadencia.cli.app import app
from cadencia.config.calendars import builtin_calendars
from cadencia.config.difference import Change, Effect, as_data, diff, told_of
from cadencia.config.lines import lines_of
from cadencia.config.profiles import Rulebook, builtin, check_file, load_profile, load_site
from cadencia.config.tables import FileFaults
from cadencia.domain.law import (
    Abandonment,
    CallerId,
    Channel,
    Confidence,
    ConsentNeed,
    CoolOff,
    Hours,
    Limit,
    Machines,
    Period,
    Phrase,
    Profile,
    Purpose,
    Reach,
    Reaches,
    Recording,
    Retention,
    Scope,
    Script,
    Trigger,
    Unless,
)
from cadencia.domain.people import Role
from cadencia.errors import ConfigError, Words

ROOT = Path(__file__).resolve().parents[2]

SAMPLE = """\
id = "casa"
version = 1
jurisdiction = "CO"
language = "es"
title = "Reglas de la casa"
confidence = "firm"
citations = ["Manual"]
valid_from = 2026-01-01
valid_to = 2026-12-31
purposes = ["collection", "commercial"]
exempt = []

[channels]
voice = "opt_in"
sms = "opt_out"

[[hours]]
zones = [
  "America/Bogota",
  "debtor",
]
calendar = "co"
mon = ["07:00-12:00", "14:00-19:00"]
tue = ["07:00-19:00"]
wed = ["07:00-19:00"]
thu = ["07:00-19:00"]
fri = ["07:00-24:00"]
sat = []
sun = []

[registers]
commercial = ["rne"]

[parties]
titular = { dialable = true, share_debt_info = true }
codeudor = { dialable = true, share_debt_info = true }
deudor_solidario = { dialable = true, share_debt_info = true }
avalista = { dialable = true, share_debt_info = true }
representante = { dialable = true, share_debt_info = true }
referencia = { dialable = false, share_debt_info = false }

[[limits]]
id = "uno"
scope = "person"
counts = "rang"
max = 3
per = "local_days"
n = 7
excludes = ["OCU"]
citation = "Manual, 1"
confidence = "firm"

[[limits]]
id = "dos"
scope = "phone"
counts = "attempt"
max = 5
per = "week"
citation = "Manual, 2"
confidence = "low"

[[cooloffs]]
id = "tres"
after = "two_way"
reaches = "all"
hours = 24
citation = "Manual, 3"
confidence = "firm"

[abandonment]
cap = 0.03

[[script.forbidden_phrases]]
id = "no"
es = "no"
en = "no"
patterns = [
  'carcel',
  'jail',
]
"""


def read(text: str) -> Profile:
    return load_profile(text, name="casa.toml", calendars=builtin_calendars())


def faults(text: str) -> list[tuple[int, str]]:
    with pytest.raises(FileFaults) as caught:
        read(text)
    assert all(isinstance(fault.what, Words) and isinstance(fault.mend, Words) for fault in caught.value.faults)
    assert all(fault.mend and fault.mend.es for fault in caught.value.faults)
    assert str(caught.value).startswith("casa.toml, line ")
    return [(fault.line, fault.key) for fault in caught.value.faults]


def line(of: str) -> int:
    return SAMPLE[: SAMPLE.index(of)].count("\n") + 1


@cache
def shipped() -> dict[str, Profile]:
    return builtin()


# -- what a file means -------------------------------------------------------------------------------------------------
def test_a_profile_is_read() -> None:
    profile = read(SAMPLE)
    assert profile.sha256 == hashlib.sha256(SAMPLE.encode()).hexdigest()
    assert profile.hours[0].weekly[0] == ((420, 720), (840, 1140))
    assert profile.hours[0].weekly[4] == ((420, 1440),)
    assert profile.hours[0].weekly[5:] == ((), ())
    assert profile.hours[0].calendar is builtin_calendars()["co"]
    assert profile.consent == {Channel.VOICE: ConsentNeed.OPT_IN, Channel.SMS: ConsentNeed.OPT_OUT}
    assert profile.channels == {Channel.VOICE, Channel.SMS}
    assert [limit.per for limit in profile.limits] == [Period.LOCAL_DAYS, Period.WEEK]
    assert profile.registers == {Purpose.COMMERCIAL: ("rne",)}


def test_the_digest_is_of_the_bytes(tmp_path: Path) -> None:
    for content in (SAMPLE.encode(), SAMPLE.replace("\n", "\r\n").encode(), b"\xef\xbb\xbf" + SAMPLE.encode()):
        (tmp_path / "casa.toml").write_bytes(content)
        assert load_site(tmp_path).profiles["casa"].sha256 == hashlib.sha256(content).hexdigest()


#: What is written -> what is written in its place, where the fault is, and of which key.
WRONG: dict[str, tuple[str, str, str, str]] = {
    "unknown key": ("version = 1", "version = 1\nversoin = 2", "jurisdiction", "versoin"),
    "unknown key in a section": ("cap = 0.03", "top = 1\ncap = 0.03", "cap", "abandonment.top"),
    "unknown section": ("[registers]", "[registros]", "[registers]", "registros"),
    "unknown word": ('counts = "rang"', 'counts = "ring"', 'counts = "rang"', "limits[1].counts"),
    "unknown channel": ('sms = "opt_out"', 'fax = "opt_out"', "sms =", "channels.fax"),
    "unknown code": ('["OCU"]', '["OCU", "XXX"]', "excludes", "limits[1].excludes[2]"),
    "unknown zone": ('"America/Bogota"', '"America/Macondo"', '  "America/Bogota"', "hours[1].zones[1]"),
    "a folder of zones": ('"America/Bogota"', '"America"', '  "America/Bogota"', "hours[1].zones[1]"),
    "unknown calendar": ('calendar = "co"', 'calendar = "zz"', "calendar", "hours[1].calendar"),
    "text for a number": ("max = 3", 'max = "3"', "max = 3", "limits[1].max"),
    "true for a number": ("max = 3", "max = true", "max = 3", "limits[1].max"),
    "a fraction for a whole number": ("max = 3", "max = 3.5", "max = 3", "limits[1].max"),
    "a negative number": ("hours = 24", "hours = -24", "hours = 24", "cooloffs[1].hours"),
    "nan": ("cap = 0.03", "cap = nan", "cap", "abandonment.cap"),
    "above one": ("cap = 0.03", "cap = 3", "cap", "abandonment.cap"),
    "number for a text": ('title = "Reglas de la casa"', "title = 3", "title", "title"),
    "empty text": ('title = "Reglas de la casa"', 'title = " "', "title", "title"),
    "text for a list": ('["OCU"]', '"OCU"', "excludes", "limits[1].excludes"),
    "text for a date": ("valid_to = 2026-12-31", 'valid_to = "2026-12-31"', "valid_to", "valid_to"),
    "an instant for a date": ("valid_to = 2026-12-31", "valid_to = 2026-12-31T00:00:00", "valid_to", "valid_to"),
    "dates reversed": ("valid_to = 2026-12-31", "valid_to = 2025-12-31", "valid_to", "valid_to"),
    "id missing": ('id = "casa"\n', "", "id =", "id"),
    "version missing": ("version = 1\n", "", "id =", "version"),
    "hours missing": ("[[hours]]", "[[horas]]", "id =", "hours"),
    "weekday missing": ("tue =", "# tue =", "[[hours]]", "hours[1].tue"),
    "party missing": ("avalista =", "# avalista =", "[parties]", "parties.avalista"),
    "period's length missing": ("n = 7\n", "", "[[limits]]", "limits[1].n"),
    "confidence missing": ('confidence = "low"\n', "", '[[limits]]\nid = "dos"', "limits[2].confidence"),
    "hh:mm": ('tue = ["07:00-19:00"]', 'tue = ["7-19"]', "tue", "hours[1].tue[1]"),
    "no such minute": ('tue = ["07:00-19:00"]', 'tue = ["07:60-19:00"]', "tue", "hours[1].tue[1]"),
    "after midnight": ("07:00-24:00", "07:00-24:01", "fri", "hours[1].fri[1]"),
    "reversed hours": ('tue = ["07:00-19:00"]', 'tue = ["19:00-07:00"]', "tue", "hours[1].tue[1]"),
    "hours of no length": ('tue = ["07:00-19:00"]', 'tue = ["07:00-07:00"]', "tue", "hours[1].tue[1]"),
    "overlapping hours": ("14:00-19:00", "11:00-19:00", "mon", "hours[1].mon[2]"),
    "touching hours": ("14:00-19:00", "12:00-19:00", "mon", "hours[1].mon[2]"),
    "hours out of order": ('"07:00-12:00", "14:00-19:00"', '"14:00-19:00", "07:00-12:00"', "mon", "hours[1].mon[2]"),
    "id twice": ('id = "dos"', 'id = "uno"', 'id = "dos"', "limits[2].id"),
    "an id with blanks": ('id = "tres"', 'id = "tres y más"', 'id = "tres"', "cooloffs[1].id"),
    "bad pattern": ("'jail'", "'(jail'", "  'jail'", "script.forbidden_phrases[1].patterns[2]"),
    "a pattern that is never found": ("'carcel'", "'cárcel'", "  'carcel'", "script.forbidden_phrases[1].patterns[1]"),
    "a pattern that warns": ("'jail'", "'[[a]'", "  'jail'", "script.forbidden_phrases[1].patterns[2]"),
    "cool-off of no length": ("hours = 24", "hours = 0", "hours = 24", "cooloffs[1].hours"),
    "cool-off without length": ("hours = 24\n", "", "[[cooloffs]]", "cooloffs[1]"),
    "cool-off of two lengths": ("hours = 24", "hours = 24\nlocal_days = 1", "[[cooloffs]]", "cooloffs[1]"),
    "exempt is no purpose": ("exempt = []", 'exempt = ["operation"]', "exempt", "exempt"),
    "register without purpose": (
        '"collection", "commercial"',
        '"collection"',
        "commercial = [",
        "registers.commercial",
    ),
    "a list of sections that is one": ("[[cooloffs]]", "[cooloffs]", "[[cooloffs]]", "cooloffs"),
    "a week of two": ('per = "week"', 'per = "week"\nn = 2', 'citation = "Manual, 2"', "limits[2].n"),
    "a period beyond what is kept": ("n = 7", "n = 999999999999", "n = 7", "limits[1].n"),
    "supersedes without version": ("version = 1", 'version = 1\nsupersedes = "co"', "jurisdiction", "supersedes"),
}


@pytest.mark.parametrize("kind", WRONG)
def test_a_fault_names_its_line_and_key(kind: str) -> None:
    old, new, at, key = WRONG[kind]
    assert SAMPLE.count(old) == 1, "the sample has to have it once"
    assert (line(at), key) in faults(SAMPLE.replace(old, new))


def test_all_faults_are_told_at_once_in_the_order_of_the_lines() -> None:
    text = SAMPLE.replace("max = 3", "max = -1").replace('"07:00-24:00"', '"x"').replace("cap = 0.03", 'cap = "a"')
    found = faults(text)
    assert found == [
        (line("fri"), "hours[1].fri[1]"),
        (line("max = 3"), "limits[1].max"),
        (line("cap"), "abandonment.cap"),
    ]
    with pytest.raises(FileFaults) as caught:
        read(text)
    assert isinstance(caught.value.message, Words)
    assert len(str(caught.value.message).splitlines()) == len(caught.value.message.es.splitlines()) == 3
    assert "línea" in caught.value.message.es


def test_a_slip_of_the_pen_is_named() -> None:
    with pytest.raises(FileFaults) as caught:
        read(SAMPLE.replace("valid_to", "vaild_to"))
    assert "Did you mean valid_to?" in caught.value.hint


def test_no_toml() -> None:
    assert faults(SAMPLE.replace("max = 3", "max = ")) == [(line("max = 3"), "")]


CORRUPT = st.one_of(
    st.tuples(st.integers(0, len(SAMPLE)), st.integers(0, 30), st.text(max_size=8)),
    st.tuples(st.integers(0, len(SAMPLE)), st.integers(0, 3), st.sampled_from(list("[]{}\"'=.,#\n-0é\\²٣"))),
)


@given(st.lists(CORRUPT, min_size=1, max_size=3))
@settings(max_examples=250, deadline=None, derandomize=True)
def test_a_corrupted_file_is_read_or_refused(changes: list[tuple[int, int, str]]) -> None:
    text = SAMPLE
    for place, length, sign in changes:
        text = text[:place] + sign + text[place + length :]
    if any(0xD800 <= ord(sign) <= 0xDFFF for sign in text):
        return  # no file's text
    try:
        load_profile(text, name="x.toml", calendars=builtin_calendars())
    except ConfigError as error:
        assert str(error)


VALUES = st.recursive(
    st.sampled_from(
        ["1", "-1", "nan", "inf", "true", "[]", "{}", '"x"', '""', "2026-01-01", "07:00:00", "9" * 30, "'ñ'"]
    ),
    lambda inner: st.lists(inner, max_size=2).map(lambda each: f"[{', '.join(each)}]"),
    max_leaves=3,
)
KEYS = [
    number for number, row in enumerate(SAMPLE.splitlines()) if re.match(r"\w+ = [^\[{]*$|\w+ = [\[{].*[\]}]$", row)
]


@given(st.sampled_from(KEYS), VALUES)
@settings(max_examples=250, deadline=None, derandomize=True)
def test_a_value_of_another_type_is_read_or_refused_at_its_line(number: int, value: str) -> None:
    rows = SAMPLE.splitlines()
    rows[number] = f"{rows[number].partition(' = ')[0]} = {value}"
    try:
        read("\n".join(rows))
    except FileFaults as error:
        assert error.faults
        assert all(fault.line for fault in error.faults)


def test_deep_and_long_files_are_refused() -> None:
    for text in ("a = " + "[" * 20000, "a = " + "9" * 6000, "[" * 5000):
        with pytest.raises(FileFaults):
            read(text)


# -- lines -------------------------------------------------------------------------------------------------------------
def test_lines_of_what_toml_allows() -> None:
    text = '''a = 1
"b c".d = [
  ["x", "]"],  # [no]
  ["y"],
]
s = """
[not]
k = 1
"""
[[l]]
id = '1'
[l.sub]
q = {a = 1, b = [2,
 3]}
[[l]]
id = "2"
'''
    lines = lines_of(text)
    assert lines["b c", "d", "1", "0"] == 4
    assert lines["l", "0", "id"] == 11
    assert lines["l", "0", "sub", "q", "b", "1"] == 14
    assert lines["l", "1", "id"] == 16
    assert ("not",) not in lines
    assert ("k",) not in lines


# -- what ships --------------------------------------------------------------------------------------------------------
def test_all_that_is_promised_ships() -> None:
    names = "ar cl co-estricto co-ley2300 es mx mx-estricto pe uk us-regf us-tsr"
    assert sorted(shipped()) == names.split()
    for profile in shipped().values():
        assert profile.citations
        assert not profile.parties[Role.REFERENCE].dialable
        assert set(profile.consent) == profile.channels
        assert profile.recording.pause_on == ("payment",)
        assert all(rule.citation for rule in (*profile.limits, *profile.cooloffs))
    assert {profile.confidence for profile in shipped().values()} == set(Confidence)


def week(*days: str) -> tuple[tuple[tuple[int, int], ...], ...]:
    def interval(day: str) -> tuple[tuple[int, int], ...]:
        return tuple((int(a) * 60, int(b) * 60) for a, b in [day.split("-")]) if day else ()

    return (*(interval(days[0]) for _ in range(5)), interval(days[1]), interval(days[2]))


@pytest.mark.parametrize(
    ("id_", "weekly", "zones", "calendar"),
    [
        ("co-ley2300", week("7-19", "8-15", ""), ("America/Bogota", "debtor"), "co"),
        ("co-estricto", week("7-19", "8-15", ""), ("America/Bogota", "debtor"), "co"),
        ("mx", week("7-22", "7-22", "7-22"), ("debtor",), None),
        ("mx-estricto", week("7-22", "", ""), ("debtor",), "mx"),
        ("pe", week("7-20", "", ""), ("America/Lima", "debtor"), "pe"),
        ("cl", week("8-20", "8-20", ""), ("debtor",), "cl"),
        ("ar", week("9-20", "", ""), ("America/Argentina/Buenos_Aires", "debtor"), "ar"),
        ("es", week("9-21", "", ""), ("debtor",), "es"),
        ("us-regf", week("8-21", "8-21", "8-21"), ("debtor",), None),
        ("us-tsr", week("8-21", "8-21", "8-21"), ("debtor",), None),
        ("uk", week("9-20", "9-17", ""), ("debtor",), "gb"),
    ],
)
def test_hours_of_what_ships(id_: str, weekly: object, zones: tuple[str, ...], calendar: str | None) -> None:
    (hours,) = shipped()[id_].hours
    assert hours.weekly == weekly
    assert hours.zones == zones
    assert (hours.calendar.id if hours.calendar else None) == calendar


def test_colombia() -> None:
    co = shipped()["co-ley2300"]
    assert {(rule.after, rule.reaches, rule.hours, rule.local_days) for rule in co.cooloffs} == {
        (Trigger.TWO_WAY, Reaches.OTHERS, 168, 0),
        (Trigger.TWO_WAY, Reaches.ALL, 0, 1),
    }
    assert set(co.consent.values()) == {ConsentNeed.OPT_IN}
    assert Channel.VISIT not in co.channels
    assert co.exempt == {Purpose.REQUESTED_INFO, Purpose.OPERATION, Purpose.FRAUD_ALERT}
    assert co.exempt_hours == frozenset()
    assert co.hours[0].preference_extends
    assert co.preference_after_contract
    assert co.registers == {Purpose.COMMERCIAL: ("rne",)}
    assert (co.abandonment.cap, co.abandonment.window_h, co.abandonment.connect_within_s) == (0.03, 720, 2.0)


def test_the_strict_reading_of_colombia_only_tightens() -> None:
    changes = diff(shipped()["co-ley2300"], shipped()["co-estricto"])
    assert {change.effect for change in changes} == {Effect.TIGHTENS, Effect.NEITHER}
    strict = shipped()["co-estricto"]
    assert {rule.after for rule in strict.cooloffs} == {Trigger.ATTEMPT}
    assert [(rule.counts, rule.max, rule.per, rule.n) for rule in strict.limits] == [
        (Reach.TWO_WAY, 1, Period.ROLLING, 168)
    ]


def test_the_others() -> None:
    regf, tsr, uk, cl = (shipped()[id_] for id_ in ("us-regf", "us-tsr", "uk", "cl"))
    (seven,), (talk,) = regf.limits, regf.cooloffs
    assert (seven.scope, seven.counts, seven.max, seven.per, seven.n) == (
        Scope.DEBT,
        Reach.RANG,
        7,
        Period.LOCAL_DAYS,
        7,
    )
    assert seven.excludes == {"OCU", "FDS"}
    assert not seven.inbound_counts
    assert (talk.after, talk.local_days, talk.debt) == (Trigger.TWO_WAY, 7, True)
    assert (tsr.abandonment.measured_from, tsr.abandonment.min_ring_s) == ("greeting_end", 15)
    assert {(rule.after, rule.hours, rule.unless) for rule in uk.cooloffs} == {
        (Trigger.ABANDONED, 72, Unless.LIVE_AGENT),
        (Trigger.MACHINE, 24, Unless.LIVE_AGENT),
    }
    assert (uk.abandonment.window_h, uk.abandonment.formula) == (24, "acr")
    assert [(rule.max, rule.n, rule.gap_h) for rule in cl.limits] == [(1, 168, 0), (2, 168, 48)]
    assert cl.limits[0].channels == {Channel.VOICE, Channel.VISIT}
    assert cl.retention.attempts >= 730


SAID = {
    "co-12-motivo-de-la-mora": (
        "¿Por qué no pagó?|¿Por qué no ha pagado?|¿Cuál es la razón de la mora?|¿A qué se debe el atraso?|"
        "¿Cuál es el motivo por el cual no canceló?",
        "¿Cuál es el motivo de su llamada?|¿Por qué medio desea pagar?|¿Cuándo puede pagar?",
    ),
    "amenaza-de-embargo": ("Le vamos a EMBARGAR el sueldo", "Sin embargo, puede pagar mañana"),
    "amenaza-de-carcel": ("Puede ir a la cárcel", "El crédito preaprobado"),
    "sera-reportado": ("Usted será reportado|Lo vamos a reportar en centrales de riesgo", "Le reporto su pago al área"),
    "verguenza": ("Le contaremos a su familia|Usted es un moroso", "Su familia puede acompañarlo"),
    "apariencia-judicial": ("Le escribimos del juzgado", "Le escribimos de Cobros"),
    "quien-llama": ("Buenos días, mi nombre es Ana Ruiz, de Cobros SAS", "Buenos días, ¿con quién hablo?"),
    "de-que-acreedor": ("Es por su crédito con Banco Uno", "Llamo por un asunto pendiente"),
}


@pytest.mark.parametrize("id_", SAID)
def test_what_is_said_in_colombia(id_: str) -> None:
    script = shipped()["co-ley2300"].script
    phrases: dict[str, Phrase] = {
        phrase.id: phrase
        for phrase in (*script.forbidden_questions, *script.forbidden_phrases, *script.mandatory_statements)
    }
    assert set(phrases) == set(SAID)

    def found(said: str) -> bool:
        bare = "".join(sign for sign in unicodedata.normalize("NFKD", said) if not unicodedata.combining(sign))
        return any(re.search(pattern, bare, re.IGNORECASE) for pattern in phrases[id_].patterns)

    yes, no = SAID[id_]
    assert [said for said in yes.split("|") if not found(said)] == []
    assert [said for said in no.split("|") if found(said)] == []


# -- differences -------------------------------------------------------------------------------------------------------
def only(old: str, new: str) -> Change:
    assert SAMPLE.count(old) == 1
    (change,) = diff(read(SAMPLE), read(SAMPLE.replace(old, new)))
    return change


@pytest.mark.parametrize(
    ("old", "new", "path", "effect"),
    [
        ("max = 3", "max = 2", "limits[uno].max", Effect.TIGHTENS),
        ("max = 3", "max = 4", "limits[uno].max", Effect.LOOSENS),
        ("n = 7", "n = 8", "limits[uno].n", Effect.TIGHTENS),
        ('counts = "rang"', 'counts = "two_way"', "limits[uno].counts", Effect.LOOSENS),
        ('["OCU"]', '["OCU", "NOA"]', "limits[uno].excludes", Effect.LOOSENS),
        ('scope = "phone"', 'scope = "debt"', "limits[dos].scope", Effect.UNDECIDED),
        ('tue = ["07:00-19:00"]', 'tue = ["08:00-19:00"]', "hours[all].tue", Effect.TIGHTENS),
        ('tue = ["07:00-19:00"]', 'tue = ["06:00-18:00"]', "hours[all].tue", Effect.UNDECIDED),
        ("sun = []", 'sun = ["09:00-10:00"]', "hours[all].sun", Effect.LOOSENS),
        ('  "debtor",\n', "", "hours[all].zones", Effect.LOOSENS),
        ('calendar = "co"', 'calendar = "none"', "hours[all].calendar", Effect.LOOSENS),
        ('calendar = "co"', 'calendar = "mx"', "hours[all].calendar", Effect.UNDECIDED),
        ('voice = "opt_in"', 'voice = "opt_out"', "consent[voice]", Effect.LOOSENS),
        ("hours = 24", "hours = 48", "cooloffs[tres].hours", Effect.TIGHTENS),
        ('reaches = "all"', 'reaches = "same_channel"', "cooloffs[tres].reaches", Effect.LOOSENS),
        ('after = "two_way"', 'after = "attempt"', "cooloffs[tres].after", Effect.TIGHTENS),
        ("cap = 0.03", "cap = 0.02", "abandonment.cap", Effect.TIGHTENS),
        ("cap = 0.03\n", "", "abandonment.cap", Effect.LOOSENS),
        (
            "avalista = { dialable = true",
            "avalista = { dialable = false",
            "parties[avalista].dialable",
            Effect.TIGHTENS,
        ),
        ("exempt = []", 'exempt = ["collection"]', "exempt", Effect.LOOSENS),
        ("valid_from = 2026-01-01\n", "", "valid_from", Effect.TIGHTENS),
        ('commercial = ["rne"]', "", "registers[commercial]", Effect.LOOSENS),
        ("  'jail',\n", "", "script.forbidden_phrases[no].patterns", Effect.LOOSENS),
        ("Reglas de la casa", "Otras", "title", Effect.NEITHER),
    ],
)
def test_a_change_is_named_and_judged(old: str, new: str, path: str, effect: Effect) -> None:
    change = only(old, new)
    assert (change.path, change.effect) == (path, effect)
    assert change.old != change.new


def test_hours_that_become_days_are_for_somebody_to_think_about() -> None:
    changes = diff(read(SAMPLE), read(SAMPLE.replace("hours = 24", "local_days = 1")))
    assert {change.effect for change in changes} == {Effect.UNDECIDED}


def test_a_comment_changes_nothing() -> None:
    assert diff(read(SAMPLE), read("# nothing\n" + SAMPLE)) == ()


def test_a_limit_more_tightens_and_says_what_it_is() -> None:
    (change,) = diff(read(SAMPLE), dataclasses.replace(read(SAMPLE), limits=read(SAMPLE).limits[:1]))
    assert (change.path, change.new, change.effect) == ("limits[dos]", "", Effect.LOOSENS)
    assert "max 5" in change.old


OPPOSITE = {Effect.LOOSENS: Effect.TIGHTENS, Effect.TIGHTENS: Effect.LOOSENS}


@pytest.mark.parametrize("old", ["co-ley2300", "cl", "us-regf", "uk", "mx"])
def test_the_way_back_is_the_opposite(old: str) -> None:
    one = shipped()[old]
    for other in shipped().values():
        there, back = diff(one, other), diff(other, one)
        assert (there == ()) is (one is other)
        assert {(c.path, c.old, c.new, c.effect) for c in there} == {
            (c.path, c.new, c.old, OPPOSITE.get(c.effect, c.effect)) for c in back
        }


@given(st.data())
@settings(max_examples=60, deadline=None, derandomize=True)
def test_every_field_of_a_limit_that_changes_is_told(data: st.DataObject) -> None:
    base = read(SAMPLE)
    fresh = Limit(
        id="uno",
        scope=data.draw(st.sampled_from(Scope)),
        counts=data.draw(st.sampled_from(Reach)),
        max=data.draw(st.integers(1, 5)),
        per=data.draw(st.sampled_from(Period)),
        n=data.draw(st.integers(1, 9)),
        channels=data.draw(st.frozensets(st.sampled_from(Channel), max_size=2)),
        excludes=data.draw(st.frozensets(st.sampled_from(["OCU", "NOA"]))),
        gap_h=data.draw(st.sampled_from([0.0, 24.0])),
        inbound_counts=data.draw(st.booleans()),
        citation=data.draw(st.sampled_from(["Manual, 1", "x"])),
        confidence=data.draw(st.sampled_from(Confidence)),
    )
    changes = diff(base, dataclasses.replace(base, limits=(fresh, base.limits[1])))
    names = [each.name for each in dataclasses.fields(Limit)]
    differing = {f"limits[uno].{name}" for name in names if getattr(fresh, name) != getattr(base.limits[0], name)}
    assert {change.path for change in changes} == differing


# -- a site's own ------------------------------------------------------------------------------------------------------
def site(folder: Path, **files: str) -> Path:
    for name, text in files.items():
        path = folder / f"{name.replace('__', '/')}.toml"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
    return folder


@cache
def law() -> str:
    return (ROOT / "cadencia/config/data/profiles/co-ley2300.toml").read_text("utf-8")


def test_a_site_adds_profiles(tmp_path: Path) -> None:
    book = load_site(site(tmp_path, casa=SAMPLE))
    assert set(book.profiles) == {*shipped(), "casa"}
    assert book.texts["casa"] == SAMPLE


@pytest.mark.parametrize(
    ("version", "supersedes", "ok"),
    [
        (2, "co-ley2300@1", True),
        (1, "co-ley2300@1", False),
        (2, "", False),
        (2, "co-ley2300@2", False),
        (3, "pe@1", False),
    ],
)
def test_a_shipped_profile_is_replaced_only_knowingly(tmp_path: Path, version: int, supersedes: str, ok: bool) -> None:
    text = law().replace("version = 1\n", f'version = {version}\nsupersedes = "{supersedes}"\n', 1)
    site(tmp_path, own=text)
    if ok:
        assert load_site(tmp_path).profiles["co-ley2300"].version == version
    else:
        with pytest.raises(FileFaults, match="ships with the program"):
            load_site(tmp_path)


def test_a_sites_dates_reach_the_shipped_profiles(tmp_path: Path) -> None:
    site(tmp_path, holidays='[[co.added]]\ndate = 2026-08-10\nreason = "cívico"\n')
    calendar = load_site(tmp_path).profiles["co-ley2300"].hours[0].calendar
    assert calendar is not None
    assert [str(day) for day in calendar.added] == ["2026-08-10"]
    assert shipped()["co-ley2300"].hours[0].calendar == builtin_calendars()["co"]


def test_a_site_has_calendars_of_its_own(tmp_path: Path) -> None:
    own = 'id = "es-md"\nversion = "1"\ncountry = "ES-MD"\n'
    site(tmp_path, calendars__madrid=own, casa=SAMPLE.replace('calendar = "co"', 'calendar = "es-md"'))
    hours = load_site(tmp_path).profiles["casa"].hours[0]
    assert hours.calendar is not None
    assert hours.calendar.country == "ES-MD"
    check_file(tmp_path / "casa.toml")
    site(tmp_path, calendars__madrid=own.replace("es-md", "es"))
    with pytest.raises(FileFaults, match="is taken"):
        load_site(tmp_path)


def test_two_files_with_one_id(tmp_path: Path) -> None:
    with pytest.raises(FileFaults, match="is taken"):
        load_site(site(tmp_path, a=SAMPLE, b=SAMPLE))


def test_the_faults_of_all_files_of_a_site(tmp_path: Path) -> None:
    site(tmp_path, a=SAMPLE.replace("max = 3", "max = 0"), b=SAMPLE.replace("n = 7", "n = 0"))
    with pytest.raises(FileFaults) as caught:
        load_site(tmp_path)
    assert [Path(fault.file).name for fault in caught.value.faults] == ["a.toml", "b.toml"]


def test_a_folder_that_is_none(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no folder"):
        load_site(tmp_path / "nothing")
    (tmp_path / "x.toml").write_bytes(b"\xff")
    with pytest.raises(ConfigError, match="UTF-8"):
        load_site(tmp_path)


def test_nothing_of_a_site_is_what_ships() -> None:
    book = load_site(None)
    assert isinstance(book, Rulebook)
    assert dict(book.profiles) == shipped()
    assert hashlib.sha256(book.texts["pe"].encode()).hexdigest() == book.profiles["pe"].sha256


# -- the page ----------------------------------------------------------------------------------------------------------
def test_the_page_shows_files_that_are_read(tmp_path: Path) -> None:
    page = (ROOT / "docs/profiles.md").read_text("utf-8")
    profile, dates, calendar = re.findall(r"```toml\n(.*?)```", page, re.DOTALL)
    book = load_site(site(tmp_path, casa=profile, holidays=dates, calendars__own=calendar))
    assert set(book.profiles) == {*shipped(), "casa-banco"}
    assert set(book.calendars) == {*builtin_calendars(), "es-md"}


def test_the_page_names_every_key_and_profile() -> None:
    page = (ROOT / "docs/profiles.md").read_text("utf-8")
    named = set(re.findall(r"[a-z_]+", page))
    for kind in (Profile, Hours, Limit, CoolOff, Abandonment, Machines, Recording, Retention, CallerId, Phrase, Script):
        keys = {field.name for field in dataclasses.fields(kind)} - {"sha256", "weekly", "consent"}
        assert keys <= named, kind
    for words in (Channel, Purpose, Scope, Trigger, Reaches, Unless, Period, ConsentNeed, Confidence):
        assert {str(word) for word in words} <= named, words
    assert all(f"`{id_}`" in page for id_ in shipped())


# -- the command line --------------------------------------------------------------------------------------------------
def test_list_and_show() -> None:
    listed = json.loads(CliRunner().invoke(app, ["profile", "list", "--json"]).output)
    assert [row["id"] for row in listed] == sorted(shipped())
    shown = json.loads(CliRunner().invoke(app, ["profile", "show", "cl", "--json"]).output)
    assert shown["hours"][0]["mon"] == ["08:00-20:00"]
    assert shown["limits"][1]["counts"] == "attempt"
    told = CliRunner().invoke(app, ["profile", "show", "cl"]).output
    assert "limits[cl-otros-medios].gap_h = 48\n" in told
    assert as_data(shipped()["pe"])["valid_from"] is None
    assert dict(told_of(shipped()["mx"]))["hours[all].sun"] == "07:00-22:00"


def test_check_ends_with_1_and_all_faults(tmp_path: Path) -> None:
    site(tmp_path, good=SAMPLE, bad=SAMPLE.replace("max = 3", "max = 0").replace("hours = 24", "hours = 1e9"))
    done = CliRunner().invoke(app, ["profile", "check", str(tmp_path / "bad.toml"), str(tmp_path / "good.toml")])
    assert done.exit_code == 1
    assert f"line {line('max = 3')}: limits[1].max" in done.output
    assert f"line {line('hours = 24')}: cooloffs[1].hours" in done.output
    assert f"ok   {tmp_path / 'good.toml'}" in done.output
    told = json.loads(CliRunner().invoke(app, ["profile", "check", "--json", str(tmp_path / "bad.toml")]).output)
    assert [fault["line"] for fault in told[0]["faults"]] == [line("max = 3"), line("hours = 24")]
    assert CliRunner().invoke(app, ["profile", "check", str(tmp_path / "good.toml")]).exit_code == 0


def test_diff_of_an_id_and_a_file(tmp_path: Path) -> None:
    own = tmp_path / "own.toml"
    own.write_bytes(law().replace('sat = ["08:00-15:00"]', "sat = []").encode())
    done = CliRunner().invoke(app, ["profile", "diff", "co-ley2300", str(own), "--json"])
    (change,) = json.loads(done.output)["changes"]
    assert change == {"path": "hours[all].sat", "old": "08:00-15:00", "new": "", "effect": "tightens"}
    done = CliRunner().invoke(app, ["profile", "diff", "co-ley2300", "nothing"])
    assert isinstance(done.exception, ConfigError)
    assert done.exception.exit_code == 2
