"""Reading the audit log."""

from dataclasses import dataclass
from datetime import datetime

import asyncpg

from self_service_agent.kit.database import Pool
from self_service_agent.shared_models.audit.entries import Outcome

_MATCHING = "SELECT * FROM audit_log WHERE {where} ORDER BY at DESC, id DESC LIMIT $1"

# Only the conditions that are asked for become part of the statement: with all of them in it, as `$1 IS NULL OR …`,
# a plan that is made once could use no index for any.
_CONDITIONS = {
    "actor": "actor = ${}",
    "action": "action = ${}",
    "outcome": "outcome = ${}",
    "since": "at >= ${}",
    "until": "at < ${}",
}


@dataclass(frozen=True, kw_only=True)
class Search:
    """Which entries are looked for; None does not matter."""

    actor: str | None = None
    action: str | None = None
    outcome: Outcome | None = None
    since: datetime | None = None
    until: datetime | None = None


async def matching(
    pool: Pool, search: Search, *, after: tuple[datetime, str] | None, limit: int
) -> list[asyncpg.Record]:
    """Return entries, newest first, from the one that follows `after`, its time and its id."""
    arguments = [(name, value) for name, value in vars(search).items() if value is not None]
    conditions = [_CONDITIONS[name].format(number) for number, (name, _) in enumerate(arguments, start=2)]
    values: list[object] = [value for _, value in arguments]
    if after is not None:
        conditions.append(f"(at, id) < (${len(values) + 2}, ${len(values) + 3})")
        values += after
    where = " AND ".join(["true", *conditions])
    return await pool.fetch(_MATCHING.format(where=where), limit, *values)
