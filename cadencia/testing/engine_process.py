"""An engine in a process of its own, with agents who work fast: made to be killed.

    python -m cadencia.testing.engine_process SPEC.json

SPEC is a `Spec` as JSON. It prints one line of JSON when it dials, and one after each line on its standard input:

    picture        its picture of the agents, the calls on the line, and whether it has a link
    step SECONDS   sets its wall clock by so much
    stop           ends in order

Time is a simulated clock that runs in real time from the `Spec`'s anchor: the same in every process of the machine.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import random
import sys
import time
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec

from cadencia.clock import Anchor, SimulatedClock
from cadencia.dialer.context import Options
from cadencia.dialer.engine import Engine
from cadencia.dialer.servers import MAIN, Line, Server
from cadencia.dialer.tally import Tally
from cadencia.domain.agents import AgentState
from cadencia.errors import CadenciaError
from cadencia.metrics.logs import configure
from cadencia.metrics.prometheus import Metrics
from cadencia.store.postgres import PostgresStore
from cadencia.telephony.ami.connect import tcp
from cadencia.testing.agents import DeskPort


class Spec(msgspec.Struct, frozen=True):
    """What an engine process needs.

    Attributes:
        database: address of its PostgreSQL.
        port, user, secret, config: of the Asterisk server, see `Server`.
        trunk, channels, rate_per_s: its one trunk.
        epoch, mono_s: the clock's anchor.
        step_s: by how much the wall clock is set from the start.
    """

    database: str
    port: int
    user: str
    secret: str
    config: str
    epoch: datetime
    mono_s: float
    trunk: str = "trunk"
    channels: int = 200
    rate_per_s: float = 50.0
    step_s: float = 0.0


class SetClock(SimulatedClock):
    """A simulated clock whose wall can be set while it runs, as somebody may set a machine's."""

    step = timedelta()

    def now(self) -> datetime:
        return super().now() + self.step


async def work(engine: Engine, agent_id: str) -> None:
    """An agent who is ready at once, always, and chooses a disposition as soon as there is something to choose."""
    desk = DeskPort(engine, agent_id)
    async for view in desk.views():
        # Refused: the floor moved on, and the next view tells where to.
        with contextlib.suppress(CadenciaError):
            if view.state == AgentState.OUT:
                await desk.act("sign-in", {})
            elif view.state == AgentState.PAUSED:
                await desk.act("ready", {})
            elif view.state == AgentState.WRAPUP and view.pop is not None:
                body = {"attempt_id": view.pop.attempt_id, "code": "TMS", "note": "", "promise": None}
                await desk.act("disposition", body | {"callback_at": None})


def picture(engine: Engine) -> dict[str, Any]:
    """The engine's picture."""
    seats = engine.staff.seats.values()
    return {
        "agents": {s.agent.endpoint: [s.state, s.call.attempt_id if s.call else None, s.leg_up] for s in seats},
        "calls": len(engine.calls.live),
        "linked": engine.switches.first.ready,
        "mended": engine.switches.first.mended,
    }


async def serve(spec: Spec) -> None:
    """Dial until told to stop, or until another engine leads."""
    clock = SetClock(Anchor(spec.epoch, spec.mono_s, 1.0))
    clock.step = timedelta(seconds=spec.step_s)
    store = await PostgresStore.open(spec.database)
    line = {spec.trunk: Line(spec.channels, spec.rate_per_s)}
    server = Server(MAIN, tcp("127.0.0.1", spec.port), spec.user, spec.secret, spec.config, line)
    engine = Engine(store, clock, [server], Options(holder=f"pid {os.getpid()}"), Tally(Metrics()), rng=random.Random())
    loop = asyncio.get_running_loop()
    reader = asyncio.StreamReader()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    try:
        await engine.start()
        agents = [loop.create_task(work(engine, agent_id)) for agent_id in engine.staff.seats]
        await engine.ready_to_dial(30.0)
        _say(ready_s=time.monotonic(), pid=os.getpid())
        while (line_in := (await reader.readline()).decode().split()) and line_in[0] != "stop":
            if line_in[0] == "step":
                clock.step += timedelta(seconds=float(line_in[1]))
            _say(**picture(engine))
        for task in agents:
            task.cancel()
        await asyncio.gather(*agents, return_exceptions=True)
        await engine.stop(20.0, hang_up=True)
        _say(**picture(engine))
    finally:
        await store.close()


def _say(**what: object) -> None:
    sys.stdout.write(json.dumps(what) + "\n")
    sys.stdout.flush()


def main() -> None:
    """The command line. Exit 1 with the error's message if the engine cannot run."""
    configure("warning")
    spec = msgspec.json.decode(Path(sys.argv[1]).read_bytes(), type=Spec)
    try:
        asyncio.run(serve(spec))
    except CadenciaError as error:
        _say(error=error.code, message=str(error.message))
        sys.exit(1)


if __name__ == "__main__":
    main()
