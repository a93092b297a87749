"""`cadencia db`: the embedded database."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Annotated

import typer

from cadencia.config import load
from cadencia.store.backup import backup as write_backup
from cadencia.store.backup import restore as read_backup
from cadencia.store.embedded import EmbeddedPostgres

app = typer.Typer(help="The program's own PostgreSQL.", no_args_is_help=True)

Config = Annotated[Path | None, typer.Option("-c", "--config", help="Settings file.")]
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
def backup(
    path: Annotated[Path, typer.Argument(help="File to write.")],
    database: Name = "cadencia",
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace a file that is there.")] = False,
    config: Config = None,
) -> None:
    """Write a backup while everything runs.

    Example: cadencia db backup cadencia.backup
    """
    typer.echo(asyncio.run(write_backup(_url(config, database), path, overwrite=overwrite)))


@app.command()
def restore(
    path: Annotated[Path, typer.Argument(help="File to read.")],
    database: Name = "cadencia",
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace a database that holds something.")] = False,
    config: Config = None,
) -> None:
    """Put a backup in a database's place and bring it to this program's version, which is printed.

    Example: cadencia db restore cadencia.backup
    """
    typer.echo(asyncio.run(read_backup(_url(config, database), path, overwrite=overwrite)))


def _url(config: Path | None, database: str) -> str:
    """The external server that is set, or a database of our own server."""
    told = load(config).database.url
    return told.get_secret_value() if told is not None else EmbeddedPostgres().start(database)
