"""`cadencia asterisk`: the configuration of yours and its check, and a private one to try everything on."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Annotated

import typer

from cadencia.cli.options import AsJson, Config, tell_json
from cadencia.cli.site_check import check as check_servers
from cadencia.cli.site_files import chosen, show_changes, write_files
from cadencia.config import load
from cadencia.telephony import asterisk as switch

app = typer.Typer(help="Your Asterisk's configuration and its check; a private one to try.", no_args_is_help=True)
lab = typer.Typer(help="A throwaway Asterisk on loopback.", no_args_is_help=True)
app.add_typer(lab, name="lab")

Name = Annotated[str, typer.Option(help="Name of the lab, so that several can stand side by side.")]


Only = Annotated[str | None, typer.Option("--server", help="Only this server of the settings; all by default.")]


@app.command()
def config(
    config: Config = None,
    server: Only = None,
    out: Annotated[Path, typer.Option(help="Folder to write in, such as /etc/asterisk.")] = Path(),
    diff: Annotated[bool, typer.Option("--diff", help="Write nothing: show what would change, and exit 1.")] = False,
    as_json: AsJson = False,
) -> None:
    """Write the manager, dialplan and PJSIP files that your Asterisk includes; what is up to date is left alone.

    Example: cadencia asterisk config -c cadencia.toml --out /etc/asterisk
    """
    settings = load(config)
    if not diff:
        write_files(settings, server, out, as_json=as_json)
    elif show_changes(settings, server, out, as_json=as_json):
        raise typer.Exit(1)


@app.command()
def check(
    config: Config = None,
    server: Only = None,
    local: Annotated[bool, typer.Option("--local", help="Go deep: this machine is the server.")] = False,
    asterisk_command: Annotated[str, typer.Option(help="Asterisk's program on this machine.")] = "asterisk",
    as_json: AsJson = False,
) -> None:
    """Check whether each Asterisk is fit to dial with, and say how to mend what is not; exit 1 if anything is.

    Example: cadencia asterisk check -c cadencia.toml --local
    """
    settings = load(config)
    servers = dict(chosen(settings, server))
    if not check_servers(servers, local=shlex.split(asterisk_command) if local else None, as_json=as_json):
        raise typer.Exit(1)


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
    name: Name = "lab",
    agents: Annotated[int, typer.Option(min=1, max=200, help="Agents' telephones.")] = 4,
    browser_agents: Annotated[int, typer.Option(min=0, max=200, help="Telephones in agents' browsers.")] = 0,
) -> None:
    """Start a server and leave it running; prints ports and account as JSON.

    Example: cadencia asterisk lab start --agents 12
    """
    tell_json(switch.start_lab(name, agents=agents, browser_agents=browser_agents))


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
