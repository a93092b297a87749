"""A served floor and a real Chromium to look at it."""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Browser, BrowserContext, Page, async_playwright

sys.path.insert(0, str(Path(__file__).parents[1] / "unit"))
from web_fakes import FakeDesk, QuickAsker, people

from cadencia.clock import Clock
from cadencia.metrics.prometheus import Metrics
from cadencia.store.memory import MemoryStore
from cadencia.web import signin
from cadencia.web.app import create_app
from cadencia.web.pages import STATIC
from cadencia.web.server import claim_port, serve

CHROMIUM = Path(os.environ.get("CADENCIA_CHROMIUM", "/usr/bin/chromium"))
_QUIET = (
    "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--no-first-run", "--lang=es-CO",
)  # fmt: skip


IMAGES = Path(__file__).parents[2] / "docs" / "images"


@pytest.fixture
def picture(tmp_path: Path) -> Callable[[str], Path]:
    """Where a picture goes: to the documents if they lack it or CADENCIA_DRAW asks for new ones, else nowhere."""

    def place(name: str) -> Path:
        wanted = IMAGES / name
        if wanted.exists() and not os.environ.get("CADENCIA_DRAW"):
            return tmp_path / name
        wanted.parent.mkdir(parents=True, exist_ok=True)
        return wanted

    return place


def _cannot_run_here(reason: str) -> None:
    if os.environ.get("CADENCIA_REQUIRE") == "all":
        pytest.fail(reason)
    pytest.skip(reason)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def browser() -> AsyncIterator[Browser]:
    if not CHROMIUM.exists():
        _cannot_run_here(f"there is no Chromium at {CHROMIUM} (CADENCIA_CHROMIUM names another)")
    if not (STATIC / "index.html").exists():
        _cannot_run_here("the pages are not built: python scripts/build_pages.py")
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=str(CHROMIUM), args=_QUIET)
        yield browser
        await browser.close()


class ServedFloor:
    """The application over the fake desk on a port of its own; it can be stopped and started again on that port."""

    def __init__(self, clock: Clock | None = None) -> None:
        self.desk = FakeDesk(clock)
        self.asker = QuickAsker()
        self.store = MemoryStore()
        self.sock = claim_port("127.0.0.1", 0)
        self.port: int = self.sock.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"

    @property
    def streams(self) -> int:
        return len(self.app.state.context.streams)

    async def start(self) -> None:
        self.app = create_app(self.desk, self.store, metrics=Metrics(), believe_s=0.0, asker=self.asker)
        self.running = asyncio.create_task(serve(self.app, "127.0.0.1", self.port, sock=self.sock))

    async def stop(self) -> None:
        self.running.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self.running

    async def restart(self) -> None:
        """As a new process would: nothing but the store is kept."""
        self.sock = claim_port("127.0.0.1", self.port)
        await self.start()

    async def enter(self, page: Page, login: str) -> None:
        """Sign in by a one-time link."""
        await page.goto(await signin.issue_once(self.store, self.users[login], self.desk.clock, self.url))

    async def settled(self, condition: object) -> None:
        """Wait until a condition of the server's side holds."""
        async with asyncio.timeout(5):
            while not condition():  # type: ignore[operator]
                await asyncio.sleep(0.02)


@pytest_asyncio.fixture(loop_scope="module")
async def floor() -> AsyncIterator[ServedFloor]:
    made = ServedFloor()
    made.users = await people(made.store)
    await made.start()
    yield made
    await made.stop()


@pytest_asyncio.fixture(loop_scope="module")
async def context(browser: Browser) -> AsyncIterator[BrowserContext]:
    """A browser profile in which any script error and any refused resource fails the test."""
    made = await browser.new_context(viewport={"width": 1920, "height": 1080}, locale="es-CO", timezone_id="Asia/Tokyo")
    made.set_default_timeout(5_000)
    problems: list[str] = []
    made.on("weberror", lambda error: problems.append(str(error.error)))
    made.on("console", lambda m: problems.append(m.text) if "Content Security Policy" in m.text else None)
    yield made
    await made.close()
    assert problems == []
