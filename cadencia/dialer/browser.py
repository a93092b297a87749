"""A browser as an agent's telephone: what the page is told, so that it can register on the server it lives on."""

from __future__ import annotations

from urllib.parse import urlsplit

from cadencia.dialer.live import Seat
from cadencia.dialer.views import BrowserTelephoneView
from cadencia.errors import Refused, Words
from cadencia.telephony.asterisk.site import phone_secret


def browser_telephone(seat: Seat) -> BrowserTelephoneView:
    """What the page registers with.

    Raises:
        Refused: the agent's telephone is none in a browser, or a setting of its server is missing; the hint names it.
    """
    endpoint, server = seat.agent.endpoint, seat.switch.server
    if not seat.switch.telephone(endpoint).browser:
        raise Refused(
            Words(
                f"The telephone {endpoint} is not in the browser.", f"El teléfono {endpoint} no está en el navegador."
            ),
            Words(
                "Use the desk telephone or softphone; an engineer sets `browser = true` under [[servers.NAME.phones]].",
                "Use el teléfono de mesa o softphone; ingeniería pone `browser = true` en [[servers.NOMBRE.phones]].",
            ),
        )
    for key, value in (("wss", server.wss), ("phone_key", server.phone_key)):
        if not value:
            raise Refused(
                Words(
                    f"servers.{server.name}.{key} is not set, and the browser cannot be a telephone without it.",
                    f"Falta servers.{server.name}.{key}, y sin eso el navegador no puede ser teléfono.",
                ),
                Words(
                    "An engineer has to set it; docs/beside-your-asterisk.md, part 6.",
                    "Ingeniería debe ponerlo; docs/es/junto-a-su-asterisk.md, parte 6.",
                ),
            )
    domain = urlsplit(server.wss).netloc.rpartition("@")[2]
    domain = domain if domain.endswith("]") else domain.rsplit(":", 1)[0]  # the port is the WebSocket's, not SIP's
    return BrowserTelephoneView(
        f"sip:{endpoint}@{domain}", endpoint, phone_secret(server.phone_key, endpoint), server.wss, domain
    )
