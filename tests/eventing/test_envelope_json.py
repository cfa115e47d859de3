"""The JSON event format: which member carries the data, and which documents are refused."""

import base64
import json

import pytest

from self_service_agent.eventing.envelope import InvalidEvent, from_http, to_structured
from tests.eventing.envelopes import DOCUMENT, a_full_event, an_event

JSON = {"content-type": "application/cloudevents+json"}


def read(**members):
    return from_http(JSON, json.dumps(DOCUMENT | members).encode())


def written(event):
    return json.loads(to_structured(event)[1])


def test_all_attributes_and_their_types_survive():
    event = a_full_event()

    assert from_http(*to_structured(event)) == event
    assert written(event) == DOCUMENT | {
        "subject": "request/7",
        "time": "2026-01-02T03:04:05.678901Z",
        "datacontenttype": "application/json",
        "dataschema": "https://schemas.example/created",
        "userid": 'zoë "z" 100%',
        "sequence": 7,
        "urgent": True,
        "partitionkey": "s-1",
        "data": {"n": 1},
    }


@pytest.mark.parametrize(
    ("members", "data", "content_type"),
    [
        pytest.param({}, None, None, id="no data"),
        pytest.param({"data": {"a": [1, 2.5]}}, b'{"a":[1,2.5]}', "application/json", id="JSON is what no type means"),
        pytest.param({"data": None}, b"null", "application/json", id="null is data"),
        pytest.param({"data": "5"}, b'"5"', "application/json", id="a string is a JSON string"),
        pytest.param({"data": "é", "datacontenttype": None}, '"é"'.encode(), "application/json", id="null is unset"),
        pytest.param({"data": 2**70, "datacontenttype": "a/b+json"}, b"1180591620717411303424", "a/b+json", id="big"),
        pytest.param({"data": "<é/>", "datacontenttype": "a/xml"}, "<é/>".encode(), "a/xml", id="text"),
        pytest.param(
            {"data": "é", "datacontenttype": "text/plain; charset=ISO-8859-1"},
            b"\xe9",
            "text/plain; charset=ISO-8859-1",
            id="text in its charset",
        ),
        pytest.param({"data_base64": "AP8="}, b"\x00\xff", None, id="base64"),
        pytest.param({"data_base64": "", "datacontenttype": "image/png"}, b"", "image/png", id="empty base64"),
    ],
)
def test_data_is_read(members, data, content_type):
    assert read(**members) == an_event(data=data, datacontenttype=content_type)


@pytest.mark.parametrize(
    ("content_type", "data", "member"),
    [
        pytest.param("application/json", b'{ "a" : 1 }', {"data": {"a": 1}}, id="JSON"),
        pytest.param("Text/JSON", b"null", {"data": None}, id="JSON of any type"),
        pytest.param("application/problem+json; a=b", b'"x"', {"data": "x"}, id="a JSON suffix"),
        pytest.param("text/plain", "é".encode(), {"data": "é"}, id="text"),
        pytest.param("text/plain; charset=iso-8859-1", b"\xe9", {"data": "é"}, id="text in its charset"),
        pytest.param("text/plain", b"", {"data": ""}, id="empty text"),
        pytest.param("application/json", b"{", None, id="broken JSON"),
        pytest.param("application/json", b'{"a":1,"a":2}', None, id="ambiguous JSON"),
        pytest.param("application/json", b"1e999", None, id="a number without a double"),
        pytest.param("application/json", b'"\\ud800"', None, id="a lone surrogate"),
        pytest.param("application/json", b"[" * 100_000, None, id="bottomless JSON"),
        pytest.param("text/plain", b"\xff", None, id="broken text"),
        pytest.param("text/plain; charset=utf-7", b"+AGE-", None, id="text in a strange charset"),
        pytest.param("application/xml", b"<a/>", None, id="neither JSON nor text"),
        pytest.param(None, b"{}", None, id="no type"),
    ],
)
def test_data_is_written_as_what_it_is_or_else_as_base64(content_type, data, member):
    event = an_event(datacontenttype=content_type, data=data)

    document = written(event)

    assert {name: document[name] for name in document.keys() & {"data", "data_base64"}} == (
        {"data_base64": base64.b64encode(data).decode()} if member is None else member
    )
    assert from_http(*to_structured(event)) == an_event(
        datacontenttype=content_type, data=b'{"a":1}' if data == b'{ "a" : 1 }' else data
    )


