"""The tables of the first product: users, sessions, requests, events, turns, tool calls and deliveries."""

from alembic import op

revision = "0001"
down_revision: str | None = None

_PEOPLE = """
CREATE TABLE users (
    user_id varchar(36) PRIMARY KEY,
    login varchar(255) UNIQUE,
    primary_email varchar(255) UNIQUE,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now()
);
"""

# `scope` says which requests share a session: 'user', an integration type, a thread. One session per scope is active.
_SESSIONS = """
CREATE TABLE request_sessions (
    id bigint GENERATED ALWAYS AS IDENTITY,
    session_id varchar(36) PRIMARY KEY,
    user_id varchar(255) NOT NULL REFERENCES users,
    scope varchar(600) NOT NULL,
    integration_type varchar(20) NOT NULL,
    status varchar(10) NOT NULL DEFAULT 'ACTIVE' CHECK (status IN ('ACTIVE', 'INACTIVE', 'EXPIRED', 'ARCHIVED')),
    channel_id varchar(255),
    thread_id varchar(255),
    external_session_id varchar(255),
    current_agent_id varchar(255),
    conversation_thread_id varchar(255),
    llama_stack_session_id varchar(255) GENERATED ALWAYS AS (conversation_thread_id) STORED,
    integration_metadata jsonb NOT NULL DEFAULT '{}',
    user_context jsonb NOT NULL DEFAULT '{}',
    conversation_context jsonb NOT NULL DEFAULT '{}',
    total_requests integer NOT NULL DEFAULT 0,
    last_request_id varchar(36),
    last_request_at timestamptz,
    expires_at timestamptz NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now()
) WITH (fillfactor = 70);
CREATE UNIQUE INDEX request_sessions_active ON request_sessions (user_id, scope) WHERE status = 'ACTIVE';
CREATE INDEX request_sessions_of_user ON request_sessions (user_id, created_at DESC);
"""

# `reply_to` is the process whose caller waited to the end; null if nobody did. `delivery` is the caller's choice. No
# index holds a column that the answer changes, so that the answer is written beside the request (a heap-only update).
_REQUESTS = """
CREATE TABLE request_logs (
    id bigint GENERATED ALWAYS AS IDENTITY,
    request_id varchar(36) PRIMARY KEY,
    session_id varchar(36) NOT NULL REFERENCES request_sessions ON DELETE CASCADE,
    user_id varchar(255) NOT NULL,
    sequence integer NOT NULL,
    integration_type varchar(20) NOT NULL,
    request_type varchar(100) NOT NULL,
    request_content text NOT NULL,
    normalized_request jsonb NOT NULL,
    agent_id varchar(255),
    processing_time_ms integer,
    response_content text,
    response_metadata jsonb,
    cloudevent_id varchar(36),
    cloudevent_type varchar(100),
    status varchar(10) NOT NULL DEFAULT 'pending'
        CHECK (status IN ('pending', 'processing', 'completed', 'failed', 'expired')),
    idempotency_key varchar(255),
    fingerprint varchar(64),
    reply_to varchar(36),
    delivery jsonb,
    processing_started_at timestamptz,
    completed_at timestamptz,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now()
) WITH (fillfactor = 60);
CREATE UNIQUE INDEX request_logs_of_session ON request_logs (session_id, sequence);
CREATE UNIQUE INDEX request_logs_idempotency ON request_logs (user_id, idempotency_key)
    WHERE idempotency_key IS NOT NULL;
CREATE INDEX request_logs_of_user ON request_logs (user_id, created_at DESC);
CREATE INDEX request_logs_created ON request_logs USING brin (created_at) WITH (autosummarize = on);
"""

