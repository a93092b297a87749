"""`cadencia demo`: the main job on embedded defaults."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from cadencia.cli.writing import verify_writable, write_whole
from cadencia.domain.dialing import Mode


def demo(
    agents: Annotated[int | None, typer.Option(min=1, max=200, help="Simulated agents (12).")] = None,
    contacts: Annotated[int | None, typer.Option(min=1, max=200_000, help="Debtors on the list (2000).")] = None,
    minutes: Annotated[float | None, typer.Option(min=0.05, help="End after so many real minutes.")] = None,
    speed: Annotated[float | None, typer.Option(min=0.1, max=100.0, help="Simulated seconds a real one (1).")] = None,
    mode: Annotated[Mode | None, typer.Option(help="How the campaign is paced (predictive).")] = None,
    seed: Annotated[int | None, typer.Option(help="Seed of the debtors and their fates (7).")] = None,
    port: Annotated[int | None, typer.Option(min=0, max=65535, help="Port of the pages (8080).")] = None,
    headless: Annotated[bool, typer.Option("--headless", help="No live table.")] = False,
    fresh: Annotated[bool, typer.Option("--fresh", help="Start anew instead of going on.")] = False,
    json_file: Annotated[
        Path | None, typer.Option("--json", readable=False, help="Write the summary to this file.")
    ] = None,
) -> None:
    """Watch a floor of simulated agents work through a portfolio, or take a seat yourself.

    Example: cadencia demo --speed 10 --minutes 3 --json out.json
    """
    if json_file is not None:
        verify_writable(json_file)
    # Only now: the engine and the pages are much to load, and most verbs need none of it.
    from cadencia.cli.live import watch
    from cadencia.demo.session import DemoOptions

    told = watch(DemoOptions(agents, contacts, minutes, speed, mode, seed, port, fresh), headless)
    if json_file is not None:
        write_whole(json_file, json.dumps(told, indent=2, ensure_ascii=False) + "\n")
