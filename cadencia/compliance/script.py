"""What a script, a template or a note says, held against what the profiles forbid and demand. Pure."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache

from cadencia.compliance.stack import Stack
from cadencia.domain.law import Phrase

#: Signs without width: they hide no forbidden word.
_INVISIBLE = frozenset("\u00ad\u200b\u200c\u200d\u2060\ufeff")
_QUOTES = str.maketrans("‘’´`“”«»", "''''\"\"\"\"")

#: "Told unasked": what follows to the end of the sentence is the person's own account (Ley 2300 forbids to ask for it).
_VOLUNTEERED = re.compile(r"\b(espontane[oa](mente)?|volunteered)\s*:[^.;?!]*", re.IGNORECASE)


class Kind(StrEnum):
    """What is wrong with a text."""

    QUESTION = "forbidden_question"
    PHRASE = "forbidden_phrase"
    MISSING = "missing_statement"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is said and must not be, or must be said and is not.

    Attributes:
        rule: "profile:phrase".
        told: what to do, in the language asked for.
        start, end: offsets in the text; both 0 of what is missing.
        line, column: of the start, both from 1; 0 of what is missing.
        said: the very words of the text; empty of what is missing.
    """

    kind: Kind
    rule: str
    told: str
    citation: str
    start: int = 0
    end: int = 0
    line: int = 0
    column: int = 0
    said: str = ""


def lint(text: str, stack: Stack, language: str) -> tuple[Finding, ...]:
    """Everything in a script or template that the profiles forbid, in order, then what they demand and do not find.

    Of stacked profiles all hold. What several of them say alike of the same words is told once, by the first.

    Args:
        language: "es" or "en", of what is told; texts in any language are searched by all patterns.
    """
    folded, places = _fold(text)
    return (*_forbidden(text, folded, places, stack, language), *_missing(folded, stack, language))


def lint_note(text: str, stack: Stack, language: str) -> tuple[Finding, ...]:
    """What a note of a conversation shows of forbidden questions and phrases.

    A note need not hold the mandatory statements. The answer to a forbidden question may be noted if the person told it
    unasked, after the word "espontáneo:" (or "volunteered:") and in the same sentence.
    """
    folded, places = _fold(text)
    free = [match.span() for match in _VOLUNTEERED.finditer(folded)]
    kept = _Excused(free, places)
    return tuple(f for f in _forbidden(text, folded, places, stack, language) if not kept.excuses(f))


def phrases(stack: Stack) -> tuple[tuple[Phrase, ...], tuple[Phrase, ...]]:
    """What a screen shows: the statements to say; the questions and phrases to leave out. Each text once."""
    say = (s for p in stack.profiles for s in p.script.mandatory_statements)
    dont = (
        s for p in stack.profiles for group in (p.script.forbidden_questions, p.script.forbidden_phrases) for s in group
    )
    return tuple({(s.es, s.en): s for s in say}.values()), tuple({(s.es, s.en): s for s in dont}.values())


class _Excused:
    """Stretches of the text that tell what the person said unasked."""

    def __init__(self, spans: list[tuple[int, int]], places: list[int]) -> None:
        self._spans = [(places[start], places[end - 1]) for start, end in spans]

    def excuses(self, finding: Finding) -> bool:
        return finding.kind is Kind.QUESTION and any(a <= finding.start <= b for a, b in self._spans)


def _fold(text: str) -> tuple[str, list[int]]:
    """The text as patterns expect it, without accents and with single spaces; and where each sign came from."""
    signs: list[str] = []
    places: list[int] = []
    for place, sign in enumerate(text):
        if sign in _INVISIBLE:
            continue
        if sign.isspace():
            if signs and signs[-1] != " ":
                signs.append(" ")
                places.append(place)
            continue
        for part in unicodedata.normalize("NFKD", sign.translate(_QUOTES)):
            if not unicodedata.combining(part):
                signs.append(part)
                places.append(place)
    return "".join(signs), places


def _forbidden(text: str, folded: str, places: list[int], stack: Stack, language: str) -> list[Finding]:
    found: dict[tuple[Kind, str, int, int], Finding] = {}
    for profile in stack.profiles:
        for kind, group in (
            (Kind.QUESTION, profile.script.forbidden_questions),
            (Kind.PHRASE, profile.script.forbidden_phrases),
        ):
            for phrase in group:
                for first, last in _spans(phrase, folded):
                    start, end = places[first], places[last - 1] + 1
                    line = text.count("\n", 0, start) + 1
                    column = start - (text.rfind("\n", 0, start) + 1) + 1
                    finding = Finding(
                        kind,
                        f"{profile.id}:{phrase.id}",
                        phrase.es if language == "es" else phrase.en,
                        phrase.citation,
                        start,
                        end,
                        line,
                        column,
                        text[start:end],
                    )
                    found.setdefault((kind, phrase.id, start, end), finding)
    return sorted(found.values(), key=lambda f: (f.start, f.end, f.rule))


def _missing(folded: str, stack: Stack, language: str) -> Iterator[Finding]:
    told: set[tuple[str, ...]] = set()
    for profile in stack.profiles:
        for phrase in profile.script.mandatory_statements:
            if phrase.patterns in told or any(_compiled(p).search(folded) for p in phrase.patterns):
                continue
            told.add(phrase.patterns)
            words = phrase.es if language == "es" else phrase.en
            yield Finding(Kind.MISSING, f"{profile.id}:{phrase.id}", words, phrase.citation)


def _spans(phrase: Phrase, folded: str) -> list[tuple[int, int]]:
    """Where a phrase is found; what its patterns find overlapping is one finding."""
    hits = sorted(m.span() for p in phrase.patterns for m in _compiled(p).finditer(folded) if m.end() > m.start())
    joined: list[tuple[int, int]] = []
    for start, end in hits:
        if joined and start < joined[-1][1]:
            joined[-1] = joined[-1][0], max(end, joined[-1][1])
        else:
            joined.append((start, end))
    return joined


@lru_cache(maxsize=1024)
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern, re.IGNORECASE)
