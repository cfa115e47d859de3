"""The published schema is the one of the code, and the shipped definitions are written by it."""

import json

import jsonschema_rs
import pytest
import yaml

from self_service_agent.agent_service.definitions.schema import author_schema
from tests.agent_service.flows.conversation import AGENTS

VALIDATOR = jsonschema_rs.validator_for(author_schema())


def test_the_shipped_copy_is_current():
    assert json.loads((AGENTS / "agent.schema.json").read_text("utf-8")) == author_schema()


@pytest.mark.parametrize("path", sorted(AGENTS.glob("*.yaml")), ids=lambda path: path.stem)
def test_a_shipped_definition_is_valid_and_names_its_schema(path):
    text = path.read_text("utf-8")

    assert [error.message for error in VALIDATOR.iter_errors(yaml.safe_load(text))] == []
    assert text.startswith("# yaml-language-server: $schema=agent.schema.json\n")


@pytest.mark.parametrize(
    "change",
    [
        {"colour": "red"},
        {"id": "Not An Id"},
        {"flows": {"f": {"title": "t", "examples": ["e"], "steps": [{"id": "a", "kind": "dance"}]}}},
        {"flows": {"f": {"title": "t", "examples": ["e"], "steps": [{"id": "a", "kind": "say"}]}}},
        {"tables": {"t": {"key": "k"}}},
        {"tables": {"t": {"key": "k", "file": "x.yaml", "rows": [{"k": 1}]}}},
    ],
)
def test_what_the_loader_would_refuse_is_invalid(change):
    agent = {"id": "a", "version": "1", "name": "A", "summary": "A.", "say": "Hi."}

    assert VALIDATOR.is_valid(agent)
    assert not VALIDATOR.is_valid({**agent, **change})
