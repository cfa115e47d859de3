"""A classifier of messages: what it forbids, and what it cannot say yes to, is read by nobody else."""

import re
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import timedelta

from self_service_agent.doubles.moderation import Fault, ModerationScript, create_app
from self_service_agent.doubles.openai.app import create_app as create_model
from self_service_agent.doubles.openai.script import Script, shipped_script
from tests.acceptance.itsm import an_office
from tests.agent_service.models.serving import model_settings
from tests.doubles_servicenow.serving import serving

HOSTILE = "I will hurt the man from the help desk"
WISH = "I need a new laptop"
POLICY = {"violence": "block", "harassment": "flag", "hate": "ignore"}
FINDS = {
    "hurt": ("violence",),
    "stupid": ("harassment",),
    "hateful": ("hate",),
    "odd": ("S14",),
    "strange": ("<b>" * 50,),
}
START = '{"command": "start_flow", "flow": "laptop-refresh-agent/laptop_refresh"}'
UNREAD = "I cannot check messages right now"
REFUSED = "I do not act on a message like that"


@asynccontextmanager
async def an_office_with(houses, script, *, url=None, model=None):
    async with AsyncExitStack() as stack:
        address = url or await stack.enter_async_context(serving(create_app(script))) + "/v1/moderations"
        model_url = await stack.enter_async_context(serving(create_model(model or shipped_script())))
        office = an_office(
            houses,
            models=model_settings(model_url, wording="llm") if model else None,
            moderation_url=address,
            moderation_policy=POLICY,
            moderation_timeout=0.3,
        )
        yield await stack.enter_async_context(office)


def asked_to_understand(model):
    return [body for body in model.asked if "You read one message" in str(body["messages"])]


async def hear_unread(office, user):
    """Say something that the grammar does not read; return the answer, and how many calls of tools there were."""
    answer = await office.hear("show me my laptop", user=user)
    return answer, await office.house.value("SELECT count(*) FROM tool_calls")


def is_unread(answer):
    told = answer["content"].startswith(UNREAD), answer["metadata"]["flags"], answer["metadata"]["flow"]
    return told == (True, ["moderation-unavailable"], None)


async def test_whatever_is_wrong_with_the_classifier_nobody_reads_what_it_did_not_pass(houses):
    script, model = ModerationScript(silence=timedelta(seconds=2)), shipped_script()
    async with an_office_with(houses, script, model=model) as office:
        for number, fault in enumerate(Fault):
            user, script.always = f"person-{number}", fault
            answer, calls = await hear_unread(office, user)
            assert (is_unread(answer), calls, asked_to_understand(model)) == (True, 0, []), fault
            person = await office.hear("human", user=user)
            assert (person["metadata"]["mode"], person["metadata"].get("flags")) == ("human", None), fault
            script.always = None
            await office.hear("what else is there", user=f"person-{50 + number}")  # so that the breaker stays closed
            model.asked.clear()


async def test_a_classifier_that_is_not_there_lets_nothing_through(houses):
    model = shipped_script()
    async with an_office_with(houses, None, url="http://127.0.0.1:9/v1/moderations", model=model) as office:
        answer, calls = await hear_unread(office, "alice.johnson")
        help_ = await office.hear("help")

    assert (is_unread(answer), calls, asked_to_understand(model)) == (True, 0, [])
    assert "flags" not in help_["metadata"]


async def test_a_flow_goes_on_without_a_classifier_as_far_as_the_grammar_reads_it(houses):
    script = ModerationScript()
    async with an_office_with(houses, script) as office:
        begun = await office.hear(WISH)
        script.always = Fault.SERVER_ERROR
        script.asked.clear()
        unread = await office.hear("whatever you think is best")
        asked = len(script.asked)
        done = await office.hear("2", "yes")

    assert unread["content"].startswith(UNREAD)
    assert unread["content"].endswith(begun["content"].rpartition("\n\n")[2])
    assert (unread["metadata"]["step"], unread["metadata"]["expects"]) == (begun["metadata"]["step"], "choice")
    assert "REQ" in done["content"]
    assert (asked, len(script.asked)) == (1, 1)


async def test_after_several_failures_the_classifier_is_left_alone(houses):
    script = ModerationScript(always=Fault.SERVER_ERROR)
    async with an_office_with(houses, script) as office:
        for _ in range(7):
            answer = await office.hear("please have a look at my screen")
        health = (await office.house.client.get("/health/detailed")).json()["moderation"]

    assert answer["content"].startswith(UNREAD)
    assert len(script.asked) == 5
    assert health["breaker"] == "open"


POLICY_CASES = [
    (WISH, [], "passed"),
    (HOSTILE, ["moderation:violence", "moderation-blocked"], "blocked"),
    (f"hurt me, stupid, {WISH}", ["moderation:harassment", "moderation:violence", "moderation-blocked"], "blocked"),
    (f"{WISH}, the old one is stupid", ["moderation:harassment"], "flagged"),
    (f"{WISH}, this one is hateful", [], "passed"),
    (f"{WISH}, this one is odd", ["moderation:S14"], "flagged"),
    (f"{WISH}, by hook or by crook", ["moderation:unspecified", "moderation-blocked"], "blocked"),
    (f"{WISH}, this one is strange", ["moderation:other"], "flagged"),
]


async def test_the_policy_says_what_becomes_of_a_category(houses):
    script = ModerationScript(finds=FINDS, flagged_only=("crook",))
    async with an_office_with(houses, script) as office:
        for number, (said, flags, outcome) in enumerate(POLICY_CASES):
            answer = await office.hear(said, user=f"person-{number}")
            assert sorted(answer["metadata"].get("flags", [])) == sorted(flags), said
            assert answer["content"].startswith(REFUSED) is (outcome == "blocked"), said
            assert outcome != "blocked" or not re.search("hurt|stupid|crook", answer["content"]), said
        metrics = (await office.house.client.get("/metrics")).text

    assert all(f'ssa_moderations_total{{direction="in",outcome="{case[2]}"}}' in metrics for case in POLICY_CASES)


async def test_the_classifier_sees_placeholders_for_what_is_personal(houses):
    script = ModerationScript()
    async with an_office_with(houses, script) as office:
        await office.hear("somebody writes to me as canary@private.example all the time")

    assert [body["input"] for body in script.asked] == ["somebody writes to me as [email 1] all the time"]


async def test_a_models_words_are_said_only_if_the_classifier_has_nothing_against_them(houses):
    nice = "Okay, I stopped, dear: get a laptop. Nothing more will be done about it."
    script, model = ModerationScript(), Script(answers={"I stopped": nice, WISH: START})
    told = []
    async with an_office_with(houses, script, model=model) as office:
        for finds, fault in [({}, None), ({"dear": ("harassment",)}, None), ({}, Fault.NOT_JSON)]:
            script.finds, script.always = finds, None
            await office.hear(WISH)
            script.always = fault
            told.append(await office.hear("cancel"))

    assert ["dear" in answer["content"] for answer in told] == [True, False, False]
    assert [answer["metadata"].get("flags") for answer in told] == [
        None, ["moderation:harassment"], ["moderation-unavailable"],
    ]  # fmt: skip
