"""The embedded server starts when needed, survives whatever happened to it, and stops with its last user."""

import asyncio
import os
import select
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import asyncpg
import pytest

import self_service_agent
from self_service_agent.kit.embedded_postgres import EmbeddedPostgres, EmbeddedPostgresError

_ORDINARY_PYTHON = Path("/usr/bin/python3")
_NOBODY = 65534
_PROGRAM = """
import sys
from pathlib import Path
from self_service_agent.kit.embedded_postgres import EmbeddedPostgres
with EmbeddedPostgres(Path(sys.argv[1])) as server:
    assert (server.socket_folder / ".s.PGSQL.5432").is_socket()
"""


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """Return the folder of one server for all tests here, because making one takes seconds."""
    return tmp_path_factory.mktemp("home")


def answer(server, query="SELECT 1"):
    async def ask():
        connection = await asyncpg.connect(host=str(server.socket_folder), user="postgres", database="postgres")
        try:
            return await connection.fetchval(query)
        finally:
            await connection.close()

    return asyncio.run(ask())


def pid_of(home):
    return int((home / "postgres" / "postmaster.pid").read_text().splitlines()[0])


def lives(home):
    return (home / "postgres" / "postmaster.pid").exists()


def kill(home):
    """Kill the server and wait until the kernel has cleaned up after it."""
    pid = pid_of(home)
    watched = os.pidfd_open(pid)
    os.kill(pid, signal.SIGKILL)
    gone, _, _ = select.select([watched], [], [], 10)
    os.close(watched)
    assert gone


def test_it_runs_while_it_is_used_and_keeps_what_was_stored(home):
    with EmbeddedPostgres(home) as server:
        answer(server, "CREATE TABLE IF NOT EXISTS kept AS SELECT 7 AS number")
    stopped = not lives(home)
    with EmbeddedPostgres(home) as server:
        kept = answer(server, "SELECT number FROM kept")

    assert (stopped, kept) == (True, 7)


def test_the_first_of_two_users_may_leave(home):
    first, second = EmbeddedPostgres(home), EmbeddedPostgres(home)
    with second:
        with first:
            together = pid_of(home)
        alone = pid_of(home)
        assert answer(second) == 1

    assert together == alone
    assert not lives(home)


def test_a_killed_server_is_started_again(home):
    with EmbeddedPostgres(home):
        kill(home)

    with EmbeddedPostgres(home) as server:
        assert answer(server) == 1


def test_a_killed_user_does_not_keep_the_server_running(home):
    program = _PROGRAM + "    import os; os.kill(os.getpid(), 9)\n"
    killed = subprocess.run([sys.executable, "-c", program, home], check=False)  # noqa: S603  # our own program
    left_behind = lives(home)

    with EmbeddedPostgres(home) as server:
        assert answer(server) == 1

    assert (killed.returncode, left_behind) == (-signal.SIGKILL, True)
    assert not lives(home)


@pytest.mark.parametrize("pid", ["1", pytest.param(str(os.getpid()), id="our own"), "4194303"])
def test_the_pid_file_of_a_server_that_is_gone_is_no_obstacle(home, pid):
    data = home / "postgres"
    stale = f"{pid}\n{data}\n1700000000\n5432\n{data}\n\n  1234567    123456\nready   \n"
    (data / "postmaster.pid").write_text(stale)
    (data / ".s.PGSQL.5432.lock").write_text(stale)

    with EmbeddedPostgres(home) as server:
        assert answer(server) == 1

    assert not lives(home)


def test_a_first_start_that_was_cut_short_is_made_good(tmp_path):
    (tmp_path / "postgres").mkdir()
    (tmp_path / "postgres" / "base").mkdir()

    with EmbeddedPostgres(tmp_path) as server:
        assert answer(server) == 1


def test_a_home_too_deep_for_a_socket_has_it_elsewhere(tmp_path):
    deep = tmp_path / ("x" * 100) / "home"

    with EmbeddedPostgres(deep) as server:
        assert len(str(server.socket_folder)) < 100
        assert answer(server) == 1


def test_a_failed_start_says_why_and_leaves_no_user(home):
    configuration = home / "postgres" / "postgresql.auto.conf"
    before = configuration.read_text()
    configuration.write_text("shared_buffers = nonsense\n")
    with pytest.raises(EmbeddedPostgresError, match="pg_ctl failed"):
        EmbeddedPostgres(home).__enter__()
    configuration.write_text(before)

    with EmbeddedPostgres(home) as server:
        assert answer(server) == 1
    assert not lives(home)


def test_an_ordinary_user_may_run_it():
    if os.geteuid() != 0 or not _ORDINARY_PYTHON.exists():
        pytest.skip("needs root, to become somebody else, and an interpreter that everybody may run")
    folder = Path("/tmp") / f"ssa-test-{os.getpid()}"  # noqa: S108  # a folder that nobody may enter
    packages = Path(asyncpg.__file__).parent.parent
    command = [
        "setpriv", f"--reuid={_NOBODY}", f"--regid={_NOBODY}", "--clear-groups", "--",
        str(_ORDINARY_PYTHON), "-c", _PROGRAM, str(folder / "home"),
    ]  # fmt: skip
    paths = f"{Path(self_service_agent.__file__).parent.parent}:{packages}"
    folder.mkdir()
    os.chown(folder, _NOBODY, _NOBODY)
    done = subprocess.run(  # noqa: S603  # our own program
        command, env={"PYTHONPATH": paths}, capture_output=True, text=True, check=False
    )
    shutil.rmtree(folder)

    assert (done.returncode, done.stderr) == (0, "")
