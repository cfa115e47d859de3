"""How a caller shows who it is."""

import pytest

from self_service_agent.shared_clients import ToolKey, Unauthenticated

from .answers import ANSWERED, problem, streamed
from .talking import talking

REFUSED = problem(401, "this token has expired")


class Tokens:
    """Hands out tokens one after the other, and the last one for ever."""

    def __init__(self, *tokens):
        self._tokens = list(tokens)

    def __call__(self):
        return self._tokens.pop(0) if len(self._tokens) > 1 else self._tokens[0]

    async def fetch(self):
        return self()


def shown(server):
    return [each.headers.get("Authorization") for each in server.received]


@pytest.mark.parametrize(
    ("auth", "header", "value"),
    [
        pytest.param("web-test-user", "Authorization", "Bearer web-test-user", id="a key"),
        pytest.param("a.b.c", "Authorization", "Bearer a.b.c", id="a token"),
        pytest.param(ToolKey("your-tool-api-key"), "x-api-key", "your-tool-api-key", id="the key of a tool"),
        pytest.param(Tokens("fresh"), "Authorization", "Bearer fresh", id="a source of tokens"),
        pytest.param(Tokens("fresh").fetch, "Authorization", "Bearer fresh", id="one that waits"),
    ],
)
async def test_every_kind_of_credential_is_shown(auth, header, value):
    async with talking(ANSWERED, auth=auth) as (server, client):
        await client.send_request("hello")

    assert server.received[0].headers[header] == value


async def test_nothing_is_shown_unless_given():
    async with talking(ANSWERED, auth=None) as (server, client):
        await client.send_request("hello")

    assert not {"Authorization", "x-api-key"} & set(server.received[0].headers)


async def test_a_fresh_token_is_shown_each_time():
    async with talking(ANSWERED, streamed(("final", ANSWERED.body.decode())), auth=Tokens("1", "2")) as (
        server,
        client,
    ):
        await client.send_request("hello")
        [event async for event in client.stream("hello")]

    assert shown(server) == ["Bearer 1", "Bearer 2"]


async def test_a_token_that_has_expired_is_replaced_once():
    async with talking(REFUSED, ANSWERED, auth=Tokens("old", "new")) as (server, client):
        await client.send_request("hello")

    assert shown(server) == ["Bearer old", "Bearer new"]


async def test_a_token_that_stays_the_same_is_refused_for_good():
    async with talking(REFUSED, auth=Tokens("old")) as (server, client):
        with pytest.raises(Unauthenticated):
            await client.send_request("hello")

    assert len(server.received) == 1


def test_a_key_is_not_printed():
    assert "secret" not in repr(ToolKey("secret"))
