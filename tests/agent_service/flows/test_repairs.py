"""What every flow inherits, tried at every step where somebody can say something."""

import pytest

from .conversation import Conversation, ScriptedTools, a_laptop, an_employee, where

NOT_DUE = an_employee(a_laptop(purchase_date="2025-10-01"))
TWO_LAPTOPS = an_employee(a_laptop(), a_laptop(model="XPS 13", serial_number="SN-2", asset_tag="DL0002"))
STEPS = [
    pytest.param(an_employee(), ("I need a new laptop",), "pick", id="pick"),
    pytest.param(an_employee(), ("I need a new laptop", "1"), "summary", id="summary"),
    pytest.param(an_employee(), ("I need a new laptop", "1", "no"), "after_no", id="after no"),
    pytest.param(NOT_DUE, ("I need a new laptop",), "offer_exception", id="offer exception"),
    pytest.param(NOT_DUE, ("I need a new laptop", "yes"), "reason", id="reason"),
    pytest.param(NOT_DUE, ("I need a new laptop", "yes", "It fell into the sea"), "exception", id="approval"),
    pytest.param(TWO_LAPTOPS, ("I need a new laptop",), "current_laptop", id="current laptop"),
]
at_every_step = pytest.mark.parametrize(("employee", "messages", "step"), STEPS)


async def standing_at(employee, messages) -> Conversation:
    conversation = Conversation(ScriptedTools(employee))
    await conversation.hear(*messages)
    return conversation


@at_every_step
@pytest.mark.parametrize("words", ["cancel", "Never mind.", "stop", "please cancel the request", "forget it"])
async def test_cancelling_ends_the_flow(employee, messages, step, *, words):
    conversation = await standing_at(employee, messages)

    outcome = await conversation.say(words)
    afterwards = await conversation.say("yes")

    assert (outcome.envelope["flow"], outcome.envelope["expects"], outcome.pins) == (None, "nothing", None)
    assert afterwards.envelope["flow"] is None
    assert conversation.tools.orders == []


@at_every_step
async def test_repeating_asks_the_same_question(employee, messages, step):
    conversation = Conversation(ScriptedTools(employee))
    before = await conversation.hear(*messages)

    outcome = await conversation.say("can you repeat that?")

    assert where(outcome) == where(before) == (step, before.envelope["expects"])
    assert before.content.endswith(outcome.content)


@at_every_step
async def test_asking_for_the_status_keeps_the_place(employee, messages, step):
    conversation = await standing_at(employee, messages)

    outcome = await conversation.say("what's the status of my request?")

    assert outcome.content.startswith("In progress: request a new laptop.")
    assert outcome.envelope["step"] == step


@at_every_step
@pytest.mark.parametrize("words", ["human", "can I talk to a person please", "I need a real human"])
async def test_a_person_can_be_reached_and_left_again(employee, messages, step, *, words):
    conversation = await standing_at(employee, messages)

    handed_over = await conversation.say(words)
    meanwhile = await conversation.say("yes")
    returned = await conversation.say("back")

    assert (handed_over.envelope["mode"], handed_over.followup_actions) == ("human", ["handoff"])
    assert handed_over.handoff["step"] == step
    assert meanwhile.content == "A person has this conversation and sees your message. Say 'back' to return to me."
    assert (returned.envelope["mode"], returned.envelope["step"]) == ("agent", step)
    assert conversation.tools.orders == []


@at_every_step
async def test_a_policy_question_is_answered_and_the_flow_goes_on(employee, messages, step):
    conversation = Conversation(ScriptedTools(employee))
    before = await conversation.hear(*messages)

    outcome = await conversation.say("How often is a laptop replaced?")

    (citation,) = outcome.envelope["citations"]
    text = conversation.engine._definitions.current("laptop-refresh-agent").knowledge[citation["document"]].text  # noqa: SLF001  # the very text that was cited
    start, end = citation["span"]
    assert text[start:end] == citation["text"]
    assert "3 years" in citation["text"]
    assert where(outcome) == (step, before.envelope["expects"])


@at_every_step
@pytest.mark.parametrize("words", ["hello", "thanks!", "are you a bot?"])
async def test_small_talk_keeps_the_place(employee, messages, step, *, words):
    outcome = await (await standing_at(employee, messages)).say(words)

    assert outcome.envelope["step"] == step


@at_every_step
async def test_help_keeps_the_place(employee, messages, step):
    conversation = await standing_at(employee, messages)

    outcome = await conversation.say("help")

    assert "request a new laptop" in outcome.content
    assert outcome.envelope["step"] == step


@at_every_step
@pytest.mark.parametrize("words", ["reset", "Clear", " restart ", "new session"])
async def test_a_reset_forgets_everything(employee, messages, step, *, words):
    conversation = await standing_at(employee, messages)

    outcome = await conversation.say(words)

    assert outcome.closes_session
    assert outcome.envelope["flow"] is None


