"""`ssa agents` as an author uses it."""

import json
import shutil

import pytest
from typer.testing import CliRunner

from self_service_agent.cli.main import app
from tests.agent_service.flows.conversation import AGENTS


def run(*words):
    return CliRunner().invoke(app, ["agents", *words])


def test_the_shipped_definitions_pass_even_strictly():
    result = run("lint", str(AGENTS), "--strict")

    assert (result.exit_code, result.output) == (0, "0 errors, 0 warnings\n")


@pytest.mark.parametrize(("words", "code"), [((), 0), (("--strict",), 1)])
def test_warnings_fail_only_strictly(tmp_path, words, code):
    folder = shutil.copytree(AGENTS, tmp_path / "agents")
    path = folder / "helpdesk-agent.yaml"
    path.write_text(path.read_text("utf-8") + "tables: {t: {key: k, rows: [{k: 1}]}}\n", "utf-8")

    result = run("lint", str(folder), *words)

    assert result.exit_code == code
    assert "warning: helpdesk-agent.yaml: tables.t: nothing uses it" in result.output


def test_errors_name_file_place_and_reason(tmp_path):
    (tmp_path / "a.yaml").write_text("id: a\nversion: '1'\n", "utf-8")

    result = run("lint", str(tmp_path))

    assert result.exit_code == 1
    assert "error: a.yaml: name: Field required" in result.output


def test_agents_are_listed_shown_and_drawn():
    listed = json.loads(run("list", "--folder", str(AGENTS), "--json").output)
    shown = json.loads(run("show", "helpdesk-agent", "--folder", str(AGENTS)).output)
    drawn = run("graph", "helpdesk-agent", "--folder", str(AGENTS), "--format", "svg").output

    assert {agent["id"] for agent in listed} == {path.stem for path in AGENTS.glob("*.yaml")}
    assert [step["kind"] for step in shown["flows"][0]["steps"]] == ["collect", "handoff"]
    assert drawn.startswith("<svg ")
    assert run("graph", "helpdesk-agent", "--folder", str(AGENTS)).output.startswith("flowchart TD\n")


@pytest.mark.parametrize(
    "words", [("show", "nobody"), ("graph", "helpdesk-agent", "--flow", "nothing"), ("graph", "echo-agent")]
)
def test_what_is_not_there_is_said(words):
    assert run(*words, "--folder", str(AGENTS)).exit_code == 1


def test_the_schema_is_printed():
    assert json.loads(run("schema").output)["title"] == "Agent definition"
