"""The sections of a profile's file, as the rules they mean. What is not known there is a fault, never passed over."""

from __future__ import annotations

import re
import unicodedata
import warnings
from collections.abc import Callable, Mapping
from typing import Any, Protocol, TypeVar
from zoneinfo import ZoneInfo

from cadencia.config.calendars import NAME, PLACE
from cadencia.config.tables import Must, Table, spelled
from cadencia.domain.codes import DISPOSITIONS, Outcome
from cadencia.domain.law import (
    Abandonment,
    Calendar,
    CallerId,
    Channel,
    Confidence,
    ConsentNeed,
    CoolOff,
    Hours,
    Intervals,
    Limit,
    Machines,
    Party,
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
from cadencia.errors import Words

_CHANNELS = spelled(Channel)
_PURPOSES = spelled(Purpose)
_CONFIDENCES = spelled(Confidence)
_CODES = {code: code for code in (*(outcome.value for outcome in Outcome), *DISPOSITIONS)}
_WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


def _words(*words: str) -> dict[str, str]:
    return {word: word for word in words}


_FORMULAS = _words("abandoned_over_live", "acr")
_MEASURED = _words("answer", "greeting_end")
_MESSAGES = _words("off", "consent_gated", "required")
_COUNTED = _words("campaign", "call_centre", "both")
_VOICEMAIL = _words("none", "limited_content")
_ATTESTATIONS = _words("A", "B", "C")
_PAUSES = _words("payment")

#: Longest period of a limit or a cool-off: nothing looks further back.
_YEAR_DAYS = 366
_YEAR_H = _YEAR_DAYS * 24


class _Named(Protocol):
    @property
    def id(self) -> str: ...


N = TypeVar("N", bound=_Named)


def read_profile(root: Table, sha256: str, calendars: Mapping[str, Calendar]) -> Profile:
    """The profile that a file holds; what is wrong in it is noted in the file.

    Args:
        sha256: of the file, hexadecimal.
        calendars: those it may name.
    """
    id_, version = root.text("id", pattern=NAME, like="co-ley2300"), root.whole("version", 1, 1_000_000)
    supersedes = root.text("supersedes", "", pattern=f"{NAME}@[0-9]+", like="co-ley2300@1")
    purposes = frozenset(root.choices("purposes", _PURPOSES))
    valid_from, valid_to = root.day("valid_from", None), root.day("valid_to", None)
    if valid_from is not None and valid_to is not None and valid_to < valid_from:
        root.wrong("valid_to", "must not be before valid_from", "no puede ser anterior a valid_from")
    consent = _consent(root.table("channels", needed=True))
    profile = Profile(
        id=id_,
        version=version,
        jurisdiction=root.text("jurisdiction", pattern=PLACE, like="CO or US-CA"),
        language=root.text("language", pattern="[a-z]{2}", like="es"),
        title=root.text("title"),
        sha256=sha256,
        citations=root.words("citations"),
        confidence=root.choice("confidence", _CONFIDENCES),
        hours=tuple(_hours(table, calendars) for table in root.tables("hours", needed=True)),
        channels=frozenset(consent),
        consent=consent,
        purposes=purposes,
        parties=_parties(root.table("parties", needed=True)),
        valid_from=valid_from,
        valid_to=valid_to,
        supersedes=supersedes,
        exempt=_exempt(root, "exempt", purposes),
        exempt_hours=_exempt(root, "exempt_hours", purposes),
        registers=_registers(root.table("registers"), purposes),
        preference_after_contract=root.flag("preference_after_contract", False),
        limits=_each(root.tables("limits"), _limit),
        cooloffs=_each(root.tables("cooloffs"), _cooloff),
        abandonment=_abandonment(root.table("abandonment")),
        machines=_machines(root.table("machines")),
        script=_script(root.table("script")),
        recording=_recording(root.table("recording")),
        retention=_retention(root.table("retention")),
        caller_id=_caller_id(root.table("caller_id")),
    )
    root.close()
    return profile


def _consent(table: Table) -> dict[Channel, ConsentNeed]:
    given = {channel: name for name, channel in _CHANNELS.items() if name in table}
    needs = spelled(ConsentNeed)
    if not given:
        table.wrong(
            "",
            "opens no channel",
            "no abre ningún canal",
            Words(
                'Write what each channel needs: voice = "opt_in".', 'Escriba qué exige cada canal: voice = "opt_in".'
            ),
        )
    consent = {channel: table.choice(name, needs) for channel, name in given.items()}
    table.knows(*_CHANNELS)
    table.close()
    return consent


def _exempt(root: Table, key: str, purposes: frozenset[Purpose]) -> frozenset[Purpose]:
    named = frozenset(root.choices(key, _PURPOSES, ()))
    for purpose in sorted(named - purposes):
        root.wrong(key, f"names {purpose}, which purposes does not", f"nombra {purpose}, que no está en purposes")
    return named


def _hours(table: Table, calendars: Mapping[str, Calendar]) -> Hours:
    mon, tue, wed, thu, fri, sat, sun = (_weekday(table, day) for day in _WEEKDAYS)
    # A profile without holidays says so: "none" is no calendar's name.
    known: dict[str, Calendar | None] = {**calendars, "none": None}
    hours = Hours(
        weekly=(mon, tue, wed, thu, fri, sat, sun),
        zones=table.each("zones", _zone),
        calendar=table.choice("calendar", known),
        margin_s=table.number("margin_s", 0, 3600, 0.0),
        preference_extends=table.flag("preference_extends", False),
        channels=frozenset(table.choices("channels", _CHANNELS, ())),
    )
    table.close()
    return hours


def _weekday(table: Table, key: str) -> Intervals:
    closed = -1

    def read(value: Any) -> tuple[int, int]:
        nonlocal closed
        start, end = _interval(value)
        if start <= closed:  # two that touch would be one, and may be a slip of the pen
            raise Must(
                f"must begin after the one before it has ended: {value!r}",
                f"debe empezar después de que termine el anterior: {value!r}",
            )
        closed = end
        return start, end

    return table.each(key, read, may_be_empty=True)


def _interval(value: Any) -> tuple[int, int]:
    if not isinstance(value, str) or not (found := re.fullmatch(r"(\d\d):(\d\d)-(\d\d):(\d\d)", value, re.ASCII)):
        raise Must(f'must be such as "07:00-19:00", not {value!r}', f'debe ser como "07:00-19:00", no {value!r}')
    from_h, from_m, to_h, to_m = map(int, found.groups())
    start, end = from_h * 60 + from_m, to_h * 60 + to_m
    if from_m > 59 or to_m > 59 or start >= 24 * 60 or end > 24 * 60:
        raise Must(f"must be hours of a day, not {value!r}", f"debe tener horas de un día, no {value!r}")
    if end <= start:
        raise Must(f"must end after it begins: {value!r}", f"debe terminar después de empezar: {value!r}")
    return start, end


def _zone(value: Any) -> str:
    if value == "debtor":
        return "debtor"
    try:
        return ZoneInfo(value).key
    except (TypeError, ValueError, OSError, KeyError, AttributeError):  # OSError: "America" is a folder
        raise Must(
            f'must be "debtor" or a time zone such as "America/Bogota", not {value!r}',
            f'debe ser "debtor" o una zona horaria como "America/Bogota", no {value!r}',
        ) from None


def _parties(table: Table) -> dict[Role, Party]:
    found = {}
    for name, role in spelled(Role).items():  # all of them: who is forgotten would be denied without a word
        each = table.table(name, needed=True)
        if name in table:
            found[role] = Party(dialable=each.flag("dialable"), share_debt_info=each.flag("share_debt_info"))
            each.close()
    table.close()
    return found


def _registers(table: Table, purposes: frozenset[Purpose]) -> dict[Purpose, tuple[str, ...]]:
    found = {purpose: table.each(name, _register) for name, purpose in _PURPOSES.items() if name in table}
    for purpose in sorted(found.keys() - purposes):
        table.wrong(purpose, "is not in purposes", "no está en purposes")
    table.knows(*_PURPOSES)
    table.close()
    return found


def _register(value: Any) -> str:
    if not isinstance(value, str) or not re.fullmatch(NAME, value):
        raise Must(f"must be a name such as rne, not {value!r}", f"debe ser un nombre como rne, no {value!r}")
    return value


def _each(tables: list[Table], read: Callable[[Table], N]) -> tuple[N, ...]:
    """What several sections mean; their ids differ."""
    found: list[N] = []
    for table in tables:
        made = read(table)
        if made.id and any(made.id == other.id for other in found):
            table.wrong("id", f"is there twice: {made.id!r}", f"está dos veces: {made.id!r}")
        table.close()
        found.append(made)
    return tuple(found)


def _id(table: Table) -> str:
    return table.text("id", pattern=NAME, like="co-5")


def _limit(table: Table) -> Limit:
    per = table.choice("per", spelled(Period))
    if per is Period.WEEK:
        n = 1
        if table.whole("n", 1, 1, 1) != 1:
            table.wrong("n", "must be 1 with per = week", "debe ser 1 con per = week")
    else:
        n = table.whole("n", 1, _YEAR_DAYS if per is Period.LOCAL_DAYS else _YEAR_H)
    return Limit(
        id=_id(table),
        scope=table.choice("scope", spelled(Scope)),
        counts=table.choice("counts", spelled(Reach)),
        max=table.whole("max", 1, 10_000),
        per=per,
        n=n,
        channels=frozenset(table.choices("channels", _CHANNELS, ())),
        excludes=frozenset(table.choices("excludes", _CODES, ())),
        inbound_counts=table.flag("inbound_counts", False),
        gap_h=table.number("gap_h", 0, _YEAR_H, 0.0),
        citation=table.text("citation"),
        confidence=table.choice("confidence", _CONFIDENCES),
    )


def _cooloff(table: Table) -> CoolOff:
    hours, days = table.number("hours", 0.01, _YEAR_H, 0.0), table.whole("local_days", 1, _YEAR_DAYS, 0)
    if ("hours" in table) is ("local_days" in table):
        mend = Words("Give hours or local_days, and not both.", "Escriba hours o local_days, y no ambos.")
        table.wrong("", "must last", "debe durar", mend)
    return CoolOff(
        id=_id(table),
        after=table.choice("after", spelled(Trigger)),
        reaches=table.choice("reaches", spelled(Reaches)),
        hours=hours,
        local_days=days,
        unless=table.choice("unless", spelled(Unless), Unless.NEVER),
        debt=table.flag("debt", False),
        phone=table.flag("phone", False),
        citation=table.text("citation"),
        confidence=table.choice("confidence", _CONFIDENCES),
    )


def _abandonment(table: Table) -> Abandonment:
    known = Abandonment()
    table.knows("cap")
    found = Abandonment(
        cap=table.number("cap", 0, 1) if "cap" in table else None,
        window_h=table.whole("window_h", 1, _YEAR_H, known.window_h),
        scope=table.choice("scope", _COUNTED, known.scope),
        formula=table.choice("formula", _FORMULAS, known.formula),
        connect_within_s=table.number("connect_within_s", 0, 60, known.connect_within_s),
        measured_from=table.choice("measured_from", _MEASURED, known.measured_from),
        message=table.choice("message", _MESSAGES, known.message),
        min_ring_s=table.number("min_ring_s", 0, 120, known.min_ring_s),
        citation=table.text("citation", ""),
    )
    table.close()
    return found


def _machines(table: Table) -> Machines:
    found = Machines(
        allowed=table.flag("allowed", True),
        false_positives_count=table.flag("false_positives_count", True),
        voicemail_message=table.choice("voicemail_message", _VOICEMAIL, "none"),
    )
    table.close()
    return found


def _script(table: Table) -> Script:
    def phrases(key: str) -> tuple[Phrase, ...]:
        return _each(table.tables(key), _phrase)

    found = Script(
        forbidden_questions=phrases("forbidden_questions"),
        forbidden_phrases=phrases("forbidden_phrases"),
        mandatory_statements=phrases("mandatory_statements"),
    )
    table.close()
    return found


def _phrase(table: Table) -> Phrase:
    return Phrase(
        id=_id(table),
        es=table.text("es"),
        en=table.text("en"),
        patterns=table.each("patterns", _pattern),
        citation=table.text("citation", ""),
    )


def _pattern(value: Any) -> str:
    if not isinstance(value, str) or not value:
        raise Must("must be a text in quotes", "debe ser un texto entre comillas")
    if any(unicodedata.combining(sign) for sign in unicodedata.normalize("NFD", value)):
        # It is searched for in a text whose accents were taken off: it would never be found, and nobody would notice.
        raise Must(f"must be without accents: {value!r}", f"debe ir sin tildes: {value!r}")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            re.compile(value, re.IGNORECASE)
    except (re.error, OverflowError, RecursionError, Warning) as error:
        raise Must(
            f"is no regular expression: {value!r} ({error})", f"no es una expresión regular: {value!r} ({error})"
        ) from None
    return value


def _recording(table: Table) -> Recording:
    found = Recording(
        required=table.flag("required", False),
        announce=table.flag("announce", False),
        pause_on=table.choices("pause_on", _PAUSES, ()),
    )
    table.close()
    return found


def _retention(table: Table) -> Retention:
    def days(key: str) -> int:
        return table.whole(key, 0, 36_600, 0)

    found = Retention(
        attempts=days("attempts"),
        recordings=days("recordings"),
        consents=days("consents"),
        decisions=days("decisions"),
    )
    table.close()
    return found


def _caller_id(table: Table) -> CallerId:
    found = CallerId(
        hidden_forbidden=table.flag("hidden_forbidden", False),
        must_be_returnable=table.flag("must_be_returnable", False),
        attestation_min=table.choice("attestation_min", _ATTESTATIONS, ""),
    )
    table.close()
    return found