# An event row is a consumer's inbox and its queue in one; it is deleted as it is handled, and its id remembered.
_EVENTS = """
CREATE TABLE event_inbox (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    consumer varchar(50) NOT NULL,
    source varchar(255) NOT NULL,
    event_id varchar(255) NOT NULL,
    type varchar(255) NOT NULL,
    subject varchar(255),
    partition_key varchar(255) NOT NULL,
    lane smallint NOT NULL GENERATED ALWAYS AS (hashtext(partition_key) & 63) STORED,
    extensions jsonb,
    time timestamptz NOT NULL,
    data jsonb,
    state varchar(5) NOT NULL DEFAULT 'ready' CHECK (state IN ('ready', 'dead')),
    attempts smallint NOT NULL DEFAULT 0,
    error text,
    received_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (consumer, source, event_id)
) WITH (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_cost_delay = 0);
CREATE INDEX event_inbox_ready ON event_inbox (consumer, id) WHERE state = 'ready';
CREATE INDEX event_inbox_dead ON event_inbox (consumer, id) WHERE state = 'dead';
CREATE TABLE event_parking (
    consumer varchar(50) NOT NULL,
    partition_key varchar(255) NOT NULL,
    until timestamptz NOT NULL,
    PRIMARY KEY (consumer, partition_key)
);
CREATE TABLE processed_events (
    event_id varchar(255) NOT NULL,
    consumer varchar(50) NOT NULL,
    event_source varchar(255) NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (event_id, consumer, event_source)
);
CREATE INDEX processed_events_created ON processed_events USING brin (created_at) WITH (autosummarize = on);
"""

# One turn of a session is ready; the others are queued behind it. A ready turn with a lease is being taken. The lease
# is in no index, so that taking a turn is a heap-only update. The two conditions for ready are worded differently so
# that each query can only use the index that is made for it, whatever the statistics say.
_TURNS = """
CREATE TABLE turns (
    request_id varchar(36) PRIMARY KEY,
    session_id varchar(36) NOT NULL,
    user_id varchar(255) NOT NULL,
    sequence bigint NOT NULL,
    request json NOT NULL,
    status varchar(7) NOT NULL CHECK (status IN ('queued', 'ready', 'done', 'failed')),
    attempts smallint NOT NULL DEFAULT 0,
    not_before timestamptz NOT NULL DEFAULT now(),
    lease_token varchar(36),
    lease_until timestamptz,
    agent_id varchar(255),
    definition_digest varchar(64),
    error text,
    created_at timestamptz NOT NULL DEFAULT now(),
    started_at timestamptz,
    finished_at timestamptz
) WITH (fillfactor = 50, autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_cost_delay = 0);
CREATE UNIQUE INDEX turns_at_hand ON turns (session_id) WHERE status = 'ready';
CREATE INDEX turns_claimable ON turns (created_at) WHERE finished_at IS NULL AND status <> 'queued';
CREATE INDEX turns_queued ON turns (session_id, sequence) WHERE status = 'queued';
CREATE TABLE conversations (
    session_id varchar(36) PRIMARY KEY REFERENCES request_sessions ON DELETE CASCADE,
    checkpoint json NOT NULL,
    pinned_digest varchar(64),
    updated_at timestamptz NOT NULL DEFAULT now()
) WITH (fillfactor = 50);
CREATE TABLE agent_definitions (
    digest varchar(64) PRIMARY KEY,
    agent_id varchar(255) NOT NULL,
    version varchar(50) NOT NULL,
    body text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now()
);
CREATE TABLE tool_calls (
    key varchar(64) PRIMARY KEY,
    session_id varchar(36) NOT NULL,
    request_id varchar(36) NOT NULL,
    user_id varchar(255) NOT NULL,
    tool varchar(255) NOT NULL,
    arguments jsonb NOT NULL,
    state varchar(9) NOT NULL CHECK (state IN ('intended', 'confirmed', 'refused', 'in_doubt')),
    attempts smallint NOT NULL DEFAULT 1,
    result jsonb,
    error text,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX tool_calls_of_session ON tool_calls (session_id);
"""

