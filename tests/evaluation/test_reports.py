"""Reports: one page that needs nothing else, failures first, and nothing in it is taken for markup."""

from self_service_agent.evaluation.judges import Finding, Metric
from self_service_agent.evaluation.reports import as_html, as_json, as_junit, write, write_junit
from self_service_agent.evaluation.run import summed_up
from tests.evaluation.builders import a_record, a_scenario, an_exchange

GOOD = a_record(an_exchange("All is well."), scenario=a_scenario(id="a/good"))
BAD = a_record(an_exchange("<script>alert(1)</script>", said="<b>bold</b>"), scenario=a_scenario(id="b/bad"))
RUN = summed_up(
    [GOOD, BAD, a_record(an_exchange(None), scenario=a_scenario(id="c/silent"))],
    [Finding(metric=Metric.TASK_SUCCESS, scenario_id="b/bad", detail="nothing <was> ordered")],
    seconds=1.0,
)


def test_failures_come_first():
    page = as_html(RUN)

    assert page.index("b/bad") < page.index("a/good")


def test_nothing_said_is_markup():
    page = as_html(RUN)

    assert "<script" not in page
    assert "<b>bold" not in page
    assert "nothing &lt;was&gt; ordered" in page


def test_the_page_fetches_nothing():
    page = as_html(RUN)

    assert "http" not in page.replace("http-equiv", "")
    assert "<svg" in page


def test_junit_has_a_case_for_each_scenario():
    suite = as_junit(RUN)

    assert [case.get("name") for case in suite] == ["a/good", "b/bad", "c/silent"]
    assert suite.get("failures") == "1"


def test_all_files_are_written(tmp_path):
    write(RUN, tmp_path / "new")
    write_junit(RUN, tmp_path / "other" / "junit.xml")

    assert sorted(path.name for path in tmp_path.rglob("*.*")) == ["junit.xml", "report.html", "report.json"]


def test_json_says_what_holds():
    assert as_json(RUN)["holds"] is False
