"""The API of contacts that other systems make: asked before, told afterwards."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

sys.path.insert(0, str(Path(__file__).parent))
from test_web_api import Room
from web_fakes import people

from cadencia.clock import Clock, SystemClock
from cadencia.domain.dialing import Campaign, CampaignSettings, CampaignState
from cadencia.domain.law import Channel
from cadencia.domain.ledger import ConsentIn
from cadencia.domain.people import LineType, Money, ObligationIn, PersonIn, PhoneIn, Role

WHO = {"doc_type": "CC", "doc_number": "1020304050"}
SMS = {**WHO, "campaign": "c1", "channel": "sms"}

#: A Tuesday, 10:00 in Bogotá.
NOW = datetime(2026, 11, 24, 15, 0, tzinfo=UTC)


class Stopped(SystemClock):
    """Tells one time until it is set."""

    at = NOW

    def now(self) -> datetime:
        return self.at


@pytest.fixture
async def room() -> AsyncIterator[Room]:
    made = Room()
    made.users = await people(made.store)
    clock: Clock = Stopped()
    made.desk.clock = clock
    debt = ObligationIn("OB-1", "Banco", "Tarjeta", Money(500_00, "COP"), Money(200_00, "COP"), 30, None, Role.HOLDER)
    person = PersonIn(
        *("CC", "1020304050", "Ana Prueba", "Bogotá", "es", "America/Bogota", NOW - timedelta(days=9)),
        (PhoneIn("+573001112233", LineType.MOBILE, 0),),
        (debt,),
    )
    ledgers = made.desk.ledgers
    await ledgers.create_campaign(Campaign("c1", "C", CampaignState.RUNNING, CampaignSettings(), NOW), "ana")
    await ledgers.import_people("c1", [person], NOW)
    number = await ledgers.person_id("CC", "1020304050")
    for channel in (Channel.SMS, Channel.EMAIL):
        await ledgers.change([ConsentIn(number, True, NOW - timedelta(days=9), channel)], "ana", NOW)
    yield made
    await made.close()


def ticks(room: Room, **span: float) -> None:
    assert isinstance(room.desk.clock, Stopped)
    room.desk.clock.at += timedelta(**span)


async def post(client: httpx.AsyncClient, path: str, body: dict[str, Any]) -> Any:
    answer = await client.post(path, json=body)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def test_a_message_is_asked_for_sent_and_answered(room: Room) -> None:
    client = await room.bearer("supervisor")
    yes = await post(client, "/api/contacts", {**SMS, "key": "m1"})
    assert yes == {
        "id": yes["id"],
        "allowed": True,
        "at": NOW.isoformat(),
        "phone": "+573001112233",
        "repeated": False,
    }
    ticks(room, minutes=1)
    assert await post(client, "/api/contacts", {**SMS, "key": "m1"}) == {**yes, "repeated": True}
    outcome = f"/api/contacts/{yes['id']}/outcome"
    for became in ("delivered", "replied"):
        assert await post(client, outcome, {"outcome": became}) == {"id": yes["id"], "outcome": became}
    ticks(room, minutes=1)
    no = await post(client, "/api/contacts", {**SMS, "key": "m2"})
    assert (no["allowed"], no["code"], no["rule"]) == (False, "BLQ-ESPERA", "co-ley2300:co-5-una-vez-al-dia")
    assert no["next_at"] == "2026-11-25T12:00:00+00:00"  # tomorrow at 07:00 in Bogotá
    assert no["reason"]
    mail = await post(client, "/api/contacts", {**SMS, "channel": "email", "key": "m3"})
    assert mail["code"] in ("BLQ-ESPERA", "BLQ-CANAL")


async def test_the_reason_is_in_the_users_language(room: Room) -> None:
    client = await room.bearer("compliance")
    ticks(room, hours=10)
    no = await post(client, "/api/contacts", {**SMS, "key": "m1"})
    assert (no["code"], no["reason"]) == ("BLQ-HORARIO", "Fuera de horario")


async def test_a_call_by_hand_and_an_opt_out(room: Room) -> None:
    client = await room.bearer("supervisor")
    call = await post(client, "/api/contacts", {**SMS, "channel": "voice", "e164": "+573001112233", "key": "k"})
    assert call["allowed"]
    busy = await post(client, "/api/contacts", {**SMS, "key": "m1"})
    assert busy["code"] == "BLQ-EN_CURSO"
    await post(client, f"/api/contacts/{call['id']}/outcome", {"outcome": "conversation", "code": "NOC"})
    ticks(room, days=9)
    assert (await post(client, "/api/contacts", {**SMS, "channel": "voice", "key": "k2"}))["code"] == "BLQ-CONSENT"
    assert (await post(client, "/api/contacts", {**SMS, "key": "m2"}))["allowed"]


async def test_who_contacted_us(room: Room) -> None:
    client = await room.bearer("supervisor")
    wrote = {**WHO, "channel": "whatsapp", "key": "in-1", "code": "INF"}
    for new in (1, 0):
        assert await post(client, "/api/contacts/inbound", wrote) == {"new": new}
    ticks(room, days=1)
    assert (await post(client, "/api/contacts", {**SMS, "key": "m1"}))["code"] == "BLQ-CANAL"


@pytest.mark.parametrize(
    ("path", "body", "status", "code"),
    [
        ("/api/contacts", {**SMS, "key": ""}, 422, "CAD-WEB-INVALID"),
        ("/api/contacts", {**SMS, "key": "k", "e164": "3001112233"}, 422, "CAD-WEB-INVALID"),
        ("/api/contacts", {**SMS, "key": "k", "channel": "fax"}, 422, "CAD-WEB-INVALID"),
        ("/api/contacts", {**SMS, "key": "k", "campaign": "c9"}, 409, "CAD-REFUSED"),
        ("/api/contacts", {**SMS, "key": "k", "doc_number": "99"}, 409, "CAD-REFUSED"),
        ("/api/contacts/c-unknown/outcome", {"outcome": "delivered"}, 409, "CAD-REFUSED"),
        ("/api/contacts/c-unknown/outcome", {"outcome": "read"}, 422, "CAD-WEB-INVALID"),
        ("/api/contacts/inbound", {"channel": "sms", "key": "k"}, 422, "CAD-WEB-INVALID"),
    ],
)
async def test_what_is_wrong_is_told(room: Room, path: str, body: dict[str, Any], status: int, code: str) -> None:
    client = await room.bearer("supervisor")
    answer = await client.post(path, json=body)
    assert (answer.status_code, answer.json()["code"]) == (status, code), answer.text


async def test_a_key_of_another_contact_is_refused(room: Room) -> None:
    client = await room.bearer("supervisor")
    await post(client, "/api/contacts", {**SMS, "key": "m1"})
    answer = await client.post("/api/contacts", json={**SMS, "channel": "email", "key": "m1"})
    assert (answer.status_code, answer.json()["code"]) == (409, "CAD-REFUSED")
    assert answer.json()["hint"]
