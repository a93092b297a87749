"""The page of compliance in a real browser and both languages: a change of a legal profile takes two persons."""

from __future__ import annotations

import itertools
import time
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import pytest_asyncio
from playwright.async_api import Browser, BrowserContext, Page, expect

from cadencia.clock import Anchor, SimulatedClock
from cadencia.compliance.judge import Judge
from cadencia.config.profiles import load_site
from cadencia.dialer.law import renumbered
from cadencia.domain.dialing import Campaign, CampaignSettings, CampaignState, ContactFacts
from cadencia.domain.law import Verdict
from cadencia.store.port import Claim
from cadencia.testing.floor import people

if TYPE_CHECKING:
    from tests.acceptance.conftest import ServedFloor

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="module")]

CO = "co-ley2300"
BOOK = load_site(None)
VERSION = BOOK.profiles[CO].version
OPEN = '= ["07:00-19:00"]'


#: A Wednesday in Bogotá: yesterday is a working day.
NOON = datetime(2026, 11, 25, 17, 0, tzinfo=UTC)


@pytest_asyncio.fixture(loop_scope="module")
async def wednesday(floor: ServedFloor) -> AsyncIterator[ServedFloor]:
    """The floor at a known hour."""
    made = type(floor)(SimulatedClock(Anchor(NOON, time.monotonic(), 1.0)))
    made.store, made.users = floor.store, floor.users
    await made.start()
    yield made
    await made.stop()


def changed() -> str:
    """Opens at nine, and an hour longer on Saturdays."""
    text = renumbered(BOOK.texts[CO], VERSION + 1)
    assert OPEN in text and 'sat = ["08:00-15:00"]' in text
    return text.replace(OPEN, '= ["09:00-19:00"]').replace('sat = ["08:00-15:00"]', 'sat = ["08:00-16:00"]')


async def dialled_yesterday(floor: ServedFloor) -> None:
    """A campaign that dialled at eight and at ten of yesterday."""
    store, settings, midnight = floor.store, CampaignSettings(), NOON - timedelta(hours=36)
    await store.create_campaign(Campaign("mora-30", "Mora 30", CampaignState.RUNNING, settings, midnight), "ana")
    await store.import_people("mora-30", people(40), midnight)
    token, judge, ids = await store.lead("engine", midnight), Judge(BOOK.profiles), itertools.count()

    async def ask(at: datetime, limit: int) -> None:
        def verdict(facts: ContactFacts) -> Verdict:
            return judge.recorded(facts, settings, at)

        await store.claim(Claim("mora-30", limit, at, token, verdict, lambda: f"y{next(ids)}"))

    for hour, limit in ((8, 12), (10, 20)):
        await ask(midnight + timedelta(hours=hour), limit)


async def propose(page: Page, file: Path) -> None:
    await page.get_by_role("button", name="Proponer un cambio").click()
    dialog = page.get_by_role("dialog")
    await dialog.get_by_label("Archivo del perfil").set_input_files(file)
    await dialog.get_by_label("Motivo").fill("Circular interna 12: no se llama antes de las nueve")
    await dialog.get_by_role("button", name="Proponer un cambio").click()
    await expect(dialog).to_have_count(0)


