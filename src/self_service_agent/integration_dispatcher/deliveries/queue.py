"""The deliveries that are due: who works on which, and what came of it.

A claim carries a lease and a token. While it lasts, the next attempt is due when the lease ends, so a worker that
died is followed by another; whoever reports with a token that is no longer the row's is refused.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

import asyncpg
import orjson

from self_service_agent.channels.base import Person
from self_service_agent.integration_dispatcher.preferences.repository import read_override
from self_service_agent.integration_dispatcher.preferences.rules import Recipient
from self_service_agent.kit.database import Pool
from self_service_agent.kit.ids import new_id
from self_service_agent.shared_models.deliveries import DeliveryStatus
from self_service_agent.shared_models.integrations import IntegrationType

from .rules import Verdict

TOPIC: Final = "deliveries"

# The oldest open delivery of its session and channel comes first. Asked in this form, the planner looks up one index
# entry for each row; as NOT EXISTS it became a join over everything that is open.
_IS_HEAD = """
    d.id = (SELECT head.id FROM delivery_logs head WHERE head.session_id = d.session_id
        AND head.integration_type = d.integration_type AND head.status IN ('PENDING', 'RETRYING')
        ORDER BY head.id LIMIT 1)
"""
_CLAIM = f"""
    WITH due AS MATERIALIZED (
        SELECT found.* FROM unnest($1::text[], $2::int[]) AS slot (type, free) CROSS JOIN LATERAL (
            SELECT d.delivery_id, d.status AS was, d.lease_token IS NOT NULL AS taken_over FROM delivery_logs d
            WHERE d.integration_type = slot.type AND d.status IN ('PENDING', 'RETRYING')
                AND d.next_attempt_at <= now() AND {_IS_HEAD}
            ORDER BY d.next_attempt_at, d.id LIMIT slot.free FOR UPDATE SKIP LOCKED
        ) found
    ), claimed AS (
        UPDATE delivery_logs d SET attempts = d.attempts + 1, lease_token = $3, lease_until = now() + $4::interval,
            next_attempt_at = now() + $4::interval, updated_at = now()
        FROM due
        WHERE d.delivery_id = ANY(ARRAY(SELECT delivery_id FROM due)) AND d.delivery_id = due.delivery_id
        RETURNING d.*, due.was, due.taken_over
    ), cut_off AS (
        UPDATE delivery_attempts a SET outcome = 'unknown', finished_at = now(), error_message = 'cut off'
        WHERE a.delivery_id = ANY(ARRAY(SELECT delivery_id FROM due WHERE taken_over)) AND a.outcome = 'started'
    ), begun AS (
        INSERT INTO delivery_attempts (delivery_id, attempt, started_at, outcome)
        SELECT delivery_id, replayed_attempts + attempts, now(), 'started' FROM claimed
    )
    SELECT d.delivery_id, d.lease_token, d.was, d.taken_over, d.integration_type, d.request_id, d.session_id, d.user_id,
        d.agent_id, d.subject, d.content, d.integration_metadata, d.attempts, d.max_attempts,
        d.retry_delay_seconds AS planned_delay, d.expires_at, d.created_at, u.login, u.primary_email,
        c.integration_type IS NOT NULL AS overridden, c.enabled, c.priority, c.retry_count, c.retry_delay_seconds,
        c.config
    FROM claimed d
        LEFT JOIN LATERAL (SELECT * FROM users WHERE user_id = d.user_id LIMIT 1) u ON true
        LEFT JOIN LATERAL (
            SELECT * FROM user_integration_configs
            WHERE user_id = d.user_id AND integration_type = d.integration_type LIMIT 1
        ) c ON true
    ORDER BY d.id
"""  # noqa: S608  # the condition is our own
_NEXT_DUE = f"""
    SELECT min(found.next_attempt_at) - now() FROM unnest($1::text[]) AS slot (type) CROSS JOIN LATERAL (
        SELECT d.next_attempt_at FROM delivery_logs d
        WHERE d.integration_type = slot.type AND d.status IN ('PENDING', 'RETRYING') AND {_IS_HEAD}
        ORDER BY d.next_attempt_at LIMIT 1
    ) found
