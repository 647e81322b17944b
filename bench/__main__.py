"""`make bench`: every figure a ratio within this run. SIZE=small for a quick look (`make bench SIZE=small`)."""

from __future__ import annotations

import gc
import os
import sys

from bench import days, years
from bench.databases import postgres, sqlite


def main() -> None:
    """Print the tables of bench/README.md."""
    size = days.SMALL if os.environ.get("SIZE") == "small" else days.LARGE
    gc.collect()
    gc.freeze()  # as the daemon does: what was imported is not looked through again and again
    with sqlite() as databases:
        days.measure("SQLite", databases, size)
        years.measure(size)
    if "--sqlite" not in sys.argv:
        with postgres() as databases:
            days.measure("PostgreSQL", databases, size)


if __name__ == "__main__":
    main()
