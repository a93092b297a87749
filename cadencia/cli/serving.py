"""What `cadencia run` does: engine and pages in one process, for real."""

from __future__ import annotations

import asyncio
import os
import random
import signal
import socket as sockets
from pathlib import Path

import typer

from cadencia.cli.opening import disk_told, open_store
from cadencia.cli.text import language, say
from cadencia.clock import SystemClock
from cadencia.config import Settings
from cadencia.config.profiles import load_site
from cadencia.dialer.context import Options
from cadencia.dialer.engine import Engine
from cadencia.dialer.site import servers_of
from cadencia.dialer.tally import Tally
from cadencia.errors import CadenciaError, spoken
from cadencia.metrics.logs import configure
from cadencia.metrics.memory import settle_memory
from cadencia.metrics.prometheus import Metrics, watch_loop_lag
from cadencia.store.keys import key_folder, load_or_make
from cadencia.store.port import Store
from cadencia.telephony.outcomes import load_table
from cadencia.web.app import create_app
from cadencia.web.server import claim_port, serve

#: Real seconds that a stop may take to end what rings and waits; conversations go on without us.
_DRAIN_S = 30.0

#: Real seconds that the pages wait for the first link to the switch.
_LINK_S = 2.0


def serve_for_real(settings: Settings) -> None:
    """Serve until SIGTERM or Ctrl-C. Raises CadenciaError."""
    configure(settings.log.level)
    with disk_told(settings):
        asyncio.run(_run(settings))


async def _run(settings: Settings) -> None:
    # Ports first: nothing is started that would have to be undone.
    socket = claim_port(settings.web.host, settings.web.port)
    try:
        store = await open_store(settings)
    except BaseException:
        socket.close()
        raise
    try:
        await _serve(settings, store, socket)
    finally:
        socket.close()
        await store.close()


async def _serve(settings: Settings, store: Store, socket: sockets.socket) -> None:
    clock, tally = SystemClock(), Tally(Metrics())
    signer = load_or_make(key_folder())
    options = Options(holder=f"{sockets.gethostname()}, pid {os.getpid()}", signer=signer)
    table = load_table(Path(settings.outcomes) if settings.outcomes else None)
    book = load_site(Path(settings.law.profiles_dir) if settings.law.profiles_dir else None)
    servers, rng = servers_of(settings), random.SystemRandom()
    engine = Engine(store, clock, servers, options, tally, rng=rng, table=table, book=book)
    ended = asyncio.Event()
    for name in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(name, ended.set)
    await engine.start()
    try:
        await _first_link(engine, ended, settings)
        app = create_app(engine, store, metrics=tally.metrics, secure_cookies=settings.web.secure_cookies, book=book)
        pages = asyncio.create_task(serve(app, settings.web.host, settings.web.port, sock=socket))
        lag = asyncio.create_task(watch_loop_lag(tally.metrics, clock))
        settle_memory()
        typer.echo(settings.web.base_url or f"http://{settings.web.host}:{socket.getsockname()[1]}")
        waiting, deposed = asyncio.create_task(ended.wait()), asyncio.create_task(engine.deposed())
        await asyncio.wait({pages, waiting, deposed}, return_when=asyncio.FIRST_COMPLETED)
        broken = next((task.exception() for task in (pages, deposed) if task.done()), None)
        for task in (pages, lag, waiting, deposed):
            task.cancel()
        await asyncio.gather(pages, lag, waiting, deposed, return_exceptions=True)
        if broken is not None:
            raise broken
    finally:
        await engine.stop(_DRAIN_S)


async def _first_link(engine: Engine, ended: asyncio.Event, settings: Settings) -> None:
    """A switch that is down may come later; one that refuses us never will."""
    up, stop = asyncio.create_task(engine.ready_to_dial(_LINK_S)), asyncio.create_task(ended.wait())
    await asyncio.wait({up, stop}, return_when=asyncio.FIRST_COMPLETED)
    error = up.exception() if up.done() else None
    for task in (up, stop):
        task.cancel()
    await asyncio.gather(up, stop, return_exceptions=True)
    if error is None:
        return
    if not isinstance(error, CadenciaError) or not error.retryable:
        raise error
    why, what = spoken(error.message, language()), spoken(error.hint, language())
    where = ", ".join(f"{server.host}:{server.port}" for server in settings.servers.values())
    typer.echo(f"{where}: {why}. {say('Se sigue intentando.', 'Trying again.')} {what}".rstrip(), err=True)
