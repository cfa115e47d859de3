"""Only what Slack signed is from Slack, and a signed request counts once."""

import json
import time

import pytest

from tests.acceptance.house import eventually
from tests.acceptance.test_bad_input import assert_is_a_problem
from tests.acceptance.test_sessions import signed

BODY = json.dumps(
    {"user_id": "alice.johnson", "content": "hello", "slack_user_id": "U1", "slack_team_id": "T1", "thread_id": "1.1"}
).encode()


async def post(house, headers, body=BODY):
    return await house.client.post("/api/v1/requests/slack", content=body, headers=headers)


async def test_a_slack_request_is_accepted_and_answered_on_slack(house):
    answer = await post(house, signed(BODY))
    channels = await eventually(
        lambda: house.value("SELECT data ->> 'channels' FROM event_inbox WHERE consumer = 'integration-dispatcher'")
    )

    assert answer.status_code == 202
    assert json.loads(channels) == ["SLACK"]


async def test_a_replayed_request_starts_nothing_new(house):
    headers = signed(BODY)

    answers = [await post(house, headers) for _ in range(3)]

    assert {answer.status_code for answer in answers} == {202}
    assert await house.value("SELECT count(*) FROM request_logs") == 1


async def test_what_is_not_signed_does_not_make_it_another_request(house):
    headers = signed(BODY)

    answers = [await post(house, headers | {"idempotency-key": key}) for key in ("a", "b")]

    assert len({answer.json()["request_id"] for answer in answers}) == 1


@pytest.mark.parametrize(
    "headers",
    [
        pytest.param(lambda: signed(BODY + b" "), id="another body"),
        pytest.param(lambda: signed(BODY, at=int(time.time()) - 301), id="five minutes old"),
        pytest.param(lambda: signed(BODY, at=int(time.time()) + 302), id="five minutes ahead"),
        pytest.param(
            lambda: signed(BODY, at=int(time.time()) - 600) | {"x-slack-request-timestamp": str(int(time.time()))},
            id="an old one with a new time",
        ),
        pytest.param(lambda: signed(BODY) | {"x-slack-signature": ""}, id="an empty signature"),
        pytest.param(lambda: {"x-slack-request-timestamp": str(int(time.time()))}, id="no signature"),
        pytest.param(lambda: {"x-slack-signature": signed(BODY)["x-slack-signature"]}, id="no time"),
    ],
)
async def test_a_wrong_signature_is_refused(house, headers):
    assert_is_a_problem(await post(house, headers()), 401)
    assert await house.value("SELECT count(*) FROM request_logs") == 0


async def test_without_a_signing_secret_nothing_is_from_slack(houses):
    house = await houses(request_manager={"slack_signing_secret": None})

    assert_is_a_problem(await post(house, signed(BODY)), 401)
