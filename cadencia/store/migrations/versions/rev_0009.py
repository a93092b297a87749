"""A person's last contacts from the index alone; and of a payment, whether it cleared what was overdue."""

from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

_STATEMENTS = (
    "DROP INDEX attempts_history",
    """
    CREATE INDEX attempts_history ON attempts (person_id, ended_at, id) INCLUDE (outcome, disposition, agent_id)
    WHERE state = 'settled'
    """,
    "ALTER TABLE payments ADD COLUMN clears BOOLEAN NOT NULL DEFAULT false",
    "COMMENT ON COLUMN payments.clears IS 'nothing was overdue any more after it'",
    """
    UPDATE payments y SET clears = true FROM obligations o
    WHERE o.id = y.obligation_id AND o.overdue_minor = 0
      AND y.id = (SELECT max(n.id) FROM payments n WHERE n.obligation_id = y.obligation_id)
    """,
)


def upgrade() -> None:
    for statement in _STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    raise NotImplementedError("restore a backup: what was written down is never thrown away by a program")
