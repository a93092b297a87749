"""The API of consents, exclusions and payments, and of why somebody may be called or not."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parent))
from test_web_api import Room
from web_fakes import people

from cadencia.domain.dialing import Campaign, CampaignSettings, CampaignState
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


async def explained(room: Room) -> Any:
    events = await room.desk.ledgers.contacts("c1", room.desk.clock.now(), room.desk.clock.now())
    client = await room.bearer("compliance")
    answer = await client.get(f"/api/contacts/{events[0].contact_id}/explain")
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
