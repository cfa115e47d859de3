"""Which model is used, and where it is looked for."""

import pytest
from pydantic import ValidationError

from self_service_agent.agent_service.models.breaker import Breaker
from self_service_agent.agent_service.models.settings import ModelSettings

STACK, OWN = {"llama_stack_url": "http://stack:8321"}, {"openai_base_url": "http://vllm:8000/v1/"}
MODEL = {"llm_model": "m"}


@pytest.mark.parametrize(
    ("variables", "engine", "url"),
    [
        ({}, "rules", None),
        ({"openai_api_key": "k"}, "rules", "https://api.openai.com/v1"),
        ({**MODEL, "openai_api_key": "k"}, "llm", "https://api.openai.com/v1"),
        ({**MODEL, **OWN}, "llm", "http://vllm:8000/v1"),
        ({**MODEL, **STACK}, "llm", "http://stack:8321/v1/openai/v1"),
        ({**MODEL, **STACK, **OWN, "llamastack_openai_base_path": "v1"}, "llm", "http://stack:8321/v1"),
        ({**MODEL, **STACK, "understander": "rules"}, "rules", "http://stack:8321/v1/openai/v1"),
    ],
)
def test_a_configured_model_is_used_where_it_is(variables, engine, url):
    settings = ModelSettings(**variables)

    assert (settings.engine, settings.base_url) == (engine, url)


@pytest.mark.parametrize(
    ("variables", "named"),
    [({"understander": "llm"}, "LLM_MODEL"), ({"wording": "llm"}, "LLM_MODEL"), (MODEL, "LLAMA_STACK_URL")],
)
def test_what_is_missing_is_named(variables, named):
    with pytest.raises(ValidationError, match=named):
        ModelSettings(**variables)


def test_a_key_goes_to_its_own_provider_only():
    keys = {"llamastack_api_key": "stack-key", "openai_api_key": "own-key"}

    assert ModelSettings(**STACK, **keys).api_key == "stack-key"
    assert ModelSettings(**OWN, **keys).api_key == "own-key"
    assert ModelSettings(**STACK, openai_api_key="own-key").api_key == "none"


def test_the_way_of_a_breaker():
    breaker = Breaker(failures=2, pause=10)
    states = [breaker.state(0)]
    for moment in (1, 2):
        breaker.failed(moment)
        states.append(breaker.state(moment))
    states.append(breaker.state(12))
    trials = [breaker.admits(12), breaker.admits(12)]
    breaker.failed(13)
    after_a_failed_trial = [breaker.state(22), breaker.state(23), breaker.admits(23)]
    breaker.abandoned()
    again = breaker.admits(23)
    breaker.succeeded()

    assert states == ["closed", "closed", "open", "half-open"]
    assert (trials, after_a_failed_trial, again) == ([True, False], ["open", "half-open", True], True)
    assert breaker.state(23) == "closed"
