"""The ledger of tool calls that change the world: the intent before the call, the outcome after it."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import orjson
from asyncpg import Record

from self_service_agent.kit.database import Pool


class CallState(StrEnum):
    """Where a call stands. INTENDED and IN_DOUBT may or may not have happened; the others are known.

    UNSENT never left; REFUSED was turned down by the target.
    """

    INTENDED = "intended"
    UNSENT = "unsent"
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
    """What the ledger knows of a call: None for one that was never tried."""

    state: CallState | None
    result: dict[str, Any] | None

    @property
    def is_open(self) -> bool:
        """Whether the call may have happened."""
        return self.state in {CallState.INTENDED, CallState.IN_DOUBT}


_KNOWN = "SELECT state, result FROM tool_calls WHERE key = $1"

_NOTE = """
    INSERT INTO tool_calls (key, session_id, request_id, user_id, tool, arguments, state)
    VALUES ($1, $2, $3, $4, $5, $6, 'intended') ON CONFLICT (key) DO NOTHING RETURNING key
"""

# Whoever comes second waits for the row, and sees what the first one made of it.
_NOTE_AGAIN = """
    WITH before AS (SELECT key, state, result FROM tool_calls WHERE key = $1 FOR UPDATE)
    UPDATE tool_calls SET attempts = tool_calls.attempts + 1, updated_at = now(),
        state = CASE WHEN before.state IN ('refused', 'unsent') THEN 'intended' ELSE before.state END
    FROM before WHERE tool_calls.key = $1 RETURNING before.state, before.result
"""

# What is confirmed stays so, whatever another attempt heard.
_SETTLE = """
    UPDATE tool_calls SET state = $2, result = $3, error = $4, updated_at = now()
    WHERE key = $1 AND state <> 'confirmed' RETURNING key
"""


async def known(pool: Pool, key: str) -> Recorded:
    """Return what is known of the call with this key."""
    return _recorded(await pool.fetchrow(_KNOWN, key))


async def intend(pool: Pool, intent: Intent) -> Recorded:
    """Note the intent durably and return what was known of this call before."""
    arguments = orjson.dumps(intent.arguments).decode()
    noted = await pool.fetchval(
        _NOTE, intent.key, intent.session_id, intent.request_id, intent.user_id, intent.tool, arguments
    )
    if noted is not None:
        return Recorded(state=None, result=None)
    return _recorded(await pool.fetchrow(_NOTE_AGAIN, intent.key))


async def settle(
    pool: Pool, key: str, state: CallState, *, result: Mapping[str, Any] | None = None, error: str | None = None
) -> bool:
    """Note the outcome of a call; False if another attempt has confirmed it already."""
    stored = None if result is None else orjson.dumps(result).decode()
    return await pool.fetchval(_SETTLE, key, state, stored, error) is not None


def _recorded(row: Record | None) -> Recorded:
    if row is None:
        return Recorded(state=None, result=None)
    return Recorded(state=CallState(row["state"]), result=orjson.loads(row["result"]) if row["result"] else None)
