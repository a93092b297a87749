"""The simulated switch says what a real Asterisk says: the same script of orders, the same conversation.

Each case of the recorder, and some more, is played on the simulated switch and compared with the recording of a real
one: the same events, headers and values, in an order that the real one keeps. Where there is an Asterisk, the cases are
also recorded afresh, and the recordings must still hold.
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "support"))
from conformance import compared, differences, out_of_order, told_by_each_leg
from stages import AWKWARD, MORE, Case, record_afresh, recorder, simulate

from cadencia.telephony.ami.connect import tcp
from cadencia.telephony.ami.session import AmiSession
from cadencia.telephony.asterisk import Installation, Lab
from cadencia.testing.sip import HUMAN, Carrier
from cadencia.testing.transcripts import Transcript, parse_transcript, read_folder, read_transcript
from cadencia.testing.virtual import run_virtual

TRANSCRIPTS = Path(__file__).resolve().parent.parent / "transcripts"
RECORDED = {
    transcript.name: transcript for folder in ("cad", "orders") for transcript in read_folder(TRANSCRIPTS / folder)
}
CASES: dict[str, Case] = {case.__name__: case for case in (*recorder.CASES, *MORE)}

#: Cases whose own script races with the switch: what comes depends on who is first (a hang-up before the dialplan ran
#: shows neither CadReady nor a bridge, and Cause 0).
RACES = frozenset({"agent_nails_himself_up", "hangup_at_answer"})

#: Cases recorded at once; each has its own server and telephones.
AT_ONCE = 10


def simulated(name: str, seed: int, folder: Path) -> Transcript:
    run_virtual(simulate(CASES[name], seed, folder))
    return read_transcript(folder / f"{name}.txt")


def test_every_case_is_recorded() -> None:
    assert set(CASES) == set(RECORDED)


@pytest.mark.parametrize("name", sorted(RECORDED))
def test_recording_keeps_the_order(name: str) -> None:
    assert out_of_order(RECORDED[name]) == []


@pytest.mark.parametrize("name", sorted(RECORDED))
def test_simulated_switch_says_the_same(name: str, tmp_path: Path) -> None:
    for seed in range(5):
        found = simulated(name, seed, tmp_path)
        assert differences(RECORDED[name], found) == []
        assert told_by_each_leg(RECORDED[name]) == told_by_each_leg(found)
        assert out_of_order(found) == []


def test_every_order_that_was_recorded_is_simulated_too(tmp_path: Path) -> None:
    """OriginateResponse comes before, between and after what the other threads tell, on the simulated switch too."""

    def place(transcript: Transcript) -> tuple[str, ...]:
        legs = [
            h.get("Event") for h in compared(transcript) if h.get("Event") in ("OriginateResponse", "DialEnd", "Hangup")
        ]
        return tuple(legs)

    refused = {place(simulated("busy", seed, tmp_path)) for seed in range(40)}
    assert refused == {
        ("OriginateResponse", "DialEnd", "Hangup"),
        ("DialEnd", "OriginateResponse", "Hangup"),
        ("DialEnd", "Hangup", "OriginateResponse"),
    }
    assert place(RECORDED["busy"]) in refused
    assert place(RECORDED["congestion_503"]) in refused
    assert place(RECORDED["temporary_480"]) in refused

    def names_of(transcript: Transcript) -> list[str]:
        return [h.get("UserEvent") or h.get("Event") for h in compared(transcript)]

    def answered(transcript: Transcript) -> str:
        names = names_of(transcript)
        place, up = names.index("OriginateResponse"), len(names) - names[::-1].index("Newstate") - 1
        return "first" if place < up else "last" if place > names.index("CadReady") else "between"

    found = {answered(simulated("answered_no_agent", seed, tmp_path)) for seed in range(60)}
    assert found == {"first", "between", "last"}
    recorded = [t for t in RECORDED.values() if {"CadReady", "OriginateResponse"} <= {*names_of(t)}]
    assert {answered(transcript) for transcript in recorded} == found


def test_status_puts_a_talking_pair_into_one_bridge(tmp_path: Path) -> None:
    for transcript in (RECORDED["status_of_a_talking_pair"], simulated("status_of_a_talking_pair", 1, tmp_path)):
        rows = [heard for heard in transcript.heard if heard.get("Event") == "Status"]
        bridges = {row.get("Uniqueid").partition("-")[2]: row.get("BridgeID") for row in rows}
        assert bridges["att1"] == bridges["leg1"] != ""
        assert len({bridges["att1"], bridges["att2"], bridges["leg2"]}) == 3


ONE = """# Made up
# > +0.000 Bridge Channel1: d, Channel2: g, Tone: no
# +0.001
Event: BridgeEnter
BridgeType: basic
BridgeUniqueid: b
Uniqueid: d

