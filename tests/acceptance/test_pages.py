"""The pages in a real browser: an agent's day and a supervisor's, in both languages."""

from __future__ import annotations

import random
import re
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
import pytest
from playwright.async_api import Browser, BrowserContext, Page, expect

from cadencia.clock import Anchor, SimulatedClock
from cadencia.dialer.views import AbandonmentView, ForecastView, SaidView
from cadencia.dialer.why import sentence
from cadencia.domain.dialing import Promise
from cadencia.domain.people import Money

if TYPE_CHECKING:
    from tests.acceptance.conftest import ServedFloor

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="module")]

AMOUNT = re.compile(r"\d{1,3}(\.\d{3})+")


async def calm(page: Page) -> None:
    """Leave any field, so that single keys are shortcuts again."""
    await page.evaluate("document.activeElement?.blur()")


async def on_call(floor: ServedFloor, page: Page, login: str = "agent") -> None:
    """Signed in, ready, and a debtor on the line."""
    agent_id = floor.users[login].agent_id
    assert agent_id is not None
    await floor.enter(page, login)
    await page.locator(".status").wait_for()
    floor.desk.set(agent_id, state="ready", phone_up=True)
    floor.desk.call(agent_id)
    await page.locator(".person").wait_for()


# -- an agent ---------------------------------------------------------------------------------------------------------
async def test_an_agent_s_day_by_keyboard_alone(floor: ServedFloor, context: BrowserContext) -> None:
    page = await context.new_page()
    await floor.enter(page, "agent")
    await page.wait_for_url("**/agente")
    state = page.locator(".status-now")
    await expect(state).to_contain_text("Fuera de turno")
    await page.keyboard.press("l")
    await expect(state).to_contain_text("Inicio de turno")
    await page.keyboard.press("l")
    await expect(state).to_contain_text("Disponible")

    floor.desk.call("a01")
    await expect(page.get_by_role("heading", name="María Fernanda Gutiérrez Londoño")).to_be_visible()
    await expect(page.locator(".obligations")).to_contain_text("Confirme titular")
    html = await page.content()
    assert not AMOUNT.search(html) and "1234567" not in html and "balance" not in html

    await page.keyboard.press("p")
    await page.keyboard.press("2")
    await expect(state).to_contain_text("Sigue: pausa (Almuerzo)")
    await page.keyboard.press("c")
    await expect(page.locator(".obligations")).to_contain_text("$\u00a01.234.567")

    await page.keyboard.press("1")
    await page.keyboard.type("parci")
    await page.keyboard.press("Enter")
    await page.keyboard.type("250.000")
    await expect(page.locator("output", has_text="$\u00a0250.000")).to_be_visible()
    due = (floor.desk.clock.now() + timedelta(days=9)).strftime("%Y-%m-%d")
    await page.locator("input[name=due]").fill(due)
    await page.locator("textarea[name=note]").fill("Paga con la prima")
    await page.keyboard.press("Alt+f")
    await expect(state).to_contain_text("Cierre")
    await expect(page.get_by_role("timer")).to_contain_text(re.compile(r"0:4\d"))
    await page.keyboard.press("Control+Enter")
    await expect(page.locator(".notes")).to_contain_text("Guardado: Promesa de pago parcial")
    await expect(state).to_contain_text("Almuerzo")
    saved = next(a for a in floor.desk.asked if a[0] == "dispose")
    assert saved[3:6] == ("PPP", "Paga con la prima", Promise(Money(25_000_000, "COP"), due))


async def test_an_agent_works_in_english(floor: ServedFloor, context: BrowserContext) -> None:
    page = await context.new_page()
    await on_call(floor, page, "agent2")  # this user's language is English
    await expect(page.locator("html")).to_have_attribute("lang", "en")
    await expect(page.locator(".status-now")).to_contain_text("In call")
    await expect(page.locator(".obligations")).to_contain_text("Confirm right party")
    await page.keyboard.press("1")
    await page.keyboard.press("7")
    callback = page.locator("input[name=callback]")
    await expect(callback).to_be_focused()
    await page.keyboard.press("Control+Enter")
    await expect(page.locator(".disposition .problem")).to_have_text("Choose date and time of the callback.")
    tomorrow = (floor.desk.clock.now() + timedelta(days=1)).strftime("%Y-%m-%d")
    await callback.fill(f"{tomorrow}T10:30")
    await page.keyboard.press("Control+Enter")
    await expect(page.locator(".savestate")).to_have_text("Saved")
    saved = next(a for a in floor.desk.asked if a[0] == "dispose")
    # The browser is in Tokyo; the callback is meant by the floor's clock, in Bogotá.
    assert saved[3] == "VLL" and saved[6].astimezone(UTC).strftime("%Y-%m-%dT%H:%M") == f"{tomorrow}T15:30"
    await page.get_by_role("button", name="ES", exact=True).click()
    await expect(page.locator(".status-now")).to_contain_text("En llamada")
    await page.reload()
    await expect(page.locator(".status-now")).to_contain_text("En llamada")


