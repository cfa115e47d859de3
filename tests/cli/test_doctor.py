"""The doctor: one line for everything that a start needs, and advice where something is wrong."""

import json
import socket
from contextlib import closing
from urllib.parse import urlsplit

from self_service_agent.cli.doctor import installation, report, storage, surroundings
from self_service_agent.cli.doctor.report import State
from self_service_agent.doubles.mailbox import Mailbox
from self_service_agent.doubles.receiver import Receiver
from self_service_agent.kit.database import DatabaseSettings

from .command import ssa


def states(done):
    return {check["name"]: check["state"] for check in json.loads(done.stdout)["checks"]}


def test_a_running_system_is_healthy(system, house):
    done = ssa("doctor", "--json", "--port", str(urlsplit(system).port), home=house)

    assert done.returncode == 0
    assert states(done) == dict.fromkeys(
        [
            "Python", "packages", "event loop", "settings", "SSA_HOME", "agents", "embeddings", "channels",
            "PostgreSQL", "migrations", "port", "production",
        ],
        "ok",
    )  # fmt: skip


def test_production_names_every_variable_that_is_missing_or_unsafe(tmp_path):
    keys = json.dumps({"alice.johnson": "alice.johnson@company.com"})

    done = ssa(
        "doctor", "--port", "0", home=tmp_path, SSA_ENV="production", WEB_API_KEYS=keys,
        ALLOW_ANONYMOUS_GENERIC="true", SMTP_HOST="127.0.0.1",
    )  # fmt: skip

    assert done.returncode == 1
    for name in (
        "SERVICE_TOKEN_SECRET", "SERVICENOW_INSTANCE_URL", "WEB_API_KEYS", "ALLOW_ANONYMOUS_GENERIC", "FROM_EMAIL",
    ):  # fmt: skip
        assert name in done.stdout
    assert all(line.startswith(("✔", "!", "✘")) for line in done.stdout.splitlines())


def test_what_makes_no_sense_is_named_before_anything_is_looked_at(tmp_path):
    done = ssa("doctor", "--json", home=tmp_path, AGENT_TIMEOUT="soon", POSTGRES_PORT="x")

    checks = json.loads(done.stdout)
    assert (done.returncode, checks["healthy"]) == (1, False)
    assert checks["checks"][-1]["state"] == "broken"
    assert "AGENT_TIMEOUT" in checks["checks"][-1]["detail"]
    assert "POSTGRES_PORT" in checks["checks"][-1]["detail"]


async def test_a_database_that_refuses_is_broken(tmp_path):
    (finding,) = await storage.database(DatabaseSettings(postgres_host="127.0.0.1", postgres_port=9), tmp_path)

    assert finding.state is State.BROKEN


async def test_the_tables_are_compared_with_this_release(database, pool, tmp_path):
    settings = DatabaseSettings(postgres_host=database.host, postgres_db=database.database)

    at_head = await storage.database(settings, tmp_path)
    await pool.execute("UPDATE alembic_version SET version_num = 'old'")
    behind = await storage.database(settings, tmp_path)

    assert [finding.state for finding in at_head] == [State.OK, State.OK]
    assert [finding.state for finding in behind] == [State.OK, State.WARNING]


def test_a_home_that_cannot_be_written_is_broken():
    assert installation.home(installation.Path("/dev/null/home")).state is State.BROKEN


async def test_a_free_port_is_fine_and_a_foreign_one_is_not():
    async with Receiver.open() as somebody:
        taken = await surroundings.port("127.0.0.1", urlsplit(somebody.url).port)

    assert taken.state is State.BROKEN
    assert (await surroundings.port("127.0.0.1", 0)).state is State.OK


async def test_a_mail_server_is_known_by_its_greeting():
    async with Mailbox.open() as mailbox:
        found = await surroundings.mail_server(mailbox.host, mailbox.port)
    with closing(socket.create_server(("127.0.0.1", 0))) as closed:
        port = closed.getsockname()[1]
    nobody = await surroundings.mail_server("127.0.0.1", port)

    assert (found.state, nobody.state) == (State.OK, State.BROKEN)


async def test_any_answer_of_servicenow_will_do():
    async with Receiver.open() as instance:
        instance.script(401)
        found = await surroundings.servicenow(instance.url)
        url = instance.url
    gone = await surroundings.servicenow(url)

    assert (found.state, gone.state) == (State.OK, State.BROKEN)


def test_a_warning_is_not_broken():
    finding = report.warning("SSA_HOME", "small", "make room")

    assert not report.has_broken([finding])
    assert report.as_text([finding]) == "! SSA_HOME  small → make room"
