"""`ssa keys`: an operator makes the first key, and whoever is running hears of every change."""

import asyncio
import json

import pytest
from typer.testing import CliRunner

from self_service_agent.cli.keys import app
from self_service_agent.kit.notifications import Notifier
from self_service_agent.request_manager.keys.environment import EnvironmentKeys
from self_service_agent.request_manager.keys.service import ApiKeys
from self_service_agent.request_manager.keys.text import KeyKind, kind_of
from self_service_agent.shared_models import migrate


@pytest.fixture
def ssa(database, monkeypatch, tmp_path):
    """Return what runs `ssa keys` on the test's database."""
    variables = {"HOST": database.host, "PORT": str(database.port), "DB": database.database, "USER": database.user}
    for name, value in variables.items():
        monkeypatch.setenv(f"POSTGRES_{name}", value)
    monkeypatch.setenv("SSA_HOME", str(tmp_path))
    monkeypatch.setenv("WEB_API_KEYS", '{"the-key-of-the-environment": "bob@company.com"}')

    async def run(*arguments):
        return await asyncio.to_thread(CliRunner().invoke, app, arguments)

    return run


async def test_the_first_key_is_made_before_anybody_can_log_in(ssa, pool):
    done = await ssa("create", "first", "--user", "root@company.com", "--role", "admin", "--days", "30")

    text = done.stdout.splitlines()[-1]
    owner = await ApiKeys(pool, Notifier(), EnvironmentKeys()).find(text)
    assert (done.exit_code, kind_of(text)) == (0, KeyKind.PERSON)
    assert (owner.email, owner.roles) == ("root@company.com", {"admin"})
    row = await pool.fetchrow("SELECT actor_kind, action FROM audit_log")
    assert tuple(row) == ("operator", "key.create")


async def test_every_command_speaks_json(ssa):
    made = json.loads(
        (await ssa("create", "monitor", "--tool", "monitor", "--scope", "requests:write", "--json")).stdout
    )
    rotated = json.loads((await ssa("rotate", made["key_id"], "--overlap", "60", "--json")).stdout)
    revoked = json.loads((await ssa("revoke", rotated["key_id"], "--json")).stdout)
    listed = json.loads((await ssa("list", "--json")).stdout)

    assert (made["tool_id"], made["scopes"], kind_of(made["key"])) == ("monitor", ["requests:write"], KeyKind.TOOL)
    assert (rotated["tool_id"], revoked["state"]) == ("monitor", "revoked")
    states = [(key["origin"], key["state"]) for key in listed]
    assert states == [("environment", "active"), ("stored", "revoked"), ("stored", "active")]
    assert made["key"] not in json.dumps(listed)


async def test_a_list_is_a_table_of_what_may_be_shown(ssa):
    made = json.loads((await ssa("create", "laptop", "--user", "alice.johnson", "--json")).stdout)

    lines = (await ssa("list")).stdout.splitlines()

    assert [line.split()[1] for line in lines] == ["key", "the…", f"{made['hint']}…"]
    assert "alice.johnson" in lines[-1]
    assert lines[-1].rstrip().endswith("active")


async def test_a_revocation_is_heard_by_those_who_run(ssa, database, pool):
    made = json.loads((await ssa("create", "laptop", "--user", "alice.johnson", "--json")).stdout)
    notifier = Notifier()
    keys = ApiKeys(pool, notifier, EnvironmentKeys())
    async with notifier.running(database):
        assert await keys.find(made["key"]) is not None
        heard = notifier.wakeup("api-keys")

        done = await ssa("revoke", made["key_id"])

        async with asyncio.timeout(5):
            await heard.wait()
        assert await keys.find(made["key"]) is None
    assert done.stdout == f"{made['hint']}… (laptop) is revoked\n"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("create", "nobody's"), "name the --user or the --tool"),
        (("create", "both", "--user", "a", "--tool", "b"), "name the --user or the --tool"),
        (("create", "king", "--tool", "b", "--role", "admin"), "cannot have the roles admin"),
        (("create", "long", "--user", "x" * 300), "1 to 255 characters"),
        (("create", "x" * 300, "--tool", "b"), "too long"),
        (("revoke", "nothing"), "There is no such key"),
        (("rotate", "nothing"), "There is no such key"),
    ],
)
async def test_what_cannot_be_done_is_said_in_one_line(ssa, arguments, words):
    done = await ssa(*arguments)

    assert (done.exit_code, done.stdout) == (1, "")
    assert done.stderr.startswith("ssa: ")
    assert words in done.stderr
    assert done.stderr.count("\n") == 1


async def test_without_tables_the_command_says_what_makes_them(ssa, database):
    await migrate.downgrade(database, revision="base")

    done = await ssa("list")

    assert (done.exit_code, done.stderr) == (1, "ssa: the database has no tables for keys yet; run `ssa migrate`\n")
