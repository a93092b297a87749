"""An agent who writes what must not be asked is told so while writing, and is stopped by nothing."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from playwright.async_api import BrowserContext, expect

if TYPE_CHECKING:
    from tests.acceptance.conftest import ServedFloor

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="module")]


async def test_a_forbidden_question_in_a_note_is_told_and_saved_all_the_same(
    floor: ServedFloor, context: BrowserContext, tmp_path: Path
) -> None:
    page = await context.new_page()
    await floor.enter(page, "agent")
    floor.desk.set("a01", state="ready", phone_up=True)
    floor.desk.call("a01", "k-1")
    note, check = page.get_by_label("Nota"), page.locator(".note-check")
    await note.fill("Paga el viernes.")
    await page.wait_for_timeout(800)
    await expect(check).to_be_empty()
    await note.fill("Le pregunté por qué no ha pagado; perdió el empleo.")
    await expect(check).to_contain_text("por qué no ha pagado")
    await expect(check).to_contain_text("No pregunte")
    await expect(check).to_contain_text("Ley 2300")
    await expect(check).to_contain_text("«espontáneo:»")
    await page.screenshot(path=tmp_path / "nota-es.png")
    await page.get_by_role("button", name="EN", exact=True).click()
    await expect(check).to_contain_text("Do not ask")
    await page.get_by_role("button", name="ES", exact=True).click()
    await page.locator(".levels button").first.click()
    await page.keyboard.type("renu")
    await page.keyboard.press("Enter")
    await page.keyboard.press("Control+Enter")
    await expect(page.locator(".savestate-saved")).to_be_visible()
    assert [a[4] for a in floor.desk.asked if a[0] == "dispose"] == [
        "Le pregunté por qué no ha pagado; perdió el empleo."
    ]
    await note.fill("Espontáneo: el motivo de la mora fue un viaje.")
    await expect(check).to_be_empty()
