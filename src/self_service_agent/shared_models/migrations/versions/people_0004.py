"""What people are called elsewhere, and what sessions need to be listed and kept for a time."""

from alembic import op

revision = "0004"
down_revision: str | None = "0003"

# An alias is a name that led to a person of its own before the two were found to be one: the id they had, or a login.
_PEOPLE = """
CREATE TABLE user_aliases (
    kind varchar(5) NOT NULL CHECK (kind IN ('id', 'login')),
    alias varchar(255) NOT NULL,
    user_id varchar(36) NOT NULL REFERENCES users ON DELETE CASCADE,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (alias, kind)
);
CREATE INDEX user_aliases_of_user ON user_aliases (user_id);
CREATE TABLE user_integration_mappings (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    user_id varchar(36) NOT NULL REFERENCES users ON DELETE CASCADE,
    user_email varchar(255),
    integration_type varchar(20) NOT NULL,
    integration_user_id varchar(255) NOT NULL,
    last_validated_at timestamptz,
    validation_attempts integer NOT NULL DEFAULT 0,
    last_validation_error text,
    created_by varchar(255) NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (user_id, integration_type)
);
CREATE UNIQUE INDEX user_integration_mappings_identity
    ON user_integration_mappings (integration_user_id, integration_type)
    WHERE integration_user_id <> '__NOT_FOUND__';
"""

# No index holds a column that a request changes, so that prolonging a session stays a heap-only update. A tool call
# needs its session, so that none is begun for a session that is being deleted.
_SESSIONS = """
ALTER TABLE request_sessions ADD COLUMN name varchar(255), ADD COLUMN version integer NOT NULL DEFAULT 0;
DROP INDEX request_sessions_of_user;
CREATE INDEX request_sessions_of_user ON request_sessions (user_id, session_id DESC);
CREATE INDEX request_sessions_ended ON request_sessions (created_at, session_id)
    WHERE status IN ('INACTIVE', 'EXPIRED');
ALTER TABLE tool_calls ADD CONSTRAINT tool_calls_session_id_fkey
    FOREIGN KEY (session_id) REFERENCES request_sessions ON DELETE CASCADE NOT VALID;
"""


def upgrade() -> None:
    _run(_PEOPLE)
    _run(_SESSIONS)


def downgrade() -> None:
    _run("""
        ALTER TABLE tool_calls DROP CONSTRAINT tool_calls_session_id_fkey;
        DROP INDEX request_sessions_ended, request_sessions_of_user;
        CREATE INDEX request_sessions_of_user ON request_sessions (user_id, created_at DESC);
        ALTER TABLE request_sessions DROP COLUMN name, DROP COLUMN version;
        DROP TABLE user_integration_mappings, user_aliases
    """)


def _run(statements: str) -> None:
    for statement in filter(str.strip, statements.split(";\n")):
        op.execute(statement)
