import pytest

from self_service_agent.doubles.servicenow.query import Condition, TableOrder, UnsupportedQuery, matching, read_query

ROWS = [
    {"email": "a@company.com", "location": {"display_value": "North", "value": "NA"}},
    {"email": "b@company.com", "location": {"display_value": "North", "value": "NA"}},
]


def wanting(*conditions, newest_by=None):
    return TableOrder(tuple(Condition(*each) for each in conditions), newest_by)


@pytest.mark.parametrize(
    ("text", "query"),
    [
        pytest.param("", TableOrder(), id="none"),
        pytest.param("email=a@company.com", wanting(("email", "a@company.com")), id="one"),
        pytest.param("a=1^b.c=2", wanting(("a", "1"), ("b.c", "2")), id="two, one through a reference"),
        pytest.param("a=b=c", wanting(("a", "b=c")), id="the first sign counts"),
        pytest.param("a=", wanting(("a", "")), id="empty value"),
        pytest.param("aLIKEb=c", wanting(("a", "b=c", "LIKE")), id="a part"),
        pytest.param("a=1^ORDERBYDESCb", wanting(("a", "1"), newest_by="b"), id="in an order"),
    ],
)
def test_queries_are_read(text, query):
    assert read_query(text) == query


@pytest.mark.parametrize("text", ["a!=1", "a=1^ORb=2", "a=1^NQb=2", "ORDERBYa", "aSTARTSWITHb", "=1"])
def test_other_operators_are_refused(text):
    with pytest.raises(UnsupportedQuery):
        read_query(text)


@pytest.mark.parametrize(
    ("query", "found"),
    [
        pytest.param(wanting(("email", "a@company.com")), ROWS[:1], id="one row"),
        pytest.param(wanting(("email", "a@company.com"), ("location", "NA")), ROWS[:1], id="both hold"),
        pytest.param(wanting(("email", "a@company.com"), ("location", "EMEA")), [], id="one does not hold"),
        pytest.param(wanting(("location", "North")), [], id="references are compared by value"),
        pytest.param(wanting(("no_such_field", "1")), ROWS, id="unknown fields are dropped like in the real system"),
        pytest.param(wanting(("email", "b@", "LIKE")), ROWS[1:], id="a part of it"),
        pytest.param(wanting(newest_by="email"), ROWS[::-1], id="the last first"),
        pytest.param(wanting(newest_by="location"), ROWS[::-1], id="of equals the last first"),
    ],
)
def test_rows_are_filtered(query, found):
    assert matching(ROWS, query) == found
