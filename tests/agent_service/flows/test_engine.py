"""The engine as its caller sees it: stateless, repeatable, pinned, and closed to what it cannot read."""

import asyncio
import json
from datetime import timedelta

import pytest

from self_service_agent.agent_service.definitions.loader import Definitions, parse_definition
from self_service_agent.agent_service.flows.engine import Engine
from self_service_agent.agent_service.flows.tools import ToolInDoubt
from self_service_agent.agent_service.guards.outgoing import ReplyRefused
from self_service_agent.agent_service.understanding.rules import RulesUnderstander

from .conversation import NOW, ORDER, Conversation, ScriptedTools, a_turn, an_engine, shipped, where

WHOLE_STORY = ("hi, I need a new laptop", "how long does delivery take?", "2", "yes but the Dell", "yes", "thanks")


async def test_a_repeated_turn_has_the_same_keys_and_the_same_outcome():
    first, second = ScriptedTools(), ScriptedTools()
    conversation = Conversation(first)
    for number, message in enumerate(WHOLE_STORY):
        checkpoint = json.loads(conversation.stored) if conversation.stored else None
        turn = a_turn(message, request_id=f"request-{number + 1}", checkpoint=checkpoint)

        outcome = await conversation.say(message)
        repeated = await an_engine().take_turn(turn, second)
        again = await an_engine().take_turn(turn, ScriptedTools())

        assert repeated == again == outcome
    assert first.calls == second.calls


async def test_another_request_that_starts_the_flow_has_other_keys():
    first, second = ScriptedTools(), ScriptedTools()

    await an_engine().take_turn(a_turn("I need a new laptop", request_id="a"), first)
    await an_engine().take_turn(a_turn("I need a new laptop", request_id="b"), second)

    assert first.calls[0][2] != second.calls[0][2]


async def test_a_turn_leaves_the_checkpoint_it_was_given_alone():
    conversation = Conversation()
    outcome = await conversation.hear("I need a new laptop", "1")
    before = json.dumps(outcome.checkpoint)

    await conversation.say("yes", checkpoint=outcome.checkpoint)

    assert json.dumps(outcome.checkpoint) == before


async def test_conversations_that_run_at_once_do_not_mix():
    engine = an_engine()
    conversations = [Conversation(engine=engine) for _ in range(8)]

    async def talk(conversation, choice):
        await conversation.hear("I need a new laptop", choice, "yes")
        return conversation.tools.orders

    orders = await asyncio.gather(*(talk(c, str(n % 4 + 1)) for n, c in enumerate(conversations)))

    codes = ["emea-std-14", "emea-std-light", "emea-mac-air", "emea-wks-16"]
    assert orders == [[codes[n % 4]] for n in range(8)]


async def test_the_checkpoint_does_not_grow_with_the_conversation():
    conversation = Conversation()
    await conversation.say("I need a new laptop")
    sizes = []
    for _ in range(12):
        await conversation.hear("1", "back", "how long does delivery take?")
        sizes.append(len(conversation.stored))

    assert max(sizes) < 4_000
    assert sizes[-1] - sizes[2] < 100


def changed(definitions: Definitions) -> Definitions:
    """Return the same agents, with a laptop agent that was edited since."""
    body = definitions.current("laptop-refresh-agent").body
    agent = parse_definition(body.replace('"version":"1.0"', '"version":"2.0"'))
    others = {agent.id: agent for agent in definitions}
    return Definitions({**others, agent.id: agent}, default_agent_id="routing-agent")


async def test_an_unfinished_flow_keeps_the_definition_it_began_with():
    definitions = shipped()
    conversation = Conversation(engine=an_engine(definitions))
    begun = await conversation.say("I need a new laptop")
    stored_body = definitions.by_digest(begun.pins).body

    conversation.engine = an_engine(changed(definitions))
    conversation.pinned = parse_definition(stored_body)
    outcome = await conversation.say("1")

    assert where(outcome) == ("summary", "confirmation")
    assert outcome.envelope["definition"] == begun.envelope["definition"]
    assert outcome.pins == begun.pins


