"""A document that an operator brings over HTTP is quoted in the next conversation, to those who may see it."""

from pydantic import SecretStr

from self_service_agent.agent_service.app import conversations
from self_service_agent.agent_service.settings import AgentServiceSettings
from self_service_agent.kit.http.egress import EgressPolicy
from self_service_agent.kit.service_tokens import ServiceTokens
from tests.acceptance.house import as_person

LUNCH = "# Canteen\n\n## Opening hours\nLunch is served in the canteen from 11:30 until 14:00.\n"
QUESTION = "When is lunch served in the canteen?"


async def test_what_an_operator_brings_is_quoted_from_the_next_question_on(houses):
    tokens = ServiceTokens(SecretStr("a-secret-of-at-least-thirty-two-bytes"))
    opening = conversations(AgentServiceSettings(), tokens, policy=EgressPolicy(allow_loopback=True))
    house = await houses(conversations=opening)
    document = "/api/v1/knowledge/handbook/canteen.md"
    markdown = {"content-type": "text/markdown"}

    before = await house.ask(QUESTION)
    refused = await house.client.put(document, content=LUNCH, headers=as_person("john.doe") | markdown)
    stored = await house.client.put(document, content=LUNCH, headers=as_person("web-admin") | markdown)
    after = await house.ask(QUESTION)
    await house.client.put(f"{document}?group=kitchen", content=LUNCH, headers=as_person("web-admin") | markdown)
    hidden = await house.ask(QUESTION)

    answers = [answer.json()["response"] for answer in (before, after, hidden)]
    assert (refused.status_code, stored.json()["change"]) == (403, "added")
    assert ["11:30" in answer["content"] for answer in answers] == [False, True, False]
    assert [len(answer["metadata"]["citations"]) for answer in answers] == [0, 1, 0]
    assert "Canteen" not in answers[2]["content"]
