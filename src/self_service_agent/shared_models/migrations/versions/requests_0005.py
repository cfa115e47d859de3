"""What following, listing and cancelling requests needs."""

from alembic import op

revision = "0005"
down_revision: str | None = "0004"

# The condition of the second index is always true: only the query that repeats it can use the index, so that the
# requests of one person are never looked for among everybody's, whatever the statistics say.
_UP = (
    "DROP INDEX request_logs_of_user",
    "CREATE INDEX request_logs_of_user ON request_logs (user_id, created_at DESC, id DESC)",
    "CREATE INDEX request_logs_in_order ON request_logs (created_at DESC, id DESC) WHERE request_id <> ''",
)
_DOWN = (
    "DROP INDEX request_logs_in_order",
    "DROP INDEX request_logs_of_user",
    "CREATE INDEX request_logs_of_user ON request_logs (user_id, created_at DESC)",
)


def upgrade() -> None:
    for statement in _UP:
        op.execute(statement)


def downgrade() -> None:
    for statement in _DOWN:
        op.execute(statement)
