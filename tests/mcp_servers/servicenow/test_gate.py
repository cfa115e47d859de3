from datetime import timedelta

import httpx2
import pytest
from pydantic import SecretStr

from self_service_agent.kit import clock
from self_service_agent.kit.service_tokens import ServiceTokens
from self_service_agent.mcp_servers.servicenow.app import create_app
from tests.mcp_servers.servicenow.house import ALICE, TOKENS, settings_for

STRANGER = ServiceTokens(SecretStr("a secret that is not ours, but long enough"))


def bearer(tokens=TOKENS, *, audience="mcp-servicenow", age=timedelta()):
    token = tokens.issue(service="agent-service", audience=audience, subject=ALICE, now=clock.now() - age)
    return {"Authorization": f"Bearer {token}"}


def a_client():
    app = create_app(settings_for("http://127.0.0.1:9"))
    return httpx2.AsyncClient(transport=httpx2.ASGITransport(app), base_url="http://tools")


@pytest.mark.parametrize(
    "headers",
    [
        pytest.param({}, id="no credential"),
        pytest.param({"AUTHORITATIVE_USER_ID": ALICE, "SERVICE_NOW_TOKEN": "x"}, id="a bare header"),
        pytest.param({"Authorization": "Bearer junk"}, id="junk"),
        pytest.param({"Authorization": bearer()["Authorization"].replace("Bearer", "Basic")}, id="another scheme"),
        pytest.param(bearer(STRANGER), id="another secret"),
        pytest.param(bearer(audience="request-manager"), id="another audience"),
        pytest.param(bearer(age=timedelta(minutes=2)), id="expired"),
    ],
)
@pytest.mark.parametrize("path", ["/mcp", "/", "/anything"])
async def test_without_a_good_credential_nothing_is_reached(headers, path):
    async with a_client() as client:
        answer = await client.post(path, headers=headers, json={})

    assert (answer.status_code, answer.headers["www-authenticate"]) == (401, "Bearer")


async def test_health_is_open():
    async with a_client() as client:
        answer = await client.get("/health")

    assert (answer.status_code, answer.json()["service"]) == (200, "mcp-servicenow")
