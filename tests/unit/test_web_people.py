"""The API of consents, exclusions and payments, and of why somebody may be called or not."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

sys.path.insert(0, str(Path(__file__).parent))
from test_web_api import Room
from web_fakes import people

from cadencia.compliance.hours import BOGOTA
from cadencia.domain.access import UserRole
from cadencia.domain.dialing import Campaign, CampaignSettings, CampaignState
from cadencia.domain.events import Event
from cadencia.domain.law import Channel, LookBack
from cadencia.domain.people import LineType, Money, ObligationIn, PersonIn, PhoneIn, Role

WHO = {"doc_type": "CC", "doc_number": "1020304050"}


@pytest.fixture
async def room() -> AsyncIterator[Room]:
    made = Room()
    made.users = await people(made.store)
    now = made.desk.clock.now()
    debt = ObligationIn("OB-1", "Banco", "Tarjeta", Money(500_00, "COP"), Money(200_00, "COP"), 30, None, Role.HOLDER)
    person = PersonIn(
        *("CC", "1020304050", "Ana Prueba", "Bogotá", "es", "America/Bogota", now - timedelta(days=9)),
        (PhoneIn("+573001112233", LineType.MOBILE, 0),),
        (debt,),
    )
    await made.desk.ledgers.create_campaign(Campaign("c1", "C", CampaignState.RUNNING, CampaignSettings(), now), "ana")
    await made.desk.ledgers.import_people("c1", [person], now)
    yield made
    await made.close()


async def contact_id(room: Room) -> int:
    now = room.desk.clock.now()
    return (await room.desk.ledgers.contacts("c1", now, LookBack()))[0].contact_id


async def reads(room: Room) -> list[Event]:
    return list(await room.desk.ledgers.events(kinds=("file.read",)))


async def explained(room: Room) -> Any:
    client = await room.bearer("compliance")
    answer = await client.get(f"/api/contacts/{await contact_id(room)}/explain")
    assert "1112233" not in answer.text
    assert "Ana" not in answer.text
    return answer.json()


async def against(room: Room) -> set[str]:
    return {held["code"] for held in (await explained(room))["numbers"][0]["against"]}


async def test_an_opt_out_holds_at_once_and_once(room: Room) -> None:
    client = await room.bearer("compliance")
    assert "BLQ-CONSENT" not in await against(room)
    answer = await client.post("/api/people/opt-out", json={**WHO, "channel": "voice", "how": "carta"})
    assert answer.json() == {"new": 1}
    assert "BLQ-CONSENT" in await against(room)
    told = await explained(room)
    assert told["callable"] is False
    assert told["numbers"][0]["phone"] == "···2233"
    later = (room.desk.clock.now() + timedelta(seconds=1)).isoformat()
    given = {**WHO, "channel": "voice", "at": later, "how": "formulario", "text_version": "v3"}
    for new in (1, 0):
        assert (await client.post("/api/people/consents", json=given)).json() == {"new": new}


async def test_on_a_list_and_off_it(room: Room) -> None:
    client = await room.bearer("compliance")
    for whom in (WHO, {"e164": "+573001112233"}):
        listed = {**whom, "register": "house", "source": "carta"}
        assert (await client.post("/api/people/exclusions", json=listed)).json() == {"new": 1}
        assert "BLQ-EXCLUIDO" in await against(room)
        gone = {**whom, "register": "house", "lift": True}
        assert (await client.post("/api/people/exclusions", json=gone)).json() == {"new": 1}
        assert "BLQ-EXCLUIDO" not in await against(room)


async def test_a_payment_counts_once(room: Room) -> None:
    client = await room.bearer("compliance")
    paid = {"creditor": "Banco", "number": "OB-1", "paid_at": room.desk.clock.now().isoformat(),
            "amount_minor": 200_00, "currency": "COP", "reference": "R1"}  # fmt: skip
    for new in (1, 0):
        assert (await client.post("/api/people/payments", json=paid)).json() == {"new": new}
    assert "BLQ-PAGO" in await against(room)


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("opt-out", {}),
        ("opt-out", {**WHO, "person_id": 1}),
        ("opt-out", {"doc_type": "CC"}),
        ("opt-out", {**WHO, "channel": "fax"}),
        ("exclusions", {**WHO, "e164": "+573001112233", "register": "house"}),
        ("exclusions", {"e164": "3001112233", "register": "house"}),
        ("payments", {"creditor": "Banco", "number": "OB-1", "paid_at": "ayer", "amount_minor": 1}),
    ],
)
async def test_what_is_not_understood_is_refused(room: Room, path: str, body: dict[str, Any]) -> None:
    client = await room.bearer("compliance")
    assert (await client.post(f"/api/people/{path}", json=body)).status_code == 422


async def test_nobody_is_told_whose_document_it_is_not(room: Room) -> None:
    client = await room.bearer("compliance")
    answer = await client.post("/api/people/opt-out", json={"doc_type": "CC", "doc_number": "77"})
    assert answer.status_code == 409
    assert "77" not in answer.text
    assert (await client.get("/api/contacts/999999/explain")).status_code == 404


async def test_a_whole_list(room: Room) -> None:
    client = await room.bearer("director")
    told = (await client.get("/api/campaigns/c1/explain")).json()
    assert told["total"] == told["callable_now"] + sum(row["contacts"] for row in told["denied"]) == 1
    assert await reads(room) == []  # of nobody in particular
    assert (await client.get("/api/campaigns/nobodys/explain")).status_code == 409


async def test_a_whole_list_on_a_day_to_come(room: Room) -> None:
    client = await room.bearer("director")
    for day, callable_, hours in (("2027-03-02", 1, {"7": 1}), ("2027-03-07", 0, {})):  # a Tuesday and a Sunday
        told = (await client.get("/api/campaigns/c1/explain", params={"day": day})).json()
        assert (told["day"], told["total"], told["callable"], told["first_by_hour"]) == (day, 1, callable_, hours)
    assert told["denied"] == {"BLQ-FESTIVO": 1} and told["lawful_s"] == 0
    assert (await client.get("/api/campaigns/c1/explain", params={"day": "mañana"})).status_code == 422


async def test_one_list_is_counted_at_a_time(room: Room) -> None:
    client = await room.bearer("director")
    held, contacts = asyncio.Event(), room.desk.ledgers.contacts

    async def slow(*asked: Any) -> Any:
        await held.wait()
        return await contacts(*asked)

    room.desk.ledgers.contacts = slow  # type: ignore[method-assign]
    first = asyncio.create_task(client.get("/api/campaigns/c1/explain"))
    await asyncio.sleep(0.05)
    refused = await client.get("/api/campaigns/c1/explain", params={"day": "2027-03-02"})
    assert (refused.status_code, refused.json()["code"]) == (409, "CAD-WEB-COUNTING")
    held.set()
    assert (await first).status_code == 200
    assert (await client.get("/api/campaigns/c1/explain")).status_code == 200


async def test_who_asks_about_somebody_is_written_down(room: Room) -> None:
    client = await room.bearer("compliance")
    (told,) = (await client.post("/api/people/explain", json=WHO)).json()
    assert (told["campaign"], told["numbers"][0]["phone"]) == ("c1", "···2233")
    await client.post("/api/people/opt-out", json={**WHO, "channel": "voice"})
    answer = await client.post("/api/people/explain", json=WHO, headers={"Accept-Language": "es"})
    assert "Ana" not in answer.text and "1112233" not in answer.text
    assert answer.json()[0]["needs"] == {
        "es": "solo un cambio de los hechos puede abrirlo: una autorización del canal",
        "en": "only a change of the facts can open it: an authorisation of the channel",
    }
    assert answer.json()[0]["reason"] == "Sin autorización del canal"
    asked = await reads(room)
    person, contact = asked[0].body["person_id"], await contact_id(room)
    assert [e.body for e in asked] == [{"person_id": person, "by": "compliance", "what": "explain"}] * 2
    assert {(e.campaign_id, e.contact_id) for e in asked} == {("c1", contact)}
    await explained(room)
    assert len(await reads(room)) == 3
    unknown = await client.post("/api/people/explain", json={"doc_type": "CC", "doc_number": "77"})
    assert unknown.status_code == 409 and len(await reads(room)) == 3


@pytest.mark.parametrize("role", [role.value for role in UserRole])
async def test_who_may_ask_about_a_person(room: Room, role: str) -> None:
    may = role in ("supervisor", "compliance", "admin")
    answer = await (await room.bearer(role)).post("/api/people/explain", json=WHO)
    assert answer.status_code == (200 if may else 403)
    assert len(await reads(room)) == may


async def test_a_request_tells_the_business_days_that_are_left(room: Room) -> None:
    client = await room.bearer("compliance")
    for kind in ("reclamo", "consulta"):
        await client.post("/api/people/requests", json={**WHO, "kind": kind})
    listed = (await client.get("/api/people/requests")).json()
    assert [(r["kind"], r["days_left"]) for r in listed] == [("consulta", 10), ("reclamo", 15)]


async def test_a_request_about_ones_data(room: Room) -> None:
    client = await room.bearer("compliance")
    asked = {**WHO, "kind": "reclamo", "received_on": "2026-03-16"}
    told = (await client.post("/api/people/requests", json=asked)).json()
    assert (told["due"], told["law"]) == ("2026-04-09", "Ley 1581 de 2012, art. 15")
    assert [r["id"] for r in (await client.get("/api/people/requests")).json()] == [told["id"]]
    longer = (await client.post(f"/api/people/requests/{told['id']}/extend")).json()
    assert longer["extended"]
    closed = await client.post(f"/api/people/requests/{told['id']}/close", json={"outcome": "corregido"})
    assert closed.json()["outcome"] == "corregido"
    assert (await client.get("/api/people/requests")).json() == []
    again = await client.post(f"/api/people/requests/{told['id']}/close", json={"outcome": "otra vez"})
    assert again.status_code == 409


async def test_a_wish_narrows_the_hours_and_a_bad_one_is_told(room: Room) -> None:
    client = await room.bearer("compliance")
    now = room.desk.clock.now().astimezone(ZoneInfo("America/Bogota"))
    other = ("lu", "ma", "mi", "ju", "vi", "sa", "do")[(now.weekday() + 3) % 7]
    wish = {**WHO, "weekly": f"{other} 18:00-19:00", "channels": ["voice"], "how": "carta"}
    assert "BLQ-PREFERENCIA" not in await against(room)
    assert (await client.post("/api/people/preferences", json=wish)).json() == {"new": 1}
    (contact,) = await room.desk.ledgers.contacts("c1", room.desk.clock.now(), LookBack())
    (kept,) = contact.facts.preferences
    assert kept.weekly[(now.weekday() + 3) % 7] == ((18 * 60, 19 * 60),)
    assert kept.channels == {Channel.VOICE}
    assert (await explained(room))["callable"] is False
    bad = await client.post("/api/people/preferences", json={**WHO, "weekly": "lu-xx 18:00-20:00"})
    assert (bad.status_code, bad.json()["code"], bad.json()["field"]) == (422, "CAD-WEB-INVALID", "weekly")
    assert "lu-xx" in bad.json()["message"]
    assert "lu-vi" in bad.json()["hint"]


async def test_dates_that_cannot_be_meant_are_refused(room: Room) -> None:
    client = await room.bearer("compliance")
    today = room.desk.clock.now().astimezone(BOGOTA).date()
    for on in (today + timedelta(days=1), today - timedelta(days=400), date.min, date.max):
        body = {**WHO, "kind": "consulta", "received_on": on.isoformat()}
        assert (await client.post("/api/people/requests", json=body)).status_code == 409, on
    for day in (today - timedelta(days=1), today + timedelta(days=400), date.min, date.max):
        answer = await client.get("/api/campaigns/c1/explain", params={"day": day.isoformat()})
        assert answer.status_code == 409, day
    assert (await client.get("/api/people/requests")).json() == []
    assert (await client.post(f"/api/people/requests/{10**25}/extend")).status_code == 422
    assert (await client.get(f"/api/contacts/{10**25}/explain")).status_code == 422
