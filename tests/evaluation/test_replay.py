"""A recorded conversation can be played again, and says where it goes another way today."""

from dataclasses import replace

import orjson
import pytest

from self_service_agent.evaluation.files import evaluations_folder, load_phrases, load_scenarios
from self_service_agent.evaluation.recordings import NotARecording, from_export, from_report
from self_service_agent.evaluation.replay import compared, replayed
from self_service_agent.evaluation.reports import as_json
from self_service_agent.evaluation.run import Wishes, evaluate

WRITE = "open_laptop_refresh_ticket"
NAME = "laptop-refresh/exception-granted"
EXPORT = {
    "session": {"session_id": "s-1"},
    "requests": [
        {
            "content": "yes",
            "integration_type": "CLI",
            "response_content": "Done.",
            "response_metadata": {"expects": "nothing", "mode": "agent"},
            "tool_calls": [
                {"tool": WRITE, "arguments": {"a": 1, "idempotency_key": "k"}, "state": "confirmed"}
            ],
            "approvals": [],
        }
    ],
}  # fmt: skip


async def test_a_conversation_of_a_report_ends_the_same_when_it_is_played_again():
    folder, wishes = evaluations_folder(), Wishes(embeds=False)
    run = await evaluate(load_scenarios(folder, NAME), load_phrases(folder), wishes=wishes)
    before = from_report(orjson.loads(orjson.dumps(as_json(run), default=str)), NAME)

    now = await replayed(before, wishes=wishes)

    assert before.approvals == now.approvals == ("granted",)
    assert len(now.writes) == 1
    assert compared(before, now) == ()


def test_an_export_is_read():
    recording = from_export(EXPORT)

    assert [(said.text, said.answer, said.door) for said in recording.said] == [("yes", "Done.", "cli")]
    assert recording.writes == ((WRITE, {"a": 1}),)


def test_another_end_is_told_first():
    before = from_export(EXPORT)
    now = replace(before, writes=(), said=(replace(before.said[0], answer="No."),))

    assert [(each.what, each.is_end) for each in compared(before, now)] == [("writes", True), ("answer 1", False)]


@pytest.mark.parametrize("document", [{}, {"requests": []}, {"session": {}, "requests": None}])
def test_what_is_no_export_is_refused(document):
    with pytest.raises(NotARecording):
        from_export(document)


def test_a_scenario_that_is_not_in_the_report_is_refused():
    with pytest.raises(NotARecording, match="no scenario x"):
        from_report({"scenarios": []}, "x")
