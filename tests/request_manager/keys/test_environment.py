"""Keys of the environment work like stored ones, and are not kept as text."""

import pytest

from self_service_agent.request_manager.keys.environment import EnvironmentKeys, environment_keys
from self_service_agent.request_manager.keys.rules import Origin, Role
from self_service_agent.request_manager.keys.text import digest
from tests.request_manager.keys.house import ALICE_KEY, DEVELOPMENT, ENVIRONMENT, TOOL_KEY

BOTH = DEVELOPMENT | ENVIRONMENT
USER, ADMIN, SERVICE = frozenset({Role.USER}), frozenset({Role.USER, Role.ADMIN}), frozenset({Role.SERVICE})


@pytest.mark.parametrize(
    ("text", "origin", "name", "login", "email", "tool_id", "roles"),
    [
        (ALICE_KEY, Origin.ENVIRONMENT, "WEB_API_KEYS", None, "alice.johnson@company.com", None, USER),
        (TOOL_KEY, Origin.ENVIRONMENT, "MONITORING_API_KEY", None, None, "monitoring-system", SERVICE),
        ("web-admin", Origin.DEVELOPMENT, "development", "web-admin", "web-admin@company.com", None, ADMIN),
        ("web-demo", Origin.DEVELOPMENT, "development", "web-demo", "web-demo@company.com", None, USER),
        ("your-tool-api-key", Origin.DEVELOPMENT, "development", None, None, "snow-integration", SERVICE),
    ],
)
def test_whose_key_it_is(text, origin, *, name, login, email, tool_id, roles):
    key = BOTH.keys[digest(text)]
    owner = key.owner

    assert (key.origin, key.name, owner.login, owner.email) == (origin, name, login, email)
    assert (owner.tool_id, owner.roles, owner.user_id) == (tool_id, roles, None)


def test_keys_themselves_are_not_kept():
    assert ALICE_KEY not in repr(BOTH)
    assert TOOL_KEY not in repr(BOTH)


def test_every_key_has_an_id_of_its_own_that_says_nothing_about_it():
    ids = {key.key_id for key in BOTH.keys.values()}
    others = environment_keys(web_api_keys={"another": "alice.johnson@company.com"}, tool_keys={})

    assert len(ids) == len(BOTH.keys)
    assert {key.key_id for key in others.keys.values()} < ids


def test_a_key_of_the_environment_wins_over_a_development_key():
    same = environment_keys(web_api_keys={"web-admin": "somebody@company.com"}, tool_keys={})

    assert (DEVELOPMENT | same).keys[digest("web-admin")].owner.roles == USER
    assert EnvironmentKeys().keys == {}
