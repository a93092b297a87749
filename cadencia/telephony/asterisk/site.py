"""From a server's settings to what is asked of it. Pure: engine and `cadencia asterisk config` get the same hash."""

from __future__ import annotations

import base64
import hashlib
import hmac

from cadencia.config import Server
from cadencia.errors import ConfigError, Words
from cadencia.telephony.asterisk.config import config_hash, generate
from cadencia.telephony.asterisk.fitness import Expected
from cadencia.telephony.asterisk.plan import AgentPhone, AmiAccount, SwitchPlan, Trunk

#: Letters of a telephone's password: 144 bits.
_PASSWORD_LETTERS = 24


def phone_secret(key: str, name: str) -> str:
    """The SIP password of a telephone: HMAC-SHA256 of its name under the site's `phone_key`, 24 url-safe letters.

    Derived, because then nobody has to keep a list of passwords, and the agent's page can be told its own.
    """
    digest = hmac.new(key.encode(), name.encode(), hashlib.sha256).digest()
    return base64.urlsafe_b64encode(digest).decode()[:_PASSWORD_LETTERS]


def plan_of(name: str, server: Server) -> SwitchPlan:
    """What is asked of a server. Secrets that are not set are left empty: the hash does not depend on them.

    Args:
        name: the server's, as in the settings; the plan does not depend on it.
        server: its settings.

    Raises:
        ConfigError: two of its trunks or telephones have the same name.
    """
    key = server.phone_key.get_secret_value()
    return SwitchPlan(
        AmiAccount(server.user, server.secret.get_secret_value(), server.permit),
        tuple(
            Trunk(
                trunk_name,
                trunk.host,
                trunk.port,
                trunk.user,
                trunk.secret.get_secret_value(),
                trunk.match,
                trunk.rtp_timeout_s,
                trunk.qualify_s,
                trunk.codecs,
            )
            for trunk_name, trunk in server.trunks.items()
        ),
        tuple(
            AgentPhone(
                phone,
                phone_secret(key, phone) if key and not group.own else "",
                browser=group.browser,
                nailed=group.nailed,
                own=group.own,
            )
            for group in server.phones
            for phone in group.each()
        ),
        message=server.message,
        transport=server.transport,
    )


def expected_of(name: str, server: Server) -> Expected:
    """What `demand_fit` is to find on a server."""
    plan = plan_of(name, server)
    return Expected(server.user, config_hash(plan), tuple(trunk.name for trunk in plan.trunks))


def files_of(name: str, server: Server) -> dict[str, str]:
    """The files to include on a server: name -> text.

    Raises:
        ConfigError: a secret that stands in them is not set; the hint says where to set it.
    """
    plan = plan_of(name, server)
    if not server.secret.get_secret_value():
        raise _unset(name, "secret", "the account", "la cuenta")
    if not server.phone_key.get_secret_value() and any(not agent.own for agent in plan.agents):
        raise _unset(name, "phone_key", "the telephones' passwords", "las claves de los teléfonos")
    for trunk in plan.trunks:
        if not trunk.own and trunk.user and not trunk.secret:
            raise _unset(name, f"trunks.{trunk.name}.secret", f"trunk {trunk.name}", f"la troncal {trunk.name}")
    return generate(plan)


def _unset(server: str, key: str, en: str, es: str) -> ConfigError:
    setting = f"servers.{server}.{key}"
    variable = "CADENCIA__" + setting.replace(".", "__").replace("-", "_").upper()
    return ConfigError(
        Words(f"{setting} is not set, and {en} cannot be without.", f"Falta {setting}, y {es} no puede ir sin eso."),
        Words(
            f"Set it in the file, or in the variable {variable}; `openssl rand -hex 16` makes a good one.",
            f"Póngalo en el archivo, o en la variable {variable}; `openssl rand -hex 16` hace uno bueno.",
        ),
    )
