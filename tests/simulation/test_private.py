"""No debtor's data in logs, metrics, the event log's bodies, or the supervisor's view."""

from __future__ import annotations

import asyncio
import io
import logging
import random
import re
from collections.abc import Iterator

import msgspec
import pytest
import structlog

from cadencia.domain.dialing import CampaignSettings, Mode
from cadencia.metrics import logs
from cadencia.testing.floor import agent_ids, make_floor, people
from cadencia.testing.virtual import VirtualLoop, run_virtual

CONTACTS = 400


@pytest.fixture
def written() -> Iterator[io.StringIO]:
    root = logging.getLogger()
    handlers, level, config = root.handlers[:], root.level, structlog.get_config()
    stream = io.StringIO()
    logs.configure("debug", stream)
    yield stream
    root.handlers[:], root.level = handlers, level
    structlog.configure(**config)


def test_names_numbers_and_documents_stay_out_of_all_that_is_written_for_machines(written: io.StringIO) -> None:
    async def work() -> tuple[str, str, str]:
        loop = asyncio.get_running_loop()
        assert isinstance(loop, VirtualLoop)
        settings = CampaignSettings(mode=Mode.RATIO, ratio=2.0)
        floor = await make_floor(loop.clock(), agents=8, contacts=CONTACTS, settings=settings, seed=23)
        floor.switch.faults.refuse_bridge = floor.switch.faults.lose_event = 0.02
        await floor.engine.start()
        await floor.engine.ready_to_dial(5)
        floor.start_agents(agent_ids(floor))
        rng = random.Random(23)
        for _ in range(12):
            await asyncio.sleep(100)
            floor.switch.drop_telephone(rng.choice(sorted(floor.switch.endpoints)))
            floor.server.disconnect()
        view = msgspec.json.encode(floor.engine.floor()).decode()
        events = msgspec.json.encode([event.body for event in await floor.store.events(limit=100_000)]).decode()
        await floor.engine.stop(drain_s=60, hang_up=True)
        await floor.stop_agents()
        return view, events, floor.tally.metrics.render().decode()

    view, events, metrics = run_virtual(work())
    log = written.getvalue()
    assert log.count("\n") > 20
    assert '"launch":' in events
    seeded = people(CONTACTS)
    secrets = {p.doc_number for p in seeded} | {p.phones[0].e164.lstrip("+") for p in seeded}
    secrets |= {p.phones[0].e164[3:] for p in seeded} | {p.name for p in seeded}
    for text in (log, metrics, view, events):
        assert not secrets & set(re.findall(r"\d{7,}|Persona \d+", text))
        assert not any(p.phones[0].e164[3:] in text for p in seeded)
