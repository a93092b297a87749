"""Versions of legal profiles, with who proposed and who decided."""

from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

_STATEMENTS = (
    """
    CREATE TABLE legal_profiles (
        id TEXT NOT NULL,
        version INTEGER NOT NULL,
        sha256 TEXT NOT NULL,
        source TEXT NOT NULL,
        state TEXT NOT NULL,
        proposed_by TEXT NOT NULL,
        proposed_at TIMESTAMPTZ NOT NULL,
        reason TEXT NOT NULL,
        decided_by TEXT NOT NULL DEFAULT '',
        decided_at TIMESTAMPTZ,
        decision TEXT NOT NULL DEFAULT '',
        CONSTRAINT legal_profiles_pkey PRIMARY KEY (id, version),
        CONSTRAINT legal_profiles_state_check CHECK (state IN ('proposed', 'active', 'retired', 'rejected')),
        CONSTRAINT legal_profiles_two_persons_check
            CHECK (state = 'proposed' OR state = 'rejected' OR decided_by <> proposed_by OR decided_by = 'cadencia')
    )
    """,
    "COMMENT ON TABLE legal_profiles IS 'rules of lawful contact: every version, and which one is in force'",
    "COMMENT ON COLUMN legal_profiles.source IS 'the text of its file'",
    "CREATE UNIQUE INDEX legal_profiles_active ON legal_profiles (id) WHERE state = 'active'",
)


def upgrade() -> None:
    for statement in _STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    raise NotImplementedError("restore a backup: what was written down is never thrown away by a program")
