"""The servers of a site, from its settings."""

from __future__ import annotations

from cadencia.config import Settings
from cadencia.config.servers import Server as Set
from cadencia.dialer.servers import Line, Server, Telephone
from cadencia.telephony.ami.connect import tcp, tls_context
from cadencia.telephony.asterisk.site import expected_of


def servers_of(settings: Settings) -> tuple[Server, ...]:
    """Each server with its connector, limits and telephones, and the configuration it must have.

    Raises:
        ConfigError: a certificate cannot be read, or the settings make no configuration.
    """
    return tuple(_server(name, server) for name, server in settings.servers.items())


def _server(name: str, server: Set) -> Server:
    lines = {
        trunk: Line(line.channels, line.rate_per_s, line.operator or trunk, line.number, line.prefix)
        for trunk, line in server.trunks.items()
    }
    telephones = {
        phone: Telephone(nailed=group.nailed, browser=group.browser)
        for group in server.phones
        for phone in group.each()
    }
    return Server(
        name,
        tcp(server.host, server.port, tls=tls_context(server.tls_ca) if server.tls else None),
        server.user,
        server.secret.get_secret_value(),
        expected_of(name, server).config,
        lines,
        telephones,
        server.channels,
        server.rate_per_s,
        server.caller_name,
        server.wss,
        server.phone_key.get_secret_value(),
    )
