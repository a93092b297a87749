"""Frozen types and codes that all rooms share. Nothing here does I/O or knows the time."""
