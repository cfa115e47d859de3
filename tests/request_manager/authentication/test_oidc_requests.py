"""Requests go on being answered while the identity provider changes its keys."""

import asyncio
import json

import pytest

from self_service_agent.kit.http.client import Client
from self_service_agent.kit.http.egress import EgressPolicy
from tests.acceptance.conftest import houses  # noqa: F401  # a fixture
from tests.request_manager.authentication.oidc import API, running_provider
from tests.request_manager.authentication.test_oidc import a_job_token, kid_of

ROTATIONS, CALLERS, PAUSE_SECONDS = 2, 4, 11  # an unknown key is looked for at most every ten seconds


@pytest.fixture
def provider(monkeypatch):
    with running_provider() as provider:
        issuer = {
            "issuer": provider.issuer,
            "audience": ["web", API],
            "algorithms": ["RS256"],
            "jwks_uri": f"{provider.issuer}/keys",
        }
        monkeypatch.setenv("JWT_ENABLED", "true")
        monkeypatch.setenv("JWT_ISSUERS", json.dumps([issuer]))
        yield provider


async def test_no_request_fails_while_the_provider_changes_its_keys(provider, houses):  # noqa: F811  # the fixture
    house = await houses()
    answered = []

    async def ask_for_ever(http):
        while True:
            token = await a_job_token(http, provider)
            answer = await house.client.post(
                "/api/v1/requests/web",
                json={"user_id": "job", "content": "hello"},
                headers={"authorization": f"Bearer {token}"},
            )
            answered.append((answer.status_code, kid_of(token)))

    async with (
        Client.open(policy=EgressPolicy(allow_loopback=True), user_agent="ssa-test/1") as http,
        asyncio.timeout(60),
        asyncio.TaskGroup() as tasks,
    ):
        asking = [tasks.create_task(ask_for_ever(http)) for _ in range(CALLERS)]
        for _ in range(ROTATIONS):
            kid = await asyncio.to_thread(provider.rotate)
            while sum(seen == kid for _, seen in answered) < 20:
                await asyncio.sleep(0.02)  # the callers say nothing by themselves
            await asyncio.sleep(PAUSE_SECONDS)
        for task in asking:
            task.cancel()

    assert {status for status, _ in answered} == {200}
    assert len({kid for _, kid in answered}) >= ROTATIONS
