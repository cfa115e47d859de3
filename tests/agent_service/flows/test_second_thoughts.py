"""What is taken back, meant for somebody else, or wanted differently after it is done."""

import pytest

from .conversation import Conversation, ScriptedTools, an_employee, where

ORDERED = ("I need a new laptop", "1", "yes")
FINAL = (
    "Ticket REQ0001234 is open for the HP EliteBook 845 (emea-std-14).\n\n"
    "Only the help desk can change or cancel that: say 'human' to reach a person."
)


@pytest.mark.parametrize(
    "words",
    [
        "I do not need a new laptop",
        "I don't want a laptop",
        "I don't want to order a new laptop",
        "no, I dont need one",
    ],
)
async def test_what_is_not_wanted_is_not_begun(words):
    conversation = Conversation()

    outcome = await conversation.say(words)

    assert outcome.envelope["flow"] is None
    assert conversation.tools.calls == []


async def test_a_wish_beside_a_refusal_is_asked_about():
    outcome = await Conversation().say("I don't want my old laptop anymore, I need a new one")

    assert outcome.envelope["flow"] is None
    assert outcome.envelope["choices"][0]["label"] == "request a new laptop"


@pytest.mark.parametrize("messages", [ORDERED[:1], ORDERED[:2]])
async def test_what_is_no_longer_wanted_is_stopped(messages):
    outcome = await Conversation().hear(*messages, "I don't want the laptop anymore")

    assert outcome.content == "I stopped: request a new laptop. Nothing more will be done about it."


@pytest.mark.parametrize("words", ["I don't want a Dell", "I don't want the Dell anymore", "I don't want that one"])
@pytest.mark.parametrize("messages", [ORDERED[:1], ORDERED[:2]])
async def test_turning_down_one_model_stops_nothing(messages, words):
    outcome = await Conversation().hear(*messages, words)

    assert outcome.envelope["flow"] == "laptop_refresh"


@pytest.mark.parametrize(
    "words",
    [
        "can you open a ticket for emma.becker",
        "I need a new laptop for Emma Becker",
        "order a laptop for my colleague",
        "my boss needs a new laptop",
    ],
)
async def test_nobody_orders_for_somebody_else(words):
    conversation = Conversation()

    outcome = await conversation.say(words)

    assert outcome.content.startswith("I can only do this for you, not for somebody else.")
    assert outcome.envelope["flow"] is None
    assert conversation.tools.calls == []


@pytest.mark.parametrize("name", ["alice.johnson", "alice.johnson@example.com", "Alice Johnson"])
async def test_speakers_may_name_themselves(name):
    outcome = await Conversation().say(f"I need a new laptop for {name}")

    assert where(outcome) == ("pick", "choice")


@pytest.mark.parametrize(
    "words",
    [
        "cancel my ticket",
        "i changed my mind, i want the dell",
        "change my order to the Dell",
        "can you change my laptop order please",
        "I don't want the laptop anymore",
    ],
)
async def test_after_the_order_only_a_person_can_change_it(words):
    conversation = Conversation()

    outcome = await conversation.hear(*ORDERED, words)

    assert outcome.content == FINAL
    assert len(conversation.tools.orders) == 1


async def test_without_an_order_there_is_none_to_change():
    outcome = await Conversation().say("change my order to the Dell")

    assert outcome.content.startswith("I cannot help with that.")


@pytest.mark.parametrize("words", ["no", "purple"])
async def test_an_unclear_answer_to_another_order_asks_back(words):
    outcome = await Conversation().hear(*ORDERED, "I need a new laptop", words)

    assert outcome.content.startswith("Please pick one of the options by its number or name.")
    assert [choice["id"] for choice in outcome.envelope["choices"]] == [
        "leave",
        "again:laptop-refresh-agent/laptop_refresh",
    ]


@pytest.mark.parametrize("words", ["yes", "never mind", "cancel"])
async def test_an_order_can_be_left_as_it_is(words):
    outcome = await Conversation().hear(*ORDERED, "I need a new laptop", words)

    assert outcome.content == "Good, I leave it as it is."


async def test_a_maker_of_two_models_is_asked_about_by_those_two():
    conversation = Conversation(ScriptedTools(an_employee(region="NA")))

    asked = await conversation.hear("I need a new laptop", "lenovo")
    await conversation.hear("2", "yes")

    assert asked.content.startswith("Several of them fit. Which one do you mean?")
    assert [choice["id"] for choice in asked.envelope["choices"]] == ["na-std-14", "na-wks-16"]
    assert conversation.tools.orders == ["na-wks-16"]


async def test_starting_over_is_a_reset_unless_a_person_listens():
    alone = await Conversation().hear("I need a new laptop", "start over")
    with_a_person = await Conversation().hear("I need a new laptop", "human", "start over")

    assert (alone.closes_session, with_a_person.closes_session) == (True, False)
