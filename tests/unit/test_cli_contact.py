"""`cadencia contact`, `cadencia preference`, and `cadencia import` of consents and payments, on a store in memory."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from cadencia.cli import contact, law, portfolio, preference
from cadencia.cli.app import app
from cadencia.clock import SystemClock
from cadencia.domain.dialing import Campaign, CampaignSettings, CampaignState, ContactFacts
from cadencia.domain.law import Channel, LookBack, Reach
from cadencia.domain.people import LineType, Money, ObligationIn, PersonIn, PhoneIn, Role
from cadencia.errors import ConfigError, Refused
from cadencia.store.memory import MemoryStore

#: A Tuesday, 09:00 in Bogotá.
NOW = datetime(2026, 11, 24, 14, 0, tzinfo=UTC)
ANA = "cc-1020304050"
RESERVE = ("contact", "reserve", ANA, "--campaign", "c1", "--channel", "sms", "--key", "m1")


class Stopped(SystemClock):
    def now(self) -> datetime:
        return NOW


@pytest.fixture
def store(monkeypatch: pytest.MonkeyPatch) -> MemoryStore:
    made = MemoryStore()
    debt = ObligationIn("OB-1", "Banco", "Tarjeta", Money(5000_00, "COP"), Money(1500_00, "COP"), 30, None, Role.HOLDER)
    person = PersonIn(
        *("CC", "1020304050", "Ana Prueba", "Bogotá", "es", "America/Bogota", None),
        (PhoneIn("+573001112233", LineType.MOBILE, 0),),
        (debt,),
    )

    async def fill() -> None:
        await made.create_campaign(Campaign("c1", "C", CampaignState.RUNNING, CampaignSettings(), NOW), "ana")
        await made.import_people("c1", [person], NOW)

    @asynccontextmanager
    async def opened(_: object) -> AsyncIterator[MemoryStore]:
        yield made

    asyncio.run(fill())
    for module in (law, portfolio, preference):
        monkeypatch.setattr(module, "opened_store", opened)
    for module in (contact, law, portfolio, preference):
        monkeypatch.setattr(module, "SystemClock", Stopped)
    monkeypatch.setenv("LANG", "en_US.UTF-8")
    monkeypatch.delenv("LC_ALL", raising=False)
    return made


def run(*words: str, ends: int = 0) -> str:
    done = CliRunner().invoke(app, list(words))
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        raise done.exception
    assert done.exit_code == ends, done.output
    return done.output


def told(*words: str, ends: int = 0) -> Any:
    return json.loads(run(*words, "--json", ends=ends))


def seen(store: MemoryStore) -> ContactFacts:
    (found,) = asyncio.run(store.contacts("c1", NOW, LookBack(10_000.0)))
    return found


def consented(tmp_path: Path) -> None:
    path = tmp_path / "autorizaciones.csv"
    path.write_text("tipo_doc;num_doc;canal;estado;fecha\nCC;1020304050;sms,correo;otorgada;01/02/2026\n", "utf-8")
    assert told("import", str(path), "--kind", "consents")["new"] == 2


def test_a_message_is_denied_then_allowed_and_its_outcome_told(store: MemoryStore, tmp_path: Path) -> None:
    assert "BLQ-CONSENT" in run(*RESERVE, ends=1)
    assert told(*RESERVE, ends=1)["code"] == "BLQ-CONSENT"
    consented(tmp_path)
    answer = told(*RESERVE)
    assert (answer["allowed"], answer["phone"], answer["repeated"]) == (True, "+573001112233", False)
    assert told(*RESERVE)["repeated"] is True
    assert "+573001112233" in run(*RESERVE)
    run("contact", "outcome", answer["id"], "replied", "--code", "INF")
    assert [(t.reach, t.code, t.inbound) for t in seen(store).facts.touches] == [
        (Reach.TWO_WAY, "INF", False),
        (Reach.TWO_WAY, "INF", True),
    ]
    no = told("contact", "reserve", ANA, "--campaign", "c1", "--channel", "email", "--key", "m2", ends=1)
    assert no["code"] in ("BLQ-CANAL", "BLQ-ESPERA")
    with pytest.raises(Refused, match="No contact was reserved"):
        run("contact", "outcome", "c-unknown", "failed")


def test_who_contacted_us(store: MemoryStore) -> None:
    wrote = ("contact", "inbound", ANA, "--channel", "whatsapp", "--key", "w1")
    assert [told(*wrote)["new"], told(*wrote)["new"]] == [1, 0]
    (touch,) = seen(store).facts.touches
    assert (touch.channel, touch.inbound, touch.code) == (Channel.WHATSAPP, True, "inbound")


def test_a_code_is_no_text(store: MemoryStore, tmp_path: Path) -> None:
    """It is sealed into evidence, which holds nothing of a person."""
    consented(tmp_path)
    number = told(*RESERVE)["id"]
    for code in ("Ana Prueba", "x" * 21):
        with pytest.raises(Refused, match="code"):
            run("contact", "outcome", number, "replied", "--code", code)
        with pytest.raises(Refused, match="code"):
            run("contact", "inbound", ANA, "--channel", "whatsapp", "--key", "w1", "--code", code)
    (touch,) = seen(store).facts.touches
    assert touch.code == ""


def test_a_wish(store: MemoryStore) -> None:
    wish = ("preference", "add", ANA, "--channel", "voice", "--weekly")
    assert told(*wish, "lu-vi 18:00-20:00")["new"] == 1
    (kept,) = seen(store).facts.preferences
    assert (kept.weekly[0], kept.weekly[5], kept.channels) == (((1080, 1200),), (), frozenset({Channel.VOICE}))
    with pytest.raises(ConfigError, match='"lu-xx"'):
        run(*wish, "lu-xx 18:00-20:00")
    with pytest.raises(Refused):
        run("preference", "add", "CC-99", "--weekly", "lu 18:00-20:00")


def test_payments(store: MemoryStore, tmp_path: Path) -> None:
    path = tmp_path / "pagos.csv"
    path.write_text("id_credito;fecha;valor;referencia\nOB-1;23/11/2026;1500;R-1\nOB-9;23/11/2026;1;R-2\n", "utf-8")
    words = ("import", str(path), "--kind", "payments", "--creditor", "Banco")
    assert seen(store).person.owes
    output = run(*words)
    assert "1 are new" in output
    assert "line 3, id_credito: There is no such obligation of that creditor" in output
    assert "pagos.csv.rechazos.csv" in output
    assert told(*words)["new"] == 0
    assert not seen(store).person.owes


@pytest.mark.parametrize(
    "words",
    [
        (*RESERVE[:-1], " "),
        (*RESERVE[:-1], "m" * 201),
        ("contact", "inbound", ANA, "--channel", "sms", "--key", " "),
    ],
)
def test_keys_are_as_the_api_takes_them(store: MemoryStore, words: tuple[str, ...]) -> None:
    with pytest.raises(ConfigError):
        run(*words)
