import pytest

from self_service_agent.doubles.servicenow.query import UnsupportedQuery, matching, read_query

ROWS = [
    {"email": "a@company.com", "location": {"display_value": "North", "value": "NA"}},
    {"email": "b@company.com", "location": {"display_value": "North", "value": "NA"}},
]


@pytest.mark.parametrize(
    ("text", "conditions"),
    [
        pytest.param("", (), id="none"),
        pytest.param("email=a@company.com", (("email", "a@company.com"),), id="one"),
        pytest.param("a=1^b.c=2", (("a", "1"), ("b.c", "2")), id="two, one through a reference"),
        pytest.param("a=b=c", (("a", "b=c"),), id="the first sign counts"),
        pytest.param("a=", (("a", ""),), id="empty value"),
    ],
)
def test_conditions_are_read(text, conditions):
    assert read_query(text) == conditions


@pytest.mark.parametrize("text", ["a!=1", "a=1^ORb=2", "a=1^NQb=2", "ORDERBYa", "aLIKEb", "=1"])
def test_other_operators_are_refused(text):
    with pytest.raises(UnsupportedQuery):
        read_query(text)


@pytest.mark.parametrize(
    ("conditions", "found"),
    [
        pytest.param((("email", "a@company.com"),), ROWS[:1], id="one row"),
        pytest.param((("email", "a@company.com"), ("location", "NA")), ROWS[:1], id="both hold"),
        pytest.param((("email", "a@company.com"), ("location", "EMEA")), [], id="one does not hold"),
        pytest.param((("location", "North"),), [], id="references are compared by value"),
        pytest.param((("no_such_field", "1"),), ROWS, id="unknown fields are dropped like in the real system"),
    ],
)
def test_rows_are_filtered(conditions, found):
    assert matching(ROWS, conditions) == found
