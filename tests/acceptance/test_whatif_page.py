"""The supervisor's page asks what a change would do, in a real browser and both languages."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
import pytest
from playwright.async_api import BrowserContext, expect

from cadencia.web.errors import WebError

if TYPE_CHECKING:
    from tests.acceptance.conftest import ServedFloor

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="module")]


async def test_a_supervisor_sees_what_a_change_would_do_before_it_is_made(
    floor: ServedFloor, context: BrowserContext, tmp_path: Path
) -> None:
    page = await context.new_page()
    await floor.enter(page, "supervisor")
    floor.desk.campaign = msgspec.structs.replace(floor.desk.campaign, mode="predictive", abandonment_target=0.02)
    floor.desk.publish("a02")
    await expect(page.locator(".campaign-head")).to_contain_text("Predictivo")
    assert await page.locator(".whatif").count() == 0  # nothing to ask about yet
    target = page.locator("input[name=abandonment_target]")
    await target.press("Control+a")
    await page.keyboard.type("1,5")
    await expect(target).to_have_value("1,5")
    await page.locator("input[name=cancel_late]").uncheck()
    await page.get_by_role("button", name="¿Qué pasaría?").click()
    told = page.locator(".whatif")
    await expect(told).to_contain_text(
        "Con este cambio: espera 9 → 7\u00a0s, utilización 82 → 84\u00a0%, abandono 1,1 → 1,9\u00a0%."
    )
    await told.locator("summary").click()
    await expect(told.locator("li").nth(2)).to_have_text("abandono 1,10 ± 0,60 → 1,90 ± 0,70\u00a0%")
    await expect(told).to_contain_text(
        "Sin diferencia clara: abandono. Simulado: 4 × 1,0 h, 12 agentes, contesta 25\u00a0%."
    )
    changes = {"abandonment_target": 0.015, "cancel_late": False}
    assert floor.desk.asked[-1] == ("what_if", "andino-90", changes, None)
    await page.screenshot(path=tmp_path / "whatif-es.png")
    await page.get_by_role("button", name="EN", exact=True).click()
    await expect(told).to_contain_text("With this change: wait 9 → 7\u00a0s, utilisation 82 → 84\u00a0%")
    await page.screenshot(path=tmp_path / "whatif-en.png")

    await page.locator("input[name=weight]").fill("2")  # another change is another question
    await expect(told).to_have_text("What would it do?")
    floor.asker.error = WebError(409, "CAD-WEB-ASKING")
    await told.get_by_role("button").click()
    await expect(page.locator(".notes")).to_contain_text("Another question is being simulated.")
    await expect(told.get_by_role("button")).to_be_enabled()
    await page.locator("input[name=abandonment_target]").fill("4")
    await told.get_by_role("button").click()
    await expect(page.locator(".notes")).to_contain_text("The abandonment target 0.04 is above the cap 0.03.")
    await target.fill("")
    await page.get_by_role("button", name="Apply…").click()
    await expect(page.locator("dialog")).to_contain_text(
        "Abandonment target: at the cap · Takes late ringing calls back: no · Weight: 2.0"
    )
    await page.keyboard.press("Escape")
    await page.locator("select[name=mode]").select_option("preview")
    assert await page.locator(".whatif").count() == 0  # there the agents set the pace
    await page.get_by_role("button", name="Undo").click()
    await expect(page.get_by_role("button", name="Apply…")).to_be_disabled()
    await expect(target).to_have_value("2")
