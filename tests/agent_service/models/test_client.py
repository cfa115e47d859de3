"""Calls of a model: what comes back, what goes wrong, and how long that takes at most."""

import asyncio
from datetime import timedelta

import pytest

from self_service_agent.agent_service.models.errors import (
    BudgetSpent,
    ModelPaused,
    ModelRefused,
    ModelUnavailable,
    ModelUnfit,
)
from self_service_agent.agent_service.models.opening import Means
from self_service_agent.doubles.openai.script import Fault, Script
from self_service_agent.kit.http.egress import EgressPolicy
from tests.agent_service.models.serving import PROMPT, SECOND, a_model, an_account

HELLO = '{"word": "hello"}'


@pytest.mark.parametrize("api", ["chat", "responses"])
@pytest.mark.parametrize("base", ["/v1", "/v1/openai/v1"])
async def test_an_answer_comes_with_its_tokens(api, base):
    script, account = Script(answers={"hello": HELLO}), an_account()
    async with a_model(script, llm_api=api, llamastack_openai_base_path=base) as model:
        completion = await model.client.complete(PROMPT, account, within=2 * SECOND)

    assert (completion.text, completion.finish, completion.usage.estimated) == (HELLO, "stop", False)
    assert account.used == completion.usage
    assert account.used.input_tokens > 20


async def test_neither_api_keeps_anything_at_the_provider_where_that_can_be_said():
    script = Script(answers={"hello": HELLO})
    async with a_model(script, llm_api="responses") as model:
        await model.client.complete(PROMPT, an_account(), within=SECOND)

    (body,) = script.asked
    assert (body["store"], "tools" in body, body["temperature"]) == (False, False, 0)


@pytest.mark.parametrize("api", ["chat", "responses"])
@pytest.mark.parametrize(
    ("fault", "error"),
    [
        (Fault.RATE_LIMITED, ModelUnavailable),
        (Fault.SERVER_ERROR, ModelUnavailable),
        (Fault.CUT, ModelUnavailable),
        (Fault.SILENCE, ModelUnavailable),
        (Fault.HUGE, ModelUnfit),
    ],
)
async def test_a_failing_provider_is_an_error_with_a_reason(api, fault, error):
    script = Script(always=fault)
    async with a_model(script, llm_api=api) as model:
        with pytest.raises(error) as caught:
            await model.client.complete(PROMPT, an_account(), within=2 * SECOND)

    assert len(script.asked) == 1
    assert "hello" not in str(caught.value)


@pytest.mark.parametrize("fault", [Fault.SERVER_ERROR, Fault.CUT, Fault.SILENCE])
async def test_what_may_pass_is_tried_again(fault):
    script = Script(answers={"hello": HELLO}, faults=[fault])
    async with a_model(script, llm_retries=1) as model:
        completion = await model.client.complete(PROMPT, an_account(), within=2 * SECOND)

    assert (completion.text, len(script.asked)) == (HELLO, 2)


async def test_the_providers_wish_to_wait_is_obeyed_within_the_turns_time():
    script = Script(answers={"hello": HELLO}, faults=[Fault.RATE_LIMITED], retry_after="0.3")
    async with a_model(script, llm_retries=1) as model:
        loop = asyncio.get_running_loop()
        began = loop.time()
        await model.client.complete(PROMPT, an_account(), within=2 * SECOND)

    assert loop.time() - began >= 0.3


async def test_a_wish_to_wait_for_longer_ends_the_call_at_once_and_keeps_others_away():
    script = Script(faults=[Fault.RATE_LIMITED], retry_after="600")
    async with a_model(script, llm_retries=3) as model:
        with pytest.raises(ModelUnavailable):
            await model.client.complete(PROMPT, an_account(), within=2 * SECOND)
        with pytest.raises(ModelPaused):
            await model.client.complete(PROMPT, an_account(), within=2 * SECOND)

    assert len(script.asked) == 1


async def test_missing_token_counts_are_estimated_and_say_so():
    script, account = Script(answers={"hello": HELLO}, always=Fault.NO_USAGE), an_account()
    async with a_model(script) as model:
        await model.client.complete(PROMPT, account, within=SECOND)

    assert account.used.in_envelope() == {"input_tokens": 5, "output_tokens": 5, "estimated": True}


async def test_a_provider_that_fails_in_a_row_is_left_alone_then_tried_with_one_call():
    script = Script(answers={"hello": HELLO}, faults=[Fault.SERVER_ERROR] * 2)
    async with a_model(script, llm_breaker_failures=2, llm_breaker_seconds=0.1) as model:
        for error in (ModelUnavailable, ModelUnavailable, ModelPaused):
            with pytest.raises(error):
                await model.client.complete(PROMPT, an_account(), within=SECOND)
        while model.client.breaker_state == "open":
            await asyncio.sleep(0.01)
        script.silence, script.always = timedelta(seconds=0.15), Fault.SILENCE
        asked = [model.client.complete(PROMPT, an_account(), within=SECOND) for _ in range(3)]
        answers = await asyncio.gather(*asked, return_exceptions=True)

        assert model.client.breaker_state == "closed"

    assert sorted(type(answer).__name__ for answer in answers) == ["Completion", "ModelPaused", "ModelPaused"]
    assert len(script.asked) == 3


async def test_a_turn_may_not_take_more_than_its_share():
    script, account = Script(answers={"hello": HELLO}), an_account()
    async with a_model(script, llm_turn_tokens=520) as model:
        await model.client.complete(PROMPT, account, within=SECOND)
        with pytest.raises(BudgetSpent):
            await model.client.complete(PROMPT, account, within=SECOND)

    assert len(script.asked) == 1


async def test_a_forbidden_address_is_never_called():
    script = Script()
    async with a_model(script, Means(policy=EgressPolicy())) as model:
        with pytest.raises(ModelRefused, match="may connect to"):
            await model.client.complete(PROMPT, an_account(), within=SECOND)

        assert model.capabilities.problem == "the model's address is not one we may connect to"
    assert script.asked == []
