"""Definitions: the shipped ones load, wrong ones are refused with file, place and reason."""

import shutil
from pathlib import Path

import pytest
import yaml

from self_service_agent.agent_service.definitions.errors import DefinitionError
from self_service_agent.agent_service.definitions.loader import load_definitions, parse_definition

AGENTS = Path(__file__).parents[3] / "agents"
CONFIRM = {"id": "sure", "kind": "confirm", "action": "order", "summary": "it", "ask": "ok?", "declined": "bye"}
ORDER = {"id": "order", "kind": "call", "tool": "order", "save": "ticket"}
BYE = {"id": "bye", "kind": "end"}


def an_agent(*steps, **changes):
    flow = {"title": "order", "examples": ["order it"], "slots": {"ticket": {"type": "record"}}, "steps": list(steps)}
    return {
        "id": "shop",
        "version": "1",
        "name": "Shop",
        "summary": "Sells.",
        "tools": {"order": {"effect": "write"}, "find": {"effect": "read"}},
        "tables": {"goods": {"key": "code", "rows": [{"code": "a", "name": "A"}]}},
        "knowledge": {"terms": {"title": "Terms", "text": "## Price\nFree."}},
        "flows": {"buy": flow},
        **changes,
    }


def load(folder: Path, agent) -> None:
    (folder / "shop.yaml").write_text(yaml.safe_dump(agent), "utf-8")
    load_definitions(folder, default_agent_id="shop")


def test_the_shipped_definitions_load():
    definitions = load_definitions(AGENTS)

    assert {agent.id for agent in definitions} == {path.stem for path in AGENTS.glob("*.yaml")}
    assert definitions.default.id == "routing-agent"


def test_every_shipped_question_belongs_to_a_section_that_answers():
    document = load_definitions(AGENTS).current("laptop-refresh-agent").knowledge["laptop-refresh-policy"]

    assert document.questions.keys() <= document.sections.keys()
    assert all(document.text[s.start : s.end] == s.text for s in document.sections.values())


@pytest.mark.parametrize("agent_id", ["routing-agent", "laptop-refresh-agent", "echo-agent"])
def test_a_definition_comes_back_from_its_body(agent_id):
    agent = load_definitions(AGENTS).current(agent_id)

    restored = parse_definition(agent.body)

    assert (restored, restored.digest, restored.body) == (agent, agent.digest, agent.body)


def test_the_digest_covers_the_tables(tmp_path):
    shutil.copytree(AGENTS, tmp_path, dirs_exist_ok=True)
    table = tmp_path / "tables" / "refresh_policy.yaml"
    table.write_text(table.read_text("utf-8").replace("36", "48"), "utf-8")

    changed = load_definitions(tmp_path).current("laptop-refresh-agent")

    assert changed.digest != load_definitions(AGENTS).current("laptop-refresh-agent").digest


def test_a_write_behind_a_confirmation_is_accepted(tmp_path):
    load(tmp_path, an_agent(CONFIRM, ORDER, BYE))


def a_choice(**changes):
    return {
        "id": "pick",
        "kind": "choose",
        "slot": "ticket",
        "ask": "?",
        "label": "x",
        "table": "goods",
        "empty": "bye",
        **changes,
    }


def say(text, **changes):
    return {"id": "hi", "kind": "say", "text": text, **changes}


