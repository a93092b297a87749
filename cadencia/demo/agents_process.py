"""The simulated agents as a process of their own: `python -m cadencia.demo.agents_process FOLDER`.

They use the API as any program would, with bearer tokens and the event stream, and find the engine again when it comes
back after a kill.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import signal
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx

from cadencia.demo.state import DemoFolder, DemoState, read_state
from cadencia.dialer.views import AgentView
from cadencia.errors import Refused
from cadencia.pacing.worlds import World
from cadencia.testing.agents import SimulatedAgent, view_of

#: Real seconds before the stream is opened again.
_AGAIN_S = 0.2

#: The engine sends a sign of life every 15 s; longer silence is a dead connection.
_SILENCE_S = 40.0


class HttpPort:
    """An agent's desk over HTTP."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        self._client = client

    async def views(self) -> AsyncIterator[AgentView]:
        """The agent's present, across restarts of the engine."""
        while True:
            with contextlib.suppress(httpx.HTTPError):
                async with self._client.stream("GET", "/api/stream", timeout=httpx.Timeout(5, read=_SILENCE_S)) as got:
                    got.raise_for_status()
                    event = ""
                    async for line in got.aiter_lines():
                        name, _, value = line.partition(": ")
                        if name == "event":
                            event = value
                        elif name == "data" and event == "agent":
                            yield view_of(value.encode())
            await asyncio.sleep(_AGAIN_S)

    async def act(self, verb: str, body: dict[str, Any]) -> None:
        """One command. Raises Refused if it was refused or did not arrive."""
        try:
            answer = await self._client.post(f"/api/agent/{verb}", json=body or None, timeout=10.0)
        except httpx.HTTPError as error:
            raise Refused(f"the engine did not answer to {verb} ({type(error).__name__}).") from error
        if answer.status_code != httpx.codes.OK:
            raise Refused(f"{verb} was refused with {answer.status_code}: {answer.text[:200]}")


async def work(folder: DemoFolder, state: DemoState) -> None:
    """All agents, until told to end."""
    tokens: dict[str, str] = json.loads(folder.tokens.read_text())
    base = f"http://127.0.0.1:{state.port}"
    clock, world = state.clock(), World()
    ended = asyncio.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(name, ended.set)
    async with contextlib.AsyncExitStack() as stack:
        tasks = []
        for agent_id, token in tokens.items():
            client = httpx.AsyncClient(base_url=base, headers={"Authorization": f"Bearer {token}"}, trust_env=False)
            port = HttpPort(await stack.enter_async_context(client))
            agent = SimulatedAgent(port, agent_id, clock, world, state.seed)
            tasks.append(asyncio.create_task(agent.run()))
        await ended.wait()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


if __name__ == "__main__":
    path = Path(sys.argv[1])
    asyncio.run(work(DemoFolder(path), read_state(path)))
