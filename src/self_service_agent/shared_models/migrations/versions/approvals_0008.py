"""Decisions that flows wait for."""

from alembic import op

revision = "0008"
down_revision: str | None = "0007"

# `approvers` is who may decide: role:…, group:… or person:…. Whoever lists walks one of the two indexes in its order.
_UP = (
    """
    CREATE TABLE approvals (
        approval_id varchar(36) PRIMARY KEY,
        session_id varchar(36) NOT NULL REFERENCES request_sessions ON DELETE CASCADE,
        request_id varchar(36) NOT NULL,
        user_id varchar(255) NOT NULL,
        agent_id varchar(255) NOT NULL,
        flow varchar(255) NOT NULL,
        flow_instance_id varchar(36) NOT NULL,
        definition_digest varchar(64) NOT NULL,
        action varchar(255) NOT NULL,
        arguments_digest varchar(64) NOT NULL,
        summary text NOT NULL,
        approvers varchar(300) NOT NULL,
        state varchar(9) NOT NULL DEFAULT 'pending'
            CHECK (state IN ('pending', 'granted', 'denied', 'expired', 'cancelled')),
        expires_at timestamptz NOT NULL,
        decided_by varchar(255),
        decided_at timestamptz,
        comment text,
        channel varchar(4) CHECK (channel IN ('api', 'link')),
        created_at timestamptz NOT NULL DEFAULT now()
    )
    """,
    "CREATE INDEX approvals_pending ON approvals (expires_at) WHERE state = 'pending'",
    "CREATE INDEX approvals_of_approvers ON approvals (approvers, created_at DESC, approval_id DESC)",
    "CREATE INDEX approvals_of_user ON approvals (user_id, created_at DESC, approval_id DESC)",
    "CREATE INDEX approvals_of_session ON approvals (session_id)",
    "CREATE INDEX approvals_decided_by ON approvals (decided_by) WHERE decided_by IS NOT NULL",
)


def upgrade() -> None:
    for statement in _UP:
        op.execute(statement)


def downgrade() -> None:
    op.execute("DROP TABLE approvals")
