"""The smallest possible reader of the manager interface: blocking, for the start of a throwaway server and for probes.

The engine never uses it; its client is `cadencia.telephony.ami`.
"""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from types import TracebackType

from cadencia.errors import AmiLost, AmiRefused, AmiTimeout, Words


class PlainAmi:
    """One connection, logged in.

    Args:
        port: on 127.0.0.1.
        user: account.
        secret: its password.
        timeout_s: how long any read may take.

    Raises:
        AmiRefused: the account was refused.
        AmiLost: nobody listens there, or the connection closed.
        AmiTimeout: no answer.
    """

    def __init__(self, port: int, user: str, secret: str, timeout_s: float = 5.0) -> None:
        try:
            self._socket = socket.create_connection(("127.0.0.1", port), timeout_s)
        except OSError as error:
            raise AmiLost(
                Words(f"Nobody answers on port {port}: {error}.", f"Nadie responde en el puerto {port}: {error}.")
            ) from error
        self._buffer = b""
        self._timeout_s = timeout_s
        self.send(Action="Login", Username=user, Secret=secret)
        answer = next(m for m in self.messages() if "Response" in m)
        if answer["Response"] != "Success":
            self.close()
            raise AmiRefused(
                Words(
                    f"The account {user} was refused: {answer.get('Message', '')}.",
                    f"La cuenta {user} fue rechazada: {answer.get('Message', '')}.",
                )
            )

    def __enter__(self) -> PlainAmi:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Closes the connection."""
        self._socket.close()

    def send(self, **headers: object) -> None:
        """Sends one action; line breaks are the caller's duty, all values here are our own constants."""
        text = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        self._socket.sendall(f"{text}\r\n".encode())

    def messages(self, timeout_s: float | None = None) -> Iterator[dict[str, str]]:
        """Responses and events as they come; of repeated headers the last one counts.

        Raises:
            AmiTimeout: the time is over.
            AmiLost: the connection closed.
        """
        limit_s = timeout_s or self._timeout_s
        until = time.monotonic() + limit_s
        while True:
            block, found, rest = self._buffer.partition(b"\r\n\r\n")
            if found:
                self._buffer = rest
                yield _headers(block)
                continue
            self._socket.settimeout(max(0.001, until - time.monotonic()))
            try:
                part = self._socket.recv(65536)
            except TimeoutError as error:
                raise AmiTimeout(
                    Words(f"Nothing more came within {limit_s:g} s.", f"No llegó nada más en {limit_s:g} s.")
                ) from error
            except OSError as error:
                raise AmiLost(Words(f"The connection broke: {error}.", f"La conexión se cortó: {error}.")) from error
            if not part:
                raise AmiLost(Words("The connection was closed.", "La conexión se cerró."))
            self._buffer += part


def _headers(block: bytes) -> dict[str, str]:
    pairs = (line.partition(":") for line in block.decode("utf-8", "replace").split("\r\n"))
    return {name.strip(): value.strip() for name, colon, value in pairs if colon}