async def test_the_rules_of_the_conversation_leave_the_disposition_in_sight(
    floor: ServedFloor, context: BrowserContext
) -> None:
    page = await context.new_page()
    await page.set_viewport_size({"width": 1366, "height": 768})
    await on_call(floor, page)
    rules = page.locator(".script")
    await expect(rules).to_contain_text("Diga su nombre y de qué empresa llama.")
    await expect(rules).to_contain_text("No pregunte el motivo del incumplimiento.")
    below = await page.locator(".disposition").evaluate("e => e.getBoundingClientRect().bottom - innerHeight")
    assert below <= 0
    await page.get_by_role("button", name="EN", exact=True).click()
    await expect(rules).to_contain_text("Say your name and the company you call from.")
    await expect(rules).to_contain_text("Do not ask the reason of the default.")


async def test_an_agent_chooses_whom_to_call(floor: ServedFloor, context: BrowserContext) -> None:
    page = await context.new_page()
    await floor.enter(page, "agent")
    await page.locator(".status").wait_for()
    floor.desk.preview("a01", "k-1")
    state = page.locator(".status-now")
    await expect(state).to_contain_text("Revisa ficha")
    await expect(page.locator(".person")).to_contain_text("María Fernanda Gutiérrez Londoño")
    await expect(page.get_by_role("timer")).to_contain_text(re.compile(r"0:(1\d|20)"))
    await expect(page.locator(".obligations")).to_contain_text("Confirme titular")
    assert not AMOUNT.search(await page.locator(".pop").inner_html())
    await page.keyboard.press("c")  # nobody is there who could be confirmed
    await page.keyboard.press("1")  # and nothing to dispose of
    await expect(page.locator(".disposition")).to_contain_text("Se habilita con la llamada")

    await page.keyboard.press("s")
    await expect(page.locator("dialog")).to_contain_text("En espera de un pago")
    await page.keyboard.press("2")
    await floor.settled(lambda: floor.desk.agents["a01"].pop.attempt_id == "k-1-next")
    assert floor.desk.asked[-1] == ("skip", "a01", "k-1", "espera_pago")
    await expect(page.locator(".person")).to_contain_text("CC ···739")
    await expect(page.locator("dialog")).to_have_count(0)

    await page.keyboard.press("m")
    await expect(state).to_contain_text("Llamada en camino")
    await expect(page.locator(".person")).to_contain_text("Si contesta, queda con usted")
    await page.keyboard.press("f")
    await expect(page.get_by_role("button", name="Colgando…")).to_be_disabled()
    assert [a[0] for a in floor.desk.asked[-2:]] == ["dial", "finish"]

    floor.desk.preview("a01", "k-3", came_of="NOA")
    await expect(state).to_contain_text("La anterior: No contesta")
    await page.get_by_role("button", name="Pausa").click()
    await expect(page.get_by_role("dialog", name="¿Por qué pausa?")).to_be_visible()
    await page.keyboard.press("2")
    await expect(state).to_contain_text("Almuerzo")
    assert floor.desk.asked[-1] == ("pause", "a01", "almuerzo")

    floor.desk.preview("a01", "k-4")
    await page.get_by_role("button", name="Marcar ahora").click()
    await expect(state).to_contain_text("Llamada en camino")
    floor.desk.call("a01", "k-4")
    await expect(page.get_by_role("button", name="Confirmar titular")).to_be_visible()


