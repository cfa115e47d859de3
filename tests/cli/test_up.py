"""Starting: what is at fault is said in one line, and nothing is started that was not asked for."""

import os
import pty
import signal
import socket
import subprocess
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from .command import PATIENCE_SECONDS, ssa, started

PRODUCTION = {
    "SSA_ENV": "production",
    "SERVICE_TOKEN_SECRET": "a secret of at least thirty-two bytes",
    "SERVICENOW_INSTANCE_URL": "https://example.service-now.com",
}


@pytest.mark.parametrize(
    ("variables", "words"),
    [
        pytest.param({"POSTGRES_HOST": "127.0.0.1", "POSTGRES_PORT": "9"}, "POSTGRES_HOST", id="no database"),
        pytest.param({"SSA_ENV": "production"}, "SERVICE_TOKEN_SECRET is not set", id="no secret"),
        pytest.param({"SERVICENOW_INSTANCE_URL": "here"}, "SERVICENOW_INSTANCE_URL", id="not an address"),
        pytest.param({"AGENTS_FOLDER": "/dev"}, "routing-agent", id="no agents"),
        pytest.param({"SSA_HOME": "/dev/null/home"}, "SSA_HOME", id="no place for data"),
        pytest.param(PRODUCTION | {"ALLOW_ANONYMOUS_GENERIC": "true"}, "ALLOW_ANONYMOUS_GENERIC", id="no keys at all"),
        pytest.param(PRODUCTION | {"WEB_API_KEYS": '{"web-admin": "a@b.c"}'}, "WEB_API_KEYS", id="a known key"),
        pytest.param(PRODUCTION | {"SNOW_API_KEY": "your-tool-api-key"}, "SNOW_API_KEY", id="a known tool key"),
        pytest.param(PRODUCTION | {"HR_API_KEY": "too-short"}, "HR_API_KEY", id="a short key"),
        pytest.param(PRODUCTION | {"SLACK_SIGNING_SECRET": "changeme"}, "SLACK_SIGNING_SECRET", id="a placeholder"),
        pytest.param(
            PRODUCTION
            | {"POSTGRES_PASSWORD": "Change-Me", "SMTP_PASSWORD": "<password>"}
            | {"SMTP_HOST": "127.0.0.1", "FROM_EMAIL": "desk@example.com"},
            "POSTGRES_PASSWORD: is a placeholder, not a secret; SMTP_PASSWORD",
            id="several placeholders",
        ),
        pytest.param({"SSA_ENV": "development", "SSA_BIND": "0.0.0.0"}, "SSA_ENV", id="known keys for everybody"),  # noqa: S104  # it must refuse
    ],
)
def test_what_is_missing_is_said_in_one_line(variables, words, tmp_path):
    done = ssa("up", "--port", "0", home=tmp_path, LOG_LEVEL="error", **variables)

    assert (done.returncode, done.stdout) == (1, "")
    assert words in done.stderr
    assert done.stderr.startswith("ssa: ")
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.parametrize("command", [("up",), ("serve", "agent-service")])
def test_a_taken_port_is_said_in_one_line(command, tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = ssa(*command, "--port", str(port), home=tmp_path)

    assert done.returncode == 1
    assert done.stderr.startswith(f"ssa: cannot listen on 127.0.0.1:{port}")
    assert len(done.stderr.splitlines()) == 1


def test_an_unknown_service_is_answered_with_the_known_ones(tmp_path):
    done = ssa("serve", "everything", home=tmp_path)

    assert done.returncode == 1
    assert "mcp-servicenow" in done.stderr


def test_the_mock_does_not_run_in_production(tmp_path):
    done = ssa("serve", "mock-servicenow", "--port", "0", home=tmp_path, SSA_ENV="production")

    assert (done.returncode, done.stderr.startswith("ssa: mock-servicenow runs in development only")) == (1, True)


def test_an_unreachable_database_cannot_be_migrated(tmp_path):
    done = ssa("migrate", home=tmp_path, POSTGRES_HOST="127.0.0.1", POSTGRES_PORT="9")

    assert done.returncode == 1
    assert done.stderr.startswith("ssa: PostgreSQL at 127.0.0.1:9")
    assert len(done.stderr.splitlines()) == 1


def test_asking_for_the_database_starts_nothing(tmp_path):
    done = ssa("db", "url", home=tmp_path / "nothing")

    assert done.returncode == 0
    assert done.stdout == f"postgresql://postgres@/llama_agents?host={tmp_path}/nothing/postgres&port=5432\n"
    assert not (tmp_path / "nothing").exists()


def test_the_database_of_the_environment_is_named_as_it_is(tmp_path):
    done = ssa("db", "url", home=tmp_path, POSTGRES_HOST="db.example", POSTGRES_PASSWORD="p/w")

    assert done.stdout == "postgresql://postgres:p%2Fw@db.example:5432/llama_agents\n"


def test_the_address_of_a_running_database_is_the_one_in_use(system, house):
    done = ssa("db", "url", home=house)

    folder = urlsplit(done.stdout.strip()).query.removeprefix("host=").partition("&")[0]
    assert Path(folder, ".s.PGSQL.5432").exists()


def test_a_person_at_a_terminal_sees_how_the_start_goes(tmp_path):
    ours, theirs = pty.openpty()
    process = started("up", "--port", "0", home=tmp_path, stdout=subprocess.PIPE, stderr=theirs, LOG_LEVEL="error")
    os.close(theirs)
    ready = process.stdout.readline()
    process.send_signal(signal.SIGTERM)
    process.stdout.close()

    assert process.wait(PATIENCE_SECONDS) == 0
    assert ready.startswith(b"ready http://127.0.0.1:")
    assert [line.strip() for line in os.read(ours, 65536).decode().splitlines()] == [
        "ssa: opening its own PostgreSQL and bringing the tables up to date …",
        "ssa: starting the services …",
    ]
    os.close(ours)
