"""The cards of the compliance page in a real browser: what the nights found, lawful time, why not, requests."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import pytest
import pytest_asyncio
from playwright.async_api import Browser, BrowserContext, Locator, Page, expect

from cadencia.clock import Anchor, SimulatedClock
from cadencia.dialer.views import CampaignView, FloorView
from cadencia.domain.dialing import Campaign, CampaignSettings, CampaignState
from cadencia.domain.events import Event
from cadencia.domain.law import Channel
from cadencia.domain.ledger import ConsentIn
from cadencia.domain.requests import RequestKind
from cadencia.testing.floor import people

if TYPE_CHECKING:
    from tests.acceptance.conftest import ServedFloor

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="module")]

#: A Wednesday at noon in Bogotá.
NOON = datetime(2026, 11, 25, 17, 0, tzinfo=UTC)
CLOSES = NOON + timedelta(hours=7)


@pytest_asyncio.fixture(loop_scope="module")
async def wednesday(floor: ServedFloor) -> AsyncIterator[ServedFloor]:
    """Twelve campaigns, a list of 40, forty requests, at a known hour."""
    made = type(floor)(SimulatedClock(Anchor(NOON, time.monotonic(), 1.0)))
    made.store, made.users = floor.store, floor.users
    one = msgspec.structs.replace(
        made.desk.campaign, profiles=("co-ley2300",), lawful_left_s=7 * 3600.0, lawful_until=CLOSES, lawful_from=None
    )
    made.desk.campaign, twelve = one, [one, *(_campaign(one, n) for n in range(2, 13))]
    floor_of = made.desk.floor

    def crowded() -> FloorView:
        return msgspec.structs.replace(floor_of(), campaigns=tuple(twelve))

    made.desk.floor = crowded
    ledgers = made.desk.ledgers
    for view in twelve:
        campaign = Campaign(view.id, view.name, CampaignState.RUNNING, CampaignSettings(), NOON)
        await ledgers.create_campaign(campaign, "ana")
    await ledgers.import_people(one.id, people(40), NOON - timedelta(days=9))
    for n in range(3):
        who = await ledgers.person_id("CC", str(10_000_000 + n))
        await ledgers.change([ConsentIn(who, False, NOON, Channel.VOICE)], "ana", NOON)
    for n in range(40):
        who = await ledgers.person_id("CC", str(10_000_000 + n))
        kind = (RequestKind.CLAIM, RequestKind.QUERY)[n % 2]
        await made.desk.people.open_request(who, kind, date(2026, 11, 2) + timedelta(days=n // 2), "ana", NOON)
    await made.start()
    yield made
    await made.stop()


def _campaign(one: CampaignView, n: int) -> CampaignView:
    until = CLOSES if n % 4 else None
    return msgspec.structs.replace(
        one,
        id=f"campaign-{n}",
        name=f"Banco {n:02} mora {30 * n}",
        state="paused" if n == 12 else "running",
        lawful_until=until,
        lawful_from=None if until or n == 8 else NOON + timedelta(hours=19),
        lawful_left_s=7 * 3600.0 if until else 0.0,
    )


def night(day: str, at: datetime, violations: int = 0, **more: Any) -> Event:
    found = {
        "rule": "CO-3", "profile": "co-ley2300", "at": "2026-11-25T00:00:05+00:00", "attempt": "k-77",
        "campaign": "andino-90", "contact_id": 77, "es": "Fue a las 19:00:05 (Ley 2300/2023).",
        "en": "It was at 19:00:05 (Ley 2300/2023).",
    }  # fmt: skip
    body = {"day": day, "persons": 900, "contacts": 1234, "violations": violations, "by_rule": {}, **more}
    return Event("law.recheck", at, body={**body, "first": [found] * bool(violations)}, version=2)


def card(page: Page, name: str) -> Locator:
    return page.get_by_role("region", name=name, exact=False).filter(has=page.get_by_role("heading", level=2)).first


async def entered(floor: ServedFloor, page: Page, login: str) -> None:
    await floor.enter(page, login)
    await page.goto(f"{floor.url}/cumplimiento")


async def test_what_the_nights_found(wednesday: ServedFloor, context: BrowserContext) -> None:
    page = await context.new_page()
    await entered(wednesday, page, "director")
    nights = card(page, "Verificación independiente")
    await expect(nights).to_contain_text("Todavía no ha corrido")
    first = NOON - timedelta(days=13, hours=9)
    for n in range(13):
        if n != 4:  # a night on which no engine ran
            day = (first + timedelta(days=n - 1)).date().isoformat()
            await wednesday.store.append([night(day, first + timedelta(days=n))])
    await page.reload()
    await expect(nights).to_contain_text("Falta el resultado del mar, 24 de nov")
    await wednesday.store.append([night("2026-11-24", NOON - timedelta(hours=9))])
    await page.reload()
    await expect(nights.locator(".night-last.night-well")).to_contain_text("0violaciones")
    await expect(nights).to_contain_text("1.234 contactos de 900 personas")
    assert await nights.locator("li.night-well").count() == 13
    await expect(nights.locator("li.night-none")).to_have_attribute("title", "dom, 15 de nov: sin verificar")
    await wednesday.store.append([night("2026-11-24", NOON - timedelta(hours=8), 1)])
    await page.reload()
    await expect(nights.locator(".night-last.night-bad")).to_contain_text("1violación")
    await expect(nights.locator("tbody tr")).to_contain_text("CO-3")
    await expect(nights.locator("tbody tr")).to_contain_text("Fue a las 19:00:05")
    await expect(nights.locator("tbody tr")).to_contain_text("contacto 77")
    # A director asks about nobody.
    assert await page.get_by_role("heading", name="Solicitudes").count() == 0
    assert await page.get_by_role("heading", name="Una persona").count() == 0


async def test_lawful_time_of_the_running_campaigns(wednesday: ServedFloor, context: BrowserContext) -> None:
    page = await context.new_page()
    await entered(wednesday, page, "compliance")
    lawful = card(page, "Tiempo legal hoy")
    rows = lawful.locator("tbody tr")
    await expect(rows).to_have_count(11)  # the twelfth is paused
    await expect(rows.first).to_contain_text("falta un perfil legal")
    await expect(rows.nth(1)).to_contain_text("hasta las 19:00")
    await expect(rows.nth(1)).to_contain_text("7\u00a0h\u00a000\u00a0min")
    await expect(rows.nth(10)).to_contain_text("abre 26 de nov 07:00")
    await page.get_by_role("button", name="EN", exact=True).click()
    await expect(card(page, "Lawful time today").locator("tbody tr").nth(1)).to_contain_text("until 19:00")


async def test_why_a_list_is_not_dialled(wednesday: ServedFloor, context: BrowserContext) -> None:
    page = await context.new_page()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url) if "/explain" in request.url else None)
    await entered(wednesday, page, "compliance")
    why = card(page, "¿Por qué no se llama?")
    await why.get_by_label("Campaña").select_option("andino-90")
    await page.wait_for_timeout(300)
    assert asked == []  # nothing is counted by itself
    await why.get_by_role("button", name="Contar ahora").click()
    await expect(why).to_contain_text("De 40: 37 se pueden llamar ahora")
    await expect(why.locator("tbody tr")).to_contain_text("Sin autorización del canal")
    await expect(why.locator("tbody tr")).to_contain_text(
        "solo un cambio de los hechos puede abrirlo: una autorización del canal"
    )
    await page.get_by_role("button", name="EN", exact=True).click()
    await expect(card(page, "Why is nobody called?")).to_contain_text("only a change of the facts can open it")
    await page.get_by_role("button", name="ES", exact=True).click()
    assert await why.get_by_label("Día", exact=True).input_value() == "2026-11-26"
    await why.get_by_role("button", name="Ensayar el día").click()
    await expect(why).to_contain_text("de 40, 37 se podrán llamar; 12\u00a0h\u00a000\u00a0min de horario legal")
    await expect(why.get_by_role("row", name="desde las 07:00")).to_contain_text("37")
    await why.get_by_label("Día", exact=True).fill("2026-11-29")  # a Sunday
    await why.get_by_role("button", name="Ensayar el día").click()
    await expect(why).to_contain_text("de 40, 0 se podrán llamar")
    assert len(asked) == 3


async def test_one_person_and_who_asked(wednesday: ServedFloor, context: BrowserContext) -> None:
    page = await context.new_page()
    await entered(wednesday, page, "compliance")
    person = card(page, "Una persona")
    await person.get_by_label("Documento").fill("cc 10000001")
    await page.keyboard.press("Enter")
    await expect(person).to_contain_text("No se puede llamar: Sin autorización del canal.")
    await expect(person).to_contain_text("Solo un cambio de los hechos puede abrirlo: una autorización del canal.")
    await person.get_by_label("Documento").fill("CC-10000030")
    await page.keyboard.press("Enter")
    await expect(person).to_contain_text("Se puede llamar al ···0030.")
    assert "Persona 30" not in await page.content()
    told = await wednesday.desk.ledgers.events(kinds=("file.read",))
    assert [(e.body["by"], e.body["what"]) for e in told] == [("compliance", "explain")] * 2
    await person.get_by_label("Documento").fill("CC-99")
    await page.keyboard.press("Enter")
    await expect(page.locator(".note-bad")).to_be_visible()


async def test_requests_by_urgency_extended_and_closed(wednesday: ServedFloor, context: BrowserContext) -> None:
    page = await context.new_page()
    await entered(wednesday, page, "compliance")
    requests = card(page, "Solicitudes")
    rows = requests.locator("tbody tr")
    await expect(rows).to_have_count(40)
    late = await requests.locator("tr.request-late").count()
    soon = await requests.locator("tr.request-soon").count()
    assert late > 0 and soon > 0 and late + soon < 40
    await expect(requests.get_by_text(f"{late} vencidas")).to_be_visible()
    await expect(rows.first).to_contain_text("vencida hace")
    last = rows.last
    number = (await last.locator("th .num").inner_text()).strip()
    await last.get_by_role("button", name="Ampliar").click()
    await page.get_by_role("dialog").get_by_role("button", name="Ampliar").click()
    row = requests.get_by_role("row").filter(has=page.get_by_text(number, exact=True))
    await expect(row).to_contain_text("ampliada")
    assert await row.get_by_role("button", name="Ampliar").count() == 0
    await row.get_by_role("button", name="Cerrar").click()
    await page.get_by_label("Cómo se respondió").fill("corregido")
    await page.keyboard.press("Enter")
    await expect(rows).to_have_count(39)
    closed = await wednesday.desk.ledgers.data_request(int(number))
    assert closed.outcome == "corregido"
    await requests.get_by_role("button", name="Registrar solicitud").click()
    dialog = page.get_by_role("dialog")
    await dialog.get_by_label("Documento").fill("CC-1")
    await page.keyboard.press("Enter")
    await expect(dialog.get_by_text("Ninguna persona tiene ese documento.")).to_be_visible()  # not dimmed behind it
    await dialog.get_by_label("Documento").fill("CC-10000007")
    await dialog.get_by_label("Solicitud").select_option("reclamo")
    await dialog.get_by_label("Recibida el").fill("2026-11-23")
    await page.keyboard.press("Enter")
    await expect(page.get_by_text("a más tardar el mar, 15 de dic")).to_be_visible()
    await expect(rows).to_have_count(40)
    asked = [r for r in await wednesday.desk.ledgers.data_requests() if r.received_on == date(2026, 11, 23)]
    assert [r.due for r in asked if r.kind is RequestKind.CLAIM and r.opened_by != "ana"] == [date(2026, 12, 15)]


async def test_a_crowded_page_in_both_schemes(
    wednesday: ServedFloor, browser: Browser, tmp_path: Path, picture: Callable[[str], Path]
) -> None:
    first = date(2026, 11, 11)
    for n in range(14):
        await wednesday.store.append([night((first + timedelta(days=n)).isoformat(), NOON)])
    for scheme in ("light", "dark"):
        made = await browser.new_context(viewport={"width": 1440, "height": 1000}, locale="es-CO", color_scheme=scheme)
        page = await made.new_page()
        await entered(wednesday, page, "compliance")
        await expect(page.locator(".law-requests tbody tr").first).to_be_visible()
        await expect(page.locator(".night-last")).to_be_visible()
        await card(page, "¿Por qué no se llama?").get_by_role("button", name="Ensayar el día").click()
        await expect(page.locator(".why-head")).to_be_visible()
        if scheme == "light":
            await page.screenshot(path=picture("cumplimiento-dia.png"))
            await wednesday.store.append([night("2026-11-24", NOON, 1)])
            await page.reload()
        person = card(page, "Una persona")
        await person.get_by_label("Documento").fill("CC-10000001")
        await person.get_by_role("button", name="Explicar").click()
        await expect(page.locator(".why-no")).to_be_visible()
        for language in ("ES", "EN"):
            await page.get_by_role("button", name=language, exact=True).click()
            wide = await page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
            assert wide, "nothing is cut off at the right"
            await page.screenshot(path=tmp_path / f"cards-{language.lower()}-{scheme}.png", full_page=True)
        await made.close()
