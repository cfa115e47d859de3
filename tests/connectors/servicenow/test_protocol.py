import json
from datetime import date

import pytest

from self_service_agent.connectors.servicenow import protocol
from self_service_agent.connectors.servicenow.values import (
    Employee,
    Laptop,
    NotOrdered,
    Order,
    OutcomeUnknown,
    Refused,
    Unavailable,
    UnknownEmployee,
)

ALICE = "alice.johnson@company.com"


def both(text, shown=None):
    return {"display_value": shown or text, "value": text}


def a_user(**changes):
    known = {"sys_id": "1001", "name": "Alice Johnson", "email": ALICE, "user_name": "alice.johnson"}
    return {**known, "location": both("l1", "NA"), "active": "true", **changes}


def a_computer(**changes):
    known = {"serial_number": "S1", "asset_tag": "A1", "model_id": both("m1", "Latitude 7420")}
    rest = {"u_laptop_class": "standard", "purchase_date": both("2023-07-20", "20/07/2023"), "assigned_to.email": ALICE}
    return {**known, **rest, **changes}


def rows(*content):
    return json.dumps({"result": content}).encode()


def an_employee():
    return Employee(sys_id="1001", name="Alice Johnson", email=ALICE, login="alice.johnson", location="NA", active=True)


@pytest.mark.parametrize(
    "email",
    [
        "alice@company.com^active=false",
        "alice@company.com\nemail=bob@company.com",
        "alice=1@company.com",
        "alice@company.com ",
        "javascript:gs.getUserID()@company.com",
        "no-address",
        "two@at@signs",
        "alice\x00@company.com",
        "",
    ],
)
@pytest.mark.parametrize("ask", [protocol.employee_of, protocol.laptops_of])
def test_an_address_cannot_add_a_condition(ask, email):
    with pytest.raises(Refused):
        ask(email)


@pytest.mark.parametrize("key", ["k^x=1", "k=1", "k\n", "k k", "javascript:gs", "", "k" * 101])
def test_a_key_cannot_add_a_condition(key):
    with pytest.raises(Refused):
        protocol.order_with(key, email=ALICE)


@pytest.mark.parametrize("email", ["liam.o'brien+it@company.co.uk", "jürgen@firma.example"])
def test_usual_addresses_are_asked_for(email):
    assert protocol.employee_of(email).params["sysparm_query"] == f"email={email}"


def test_an_order_is_asked_for_by_key_and_person():
    query = protocol.order_with("turn:42", email=ALICE)

    assert query.path == "/api/now/table/sc_req_item"
    assert query.params == {
        "sysparm_query": f"correlation_id=turn:42^requested_for.email={ALICE}",
        "sysparm_fields": "request,correlation_id",
        "sysparm_display_value": "all",
        "sysparm_limit": "1",
    }


def test_an_order_is_for_the_persons_record():
    content = protocol.order(an_employee(), code="latitude-7450", justification="It is old", key="k1")

    assert json.loads(content) == {
        "sysparm_quantity": 1,
        "variables": {
            "laptop_choices": "latitude-7450",
            "who_is_this_request_for": "1001",
            "business_justification": "It is old",
            "correlation_id": "k1",
        },
    }


@pytest.mark.parametrize("shape", [lambda text: text, both], ids=["plain fields", "fields with display values"])
def test_a_person_is_read(shape):
    user = {name: shape(value) if isinstance(value, str) else value for name, value in a_user().items()}

    assert protocol.read_employee(200, rows(user), email=ALICE) == an_employee()


@pytest.mark.parametrize(
    "users",
    [
        pytest.param([], id="nobody"),
        pytest.param([a_user(email="bob@company.com")], id="an answer to a dropped condition"),
        pytest.param([a_user(), a_user(sys_id="1002")], id="two people"),
    ],
)
def test_only_exactly_one_person_counts(users):
    with pytest.raises(UnknownEmployee):
        protocol.read_employee(200, rows(*users), email=ALICE)


def test_laptops_are_read_without_those_of_others():
    found = protocol.read_laptops(200, rows(a_computer(), a_computer(**{"assigned_to.email": "b@c.de"})), email=ALICE)

    assert found == (
        Laptop(
            serial="S1",
            asset_tag="A1",
            model="Latitude 7420",
            laptop_class="standard",
            purchase_date=date(2023, 7, 20),
        ),
    )


@pytest.mark.parametrize(
    ("text", "read"), [("high_performance", "high_performance"), ("standard", "standard"), ("", "standard")]
)
def test_a_laptop_is_standard_unless_it_says_otherwise(text, read):
    [laptop] = protocol.read_laptops(200, rows(a_computer(u_laptop_class=text)), email=ALICE)

    assert laptop.laptop_class == read


def test_a_missing_purchase_date_is_none():
    [laptop] = protocol.read_laptops(200, rows(a_computer(purchase_date="")), email=ALICE)

    assert laptop.purchase_date is None


@pytest.mark.parametrize("change", [{"u_laptop_class": "golden"}, {"purchase_date": "last summer"}])
def test_a_laptop_that_cannot_be_understood_is_refused(change):
    with pytest.raises(Refused):
        protocol.read_laptops(200, rows(a_computer(**change)), email=ALICE)


@pytest.mark.parametrize(
    ("status", "content", "error"),
    [
        pytest.param(503, b"", Unavailable, id="busy"),
        pytest.param(502, b"<html>", Unavailable, id="a gateway's page"),
        pytest.param(429, b"", Unavailable, id="too many"),
        pytest.param(200, b"<html>hibernating", Unavailable, id="a sleeping instance"),
        pytest.param(200, b'{"result": 7}', Unavailable, id="another form"),
        pytest.param(401, b'{"error": {"detail": "no key"}}', Refused, id="no key"),
        pytest.param(302, b"", Refused, id="a redirect"),
    ],
)
def test_a_failed_read_says_what_to_do(status, content, error):
    with pytest.raises(error):
        protocol.read_laptops(status, content, email=ALICE)


@pytest.mark.parametrize(
    ("item", "found"),
    [
        pytest.param({"request": both("x", "REQ0010001"), "correlation_id": "k1"}, "REQ0010001", id="ours"),
        pytest.param({"request": "REQ0010001", "correlation_id": "k2"}, None, id="an answer to a dropped condition"),
    ],
)
def test_a_found_order_carries_our_key(item, found):
    order = protocol.read_found_order(200, rows(item), key="k1")

    assert order == (Order(number=found, key="k1") if found else None)


def test_a_placed_order_has_a_number():
    content = b'{"result": {"request_number": "REQ0010001", "sys_id": "x"}}'

    assert protocol.read_placed_order(200, content, key="k1") == Order(number="REQ0010001", key="k1")


@pytest.mark.parametrize(
    ("status", "content", "error"),
    [
        pytest.param(200, b'{"result": {"cart_id": "x"}}', NotOrdered, id="two-step checkout"),
        pytest.param(400, b'{"error": {"detail": "Mandatory Variables"}}', Refused, id="a variable is missing"),
        pytest.param(403, b"", Refused, id="not allowed"),
        pytest.param(503, b"", Unavailable, id="busy"),
        pytest.param(429, b"", Unavailable, id="too many"),
        pytest.param(504, b"", OutcomeUnknown, id="a gateway gave up waiting"),
        pytest.param(500, b"", OutcomeUnknown, id="it broke on the way"),
        pytest.param(200, b'{"resu', OutcomeUnknown, id="half an answer"),
    ],
)
def test_a_failed_order_says_what_to_do(status, content, error):
    with pytest.raises(error):
        protocol.read_placed_order(status, content, key="k1")
