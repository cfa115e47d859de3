"""The demonstration: it shows what happened, and does not claim what did not."""

import io
import tempfile
from pathlib import Path

import pytest
from rich.console import Console

from self_service_agent.cli.demo import script
from self_service_agent.cli.demo.demonstration import judge
from self_service_agent.cli.demo.script import Fact

from .command import ssa

MAIL = {"to": ["alice.johnson@company.com"], "text": "Done: ticket REQ0010001 is open."}
ROW = {"request": {"display_value": "REQ0010001"}}


def test_the_demonstration_shows_everything_and_leaves_nothing(tmp_path):
    before = set(Path(tempfile.gettempdir()).glob("ssa-demo-*"))

    done = ssa("demo", home=tmp_path)

    assert (done.returncode, done.stderr) == (0, ""), done.stdout
    for claim in ("one order on record: REQ0010001", "the e-mail: REQ0010001", "was called: REQ0010001"):
        assert claim in done.stdout
    assert "✘" not in done.stdout
    assert "Everything is there" in done.stdout
    assert set(Path(tempfile.gettempdir()).glob("ssa-demo-*")) <= before


@pytest.mark.parametrize(("rows", "number"), [([], None), ([ROW], "REQ0010001"), ([ROW, ROW], None)])
def test_exactly_one_order_counts(rows, number):
    assert script.ticket_at_servicenow(rows) == number


@pytest.mark.parametrize(
    ("mails", "number"),
    [
        ([], None),
        ([MAIL], "REQ0010001"),
        ([{**MAIL, "to": ["brian.cole@company.com"]}], None),
        ([{**MAIL, "text": "Hello"}, MAIL], "REQ0010001"),
    ],
)
def test_a_mail_counts_for_the_person_it_is_to(mails, number):
    assert script.ticket_in_mails(mails) == number


def test_another_number_than_the_agents_does_not_count():
    facts = script.agreed("REQ0010001", {"here": "REQ0010001", "there": "REQ0010002", "nowhere": None})

    assert facts == [
        Fact(claim="here", found="REQ0010001"),
        Fact(claim="there", found=None),
        Fact(claim="nowhere", found=None),
    ]


def test_without_a_number_nothing_agrees():
    assert script.agreed(None, {"there": None}) == [Fact(claim="there", found=None)]


@pytest.mark.parametrize("number", ["REQ0010001", None], ids=["everything is there", "something is missing"])
def test_the_log_is_kept_and_named_when_something_is_missing(number, tmp_path):
    log = tmp_path / "demo.log"
    log.touch()
    console = Console(file=io.StringIO(), width=500)

    judged = judge(console, [Fact(claim="a mail", found=number)], log=log, seconds=1)

    assert (judged, log.exists()) == ((True, False) if number else (False, True))
    assert (str(log) in console.file.getvalue()) is log.exists()
