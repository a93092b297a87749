"""Which Asterisk server was asked for an attempt."""

from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_STATEMENTS = (
    "ALTER TABLE attempts ADD COLUMN server TEXT NOT NULL DEFAULT ''",
    "COMMENT ON COLUMN attempts.server IS 'the Asterisk server that was asked for it'",
)


def upgrade() -> None:
    for statement in _STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    raise NotImplementedError("restore a backup: what was written down is never thrown away by a program")
