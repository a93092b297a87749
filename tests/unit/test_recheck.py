"""The re-check of lawful contact: each rule from both sides, the vectors of the law, what it reads, the verb."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import holidays
import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from cadencia.cli.app import app
from cadencia.domain.codes import Denial
from cadencia.errors import ConfigError, spoken
from cadencia.recheck import LAWS, recheck, recheck_all
from cadencia.recheck.festivities import easter, of_colombia
from tests.support import law_vectors
from tests.support.law_vectors import COUNTRIES, WORDS, Vector
from tests.support.law_worlds import dossier as dossier_of
from tests.support.law_worlds import of_vector, world

EVER = (datetime(2000, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC))
BOGOTA, MADRID, SANTIAGO, MEXICO = "America/Bogota", "Europe/Madrid", "America/Santiago", "America/Mexico_City"
NEW_YORK, LONDON, LIMA, BUENOS_AIRES = "America/New_York", "Europe/London", "America/Lima", "America/Buenos_Aires"
TIJUANA = "America/Tijuana"
LONG_AGO = "2024-01-01T00:00:00Z"
GRANT = {"granted": True, "at": LONG_AGO, "recorded_at": LONG_AGO, "until": None, "channel": None, "purpose": None}

#: Of each profile where its people live.
HOME = {
    "co-ley2300": BOGOTA,
    "co-estricto": BOGOTA,
    "mx": MEXICO,
    "mx-estricto": MEXICO,
    "pe": LIMA,
    "cl": SANTIAGO,
    "ar": BUENOS_AIRES,
    "es": MADRID,
    "br": "America/Sao_Paulo",
    "us-regf": NEW_YORK,
    "us-tsr": NEW_YORK,
    "uk": LONDON,
}


def utc(wall: str, zone: str = BOGOTA) -> str:
    """Wall time as the dossier writes instants."""
    at = datetime.fromisoformat(wall).replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)
    return at.isoformat().replace("+00:00", "Z")


def contact(name: str, wall: str, profile: str = "co-ley2300", **changed: Any) -> dict[str, Any]:
    """A call that rang and was not answered, unless changed."""
    at = utc(wall, changed.pop("zone", HOME.get(profile, BOGOTA)))
    ended = datetime.fromisoformat(at) + timedelta(milliseconds=900)
    return {
        "id": name,
        "at": at,
        "channel": "voice",
        "purpose": "collection",
        "phone": "n1",
        "phone_role": "titular",
        "debts": ["d1"],
        "creditors": ["x"],
        "ring_s": 0,
        "reach": 1,
        "code": "NOA",
        "inbound": False,
        "agent_ready": False,
        "requested": False,
        "ended_at": ended.isoformat().replace("+00:00", "Z"),
        "profiles": [profile],
        "limits": {},
        "charged": True,
        **changed,
    }


def person(*contacts: dict[str, Any], **changed: Any) -> dict[str, Any]:
    """A debtor who agreed to everything."""
    profile = contacts[0]["profiles"][0] if contacts and contacts[0]["profiles"] else "co-ley2300"
    return {
        "person": "p1",
        "zones": [HOME.get(profile, BOGOTA)],
        "language": "es",
        "contract_signed_at": "2024-01-15T15:00:00Z",
        "blocked": [],
        "debts": [{"id": "d1", "creditor": "x", "role": "titular", "since": None}],
        "consents": [GRANT],
        "preferences": [],
        "exclusions": [],
        "payments": [],
        "contacts": list(contacts),
        **changed,
    }


def rules(dossier: dict[str, Any]) -> list[tuple[str, str]]:
    """Of each violation the contact and the rule."""
    return [(found.contact, found.rule) for found in recheck(dossier, *EVER)]


# -- each rule from both sides -----------------------------------------------------------------------------------------

Sides = tuple[str, str, dict[str, Any], dict[str, Any]]

NOON = "2026-03-04T12:00:00"
TALK: dict[str, Any] = {"reach": 3, "code": "SCP"}
ROLE = [{"id": "d1", "creditor": "x", "role": "referencia", "since": None}]


def _evening(at: str, **kw: Any) -> dict[str, Any]:
    given_at = kw.get("given", "2024-01-15T15:00:01Z")
    weekly = [[[1140, 1260]]] * 5 + [[], []]
    return {"preferences": [{"at": given_at, "recorded_at": given_at, "weekly": weekly, "channels": []}]}


def _line(granted: bool, at: str, **kw: Any) -> dict[str, Any]:
    return {**GRANT, "granted": granted, "at": at, "recorded_at": at, **kw}


def _listed(register: str, **kw: Any) -> dict[str, Any]:
    return {"register": register, "at": LONG_AGO, "until": None, "phone": None, "channels": [], "purposes": [], **kw}


def _limited(days: int, **limits: int) -> dict[str, Any]:
    """One attempt a day over `days` days, the last at noon with the caps."""
    before = [contact(f"a{n}", f"2026-03-{15 - days + n:02}T12:00:00", "ar") for n in range(1, days)]
    return person(*before, contact("now", "2026-03-15T12:00:00", "ar", limits=limits))


def _calls(n: int, **changed: Any) -> list[dict[str, Any]]:
    return [contact(f"a{day}", f"2026-06-0{day}T10:00:00", "us-regf", **changed) for day in range(1, n + 1)]


def both_sides() -> Iterator[Sides]:
    def hours(rule: str, profile: str, bad: str, good: str, **kw: Any) -> Sides:
        return rule, profile, person(contact("now", bad, profile, **kw)), person(contact("now", good, profile, **kw))

    yield hours("CO-3", "co-ley2300", "2026-03-02T06:59:59", "2026-03-02T07:00:00")
    yield hours("CO-3", "co-ley2300", "2026-03-06T18:59:36", "2026-03-06T18:59:35", ring_s=25)
    yield hours("CO-3", "co-ley2300", "2026-03-06T19:00:00", "2026-03-06T18:59:59")
    yield hours("CO-3", "co-ley2300", "2026-03-07T15:00:00", "2026-03-07T14:59:59")
    yield hours("CO-3", "co-estricto", "2026-03-08T12:00:00", "2026-03-09T12:00:00")
    yield hours("CO-3", "co-ley2300", "2026-07-13T10:00:00", "2025-07-14T10:00:00")
    yield hours("MX-HOURS", "mx", "2026-03-08T22:00:00", "2026-03-08T21:59:59")
    yield hours("MX-HOURS", "mx-estricto", "2026-09-16T12:00:00", "2026-09-17T12:00:00")
    yield hours("PE-HOURS", "pe", "2026-03-07T12:00:00", "2026-03-06T19:59:59")
    yield hours("PE-HOURS", "pe", "2026-07-28T12:00:00", "2026-07-30T12:00:00")
    yield hours("CL-HOURS", "cl", "2026-03-07T20:00:00", "2026-03-07T19:59:59")
    yield hours("ES-HOURS", "es", "2026-03-02T08:59:59", "2026-03-02T09:00:00")
    yield hours("US-REGF-TIME", "us-regf", "2026-03-08T07:59:59", "2026-03-08T08:00:00")
    # The edges of summer time.
    yield hours("CL-HOURS", "cl", "2026-04-06T07:59:59", "2026-04-06T08:00:00")
    yield hours("CL-HOURS", "cl", "2026-09-07T07:59:59", "2026-09-07T08:00:00")
    yield hours("ES-HOURS", "es", "2026-03-30T21:00:00", "2026-03-30T20:59:59")
    yield hours("ES-HOURS", "es", "2026-10-26T08:59:59", "2026-10-26T09:00:00")
    yield hours("US-REGF-TIME", "us-regf", "2026-11-01T21:00:00", "2026-11-01T20:59:59")

    def tijuana(wall: str) -> dict[str, Any]:
        return person(contact("now", wall, "mx", zone=TIJUANA), zones=[TIJUANA])

    yield "MX-HOURS", "mx", tijuana("2026-03-08T06:59:59"), tijuana("2026-03-08T07:00:00")
    yield "MX-HOURS", "mx", tijuana("2026-11-01T22:00:00"), tijuana("2026-11-01T21:59:59")

    def abroad(wall: str) -> dict[str, Any]:
        return person(contact("now", wall, zone=MADRID), zones=[MADRID])

    yield "CO-3", "co-ley2300", abroad("2026-03-02T12:59:59"), abroad("2026-03-02T13:00:00")
    yield "CO-3", "co-ley2300", abroad("2026-03-30T13:59:59"), abroad("2026-03-30T14:00:00")

    def agreed(*lines: dict[str, Any], profile: str = "co-ley2300", **kw: Any) -> dict[str, Any]:
        return person(contact("now", NOON, profile, **kw), consents=list(lines))

    before, after = utc("2026-03-04T11:59:59"), utc("2026-03-04T12:00:01")
    yield "CO-2", "co-ley2300", agreed(), agreed(GRANT)
    yield "CO-2", "co-ley2300", agreed(_line(True, after)), agreed(_line(True, utc(NOON)))
    yield "CO-2", "co-ley2300", agreed({**GRANT, "recorded_at": after}), agreed({**GRANT, "recorded_at": before})
    yield "CO-2", "co-ley2300", agreed({**GRANT, "until": utc(NOON)}), agreed({**GRANT, "until": after})
    yield "CO-2", "co-ley2300", agreed({**GRANT, "channel": "sms"}), agreed({**GRANT, "channel": "voice"})
    yield "CO-2", "co-ley2300", agreed({**GRANT, "purpose": "reminder"}), agreed({**GRANT, "purpose": "collection"})
    yield "CO-2", "co-ley2300", agreed(GRANT, _line(False, before)), agreed(GRANT, _line(False, after))
    yield (
        "CO-2", "co-ley2300", agreed(GRANT, _line(False, before)),
        agreed(GRANT, _line(False, utc("2026-03-04T11:00:00")), _line(True, before)),
    )  # fmt: skip
    yield (
        "CONSENT", "us-regf", agreed(_line(False, before), profile="us-regf", zone=BOGOTA), agreed(profile="us-regf"),
    )  # fmt: skip
    yield (
        "PE-COMMERCIAL", "pe", agreed(profile="pe", purpose="commercial"), agreed(GRANT, profile="pe",
        purpose="commercial"),
    )  # fmt: skip

    def talked(wall: str, **kw: Any) -> dict[str, Any]:
        first = contact("first", "2026-03-02T09:00:00", **TALK)
        return person(first, contact("now", wall, **kw))

    yield "CO-4", "co-ley2300", talked("2026-03-09T08:59:59", channel="sms"), talked("2026-03-09T09:00:00",
                                                                                     channel="sms")  # fmt: skip
    yield "CO-5", "co-ley2300", talked("2026-03-02T18:59:59"), talked("2026-03-03T07:00:00")
    asked = {"purpose": "requested_info", "channel": "email"}
    yield (
        "CO-4", "co-ley2300", talked(NOON, **asked), talked(NOON, **asked, requested=True),
    )  # fmt: skip

    def strictly(wall: str, first: dict[str, Any], **kw: Any) -> dict[str, Any]:
        return person(contact("first", "2026-03-02T09:00:00", "co-estricto", **first),
                      contact("now", wall, "co-estricto", **kw))  # fmt: skip

    yield "CO-6", "co-estricto", strictly("2026-03-09T08:59:59", TALK), strictly("2026-03-09T09:00:00", TALK)
    yield "CO-6", "co-estricto", strictly("2026-03-02T18:59:59", {}), strictly("2026-03-03T07:00:00", {})
    yield "CO-6", "co-estricto", strictly("2026-03-02T15:00:00", {}), strictly("2026-03-02T15:00:00", {"inbound": True})

    def wished(wall: str, **kw: Any) -> dict[str, Any]:
        return person(contact("now", wall), **_evening(wall, **kw))

    yield "CO-8", "co-ley2300", wished("2026-03-04T21:00:00"), wished("2026-03-04T20:59:59")
    yield "CO-8", "co-ley2300", wished("2026-03-04T10:00:00"), wished("2026-03-04T10:00:00", given=LONG_AGO)
    yield "CO-3", "co-ley2300", wished("2026-03-04T20:00:00", given="2024-01-15T15:00:00Z"), wished(
        "2026-03-04T20:00:00")  # fmt: skip
    yield (
        "PREFERENCE", "mx", person(contact("now", "2026-03-04T18:59:59", "mx"), **_evening("")),
        person(contact("now", "2026-03-04T19:00:00", "mx"), **_evening("")),
    )  # fmt: skip
    early = contact("now", "2026-03-04T18:59:59", "mx")
    yield (
        "PREFERENCE", "mx", person(early, **_evening("")), person({**early, "requested": True}, **_evening("")),
    )  # fmt: skip
    # A wish that was written down holds from the day that it names.
    wish = _evening("")["preferences"][0]
    from_then = {"preferences": [{**wish, "at": utc("2026-03-04T20:00:01")}]}
    yield "CO-3", "co-ley2300", person(contact("now", "2026-03-04T20:00:00"), **from_then), person(
        contact("now", "2026-03-04T20:00:01"), **from_then)  # fmt: skip
    yield "CO-9", "co-ley2300", person(contact("now", NOON, phone_role="referencia")), person(
        contact("now", NOON, phone_role="codeudor"))  # fmt: skip
    for rule, profile in (("CO-9", "co-ley2300"), ("MX-THIRD", "mx"), ("PE-THIRD", "pe"), ("CL-THIRD", "cl"),
                          ("ES-THIRD", "es"), ("US-THIRD", "us-tsr"), ("AR-THIRD", "ar"), ("BR-THIRD", "br"),
                          ("UK-THIRD", "uk")):  # fmt: skip
        yield rule, profile, person(contact("now", NOON, profile), debts=ROLE), person(contact("now", NOON, profile))
    yield "CO-11", "co-ley2300", person(contact("now", NOON, channel="visit")), person(contact("now", NOON))

    def listed(row: dict[str, Any], **kw: Any) -> dict[str, Any]:
        return person(contact("now", NOON, **kw), exclusions=[row])

    ad = {"purpose": "commercial"}
    yield "CO-13", "co-ley2300", listed(_listed("rne"), **ad), listed(_listed("rne"))
    yield "CO-13", "co-ley2300", listed(_listed("rne", phone="n1"), **ad), listed(_listed("rne", phone="n2"), **ad)
    yield "EXCLUDED", "", listed(_listed("house")), listed(_listed("house", channels=["sms"]))
    yield "EXCLUDED", "", listed(_listed("house", until=after)), listed(_listed("house", until=utc(NOON)))
    yield "EXCLUDED", "", listed(_listed("house", at=before)), listed(_listed("house", at=after))

    def blocked(**kw: Any) -> dict[str, Any]:
        return person(contact("now", NOON), blocked=[{"at": before, "code": "NOC", "lifted_at": None, **kw}])

    yield "BLOCKED", "", blocked(), blocked(at=after)
    yield "BLOCKED", "", blocked(lifted_at=after), blocked(lifted_at=utc(NOON))

    def paid(*, since: str | None = None, **kw: Any) -> dict[str, Any]:
        debts = [{"id": "d1", "creditor": "x", "role": "titular", "since": since}]
        payment = {"at": before, "debt": "d1", "clears": True, **kw}
        return person(contact("now", NOON), debts=debts, payments=[payment])

    yield "PAID", "", paid(), paid(clears=False)
    yield "PAID", "", paid(), paid(at=after)
    yield "PAID", "", paid(since=before), paid(since=utc(NOON))
    yield "PAID", "", paid(), person(
        contact("now", NOON, purpose="requested_info", requested=True),
        payments=[{"at": before, "debt": "d1", "clears": True}])  # fmt: skip

    def meeting(ended_at: str | None) -> dict[str, Any]:
        return person(contact("first", "2026-03-04T11:50:00", ended_at=ended_at), contact("now", NOON))

    yield "OVERLAP", "", meeting(after), meeting(utc(NOON))
    yield "OVERLAP", "", meeting(None), meeting(before)
    talking = contact("first", "2026-03-04T11:50:00", ended_at=after)
    link = {"channel": "sms", "purpose": "requested_info"}
    yield "OVERLAP", "", person(talking, contact("now", NOON, **link)), person(
        talking, contact("now", NOON, **link, requested=True))  # fmt: skip
    yield "HOUSE-DAY", "", _limited(1, attempts_per_day=0), _limited(2, attempts_per_day=1)
    yield "HOUSE-WEEK", "", _limited(7, attempts_per_week=6), _limited(8, attempts_per_week=7)
    yield "ZONE", "", person(contact("now", NOON, "ar"), zones=[]), person(contact("now", NOON, "ar"))
    yield "ZONE", "", person(contact("now", NOON, "ar"), zones=["Mars/Phobos"]), person(contact("now", NOON, "ar"))
    yield "PROFILE", "", person(contact("now", NOON, "nowhere")), person(contact("now", NOON))
    yield "PROFILE", "", person(contact("now", NOON, profiles=[])), person(contact("now", NOON))

    def chilean(wall: str, over: str, *before: tuple[str, str]) -> dict[str, Any]:
        made = [contact(f"a{n}", at, "cl", channel=channel, reach=2) for n, (at, channel) in enumerate(before)]
        return person(*made, contact("now", wall, "cl", channel=over))

    monday, wednesday = "2026-03-02T10:00:00", "2026-03-04T10:00:00"
    yield "CL-CALLS", "cl", chilean("2026-03-07T19:59:59", "voice", (monday, "voice")), chilean(
        "2026-03-09T08:00:00", "voice", (monday, "voice"))  # fmt: skip
    yield "CL-CALLS", "cl", chilean(wednesday, "voice", (monday, "visit")), chilean(
        wednesday, "voice", (monday, "sms"))  # fmt: skip
    yield "CL-GAP", "cl", chilean("2026-03-04T09:59:59", "sms", (monday, "sms")), chilean(
        wednesday, "sms", (monday, "sms"))  # fmt: skip
    yield "CL-MESSAGES", "cl", chilean("2026-03-06T10:00:00", "sms", (monday, "sms"), (wednesday, "email")), chilean(
        "2026-03-09T08:00:00", "sms", (monday, "sms"), (wednesday, "email"))  # fmt: skip

    def again(**kw: Any) -> dict[str, Any]:
        return person(contact("first", monday, "cl", **kw), contact("now", wednesday, "cl"))

    yield "CL-CALLS", "cl", again(reach=2), again(reach=1)
    yield "CL-CALLS", "cl", again(reach=3), again(reach=3, inbound=True)

    def american(calls: list[dict[str, Any]], wall: str = "2026-06-07T12:00:00", **kw: Any) -> dict[str, Any]:
        return person(*calls, contact("now", wall, "us-regf", **kw))

    yield "US-REGF-FREQ", "us-regf", american(_calls(7)), american(_calls(6))
    yield "US-REGF-FREQ", "us-regf", american(_calls(7)), american(_calls(7), "2026-06-08T08:00:00")
    yield "US-REGF-FREQ", "us-regf", american(_calls(7)), american(_calls(7, debts=["d2"]))
    yield "US-REGF-FREQ", "us-regf", american(_calls(7)), american(_calls(7, inbound=True))
    yield "US-REGF-FREQ", "us-regf", american(_calls(7)), american(_calls(7, reach=0, code="OCU"))
    for inbound in (False, True):
        spoke = _calls(1, **TALK, inbound=inbound)
        yield "US-REGF-TALK", "us-regf", american(spoke, "2026-06-07T20:59:59"), american(spoke, "2026-06-08T08:00:00")

    def british(code: str, wall: str, **kw: Any) -> dict[str, Any]:
        first = contact("first", "2026-03-27T11:00:00", "uk", reach=2, code=code)
        return person(first, contact("now", wall, "uk", **kw))

    # 72 hours over the change of clocks.
    yield "UK-72H", "uk", british("ABN", "2026-03-30T11:59:59"), british("ABN", "2026-03-30T12:00:00")
    yield "UK-72H", "uk", british("ABM", "2026-03-28T11:00:00"), british("ABM", "2026-03-28T11:00:00", agent_ready=True)
    yield "UK-24H", "uk", british("AMD", "2026-03-28T10:59:59"), british("AMD", "2026-03-28T11:00:00")
    yield "UK-24H", "uk", british("AMD", "2026-03-28T10:59:59"), british("AMD", "2026-03-28T10:59:59", phone="n2")

    def shared(code: str, wall: str, phone: str = "n1", **kw: Any) -> dict[str, Any]:
        call = {"at": utc("2026-03-27T11:00:00", LONDON), "phone": phone, "code": code}
        return person(contact("now", wall, "uk", **kw), shared=[call])

    ready = shared("AMD", "2026-03-28T10:59:59", agent_ready=True)
    yield "UK-72H", "uk", shared("ABN", "2026-03-30T11:59:59"), shared("ABN", "2026-03-30T12:00:00")
    yield "UK-72H", "uk", shared("ABM", "2026-03-28T11:00:00"), shared("ABM", "2026-03-28T11:00:00", "n2")
    yield "UK-24H", "uk", shared("AMD", "2026-03-27T11:00:00"), shared("AMD", "2026-03-27T10:59:59")
    yield "UK-24H", "uk", shared("AMD", "2026-03-28T10:59:59"), ready


@pytest.mark.parametrize(("rule", "profile", "bad", "good"), list(both_sides()))
def test_a_rule_from_both_sides(rule: str, profile: str, bad: dict[str, Any], good: dict[str, Any]) -> None:
    assert rules(good) == []
    found = recheck(bad, *EVER)
    assert [(each.contact, each.rule, each.profile) for each in found] == [("now", rule, profile)]
    assert found[0].what != spoken(found[0].what, "es")
    json.dumps(dict(found[0].facts))


def test_every_rule_of_every_law_is_broken_somewhere() -> None:
    """Rules that are shared under one id are told apart by their profile; a law without a side is a law untested."""
    assert set(LAWS) <= {profile for _, profile, _, _ in both_sides()} | {"co-estricto"}


# -- the vectors -------------------------------------------------------------------------------------------------------

SHIPPED = [vector for vector in COUNTRIES if all(isinstance(name, str) for name in vector.profiles)]
#: The gate must see these at once; what was recorded this very instant could not act yet, and that is counted.
RACED = {"consent revoked at that instant", "rne from that instant", "house list from that instant"}
#: A contact names the profiles in force; from when a law is in force is the gate's to know.
OUT_OF_SIGHT = {"day before ley 2300"}


@pytest.mark.parametrize("vector", SHIPPED, ids=lambda vector: vector.name)
def test_the_vectors_of_the_law(vector: Vector) -> None:
    case = of_vector(vector)
    report = recheck_all([dossier_of(case)], case.at, case.at + timedelta(microseconds=1))
    assert report.contacts == 1
    blind = vector.name in RACED | OUT_OF_SIGHT
    assert bool(report.violations) == (not vector.allowed and not blind), report.first
    assert report.raced == (vector.name in RACED)


@pytest.mark.parametrize("vector", [v for v in WORDS if v.allowed], ids=lambda vector: vector.name)
def test_what_the_profiles_let_pass_is_lawful(vector: Vector) -> None:
    case = of_vector(vector)
    assert recheck(dossier_of(case), case.at, case.at + timedelta(microseconds=1)) == []


def test_vectors_are_told_apart_and_make_sense() -> None:
    names = [vector.name for vector in law_vectors.VECTORS]
    assert len(names) == len(set(names))
    for vector in law_vectors.VECTORS:
        assert all(touch.at < vector.instant for touch in vector.facts.touches), vector.name
        assert vector.next_instant is None or vector.next_instant > vector.instant, vector.name
        assert vector.deny or (vector.next_at is None and not vector.never), vector.name
    seen = {code for vector in law_vectors.VECTORS for code in vector.deny}
    assert seen == set(Denial)


def test_worlds_are_the_same_for_a_seed_and_hold_both() -> None:
    cases = list(world(7, 400))
    assert cases == list(world(7, 400))
    assert cases != list(world(8, 400))
    lawful = sum(not recheck(dossier_of(case), case.at, case.at + timedelta(microseconds=1)) for case in cases)
    assert 80 < lawful < 320


# -- holidays ----------------------------------------------------------------------------------------------------------


def test_colombian_holidays() -> None:
    for year in range(2020, 2026):
        assert of_colombia(year) == frozenset(holidays.country_holidays("CO", years=year))
    assert date(2026, 7, 13) in of_colombia(2026)
    assert date(2025, 7, 14) not in of_colombia(2025)
    assert [len(of_colombia(year)) for year in (2025, 2026, 2027)] == [17, 19, 19]


def test_easter() -> None:
    known = {2000: (4, 23), 2019: (4, 21), 2024: (3, 31), 2026: (4, 5), 2027: (3, 28), 2038: (4, 25), 2049: (4, 18)}
    assert {year: (easter(year).month, easter(year).day) for year in known} == known
    assert easter(1981) == date(1981, 4, 19)
    assert easter(1954) == date(1954, 4, 18)


# -- what could not act yet --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("ms", "raced"), [(0, 1), (249, 1), (250, 0)])
@pytest.mark.parametrize("what", ["revocation", "exclusion", "payment", "block"])
def test_what_is_recorded_has_a_quarter_of_a_second(what: str, ms: int, raced: int) -> None:
    noon = datetime.fromisoformat(utc(NOON))
    at = (noon - timedelta(milliseconds=ms)).isoformat()
    changed: dict[str, Any] = {
        "revocation": {"consents": [GRANT, _line(False, at)]},
        "exclusion": {"exclusions": [_listed("house", at=at)]},
        "payment": {"payments": [{"at": at, "debt": "d1", "clears": True}]},
        "block": {"blocked": [{"at": at, "code": "NOC", "lifted_at": None}]},
    }[what]
    report = recheck_all([person(contact("now", NOON), **changed)], *EVER)
    assert (report.raced, report.violations) == (raced, 1 - raced)


def test_a_revocation_said_before_and_recorded_after_is_no_violation() -> None:
    said = _line(False, utc("2026-03-04T11:00:00"), recorded_at=utc("2026-03-04T12:00:01"))
    assert rules(person(contact("now", NOON), consents=[GRANT, said])) == []


def test_what_was_given_back_is_no_attempt_of_the_house() -> None:
    first = contact("first", "2026-03-04T11:00:00", code="CNG", reach=0, charged=False)
    assert rules(person(first, contact("now", NOON, limits={"attempts_per_day": 1}))) == []


# -- properties --------------------------------------------------------------------------------------------------------


@st.composite
def lives(draw: st.DrawFn) -> dict[str, Any]:
    """A person with up to eight contacts of any kind over ten days."""
    profile = draw(st.sampled_from(sorted(LAWS)))
    made = []
    for n in range(draw(st.integers(0, 8))):
        day, hour = draw(st.integers(1, 10)), draw(st.sampled_from((7, 9, 12, 14, 19)))
        made.append(
            contact(
                f"a{n}",
                f"2026-06-{day:02}T{hour:02}:00:00",
                profile,
                channel=draw(st.sampled_from(("voice", "voice", "sms", "email", "visit"))),
                purpose=draw(st.sampled_from(("collection", "collection", "requested_info"))),
                reach=draw(st.integers(0, 3)),
                code=draw(st.sampled_from(("NOA", "AMD", "ABN", "OCU", "SCP"))),
                inbound=draw(st.booleans()),
                requested=draw(st.booleans()),
                limits={"attempts_per_day": 1, "attempts_per_week": 3},
            )
        )
    return person(*made, zones=draw(st.sampled_from([[HOME[profile]], [BOGOTA, NEW_YORK], [MADRID]])))


@given(lives(), st.data())
def test_a_contact_less_is_no_violation_more(life: dict[str, Any], data: st.DataObject) -> None:
    if not life["contacts"]:
        assert rules(life) == []
        return
    gone = data.draw(st.integers(0, len(life["contacts"]) - 1))
    rest = [each for n, each in enumerate(life["contacts"]) if n != gone]
    assert set(rules({**life, "contacts": rest})) <= set(rules(life))


@given(lives())
def test_the_order_of_the_contacts_in_the_file_does_not_matter(life: dict[str, Any]) -> None:
    instants = {each["at"]: each for each in life["contacts"]}
    alone = [instants[at] for at in sorted(instants)]
    assert rules({**life, "contacts": alone}) == rules({**life, "contacts": alone[::-1]})


# -- reading and walking -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("broken", "named"),
    [
        ({**person(), "name": "x"}, "name"),
        ({key: value for key, value in person().items() if key != "consents"}, "consents"),
        (person({**contact("a", NOON), "colour": 1}), "contacts[0].colour"),
        (person({key: value for key, value in contact("a", NOON).items() if key != "ring_s"}), "contacts[0].ring_s"),
        (person({**contact("a", NOON), "at": "2026-03-04T12:00:00"}), "contacts[0].at"),
        (person({**contact("a", NOON), "at": "2026-03-04T12:00:00-05:00"}), "contacts[0].at"),
        (person({**contact("a", NOON), "at": 5}), "contacts[0].at"),
        (person({**contact("a", NOON), "channel": "fax"}), "contacts[0].channel"),
        (person({**contact("a", NOON), "reach": 4}), "contacts[0].reach"),
        (person({**contact("a", NOON), "reach": True}), "contacts[0].reach"),
        (person({**contact("a", NOON), "inbound": 0}), "contacts[0].inbound"),
        (person({**contact("a", NOON), "ring_s": -1}), "contacts[0].ring_s"),
        (person({**contact("a", NOON), "limits": {"attempts_per_year": 1}}), "contacts[0].limits.attempts_per_year"),
        (person({**contact("a", NOON), "profiles": "mx"}), "contacts[0].profiles"),
        (person(consents=[{**GRANT, "granted": None}]), "consents[0].granted"),
        (person(debts=[{"id": "d", "creditor": "x", "role": "primo", "since": None}]), "debts[0].role"),
        (person(preferences=[{"at": LONG_AGO, "recorded_at": LONG_AGO, "weekly": [[]] * 6, "channels": []}]), "weekly"),
        (person(payments=7), "payments"),
        (person(blocked=[3]), "blocked[0]"),
    ],
)
def test_what_is_no_dossier_is_told_by_its_key(broken: dict[str, Any], named: str) -> None:
    with pytest.raises(ConfigError) as told:
        recheck(broken, *EVER)
    assert named in told.value.message
    assert named in spoken(told.value.message, "es")


def test_what_may_be_left_out() -> None:
    optional = {"creditors", "agent_ready", "requested", "charged"}
    call = {key: value for key, value in contact("a", NOON).items() if key not in optional}
    given_ = {k: v for k, v in person(call).items() if k not in {"language", "contract_signed_at"}}
    assert rules(given_) == []


def test_only_outbound_contacts_of_the_period_are_judged() -> None:
    night = [contact(f"a{day}", f"2026-03-0{day}T23:00:00") for day in (2, 3, 4)]
    found = recheck(person(*night), datetime.fromisoformat(night[1]["at"]), datetime.fromisoformat(night[2]["at"]))
    assert [each.contact for each in found] == ["a3"]
    assert rules(person(contact("a", "2026-03-02T23:00:00", inbound=True))) == []


def test_a_walk_holds_no_dossier() -> None:
    held = 0

    def many() -> Iterator[dict[str, Any]]:
        nonlocal held
        for n in range(60):
            held += 1
            yield person(contact(f"a{n}", "2026-03-02T23:00:00"), contact(f"b{n}", "2026-03-03T12:00:00"))

    report = recheck_all(many(), *EVER)
    assert (held, report.persons, report.contacts, report.violations) == (60, 60, 120, 60)
    assert report.by_rule == {"CO-3": 60}
    assert [each.contact for each in report.first] == [f"a{n}" for n in range(20)]


# -- the verb ----------------------------------------------------------------------------------------------------------


@pytest.fixture
def tongue(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    for name in ("LC_ALL", "LC_MESSAGES"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("LANG", "en_US.UTF-8")
    return monkeypatch


def written(path: Path, *dossiers: dict[str, Any]) -> str:
    path.write_text("\n".join(json.dumps(each) for each in dossiers) + "\n\n", "utf-8")
    return str(path)


def test_the_verb_is_content(tmp_path: Path, tongue: pytest.MonkeyPatch) -> None:
    told = CliRunner().invoke(app, ["recheck", written(tmp_path / "d.jsonl", person(contact("a", NOON)))])
    assert told.exit_code == 0
    assert told.output == "Persons: 1  Contacts: 1  Violations: 0  Raced: 0\n"


def test_the_verb_takes_a_persons_exported_file(tmp_path: Path, tongue: pytest.MonkeyPatch) -> None:
    manifest, law = {"is": "manifest"}, person(contact("a", "2026-03-02T23:00:00"))
    whole = written(tmp_path / "d.jsonl", manifest, {"is": "dossier", "dossier": {"name": "Ana", "law": law}})
    told = CliRunner().invoke(app, ["recheck", whole])
    assert told.exit_code == 1 and "[CO-3 co-ley2300]" in told.output
    told = CliRunner().invoke(app, ["recheck", written(tmp_path / "days.jsonl", manifest, {"body": {}})])
    assert isinstance(told.exception, ConfigError) and "nobody's" in told.exception.message


def test_the_verb_finds(tmp_path: Path, tongue: pytest.MonkeyPatch) -> None:
    nights = [person(contact(f"a{n}", "2026-03-02T23:00:00")) for n in range(25)]
    file = written(tmp_path / "d.jsonl", *nights)
    told = CliRunner().invoke(app, ["recheck", file])
    assert told.exit_code == 1
    assert told.output.count("[CO-3 co-ley2300]") == 20
    assert told.output.endswith("… and 5 more\n")
    tongue.setenv("LANG", "es_CO.UTF-8")
    told = CliRunner().invoke(app, ["recheck", file, "--json"])
    assert told.exit_code == 1
    found = json.loads(told.output)
    assert (found["violations"], found["by_rule"], len(found["first"])) == (25, {"CO-3": 25}, 20)
    assert "fuera del horario" in found["first"][0]["what"]
    assert CliRunner().invoke(app, ["recheck", file, "--since", "2026-03-04"]).exit_code == 0
    assert CliRunner().invoke(app, ["recheck", file, "--until", "2026-03-03T04:00:00Z"]).exit_code == 0
    assert CliRunner().invoke(app, ["recheck", file, "--until", "2026-03-03T04:00:01Z"]).exit_code == 1


@pytest.mark.parametrize("bad", ["{", "[]", '{"person": "p"}'])
def test_the_verb_names_the_line(bad: str, tmp_path: Path, tongue: pytest.MonkeyPatch) -> None:
    file = tmp_path / "d.jsonl"
    file.write_text(json.dumps(person()) + "\n" + bad + "\n", "utf-8")
    told = CliRunner().invoke(app, ["recheck", str(file)])
    assert isinstance(told.exception, ConfigError)
    assert told.exception.exit_code == 2
    assert f"{file}:2: " in told.exception.message


@pytest.mark.parametrize(
    "words", [["nothing.jsonl"], ["x", "--since", "soon"], ["x", "--since", "2026-03-04", "--until", "2026-03-04"]]
)
def test_the_verb_used_wrongly(words: list[str], tongue: pytest.MonkeyPatch) -> None:
    told = CliRunner().invoke(app, ["recheck", *words])
    assert isinstance(told.exception, ConfigError)
    assert told.exception.hint
