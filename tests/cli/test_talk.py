"""Asking and chatting from a terminal."""

import json
import os
import pty
import select
import subprocess

import pytest

from self_service_agent.cli.talk import hint_of
from tests.shared_clients.answers import ANSWER

from .command import PATIENCE_SECONDS, ssa, started

NOWHERE = "http://127.0.0.1:9"


def test_a_question_is_answered(system, tmp_path):
    done = ssa("ask", "What is the laptop refresh policy?", "--url", system, home=tmp_path)

    assert (done.returncode, done.stderr) == (0, "")
    assert "Laptop refresh policy" in done.stdout


def test_an_answer_can_be_json(system, tmp_path):
    done = ssa("ask", "hello", "--json", "--url", system, "--user", "brian.cole", home=tmp_path)

    answer = json.loads(done.stdout)
    assert done.returncode == 0
    assert answer["status"] == "completed"
    assert answer["response"]["metadata"]["engine"] == "rules"


@pytest.mark.parametrize("command", [("ask", "hello"), ("chat",)], ids=["ask", "chat"])
def test_where_nobody_answers_it_is_said_how_to_start(command, tmp_path):
    done = ssa(*command, "--url", NOWHERE, home=tmp_path, text="hello\n")

    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith(f"ssa: nobody answers at {NOWHERE}")
    assert "`ssa up`" in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_a_wrong_key_is_one_line(system, tmp_path):
    done = ssa("ask", "hello", "--url", system, home=tmp_path, SSA_API_KEY="not a key")

    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith(f"ssa: {system} says: ")
    assert len(done.stderr.splitlines()) == 1


def test_a_chat_reads_lines_and_prints_answers(system, tmp_path):
    lines = "hello\n\nwhat laptop do I have\nquit\nnever said\n"

    done = ssa("chat", "--url", system, "--user", "john.doe", home=tmp_path, text=lines)

    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.count("\n\n") >= 2
    assert "never said" not in done.stdout


def test_a_chat_at_a_terminal_shows_what_is_done_and_the_choices_in_its_prompt(system, tmp_path):
    ours, theirs = pty.openpty()
    process = started(
        "chat", "--url", system, home=tmp_path, stdin=theirs, stdout=theirs, stderr=theirs, TERM="dumb", COLUMNS="200"
    )
    os.close(theirs)

    seen = _read_until(ours, b"you >")
    os.write(ours, b"I need a new laptop\n")
    seen += _read_until(ours, b"you [1-4] >")
    os.write(ours, b"1\n")
    seen += _read_until(ours, b"you [yes/no] >")
    os.write(ours, b"no\nquit\n")
    _read_until(ours, None)

    assert process.wait(PATIENCE_SECONDS) == 0
    assert "Get employee laptop info…".encode() in seen
    assert b"Lenovo ThinkPad T14 (na-std-14)" in seen
    os.close(ours)


def test_a_chat_shows_what_a_person_says_and_that_they_gave_it_back(system, tmp_path):
    pipe = subprocess.PIPE
    process = started("chat", "--url", system, "--user", "emma.becker", home=tmp_path, stdin=pipe, stdout=pipe)
    answers = process.stdout.fileno()
    _say(process, "human")
    _read_until(answers, b"handing this conversation to a person")

    _take_in_hand("emma.becker", "Have you tried the other cable?", system=system, home=tmp_path)
    seen = _asked_until(process, b"handed the conversation back to me.")
    rest, _ = process.communicate(b"\nquit\n", PATIENCE_SECONDS)

    assert seen.count(b": Have you tried the other cable?\n") == 1
    assert (process.returncode, b"cable" in rest) == (0, False)


def _take_in_hand(person, words, *, system, home):
    found = json.loads(ssa("handoffs", "list", "--json", "--url", system, home=home).stdout)["handoffs"]
    (handoff_id,) = [each["handoff_id"] for each in found if person in each["person"]]
    for act in (("claim", handoff_id), ("reply", handoff_id, words), ("return", handoff_id)):
        done = ssa("handoffs", *act, "--url", system, home=home)
        assert (done.returncode, done.stderr) == (0, "")


def _say(process, words):
    process.stdin.write(f"{words}\n".encode())
    process.stdin.flush()


def _asked_until(process, wanted):
    """Send empty lines, as somebody who waits does, until something is said; return all of it."""
    seen = b""
    while wanted not in seen:
        _say(process, "")
        if select.select([process.stdout], [], [], 0.5)[0]:
            seen += os.read(process.stdout.fileno(), 65536)
    return seen


def test_the_hint_is_empty_when_nothing_is_expected():
    assert hint_of(ANSWER) == ""


def _read_until(terminal, wanted):
    seen = b""
    while wanted is None or wanted not in seen:
        try:
            piece = os.read(terminal, 65536)
        except OSError:  # how Linux says that the other side has gone
            piece = b""
        if not piece:
            assert wanted is None, seen
            return seen
        seen += piece
    return seen
