"""The manager interface over TLS on a real switch, and telephones in browsers: who is let in, who is refused."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import trustme

from cadencia.errors import AmiLost, ConfigError, SwitchUnfit, Words
from cadencia.telephony.ami.connect import Connector, tcp, tls_context
from cadencia.telephony.ami.session import AmiSession
from cadencia.telephony.asterisk import Installation, Lab

pytestmark = pytest.mark.asterisk


@pytest.fixture(scope="module")
def asterisk_tls_lab(asterisk_installation: Installation) -> Iterator[Lab]:
    with Lab(asterisk_installation, agents=1, browser_agents=2, tls=True) as lab:
        assert not [line for line in lab.log().splitlines() if "ERROR" in line or "WARNING" in line]
        yield lab


async def log_in(lab: Lab, connector: Connector, timeout_s: float = 5.0) -> AmiSession:
    account = lab.plan.account
    return await AmiSession.connect(connector, account.user, account.secret, lambda _: None, timeout_s=timeout_s)


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
async def test_a_trusted_certificate_is_enough(asterisk_tls_lab: Lab, host: str) -> None:
    context = tls_context(str(asterisk_tls_lab.ca))
    session = await log_in(asterisk_tls_lab, tcp(host, asterisk_tls_lab.tls_port, tls=context))
    assert (await session.action("Ping"))["Ping"] == "Pong"
    session.close()
    await session.lost


@pytest.mark.parametrize("whom", ["the system", "somebody else"])
async def test_a_certificate_that_is_not_trusted_is_refused(asterisk_tls_lab: Lab, whom: str, tmp_path: Path) -> None:
    other = tmp_path / "other.pem"
    trustme.CA().cert_pem.write_to_path(other)
    context = tls_context("" if whom == "the system" else str(other))
    with pytest.raises(SwitchUnfit, match="not to be trusted") as caught:
        await log_in(asterisk_tls_lab, tcp("127.0.0.1", asterisk_tls_lab.tls_port, tls=context))
    assert "tls_ca" in caught.value.hint
    assert isinstance(caught.value.message, Words) and "no es de confianza" in caught.value.message.es
    assert not caught.value.retryable


async def test_a_name_that_is_not_in_the_certificate_is_refused(asterisk_tls_lab: Lab) -> None:
    context = tls_context(str(asterisk_tls_lab.ca))
    with pytest.raises(SwitchUnfit, match=r"not to be trusted: .*127\.1"):
        await log_in(asterisk_tls_lab, tcp("127.1", asterisk_tls_lab.tls_port, tls=context))


async def test_tls_on_the_plain_port_is_told(asterisk_tls_lab: Lab) -> None:
    context = tls_context(str(asterisk_tls_lab.ca))
    with pytest.raises(SwitchUnfit, match="There is no TLS with") as caught:
        await log_in(asterisk_tls_lab, tcp("127.0.0.1", asterisk_tls_lab.ami_port, tls=context))
    assert "tls = false" in caught.value.hint


async def test_a_plain_connection_to_the_tls_port_logs_nobody_in(asterisk_tls_lab: Lab) -> None:
    with pytest.raises(AmiLost, match="without a word") as caught:
        await log_in(asterisk_tls_lab, tcp("127.0.0.1", asterisk_tls_lab.tls_port))
    assert "tls = true" in caught.value.hint


@pytest.mark.parametrize("content", [None, "", "no certificate"])
def test_a_file_that_holds_no_certificate(tmp_path: Path, content: str | None) -> None:
    path = tmp_path / "ca.pem"
    if content is not None:
        path.write_text(content)
    with pytest.raises(ConfigError, match="tls_ca") as caught:
        tls_context(str(path))
    assert str(path) in caught.value.message and "PEM" in caught.value.hint


def test_browsers_have_an_endpoint_and_a_place_to_register(asterisk_tls_lab: Lab) -> None:
    assert "/ws => Asterisk HTTP WebSocket" in asterisk_tls_lab.cli("http show status")
    assert f"127.0.0.1:{asterisk_tls_lab.ws_port}" in asterisk_tls_lab.cli("http show status")
    for name in ("w1001", "w1002"):
        shown = dict(
            map(str.strip, line.split(":", 1))
            for line in asterisk_tls_lab.cli(f"pjsip show endpoint {name}").splitlines()
            if line.count(":") == 1
        )
        wanted = {
            "webrtc": "yes", "allow": "(ulaw)", "media_encryption": "dtls", "ice_support": "true", "use_avpf": "true",
            "rtcp_mux": "true", "dtls_auto_generate_cert": "Yes", "context": "from-agent", "timers": "always",
        }  # fmt: skip
        assert {key: shown.get(key) for key in wanted} == wanted
