"""Measurements on a real switch, or on a simulated one in a process of its own; see `benchmarks/README.md`."""
