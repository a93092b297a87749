"""A lease touches fewer pages: no index and no key that is checked by reading scattered rows."""

from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

_STATEMENTS = (
    # What a lease writes was read under lock in the same transaction; the check locked, and so rewrote, each phone.
    "ALTER TABLE attempts DROP CONSTRAINT attempts_contact_id_fkey",
    "ALTER TABLE attempts DROP CONSTRAINT attempts_phone_id_fkey",
    # Nobody asks by contact.
    "DROP INDEX attempts_contact",
    "COMMENT ON COLUMN list_items.denied_code IS 'why the gate said no the last time; null after an attempt'",
)


def upgrade() -> None:
    for statement in _STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    raise NotImplementedError("restore a backup: what was written down is never thrown away by a program")
