"""Deliveries to real receivers and mail servers that fail and come back."""

from contextlib import asynccontextmanager
from datetime import timedelta

import pytest
from pydantic import SecretStr

from self_service_agent.channels import email, webhook
from self_service_agent.channels.email.config import EmailSettings
from self_service_agent.channels.webhook.config import WebhookSettings
from self_service_agent.doubles.mailbox import Mailbox
from self_service_agent.doubles.receiver import Answer, Fault, Receiver
from self_service_agent.integration_dispatcher.channels import OpenChannel
from self_service_agent.integration_dispatcher.deliveries.worker import DeliveryWorkers
from self_service_agent.kit.http.client import Client
from self_service_agent.kit.http.egress import EgressPolicy
from self_service_agent.kit.notifications import Notifier
from tests.integration_dispatcher.builders import (
    EMAIL,
    WEBHOOK,
    a_planning,
    an_answer,
    delivery_id_of,
    hand_over,
    override,
    some_settings,
)
from tests.integration_dispatcher.stored import outcomes, until


@pytest.fixture
async def client():
    async with Client.open(policy=EgressPolicy(allow_loopback=True), user_agent="test") as client:
        yield client


@asynccontextmanager
async def dispatching(pool, manifest, *, settings, client):
    """Yield a function that hands an answer over to a running dispatcher with this one channel."""
    notifier = Notifier()
    async with manifest.open(settings, client) as channel:
        planning = a_planning(OpenChannel(manifest=manifest, channel=channel, repeatable=True))
        async with DeliveryWorkers(pool, notifier, planning, settings=some_settings()).running():
            yield lambda answer: hand_over(pool, planning, [answer], notifier=notifier)


async def test_a_receiver_that_fails_twice_gets_the_answer_after_the_configured_delays(pool, client):
    answer = an_answer(WEBHOOK)
    async with Receiver.open() as receiver:
        receiver.script(503, Answer(status=429, headers={"Retry-After": "1"}))
        await override(pool, WEBHOOK, enabled=True, retry_count=2, retry_delay_seconds=1, config={"url": receiver.url})
        async with dispatching(pool, webhook.MANIFEST, settings=WebhookSettings(), client=client) as deliver:
            await deliver(answer)
            first, second, third = await receiver.wait_for(3)
            row = await until(pool, delivery_id_of(answer, WEBHOOK), "DELIVERED")

    gaps = [(second.arrived_at - first.arrived_at), (third.arrived_at - second.arrived_at)]
    assert timedelta(seconds=1) <= gaps[0] < timedelta(seconds=1.5)
    assert timedelta(seconds=2) <= gaps[1] < timedelta(seconds=2.7)
    assert await outcomes(pool, row["delivery_id"]) == [(1, "transient"), (2, "transient"), (3, "delivered")]


async def test_a_lost_answer_is_repeated_under_the_same_webhook_id(pool, client):
    answer = an_answer(WEBHOOK)
    async with Receiver.open() as receiver:
        receiver.script(Fault.CLOSE)
        secret = {"url": receiver.url, "secret": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"}
        await override(pool, WEBHOOK, enabled=True, retry_delay_seconds=0, config=secret)
        async with dispatching(pool, webhook.MANIFEST, settings=WebhookSettings(), client=client) as deliver:
            await deliver(answer)
            requests = await receiver.wait_for(2)
            await until(pool, delivery_id_of(answer, WEBHOOK), "DELIVERED")

    assert [each.headers["webhook-id"] for each in requests] == [delivery_id_of(answer, WEBHOOK)] * 2


async def test_a_mail_server_that_is_down_and_comes_back_loses_nothing(pool, client):
    answers = [an_answer(EMAIL, session_id=str(number), content=f"answer {number}") for number in range(3)]
    async with Mailbox.open() as mailbox:
        await mailbox.stop()
        settings = EmailSettings(
            smtp_host=mailbox.host, smtp_port=mailbox.port, smtp_use_tls=False, from_email="desk@company.com",
            smtp_password=SecretStr(""),
        )  # fmt: skip
        await override(pool, EMAIL, retry_delay_seconds=1, config={"email_address": "alice@company.com"})
        async with dispatching(pool, email.MANIFEST, settings=settings, client=client) as deliver:
            for answer in answers:
                await deliver(answer)
                await until(pool, delivery_id_of(answer, EMAIL), "RETRYING")
            await mailbox.start()
            mails = await mailbox.wait_for(3)
            for answer in answers:
                await until(pool, delivery_id_of(answer, EMAIL), "DELIVERED")

    assert len({mail.headers["Message-ID"] for mail in mails}) == 3
    assert all(mail.recipients == ("alice@company.com",) for mail in mails)
