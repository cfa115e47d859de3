"""Answers that are taken back: while the summary is shown, and while the next question waits."""

import pytest

from .conversation import Conversation, ScriptedTools, an_employee, where

AT_THE_MACBOOK = ("I need a new laptop", "3")
NEW, MEANT = "greta.new@company.com", "greta.lindberg@company.com"


def somebody_in_na() -> Conversation:
    return Conversation(ScriptedTools(an_employee(region="NA")))


def somebody_with_a_profile() -> Conversation:
    profile = an_employee(manager_name="Brian Cole", manager_email="brian.cole@example.com")
    return Conversation(ScriptedTools(script={"get_my_profile": [profile]}))


def offered(outcome) -> list[str]:
    return [choice["id"] for choice in outcome.envelope["choices"]]


async def test_a_summary_tells_how_to_change_it():
    outcome = await somebody_in_na().hear(*AT_THE_MACBOOK)

    assert outcome.content.endswith("Shall I open the ticket for this? (yes/no, or say what to change)")


@pytest.mark.parametrize("words", ["actually no, the latitude", "no, the Dell", "wait, the latitude please"])
async def test_another_model_said_at_the_summary_is_taken(words):
    conversation = somebody_in_na()

    outcome = await conversation.hear(*AT_THE_MACBOOK, words)
    await conversation.say("yes")

    assert outcome.envelope["pending_confirmation"]["summary"].startswith("Dell Latitude 7450")
    assert conversation.tools.orders == ["na-std-light"]


@pytest.mark.parametrize("words", ["actually no, the thinkpad", "the thinkpad", "no, one of the lenovo"])
async def test_a_name_of_two_models_said_at_the_summary_is_asked_about_by_those_two(words):
    conversation = somebody_in_na()

    asked = await conversation.hear(*AT_THE_MACBOOK, words)
    await conversation.hear("2", "yes")

    assert asked.content.startswith("Several of them fit. Which one do you mean?")
    assert offered(asked) == ["na-std-14", "na-wks-16"]
    assert conversation.tools.orders == ["na-wks-16"]


@pytest.mark.parametrize("words", ["no, the other one", "no the other one", "another one please"])
async def test_another_one_is_any_but_the_one_shown(words):
    outcome = await somebody_in_na().hear(*AT_THE_MACBOOK, words)

    assert offered(outcome) == ["na-std-14", "na-std-light", "na-wks-16"]


@pytest.mark.parametrize("words", ["no, that is too heavy for me", "nope, tell me first how long it takes"])
async def test_a_leading_no_turns_the_summary_down(words):
    outcome = await somebody_in_na().hear(*AT_THE_MACBOOK, words)

    assert where(outcome) == ("after_no", "choice")


@pytest.mark.parametrize("words", ["no problem", "no, yes", "no idea", "no?", "3 or 4"])
async def test_what_may_be_a_yes_or_a_no_is_neither(words):
    outcome = await somebody_in_na().hear(*AT_THE_MACBOOK, words)

    assert where(outcome)[0] != "after_no"
    assert outcome.envelope["flow"] is not None


@pytest.mark.parametrize(
    "words", [f"no wait, {MEANT}", f"sorry, I meant {MEANT}", f"actually it should be {MEANT} please"]
)
async def test_an_address_corrected_at_the_next_question_is_no_reason(words):
    conversation = somebody_with_a_profile()

    asked = await conversation.hear("change my e-mail address", NEW, words)
    shown = await conversation.say("I got married")

    assert where(asked) == ("need", "text")
    assert shown.envelope["pending_confirmation"]["summary"] == (
        f"{MEANT} instead of alice.johnson@example.com for Alice Johnson (reason: I got married)"
    )


@pytest.mark.parametrize("words", [f"no, {MEANT}", MEANT, f"change the address to {MEANT}"])
async def test_an_address_corrected_at_the_summary_is_taken(words):
    conversation = somebody_with_a_profile()

    asked = await conversation.hear("change my e-mail address", NEW, "I got married", words)
    shown = await conversation.say("I got married")

    assert where(asked) == ("need", "text")
    assert shown.envelope["pending_confirmation"]["summary"].startswith(MEANT)


async def test_a_reason_may_name_an_address():
    words = f"Mail to {MEANT} does not arrive any more since my wedding in June"

    outcome = await somebody_with_a_profile().hear("change my e-mail address", NEW, words)

    assert outcome.envelope["pending_confirmation"]["summary"].endswith(f"(reason: {words})")
