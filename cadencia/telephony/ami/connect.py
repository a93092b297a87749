"""How a manager interface is reached: over the network, plain or with TLS."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Awaitable, Callable

from cadencia.config.system import reason
from cadencia.errors import ConfigError, SwitchUnfit, Words

#: Makes a connection: `loop.create_connection` bound to a host and port, or a pair in memory for tests.
Connector = Callable[[Callable[[], asyncio.Protocol]], Awaitable[object]]


def tcp(host: str, port: int, *, tls: ssl.SSLContext | None = None) -> Connector:
    """A connector to a server on the network.

    Args:
        tls: how to encrypt and whom to trust, see `tls_context`; None for a plain connection.

    The connector raises SwitchUnfit where the server's certificate is not one we trust, and where it speaks no TLS.
    """

    async def connect(factory: Callable[[], asyncio.Protocol]) -> object:
        loop = asyncio.get_running_loop()
        try:
            return await loop.create_connection(factory, host, port, ssl=tls)
        except ssl.SSLCertVerificationError as error:
            why = error.verify_message
            raise SwitchUnfit(
                Words(
                    f"The certificate of {host}:{port} is not to be trusted: {why}.",
                    f"El certificado de {host}:{port} no es de confianza: {why}.",
                ),
                Words(
                    "Name the file of its issuer as tls_ca, and as host a name that stands in the certificate.",
                    "Ponga en tls_ca el archivo de quien lo emitió, y en host un nombre que esté en el certificado.",
                ),
            ) from None
        except ssl.SSLError as error:
            why = error.reason or str(error)
            raise SwitchUnfit(
                Words(f"There is no TLS with {host}:{port} ({why}).", f"No hay TLS con {host}:{port} ({why})."),
                Words(
                    "Use the port of tlsbindaddr in manager.conf (5039), or set tls = false.",
                    "Use el puerto de tlsbindaddr en manager.conf (5039), o ponga tls = false.",
                ),
            ) from None

    return connect


def tls_context(ca: str = "") -> ssl.SSLContext:
    """Whom to trust: the certificates in the file `ca` and nobody else, or, without one, whom the system trusts.

    Raises:
        ConfigError: the file is not there, or holds no certificate.
    """
    try:
        return ssl.create_default_context(cafile=ca or None)
    except ssl.SSLError:
        why = Words("it holds no certificate in PEM form", "no contiene un certificado en formato PEM")
    except OSError as error:
        why = reason(error)
    raise ConfigError(
        Words(f"tls_ca: {ca} cannot be used: {why}.", f"tls_ca: no se puede usar {ca}: {why.es}."),
        Words(
            "Name a PEM file with the certificate of whoever issued the switch's, or the switch's own.",
            "Indique un archivo PEM con el certificado de quien emitió el del conmutador, o con ese mismo.",
        ),
    )
