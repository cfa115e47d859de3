"""How many requests a caller has made, as they are stored."""

from datetime import datetime, timedelta
from enum import Enum
from typing import NamedTuple

from self_service_agent.kit.database import Pool

# A request is stored within moments of its `created_at`, so that what is older than this is all there.
_SETTLING = timedelta(seconds=10)

_COUNT = """
    SELECT count(*) FILTER (WHERE created_at < now() - $3::interval) AS settled,
        count(*) FILTER (WHERE created_at >= now() - $3::interval) AS recent, now() - $3::interval AS settled_until
    FROM request_logs WHERE created_at >= $2 AND {condition}
"""


class Kind(Enum):
    """Whose requests: those that a person made, or those that a tool made for persons."""

    # The condition on request_id is always true: with it the requests are read in the order of their time.
    TOOL = "request_id <> '' AND normalized_request #>> '{integration_context,tool_id}' = $1"
    PERSON = "user_id = $1 AND normalized_request #> '{integration_context,tool_id}' IS NULL"


class Count(NamedTuple):
    """`settled` requests were made before `settled_until`, and that stays so; `recent` ones after it."""

    settled: int
    recent: int
    settled_until: datetime


def statement(kind: Kind) -> str:
    """Return the statement that counts: its parameters are the caller, since when, and how long settling takes."""
    return _COUNT.format(condition=kind.value)


async def count(pool: Pool, kind: Kind, caller: str, *, since: datetime) -> Count:
    """Count the requests of a caller since some moment."""
    (row,) = await pool.fetch(statement(kind), caller, since, _SETTLING)
    return Count(row["settled"], row["recent"], max(since, row["settled_until"]))