# +0.002
Event: BridgeEnter
BridgeType: basic
BridgeUniqueid: b
Uniqueid: g

# +0.003
Event: Hangup
Uniqueid: d
Cause: 16

"""


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("Cause: 16", "Cause: 17", "Cause='17'"),
        ("Cause: 16\n", "", "headers"),
        ("Uniqueid: d\nCause: 16", "Cause: 16\nUniqueid: d", "headers"),
        ("Uniqueid: d\nCause", "Uniqueid: g\nCause", "Hangup g"),
    ],
)
def test_the_comparison_sees_what_differs(old: str, new: str, said: str) -> None:
    one, other = parse_transcript("one", ONE), parse_transcript("other", ONE.replace(old, new))
    assert differences(one, one) == []
    assert said in " ".join(differences(one, other))


def test_the_comparison_sees_what_is_out_of_order() -> None:
    enter, other, end = ONE.partition("# +0.001")[2].split("\n\n")[:3]
    swapped = f"# Made up\n# +0.001{end}\n\n{enter}\n\n{other}\n\n".replace("# +0.002\n", "", 0)
    assert out_of_order(parse_transcript("swapped", swapped)) == ["d: Hangup before BridgeEnter"]
    assert out_of_order(parse_transcript("one", ONE)) == []
    early = ONE.replace("# > +0.000", "# > +0.500")
    assert out_of_order(parse_transcript("early", early)) == ["a conversation before its order"]


@pytest.mark.asterisk
async def test_recordings_still_hold(asterisk_installation: Installation, tmp_path: Path) -> None:
    """Every case on a real switch, now, against what was recorded."""
    wrong = {name: ["not recorded"] for name in CASES if name not in RACES}
    for at_once in (
        AT_ONCE,
        4,
        1,
    ):  # on a busy machine a script may fall behind the switch: what differs is played again
        wrong = await _recorded_afresh(list(wrong), at_once, tmp_path)
    assert wrong == {}


async def _recorded_afresh(names: list[str], at_once: int, folder: Path) -> dict[str, list[str]]:
    """Record these cases and return those that differ from what was recorded, and in what."""
    gate = asyncio.Semaphore(at_once)

    async def differing(name: str) -> list[str]:
        async with gate:
            try:
                await record_afresh(CASES[name], folder)
            except TimeoutError as error:
                return [repr(error)]
        found = read_transcript(folder / f"{name}.txt")
        told = [] if told_by_each_leg(RECORDED[name]) == told_by_each_leg(found) else ["a leg tells another story"]
        return [*differences(RECORDED[name], found), *out_of_order(found), *told]

    faults = await asyncio.gather(*map(differing, names))
    return {name: fault for name, fault in zip(names, faults, strict=True) if fault}


@pytest.mark.asterisk
async def test_awkward_values_arrive_whole(asterisk_lab: Lab, sip_carrier: Carrier) -> None:
    """By Originate, where a bare comma would begin another variable, and by Setvar."""
    account = asterisk_lab.plan.account
    ready = asyncio.Event()
    port = asterisk_lab.ami_port
    session = await AmiSession.connect(tcp("127.0.0.1", port), account.user, account.secret, lambda event: ready.set())
    sip_carrier.behaviour = lambda number: HUMAN.but(leaves_after_voice_s=None)
    awkward = {f"CAD_NOTE{n}": value for n, value in enumerate(AWKWARD)}
    fields = {"Channel": "PJSIP/3001112233@trunk", "ChannelId": "cfm-1", "Context": "cad-debtor", "Exten": "s"}
    order = {**fields, "Priority": 1, "Async": "true", "Timeout": 5000}
    await session.action("Originate", order, {**awkward, "CAD_WAIT_S": 5})
    async with asyncio.timeout(5):
        while not sip_carrier.calls or not sip_carrier.calls[-1].is_up:
            await asyncio.sleep(0.01)
    for name, value in awkward.items():
        answer = await session.action("Getvar", {"Channel": "cfm-1", "Variable": name})
        assert answer["Value"] == value
        await session.action("Setvar", {"Channel": "cfm-1", "Variable": "CAD_OTHER", "Value": value})
        answer = await session.action("Getvar", {"Channel": "cfm-1", "Variable": "CAD_OTHER"})
        assert answer["Value"] == value.lstrip()  # blanks after the colon belong to nobody
    answer = await session.action("Getvar", {"Channel": "cfm-1", "Variable": "CAD_WITH"})
    assert answer["Value"] == ""  # what stood behind the comma set nothing
    await session.action("Hangup", {"Channel": "cfm-1"})
    session.close()
    await session.lost
