"""All events of one attempt: the timeline of a call."""

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("CREATE INDEX events_attempt ON events (attempt_id, seq) WHERE attempt_id IS NOT NULL")


def downgrade() -> None:
    raise NotImplementedError("restore a backup: what was written down is never thrown away by a program")
