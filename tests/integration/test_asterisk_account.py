"""The engine's account on a real switch: enough rights, no more, and a filter that swallows no answer."""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
import pytest_asyncio

from cadencia.errors import AmiRefused
from cadencia.telephony.ami.codec import Message
from cadencia.telephony.ami.connect import tcp
from cadencia.telephony.ami.session import AmiSession, rights
from cadencia.telephony.asterisk import ENGINE_EVENTS, HASH_VARIABLE, Lab, config_hash
from cadencia.testing.sip import Carrier, Phones

pytestmark = pytest.mark.asterisk

NEEDED = {
    "Originate", "Bridge", "Redirect", "Hangup", "Status", "Getvar", "Setvar", "PlayDTMF", "MixMonitorMute",
    "StopMixMonitor", "DeviceStateList", "ListCommands", "Ping", "Logoff",
}  # fmt: skip
DENIED = {
    "Command", "CoreShowChannels", "CoreStatus", "Reload", "ModuleLoad", "Filter", "GetConfig", "UpdateConfig",
    "CreateConfig", "DBGet", "DBPut", "DBDel", "UserEvent", "MixMonitor", "DialplanExtensionAdd", "ShowDialPlan",
    "LoggerRotate", "PJSIPShowEndpoints", "PJSIPQualify",
}  # fmt: skip


@pytest_asyncio.fixture
async def asterisk_session(asterisk_lab: Lab) -> AsyncIterator[tuple[AmiSession, list[Message]]]:
    events: list[Message] = []
    account = asterisk_lab.plan.account
    session = await AmiSession.connect(
        tcp("127.0.0.1", asterisk_lab.ami_port), account.user, account.secret, events.append
    )
    yield session, events
    session.close()
    await session.lost


async def test_account_may_do_what_the_engine_needs_and_nothing_that_hurts(
    asterisk_session: Any, asterisk_raw_ami: Callable[..., Any], asterisk_lab: Lab
) -> None:
    session, _ = asterisk_session
    allowed = await rights(session)
    async with asterisk_raw_ami(asterisk_lab.admin_user, asterisk_lab.admin_secret) as admin:
        everything = {name for name, _ in (await admin.action("ListCommands")).pairs}
    assert allowed >= NEEDED
    assert everything >= DENIED, "what is to be denied must be there to be denied"
    assert not allowed & DENIED


@pytest.mark.parametrize("action", ["Command", "CoreShowChannels", "Reload", "Filter"])
async def test_denied_means_denied(asterisk_session: Any, action: str) -> None:
    session, _ = asterisk_session
    with pytest.raises(AmiRefused, match="Permission denied"):
        await session.action(action, {"Command": "core show version"})


async def test_no_application_that_reaches_the_system_can_be_originated(
    asterisk_session: Any, sip_carrier: Carrier
) -> None:
    session, _ = asterisk_session
    with pytest.raises(AmiRefused, match=r"(?i)access forbidden"):
        await session.action(
            "Originate", {"Channel": "PJSIP/1@trunk", "Application": "MixMonitor", "Data": "a.wav,,id", "Async": "true"}
        )
    assert not sip_carrier.calls


async def test_generated_configuration_is_known_by_its_hash(asterisk_session: Any, asterisk_lab: Lab) -> None:
    session, _ = asterisk_session
    answer = await session.action("Getvar", {"Variable": HASH_VARIABLE})
    assert answer["Value"] == config_hash(asterisk_lab.plan)


async def test_filter_lets_through_what_the_engine_reads_and_nothing_else(
    asterisk_ami: Any, asterisk_raw_ami: Callable[..., Any], asterisk_lab: Lab, sip_carrier: Carrier, sip_phones: Phones
) -> None:
    async with asterisk_raw_ami(asterisk_lab.admin_user, asterisk_lab.admin_secret) as admin:
        await asterisk_ami.nail("a1001", "flt-leg")
        await asterisk_ami.dial("10012345", "flt-att")
        await asterisk_ami.event("CadReady")
        await asterisk_ami.connect("flt-att", "flt-leg")
        async with asyncio.timeout(3):
            while not sip_carrier.calls[-1].heard("agent"):
                await asyncio.sleep(0.01)
        rows = await asterisk_ami.listing("Status", "StatusComplete", Variables="CAD_KIND,CAD_WITH")
        devices = await asterisk_ami.listing("DeviceStateList", "DeviceStateListComplete")
        sip_carrier.hang_up(sip_carrier.calls[-1])
        await asterisk_ami.event("Hangup")
        await admin.event("Hangup")
        unfiltered = {m["Event"] for m in admin.log if m["Event"]}
    seen = {m["Event"] for m in asterisk_ami.log if m["Event"]}
    assert seen <= set(ENGINE_EVENTS)
    assert seen >= {
        "FullyBooted", "OriginateResponse", "DialBegin", "DialState", "DialEnd", "Newstate", "Hangup", "BridgeEnter",
        "BridgeLeave", "UserEvent", "DeviceStateChange", "Status", "StatusComplete",
    }  # fmt: skip
    assert unfiltered >= {"Newchannel", "Newexten", "VarSet"}
    assert {row["Uniqueid"]: row.all("Variable") for row in rows} == {
        "flt-leg": ["CAD_KIND=agent", "CAD_WITH=flt-att"],
        "flt-att": ["CAD_KIND=debtor", "CAD_WITH=agent"],
    }
    assert len({row["BridgeID"] for row in rows}) == 1
    assert {"PJSIP/trunk", "PJSIP/a1001"} <= {row["Device"] for row in devices}


async def test_status_through_the_engines_own_session(
    asterisk_session: Any, asterisk_ami: Any, sip_phones: Phones
) -> None:
    session, events = asterisk_session
    await asterisk_ami.nail("a1002", "ses-leg")
    (row,) = await session.rows("Status", {"Variables": "CAD_KIND,CAD_AGENT"})
    assert (row["Uniqueid"], row["Application"]) == ("ses-leg", "BridgeWait")
    await session.action("Hangup", {"Channel": "ses-leg", "Cause": 16})
    async with asyncio.timeout(3):
        while not any(e.name == "Hangup" for e in events):
            await asyncio.sleep(0.01)
    assert session.malformed == 0


async def test_wrong_secret_is_refused(asterisk_lab: Lab) -> None:
    with pytest.raises(AmiRefused):
        await AmiSession.connect(tcp("127.0.0.1", asterisk_lab.ami_port), "cadencia", "x" * 12, lambda _: None)


async def test_a_slow_reader_is_cut_off(asterisk_lab: Lab, asterisk_session: Any) -> None:
    """After 100 ms of blocked write: whoever lags would decide on a past that nobody else sees."""
    account, (good, _) = asterisk_lab.plan.account, asterisk_session
    with socket.socket() as slow:
        slow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        slow.connect(("127.0.0.1", asterisk_lab.ami_port))
        slow.settimeout(5)
        login = f"Action: Login\r\nUsername: {account.user}\r\nSecret: {account.secret}\r\n\r\n"
        slow.sendall(login.encode())
        began = time.monotonic()
        with pytest.raises(OSError, match=r"(?i)reset|broken pipe"):
            # It asks and does not read: 3 kB an answer, until the kernel's buffers are full and the switch has waited.
            while time.monotonic() < began + 20:
                slow.sendall(b"Action: ListCommands\r\n\r\n" * 20)
        took = time.monotonic() - began
    assert (await good.action("Ping"))["Ping"] == "Pong"
    print(f"cut off after {took:.2f} s")
