"""What `cadencia explain` says: of a day rehearsed, and where time alone opens nothing what is needed instead."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from cadencia.cli import explain as verb
from cadencia.compliance.explain import Census, Explained, NumberExplained, Rehearsal, needed, rehearse
from cadencia.compliance.judge import Judge
from cadencia.compliance.rules import Held
from cadencia.config.profiles import builtin
from cadencia.domain.codes import Denial
from cadencia.domain.dialing import CampaignSettings, ContactFacts
from cadencia.domain.law import Channel, Consent, CoolOff, Deny, Facts, Person, Purpose, Reach, Touch, Trigger
from cadencia.domain.people import LineType, Phone, PhoneStatus, Role

MONDAY = datetime(2026, 3, 2, 15, 0, tzinfo=UTC)
PHONE = Phone(id=7, e164="+573001112233", line_type=LineType.MOBILE, position=0, status=PhoneStatus.NEW)
PAYMENT = "something overdue"


def told(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, language: str, found: Explained) -> str:
    for name in ("say", "language"):
        chosen = {"say": lambda es, en: es if language == "es" else en, "language": lambda: language}[name]
        monkeypatch.setattr(verb, name, chosen)
    verb._print(found)
    return capsys.readouterr().out


@pytest.mark.parametrize("code", list(Denial))
def test_every_no_says_what_opens_it(code: Denial) -> None:
    words = needed(code)
    assert words.startswith("only a change of the facts can open it: ") and len(words) > 45
    assert words.es.startswith("solo un cambio de los hechos puede abrirlo: ") and len(words.es) > 50


@pytest.mark.parametrize("profile", ["co-ley2300", "by-number"])
@pytest.mark.parametrize("day", [2, 3])
def test_who_is_in_a_call_now_is_rehearsed_like_anybody(profile: str, day: int) -> None:
    law = builtin()
    pause = CoolOff("pause", Trigger.ABANDONED, hours=1.0, phone=True)
    judge = Judge({**law, "by-number": replace(law["co-ley2300"], id="by-number", cooloffs=(pause,))})
    person = Person(id=1, roles=frozenset({Role.HOLDER}), zones=("America/Bogota",))
    consent = Consent(id=1, granted=True, at=MONDAY - timedelta(days=1), channel=Channel.VOICE)
    call = Touch(MONDAY + timedelta(hours=13), Channel.VOICE, Purpose.COLLECTION, Reach.ATTEMPT, phone_id=PHONE.id)
    known = Facts(consents=(consent,), ring_s=25)
    busy = [replace(known, touches=(call,), in_flight=True), replace(known, touches=(call,))]
    busy += [replace(known, shared=(call,))] if profile == "by-number" else []
    rehearsed = Rehearsal(date(2026, 3, day))
    contacts = [ContactFacts(5, "c1", person, facts, (PHONE,)) for facts in busy]
    rehearse(contacts, CampaignSettings(profiles=(profile,)), judge, rehearsed)
    assert (rehearsed.by_hour, rehearsed.denied) == ({7: len(busy)}, {})


def test_of_today_what_is_left_is_rehearsed() -> None:
    person = Person(id=1, roles=frozenset({Role.HOLDER}), zones=("America/Bogota",))
    consent = Consent(id=1, granted=True, at=datetime(2026, 1, 1, tzinfo=UTC), channel=Channel.VOICE)
    day, contact = Rehearsal(date(2026, 3, 2)), ContactFacts(5, "c1", person, Facts(consents=(consent,)), (PHONE,))
    rehearse([contact], CampaignSettings(), Judge(builtin()), day, now=MONDAY)
    assert (day.by_hour, day.lawful_s) == ({10: 1}, 9 * 3600)


def test_one_contact(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    person = Person(id=1, roles=frozenset(), zones=("America/Bogota",))
    facts = ContactFacts(5, "c1", person, Facts(ring_s=25), (PHONE,))
    numbers = (NumberExplained(PHONE, (Held(Denial.PAID, "paid", None),)),)
    paid = Explained(facts, MONDAY, Deny(Denial.PAID, None, "paid"), numbers)
    said = told(capsys, monkeypatch, "en", paid)
    assert f"\nOnly a change of the facts can open it: {PAYMENT}.\n" in said and "Next" not in said
    assert f"(paid): only a change of the facts can open it: {PAYMENT}" in said
    assert "\nSolo un cambio de los hechos puede abrirlo: que vuelva" in told(capsys, monkeypatch, "es", paid)
    later = replace(paid, verdict=Deny(Denial.HOURS, MONDAY, "co-ley2300:hours"))
    assert "\nNext lawful instant: 2026-03-02 10:00\n" in told(capsys, monkeypatch, "en", later)


def test_a_whole_list(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    counted = Census(MONDAY)
    for verdict in (Deny(Denial.PAID, None, "paid"), Deny(Denial.HOURS, MONDAY, "hours")):
        counted.take(verdict)
    monkeypatch.setattr(verb, "say", lambda es, en: en)
    monkeypatch.setattr(verb, "language", lambda: "en")
    verb._print_census(counted)
    said = capsys.readouterr().out
    assert f"(only a change of the facts can open it: {PAYMENT})" in said and "(the first 2026-03-02 10:00)" in said
