"""Nothing personal in a message, in what is offered or in what is reworded reaches a model."""

import json
from datetime import timedelta

from self_service_agent.agent_service.flows.engine import Engine
from self_service_agent.agent_service.understanding.llm import LlmUnderstander
from self_service_agent.agent_service.understanding.rules import RulesUnderstander
from self_service_agent.agent_service.wording.service import ModelWording
from self_service_agent.doubles.openai.script import Script
from tests.agent_service.flows.conversation import Conversation, ScriptedTools, a_laptop, an_employee, shipped, where
from tests.agent_service.models.serving import a_model

PATIENCE = timedelta(seconds=2)
CANARIES = ("canary@private.example", "+49 171 2345678", "hf_canarycanarycanarycanary")
START = {"command": "start_flow", "flow": "laptop-refresh-agent/laptop_refresh"}
EMPLOYEE = an_employee(
    a_laptop(model=f"Latitude of {CANARIES[0]}, {CANARIES[1]}", serial_number=CANARIES[0], purchase_date="2021-03-14"),
    a_laptop(model=f"Precision with {CANARIES[2]}", serial_number="SN-2", purchase_date="2021-04-14"),
)


async def test_a_model_sees_placeholders_and_may_choose_by_them():
    script = Script(
        answers={
            "new laptop": json.dumps(START),
            "slower": json.dumps({"command": "choose", "choice": "[email 1]"}),
        }
    )
    async with a_model(script) as model:
        engine = Engine(
            shipped(),
            LlmUnderstander(model.client, RulesUnderstander(), patience=PATIENCE),
            wording=ModelWording(model.client, patience=PATIENCE),
        )
        conversation = Conversation(ScriptedTools(EMPLOYEE), engine=engine)
        asked = await conversation.say(f"I need a new laptop, call {CANARIES[1]} or write to {CANARIES[0]}")
        chosen = await conversation.say("whichever of them feels slower to you")
        await conversation.say(f"what was that about {CANARIES[2]}, my friend")
        sent = json.dumps(script.asked)

    assert all(canary in asked.content for canary in CANARIES)
    assert asked.envelope["choices"][0]["id"] == CANARIES[0]
    assert where(chosen) != where(asked)
    assert chosen.envelope["engine"] == "llm"
    assert [canary for canary in CANARIES if canary in sent] == []
    assert "[email 1]" in sent