def test_a_null_attribute_is_an_unset_one():
    assert read(subject=None, time=None, unsetextension=None) == an_event()


@pytest.mark.parametrize(
    "members",
    [
        pytest.param({"data": 1, "data_base64": "AA=="}, id="data twice"),
        pytest.param({"data": None, "data_base64": None}, id="data twice, both null"),
        pytest.param({"data_base64": None}, id="null base64"),
        pytest.param({"data_base64": 5}, id="a number as base64"),
        pytest.param({"data_base64": "A"}, id="half base64"),
        pytest.param({"data_base64": "AP8"}, id="unpadded base64"),
        pytest.param({"data_base64": "-_8="}, id="base64 of another alphabet"),
        pytest.param({"data_base64": "é"}, id="base64 beyond ASCII"),
        pytest.param({"data": {}, "datacontenttype": "text/plain"}, id="an object as text"),
        pytest.param({"data": "é", "datacontenttype": "text/plain; charset=us-ascii"}, id="text outside its charset"),
        pytest.param({"data": "a", "datacontenttype": "text/plain; charset=utf-7"}, id="a strange charset"),
        pytest.param({"data": "a", "datacontenttype": 5}, id="a number as content type"),
        pytest.param({"data": "a", "datacontenttype": ""}, id="an empty content type"),
        pytest.param({"data": "\ud800"}, id="a lone surrogate"),
        pytest.param({"data": "\ud800", "datacontenttype": "text/plain"}, id="a lone surrogate in text"),
        pytest.param({"time": 5}, id="a number as time"),
        pytest.param({"subject": ""}, id="an empty subject"),
        pytest.param({"subject": 5}, id="a number as subject"),
        pytest.param({"ext": {}}, id="an object as attribute"),
        pytest.param({"ext": []}, id="a list as attribute"),
        pytest.param({"ext": 1.0}, id="a float as attribute"),
        pytest.param({"ext": 2**31}, id="a big integer as attribute"),
        pytest.param({"ext": "\u0007"}, id="a control character"),
        pytest.param({"Ext": "x"}, id="a capital in a name"),
        pytest.param({"data_base65": "x"}, id="an underscore in a name"),
    ],
)
def test_a_document_against_the_rules_is_refused(members):
    with pytest.raises(InvalidEvent):
        read(**members)


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b"{", id="cut off"),
        pytest.param(b"null", id="null"),
        pytest.param(b"[]", id="a list"),
        pytest.param(b"\xff\xfe{\x00}\x00", id="UTF-16"),
        pytest.param(b"\xef\xbb\xbf" + json.dumps(DOCUMENT).encode(), id="a byte order mark"),
        pytest.param(b'{"id":"1",' + json.dumps(DOCUMENT).encode()[1:], id="a member twice"),
        pytest.param(b'{"data":{"a":1,"a":2},' + json.dumps(DOCUMENT).encode()[1:], id="a member of data twice"),
        pytest.param(b'{"data":NaN,' + json.dumps(DOCUMENT).encode()[1:], id="NaN"),
        pytest.param(b'{"data":1e999,' + json.dumps(DOCUMENT).encode()[1:], id="a number without a double"),
        pytest.param(b'{"data":' + b"9" * 5000 + b"," + json.dumps(DOCUMENT).encode()[1:], id="an endless integer"),
        pytest.param(b'{"data":' + b"[" * 100_000, id="bottomless"),
        pytest.param(b'{"id":"\xc3\x28"}', id="broken UTF-8"),
    ],
)
def test_a_broken_document_is_refused(body):
    with pytest.raises(InvalidEvent):
        from_http(JSON, body)
