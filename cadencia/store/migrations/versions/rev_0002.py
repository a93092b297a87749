"""What the controllers learnt, by hour of the day; a campaign's answers by day."""

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_STATEMENTS = (
    """
    CREATE TABLE pacing_priors (
        campaign_id TEXT NOT NULL,
        contact_list TEXT NOT NULL,
        hour SMALLINT NOT NULL,
        body JSONB NOT NULL,
        saved_at TIMESTAMP WITH TIME ZONE NOT NULL,
        CONSTRAINT pacing_priors_pkey PRIMARY KEY (campaign_id, contact_list, hour),
        CONSTRAINT pacing_priors_hour_check CHECK (hour BETWEEN 0 AND 23),
        CONSTRAINT pacing_priors_campaign_id_fkey FOREIGN KEY(campaign_id) REFERENCES campaigns (id)
    )
    """,
    """
    COMMENT ON TABLE pacing_priors IS
        'what each local hour taught a campaign''s controller, for the same hour of another day'
    """,
    """
    CREATE INDEX attempts_answered ON attempts (campaign_id, answered_at) WHERE answered_at IS NOT NULL
    """,
)


def upgrade() -> None:
    for statement in _STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    raise NotImplementedError("restore a backup: what was written down is never thrown away by a program")
