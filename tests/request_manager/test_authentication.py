"""Who a caller is, judged by the credential and by nothing else."""

import pytest
from pydantic import SecretStr

from self_service_agent.request_manager.authentication.rules import (
    Principal,
    Role,
    Unauthenticated,
    bearer_of,
    people_keys,
    tool_keys,
)

PEOPLE = people_keys(
    web_api_keys={"a-key": "Alice.Johnson@company.com"},
    development_logins=[("john.doe", "john.doe@company.com"), ("web-admin", "web-admin@company.com")],
)


@pytest.mark.parametrize(
    ("key", "principal"),
    [
        ("a-key", Principal(email="alice.johnson@company.com")),
        ("john.doe", Principal(login="john.doe", email="john.doe@company.com")),
        (
            "web-admin",
            Principal(login="web-admin", email="web-admin@company.com", roles=frozenset({Role.USER, Role.ADMIN})),
        ),
        ("A-KEY", None),
        ("", None),
        ("alice.johnson@company.com", None),
    ],
)
def test_a_key_is_somebody_or_nobody(key, principal):
    assert PEOPLE.principal_of(key) == principal


def test_keys_themselves_are_not_kept():
    assert "a-key" not in repr(PEOPLE)


def test_a_configured_tool_key_wins_over_a_development_key():
    ring = tool_keys({"hr-system": SecretStr("same")}, development=[("same", "snow-integration")])

    assert ring.principal_of("same") == Principal(tool_id="hr-system", roles=frozenset({Role.SERVICE}))


@pytest.mark.parametrize("header", ["Bearer x", "bearer x", "BEARER  x "])
def test_a_bearer_token_is_read_in_any_case(header):
    assert bearer_of(header) == "x"


@pytest.mark.parametrize("header", [None, "", "Bearer", "Bearer  ", "Basic x", "x"])
def test_anything_else_is_no_bearer_token(header):
    with pytest.raises(Unauthenticated) as refused:
        bearer_of(header)

    assert refused.value.challenge == "Bearer"
