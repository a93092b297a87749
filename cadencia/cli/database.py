"""`cadencia db`: the database. SQLAlchemy and Alembic are loaded only by the verbs that need them."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Annotated

import typer

from cadencia.cli.opening import disk_told, open_store
from cadencia.cli.options import AsJson, Config, tell_json
from cadencia.cli.text import say
from cadencia.config import Settings, load
from cadencia.store.embedded import EmbeddedPostgres

app = typer.Typer(help="The database: the program's own PostgreSQL, or yours.", no_args_is_help=True)

Name = Annotated[str, typer.Option("--database", help="Which database of our own server; the demo's is cadencia_demo.")]


@app.command()
def start(as_json: AsJson = False) -> None:
    """Start the program's own PostgreSQL if it does not run, and print its address.

    Example: cadencia db start
    """
    server = EmbeddedPostgres()
    with disk_told():
        url = server.start()
    if as_json:
        tell_json({"url": url, "folder": server.folder})
    else:
        typer.echo(url)


@app.command()
def stop() -> None:
    """End the program's own PostgreSQL; what is committed stays.

    Example: cadencia db stop
    """
    EmbeddedPostgres().stop()


@app.command()
def upgrade(config: Config = None, as_json: AsJson = False) -> None:
    """Bring the database to this program's version, which is printed. (Every start does so too.)

    Example: cadencia db upgrade -c cadencia.toml
    """

    async def work(settings: Settings) -> None:
        store = await open_store(settings)
        await store.close()

    from cadencia.store import migrate

    settings = load(config)
    with disk_told(settings):
        asyncio.run(work(settings))
    if as_json:
        tell_json({"version": migrate.newest()})
    else:
        typer.echo(migrate.newest())


@app.command()
def backup(
    path: Annotated[Path, typer.Argument(readable=False, help="File to write.")],
    database: Name = "cadencia",
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace a file that is there.")] = False,
    config: Config = None,
    as_json: AsJson = False,
) -> None:
    """Write a backup while everything runs, and print its file. It holds personal data.

    Example: cadencia db backup cadencia.backup
    """
    from cadencia.store.backup import backup as write_backup

    settings = load(config)
    with disk_told(settings):
        file = asyncio.run(write_backup(_url(settings, database), path, overwrite=overwrite))
    if as_json:
        tell_json({"file": file, "bytes": file.stat().st_size})
    else:
        typer.echo(file)


@app.command()
def restore(
    path: Annotated[Path, typer.Argument(readable=False, help="File to read.")],
    database: Name = "cadencia",
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace a database that holds something.")] = False,
    config: Config = None,
    as_json: AsJson = False,
) -> None:
    """Put a backup in a database's place and bring it to this program's version; print the version it was of.

    Example: cadencia db restore cadencia.backup
    """
    from cadencia.store import migrate
    from cadencia.store.backup import restore as read_backup

    settings = load(config)
    with disk_told(settings):
        version = asyncio.run(read_backup(_url(settings, database), path, overwrite=overwrite))
    if as_json:
        tell_json({"version": version, "now": migrate.newest()})
    else:
        typer.echo(say(f"Restaurado; era de la versión {version}.", f"Restored; it was of version {version}."))


def _url(settings: Settings, database: str) -> str:
    """The external server that is set, or a database of our own server."""
    told = settings.database.url
    return told.get_secret_value() if told is not None else EmbeddedPostgres().start(database)
