"""Alembic revisions, run by `cadencia.store.migrate`."""
