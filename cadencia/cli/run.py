"""`cadencia run`: the main job for real."""

from __future__ import annotations

from cadencia.cli.options import Config
from cadencia.config import load


def run(config: Config = None) -> None:
    """Run the engine and the pages until SIGTERM or Ctrl-C.

    Example: cadencia run -c cadencia.toml
    """
    settings = load(config)
    # Only now: the engine and the pages are much to load, and most verbs need none of it.
    from cadencia.cli.serving import serve_for_real

    serve_for_real(settings)
