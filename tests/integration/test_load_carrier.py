"""The carrier of the load tests, against a real Asterisk: each call has its line, and it can fail in every way."""

from __future__ import annotations

import asyncio
import itertools
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from cadencia.telephony.asterisk import Lab
from cadencia.testing.sip.load import LoadCarrier, parse_mix
from cadencia.testing.sip.load_process import LoadProcess, read_log

pytestmark = pytest.mark.asterisk

_serial = itertools.count(1)
MIX = "answer=50,gone=10,noanswer=10,busy=10,invalid=10,congestion=5,temporary=5"


async def dial(ami: Any, number: int, *, timeout_ms: int = 1500, rate_per_s: float = 40.0) -> dict[str, str]:
    """So many calls; number -> attempt."""
    made = {}
    for _ in range(number):
        n = next(_serial)
        made[f"57300{n:07d}"] = call_id = f"load-{n:06d}"
        ami.send(
            "Originate", {"CAD_WAIT_S": "5"}, Channel=f"PJSIP/57300{n:07d}@trunk", ChannelId=call_id,
            Context="cad-debtor", Exten="s", Priority=1, Async="true", Timeout=timeout_ms,
        )  # fmt: skip
        await asyncio.sleep(1 / rate_per_s)
    return made


async def hangups(ami: Any, made: dict[str, str], timeout_s: float = 12.0) -> dict[str, Any]:
    """The Hangup of each number."""
    async with asyncio.timeout(timeout_s):
        while True:
            found = {m["Uniqueid"]: m for m in ami.events("Hangup")}
            if set(made.values()) <= set(found):
                return {number: found[call_id] for number, call_id in made.items()}
            await asyncio.sleep(0.05)


TECH_CAUSES = {"busy": "486", "invalid": "404", "congestion": "503", "temporary": "480"}


async def test_every_call_has_its_line_and_the_switch_says_the_same(
    asterisk_ami: Any, asterisk_lab: Lab, tmp_path: Path
) -> None:
    log = tmp_path / "calls.jsonl"
    words = ("--seed", "5", "--mix", MIX, "--ring", "0.1:0.5", "--talk", "1:2")
    async with LoadProcess(asterisk_lab.trunk_ports[0], log, *words) as carrier:
        made = await dial(asterisk_ami, 120)
        ends = await hangups(asterisk_ami, made)
        async with asyncio.timeout(5):
            while len(carrier.calls()) < len(made):
                await asyncio.sleep(0.1)
        said = await carrier.tell("stats")
    calls = read_log(log)
    assert Counter(call["number"] for call in calls) == Counter(list(made))
    assert (said["begun"], said["live"]) == (120, 0)
    assert len({call["kind"] for call in calls}) >= 6
    for call in calls:
        end = ends[call["number"]]
        assert end["TechCause"] == TECH_CAUSES.get(call["kind"], end["TechCause"])
        by = {"answer": "peer", "gone": "peer", "noanswer": "cancel"}.get(call["kind"], "refused")
        assert call["ended_by"] == by
        assert (call["t_answered"] is not None) is (call["kind"] in ("answer", "gone"))
        if call["kind"] == "answer":
            assert 0.95 < call["t_end"] - call["t_answered"] < 2.5


async def test_its_modes(asterisk_ami: Any, asterisk_lab: Lab, tmp_path: Path) -> None:
    log = tmp_path / "calls.jsonl"
    async with LoadProcess(asterisk_lab.trunk_ports[0], log, "--ring", "0.1", "--talk", "1.0") as carrier:
        assert (await carrier.tell("503"))["mode"] == "503"
        refused = await dial(asterisk_ami, 5)
        assert {end["TechCause"] for end in (await hangups(asterisk_ami, refused)).values()} == {"503"}
        assert (await carrier.tell("silent"))["mode"] == "silent"
        unheard = await dial(asterisk_ami, 5)
        await hangups(asterisk_ami, unheard)
        assert "error" in await carrier.tell("sideways")
        assert (await carrier.tell("normal"))["mode"] == "normal"
        answered = await dial(asterisk_ami, 5)
        await hangups(asterisk_ami, answered)
        await carrier.tell("flapping 0.3")
        mixed = await dial(asterisk_ami, 24, rate_per_s=20)
        await hangups(asterisk_ami, mixed)
    by_number = {call["number"]: call for call in read_log(log)}
    assert {by_number[number]["code"] for number in refused} == {503}
    # Asterisk goes on sending the INVITE that nobody took, and cancels it as soon as somebody does.
    assert not {by_number[number]["code"] for number in unheard} & {200}
    assert {by_number[number]["code"] for number in answered} == {200}
    assert {by_number[number]["code"] for number in mixed} == {200, 503}


async def test_a_cable_that_is_out_for_a_moment_costs_no_call(asterisk_ami: Any, asterisk_lab: Lab) -> None:
    """SIP sends again: what was not taken in is answered when the carrier is back."""
    async with LoadCarrier(asterisk_lab.trunk_ports[0], ring_s=(0.1, 0.1), talk_s=(1.0, 1.0)) as carrier:
        carrier.switch("silent")
        made = await dial(asterisk_ami, 3, timeout_ms=8000)
        carrier.switch("normal")
        await hangups(asterisk_ami, made)
        await asyncio.sleep(0.2)
        assert carrier.ended == {"answer 200 peer": 3}


@pytest.mark.parametrize("wrong", ["", "answer", "answer=x", "nobody=1", "answer=0", "answer=-1"])
def test_a_mix_that_is_none_is_refused(wrong: str) -> None:
    with pytest.raises(ValueError):
        parse_mix(wrong)
