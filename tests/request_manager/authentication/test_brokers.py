"""A broker comes in with a token of its cluster, and nobody else does."""

import json

import pytest

from tests.acceptance.conftest import houses  # noqa: F401  # a fixture
from tests.request_manager.authentication.signing import AUDIENCE, ISSUER, a_token, claims, header, rs256, rsa_jwk
from tests.request_manager.authentication.signing import OTHER_RSA as SOMEBODYS

BROKER = "system:serviceaccount:eventing:broker"
EVENT = {
    "ce-specversion": "1.0",
    "ce-id": "e-1",
    "ce-source": "elsewhere",
    "ce-type": "com.example.nothing-of-ours",
    "content-type": "application/json",
}


@pytest.fixture
async def house(houses, monkeypatch):  # noqa: F811  # the fixture
    issuer = {"issuer": ISSUER, "audience": AUDIENCE, "algorithms": ["RS256"], "jwks": {"keys": [rsa_jwk()]}}
    monkeypatch.setenv("EVENT_SINK_ISSUERS", json.dumps([issuer]))
    monkeypatch.setenv("EVENT_SINK_SUBJECTS", json.dumps([BROKER]))
    return await houses(sink=True)


@pytest.mark.parametrize(
    ("token", "status"),
    [
        pytest.param(a_token(header(typ=None), claims(sub=BROKER)), 202, id="the broker"),
        pytest.param(a_token(payload=claims(sub="system:serviceaccount:default:pod")), 401, id="another account"),
        pytest.param(a_token(payload=claims(sub=BROKER, aud="another-sink")), 401, id="for another sink"),
        pytest.param(a_token(payload=claims(sub=BROKER), sign=rs256(SOMEBODYS)), 401, id="signed by somebody else"),
        pytest.param("", 401, id="nothing"),
    ],
)
async def test_events_are_taken_from_the_broker_alone(house, token, status):
    answer = await house.client.post(
        "/api/v1/events/cloudevents", content=b"{}", headers=EVENT | {"authorization": f"Bearer {token}".strip()}
    )

    assert answer.status_code == status


async def test_a_brokers_token_opens_no_other_door(house):
    answer = await house.client.post(
        "/api/v1/requests/web",
        json={"user_id": BROKER, "content": "hello"},
        headers={"authorization": f"Bearer {a_token(payload=claims(sub=BROKER))}"},
    )

    assert answer.status_code == 401
