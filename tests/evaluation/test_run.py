"""The short form of the evaluation: real conversations with the real system, and every gate."""

from self_service_agent.evaluation.files import evaluations_folder, load_phrases, load_scenarios
from self_service_agent.evaluation.reports import as_json, as_junit
from self_service_agent.evaluation.run import Wishes, evaluate

SHORT = """
    laptop-refresh/na/happy, laptop-refresh/na/correction-after-summary, laptop-refresh/na/early-yes,
    laptop-refresh/na/half-yes, laptop-refresh/na/says-no, laptop-refresh/na/cancel-at-summary,
    laptop-refresh/na/human-and-back, laptop-refresh/na/same-request-twice, laptop-refresh/na/two-at-once-at-summary,
    laptop-refresh/na/channel-switch, laptop-refresh/na/expired-before-yes, laptop-refresh/na/tool-down,
    laptop-refresh/na/lost-answer, laptop-refresh/na/cut-at-yes, laptop-refresh/na/wrong-payload-at-yes,
    laptop-refresh/na/injection-at-choice, laptop-refresh/na/pii-at-choice, laptop-refresh/boundary-*,
    laptop-questions/leap-day-standard, general/hello, general/pii, general/help
"""


async def test_every_gate_holds_in_the_short_form():
    folder = evaluations_folder()

    run = await evaluate(load_scenarios(folder, SHORT), load_phrases(folder), wishes=Wishes(embeds=False))

    assert [(finding.scenario_id, finding.metric, finding.detail) for finding in run.findings] == []
    assert run.holds
    assert run.effort.scenarios == len(run.records) >= 25
    assert as_json(run)["holds"] is True
    assert as_junit(run).get("failures") == "0"
