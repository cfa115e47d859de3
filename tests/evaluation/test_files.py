"""The shipped scenarios are well-formed, and what is wrong with a file is said."""

import pytest

from self_service_agent.evaluation.files import ScenarioError, evaluations_folder, filled, load_scenarios, merged

SHIPPED = load_scenarios(evaluations_folder())


def test_there_are_enough_of_them():
    assert len(SHIPPED) >= 280
    assert len({scenario.id for scenario in SHIPPED}) == len(SHIPPED)


def test_patterns_choose():
    found = load_scenarios(evaluations_folder(), "laptop-refresh/na/happy,general/h*")

    assert {scenario.id for scenario in found} == {
        "laptop-refresh/na/happy",
        "general/hello",
        "general/help",
        "general/human",
    }


def test_gold_is_merged_field_by_field():
    assert merged({"gold": {"mode": "agent", "orders": [1]}}, {"gold": {"orders": []}}) == {
        "gold": {"mode": "agent", "orders": []}
    }


def test_places_are_filled():
    assert filled({"a": ["$x", "plain"]}, {"x": 1}) == {"a": [1, "plain"]}


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        ("area: a\nbase: {opens: hello}\nmatrix: [unheard-of]", "there is no perturbation unheard-of"),
        ("area: a\nbase: {opens: hello}\nscenarios: [{id: x, goldd: 1}]", "x: goldd"),
        ("area: [", "is not YAML"),
        ("base: {}", "area"),
        ("area: a\nbase: {opens: hello}\nscenarios: [{id: x}, {id: x}]", "two scenarios x"),
    ],
)
def test_a_wrong_file_is_named(content, complaint, tmp_path):
    (tmp_path / "scenarios").mkdir()
    (tmp_path / "perturbations.yaml").write_text("happy: {about: a, changes: {}}")
    (tmp_path / "scenarios" / "wrong.yaml").write_text(content)

    with pytest.raises(ScenarioError, match=r"wrong\.yaml") as error:
        load_scenarios(tmp_path)
    assert complaint in str(error.value)
