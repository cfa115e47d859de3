"""Carries one claimed delivery to its channel, and says what came of it."""

import asyncio
import random
from datetime import timedelta

import structlog

from self_service_agent.channels.base import DeliveryError, Reply, TransientDeliveryError, UnknownOutcomeError
from self_service_agent.integration_dispatcher.channels import OpenChannel
from self_service_agent.kit import clock
from self_service_agent.shared_models.integrations import IntegrationConfig

from . import rules
from .approvals import with_link
from .planning import Planning
from .queue import ClaimedDelivery
from .rules import Attempt, RetryPolicy, Verdict

log = structlog.get_logger(__name__)


class Sender:
    """Makes attempts, each within `timeout`; never raises what a channel does."""

    def __init__(self, planning: Planning, *, timeout: timedelta) -> None:
        self._planning = planning
        self._timeout = timeout

    async def send(self, delivery: ClaimedDelivery) -> Verdict:
        """Make one attempt if it may still be made. The person's present configuration counts, not the planned one."""
        kind = delivery.integration_type
        considered = self._planning.consider(delivery.recipient, kind, origin=delivery.origin)
        open_channel = self._planning.opened.get(kind)
        attempt = _attempt(delivery, considered.config, open_channel)
        verdict = rules.before_sending(attempt, now=clock.now())
        if verdict is not None:
            return verdict
        if open_channel is None or considered.address is None:
            return rules.skipped(considered.reason or f"{kind} is not configured here")
        try:
            async with asyncio.timeout(self._timeout.total_seconds()):
                receipt = await open_channel.channel.deliver(self._reply(delivery), considered.address)
        except DeliveryError as error:
            return self._failed(delivery, attempt, error)
        except TimeoutError:
            return self._failed(delivery, attempt, UnknownOutcomeError(f"no answer within {self._timeout}"))
        except Exception as error:  # a channel's fault must not stop the others; it is tried again, then a dead letter
            log.exception("delivery.channel_failed", delivery_id=delivery.delivery_id, channel=kind)
            name = type(error).__name__
            return self._failed(delivery, attempt, TransientDeliveryError(f"the channel failed: {name}"))
        return rules.delivered(receipt)

    def _reply(self, delivery: ClaimedDelivery) -> Reply:
        content = with_link(
            delivery.content,
            delivery.metadata,
            user_id=delivery.recipient.person.user_id,
            links=self._planning.links,
            longest=self._planning.link_lifetime,
        )
        return _reply(delivery, content)

    def _failed(self, delivery: ClaimedDelivery, attempt: Attempt, error: DeliveryError) -> Verdict:
        jitter = random.random()  # noqa: S311  # spreads load, keeps no secret
        verdict = rules.failed(error, attempt, now=clock.now(), jitter=jitter)
        log.info(
            "delivery.attempt_failed",
            delivery_id=delivery.delivery_id,
            channel=delivery.integration_type,
            attempt=attempt.number,
            status=verdict.status,
            retry_at=verdict.retry_at,
        )
        return verdict


def _attempt(delivery: ClaimedDelivery, config: IntegrationConfig, open_channel: OpenChannel | None) -> Attempt:
    return Attempt(
        number=delivery.attempt,
        policy=RetryPolicy(
            max_attempts=delivery.max_attempts,
            delay=delivery.retry_delay,
            fixed=config.config.get("backoff") == "fixed",
        ),
        taken_over=delivery.taken_over,
        repeatable=open_channel is not None and open_channel.repeatable,
        expires_at=delivery.expires_at,
    )


def _reply(delivery: ClaimedDelivery, content: str) -> Reply:
    return Reply(
        delivery_id=delivery.delivery_id,
        request_id=delivery.request_id,
        session_id=delivery.session_id,
        person=delivery.recipient.person,
        agent_id=delivery.agent_id,
        subject=delivery.subject,
        content=content,
        metadata=delivery.metadata,
        origin=delivery.origin,
        created_at=delivery.created_at,
    )
