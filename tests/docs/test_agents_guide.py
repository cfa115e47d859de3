"""The agent that the guide builds loads and answers as the guide shows; the guide lists what steps there are."""

import re
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import get_args

import pytest

from self_service_agent.agent_service.definitions.loader import load_definitions
from self_service_agent.agent_service.definitions.models import AgentDefinition
from self_service_agent.agent_service.definitions.steps import AnyStep, Step
from self_service_agent.agent_service.definitions.texts import Texts
from self_service_agent.doubles.servicenow.orders import OrderBook
from tests.agent_service.flows.conversation import Conversation, an_engine
from tests.agent_service.flows.servicenow import ServiceNowTools
from tests.docs.pages import GUIDES, ROOT, blocks, rows, section
from tests.mcp_servers.servicenow.house import a_house

GUIDE = GUIDES / "agents.md"


@pytest.fixture
def folder(tmp_path) -> Path:
    """The folder of agents after everything that the guide says was done."""
    shutil.copytree(ROOT / "agents", tmp_path, dirs_exist_ok=True)
    agent, table, route = (block.text for block in blocks(GUIDE, "yaml"))
    (document,) = (block.text for block in blocks(GUIDE, "markdown"))
    (tmp_path / "parking-agent.yaml").write_text(agent, "utf-8")
    (tmp_path / "tables" / "car_parks.yaml").write_text(table, "utf-8")
    (tmp_path / "knowledge" / "parking-rules.md").write_text(document, "utf-8")
    routing = tmp_path / "routing-agent.yaml"
    routing.write_text(routing.read_text("utf-8").rstrip() + "\n" + route, "utf-8")
    return tmp_path


@asynccontextmanager
async def a_conversation(folder: Path) -> AsyncIterator[tuple[Conversation, OrderBook]]:
    async with a_house() as house:
        yield Conversation(ServiceNowTools(house), an_engine(load_definitions(folder))), house.book


async def test_the_conversation_of_the_guide_goes_as_printed(folder):
    (printed,) = (block.text for block in blocks(GUIDE, "") if "ssa chat" in block.text)

    async with a_conversation(folder) as (conversation, book):
        for said, answer in re.findall(r"^you > (.+)\n((?:.|\n)+?)(?=\nyou > |\Z)", printed, re.MULTILINE):
            assert (await conversation.say(said)).content.split() == answer.split()

    [order] = book.orders
    assert (order.item_id, order.variables["number_plate"]) == ("parking-permit", "AB-C 123")


async def test_nothing_is_ordered_without_a_yes(folder):
    async with a_conversation(folder) as (conversation, book):
        answer = await conversation.hear("I need a parking permit", "1", "AB-C 123", "no")

    assert "nothing was ordered" in answer.content
    assert book.orders == ()


def test_every_kind_of_step_is_listed_with_its_fields():
    listed = {
        cells[0].strip("`"): set(re.findall(r"\(?`\w+`\)?", cells[2]))
        for cells in rows(section(GUIDE, "Steps"))
        if cells[0].startswith("`")
    }
    union = get_args(AnyStep)[0]

    assert listed == {get_args(kind.model_fields["kind"].annotation)[0]: _fields(kind) for kind in get_args(union)}


def test_every_field_of_a_definition_is_listed():
    table = rows(section(GUIDE, "What a definition holds"))

    named = {name for cells in table for name in re.findall(r"`(\w+)`", cells[0])}

    assert named == set(AgentDefinition.model_fields)
    assert "texts" in named
    assert Texts.model_fields


def _fields(kind: type[Step]) -> set[str]:
    own = {name: field for name, field in kind.model_fields.items() if name not in {"id", "next", "kind"}}
    return {f"`{name}`" if field.is_required() else f"(`{name}`)" for name, field in own.items()}
