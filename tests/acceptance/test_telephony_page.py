"""The engineer's page in a real browser and both languages: servers, trunks, causes, and the timeline of one call."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
import pytest
from playwright.async_api import BrowserContext, expect

if TYPE_CHECKING:
    from tests.acceptance.conftest import ServedFloor

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="module")]


async def test_an_engineer_sees_servers_trunks_and_causes(
    floor: ServedFloor, context: BrowserContext, tmp_path: Path, picture: Callable[[str], Path]
) -> None:
    page = await context.new_page()
    await floor.enter(page, "engineer")
    await page.wait_for_url("**/telefonia")
    await expect(page).to_have_title("Telefonía · Cadencia")
    sur, norte = page.get_by_role("article", name="sur"), page.get_by_role("article", name="norte")
    await expect(sur).to_contain_text("Enlazado")
    await expect(sur).to_contain_text("84,5")
    await expect(norte).to_contain_text("Se perdió el enlace con el conmutador norte.")
    await expect(norte).to_contain_text("Arranque Asterisk")
    claro = page.get_by_role("article", name="claro")
    await expect(claro).to_contain_text("17 / 60")
    await expect(claro).to_contain_text("34,6\u00a0%")
    await expect(page.get_by_role("article", name="tigo")).to_contain_text("SIP 503 · Q.850 34")
    causes = page.locator(".causes tbody tr")
    await expect(causes).to_have_count(9)
    # What no rule knows stands first, whatever its number.
    await expect(causes.nth(0)).to_contain_text("Sin regla")
    await expect(causes.nth(1)).to_contain_text("Sin regla")
    await expect(causes.nth(2)).to_contain_text("402")
    await page.get_by_label("Troncales").last.select_option("sur · tigo")
    await expect(causes).to_have_count(4)
    await page.get_by_label("Troncales").last.select_option("")
    await page.get_by_role("textbox", name="Identificador de la llamada").fill("c-3")
    await page.get_by_role("button", name="Ver", exact=True).click()
    await expect(page.locator(".timeline")).to_contain_text("Orden: llamar al deudor")
    await page.screenshot(path=picture("telefonia.png"))
    await page.get_by_role("button", name="EN", exact=True).click()
    await expect(page).to_have_title("Telephony · Cadencia")
    await expect(norte).to_contain_text("Start Asterisk")
    await page.screenshot(path=tmp_path / "telefonia-en.png")


async def test_what_is_published_is_shown_without_a_reload(floor: ServedFloor, context: BrowserContext) -> None:
    page = await context.new_page()
    await floor.enter(page, "engineer")
    await expect(page.get_by_role("article", name="norte")).to_contain_text("Sin enlace")
    view = floor.desk.telephony()
    back = msgspec.structs.replace(view.servers[1], up=True, trouble=None)
    shown = msgspec.structs.replace(view, servers=(view.servers[0], back))
    floor.desk.hub.publish("telephony", msgspec.json.encode(shown))
    await expect(page.get_by_role("article", name="norte")).to_contain_text("Enlazado")
    await page.get_by_role("link", name="Supervisión").click()
    await page.wait_for_url("**/supervision")
    await floor.settled(lambda: not floor.desk.hub.listened("telephony"))  # nobody looks: nothing is made


async def test_a_supervisor_opens_a_calls_timeline_from_the_list(
    floor: ServedFloor, context: BrowserContext, tmp_path: Path
) -> None:
    page = await context.new_page()
    await floor.enter(page, "supervisor")
    await page.locator(".calls .call").get_by_role("button", name="En espera").click()
    await page.wait_for_url("**/telefonia?llamada=c-0")
    told = page.locator(".timeline")
    await expect(told).to_contain_text("Celular apagado / fuera de cobertura · CEL")
    await expect(told.locator("tbody tr")).to_have_count(8)
    await expect(told.locator("tbody tr").nth(5)).to_contain_text("+0,640\u00a0s")
    await page.screenshot(path=tmp_path / "llamada-es.png", full_page=True)
    async with page.expect_download() as got:
        await told.get_by_role("link", name="Descargar").click()
    assert json.loads((await (await got.value).path()).read_text("utf-8"))["attempt_id"] == "c-0"
    await page.go_back()
    await page.wait_for_url("**/supervision")
    await page.go_forward()
    await expect(told).to_contain_text("Orden: llamar al deudor")
    await page.get_by_role("textbox", name="Identificador de la llamada").fill("zzz")
    await page.keyboard.press("Enter")
    await expect(told).to_contain_text("No se conoce esa llamada.")
    await page.get_by_role("button", name="EN", exact=True).click()
    await page.get_by_role("textbox", name="The call's id").fill("c-3")
    await page.get_by_role("button", name="Show").click()
    await expect(told).to_contain_text("Order: call the debtor")
    await page.screenshot(path=tmp_path / "llamada-en.png", full_page=True)


@pytest.mark.parametrize("login", ["director", "compliance"])
async def test_others_have_no_page_of_lines_and_no_links_to_calls(
    floor: ServedFloor, context: BrowserContext, login: str
) -> None:
    page = await context.new_page()
    await floor.enter(page, login)
    await expect(page.locator(".calls .call").first).to_be_visible()
    assert await page.locator(".calls button").count() == 0
    assert await page.get_by_role("link", name="Telefonía").count() == 0
    await page.goto(f"{floor.url}/telefonia")  # not this role's page
    await page.wait_for_url("**/supervision")