_DELIVERIES = """
CREATE TABLE integration_default_configs (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    integration_type varchar(20) NOT NULL UNIQUE,
    enabled boolean NOT NULL DEFAULT true,
    priority integer NOT NULL DEFAULT 1,
    retry_count integer NOT NULL DEFAULT 3,
    retry_delay_seconds integer NOT NULL DEFAULT 60,
    config jsonb NOT NULL DEFAULT '{}',
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now()
);
CREATE TABLE user_integration_configs (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    user_id varchar(255) NOT NULL REFERENCES users ON DELETE CASCADE,
    integration_type varchar(20) NOT NULL,
    enabled boolean,
    priority integer,
    retry_count integer,
    retry_delay_seconds integer,
    config jsonb NOT NULL DEFAULT '{}',
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (user_id, integration_type)
);
CREATE TABLE delivery_logs (
    id bigint GENERATED ALWAYS AS IDENTITY,
    delivery_id varchar(36) PRIMARY KEY,
    request_id varchar(36) NOT NULL,
    session_id varchar(36) NOT NULL,
    user_id varchar(255) NOT NULL,
    integration_type varchar(20) NOT NULL,
    priority integer NOT NULL,
    status varchar(13) NOT NULL CHECK (status IN ('PENDING', 'RETRYING', 'DELIVERED', 'FAILED', 'EXPIRED', 'SKIPPED',
        'UNKNOWN', 'DEAD_LETTERED')),
    agent_id varchar(255),
    subject text,
    content text NOT NULL,
    integration_metadata jsonb NOT NULL DEFAULT '{}',
    attempts integer NOT NULL DEFAULT 0,
    replayed_attempts integer NOT NULL DEFAULT 0,
    max_attempts integer NOT NULL,
    retry_delay_seconds integer NOT NULL,
    next_attempt_at timestamptz,
    lease_token varchar(36),
    lease_until timestamptz,
    external_id varchar(255),
    error_message text,
    first_attempt_at timestamptz,
    last_attempt_at timestamptz,
    delivered_at timestamptz,
    expires_at timestamptz,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now()
) WITH (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_cost_delay = 0);
CREATE INDEX delivery_logs_due ON delivery_logs (integration_type, next_attempt_at, id)
    WHERE status IN ('PENDING', 'RETRYING');
CREATE INDEX delivery_logs_open ON delivery_logs (session_id, integration_type, id)
    WHERE status IN ('PENDING', 'RETRYING');
CREATE UNIQUE INDEX delivery_logs_in_order ON delivery_logs (id);
CREATE INDEX delivery_logs_of_user ON delivery_logs (user_id, id DESC);
CREATE INDEX delivery_logs_of_request ON delivery_logs (request_id);
CREATE INDEX delivery_logs_dead ON delivery_logs (id) WHERE status IN ('DEAD_LETTERED', 'FAILED', 'UNKNOWN');
CREATE TABLE delivery_attempts (
    delivery_id varchar(36) NOT NULL REFERENCES delivery_logs ON DELETE CASCADE,
    attempt integer NOT NULL,
    started_at timestamptz NOT NULL,
    finished_at timestamptz,
    outcome varchar(9) NOT NULL CHECK (outcome IN ('started', 'delivered', 'transient', 'permanent', 'unknown')),
    error_message text,
    retry_at timestamptz,
    PRIMARY KEY (delivery_id, attempt)
);
"""


def upgrade() -> None:
    for part in (_PEOPLE, _SESSIONS, _REQUESTS, _EVENTS, _TURNS, _DELIVERIES):
        for statement in filter(str.strip, part.split(";\n")):
            op.execute(statement)


def downgrade() -> None:
    op.execute("""
        DROP TABLE delivery_attempts, delivery_logs, user_integration_configs, integration_default_configs, tool_calls,
            agent_definitions, conversations, turns, event_parking, processed_events,
            event_inbox, request_logs, request_sessions, users
    """)