@at_every_step
async def test_tokens_are_told_without_losing_the_place(employee, messages, step):
    conversation = Conversation(ScriptedTools(employee))
    before = await conversation.hear(*messages)

    outcome = await conversation.say("**tokens**")

    assert (outcome.response_type, outcome.content) == ("tokens", "Tokens used by this turn: 0 in, 0 out.")
    assert where(outcome) == (step, before.envelope["expects"])


@pytest.mark.parametrize(("employee", "messages", "step"), [step for step in STEPS if step.id != "reason"])
async def test_another_flow_can_come_in_between(employee, messages, step):
    conversation = Conversation(ScriptedTools(employee))
    before = await conversation.hear(*messages)

    outcome = await conversation.say("what laptops are available?")

    assert "emea-std-14" in outcome.content
    assert where(outcome) == (step, before.envelope["expects"])


@pytest.mark.parametrize(
    "words",
    [
        "yes but make it the Dell",
        "actually the Dell",
        "change it to the Dell Precision",
        "I meant option 4 instead",
        "no, rather the emea-wks-16",
    ],
)
async def test_the_choice_can_be_corrected_after_the_summary(words):
    conversation = Conversation()

    corrected = await conversation.hear("I need a new laptop", "1", words)
    assert conversation.tools.orders == []
    await conversation.say("yes")

    assert corrected.envelope["pending_confirmation"]["summary"].startswith("Dell Precision 5690")
    assert conversation.tools.orders == ["emea-wks-16"]


@pytest.mark.parametrize("words", ["change the laptop", "yes but a different model", "back", "go back"])
async def test_going_back_asks_for_the_choice_again(words):
    outcome = await Conversation().hear("I need a new laptop", "1", words)

    assert where(outcome) == ("pick", "choice")


async def test_an_earlier_answer_can_be_corrected_from_a_later_question():
    conversation = Conversation(ScriptedTools(TWO_LAPTOPS))

    outcome = await conversation.hear("I need a new laptop", "1", "2", "actually replace the XPS")

    assert where(outcome) == ("pick", "choice")
    assert "XPS 13 (asset DL0002)" in outcome.content


async def test_asking_again_mid_flow_starts_nothing_new():
    conversation = Conversation()

    outcome = await conversation.hear("I need a new laptop", "1", "I need a new laptop")

    assert where(outcome) == ("summary", "confirmation")
    assert outcome.content.startswith("We are already on it.")


@pytest.mark.parametrize("again", ["yes", "yes please", "ok", "do it", "what's the status?", "REQ0001234"])
async def test_after_the_ticket_its_number_is_shown_and_nothing_is_ordered_twice(again):
    conversation = Conversation()

    outcome = await conversation.hear("I need a new laptop", "1", "yes", again)

    assert "REQ0001234" in outcome.content
    assert len(conversation.tools.orders) == 1


async def test_the_same_wish_again_shows_the_ticket_first():
    conversation = Conversation()

    asked = await conversation.hear("I need a new laptop", "1", "yes", "I need a new laptop")
    left = await conversation.say("leave it")

    assert "REQ0001234" in asked.content
    assert asked.envelope["expects"] == "choice"
    assert left.envelope["flow"] is None
    assert len(conversation.tools.orders) == 1


async def test_a_second_request_needs_its_own_wish_and_its_own_yes():
    conversation = Conversation()

    await conversation.hear("I need a new laptop", "1", "yes", "I need a new laptop", "start a new one", "2", "yes")

    assert conversation.tools.orders == ["emea-std-14", "emea-std-light"]
    assert len(set(conversation.tools.keys("open_laptop_refresh_ticket"))) == 2


async def test_what_is_not_understood_offers_the_best_guesses():
    asked = await Conversation().say("I have a laptop and a headache")

    labels = [choice["label"] for choice in asked.envelope["choices"]]
    assert labels == ["see your laptop and when it is due", "Something else", "Talk to a person"]


async def test_a_guess_can_be_taken():
    outcome = await Conversation().hear("I have a laptop and a headache", "1")

    assert "DL7420001" in outcome.content


async def test_repeated_misses_offer_a_person():
    outcome = await Conversation().hear("I need a new laptop", "purple", "purple", "purple")

    assert "Say 'human' to reach a person" in outcome.content


async def test_there_may_be_nothing_to_cancel_repeat_or_go_back_to():
    conversation = Conversation()

    said = [(await conversation.say(words)).content for words in ("cancel", "back", "status", "repeat")]

    assert said == [
        "There is nothing in progress to cancel.",
        "There is no earlier step to go back to.",
        "Nothing is in progress.",
        "Nothing is in progress.",
    ]


async def test_a_passage_among_the_guesses_is_quoted_when_it_is_chosen():
    conversation = Conversation()
    offered = await conversation.say("second factor thing")

    quoted = await conversation.say("1")

    assert [choice["label"] for choice in offered.envelope["choices"]] == [
        "Passwords: Second factor", "Something else", "Talk to a person",
    ]  # fmt: skip
    assert "(Source: Passwords, Second factor)" in quoted.content
    assert quoted.envelope["expects"] == "nothing"
