"""A number that was taken off a list and is on it again leaves both lines: the ledger loses none."""

from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

_STATEMENTS = (
    "DROP INDEX exclusions_number",
    "CREATE INDEX exclusions_number ON exclusions (e164, register) WHERE e164 IS NOT NULL",
)


def upgrade() -> None:
    for statement in _STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    raise NotImplementedError("restore a backup: what was written down is never thrown away by a program")
