"""The command line: one file a verb. Errors end in one message with the way out, exit 1 (a finding) or 2 (bad use)."""

from cadencia.cli.app import main

__all__ = ["main"]
