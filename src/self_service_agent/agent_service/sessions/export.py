"""Whole conversations as JSON, piece by piece: a long one is never in memory at once."""

from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from typing import Any, Final

import asyncpg
import orjson

from self_service_agent.kit.database import Pool

_PIECE: Final = 100
_DOCUMENTS: Final = frozenset(
    {
        "integration_metadata", "user_context", "conversation_context", "response_metadata", "integration_context",
        "arguments", "result", "packet",
    }
)  # fmt: skip

_REQUESTS = """
    SELECT request_id, sequence, integration_type, request_type, request_content AS content,
        normalized_request -> 'integration_context' AS integration_context, status, agent_id, response_content,
        response_metadata, processing_time_ms, created_at, completed_at
    FROM request_logs WHERE session_id = $1 AND sequence > $2 ORDER BY sequence LIMIT $3
"""

_MODEL_USAGE = """
    SELECT calls, input_tokens, output_tokens, estimated_calls FROM model_usage_of_sessions WHERE session_id = $1
"""

_TOOL_CALLS = """
    SELECT request_id, key, tool, arguments, state, attempts, result, error, created_at, updated_at
    FROM tool_calls WHERE session_id = $1 AND request_id = ANY($2) ORDER BY created_at, key
"""

_APPROVALS = """
    SELECT request_id, approval_id, action, summary, approvers, state, expires_at, decided_at, comment, created_at
    FROM approvals WHERE session_id = $1 AND request_id || '' = ANY($2) ORDER BY created_at, approval_id
"""

_HANDOFFS = """
    SELECT request_id, handoff_id, queue, reason, packet, state, created_at, claimed_at, ended_at
    FROM handoffs WHERE session_id = $1 AND request_id || '' = ANY($2) ORDER BY created_at, handoff_id
"""

_DELIVERIES = """
    SELECT request_id, delivery_id, integration_type, status, subject, content, attempts, error_message, created_at,
        first_attempt_at, last_attempt_at, delivered_at
    FROM delivery_logs WHERE request_id = ANY($1) ORDER BY id
"""


async def exported(pool: Pool, session: asyncpg.Record) -> AsyncIterator[bytes]:
    """Yield one JSON document: the session, and its requests in order with answers, tool calls and deliveries."""
    usage = await pool.fetchrow(_MODEL_USAGE, session["session_id"])
    yield b'{"session":' + dumped(session, model_usage=dict(usage) if usage else None) + b',"requests":'
    async for piece in listed(_requests(pool, session["session_id"])):
        yield piece
    yield b"}"


async def listed(documents: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """Yield the JSON list of these documents."""
    opening = b"["
    async for document in documents:
        yield opening + document
        opening = b","
    yield b"[]" if opening == b"[" else b"]"


def dumped(row: asyncpg.Record, **more: Any) -> bytes:
    """Return a row as JSON; what it holds in JSON already is passed on as it is."""
    return orjson.dumps({**_with_documents(row), **more})


async def _requests(pool: Pool, session_id: str) -> AsyncIterator[bytes]:
    sequence = -1
    while rows := await pool.fetch(_REQUESTS, session_id, sequence, _PIECE):
        request_ids = [row["request_id"] for row in rows]
        calls = _by_request(await pool.fetch(_TOOL_CALLS, session_id, request_ids))
        approvals = _by_request(await pool.fetch(_APPROVALS, session_id, request_ids))
        handoffs = _by_request(await pool.fetch(_HANDOFFS, session_id, request_ids))
        deliveries = _by_request(await pool.fetch(_DELIVERIES, request_ids))
        for row in rows:
            request_id = row["request_id"]
            yield dumped(
                row,
                tool_calls=calls.get(request_id, ()),
                approvals=approvals.get(request_id, ()),
                handoffs=handoffs.get(request_id, ()),
                deliveries=deliveries.get(request_id, ()),
            )
        sequence = rows[-1]["sequence"]


def _by_request(rows: Iterable[asyncpg.Record]) -> Mapping[str, Sequence[Mapping[str, Any]]]:
    grouped: dict[str, list[Mapping[str, Any]]] = {}
    for row in rows:
        document = _with_documents(row)
        grouped.setdefault(document.pop("request_id"), []).append(document)
    return grouped


def _with_documents(row: asyncpg.Record) -> dict[str, Any]:
    return {
        name: orjson.Fragment(value) if name in _DOCUMENTS and value is not None else value
        for name, value in row.items()
    }
