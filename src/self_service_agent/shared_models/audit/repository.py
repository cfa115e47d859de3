"""How the audit log is written."""

from collections.abc import Sequence

import orjson

from self_service_agent.kit.database import Executor

from .entries import AuditLine

# A refusal that goes on is written again under its id, with the count it has reached.
_STORE = """
    INSERT INTO audit_log (id, at, actor, actor_kind, action, target, outcome, reason, address, correlation_id,
        details, occurrences)
    SELECT * FROM unnest($1::text[], $2::timestamptz[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[],
        $8::text[], $9::text[], $10::text[], $11::jsonb[], $12::int[])
    ON CONFLICT (id) DO UPDATE SET occurrences = excluded.occurrences
"""


async def store(executor: Executor, lines: Sequence[AuditLine]) -> None:
    """Write lines, or the new counts of lines that are there."""
    await executor.execute(_STORE, *map(list, zip(*map(_columns, lines), strict=True)))


def _columns(line: AuditLine) -> tuple[object, ...]:
    entry = line.entry
    return (
        line.id, line.at, entry.actor, entry.actor_kind, entry.action, entry.target, entry.outcome, entry.reason,
        entry.address, entry.correlation_id, orjson.dumps(entry.details).decode(), line.occurrences,
    )  # fmt: skip