async def test_a_change_takes_two_persons(
    wednesday: ServedFloor, browser: Browser, context: BrowserContext, tmp_path: Path, picture: Callable[[str], Path]
) -> None:
    floor = wednesday
    await dialled_yesterday(floor)
    file = tmp_path / "co-ley2300.toml"
    file.write_text(changed(), "utf-8")

    page = await context.new_page()
    await floor.enter(page, "compliance")
    await page.get_by_role("link", name="Cumplimiento").click()
    await page.wait_for_url("**/cumplimiento")
    await expect(page).to_have_title("Cumplimiento · Cadencia")
    await expect(page.get_by_text("No hay cambios pendientes.")).to_be_visible()
    await propose(page, file)
    proposal = page.get_by_role("article", name=f"{CO} · versión {VERSION + 1}")
    await expect(proposal).to_contain_text("Circular interna 12")
    await expect(proposal).to_contain_text("hours[all].mon")
    await expect(proposal.locator("tr", has_text="hours[all].sat")).to_contain_text("Afloja")
    await expect(proposal).to_contain_text("BLQ-HORARIO", timeout=15_000)

    # Who proposed it cannot approve it, whatever the page says.
    await expect(proposal.get_by_role("button", name="Aprobar")).to_be_disabled()
    await expect(proposal).to_contain_text("debe aprobarla otra persona")
    refused = await page.evaluate(
        """async (path) => {
            const body = JSON.stringify({ reason: "sí" });
            const headers = { "Content-Type": "application/json", "Accept-Language": "es" };
            const answer = await fetch(path, { method: "POST", headers, body });
            return [answer.status, (await answer.json()).message];
        }""",
        f"/api/law/proposals/{CO}/{VERSION + 1}/approve",
    )
    assert refused == [409, "Quien propuso un cambio de las reglas legales no puede aprobarlo."]

    second = await browser.new_context(viewport={"width": 1440, "height": 1000}, locale="es-CO")
    other = await second.new_page()
    await floor.enter(other, "admin")
    await other.goto(f"{floor.url}/cumplimiento")
    proposal = other.get_by_role("article", name=f"{CO} · versión {VERSION + 1}")
    await expect(proposal).to_contain_text("BLQ-HORARIO", timeout=15_000)
    await proposal.get_by_text("Ejemplos").click()
    await other.screenshot(path=picture("cumplimiento.png"))
    await other.get_by_role("button", name="EN", exact=True).click()
    await expect(other).to_have_title("Compliance · Cadencia")
    await expect(other.locator(".law-proposal")).to_contain_text("no longer allowed")
    await other.screenshot(path=tmp_path / "cumplimiento-en.png", full_page=True)
    await other.get_by_role("button", name="ES", exact=True).click()
    await proposal.get_by_role("button", name="Aprobar").click()
    dialog = other.get_by_role("dialog")
    await dialog.get_by_label("Motivo").fill("Revisada con jurídica")
    await dialog.get_by_role("button", name="Aprobar").click()
    await expect(dialog).to_have_count(0)
    await expect(other.locator(".law-force li", has_text=CO).first).to_contain_text(f"versión {VERSION + 1}")
    assert {v.text.id: v.text.version for v in await floor.store.profiles_in_force()}[CO] == VERSION + 1

    # And back: a proposal of the text from before, under the next number.
    await (
        other.locator(".law-history tr", has_text=f"versión {VERSION}")
        .filter(has_text="Retirada")
        .get_by_role("button", name="Volver a esta")
        .click()
    )
    await dialog.get_by_label("Motivo").fill("Volver a la ley")
    await dialog.get_by_role("button", name="Volver a esta").click()
    await expect(other.get_by_role("article", name=f"{CO} · versión {VERSION + 2}")).to_be_visible()
    await other.locator(".law-force summary", has_text=CO).first.click()
    await other.screenshot(path=tmp_path / "cumplimiento-historial.png", full_page=True)
    await second.close()


@pytest.mark.parametrize("login", ["director", "supervisor"])
async def test_others_only_read(floor: ServedFloor, context: BrowserContext, login: str) -> None:
    page = await context.new_page()
    await floor.enter(page, login)
    await page.goto(f"{floor.url}/cumplimiento")
    force = page.locator(".law-force")
    await expect(force).to_contain_text(CO)
    await force.locator("summary", has_text=CO).first.click()
    await expect(force).to_contain_text("Ley 2300")
    assert await page.get_by_role("button", name="Proponer un cambio").count() == 0


async def test_an_engineer_has_no_such_page(floor: ServedFloor, context: BrowserContext) -> None:
    page = await context.new_page()
    await floor.enter(page, "engineer")
    await page.goto(f"{floor.url}/cumplimiento")
    await page.wait_for_url("**/telefonia")
