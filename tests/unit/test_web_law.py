"""The law's part of the API: what is in force, proposals, the second person."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parent))
from test_web_api import Room
from web_fakes import people

from cadencia.config.profiles import load_site
from cadencia.dialer.law import renumbered
from cadencia.domain.access import UserRole
from cadencia.domain.events import Event

CO = "co-ley2300"
TEXT = load_site(None).texts[CO]
VERSION = load_site(None).profiles[CO].version
CHANGED = renumbered(TEXT, VERSION + 1).replace('sat = ["08:00-15:00"]', 'sat = ["09:00-13:00"]')
WHERE = f"/api/law/proposals/{CO}/{VERSION + 1}"


@pytest.fixture
async def room() -> AsyncIterator[Room]:
    made = Room()
    made.users = await people(made.store)
    yield made
    await made.close()


async def told(client: Any) -> dict[str, Any]:
    """The present, when yesterday is found out."""
    for _ in range(100):
        view: dict[str, Any] = (await client.get("/api/law")).json()
        if all(p["yesterday"] for p in view["proposals"]):
            return view
        await asyncio.sleep(0.01)
    raise AssertionError("yesterday is not found out")


@pytest.mark.parametrize("role", [role.value for role in UserRole])
async def test_who_sees_and_who_decides(room: Room, role: str) -> None:
    client = await room.bearer(role)
    sees, decides = role in ("supervisor", "director", "compliance", "admin"), role in ("compliance", "admin")
    answer = await client.get("/api/law")
    assert answer.status_code == (200 if sees else 403)
    if sees:
        assert answer.json()["may_decide"] is decides
    body = {"text": CHANGED, "reason": "Circular 12"}
    assert (await client.post("/api/law/proposals", json=body)).status_code == (200 if decides else 403)
    for verb in ("approve", "reject"):
        allowed = (await client.post(f"{WHERE}/{verb}", json={"reason": "sí"})).status_code
        assert allowed == ({"approve": 409, "reject": 200}[verb] if decides else 403)


async def test_what_ships_is_in_force_with_its_sources(room: Room) -> None:
    view = await told(await room.bearer("director"))
    by_id = {p["version"]["id"]: p for p in view["in_force"]}
    assert set(by_id) == set(load_site(None).profiles)
    assert by_id[CO]["readable"] and by_id[CO]["citations"] and by_id[CO]["confidence"]
    assert view["proposals"] == [] and len(view["history"]) == len(by_id)


async def test_a_change_takes_two_persons_and_can_be_taken_back(room: Room) -> None:
    one, other = await room.bearer("compliance"), await room.bearer("admin")
    posted = await one.post("/api/law/proposals", json={"text": CHANGED, "reason": "Circular 12"})
    assert posted.status_code == 200
    (proposal,) = (await told(one))["proposals"]
    assert proposal["own"] and proposal["in_force"] == VERSION
    effects = {c["path"]: c["effect"] for c in proposal["changes"] if c["path"] != "version"}
    assert effects == {"hours[all].sat": "tightens"}
    assert proposal["yesterday"]["campaigns"] == [] and proposal["yesterday"]["asked"] == 0
    assert not (await told(other))["proposals"][0]["own"]
    refused = await one.post(f"{WHERE}/approve", json={"reason": "sí"}, headers={"Accept-Language": "es"})
    assert refused.status_code == 409
    assert refused.json()["message"] == "Quien propuso un cambio de las reglas legales no puede aprobarlo."
    view = (await other.post(f"{WHERE}/approve", json={"reason": "revisada"})).json()
    assert view["proposals"] == []
    assert next(p["version"]["version"] for p in view["in_force"] if p["version"]["id"] == CO) == VERSION + 1
    back = {"rollback": {"id": CO, "version": VERSION}, "reason": "volver"}
    assert (await other.post("/api/law/proposals", json=back)).status_code == 200
    (proposal,) = (await told(one))["proposals"]
    assert proposal["version"]["version"] == VERSION + 2
    rejected = await one.post(f"/api/law/proposals/{CO}/{VERSION + 2}/reject", json={"reason": "no"})
    assert [v["state"] for v in rejected.json()["history"] if v["version"] == VERSION + 2 and v["id"] == CO] == [
        "rejected"
    ]


async def test_nights_the_newest_first_and_what_they_found(room: Room) -> None:
    client, now = await room.bearer("director"), datetime(2026, 11, 24, 7, 0, tzinfo=UTC)
    assert (await client.get("/api/law/nights")).json() == {"nights": []}
    found = {"rule": "CO-3", "profile": CO, "at": "2026-11-23T23:59:59+00:00", "attempt": "k-1", "campaign": "c1",
             "contact_id": 5, "es": "Fuera de horario", "en": "Outside hours"}  # fmt: skip
    counts = {"persons": 9, "contacts": 12}
    old = {"day": "2026-11-22", **counts, "violations": 0, "by_rule": {}}  # as version 1 told it
    new = {"day": "2026-11-23", **counts, "violations": 1, "by_rule": {"CO-3": 1}, "first": [found]}
    nights = [Event("law.recheck", now - timedelta(days=1), body=old), Event("law.recheck", now, body=new, version=2)]
    await room.store.append(nights)
    told = (await client.get("/api/law/nights")).json()["nights"]
    assert [(n["day"], n["contacts"], n["violations"], len(n["first"])) for n in told] == [
        ("2026-11-23", 12, 1, 1),
        ("2026-11-22", 12, 0, 0),
    ]
    assert told[0]["first"][0] == {**found, "at": "2026-11-23T23:59:59Z"} and told[0]["at"] == "2026-11-24T07:00:00Z"
    assert (await (await room.bearer("engineer")).get("/api/law/nights")).status_code == 403


async def test_what_makes_no_sense_is_refused(room: Room) -> None:
    client = await room.bearer("compliance")
    for body, status in (
        ({"text": "id = 3", "reason": "x"}, 409),
        ({"text": TEXT, "reason": "x"}, 409),  # the version that is in force
        ({"text": CHANGED}, 422),
        ({"reason": "x"}, 422),
        ({"text": CHANGED, "rollback": {"id": CO, "version": 1}, "reason": "x"}, 422),
        ({"rollback": {"id": CO, "version": VERSION}, "reason": "x"}, 409),  # not retired
        ({"rollback": {"id": "nadie", "version": 1}, "reason": "x"}, 409),
    ):
        answer = await client.post("/api/law/proposals", json=body)
        assert answer.status_code == status, body
        assert answer.json()["message"]
    assert (await client.post(f"/api/law/proposals/{CO}/77/approve", json={"reason": "x"})).status_code == 409