async def test_a_flow_whose_definition_is_gone_starts_over_and_says_so():
    conversation = Conversation()
    await conversation.hear("I need a new laptop", "1")
    conversation.engine = an_engine(changed(shipped()))

    outcome = await conversation.say("yes")

    assert outcome.content.startswith("What we were doing has changed since, so I have to start it over")
    assert where(outcome) == ("pick", "choice")
    assert conversation.tools.orders == []


async def test_an_order_in_doubt_whose_definition_is_gone_goes_to_a_person():
    conversation = Conversation(ScriptedTools(script={ORDER: [ToolInDoubt("late")]}))
    await conversation.hear("I need a new laptop", "1", "yes")
    conversation.engine = an_engine(changed(shipped()))

    outcome = await conversation.say("try again")

    assert outcome.envelope["mode"] == "human"
    assert len(conversation.tools.orders) == 1


async def test_the_echo_agent_says_back_what_it_hears():
    outcome = await an_engine().take_turn(a_turn("{content} is 42", target_agent_id="echo-agent"), ScriptedTools())

    assert (outcome.content, outcome.agent_id, outcome.checkpoint) == ("{content} is 42", "echo-agent", {})
    assert outcome.envelope["definition"]["id"] == "echo-agent"


async def test_the_echo_agent_leaves_a_conversation_in_progress_alone():
    conversation = Conversation()
    begun = await conversation.say("I need a new laptop")

    echoed = await conversation.say("ping", target_agent_id="echo-agent")
    outcome = await conversation.say("1")

    assert (echoed.content, echoed.pins, echoed.next_agent_id) == ("ping", begun.pins, "laptop-refresh-agent")
    assert where(outcome) == ("summary", "confirmation")


async def test_an_unknown_agent_is_an_error():
    outcome = await an_engine().take_turn(a_turn("hi", target_agent_id="nobody"), ScriptedTools())

    assert (outcome.response_type, outcome.content) == ("error", "There is no agent nobody.")


async def test_an_agent_can_be_addressed_directly():
    turn = a_turn("hello", target_agent_id="laptop-refresh-agent")

    outcome = await an_engine().take_turn(turn, ScriptedTools())

    assert outcome.agent_id == "laptop-refresh-agent"


@pytest.mark.parametrize("content", ["", "  \n", "\u200b\u202e", "\x07", "x" * 8_001])
async def test_a_message_that_cannot_be_read_is_refused_and_nothing_moves(content):
    conversation = Conversation()
    begun = await conversation.hear("I need a new laptop", "1")

    refused = await conversation.say(content)
    outcome = await conversation.say("status")

    assert refused.response_type == "error"
    assert refused.checkpoint == begun.checkpoint
    assert where(outcome) == ("summary", "confirmation")


async def test_a_reply_that_fails_a_check_is_not_sent():
    def no_ticket_numbers(content: str) -> None:
        if "REQ" in content:
            raise ReplyRefused("a ticket number")

    engine = Engine(shipped(), RulesUnderstander(), reply_checks=[no_ticket_numbers])

    outcome = await Conversation(engine=engine).hear("I need a new laptop", "1", "yes")

    assert outcome.response_type == "error"
    assert "REQ" not in outcome.content


@pytest.mark.parametrize("words", ["quit", "EXIT", " q "])
async def test_quitting_closes_the_session(words):
    outcome = await Conversation().say(words)

    assert outcome.closes_session


async def test_a_greeting_says_what_can_be_done():
    outcome = await Conversation().say("hello")

    assert outcome.agent_id == "routing-agent"
    assert "- request a new laptop" in outcome.content


async def test_the_day_of_the_turn_decides_not_the_day_of_the_process():
    conversation = Conversation(now=NOW - timedelta(days=4 * 365))

    outcome = await conversation.say("I need a new laptop")

    assert where(outcome) == ("offer_exception", "confirmation")
