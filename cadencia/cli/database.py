"""`cadencia db`: the embedded database."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from cadencia.store.backup import backup as write_backup
from cadencia.store.backup import restore as read_backup
from cadencia.store.embedded import EmbeddedPostgres

app = typer.Typer(help="The program's own PostgreSQL.", no_args_is_help=True)

Name = Annotated[str, typer.Option("--database", help="Which database; the demo's is cadencia_demo.")]


@app.command()
def start() -> None:
    """Start the database if it does not run, and print its address.

    Example: cadencia db start
    """
    typer.echo(EmbeddedPostgres().start())


@app.command()
def stop() -> None:
    """End the database; what is committed stays.

    Example: cadencia db stop
    """
    EmbeddedPostgres().stop()


@app.command()
def backup(path: Annotated[Path, typer.Argument(help="File to write.")], database: Name = "cadencia") -> None:
    """Write a backup while everything runs.

    Example: cadencia db backup cadencia.backup
    """
    server = EmbeddedPostgres()
    server.start(database)
    write_backup(server, path, database=database)
    typer.echo(str(path))


@app.command()
def restore(
    path: Annotated[Path, typer.Argument(help="File to read.")],
    database: Name = "cadencia",
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace a database that holds something.")] = False,
) -> None:
    """Restore a backup into an empty database.

    Example: cadencia db restore cadencia.backup
    """
    server = EmbeddedPostgres()
    server.start(database)
    read_backup(server, path, database=database, overwrite=overwrite)
    typer.echo(database)
