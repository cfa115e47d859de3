"""Which definitions are in use, for those who list agents."""

from alembic import op

revision = "0007"
down_revision: str | None = "0006"

_UP = (
    "ALTER TABLE agent_definitions ADD COLUMN published_at timestamptz",
    "CREATE INDEX agent_definitions_published ON agent_definitions (agent_id) WHERE published_at IS NOT NULL",
)
_DOWN = ("ALTER TABLE agent_definitions DROP COLUMN published_at",)


def upgrade() -> None:
    for statement in _UP:
        op.execute(statement)


def downgrade() -> None:
    for statement in _DOWN:
        op.execute(statement)
