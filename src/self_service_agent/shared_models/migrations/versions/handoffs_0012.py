"""Conversations that people have taken over, and what they do in them."""

from alembic import op

revision = "0012"
down_revision: str | None = "0011"

# A session is in one person's hands at most. Each act of theirs is told in the session by the request of its id.
_UP = (
    """
    CREATE TABLE handoffs (
        handoff_id varchar(36) PRIMARY KEY,
        session_id varchar(36) NOT NULL REFERENCES request_sessions ON DELETE CASCADE,
        request_id varchar(36) NOT NULL,
        user_id varchar(255) NOT NULL,
        agent_id varchar(255) NOT NULL,
        queue varchar(100) NOT NULL,
        reason text NOT NULL,
        packet jsonb NOT NULL,
        state varchar(8) NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'claimed', 'returned', 'closed')),
        owner varchar(255),
        created_at timestamptz NOT NULL DEFAULT now(),
        claimed_at timestamptz,
        ended_at timestamptz
    )
    """,
    "CREATE UNIQUE INDEX handoffs_at_hand ON handoffs (session_id) WHERE ended_at IS NULL",
    "CREATE INDEX handoffs_waiting ON handoffs (created_at, handoff_id) WHERE ended_at IS NULL AND handoff_id <> ''",
    "CREATE INDEX handoffs_of_session ON handoffs (session_id) WHERE session_id <> ''",
    "CREATE INDEX handoffs_owner ON handoffs (owner) WHERE owner IS NOT NULL",
    """
    CREATE TABLE handoff_acts (
        request_id varchar(36) PRIMARY KEY,
        handoff_id varchar(36) NOT NULL REFERENCES handoffs ON DELETE CASCADE,
        kind varchar(6) NOT NULL CHECK (kind IN ('reply', 'return', 'close')),
        author varchar(255) NOT NULL,
        author_name varchar(255) NOT NULL,
        content text NOT NULL,
        created_at timestamptz NOT NULL DEFAULT now()
    )
    """,
    "CREATE INDEX handoff_acts_of_handoff ON handoff_acts (handoff_id)",
    "CREATE INDEX handoff_acts_author ON handoff_acts (author)",
)


def upgrade() -> None:
    for statement in _UP:
        op.execute(statement)


def downgrade() -> None:
    op.execute("DROP TABLE handoff_acts, handoffs")
