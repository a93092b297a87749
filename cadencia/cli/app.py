"""Puts the verbs together and turns errors into one message."""

from __future__ import annotations

import os
import sys

import typer

from cadencia import __version__
from cadencia.cli import (
    asterisk,
    call,
    campaign,
    contact,
    database,
    demo,
    evidence,
    explain,
    portfolio,
    preference,
    profile,
    recheck,
    report,
    request,
    run,
    script,
    simulate,
    user,
)
from cadencia.cli.faults import DEBUG, fault, refused
from cadencia.cli.text import error_text
from cadencia.errors import CadenciaError

app = typer.Typer(
    help="Cadencia: predictive dialer for debt-collection floors.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
    rich_markup_mode=None,
)
app.command("demo")(demo.demo)
app.command("run")(run.run)
app.command("import")(portfolio.import_)
app.command("simulate")(simulate.simulate)
app.command("call")(call.call)
app.command("explain")(explain.explain_)
app.command("recheck")(recheck.recheck)
app.add_typer(campaign.app, name="campaign")
app.add_typer(contact.app, name="contact")
app.add_typer(asterisk.app, name="asterisk")
app.add_typer(database.app, name="db")
app.add_typer(evidence.app, name="evidence")
app.add_typer(preference.app, name="preference")
app.add_typer(profile.app, name="profile")
app.add_typer(report.app, name="report")
app.add_typer(request.app, name="request")
app.add_typer(script.app, name="script")
app.add_typer(user.app, name="user")


@app.callback(invoke_without_command=True)
def _version(version: bool = typer.Option(False, "--version", help="Print the version and end.")) -> None:
    if version:
        typer.echo(__version__)
        raise typer.Exit


def main() -> None:
    """The program `cadencia`. Exit 0: done; 1: a finding or a fault; 2: used wrongly; 130: Ctrl-C."""
    try:
        app(prog_name="cadencia")
    except KeyboardInterrupt:
        sys.exit(130)
    except Exception as error:
        if os.environ.get(DEBUG) == "1" and not isinstance(error, CadenciaError):
            raise
        told = _told(error)
        print(error_text(told), file=sys.stderr)  # noqa: T201
        sys.exit(told.exit_code)


def _told(error: Exception) -> CadenciaError:
    if isinstance(error, CadenciaError):
        return error
    if isinstance(error, OSError) and error.errno is not None:
        return refused(error)
    return fault(error)
