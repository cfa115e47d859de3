"""API keys, and the audit log."""

from alembic import op

revision = "0003"
down_revision: str | None = "0002"

_KEYS = """
CREATE TABLE api_keys (
    key_id varchar(36) PRIMARY KEY,
    digest varchar(64) NOT NULL UNIQUE,
    hint varchar(12) NOT NULL,
    name varchar(255) NOT NULL,
    user_id varchar(36) REFERENCES users ON DELETE CASCADE,
    tool_id varchar(255),
    roles text[] NOT NULL,
    scopes text[] NOT NULL,
    created_by varchar(255) NOT NULL,
    created_at timestamptz NOT NULL,
    expires_at timestamptz,
    last_used_at timestamptz,
    revoked_at timestamptz,
    replaced_by varchar(36) REFERENCES api_keys ON DELETE SET NULL,
    CHECK (num_nonnulls(user_id, tool_id) = 1)
) WITH (fillfactor = 80);
CREATE INDEX api_keys_of_user ON api_keys (user_id, key_id DESC);
CREATE INDEX api_keys_replacing ON api_keys (replaced_by) WHERE replaced_by IS NOT NULL;
"""

# `occurrences` is in no index, so that counting a repeated refusal is a heap-only update.
_AUDIT = """
CREATE TABLE audit_log (
    id varchar(36) PRIMARY KEY,
    at timestamptz NOT NULL,
    actor varchar(255) NOT NULL,
    actor_kind varchar(20) NOT NULL,
    action varchar(100) NOT NULL,
    target varchar(255),
    outcome varchar(7) NOT NULL CHECK (outcome IN ('allowed', 'refused', 'failed')),
    reason varchar(500),
    address varchar(45),
    correlation_id varchar(128),
    details jsonb NOT NULL DEFAULT '{}',
    occurrences integer NOT NULL DEFAULT 1
) WITH (fillfactor = 90);
CREATE INDEX audit_log_in_order ON audit_log (at DESC, id DESC);
CREATE INDEX audit_log_of_actor ON audit_log (actor, at DESC, id DESC);
CREATE INDEX audit_log_of_action ON audit_log (action, at DESC, id DESC);
CREATE INDEX audit_log_of_outcome ON audit_log (outcome, at DESC, id DESC);
"""


def upgrade() -> None:
    for part in (_KEYS, _AUDIT):
        for statement in filter(str.strip, part.split(";\n")):
            op.execute(statement)


def downgrade() -> None:
    op.execute("DROP TABLE audit_log, api_keys")
