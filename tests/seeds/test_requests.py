"""Every printed request is answered at its door as the document says."""

import pytest

from .examples import GUIDE, LAYER, the_call
from .running import filled, send


@pytest.mark.parametrize("chapter", ["Web Requests", "CLI Requests", "Tool Requests", "Generic Requests"])
def test_a_described_request_is_answered_directly(chapter, system):
    answer = send(filled(the_call(GUIDE, chapter)), system)

    assert (answer.status, answer.document["status"]) == (200, "completed")
    assert answer.document["response"]["content"]


@pytest.mark.parametrize("chapter", ["Web Integration", "CLI Integration", "Tool Integration"])
def test_an_integrations_request_is_answered_directly(chapter, system):
    call = the_call(LAYER, chapter)
    answer = send(call, system, person=call.body["user_id"])

    assert (answer.status, answer.document["status"]) == (200, "completed")
    assert "laptop" in answer.document["response"]["content"]


@pytest.mark.parametrize(("page", "chapter"), [(GUIDE, "Slack Requests"), (LAYER, "Slack Integration")])
def test_a_request_from_slack_is_accepted_and_answered_elsewhere(page, chapter, system):
    answer = send(filled(the_call(page, chapter)), system)

    assert (answer.status, answer.document["status"]) == (202, "pending")
