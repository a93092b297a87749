"""`cadencia asterisk`: a private Asterisk to try everything on."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from cadencia.cli.options import AsJson, tell_json
from cadencia.telephony import asterisk as switch

app = typer.Typer(help="A private Asterisk, without touching the machine's own.", no_args_is_help=True)
lab = typer.Typer(help="A throwaway Asterisk on loopback.", no_args_is_help=True)
app.add_typer(lab, name="lab")

Name = Annotated[str, typer.Option(help="Name of the lab, so that several can stand side by side.")]


@app.command()
def root(
    target: Annotated[
        Path | None, typer.Option(readable=False, help="Folder to build in; a cache folder by default.")
    ] = None,
) -> None:
    """Build the private Asterisk's folder once (about a minute, as root); prints what it is as JSON.

    Example: cadencia asterisk root
    """
    tell_json(switch.root_command(target, progress=lambda text: typer.echo(text, err=True)))


@lab.command()
def start(
    name: Name = "lab", agents: Annotated[int, typer.Option(min=1, max=200, help="Agents' telephones.")] = 4
) -> None:
    """Start a server and leave it running; prints ports and account as JSON.

    Example: cadencia asterisk lab start --agents 12
    """
    tell_json(switch.start_lab(name, agents=agents))


@lab.command()
def stop(name: Name = "lab") -> None:
    """Stop that server and remove what it wrote; prints whether it ran as JSON.

    Example: cadencia asterisk lab stop
    """
    tell_json(switch.stop_lab(name))


@lab.command()
def info(name: Name = "lab") -> None:
    """Print ports and account of a running server as JSON.

    Example: cadencia asterisk lab info
    """
    tell_json(switch.lab_info(name))


@lab.command()
def cli(
    command: Annotated[str, typer.Argument(help="Asterisk console command.")],
    name: Name = "lab",
    as_json: AsJson = False,
) -> None:
    """Run one command on the server's own console.

    Example: cadencia asterisk lab cli "core show channels"
    """
    told = switch.lab_console(command, name)
    if as_json:
        tell_json(told)
    else:
        typer.echo(str(told["output"]).rstrip("\n"))


lab.command("console", hidden=True)(cli)
