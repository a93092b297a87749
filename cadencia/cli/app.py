"""Puts the verbs together and turns errors into one message."""

from __future__ import annotations

import sys

import typer

from cadencia import __version__
from cadencia.cli import asterisk, campaign, database, demo, portfolio, run, user
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
app.add_typer(campaign.app, name="campaign")
app.add_typer(asterisk.app, name="asterisk")
app.add_typer(database.app, name="db")
app.add_typer(user.app, name="user")


@app.callback(invoke_without_command=True)
def _version(version: bool = typer.Option(False, "--version", help="Print the version and end.")) -> None:
    if version:
        typer.echo(__version__)
        raise typer.Exit


def main() -> None:
    """The program `cadencia`."""
    try:
        app()
    except CadenciaError as error:
        print(error_text(error), file=sys.stderr)  # noqa: T201
        sys.exit(error.exit_code)
    except KeyboardInterrupt:
        sys.exit(130)
