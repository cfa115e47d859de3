"""Documents that are handed on as they are become text, checked once; not every event's id needs remembering."""

from alembic import op

revision = "0002"
down_revision: str | None = "0001"

_COLUMNS = (("request_logs", "normalized_request"), ("event_inbox", "extensions"), ("event_inbox", "data"))


def upgrade() -> None:
    for table, column in _COLUMNS:
        op.execute(f"ALTER TABLE {table} ALTER COLUMN {column} TYPE json USING {column}::json")
    op.execute("ALTER TABLE event_inbox ADD COLUMN is_remembered boolean NOT NULL DEFAULT true")


def downgrade() -> None:
    op.execute("ALTER TABLE event_inbox DROP COLUMN is_remembered")
    for table, column in _COLUMNS:
        op.execute(f"ALTER TABLE {table} ALTER COLUMN {column} TYPE jsonb USING {column}::jsonb")
