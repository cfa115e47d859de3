"""CloudEvents over HTTP, as an outsider could check any sink: what is taken, what is refused and how."""

import json

import pytest

from self_service_agent.eventing.envelope import (
    InvalidEvent,
    UnsupportedFormat,
    from_http,
    to_binary,
    to_structured,
)
from tests.eventing.envelopes import DOCUMENT, REQUIRED, an_event

JSON = {"content-type": "application/cloudevents+json"}


def raw(headers):
    return [(name.encode(), value.encode("latin-1")) for name, value in headers.items()]


def document(**changes):
    return json.dumps(DOCUMENT | changes).encode()


def test_a_binary_event_is_accepted():
    headers = REQUIRED | {
        "Content-Type": "text/csv",
        "ce-subject": "request/7",
        "ce-time": "2026-01-02T03:04:05Z",
        "ce-userid": "alice",
        "host": "127.0.0.1",
        "content-length": "3",
    }

    event = from_http(raw(headers), b"a,b")

    assert to_binary(event) == (
        REQUIRED
        | {
            "content-type": "text/csv",
            "ce-subject": "request/7",
            "ce-time": "2026-01-02T03:04:05Z",
            "ce-userid": "alice",
        },
        b"a,b",
    )


@pytest.mark.parametrize(
    "content_type",
    [
        "application/cloudevents+json",
        "Application/CloudEvents+JSON",
        "application/cloudevents+json; charset=UTF-8",
        " application/cloudevents+json ;charset=utf-8",
    ],
)
def test_a_structured_event_is_accepted(content_type):
    event = from_http({"Content-Type": content_type}, document(data={"n": 1}))

    assert event == an_event(datacontenttype="application/json", data=b'{"n":1}')


def test_headers_of_a_structured_event_are_ignored():
    assert from_http(JSON | {"ce-id": "other"}, document()) == an_event()


@pytest.mark.parametrize(
    "content_type",
    [
        "application/cloudevents",
        "application/cloudevents+avro",
        "application/CloudEvents+XML; charset=utf-8",
        "application/cloudevents-batch+json",
    ],
)
def test_an_unknown_format_is_not_supported(content_type):
    with pytest.raises(UnsupportedFormat):
        from_http({"content-type": content_type}, document())


def test_a_message_that_is_no_event_is_refused():
    with pytest.raises(InvalidEvent):
        from_http(raw({"content-type": "application/json"}), b"{}")


@pytest.mark.parametrize("version", ["9000.1", "0.3", "1", "1.0.2", ""])
def test_another_specversion_is_refused(version):
    with pytest.raises(InvalidEvent, match="specversion"):
        from_http(REQUIRED | {"ce-specversion": version}, b"")
    with pytest.raises(InvalidEvent, match="specversion"):
        from_http(JSON, document(specversion=version))


@pytest.mark.parametrize("name", ["id", "source", "type", "specversion"])
def test_a_missing_or_empty_required_attribute_is_refused(name):
    headers = {header: value for header, value in REQUIRED.items() if header != f"ce-{name}"}
    members = {member: value for member, value in DOCUMENT.items() if member != name}

    for changed in (headers, headers | {f"ce-{name}": ""}):
        with pytest.raises(InvalidEvent, match=name):
            from_http(changed, b"")
    for changed in (members, members | {name: ""}, members | {name: None}, members | {name: 1}):
        with pytest.raises(InvalidEvent, match=name):
            from_http(JSON, json.dumps(changed).encode())


@pytest.mark.parametrize("header", ["ce-user_id", "ce-user-id", "ce-", "ce-data", "ce-data_base64", "ce-größe"])
def test_a_bad_attribute_name_is_refused(header):
    with pytest.raises(InvalidEvent):
        from_http(REQUIRED | {header: "x"}, b"")