async def test_choosing_in_english(floor: ServedFloor, context: BrowserContext) -> None:
    page = await context.new_page()
    await floor.enter(page, "agent2")
    await page.locator(".status").wait_for()
    floor.desk.preview("a02", "k-1", came_of="OCU")
    await expect(page.locator(".status-now")).to_contain_text("Looks at file")
    await expect(page.locator(".status-now")).to_contain_text("The one before: Busy")
    await page.get_by_role("button", name="Skip").click()
    await expect(page.locator("dialog")).to_contain_text("Payment expected")
    await page.keyboard.press("Escape")
    await page.get_by_role("button", name="Dial now").click()
    await expect(page.get_by_role("button", name="Hang up")).to_be_visible()


async def test_saved_is_said_only_after_the_server_said_so(floor: ServedFloor, context: BrowserContext) -> None:
    page = await context.new_page()
    await on_call(floor, page)
    await page.keyboard.press("2")
    await page.keyboard.type("equivocado")
    await page.keyboard.press("Enter")

    async def refuse(*_: object) -> None:
        from cadencia.errors import StoreError

        raise StoreError("La base de datos no responde.", "Repita en un momento.")

    proper, floor.desk.dispose = floor.desk.dispose, refuse  # type: ignore[method-assign, assignment]
    await page.keyboard.press("Control+Enter")
    await expect(page.locator(".notes")).to_contain_text("La base de datos no responde.")
    await expect(page.locator(".savestate")).to_have_text("")
    floor.desk.dispose = proper  # type: ignore[method-assign]
    await page.keyboard.press("Control+Enter")
    await expect(page.locator(".savestate")).to_have_text("Guardado")


async def test_a_code_typed_whole_is_the_one_that_is_chosen(floor: ServedFloor, context: BrowserContext) -> None:
    """NOC revokes the authorisation; "no reconoce la deuda" (DIS), which holds these letters too, does not."""
    page = await context.new_page()
    await on_call(floor, page)
    await page.keyboard.press("1")
    await page.keyboard.type("noc")
    await page.keyboard.press("Enter")
    await page.keyboard.press("Control+Enter")
    await expect(page.locator(".savestate")).to_have_text("Guardado")
    assert [a[3] for a in floor.desk.asked if a[0] == "dispose"] == ["NOC"]


async def test_a_reload_keeps_what_was_typed_and_a_save_clears_it(floor: ServedFloor, context: BrowserContext) -> None:
    page = await context.new_page()
    await on_call(floor, page)
    await page.keyboard.press("1")
    await page.keyboard.press("1")
    await page.locator("input[name=amount]").fill("300000")
    await page.locator("textarea[name=note]").fill("Llamar a la oficina")
    await page.reload()
    await expect(page.locator("textarea[name=note]")).to_have_value("Llamar a la oficina")
    await expect(page.locator("input[name=amount]")).to_have_value("300000")
    await page.close()  # as a crashed tab
    page = await context.new_page()
    await page.goto(f"{floor.url}/agente")
    await expect(page.locator("textarea[name=note]")).to_have_value("Llamar a la oficina")
    await page.locator("input[name=due]").fill((floor.desk.clock.now() + timedelta(days=3)).strftime("%Y-%m-%d"))
    await page.keyboard.press("Control+Enter")
    await expect(page.locator(".savestate")).to_have_text("Guardado")
    floor.desk.set("a01", state="ready", pop=None)
    await page.locator(".idle").wait_for()
    drafts = "() => Object.keys(localStorage).filter(k => k.includes('draft')).length === 0"
    await page.wait_for_function(drafts)


async def test_what_is_owed_can_be_disposed_later(floor: ServedFloor, context: BrowserContext) -> None:
    page = await context.new_page()
    floor.desk.set("a01", state="paused", reason="cierre_vencido", phone_up=True, overdue=("k-40", "k-41"))
    await floor.enter(page, "agent")
    await expect(page.locator(".status-now")).to_contain_text("Cierre vencido")
    await page.get_by_role("button", name="k-41").click()
    await calm(page)
    await page.keyboard.press("3")
    await page.keyboard.type("buz")
    await page.keyboard.press("Enter")
    await page.keyboard.press("Control+Enter")
    await expect(page.locator(".overdue")).not_to_contain_text("k-41")
    assert floor.desk.asked[-1][:4] == ("dispose", "a01", "k-41", "BUZ")


async def test_what_the_desk_refuses_is_told(floor: ServedFloor, context: BrowserContext) -> None:
    page = await context.new_page()
    await on_call(floor, page)
    floor.desk.set("a01", state="paused", pop=None)
    await page.locator(".idle").wait_for()
    floor.desk.agents["a01"] = msgspec.structs.replace(floor.desk.agents["a01"], state="out")  # nobody told the page
    await page.keyboard.press("l")
    await expect(page.locator(".notes")).to_contain_text("Inicie turno primero.")


