"""A model on the line: the real client in front of the scripted peer."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

from self_service_agent.agent_service.models.opening import Means, OpenModel, open_model
from self_service_agent.agent_service.models.port import Account, Message, Prompt
from self_service_agent.agent_service.models.settings import ModelSettings
from self_service_agent.doubles.openai.app import create_app
from self_service_agent.doubles.openai.script import Script
from self_service_agent.kit.http.egress import EgressPolicy
from tests.doubles_servicenow.serving import serving

SECOND = timedelta(seconds=1)
HERE = Means(policy=EgressPolicy(allow_loopback=True))
PROMPT = Prompt(
    purpose="understanding",
    instructions="Say hello.",
    messages=(Message(role="user", content="hello"),),
    schema={"type": "object", "properties": {"word": {"type": ["string", "null"], "enum": ["hello", None]}}},
)


def model_settings(url: str, **changes: Any) -> ModelSettings:
    """Return settings that ask the peer at `url`, and lose patience quickly."""
    quick = {"llm_timeout_seconds": 2, "llm_idle_seconds": 0.2, "llm_turn_seconds": 2, "llm_retries": 0}
    return ModelSettings(**{"llama_stack_url": url, "llm_model": "scripted-1", **quick, **changes})


@asynccontextmanager
async def a_model(script: Script, means: Means = HERE, **changes: Any) -> AsyncIterator[OpenModel]:
    """Yield the model that answers by `script`, probed; what the probe asked is forgotten."""
    faults, script.faults = script.faults, []
    always, script.always = script.always, None
    async with serving(create_app(script)) as url, open_model(model_settings(url, **changes), means) as model:
        await model.probed.wait()
        script.asked.clear()
        script.faults, script.always = faults, always
        yield model


def an_account(session_id: str = "session-1") -> Account:
    return Account(session_id=session_id)
