"""The command line. Nothing heavy is imported until a command needs it, so that `--help` stays quick."""

from app.cli.program import main

__all__ = ["main"]
