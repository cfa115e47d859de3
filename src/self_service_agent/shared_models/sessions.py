"""Sessions: the statements by which the accept of a request finds or opens one.

The agent service owns the table; other writers use these statements and no others.
"""

from typing import Final

# Both take a relation `groups` (user_id, scope, wanted_session, new_session_id, integration_type, channel_id,
# thread_id, requests, last_request_id, lifetime) with one row for each user and scope, and yield `sessions` (user_id,
# scope, session_id, total_requests). Rows are touched in the order of user and scope, so that two
# statements cannot wait for each other. An expired session is ended first and never continued.
FIND_OR_OPEN: Final = """
    ended AS (
        UPDATE request_sessions SET status = 'EXPIRED', updated_at = now()
        WHERE session_id = ANY(ARRAY(
            SELECT e.session_id FROM groups g CROSS JOIN LATERAL (
                SELECT s.session_id, s.expires_at FROM request_sessions s
                WHERE s.user_id = g.user_id AND s.scope = g.scope AND s.status = 'ACTIVE' LIMIT 1
            ) e WHERE e.expires_at <= now()))
        RETURNING session_id
    ), sessions AS (
        INSERT INTO request_sessions (session_id, user_id, scope, integration_type, channel_id, thread_id,
            conversation_thread_id, total_requests, last_request_id, last_request_at, expires_at)
        SELECT new_session_id, user_id, scope, integration_type, channel_id, thread_id, new_session_id, requests,
            last_request_id, now(), now() + lifetime
        FROM groups WHERE (SELECT count(*) FROM ended) >= 0 ORDER BY user_id, scope
        ON CONFLICT (user_id, scope) WHERE status = 'ACTIVE' DO UPDATE SET
            total_requests = request_sessions.total_requests + EXCLUDED.total_requests,
            last_request_id = EXCLUDED.last_request_id, last_request_at = now(), updated_at = now(),
            expires_at = EXCLUDED.expires_at
        RETURNING user_id, scope, session_id, total_requests
    )
"""

# The short form for the usual case: $1 is a JSON array of user_id, scope, session_id of a new one, integration_type,
# channel_id, thread_id, requests and last_request_id, $2 the lifetime. An expired session yields no row; FIND_OR_OPEN
# ends it.
USE_OR_OPEN: Final = """
    sessions AS (
        INSERT INTO request_sessions (user_id, scope, session_id, integration_type, channel_id, thread_id,
            total_requests, last_request_id, conversation_thread_id, last_request_at, expires_at)
        SELECT g.*, g.session_id, now(), now() + $2::interval
        FROM json_to_recordset($1::json) AS g (user_id text, scope text, session_id text, integration_type text,
            channel_id text, thread_id text, requests integer, last_request_id text)
        ON CONFLICT (user_id, scope) WHERE status = 'ACTIVE' DO UPDATE SET
            total_requests = request_sessions.total_requests + EXCLUDED.total_requests,
            last_request_id = EXCLUDED.last_request_id, last_request_at = now(), updated_at = now(),
            expires_at = EXCLUDED.expires_at
        WHERE request_sessions.expires_at > now()
        RETURNING user_id, scope, session_id, total_requests
    )
"""

CONTINUE: Final = """
    ordered AS (
        SELECT s.session_id FROM request_sessions s JOIN groups g ON s.session_id = g.wanted_session
        WHERE s.session_id = ANY(ARRAY(SELECT wanted_session FROM groups))
            AND s.user_id = g.user_id AND s.status = 'ACTIVE' AND s.expires_at > now()
        ORDER BY s.session_id FOR UPDATE OF s
    ), sessions AS (
        UPDATE request_sessions s SET
            total_requests = s.total_requests + g.requests, last_request_id = g.last_request_id,
            last_request_at = now(), updated_at = now(), expires_at = now() + g.lifetime
        FROM groups g
        WHERE s.session_id = ANY(ARRAY(SELECT session_id FROM ordered)) AND g.wanted_session = s.session_id
            AND g.user_id = s.user_id
        RETURNING g.user_id, g.scope, s.session_id, s.total_requests
    )
"""
