"""Writes Asterisk's configuration from a `SwitchPlan`: three files to include. Pure: a plan in, texts out.

What the files cannot hold, because a site has only one of each, is in docs/asterisk.md: the PJSIP transport, the order
in which endpoints are identified, `ring` in indications.conf, and the list of modules.
"""

from __future__ import annotations

import hashlib
from importlib import resources

from cadencia.errors import ConfigError, Words
from cadencia.telephony.asterisk.plan import ENGINE_EVENTS, ENGINE_READ, ENGINE_WRITE, AgentPhone, SwitchPlan, Trunk

MANAGER_FILE = "cadencia_manager.conf"
EXTENSIONS_FILE = "cadencia_extensions.conf"
PJSIP_FILE = "cadencia_pjsip.conf"

#: The global variable of the dialplan that holds `config_hash`.
HASH_VARIABLE = "CADENCIA_CONFIG"

#: What loads the three files into a running server. (`pjsip reload` is an alias that not every site has.)
RELOADS = (
    "manager reload",
    "dialplan reload",
    "module reload res_pjsip.so res_pjsip_endpoint_identifier_ip.so",
)

_MADE = "; Made by Cadencia. Do not edit: it is made anew from the program's own configuration.\n"


def generate(plan: SwitchPlan) -> dict[str, str]:
    """The three files: name -> text.

    Raises:
        ConfigError: the account, a trunk or a telephone that is to be written has no secret.
    """
    missing = plan.without_secret()
    if missing:
        more = f" (+{len(missing) - 1})" if len(missing) > 1 else ""
        raise ConfigError(
            Words(f"There is no secret for {missing[0]}{more}.", f"No hay clave para {missing[0]}{more}."),
            Words("Set one and try again.", "Póngala e intente de nuevo."),
        )
    return {
        MANAGER_FILE: manager_conf(plan),
        EXTENSIONS_FILE: extensions_conf(plan),
        PJSIP_FILE: pjsip_conf(plan),
    }


def config_hash(plan: SwitchPlan) -> str:
    """16 hexadecimal digits that change with anything in the three files except a secret.

    Secrets are left out because the digits are readable by everybody who may read the dialplan.
    """
    texts = manager_conf(plan, secrets=False), _extensions(plan, ""), pjsip_conf(plan, secrets=False)
    return hashlib.sha256("\0".join(texts).encode()).hexdigest()[:16]


def manager_conf(plan: SwitchPlan, *, secrets: bool = True) -> str:
    """The engine's account, to be included at the end of manager.conf."""
    account = plan.account
    lines = [
        f"[{account.user}]",
        f"secret = {account.secret if secrets else ''}",
        f"read = {ENGINE_READ}",
        f"write = {ENGINE_WRITE}",
        "deny = 0.0.0.0/0.0.0.0",
        *(f"permit = {network}" for network in account.permit),
        f"writetimeout = {account.write_timeout_ms}",
        *(f"eventfilter(action(include),name({name})) =" for name in ENGINE_EVENTS),
    ]
    return _MADE + _text(lines)


def extensions_conf(plan: SwitchPlan) -> str:
    """The dialplan, to be included in extensions.conf after that file's own [globals]."""
    return _extensions(plan, config_hash(plan))


def _extensions(plan: SwitchPlan, digest: str) -> str:
    source = resources.files("cadencia.telephony.asterisk").joinpath("data/extensions.conf.tmpl")
    text = source.read_text("utf-8")
    waits = plan.waits
    values: dict[str, object] = {
        "CONFIG": digest,
        "WAIT_TONE": plan.wait_tone,
        "MESSAGE": plan.message,
        **{name.upper(): getattr(waits, name) for name in waits.__dataclass_fields__},
    }
    for name, value in values.items():
        text = text.replace(f"@{name}@", str(value))
    return text


def pjsip_conf(plan: SwitchPlan, *, secrets: bool = True) -> str:
    """Trunks and telephones, to be included in pjsip.conf after its transports."""
    parts = [_trunk(trunk, plan.transport, secrets) for trunk in plan.trunks if not trunk.own]
    parts += [_agent(agent, plan.transport, secrets) for agent in plan.agents if not agent.own]
    return _MADE + "\n".join(parts)


def _trunk(trunk: Trunk, transport: str, secrets: bool) -> str:
    name = trunk.name
    lines = [
        f"[{name}]",
        "type = aor",
        f"contact = sip:{trunk.host}:{trunk.port}",
        f"qualify_frequency = {trunk.qualify_s}",
        f"[{name}]",
        "type = endpoint",
        f"transport = {transport}",
        f"aors = {name}",
        "context = from-trunk",
        "disallow = all",
        f"allow = {','.join(trunk.codecs)}",
        "direct_media = no",
        f"rtp_timeout = {trunk.rtp_timeout_s}",
        *([f"outbound_auth = {name}"] if trunk.user else []),
        f"[{name}]",
        "type = identify",
        f"endpoint = {name}",
        *(f"match = {host}" for host in trunk.match or (trunk.host,)),
    ]
    if trunk.user:
        lines += [f"[{name}]", *_digest(trunk.user, trunk.secret if secrets else "")]
    return _text(lines)


def _agent(agent: AgentPhone, transport: str, secrets: bool) -> str:
    name = agent.name
    # A browser is reached over the connection that it opened itself, whatever its transport is called at the site.
    # `webrtc` means DTLS with a certificate that Asterisk makes, ICE, rtcp-mux and bundling.
    medium = ["webrtc = yes", "allow = ulaw"] if agent.browser else ["rtp_symmetric = yes", "allow = ulaw,alaw"]
    lines = [
        f"[{name}]",
        "type = endpoint",
        *([] if agent.browser else [f"transport = {transport}"]),
        f"aors = {name}",
        f"auth = {name}",
        "context = from-agent",
        "disallow = all",
        *medium,
        "direct_media = no",
        "timers = always",
        f"timers_sess_expires = {agent.session_expires_s}",
        f"[{name}]",
        "type = aor",
        "max_contacts = 1",
        "remove_existing = yes",
        # A telephone that dies without a word: session timers notice it after a minute and a half, this in seconds.
        f"qualify_frequency = {agent.qualify_s}",
        f"[{name}]",
        *_digest(name, agent.secret if secrets else ""),
    ]
    return _text(lines)


def _digest(user: str, secret: str) -> list[str]:
    return ["type = auth", "auth_type = digest", f"username = {user}", f"password = {secret}"]


def _text(lines: list[str]) -> str:
    return "\n".join(lines) + "\n"
