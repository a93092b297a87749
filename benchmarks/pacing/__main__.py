"""`python -m benchmarks.pacing`: see `benchmarks/pacing/cli.py`."""

from __future__ import annotations

import os

# One thread a process, before numpy is there: the processes share the cores, and small matrices gain nothing.
for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMBA_NUM_THREADS"):
    os.environ.setdefault(_name, "1")

if __name__ == "__main__":
    from benchmarks.pacing.cli import main

    main()
