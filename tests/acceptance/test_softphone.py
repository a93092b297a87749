"""The agent's page as the telephone: a real Asterisk, the engine, and Chromium with a microphone of its own."""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
import socket
import struct
import sys
import time
import wave
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from math import pi, sin
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import trustme
from playwright.async_api import Browser, Page, async_playwright, expect
from playwright.async_api import Error as PlaywrightError
from structlog.testing import capture_logs

sys.path.insert(0, str(Path(__file__).parents[1] / "unit"))

from cadencia.clock import Anchor, SimulatedClock
from cadencia.dialer.context import Options
from cadencia.dialer.engine import Engine
from cadencia.dialer.tally import Tally
from cadencia.domain.access import User, UserRole
from cadencia.domain.agents import Agent, AgentState
from cadencia.domain.dialing import Campaign, CampaignSettings, CampaignState, Mode
from cadencia.errors import CadenciaError
from cadencia.metrics.prometheus import Metrics
from cadencia.store.memory import MemoryStore
from cadencia.telephony.asterisk import Installation, Lab, ensure_asterisk
from cadencia.testing.floor import lab_server, people
from cadencia.testing.sip import AGENT_HZ, DEBTOR_HZ, HUMAN, Carrier
from cadencia.testing.virtual import TUESDAY_0900_BOGOTA
from cadencia.web import signin
from cadencia.web.app import create_app
from cadencia.web.server import claim_port, serve

if TYPE_CHECKING:
    pass

if TYPE_CHECKING:
    from tests.acceptance.conftest import ServedFloor

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="module")]

CHROMIUM = os.environ.get("CADENCIA_CHROMIUM", "/usr/bin/chromium")
_FLAGS = (
    "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update", "--no-first-run",
    "--autoplay-policy=no-user-gesture-required", "--allow-loopback-in-peer-connection",
    "--disable-features=WebRtcHideLocalIpsWithMdns", "--use-fake-device-for-media-stream",
)  # fmt: skip
_ALLOWED = "--use-fake-ui-for-media-stream"

#: Keeps the page's connections where the test can look at them; the page itself shows none.
_SPY = """
window.spied = [];
const Real = window.RTCPeerConnection;
window.RTCPeerConnection = class extends Real {
  constructor(...given) { super(...given); window.spied.push(this); }
};
window.heard = async () => {
  const pc = window.spied.at(-1);
  const told = {received: 0, energy: 0, sent: 0, state: pc?.connectionState ?? ""};
  if (pc) for (const r of (await pc.getStats()).values()) {
    if (r.type === "inbound-rtp") { told.received = r.packetsReceived; told.energy = r.totalAudioEnergy; }
    if (r.type === "outbound-rtp") told.sent = r.packetsSent;
  }
  return told;
};
window.loudest = async () => {
  const context = new AudioContext();
  const analyser = context.createAnalyser();
  analyser.fftSize = 4096;
  const track = window.spied.at(-1).getReceivers()[0].track;
  context.createMediaStreamSource(new MediaStream([track])).connect(analyser);
  await context.resume();
  await new Promise(done => setTimeout(done, 500));
  const bins = new Float32Array(analyser.frequencyBinCount);
  analyser.getFloatFrequencyData(bins);
  const best = bins.indexOf(Math.max(...bins));
  const hertz = best * context.sampleRate / analyser.fftSize;
  await context.close();
  return hertz;
};
"""


@pytest.fixture(scope="module")
def asterisk() -> Installation:
    try:
        return ensure_asterisk(progress=lambda line: print(line, file=sys.stderr))
    except CadenciaError as error:
        if os.environ.get("CADENCIA_REQUIRE") == "all":
            pytest.fail(str(error))
        pytest.skip(str(error))


