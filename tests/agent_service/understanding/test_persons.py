"""For whom a wish is, when it says so."""

import pytest

from self_service_agent.agent_service.understanding.persons import named_person


@pytest.mark.parametrize(
    ("text", "person"),
    [
        ("can you open a ticket for emma.becker", "emma.becker"),
        ("open a ticket for emma.becker.", "emma.becker"),
        ("a laptop for Emma.Becker@example.com, please", "Emma.Becker@example.com"),
        ("I need a new laptop for Emma Becker", "Emma Becker"),
        ("order a laptop for my colleague", "my colleague"),
        ("order a laptop on behalf of my new boss", "my new boss"),
        ("can I get one for someone else", "someone else"),
        ("my colleague needs a new laptop", "my colleague"),
    ],
)
def test_another_person_is_noticed(text, person):
    assert named_person(text) == person


@pytest.mark.parametrize(
    "text",
    [
        "a laptop for me", "a laptop for myself", "a laptop for work", "help for my laptop", "thanks for everything",
        "my boss said I need a new laptop", "I need it for my new project",
    ],
)  # fmt: skip
def test_a_purpose_is_no_person(text):
    assert named_person(text) is None


@pytest.mark.parametrize("text", ["for " * 2000, "my " * 2600, "for a." * 1300, "for a.a" + ".a" * 4000])
def test_long_texts_are_read_without_delay(text):
    named_person(text)
