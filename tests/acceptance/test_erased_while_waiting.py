"""Who waits for an answer while its person is erased is told so at once, wherever they wait."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from tests.acceptance.house import as_person, eventually

ALICE = "alice.johnson"
PROMPT = 4  # seconds, less than any sweep
LONG = {"agent_timeout": 60}


@pytest.fixture
async def pair(houses):
    """Return two replicas whose callers wait for a minute; only the second has agents, and it erases at once."""
    door, agents = await houses(agents=False, request_manager=LONG), await houses(request_manager=LONG)
    state = agents.app.state
    state.personal_data = replace(state.personal_data, patience=timedelta(0))
    return door, agents


async def erase(house, user=ALICE):
    return await house.client.delete(f"/api/v1/users/{user}/data", headers=as_person(user))


async def test_a_waiting_caller_hears_it_at_once_here_and_elsewhere(pair):
    door, agents = pair
    gate = agents.taker.hold("slow")
    asked = [asyncio.ensure_future(house.ask("slow")) for house in pair]
    other = asyncio.ensure_future(door.ask("slow", user="john.doe"))
    await eventually(lambda: agents.value("SELECT count(*) = 3 FROM turns"))

    assert (await erase(agents)).status_code == 200
    answers = await asyncio.wait_for(asyncio.gather(*asked), PROMPT)
    gate.set()

    assert [answer.status_code for answer in answers] == [410, 410]
    assert answers[0].json()["detail"] == "The request was erased."
    assert (await other).json()["response"]["content"] == "echo: slow"


@pytest.mark.parametrize(
    ("path", "said"),
    [
        pytest.param("/api/v1/requests/web", "event: error", id="ours"),
        pytest.param("/v1/chat/completions", "The request was erased.", id="OpenAI's"),
    ],
)
async def test_a_stream_says_so_and_ends(pair, path, said):
    _, agents = pair
    gate = agents.taker.hold("slow")
    await published(agents)
    body = {"user_id": ALICE, "content": "slow", "model": "echo", "stream": True} | {
        "messages": [{"role": "user", "content": "slow"}]
    }
    headers = as_person(ALICE) | {"accept": "text/event-stream"}
    asked = asyncio.ensure_future(agents.client.post(path, json=body, headers=headers))
    await agents.taker.begun["slow"].wait()

    await erase(agents)
    answer = await asyncio.wait_for(asked, PROMPT)
    gate.set()

    assert answer.status_code == 200
    assert said in answer.text


async def published(house):
    await house.rows(
        "INSERT INTO agent_definitions (digest, agent_id, version, body, published_at)"
        " VALUES ('d', 'echo', '1', '{}', now())"
    )


async def test_who_looks_from_outside_is_told_at_once(pair):
    door, agents = pair
    gate = agents.taker.hold("slow")
    address = (await door.ask("slow", query="?async=1")).json()["status_url"].removesuffix("/status")
    looking = [asyncio.ensure_future(door.get(f"{address}/{path}")) for path in ("result?wait=60", "events")]
    await eventually(lambda: is_followed(door))

    await erase(agents)
    answers = await asyncio.wait_for(asyncio.gather(*looking), PROMPT)
    gate.set()

    assert [answer.status_code for answer in answers] == [404, 200]
    assert "event: final" not in answers[1].text


async def is_followed(house):
    queues = house.app.state.request_manager.followers._queues  # noqa: SLF001  # nothing outside shows that somebody waits
    return sum(map(len, queues.values())) >= 2
