"""The simulated switch as a process of its own: `python -m cadencia.demo.switch_process FOLDER`."""

from __future__ import annotations

import asyncio
import signal
import sys
from pathlib import Path

from cadencia.demo.state import DemoState, read_state
from cadencia.pacing.worlds import World
from cadencia.telephony.simulator import SimulatedSwitch, SwitchServer, WorldPopulation

USER = "cadencia"


async def serve(state: DemoState) -> None:
    """Serve AMI on loopback until told to end."""
    loop = asyncio.get_running_loop()
    endpoints = tuple(f"a{1001 + n}" for n in range(state.agents + state.seats))
    switch = SimulatedSwitch(state.clock(), WorldPopulation(World(), state.seed), endpoints, state.seed)
    server = SwitchServer(switch, USER, state.switch_secret)
    ended = asyncio.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(name, ended.set)
    listener = await loop.create_server(server.connection, "127.0.0.1", state.switch_port)
    await ended.wait()
    listener.close()
    server.disconnect()


if __name__ == "__main__":
    asyncio.run(serve(read_state(Path(sys.argv[1]))))
