"""A tool call that never left is a state of its own: it may be made again without asking anybody."""

from alembic import op

revision = "0011"
down_revision: str | None = "0010"

_DROP = "ALTER TABLE tool_calls DROP CONSTRAINT tool_calls_state_check"
_ADD = "ALTER TABLE tool_calls ADD CONSTRAINT tool_calls_state_check CHECK (state IN ({}))"


def upgrade() -> None:
    op.execute(_DROP)
    op.execute(_ADD.format("'intended', 'unsent', 'confirmed', 'refused', 'in_doubt'"))


def downgrade() -> None:
    op.execute(_DROP)
    op.execute("UPDATE tool_calls SET state = 'refused' WHERE state = 'unsent'")
    op.execute(_ADD.format("'intended', 'confirmed', 'refused', 'in_doubt'"))
