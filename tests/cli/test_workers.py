"""Several workers behind one port, as processes."""

import re
import signal
import subprocess
import time

import httpx2
import psutil
import pytest

from .command import PATIENCE_SECONDS, ssa, started

ALICE = {"authorization": "Bearer alice.johnson"}
ASK = "/api/v1/requests/web?async=true"


@pytest.fixture
def workers(tmp_path):
    """Yield a parent of two workers of the request manager, and its address."""
    with (tmp_path / "log").open("wb") as log:
        parent = started(
            "serve", "request-manager", "--port", "0", "--workers", "2",
            home=tmp_path, stdout=subprocess.PIPE, stderr=log,
        )  # fmt: skip
    try:
        line = parent.stdout.readline().decode()
        assert line.startswith("ready http://127.0.0.1:"), (tmp_path / "log").read_text()
        yield psutil.Process(parent.pid), line.removeprefix("ready ").strip()
    finally:
        parent.send_signal(signal.SIGTERM)
        parent.stdout.close()
        parent.wait(PATIENCE_SECONDS)


def accepted(url, *, count=20):
    """Ask so often, each time on a connection of its own, and return the answers' codes."""
    body = {"user_id": "alice.johnson", "content": "a laptop"}
    return [httpx2.post(f"{url}{ASK}", json=body, headers=ALICE, timeout=20).status_code for _ in range(count)]


def eventually(check):
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not (found := check()):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    return found


def children(parent):
    return [child for child in parent.children() if child.status() != psutil.STATUS_ZOMBIE]


def test_one_that_is_killed_is_replaced_while_the_other_answers_and_their_counts_are_one(workers):
    parent, url = workers
    before = accepted(url)
    (first, _) = children(parent)

    first.kill()
    meanwhile = accepted(url)
    new = eventually(
        lambda: {each.pid for each in children(parent)} - {first.pid} if len(children(parent)) == 2 else ()
    )
    shown = httpx2.get(f"{url}/metrics", timeout=20).text

    parent.send_signal(signal.SIGHUP)  # nothing to read again here, and nobody's end

    assert set(before + meanwhile + accepted(url, count=5)) == {202}
    assert new == {each.pid for each in children(parent)}
    assert first.pid not in new
    assert float(re.search(r'ssa_requests_accepted_total{integration_type="WEB"} (.+)', shown)[1]) == 40


def test_asked_to_stop_all_of_them_finish_and_the_code_is_that_of_success(workers):
    parent, url = workers
    accepted(url, count=2)
    alive = children(parent)

    parent.send_signal(signal.SIGTERM)

    assert parent.wait(PATIENCE_SECONDS) == 0
    assert not any(each.is_running() for each in alive)


def test_none_outlives_a_parent_that_is_killed(workers):
    parent, _ = workers
    alive = children(parent)

    parent.kill()

    eventually(lambda: not any(each.is_running() and each.status() != psutil.STATUS_ZOMBIE for each in alive))


def test_workers_that_cannot_start_end_the_command_with_their_reason(tmp_path):
    found = ssa("serve", "request-manager", "--port", "0", "--workers", "2", home=tmp_path, JWT_ISSUERS="[{}]")

    assert found.returncode == 1
    assert "JWT_ISSUERS" in found.stderr


def test_development_stand_ins_are_not_multiplied(tmp_path):
    found = ssa("up", "--port", "0", "--workers", "2", home=tmp_path)

    assert found.returncode == 1
    assert "SERVICENOW_INSTANCE_URL" in found.stderr
