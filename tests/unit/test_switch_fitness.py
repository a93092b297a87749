"""Whether a switch is fit to dial with, and what is asked of it, without a real one."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from typing import Any

import pytest

from cadencia.config import Phones, Server, Trunk
from cadencia.errors import ConfigError, SwitchUnfit, Words
from cadencia.pacing.worlds import World
from cadencia.telephony.ami.session import AmiSession
from cadencia.telephony.asterisk import (
    EXTENSIONS_FILE,
    MANAGER_FILE,
    NEEDED,
    PJSIP_FILE,
    Expected,
    Fitness,
    config_hash,
    demand_fit,
    expected_of,
    files_of,
    inspect,
    phone_secret,
    plan_of,
)
from cadencia.telephony.asterisk.fitness import TOLERATED, TOO_MANY
from cadencia.telephony.call import WANTED_EVENTS
from cadencia.telephony.simulator import SIMULATED_CONFIG, SimulatedSwitch, SwitchServer, WorldPopulation
from cadencia.telephony.simulator.server import LEAST_RIGHTS
from cadencia.testing.virtual import VirtualLoop, run_virtual
from cadencia.testing.wire import memory_connector

EXPECTED = Expected("cadencia", SIMULATED_CONFIG, ("trunk",))


def asked(
    ask: Callable[[AmiSession], Any],
    *,
    allowed: tuple[str, ...] = LEAST_RIGHTS,
    filtered: bool = True,
    prepare: Callable[[SimulatedSwitch], None] = lambda switch: None,
) -> Any:
    """What a simulated switch answers to it."""

    async def work() -> Any:
        loop = asyncio.get_running_loop()
        assert isinstance(loop, VirtualLoop)
        switch = SimulatedSwitch(loop.clock(), WorldPopulation(World(), 7), ("a1001",), 7)
        prepare(switch)
        server = SwitchServer(switch, "cadencia", "s", allowed, filtered=filtered)
        connector = memory_connector(server.connection)
        session = await AmiSession.connect(connector, "cadencia", "s", lambda _: None, wanted=WANTED_EVENTS)
        try:
            return await ask(session)
        finally:
            session.close()

    return run_virtual(work())


def found(expected: Expected = EXPECTED, **how: Any) -> Fitness:
    fitness: Fitness = asked(lambda session: inspect(session, expected), **how)
    for finding in fitness.findings:
        assert isinstance(finding.what, Words) and isinstance(finding.mend, Words)
    return fitness


def refused(expected: Expected = EXPECTED, **how: Any) -> SwitchUnfit:
    with pytest.raises(SwitchUnfit) as caught:
        asked(lambda session: demand_fit(session, expected), **how)
    assert isinstance(caught.value.message, Words) and isinstance(caught.value.hint, Words)
    return caught.value


def test_a_fit_switch() -> None:
    fitness = found()
    assert fitness.findings == fitness.notes == ()
    assert fitness.config == SIMULATED_CONFIG
    assert fitness.devices == {"trunk": "NOT_INUSE"}
    assert fitness.allowed == frozenset(LEAST_RIGHTS)
    assert asked(lambda session: demand_fit(session, EXPECTED)) == fitness


@pytest.mark.parametrize("name", sorted(NEEDED - {"ListCommands"}))
def test_a_right_that_is_missing(name: str) -> None:
    error = refused(allowed=tuple(set(LEAST_RIGHTS) - {name}))
    assert f"'cadencia' lacks {name}." in error.message
    assert "write = originate,call" in error.hint and "manager.conf" in error.hint


@pytest.mark.parametrize("name", ["Command", "UserEvent", "DBPut", "QueueAdd", "CoreShowChannels", "PJSIPShowEndpoint"])
def test_a_right_too_many(name: str) -> None:
    assert f"'cadencia' may use {name}." in refused(allowed=(*LEAST_RIGHTS, name)).message


def test_many_rights_too_many_are_not_all_listed() -> None:
    (finding,) = found(allowed=(*LEAST_RIGHTS, *TOO_MANY)).findings
    assert finding.what.endswith(f"ConfbridgeList (+{len(TOO_MANY) - 6}).")


def test_an_action_nobody_knows_is_mentioned_and_tolerated() -> None:
    fitness = found(allowed=(*LEAST_RIGHTS, "Teleport"))
    assert fitness.findings == ()
    assert [str(note) for note in fitness.notes] == ["Actions that Asterisk 22 does not have: Teleport."]


def test_the_tables_of_actions_agree() -> None:
    assert not TOLERATED & TOO_MANY
    assert set(LEAST_RIGHTS) | NEEDED <= TOLERATED
    assert {"Command", "UpdateConfig", "DialplanExtensionAdd", "DBPut", "ModuleLoad", "Reload"} <= TOO_MANY


@pytest.mark.parametrize(
    ("config", "said"), [("", "has not loaded the dialplan"), ("0123456789abcdef", "(0123456789abcdef)")]
)
def test_another_configuration(config: str, said: str) -> None:
    def prepare(switch: SimulatedSwitch) -> None:
        switch.globals["CADENCIA_CONFIG"] = config

    (finding,) = found(prepare=prepare).findings
    assert finding.code == "config" and said in finding.what
    error = refused(prepare=prepare)
    assert said in error.message and "cadencia asterisk config" in error.hint


def test_no_filter() -> None:
    (finding,) = found(filtered=False).findings
    assert finding.code == "filter"
    assert "eventfilter" in refused(filtered=False).hint


def test_one_trunk_of_two_is_missing() -> None:
    expected = Expected("cadencia", SIMULATED_CONFIG, ("trunk", "claro"))
    fitness = asked(lambda session: demand_fit(session, expected))
    assert [(f.code, f.trunk) for f in fitness.findings] == [("trunk", "claro")]
    assert fitness.devices == {"trunk": "NOT_INUSE", "claro": ""}


def test_no_trunk_at_all() -> None:
    error = refused(Expected("cadencia", SIMULATED_CONFIG, ("claro", "etb")))
    assert "does not know the trunk claro" in error.message and "module reload res_pjsip.so" in error.hint


def test_a_trunk_that_does_not_answer_now_is_no_finding() -> None:
    fitness = found(prepare=lambda switch: switch.set_trunk("trunk", "UNAVAILABLE"))
    assert fitness.findings == () and fitness.devices == {"trunk": "UNAVAILABLE"}
    assert found(prepare=lambda switch: switch.set_trunk("trunk", "INVALID")).findings[0].trunk == "trunk"


# -- from settings to files --------------------------------------------------------------------------------------------
SERVER = Server.model_validate(
    {
        "secret": "right-right-right",
        "phone_key": "key-key-key-key-key",
        "trunks": {
            "claro": {"host": "sip.claro.example", "user": "u57", "secret": "carrier-secret-1", "qualify_s": 20},
            "own": {},
        },
        "phones": [
            {"names": ["a1001-a1003"]},
            {"names": ["w1"], "browser": True, "nailed": False},
            {"names": ["sala-2"], "own": True},
        ],
    }
)


def test_a_server_becomes_a_plan() -> None:
    plan = plan_of("main", SERVER)
    assert [(t.name, t.own, t.qualify_s) for t in plan.trunks] == [("claro", False, 20), ("own", True, 30)]
    assert [(a.name, a.browser, a.nailed, a.own) for a in plan.agents] == [
        ("a1001", False, True, False),
        ("a1002", False, True, False),
        ("a1003", False, True, False),
        ("w1", True, False, False),
        ("sala-2", False, True, True),
    ]
    assert plan.agents[0].secret == phone_secret("key-key-key-key-key", "a1001")
    assert plan.agents[4].secret == ""
    assert plan.account.write_timeout_ms == 100


def test_what_is_the_sites_own_is_not_written() -> None:
    files = files_of("main", SERVER)
    assert sorted(files) == sorted([MANAGER_FILE, EXTENSIONS_FILE, PJSIP_FILE])
    sections = re.findall(r"^\[(.+)\]$", files[PJSIP_FILE], re.MULTILINE)
    assert set(sections) == {"claro", "a1001", "a1002", "a1003", "w1"}
    browser = files[PJSIP_FILE].partition("[w1]")[2]
    assert "webrtc = yes" in browser and "allow = ulaw\n" in browser and "transport" not in browser
    assert f"password = {phone_secret('key-key-key-key-key', 'w1')}" in browser


def test_passwords_differ_by_name_and_key() -> None:
    secrets = {phone_secret(key, name) for key in ("key-a" * 4, "key-b" * 4) for name in ("a1001", "a1002")}
    assert len(secrets) == 4
    assert all(re.fullmatch(r"[A-Za-z0-9_-]{24}", secret) for secret in secrets)
    assert phone_secret("key-a" * 4, "a1001") == phone_secret("key-a" * 4, "a1001")


def test_the_hash_knows_no_secret_and_everything_else() -> None:
    bare = SERVER.model_dump() | {"secret": "", "phone_key": ""}
    bare["trunks"]["claro"]["secret"] = ""
    assert expected_of("main", Server.model_validate(bare)) == expected_of("main", SERVER)
    assert expected_of("other", SERVER).trunks == ("claro", "own")
    changed = [
        SERVER.model_copy(update={"message": "other"}),
        SERVER.model_copy(update={"permit": ("10.0.0.0/8",)}),
        SERVER.model_copy(update={"phones": (Phones(names=("a1001",)),)}),
        SERVER.model_copy(update={"trunks": {"claro": Trunk(host="10.0.0.9")}}),
    ]
    assert len({config_hash(plan_of("main", server)) for server in [SERVER, *changed]}) == 5
    same = SERVER.model_copy(update={"channels": 5, "wss": "wss://pbx.example/ws", "host": "pbx", "tls": True})
    assert config_hash(plan_of("main", same)) == config_hash(plan_of("main", SERVER))


@pytest.mark.parametrize(
    ("without", "said", "variable"),
    [
        ({"secret": ""}, "servers.pbx-2.secret is not set", "CADENCIA__SERVERS__PBX_2__SECRET"),
        ({"phone_key": ""}, "servers.pbx-2.phone_key is not set", "CADENCIA__SERVERS__PBX_2__PHONE_KEY"),
        (
            {"trunks": {"etb": {"host": "h", "user": "u"}}},
            "servers.pbx-2.trunks.etb.secret is not set",
            "CADENCIA__SERVERS__PBX_2__TRUNKS__ETB__SECRET",
        ),
    ],
)
def test_a_secret_that_is_not_set_is_named_when_it_is_written(without: Any, said: str, variable: str) -> None:
    server = Server.model_validate(SERVER.model_dump() | without)
    assert config_hash(plan_of("pbx-2", server))
    with pytest.raises(ConfigError) as caught:
        files_of("pbx-2", server)
    assert said in caught.value.message and variable in caught.value.hint
    assert isinstance(caught.value.message, Words) and isinstance(caught.value.hint, Words)


def test_telephones_of_the_sites_own_need_no_key() -> None:
    server = Server.model_validate({"secret": "right-right-right", "phones": [{"names": ["a1"], "own": True}]})
    assert "[a1]" not in files_of("main", server)[PJSIP_FILE]
    assert "[trunk]" not in files_of("main", Server(secret="right-right-right"))[PJSIP_FILE]  # type: ignore[arg-type]
