"""Drawings of flows: every step and way is in them, and nothing of a definition is markup."""

from xml.etree import ElementTree as ET

import pytest

from self_service_agent.agent_service.agents.drawing import mermaid, svg
from self_service_agent.agent_service.agents.layers import rows_of, ways_of
from self_service_agent.agent_service.definitions.models import Flow
from tests.agent_service.flows.conversation import shipped

FLOWS = [(agent.id, name, flow) for agent in shipped() for name, flow in agent.flows.items()]
HOSTILE = '</text><script>alert(1)</script>"]; click s0 href'
SVG = "{http://www.w3.org/2000/svg}"


@pytest.mark.parametrize(("agent", "name", "flow"), FLOWS, ids=lambda value: value if isinstance(value, str) else "")
def test_every_step_and_way_is_drawn(agent, name, flow):
    root = ET.fromstring(svg(flow))  # noqa: S314  # our own text
    written = [element.text for element in root.iter(f"{SVG}text")]
    paths = [element for element in root.iter(f"{SVG}path") if element.get("class") == "way"]

    assert {step.id for step in flow.steps} <= set(written)
    assert len(paths) == len(ways_of(flow)) == mermaid(flow).count("-->")


def test_no_two_steps_stand_at_one_place():
    for _, _, flow in FLOWS:
        places = rows_of(flow)
        assert len(set(places.values())) == len(places) == len(flow.steps)


def test_what_a_definition_says_is_never_markup():
    flow = Flow.model_validate(
        {
            "title": HOSTILE,
            "examples": ["x"],
            "steps": [
                {"id": "a", "kind": "decide", "cases": [{"when": f"user.id == {HOSTILE!r}", "next": "b"}]},
                {"id": "b", "kind": "end"},
            ],
        }
    )

    root = ET.fromstring(svg(flow))  # noqa: S314  # our own text

    assert list(root.iter(f"{SVG}script")) == []
    assert root.find(f"{SVG}title").text == HOSTILE
    assert "<" not in mermaid(flow)
    assert mermaid(flow).count('"') == 2 * (len(flow.steps) + len(ways_of(flow)))
