"""Who read a person's file: each file that reaches an agent's screen leaves exactly one line, and evidence tells it."""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from cadencia.compliance.evidence_file import EvidenceWriter
from cadencia.compliance.signing import Key
from cadencia.domain.dialing import CampaignSettings, Mode
from cadencia.domain.events import Event
from cadencia.store.evidence_export import export_person
from cadencia.store.memory import MemoryStore
from cadencia.testing.floor import Floor, agent_ids, make_floor
from cadencia.testing.virtual import VirtualLoop, run_virtual

#: 09:00 in Bogotá, a Tuesday.
MORNING = datetime(2026, 11, 24, 14, 0, tzinfo=UTC)
KEY = Key.new()


async def worked(settings: CampaignSettings, seed: int) -> tuple[Floor, MemoryStore, Counter[tuple[str, str]]]:
    """Ten minutes of four agents; and by attempt and agent, how often the agent's page was first sent that file."""
    loop = asyncio.get_running_loop()
    assert isinstance(loop, VirtualLoop)
    store = MemoryStore(keep_events=200_000)
    floor = await make_floor(loop.clock(MORNING), agents=4, contacts=500, seed=seed, store=store, settings=settings)
    floor.engine.options = replace(floor.engine.options, signer=KEY)
    sent: Counter[tuple[str, str]] = Counter()
    on_screen: dict[str, str] = {}
    publish = floor.engine.hub.publish

    def watched(topic: str, message: bytes) -> None:
        if topic.startswith("agent/"):
            pop = msgspec.json.decode(message)["pop"]
            attempt = pop["attempt_id"] if pop else ""
            if attempt and on_screen.get(topic) != attempt:
                sent[attempt, topic.removeprefix("agent/")] += 1
            on_screen[topic] = attempt
        publish(topic, message)

    floor.engine.hub.publish = watched  # type: ignore[method-assign]
    await floor.engine.start()
    await floor.engine.ready_to_dial(10.0)
    floor.start_agents(agent_ids(floor))
    await asyncio.sleep(600)
    await floor.engine.stop(drain_s=120, hang_up=True)
    await floor.stop_agents()
    return floor, store, sent


async def reads(store: MemoryStore) -> list[Event]:
    return list(await store.events(limit=200_000, kinds=("file.read",)))


@pytest.mark.parametrize(("mode", "what"), [(Mode.PROGRESSIVE, "pop"), (Mode.PREVIEW, "preview")])
def test_each_file_on_a_screen_leaves_one_line(mode: Mode, what: str) -> None:
    async def morning() -> None:
        _, store, sent = await worked(CampaignSettings(mode=mode), 11)
        told = await reads(store)
        assert Counter((e.attempt_id, e.agent_id) for e in told) == sent
        assert len(told) > 20
        assert {(e.body["what"], e.body["by"] == e.agent_id, len(e.body)) for e in told} == {(what, True, 2)}
        leases = await store.events(0, 200_000, ("attempt.leased",))
        leased = {e.attempt_id: (e.campaign_id, e.contact_id) for e in leases}
        assert all(leased[e.attempt_id] == (e.campaign_id, e.contact_id) for e in told)

    run_virtual(morning())


def test_whoever_saw_a_persons_data_is_in_the_export() -> None:
    async def morning() -> None:
        floor, store, _ = await worked(CampaignSettings(mode=Mode.PROGRESSIVE), 12)
        first = (await reads(store))[0]
        at = floor.clock.now()
        (explained,) = await floor.engine.people.explain(first.contact_id or 0, at, "carla", at)
        person = explained.contact.person.id
        lines: list[bytes] = []
        await export_person(store, EvidenceWriter(lines.append, KEY), person, "carla", at)
        told: list[dict[str, Any]] = [msgspec.json.decode(line) for line in b"".join(lines).splitlines()]
        rows = [row for row in told if row["is"] == "timeline" and "pantalla" in row["es"]]
        assert [(row["who"], row["es"]) for row in rows] == [
            (first.agent_id, "la ficha estuvo en la pantalla del agente")
        ]
        asked = (await reads(store))[-2:]
        assert [(e.body["by"], e.body["what"], e.body["person_id"]) for e in asked] == [
            ("carla", "explain", person),
            ("carla", "evidence", person),
        ]

    run_virtual(morning())
