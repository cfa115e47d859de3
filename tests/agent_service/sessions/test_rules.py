import pytest

from self_service_agent.agent_service.sessions.personal_data.rules import without_secrets
from self_service_agent.agent_service.sessions.rules import IncompleteScope, NewSession, scope_of_new, versions_of
from self_service_agent.shared_models.integrations import IntegrationType
from self_service_agent.shared_models.sessions import Origin, ScopePolicy


@pytest.mark.parametrize(
    ("header", "versions"),
    [
        (None, None),
        ("*", None),
        (' "3" ', (3,)),
        ('"1", "2"', (1, 2)),
        ('W/"3"', ()),
        ("3", ()),
        ('"99999999999"', ()),
        ("", ()),
    ],
)
def test_which_versions_may_be_changed(header, versions):
    assert versions_of(header) == versions


@pytest.mark.parametrize("policy", [ScopePolicy.THREAD, ScopePolicy.TICKET])
def test_a_session_of_a_thread_or_ticket_needs_one(policy):
    new = NewSession(origin=Origin(integration_type=IntegrationType.WEB), policy=policy, metadata={}, user_context={})

    with pytest.raises(IncompleteScope, match=f"{policy}_id"):
        scope_of_new(new, "s")


def test_what_opens_other_systems_is_not_handed_out():
    config = {"url": "u", "auth": [{"bearer_token": "t", "API-Key": "k", "password": None}]}

    assert without_secrets(config) == {
        "url": "u",
        "auth": [{"bearer_token": "********", "API-Key": "********", "password": None}],
    }
