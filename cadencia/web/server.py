"""uvicorn inside the engine's event loop: it takes no signals, and it stops fast."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import socket
from collections.abc import Iterator

import uvicorn
from fastapi import FastAPI

from cadencia.config.system import reason
from cadencia.errors import ConfigError, Words
from cadencia.web.context import Context

BACKLOG = 1024


def claim_port(host: str, port: int) -> socket.socket:
    """A listening socket, taken before anything else starts. Port 0 takes any free one.

    Raises:
        ConfigError: the port is in use, not ours to take, or the address is not this machine's.
    """
    try:
        family, kind, proto, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        sock = socket.socket(family, kind, proto)
    except OSError as error:
        why = reason(error)
        raise ConfigError(
            Words(f"{host} is not an address to listen on ({why}).", f"En {host} no se puede escuchar ({why.es})."),
            Words("Check web.host.", "Revise web.host."),
        ) from error
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind(address)
        # Listening at once makes the claim firm: on Linux two sockets may bind one port, but only one can listen.
        sock.listen(BACKLOG)
    except OSError as error:
        sock.close()
        raise _unusable(host, port, error) from error
    sock.setblocking(False)
    return sock


def _unusable(host: str, port: int, error: OSError) -> ConfigError:
    if error.errno == errno.EADDRINUSE:
        return ConfigError(
            Words(f"Port {port} on {host} is in use.", f"El puerto {port} de {host} está en uso."),
            Words(
                "Stop the program that holds it, or choose another port (web.port; --port in the demo).",
                "Detenga el programa que lo tiene, o elija otro puerto (web.port; --port en la demostración).",
            ),
        )
    if error.errno == errno.EACCES:
        return ConfigError(
            Words(f"Port {port} needs more rights.", f"El puerto {port} requiere más permisos."),
            Words("Choose a port above 1023 (web.port).", "Elija un puerto mayor que 1023 (web.port)."),
        )
    why = reason(error)
    return ConfigError(
        Words(f"Cannot listen on {host}:{port} ({why}).", f"No se puede escuchar en {host}:{port} ({why.es})."),
        Words("Check web.host and web.port.", "Revise web.host y web.port."),
    )


class _Server(uvicorn.Server):
    """uvicorn, but SIGINT and SIGTERM stay with whoever runs the engine."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


async def serve(app: FastAPI, host: str, port: int, *, sock: socket.socket | None = None) -> None:
    """Serve until cancelled; then end event streams, let requests in progress finish (at most 1 s), and return.

    Args:
        sock: from `claim_port`; without it the port is claimed here.
    """
    held = sock or claim_port(host, port)
    config = uvicorn.Config(
        app,
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=1,
        timeout_keep_alive=30,
    )
    server = _Server(config)
    running = asyncio.create_task(server.serve(sockets=[held]), name="cadencia-web")
    context: Context = app.state.context
    try:
        await asyncio.shield(running)
    finally:
        context.stopping.set()
        server.should_exit = True
        try:
            await running
        finally:
            held.close()
