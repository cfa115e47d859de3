"""A model without a model: it knows what the phrases of the bank mean, and answers in the form that it is asked for."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from pydantic import HttpUrl

from self_service_agent.agent_service.models.settings import ModelSettings
from self_service_agent.doubles.openai.script import Fault, Script

from .phrases import PhraseBank
from .scenarios import Scenario

MODEL = "scripted-1"
_ACTS: Mapping[str, str] = {
    "cancel": "cancel",
    "changed-mind": "cancel",
    "human": "human",
    "status": "status",
    "repeat": "repeat",
    "back": "back",
    "help": "help",
}
_PLENTY = 1_000_000_000


@dataclass(kw_only=True)
class KnowingScript(Script):
    """Answers by `meanings`: what each form of the bank means, in small letters; the rest by the schema alone."""

    meanings: Mapping[str, dict[str, Any]] = field(default_factory=dict)

    def text_for(self, said: str, schema: Mapping[str, Any] | None, fault: Fault | None) -> str:
        """Return the meaning of the message; a value is what was written, and what is not known is not guessed."""
        if schema is None or fault is not None:
            return super().text_for(said, schema, fault)
        text = _message(said)
        found = self.meanings.get(text.lower().strip(" .!?"))
        possible = schema["properties"]["command"]["enum"]
        if found is not None and found["command"] in possible:
            slots = [slot for slot in schema["properties"]["slot"]["enum"] if slot]
            return json.dumps({**found, "slot": slots[-1]} if found["command"] == "correct" else found)
        if "set_value" in possible:
            return json.dumps({"command": "set_value", "value": text})
        return json.dumps({"command": "cannot_handle"})


def knowing_script(bank: PhraseBank, flows: Mapping[str, str], scenarios: Iterable[Scenario] = ()) -> KnowingScript:
    """Return the script for a phrase bank; `flows` are the flows that exist, `agent/flow` by the flow's name.

    What a person says in a scenario when they think differently is a correction to what they answer from then on.
    """
    meanings: dict[str, dict[str, Any]] = {}
    for deviation in (each for scenario in scenarios for each in scenario.deviations):
        if deviation.says is not None and deviation.answers:
            choice = next(iter(deviation.answers.values()))
            meanings[deviation.says.lower().strip(" .!?")] = {"command": "correct", "choice": choice}
    for act, form in bank.forms():
        if meaning := _meaning(act, flows):
            meanings[form.lower().strip(" .!?")] = meaning
    return KnowingScript(meanings=meanings, model=MODEL)


def scripted_model(url: str) -> ModelSettings:
    """Return the settings that let the model at `url` understand."""
    return ModelSettings.model_construct(
        openai_base_url=HttpUrl(url),
        llm_model=MODEL,
        understander="llm",
        llm_daily_tokens=_PLENTY,
        llm_session_tokens=_PLENTY,
    )


def _meaning(act: str, flows: Mapping[str, str]) -> dict[str, Any] | None:
    wish = act.partition("+")[0]
    if wish in flows:
        return {"command": "start_flow", "flow": flows[wish]}
    if act.startswith("question-"):
        return {"command": "ask_knowledge"}
    return {"command": _ACTS[act]} if act in _ACTS else None


def _message(said: str) -> str:
    try:
        return str(json.loads(said)["message"])
    except (ValueError, KeyError, TypeError):
        return said
