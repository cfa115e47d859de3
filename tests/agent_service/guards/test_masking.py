"""What leaves the process carries placeholders, and only here is known what they stand for."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from self_service_agent.agent_service.guards.masking import mask


def test_the_same_value_has_the_same_placeholder():
    masked = mask("from a@b.org to c@d.org, copy to a@b.org, call +49 171 2345678")

    assert masked.text == "from [email 1] to [email 2], copy to [email 1], call [phone 1]"


def test_what_comes_back_is_restored():
    masked = mask("my address is a@b.org")

    assert masked.restore('{"slot": "email", "value": "[email 1]"}') == '{"slot": "email", "value": "a@b.org"}'


def test_several_texts_share_their_placeholders():
    first = mask("I am a@b.org")
    second = mask("a@b.org and c@d.org", after=first)

    assert second.text == "[email 1] and [email 2]"
    assert second.restore("[email 1] [email 2]") == "a@b.org c@d.org"


@pytest.mark.parametrize(
    ("text", "sent"),
    [("show me [email 1]", "show me [email 1]"), ("[email 1] is not a@b.org", "[email 1] is not [email 2]")],
)
def test_a_placeholder_that_somebody_wrote_stands_for_nothing(text, sent):
    masked = mask(text)

    assert masked.text == sent
    assert masked.restore("[email 1]") == "[email 1]"


def test_values_are_not_printed():
    assert "a@b.org" not in repr(mask("I am a@b.org"))


@given(st.text(max_size=200))
def test_masking_loses_nothing(text):
    masked = mask(text)

    assert masked.restore(masked.text) == text
