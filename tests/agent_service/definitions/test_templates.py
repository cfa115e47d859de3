"""Templates fill in values of slots, and reach nothing else."""

import pytest

from self_service_agent.agent_service.definitions.templates import TemplateError, compile_template
from self_service_agent.agent_service.definitions.values import ValueProblem

NAMES = {"name": "Alice", "laptop": {"model": "X1", "price": None, "tags": ["a", "b"]}, "odd": "{name.__class__}"}


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("Hello {name}", "Hello Alice"),
        ("{laptop.model} for {name}", "X1 for Alice"),
        ("{{literal}} {name}", "{literal} Alice"),
        ("price {laptop.price}", "price not recorded"),
        ("{laptop.tags}", "a, b"),
        ("{odd}", "{name.__class__}"),
    ],
)
def test_places_are_filled(source, text):
    assert compile_template(source).render(NAMES) == text


@pytest.mark.parametrize("source", ["{}", "{0}", "{name!r}", "{name:>99}", "{a[0]}", "{Name}", "{name", "{a b}", 7])
def test_anything_but_a_slot_is_refused(source):
    with pytest.raises((TemplateError, ValueError)):
        compile_template(source)


@pytest.mark.parametrize("source", ["{missing}", "{laptop.missing}", "{name.__class__}", "{name.upper}"])
def test_what_is_not_there_is_not_said(source):
    with pytest.raises(ValueProblem):
        compile_template(source).render(NAMES)


def test_a_single_place_keeps_its_value():
    assert compile_template("{laptop.tags}").value(NAMES) == ["a", "b"]
