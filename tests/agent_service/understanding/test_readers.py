"""Which of the offered models a reply names: never one from a number in its description."""

import pytest

from self_service_agent.agent_service.understanding.context import Choice
from self_service_agent.agent_service.understanding.readers import read_choice, read_several

MODELS = (
    Choice("std-14", "Lenovo ThinkPad T14 (std-14): 14 inch, Ryzen 7, 32 GB, 512 GB", ("Lenovo ThinkPad T14",)),
    Choice("std-light", "Dell Latitude 7450 (std-light): 14 inch, Core Ultra 5, 1.3 kg", ("Dell Latitude 7450",)),
    Choice("mac-14", "Apple MacBook Pro 14 (mac-14): 14 inch, M4 Pro, 1 TB", ("Apple MacBook Pro 14",)),
    Choice("wks-16", "Lenovo ThinkPad P1 (wks-16): 16 inch, Core Ultra 9, 1 TB", ("Lenovo ThinkPad P1",)),
)


@pytest.mark.parametrize(
    ("text", "choice_id"),
    [
        ("number 3, quickly", "mac-14"), ("laptop 3 or so", "mac-14"), ("3", "mac-14"), ("#3 please", "mac-14"),
        ("model 2 is fine", "std-light"), ("the second one I think", "std-light"),
        ("the macbook pro 14 please", "mac-14"), ("latitude 7450", "std-light"), ("the dell, number 2", "std-light"),
    ],
)  # fmt: skip
def test_a_place_or_a_name_picks_its_model(text, choice_id):
    assert read_choice(text, MODELS).id == choice_id


@pytest.mark.parametrize(
    "text",
    [
        "3 or 4", "4 or 3", "3, 4", "3 and 1", "1/3", "2 or 3", "-1", "- 2", "1.3", "7", "16", "3 laptops",
        "in 3 weeks", "the macbook, number 2", "3 is too expensive", "3?", "the first or the second", "lenovo",
    ],
)  # fmt: skip
def test_what_names_no_single_model_picks_none(text):
    assert read_choice(text, MODELS) is None


@pytest.mark.parametrize(
    ("text", "ids"),
    [
        ("lenovo", ["std-14", "wks-16"]),
        ("a thinkpad please", ["std-14", "wks-16"]),
        ("the macbook or the dell", ["std-light", "mac-14"]),
        ("the dell", []),
        ("14 inch", []),
        ("not the lenovo", []),
        ("3", []),
    ],
)
def test_a_name_of_several_models_names_exactly_those(text, ids):
    assert [choice.id for choice in read_several(text, MODELS)] == ids
