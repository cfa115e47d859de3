"""The sessions of a client, and the lists of both kinds."""

import json
from datetime import UTC, datetime

import pytest

from self_service_agent.doubles.receiver import Answer, Fault
from self_service_agent.shared_clients import Conflict, Gone, Unreachable
from self_service_agent.shared_clients.listing import RequestListed, RequestPage, Session, SessionPage

from .answers import problem
from .talking import talking

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
SESSION = Session(
    session_id="s1", user_id="u1", name=None, integration_type="WEB", status="ACTIVE", channel_id=None,
    thread_id=None, current_agent_id="routing-agent", total_requests=1, last_request_at=NOON, expires_at=NOON,
    created_at=NOON,
)  # fmt: skip
REQUEST = RequestListed(
    request_id="r1", session_id="s1", user_id="u1", status="completed", integration_type="WEB", request_type="message",
    content="hello", response_content="Hello there.", agent_id="routing-agent", created_at=NOON, completed_at=NOON,
)  # fmt: skip


def said(model):
    return Answer(body=model.model_dump_json().encode())


async def test_sessions_are_listed_by_what_the_filters_name():
    page = SessionPage(sessions=(SESSION,), next_cursor="next")
    async with talking(said(page)) as (server, client):
        listed = await client.sessions.list(status="ACTIVE", created_since=NOON, limit=5, cursor="this")

    (received,) = server.received
    assert listed == page
    assert (received.method, received.path) == (
        "GET", "/api/v1/sessions?status=ACTIVE&created_since=2026-11-21T12%3A00%3A00Z&limit=5&cursor=this",
    )  # fmt: skip


async def test_requests_are_listed_by_what_the_filters_name():
    page = RequestPage(requests=(REQUEST,), next_cursor=None)
    async with talking(Fault.CLOSE, said(page)) as (server, client):
        listed = await client.list_requests(session_id="s1", status=["completed", "failed"])

    assert listed == page
    assert {each.path for each in server.received} == {"/api/v1/requests?session_id=s1&status=completed&status=failed"}


async def test_a_session_is_closed_and_resumed():
    async with talking(said(SESSION), said(SESSION)) as (server, client):
        assert await client.sessions.close("s1") == SESSION
        assert await client.sessions.resume("s1", "SLACK", channel_id="C1", thread_id="1.2") == SESSION

    closed, resumed = server.received
    assert (closed.method, closed.path) == ("POST", "/api/v1/sessions/s1/close")
    assert (resumed.method, resumed.path) == ("POST", "/api/v1/sessions/s1/resume")
    assert json.loads(resumed.body) == {"integration_type": "SLACK", "channel_id": "C1", "thread_id": "1.2"}


@pytest.mark.parametrize(
    ("trouble", "kind"),
    [(problem(409, "another one is active"), Conflict), (problem(410, "expired"), Gone), (Fault.CLOSE, Unreachable)],
    ids=["taken", "expired", "a lost line"],
)
async def test_a_resume_that_failed_is_not_repeated(trouble, kind):
    async with talking(trouble) as (server, client):
        with pytest.raises(kind):
            await client.sessions.resume("s1", "SLACK")

    assert len(server.received) == 1
