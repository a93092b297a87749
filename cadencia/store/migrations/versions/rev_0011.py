"""A day's contacts that are no calls of the dialer's, for the re-check."""

from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("CREATE INDEX touches_others ON touches (at) WHERE channel <> 'voice' OR id LIKE 'c-%'")


def downgrade() -> None:
    raise NotImplementedError("restore a backup: what was written down is never thrown away by a program")
