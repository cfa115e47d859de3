"""Which requests share a session."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from self_service_agent.shared_models.integrations import IntegrationType
from self_service_agent.shared_models.requests import BaseRequest, SlackRequest, ToolRequest, WebRequest
from self_service_agent.shared_models.sessions import Origin, ScopePolicy, scope_by, scope_of_request, scope_policies

PERSON = {"user_id": "alice", "content": "hello"}


def a_mail(**metadata):
    return BaseRequest(integration_type="email", metadata=metadata, **PERSON)


def from_slack(**place):
    return SlackRequest(slack_user_id="U", slack_team_id="T", **place, **PERSON)


def a_ticket(**metadata):
    return ToolRequest(tool_id="snow", metadata=metadata, **PERSON)


@pytest.mark.parametrize(
    ("request_", "scope"),
    [
        pytest.param(WebRequest(**PERSON), "user", id="web"),
        pytest.param(from_slack(channel_id="C", thread_id="1.1"), "slack:C:1.1", id="a Slack thread"),
        pytest.param(from_slack(channel_id="C"), "user", id="Slack outside of threads"),
        pytest.param(a_mail(email_message_id="<a@b>"), "email::<a@b>", id="a first mail"),
        pytest.param(a_mail(email_message_id="<c@d>", email_in_reply_to="<a@b>"), "email::<a@b>", id="a reply"),
        pytest.param(
            a_mail(email_message_id="<e@f>", email_in_reply_to="<c@d>", email_references="<a@b> <c@d>"),
            "email::<a@b>",
            id="a reply to a reply",
        ),
        pytest.param(a_mail(), "user", id="a mail that says nothing"),
    ],
)
def test_the_usual_scopes(request_, scope):
    assert scope_of_request(request_, scope_policies(), session_id="s") == scope


@pytest.mark.parametrize(
    ("policy", "request_", "scope"),
    [
        ("user", from_slack(channel_id="C", thread_id="1.1"), "user"),
        ("type", from_slack(channel_id="C", thread_id="1.1"), "SLACK"),
        ("ticket", a_ticket(ticket_id=42), "ticket:tool:42"),
        ("ticket", a_ticket(), "TOOL"),
        ("thread", WebRequest(**PERSON), "WEB"),
        ("EXPLICIT", WebRequest(session_name="Laptop", **PERSON), "name:Laptop"),
        ("explicit", WebRequest(**PERSON), "explicit:s"),
    ],
)
def test_the_operator_chooses_for_each_type(policy, request_, scope):
    chosen = {request_.integration_type: ScopePolicy(policy)}

    assert scope_of_request(request_, scope_policies(chosen, per_integration_type=True), session_id="s") == scope


def test_a_session_for_each_type():
    policies = scope_policies(per_integration_type=True)

    assert scope_of_request(WebRequest(**PERSON), policies, session_id="s") == "WEB"


TEXTS = st.text(max_size=2_000)


@given(policy=st.sampled_from(ScopePolicy), channel=TEXTS, thread=TEXTS, ticket=TEXTS, name=TEXTS)
def test_every_scope_fits_into_its_column(policy, channel, thread, ticket, name):
    origin = Origin(
        integration_type=IntegrationType.DISCORD, channel_id=channel, thread_id=thread, ticket_id=ticket, name=name
    )

    assert len(scope_by(policy, origin, session_id="s" * 36) or "") <= 600