# -- the connection ---------------------------------------------------------------------------------------------------
async def test_two_tabs_share_one_stream(floor: ServedFloor, context: BrowserContext) -> None:
    first, second = await context.new_page(), await context.new_page()
    await on_call(floor, first)
    await second.goto(f"{floor.url}/agente")
    await second.locator(".person").wait_for()
    assert floor.streams == 1
    floor.desk.set("a01", state="ready", pop=None)
    for page in (first, second):
        await expect(page.locator(".status-now")).to_contain_text("Disponible")
    await first.close()
    floor.desk.call("a01", "k-2")
    await second.locator(".person").wait_for()
    assert floor.streams == 1
    await second.get_by_role("button", name="Salir").click()
    await second.wait_for_url("**/entrar")
    await floor.settled(lambda: floor.streams == 0)


async def test_a_browser_without_shared_workers_is_served_too(floor: ServedFloor, context: BrowserContext) -> None:
    await context.add_init_script("delete globalThis.SharedWorker")
    page = await context.new_page()
    await on_call(floor, page)
    floor.desk.set("a01", state="ready", pop=None)
    await expect(page.locator(".status-now")).to_contain_text("Disponible")


async def test_another_user_s_sign_in_reaches_all_tabs(floor: ServedFloor, context: BrowserContext) -> None:
    first, second = await context.new_page(), await context.new_page()
    await floor.enter(first, "agent")
    await expect(first.locator(".phone")).to_contain_text("a1001")
    await floor.enter(second, "agent2")
    for page in (first, second):
        await expect(page.locator(".phone")).to_contain_text("a1002")
        await expect(page.locator(".who")).to_contain_text("Brayan Castro")
    assert floor.streams == 1


async def test_the_page_survives_the_server_s_restart(floor: ServedFloor, context: BrowserContext) -> None:
    page = await context.new_page()
    await on_call(floor, page)
    await page.locator("textarea[name=note]").fill("a medias")
    await floor.stop()
    await expect(page.locator(".offline")).to_contain_text("Reconectando")
    floor.desk.set("a01", state="wrapup", wrapup_until=floor.desk.clock.now() + timedelta(seconds=30))
    await floor.restart()
    await expect(page.locator(".status-now")).to_contain_text("Cierre", timeout=10_000)
    await expect(page.locator(".offline")).to_have_count(0)
    await expect(page.locator("textarea[name=note]")).to_have_value("a medias")


async def test_a_session_that_ends_elsewhere_leads_to_the_sign_in(floor: ServedFloor, context: BrowserContext) -> None:
    first, second = await context.new_page(), await context.new_page()
    await floor.enter(first, "supervisor")
    await second.goto(f"{floor.url}/supervision")
    await second.locator(".campaign").wait_for()
    await first.get_by_role("button", name="Salir").click()
    for page in (first, second):
        await page.wait_for_url("**/entrar")
        assert "Andino" not in await page.content()


async def test_signing_in_with_a_password_and_a_used_link(floor: ServedFloor, context: BrowserContext) -> None:
    page = await context.new_page()
    await page.goto(f"{floor.url}/entrar?code=ya-usado")
    await expect(page.get_by_role("alert")).to_contain_text("ya se usó o venció")
    await page.get_by_label("Usuario").fill("agent")
    await page.get_by_label("Contraseña").fill("equivocada")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("alert")).to_contain_text("no son correctos")
    await page.get_by_label("Contraseña").fill("una clave larga")
    await page.keyboard.press("Enter")
    await page.wait_for_url("**/agente")
    await page.goto(f"{floor.url}/supervision")  # not this role's page
    await page.wait_for_url("**/agente")


