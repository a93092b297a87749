"""`cadencia run`: engine and pages in one process, for real."""

from __future__ import annotations

import asyncio
import os
import random
import signal
import socket as sockets
from pathlib import Path
from typing import Annotated

import typer

from cadencia.cli.opening import database_url
from cadencia.clock import SystemClock
from cadencia.config import Settings, load
from cadencia.dialer.context import Options
from cadencia.dialer.engine import Engine
from cadencia.dialer.tally import Tally
from cadencia.errors import AmiLost, CadenciaError
from cadencia.metrics.logs import configure
from cadencia.metrics.prometheus import Metrics, watch_loop_lag
from cadencia.store.postgres import PostgresStore
from cadencia.telephony.ami.session import tcp
from cadencia.web.app import create_app
from cadencia.web.server import claim_port, serve

#: Real seconds that a stop waits for conversations; what is left is taken over by the next start.
_DRAIN_S = 5.0


def run(config: Annotated[Path | None, typer.Option("-c", "--config", help="Settings file.")] = None) -> None:
    """Run the engine and the pages until SIGTERM or Ctrl-C.

    Example: cadencia run -c cadencia.toml
    """
    settings = load(config)
    configure(settings.log.level)
    asyncio.run(_run(settings))


async def _run(settings: Settings) -> None:
    # Ports first: nothing is started that would have to be undone.
    socket = claim_port(settings.web.host, settings.web.port)
    try:
        store = await PostgresStore.open(await database_url(settings), connections=settings.database.connections)
    except BaseException:
        socket.close()
        raise
    try:
        await _serve(settings, store, socket)
    finally:
        socket.close()
        await store.close()


async def _serve(settings: Settings, store: PostgresStore, socket: sockets.socket) -> None:
    clock, tally, switch = SystemClock(), Tally(Metrics()), settings.switch
    options = Options(
        switch.user,
        switch.secret.get_secret_value(),
        holder=f"{sockets.gethostname()}, pid {os.getpid()}",
        channels=switch.channels,
        rate_per_s=switch.rate_per_s,
        caller_name=switch.caller_name,
    )
    engine = Engine(store, clock, tcp(switch.host, switch.port), options, tally, rng=random.SystemRandom())
    ended = asyncio.Event()
    for name in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(name, ended.set)
    await engine.start()
    try:
        await _first_link(engine, switch.host, switch.port)
        app = create_app(engine, store, metrics=tally.metrics, secure_cookies=settings.web.secure_cookies)
        pages = asyncio.create_task(serve(app, settings.web.host, settings.web.port, sock=socket))
        lag = asyncio.create_task(watch_loop_lag(tally.metrics, clock))
        typer.echo(settings.web.base_url or f"http://{settings.web.host}:{socket.getsockname()[1]}")
        waiting = asyncio.create_task(ended.wait())
        await asyncio.wait({pages, waiting}, return_when=asyncio.FIRST_COMPLETED)
        for task in (pages, lag, waiting):
            task.cancel()
        await asyncio.gather(pages, lag, waiting, return_exceptions=True)
    finally:
        await engine.stop()


async def _first_link(engine: Engine, host: str, port: int) -> None:
    """A switch that is down may come later; one that refuses us never will."""
    try:
        await engine.ready_to_dial(5.0)
    except AmiLost as error:
        typer.echo(f"{host}:{port}: {error.message}; trying again.", err=True)
    except CadenciaError as error:
        if not error.retryable:
            error.hint = error.hint or f"Check switch.user and switch.secret, and manager.conf on {host}."
            raise
