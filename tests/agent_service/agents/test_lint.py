"""The linter: what is wrong, what only looks wrong, and that it says nothing about the shipped definitions."""

import pytest
import yaml

from self_service_agent.agent_service.agents.lint import Finding, lint
from tests.agent_service.flows.conversation import AGENTS

END = {"id": "end", "kind": "end"}
ASK = {"id": "ask", "kind": "collect", "slot": "name", "ask": "?"}
GREET = {"id": "greet", "kind": "say", "text": "Hello {name}."}
FIND = {"id": "find", "kind": "call", "tool": "find", "save": "found", "refused": "greet"}


def an_agent(*steps, flow=None, **changes):
    slots = {"name": {}, "found": {"type": "record"}}
    used = {slot: form for slot, form in slots.items() if f"'{slot}'" in str(steps) or f"{{{slot}}}" in str(steps)}
    basic = {"title": "greet somebody", "examples": ["say hello"], "slots": used, "steps": list(steps)}
    return {
        "id": "greeter",
        "version": "1",
        "name": "Greeter",
        "summary": "Greets.",
        "routes": ["greeter"],
        "flows": {"greet": {**basic, **(flow or {})}},
        **changes,
    }


def findings(folder, *agents):
    for number, agent in enumerate(agents):
        (folder / f"agent-{number}.yaml").write_text(yaml.safe_dump(agent), "utf-8")
    return lint(folder)


def test_the_shipped_definitions_are_clean():
    assert lint(AGENTS) == []


@pytest.mark.parametrize(
    ("agent", "finding"),
    [
        pytest.param(an_agent(ASK, GREET, END), None, id="nothing"),
        pytest.param(
            an_agent(GREET, ASK, END),
            Finding("error", "flows.greet.steps.greet.text: name is filled by no step before this one"),
            id="used before it is filled",
        ),
        pytest.param(
            an_agent({**ASK, "id": "a", "next": "b"}, {"id": "b", "kind": "say", "text": "{name}"}, END),
            None,
            id="filled on the only way",
        ),
        pytest.param(
            an_agent(
                {"id": "d", "kind": "decide", "cases": [{"when": "user.id == 'a'", "next": "greet"}]}, ASK, GREET, END
            ),
            Finding("warning", "flows.greet.steps.greet.text: name is not filled on every way to this step"),
            id="filled on one way only",
        ),
        pytest.param(
            an_agent({"id": "hi", "kind": "say", "text": "Hi."}, END, flow={"slots": {"name": {}}}),
            Finding("warning", "flows.greet.slots.name: no step fills or uses it"),
            id="a slot for nothing",
        ),
        pytest.param(
            an_agent(ASK, END),
            Finding("warning", "flows.greet.slots.name: no text or rule uses it"),
            id="a slot that nothing uses",
        ),
        pytest.param(
            an_agent({"id": "hi", "kind": "say", "text": "Hi."}, {"id": "d", "kind": "decide", "next": "hi"}),
            Finding("error", "flows.greet.steps.hi: comes back to itself without waiting for anything"),
            id="a circle",
        ),
        pytest.param(
            an_agent(ASK, GREET, {"id": "d", "kind": "decide", "next": "ask"}), None, id="a circle that asks every time"
        ),
        pytest.param(
            an_agent(ASK, GREET, END, tools={"find": {"effect": "read"}}),
            Finding("warning", "tools.find: no step calls it"),
            id="a tool for nothing",
        ),
        pytest.param(
            an_agent(ASK, GREET, END, tables={"t": {"key": "k", "rows": [{"k": 1}]}}),
            Finding("warning", "tables.t: nothing uses it"),
            id="a table for nothing",
        ),
        pytest.param(
            an_agent(ASK, GREET, END, routes=[]),
            Finding("warning", "no agent routes to greeter"),
            id="an agent that nobody reaches",
        ),
        pytest.param(
            an_agent(FIND, {"id": "show", "kind": "say", "text": "{found.x}", "next": "end"}, GREET, END,
                     tools={"find": {"effect": "read"}}, flow={"slots": {"name": {}, "found": {"type": "record"}}}),
            Finding("error", "flows.greet.steps.greet.text: name is filled by no step before this one"),
            id="a refusal fills nothing",
        ),
    ],
)  # fmt: skip
def test_one_thing_is_found(tmp_path, agent, finding):
    found = [Finding(each.level, each.text.removeprefix("agent-0.yaml: ")) for each in findings(tmp_path, agent)]

    assert found[:1] == ([finding] if finding else [])


def test_flows_that_the_same_words_start_are_found(tmp_path):
    first = an_agent(ASK, GREET, END)
    second = {**first, "id": "other", "flows": {"hail": {**first["flows"]["greet"], "title": "hail somebody"}}}

    found = findings(tmp_path, first, {**second, "routes": ["other"]})

    assert [each.text for each in found] == [
        "agent-0.yaml: flows.greet.examples: the same words start agent-1.yaml: flows.hail: say"
    ]


def test_errors_of_one_file_do_not_hide_what_is_in_the_others(tmp_path):
    found = findings(tmp_path, {"id": "broken"}, an_agent(GREET, ASK, END))

    assert {each.text.split(":")[0] for each in found if each.level == "error"} == {"agent-0.yaml", "agent-1.yaml"}


def test_a_folder_without_definitions_is_an_error(tmp_path):
    assert [each.level for each in lint(tmp_path)] == ["error"]


UNREADABLE = [
    pytest.param(b"id: x\nname: B\xfcro\n", "odd.yaml cannot be read: it is not UTF-8 (byte 13 is not)", id="Latin-1"),
    pytest.param(b"a: " + b"[" * 5000, "odd.yaml: is nested too deeply", id="nested"),
    pytest.param(b"version: 2026-13-45\n", "odd.yaml: not readable YAML: month must be in 1..12", id="no such date"),
    pytest.param(b"id: x\ntables: [a]\n", "odd.yaml: tables: Input should be a valid dictionary", id="list of tables"),
    pytest.param(b"id: x\nknowledge: a\n", "odd.yaml: knowledge: Input should be a valid dictionary", id="text"),
    pytest.param(
        b"id: x\ntables: {a: {file: a.csv}}\n", "odd.yaml: tables.a.file: a.csv cannot be read", id="no table"
    ),
    pytest.param(b"id: x\ntables: {a: {file: .}}\n", "odd.yaml: tables.a.file: . cannot be read", id="a folder"),
    pytest.param(b'id: x\ntables: {a: {file: "\\0"}}\n', "odd.yaml: tables.a.file: '\\x00' cannot be read", id="NUL"),
]


@pytest.mark.parametrize(("content", "problem"), UNREADABLE)
def test_a_file_that_cannot_be_read_is_an_error_with_its_name(tmp_path, content, problem):
    (tmp_path / "odd.yaml").write_bytes(content)

    errors = [finding.text for finding in lint(tmp_path) if finding.level == "error"]

    assert any(error.startswith(problem) for error in errors), errors


def test_a_link_to_nothing_is_an_error_and_an_editors_own_files_are_none(tmp_path):
    (tmp_path / ".#greeter.yaml").symlink_to("somebody@somewhere.1234")
    agents = [an_agent(ASK, GREET, END)]
    assert findings(tmp_path, *agents) == []

    (tmp_path / "lost.yaml").symlink_to("nothing")

    assert findings(tmp_path, *agents) == [Finding("error", "lost.yaml cannot be read: there is no such file")]