# -- a supervisor -----------------------------------------------------------------------------------------------------
async def test_a_supervisor_steers_with_a_reason(floor: ServedFloor, context: BrowserContext) -> None:
    page = await context.new_page()
    await floor.enter(page, "supervisor")
    await page.wait_for_url("**/supervision")
    await expect(page.locator(".why")).to_contain_text("marca según los agentes libres")
    await expect(page.locator(".gauge")).to_contain_text("Dentro del tope")
    await expect(page.locator(".codes").first).to_contain_text("No contesta")
    assert await page.locator(".agents tbody tr").count() == 14

    await page.get_by_role("button", name="Subir la proporción").click()
    await page.get_by_role("button", name="Aplicar…").click()
    await expect(page.locator("dialog")).to_contain_text("Llamadas por agente libre: 1,5")
    await expect(page.locator("dialog button[type=submit]")).to_be_disabled()
    await page.locator("input[name=reason]").fill("agentes esperando")
    await page.keyboard.press("Enter")
    await expect(page.locator("dialog")).to_have_count(0)
    await expect(page.locator(".stepper output")).to_have_text("1,5")
    assert floor.desk.asked[-1] == ("set", "andino-90", "supervisor", "agentes esperando", {"ratio": 1.5})

    await page.locator("select[name=mode]").select_option("preview")
    await expect(page.locator(".stepper")).to_have_count(0)
    await page.get_by_role("button", name="Aplicar…").click()
    await page.locator("input[name=reason]").fill("cartera delicada")
    await page.keyboard.press("Enter")
    await expect(page.locator("dialog")).to_have_count(0)
    assert floor.desk.asked[-1] == ("set", "andino-90", "supervisor", "cartera delicada", {"mode": "preview"})

    await page.get_by_role("button", name="Pausar").click()
    await page.keyboard.press("Escape")
    await expect(page.locator("dialog")).to_have_count(0)
    await page.get_by_role("button", name="Pausar").click()
    await page.get_by_role("button", name="Cambio de turno").click()
    await page.locator("dialog button[type=submit]").click()
    await expect(page.locator(".run")).to_have_text("En pausa")
    assert floor.desk.asked[-1][:4] == ("pause", "andino-90", "supervisor", "Cambio de turno")


async def test_a_supervisor_in_english_sees_the_cap_broken(floor: ServedFloor, context: BrowserContext) -> None:
    page = await context.new_page()
    await floor.enter(page, "supervisor")
    await page.get_by_role("button", name="EN", exact=True).click()
    await expect(page.locator(".agents")).to_contain_text("In call")
    floor.desk.campaign = msgspec.structs.replace(
        floor.desk.campaign,
        abandoned=23,
        abandonment_rate=23 / 463,
        reason="limited-by-abandonment",
        abandonment_day=AbandonmentView(463, 23, 23 / 463, 0.0698),
        budget_left=-9.6,
    )
    floor.desk.publish("a02")
    await expect(page.locator(".gauge-over")).to_contain_text("Over the cap")
    await expect(page.locator(".gauge-over")).to_contain_text("Budget exceeded by 9.6 calls")
    await expect(page.locator(".why")).to_contain_text("limited by the abandonment cap")
    floor.desk.well["switch"] = False
    floor.desk.publish("a02")
    await expect(page.locator(".top")).to_contain_text("Switch is down")


#: A predictive campaign that its risk holds back, and what its controller made that of.
LIMITED = {
    "reason": "limited-by-risk",
    "launch": 2,
    "risk": 0.0612,
    "threshold": 0.05,
    "free_10s": 4.15,
    "answers_10s": 4.9,
}


def predictive(floor: ServedFloor) -> None:
    said = sentence(LIMITED)
    floor.desk.campaign = msgspec.structs.replace(
        floor.desk.campaign,
        mode="predictive",
        reason="limited-by-risk",
        why=SaidView(said.es, str(said)),
        forecast=ForecastView(0.0612, 0.05, 0.25, 4.15, 4.9, 1.3, 8.5),
        abandonment_target=0.02,
        abandonment_month=AbandonmentView(1210, 31, 31 / 1210, 0.0347),
    )
    floor.desk.publish("a02")


