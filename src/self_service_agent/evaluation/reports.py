"""A run as files: JSON for programs, JUnit XML for pipelines, one HTML page for people."""

from dataclasses import asdict
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import orjson
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from .judges import Finding
from .plots import plots_of
from .records import Record
from .run import Run

_TEMPLATES = Path(__file__).parent / "templates"


def write(run: Run, folder: Path) -> None:
    """Write report.json and report.html into `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "report.html").write_text(as_html(run), "utf-8")
    (folder / "report.json").write_bytes(orjson.dumps(as_json(run), option=orjson.OPT_INDENT_2, default=str))


def as_json(run: Run) -> dict[str, Any]:
    """Return a run as plain values."""
    return {
        "holds": run.holds,
        "engine": run.engine,
        "seconds": run.seconds,
        "gates": [asdict(gate) for gate in run.gates],
        "effort": asdict(run.effort),
        "findings": [asdict(finding) for finding in run.findings],
        "scenarios": [_scenario(record) for record in run.records],
    }


def as_html(run: Run) -> str:
    """Return a run as one page that needs nothing else: no scripts, no pictures, no network."""
    environment = Environment(loader=FileSystemLoader(_TEMPLATES), autoescape=True, undefined=StrictUndefined)
    return environment.get_template("report.html.j2").render(
        run=run, plots=plots_of(run.records, run.findings), conversations=_worst_first(run)
    )


def _worst_first(run: Run) -> list[tuple[Record, list[Finding]]]:
    found = [
        (record, [each for each in run.findings if each.scenario_id == record.scenario.id]) for record in run.records
    ]
    return sorted(found, key=lambda pair: not pair[1])


def write_junit(run: Run, path: Path) -> None:
    """Write a JUnit XML file with one test case for each scenario."""
    path.parent.mkdir(parents=True, exist_ok=True)
    ET.ElementTree(as_junit(run)).write(path, encoding="utf-8", xml_declaration=True)


def as_junit(run: Run) -> ET.Element:
    """Return a run as a JUnit test suite."""
    failed = {finding.scenario_id for finding in run.findings}
    suite = ET.Element(
        "testsuite", name="ssa evaluate", tests=str(len(run.records)), failures=str(len(failed)), time=str(run.seconds)
    )
    for record in run.records:
        seconds = sum(each.milliseconds for each in record.exchanges) / 1000
        case = ET.SubElement(
            suite, "testcase", classname=record.scenario.area, name=record.scenario.id, time=f"{seconds:.3f}"
        )
        for finding in (each for each in run.findings if each.scenario_id == record.scenario.id):
            failure = ET.SubElement(case, "failure", type=finding.metric, message=finding.detail[:500])
            failure.text = transcript(record)
    return suite


def transcript(record: Record) -> str:
    """Return a conversation as text."""
    lines = (f"> {each.said}\n{each.answer if each.answer is not None else '(no answer)'}" for each in record.exchanges)
    return "\n\n".join(lines)


def _scenario(record: Record) -> dict[str, Any]:
    return {
        "id": record.scenario.id,
        "area": record.scenario.area,
        "perturbation": record.scenario.perturbation,
        "about": record.scenario.about,
        "person": record.person.email,
        "person_spec": record.scenario.person.model_dump(mode="json"),
        "exchanges": [asdict(each) for each in record.exchanges],
        "orders": [order.model_dump(mode="json") for order in record.orders],
        "tool_calls": [asdict(call) for call in record.tool_calls],
        "comments": list(record.comments),
        "approvals": list(record.approvals),
        "broken": record.broken,
    }