@pytest.mark.parametrize(
    ("agent", "problem"),
    [
        (an_agent(ORDER, BYE), "flows.buy.steps.order: order writes, and can be reached without a confirm"),
        (an_agent({**CONFIRM, "action": "other"}, ORDER, BYE), "order writes, and can be reached without a confirm"),
        (an_agent({**CONFIRM, "declined": "order"}, ORDER, BYE), "order writes, and can be reached without a confirm"),
        (an_agent(CONFIRM, {**ORDER, "next": "order"}, BYE), "order writes, and can be reached without a confirm"),
        (an_agent({**CONFIRM, "declined": "nowhere"}, ORDER, BYE), "steps.sure: unknown step nowhere"),
        (an_agent(say("x", next="nowhere")), "steps.hi: unknown step nowhere"),
        (an_agent(BYE, {"id": "lost", "kind": "end"}), "steps.lost: cannot be reached"),
        (an_agent(say("x"), say("y")), "steps: the id hi is used twice"),
        (an_agent(say("{nobody}")), "steps.hi.text: unknown slot nobody"),
        (an_agent({**ORDER, "tool": "steal"}), "steps.order.unknown tool steal"),
        (an_agent({**ORDER, "tool": "find", "save": "nothing"}), "steps.order.unknown slot nothing"),
        (an_agent(a_choice(table="stars"), BYE), "steps.pick.unknown table stars"),
        (an_agent(a_choice(label="{colour}"), BYE), "steps.pick.label: unknown slot colour"),
        (an_agent(a_choice(where="row.code == price"), BYE), "steps.pick.where: unknown slot price"),
        (an_agent(a_choice(where="lookup('x', row.code, 'y') == 1"), BYE), "steps.pick.where: unknown table x"),
        (an_agent(a_choice(table=None), BYE), "needs exactly one of table, rows and options"),
        (an_agent(a_choice(empty=None), BYE), "rows need a label, and a step to go to when there are none"),
        (an_agent({"id": "d", "kind": "decide", "set": [{"slot": "x", "value": "1"}]}), "steps.d.set: unknown slot x"),
        (an_agent({"id": "d", "kind": "decide", "cases": [{"when": "import os", "next": "d"}]}), "not an expression"),
        (
            an_agent({"id": "a", "kind": "answer", "document": "terms", "section": "Tax"}),
            "no section 'Tax' in document terms",
        ),
        (an_agent({"id": "a", "kind": "answer"}), "needs exactly one of document, table, rows and question"),
        (an_agent({"id": "a", "kind": "dance"}), "flows.buy.steps.0: Input tag 'dance'"),
        (an_agent(say("{x!r}")), "flows.buy.steps.0.say.text"),
        (an_agent(say("x", colour="red")), "flows.buy.steps.0.say.colour: Extra inputs are not permitted"),
        (an_agent(BYE, colour="red"), "shop.yaml: colour: Extra inputs are not permitted"),
        (an_agent(BYE, id="Shop!"), "shop.yaml: id: String should match pattern"),
        (an_agent(BYE, version=None), "shop.yaml: version: Input should be a valid string"),
        (an_agent(BYE, routes=["nobody"]), "shop: routes: unknown agent nobody"),
        (an_agent(BYE, flows={}, knowledge={}), "the agent has neither flows, nor routes, nor documents"),
        (an_agent(BYE, tools={"find": {"effect": "read", "reconcile": "x"}}), "tools.find.reconcile"),
        (an_agent(BYE, tables={"t": {"key": "k", "rows": [{"k": 1}, {"k": 1}]}}), "tables.t: the key k must be"),
        (
            an_agent(BYE, tables={"t": {"key": "k", "file": "../x.yaml"}}),
            "tables.t.file: ../x.yaml is outside the folder",
        ),
        (an_agent(BYE, tables={"t": {"key": "k", "file": "x.yaml"}}), "tables.t.file: x.yaml cannot be read"),
        (
            an_agent(BYE, knowledge={"k": {"title": "K", "text": "## A\nb", "questions": {"B": ["b?"]}}}),
            "knowledge.k.questions: no section 'B'",
        ),
        ([], "shop.yaml: must be a mapping"),
    ],
)
def test_a_wrong_definition_is_refused_with_its_place(agent, problem, tmp_path):
    with pytest.raises(DefinitionError) as refusal:
        load(tmp_path, agent)

    assert problem in str(refusal.value)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("a: [", "not readable YAML"),
        ("id: a\nid: b\n", "id is written twice"),
        ("a: !!python/object:os.x {}", "not readable YAML"),
    ],
)
def test_unreadable_yaml_is_refused(text, problem, tmp_path):
    (tmp_path / "shop.yaml").write_text(text, "utf-8")

    with pytest.raises(DefinitionError, match=problem):
        load_definitions(tmp_path)


def test_all_problems_are_told_at_once(tmp_path):
    for name in ("one", "two"):
        (tmp_path / f"{name}.yaml").write_text(yaml.safe_dump(an_agent(ORDER, BYE)), "utf-8")

    with pytest.raises(DefinitionError) as refusal:
        load_definitions(tmp_path)

    assert [problem.split(":")[0] for problem in refusal.value.problems] == ["one.yaml", "two.yaml"]


def test_an_agent_that_is_defined_twice_is_refused(tmp_path):
    for name in ("one", "two"):
        (tmp_path / f"{name}.yaml").write_text(yaml.safe_dump(an_agent(BYE)), "utf-8")

    with pytest.raises(DefinitionError, match="id: shop is defined twice"):
        load_definitions(tmp_path)


def test_a_default_agent_that_does_not_exist_stops_the_start():
    with pytest.raises(DefinitionError, match="the default agent nobody is not defined"):
        load_definitions(AGENTS, default_agent_id="nobody")


@pytest.mark.parametrize("body", ["{}", "not json", '{"id": "a"}'])
def test_a_stored_body_that_was_damaged_is_refused(body):
    with pytest.raises(DefinitionError, match="stored definition"):
        parse_definition(body)
