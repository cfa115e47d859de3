"""Which people belong to which groups and regions, for documents that are not for everybody."""

from alembic import op

revision = "0010"
down_revision: str | None = "0009"

_UP = """
    CREATE TABLE knowledge_readers (
        user_id text PRIMARY KEY REFERENCES users,
        groups text[] NOT NULL DEFAULT '{}',
        regions text[] NOT NULL DEFAULT '{}',
        updated_at timestamptz NOT NULL DEFAULT now()
    )
"""


def upgrade() -> None:
    op.execute(_UP)


def downgrade() -> None:
    op.execute("DROP TABLE knowledge_readers")
