"""`ssa knowledge` does on the database in use what the guide says."""

import json

import pytest
from typer.testing import CliRunner

from self_service_agent.cli.main import app

LUNCH = "# Canteen\n\n## Opening hours\nLunch is served from 11:30 until 14:00.\n"


@pytest.fixture
def run(database, monkeypatch):
    """Return what runs a command on this test's database, by words alone."""
    monkeypatch.setenv("POSTGRES_HOST", database.host)
    monkeypatch.setenv("POSTGRES_PORT", str(database.port))
    monkeypatch.setenv("POSTGRES_DB", database.database)
    monkeypatch.setenv("EMBEDDINGS", "off")

    def ran(*arguments: str):
        return CliRunner().invoke(app, ["knowledge", *arguments])

    return ran


def test_documents_are_added_listed_searched_and_removed(run, tmp_path):
    path = tmp_path / "canteen.md"
    path.write_text(LUNCH, "utf-8")

    added = [run("add", str(path), "--base", "office").stdout for _ in range(2)]
    listed = json.loads(run("list", "--json").stdout)
    searched = json.loads(run("search", "When is lunch served?", "--base", "office", "--json").stdout)
    removed = run("remove", "canteen.md", "--base", "office")

    assert added == ["added: canteen.md (Canteen)\n", "unchanged: canteen.md (Canteen)\n"]
    assert [(row["base"], row["name"], row["passages"]) for row in listed] == [("office", "canteen.md", 1)]
    assert searched["retrieval"] == "lexical"
    assert searched["found"][0]["found_by"] == {"words": 1}
    assert "11:30" in searched["found"][0]["text"]
    assert removed.stdout == "removed: canteen.md\n"
    assert json.loads(run("list", "--json").stdout) == []


def test_who_reads_for_a_group_is_said_by_name(run, tmp_path):
    assert run("reader", "alice.johnson", "--group", "hr").stdout == "alice.johnson: groups hr; regions none\n"


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["remove", "no.md", "--base", "office"], "no document no.md"),
        (["add", "{file}", "--base", "Not A Base"], "cannot name a base"),
    ],
)
def test_what_cannot_be_done_is_said_in_one_line(run, tmp_path, *, arguments, reason):
    path = tmp_path / "a.md"
    path.write_text(LUNCH, "utf-8")

    ended = run(*(argument.format(file=path) for argument in arguments))

    assert ended.exit_code == 1
    assert reason in ended.stderr