@pytest.fixture(scope="module")
def voice(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the agent says: short tones, because a steady one is noise to a browser and is taken out."""
    path = tmp_path_factory.mktemp("voice") / "agent.wav"
    rate = 48_000
    spoken = (sin(2 * pi * AGENT_HZ * n / rate) * (n % (rate // 2) < rate * 0.3) for n in range(rate * 2))
    samples = [round(14_000 * value) for value in spoken]
    with wave.open(str(path), "wb") as out:
        out.setparams((1, 2, rate, 0, "NONE", ""))
        out.writeframes(struct.pack(f"<{len(samples)}h", *samples))
    return path


@asynccontextmanager
async def chromium(*flags: str) -> AsyncIterator[Browser]:
    if not Path(CHROMIUM).exists():
        pytest.skip(f"there is no Chromium at {CHROMIUM}")
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=[*_FLAGS, *flags])
        yield browser
        await browser.close()


async def new_page(browser: Browser, problems: list[str]) -> Page:
    context = await browser.new_context(viewport={"width": 1440, "height": 900}, locale="es-CO")
    context.set_default_timeout(8_000)
    context.on("weberror", lambda error: problems.append(str(error.error)))
    context.on("console", lambda m: problems.append(m.text) if "Content Security Policy" in m.text else None)
    await context.add_init_script(_SPY)
    return await context.new_page()


async def until(condition: Callable[[], Any], seconds: float = 8.0) -> None:
    async with asyncio.timeout(seconds):
        while not condition():
            await asyncio.sleep(0.02)


class Cut:
    """Between the browser and the switch: a connection that can be cut."""

    def __init__(self, behind: int) -> None:
        self._behind = behind
        self._whole = True
        self._writers: set[asyncio.StreamWriter] = set()

    async def __aenter__(self) -> Cut:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        self.port: int = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        self.cut()
        self._server.close()
        await asyncio.sleep(0.05)

    def cut(self) -> None:
        self._whole = False
        for writer in self._writers:
            writer.transport.abort()

    def mend(self) -> None:
        self._whole = True

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if not self._whole:
            writer.transport.abort()
            return
        there, away = await asyncio.open_connection("127.0.0.1", self._behind)
        self._writers |= {writer, away}
        with contextlib.suppress(OSError):
            await asyncio.gather(self._pass(reader, away), self._pass(there, writer))

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(65536):
            writer.write(data)
        writer.close()


class VoiceFloor:
    """One agent whose telephone is the page, a campaign, and the debtors behind the trunk."""

    def __init__(self, lab: Lab, **server: Any) -> None:
        self.store = MemoryStore()
        self.clock = SimulatedClock(Anchor(TUESDAY_0900_BOGOTA, time.monotonic(), 1.0))
        self.engine = Engine(
            self.store,
            self.clock,
            [lab_server(lab, **server)],
            Options(holder="t"),
            Tally(Metrics()),
            rng=random.Random(1),
        )
        self.user: User

    async def __aenter__(self) -> VoiceFloor:
        self._capture = capture_logs()
        self.logged = self._capture.__enter__()
        await self.store.save_agent(Agent("ana", "Ana Gómez", "w1001"))
        self.user = await self.store.save_user(
            "ana", "Ana Gómez", UserRole.AGENT, agent_id="ana", password_hash=None, language="es"
        )
        settings = CampaignSettings(mode=Mode.PROGRESSIVE, ring_s=5, min_ring_s=0, wrapup_s=60, trunk="trunk")
        await self.store.create_campaign(
            Campaign("c1", "Andino", CampaignState.RUNNING, settings, self.clock.now()), "test"
        )
        await self.store.import_people("c1", people(20), self.clock.now())
        await self.engine.start()
        await self.engine.ready_to_dial(10)
        sock = claim_port("127.0.0.1", 0)
        self.url = f"http://127.0.0.1:{sock.getsockname()[1]}"
        app = create_app(self.engine, self.store, metrics=Metrics())
        self._serving = asyncio.create_task(serve(app, "127.0.0.1", 0, sock=sock))
        return self

    async def __aexit__(self, *_: object) -> None:
        self._serving.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._serving
        await self.engine.stop()
        self._capture.__exit__(None, None, None)

    @property
    def seat(self) -> Any:
        return self.engine.staff.seats["ana"]

    async def enter(self, page: Page) -> None:
        await page.goto(await signin.issue_once(self.store, self.user, self.clock, self.url))
        await page.wait_for_url("**/agente")


@pytest.mark.asterisk
async def test_the_page_is_the_telephone_through_a_call_and_a_crash_of_the_switch(
    asterisk: Installation, voice: Path, tmp_path: Path
) -> None:
    problems: list[str] = []
    async with (
        Lab(asterisk, agents=0, browser_agents=1) as lab,
        Carrier(lab.trunk_ports[0], lambda number: HUMAN.but(leaves_after_voice_s=None)) as carrier,
        VoiceFloor(lab) as floor,
        chromium(_ALLOWED, f"--use-file-for-fake-audio-capture={voice}") as browser,
    ):
        page = await new_page(browser, problems)
        await floor.enter(page)
        badge = page.locator(".telephone .badge")
        await expect(badge).to_have_text("Registrado")
        await page.keyboard.press("l")
        await expect(badge).to_have_text("En línea", timeout=10_000)
        await until(lambda: floor.seat.leg_up)
        await expect(page.locator(".status-now")).to_contain_text("Inicio de turno")
        await page.keyboard.press("l")

        # A debtor answers and is put through: sound both ways.
        await until(lambda: floor.seat.state is AgentState.TALKING)
        began = await page.evaluate("heard()")
        (call,) = carrier.calls
        await until(lambda: call.heard("agent", 0.3))
        await page.wait_for_timeout(500)
        told = await page.evaluate("heard()")
        assert told["received"] > began["received"] + 20 and told["energy"] > began["energy"]
        assert abs(await page.evaluate("loudest()") - DEBTOR_HZ) < 30
        await expect(page.locator(".quality")).to_contain_text("Buena conexión")
        await page.screenshot(path=tmp_path / "en-llamada.png")

        # Another microphone takes over in the middle of the call.
        await page.locator(".microphone select").select_option(index=1)
        await page.wait_for_timeout(300)
        loud = call.ear.loud_packets
        await until(lambda: call.ear.loud_packets > loud + 20)

        # Silenced: packets go on, the voice does not.
        await page.keyboard.press("i")
        await expect(page.locator(".telephone")).to_contain_text("nadie lo oye")
        await page.wait_for_timeout(300)
        loud, packets = call.ear.loud_packets, call.ear.packets
        await page.wait_for_timeout(700)
        assert call.ear.packets > packets + 20 and call.ear.loud_packets - loud <= 2

        # The switch dies with the call and comes back: the telephone too, by itself.
        lab.crash()
        await expect(page.locator(".notice")).to_contain_text("Sin enlace con el conmutador")
        await expect(badge).to_have_text("Reconectando…")
        await page.screenshot(path=tmp_path / "sin-enlace.png")
        await lab.start_again()
        began_s = time.monotonic()
        await until(lambda: floor.seat.leg_up and floor.seat.switch.ready, 12)
        back_s = time.monotonic() - began_s
        await expect(badge).to_have_text("En línea", timeout=10_000)
        await expect(page.locator(".notice")).to_have_count(0)
        await expect(page.locator(".telephone")).to_contain_text("nadie lo oye")  # until the next call, and no longer
        print(f"telephone back {back_s:.1f} s after the switch")

        # A reload drops the leg; the engine calls the new page.
        leg = floor.seat.leg
        await page.reload()
        await until(lambda: floor.seat.leg_up and floor.seat.leg != leg)
        await expect(badge).to_have_text("En línea", timeout=10_000)
        assert (await page.evaluate("heard()"))["state"] == "connected"
        await keeps_its_secret(floor, lab)
    assert problems == []


async def keeps_its_secret(floor: VoiceFloor, lab: Lab) -> None:
    (phone,) = lab.plan.agents
    kept = [*(await floor.store.events(limit=100_000)), *floor.logged]
    assert len(kept) > 10 and phone.secret not in repr(kept)
    assert phone.secret not in repr(floor.engine.agent("ana")) + repr(floor.engine.floor())


@pytest.mark.asterisk
async def test_one_tab_is_the_telephone_and_a_new_page_frees_what_a_dead_one_left(
    asterisk: Installation, tmp_path: Path
) -> None:
    problems: list[str] = []
    async with (
        Lab(asterisk, agents=0, browser_agents=1) as lab,
        VoiceFloor(lab) as floor,
        chromium(_ALLOWED) as browser,
    ):
        first = await new_page(browser, problems)
        await floor.enter(first)
        await first.locator(".status").wait_for()
        await first.keyboard.press("l")
        await expect(first.locator(".telephone .badge")).to_have_text("En línea", timeout=10_000)
        second = await first.context.new_page()
        await second.goto(f"{floor.url}/agente")
        badge = second.locator(".telephone .badge")
        await expect(badge).to_have_text("En otra pestaña")
        await second.screenshot(path=tmp_path / "otra-pestana.png")
        leg = floor.seat.leg
        await second.get_by_role("button", name="Usar aquí").click()
        await expect(badge).to_have_text("En línea", timeout=10_000)
        await expect(first.locator(".telephone .badge")).to_have_text("En otra pestaña")
        await until(lambda: floor.seat.leg_up and floor.seat.leg != leg)

        # The tab that is the telephone dies without a word: the other one takes over, and the dead leg is hung up.
        leg = floor.seat.leg
        with contextlib.suppress(PlaywrightError):
            await second.goto("chrome://crash")
        badge = first.locator(".telephone .badge")
        await expect(badge).to_have_text("En línea", timeout=10_000)
        await until(lambda: floor.seat.leg_up and floor.seat.leg != leg)

        # So does a page in another browser that was opened last.
        leg = floor.seat.leg
        other = await new_page(browser, problems)
        await floor.enter(other)
        await expect(other.locator(".telephone .badge")).to_have_text("En línea", timeout=10_000)
        await until(lambda: floor.seat.leg_up and floor.seat.leg != leg)
        await expect(badge).to_have_text("En otro navegador")
        leg = floor.seat.leg
        await first.wait_for_timeout(4_000)
        assert floor.seat.leg == leg  # they do not take it from each other for ever

        # The end of the shift hangs up and lets the microphone go.
        await other.get_by_role("button", name="Terminar turno").click()
        await expect(other.locator(".telephone .badge")).to_have_text("Registrado")
        await expect(other.locator(".telephone meter")).to_have_count(0)
    assert problems == []


@pytest.mark.asterisk
async def test_a_call_outlives_its_connection_and_a_wrong_password_is_told(asterisk: Installation) -> None:
    problems: list[str] = []
    async with (
        Lab(asterisk, agents=0, browser_agents=1) as lab,
        Cut(lab.ws_port) as between,
        VoiceFloor(lab, wss=f"ws://127.0.0.1:{between.port}/ws") as floor,
        chromium(_ALLOWED) as browser,
    ):
        page = await new_page(browser, problems)
        await floor.enter(page)
        await page.locator(".status").wait_for()
        await page.keyboard.press("l")
        badge = page.locator(".telephone .badge")
        await expect(badge).to_have_text("En línea", timeout=10_000)
        leg = floor.seat.leg
        between.cut()
        await expect(badge).to_have_text("Reconectando…")
        between.mend()
        await expect(badge).to_have_text("En línea", timeout=10_000)
        assert floor.seat.leg == leg and (await page.evaluate("heard()"))["state"] == "connected"
        # And the end of the shift still reaches the page, whose address on the switch is another one by now.
        await page.get_by_role("button", name="Terminar turno").click()
        await expect(badge).to_have_text("Registrado", timeout=15_000)

        floor.seat.switch.server = replace(floor.seat.switch.server, phone_key="not-the-key-of-this-lab")
        await page.reload()
        await expect(page.locator(".telephone .advice")).to_contain_text("El conmutador no acepta este teléfono.")
    assert problems == []


@pytest.mark.asterisk
async def test_it_registers_over_tls_as_the_guide_sets_it_up(asterisk: Installation) -> None:
    problems: list[str] = []
    async with Lab(asterisk, agents=0, browser_agents=1) as lab:
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        keys = lab.dir / "keys"
        keys.mkdir(exist_ok=True)
        pbx = trustme.CA().issue_cert("127.0.0.1")
        pbx.cert_chain_pems[0].write_to_path(keys / "pbx.crt")
        pbx.private_key_pem.write_to_path(keys / "pbx.key")
        (lab.dir / "etc/http.conf").write_text(
            f"[general]\nenabled = yes\nbindaddr = 127.0.0.1\nbindport = {lab.ws_port}\ntlsenable = yes\n"
            f"tlsbindaddr = 127.0.0.1:{port}\ntlscertfile = {keys}/pbx.crt\ntlsprivatekey = {keys}/pbx.key\n"
        )
        await asyncio.to_thread(lab.cli, "module reload http")
        status = await asyncio.to_thread(lab.cli, "http show status")
        assert "HTTPS Server Enabled" in status and "/ws => Asterisk HTTP WebSocket" in status
        async with (
            VoiceFloor(lab, wss=f"wss://127.0.0.1:{port}/ws") as floor,
            chromium(_ALLOWED, "--ignore-certificate-errors") as browser,
        ):
            page = await new_page(browser, problems)
            await floor.enter(page)
            await page.locator(".status").wait_for()
            await page.keyboard.press("l")
            await expect(page.locator(".telephone .badge")).to_have_text("En línea", timeout=10_000)
            await until(lambda: floor.seat.leg_up)
    assert problems == []


# -- pages without a switch --------------------------------------------------------------------------------------------


async def test_what_the_page_says_where_there_is_no_microphone_or_no_address(
    floor: ServedFloor, tmp_path: Path
) -> None:
    floor.desk.wss = "ws://127.0.0.1:9/ws"
    floor.desk.set("a01", telephone="browser", endpoint="w1001")
    problems: list[str] = []
    async with chromium() as browser:
        page = await new_page(browser, problems)
        await floor.enter(page, "agent")
        badge, advice = page.locator(".telephone .badge"), page.locator(".telephone .advice")
        await expect(page.locator(".idle")).to_contain_text("Esta página es su teléfono")
        await page.get_by_role("button", name="Iniciar turno").click()
        await expect(badge).to_have_text("Sin micrófono")
        await expect(advice).to_contain_text("El micrófono está bloqueado para esta página.")
        assert ("sign_in", "a01") not in floor.desk.asked
        await page.screenshot(path=tmp_path / "bloqueado-es.png")
        await page.get_by_role("button", name="EN", exact=True).click()
        await expect(advice).to_contain_text("allow the microphone, and try again")
        await page.screenshot(path=tmp_path / "bloqueado-en.png")
        await expect(badge).to_have_text("No microphone")
        await page.evaluate("void (navigator.mediaDevices.getUserMedia = () => new Promise(() => {}))")
        await page.get_by_role("button", name="Try again").click()
        await expect(badge).to_have_text("Waiting for the microphone")
        await page.screenshot(path=tmp_path / "pregunta-en.png")
    assert problems == []


@pytest.mark.parametrize("language", ["es", "en"])
async def test_a_lost_server_and_a_rung_telephone_are_told(floor: ServedFloor, language: str, tmp_path: Path) -> None:
    floor.desk.servers_down = ("sur",)
    floor.desk.set("a02", telephone="rung", nailed=False, switch_up=False, state="talking")
    words = {
        "es": ("Suena en cada llamada", "Sin enlace con el conmutador.", "Sin enlace con el servidor sur."),
        "en": ("Rings for each call", "No link to the switch.", "No link to the server sur."),
    }[language]
    async with chromium() as browser:
        for login, selectors in (("agent2", (".phone", ".notice")), ("supervisor", (".notice",))):
            page = await new_page(browser, [])
            await floor.enter(page, login)
            await page.get_by_role("button", name=language.upper(), exact=True).click()
            for selector, text in zip(selectors, words if login == "agent2" else words[2:], strict=False):
                await expect(page.locator(selector).first).to_contain_text(text)
            await page.screenshot(path=tmp_path / f"{login}.png")
