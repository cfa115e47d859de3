"""The ledger of tool calls that change the world: the intent before the call, the outcome after it."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import orjson

from self_service_agent.kit.database import Pool


class CallState(StrEnum):
    """Where a call stands. INTENDED and IN_DOUBT may or may not have happened; the others are known."""

    INTENDED = "intended"
    CONFIRMED = "confirmed"
    REFUSED = "refused"
    IN_DOUBT = "in_doubt"


@dataclass(frozen=True, slots=True, kw_only=True)
class Intent:
    """A call about to be made; the key is the same for every repetition of the same decision."""

    key: str
    session_id: str
    request_id: str
    user_id: str
    tool: str
    arguments: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """What the ledger knew before this attempt: None for a call that was never tried."""

    state: CallState | None
    result: dict[str, Any] | None


_INTEND = """
    WITH known AS (SELECT state, result FROM tool_calls WHERE key = $1),
    noted AS (
        INSERT INTO tool_calls (key, session_id, request_id, user_id, tool, arguments, state)
        VALUES ($1, $2, $3, $4, $5, $6, 'intended')
        ON CONFLICT (key) DO UPDATE SET attempts = tool_calls.attempts + 1, updated_at = now(),
            state = CASE WHEN tool_calls.state = 'refused' THEN 'intended' ELSE tool_calls.state END
        WHERE tool_calls.state <> 'confirmed'
    )
    SELECT state, result FROM known
"""

_SETTLE = "UPDATE tool_calls SET state = $2, result = $3, error = $4, updated_at = now() WHERE key = $1"


async def intend(pool: Pool, intent: Intent) -> Recorded:
    """Note the intent durably and return what was known of this call before."""
    row = await pool.fetchrow(
        _INTEND,
        intent.key,
        intent.session_id,
        intent.request_id,
        intent.user_id,
        intent.tool,
        orjson.dumps(intent.arguments).decode(),
    )
    if row is None:
        return Recorded(state=None, result=None)
    return Recorded(state=CallState(row["state"]), result=orjson.loads(row["result"]) if row["result"] else None)


async def settle(
    pool: Pool, key: str, state: CallState, *, result: Mapping[str, Any] | None = None, error: str | None = None
) -> None:
    """Note the outcome of a call."""
    await pool.execute(_SETTLE, key, state, None if result is None else orjson.dumps(result).decode(), error)
