"""`cadencia asterisk check`: each matter with what was seen, what is wrong, and how to mend it."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import typer

from cadencia.cli.options import tell_json
from cadencia.cli.text import language, say
from cadencia.config import Server
from cadencia.errors import CadenciaError, ConfigError, TelephonyError, Words, spoken
from cadencia.telephony.ami.connect import tcp, tls_context
from cadencia.telephony.ami.session import AmiSession
from cadencia.telephony.asterisk.console import Console
from cadencia.telephony.asterisk.deep import Checked, look
from cadencia.telephony.asterisk.fitness import CONFIG, FILTER, RIGHTS, TRUNK, Finding, inspect
from cadencia.telephony.asterisk.plan import ENGINE_EVENTS
from cadencia.telephony.asterisk.site import expected_of

_TITLES = {
    RIGHTS: Words("rights", "permisos"),
    CONFIG: Words("configuration", "configuración"),
    FILTER: Words("filter in force", "filtro activo"),
    TRUNK: Words("trunks", "troncales"),
}
_LINK = Words("link", "enlace")
_CONSOLE = Words("console", "consola")
_WIDTH = 24


def check(servers: dict[str, Server], *, local: Sequence[str] | None, as_json: bool) -> bool:
    """Check these servers and print what was found.

    Args:
        servers: those that are meant.
        local: the words that start Asterisk's program on this machine; None without the deep check.
        as_json: print JSON.

    Returns:
        Whether all is well.

    Raises:
        ConfigError: the deep check is asked for, and it is not said which of several servers this machine is.
    """
    if local is not None and len(servers) > 1:
        known = ", ".join(servers)
        raise ConfigError(
            Words("Several servers are set, and --local is about one.", "Hay varios servidores, y --local es de uno."),
            Words(f"Say which with --server: {known}.", f"Diga cuál con --server: {known}."),
        )
    told = {}
    for name, server in servers.items():
        rows = asyncio.run(_over_the_wire(name, server))
        if local is not None:
            rows += _on_this_machine(name, server, local)
        told[name] = rows
    if as_json:
        tell_json([_as_data(name, servers[name], rows) for name, rows in told.items()])
    else:
        for name, rows in told.items():
            _print(name, servers[name], rows)
    return not any(row.findings for rows in told.values() for row in rows)


async def _over_the_wire(name: str, server: Server) -> list[Checked]:
    expected = expected_of(name, server)
    try:
        tls = tls_context(server.tls_ca) if server.tls else None
        # With what the filter lets through as wanted, all else that comes is unwanted, and tells of a missing filter.
        session = await AmiSession.connect(
            tcp(server.host, server.port, tls=tls),
            server.user,
            server.secret.get_secret_value(),
            lambda event: None,
            wanted=ENGINE_EVENTS,
        )
        try:
            fitness = await inspect(session, expected)
        finally:
            session.close()
    except (TelephonyError, ConfigError) as error:
        return [_failed("link", _LINK, error)]
    states = ", ".join(f"{trunk} {state or '-'}" for trunk, state in fitness.devices.items())
    seen = {RIGHTS: str(len(fitness.allowed)), CONFIG: fitness.config, TRUNK: states}
    rows = [Checked("link", _LINK, (), "TLS" if server.tls else "")]
    for code, title in _TITLES.items():
        findings = tuple(finding for finding in fitness.findings if finding.code == code)
        rows.append(Checked(code, title, findings, seen.get(code, "")))
    return rows


def _on_this_machine(name: str, server: Server, command: Sequence[str]) -> list[Checked]:
    try:
        return look(Console(command), name, server, Path("/proc"))
    except TelephonyError as error:
        return [_failed("console", _CONSOLE, error)]


def _failed(code: str, title: Words, error: CadenciaError) -> Checked:
    what = error.message if isinstance(error.message, Words) else Words(error.message, error.message)
    hint = error.hint if isinstance(error.hint, Words) else Words(error.hint, error.hint)
    return Checked(code, title, (Finding(code, what, hint),))


def _print(name: str, server: Server, rows: Sequence[Checked]) -> None:
    typer.echo(f"{name} ({server.host}:{server.port})")
    for row in rows:
        mark = say("mal", "bad") if row.findings else "ok"
        typer.echo(f"  {mark:<4} {spoken(row.title, language()):<{_WIDTH}} {row.seen}".rstrip())
        for finding in row.findings:
            typer.echo(f"       {spoken(finding.what, language())}")
            typer.echo(f"       {say('Qué hacer', 'What to do')}: {spoken(finding.mend, language())}")


def _as_data(name: str, server: Server, rows: Sequence[Checked]) -> dict[str, Any]:
    return {
        "server": name,
        "host": server.host,
        "port": server.port,
        "ok": not any(row.findings for row in rows),
        "checks": [
            {
                "code": row.code,
                "ok": not row.findings,
                "seen": row.seen,
                "findings": [
                    {
                        "trunk": finding.trunk,
                        "what": spoken(finding.what, language()),
                        "mend": spoken(finding.mend, language()),
                    }
                    for finding in row.findings
                ],
            }
            for row in rows
        ],
    }
