"""`cadencia asterisk`: a private Asterisk to try everything on."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from cadencia.telephony import asterisk as switch

app = typer.Typer(help="A private Asterisk, without touching the machine's own.", no_args_is_help=True)
lab = typer.Typer(help="A throwaway Asterisk on loopback.", no_args_is_help=True)
app.add_typer(lab, name="lab")

Name = Annotated[str, typer.Option(help="Name of the lab, so that several can stand side by side.")]


@app.command()
def root(
    target: Annotated[Path | None, typer.Option(help="Folder to build in; a cache folder by default.")] = None,
) -> None:
    """Build the private Asterisk's folder once (about a minute, as root).

    Example: cadencia asterisk root
    """
    told = switch.root_command(target, progress=lambda text: typer.echo(text, err=True))
    typer.echo(json.dumps(told, indent=2))


@lab.command()
def start(
    name: Name = "lab", agents: Annotated[int, typer.Option(min=1, max=200, help="Agents' telephones.")] = 4
) -> None:
    """Start a server and leave it running; prints ports and account as JSON.

    Example: cadencia asterisk lab start --agents 12
    """
    typer.echo(json.dumps(switch.start_lab(name, agents=agents), indent=2))


@lab.command()
def stop(name: Name = "lab") -> None:
    """Stop that server and remove what it wrote.

    Example: cadencia asterisk lab stop
    """
    typer.echo(json.dumps(switch.stop_lab(name), indent=2))


@lab.command()
def info(name: Name = "lab") -> None:
    """Print ports and account of a running server as JSON.

    Example: cadencia asterisk lab info
    """
    typer.echo(json.dumps(switch.lab_info(name), indent=2))


@lab.command()
def console(command: Annotated[str, typer.Argument(help="Asterisk console command.")], name: Name = "lab") -> None:
    """Run one command on the server's own console.

    Example: cadencia asterisk lab console "core show channels"
    """
    typer.echo(switch.lab_console(command, name))
