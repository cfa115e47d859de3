"""How many tokens of language models were used, by each session and on each day."""

from alembic import op

revision = "0009"
down_revision: str | None = "0008"

# `tokens` is what counts against a budget: what was used, and what is set aside for calls that are on their way.
_USAGE = """
CREATE TABLE model_usage_of_sessions (
    session_id varchar(36) PRIMARY KEY REFERENCES request_sessions ON DELETE CASCADE,
    tokens bigint NOT NULL DEFAULT 0,
    calls integer NOT NULL DEFAULT 0,
    input_tokens bigint NOT NULL DEFAULT 0,
    output_tokens bigint NOT NULL DEFAULT 0,
    estimated_calls integer NOT NULL DEFAULT 0
) WITH (fillfactor = 70);
CREATE TABLE model_usage_of_days (
    tenant varchar(255) NOT NULL,
    day date NOT NULL,
    tokens bigint NOT NULL DEFAULT 0,
    calls integer NOT NULL DEFAULT 0,
    input_tokens bigint NOT NULL DEFAULT 0,
    output_tokens bigint NOT NULL DEFAULT 0,
    estimated_calls integer NOT NULL DEFAULT 0,
    PRIMARY KEY (tenant, day)
) WITH (fillfactor = 70);
"""


def upgrade() -> None:
    for statement in filter(str.strip, _USAGE.split(";\n")):
        op.execute(statement)


def downgrade() -> None:
    op.execute("DROP TABLE model_usage_of_sessions, model_usage_of_days")