async def test_a_supervisor_sees_what_the_pacing_looks_ahead_to(
    floor: ServedFloor, context: BrowserContext, tmp_path: Path
) -> None:
    page = await context.new_page()
    await floor.enter(page, "supervisor")
    await page.locator(".gauge").wait_for()
    assert await page.locator(".outlook").count() == 0  # a mode that does not look ahead shows no forecast
    predictive(floor)
    await expect(page.locator(".campaign-head")).to_contain_text("Predictivo")
    await expect(page.locator(".why")).to_contain_text("probabilidad de 6,1 %; se permite 5,0 %")
    await expect(page.locator(".outlook")).to_contain_text("1,3 a 8,5")
    await expect(page.locator(".outlook")).to_contain_text("6,1 %")
    month = page.locator(".windows tbody tr").nth(1)
    await expect(month).to_contain_text("31 de 1.210")
    await expect(month.locator(".tone-near svg")).to_have_count(1)
    await expect(page.locator(".bound")).to_contain_text("Sin probar")
    await expect(page.locator(".gauge")).to_contain_text("Presupuesto: 6,9 llamadas · meta 2,0 %")
    fits = "[document.documentElement.scrollHeight <= innerHeight, document.documentElement.scrollWidth <= innerWidth]"
    await page.screenshot(path=tmp_path / "es.png")
    assert await page.evaluate(fits) == [True, True]
    await page.get_by_role("button", name="EN", exact=True).click()
    await expect(page.locator(".why")).to_contain_text("One more answer would find nobody with a probability of 6.1%")
    await expect(page.locator(".bound")).to_contain_text("Not proven")
    assert await page.evaluate(fits) == [True, True]
    await page.screenshot(path=tmp_path / "en.png")
    await page.locator("select[name=mode]").select_option("ratio")
    await page.get_by_role("button", name="Apply…").click()
    await expect(page.locator("dialog")).to_contain_text("Mode: Ratio")


async def test_who_only_watches_gets_no_controls(floor: ServedFloor, context: BrowserContext) -> None:
    page = await context.new_page()
    await floor.enter(page, "director")
    await page.locator(".gauge").wait_for()
    assert await page.locator(".pacing, .verbs").count() == 0


# -- looks ------------------------------------------------------------------------------------------------------------
def _ten_minutes(floor: ServedFloor) -> list[bytes]:
    """Floors of the last ten minutes, so that the trend has something to show."""
    rng = random.Random(7)
    now, view, made = floor.desk.clock.now(), floor.desk.floor(), []
    talking = 5
    for n in range(120, 0, -1):
        talking = min(9, max(3, talking + rng.choice((-1, 0, 0, 1))))
        campaign = msgspec.structs.replace(
            view.campaigns[0], talking=talking, dialling=rng.randint(4, 8), waiting=int(rng.random() < 0.12)
        )
        at = now - timedelta(seconds=5 * n)
        made.append(msgspec.json.encode(msgspec.structs.replace(view, at=at, campaigns=(campaign,))))
    return made


async def test_both_pages_fit_and_are_drawn_for_the_documents(
    floor: ServedFloor, browser: Browser, picture: Callable[[str], Path]
) -> None:
    start = datetime(2026, 11, 24, 15, 12, tzinfo=UTC)
    await floor.stop()
    fresh = type(floor)(SimulatedClock(Anchor(start, time.monotonic(), 20.0)))
    fresh.store, fresh.users = floor.store, floor.users
    await fresh.start()
    context = await browser.new_context(viewport={"width": 1920, "height": 1080}, locale="es-CO")
    try:
        page = await context.new_page()
        await fresh.enter(page, "supervisor")
        await page.locator(".campaign").wait_for()
        for message in _ten_minutes(fresh):
            fresh.desk.hub.publish("floor", message)
            await page.wait_for_timeout(2)
        fresh.desk.publish("a02")
        await expect(page.locator(".badge-sim")).to_have_text("Hora simulada ×20")
        fits = (
            "[document.documentElement.scrollHeight <= innerHeight, document.documentElement.scrollWidth <= innerWidth]"
        )
        assert await page.evaluate(fits) == [True, True]
        agents = "e => e.scrollHeight <= e.clientHeight"
        assert await page.locator(".agents .scroll").evaluate(agents), "fourteen agents need no scrolling"
        await page.screenshot(path=picture("supervision.png"))

        await page.set_viewport_size({"width": 1600, "height": 900})
        await on_call(fresh, page)
        await page.keyboard.press("c")
        await expect(page.locator(".obligations")).to_contain_text("$\u00a0418.900")
        await page.keyboard.press("1")
        await page.keyboard.press("2")
        await page.locator("input[name=amount]").fill("250.000")
        await page.locator("input[name=due]").fill("2026-12-04")
        await page.locator("textarea[name=note]").fill(
            "Paga con la prima de diciembre; pide recordatorio el día antes."
        )
        await calm(page)
        assert await page.evaluate(fits) == [True, True]
        await page.screenshot(path=picture("agente.png"))
    finally:
        await context.close()
        await fresh.stop()