"""  # noqa: S608  # the condition is our own
_RECORD = """
    WITH report AS (
        SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::timestamptz[], $7::text[],
            $8::timestamptz[])
            AS r (delivery_id, lease_token, status, outcome, error, retry_at, external_id, started_at)
    ), kept AS (
        UPDATE delivery_logs d SET status = r.status, next_attempt_at = r.retry_at, lease_token = NULL,
            lease_until = NULL, external_id = r.external_id, attempts = d.attempts - (r.outcome IS NULL)::int,
            error_message = CASE r.status WHEN 'DELIVERED' THEN NULL ELSE coalesce(r.error, d.error_message) END,
            first_attempt_at = coalesce(d.first_attempt_at, r.started_at),
            last_attempt_at = coalesce(r.started_at, d.last_attempt_at),
            delivered_at = CASE r.status WHEN 'DELIVERED' THEN now() END, updated_at = now()
        FROM report r
        WHERE d.delivery_id = ANY($1) AND d.delivery_id = r.delivery_id AND d.lease_token = r.lease_token
        RETURNING d.delivery_id, d.replayed_attempts + d.attempts + (r.outcome IS NULL)::int AS attempt,
            r.lease_token, r.outcome, r.error, r.retry_at, r.started_at
    ), finished AS (
        UPDATE delivery_attempts a SET started_at = k.started_at, finished_at = now(), outcome = k.outcome,
            error_message = k.error, retry_at = k.retry_at
        FROM kept k WHERE a.delivery_id = ANY($1) AND a.delivery_id = k.delivery_id AND a.attempt = k.attempt
            AND k.outcome IS NOT NULL
    ), unmade AS (
        DELETE FROM delivery_attempts a USING kept k
        WHERE a.delivery_id = ANY($1) AND a.delivery_id = k.delivery_id AND a.attempt = k.attempt
            AND k.outcome IS NULL
    )
    SELECT delivery_id, lease_token FROM kept
"""


@dataclass(frozen=True, kw_only=True)
class ClaimedDelivery:
    """A delivery that is ours until its lease ends."""

    delivery_id: str
    lease_token: str
    status: DeliveryStatus
    taken_over: bool
    integration_type: IntegrationType
    request_id: str
    session_id: str
    recipient: Recipient
    agent_id: str | None
    subject: str | None
    content: str
    metadata: Mapping[str, Any]
    origin: Mapping[str, Any]
    attempt: int
    max_attempts: int
    retry_delay: timedelta
    expires_at: datetime | None
    created_at: datetime


@dataclass(frozen=True, kw_only=True)
class Report:
    """What came of a claimed delivery; `started_at` is None if nothing was tried."""

    delivery_id: str
    lease_token: str
    verdict: Verdict
    started_at: datetime | None


class DeliveryQueue:
    """The open rows of `delivery_logs`, shared by the workers of all processes."""

    def __init__(self, pool: Pool, *, lease: timedelta) -> None:
        self._pool = pool
        self._lease = lease

    async def claim(self, slots: Mapping[IntegrationType, int]) -> tuple[ClaimedDelivery, ...]:
        """Claim what is due, at most so many of each type; every claim counts as an attempt that has begun."""
        rows = await self._pool.fetch(_CLAIM, list(slots), list(slots.values()), new_id(), self._lease)
        return tuple(map(_claimed, rows))

    async def next_due(self, kinds: Sequence[IntegrationType]) -> timedelta | None:
        """Return how long nothing of these types will be due, or None if nothing is open."""
        wait: timedelta | None = await self._pool.fetchval(_NEXT_DUE, list(kinds))
        return wait

    async def record(self, reports: Sequence[Report]) -> list[bool]:
        """Store what came of deliveries; tells of each whether it was still ours."""
        rows = await self._pool.fetch(_RECORD, *map(list, zip(*map(_columns, reports), strict=True)))
        kept = {(row["delivery_id"], row["lease_token"]) for row in rows}
        return [(each.delivery_id, each.lease_token) in kept for each in reports]


def _columns(report: Report) -> tuple[object, ...]:
    verdict = report.verdict
    return (
        report.delivery_id, report.lease_token, verdict.status, verdict.outcome, verdict.error, verdict.retry_at,
        verdict.external_id, report.started_at if verdict.outcome else None,
    )  # fmt: skip


def _claimed(row: asyncpg.Record) -> ClaimedDelivery:
    kind = IntegrationType(row["integration_type"])
    context = orjson.loads(row["integration_metadata"])
    person = Person(user_id=row["user_id"], login=row["login"], email=row["primary_email"])
    return ClaimedDelivery(
        delivery_id=row["delivery_id"],
        lease_token=row["lease_token"],
        status=DeliveryStatus(row["was"]),
        taken_over=row["taken_over"],
        integration_type=kind,
        request_id=row["request_id"],
        session_id=row["session_id"],
        recipient=Recipient(person=person, overrides={kind: read_override(row)} if row["overridden"] else {}),
        agent_id=row["agent_id"],
        subject=row["subject"],
        content=row["content"],
        metadata=context.get("reply", {}),
        origin=context.get("origin", {}),
        attempt=row["attempts"],
        max_attempts=row["max_attempts"],
        retry_delay=timedelta(seconds=row["planned_delay"]),
        expires_at=row["expires_at"],
        created_at=row["created_at"],
    )
