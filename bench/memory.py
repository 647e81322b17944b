"""Peak memory of a day with N due, in a process of its own: `python -m bench.memory N` prints megabytes."""

from __future__ import annotations

import os
import resource
import sys
import tempfile
from pathlib import Path

from app.domain.values import Due
from app.store.engine import open_engine
from bench import books
from jobs import runner


def main(due: int) -> None:
    """Build the book in a child, so that only the day itself counts here."""
    with tempfile.TemporaryDirectory(prefix="perennial-bench-") as folder:
        url = f"sqlite:///{Path(folder) / 'book.db'}"
        child = os.fork()
        if child == 0:
            books.build(open_engine(url), due, due, Due.RENEW)
            os._exit(0)
        os.waitpid(child, 0)
        engine = open_engine(url)
        runner.run_due(books.context(engine))
        engine.dispose()
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)


if __name__ == "__main__":
    main(int(sys.argv[1]))