@pytest.mark.parametrize(
    ("header", "text"),
    [
        pytest.param("plain", "plain", id="plain"),
        pytest.param("Euro%20%E2%82%AC%20%F0%9F%98%80", "Euro € 😀", id="the example of the binding"),
        pytest.param("%e2%82%ac", "€", id="lower-case escapes"),
        pytest.param("%61", "a", id="needless escapes"),
        pytest.param("%2541", "%41", id="decoded once only"),
        pytest.param('"two words"', "two words", id="quoted"),
        pytest.param(r'"a \"b\" \\ c"', r'a "b" \ c', id="quoted with escapes"),
        pytest.param('"%E2%82%AC"', "€", id="quoted and percent-encoded"),
        pytest.param("%22a%22", '"a"', id="an encoded quote is no quotation"),
        pytest.param("two words", "two words", id="a bare space from an older sender"),
        pytest.param("  around\t", "around", id="white space around"),
        pytest.param("", "", id="empty"),
        pytest.param("true", "true", id="types are not guessed"),
    ],
)
def test_header_values_are_decoded(header, text):
    assert from_http(REQUIRED | {"ce-note": header}, b"").extensions == {"note": text}


@pytest.mark.parametrize(
    "value",
    [
        pytest.param("%C0%A0", id="an overlong escape"),
        pytest.param("%FF", id="no UTF-8"),
        pytest.param("%ED%A0%80", id="an encoded surrogate"),
        pytest.param("100%", id="a lone percent"),
        pytest.param("%2", id="half an escape"),
        pytest.param("%zz", id="no hexadecimal"),
        pytest.param("%00", id="NUL"),
        pytest.param("%0D%0A", id="a line break"),
        pytest.param("a\tb", id="a tab"),
        pytest.param("€", id="text that was not encoded"),
        pytest.param('"open', id="an open quotation"),
        pytest.param('"a" b', id="text after the quotation"),
    ],
)
def test_a_bad_header_value_is_refused(value):
    with pytest.raises(InvalidEvent):
        from_http(REQUIRED | {"ce-note": value}, b"")


def test_a_datacontenttype_header_is_refused():
    with pytest.raises(InvalidEvent, match="Content-Type"):
        from_http(REQUIRED | {"ce-datacontenttype": "text/plain"}, b"")


@pytest.mark.parametrize("name", [b"CE-Id", b"Content-Type"])
def test_a_header_sent_twice_is_refused(name):
    headers = [*raw(REQUIRED | {"content-type": "text/plain"}), (name, b"text/html")]

    with pytest.raises(InvalidEvent, match="twice"):
        from_http(headers, b"")


def test_nothing_but_printable_ascii_leaves_in_headers():
    extensions = {"a": "two words", "b": '"', "c": "%", "d": "~é🙂", "true": True, "false": False, "n": -5}

    sent, _ = to_binary(an_event(extensions=extensions))

    assert sent == REQUIRED | {
        "ce-a": "two%20words",
        "ce-b": "%22",
        "ce-c": "%25",
        "ce-d": "~%C3%A9%F0%9F%99%82",
        "ce-true": "true",
        "ce-false": "false",
        "ce-n": "-5",
    }


@pytest.mark.parametrize("encode", [to_binary, to_structured])
def test_what_comes_in_goes_out_unchanged(encode):
    headers = REQUIRED | {
        "content-type": "application/json; charset=utf-8",
        "ce-time": "2026-01-02T03:04:05.123456789+05:30",
        "ce-unknownextension": "kept",
        "ce-dataschema": "https://schemas.example/a%20b",
    }
    body = b'{"n":123456789012345678901234567890}'
    event = from_http(headers, body)

    again = from_http(*encode(event))

    assert (again, again.data, again.time_as_written) == (event, body, headers["ce-time"])


def test_data_bytes_are_unchanged_in_binary_mode():
    body = bytes(range(256))

    assert to_binary(from_http(REQUIRED, body)) == (REQUIRED, body)


def test_nothing_is_invented():
    event = from_http(REQUIRED, b"")

    assert event == an_event()
    assert to_binary(event) == (REQUIRED, b"")
    assert json.loads(to_structured(event)[1]) == DOCUMENT


def test_an_event_in_an_event_travels_only_structured():
    event = an_event(datacontenttype="application/cloudevents+json", data=document(id="inner"))

    assert from_http(*to_structured(event)).json() == DOCUMENT | {"id": "inner"}
    with pytest.raises(InvalidEvent, match="structured"):
        to_binary(event)
