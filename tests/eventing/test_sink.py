"""The door for events from outside: closed without a credential, strict, and durable before it says yes."""

from collections.abc import AsyncIterator

import httpx2
import pytest
from pydantic import SecretStr

from self_service_agent.eventing.platform import platform_of, platform_service
from self_service_agent.eventing.sink import AUDIENCE, event_sink
from self_service_agent.kit import clock
from self_service_agent.kit.database import Address, DatabaseSettings
from self_service_agent.kit.health import health_service
from self_service_agent.kit.service import create_app
from self_service_agent.kit.service_tokens import ServiceTokens
from self_service_agent.shared_models.events import REQUEST_CREATED

PATH = "/api/v1/events/cloudevents"
TOKENS = ServiceTokens(SecretStr("a secret of at least thirty-two bytes"))
EVENT = {"ce-specversion": "1.0", "ce-id": "e-1", "ce-source": "elsewhere", "content-type": "application/json"}


@pytest.fixture
async def app(database: Address, tmp_path):
    settings = DatabaseSettings(postgres_host=database.host, postgres_port=database.port, postgres_db=database.database)
    describe, _ = health_service("test", "0")
    app = create_app("test", "0", [describe, platform_service(settings, tmp_path), event_sink(TOKENS)])
    async with app.router.lifespan_context(app):
        yield app


@pytest.fixture
async def client(app) -> AsyncIterator[httpx2.AsyncClient]:
    token = TOKENS.issue(service="agent-service", audience=AUDIENCE, now=clock.now())
    headers = {"authorization": f"Bearer {token}"}
    transport = httpx2.ASGITransport(app=app)
    async with httpx2.AsyncClient(transport=transport, base_url="http://here", headers=headers) as client:
        yield client


async def stored(app) -> list[str]:
    rows = await platform_of(app).pools.durable.fetch("SELECT event_id FROM event_inbox ORDER BY id")
    return [row["event_id"] for row in rows]


async def test_an_event_is_stored_once_however_often_it_comes(app, client):
    headers = EVENT | {"ce-type": REQUEST_CREATED, "ce-partitionkey": "session-1"}

    answers = [await client.post(PATH, headers=headers, content=b'{"request_id": "r"}') for _ in range(2)]

    assert [(answer.status_code, answer.content) for answer in answers] == [(202, b""), (202, b"")]
    assert await stored(app) == ["e-1"]


async def test_a_batch_is_stored_whole_or_not_at_all(app, client):
    one = {"specversion": "1.0", "id": "b-1", "source": "s", "type": REQUEST_CREATED, "data": {}}
    headers = {"content-type": "application/cloudevents-batch+json"}

    bad = await client.post(PATH, headers=headers, json=[one, one | {"id": ""}])
    good = await client.post(PATH, headers=headers, json=[one, one | {"id": "b-2"}])

    assert (bad.status_code, good.status_code) == (400, 202)
    assert await stored(app) == ["b-1", "b-2"]


@pytest.mark.parametrize(
    ("headers", "content", "status"),
    [
        pytest.param(EVENT | {"ce-type": "com.example.other"}, b"not json", 202, id="of no interest here"),
        pytest.param(EVENT | {"ce-type": REQUEST_CREATED}, b"not json", 400, id="data that is not JSON"),
        pytest.param(EVENT, b"{}", 400, id="no type"),
        pytest.param({"content-type": "application/cloudevents+xml"}, b"<e/>", 415, id="an unknown format"),
        pytest.param(EVENT | {"ce-type": REQUEST_CREATED, "authorization": "Bearer x"}, b"{}", 401, id="no credential"),
    ],
)
async def test_what_cannot_be_handled_is_refused_and_leaves_nothing(app, client, headers, content, status):
    answer = await client.post(PATH, headers=headers, content=content)

    assert answer.status_code == status
    assert await stored(app) == []
