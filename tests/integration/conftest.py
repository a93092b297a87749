"""Fixtures for tests on a real switch; their names begin with asterisk_ or sip_."""

from __future__ import annotations

import importlib.util
import os
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import pytest_asyncio

from cadencia.errors import CadenciaError
from cadencia.telephony.asterisk import Installation, Lab, Waits, ensure_asterisk, find_asterisk
from cadencia.testing.sip import Carrier, Phones

#: Short, so that the tests of what happens at their end are.
SHORT_WAITS = Waits(idle_s=1, idle_loops=3, wait_s=1, reoffer_s=1, hold_s=1, inbound_s=1, tail_s=10)


def _sibling(name: str) -> ModuleType:
    """A module beside this file: with the importlib import mode this folder is not on the path."""
    full = f"cadencia_tests_{name}"
    if full not in sys.modules:
        spec = importlib.util.spec_from_file_location(full, Path(__file__).with_name(f"{name}.py"))
        assert spec is not None and spec.loader is not None
        module = sys.modules[full] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
    return sys.modules[full]


def pytest_report_header() -> str | None:
    try:
        found = find_asterisk(look=False)
    except CadenciaError:
        return None
    return f"asterisk: {found.version} ({found.origin}) {found.warning}".rstrip()


@pytest.fixture(scope="session")
def asterisk_installation() -> Installation:
    """The Asterisk to test on; builds the private root folder if there is none. Skips, or with
    CADENCIA_REQUIRE=all fails, where that cannot be."""
    try:
        return ensure_asterisk(progress=lambda line: print(line, file=sys.stderr))
    except CadenciaError as error:
        if os.environ.get("CADENCIA_REQUIRE") == "all":
            pytest.fail(f"CADENCIA_REQUIRE=all, but there is no Asterisk to test on: {error}")
        pytest.skip(f"no Asterisk to test on: {error}")


@pytest.fixture(scope="module")
def asterisk_lab(asterisk_installation: Installation) -> Iterator[Lab]:
    """A throwaway server for the tests of one module, with short waits."""
    with Lab(asterisk_installation, agents=12, waits=SHORT_WAITS, admin=True) as lab:
        yield lab


@pytest.fixture
def asterisk_raw_ami(asterisk_lab: Lab) -> Callable[..., Any]:
    """Makes a connection to the module's lab or another one, of the engine's account unless told otherwise."""
    raw = _sibling("ami_raw").RawAmi

    def connect(user: str = "", secret: str = "", lab: Lab = asterisk_lab) -> Any:
        account = lab.plan.account
        return raw(lab.ami_port, user or account.user, secret or account.secret)

    return connect


@pytest_asyncio.fixture
async def asterisk_ami(asterisk_raw_ami: Callable[..., Any]) -> AsyncIterator[Any]:
    """A logged-in connection of the engine's account."""
    async with asterisk_raw_ami() as ami:
        yield ami


@pytest_asyncio.fixture
async def sip_carrier(asterisk_lab: Lab) -> AsyncIterator[Carrier]:
    """The public network behind the lab's trunk."""
    async with Carrier(asterisk_lab.trunk_ports[0]) as carrier:
        yield carrier


@pytest_asyncio.fixture
async def sip_phones(asterisk_lab: Lab) -> AsyncIterator[Phones]:
    """The lab's telephones, registered."""
    async with Phones(asterisk_lab.sip_port, {a.name: a.secret for a in asterisk_lab.plan.agents}) as phones:
        await phones.register()
        yield phones
