"""Every printed script and program does what the documents say."""

import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from self_service_agent.shared_models.requests import RequestStatus

from .examples import GUIDE, LAYER, printed, the_text
from .running import PERSON, run_python, run_script, with_signature, with_token

_SSA = Path(sys.executable).with_name("ssa")


@pytest.mark.parametrize(
    "chapter",
    ["JWT Authentication", "API Key Authentication", "Tool API Key Authentication", "Bash Integration Example"],
)
def test_a_script_that_asks_is_answered(chapter, system, tmp_path):
    (answer,) = run_script(with_token(the_text(GUIDE, chapter)), system, tmp_path)

    assert (answer.status, answer.document["status"]) == (200, "completed")
    assert answer.document["response"]["content"]


def test_a_script_that_asks_as_slack_is_accepted(system, tmp_path):
    (answer,) = run_script(with_signature(the_text(GUIDE, "Slack Signature Verification")), system, tmp_path)

    assert (answer.status, answer.document["status"]) == (202, "pending")


def test_the_debug_commands_tell_what_they_say(system, tmp_path):
    answers = run_script(the_text(GUIDE, "Debug Commands"), system, tmp_path, person=PERSON)

    health, defaults, configuration, deliveries, reset = (answer.document for answer in answers)
    assert {answer.status for answer in answers} == {200}
    assert health["status"] == "healthy"
    assert set(defaults["default_integrations"]) == set(configuration["effective_configs"])
    assert configuration["user_id"] == PERSON
    assert isinstance(deliveries, list)
    assert set(reset) == {"message", "deleted_configs"}


async def test_the_program_that_asks_is_answered(system):
    names = await run_python(the_text(GUIDE, "Python Integration Example"), system)

    answer = await names["send_request"]()

    assert answer.status is RequestStatus.COMPLETED
    assert answer.response.content


def test_the_exported_variables_say_which_database_is_used():
    exports = printed(LAYER, "Local Development")[1]

    done = subprocess.run(  # noqa: S603  # what our own documents print
        ["/bin/bash", "-eu", "-c", f"{exports}\n{shlex.quote(str(_SSA))} db url"],
        capture_output=True,
        check=True,
        env={},
    )

    assert done.stdout.decode() == "postgresql://postgres:password@localhost:5432/llama_agents\n"
